/* SPDX-License-Identifier: MIT */
/* Filters: setters, and the check that a list understands what was set. */
#include "objects/filter.h"
#include "base/text.h"

#include "base/error.h"

#include <apikeys/key.h>

#include <stdlib.h>
#include <string.h>

apikeys_filter *apikeys_filter_new(void) {
  return calloc(1, sizeof(apikeys_filter));
}

void apikeys_filter_clear(apikeys_filter *filter) {
  if (filter == NULL)
    return;
  free(filter->search);
  ak_slugs_release(&filter->event_types);
  memset(filter, 0, sizeof *filter);
}

void apikeys_filter_free(apikeys_filter *filter) {
  apikeys_filter_clear(filter);
  free(filter);
}

static int filter_note(apikeys_filter *filter, unsigned part, bool set) {
  filter->set = set ? filter->set | part : filter->set & ~part;
  return ak_setter_fault_clear(&filter->faults, (int)part);
}

static int filter_refuse(apikeys_filter *filter, unsigned part, const char *reason) {
  if (filter == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  return ak_setter_fault_keep(&filter->faults, (int)part, APIKEYS_ERROR_INVALID_ARGUMENT, reason);
}

static int set_id(apikeys_filter *filter, unsigned part, char *to, const char *text, size_t length,
                  size_t max) {
  if (filter == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  const char *problem = text == NULL && length > 0 ? "is NULL" : NULL;
  if (problem == NULL && length > 0)
    problem = ak_text_id_form_problem(text, length, 1, max);
  if (problem != NULL)
    return filter_refuse(filter, part, problem);
  if (length > 0)
    memcpy(to, text, length);
  if (length > 0 || (filter->set & part) != 0) /* `after` and `before` share their room */
    to[length] = '\0';
  return filter_note(filter, part, length > 0);
}

int apikeys_filter_set_limit(apikeys_filter *filter, int limit) {
  if (filter == NULL || limit < 1 || limit > AK_LIMIT_MAX)
    return filter_refuse(filter, AK_FILTER_LIMIT, "must be 1 to 100");
  filter->limit = limit;
  return filter_note(filter, AK_FILTER_LIMIT, true);
}

int apikeys_filter_set_order(apikeys_filter *filter, int order) {
  if (filter == NULL ||
      (order != APIKEYS_ORDER_NEWEST_FIRST && order != APIKEYS_ORDER_OLDEST_FIRST))
    return filter_refuse(filter, AK_FILTER_ORDER, "must be NEWEST_FIRST or OLDEST_FIRST");
  filter->order = order;
  return filter_note(filter, AK_FILTER_ORDER, true);
}

int apikeys_filter_set_after(apikeys_filter *filter, const char *id, size_t length) {
  length = ak_text_length(id, length);
  if (filter != NULL && length > 0 && (filter->set & AK_FILTER_BEFORE) != 0)
    return filter_refuse(filter, AK_FILTER_AFTER, "after and before exclude each other");
  return set_id(filter, AK_FILTER_AFTER, filter != NULL ? filter->cursor : NULL, id, length,
                AK_CURSOR_MAX);
}

int apikeys_filter_set_before(apikeys_filter *filter, const char *id, size_t length) {
  length = ak_text_length(id, length);
  if (filter != NULL && length > 0 && (filter->set & AK_FILTER_AFTER) != 0)
    return filter_refuse(filter, AK_FILTER_BEFORE, "after and before exclude each other");
  return set_id(filter, AK_FILTER_BEFORE, filter != NULL ? filter->cursor : NULL, id, length,
                AK_CURSOR_MAX);
}

int apikeys_filter_set_search(apikeys_filter *filter, const char *text, size_t length) {
  length = ak_text_length(text, length);
  if (filter == NULL || (length > 0 && text == NULL))
    return filter_refuse(filter, AK_FILTER_SEARCH, "must be 1 to 255 bytes of text");
  if (length > 0 && ak_text_form_problem(text, length, 1, 255) != NULL)
    return filter_refuse(filter, AK_FILTER_SEARCH, "must be 1 to 255 bytes of text");
  char *copy = NULL;
  if (length > 0 && (copy = malloc(length)) == NULL)
    return ak_setter_fault_keep(&filter->faults, AK_FILTER_SEARCH, APIKEYS_ERROR_NO_MEMORY, NULL);
  if (length > 0)
    memcpy(copy, text, length);
  free(filter->search);
  filter->search = copy;
  filter->search_length = length;
  return filter_note(filter, AK_FILTER_SEARCH, length > 0);
}

int apikeys_filter_set_organization_id(apikeys_filter *filter, const char *id, size_t length) {
  length = ak_text_length(id, length);
  return set_id(filter, AK_FILTER_ORGANIZATION, filter != NULL ? filter->organization_id : NULL, id,
                length, AK_ID_MAX - 1);
}

int apikeys_filter_set_user_id(apikeys_filter *filter, const char *user_id, size_t length) {
  length = ak_text_length(user_id, length);
  return set_id(filter, AK_FILTER_USER, filter != NULL ? filter->user_id : NULL, user_id, length,
                AK_USER_ID_MAX);
}

int apikeys_filter_set_owner_type(apikeys_filter *filter, int owner_type) {
  if (filter == NULL || owner_type < APIKEYS_OWNER_ORGANIZATION ||
      owner_type > APIKEYS_OWNER_ENVIRONMENT)
    return filter_refuse(filter, AK_FILTER_OWNER_TYPE, "must be an APIKEYS_OWNER_ constant");
  filter->owner_type = owner_type;
  return filter_note(filter, AK_FILTER_OWNER_TYPE, true);
}

int apikeys_filter_set_revoked(apikeys_filter *filter, int revoked) {
  if (filter == NULL || (revoked != 0 && revoked != 1))
    return filter_refuse(filter, AK_FILTER_REVOKED, AK_FLAG_REASON);
  filter->revoked = revoked;
  return filter_note(filter, AK_FILTER_REVOKED, revoked != 0);
}

int apikeys_filter_set_available_to(apikeys_filter *filter, int owner_type) {
  if (filter == NULL ||
      (owner_type != APIKEYS_OWNER_ORGANIZATION && owner_type != APIKEYS_OWNER_MEMBER))
    return filter_refuse(filter, AK_FILTER_AVAILABLE_TO,
                         "must be OWNER_ORGANIZATION or OWNER_MEMBER");
  filter->available_to = owner_type;
  return filter_note(filter, AK_FILTER_AVAILABLE_TO, true);
}

int apikeys_filter_add_event_type(apikeys_filter *filter, const char *type, size_t length) {
  length = ak_text_length(type, length);
  if (filter == NULL || type == NULL || ak_slug_check(type, length) != 0)
    return filter_refuse(filter, AK_FILTER_EVENT_TYPES, AK_SLUG_REASON);
  ak_slugs_add(&filter->event_types, type, length);
  if (filter->event_types.failed)
    return ak_setter_fault_keep(&filter->faults, AK_FILTER_EVENT_TYPES, APIKEYS_ERROR_NO_MEMORY,
                                NULL);
  filter->set |= AK_FILTER_EVENT_TYPES; /* an older fault stays */
  return APIKEYS_OK;
}

int apikeys_filter_set_since_ms(apikeys_filter *filter, int64_t unix_ms) {
  if (filter == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  filter->since_ms = unix_ms;
  return filter_note(filter, AK_FILTER_SINCE, true);
}

int apikeys_filter_set_until_ms(apikeys_filter *filter, int64_t unix_ms) {
  if (filter == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  filter->until_ms = unix_ms;
  return filter_note(filter, AK_FILTER_UNTIL, true);
}

int apikeys_filter_set_collection(apikeys_filter *filter, const char *collection, size_t length) {
  length = ak_text_length(collection, length);
  if (filter == NULL ||
      (length > 0 && (collection == NULL || ak_slug_check(collection, length) != 0)))
    return filter_refuse(filter, AK_FILTER_COLLECTION, AK_SLUG_REASON);
  if (length > 0)
    memcpy(filter->collection, collection, length);
  filter->collection[length] = '\0';
  return filter_note(filter, AK_FILTER_COLLECTION, length > 0);
}

int apikeys_filter_set_group(apikeys_filter *filter, const char *group, size_t length) {
  length = ak_text_length(group, length);
  if (filter == NULL ||
      (length > 0 &&
       (group == NULL || ak_text_form_problem(group, length, 1, AK_GROUP_MAX) != NULL)))
    return filter_refuse(filter, AK_FILTER_GROUP, "must be 1 to 128 bytes of text");
  if (length > 0)
    memcpy(filter->group, group, length);
  filter->group_length = length;
  return filter_note(filter, AK_FILTER_GROUP, length > 0);
}

int apikeys_filter_set_due_until_ms(apikeys_filter *filter, int64_t unix_ms) {
  if (filter == NULL || unix_ms < 1 || unix_ms == INT64_MAX)
    return filter_refuse(filter, AK_FILTER_DUE, "must be a time after 1970");
  filter->due_until_ms = unix_ms;
  return filter_note(filter, AK_FILTER_DUE, true);
}

/* For messages: the parts in the order of their bits. */
static const char *const part_names[] = {
    "limit",    "order",      "after",   "before",       "search",      "organization_id",
    "user_id",  "owner_type", "revoked", "available_to", "event_types", "since_ms",
    "until_ms", "collection", "group",   "due_until_ms"};

static const char *part_name(unsigned part) {
  for (size_t i = 0; i < sizeof part_names / sizeof part_names[0]; i++)
    if ((part >> i & 1u) != 0)
      return part_names[i];
  return "filter";
}

int ak_filter_check(const apikeys_filter *filter, unsigned understood, apikeys_error *err) {
  if (filter == NULL)
    return APIKEYS_OK;
  const struct ak_setter_fault *fault = ak_setter_fault_first(&filter->faults);
  if (fault != NULL)
    return ak_setter_fault_report(fault, part_name((unsigned)fault->field), err);
  unsigned strange = filter->set & ~understood;
  if (strange != 0)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "filter",
                        "this list does not understand %s", part_name(strange));
  return APIKEYS_OK;
}
