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

/// The encodings of float32, numbered as on the wire. `Docs/WireProtocol.md` has their layouts.
enum {
    RING_ENCODING_FLOAT16 = 1,
    RING_ENCODING_BFLOAT16 = 2,
    RING_ENCODING_INT8 = 3,
    RING_ENCODING_INT4 = 4,
    RING_ENCODINGS = 5,
};

/// Where the noise for stochastic rounding comes from: a counter-based generator, of which the element at index i
/// takes the number at `first` + i.
struct ring_noise {
    uint32_t key[2];
    uint64_t first;
};

/// Encodes `own[i]`, plus `error[i]` and the value of `received[i]` where these are not null, in blocks of `length`
/// elements; sets `error[i]` to what the encoding takes away, 0 where that is no number.
///
/// `received` is encoded likewise; a scale in it that no encoder writes ends the loop. Returns the number of elements
/// before the block with that scale: `count` if there is none. `noise` is null for rounding to nearest, ties to even.
/// Only `own` and `error` may be the same as one another; the length is at most 4096.
typedef size_t (*ring_encode_function)(
    void *destination, const void *own, const void *_Nullable received, void *_Nullable error, size_t count,
    size_t length, const struct ring_noise *_Nullable noise);

/// Sets `destination[i]` to the value of the encoded `source[i]`, plus `own[i]` where `own` is not null. Returns as
/// above. The destination may be the same as `own`.
typedef size_t (*ring_decode_function)(
    void *destination, const void *_Nullable own, const void *source, size_t count, size_t length);

/// Takes elements apart into planes, one of all elements' first bytes and so on, or puts them together again. The
/// buffers must not overlap.
typedef void (*ring_planes_function)(void *destination, const void *source, size_t count);

/// The loops of an encoding; null if there are none.
ring_encode_function _Nullable ring_encode_kernel(uint8_t encoding, uint8_t level);
ring_decode_function _Nullable ring_decode_kernel(uint8_t encoding, uint8_t level);

/// The loops for elements of 2, 4 or 8 bytes; null for other sizes.
ring_planes_function _Nullable ring_split_kernel(size_t element_size, uint8_t level);
ring_planes_function _Nullable ring_join_kernel(size_t element_size, uint8_t level);

#pragma clang assume_nonnull end
