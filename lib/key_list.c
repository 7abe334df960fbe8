/* SPDX-License-Identifier: MIT */
/* Many keys: listed, found by their visible beginning, revoked and pruned together; and the key object. */
#include "accessors.h"
#include "authority.h"
#include "events.h"
#include "keys.h"
#include "membership.h"
#include "object_call.h"
#include "token.h"

#include <apikeys/key.h>

#include <string.h>

/* -- Listing ------------------------------------------------------------------------------------ */

/* Whose keys a filter asks for. */
struct owner {
  int type; /* 0: of a user, in whichever organization */
  const char *organization_id;
  const char *user_id;
};

static int read_owner(struct ak_call *call, const apikeys_filter *filter, struct owner *owner) {
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
    return ak_error_set(call->err, APIKEYS_ERROR_INVALID_ARGUMENT, "filter",
                        "must say whose keys: an organization's, a user's, or the environment's");
  owner->type = type;
  return APIKEYS_OK;
}

static int allow_owner(struct ak_call *call, const struct owner *owner) {
  int rc = ak_allow_keys(call, AK_KEY_SEE, owner->type, owner->organization_id, owner->user_id);
  if (rc == APIKEYS_OK && owner->organization_id[0] != '\0')
    rc = ak_organization_exists(&call->transaction, owner->organization_id);
  return rc;
}

static void query_owner(apikeys_query *query, const struct owner *owner, int state) {
  size_t length = strlen(owner->organization_id);
  bool by_user = owner->user_id[0] != '\0';
  int index = by_user ? AK_API_KEY_BY_USER : AK_API_KEY_BY_OWNER;
  if (owner->type == APIKEYS_OWNER_ENVIRONMENT)
    ak_query_environment(query, AK_API_KEY, index);
  else if (length > 0)
    ak_query_of(query, AK_API_KEY, index, owner->organization_id, length);
  else
    ak_query_any(query, AK_API_KEY, index);
  if (by_user) {
    ak_query_equal_text(query, owner->user_id, strlen(owner->user_id));
  } else {
    ak_query_equal_text(query, owner->organization_id, length);
    ak_query_equal_integer(query, owner->type);
  }
  ak_query_equal_integer(query, state);
}

static int add_last_used(struct ak_call *call, apikeys_page *page) {
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < page->count; i++) {
    apikeys_key *key = apikeys_page_key(page, i);
    rc = ak_key_last_used(call, apikeys_key_id(key, NULL), &key->last_used_at);
  }
  return rc;
}

/* The state is part of the index, so that a page costs the same whatever was revoked before:
 * active and revoked keys are two walks, merged. */
static int list(struct ak_call *call, const apikeys_filter *filter, apikeys_page *page) {
  struct owner owner = {0, "", ""};
  int rc = ak_filter_check(filter,
                           AK_FILTER_PAGING | AK_FILTER_SEARCH | AK_FILTER_ORGANIZATION |
                               AK_FILTER_USER | AK_FILTER_OWNER_TYPE | AK_FILTER_REVOKED,
                           call->err);
  if (rc == APIKEYS_OK)
    rc = read_owner(call, filter, &owner);
  if (rc == APIKEYS_OK)
    rc = allow_owner(call, &owner);
  if (rc != APIKEYS_OK)
    return rc;
  struct ak_listing listing = {
      .call = call, .filter = filter, .kind = AK_API_KEY, .order = APIKEYS_ORDER_NEWEST_FIRST};
  listing.query_count = (filter->set & AK_FILTER_REVOKED) != 0 ? 2 : 1;
  for (int i = 0; i < listing.query_count; i++) {
    query_owner(&listing.queries[i], &owner, i == 0 ? AK_KEY_ACTIVE : AK_KEY_REVOKED);
    if (filter->search_length > 0)
      ak_query_where_text(&listing.queries[i], AK_CONDITION_CONTAINS, AK_API_KEY_NAME,
                          filter->search, filter->search_length);
  }
  rc = ak_list(&listing, page);
  return rc == APIKEYS_OK ? add_last_used(call, page) : rc;
}

int apikeys_key_list(apikeys_env *env, const apikeys_actor *actor, const apikeys_filter *filter,
                     apikeys_page *page, apikeys_error *err) {
  return ak_list_call(env, actor, filter, page, AK_API_KEY, list, err);
}

/* -- Finding by the visible beginning ----------------------------------------------------------- */

enum { FIND_MAX = 100 };

static bool may_find(struct ak_call *call, const char *scope) {
  const struct ak_power *power = &call->power;
  return power->actor->type == APIKEYS_ACTOR_SYSTEM || ak_power_holds(power, scope);
}

