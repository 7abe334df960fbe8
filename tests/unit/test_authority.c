/* SPDX-License-Identifier: MIT */
/*
 * Who may call what: every call that names an actor × every kind of actor. The calls are held
 * against the public headers, so that a new one cannot be forgotten here.
 */
#include "support/headers.h"
#include "support/suite.h"
#include "support/world.h"

#include <apikeys/document.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A world with one of everything, in the organization that the calls are about. */
struct scene {
  struct world world;
  char organization[64];
  char other[64];
  struct made_key key;        /* the organization's */
  struct made_key management; /* a management key */
  char member_id[64];
  char event_id[64];
  apikeys_page *page;
};

typedef int (*call_function)(struct scene *scene, const apikeys_actor *actor);

static int call_settings_get(struct scene *s, const apikeys_actor *actor) {
  apikeys_settings *settings = apikeys_settings_new();
  int rc = apikeys_settings_get(s->world.env, actor, settings, s->world.err);
  apikeys_settings_free(settings);
  return rc;
}

static int call_settings_update(struct scene *s, const apikeys_actor *actor) {
  apikeys_settings *settings = apikeys_settings_new();
  apikeys_settings_set_expiry_required(settings, 1);
  int rc = apikeys_settings_update(s->world.env, actor, settings, s->world.err);
  apikeys_settings_free(settings);
  return rc;
}

static int call_backup(struct scene *s, const apikeys_actor *actor) {
  int rc = apikeys_backup(s->world.env, actor, "backup.db", s->world.err);
  unlink("backup.db");
  return rc == APIKEYS_ERROR_UNSUPPORTED ? APIKEYS_OK : rc; /* allowed, but not from memory */
}

static int call_prune(struct scene *s, const apikeys_actor *actor) {
  return apikeys_prune(s->world.env, actor, 1, s->world.err);
}

static int call_root_key_epoch(struct scene *s, const apikeys_actor *actor) {
  int64_t epoch;
  return apikeys_root_key_epoch(s->world.env, actor, &epoch, s->world.err);
}

static int call_rotate_root_key(struct scene *s, const apikeys_actor *actor) {
  return apikeys_rotate_root_key(s->world.env, actor, NULL, 0, 0, s->world.err);
}

static apikeys_permission *permission(const char *slug) {
  apikeys_permission *made = apikeys_permission_new();
  apikeys_permission_set_slug(made, S(slug));
  apikeys_permission_set_name(made, S("A name"));
  return made;
}

static int call_permission_create(struct scene *s, const apikeys_actor *actor) {
  apikeys_permission *made = permission("new:permission");
  int rc = apikeys_permission_create(s->world.env, actor, made, s->world.err);
  apikeys_permission_free(made);
  return rc;
}

static int call_permission_get(struct scene *s, const apikeys_actor *actor) {
  apikeys_permission *made = apikeys_permission_new();
  int rc = apikeys_permission_get(s->world.env, actor, S("posts:read"), made, s->world.err);
  apikeys_permission_free(made);
  return rc;
}

static int call_permission_update(struct scene *s, const apikeys_actor *actor) {
  apikeys_permission *made = permission("posts:read");
  int rc = apikeys_permission_update(s->world.env, actor, made, s->world.err);
  apikeys_permission_free(made);
  return rc;
}

static int call_permission_delete(struct scene *s, const apikeys_actor *actor) {
  return apikeys_permission_delete(s->world.env, actor, S("posts:read"), s->world.err);
}

static int call_permission_list(struct scene *s, const apikeys_actor *actor) {
  return apikeys_permission_list(s->world.env, actor, NULL, s->page, s->world.err);
}

static apikeys_role *role(struct scene *s, const char *slug) {
  apikeys_role *made = apikeys_role_new();
  apikeys_role_set_organization_id(made, S(s->organization));
  apikeys_role_set_slug(made, S(slug));
  apikeys_role_set_name(made, S("A name"));
  return made;
}

