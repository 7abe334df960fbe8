/* SPDX-License-Identifier: MIT */
/* A clock that is set back revives nothing, and one that jumps is told of. */
#define _GNU_SOURCE /* syscall */
#include "support/deeds.h"
#include "support/suite.h"

#include <apikeys/document.h>

#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MANAGE "widgets:api-keys:manage"

struct company {
  struct world world;
  char organization[64];
};

static void setup(struct company *company, int backend) {
  world_open(&company->world, (enum backend)backend);
  make_posts(&company->world);
  make_role(&company->world, "", "manager", MANAGE);
  make_organization(&company->world, "Acme", company->organization);
  make_member(&company->world, company->organization, "ada", "manager");
}

static void teardown(struct company *company) {
  world_close(&company->world);
}

START_TEST(an_expired_management_key_stays_expired) {
  struct company company;
  setup(&company, _i);
  struct world *world = &company.world;
  struct made_key key;
  apikeys_key_spec *spec = management_key_spec("ops", "apikeys:keys:read");
  apikeys_key_spec_set_expires_at_ms(spec, world->now_ms + HOUR_MS);
  make_key(world, spec, &key);
  apikeys_actor *actor = apikeys_actor_new();
  ok(world, apikeys_actor_set_management_key_by_id(world->env, actor, S(key.id), world->err));
  world->now_ms += HOUR_MS;
  ck_assert_int_eq(apikeys_actor_set_management_key_by_id(world->env, actor, S(key.id), world->err),
                   APIKEYS_ERROR_ACTOR_UNKNOWN);
  world->now_ms -= HOUR_MS;
  ck_assert_int_eq(apikeys_actor_set_management_key_by_id(world->env, actor, S(key.id), world->err),
                   APIKEYS_ERROR_ACTOR_UNKNOWN);
  ck_assert_int_eq(apikeys_actor_set_management_key(world->env, actor, S(key.value), world->err),
                   APIKEYS_ERROR_ACTOR_UNKNOWN);
  apikeys_actor_free(actor);
  teardown(&company);
}
END_TEST

static void make_token(struct company *company, char token[APIKEYS_WIDGET_TOKEN_MAX]) {
  apikeys_widget_token_spec *spec = apikeys_widget_token_spec_new();
  apikeys_widget_token_spec_set_organization_id(spec, S(company->organization));
  apikeys_widget_token_spec_set_user_id(spec, S("ada"));
  apikeys_widget_token_spec_add_scope(spec, S(MANAGE));
  ok(&company->world,
     apikeys_widget_token_create(company->world.env, company->world.system, spec, token,
                                 APIKEYS_WIDGET_TOKEN_MAX, NULL, company->world.err));
  apikeys_widget_token_spec_free(spec);
}

static int set_token(struct company *company, apikeys_actor *actor, const char *token) {
  return apikeys_actor_set_widget_token(company->world.env, actor, S(token), company->world.err);
}

START_TEST(an_expired_widget_token_stays_expired) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  setup(&company, _i);
  struct world *world = &company.world;
  apikeys_actor *actor = apikeys_actor_new();
  make_token(&company, token);
  ok(world, set_token(&company, actor, token));
  world->now_ms += HOUR_MS;
  ck_assert_int_eq(set_token(&company, actor, token), APIKEYS_ERROR_TOKEN_EXPIRED);
  world->now_ms -= HOUR_MS / 2;
  ck_assert_int_eq(set_token(&company, actor, token), APIKEYS_ERROR_TOKEN_EXPIRED);
  make_token(&company, token);
  world->now_ms += HOUR_MS;
  apikeys_actor_free(actor);
  teardown(&company);
}
END_TEST