/* Customers' keys and management keys are seen under different scopes. */
static int drop_unseen(struct ak_call *call, apikeys_page *page) {
  bool management = may_find(call, "apikeys:management-keys:read");
  bool customers = may_find(call, "apikeys:keys:read");
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

static int find(struct ak_call *call, const char *start, size_t length, apikeys_page *page) {
  int rc = ak_power_is_member(&call->power) ||
                   !(may_find(call, "apikeys:keys:read") ||
                     may_find(call, "apikeys:management-keys:read"))
               ? ak_allow(call, "apikeys:keys:read")
               : APIKEYS_OK;
  if (rc != APIKEYS_OK)
    return rc;
  /* Lookup ids are base62 and of one length: what begins with `start` lies up to `start` and a
   * character behind all of them. */
  char upper[AK_LOOKUP_ID_LENGTH + 1];
  memcpy(upper, start, length);
  upper[length] = '~';
  apikeys_query query;
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_LOOKUP_ID);
  ak_query_text_range(&query, start, length, upper, length + 1);
  query.limit = FIND_MAX;
  rc = ak_scan(&call->transaction, &query, ak_page_visit, page);
  if (rc == APIKEYS_OK)
    rc = drop_unseen(call, page);
  if (rc == APIKEYS_OK)
    ak_page_sort_newest_first(page);
  return rc == APIKEYS_OK ? add_last_used(call, page) : rc;
}

int apikeys_key_find(apikeys_env *env, const apikeys_actor *actor, const char *text, size_t length,
                     apikeys_page *page, apikeys_error *err) {
  char start[AK_LOOKUP_ID_LENGTH];
  const char *visible;
  size_t visible_length;
  if (page == NULL || text == NULL ||
      ak_token_visible_part(text, length, &visible, &visible_length) != 0)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, page == NULL ? "page" : "value",
                        page == NULL ? "is NULL" : "is not the beginning of a key's value");
  memcpy(start, visible, visible_length);
  struct ak_call call;
  int rc = ak_call_begin(&call, env, actor, APIKEYS_TRANSACTION_READ, err);
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_page found;
  ak_page_init(&found, AK_API_KEY);
  rc = ak_call_end(&call, find(&call, start, visible_length, &found));
  if (rc == APIKEYS_OK)
    ak_page_swap(page, &found);
  ak_page_release(&found);
  return rc;
}

/* -- Many at once ------------------------------------------------------------------------------- */

enum { AT_ONCE = 100 };

/* Revoke what the query gives until it gives nothing: each one revoked leaves the query's index
 * range, which is of active keys. */
static int revoke_all(struct ak_call *call, const apikeys_query *query, const char *reason) {
  int rc;
  size_t revoked;
  do {
    apikeys_page page;
    apikeys_query batch = *query;
    batch.limit = AT_ONCE;
    ak_page_init(&page, AK_API_KEY);
    rc = ak_scan(&call->transaction, &batch, ak_page_visit, &page);
    revoked = page.count;
    for (size_t i = 0; rc == APIKEYS_OK && i < page.count; i++)
      rc = ak_key_revoke_record(call, &page.objects[i]->record, reason, strlen(reason));
    ak_page_release(&page);
  } while (rc == APIKEYS_OK && revoked > 0);
  return rc;
}

static int revoke_owned(struct ak_call *call, int type, const char *organization_id,
                        const char *user_id, const char *reason) {
  struct owner owner = {type, organization_id, user_id};
  apikeys_query query;
  query_owner(&query, &owner, AK_KEY_ACTIVE);
  return revoke_all(call, &query, reason);
}

int ak_keys_revoke_of_organization(struct ak_call *call, const char *organization_id) {
  int rc = revoke_owned(call, APIKEYS_OWNER_ORGANIZATION, organization_id, "",
                        AK_REASON_ORGANIZATION_DELETED);
  return rc == APIKEYS_OK ? revoke_owned(call, APIKEYS_OWNER_MEMBER, organization_id, "",
                                         AK_REASON_ORGANIZATION_DELETED)
                          : rc;
}

int ak_keys_revoke_of_member(struct ak_call *call, const char *organization_id,
                             const char *user_id) {
  return revoke_owned(call, APIKEYS_OWNER_MEMBER, organization_id, user_id,
                      AK_REASON_MEMBER_DELETED);
}

/* Walk all keys by number, a batch at a time, and act on each. */
static int for_each_key(struct ak_call *call, const apikeys_query *query,
                        int (*act)(struct ak_call *, apikeys_record *, void *), void *data) {
  int64_t from = 0;
  int rc;
  size_t seen;
  do {
    apikeys_page page;
    apikeys_query batch = *query;
    ak_query_from(&batch, from);
    batch.limit = AT_ONCE;
    ak_page_init(&page, AK_API_KEY);
    rc = ak_scan(&call->transaction, &batch, ak_page_visit, &page);
    seen = page.count;
    for (size_t i = 0; rc == APIKEYS_OK && i < page.count; i++) {
      from = apikeys_record_integer(&page.objects[i]->record, AK_NUMBER) + 1;
      rc = act(call, &page.objects[i]->record, data);
    }
    ak_page_release(&page);
  } while (rc == APIKEYS_OK && seen > 0);
  return rc;
}

