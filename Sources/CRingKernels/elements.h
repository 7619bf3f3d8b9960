/// How the loops load, compute with and store one element of each type.
///
/// A type T has `T_value`, in which it is computed with, and `T_load` and `T_store`, which take the index
/// of an element in a buffer without alignment. Storing a float rounds it to the type. A 32-bit or 64-bit
/// float's NaN becomes the canonical one as it is stored; for the 16-bit floats, which have twice the elements
/// in as many bytes, the loops see to it block by block, since few blocks have one. Everything here is
/// branchless, so that the loops around it become vector code.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_INLINE static inline __attribute__((always_inline, unused))

/// Loads and stores of a type that is computed with as it is stored.
#define RING_ELEMENT_ACCESS(TYPE, STORAGE)                                                                  \
    RING_INLINE STORAGE TYPE##_load(const void *buffer, size_t index) {                                     \
        STORAGE element;                                                                                    \
        __builtin_memcpy(&element, (const char *)buffer + index * sizeof element, sizeof element);          \
        return element;                                                                                     \
    }                                                                                                       \
    RING_INLINE void TYPE##_store(void *buffer, size_t index, STORAGE element) {                            \
        __builtin_memcpy((char *)buffer + index * sizeof element, &element, sizeof element);                \
    }

// MARK: - float32 and float64

#define RING_FLOAT_ELEMENT(TYPE, VALUE, BITS, CANONICAL_NAN)                                                \
    typedef VALUE TYPE##_value;                                                                             \
    RING_ELEMENT_ACCESS(TYPE##_bits, BITS)                                                                  \
    RING_INLINE BITS TYPE##_to_bits(VALUE value) {                                                          \
        BITS bits;                                                                                          \
        __builtin_memcpy(&bits, &value, sizeof bits);                                                       \
        return bits;                                                                                        \
    }                                                                                                       \
    RING_INLINE VALUE TYPE##_from_bits(BITS bits) {                                                         \
        VALUE value;                                                                                        \
        __builtin_memcpy(&value, &bits, sizeof value);                                                      \
        return value;                                                                                       \
    }                                                                                                       \
    RING_INLINE VALUE TYPE##_canonical(VALUE value) {                                                       \
        return value == value ? value : TYPE##_from_bits(CANONICAL_NAN);                                    \
    }                                                                                                       \
    RING_INLINE VALUE TYPE##_load(const void *buffer, size_t index) {                                       \
        return TYPE##_from_bits(TYPE##_bits_load(buffer, index));                                           \
    }                                                                                                       \
    /* Leaves a NaN as it is. */                                                                            \
    RING_INLINE void TYPE##_store_raw(void *buffer, size_t index, VALUE value) {                            \
        TYPE##_bits_store(buffer, index, TYPE##_to_bits(value));                                            \
    }                                                                                                       \
    RING_INLINE void TYPE##_store(void *buffer, size_t index, VALUE value) {                                \
        TYPE##_store_raw(buffer, index, TYPE##_canonical(value));                                           \
    }                                                                                                       \
    /* The choices differ for zeros, where `or` prefers -0, and for a NaN, which `or` keeps one. */         \
    RING_INLINE VALUE TYPE##_minimum(VALUE a, VALUE b) {                                                    \
        return TYPE##_from_bits(TYPE##_to_bits(a < b ? a : b) | TYPE##_to_bits(b < a ? b : a));             \
    }                                                                                                       \
    /* Likewise with `and`, which prefers +0 but may clear a NaN. */                                        \
    RING_INLINE VALUE TYPE##_maximum(VALUE a, VALUE b) {                                                    \
        BITS bits = TYPE##_to_bits(a > b ? a : b) & TYPE##_to_bits(b > a ? b : a);                          \
        return TYPE##_from_bits(__builtin_isunordered(a, b) ? CANONICAL_NAN : bits);                        \
    }

RING_FLOAT_ELEMENT(float32, float, uint32_t, UINT32_C(0x7FC00000))
RING_FLOAT_ELEMENT(float64, double, uint64_t, UINT64_C(0x7FF8000000000000))

// MARK: - float16

/// The exact value of a float16.
RING_INLINE float float16_widen(uint16_t half) {
#if RING_HARDWARE_FLOAT16
    _Float16 value;
    __builtin_memcpy(&value, &half, sizeof value);
    return (float)value;
#else
    uint32_t magnitude = half & 0x7FFF;
    // A subnormal is a whole number of 2^-24.
    uint32_t subnormal = float32_to_bits((float)(int32_t)magnitude * 0x1p-24f);
    uint32_t normal = (magnitude << 13) + ((127 - 15) << 23);
    uint32_t special = (magnitude << 13) | 0x7F800000;
    uint32_t bits = magnitude < 0x0400 ? subnormal : magnitude < 0x7C00 ? normal : special;
    return float32_from_bits(bits | (uint32_t)(half & 0x8000) << 16);
#endif
}

