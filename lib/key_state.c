/* SPDX-License-Identifier: MIT */
#include "key_state.h"

int ak_key_state(const apikeys_record *key, int64_t now_ms) {
  /* Anything but "active" is revoked: an unknown state must not pass. */
  if (apikeys_record_integer(key, AK_API_KEY_STATE) != AK_KEY_ACTIVE)
    return APIKEYS_REVOKED;
  int64_t expires_at = apikeys_record_integer(key, AK_API_KEY_EXPIRES_AT);
  return expires_at != 0 && now_ms >= expires_at ? APIKEYS_EXPIRED : APIKEYS_OK;
}

bool ak_key_idle(const apikeys_record *key, int64_t last_used_at_ms, int64_t idle_lifetime_ms,
                 int64_t now_ms) {
  if (idle_lifetime_ms <= 0)
    return false;
  int64_t since = apikeys_record_integer(key, AK_API_KEY_CREATED_AT);
  if (last_used_at_ms > since)
    since = last_used_at_ms;
  return now_ms > since && now_ms - since > idle_lifetime_ms;
}