static int call_role_create(struct scene *s, const apikeys_actor *actor) {
  apikeys_role *made = role(s, "org-new");
  int rc = apikeys_role_create(s->world.env, actor, made, s->world.err);
  apikeys_role_free(made);
  return rc;
}

static int call_role_get(struct scene *s, const apikeys_actor *actor) {
  apikeys_role *made = apikeys_role_new();
  int rc =
      apikeys_role_get(s->world.env, actor, S(s->organization), S("org-role"), made, s->world.err);
  apikeys_role_free(made);
  return rc;
}

static int call_role_update(struct scene *s, const apikeys_actor *actor) {
  apikeys_role *made = role(s, "org-role");
  int rc = apikeys_role_update(s->world.env, actor, made, s->world.err);
  apikeys_role_free(made);
  return rc;
}

static int call_role_delete(struct scene *s, const apikeys_actor *actor) {
  return apikeys_role_delete(s->world.env, actor, S(s->organization), S("org-role"), s->world.err);
}

static int call_role_list(struct scene *s, const apikeys_actor *actor) {
  return apikeys_role_list(s->world.env, actor, NULL, s->page, s->world.err);
}

static int call_organization_create(struct scene *s, const apikeys_actor *actor) {
  apikeys_organization *made = apikeys_organization_new();
  apikeys_organization_set_name(made, S("New"));
  int rc = apikeys_organization_create(s->world.env, actor, made, s->world.err);
  apikeys_organization_free(made);
  return rc;
}

static int call_organization_get(struct scene *s, const apikeys_actor *actor) {
  apikeys_organization *made = apikeys_organization_new();
  int rc = apikeys_organization_get(s->world.env, actor, S(s->organization), made, s->world.err);
  apikeys_organization_free(made);
  return rc;
}

static int call_organization_get_by_external_id(struct scene *s, const apikeys_actor *actor) {
  apikeys_organization *made = apikeys_organization_new();
  int rc = apikeys_organization_get_by_external_id(s->world.env, actor, S("acme/eu"), made,
                                                   s->world.err);
  apikeys_organization_free(made);
  return rc;
}

static int call_organization_update(struct scene *s, const apikeys_actor *actor) {
  apikeys_organization *made = apikeys_organization_new();
  apikeys_organization_set_id(made, S(s->organization));
  apikeys_organization_set_name(made, S("Renamed"));
  int rc = apikeys_organization_update(s->world.env, actor, made, s->world.err);
  apikeys_organization_free(made);
  return rc;
}

static int call_organization_delete(struct scene *s, const apikeys_actor *actor) {
  return apikeys_organization_delete(s->world.env, actor, S(s->organization), s->world.err);
}

static int call_organization_list(struct scene *s, const apikeys_actor *actor) {
  return apikeys_organization_list(s->world.env, actor, NULL, s->page, s->world.err);
}

static apikeys_member *member(struct scene *s, const char *user_id) {
  apikeys_member *made = apikeys_member_new();
  apikeys_member_set_organization_id(made, S(s->organization));
  apikeys_member_set_user_id(made, S(user_id));
  apikeys_member_set_display_name(made, S("A name"));
  return made;
}

static int call_member_create(struct scene *s, const apikeys_actor *actor) {
  apikeys_member *made = member(s, "new");
  int rc = apikeys_member_create(s->world.env, actor, made, s->world.err);
  apikeys_member_free(made);
  return rc;
}

static int call_member_get(struct scene *s, const apikeys_actor *actor) {
  apikeys_member *made = apikeys_member_new();
  int rc =
      apikeys_member_get(s->world.env, actor, S(s->organization), S("plain"), made, s->world.err);
  apikeys_member_free(made);
  return rc;
}

