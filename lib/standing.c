/* SPDX-License-Identifier: MIT */
#include "standing.h"

#include <string.h>

void ak_standing_init(struct ak_standing *standing) {
  memset(standing, 0, sizeof *standing);
  pthread_mutex_init(&standing->lock, NULL);
}

void ak_standing_release(struct ak_standing *standing) {
  pthread_mutex_destroy(&standing->lock);
}

void ak_standing_clear(struct ak_standing *standing) {
  pthread_mutex_lock(&standing->lock);
  standing->has_policy = false;
  memset(standing->organizations, 0, sizeof standing->organizations);
  pthread_mutex_unlock(&standing->lock);
}

/* Of the text no more than there is: the rest of the room is not looked at. */
static void copy_policy(struct ak_policy *to, const struct ak_policy *from) {
  to->idle_lifetime_ms = from->idle_lifetime_ms;
  to->prefixes_length = from->prefixes_length;
  memcpy(to->accepted_prefixes, from->accepted_prefixes, from->prefixes_length + 1);
}

bool ak_standing_policy(struct ak_standing *standing, uint64_t generation, struct ak_policy *out) {
  pthread_mutex_lock(&standing->lock);
  bool known = standing->has_policy && standing->policy_generation == generation;
  if (known)
    copy_policy(out, &standing->policy);
  pthread_mutex_unlock(&standing->lock);
  return known;
}

void ak_standing_put_policy(struct ak_standing *standing, uint64_t generation,
                            const struct ak_policy *policy) {
  pthread_mutex_lock(&standing->lock);
  standing->has_policy = true;
  standing->policy_generation = generation;
  copy_policy(&standing->policy, policy);
  pthread_mutex_unlock(&standing->lock);
}

/* One place an id, and whoever was put last has it. FNV-1a; ids are ours, and random. */
static struct ak_standing_organization *place_of(struct ak_standing *standing, const char *id) {
  uint32_t state = 2166136261u;
  for (; *id != '\0'; id++)
    state = (state ^ (unsigned char)*id) * 16777619u;
  return &standing->organizations[(state ^ state >> 16) % AK_STANDING_ORGANIZATIONS];
}

bool ak_standing_organization(struct ak_standing *standing, uint64_t generation, const char *id) {
  struct ak_standing_organization *place = place_of(standing, id);
  pthread_mutex_lock(&standing->lock);
  bool known =
      place->id[0] != '\0' && place->generation == generation && strcmp(place->id, id) == 0;
  pthread_mutex_unlock(&standing->lock);
  return known;
}

void ak_standing_put_organization(struct ak_standing *standing, uint64_t generation,
                                  const char *id) {
  struct ak_standing_organization *place = place_of(standing, id);
  size_t length = strlen(id);
  if (length >= sizeof place->id)
    return;
  pthread_mutex_lock(&standing->lock);
  place->generation = generation;
  memcpy(place->id, id, length + 1);
  pthread_mutex_unlock(&standing->lock);
}
