// Measures MPI_Allreduce of float32 sums, in place, as `ringbench all-reduce` measures ours: the same number of untimed
// and timed operations, every rank timing each operation, and the figures those of the slowest rank.
//
// usage: mpi_allreduce BYTES [BYTES ...]
// prints one JSON line a size.

#include <errno.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "measuring.h"

static void fail(const char *message) {
    fprintf(stderr, "mpi_allreduce: %s\n", message);
    MPI_Abort(MPI_COMM_WORLD, 1);
    exit(1);
}

static long byte_count(const char *text) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || *end != '\0' || end == text || value < (long)sizeof(float)) {
        fail("the arguments are sizes in bytes, 4 or more");
    }
    return value;
}

static void *allocate(size_t bytes, size_t alignment) {
    void *memory = NULL;
    if (posix_memalign(&memory, alignment, bytes) != 0) fail("no memory for the buffers");
    return memory;
}

static void all_reduce(float *buffer, long count) {
    MPI_Allreduce(MPI_IN_PLACE, buffer, (int)count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}

static void time_each(double *times, long operations, float *buffer, long count) {
    for (long i = 0; i < operations; i++) {
        double start = now_us();
        all_reduce(buffer, count);
        times[i] = now_us() - start;
    }
}

static void measure(long bytes, int rank, int ranks) {
    const size_t huge_page = 2 << 20;
    long count = bytes / (long)sizeof(float);
    bytes = count * (long)sizeof(float);
    float *buffer = allocate(bytes, huge_page);
    double *times = allocate(MOST_TIMES * sizeof(double), 64);
    if ((size_t)bytes >= huge_page) madvise(buffer, bytes, MADV_HUGEPAGE);
    fill(buffer, count, rank);

    long warmup = warmup_count(bytes);
    time_each(times, warmup, buffer, count);
    double us_each = median(times, warmup);
    MPI_Allreduce(MPI_IN_PLACE, &us_each, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    long iterations = iteration_count(us_each);

    MPI_Barrier(MPI_COMM_WORLD);
    time_each(times, iterations, buffer, count);

    fill(buffer, count, rank);
    all_reduce(buffer, count);
    long wrong = count_wrong(buffer, count, ranks);

    // The slowest rank by its mean, and that rank's median.
    struct {
        double mean;
        int rank;
    } own = {mean(times, iterations), rank}, slowest;
    double p50 = median(times, iterations);
    MPI_Allreduce(&own, &slowest, 1, MPI_DOUBLE_INT, MPI_MAXLOC, MPI_COMM_WORLD);
    MPI_Bcast(&p50, 1, MPI_DOUBLE, slowest.rank, MPI_COMM_WORLD);
    MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);

    if (rank == 0) {
        printf(
            "{\"bytes\": %ld, \"iterations\": %ld, \"time_us_mean\": %.3f, \"time_us_p50\": %.3f, \"wrong\": %ld}\n",
            bytes, iterations, slowest.mean, p50, wrong);
        fflush(stdout);
    }
    free(buffer);
    free(times);
}

int main(int argc, char **argv) {
    int rank, ranks;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (argc < 2) fail("usage: mpi_allreduce BYTES [BYTES ...]");
    for (int i = 1; i < argc; i++) measure(byte_count(argv[i]), rank, ranks);
    MPI_Finalize();
    return 0;
}
