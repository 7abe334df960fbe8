/* SPDX-License-Identifier: MIT */
/* Fork detection without a system call per use: memory that the kernel wipes in a child
 * (MADV_WIPEONFORK), and pthread_atfork where there is none. */
#define _DEFAULT_SOURCE /* madvise, MAP_ANONYMOUS */
#include "base/fork_guard.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * The stamp is zeroed in a child, by the kernel where it can wipe a page on fork (that sees a bare
 * clone() too), and by an atfork handler; the first to read a zero there draws the child's own.
 */
struct stamp {
  _Atomic uint64_t value;
};

static struct stamp fallback;
static struct stamp *_Atomic current; /* NULL: not set up */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void in_child(void) {
  struct stamp *stamp = atomic_load(&current);
  if (stamp != NULL)
    atomic_store(&stamp->value, 0);
}

static void set_up(void) {
  struct stamp *stamp = &fallback;
#ifdef MADV_WIPEONFORK
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  void *wiped = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (wiped != MAP_FAILED) {
    if (madvise(wiped, page, MADV_WIPEONFORK) == 0)
      stamp = wiped;
    else
      munmap(wiped, page);
  }
#endif
  pthread_atfork(NULL, NULL, in_child);
  atomic_store(&current, stamp); /* who sees this need not wait for the rest */
}

static uint64_t draw(struct stamp *stamp) {
  /* Ids of processes are used again: the counter, inherited, tells generations of them apart. */
  static _Atomic uint32_t generation;
  uint64_t mine = ((uint64_t)getpid() << 32) | (atomic_fetch_add(&generation, 1) + 1);
  uint64_t none = 0;
  return atomic_compare_exchange_strong(&stamp->value, &none, mine) ? mine : none;
}

uint64_t ak_process_stamp(void) {
  struct stamp *stamp = atomic_load_explicit(&current, memory_order_acquire);
  if (stamp == NULL) {
    pthread_once(&once, set_up);
    stamp = atomic_load_explicit(&current, memory_order_acquire);
  }
  uint64_t value = atomic_load_explicit(&stamp->value, memory_order_acquire);
  return value != 0 ? value : draw(stamp);
}
