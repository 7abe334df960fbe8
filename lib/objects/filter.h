/* SPDX-License-Identifier: MIT */
/* A filter: what a caller asks of a list. */
#ifndef AK_OBJECTS_FILTER_H
#define AK_OBJECTS_FILTER_H

#include "base/setter_faults.h"
#include "base/slug_set.h"
#include "base/text.h"
#include "crypto/ids.h"
#include "objects/page.h"

#include <apikeys/list.h>

enum { AK_LIMIT_DEFAULT = 10, AK_LIMIT_MAX = 100 };
enum { AK_GROUP_MAX = 128 };

/* Which parts of a filter were set; a list names those it understands. */
enum {
  AK_FILTER_LIMIT = 1 << 0,
  AK_FILTER_ORDER = 1 << 1,
  AK_FILTER_AFTER = 1 << 2,
  AK_FILTER_BEFORE = 1 << 3,
  AK_FILTER_SEARCH = 1 << 4,
  AK_FILTER_ORGANIZATION = 1 << 5,
  AK_FILTER_USER = 1 << 6,
  AK_FILTER_OWNER_TYPE = 1 << 7,
  AK_FILTER_REVOKED = 1 << 8,
  AK_FILTER_AVAILABLE_TO = 1 << 9,
  AK_FILTER_EVENT_TYPES = 1 << 10,
  AK_FILTER_SINCE = 1 << 11,
  AK_FILTER_UNTIL = 1 << 12,
  AK_FILTER_COLLECTION = 1 << 13,
  AK_FILTER_GROUP = 1 << 14,
  AK_FILTER_DUE = 1 << 15,
  AK_FILTER_PAGING = AK_FILTER_LIMIT | AK_FILTER_ORDER | AK_FILTER_AFTER | AK_FILTER_BEFORE
};

struct apikeys_filter {
  unsigned set;
  struct ak_setter_faults faults; /* by part; so does every list fail */
  int limit;
  int order;
  char cursor[AK_CURSOR_MAX + 1]; /* after or before: the last one set */
  char *search;
  size_t search_length;
  char organization_id[AK_ID_MAX];
  char user_id[AK_USER_ID_MAX + 1];
  int owner_type;
  int revoked;
  int available_to;
  struct ak_slugs event_types;
  int64_t since_ms;
  int64_t until_ms;
  char collection[AK_SLUG_MAX + 1];
  char group[AK_GROUP_MAX + 1];
  size_t group_length;
  int64_t due_until_ms;
};

/* 0 if the filter (NULL: none) sets only what is
 * understood, else APIKEYS_ERROR_INVALID_ARGUMENT. */
int ak_filter_check(const apikeys_filter *filter, unsigned understood, apikeys_error *err);

#endif
