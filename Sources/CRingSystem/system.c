#define _GNU_SOURCE
#include "CRingSystem.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int ring_event_create(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

void ring_event_set(int descriptor) { (void)eventfd_write(descriptor, 1); }

void ring_event_reset(int descriptor) {
  eventfd_t value;
  (void)eventfd_read(descriptor, &value);
}

int ring_processors_available(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    int count = CPU_COUNT(&set);
    if (count > 0) return count;
  }
  // More processors than the fixed set holds: count those online instead.
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (int)online : 1;
}

uint64_t ring_locked_memory_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
  return limit.rlim_cur;
}

void ring_thread_set_name(const char *name) {
  char shortened[16] = {0};
  strncpy(shortened, name, sizeof shortened - 1);
  (void)pthread_setname_np(pthread_self(), shortened);
}

int ring_socket_set_congestion_control(int socket, const char *name) {
  return setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name));
}

int ring_socket_get_congestion_control(int socket, char *name, int size) {
  socklen_t length = (socklen_t)size;
  return getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name, &length);
}

int ring_socket_set_no_delay(int socket) {
  int on = 1;
  return setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int ring_socket_set_keep_alive(int socket, int seconds) {
  int on = 1, probes = 3, interval = seconds / 4 > 0 ? seconds / 4 : 1;
  if (setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) != 0) return -1;
  if (setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &interval, sizeof interval) != 0) return -1;
  if (setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval) != 0) return -1;
  return setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

int ring_socket_create(int family) {
  return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int ring_socket_accept(int listener, void *address, uint32_t *length) {
  return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int64_t ring_socket_send(int socket, const void *bytes, size_t count, int flags) {
  return syscall(SYS_sendto, socket, bytes, count, flags, NULL, 0);
}

int64_t ring_socket_receive(int socket, void *buffer, size_t count, int flags) {
  return syscall(SYS_recvfrom, socket, buffer, count, flags, NULL, NULL);
}
