/// The loops that encode float32 in fewer bytes, and decode it, compiled once for each level by loops.h.
///
/// A block is quantized in passes over memory that stays in the first-level cache: its values are gathered, the
/// largest magnitude is found among their bits (where a NaN is larger than infinity, and that larger than all
/// numbers), and then all are scaled and rounded. Every expression rounds as often on every level.

/// The most elements that a block may have.
#define RING_LONGEST_BLOCK 4096

#define RING_LARGEST_FLOAT 0x1.fffffep127f

/// Adds the error of an earlier encoding to what is to be encoded.
RING_INLINE void add_error(float *sums, const void *values, const void *error, size_t count) {
    _Pragma(RING_VECTOR)
    for (size_t i = 0; i < count; ++i) sums[i] = float32_load(values, i) + float32_load(error, i);
}

/// The difference as an error to keep: none where there is no number to tell it from.
RING_INLINE float finite_error(float value, float decoded) {
    const float error = value - decoded;
    return __builtin_fabsf(error) <= RING_LARGEST_FLOAT ? error : 0;
}

// MARK: - Casts

#define RING_ENCODE_CAST(TYPE)                                                                              \
    static size_t TYPE##_decode(                                                                            \
        void *destination, const void *own, const void *source, size_t count, size_t length) {              \
        (void)length;                                                                                       \
        if (own == NULL) {                                                                                  \
            TYPE##_to_float32(destination, source, count);                                                  \
        } else {                                                                                            \
            RING_CAST_LOOP(float32_store, float32_load(own, i) + TYPE##_load(source, i))                    \
        }                                                                                                   \
        return count;                                                                                       \
    }                                                                                                       \
    static size_t TYPE##_encode(                                                                            \
        void *destination, const void *own, const void *received, void *error, size_t count, size_t length, \
        const struct ring_noise *noise) {                                                                   \
        (void)length, (void)noise;                                                                          \
        if (received == NULL && error == NULL) {                                                            \
            float32_to_##TYPE(destination, own, count);                                                     \
            return count;                                                                                   \
        }                                                                                                   \
        float values[RING_BLOCK];                                                                           \
        RING_FOR_BLOCKS({                                                                                   \
            char *const result = (char *)destination + done * sizeof(int16_t);                              \
            void *const kept = error == NULL ? NULL : (char *)error + done * sizeof(float);                 \
            const char *const mine = (const char *)own + done * sizeof(float);                              \
            if (received == NULL) {                                                                         \
                __builtin_memcpy(values, mine, block * sizeof(float));                                      \
            } else {                                                                                        \
                TYPE##_decode(values, mine, (const char *)received + done * sizeof(int16_t), block, 1);     \
            }                                                                                               \
            if (kept != NULL) add_error(values, values, kept, block);                                       \
            float32_to_##TYPE(result, values, block);                                                       \
            if (kept != NULL) {                                                                             \
                _Pragma(RING_VECTOR_OF_HALVES)                                                              \
                for (size_t i = 0; i < block; ++i) {                                                        \
                    float32_store_raw(kept, i, finite_error(values[i], TYPE##_load(result, i)));            \
                }                                                                                           \
            }                                                                                               \
        })                                                                                                  \
        return count;                                                                                       \
    }

RING_ENCODE_CAST(float16)
RING_ENCODE_CAST(bfloat16)

// MARK: - Blocks with a scale

/// Where float32 numbers of middling size are whole: adding this rounds to an integer, which is then in the low bits.
#define RING_ROUNDING 0x1.8p23f
#define RING_ROUNDING_BITS UINT32_C(0x4B400000)
#define RING_INFINITY_BITS UINT32_C(0x7F800000)
#define RING_NAN_BITS UINT32_C(0x7FC00000)
#define RING_MIDDLING_FROM UINT32_C(0x21800000)
#define RING_MIDDLING_TO UINT32_C(0x7E800000)

/// The nearest integer, ties to even, of a number whose magnitude is below 2^22.
RING_INLINE int32_t nearest(float value) {
    return (int32_t)(float32_to_bits(value + RING_ROUNDING) - RING_ROUNDING_BITS);
}

/// A number between -1/2 and 1/2, both excluded: Philox 2x32 of seven rounds (Salmon et al., SC 2011).
RING_INLINE float noise_of(struct ring_noise noise, uint64_t index) {
    uint32_t low = (uint32_t)(noise.first + index), high = (uint32_t)((noise.first + index) >> 32) ^ noise.key[1];
    uint32_t key = noise.key[0];
    for (int round = 0; round < 7; ++round) {
        const uint64_t product = (uint64_t)low * UINT32_C(0xD256D193);
        low = (uint32_t)(product >> 32) ^ key ^ high;
        high = (uint32_t)product;
        key += UINT32_C(0x9E3779B9);
    }
    return (float)(int32_t)(low >> 9) * 0x1p-23f + (0x1p-24f - 0.5f);
}

RING_INLINE int32_t within(int32_t value, int32_t limit) {
    return value > limit ? limit : value < -limit ? -limit : value;
}

/// The bits of the largest magnitude among the elements.
RING_INLINE uint32_t largest_magnitude(const void *values, size_t count) {
    int32_t largest = 0;
    _Pragma(RING_VECTOR)
    for (size_t i = 0; i < count; ++i) {
        const int32_t magnitude = (int32_t)(float32_bits_load(values, i) & 0x7FFFFFFF);
        largest = magnitude > largest ? magnitude : largest;
    }
    return (uint32_t)largest;
}

/// Magnitudes from 2^-60 to 2^126, for which neither the scale nor its reciprocal comes near the range's ends.
RING_INLINE bool is_middling(uint32_t magnitude) {
    return magnitude >= RING_MIDDLING_FROM && magnitude <= RING_MIDDLING_TO;
}

/// One digit of any other block: divides, since reciprocals overflow or lose precision. A scale of infinity marks a
/// block with infinities, which alone keep a digit; one of NaN a block with a NaN.
static int32_t extreme_digit(float value, float scale, int32_t limit, float noise) {
    if (float32_to_bits(scale) == RING_INFINITY_BITS) {
        return value == __builtin_inff() ? limit : value == -__builtin_inff() ? -limit : 0;
    }
    if (float32_to_bits(scale) > RING_INFINITY_BITS || scale == 0) return 0;
    // A rounded scale may leave the largest value just beyond the last digit.
    return within(nearest(value / scale + noise), limit);
}

// Digits lie in little-endian words of 32 bits: of a block of w words, word i has in its lowest bits the digit of
// element i, then that of element w + i, and so on. So digits are packed and unpacked without leaving their lanes.

#define RING_WORD_BITS 32

/// How many blocks are encoded step by step.
#define RING_GROUP 8

/// Packs words of `BITS`-bit digits, of which an expression computes that of the element `word` after the `offset`
/// in bytes; what is above a digit's bits is cut off. (An index of both would hide from the compiler that the
/// elements of a vector lie side by side.)
#define RING_PACK(VECTORIZE, BITS, ...)                                                                     \
    _Pragma(VECTORIZE)                                                                                      \
    for (size_t word = 0; word < words; ++word) {                                                           \
        uint32_t bits = 0;                                                                                  \
        _Pragma("clang loop unroll(full)")                                                                  \
        for (unsigned place = 0; place < RING_WORD_BITS / BITS; ++place) {                                  \
            const size_t offset = place * words * sizeof(float);                                            \
            bits |= ((uint32_t)(__VA_ARGS__) & ((1u << BITS) - 1)) << (BITS * place);                       \
        }                                                                                                   \
        uint32_store(packed, word, bits);                                                                   \
    }

/// The element that a digit belongs to, in a buffer.
RING_INLINE float float32_at(const void *buffer, size_t offset, size_t word) {
    return float32_load((const char *)buffer + offset, word);
}

/// Does something with the `digit` of each element, likewise.
#define RING_FOR_DIGITS(BITS, ...)                                                                          \
    _Pragma(RING_VECTOR)                                                                                    \
    for (size_t word = 0; word < words; ++word) {                                                           \
        const uint32_t bits = uint32_load(packed, word);                                                    \
        _Pragma("clang loop unroll(full)")                                                                  \
        for (unsigned place = 0; place < RING_WORD_BITS / BITS; ++place) {                                  \
            const size_t offset = place * words * sizeof(float);                                            \
            const uint32_t top = bits << (RING_WORD_BITS - BITS * (place + 1));                             \
            const float digit = (float)((int32_t)top >> (RING_WORD_BITS - BITS));                           \
            __VA_ARGS__                                                                                     \
        }                                                                                                   \
    }

// int8: a float32 scale.

#define int8_LIMIT 127
#define int8_BITS 8
#define int8_SCALE_BYTES sizeof(float)

RING_INLINE float int8_scale_of(uint32_t largest) {
    const float magnitude = float32_from_bits(largest);
    float scale = magnitude / int8_LIMIT;
    // A subnormal scale must not be too small for its block, and the largest must not make an infinity.
    if (largest < RING_MIDDLING_FROM) {
        while (scale * int8_LIMIT < magnitude) scale = float32_from_bits(float32_to_bits(scale) + 1);
    } else if (largest > RING_MIDDLING_TO) {
        while (scale * int8_LIMIT > magnitude) scale = float32_from_bits(float32_to_bits(scale) - 1);
    }
    return scale;
}

/// What to multiply with instead of dividing by the scale.
RING_INLINE float int8_factor(float scale, uint32_t largest) {
    (void)scale;
    return int8_LIMIT / float32_from_bits(largest);
}

RING_INLINE void int8_put_scale(char *block, float scale) { float32_store_raw(block, 0, scale); }
RING_INLINE float int8_get_scale(const char *block) { return float32_load(block, 0); }

// int4: a bfloat16 scale, rounded up.

#define int4_LIMIT 7
#define int4_BITS 4
#define int4_SCALE_BYTES sizeof(uint16_t)

RING_INLINE float int4_scale_of(uint32_t largest) {
    const uint32_t scale = float32_to_bits(float32_from_bits(largest) / int4_LIMIT);
    // The largest magnitudes must not make an infinity: their scale is rounded down.
    return float32_from_bits((largest > RING_MIDDLING_TO ? scale : scale + 0xFFFF) & 0xFFFF0000);
}

RING_INLINE float int4_factor(float scale, uint32_t largest) {
    (void)largest;
    return 1 / scale;
}

RING_INLINE void int4_put_scale(char *block, float scale) {
    uint16_store(block, 0, (uint16_t)(float32_to_bits(scale) >> 16));
}
RING_INLINE float int4_get_scale(const char *block) { return bfloat16_widen(uint16_load(block, 0)); }

/// The functions of a type of digits, over whole words: what is missing of the last is made up with zeros. Blocks of
/// the usual length have loops of their own, whose ends the compiler knows. A scale that no encoder writes ends a
/// function early. Where nothing is added, such blocks are encoded several at a time, each step for all of them: the
/// steps of a single one wait for each other.
#define RING_ENCODE_DIGITS(TYPE, USUAL)                                                                     \
    enum { TYPE##_PER_WORD = RING_WORD_BITS / TYPE##_BITS };                                                \
    RING_INLINE size_t TYPE##_padded(size_t count) {                                                        \
        return (count + TYPE##_PER_WORD - 1) / TYPE##_PER_WORD * TYPE##_PER_WORD;                           \
    }                                                                                                       \
    RING_INLINE size_t TYPE##_bytes(size_t count) {                                                         \
        return TYPE##_SCALE_BYTES + TYPE##_padded(count) / TYPE##_PER_WORD * sizeof(uint32_t);              \
    }                                                                                                       \
    RING_INLINE bool TYPE##_is_scale(float scale) {                                                         \
        const uint32_t bits = float32_to_bits(scale);                                                       \
        return bits <= float32_to_bits(RING_LARGEST_FLOAT / TYPE##_LIMIT) || bits == RING_INFINITY_BITS     \
            || bits == RING_NAN_BITS;                                                                       \
    }                                                                                                       \
    static float TYPE##_pack_extreme(                                                                       \
        char *packed, const void *values, size_t words, uint32_t largest, const struct ring_noise *noise,   \
        uint64_t first) {                                                                                   \
        const float scale = largest > RING_INFINITY_BITS ? float32_from_bits(RING_NAN_BITS)                 \
            : largest == RING_INFINITY_BITS ? __builtin_inff() : TYPE##_scale_of(largest);                  \
        RING_PACK(RING_SCALAR, TYPE##_BITS, extreme_digit(                                                  \
            float32_at(values, offset, word), scale, TYPE##_LIMIT,                                          \
                noise == NULL ? 0 : noise_of(*noise, first + place * words + word)))                        \
        return scale;                                                                                       \
    }                                                                                                       \
    static void TYPE##_pack_with_noise(                                                                     \
        char *packed, const void *values, size_t words, float factor, struct ring_noise noise,              \
        uint64_t first) {                                                                                   \
        RING_PACK(RING_VECTOR, TYPE##_BITS, within(                                                         \
            nearest(float32_at(values, offset, word) * factor + noise_of(noise, first + place * words + word)), \
                TYPE##_LIMIT))                                                                              \
    }                                                                                                       \
    RING_INLINE bool TYPE##_encode_block(                                                                   \
        char *result, const void *own, const char *received, void *error, size_t count,                     \
        const struct ring_noise *noise, uint64_t first) {                                                   \
        const size_t words = count / TYPE##_PER_WORD;                                                       \
        float gathered[RING_LONGEST_BLOCK];                                                                 \
        const void *values = own;                                                                           \
        if (received != NULL) {                                                                             \
            const float scale = TYPE##_get_scale(received);                                                 \
            if (!TYPE##_is_scale(scale)) return false;                                                      \
            const char *const packed = received + TYPE##_SCALE_BYTES;                                       \
            RING_FOR_DIGITS(TYPE##_BITS, float32_store_raw(                                                 \
                (char *)gathered + offset, word, float32_at(own, offset, word) + digit * scale);)           \
            values = gathered;                                                                              \
        }                                                                                                   \
        if (error != NULL) {                                                                                \
            add_error(gathered, values, error, count);                                                      \
            values = gathered;                                                                              \
        }                                                                                                   \
        const uint32_t largest = largest_magnitude(values, count);                                          \
        char *const packed = result + TYPE##_SCALE_BYTES;                                                   \
        float scale;                                                                                        \
        if (!is_middling(largest)) {                                                                        \
            scale = TYPE##_pack_extreme(packed, values, words, largest, noise, first);                      \
        } else {                                                                                            \
            scale = TYPE##_scale_of(largest);                                                               \
            const float factor = TYPE##_factor(scale, largest);                                             \
            if (noise != NULL) {                                                                            \
                TYPE##_pack_with_noise(packed, values, words, factor, *noise, first);                       \
            } else {                                                                                        \
                RING_PACK(RING_VECTOR, TYPE##_BITS, nearest(float32_at(values, offset, word) * factor))     \
            }                                                                                               \
        }                                                                                                   \
        TYPE##_put_scale(result, scale);                                                                    \
        if (error != NULL) {                                                                                \
            RING_FOR_DIGITS(TYPE##_BITS, float32_store_raw(                                                 \
                (char *)error + offset, word, finite_error(float32_at(values, offset, word), digit * scale));) \
        }                                                                                                   \
        return true;                                                                                        \
    }                                                                                                       \
    static bool TYPE##_encode_part(                                                                         \
        char *result, const void *own, const char *received, void *error, size_t count,                     \
        const struct ring_noise *noise, uint64_t first) {                                                   \
        float values[RING_LONGEST_BLOCK] = {0}, kept[RING_LONGEST_BLOCK] = {0};                             \
        __builtin_memcpy(values, own, count * sizeof(float));                                               \
        if (error != NULL) __builtin_memcpy(kept, error, count * sizeof(float));                            \
        const size_t padded = TYPE##_padded(count);                                                         \
        if (!TYPE##_encode_block(result, values, received, error == NULL ? NULL : kept, padded, noise, first)) \
            return false;                                                                                   \
        if (error != NULL) __builtin_memcpy(error, kept, count * sizeof(float));                            \
        return true;                                                                                        \
    }                                                                                                       \
    RING_INLINE void TYPE##_encode_group(char *result, const char *own) {                                   \
        enum { words = (USUAL) / TYPE##_PER_WORD };                                                         \
        uint32_t largest[RING_GROUP];                                                                       \
        float scales[RING_GROUP], factors[RING_GROUP];                                                      \
        for (int block = 0; block < RING_GROUP; ++block)                                                    \
            largest[block] = largest_magnitude(own + block * (USUAL) * sizeof(float), USUAL);               \
        for (int block = 0; block < RING_GROUP; ++block) {                                                  \
            if (!is_middling(largest[block])) continue;                                                     \
            scales[block] = TYPE##_scale_of(largest[block]);                                                \
            factors[block] = TYPE##_factor(scales[block], largest[block]);                                  \
        }                                                                                                   \
        for (int block = 0; block < RING_GROUP; ++block) {                                                  \
            const char *const values = own + block * (USUAL) * sizeof(float);                               \
            char *const packed = result + TYPE##_SCALE_BYTES;                                               \
            float scale;                                                                                    \
            if (is_middling(largest[block])) {                                                              \
                const float factor = factors[block];                                                        \
                scale = scales[block];                                                                      \
                RING_PACK(RING_VECTOR, TYPE##_BITS, nearest(float32_at(values, offset, word) * factor))     \
            } else {                                                                                        \
                scale = TYPE##_pack_extreme(packed, values, words, largest[block], NULL, 0);                \
            }                                                                                               \
            TYPE##_put_scale(result, scale);                                                                \
            result += TYPE##_bytes(USUAL);                                                                  \
        }                                                                                                   \
    }                                                                                                       \
    static size_t TYPE##_encode(                                                                            \
        void *destination, const void *own, const void *received, void *error, size_t count, size_t length, \
        const struct ring_noise *noise) {                                                                   \
        char *result = destination;                                                                         \
        const char *source = received;                                                                      \
        size_t done = 0;                                                                                    \
        if (length == USUAL && received == NULL && error == NULL && noise == NULL) {                        \
            for (; count - done >= RING_GROUP * (USUAL); done += RING_GROUP * (USUAL)) {                    \
                TYPE##_encode_group(result, (const char *)own + done * sizeof(float));                      \
                result += RING_GROUP * TYPE##_bytes(USUAL);                                                 \
            }                                                                                               \
        }                                                                                                   \
        for (size_t block; done < count; done += block) {                                                   \
            block = count - done < length ? count - done : length;                                          \
            const char *const mine = (const char *)own + done * sizeof(float);                              \
            char *const kept = error == NULL ? NULL : (char *)error + done * sizeof(float);                 \
            const bool is_right = block == USUAL                                                            \
                ? TYPE##_encode_block(result, mine, source, kept, USUAL, noise, done)                       \
                : TYPE##_encode_part(result, mine, source, kept, block, noise, done);                       \
            if (!is_right) return done;                                                                     \
            result += TYPE##_bytes(block);                                                                  \
            if (source != NULL) source += TYPE##_bytes(block);                                              \
        }                                                                                                   \
        return count;                                                                                       \
    }                                                                                                       \
    RING_INLINE bool TYPE##_decode_block(char *result, const char *own, const char *source, size_t count) { \
        const size_t words = count / TYPE##_PER_WORD;                                                       \
        const float scale = TYPE##_get_scale(source);                                                       \
        if (!TYPE##_is_scale(scale)) return false;                                                          \
        const char *const packed = source + TYPE##_SCALE_BYTES;                                             \
        if (own != NULL) {                                                                                  \
            RING_FOR_DIGITS(                                                                                \
                TYPE##_BITS, float32_store(result + offset, word, float32_at(own, offset, word) + digit * scale);) \
        } else {                                                                                            \
            RING_FOR_DIGITS(TYPE##_BITS, float32_store(result + offset, word, digit * scale);)              \
        }                                                                                                   \
        return true;                                                                                        \
    }                                                                                                       \
    static bool TYPE##_decode_part(char *result, const char *own, const char *source, size_t count) {       \
        float values[RING_LONGEST_BLOCK] = {0};                                                             \
        char *const padded = (char *)values;                                                                \
        if (own != NULL) __builtin_memcpy(values, own, count * sizeof(float));                              \
        if (!TYPE##_decode_block(padded, own == NULL ? NULL : padded, source, TYPE##_padded(count)))        \
            return false;                                                                                   \
        __builtin_memcpy(result, values, count * sizeof(float));                                            \
        return true;                                                                                        \
    }                                                                                                       \
    static size_t TYPE##_decode(                                                                            \
        void *destination, const void *own, const void *encoded, size_t count, size_t length) {             \
        const char *source = encoded;                                                                       \
        for (size_t done = 0, block; done < count; done += block) {                                         \
            block = count - done < length ? count - done : length;                                          \
            char *const result = (char *)destination + done * sizeof(float);                                \
            const char *const mine = own == NULL ? NULL : (const char *)own + done * sizeof(float);         \
            const bool is_right = block == USUAL ? TYPE##_decode_block(result, mine, source, USUAL)         \
                                                 : TYPE##_decode_part(result, mine, source, block);         \
            if (!is_right) return done;                                                                     \
            source += TYPE##_bytes(block);                                                                  \
        }                                                                                                   \
        return count;                                                                                       \
    }

RING_ENCODE_DIGITS(int8, 256)
RING_ENCODE_DIGITS(int4, 64)

// MARK: - Byte planes

#define RING_PLANES(TYPE, BITS, SPLIT, JOIN)                                                                \
    static void TYPE##_split(void *destination, const void *source, size_t count) {                         \
        uint8_t *const planes = destination;                                                                \
        _Pragma(RING_VECTOR)                                                                                \
        for (size_t i = 0; i < count; ++i) {                                                                \
            const BITS element = TYPE##_load(source, i);                                                    \
            SPLIT                                                                                           \
        }                                                                                                   \
    }                                                                                                       \
    static void TYPE##_join(void *destination, const void *source, size_t count) {                          \
        const uint8_t *const planes = source;                                                               \
        _Pragma(RING_VECTOR)                                                                                \
        for (size_t i = 0; i < count; ++i) TYPE##_store(destination, i, (BITS)(JOIN));                      \
    }

#define RING_OUT(N) planes[N * count + i] = (uint8_t)(element >> (8 * N));
#define RING_IN(BITS, N) (BITS)((BITS)planes[N * count + i] << (8 * N))
#define RING_IN_4(BITS) RING_IN(BITS, 0) | RING_IN(BITS, 1) | RING_IN(BITS, 2) | RING_IN(BITS, 3)

RING_PLANES(uint16, uint16_t, RING_OUT(0) RING_OUT(1), RING_IN(uint16_t, 0) | RING_IN(uint16_t, 1))
RING_PLANES(uint32, uint32_t, RING_OUT(0) RING_OUT(1) RING_OUT(2) RING_OUT(3), RING_IN_4(uint32_t))
RING_PLANES(
    uint64, uint64_t,
    RING_OUT(0) RING_OUT(1) RING_OUT(2) RING_OUT(3) RING_OUT(4) RING_OUT(5) RING_OUT(6) RING_OUT(7),
    RING_IN_4(uint64_t) | RING_IN(uint64_t, 4) | RING_IN(uint64_t, 5) | RING_IN(uint64_t, 6) | RING_IN(uint64_t, 7))
