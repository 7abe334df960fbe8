/* SPDX-License-Identifier: MIT */
/*
 * The whole of it, on a real SQLite file: an organization whose admin makes a key, a server that
 * validates it, every way in which it can be refused, and the events that are left.
 *
 *   tour [directory]    makes test.db and live.db there (in the working directory without one)
 */
#include <apikeys.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static apikeys_error *err;

/* Example programs may give up; the library never does. */
static void must(int rc, const char *what) {
  if (rc == 0)
    return;
  fprintf(stderr, "%s: %s\n", what, apikeys_error_message(err));
  exit(1);
}

#define S(text) (text), strlen(text)

static apikeys_env *open_environment(const char *directory, const char *name, const char *prefix,
                                     const apikeys_actor *actor) {
  char path[1024];
  apikeys_env *env;
  snprintf(path, sizeof path, "%s/%s", directory, name);
  must(apikeys_open_sqlite(&env, path, NULL, err), "open");

  apikeys_settings *settings = apikeys_settings_new();
  apikeys_settings_set_prefix(settings, S(prefix));
  must(apikeys_settings_update(env, actor, settings, err), "settings");
  apikeys_settings_free(settings);
  printf("opened    %-8s  %s, prefix %s\n", name, apikeys_environment_id(env, NULL), prefix);
  return env;
}

static void create_permission(apikeys_env *env, const apikeys_actor *actor, const char *slug,
                              const char *name) {
  apikeys_permission *permission = apikeys_permission_new();
  apikeys_permission_set_slug(permission, S(slug));
  apikeys_permission_set_name(permission, S(name));
  apikeys_permission_set_available_to_organization_keys(permission, 1);
  must(apikeys_permission_create(env, actor, permission, err), "create permission");
  apikeys_permission_free(permission);
  printf("permission %-11s available to organizations' keys\n", slug);
}

static void create_role(apikeys_env *env, const apikeys_actor *actor) {
  apikeys_role *role = apikeys_role_new();
  apikeys_role_set_slug(role, S("developer"));
  apikeys_role_set_name(role, S("Developer"));
  apikeys_role_add_permission(role, S("widgets:api-keys:manage"));
  must(apikeys_role_create(env, actor, role, err), "create role");
  apikeys_role_free(role);
  printf("role      developer, which may manage its organization's keys\n");
}

static void create_organization(apikeys_env *env, const apikeys_actor *actor, char id[64]) {
  apikeys_organization *organization = apikeys_organization_new();
  apikeys_organization_set_name(organization, S("Acme Corp"));
  must(apikeys_organization_create(env, actor, organization, err), "create organization");
  snprintf(id, 64, "%s", apikeys_organization_id(organization, NULL));
  apikeys_organization_free(organization);

  apikeys_member *member = apikeys_member_new();
  apikeys_member_set_organization_id(member, S(id));
  apikeys_member_set_user_id(member, S("user_ada"));
  apikeys_member_set_display_name(member, S("Ada Lovelace"));
  apikeys_member_add_role(member, S("developer"));
  must(apikeys_member_create(env, actor, member, err), "create member");
  apikeys_member_free(member);
  printf("organization Acme Corp %s with member user_ada, developer\n\n", id);
}

static void show(apikeys_env *env, const char *what, const char *value, const char *permission) {
  apikeys_requirement *need = apikeys_requirement_new();
  apikeys_requirement_add_permission(need, S(permission));
  apikeys_key *key = apikeys_key_new();
  int rc = apikeys_validate(env, S(value), need, NULL, key, err);
  printf("%-36s %-11s -> %d %s", what, permission, apikeys_result_status(rc),
         apikeys_result_name(rc));
  if (rc == 0)
    printf(", \"%s\" of %s", apikeys_key_name(key, NULL), apikeys_key_organization_id(key, NULL));
  putchar('\n');
  apikeys_key_free(key);
  apikeys_requirement_free(need);
}

static void list_events(apikeys_env *env, const apikeys_actor *actor) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter_set_limit(filter, 100);
  must(apikeys_event_list(env, actor, filter, page, err), "list events");
  for (size_t i = 0; i < apikeys_page_count(page); i++) {
    const apikeys_event *event = apikeys_page_event(page, i);
    printf("%4lld  %-34s by %s %s\n", (long long)apikeys_event_number(event),
           apikeys_event_type(event, NULL), apikeys_event_actor_id(event, NULL),
           apikeys_event_actor_name(event, NULL));
  }
  apikeys_event *last = apikeys_page_event(page, apikeys_page_count(page) - 1);
  printf("\nthe last one as JSON:\n%s\n", apikeys_event_json(last, NULL));
  apikeys_page_free(page);
  apikeys_filter_free(filter);
}

int main(int argc, char **argv) {
  const char *directory = argc > 1 ? argv[1] : ".";
  char organization[64], value[APIKEYS_VALUE_MAX], damaged[APIKEYS_VALUE_MAX];

  err = apikeys_error_new();
  apikeys_actor *system = apikeys_actor_new();
  apikeys_actor_set_system(system, S("tour"));

  apikeys_env *test = open_environment(directory, "test.db", "acme_test", system);
  apikeys_env *live = open_environment(directory, "live.db", "acme_live", system);
  create_permission(live, system, "posts:read", "Read posts");
  create_permission(live, system, "posts:write", "Write posts");
  create_role(live, system);
  create_organization(live, system, organization);

  /* The member acts: the library asks whether she may. */
  apikeys_actor *ada = apikeys_actor_new();
  apikeys_actor_set_member(ada, S(organization), S("user_ada"));
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_set_organization(spec, S(organization));
  apikeys_key_spec_set_name(spec, S("CI deploys"));
  apikeys_key_spec_add_permission(spec, S("posts:read"));
  apikeys_key *key = apikeys_key_new();
  must(apikeys_key_create(live, ada, spec, key, value, sizeof value, NULL, err), "create key");
  printf("user_ada created \"%s\", shown once: %s\n", apikeys_key_name(key, NULL), value);
  printf("and from now on as:                   %s\n\n", apikeys_key_obfuscated_value(key, NULL));

  memcpy(damaged, value, sizeof damaged);
  damaged[20] = damaged[20] == 'x' ? 'y' : 'x';
  show(live, "the key", value, "posts:read");
  show(live, "the key, for something else", value, "posts:write");
  show(live, "one character is wrong", damaged, "posts:read");
  show(test, "the live key in the test environment", value, "posts:read");

  must(apikeys_key_revoke(live, ada, S(apikeys_key_id(key, NULL)), S("the tour is over"), key, err),
       "revoke");
  printf("user_ada revoked it\n");
  show(live, "the revoked key", value, "posts:read");

  printf("\nevents of the live environment:\n");
  list_events(live, system);

  apikeys_key_free(key);
  apikeys_key_spec_free(spec);
  apikeys_actor_free(ada);
  apikeys_actor_free(system);
  apikeys_close(live);
  apikeys_close(test);
  apikeys_error_free(err);
  return 0;
}
