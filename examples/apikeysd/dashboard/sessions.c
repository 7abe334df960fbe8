/* SPDX-License-Identifier: MIT */
/* Dashboard sessions as documents: cookies, expiry, page tokens. */
#include "dashboard/sessions.h"

#include "authenticate.h"
#include "clock.h"
#include "config.h"
#include "dashboard/origin_check.h"
#include "http/reply.h"
#include "log.h"
#include "service.h"

#include <apikeys/document.h>

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define COLLECTION "dashboard-sessions"
#define S(text) (text), strlen(text)

/* A session that was used within this time is not written again. */
enum { TOUCH_MS = 10 * 1000 };

/* -- The cookie -------------------------------------------------------------------------------- */

/* A browser keeps a "__Host-" cookie to this one host, and takes it over TLS only. */
static bool over_tls(const struct exchange *x) {
  const char *url = x->service->config->public_url;
  return x->secure || (url != NULL && strncmp(url, "https://", 8) == 0);
}

static const char *cookie_name(const struct exchange *x) {
  return over_tls(x) ? "__Host-apikeysd" : "apikeysd";
}

static void set_cookie(struct exchange *x, const char *value, bool forget) {
  char *cookie = exchange_format(x, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s", cookie_name(x),
                                 value, over_tls(x) ? "; Secure" : "", forget ? "; Max-Age=0" : "");
  if (cookie != NULL)
    reply_header(x, "Set-Cookie", cookie);
}

/* Finds our cookie in "a=1; apikeysd=0f…; b=2". False if it is absent or malformed. */
static bool read_cookie(const struct exchange *x, unsigned char id[SESSION_BYTES]) {
  const char *text = exchange_header(x, "Cookie", NULL), *name = cookie_name(x);
  size_t length = strlen(name), decoded;
  while (text != NULL) {
    text += strspn(text, " ;");
    if (strncmp(text, name, length) == 0 && text[length] == '=') {
      const char *hex = text + length + 1;
      return strcspn(hex, ";") == SESSION_TEXT - 1 &&
             sodium_hex2bin(id, SESSION_BYTES, hex, SESSION_TEXT - 1, NULL, &decoded, NULL) == 0 &&
             decoded == SESSION_BYTES;
    }
    text = strchr(text, ';');
  }
  return false;
}

/* -- The document ------------------------------------------------------------------------------ */

/* Hashes the session's id under a name: one for the store, whose digest is no cookie, and one for
 * the page's token, which reveals neither. */
static void derive(char out[SESSION_TEXT], const unsigned char id[SESSION_BYTES],
                   const char *name) {
  unsigned char digest[SESSION_BYTES];
  crypto_generichash(digest, sizeof digest, (const unsigned char *)name, strlen(name), id,
                     SESSION_BYTES);
  sodium_bin2hex(out, SESSION_TEXT, digest, sizeof digest);
}

static void complete(struct session *session) {
  derive(session->csrf_token, session->id, "apikeysd page token");
}

static int64_t whole_life_ms(const struct exchange *x) {
  return (int64_t)x->service->config->session_seconds * 1000;
}

int64_t session_ends_ms(const struct exchange *x) {
  return x->session->signed_in_ms + whole_life_ms(x);
}

/* The earlier of two ends: idle for too long, or signed in for too long. */
static int64_t expiry_ms(const struct exchange *x, const struct session *session) {
  int64_t idle = session->seen_ms + (int64_t)x->service->config->session_idle_seconds * 1000;
  int64_t whole = session->signed_in_ms + whole_life_ms(x);
  return idle < whole ? idle : whole;
}

/* The service reads and writes its sessions as the system; x->actor stays as it is. */
static apikeys_actor *keeper(void) {
  apikeys_actor *actor = apikeys_actor_new();
  if (actor != NULL)
    apikeys_actor_set_system(actor, S("dashboard sessions"));
  return actor;
}

