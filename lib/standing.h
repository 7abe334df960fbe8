/* SPDX-License-Identifier: MIT */
/*
 * What validations read of the store over and over, beside the key itself: the environment's
 * policy, and that an organization is there. Remembered under the generation that was read before
 * it was, and known only as long as the store is at that generation: nothing has to be dropped.
 *
 * Who uses any of it with what he reads himself asks for the generation once more behind that; if
 * it has moved, the two may be of different states of the store, and he reads all of it.
 */
#ifndef AK_STANDING_H
#define AK_STANDING_H

#include "ids.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  AK_POLICY_PREFIXES_MAX = 2048, /* bytes, of at most 64 prefixes and the current one */
  AK_STANDING_ORGANIZATIONS = 1024
};

/* What the environment's record says about every key. */
struct ak_policy {
  int64_t idle_lifetime_ms;
  size_t prefixes_length;
  char accepted_prefixes[AK_POLICY_PREFIXES_MAX + 1];
};

struct ak_standing_organization {
  uint64_t generation;
  char id[AK_ID_MAX];
};

struct ak_standing {
  pthread_mutex_t lock;
  bool has_policy;
  uint64_t policy_generation;
  struct ak_policy policy;
  struct ak_standing_organization organizations[AK_STANDING_ORGANIZATIONS];
};

void ak_standing_init(struct ak_standing *standing);
void ak_standing_release(struct ak_standing *standing);
void ak_standing_clear(struct ak_standing *standing);

/* True if it is known as of this generation. */
bool ak_standing_policy(struct ak_standing *standing, uint64_t generation, struct ak_policy *out);
bool ak_standing_organization(struct ak_standing *standing, uint64_t generation, const char *id);

/* It was read in a transaction that began after this generation was given. */
void ak_standing_put_policy(struct ak_standing *standing, uint64_t generation,
                            const struct ak_policy *policy);
void ak_standing_put_organization(struct ak_standing *standing, uint64_t generation,
                                  const char *id);

#endif