/// The nearest float16, ties to even; of a NaN, any.
RING_INLINE uint16_t float16_narrow(float value) {
#if RING_HARDWARE_FLOAT16
    _Float16 half = (_Float16)value;
    uint16_t result;
    __builtin_memcpy(&result, &half, sizeof result);
    return result;
#else
    uint32_t bits = float32_to_bits(value);
    uint32_t magnitude = bits & 0x7FFFFFFF;
    // The addition rounds to a whole number of 2^-24, the last place of numbers from 0.5 to 1.
    uint32_t subnormal = float32_to_bits(float32_from_bits(magnitude) + 0.5f) - 0x3F000000;
    // Rounding up may carry into the exponent, and from the largest number to infinity.
    uint32_t normal = (magnitude - ((127 - 15) << 23) + 0x0FFF + (magnitude >> 13 & 1)) >> 13;
    uint32_t special = magnitude > 0x7F800000 ? 0x7E00 : 0x7C00;
    uint32_t half = magnitude < 0x38800000 ? subnormal : magnitude < 0x47800000 ? normal : special;
    return (uint16_t)(half | (bits >> 16 & 0x8000));
#endif
}

// MARK: - bfloat16

/// The exact value of a bfloat16.
RING_INLINE float bfloat16_widen(uint16_t half) {
    return float32_from_bits((uint32_t)half << 16);
}

/// The bits of a float32 rounded to the nearest bfloat16, ties to even, in the upper half; the lower half is
/// meaningless. A NaN whose lower half is zero, as that of every bfloat16 and of what is computed from them,
/// is far enough from the last that the addition leaves it one.
RING_INLINE uint32_t bfloat16_rounded_bits(float value) {
    uint32_t bits = float32_to_bits(value);
    return bits + 0x7FFF + (bits >> 16 & 1);
}

/// The nearest bfloat16; of a NaN with a zero lower half, any.
RING_INLINE uint16_t bfloat16_narrow(float value) {
    return (uint16_t)(bfloat16_rounded_bits(value) >> 16);
}

// MARK: - Both 16-bit floats

/// Maps the bits of a 16-bit float that is not NaN to an integer with the same order, -0 below +0.
RING_INLINE int16_t half_order(int16_t bits) {
    return (bits & 0x7FFF) ^ (bits >> 15);
}

/// A 16-bit float type, computed with as float32; minimum and maximum are found among its bits, `TYPE_bits`.
#define RING_HALF_ELEMENT(TYPE, INFINITY, CANONICAL_NAN)                                                    \
    typedef float TYPE##_value;                                                                             \
    typedef int16_t TYPE##_bits_value;                                                                      \
    RING_ELEMENT_ACCESS(TYPE##_bits, int16_t)                                                               \
    RING_INLINE float TYPE##_load(const void *buffer, size_t index) {                                       \
        return TYPE##_widen((uint16_t)TYPE##_bits_load(buffer, index));                                     \
    }                                                                                                       \
    RING_INLINE void TYPE##_store(void *buffer, size_t index, float value) {                                \
        TYPE##_bits_store(buffer, index, (int16_t)TYPE##_narrow(value));                                    \
    }                                                                                                       \
    RING_INLINE int16_t TYPE##_bits_canonical(int16_t bits) {                                               \
        return (bits & 0x7FFF) > INFINITY ? CANONICAL_NAN : bits;                                           \
    }                                                                                                       \
    RING_INLINE bool TYPE##_has_nan(const void *buffer, size_t count) {                                     \
        int16_t largest = 0;                                                                                \
        for (size_t i = 0; i < count; ++i) {                                                                \
            int16_t magnitude = TYPE##_bits_load(buffer, i) & 0x7FFF;                                       \
            largest = magnitude > largest ? magnitude : largest;                                            \
        }                                                                                                   \
        return largest > INFINITY;                                                                          \
    }                                                                                                       \
    /* The chosen operand, unless one is NaN. */                                                            \
    RING_INLINE int16_t TYPE##_bits_unless_nan(int16_t chosen, int16_t a, int16_t b) {                      \
        int16_t magnitude_a = a & 0x7FFF, magnitude_b = b & 0x7FFF;                                         \
        return (magnitude_a > magnitude_b ? magnitude_a : magnitude_b) > INFINITY ? CANONICAL_NAN : chosen; \
    }                                                                                                       \
    RING_INLINE int16_t TYPE##_bits_minimum(int16_t a, int16_t b) {                                         \
        return TYPE##_bits_unless_nan(half_order(a) < half_order(b) ? a : b, a, b);                         \
    }                                                                                                       \
    RING_INLINE int16_t TYPE##_bits_maximum(int16_t a, int16_t b) {                                         \
        return TYPE##_bits_unless_nan(half_order(a) > half_order(b) ? a : b, a, b);                         \
    }

