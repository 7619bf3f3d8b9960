/// Element-wise loops over the buffers of a collective: reductions and casts, for each instruction set.
///
/// A caller looks a loop up once and calls it through its pointer as often as it likes. Every level computes
/// the same results bit for bit, so ranks on different processors agree:
///
/// - integers wrap; an average's quotient is rounded towards zero;
/// - 16-bit floats are combined in float32, and the result is rounded once, to nearest, ties to even;
/// - min and max order -0 below +0;
/// - a NaN result is the canonical quiet NaN (0x7E00, 0x7FC0, 0x7FC00000, 0x7FF8000000000000), whatever
///   operand it came from.
///
/// No pointer needs to be aligned. The functions assume the default floating-point environment.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// The instruction sets that the loops are compiled for, each including those before it.
enum {
    /// What every processor of the architecture has: SSE2 on x86-64, Advanced SIMD on arm64.
    RING_KERNEL_BASELINE = 0,
    /// x86-64-v3: AVX2, F16C and their company.
    RING_KERNEL_AVX2 = 1,
    /// x86-64-v4: AVX-512 F, BW, CD, DQ and VL.
    RING_KERNEL_AVX512 = 2,
    RING_KERNEL_LEVELS = 3,
};

/// The element types, numbered as on the wire.
enum {
    RING_FLOAT32 = 1,
    RING_FLOAT64 = 2,
    RING_FLOAT16 = 3,
    RING_BFLOAT16 = 4,
    RING_INT8 = 5,
    RING_INT16 = 6,
    RING_INT32 = 7,
    RING_INT64 = 8,
    RING_UINT8 = 9,
    RING_UINT16 = 10,
    RING_UINT32 = 11,
    RING_UINT64 = 12,
    RING_DATA_TYPES = 13,
};

/// The reduction operators, numbered as on the wire.
enum {
    RING_SUM = 1,
    RING_PRODUCT = 2,
    RING_MIN = 3,
    RING_MAX = 4,
    RING_AVERAGE = 5,
    RING_OPERATORS = 6,
};

/// Sets `destination[i]` to `own[i]` combined with `received[i]`, for `count` elements.
///
/// The destination may be the same as either source; otherwise it must not overlap them. Only a loop that was
/// asked for with a divisor uses `divisor`, which is then at least 1.
typedef void (*ring_reduce_function)(
    void *destination, const void *own, const void *received, size_t count, uint64_t divisor);

/// Sets `destination[i]` to the value of `source[i]` in another type, for `count` elements. The buffers
/// must not overlap.
typedef void (*ring_cast_function)(void *destination, const void *source, size_t count);

/// Reduces by a loop for elements of so many bytes, writing around the caches: for a destination that is too
/// large for them, and which must not be a source. What was written is not in a cache afterwards.
void ring_reduce_streaming(
    ring_reduce_function function, size_t element_size, void *destination, const void *own,
    const void *received, size_t count, uint64_t divisor);

/// Casts by a loop in the same way.
void ring_cast_streaming(
    ring_cast_function function, size_t source_size, size_t destination_size, void *destination,
    const void *source, size_t count);

/// Whether this processor and operating system can run the loops of a level.
bool ring_kernel_level_available(uint8_t level);

/// The loop for a type and an operator; null if there is none.
///
/// `RING_AVERAGE` without a divisor is a plain sum; with one, the loop divides each sum by it. No other
/// operator takes a divisor. The level must be available when the loop is called, not when it is looked up.
ring_reduce_function _Nullable ring_reduce_kernel(
    uint8_t data_type, uint8_t reduction_operator, bool has_divisor, uint8_t level);

/// The loop that casts between float32 and a 16-bit float type, in either direction; null for any other pair.
ring_cast_function _Nullable ring_cast_kernel(uint8_t from, uint8_t to, uint8_t level);

#pragma clang assume_nonnull end
