/* SPDX-License-Identifier: MIT */
/* The frames of get, list, create and change: begin, run the noun's body, end, fill the object. */
#include "operation/crud.h"

#include "operation/events.h"
#include "operation/root_key_follow.h"

#include <string.h>

static int run_object(apikeys_env *env, const apikeys_actor *actor, int mode,
                      struct ak_object *object, ak_object_body body, const void *arguments,
                      apikeys_error *err) {
  struct ak_op op;
  int rc = ak_op_begin(&op, env, actor, mode, err);
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_record stored;
  ak_record_init(&stored, object->record.kind);
  rc = ak_op_end(&op, body(&op, object, arguments, &stored));
  if (rc == APIKEYS_OK)
    ak_object_swap_record(object, &stored);
  ak_record_release(&stored);
  return rc;
}

int ak_object_op(apikeys_env *env, const apikeys_actor *actor, int mode, struct ak_object *object,
                 ak_object_body body, const void *arguments, apikeys_error *err) {
  if (object == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "", "an object is NULL");
  int rc = mode == APIKEYS_TRANSACTION_WRITE ? ak_object_check(object, err) : APIKEYS_OK;
  if (rc != APIKEYS_OK)
    return rc;
  int tries = 0;
  do
    rc = run_object(env, actor, mode, object, body, arguments, err);
  while (ak_should_repeat(env, rc, &tries, err));
  return rc;
}

int ak_plain_op(apikeys_env *env, const apikeys_actor *actor, int mode, ak_body body,
                const void *arguments, apikeys_error *err) {
  struct ak_op op;
  int tries = 0, rc;
  do {
    rc = ak_op_begin(&op, env, actor, mode, err);
    if (rc == APIKEYS_OK)
      rc = ak_op_end(&op, body(&op, arguments));
  } while (ak_should_repeat(env, rc, &tries, err));
  return rc;
}

int ak_list_op(apikeys_env *env, const apikeys_actor *actor, const apikeys_filter *filter,
               apikeys_page *page, int kind, ak_list_body body, apikeys_error *err) {
  if (page == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "page", "is NULL");
  struct ak_op op;
  int rc = ak_op_begin(&op, env, actor, APIKEYS_TRANSACTION_READ, err);
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_page found;
  ak_page_init(&found, kind);
  rc = ak_op_end(&op, body(&op, filter, &found));
  if (rc == APIKEYS_OK)
    ak_page_swap(page, &found);
  ak_page_release(&found);
  return rc;
}

enum { LOOKUP_TEXT_MAX = 255 };

int ak_check_lookup(struct ak_op *op, const struct ak_text *text, const char *name) {
  if (text->text == NULL || text->length == 0 || text->length > LOOKUP_TEXT_MAX ||
      memchr(text->text, '\0', text->length) != NULL)
    return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, name,
                        "must be 1 to 255 bytes without NUL");
  return APIKEYS_OK;
}

int ak_stamp_new(struct ak_op *op, apikeys_record *record, const char *id_kind, int created_field,
                 int updated_field) {
  char id[AK_ID_MAX];
  struct ak_random random = ak_random_source(&op->env->options);
  int rc = ak_id_generate(id, id_kind, op->now_ms, &random);
  if (rc != APIKEYS_OK)
    return rc;
  ak_record_set_string(record, AK_ID, id);
  apikeys_record_set_integer(record, created_field, op->now_ms);
  apikeys_record_set_integer(record, updated_field, op->now_ms);
  return ak_record_status(record);
}

static int crud_change(struct ak_op *op, const struct ak_object *given, apikeys_record *stored,
                       const apikeys_record *before, int updated_field) {
  int rc = ak_object_apply(given, stored);
  if (rc != APIKEYS_OK || ak_records_equal(before, stored))
    return rc;
  rc = apikeys_record_set_integer(stored, updated_field, op->now_ms);
  return rc == APIKEYS_OK ? ak_update(&op->transaction, stored) : rc;
}

int ak_object_change(struct ak_op *op, const struct ak_object *given, apikeys_record *stored,
                     int updated_field, const char *event_type, const char *organization_id) {
  apikeys_record before;
  ak_record_init(&before, stored->kind);
  int rc = apikeys_record_copy(&before, stored);
  if (rc == APIKEYS_OK)
    rc = crud_change(op, given, stored, &before, updated_field);
  if (rc == APIKEYS_OK && !ak_records_equal(&before, stored))
    rc = ak_event_append(op, event_type, organization_id, stored, &before, NULL);
  ak_record_release(&before);
  return rc;
}
