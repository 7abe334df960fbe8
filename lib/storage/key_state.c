/* SPDX-License-Identifier: MIT */
/* From when on a key counts as idle. */
#include "storage/key_state.h"

#include "base/arithmetic.h"

int64_t ak_idle_at(int64_t created_at_ms, int64_t last_used_at_ms, int64_t idle_lifetime_ms) {
  int64_t since = last_used_at_ms > created_at_ms ? last_used_at_ms : created_at_ms;
  return idle_lifetime_ms > 0 ? ak_sum(ak_sum(since, idle_lifetime_ms), 1) : 0;
}

int64_t ak_key_idle_at(const apikeys_record *key, int64_t last_used_at_ms,
                       int64_t idle_lifetime_ms) {
  return ak_idle_at(apikeys_record_integer(key, AK_API_KEY_CREATED_AT), last_used_at_ms,
                    idle_lifetime_ms);
}
