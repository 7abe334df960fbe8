/* SPDX-License-Identifier: MIT */
/* One monotonic mark per kind of deadline, and a watch on jumps of the clock. */
#include "operation/passed_times.h"

#include "base/arithmetic.h"
#include "base/monotonic.h"
#include "storage/key_state.h"

/* Only refusals write this, and rarely. */
static void passed_times_keep(_Atomic int64_t *mark, int64_t deadline_ms) {
  int64_t kept = atomic_load_explicit(mark, memory_order_relaxed);
  while (kept < deadline_ms && !atomic_compare_exchange_weak(mark, &kept, deadline_ms))
    ;
}

static int64_t passed_times_mark(const struct ak_passed_times *times, enum ak_deadline kind) {
  return atomic_load_explicit(&times->up_to_ms[kind], memory_order_relaxed);
}

enum ak_deadline ak_deadline_of_collection(const char *collection, size_t length) {
  uint32_t hash = 2166136261u; /* FNV-1a: names are the host's own, not an attacker's */
  for (size_t i = 0; i < length; i++)
    hash = (hash ^ (uint8_t)collection[i]) * 16777619u;
  return (enum ak_deadline)(AK_DEADLINE_DOCUMENT +
                            (hash ^ hash >> 16) % AK_DEADLINE_DOCUMENT_KINDS);
}

bool ak_passed(struct ak_passed_times *times, enum ak_deadline kind, int64_t deadline_ms,
               int64_t now_ms, bool own_time) {
  if (deadline_ms == 0)
    return false;
  if (own_time)
    return now_ms >= deadline_ms;
  if (now_ms >= deadline_ms)
    passed_times_keep(&times->up_to_ms[kind], deadline_ms);
  return deadline_ms <= passed_times_mark(times, kind);
}

bool ak_may_have_passed(const struct ak_passed_times *times, enum ak_deadline kind,
                        int64_t deadline_ms, int64_t now_ms) {
  return deadline_ms != 0 &&
         (now_ms >= deadline_ms || deadline_ms <= passed_times_mark(times, kind));
}

int64_t ak_passed_until(const struct ak_passed_times *times, enum ak_deadline kind,
                        int64_t now_ms) {
  int64_t mark = passed_times_mark(times, kind);
  return now_ms > mark ? now_ms : mark;
}

int ak_key_state(struct ak_passed_times *times, const apikeys_record *key, int64_t now_ms,
                 bool own_time) {
  /* Anything but "active" is revoked: an unknown state must not pass. */
  if (apikeys_record_integer(key, AK_API_KEY_STATE) != AK_KEY_ACTIVE)
    return APIKEYS_REVOKED;
  enum ak_deadline kind = ak_deadline_of_owner(apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE));
  return ak_passed(times, kind, apikeys_record_integer(key, AK_API_KEY_EXPIRES_AT), now_ms,
                   own_time)
             ? APIKEYS_EXPIRED
             : APIKEYS_OK;
}

void ak_watch_clock(struct ak_passed_times *times, const apikeys_options *options) {
  enum { JUMP_MS = 60000 };
  /* One word, so that two threads never compare halves of two looks. */
  int64_t ahead = ak_difference(ak_now_roughly_ms(options), ak_boottime_ms());
  int64_t seen = atomic_exchange(&times->seen_ahead_ms, ahead);
  if (seen == 0)
    return;
  int64_t jump = ak_difference(ahead, seen);
  if (jump > JUMP_MS)
    ak_log(options, APIKEYS_LOG_WARNING,
           "the clock jumped forward by %lld s: keys and tokens that it makes expire stay refused "
           "until this process opens the environment again, also if it is set back",
           (long long)(jump / 1000));
  else if (jump < -JUMP_MS)
    ak_log(options, APIKEYS_LOG_WARNING,
           "the clock was set back by %lld s: what has expired stays expired",
           (long long)(-(jump / 1000)));
}
