/// The tables of loops that each level contributes, for the look-up in dispatch.c.
#pragma once

#include "CRingKernels.h"

/// The loops of one level. A missing combination is null.
struct ring_kernel_table {
    /// By data type and operator; `RING_AVERAGE` divides.
    ring_reduce_function _Nullable reduce[RING_DATA_TYPES][RING_OPERATORS];
    /// By the type cast from and the type cast to.
    ring_cast_function _Nullable cast[RING_DATA_TYPES][RING_DATA_TYPES];
    /// By encoding.
    ring_encode_function _Nullable encode[RING_ENCODINGS];
    ring_decode_function _Nullable decode[RING_ENCODINGS];
    /// By the bytes of an element.
    ring_planes_function _Nullable split[9];
    ring_planes_function _Nullable join[9];
};

#define RING_INTERNAL __attribute__((visibility("hidden")))

extern const struct ring_kernel_table ring_kernels_baseline RING_INTERNAL;
#if defined(__x86_64__)
extern const struct ring_kernel_table ring_kernels_avx2 RING_INTERNAL;
extern const struct ring_kernel_table ring_kernels_avx512 RING_INTERNAL;
#endif
