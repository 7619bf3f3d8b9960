// The loops for any processor of the architecture.
#include "tables.h"

#define RING_KERNEL_TABLE ring_kernels_baseline
#define RING_HALF_LANES 8
// arm64 always converts float16 in hardware; x86-64 does from AVX2's generation on.
#if defined(__aarch64__)
#define RING_HARDWARE_FLOAT16 1
#else
#define RING_HARDWARE_FLOAT16 0
#endif
#include "loops.h"
