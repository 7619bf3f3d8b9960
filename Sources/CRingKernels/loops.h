/// The loops themselves, compiled once for each level.
///
/// The including file defines `RING_KERNEL_TABLE`, the name of the table to define, and
/// `RING_HARDWARE_FLOAT16`, whether the compiler may use `_Float16` conversions.
#include "elements.h"

// A fused multiply-add would round once where another level rounds twice.
#pragma STDC FP_CONTRACT OFF

/// Combines the elements `a` and `b` of all indices. The iterations are independent even in place, since a
/// destination that overlaps a source is equal to it; without saying so, in-place calls would take the
/// compiler's scalar fallback.
#define RING_LOOP(TYPE, VECTORIZE, EXPRESSION)                                                              \
    _Pragma(VECTORIZE)                                                                                      \
    for (size_t i = 0; i < count; ++i) {                                                                    \
        const TYPE##_value a = TYPE##_load(own, i), b = TYPE##_load(received, i);                           \
        TYPE##_store(destination, i, EXPRESSION);                                                           \
    }

/// The same for bfloat16, two elements at a time in the halves of a 32-bit word, so that no lane has to
/// move, which is half as fast again.
#define RING_PAIR_LOOP(TYPE, VECTORIZE, EXPRESSION)                                                         \
    _Pragma(VECTORIZE)                                                                                      \
    for (size_t i = 0; i < count / 2; ++i) {                                                                \
        const uint32_t own_pair = uint32_load(own, i), received_pair = uint32_load(received, i);            \
        uint32_t low, high;                                                                                 \
        {                                                                                                   \
            const float a = float32_from_bits(own_pair << 16);                                              \
            const float b = float32_from_bits(received_pair << 16);                                         \
            low = TYPE##_rounded_bits(EXPRESSION) >> 16;                                                    \
        }                                                                                                   \
        {                                                                                                   \
            const float a = float32_from_bits(own_pair & 0xFFFF0000);                                       \
            const float b = float32_from_bits(received_pair & 0xFFFF0000);                                  \
            high = TYPE##_rounded_bits(EXPRESSION) & 0xFFFF0000;                                            \
        }                                                                                                   \
        uint32_store(destination, i, low | high);                                                           \
    }                                                                                                       \
    if (count % 2 != 0) {                                                                                   \
        const float a = TYPE##_load(own, count - 1), b = TYPE##_load(received, count - 1);                  \
        TYPE##_store(destination, count - 1, EXPRESSION);                                                   \
    }

#define RING_VECTOR "clang loop vectorize(assume_safety)"
// No vector instruction has the 128-bit product that dividing 64-bit integers takes.
#define RING_SCALAR "clang loop vectorize(disable)"

#define RING_REDUCE(TYPE, NAME, BODY)                                                                       \
    static void TYPE##_##NAME(                                                                              \
        void *destination, const void *own, const void *received, size_t count, uint64_t divisor) {         \
        (void)divisor;                                                                                      \
        BODY                                                                                                \
    }

