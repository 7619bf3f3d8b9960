#include "tables.h"

static const struct ring_kernel_table *table(uint8_t level) {
    switch (level) {
    case RING_KERNEL_BASELINE: return &ring_kernels_baseline;
#if defined(__x86_64__)
    case RING_KERNEL_AVX2: return &ring_kernels_avx2;
    case RING_KERNEL_AVX512: return &ring_kernels_avx512;
#endif
    default: return NULL;
    }
}

// The features are asked for one by one because "x86-64-v3" as a name needs the libgcc of GCC 12.
bool ring_kernel_level_available(uint8_t level) {
    if (level == RING_KERNEL_BASELINE) return true;
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi")
        && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c") && __builtin_cpu_supports("fma")
        && __builtin_cpu_supports("lzcnt") && __builtin_cpu_supports("movbe");
    if (level == RING_KERNEL_AVX2) return avx2;
    if (level == RING_KERNEL_AVX512)
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512vl");
#endif
    return false;
}

ring_reduce_function ring_reduce_kernel(
    uint8_t data_type, uint8_t reduction_operator, bool has_divisor, uint8_t level) {
    const struct ring_kernel_table *kernels = table(level);
    if (kernels == NULL || data_type >= RING_DATA_TYPES || reduction_operator >= RING_OPERATORS) return NULL;
    if (has_divisor && reduction_operator != RING_AVERAGE) return NULL;
    if (!has_divisor && reduction_operator == RING_AVERAGE) reduction_operator = RING_SUM;
    return kernels->reduce[data_type][reduction_operator];
}

ring_cast_function ring_cast_kernel(uint8_t from, uint8_t to, uint8_t level) {
    const struct ring_kernel_table *kernels = table(level);
    if (kernels == NULL || from >= RING_DATA_TYPES || to >= RING_DATA_TYPES) return NULL;
    return kernels->cast[from][to];
}

ring_encode_function ring_encode_kernel(uint8_t encoding, uint8_t level) {
    const struct ring_kernel_table *kernels = table(level);
    return kernels == NULL || encoding >= RING_ENCODINGS ? NULL : kernels->encode[encoding];
}

ring_decode_function ring_decode_kernel(uint8_t encoding, uint8_t level) {
    const struct ring_kernel_table *kernels = table(level);
    return kernels == NULL || encoding >= RING_ENCODINGS ? NULL : kernels->decode[encoding];
}

ring_planes_function ring_split_kernel(size_t element_size, uint8_t level) {
    const struct ring_kernel_table *kernels = table(level);
    return kernels == NULL || element_size > 8 ? NULL : kernels->split[element_size];
}

ring_planes_function ring_join_kernel(size_t element_size, uint8_t level) {
    const struct ring_kernel_table *kernels = table(level);
    return kernels == NULL || element_size > 8 ? NULL : kernels->join[element_size];
}
