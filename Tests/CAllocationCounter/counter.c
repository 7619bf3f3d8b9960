// Counts the allocations of every thread of a program that links this: the names of the C library's allocator, which
// the program's own definitions come before. They hand on to it, so freeing is as it was.

#define _GNU_SOURCE
#include "CAllocationCounter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static struct {
    _Atomic int thread;
    _Atomic uint64_t count;
} counters[RING_MOST_THREADS];
static _Atomic int used;
static __thread int own = -1;

static void count_one(void) {
    if (own < 0) {
        own = atomic_fetch_add(&used, 1);
        if (own < RING_MOST_THREADS) atomic_store(&counters[own].thread, gettid());
    }
    if (own < RING_MOST_THREADS) atomic_fetch_add(&counters[own].count, 1);
}

int ring_allocation_threads(void) { return atomic_load(&used); }
int ring_allocation_thread(int place) { return atomic_load(&counters[place].thread); }
uint64_t ring_allocation_count(int place) { return atomic_load(&counters[place].count); }

void *malloc(size_t size) {
    count_one();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count_one();
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    count_one();
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    count_one();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count_one();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    count_one();
    void *found = __libc_memalign(alignment, size);
    if (found == NULL) return ENOMEM;
    *memory = found;
    return 0;
}
