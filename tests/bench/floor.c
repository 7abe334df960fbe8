/* SPDX-License-Identifier: MIT */
/*
 * The floor: what any in-memory table must do that does not trust its callers. A keyed hash of the
 * value, one slot of a cache line at a place that the hash tells, a comparison in constant time.
 */
#define _GNU_SOURCE /* madvise() */
#include "bench.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SLOT_BYTES = 64, HUGE_PAGE = 2 << 20 };

struct slot {
  unsigned char tag[16];
  unsigned char rest[SLOT_BYTES - 16];
};

struct floor {
  unsigned char key[crypto_shorthash_siphashx24_KEYBYTES];
  struct slot *slots;
  size_t mask;
};

static size_t place(const unsigned char *tag, size_t mask) {
  uint64_t number;
  memcpy(&number, tag, sizeof number);
  return (size_t)number & mask;
}

/* 0: there. */
static int look(const struct floor *table, const unsigned char *entry) {
  unsigned char tag[16];
  crypto_shorthash_siphashx24(tag, (const unsigned char *)bench_text(entry), bench_length(entry),
                              table->key);
  return crypto_verify_16(tag, table->slots[place(tag, table->mask)].tag);
}

/* Where two values share a place the later one has it; the floor looks at one slot only. */
static size_t run(void *state, const unsigned char *values, size_t count, size_t stride) {
  const struct floor *table = state;
  size_t misses = 0;
  BENCH_CHAIN(entry, (misses += look(table, entry) != 0, misses <= count));
}

static void close_floor(void *state) {
  struct floor *table = state;
  free(table->slots);
  free(table);
}

void bench_open_floor(struct bench_contender *contender, const struct bench_options *options) {
  struct floor *table = bench_alloc(sizeof *table);
  size_t slots = 1;
  while (slots < options->keys * 5 / 4)
    slots *= 2;
  randombytes_buf(table->key, sizeof table->key);
  table->mask = slots - 1;
  if (posix_memalign((void **)&table->slots, HUGE_PAGE, slots * SLOT_BYTES) != 0)
    bench_fail("out of memory");
  madvise(table->slots, slots * SLOT_BYTES, MADV_HUGEPAGE); /* a floor is the best there is */
  memset(table->slots, 0, slots * SLOT_BYTES);
  for (size_t i = 0; i < contender->set->count; i++) {
    const unsigned char *entry = contender->set->bytes + i * contender->set->stride;
    unsigned char tag[16];
    crypto_shorthash_siphashx24(tag, (const unsigned char *)bench_text(entry), bench_length(entry),
                                table->key);
    memcpy(table->slots[place(tag, table->mask)].tag, tag, sizeof tag);
  }
  contender->state = table;
  contender->run = run;
  contender->close = close_floor;
}