/* The actor that it made, too. */
START_TEST(an_actor_by_an_expired_token_stays_refused) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  setup(&company, _i);
  struct world *world = &company.world;
  apikeys_actor *actor = apikeys_actor_new();
  make_token(&company, token);
  ok(world, set_token(&company, actor, token));
  ok(world, try_key(world, actor, key_spec(company.organization, "k", ""), NULL));
  world->now_ms += HOUR_MS;
  ck_assert_int_eq(try_key(world, actor, key_spec(company.organization, "k", ""), NULL),
                   APIKEYS_ERROR_TOKEN_EXPIRED);
  world->now_ms -= HOUR_MS;
  ck_assert_int_eq(try_key(world, actor, key_spec(company.organization, "k", ""), NULL),
                   APIKEYS_ERROR_TOKEN_EXPIRED);
  apikeys_actor_free(actor);
  teardown(&company);
}
END_TEST

START_TEST(a_widget_token_is_refused_before_it_was_issued) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  setup(&company, _i);
  apikeys_actor *actor = apikeys_actor_new();
  make_token(&company, token);
  company.world.now_ms -= 60 * 1000;
  ok(&company.world, set_token(&company, actor, token)); /* a minute's leeway */
  company.world.now_ms -= 30 * (int64_t)DAY_MS;
  ck_assert_int_eq(set_token(&company, actor, token), APIKEYS_ERROR_TOKEN_INVALID);
  apikeys_actor_free(actor);
  teardown(&company);
}
END_TEST

START_TEST(an_idle_key_stays_refused) {
  struct company company;
  struct made_key key;
  setup(&company, _i);
  struct world *world = &company.world;
  change_setting(world, apikeys_settings_set_idle_lifetime_ms, DAY_MS);
  make_key(world, key_spec(company.organization, "k", ""), &key);
  ok(world, validate(world, key.value, NULL));
  world->now_ms += 2 * (int64_t)DAY_MS;
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_REVOKED);
  world->now_ms -= 2 * (int64_t)DAY_MS;
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_REVOKED);
  teardown(&company);
}
END_TEST

START_TEST(a_document_that_expired_does_not_come_back) {
  struct company company;
  setup(&company, _i);
  struct world *world = &company.world;
  apikeys_document *document = apikeys_document_new();
  apikeys_document_set_collection(document, S("sessions"));
  apikeys_document_set_id(document, S("one"));
  apikeys_document_set_expires_at_ms(document, world->now_ms + HOUR_MS);
  ok(world, apikeys_document_create(world->env, world->system, document, world->err));
  for (int i = 0; i < 2; i++) {
    world->now_ms += i == 0 ? HOUR_MS : -HOUR_MS;
    ck_assert_int_eq(apikeys_document_get(world->env, world->system, S("sessions"), S("one"),
                                          document, world->err),
                     APIKEYS_ERROR_NOT_FOUND);
  }
  apikeys_document_free(document);
  teardown(&company);
}
END_TEST

/* As with the kernel's coarse clock, which lags behind the one that dated the key. */
START_TEST(use_is_never_before_creation) {
  struct company company;
  struct made_key key;
  setup(&company, _i);
  struct world *world = &company.world;
  make_key(world, key_spec(company.organization, "k", ""), &key);
  int64_t created_at = world->now_ms;
  for (int i = 0; i < 2; i++) { /* by the store, then from memory */
    world->now_ms = created_at - 4;
    ok(world, validate(world, key.value, NULL));
    apikeys_key *got = get_key(world, key.id);
    ck_assert_int_ge(apikeys_key_last_used_at_ms(got), created_at);
    apikeys_key_free(got);
  }
  teardown(&company);
}
END_TEST

/* -- Every decision about a deadline ----------------------------------------------------------- */

/* While the clock is `ahead`, the key is refused as expired. Then it is right again. */
static void let_expire(struct company *company, const struct made_key *key, int64_t ahead) {
  struct world *world = &company->world;
  world->now_ms += ahead;
  ck_assert_int_eq(validate(world, key->value, NULL), APIKEYS_EXPIRED);
  world->now_ms -= ahead;
}

static void make_key_until(struct company *company, const char *once, int64_t expires_at,
                           struct made_key *key) {
  apikeys_key_spec *spec = key_spec(company->organization, "k", "");
  if (once != NULL)
    ok(&company->world, apikeys_key_spec_set_idempotency_key(spec, S(once)));
  apikeys_key_spec_set_expires_at_ms(spec, expires_at);
  make_key(&company->world, spec, key);
}