static int call_member_get_by_id(struct scene *s, const apikeys_actor *actor) {
  apikeys_member *made = apikeys_member_new();
  int rc = apikeys_member_get_by_id(s->world.env, actor, S(s->member_id), made, s->world.err);
  apikeys_member_free(made);
  return rc;
}

static int call_member_update(struct scene *s, const apikeys_actor *actor) {
  apikeys_member *made = member(s, "plain");
  int rc = apikeys_member_update(s->world.env, actor, made, s->world.err);
  apikeys_member_free(made);
  return rc;
}

static int call_member_delete(struct scene *s, const apikeys_actor *actor) {
  return apikeys_member_delete(s->world.env, actor, S(s->organization), S("plain"), s->world.err);
}

static int call_member_list(struct scene *s, const apikeys_actor *actor) {
  return apikeys_member_list(s->world.env, actor, NULL, s->page, s->world.err);
}

static int call_key_create(struct scene *s, const apikeys_actor *actor) {
  return try_key(&s->world, actor, key_spec(s->organization, "new", "posts:read"), NULL);
}

static int call_key_get(struct scene *s, const apikeys_actor *actor) {
  apikeys_key *key = apikeys_key_new();
  int rc = apikeys_key_get(s->world.env, actor, S(s->key.id), key, s->world.err);
  apikeys_key_free(key);
  return rc;
}

static int call_key_list(struct scene *s, const apikeys_actor *actor) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_filter_set_organization_id(filter, S(s->organization));
  int rc = apikeys_key_list(s->world.env, actor, filter, s->page, s->world.err);
  apikeys_filter_free(filter);
  return rc;
}

static int call_key_count(struct scene *s, const apikeys_actor *actor) {
  uint64_t count;
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_filter_set_organization_id(filter, S(s->organization));
  int rc = apikeys_key_count(s->world.env, actor, filter, &count, s->world.err);
  apikeys_filter_free(filter);
  return rc;
}

static int call_key_find(struct scene *s, const apikeys_actor *actor) {
  return apikeys_key_find(s->world.env, actor, s->key.value, 10, s->page, s->world.err);
}

static int call_key_update(struct scene *s, const apikeys_actor *actor) {
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_set_name(spec, S("renamed"));
  int rc = apikeys_key_update(s->world.env, actor, S(s->key.id), spec, NULL, s->world.err);
  apikeys_key_spec_free(spec);
  return rc;
}

static int call_key_revoke(struct scene *s, const apikeys_actor *actor) {
  return apikeys_key_revoke(s->world.env, actor, S(s->key.id), NULL, 0, NULL, s->world.err);
}

static int call_widget_token_create(struct scene *s, const apikeys_actor *actor) {
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  apikeys_widget_token_spec *spec = apikeys_widget_token_spec_new();
  apikeys_widget_token_spec_set_organization_id(spec, S(s->organization));
  int rc = apikeys_widget_token_create(s->world.env, actor, spec, token, sizeof token, NULL,
                                       s->world.err);
  apikeys_widget_token_spec_free(spec);
  return rc;
}

static int call_event_get(struct scene *s, const apikeys_actor *actor) {
  apikeys_event *event = apikeys_event_new();
  int rc = apikeys_event_get(s->world.env, actor, S(s->event_id), event, s->world.err);
  apikeys_event_free(event);
  return rc;
}

static int call_event_list(struct scene *s, const apikeys_actor *actor) {
  return apikeys_event_list(s->world.env, actor, NULL, s->page, s->world.err);
}

static int call_event_poll(struct scene *s, const apikeys_actor *actor) {
  return apikeys_event_poll(s->world.env, actor, S("cursor"), 10, s->page, s->world.err);
}

static int call_event_acknowledge(struct scene *s, const apikeys_actor *actor) {
  return apikeys_event_acknowledge(s->world.env, actor, S("cursor"), 1, s->world.err);
}

static apikeys_document *document(const char *id) {
  apikeys_document *made = apikeys_document_new();
  apikeys_document_set_collection(made, S("things"));
  apikeys_document_set_id(made, S(id));
  apikeys_document_set_body(made, S("{}"));
  return made;
}

