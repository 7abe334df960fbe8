/* SPDX-License-Identifier: MIT */
/* What a key's record says of its state, and from when on it counts as idle. */
#ifndef AK_STORAGE_KEY_STATE_H
#define AK_STORAGE_KEY_STATE_H

#include "storage/record.h"

enum { AK_KEY_ACTIVE = 1, AK_KEY_REVOKED = 2 };

/* From when on it counts as unused for longer than `idle_lifetime_ms`; 0: never (no such rule). */
int64_t ak_key_idle_at(const apikeys_record *key, int64_t last_used_at_ms,
                       int64_t idle_lifetime_ms);

/* The same by times alone. */
int64_t ak_idle_at(int64_t created_at_ms, int64_t last_used_at_ms, int64_t idle_lifetime_ms);

#endif