static int write_session(struct exchange *x, const struct session *session) {
  char id[SESSION_TEXT], body[160];
  derive(id, session->id, "apikeysd stored session");
  snprintf(body, sizeof body, "{\"signed_in_ms\":%lld,\"seen_ms\":%lld,\"root_key_epoch\":%lld}",
           (long long)session->signed_in_ms, (long long)session->seen_ms,
           (long long)session->root_key_epoch);
  apikeys_actor *actor = keeper();
  apikeys_document *document = apikeys_document_new();
  int rc = actor == NULL || document == NULL ? APIKEYS_ERROR_NO_MEMORY : APIKEYS_OK;
  if (rc == APIKEYS_OK) {
    apikeys_document_set_collection(document, S(COLLECTION));
    apikeys_document_set_id(document, S(id));
    apikeys_document_set_group(document, S(session->key_id));
    apikeys_document_set_body(document, S(body));
    apikeys_document_set_expires_at_ms(document, expiry_ms(x, session));
    apikeys_document_set_version(document, session->version);
    rc = session->version == 0 ? apikeys_document_create(x->service->env, actor, document, x->err)
                               : apikeys_document_update(x->service->env, actor, document, x->err);
  }
  apikeys_document_free(document);
  apikeys_actor_free(actor);
  return rc;
}

static int parse(const apikeys_document *document, struct session *session) {
  size_t length;
  const char *body = apikeys_document_body(document, &length);
  json_t *object = json_loadb(body, length, 0, NULL);
  json_int_t signed_in = 0, seen = 0, epoch = 0; /* no epoch: begun by an older service */
  int rc = json_unpack(object, "{s:I,s:I,s?I}", "signed_in_ms", &signed_in, "seen_ms", &seen,
                       "root_key_epoch", &epoch) == 0
               ? APIKEYS_OK
               : APIKEYS_ERROR_NOT_FOUND;
  json_decref(object);
  session->root_key_epoch = epoch;
  session->signed_in_ms = signed_in;
  session->seen_ms = seen;
  session->version = apikeys_document_version(document);
  snprintf(session->key_id, sizeof session->key_id, "%s", apikeys_document_group(document, NULL));
  return rc;
}

static int read_session(struct exchange *x, struct session *session) {
  char id[SESSION_TEXT];
  derive(id, session->id, "apikeysd stored session");
  apikeys_actor *actor = keeper();
  apikeys_document *document = apikeys_document_new();
  int rc =
      actor == NULL || document == NULL
          ? APIKEYS_ERROR_NO_MEMORY
          : apikeys_document_get(x->service->env, actor, S(COLLECTION), S(id), document, x->err);
  if (rc == APIKEYS_OK)
    rc = parse(document, session);
  apikeys_document_free(document);
  apikeys_actor_free(actor);
  return rc;
}

static int delete_session(struct exchange *x, const unsigned char id[SESSION_BYTES]) {
  char stored[SESSION_TEXT];
  derive(stored, id, "apikeysd stored session");
  apikeys_actor *actor = keeper();
  int rc = actor == NULL ? APIKEYS_ERROR_NO_MEMORY
                         : apikeys_document_delete(x->service->env, actor, S(COLLECTION), S(stored),
                                                   0, x->err);
  apikeys_actor_free(actor);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
}

static int current_epoch(struct exchange *x, int64_t *epoch) {
  apikeys_actor *actor = keeper();
  int rc = actor == NULL ? APIKEYS_ERROR_NO_MEMORY
                         : apikeys_root_key_epoch(x->service->env, actor, epoch, x->err);
  apikeys_actor_free(actor);
  return rc;
}

/* -- A session's way --------------------------------------------------------------------------- */