static int call_document_create(struct scene *s, const apikeys_actor *actor) {
  apikeys_document *made = document("new");
  int rc = apikeys_document_create(s->world.env, actor, made, s->world.err);
  apikeys_document_free(made);
  return rc;
}

static int call_document_create_many(struct scene *s, const apikeys_actor *actor) {
  apikeys_document *made = document("new");
  int rc = apikeys_document_create_many(s->world.env, actor, &made, 1, NULL, s->world.err);
  apikeys_document_free(made);
  return rc;
}

static int call_document_put(struct scene *s, const apikeys_actor *actor) {
  apikeys_document *made = document("one");
  int rc = apikeys_document_put(s->world.env, actor, made, s->world.err);
  apikeys_document_free(made);
  return rc;
}

static int call_document_get(struct scene *s, const apikeys_actor *actor) {
  apikeys_document *made = apikeys_document_new();
  int rc = apikeys_document_get(s->world.env, actor, S("things"), S("one"), made, s->world.err);
  apikeys_document_free(made);
  return rc;
}

static int call_document_update(struct scene *s, const apikeys_actor *actor) {
  apikeys_document *made = document("one");
  apikeys_document_set_version(made, 1);
  int rc = apikeys_document_update(s->world.env, actor, made, s->world.err);
  apikeys_document_free(made);
  return rc;
}

static int call_document_update_many(struct scene *s, const apikeys_actor *actor) {
  apikeys_document *made = document("one");
  apikeys_document_set_version(made, 1);
  int rc = apikeys_document_update_many(s->world.env, actor, &made, 1, NULL, s->world.err);
  apikeys_document_free(made);
  return rc;
}

static int call_document_delete(struct scene *s, const apikeys_actor *actor) {
  return apikeys_document_delete(s->world.env, actor, S("things"), S("one"), 0, s->world.err);
}

static int call_document_list(struct scene *s, const apikeys_actor *actor) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_filter_set_collection(filter, S("things"));
  int rc = apikeys_document_list(s->world.env, actor, filter, s->page, s->world.err);
  apikeys_filter_free(filter);
  return rc;
}

static int call_document_count(struct scene *s, const apikeys_actor *actor) {
  uint64_t count;
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_filter_set_collection(filter, S("things"));
  int rc = apikeys_document_count(s->world.env, actor, filter, &count, s->world.err);
  apikeys_filter_free(filter);
  return rc;
}

/* What a member who manages their organization's keys gets, and one of another organization. */
enum { OK = APIKEYS_OK, NO = APIKEYS_ERROR_NOT_ALLOWED, NONE = APIKEYS_ERROR_NOT_FOUND };

