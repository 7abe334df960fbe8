/* SPDX-License-Identifier: MIT */
/* External ids of users. Each is a document whose id is the hash of the external id, because that
 * may be any text. */
#include "rest/user_external_ids.h"

#include "service.h"

#include <apikeys/document.h>

#include <jansson.h>
#include <sodium.h>

#include <string.h>

/* Body: the user's id. */
#define COLLECTION "user_external_ids", 17

enum { HASH_BYTES = 32, NAME_MAX_BYTES = 2 * HASH_BYTES + 1 };

static bool is_none(const char *external_id) {
  return external_id == NULL || external_id[0] == '\0';
}

static void name_of(char out[NAME_MAX_BYTES], const char *external_id) {
  unsigned char hash[HASH_BYTES];
  crypto_generichash(hash, sizeof hash, (const unsigned char *)external_id, strlen(external_id),
                     NULL, 0);
  sodium_bin2hex(out, NAME_MAX_BYTES, hash, sizeof hash);
}

static int get(struct exchange *x, const char *external_id, apikeys_document *document) {
  char name[NAME_MAX_BYTES];
  name_of(name, external_id);
  return document == NULL ? APIKEYS_ERROR_NO_MEMORY
                          : apikeys_document_get(x->service->env, x->actor, COLLECTION, name,
                                                 strlen(name), document, x->err);
}

static bool is_of(const apikeys_document *document, const char *user_id) {
  size_t length;
  const char *body = apikeys_document_body(document, &length);
  return length == strlen(user_id) && memcmp(body, user_id, length) == 0;
}

/* *held: the user that took the external id has it. False if that user's write was never made, or
 * the user was deleted. */
static int is_held(struct exchange *x, const apikeys_document *taken, const char *external_id,
                   bool *held) {
  size_t id_length, length;
  const char *id = apikeys_document_body(taken, &id_length);
  apikeys_document *user = apikeys_document_new();
  int rc = user == NULL ? APIKEYS_ERROR_NO_MEMORY
                        : apikeys_document_get(x->service->env, x->actor, "users", 5, id, id_length,
                                               user, x->err);
  *held = false;
  if (rc == APIKEYS_OK) {
    const char *body = apikeys_document_body(user, &length);
    json_t *fields = json_loadb(body, length, 0, NULL);
    const char *has = json_string_value(json_object_get(fields, "external_id"));
    *held = has != NULL && strcmp(has, external_id) == 0;
    json_decref(fields);
  }
  apikeys_document_free(user);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
}

static int set_user(apikeys_document *document, const char *user_id) {
  return apikeys_document_set_body(document, user_id, strlen(user_id));
}

static int create(struct exchange *x, apikeys_document *document, const char *external_id,
                  const char *user_id) {
  char name[NAME_MAX_BYTES];
  name_of(name, external_id);
  int rc = apikeys_document_set_collection(document, COLLECTION);
  if (rc == APIKEYS_OK)
    rc = apikeys_document_set_id(document, name, strlen(name));
  if (rc == APIKEYS_OK)
    rc = set_user(document, user_id);
  return rc == APIKEYS_OK ? apikeys_document_create(x->service->env, x->actor, document, x->err)
                          : rc;
}

static int take_over(struct exchange *x, apikeys_document *document, const char *external_id,
                     const char *user_id) {
  bool held = false;
  if (is_of(document, user_id))
    return APIKEYS_OK;
  int rc = is_held(x, document, external_id, &held);
  if (rc == APIKEYS_OK && held)
    return APIKEYS_ERROR_EXISTS;
  if (rc == APIKEYS_OK)
    rc = set_user(document, user_id);
  return rc == APIKEYS_OK ? apikeys_document_update(x->service->env, x->actor, document, x->err)
                          : rc;
}

int user_external_id_take(struct exchange *x, const char *external_id, const char *user_id) {
  if (is_none(external_id))
    return APIKEYS_OK;
  apikeys_document *document = apikeys_document_new();
  int rc = get(x, external_id, document);
  if (rc == APIKEYS_OK)
    rc = take_over(x, document, external_id, user_id);
  else if (rc == APIKEYS_ERROR_NOT_FOUND)
    rc = create(x, document, external_id, user_id);
  apikeys_document_free(document);
  return rc;
}

int user_external_id_drop(struct exchange *x, const char *external_id, const char *user_id) {
  char name[NAME_MAX_BYTES];
  if (is_none(external_id))
    return APIKEYS_OK;
  name_of(name, external_id);
  apikeys_document *document = apikeys_document_new();
  int rc = get(x, external_id, document);
  if (rc == APIKEYS_OK && is_of(document, user_id))
    rc = apikeys_document_delete(x->service->env, x->actor, COLLECTION, name, strlen(name),
                                 apikeys_document_version(document), x->err);
  apikeys_document_free(document);
  return rc == APIKEYS_ERROR_NOT_FOUND || rc == APIKEYS_ERROR_CHANGED ? APIKEYS_OK : rc;
}

int user_external_id_find(struct exchange *x, const char *external_id, const char **user_id) {
  size_t length;
  *user_id = NULL;
  apikeys_document *document = apikeys_document_new();
  int rc = is_none(external_id) ? APIKEYS_ERROR_NOT_FOUND : get(x, external_id, document);
  if (rc == APIKEYS_OK) {
    const char *body = apikeys_document_body(document, &length);
    *user_id = exchange_copy(x, body, length);
    rc = *user_id != NULL ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
  }
  apikeys_document_free(document);
  return rc;
}
