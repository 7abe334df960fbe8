/* SPDX-License-Identifier: MIT */
#include "throttle.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * A table of fixed size: memory cannot be flooded. Addresses that share a slot share its count; the
 * slot is chosen under a random key, so nobody can aim at somebody else's.
 */
enum { SLOTS = 4096, WINDOW_SECONDS = 60 };

struct slot {
  int64_t window; /* which minute the failures are of */
  int failures;
};

struct throttle {
  pthread_mutex_t lock;
  int limit;
  _Atomic int64_t failing; /* the last minute in which anybody failed: mostly there is none */
  unsigned char key[crypto_shorthash_KEYBYTES];
  struct slot slots[SLOTS];
};

struct throttle *throttle_new(int failures_a_minute) {
  struct throttle *throttle = calloc(1, sizeof *throttle);
  if (throttle == NULL)
    return NULL;
  throttle->limit = failures_a_minute;
  throttle->failing = -1;
  pthread_mutex_init(&throttle->lock, NULL);
  randombytes_buf(throttle->key, sizeof throttle->key);
  return throttle;
}

void throttle_free(struct throttle *throttle) {
  if (throttle == NULL)
    return;
  pthread_mutex_destroy(&throttle->lock);
  free(throttle);
}

static int64_t now_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec;
}

/* Whoever has an IPv6 address has the 2^64 around it as well. */
static uint64_t hash_of(const struct throttle *throttle, const char *address) {
  enum { NETWORK = 8 };
  unsigned char v6[16];
  uint64_t hash;
  bool is_v6 = inet_pton(AF_INET6, address, v6) == 1;
  crypto_shorthash((unsigned char *)&hash, is_v6 ? v6 : (const unsigned char *)address,
                   is_v6 ? NETWORK : strlen(address), throttle->key);
  return hash;
}

/* Under the lock: the address's slot, emptied if its minute is over. */
static struct slot *slot_of(struct throttle *throttle, const char *address, int64_t now) {
  struct slot *slot = &throttle->slots[hash_of(throttle, address) % SLOTS];
  if (slot->window != now / WINDOW_SECONDS)
    *slot = (struct slot){.window = now / WINDOW_SECONDS};
  return slot;
}

int throttle_wait(struct throttle *throttle, const char *address) {
  if (throttle->limit == 0)
    return 0;
  int64_t now = now_seconds();
  if (atomic_load_explicit(&throttle->failing, memory_order_relaxed) != now / WINDOW_SECONDS)
    return 0;
  pthread_mutex_lock(&throttle->lock);
  int failures = slot_of(throttle, address, now)->failures;
  pthread_mutex_unlock(&throttle->lock);
  return failures < throttle->limit ? 0 : (int)(WINDOW_SECONDS - now % WINDOW_SECONDS);
}

void throttle_count(struct throttle *throttle, const char *address) {
  int64_t now = now_seconds();
  pthread_mutex_lock(&throttle->lock);
  struct slot *slot = slot_of(throttle, address, now);
  if (slot->failures < throttle->limit)
    slot->failures++;
  atomic_store_explicit(&throttle->failing, slot->window, memory_order_relaxed);
  pthread_mutex_unlock(&throttle->lock);
}