static int revoke_if_idle(struct ak_call *call, apikeys_record *key, void *data) {
  const int64_t *idle_lifetime_ms = data;
  int64_t last_used;
  int rc = ak_key_last_used(call, apikeys_record_text(key, AK_ID, NULL), &last_used);
  if (rc == APIKEYS_OK && ak_key_idle(key, last_used, *idle_lifetime_ms, call->now_ms))
    rc = ak_key_revoke_record(call, key, AK_REASON_IDLE, strlen(AK_REASON_IDLE));
  return rc;
}

int ak_keys_revoke_idle(struct ak_call *call, int64_t idle_lifetime_ms) {
  apikeys_query query;
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
  ak_query_where_integer(&query, AK_CONDITION_EQUALS, AK_API_KEY_STATE, AK_KEY_ACTIVE);
  ak_query_where_integer(&query, AK_CONDITION_BELOW, AK_API_KEY_OWNER_TYPE,
                         APIKEYS_OWNER_ENVIRONMENT);
  ak_query_where_integer(&query, AK_CONDITION_BELOW, AK_API_KEY_CREATED_AT,
                         call->now_ms - idle_lifetime_ms);
  return for_each_key(call, &query, revoke_if_idle, &idle_lifetime_ms);
}

static int remove_use(struct ak_call *call, const char *key_id) {
  apikeys_query query;
  apikeys_record use;
  ak_record_init(&use, AK_API_KEY_USE);
  ak_query_environment(&query, AK_API_KEY_USE, 0);
  ak_query_equal_text(&query, key_id, strlen(key_id));
  int rc = ak_get(&call->transaction, &query, &use);
  if (rc == APIKEYS_OK)
    rc = ak_remove(&call->transaction, AK_API_KEY_USE, apikeys_record_integer(&use, AK_NUMBER));
  ak_record_release(&use);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
}

static int prune_key(struct ak_call *call, apikeys_record *key, void *data) {
  uint64_t *pruned = data;
  int rc = remove_use(call, apikeys_record_text(key, AK_ID, NULL));
  if (rc == APIKEYS_OK)
    rc = ak_remove(&call->transaction, AK_API_KEY, apikeys_record_integer(key, AK_NUMBER));
  *pruned += 1;
  return rc;
}

int ak_keys_prune(struct ak_call *call, int64_t before_ms, uint64_t *pruned) {
  apikeys_query query;
  *pruned = 0;
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
  ak_query_where_integer(&query, AK_CONDITION_EQUALS, AK_API_KEY_STATE, AK_KEY_REVOKED);
  ak_query_where_integer(&query, AK_CONDITION_BELOW, AK_API_KEY_REVOKED_AT, before_ms);
  return for_each_key(call, &query, prune_key, pruned);
}

/* -- The key object ----------------------------------------------------------------------------- */

AK_NEW_AND_FREE(key, AK_API_KEY)
AK_GET_TEXT(key, id, AK_ID)
AK_GET_INTEGER(key, int, owner_type, AK_API_KEY_OWNER_TYPE)
AK_GET_TEXT(key, organization_id, AK_API_KEY_ORGANIZATION_ID)
AK_GET_TEXT(key, user_id, AK_API_KEY_USER_ID)
AK_GET_TEXT(key, name, AK_API_KEY_NAME)
AK_GET_TEXT(key, permissions, AK_API_KEY_PERMISSIONS)
AK_GET_TEXT(key, obfuscated_value, AK_API_KEY_OBFUSCATED)
AK_GET_TEXT(key, lookup_id, AK_API_KEY_LOOKUP_ID)
AK_GET_INTEGER(key, int64_t, created_at_ms, AK_API_KEY_CREATED_AT)
AK_GET_INTEGER(key, int64_t, updated_at_ms, AK_API_KEY_UPDATED_AT)
AK_GET_INTEGER(key, int64_t, expires_at_ms, AK_API_KEY_EXPIRES_AT)
AK_GET_INTEGER(key, int64_t, revoked_at_ms, AK_API_KEY_REVOKED_AT)
AK_GET_TEXT(key, revoked_reason, AK_API_KEY_REVOKED_REASON)

int64_t apikeys_key_last_used_at_ms(const apikeys_key *key) {
  return key != NULL ? key->last_used_at : 0;
}

const char *apikeys_key_json(apikeys_key *key, size_t *length) {
  struct ak_shape_extra extra = {apikeys_key_last_used_at_ms(key)};
  return ak_object_json(key != NULL ? &key->object : NULL, &extra, length);
}

size_t apikeys_value_max(void) {
  return APIKEYS_VALUE_MAX;
}

int apikeys_scanner_rule(const char *prefix, size_t prefix_length, char *buffer, size_t size,
                         size_t *length) {
  if (prefix == NULL || buffer == NULL || length == NULL ||
      ak_prefix_check(prefix, prefix_length) != 0)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  *length = ak_token_scanner_rule(buffer, size, prefix, prefix_length);
  return *length < size ? APIKEYS_OK : APIKEYS_ERROR_BUFFER_TOO_SMALL;
}