#define CALL(name, scope, manager, stranger)                                                       \
  { "apikeys_" #name, call_##name, scope, manager, stranger }

static const struct row {
  const char *name;
  call_function call;
  const char *scope; /* which a management key needs, and which is enough */
  int manager;
  int stranger;
} rows[] = {
    CALL(settings_get, "apikeys:environment:read", NO, NO),
    CALL(settings_update, "apikeys:environment:write", NO, NO),
    CALL(backup, "apikeys:environment:write", NO, NO),
    CALL(prune, "apikeys:environment:write", NO, NO),
    CALL(rotate_root_key, "apikeys:environment:write", NO, NO),
    CALL(root_key_epoch, "apikeys:environment:read", NO, NO),
    CALL(permission_create, "apikeys:permissions:write", NO, NO),
    CALL(permission_get, "apikeys:permissions:read", NO, NO),
    CALL(permission_update, "apikeys:permissions:write", NO, NO),
    CALL(permission_delete, "apikeys:permissions:write", NO, NO),
    CALL(permission_list, "apikeys:permissions:read", NO, NO),
    CALL(role_create, "apikeys:roles:write", NO, NO),
    CALL(role_get, "apikeys:roles:read", NO, NO),
    CALL(role_update, "apikeys:roles:write", NO, NO),
    CALL(role_delete, "apikeys:roles:write", NO, NO),
    CALL(role_list, "apikeys:roles:read", NO, NO),
    CALL(organization_create, "apikeys:organizations:write", NO, NO),
    CALL(organization_get, "apikeys:organizations:read", OK, NONE),
    CALL(organization_get_by_external_id, "apikeys:organizations:read", OK, NONE),
    CALL(organization_update, "apikeys:organizations:write", NO, NO),
    CALL(organization_delete, "apikeys:organizations:write", NO, NO),
    CALL(organization_list, "apikeys:organizations:read", NO, NO),
    CALL(member_create, "apikeys:members:write", NO, NO),
    CALL(member_get, "apikeys:members:read", NO, NO),
    CALL(member_get_by_id, "apikeys:members:read", NO, NO),
    CALL(member_update, "apikeys:members:write", NO, NO),
    CALL(member_delete, "apikeys:members:write", NO, NO),
    CALL(member_list, "apikeys:members:read", NO, NO),
    CALL(key_create, "apikeys:keys:write", OK, NONE),
    CALL(key_get, "apikeys:keys:read", OK, NONE),
    CALL(key_list, "apikeys:keys:read", OK, NONE),
    CALL(key_count, "apikeys:keys:read", OK, NONE),
    CALL(key_find, "apikeys:keys:read", NO, NO),
    CALL(key_update, "apikeys:keys:write", OK, NONE),
    CALL(key_revoke, "apikeys:keys:write", OK, NONE),
    CALL(widget_token_create, "apikeys:widget-tokens:write", NO, NO),
    CALL(event_get, "apikeys:events:read", NO, NO),
    CALL(event_list, "apikeys:events:read", NO, NO),
    CALL(event_poll, "apikeys:events:read", NO, NO),
    CALL(event_acknowledge, "apikeys:events:read", NO, NO),
    CALL(document_create, "apikeys:documents:write", NO, NO),
    CALL(document_create_many, "apikeys:documents:write", NO, NO),
    CALL(document_update_many, "apikeys:documents:write", NO, NO),
    CALL(document_put, "apikeys:documents:write", NO, NO),
    CALL(document_get, "apikeys:documents:read", NO, NO),
    CALL(document_update, "apikeys:documents:write", NO, NO),
    CALL(document_delete, "apikeys:documents:write", NO, NO),
    CALL(document_list, "apikeys:documents:read", NO, NO),
    CALL(document_count, "apikeys:documents:read", NO, NO),
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static void set_scene(struct scene *s) {
  struct world *world = &s->world;
  world_open(world, BACKEND_MEMORY);
  make_permission(world, "posts:read", 1, 1);
  make_role(world, "", "manager", "widgets:api-keys:manage");
  apikeys_organization *organization = apikeys_organization_new();
  apikeys_organization_set_name(organization, S("Acme"));
  apikeys_organization_set_external_id(organization, S("acme/eu"));
  ck_assert_int_eq(apikeys_organization_create(world->env, world->system, organization, world->err),
                   0);
  snprintf(s->organization, sizeof s->organization, "%s",
           apikeys_organization_id(organization, NULL));
  apikeys_organization_free(organization);
  make_organization(world, "Other", s->other);
  make_role(world, s->organization, "org-role", "");
  make_member(world, s->organization, "manager", "manager");
  make_member(world, s->organization, "plain", NULL);
  make_member(world, s->other, "stranger", "manager");
  make_key(world, key_spec(s->organization, "k", "posts:read"), &s->key);
  apikeys_document *one = document("one");
  ck_assert_int_eq(apikeys_document_create(world->env, world->system, one, world->err), 0);
  apikeys_document_free(one);
  s->page = apikeys_page_new();
  ck_assert_int_eq(apikeys_event_list(world->env, world->system, NULL, s->page, world->err), 0);
  snprintf(s->event_id, sizeof s->event_id, "%s",
           apikeys_event_id(apikeys_page_event(s->page, 0), NULL));
  ck_assert_int_eq(apikeys_member_list(world->env, world->system, NULL, s->page, world->err), 0);
  snprintf(s->member_id, sizeof s->member_id, "%s",
           apikeys_member_id(apikeys_page_member(s->page, 0), NULL));
}

static void clear_scene(struct scene *s) {
  apikeys_page_free(s->page);
  world_close(&s->world);
}

/* The call gives what it should, and a refused one leaves no event behind. */
static void expect(struct scene *s, const struct row *row, const apikeys_actor *actor,
                   const char *who, int expected) {
  int64_t before = last_event(&s->world, NULL);
  int rc = row->call(s, actor);
  ck_assert_msg(rc == expected, "%s by %s: %s, expected %s", row->name, who,
                apikeys_result_name(rc), apikeys_result_name(expected));
  if (rc != APIKEYS_OK)
    ck_assert_int_eq(last_event(&s->world, NULL), before);
}

static void expect_of_member(const struct row *row, const char *user, int expected) {
  struct scene s;
  set_scene(&s);
  apikeys_actor *actor =
      member_actor(strcmp(user, "stranger") == 0 ? s.other : s.organization, user);
  expect(&s, row, actor, user, expected);
  apikeys_actor_free(actor);
  clear_scene(&s);
}

/* A vouched member, whom no membership is stored of, holds what the host says. */
static void expect_of_vouched(const struct row *row, int elsewhere, const char *held,
                              int expected) {
  struct scene s;
  set_scene(&s);
  apikeys_actor *actor = apikeys_actor_new();
  const char *organization = elsewhere ? s.other : s.organization;
  ck_assert_int_eq(apikeys_actor_set_vouched_member(actor, S(organization), S("vouched")), 0);
  if (held != NULL)
    ck_assert_int_eq(apikeys_actor_add_permission(actor, S(held)), 0);
  expect(&s, row, actor, "a vouched member", expected);
  apikeys_actor_free(actor);
  clear_scene(&s);
}

static void expect_of_token(const struct row *row, int elsewhere, int expected) {
  struct scene s;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  size_t length;
  set_scene(&s);
  apikeys_widget_token_spec *spec = apikeys_widget_token_spec_new();
  const char *organization = elsewhere ? s.other : s.organization;
  apikeys_widget_token_spec_set_organization_id(spec, S(organization));
  apikeys_widget_token_spec_add_scope(spec, S("widgets:api-keys:manage"));
  ck_assert_int_eq(apikeys_widget_token_create(s.world.env, s.world.system, spec, token,
                                               sizeof token, &length, s.world.err),
                   0);
  apikeys_actor *actor = apikeys_actor_new();
  ck_assert_int_eq(apikeys_actor_set_widget_token(s.world.env, actor, token, length, s.world.err),
                   0);
  expect(&s, row, actor, "a widget token", expected);
  apikeys_actor_free(actor);
  apikeys_widget_token_spec_free(spec);
  clear_scene(&s);
}

/* Every scope but the right one, or the right one alone. */
static void expect_of_management_key(const struct row *row, int right, int expected) {
  static const char *const all[] = {
      "apikeys:environment:read",    "apikeys:environment:write",   "apikeys:permissions:read",
      "apikeys:permissions:write",   "apikeys:roles:read",          "apikeys:roles:write",
      "apikeys:organizations:read",  "apikeys:organizations:write", "apikeys:members:read",
      "apikeys:members:write",       "apikeys:keys:read",           "apikeys:keys:write",
      "apikeys:widget-tokens:write", "apikeys:events:read",         "apikeys:documents:read",
      "apikeys:documents:write"};
  char scopes[1024] = "";
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    if ((strcmp(all[i], row->scope) == 0) == right) {
      strncat(scopes, all[i], sizeof scopes - strlen(scopes) - 1);
      strncat(scopes, " ", sizeof scopes - strlen(scopes) - 1);
    }
  struct scene s;
  set_scene(&s);
  make_key(&s.world, management_key_spec("ops", scopes), &s.management);
  apikeys_actor *actor = apikeys_actor_new();
  ck_assert_int_eq(
      apikeys_actor_set_management_key(s.world.env, actor, S(s.management.value), s.world.err), 0);
  expect(&s, row, actor, right ? "the right scope" : "all other scopes", expected);
  apikeys_actor_free(actor);
  clear_scene(&s);
}

START_TEST(each_call_asks_who_calls) {
  const struct row *row = &rows[_i];
  struct scene s;
  set_scene(&s);
  apikeys_actor *nobody = apikeys_actor_new();
  expect(&s, row, NULL, "no actor", APIKEYS_ERROR_INVALID_ARGUMENT);
  expect(&s, row, nobody, "nobody", APIKEYS_ERROR_ACTOR_UNKNOWN);
  apikeys_actor *unknown = member_actor(s.organization, "nobody-by-this-id");
  expect(&s, row, unknown, "an unknown member", APIKEYS_ERROR_ACTOR_UNKNOWN);
  expect(&s, row, s.world.system, "the system", APIKEYS_OK);
  apikeys_actor_free(unknown);
  apikeys_actor_free(nobody);
  clear_scene(&s);

  expect_of_member(row, "manager", row->manager);
  expect_of_member(row, "plain", NO);
  expect_of_member(row, "stranger", row->stranger);
  expect_of_vouched(row, 0, "widgets:api-keys:manage", row->manager);
  expect_of_vouched(row, 0, NULL, NO);
  expect_of_vouched(row, 1, "widgets:api-keys:manage", row->stranger);
  expect_of_token(row, 0, row->manager);
  expect_of_token(row, 1, row->stranger);
  expect_of_management_key(row, 1, APIKEYS_OK);
  expect_of_management_key(row, 0, NO);
}
END_TEST

/* -- Nothing is forgotten ---------------------------------------------------------------------- */

static int is_in_table(const char *name, size_t length) {
  for (size_t i = 0; i < ROWS; i++)
    if (strlen(rows[i].name) == length && memcmp(rows[i].name, name, length) == 0)
      return 1;
  return 0;
}

/* Each declaration with an actor to read: "int apikeys_x(apikeys_env *env, const apikeys_actor
 * *actor". */
static int check_header(const char *path) {
  static char text[1 << 18];
  int found = 0;
  FILE *file = fopen(path, "r");
  ck_assert_ptr_nonnull(file);
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = '\0';
  for (char *at = strstr(text, "(apikeys_env *env,"); at != NULL;
       at = strstr(at + 1, "(apikeys_env *env,")) {
    const char *next = at + strlen("(apikeys_env *env,");
    next += strspn(next, " \n");
    if (strncmp(next, "const apikeys_actor *actor", 26) != 0)
      continue;
    const char *name = at;
    while (name > text && (name[-1] == '_' || (name[-1] >= 'a' && name[-1] <= 'z')))
      name--;
    ck_assert_msg(is_in_table(name, (size_t)(at - name)), "%.*s is missing in this table",
                  (int)(at - name), name);
    found++;
  }
  return found;
}

START_TEST(the_table_holds_every_call_of_the_headers) {
  ck_assert_int_eq(for_each_header(check_header), ROWS);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("authority");
  TCase *tcase = tcase_create("calls by actors");
  tcase_add_loop_test(tcase, each_call_asks_who_calls, 0, ROWS);
  tcase_add_test(tcase, the_table_holds_every_call_of_the_headers);
  tcase_set_timeout(tcase, 120);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
