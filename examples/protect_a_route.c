/* SPDX-License-Identifier: MIT */
/*
 * The README's first example, whole: what a route requires is said once at start, and each request
 * is one call. The "server" answers three requests.
 */
#include <apikeys.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static apikeys_error *err;

static void must(int rc) {
  if (rc == 0)
    return;
  fprintf(stderr, "%s\n", apikeys_error_message(err));
  exit(1);
}

/* Per request: the status to answer. `key` is reused from request to request. */
static int get_posts(apikeys_env *env, const apikeys_requirement *need, apikeys_key *key,
                     const char *authorization) {
  int rc = apikeys_validate_authorization(env, authorization, APIKEYS_NUL, need, NULL, key, err);
  if (rc != 0)
    return apikeys_result_status(rc); /* 401, 403 or 503 */
  /* Serve the posts of apikeys_key_organization_id(key, NULL), and of nobody else. */
  return 200;
}

/* An organization with a key that may read posts. Your dashboard does this. */
static void make_a_key(apikeys_env *env, const apikeys_actor *system, apikeys_key *key,
                       char *value) {
  apikeys_permission *permission = apikeys_permission_new();
  must(apikeys_permission_set_slug(permission, "posts:read", APIKEYS_NUL));
  must(apikeys_permission_set_name(permission, "Read posts", APIKEYS_NUL));
  must(apikeys_permission_set_available_to_organization_keys(permission, 1));
  must(apikeys_permission_create(env, system, permission, err));
  apikeys_permission_free(permission);

  apikeys_organization *acme = apikeys_organization_new();
  must(apikeys_organization_set_name(acme, "Acme", APIKEYS_NUL));
  must(apikeys_organization_create(env, system, acme, err));

  apikeys_key_spec *spec = apikeys_key_spec_new();
  must(apikeys_key_spec_set_organization(spec, apikeys_organization_id(acme, NULL), APIKEYS_NUL));
  must(apikeys_key_spec_set_name(spec, "CI deploys", APIKEYS_NUL));
  must(apikeys_key_spec_set_permissions(spec, "posts:read", APIKEYS_NUL));
  size_t length;
  must(apikeys_key_create(env, system, spec, key, value, APIKEYS_VALUE_MAX, &length, err));
  apikeys_key_spec_free(spec);
  apikeys_organization_free(acme);
}

int main(void) {
  apikeys_env *env;
  apikeys_key *key = apikeys_key_new();
  apikeys_actor *system = apikeys_actor_new();
  char value[APIKEYS_VALUE_MAX], header[APIKEYS_VALUE_MAX + 8];
  err = apikeys_error_new();

  must(apikeys_open_sqlite(&env, "keys.db", NULL, err));
  must(apikeys_actor_set_system(system, "example", APIKEYS_NUL));
  make_a_key(env, system, key, value);
  snprintf(header, sizeof header, "Bearer %s", value);
  memset(value, 0, sizeof value);

  /* At start: what this route requires. */
  apikeys_requirement *need = apikeys_requirement_new();
  must(apikeys_requirement_add_permission(need, "posts:read", APIKEYS_NUL));

  printf("with the key: %d\n", get_posts(env, need, key, header));
  printf("without one:  %d\n", get_posts(env, need, key, ""));
  must(apikeys_key_revoke(env, system, apikeys_key_id(key, NULL), APIKEYS_NUL, "leaked",
                          APIKEYS_NUL, NULL, err));
  printf("once revoked: %d\n", get_posts(env, need, key, header));

  memset(header, 0, sizeof header);
  apikeys_requirement_free(need);
  apikeys_key_free(key);
  apikeys_actor_free(system);
  apikeys_close(env);
  apikeys_error_free(err);
  return 0;
}
