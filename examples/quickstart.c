/* SPDX-License-Identifier: MIT */
/* The shortest whole life of a key: it is made, is good, is revoked, is refused. */
#include <apikeys.h>

#include <stdio.h>
#include <stdlib.h>

static apikeys_error *err;

static void must(int rc) {
  if (rc == 0)
    return;
  fprintf(stderr, "%s\n", apikeys_error_message(err));
  exit(1);
}

static void show(int rc) {
  printf("%d %s\n", apikeys_result_status(rc), apikeys_result_name(rc));
}

int main(void) {
  apikeys_env *env;
  char value[APIKEYS_VALUE_MAX];
  size_t length;
  err = apikeys_error_new();
  must(apikeys_open_sqlite(&env, "keys.db", NULL, err));

  apikeys_actor *system = apikeys_actor_new();
  must(apikeys_actor_set_system(system, "quickstart", APIKEYS_NUL));
  apikeys_organization *acme = apikeys_organization_new();
  must(apikeys_organization_set_name(acme, "Acme", APIKEYS_NUL));
  apikeys_key_spec *spec = apikeys_key_spec_new();
  must(apikeys_key_spec_set_name(spec, "CI deploys", APIKEYS_NUL));
  apikeys_key *key = apikeys_key_new();

  must(apikeys_organization_create(env, system, acme, err));
  must(apikeys_key_spec_set_organization(spec, apikeys_organization_id(acme, NULL), APIKEYS_NUL));
  must(apikeys_key_create(env, system, spec, key, value, sizeof value, &length, err));
  show(apikeys_validate(env, value, length, NULL, NULL, NULL, err));
  must(apikeys_key_revoke(env, system, apikeys_key_id(key, NULL), APIKEYS_NUL, "leaked",
                          APIKEYS_NUL, NULL, err));
  show(apikeys_validate(env, value, length, NULL, NULL, NULL, err));

  apikeys_key_free(key);
  apikeys_key_spec_free(spec);
  apikeys_organization_free(acme);
  apikeys_actor_free(system);
  apikeys_close(env);
  apikeys_error_free(err);
  return 0;
}
