/* SPDX-License-Identifier: MIT */
#include "key_state.h"

int ak_key_state(const apikeys_record *key, int64_t now_ms) {
  /* Anything but "active" is revoked: an unknown state must not pass. */
  if (apikeys_record_integer(key, AK_API_KEY_STATE) != AK_KEY_ACTIVE)
    return APIKEYS_REVOKED;
  int64_t expires_at = apikeys_record_integer(key, AK_API_KEY_EXPIRES_AT);
  return expires_at != 0 && now_ms >= expires_at ? APIKEYS_EXPIRED : APIKEYS_OK;
}

bool ak_times_idle(int64_t created_at_ms, int64_t last_used_at_ms, int64_t idle_lifetime_ms,
                   int64_t now_ms) {
  int64_t since = last_used_at_ms > created_at_ms ? last_used_at_ms : created_at_ms;
  return idle_lifetime_ms > 0 && now_ms > since && now_ms - since > idle_lifetime_ms;
}

bool ak_key_idle(const apikeys_record *key, int64_t last_used_at_ms, int64_t idle_lifetime_ms,
                 int64_t now_ms) {
  return ak_times_idle(apikeys_record_integer(key, AK_API_KEY_CREATED_AT), last_used_at_ms,
                       idle_lifetime_ms, now_ms);
}