START_TEST(an_expired_key_is_not_extended) {
  struct company company;
  struct made_key key;
  setup(&company, _i);
  make_key_until(&company, NULL, company.world.now_ms + HOUR_MS, &key);
  let_expire(&company, &key, DAY_MS);
  ck_assert_int_eq(expire_key(&company.world, key.id, company.world.now_ms + DAY_MS),
                   APIKEYS_ERROR_ALREADY_EXPIRED);
  teardown(&company);
}
END_TEST

START_TEST(an_expired_key_gets_no_new_value) {
  struct company company;
  struct made_key key, again;
  setup(&company, _i);
  int64_t expires_at = company.world.now_ms + HOUR_MS;
  make_key_until(&company, "once", expires_at, &key);
  let_expire(&company, &key, DAY_MS);
  company.world.now_ms += 60 * 1000;
  apikeys_key_spec *spec = key_spec(company.organization, "k", "");
  ok(&company.world, apikeys_key_spec_set_idempotency_key(spec, S("once")));
  apikeys_key_spec_set_expires_at_ms(spec, expires_at);
  ck_assert_int_eq(try_key(&company.world, company.world.system, spec, &again),
                   APIKEYS_ERROR_IDEMPOTENCY_USED);
  teardown(&company);
}
END_TEST

START_TEST(no_key_is_created_that_counts_as_expired) {
  struct company company;
  struct made_key key;
  setup(&company, _i);
  int64_t expires_at = company.world.now_ms + HOUR_MS;
  make_key_until(&company, NULL, expires_at, &key);
  let_expire(&company, &key, DAY_MS);
  apikeys_key_spec *spec = key_spec(company.organization, "k", "");
  apikeys_key_spec_set_expires_at_ms(spec, expires_at);
  ck_assert_int_eq(try_key(&company.world, company.world.system, spec, NULL),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_str_eq(apikeys_error_field(company.world.err), "expires_at");
  make_key_until(&company, NULL, expires_at + 1, &key);
  teardown(&company);
}
END_TEST

#define ALL "apikeys:management-keys:read apikeys:management-keys:write"

/* The other one has expired for good: it is no successor. */
START_TEST(an_expired_management_key_replaces_no_other) {
  struct company company;
  struct made_key last, other;
  setup(&company, _i);
  struct world *world = &company.world;
  apikeys_actor *actor = apikeys_actor_new();
  apikeys_key_spec *spec = management_key_spec("last", ALL);
  apikeys_key_spec_set_expires_at_ms(spec, world->now_ms + 10 * (int64_t)DAY_MS);
  make_key(world, spec, &last);
  spec = management_key_spec("other", ALL);
  apikeys_key_spec_set_expires_at_ms(spec, world->now_ms + HOUR_MS);
  make_key(world, spec, &other);
  ok(world, apikeys_actor_set_management_key(world->env, actor, S(last.value), world->err));
  world->now_ms += DAY_MS;
  apikeys_actor *expired = apikeys_actor_new();
  ck_assert_int_eq(
      apikeys_actor_set_management_key(world->env, expired, S(other.value), world->err),
      APIKEYS_ERROR_ACTOR_UNKNOWN);
  world->now_ms -= DAY_MS;
  ck_assert_int_eq(apikeys_key_revoke(world->env, actor, S(last.id), NULL, 0, NULL, world->err),
                   APIKEYS_ERROR_LAST_MANAGEMENT_KEY);
  apikeys_actor_free(expired);
  apikeys_actor_free(actor);
  teardown(&company);
}
END_TEST

START_TEST(maintenance_revokes_what_is_refused_as_idle) {
  struct company company;
  struct made_key key;
  setup(&company, _i);
  struct world *world = &company.world;
  change_setting(world, apikeys_settings_set_idle_lifetime_ms, 2 * (int64_t)DAY_MS);
  make_key(world, key_spec(company.organization, "k", ""), &key);
  for (int day = 0; day < 3; day++) {
    world->now_ms += DAY_MS;
    ok(world, validate(world, key.value, NULL));
  }
  world->now_ms += 3 * (int64_t)DAY_MS;
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_REVOKED);
  world->now_ms -= 3 * (int64_t)DAY_MS;
  ok(world, apikeys_maintain(world->env, world->err));
  ck_assert_int_eq(revoke_key(world, key.id, "again"), APIKEYS_ERROR_ALREADY_REVOKED);
  teardown(&company);
}
END_TEST

