// Writing around the caches. A store to memory that is in no cache first reads the line that it is about to
// replace, which for a large destination is traffic in vain; a non-temporal store does not. So blocks are
// computed into the first-level cache, as ever, and then written out.
#include "CRingKernels.h"

#include <string.h>

/// The size of a block: small, so that the processor begins to read for the next one while it writes this one.
#define RING_STREAMED_BYTES 512

/// How far ahead of its own reads a cast asks for memory, which of a single buffer the processor does too late.
#define RING_AHEAD_BYTES 2048

typedef unsigned char ring_vector __attribute__((vector_size(16)));

/// Copies to memory aligned to 16 bytes, of a multiple of 16 bytes.
static void write_out(char *destination, const ring_vector *source, size_t bytes) {
    for (size_t i = 0; i < bytes / sizeof *source; ++i) {
        __builtin_nontemporal_store(source[i], (ring_vector *)destination + i);
    }
}

/// Makes the stores visible to whoever sees what this thread stores next, as ordinary stores are.
static void finish(void) {
#if defined(__x86_64__)
    __builtin_ia32_sfence();
#endif
}

/// The elements in front of the first that begins at a multiple of 16 bytes: all of them if none ever does.
static size_t unaligned_count(const void *destination, size_t element_size, size_t count) {
    size_t bytes = -(uintptr_t)destination % sizeof(ring_vector);
    if (bytes % element_size != 0 || bytes / element_size > count) return count;
    return bytes / element_size;
}

/// How many elements the next block has: a multiple of 16 bytes, or 0 where only the rest is left.
static size_t streamed_count(size_t element_size, size_t count) {
    size_t most = RING_STREAMED_BYTES / element_size, unit = sizeof(ring_vector) / element_size;
    return count < most ? count / unit * unit : most;
}

void ring_reduce_streaming(
    ring_reduce_function function, size_t element_size, void *destination, const void *own,
    const void *received, size_t count, uint64_t divisor) {
    ring_vector block[RING_STREAMED_BYTES / sizeof(ring_vector)];
    size_t done = unaligned_count(destination, element_size, count);
    function(destination, own, received, done, divisor);
    for (size_t next; (next = streamed_count(element_size, count - done)) > 0; done += next) {
        const size_t offset = done * element_size;
        function(block, (const char *)own + offset, (const char *)received + offset, next, divisor);
        write_out((char *)destination + offset, block, next * element_size);
    }
    finish();
    const size_t offset = done * element_size;
    function(
        (char *)destination + offset, (const char *)own + offset, (const char *)received + offset, count - done,
        divisor);
}

void ring_cast_streaming(
    ring_cast_function function, size_t source_size, size_t destination_size, void *destination,
    const void *source, size_t count) {
    ring_vector block[RING_STREAMED_BYTES / sizeof(ring_vector)];
    size_t done = unaligned_count(destination, destination_size, count);
    function(destination, source, done);
    for (size_t next; (next = streamed_count(destination_size, count - done)) > 0; done += next) {
        const char *const elements = (const char *)source + done * source_size;
        for (size_t line = 0; line < next * source_size; line += 64) {
            __builtin_prefetch(elements + RING_AHEAD_BYTES + line);
        }
        function(block, elements, next);
        write_out((char *)destination + done * destination_size, block, next * destination_size);
    }
    finish();
    function(
        (char *)destination + done * destination_size, (const char *)source + done * source_size, count - done);
}
