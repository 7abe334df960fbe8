/* SPDX-License-Identifier: MIT */
/* Idempotency keys: a repeated creation finds the key that the first one made. */
#include "domain/idempotency.h"

#include "base/arithmetic.h"
#include "base/text.h"

#include <string.h>

static const int64_t idempotency_lifetime_ms = INT64_C(24) * 60 * 60 * 1000;
static const int64_t in_flight_ms = 10000;

static struct ak_piece piece(const char *text) {
  return (struct ak_piece){text, strlen(text)};
}

enum { NAME_BYTES = 2 * AK_DIGEST_BYTES + 1 };

/* Under which name it is kept: the actor, the owner and the caller's text, hashed together. */
static void name_idempotency_of(char out[NAME_BYTES], const struct ak_op *op,
                                const apikeys_key_spec *spec, const apikeys_record *key) {
  const apikeys_actor *actor = op->power.actor;
  char type = (char)('0' + actor->type);
  struct ak_piece pieces[] = {
      {&type, 1},
      piece(actor->organization_id),
      piece(actor->user_id),
      piece(actor->key_id),
      piece(apikeys_record_text(key, AK_API_KEY_ORGANIZATION_ID, NULL)),
      piece(apikeys_record_text(key, AK_API_KEY_USER_ID, NULL)),
      piece(spec->idempotency_key),
  };
  uint8_t digest[AK_DIGEST_BYTES];
  ak_digest_pieces(digest, pieces, sizeof pieces / sizeof pieces[0]);
  ak_hex_text(out, digest, sizeof digest);
}

/* What was asked for, hashed: the same request or another one. */
static void request_of(uint8_t out[AK_DIGEST_BYTES], const apikeys_key_spec *spec) {
  const apikeys_record *asked = &spec->object.record;
  int64_t owner_type = apikeys_record_integer(asked, AK_API_KEY_OWNER_TYPE);
  int64_t expires_at = apikeys_record_integer(asked, AK_API_KEY_EXPIRES_AT);
  struct ak_piece pieces[] = {
      {&owner_type, sizeof owner_type},
      piece(apikeys_record_text(asked, AK_API_KEY_NAME, NULL)),
      piece(apikeys_record_text(asked, AK_API_KEY_PERMISSIONS, NULL)),
      {&expires_at, sizeof expires_at},
  };
  ak_digest_pieces(out, pieces, sizeof pieces / sizeof pieces[0]);
}

static int find_name(struct ak_op *op, const char *name, apikeys_record *out) {
  apikeys_query query;
  ak_query_environment(&query, AK_IDEMPOTENCY_KEY, 0);
  ak_query_equal_text(&query, name, strlen(name));
  return ak_get(&op->transaction, &query, out);
}

static int load_key(struct ak_op *op, const apikeys_record *found, apikeys_record *key) {
  apikeys_query query;
  size_t length;
  const char *id = apikeys_record_text(found, AK_IDEMPOTENCY_KEY_API_KEY_ID, &length);
  ak_query_any(&query, AK_API_KEY, 0);
  ak_query_equal_text(&query, id, length);
  int rc = ak_get(&op->transaction, &query, key);
  if (rc == APIKEYS_ERROR_NOT_FOUND) {
    rc = ak_error_set(op->err, APIKEYS_ERROR_IDEMPOTENCY_USED, "idempotency_key", NULL);
    ak_error_set_subject(op->err, id, length);
  }
  return rc;
}

/*
 * Repeats that race each other would each get a value, of which one works. So for a while after an
 * answer there is no other: the first caller may be about to read it.
 */
static int refuse_in_flight(struct ak_op *op, const apikeys_record *found) {
  size_t length;
  const char *id = apikeys_record_text(found, AK_IDEMPOTENCY_KEY_API_KEY_ID, &length);
  int rc = ak_error_set(op->err, APIKEYS_ERROR_IDEMPOTENCY_IN_FLIGHT, "idempotency_key", NULL);
  ak_error_set_subject(op->err, id, length);
  return rc;
}

