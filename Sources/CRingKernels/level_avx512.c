// The loops for processors with x86-64-v4. Nothing here may run before the processor was found to have it.
// By itself the compiler would keep to 256-bit vectors, out of regard for processors that slow down for
// 512-bit ones; loops this light do not make them.
#include "tables.h"

#if defined(__x86_64__)
#define RING_KERNEL_TABLE ring_kernels_avx512
#define RING_HALF_LANES 32
#define RING_HARDWARE_FLOAT16 1
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,no-prefer-256-bit"))), apply_to = function)
#include "loops.h"
#pragma clang attribute pop
#endif
