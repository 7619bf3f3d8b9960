/// The loops themselves, compiled once for each level.
///
/// The including file defines `RING_KERNEL_TABLE`, the name of the table to define, `RING_HALF_LANES`, how
/// many 16-bit elements a vector has, and `RING_HARDWARE_FLOAT16`, whether the compiler may use `_Float16`
/// conversions.
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

#define RING_TEXT(...) #__VA_ARGS__
#define RING_VECTOR_OF(LANES) RING_TEXT(clang loop vectorize(assume_safety) vectorize_width(LANES))

#define RING_VECTOR "clang loop vectorize(assume_safety)"
// Left alone, the compiler would take as many lanes as a vector has of float32, and store half vectors.
#define RING_VECTOR_OF_HALVES RING_VECTOR_OF(RING_HALF_LANES)
// No vector instruction has the 128-bit product that dividing 64-bit integers takes.
#define RING_SCALAR "clang loop vectorize(disable)"

#define RING_REDUCE(TYPE, NAME, ...)                                                                        \
    static void TYPE##_##NAME(                                                                              \
        void *destination, const void *own, const void *received, size_t count, uint64_t divisor) {         \
        (void)divisor;                                                                                      \
        __VA_ARGS__                                                                                         \
    }

/// How many 16-bit floats are looked at for NaNs at once: few enough to stay in the first-level cache.
#define RING_BLOCK 2048

/// Does something for each block of `block` elements, from the one at `done`.
#define RING_FOR_BLOCKS(...)                                                                                \
    for (size_t done = 0, block; done < count; done += block) {                                             \
        block = count - done < RING_BLOCK ? count - done : RING_BLOCK;                                      \
        __VA_ARGS__                                                                                         \
    }

/// The same as `RING_REDUCE` for a 16-bit float type. The NaNs of a block, if it has any, are made canonical
/// when the others have been computed.
#define RING_REDUCE_HALF(TYPE, NAME, ...)                                                                   \
    RING_REDUCE(TYPE, NAME##_block, __VA_ARGS__)                                                            \
    static void TYPE##_##NAME(                                                                              \
        void *destination, const void *own, const void *received, size_t count, uint64_t divisor) {         \
        RING_FOR_BLOCKS({                                                                                   \
            const size_t offset = done * sizeof(int16_t);                                                   \
            void *const result = (char *)destination + offset;                                              \
            TYPE##_##NAME##_block(                                                                          \
                result, (const char *)own + offset, (const char *)received + offset, block, divisor);       \
            TYPE##_make_canonical(result, block);                                                           \
        })                                                                                                  \
    }

#define RING_MAKE_CANONICAL(TYPE)                                                                           \
    static void TYPE##_make_canonical(void *buffer, size_t count) {                                         \
        if (!TYPE##_has_nan(buffer, count)) return;                                                         \
        _Pragma(RING_VECTOR)                                                                                \
        for (size_t i = 0; i < count; ++i) {                                                                \
            TYPE##_bits_store(buffer, i, TYPE##_bits_canonical(TYPE##_bits_load(buffer, i)));               \
        }                                                                                                   \
    }

RING_MAKE_CANONICAL(float16)
RING_MAKE_CANONICAL(bfloat16)

