// What the peers' programs measure with, as ringbench does: the same number of untimed and timed operations, the same
// elements, every rank timing each operation.

#pragma once

#include <stdlib.h>
#include <time.h>

enum { MOST_TIMES = 5000 };

static inline double now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static inline int compare_times(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return difference < 0 ? -1 : difference > 0;
}

// The smallest time that half of all times do not exceed; sorts them.
static inline double median(double *times, long count) {
    qsort(times, count, sizeof(double), compare_times);
    return times[(count + 1) / 2 - 1];
}

static inline double mean(const double *times, long count) {
    double sum = 0;
    for (long i = 0; i < count; i++) sum += times[i] / count;
    return sum;
}

// Element i of rank r is i mod 8 + r, so every sum is a small integer and exact.
static inline void fill(float *buffer, long count, int rank) {
    for (long i = 0; i < count; i++) buffer[i] = (float)(i % 8 + rank);
}

static inline long count_wrong(const float *buffer, long count, int ranks) {
    long wrong = 0;
    for (long i = 0; i < count; i++) {
        wrong += buffer[i] != (float)((i % 8) * ranks + ranks * (ranks - 1) / 2);
    }
    return wrong;
}

// ringbench's BenchmarkSettings.warmupCount and iterationCount.
static inline long warmup_count(long bytes) {
    return bytes <= 64 << 10 ? 50 : bytes <= 1 << 20 ? 20 : bytes <= 16 << 20 ? 5 : 2;
}

static inline long iteration_count(double us_each) {
    long fitting = (long)(1e6 / 3 / us_each);
    return fitting < 5 ? 5 : fitting > MOST_TIMES ? MOST_TIMES : fitting;
}
