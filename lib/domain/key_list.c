/* SPDX-License-Identifier: MIT */
/* Many keys: listed by whose they are, and found by what may be shown of their value. */
#include "access/authority.h"
#include "access/effective_permissions.h"
#include "base/arithmetic.h"
#include "base/text.h"
#include "crypto/key_text.h"
#include "domain/keys.h"
#include "operation/crud.h"

#include <apikeys/key.h>

#include <string.h>

/* -- Listing ----------------------------------------------------------------------------------- */

static int read_owner(struct ak_op *op, const apikeys_filter *filter, struct ak_key_owner *owner) {
  unsigned set = filter != NULL ? filter->set : 0;
  bool organization = (set & AK_FILTER_ORGANIZATION) != 0, user = (set & AK_FILTER_USER) != 0;
  int type = (set & AK_FILTER_OWNER_TYPE) != 0 ? filter->owner_type : 0;
  owner->organization_id = organization ? filter->organization_id : "";
  owner->user_id = user ? filter->user_id : "";
  if (type == 0)
    type = user ? APIKEYS_OWNER_MEMBER : organization ? APIKEYS_OWNER_ORGANIZATION : 0;
  bool whose = type == APIKEYS_OWNER_ENVIRONMENT    ? !organization && !user
               : type == APIKEYS_OWNER_ORGANIZATION ? organization && !user
               : type == APIKEYS_OWNER_MEMBER       ? organization || user
                                                    : false;
  if (!whose)
    return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "filter",
                        "must say whose keys: an organization's, a user's, or the environment's");
  owner->type = type;
  return APIKEYS_OK;
}

static int allow_owner(struct ak_op *op, const struct ak_key_owner *owner) {
  int rc =
      ak_allow_keys(&op->power, AK_KEY_SEE, owner->type, owner->organization_id, owner->user_id);
  if (rc == APIKEYS_OK && owner->organization_id[0] != '\0')
    rc = ak_organization_exists(&op->transaction, owner->organization_id);
  return rc;
}

static int add_last_used(struct ak_op *op, apikeys_page *page) {
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < page->count; i++) {
    apikeys_key *key = apikeys_page_key(page, i);
    rc = ak_key_last_used(op, &key->object.record, &key->last_used_at);
  }
  return rc;
}

/* The state is part of the index, so that a page costs the same whatever was revoked before:
 * active and revoked keys are two walks, merged. */
static int query_keys(struct ak_op *op, const apikeys_filter *filter, struct ak_key_owner *owner,
                      struct ak_listing *listing) {
  int rc = read_owner(op, filter, owner);
  if (rc == APIKEYS_OK)
    rc = allow_owner(op, owner);
  if (rc != APIKEYS_OK)
    return rc;
  listing->query_count = (filter->set & AK_FILTER_REVOKED) != 0 ? 2 : 1;
  for (int i = 0; i < listing->query_count; i++) {
    ak_key_owner_query(&listing->queries[i], owner, i == 0 ? AK_KEY_ACTIVE : AK_KEY_REVOKED);
    if (filter->search_length > 0)
      ak_query_where_text(&listing->queries[i], AK_CONDITION_CONTAINS, AK_API_KEY_NAME,
                          filter->search, filter->search_length);
  }
  return APIKEYS_OK;
}

enum {
  COUNTED = AK_FILTER_SEARCH | AK_FILTER_ORGANIZATION | AK_FILTER_USER | AK_FILTER_OWNER_TYPE |
            AK_FILTER_REVOKED
};

static int list_keys(struct ak_op *op, const apikeys_filter *filter, apikeys_page *page) {
  struct ak_key_owner owner = {0, "", ""};
  struct ak_listing listing = {
      .op = op, .filter = filter, .kind = AK_API_KEY, .order = APIKEYS_ORDER_NEWEST_FIRST};
  int rc = ak_filter_check(filter, AK_FILTER_PAGING | COUNTED, op->err);
  if (rc == APIKEYS_OK)
    rc = query_keys(op, filter, &owner, &listing);
  if (rc == APIKEYS_OK)
    rc = ak_list(&listing, page);
  return rc == APIKEYS_OK ? add_last_used(op, page) : rc;
}

int apikeys_key_list(apikeys_env *env, const apikeys_actor *actor, const apikeys_filter *filter,
                     apikeys_page *page, apikeys_error *err) {
  return ak_list_op(env, actor, filter, page, AK_API_KEY, list_keys, err);
}

struct key_list_counting {
  const apikeys_filter *filter;
  uint64_t *count;
};

static int count_listed_keys(struct ak_op *op, const void *arguments) {
  const struct key_list_counting *counting = arguments;
  struct ak_key_owner owner = {0, "", ""};
  struct ak_listing listing = {.op = op};
  int rc = ak_filter_check(counting->filter, COUNTED, op->err);
  if (rc == APIKEYS_OK)
    rc = query_keys(op, counting->filter, &owner, &listing);
  for (int i = 0; rc == APIKEYS_OK && i < listing.query_count; i++) {
    uint64_t in_state = 0;
    rc = ak_count(&op->transaction, &listing.queries[i], &in_state);
    *counting->count += in_state;
  }
  return rc;
}

