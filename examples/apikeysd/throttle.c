/* SPDX-License-Identifier: MIT */
/* Permits per address and minute, in a table of fixed size. */
#include "throttle.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A table of fixed size, so that memory cannot be flooded. Addresses that share a slot share its
 * count; a random key chooses the slot, so that no one can aim at another address's. */
enum { SLOTS = 4096, WINDOW_SECONDS = 60 };

struct slot {
  int64_t window; /* which minute the permits are of */
  int taken;
};

struct throttle {
  pthread_mutex_t lock;
  int limit;
  unsigned char key[crypto_shorthash_KEYBYTES];
  struct slot slots[SLOTS];
};

struct throttle *throttle_new(int failures_a_minute) {
  struct throttle *throttle = calloc(1, sizeof *throttle);
  if (throttle == NULL)
    return NULL;
  throttle->limit = failures_a_minute;
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

/* The owner of an IPv6 address has the 2^64 around it as well. */
static uint64_t hash_of(const struct throttle *throttle, enum throttled kind, const char *address) {
  enum { NETWORK = 8 };
  unsigned char v6[16];
  uint64_t hash;
  bool is_v6 = inet_pton(AF_INET6, address, v6) == 1;
  crypto_shorthash((unsigned char *)&hash, is_v6 ? v6 : (const unsigned char *)address,
                   is_v6 ? NETWORK : strlen(address), throttle->key);
  return hash + (uint64_t)kind * (SLOTS / 2);
}

struct permit throttle_take(struct throttle *throttle, enum throttled kind, const char *address) {
  int64_t now = now_seconds(), window = now / WINDOW_SECONDS;
  struct permit permit = {.slot = (int)(hash_of(throttle, kind, address) % SLOTS),
                          .window = window};
  if (throttle->limit == 0)
    return permit;
  struct slot *slot = &throttle->slots[permit.slot];
  pthread_mutex_lock(&throttle->lock);
  if (slot->window != window)
    *slot = (struct slot){.window = window};
  if (slot->taken < throttle->limit)
    slot->taken++;
  else
    permit.wait_seconds = (int)(WINDOW_SECONDS - now % WINDOW_SECONDS);
  pthread_mutex_unlock(&throttle->lock);
  return permit;
}

void throttle_give_back(struct throttle *throttle, const struct permit *permit) {
  if (throttle->limit == 0 || permit->wait_seconds > 0)
    return;
  struct slot *slot = &throttle->slots[permit->slot];
  pthread_mutex_lock(&throttle->lock);
  if (slot->window == permit->window && slot->taken > 0)
    slot->taken--;
  pthread_mutex_unlock(&throttle->lock);
}
