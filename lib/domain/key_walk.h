/* SPDX-License-Identifier: MIT */
/*
 * Walking all keys in the order of their numbers, a read transaction a page: for work that looks at
 * every key, and must keep no writer waiting meanwhile.
 */
#ifndef AK_DOMAIN_KEY_WALK_H
#define AK_DOMAIN_KEY_WALK_H

#include "operation/operation.h"

struct ak_key_numbers {
  int64_t list[AK_BUDGET];
  size_t count;
};

/* Is the key one of those that are looked for? */
typedef int (*ak_key_wanted)(struct ak_op *op, const apikeys_record *key, void *data, bool *wanted);

/*
 * The numbers of the next keys that the query matches and `is_wanted` (NULL: all), at most
 * AK_BUDGET, from *from on, which moves behind what was looked at. *done: there are no more.
 */
int ak_keys_collect(apikeys_env *env, const apikeys_query *query, ak_key_wanted is_wanted,
                    void *data, int64_t *from, struct ak_key_numbers *numbers, bool *done);

/* The key of this number as it is now, or APIKEYS_ERROR_NOT_FOUND. */
int ak_key_of_number(struct ak_op *op, int64_t number, apikeys_record *key);

#endif
