/* SPDX-License-Identifier: MIT */
/*
 * A bounded pool of threads for requests that may wait for the store's write lock. The threads that
 * poll connections never wait for it, so validations and health checks are answered meanwhile.
 *
 * The order of calls: reserve a place, let the HTTP library suspend the connection, then push.
 */
#ifndef SERVER_HTTP_WRITERS_H
#define SERVER_HTTP_WRITERS_H

#include <stdbool.h>
#include <stdint.h>

struct writers;

/* One waiting request: a part of what the request's owner has, untouched by it until `run`. */
struct writer_job {
  struct writer_job *next;
  int64_t pushed_ms;
};

/*
 * Starts `threads` threads; at most `capacity` requests wait or run at a time. `run` answers one, on
 * a thread of the pool. `late`: it has waited for a thread for more than `wait_ms`, so that its
 * client should hear of that rather than wait on. NULL: no memory, no thread.
 */
struct writers *writers_start(unsigned threads, unsigned capacity, unsigned wait_ms,
                              void (*run)(struct writer_job *job, bool late));

/* A place for a request; false: all are taken, or the pool is stopping. */
bool writers_reserve(struct writers *writers);
/* Hands over the request that has the place. */
void writers_push(struct writers *writers, struct writer_job *job);

/* How many requests have a place now. NULL: 0. */
unsigned writers_count(struct writers *writers);

/* Gives no more places, runs what was pushed, and ends the threads. NULL does nothing. */
void writers_stop(struct writers *writers);
/* After that, when nobody reserves any more. */
void writers_free(struct writers *writers);

#endif