START_TEST(a_retired_token_key_stays_retired) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  setup(&company, BACKEND_SQLITE);
  struct world *world = &company.world;
  apikeys_actor *actor = apikeys_actor_new();
  make_token(&company, token);
  ok(world, apikeys_rotate_root_key(world->env, world->system, NULL, 0, 0, world->err));
  ok(world, set_token(&company, actor, token));
  world->now_ms += HOUR_MS;
  ck_assert_int_eq(set_token(&company, actor, token), APIKEYS_ERROR_TOKEN_INVALID);
  world->now_ms -= HOUR_MS;
  ck_assert_int_eq(set_token(&company, actor, token), APIKEYS_ERROR_TOKEN_INVALID);
  apikeys_actor_free(actor);
  teardown(&company);
}
END_TEST

static void create_once(struct company *company, const char *once, struct made_key *key) {
  apikeys_key_spec *spec = key_spec(company->organization, "k", "");
  ok(&company->world, apikeys_key_spec_set_idempotency_key(spec, S(once)));
  make_key(&company->world, spec, key);
}

START_TEST(a_forgotten_idempotency_key_stays_forgotten) {
  struct company company;
  struct made_key one, two, three, again;
  setup(&company, _i);
  struct world *world = &company.world;
  create_once(&company, "one", &one);
  create_once(&company, "two", &two);
  world->now_ms += 1;
  create_once(&company, "three", &three);
  world->now_ms += 2 * (int64_t)DAY_MS;
  create_once(&company, "one", &again);
  ck_assert_str_ne(again.id, one.id);
  world->now_ms -= 2 * (int64_t)DAY_MS - 60 * 1000;
  create_once(&company, "two", &again); /* as old as the first */
  ck_assert_str_ne(again.id, two.id);
  create_once(&company, "three", &again);
  ck_assert_str_eq(again.id, three.id);
  teardown(&company);
}
END_TEST

static void create_document(struct company *company, const char *collection, const char *id,
                            int64_t lifetime_ms) {
  apikeys_document *document = apikeys_document_new();
  apikeys_document_set_collection(document, S(collection));
  apikeys_document_set_id(document, S(id));
  apikeys_document_set_expires_at_ms(document, company->world.now_ms + lifetime_ms);
  ok(&company->world, apikeys_document_create(company->world.env, company->world.system, document,
                                              company->world.err));
  apikeys_document_free(document);
}

static int get_document(struct company *company, const char *collection, const char *id) {
  apikeys_document *document = apikeys_document_new();
  int rc = apikeys_document_get(company->world.env, company->world.system, S(collection), S(id),
                                document, company->world.err);
  apikeys_document_free(document);
  return rc;
}

static uint64_t count_documents(struct company *company, const char *collection) {
  uint64_t count = 0;
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_filter_set_collection(filter, S(collection));
  ok(&company->world, apikeys_document_count(company->world.env, company->world.system, filter,
                                             &count, company->world.err));
  apikeys_filter_free(filter);
  return count;
}

START_TEST(an_expired_document_is_not_counted_either) {
  struct company company;
  setup(&company, _i);
  create_document(&company, "sessions", "one", HOUR_MS);
  company.world.now_ms += DAY_MS;
  ck_assert_int_eq(get_document(&company, "sessions", "one"), APIKEYS_ERROR_NOT_FOUND);
  company.world.now_ms -= DAY_MS;
  ck_assert_uint_eq(count_documents(&company, "sessions"), 0);
  teardown(&company);
}
END_TEST

