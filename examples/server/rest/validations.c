/* SPDX-License-Identifier: MIT */
/* POST /api_keys/validations: is this value a good key? */
#include "http/body.h"
#include "http/reply.h"
#include "metrics.h"
#include "routes.h"
#include "service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void reply_key(struct exchange *x, apikeys_key *key) {
  size_t length, size;
  const char *json = apikeys_key_json(key, &length);
  char *text = NULL;
  FILE *out = json != NULL ? open_memstream(&text, &size) : NULL;
  if (out != NULL) {
    fprintf(out, "{\"api_key\":%s}", json);
    if (fclose(out) != 0) {
      free(text);
      text = NULL;
    }
  }
  reply_take(x, 200, text, text != NULL ? size : 0);
}

/* Which of the reasons it was is not told: the answer is for somebody else's caller. */
static void answer(struct exchange *x, int rc, apikeys_key *key) {
  static const char none[] = "{\"api_key\":null}";
  if (rc == APIKEYS_OK)
    reply_key(x, key);
  else if (rc > 0)
    reply_text(x, 200, none, sizeof none - 1);
  else
    reply_failure(x, rc, "API Key", "");
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int ask(struct exchange *x, const char *value, size_t length, apikeys_key *key) {
  int64_t began_ns = now_ns();
  int rc = apikeys_validate(x->service->env, value, length, NULL, NULL, key, x->err);
  metrics_validation(x->service->metrics, rc, now_ns() - began_ns);
  return rc;
}

static void validate(struct exchange *x) {
  struct form form;
  size_t length;
  if (!form_open(&form, x))
    return;
  const char *value = form_text(&form, "value", FORM_REQUIRED, &length);
  if (form_good(&form)) {
    apikeys_key *key = apikeys_key_new();
    int rc = key == NULL ? APIKEYS_ERROR_NO_MEMORY : ask(x, value, length, key);
    answer(x, rc, key);
    apikeys_key_free(key);
  }
  form_close(&form);
}

const struct route validation_routes[] = {
    {METHOD_POST, "/api_keys/validations", ACCESS_MANAGEMENT, validate},
    {0},
};