/* The answer that is about to be given is as young as the first one was. */
static int renew(struct ak_op *op, const apikeys_record *found) {
  apikeys_record record;
  ak_record_init(&record, AK_IDEMPOTENCY_KEY);
  int rc = apikeys_record_copy(&record, found);
  if (rc == APIKEYS_OK)
    rc = apikeys_record_set_integer(&record, AK_IDEMPOTENCY_KEY_CREATED_AT, op->now_ms);
  if (rc == APIKEYS_OK)
    rc = ak_update(&op->transaction, &record);
  ak_record_release(&record);
  return rc;
}

static int compare_idempotency(struct ak_op *op, const apikeys_key_spec *spec,
                               const apikeys_record *found, apikeys_record *key, bool *repeated) {
  int64_t created_at = apikeys_record_integer(found, AK_IDEMPOTENCY_KEY_CREATED_AT);
  if (ak_passed(&op->env->passed_times, AK_DEADLINE_IDEMPOTENCY,
                ak_sum(created_at, idempotency_lifetime_ms), op->now_ms, false))
    return ak_remove(&op->transaction, AK_IDEMPOTENCY_KEY,
                     apikeys_record_integer(found, AK_NUMBER));
  uint8_t request[AK_DIGEST_BYTES];
  size_t length;
  const void *stored = apikeys_record_blob(found, AK_IDEMPOTENCY_KEY_REQUEST, &length);
  request_of(request, spec);
  if (length != sizeof request || ak_secret_compare(request, stored, length) != 0)
    return ak_error_set(op->err, APIKEYS_ERROR_IDEMPOTENCY_MISMATCH, "idempotency_key", NULL);
  *repeated = true;
  int64_t age = ak_difference(op->now_ms, created_at);
  if (age < in_flight_ms && age > -in_flight_ms)
    return refuse_in_flight(op, found);
  int rc = load_key(op, found, key);
  return rc == APIKEYS_OK ? renew(op, found) : rc;
}

int ak_idempotency_find(struct ak_op *op, const apikeys_key_spec *spec, apikeys_record *key,
                        bool *repeated) {
  *repeated = false;
  if (spec->idempotency_key[0] == '\0')
    return APIKEYS_OK;
  char name[NAME_BYTES];
  apikeys_record found;
  name_idempotency_of(name, op, spec, key);
  ak_record_init(&found, AK_IDEMPOTENCY_KEY);
  int rc = find_name(op, name, &found);
  if (rc == APIKEYS_OK)
    rc = compare_idempotency(op, spec, &found, key, repeated);
  else if (rc == APIKEYS_ERROR_NOT_FOUND)
    rc = APIKEYS_OK;
  ak_record_release(&found);
  return rc;
}

int ak_idempotency_remember(struct ak_op *op, const apikeys_key_spec *spec,
                            const apikeys_record *key) {
  if (spec->idempotency_key[0] == '\0')
    return APIKEYS_OK;
  char name[NAME_BYTES];
  uint8_t request[AK_DIGEST_BYTES];
  name_idempotency_of(name, op, spec, key);
  request_of(request, spec);
  apikeys_record record;
  ak_record_init(&record, AK_IDEMPOTENCY_KEY);
  ak_record_set_string(&record, AK_ID, name);
  apikeys_record_set_blob(&record, AK_IDEMPOTENCY_KEY_REQUEST, request, sizeof request);
  ak_record_set_string(&record, AK_IDEMPOTENCY_KEY_API_KEY_ID,
                       apikeys_record_text(key, AK_ID, NULL));
  apikeys_record_set_integer(&record, AK_IDEMPOTENCY_KEY_CREATED_AT, op->now_ms);
  int rc = ak_record_status(&record);
  if (rc == APIKEYS_OK)
    rc = ak_insert(&op->transaction, &record);
  ak_record_release(&record);
  return rc;
}

int ak_idempotency_drop_all(struct ak_op *op, struct ak_budget *budget) {
  apikeys_query query;
  ak_query_environment(&query, AK_IDEMPOTENCY_KEY, AK_IDEMPOTENCY_KEY_BY_AGE);
  return ak_remove_some(&op->transaction, &query, budget);
}

int ak_idempotency_prune(struct ak_op *op, struct ak_budget *budget) {
  apikeys_query query;
  ak_query_environment(&query, AK_IDEMPOTENCY_KEY, AK_IDEMPOTENCY_KEY_BY_AGE);
  ak_query_until(&query, ak_difference(op->now_ms, idempotency_lifetime_ms));
  return ak_remove_some(&op->transaction, &query, budget);
}
