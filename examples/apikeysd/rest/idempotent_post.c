/* SPDX-License-Identifier: MIT */
/* Idempotent creations: remembers each answer in a document, and repeats it. */
#include "rest/idempotent_post.h"

#include "clock.h"
#include "http/reply.h"
#include "log.h"
#include "service.h"

#include <apikeys/document.h>

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define COLLECTION "idempotency"
#define S(text) (text), strlen(text)

enum {
  KEY_MAX = 255,
  SEALED_MAX = 4096,
  DIGEST_BYTES = 32,
  DIGEST_TEXT = 2 * DIGEST_BYTES + 1,
  MINUTE_MS = 60 * 1000,
  DAY_MS = 24 * 60 * MINUTE_MS
};

/* A creation, and the document that remembers its answer. */
struct creation {
  struct exchange *x;
  apikeys_actor *keeper; /* the system, because the actor may not read the service's documents */
  apikeys_document *document;
  char id[DIGEST_TEXT];
  char request[DIGEST_TEXT]; /* a hash of the request */
};

/* -- Which creation it is ---------------------------------------------------------------------- */

static void write_digest(crypto_generichash_state *state, char out[DIGEST_TEXT]) {
  unsigned char digest[DIGEST_BYTES];
  crypto_generichash_final(state, digest, sizeof digest);
  sodium_bin2hex(out, DIGEST_TEXT, digest, sizeof digest);
}

/* Includes the terminating NULs, so that no two texts run into each other. */
static void add_text(crypto_generichash_state *state, const char *text) {
  crypto_generichash_update(state, (const unsigned char *)text, strlen(text) + 1);
}

static void name_creation(struct creation *creation, const char *idempotency_key) {
  const struct exchange *x = creation->x;
  crypto_generichash_state state;
  crypto_generichash_init(&state, NULL, 0, DIGEST_BYTES);
  add_text(&state, apikeys_actor_key_id(x->actor, NULL));
  add_text(&state, x->path);
  add_text(&state, idempotency_key);
  write_digest(&state, creation->id);
  crypto_generichash_init(&state, NULL, 0, DIGEST_BYTES);
  crypto_generichash_update(&state, (const unsigned char *)x->body, x->body_length);
  write_digest(&state, creation->request);
}

/* -- Its document ------------------------------------------------------------------------------ */

/* The body: {"request":…,"answer":…}. Without an answer it marks a request as being answered. */
static int set_body(const struct creation *creation, const char *answer) {
  json_t *json = json_pack("{s:s,s:s*}", "request", creation->request, "answer", answer);
  char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
  int rc = text != NULL ? apikeys_document_set_body(creation->document, S(text))
                        : APIKEYS_ERROR_NO_MEMORY;
  if (text != NULL)
    sodium_memzero(text, strlen(text));
  free(text);
  json_decref(json);
  return rc;
}

static int mark(const struct creation *creation) {
  struct exchange *x = creation->x;
  apikeys_document *document = creation->document;
  int rc = apikeys_document_set_collection(document, S(COLLECTION));
  if (rc == APIKEYS_OK)
    rc = apikeys_document_set_id(document, S(creation->id));
  if (rc == APIKEYS_OK)
    rc = apikeys_document_set_expires_at_ms(document, clock_unix_ms() + MINUTE_MS);
  if (rc == APIKEYS_OK)
    rc = set_body(creation, NULL);
  return rc == APIKEYS_OK
             ? apikeys_document_create(x->service->env, creation->keeper, document, x->err)
             : rc;
}

/* Stores the answer sealed, because a webhook endpoint's has a secret in it. An answer that is too
 * long for that (an organization with much metadata) has none, and goes into the body. */
static int set_answer(const struct creation *creation) {
  const struct exchange *x = creation->x;
  if (x->reply_length > SEALED_MAX)
    return set_body(creation, x->reply);
  return apikeys_document_set_secret(creation->document, x->reply, x->reply_length);
}