/* A glitch of the clock that expired a key, a day's document, or a management key. */
START_TEST(kinds_of_deadlines_do_not_count_for_each_other) {
  struct company company;
  struct made_key key, answer, again;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  setup(&company, _i);
  struct world *world = &company.world;
  make_key_until(&company, NULL, world->now_ms + 10 * (int64_t)DAY_MS, &key);
  create_document(&company, "answers", "one", DAY_MS);
  let_expire(&company, &key, 20 * (int64_t)DAY_MS);
  world->now_ms += 20 * (int64_t)DAY_MS;
  ck_assert_int_eq(get_document(&company, "answers", "one"), APIKEYS_ERROR_NOT_FOUND);
  world->now_ms -= 20 * (int64_t)DAY_MS;

  apikeys_actor *actor = apikeys_actor_new();
  make_token(&company, token);
  ok(world, set_token(&company, actor, token));
  ok(world, try_key(world, actor, key_spec(company.organization, "k", ""), NULL));
  create_document(&company, "sessions", "one", HOUR_MS);
  ok(world, get_document(&company, "sessions", "one"));
  ck_assert_uint_eq(count_documents(&company, "sessions"), 1);
  create_once(&company, "once", &answer);
  world->now_ms += 60 * 1000;
  create_once(&company, "once", &again);
  ck_assert_str_eq(answer.id, again.id);
  apikeys_key_spec *spec = management_key_spec("ops", "apikeys:keys:read");
  apikeys_key_spec_set_expires_at_ms(spec, world->now_ms + HOUR_MS);
  make_key(world, spec, &key);
  ok(world, apikeys_actor_set_management_key(world->env, actor, S(key.value), world->err));
  apikeys_actor_free(actor);
  teardown(&company);
}
END_TEST

/* A key that a forward glitch makes expire must not take with it what is made afterwards. */
START_TEST(a_forward_glitch_concerns_one_kind_of_deadline) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  setup(&company, _i);
  struct world *world = &company.world;
  struct made_key key, later;
  apikeys_key_spec *spec = key_spec(company.organization, "year", "posts:read");
  apikeys_key_spec_set_expires_at_ms(spec, world->now_ms + INT64_C(365) * 24 * HOUR_MS);
  make_key(world, spec, &key);
  world->now_ms += INT64_C(366) * 24 * HOUR_MS;
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_EXPIRED);
  world->now_ms -= INT64_C(366) * 24 * HOUR_MS;
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_EXPIRED);

  apikeys_actor *actor = apikeys_actor_new();
  make_token(&company, token);
  ok(world, set_token(&company, actor, token));
  apikeys_actor_free(actor);

  apikeys_document *document = apikeys_document_new();
  apikeys_document_set_collection(document, S("answers"));
  apikeys_document_set_id(document, S("one"));
  apikeys_document_set_body(document, S("{}"));
  apikeys_document_set_expires_at_ms(document, world->now_ms + HOUR_MS);
  ok(world, apikeys_document_create(world->env, world->system, document, world->err));
  ok(world,
     apikeys_document_get(world->env, world->system, S("answers"), S("one"), document, world->err));
  apikeys_document_free(document);

  make_key(world, key_spec(company.organization, "for good", "posts:read"), &later);
  ck_assert_int_eq(validate(world, later.value, "posts:read"), 0);
  teardown(&company);
}
END_TEST

/* Changes go by the same rule as validations. */
START_TEST(a_change_does_not_revive_what_has_expired) {
  struct company company;
  setup(&company, _i);
  struct world *world = &company.world;
  struct made_key key;
  apikeys_key_spec *spec = key_spec(company.organization, "hour", "posts:read");
  apikeys_key_spec_set_expires_at_ms(spec, world->now_ms + HOUR_MS);
  make_key(world, spec, &key);
  world->now_ms += HOUR_MS;
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_EXPIRED);
  world->now_ms -= HOUR_MS / 2;
  apikeys_key_spec *change = apikeys_key_spec_new();
  apikeys_key_spec_set_expires_at_ms(change, world->now_ms + 2 * HOUR_MS);
  ck_assert_int_eq(
      apikeys_key_update(world->env, world->system, S(key.id), change, NULL, world->err),
      APIKEYS_ERROR_ALREADY_EXPIRED);
  apikeys_key_spec_free(change);
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_EXPIRED);
  teardown(&company);
}
END_TEST

