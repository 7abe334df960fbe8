/* SPDX-License-Identifier: MIT */
/*
 * A program of another project, built against the installed library in each way there is. It does
 * the main job: a member makes a key, it is good, it is refused for each reason, it leaves events.
 */
#include <apikeys.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define S(text) (text), strlen(text)

static apikeys_error *err;

static void expect(int rc, int expected, const char *what) {
  if (rc == expected)
    return;
  fprintf(stderr, "%s: %s instead of %s (%s)\n", what, apikeys_result_name(rc),
          apikeys_result_name(expected), apikeys_error_message(err));
  exit(1);
}

static void check_version(void) {
  if (apikeys_version_number() == APIKEYS_VERSION_NUMBER &&
      strcmp(apikeys_version_text(), APIKEYS_VERSION_TEXT) == 0)
    return;
  fprintf(stderr, "the library is %s, the headers are %s\n", apikeys_version_text(),
          APIKEYS_VERSION_TEXT);
  exit(1);
}

/* A permission, a role that may manage keys, an organization with a member who has it. */
static void populate(apikeys_env *env, const apikeys_actor *system, char organization[64]) {
  apikeys_permission *permission = apikeys_permission_new();
  apikeys_permission_set_slug(permission, S("posts:read"));
  apikeys_permission_set_name(permission, S("Read posts"));
  apikeys_permission_set_available_to_organization_keys(permission, 1);
  expect(apikeys_permission_create(env, system, permission, err), 0, "permission");
  apikeys_permission_free(permission);
  apikeys_role *role = apikeys_role_new();
  apikeys_role_set_slug(role, S("developer"));
  apikeys_role_set_name(role, S("Developer"));
  apikeys_role_add_permission(role, S("widgets:api-keys:manage"));
  expect(apikeys_role_create(env, system, role, err), 0, "role");
  apikeys_role_free(role);
  apikeys_organization *acme = apikeys_organization_new();
  apikeys_organization_set_name(acme, S("Acme"));
  expect(apikeys_organization_create(env, system, acme, err), 0, "organization");
  snprintf(organization, 64, "%s", apikeys_organization_id(acme, NULL));
  apikeys_organization_free(acme);
  apikeys_member *ada = apikeys_member_new();
  apikeys_member_set_organization_id(ada, S(organization));
  apikeys_member_set_user_id(ada, S("ada"));
  apikeys_member_add_role(ada, S("developer"));
  expect(apikeys_member_create(env, system, ada, err), 0, "member");
  apikeys_member_free(ada);
}

static int validate(apikeys_env *env, const char *value, const char *permission) {
  apikeys_requirement *need = apikeys_requirement_new();
  apikeys_requirement_add_permission(need, S(permission));
  int rc = apikeys_validate(env, S(value), need, NULL, NULL, err);
  apikeys_requirement_free(need);
  return rc;
}

static void do_the_job(apikeys_env *env, apikeys_env *other) {
  char organization[64], value[APIKEYS_VALUE_MAX];
  apikeys_actor *actor = apikeys_actor_new();
  expect(apikeys_actor_set_system(actor, S("consumer")), 0, "actor");
  populate(env, actor, organization);
  expect(apikeys_actor_set_member(actor, S(organization), S("ada")), 0, "actor");
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_set_organization(spec, S(organization));
  apikeys_key_spec_set_name(spec, S("CI"));
  apikeys_key_spec_add_permission(spec, S("posts:read"));
  apikeys_key *key = apikeys_key_new();
  expect(apikeys_key_create(env, actor, spec, key, value, sizeof value, NULL, err), 0, "key");
  apikeys_key_spec_free(spec);

  expect(validate(env, value, "posts:read"), APIKEYS_OK, "a good key");
  expect(validate(env, value, "posts:write"), APIKEYS_NOT_PERMITTED, "a missing permission");
  expect(validate(other, value, "posts:read"), APIKEYS_UNKNOWN, "another environment");
  value[10] = value[10] == 'a' ? 'b' : 'a';
  expect(validate(env, value, "posts:read"), APIKEYS_MALFORMED, "a damaged value");
  value[10] = apikeys_key_lookup_id(key, NULL)[7];
  expect(apikeys_key_revoke(env, actor, S(apikeys_key_id(key, NULL)), NULL, 0, NULL, err), 0,
         "revoke");
  expect(validate(env, value, "posts:read"), APIKEYS_REVOKED, "a revoked key");

  expect(apikeys_actor_set_system(actor, S("consumer")), 0, "actor");
  apikeys_page *page = apikeys_page_new();
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_filter_add_event_type(filter, S("api_key.revoked"));
  expect(apikeys_event_list(env, actor, filter, page, err), 0, "events");
  expect((int)apikeys_page_count(page), 1, "one revocation");
  apikeys_filter_free(filter);
  apikeys_page_free(page);
  apikeys_key_free(key);
  apikeys_actor_free(actor);
}

int main(void) {
  char directory[] = "/tmp/apikeys-consumer-XXXXXX", path[64], root[80], journal[80];
  apikeys_env *env, *other;
  check_version();
  err = apikeys_error_new();
  if (mkdtemp(directory) == NULL)
    return 1;
  snprintf(path, sizeof path, "%s/keys.db", directory);
  snprintf(root, sizeof root, "%s.root", path);
  snprintf(journal, sizeof journal, "%s-revocations", path);
  expect(apikeys_open_sqlite(&env, path, NULL, err), 0, "open");
  expect(apikeys_open_memory(&other, NULL, err), 0, "open");
  do_the_job(env, other);
  apikeys_close(other);
  apikeys_close(env);
  apikeys_error_free(err);
  unlink(root);
  unlink(journal);
  unlink(path);
  if (rmdir(directory) != 0) /* a closed environment leaves three files, and nothing else */
    return 1;
  printf("libapikeys %s\n", apikeys_version_text());
  return 0;
}