bool sessions_start(struct exchange *x) {
  unsigned char before[SESSION_BYTES];
  char value[SESSION_TEXT];
  struct session *session = exchange_memory(x, sizeof *session);
  int rc = session == NULL ? APIKEYS_ERROR_NO_MEMORY : APIKEYS_OK;
  if (rc == APIKEYS_OK && read_cookie(x, before))
    rc = delete_session(x, before);
  if (rc == APIKEYS_OK)
    rc = current_epoch(x, &session->root_key_epoch);
  if (rc == APIKEYS_OK) {
    randombytes_buf(session->id, sizeof session->id);
    session->signed_in_ms = session->seen_ms = clock_unix_ms();
    snprintf(session->key_id, sizeof session->key_id, "%s", apikeys_actor_key_id(x->actor, NULL));
    complete(session);
    rc = write_session(x, session);
  }
  if (rc != APIKEYS_OK) {
    reply_failure(x, rc, "Session", "");
    return false;
  }
  sodium_bin2hex(value, sizeof value, session->id, sizeof session->id);
  set_cookie(x, value, false);
  sodium_memzero(value, sizeof value);
  x->session = session;
  return true;
}

void sessions_end(struct exchange *x) {
  unsigned char id[SESSION_BYTES];
  int rc = read_cookie(x, id) ? delete_session(x, id) : APIKEYS_OK;
  if (rc == APIKEYS_OK)
    reply_nothing(x);
  else
    reply_failure(x, rc, "Session", "");
  set_cookie(x, "", true);
}

static bool ask_to_sign_in(struct exchange *x) {
  reply_error(x, 401, "signed_out", "Please sign in.");
  set_cookie(x, "", true);
  return false;
}

/* A change must carry the session's own token: a foreign page can neither read nor guess it. */
static bool has_page_token(struct exchange *x) {
  size_t length;
  const char *token = exchange_header(x, "X-CSRF-Token", &length);
  if (x->method == METHOD_GET ||
      (token != NULL && length == SESSION_TEXT - 1 &&
       sodium_memcmp(token, x->session->csrf_token, SESSION_TEXT - 1) == 0))
    return true;
  reply_error(x, 403, "bad_page_token", "The page's token is missing or not this session's.");
  return false;
}

/* Restarts the idle time. If another request of the session wrote at the same moment, this one need
 * not. */
static void touch(struct exchange *x) {
  int64_t now = clock_unix_ms();
  bool background = exchange_header(x, "X-Background", NULL) != NULL;
  if (background || now - x->session->seen_ms < TOUCH_MS)
    return;
  x->session->seen_ms = now;
  int rc = write_session(x, x->session);
  if (rc != APIKEYS_OK && rc != APIKEYS_ERROR_CHANGED && rc != APIKEYS_ERROR_NOT_FOUND)
    log_line(x->service->log, LOG_WARNING, "dashboard session: %s", apikeys_result_name(rc));
}

static bool act(struct exchange *x) {
  int rc = apikeys_actor_set_management_key_by_id(x->service->env, x->actor, S(x->session->key_id),
                                                  x->err);
  if (rc == APIKEYS_ERROR_ACTOR_UNKNOWN) {
    delete_session(x, x->session->id);
    return ask_to_sign_in(x);
  }
  if (rc != APIKEYS_OK) {
    reply_failure(x, rc, "Session", "");
    return false;
  }
  authenticate_describe(x);
  apikeys_actor_set_source(x->actor, APIKEYS_SOURCE_DASHBOARD);
  return true;
}

bool sessions_enter(struct exchange *x) {
  struct session *session = exchange_memory(x, sizeof *session);
  if (!origin_check_origin(x))
    return false;
  if (session != NULL && !read_cookie(x, session->id))
    return ask_to_sign_in(x);
  int64_t epoch = 0;
  int rc = session == NULL ? APIKEYS_ERROR_NO_MEMORY : read_session(x, session);
  if (rc == APIKEYS_ERROR_NOT_FOUND)
    return ask_to_sign_in(x);
  if (rc == APIKEYS_OK)
    rc = current_epoch(x, &epoch);
  if (rc == APIKEYS_OK && epoch != session->root_key_epoch) {
    delete_session(x, session->id);
    return ask_to_sign_in(x);
  }
  if (rc != APIKEYS_OK) {
    reply_failure(x, rc, "Session", "");
    return false;
  }
  complete(session);
  x->session = session;
  if (!has_page_token(x) || !act(x))
    return false;
  touch(x);
  return true;
}