static void keep_answer(const struct creation *creation) {
  struct exchange *x = creation->x;
  apikeys_document *document = creation->document;
  int rc = set_answer(creation);
  if (rc == APIKEYS_OK)
    rc = apikeys_document_set_expires_at_ms(document, clock_unix_ms() + DAY_MS);
  if (rc == APIKEYS_OK)
    rc = apikeys_document_update(x->service->env, creation->keeper, document, x->err);
  if (rc != APIKEYS_OK) /* it was made all the same, and the client is told */
    log_line(x->service->log, LOG_WARNING, "the answer to a creation is not kept: %s",
             apikeys_result_name(rc));
}

/* Deletes the document of a creation that was refused, so that a repeat may create. */
static void forget_answer(const struct creation *creation) {
  struct exchange *x = creation->x;
  int rc = apikeys_document_delete(x->service->env, creation->keeper, S(COLLECTION),
                                   S(creation->id), 0, x->err);
  if (rc != APIKEYS_OK && rc != APIKEYS_ERROR_NOT_FOUND)
    log_line(x->service->log, LOG_WARNING, "an idempotency key stays taken: %s",
             apikeys_result_name(rc));
}

/* -- Answering --------------------------------------------------------------------------------- */

static void make_first(const struct creation *creation, void (*make)(struct exchange *x)) {
  struct exchange *x = creation->x;
  make(x);
  if (x->status == 201)
    keep_answer(creation);
  else
    forget_answer(creation);
}

static void reply_in_flight(struct exchange *x) {
  reply_error(x, 409, "idempotency_key_in_flight",
              "A request with this idempotency key is being answered.");
  reply_header(x, "Retry-After", "1");
}

static void reply_again(const struct creation *creation, const json_t *body) {
  char sealed[SEALED_MAX];
  size_t length;
  const char *request = json_string_value(json_object_get(body, "request"));
  const json_t *answer = json_object_get(body, "answer");
  if (request == NULL || strcmp(request, creation->request) != 0)
    reply_invalid(creation->x, "idempotency_key_mismatch", "idempotency_key");
  else if (answer != NULL)
    reply_text(creation->x, 201, json_string_value(answer), json_string_length(answer));
  else if (apikeys_document_secret(creation->document, sealed, sizeof sealed, &length) ==
           APIKEYS_OK)
    reply_text(creation->x, 201, sealed, length);
  else
    reply_in_flight(creation->x);
  sodium_memzero(sealed, sizeof sealed);
}

static void repeat(const struct creation *creation) {
  struct exchange *x = creation->x;
  size_t length;
  int rc = apikeys_document_get(x->service->env, creation->keeper, S(COLLECTION), S(creation->id),
                                creation->document, x->err);
  if (rc == APIKEYS_ERROR_NOT_FOUND) { /* the first one has just been refused */
    reply_in_flight(x);
    return;
  }
  const char *text = rc == APIKEYS_OK ? apikeys_document_body(creation->document, &length) : NULL;
  json_t *body = text != NULL ? json_loadb(text, length, 0, NULL) : NULL;
  if (body != NULL)
    reply_again(creation, body);
  else
    reply_failure(x, rc != APIKEYS_OK ? rc : APIKEYS_ERROR_NO_MEMORY, "Answer", "");
  json_decref(body);
}

static void answer(struct creation *creation, void (*make)(struct exchange *x)) {
  int rc = creation->keeper == NULL || creation->document == NULL
               ? APIKEYS_ERROR_NO_MEMORY
               : apikeys_actor_set_system(creation->keeper, S("idempotency keys"));
  if (rc == APIKEYS_OK)
    rc = mark(creation);
  if (rc == APIKEYS_OK)
    make_first(creation, make);
  else if (rc == APIKEYS_ERROR_EXISTS)
    repeat(creation);
  else
    reply_failure(creation->x, rc, "Answer", "");
}

void idempotent_post(struct exchange *x, void (*make)(struct exchange *x)) {
  size_t length;
  const char *idempotency_key = exchange_header(x, "Idempotency-Key", &length);
  if (idempotency_key == NULL) {
    make(x);
    return;
  }
  if (length == 0 || length > KEY_MAX) {
    reply_invalid(x, "invalid", "idempotency_key");
    return;
  }
  struct creation creation = {
      .x = x, .keeper = apikeys_actor_new(), .document = apikeys_document_new()};
  name_creation(&creation, idempotency_key);
  answer(&creation, make);
  apikeys_document_free(creation.document);
  apikeys_actor_free(creation.keeper);
}
