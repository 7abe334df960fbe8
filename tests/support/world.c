/* SPDX-License-Identifier: MIT */
#include "support/world.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int64_t world_clock(void *user_data) {
  const struct world *world = user_data;
  return world->now_ms;
}

static void must(struct world *world, int rc, const char *what) {
  ck_assert_msg(rc == APIKEYS_OK, "%s: %s (%s)", what, apikeys_result_name(rc),
                apikeys_error_message(world->err));
}

static void open_environment(struct world *world) {
  int rc = world->path[0] != '\0'
               ? apikeys_open_sqlite(&world->env, world->path, world->options, world->err)
               : apikeys_open_memory(&world->env, world->options, world->err);
  must(world, rc, "open");
}

/* Far fewer than the library's default: a sanitizer keeps books on all of the cache's memory, which
 * took most of the time of tests that open many worlds. */
static size_t cache_keys(void) {
  const char *given = getenv("APIKEYS_TEST_CACHE_KEYS"); /* tests/CMakeLists.txt */
  return given != NULL ? strtoul(given, NULL, 10) : 1000;
}

void world_open(struct world *world, enum backend backend) {
  memset(world, 0, sizeof *world);
  world->now_ms = INT64_C(1768478400000); /* 2026-01-15T12:00:00Z */
  world->err = apikeys_error_new();
  world->options = apikeys_options_new();
  ck_assert_ptr_nonnull(world->options);
  ck_assert_int_eq(apikeys_options_set_clock(world->options, world_clock, world, NULL), 0);
  ck_assert_int_eq(apikeys_options_set_cache_keys(world->options, cache_keys()), 0);
  if (backend == BACKEND_SQLITE) {
    snprintf(world->directory, sizeof world->directory, "apikeys-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(world->directory));
    snprintf(world->path, sizeof world->path, "%s/keys.db", world->directory);
  }
  open_environment(world);
  world->system = apikeys_actor_new();
  ck_assert_int_eq(apikeys_actor_set_system(world->system, S("test")), 0);
}

void world_reopen(struct world *world) {
  apikeys_close(world->env);
  open_environment(world);
}

/* All that the library left beside the database, also what an earlier root key left. */
static void remove_files(const char *path) {
  DIR *directory = opendir(path);
  if (directory == NULL)
    return;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
    unlinkat(dirfd(directory), entry->d_name, 0); /* refuses "." and ".." */
  closedir(directory);
}

void world_close(struct world *world) {
  apikeys_actor_free(world->system);
  apikeys_close(world->env);
  apikeys_options_free(world->options);
  apikeys_error_free(world->err);
  if (world->path[0] == '\0')
    return;
  remove_files(world->directory);
  rmdir(world->directory);
}

void make_permission(struct world *world, const char *slug, int for_organization_keys,
                     int for_user_keys) {
  apikeys_permission *permission = apikeys_permission_new();
  apikeys_permission_set_slug(permission, S(slug));
  apikeys_permission_set_name(permission, S(slug));
  apikeys_permission_set_available_to_organization_keys(permission, for_organization_keys);
  apikeys_permission_set_available_to_user_keys(permission, for_user_keys);
  must(world, apikeys_permission_create(world->env, world->system, permission, world->err), slug);
  apikeys_permission_free(permission);
}

/* Calls `add` for each of the slugs. */
static void for_each_slug(const char *slugs, int (*add)(void *, const char *, size_t), void *to) {
  while (slugs != NULL && *slugs != '\0') {
    size_t length = strcspn(slugs, " ");
    ck_assert_int_eq(add(to, slugs, length), 0);
    slugs += length + strspn(slugs + length, " ");
  }
}

static int add_to_role(void *role, const char *slug, size_t length) {
  return apikeys_role_add_permission(role, slug, length);
}

void make_role(struct world *world, const char *organization_id, const char *slug,
               const char *permissions) {
  apikeys_role *role = apikeys_role_new();
  apikeys_role_set_slug(role, S(slug));
  apikeys_role_set_name(role, S(slug));
  apikeys_role_set_organization_id(role, S(organization_id));
  for_each_slug(permissions, add_to_role, role);
  must(world, apikeys_role_create(world->env, world->system, role, world->err), slug);
  apikeys_role_free(role);
}

void make_organization(struct world *world, const char *name, char id[64]) {
  apikeys_organization *organization = apikeys_organization_new();
  apikeys_organization_set_name(organization, S(name));
  must(world, apikeys_organization_create(world->env, world->system, organization, world->err),
       name);
  snprintf(id, 64, "%s", apikeys_organization_id(organization, NULL));
  apikeys_organization_free(organization);
}

void make_member(struct world *world, const char *organization_id, const char *user_id,
                 const char *role) {
  apikeys_member *member = apikeys_member_new();
  apikeys_member_set_organization_id(member, S(organization_id));
  apikeys_member_set_user_id(member, S(user_id));
  if (role != NULL)
    apikeys_member_add_role(member, S(role));
  must(world, apikeys_member_create(world->env, world->system, member, world->err), user_id);
  apikeys_member_free(member);
}

static int add_to_spec(void *spec, const char *slug, size_t length) {
  return apikeys_key_spec_add_permission(spec, slug, length);
}

static apikeys_key_spec *named_spec(const char *name, const char *permissions) {
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_set_name(spec, S(name));
  for_each_slug(permissions, add_to_spec, spec);
  return spec;
}

apikeys_key_spec *key_spec(const char *organization_id, const char *name, const char *permissions) {
  apikeys_key_spec *spec = named_spec(name, permissions);
  apikeys_key_spec_set_organization(spec, S(organization_id));
  return spec;
}

apikeys_key_spec *member_key_spec(const char *organization_id, const char *user_id,
                                  const char *name, const char *permissions) {
  apikeys_key_spec *spec = named_spec(name, permissions);
  apikeys_key_spec_set_member(spec, S(organization_id), S(user_id));
  return spec;
}

apikeys_key_spec *management_key_spec(const char *name, const char *scopes) {
  apikeys_key_spec *spec = named_spec(name, scopes);
  apikeys_key_spec_set_environment(spec);
  return spec;
}

int try_key(struct world *world, const apikeys_actor *actor, apikeys_key_spec *spec,
            struct made_key *key) {
  struct made_key unwanted;
  if (key == NULL)
    key = &unwanted;
  apikeys_key *object = apikeys_key_new();
  int rc = apikeys_key_create(world->env, actor, spec, object, key->value, sizeof key->value, NULL,
                              world->err);
  if (rc == APIKEYS_OK)
    snprintf(key->id, sizeof key->id, "%s", apikeys_key_id(object, NULL));
  apikeys_key_free(object);
  apikeys_key_spec_free(spec);
  return rc;
}

void make_key(struct world *world, apikeys_key_spec *spec, struct made_key *key) {
  must(world, try_key(world, world->system, spec, key), "create key");
}

apikeys_actor *member_actor(const char *organization_id, const char *user_id) {
  apikeys_actor *actor = apikeys_actor_new();
  ck_assert_int_eq(apikeys_actor_set_member(actor, S(organization_id), S(user_id)), 0);
  return actor;
}

int validate(struct world *world, const char *value, const char *permission) {
  apikeys_requirement *need = apikeys_requirement_new();
  if (permission != NULL)
    ck_assert_int_eq(apikeys_requirement_add_permission(need, S(permission)), 0);
  int rc = apikeys_validate(world->env, S(value), need, NULL, NULL, world->err);
  apikeys_requirement_free(need);
  return rc;
}

int64_t last_event(struct world *world, char type[64]) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter_set_order(filter, APIKEYS_ORDER_NEWEST_FIRST);
  apikeys_filter_set_limit(filter, 1);
  must(world, apikeys_event_list(world->env, world->system, filter, page, world->err), "events");
  const apikeys_event *event = apikeys_page_event(page, 0);
  int64_t number = apikeys_event_number(event);
  if (type != NULL)
    snprintf(type, 64, "%s", apikeys_event_type(event, NULL));
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return number;
}
