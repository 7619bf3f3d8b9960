#ifndef RING_ALLOCATION_COUNTER_H
#define RING_ALLOCATION_COUNTER_H

#include <stdint.h>

/// How many threads are told apart; later ones are not counted, and ring_allocation_threads says that there were more.
#define RING_MOST_THREADS 256

/// How many threads have allocated so far.
int ring_allocation_threads(void);

/// The system's number of the thread at a place among those, and how often it has allocated.
int ring_allocation_thread(int place);
uint64_t ring_allocation_count(int place);

#endif
