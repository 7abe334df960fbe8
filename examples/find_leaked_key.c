/* SPDX-License-Identifier: MIT */
/*
 * A key's value, or the beginning of one, turned up where it should not be: whose is it, and end
 * it. Only the public part of what was found is used; a whole value is wiped right away.
 */
#include <apikeys.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S(text) (text), strlen(text)

static apikeys_error *err;

static void must(int rc) {
  if (rc == 0)
    return;
  fprintf(stderr, "%s\n", apikeys_error_message(err));
  exit(1);
}

static void create(apikeys_env *env, const apikeys_actor *actor, const char *organization,
                   const char *name, char value[APIKEYS_VALUE_MAX]) {
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_set_organization(spec, S(organization));
  apikeys_key_spec_set_name(spec, S(name));
  must(apikeys_key_create(env, actor, spec, NULL, value, APIKEYS_VALUE_MAX, NULL, err));
  apikeys_key_spec_free(spec);
}

/* Revokes every key that begins so, unless it was revoked before; returns how many. */
static int end_leaked(apikeys_env *env, const apikeys_actor *actor, const char *found) {
  apikeys_page *page = apikeys_page_new();
  int ended = 0;
  must(apikeys_key_find(env, actor, S(found), page, err));
  for (size_t i = 0; i < apikeys_page_count(page); i++) {
    const apikeys_key *key = apikeys_page_key(page, i);
    printf("%s \"%s\" of %s", apikeys_key_obfuscated_value(key, NULL), apikeys_key_name(key, NULL),
           apikeys_key_organization_id(key, NULL));
    int rc = apikeys_key_revoke(env, actor, S(apikeys_key_id(key, NULL)), S("leaked"), NULL, err);
    printf(": %s\n", rc == 0 ? "revoked" : apikeys_result_text(rc));
    if (rc != APIKEYS_ERROR_ALREADY_REVOKED)
      must(rc);
    ended += rc == 0;
  }
  apikeys_page_free(page);
  return ended;
}

int main(void) {
  apikeys_env *env;
  char first[APIKEYS_VALUE_MAX], second[APIKEYS_VALUE_MAX], beginning[16];
  err = apikeys_error_new();
  must(apikeys_open_memory(&env, NULL, err));
  apikeys_actor *support = apikeys_actor_new();
  must(apikeys_actor_set_system(support, S("leak report 4711")));
  apikeys_organization *acme = apikeys_organization_new();
  apikeys_organization_set_name(acme, S("Acme"));
  must(apikeys_organization_create(env, support, acme, err));
  create(env, support, apikeys_organization_id(acme, NULL), "CI deploys", first);
  create(env, support, apikeys_organization_id(acme, NULL), "backup job", second);

  /* "sk_" and twelve characters of a screenshot; then a whole value from a public repository. */
  snprintf(beginning, sizeof beginning, "%.15s", first);
  int ended = end_leaked(env, support, beginning) + end_leaked(env, support, second);
  int again = end_leaked(env, support, second);
  int refused = apikeys_validate(env, S(first), NULL, NULL, NULL, err) == APIKEYS_REVOKED &&
                apikeys_validate(env, S(second), NULL, NULL, NULL, err) == APIKEYS_REVOKED;
  memset(second, 0, sizeof second);

  apikeys_organization_free(acme);
  apikeys_actor_free(support);
  apikeys_close(env);
  apikeys_error_free(err);
  return ended == 2 && again == 0 && refused ? 0 : 1;
}
