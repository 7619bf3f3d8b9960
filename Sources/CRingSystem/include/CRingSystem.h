// What Swift's Glibc module leaves out of the system's headers.
#pragma once

#include <stddef.h>
#include <stdint.h>
// An event counter for waking a thread out of poll, non-blocking and closed on exec; -1 on failure.
int ring_event_create(void);
void ring_event_set(int descriptor);
void ring_event_reset(int descriptor);

// How many processors the scheduler lets this process use; at least 1.
int ring_processors_available(void);

// How many bytes this process may lock in memory; the largest number if there is no limit.
uint64_t ring_locked_memory_limit(void);

// Names the calling thread for debuggers; at most 15 bytes count.
void ring_thread_set_name(const char *name);

// Socket options by their Linux names: 0, or -1 with errno set.
int ring_socket_set_congestion_control(int socket, const char *name);
int ring_socket_get_congestion_control(int socket, char *name, int size);
// The shortest round trip on a TCP connection so far in microseconds; -1 with errno set on failure.
int64_t ring_socket_round_trip(int socket);
int ring_socket_set_no_delay(int socket);
// Detects a dead host on an idle connection within about `seconds`.
int ring_socket_set_keep_alive(int socket, int seconds);
// A non-blocking TCP socket, closed on exec; accept4 likewise.
int ring_socket_create(int family);
int ring_socket_accept(int listener, void *address, uint32_t *length);
// sendto and recvfrom without the C library around them, where every call is a point at which a thread may be cancelled:
// that costs a small collective more than its own work. What the kernel gives: bytes, or -1 with errno set.
int64_t ring_socket_send(int socket, const void *bytes, size_t count, int flags);
int64_t ring_socket_receive(int socket, void *buffer, size_t count, int flags);
