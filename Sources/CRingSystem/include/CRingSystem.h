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

// Tells when memory goes (userfaultfd): a descriptor, non-blocking and closed on exec, or the error's number below 0.
// Whoever unmaps, moves or empties memory that is watched sleeps until the event has been read. Linux 5.18 or later.
int ring_memory_watch_open(void);
// Watches whole pages, or no longer: 0, or the error's number.
int ring_memory_watch_add(int descriptor, uint64_t start, uint64_t length);
int ring_memory_watch_remove(int descriptor, uint64_t start, uint64_t length);
// Reads an event: what has gone, and 1 if its pages are elsewhere or nowhere, so not watched any more, 2 if they are empty;
// 0 if there is none.
int ring_memory_watch_next(int descriptor, uint64_t *start, uint64_t *end);
// Whether some of what is watched has gone, or goes now, whose event has not been read or is on its way. The page may be any.
int ring_memory_watch_is_changing(int descriptor, uint64_t page, uint64_t page_size);
// Whether the page is of a file or shared with others, who may replace it without an event; so too if it is not there.
int ring_memory_is_shared(uint64_t address, uint64_t page_size);