/// `ORDERED` is the type in which minimum and maximum are found. A division by a power of two is a
/// multiplication by its exact reciprocal.
#define RING_REDUCE_FLOAT(TYPE, LOOP, ORDERED)                                                              \
    RING_REDUCE(TYPE, sum, LOOP(TYPE, RING_VECTOR, a + b))                                                  \
    RING_REDUCE(TYPE, product, LOOP(TYPE, RING_VECTOR, a * b))                                              \
    RING_REDUCE(TYPE, min, RING_LOOP(ORDERED, RING_VECTOR, ORDERED##_minimum(a, b)))                        \
    RING_REDUCE(TYPE, max, RING_LOOP(ORDERED, RING_VECTOR, ORDERED##_maximum(a, b)))                        \
    RING_REDUCE(TYPE, average, {                                                                            \
        const TYPE##_value ranks = (TYPE##_value)divisor;                                                   \
        if ((divisor & (divisor - 1)) == 0) {                                                               \
            const TYPE##_value reciprocal = 1 / ranks;                                                      \
            LOOP(TYPE, RING_VECTOR, (a + b) * reciprocal)                                                   \
        } else {                                                                                            \
            LOOP(TYPE, RING_VECTOR, (a + b) / ranks)                                                        \
        }                                                                                                   \
    })

/// Sums and products are computed in an unsigned type of at least 32 bits, where overflow wraps.
#define RING_REDUCE_INTEGER(TYPE, UNSIGNED, BITS, VECTORIZE_AVERAGE)                                        \
    RING_REDUCE(TYPE, sum, RING_LOOP(TYPE, RING_VECTOR, (TYPE##_t)((UNSIGNED)a + (UNSIGNED)b)))             \
    RING_REDUCE(TYPE, product, RING_LOOP(TYPE, RING_VECTOR, (TYPE##_t)((UNSIGNED)a * (UNSIGNED)b)))         \
    RING_REDUCE(TYPE, min, RING_LOOP(TYPE, RING_VECTOR, a < b ? a : b))                                     \
    RING_REDUCE(TYPE, max, RING_LOOP(TYPE, RING_VECTOR, a > b ? a : b))                                     \
    RING_REDUCE(TYPE, average, {                                                                            \
        if (divisor == 1) {                                                                                 \
            TYPE##_sum(destination, own, received, count, divisor);                                         \
            return;                                                                                         \
        }                                                                                                   \
        const struct division##BITS by = make_division##BITS(divisor);                                      \
        RING_LOOP(TYPE, VECTORIZE_AVERAGE, TYPE##_divide((TYPE##_t)((UNSIGNED)a + (UNSIGNED)b), by))        \
    })

RING_REDUCE_FLOAT(float32, RING_LOOP, float32)
RING_REDUCE_FLOAT(float64, RING_LOOP, float64)
RING_REDUCE_FLOAT(float16, RING_LOOP, float16_bits)
RING_REDUCE_FLOAT(bfloat16, RING_PAIR_LOOP, bfloat16_bits)
RING_REDUCE_INTEGER(int8, uint32_t, 8, RING_VECTOR)
RING_REDUCE_INTEGER(int16, uint32_t, 16, RING_VECTOR)
RING_REDUCE_INTEGER(int32, uint32_t, 32, RING_VECTOR)
RING_REDUCE_INTEGER(int64, uint64_t, 64, RING_SCALAR)
RING_REDUCE_INTEGER(uint8, uint32_t, 8, RING_VECTOR)
RING_REDUCE_INTEGER(uint16, uint32_t, 16, RING_VECTOR)
RING_REDUCE_INTEGER(uint32, uint32_t, 32, RING_VECTOR)
RING_REDUCE_INTEGER(uint64, uint64_t, 64, RING_SCALAR)

#define RING_CAST(FROM, TO)                                                                                 \
    static void FROM##_to_##TO(void *destination, const void *source, size_t count) {                       \
        _Pragma(RING_VECTOR)                                                                                \
        for (size_t i = 0; i < count; ++i) TO##_store(destination, i, FROM##_load(source, i));              \
    }

RING_CAST(float32, float16)
RING_CAST(float32, bfloat16)
RING_CAST(float16, float32)
RING_CAST(bfloat16, float32)

#define RING_ROW(TYPE)                                                                                      \
    {                                                                                                       \
        [RING_SUM] = TYPE##_sum, [RING_PRODUCT] = TYPE##_product, [RING_MIN] = TYPE##_min,                  \
        [RING_MAX] = TYPE##_max, [RING_AVERAGE] = TYPE##_average,                                           \
    }

const struct ring_kernel_table RING_KERNEL_TABLE = {
    .reduce = {
        [RING_FLOAT32] = RING_ROW(float32),
        [RING_FLOAT64] = RING_ROW(float64),
        [RING_FLOAT16] = RING_ROW(float16),
        [RING_BFLOAT16] = RING_ROW(bfloat16),
        [RING_INT8] = RING_ROW(int8),
        [RING_INT16] = RING_ROW(int16),
        [RING_INT32] = RING_ROW(int32),
        [RING_INT64] = RING_ROW(int64),
        [RING_UINT8] = RING_ROW(uint8),
        [RING_UINT16] = RING_ROW(uint16),
        [RING_UINT32] = RING_ROW(uint32),
        [RING_UINT64] = RING_ROW(uint64),
    },
    .cast = {
        [RING_FLOAT32] = {[RING_FLOAT16] = float32_to_float16, [RING_BFLOAT16] = float32_to_bfloat16},
        [RING_FLOAT16] = {[RING_FLOAT32] = float16_to_float32},
        [RING_BFLOAT16] = {[RING_FLOAT32] = bfloat16_to_float32},
    },
};