int apikeys_key_count(apikeys_env *env, const apikeys_actor *actor, const apikeys_filter *filter,
                      uint64_t *count, apikeys_error *err) {
  if (count == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "count", "is NULL");
  uint64_t counted = 0;
  struct key_list_counting counting = {filter, &counted};
  int rc = ak_plain_op(env, actor, APIKEYS_TRANSACTION_READ, count_listed_keys, &counting, err);
  if (rc == APIKEYS_OK)
    *count = counted;
  return rc;
}

/* -- Finding by what may be shown -------------------------------------------------------------- */

enum { FIND_MAX = 100, FIND_AMONG = 1000000 /* newest keys, by the obfuscated form */ };

static bool may_find(struct ak_op *op, const char *scope) {
  const struct ak_power *power = &op->power;
  return power->actor->type == APIKEYS_ACTOR_SYSTEM || ak_power_holds(power, scope);
}

/* Customers' keys and management keys are seen under different scopes. */
static int drop_unseen(struct ak_op *op, apikeys_page *page) {
  bool management = may_find(op, "apikeys:management-keys:read");
  bool customers = may_find(op, "apikeys:keys:read");
  size_t kept = 0;
  for (size_t i = 0; i < page->count; i++) {
    apikeys_key *key = apikeys_page_key(page, i);
    bool seen = apikeys_key_owner_type(key) == APIKEYS_OWNER_ENVIRONMENT ? management : customers;
    if (seen)
      page->objects[kept++] = page->objects[i];
    else
      apikeys_key_free(key);
  }
  page->count = kept;
  return APIKEYS_OK;
}

/* What is looked for: the beginning of a lookup id, or the obfuscated form of a value. */
struct key_search {
  char text[AK_OBFUSCATED_MAX + 1];
  size_t length;
  bool obfuscated;
};

/* Lookup ids are base62 and of one length: what begins with `start` lies up to `start` and a
 * character behind all of them. */
static int scan_beginning(struct ak_op *op, const struct key_search *search, apikeys_page *page) {
  char upper[AK_LOOKUP_ID_LENGTH + 1];
  memcpy(upper, search->text, search->length);
  upper[search->length] = '~';
  apikeys_query query;
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_LOOKUP_ID);
  ak_query_text_range(&query, search->text, search->length, upper, search->length + 1);
  query.limit = FIND_MAX;
  return ak_scan(&op->transaction, &query, ak_page_visit, page);
}

/* Obfuscated values have no index, which each creation would pay for: a bounded scan instead. */
static int scan_obfuscated(struct ak_op *op, const struct key_search *search, apikeys_page *page) {
  apikeys_query query;
  apikeys_page newest;
  ak_page_init(&newest, AK_API_KEY);
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
  query.descending = true;
  query.limit = 1;
  int rc = ak_scan(&op->transaction, &query, ak_page_visit, &newest);
  if (rc == APIKEYS_OK && newest.count > 0) {
    int64_t last = apikeys_record_integer(&newest.objects[0]->record, AK_NUMBER);
    ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
    ak_query_from(&query, ak_difference(last, FIND_AMONG - 1));
    ak_query_where_text(&query, AK_CONDITION_EQUALS, AK_API_KEY_OBFUSCATED, search->text,
                        search->length);
    query.descending = true;
    query.limit = FIND_MAX;
    rc = ak_scan(&op->transaction, &query, ak_page_visit, page);
  }
  ak_page_release(&newest);
  return rc;
}

static int find_listed_key(struct ak_op *op, const struct key_search *search, apikeys_page *page) {
  int rc = ak_power_is_member(&op->power) || !(may_find(op, "apikeys:keys:read") ||
                                               may_find(op, "apikeys:management-keys:read"))
               ? ak_allow(&op->power, "apikeys:keys:read")
               : APIKEYS_OK;
  if (rc == APIKEYS_OK)
    rc = search->obfuscated ? scan_obfuscated(op, search, page) : scan_beginning(op, search, page);
  if (rc == APIKEYS_OK)
    rc = drop_unseen(op, page);
  if (rc == APIKEYS_OK)
    ak_page_sort_newest_first(page);
  return rc == APIKEYS_OK ? add_last_used(op, page) : rc;
}

/* Of a whole value nothing but the lookup id is kept. False: neither form. */
static bool read_search(struct key_search *search, const char *text, size_t length) {
  const char *visible = text;
  search->length = length;
  search->obfuscated = ak_key_text_is_obfuscated(text, length);
  if (!search->obfuscated && ak_key_text_visible_part(text, length, &visible, &search->length) != 0)
    return false;
  memcpy(search->text, visible, search->length);
  return true;
}

int apikeys_key_find(apikeys_env *env, const apikeys_actor *actor, const char *text, size_t length,
                     apikeys_page *page, apikeys_error *err) {
  struct key_search search;
  length = ak_text_length(text, length);
  if (page == NULL || text == NULL || !read_search(&search, text, length))
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, page == NULL ? "page" : "value",
                        page == NULL ? "is NULL"
                                     : "is neither the beginning of a key's value nor its "
                                       "obfuscated form");
  struct ak_op op;
  int rc = ak_op_begin(&op, env, actor, APIKEYS_TRANSACTION_READ, err);
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_page found;
  ak_page_init(&found, AK_API_KEY);
  rc = ak_op_end(&op, find_listed_key(&op, &search, &found));
  if (rc == APIKEYS_OK)
    ak_page_swap(page, &found);
  ak_page_release(&found);
  return rc;
}
