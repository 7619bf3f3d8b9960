// Measures MPI_Allreduce of float32 sums, in place, as `ringbench all-reduce` measures ours: every rank times each
// operation, and the figures are those of the slowest rank.
//
// usage: mpi_allreduce BYTES WARMUP ITERATIONS [BYTES WARMUP ITERATIONS ...]
// prints one JSON line for each three arguments.

#include <errno.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static double now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static int compare(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return difference < 0 ? -1 : difference > 0;
}

static void fail(const char *message) {
    fprintf(stderr, "mpi_allreduce: %s\n", message);
    MPI_Abort(MPI_COMM_WORLD, 1);
    exit(1);
}

static long number(const char *text, long least) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || *end != '\0' || end == text || value < least) {
        fail("the arguments are BYTES (4 or more), WARMUP (0 or more) and ITERATIONS (1 or more), repeated");
    }
    return value;
}

static void *allocate(size_t bytes, size_t alignment) {
    void *memory = NULL;
    if (posix_memalign(&memory, alignment, bytes) != 0) fail("no memory for the buffers");
    return memory;
}

// Element i of rank r is i mod 8 + r, so every sum is a small integer and exact.
static void fill(float *buffer, long count, int rank) {
    for (long i = 0; i < count; i++) buffer[i] = (float)(i % 8 + rank);
}

static long count_wrong(const float *buffer, long count, int ranks) {
    long wrong = 0;
    for (long i = 0; i < count; i++) {
        wrong += buffer[i] != (float)((i % 8) * ranks + ranks * (ranks - 1) / 2);
    }
    return wrong;
}

static void measure(long bytes, long warmup, long iterations, int rank, int ranks) {
    const size_t huge_page = 2 << 20;
    long count = bytes / (long)sizeof(float);
    float *buffer = allocate(count * sizeof(float), huge_page);
    double *times = allocate(iterations * sizeof(double), 64);
    if (count * sizeof(float) >= huge_page) madvise(buffer, count * sizeof(float), MADV_HUGEPAGE);
    fill(buffer, count, rank);

    for (long i = 0; i < warmup; i++) {
        MPI_Allreduce(MPI_IN_PLACE, buffer, (int)count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    double total = 0;
    for (long i = 0; i < iterations; i++) {
        double start = now_us();
        MPI_Allreduce(MPI_IN_PLACE, buffer, (int)count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
        times[i] = now_us() - start;
        total += times[i];
    }

    fill(buffer, count, rank);
    MPI_Allreduce(MPI_IN_PLACE, buffer, (int)count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    long wrong = count_wrong(buffer, count, ranks);

    qsort(times, iterations, sizeof(double), compare);
    // The slowest rank by its mean, and that rank's median.
    struct {
        double mean;
        int rank;
    } own = {total / iterations, rank}, slowest;
    double median = times[(iterations + 1) / 2 - 1];
    long wrong_of_all = 0;
    MPI_Allreduce(&own, &slowest, 1, MPI_DOUBLE_INT, MPI_MAXLOC, MPI_COMM_WORLD);
    MPI_Bcast(&median, 1, MPI_DOUBLE, slowest.rank, MPI_COMM_WORLD);
    MPI_Allreduce(&wrong, &wrong_of_all, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);

    if (rank == 0) {
        double algbw = count * sizeof(float) / slowest.mean / 1e3;
        printf(
            "{\"collective\": \"all-reduce\", \"bytes\": %zu, \"ranks\": %d, \"iterations\": %ld, "
            "\"time_us_mean\": %.3f, \"time_us_p50\": %.3f, \"algbw_gbs\": %.6f, \"busbw_gbs\": %.6f, "
            "\"wrong\": %ld}\n",
            count * sizeof(float), ranks, iterations, slowest.mean, median, algbw,
            algbw * 2 * (ranks - 1) / ranks, wrong_of_all);
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
    if (argc < 4 || (argc - 1) % 3 != 0) {
        fail("usage: mpi_allreduce BYTES WARMUP ITERATIONS [BYTES WARMUP ITERATIONS ...]");
    }
    for (int i = 1; i < argc; i += 3) {
        measure(number(argv[i], 4), number(argv[i + 1], 0), number(argv[i + 2], 1), rank, ranks);
    }
    MPI_Finalize();
    return 0;
}
