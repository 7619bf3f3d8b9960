// Measures the least that a ring over TCP costs on this machine: processes that do nothing but send, receive and add, with
// no frames, no checks, no deadlines and no other size than the one they know of. What a library adds shows beside it.
//
// usage: bare_ring RANKS BYTES [BYTES ...]
// prints one JSON line a size, as `ringbench all-reduce` measures: the same number of untimed and timed operations of
// float32 sums in place, every rank timing each, and the figures those of the slowest rank.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measuring.h"

enum { MOST_RANKS = 64, PIECE = 256 << 10 };

// What the ranks share, to begin together and to compare their times. Not part of what is timed.
static struct {
    atomic_long arrived;
    double mean[MOST_RANKS], p50[MOST_RANKS];
    long wrong[MOST_RANKS];
} *shared;

static int ranks, rank, next_socket, previous_socket, is_yielding;
static long rounds;
static float piece[PIECE / sizeof(float)];

static void fail(const char *message) {
    fprintf(stderr, "bare_ring: %s\n", message);
    exit(1);
}

static void barrier(void) {
    rounds++;
    atomic_fetch_add(&shared->arrived, 1);
    while (atomic_load(&shared->arrived) < rounds * ranks) sched_yield();
}

static void make_pair(int *first, int *second) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(listener, (void *)&address, length) != 0 || listen(listener, 1) != 0) fail("cannot listen");
    getsockname(listener, (void *)&address, &length);
    *first = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(*first, (void *)&address, length) != 0) fail("cannot connect");
    *second = accept(listener, NULL, NULL);
    close(listener);
    for (int *end = first;; end = second) {
        setsockopt(*end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(*end, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
        if (end == second) break;
    }
}

// Bytes that went, 0 if none can now.
static long moved(ssize_t count) {
    if (count > 0) return count;
    if (count == 0) fail("a rank has gone");
    if (errno != EAGAIN && errno != EINTR) fail(strerror(errno));
    return 0;
}

static long bound(long count, long chunk) { return (count * chunk / ranks) * (long)sizeof(float); }

// Steps 0 to ranks - 2 send a chunk to be added to, the others one that is complete. In step k this rank sends what it
// received in step k - 1, as far as that has come.
static void all_reduce(char *buffer, long count) {
    long steps = 2 * (ranks - 1), send_step = 0, sent = 0, receive_step = 0, received = 0, carried = 0;
    while (send_step < steps || receive_step < steps) {
        long progress = 0;
        if (send_step < steps) {
            long chunk = ((rank - send_step) % ranks + ranks) % ranks, start = bound(count, chunk);
            long size = bound(count, chunk + 1) - start;
            long limit = send_step == 0 || receive_step >= send_step ? size
                         : receive_step == send_step - 1             ? received
                                                                     : 0;
            long wanted = limit - sent < PIECE ? limit - sent : PIECE;
            if (wanted > 0) {
                progress = moved(send(next_socket, buffer + start + sent, wanted, MSG_DONTWAIT | MSG_NOSIGNAL));
                sent += progress;
            }
            if (sent == size) send_step++, sent = 0;
        }
        if (receive_step < steps) {
            long chunk = ((rank - receive_step - 1) % ranks + ranks) % ranks, start = bound(count, chunk);
            long left = bound(count, chunk + 1) - start - received;
            if (left > 0 && receive_step < ranks - 1) {
                long wanted = (left < PIECE ? left : PIECE) - carried;
                long got = moved(recv(previous_socket, (char *)piece + carried, wanted, MSG_DONTWAIT));
                long whole = (carried + got) / (long)sizeof(float) * (long)sizeof(float);
                float *own = (float *)(buffer + start + received);
                for (long i = 0; i < whole / (long)sizeof(float); i++) own[i] += piece[i];
                carried += got - whole;
                if (carried > 0) memmove(piece, (char *)piece + whole, carried);
                received += whole, progress += got;
            } else if (left > 0) {
                long got = moved(recv(previous_socket, buffer + start + received, left, MSG_DONTWAIT));
                received += got, progress += got;
            }
            if (received == bound(count, chunk + 1) - start) receive_step++, received = 0;
        }
        if (progress == 0 && is_yielding) sched_yield();
    }
}

static void time_each(double *times, long operations, char *buffer, long count) {
    for (long i = 0; i < operations; i++) {
        double start = now_us();
        all_reduce(buffer, count);
        times[i] = now_us() - start;
    }
}

static int slowest(void) {
    int most = 0;
    for (int i = 1; i < ranks; i++) {
        if (shared->mean[i] > shared->mean[most]) most = i;
    }
    return most;
}

static void measure(long bytes) {
    const long huge_page = 2 << 20;
    long count = bytes / (long)sizeof(float);
    bytes = count * (long)sizeof(float);
    static double times[MOST_TIMES];
    float *buffer = NULL;
    if (posix_memalign((void **)&buffer, huge_page, bytes) != 0) fail("no memory for the buffers");
    if (bytes >= huge_page) madvise(buffer, bytes, MADV_HUGEPAGE);
    fill(buffer, count, rank);

    long warmup = warmup_count(bytes);
    time_each(times, warmup, (char *)buffer, count);
    shared->mean[rank] = median(times, warmup);
    barrier();
    long iterations = iteration_count(shared->mean[slowest()]);
    barrier();
    time_each(times, iterations, (char *)buffer, count);
    barrier();
    fill(buffer, count, rank);
    all_reduce((char *)buffer, count);
    shared->wrong[rank] = count_wrong(buffer, count, ranks);
    shared->mean[rank] = mean(times, iterations);
    shared->p50[rank] = median(times, iterations);
    barrier();
    if (rank == 0) {
        long wrong = 0;
        for (int i = 0; i < ranks; i++) wrong += shared->wrong[i];
        printf(
            "{\"bytes\": %ld, \"iterations\": %ld, \"time_us_mean\": %.3f, \"time_us_p50\": %.3f, \"wrong\": %ld}\n",
            bytes, iterations, shared->mean[slowest()], shared->p50[slowest()], wrong);
        fflush(stdout);
    }
    barrier();
    free(buffer);
}

int main(int argc, char **argv) {
    ranks = argc > 2 ? atoi(argv[1]) : 0;
    if (ranks < 2 || ranks > MOST_RANKS) fail("usage: bare_ring RANKS BYTES [BYTES ...], with 2 to 64 ranks");
    is_yielding = ranks > sysconf(_SC_NPROCESSORS_ONLN);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) fail("no memory");
    int to_next[MOST_RANKS], from_previous[MOST_RANKS];
    for (int i = 0; i < ranks; i++) make_pair(&to_next[i], &from_previous[(i + 1) % ranks]);
    for (int i = 1; i < ranks && rank == 0; i++) {
        pid_t child = fork();
        if (child < 0) fail("cannot fork");
        if (child == 0) {
            rank = i;
            prctl(PR_SET_PDEATHSIG, SIGKILL);
        }
    }
    next_socket = to_next[rank], previous_socket = from_previous[rank];
    for (int i = 0; i < ranks; i++) {
        if (i != rank) close(to_next[i]), close(from_previous[i]);
    }
    for (int i = 2; i < argc; i++) {
        long bytes = atol(argv[i]);
        if (bytes < (long)sizeof(float)) fail("the sizes are in bytes, 4 or more");
        measure(bytes);
    }
    if (rank > 0) return 0;
    int ended = 0, status;
    while (wait(&status) > 0) ended |= status;
    return ended != 0;
}
