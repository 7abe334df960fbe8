/* SPDX-License-Identifier: MIT */
/* Whether a key is active, revoked, expired or idle. */
#include "storage/key_state.h"

#include "base/arithmetic.h"

int ak_key_state(const apikeys_record *key, int64_t now_ms) {
  /* Anything but "active" is revoked: an unknown state must not pass. */
  if (apikeys_record_integer(key, AK_API_KEY_STATE) != AK_KEY_ACTIVE)
    return APIKEYS_REVOKED;
  int64_t expires_at = apikeys_record_integer(key, AK_API_KEY_EXPIRES_AT);
  return expires_at != 0 && now_ms >= expires_at ? APIKEYS_EXPIRED : APIKEYS_OK;
}

int64_t ak_idle_at(int64_t created_at_ms, int64_t last_used_at_ms, int64_t idle_lifetime_ms) {
  int64_t since = last_used_at_ms > created_at_ms ? last_used_at_ms : created_at_ms;
  return idle_lifetime_ms > 0 ? ak_sum(ak_sum(since, idle_lifetime_ms), 1) : 0;
}

int64_t ak_key_idle_at(const apikeys_record *key, int64_t last_used_at_ms,
                       int64_t idle_lifetime_ms) {
  return ak_idle_at(apikeys_record_integer(key, AK_API_KEY_CREATED_AT), last_used_at_ms,
                    idle_lifetime_ms);
}