/// `ORDERED` is the type in which minimum and maximum are found. A division by a power of two is a
/// multiplication by its exact reciprocal.
#define RING_REDUCE_FLOAT(TYPE, REDUCE, LOOP, VECTORIZE, ORDERED)                                           \
    REDUCE(TYPE, sum, LOOP(TYPE, VECTORIZE, a + b))                                                         \
    REDUCE(TYPE, product, LOOP(TYPE, VECTORIZE, a * b))                                                     \
    RING_REDUCE(TYPE, min, RING_LOOP(ORDERED, RING_VECTOR, ORDERED##_minimum(a, b)))                        \
    RING_REDUCE(TYPE, max, RING_LOOP(ORDERED, RING_VECTOR, ORDERED##_maximum(a, b)))                        \
    REDUCE(TYPE, average, {                                                                                 \
        const TYPE##_value ranks = (TYPE##_value)divisor;                                                   \
        if ((divisor & (divisor - 1)) == 0) {                                                               \
            const TYPE##_value reciprocal = 1 / ranks;                                                      \
            LOOP(TYPE, VECTORIZE, (a + b) * reciprocal)                                                     \
        } else {                                                                                            \
            LOOP(TYPE, VECTORIZE, (a + b) / ranks)                                                          \
        }                                                                                                   \
    })

/// Sums and products are computed in an unsigned type of at least 32 bits, where overflow wraps.
#define RING_REDUCE_INTEGER(TYPE, UNSIGNED, BITS, VECTORIZE_AVERAGE)                                        \
    RING_REDUCE(TYPE, sum, RING_LOOP(TYPE, RING_VECTOR, (TYPE##_t)((UNSIGNED)a + (UNSIGNED)b)))             \
    RING_REDUCE(TYPE, product, RING_LOOP(TYPE, RING_VECTOR, (TYPE##_t)((UNSIGNED)a * (UNSIGNED)b)))         \
    RING_REDUCE(TYPE, min, RING_LOOP(TYPE, RING_VECTOR, a < b ? a : b))                                     \
    RING_REDUCE(TYPE, max, RING_LOOP(TYPE, RING_VECTOR, a > b ? a : b))                                     \
    RING_REDUCE(TYPE, average, {                                                                            \
        if ((divisor & (divisor - 1)) == 0 && divisor >> (BITS - 1) <= 1) {                                 \
            const unsigned power = (unsigned)__builtin_ctzll(divisor);                                      \
            RING_LOOP(TYPE, RING_VECTOR, TYPE##_halve((TYPE##_t)((UNSIGNED)a + (UNSIGNED)b), power))        \
            return;                                                                                         \
        }                                                                                                   \
        const struct division##BITS by = make_division##BITS(divisor);                                      \
        RING_LOOP(TYPE, VECTORIZE_AVERAGE, TYPE##_divide((TYPE##_t)((UNSIGNED)a + (UNSIGNED)b), by))        \
    })

RING_REDUCE_FLOAT(float32, RING_REDUCE, RING_LOOP, RING_VECTOR, float32)
RING_REDUCE_FLOAT(float64, RING_REDUCE, RING_LOOP, RING_VECTOR, float64)
RING_REDUCE_FLOAT(float16, RING_REDUCE_HALF, RING_LOOP, RING_VECTOR_OF_HALVES, float16_bits)
RING_REDUCE_FLOAT(bfloat16, RING_REDUCE_HALF, RING_PAIR_LOOP, RING_VECTOR, bfloat16_bits)
RING_REDUCE_INTEGER(int8, uint32_t, 8, RING_VECTOR)
RING_REDUCE_INTEGER(int16, uint32_t, 16, RING_VECTOR)
RING_REDUCE_INTEGER(int32, uint32_t, 32, RING_VECTOR)
RING_REDUCE_INTEGER(int64, uint64_t, 64, RING_SCALAR)
RING_REDUCE_INTEGER(uint8, uint32_t, 8, RING_VECTOR)
RING_REDUCE_INTEGER(uint16, uint32_t, 16, RING_VECTOR)
RING_REDUCE_INTEGER(uint32, uint32_t, 32, RING_VECTOR)
RING_REDUCE_INTEGER(uint64, uint64_t, 64, RING_SCALAR)

#define RING_CAST(NAME, ...)                                                                                \
    static void NAME(void *destination, const void *source, size_t count) { __VA_ARGS__ }

/// Stores `VALUE` of all indices by `STORE`.
#define RING_CAST_LOOP(STORE, VALUE)                                                                        \
    _Pragma(RING_VECTOR_OF_HALVES)                                                                          \
    for (size_t i = 0; i < count; ++i) STORE(destination, i, VALUE);

RING_CAST(float32_to_bfloat16, RING_CAST_LOOP(bfloat16_store, float32_canonical(float32_load(source, i))))
RING_CAST(bfloat16_to_float32, RING_CAST_LOOP(float32_store, bfloat16_load(source, i)))

RING_CAST(float32_to_float16, RING_CAST_LOOP(
    float16_bits_store, float16_bits_canonical((int16_t)float16_narrow(float32_load(source, i)))))

// The instruction that widens is so fast that looking for NaNs in every float32 would double the time.
RING_CAST(float16_to_float32_block, {
    if (float16_has_nan(source, count)) {
        RING_CAST_LOOP(float32_store, float16_load(source, i))
    } else {
        RING_CAST_LOOP(float32_store_raw, float16_load(source, i))
    }
})
RING_CAST(float16_to_float32, RING_FOR_BLOCKS({
    const char *const halves = (const char *)source + done * sizeof(int16_t);
    float16_to_float32_block((char *)destination + done * sizeof(float), halves, block);
}))

#include "encode.h"

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
    .encode = {
        [RING_ENCODING_FLOAT16] = float16_encode,
        [RING_ENCODING_BFLOAT16] = bfloat16_encode,
        [RING_ENCODING_INT8] = int8_encode,
        [RING_ENCODING_INT4] = int4_encode,
    },
    .decode = {
        [RING_ENCODING_FLOAT16] = float16_decode,
        [RING_ENCODING_BFLOAT16] = bfloat16_decode,
        [RING_ENCODING_INT8] = int8_decode,
        [RING_ENCODING_INT4] = int4_decode,
    },
    .split = {[2] = uint16_split, [4] = uint32_split, [8] = uint64_split},
    .join = {[2] = uint16_join, [4] = uint32_join, [8] = uint64_join},
};
