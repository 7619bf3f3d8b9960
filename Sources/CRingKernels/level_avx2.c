// The loops for processors with x86-64-v3. Nothing here may run before the processor was found to have it.
#include "tables.h"

#if defined(__x86_64__)
#define RING_KERNEL_TABLE ring_kernels_avx2
#define RING_HALF_LANES 16
#define RING_HARDWARE_FLOAT16 1
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#include "loops.h"
#pragma clang attribute pop
#endif
