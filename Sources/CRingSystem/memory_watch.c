#define _GNU_SOURCE
#include "CRingSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int ring_memory_watch_open(void) {
#if defined(SYS_userfaultfd) && defined(UFFD_USER_MODE_ONLY) && defined(UFFD_FEATURE_EXACT_ADDRESS)
  // What an unprivileged process may have.
  int descriptor = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
  if (descriptor < 0) return -errno;
  // The last is of no use here, but no kernel before 5.18 has it. Earlier ones say that nothing is changing once the first of
  // several changes is over; and still earlier ones do not copy pinned pages at a fork, after which a device and the
  // process that it belongs to may see different ones.
  struct uffdio_api api = {.api = UFFD_API,
                           .features = UFFD_FEATURE_EVENT_UNMAP | UFFD_FEATURE_EVENT_REMOVE |
                                       UFFD_FEATURE_EVENT_REMAP | UFFD_FEATURE_PAGEFAULT_FLAG_WP |
                                       UFFD_FEATURE_EXACT_ADDRESS};
  if (ioctl(descriptor, UFFDIO_API, &api) == 0) return descriptor;
  int number = errno;
  close(descriptor);
  return -number;
#else
  return -ENOSYS;
#endif
}

int ring_memory_watch_add(int descriptor, uint64_t start, uint64_t length) {
  // Of the modes that there are, the one in which no access ever faults: nothing is write-protected.
  struct uffdio_register range = {.range = {.start = start, .len = length}, .mode = UFFDIO_REGISTER_MODE_WP};
  return ioctl(descriptor, UFFDIO_REGISTER, &range) == 0 ? 0 : errno;
}

int ring_memory_watch_remove(int descriptor, uint64_t start, uint64_t length) {
  struct uffdio_range range = {.start = start, .len = length};
  return ioctl(descriptor, UFFDIO_UNREGISTER, &range) == 0 ? 0 : errno;
}

int ring_memory_watch_next(int descriptor, uint64_t *start, uint64_t *end) {
  struct uffd_msg message;
  while (read(descriptor, &message, sizeof message) == (ssize_t)sizeof message) {
    switch (message.event) {
    case UFFD_EVENT_UNMAP:
    case UFFD_EVENT_REMOVE:
      *start = message.arg.remove.start;
      *end = message.arg.remove.end;
      return message.event == UFFD_EVENT_UNMAP ? 1 : 2;
    case UFFD_EVENT_REMAP:
      // It is watched where it is now, which nobody asked for.
      ring_memory_watch_remove(descriptor, message.arg.remap.to, message.arg.remap.len);
      *start = message.arg.remap.from;
      *end = message.arg.remap.from + message.arg.remap.len;
      return 1;
    default: break;
    }
  }
  return 0;
}

int ring_memory_watch_is_changing(int descriptor, uint64_t page, uint64_t page_size) {
  // Lifts a write protection that nothing has. Before anything else the kernel sees whether an event is on its way.
  struct uffdio_writeprotect request = {.range = {.start = page, .len = page_size}, .mode = 0};
  return ioctl(descriptor, UFFDIO_WRITEPROTECT, &request) != 0 && errno == EAGAIN;
}

int ring_memory_is_shared(uint64_t address, uint64_t page_size) {
  // Bit 61 of a page's entry: of a file or shared; bit 63: present.
  uint64_t entry = 0;
  int descriptor = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return 1;
  ssize_t count = pread(descriptor, &entry, sizeof entry, (off_t)(address / page_size * sizeof entry));
  close(descriptor);
  return count != (ssize_t)sizeof entry || (entry >> 63 & 1) == 0 || (entry >> 61 & 1) != 0;
}