/* -- Jumps ------------------------------------------------------------------------------------- */

struct lines {
  int forward, back;
};

static void count_lines(int level, const char *message, size_t length, void *data) {
  struct lines *lines = data;
  (void)length;
  lines->forward += level == APIKEYS_LOG_WARNING && strstr(message, "jumped forward") != NULL;
  lines->back += level == APIKEYS_LOG_WARNING && strstr(message, "was set back") != NULL;
}

START_TEST(a_jump_of_the_clock_is_logged) {
  struct world world;
  struct lines lines = {0};
  world_open(&world, BACKEND_SQLITE);
  ok(&world, apikeys_options_set_log(world.options, count_lines, &lines, NULL));
  world_reopen(&world);
  ok(&world, apikeys_maintain(world.env, world.err));
  world.now_ms += 30 * 1000; /* as a correction by the network's time may be */
  ok(&world, apikeys_maintain(world.env, world.err));
  ck_assert_int_eq(lines.forward + lines.back, 0);
  world.now_ms += DAY_MS;
  ok(&world, apikeys_maintain(world.env, world.err));
  ck_assert_int_eq(lines.forward, 1);
  world.now_ms -= DAY_MS;
  ok(&world, apikeys_maintain(world.env, world.err));
  ck_assert_int_eq(lines.forward, 1);
  ck_assert_int_eq(lines.back, 1);
  world_close(&world);
}
END_TEST

/* For how long the machine was suspended: CLOCK_MONOTONIC stood still. */
static int64_t suspended_s;

int clock_gettime(clockid_t clock, struct timespec *out) {
  int rc = (int)syscall(SYS_clock_gettime, clock, out);
#ifdef CLOCK_BOOTTIME
  if (clock == CLOCK_BOOTTIME)
    out->tv_sec += (time_t)suspended_s;
#endif
  return rc;
}

START_TEST(a_suspend_is_no_jump) {
#ifdef CLOCK_BOOTTIME
  struct world world;
  struct lines lines = {0};
  world_open(&world, BACKEND_SQLITE);
  ok(&world, apikeys_options_set_log(world.options, count_lines, &lines, NULL));
  world_reopen(&world);
  ok(&world, apikeys_maintain(world.env, world.err));
  suspended_s = DAY_MS / 1000;
  world.now_ms += DAY_MS;
  ok(&world, apikeys_maintain(world.env, world.err));
  suspended_s = 0;
  ck_assert_int_eq(lines.forward + lines.back, 0);
  world_close(&world);
#endif
}
END_TEST

int main(void) {
  Suite *suite = suite_create("clock");
  TCase *tests = tcase_create("clock");
  tcase_add_loop_test(tests, an_expired_management_key_stays_expired, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, an_expired_widget_token_stays_expired, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, an_actor_by_an_expired_token_stays_refused, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, a_widget_token_is_refused_before_it_was_issued, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, an_idle_key_stays_refused, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, a_document_that_expired_does_not_come_back, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, use_is_never_before_creation, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, an_expired_key_is_not_extended, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, an_expired_key_gets_no_new_value, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, no_key_is_created_that_counts_as_expired, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, an_expired_management_key_replaces_no_other, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, maintenance_revokes_what_is_refused_as_idle, 0, BACKEND_COUNT);
  tcase_add_test(tests, a_retired_token_key_stays_retired);
  tcase_add_loop_test(tests, a_forgotten_idempotency_key_stays_forgotten, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, an_expired_document_is_not_counted_either, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, a_forward_glitch_concerns_one_kind_of_deadline, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, a_change_does_not_revive_what_has_expired, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, kinds_of_deadlines_do_not_count_for_each_other, 0, BACKEND_COUNT);
  tcase_add_test(tests, a_jump_of_the_clock_is_logged);
  tcase_add_test(tests, a_suspend_is_no_jump);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