RING_HALF_ELEMENT(float16, 0x7C00, 0x7E00)
RING_HALF_ELEMENT(bfloat16, 0x7F80, 0x7FC0)

// MARK: - Integers

#define RING_INTEGER_ELEMENT(TYPE)                                                                          \
    typedef TYPE##_t TYPE##_value;                                                                          \
    RING_ELEMENT_ACCESS(TYPE, TYPE##_t)

RING_INTEGER_ELEMENT(int8)
RING_INTEGER_ELEMENT(int16)
RING_INTEGER_ELEMENT(int32)
RING_INTEGER_ELEMENT(int64)
RING_INTEGER_ELEMENT(uint8)
RING_INTEGER_ELEMENT(uint16)
RING_INTEGER_ELEMENT(uint32)
RING_INTEGER_ELEMENT(uint64)

// MARK: - Integer division

/// Division of a signed integer, rounded towards zero: of its magnitude, with its sign.
#define RING_WITH_SIGN(BITS, DIVIDEND, QUOTIENT)                                                            \
    uint##BITS##_t sign = (uint##BITS##_t)(DIVIDEND >> (BITS - 1));                                         \
    uint##BITS##_t magnitude = (uint##BITS##_t)(((uint##BITS##_t)DIVIDEND ^ sign) - sign);                  \
    return (int##BITS##_t)((QUOTIENT ^ sign) - sign);

/// Division by a power of two below 2^BITS. The mask says that it is, without which the compiler would compute
/// in wider lanes.
#define RING_HALVING(BITS)                                                                                  \
    RING_INLINE uint##BITS##_t uint##BITS##_halve(uint##BITS##_t dividend, unsigned power) {                \
        return (uint##BITS##_t)(dividend >> (power & (BITS - 1)));                                          \
    }                                                                                                       \
    RING_INLINE int##BITS##_t int##BITS##_halve(int##BITS##_t dividend, unsigned power) {                   \
        RING_WITH_SIGN(BITS, dividend, uint##BITS##_halve(magnitude, power))                                \
    }

RING_HALVING(8)
RING_HALVING(16)
RING_HALVING(32)
RING_HALVING(64)

/// Division by a number known only at run time but the same for all elements, as a multiplication and shifts.
///
/// From Granlund and Montgomery, "Division by Invariant Integers using Multiplication", PLDI 1994, figure
/// 4.1. The divisor is at least 2; one that does not fit into the type makes every quotient 0. The mask on
/// the second shift is as in halving.
#define RING_DIVISION(BITS, PRODUCT, WIDE)                                                                  \
    struct division##BITS {                                                                                 \
        uint##BITS##_t multiplier;                                                                          \
        unsigned shift;                                                                                     \
    };                                                                                                      \
    RING_INLINE struct division##BITS make_division##BITS(uint64_t divisor) {                               \
        if ((uint##BITS##_t)divisor != divisor) return (struct division##BITS){0, BITS - 1};                \
        unsigned length = 64 - (unsigned)__builtin_clzll(divisor - 1);                                      \
        WIDE remainder = ((WIDE)1 << length) - divisor;                                                     \
        return (struct division##BITS){(uint##BITS##_t)((remainder << BITS) / divisor + 1), length - 1};    \
    }                                                                                                       \
    RING_INLINE uint##BITS##_t uint##BITS##_divide(uint##BITS##_t dividend, struct division##BITS by) {     \
        uint##BITS##_t high = (uint##BITS##_t)((PRODUCT)by.multiplier * dividend >> BITS);                  \
        uint##BITS##_t half = (uint##BITS##_t)(dividend - high) >> 1;                                       \
        return (uint##BITS##_t)((uint##BITS##_t)(high + half) >> (by.shift & (BITS - 1)));                  \
    }                                                                                                       \
    RING_INLINE int##BITS##_t int##BITS##_divide(int##BITS##_t dividend, struct division##BITS by) {        \
        RING_WITH_SIGN(BITS, dividend, uint##BITS##_divide(magnitude, by))                                  \
    }

RING_DIVISION(8, uint16_t, uint64_t)
RING_DIVISION(16, uint32_t, uint64_t)
RING_DIVISION(32, uint64_t, uint64_t)
RING_DIVISION(64, unsigned __int128, unsigned __int128)
