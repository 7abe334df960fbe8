/* SPDX-License-Identifier: MIT */
/*
 * Work that has no end of its own holds the store for a bounded number of records at a time; and
 * walks end, whatever numbers and times the rows hold.
 */
#define _GNU_SOURCE /* syscall */
#include "support/deeds.h"
#include "support/suite.h"
#include "support/wrapped_storage.h"

#include <apikeys/document.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* -- Counting what a write transaction changes ------------------------------------------------- */

/* MOST: AK_BUDGET records, and for pruned keys what is recorded of their use. */
enum { KEYS = 1200, MEMBERS = 350, MOST = 2 * 100 + 2 };

static struct wrapped_storage wrapped;
static int changed, most; /* by the transaction that is open; by any since the last look */

static void count_changes(enum wrapped_slot slot, void *data) {
  (void)data;
  if (slot == SLOT_BEGIN_WRITE)
    changed = 0;
  changed += slot == SLOT_UPDATE || slot == SLOT_REMOVE;
  if (changed > most)
    most = changed;
}

static void open_counting(struct world *world) {
  apikeys_storage storage;
  world_open(world, BACKEND_MEMORY);
  apikeys_close(world->env);
  memset(&wrapped, 0, sizeof wrapped);
  wrap_memory_storage(&wrapped, &storage);
  wrapped.intrude = count_changes;
  apikeys_options_set_root_key_in_store(world->options, 1);
  ck_assert_int_eq(apikeys_open_storage(&world->env, &storage, world->options, world->err), 0);
}

/* A fresh count for one call. */
static void expect_bounded(const char *what) {
  ck_assert_msg(most <= MOST, "%s changed %d records in one transaction", what, most);
  ck_assert_msg(most > 0, "%s changed nothing", what);
  most = 0;
}

static void fill(struct world *world, char organization[64], struct made_key *one) {
  make_organization(world, "Large", organization);
  for (int i = 0; i < MEMBERS; i++) {
    char user[32];
    snprintf(user, sizeof user, "user_%d", i);
    make_member(world, organization, user, "member");
  }
  for (int i = 0; i < KEYS; i++)
    make_key(world,
             i % 2 == 0 ? key_spec(organization, "k", "posts:read")
                        : member_key_spec(organization, "user_0", "k", ""),
             one);
  most = 0;
}

START_TEST(no_transaction_changes_more_than_its_share) {
  struct world world;
  struct made_key key;
  char organization[64];
  open_counting(&world);
  make_posts(&world);
  fill(&world, organization, &key);

  ok(&world,
     apikeys_member_delete(world.env, world.system, S(organization), S("user_0"), world.err));
  expect_bounded("deleting a member");
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_REVOKED);

  world.now_ms += DAY_MS;
  change_setting(&world, apikeys_settings_set_idle_lifetime_ms, HOUR_MS);
  most = 0;
  ok(&world, apikeys_maintain(world.env, world.err));
  expect_bounded("revoking idle keys");
  change_setting(&world, apikeys_settings_set_idle_lifetime_ms, 0);

  world.now_ms += 8 * (int64_t)DAY_MS; /* tombstones go as well */
  ok(&world, apikeys_prune(world.env, world.system, world.now_ms, world.err));
  ok(&world, apikeys_maintain(world.env, world.err));
  expect_bounded("pruning");
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_UNKNOWN);

  fill(&world, organization, &key);
  ok(&world, apikeys_organization_delete(world.env, world.system, S(organization), world.err));
  expect_bounded("deleting an organization");
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_REVOKED);
  world_close(&world);
}
END_TEST

/* A clock that jumps by so much at each look: as if each record took that long. */
static int64_t ms_a_look;

int clock_gettime(clockid_t clock, struct timespec *out) {
  static int64_t ahead_ms;
  int rc = (int)syscall(SYS_clock_gettime, clock, out);
  if (clock == CLOCK_MONOTONIC)
    out->tv_sec += (time_t)((ahead_ms += ms_a_look) / 1000);
  return rc;
}

/* A second and more a record, where a transaction may last some milliseconds. */
START_TEST(a_transaction_of_slow_records_ends_early) {
  enum { FEW = 30, SLOW_MOST = 2 };
  struct world world;
  struct made_key key;
  char organization[64];
  open_counting(&world);
  make_organization(&world, "Slow", organization);
  make_member(&world, organization, "ada", "member");
  for (int i = 0; i < FEW; i++)
    make_key(&world, member_key_spec(organization, "ada", "k", ""), &key);
  most = 0;
  ms_a_look = 2000;
  ok(&world, apikeys_member_delete(world.env, world.system, S(organization), S("ada"), world.err));
  ck_assert_int_le(most, SLOW_MOST);
  for (int i = 0; i < FEW; i++)
    make_key(&world, key_spec(organization, "k", ""), &key);
  change_setting(&world, apikeys_settings_set_idle_lifetime_ms, HOUR_MS);
  world.now_ms += DAY_MS;
  most = 0;
  ok(&world, apikeys_maintain(world.env, world.err));
  ck_assert_int_le(most, SLOW_MOST);
  ck_assert_int_eq(revoke_key(&world, key.id, NULL), APIKEYS_ERROR_ALREADY_REVOKED);
  ms_a_look = 0;
  world_close(&world);
}
END_TEST

/* With more keys than are looked at in one transaction it goes in steps. */
START_TEST(a_permission_is_taken_from_many_keys_in_steps) {
  enum { MANY = 10100 };
  struct world world;
  struct made_key *keys = calloc(MANY, sizeof *keys);
  char organization[64];
  open_counting(&world);
  make_posts(&world);
  make_organization(&world, "Large", organization);
  for (int i = 0; i < MANY; i++)
    make_key(&world, key_spec(organization, "k", "posts:read posts:write"), &keys[i]);
  most = 0;
  ok(&world, apikeys_permission_delete(world.env, world.system, S("posts:read"), world.err));
  expect_bounded("deleting a permission");
  for (int i = 0; i < MANY; i += 99) {
    ck_assert_int_eq(validate(&world, keys[i].value, "posts:read"), APIKEYS_NOT_PERMITTED);
    ck_assert_int_eq(validate(&world, keys[i].value, "posts:write"), APIKEYS_OK);
  }
  make_permission(&world, "posts:read", 1, 1); /* made anew it does not come back to old keys */
  ck_assert_int_eq(validate(&world, keys[0].value, "posts:read"), APIKEYS_NOT_PERMITTED);
  world_close(&world);
  free(keys);
}
END_TEST

/* -- Rows that hold any number ----------------------------------------------------------------- */

static const char *const tables[] = {
    "permissions", "roles",      "organizations", "members",
    "api_keys",    "events",     "event_cursors", "idempotency_keys",
    "documents",   "tombstones", "api_key_uses",  "sweeps"};

static void make_rows(struct world *world) {
  struct made_key key, gone;
  char organization[64], other[64];
  make_posts(world);
  make_organization(world, "Acme", organization);
  make_organization(world, "Gone", other);
  make_member(world, organization, "ada", "member");
  apikeys_key_spec *spec = key_spec(organization, "k", "posts:read");
  apikeys_key_spec_set_idempotency_key(spec, S("again"));
  make_key(world, spec, &key);
  make_key(world, key_spec(organization, "gone", ""), &gone);
  ok(world, revoke_key(world, gone.id, NULL));
  ok(world, validate(world, key.value, NULL));
  ok(world, apikeys_organization_delete(world->env, world->system, S(other), world->err));
  apikeys_document *document = apikeys_document_new();
  apikeys_document_set_collection(document, S("things"));
  apikeys_document_set_id(document, S("one"));
  apikeys_document_set_expires_at_ms(document, world->now_ms + DAY_MS);
  ok(world, apikeys_document_create(world->env, world->system, document, world->err));
  apikeys_document_free(document);
  ok(world, apikeys_event_acknowledge(world->env, world->system, S("reader"), 1, world->err));
  ok(world, apikeys_maintain(world->env, world->err));
  run_sql(world, "INSERT INTO sweeps (organization_id, created_at) VALUES ('org_gone', 0)");
}

/* Every call ends, with whatever result; a sanitizer sees what overflows. */
static void call_everything(struct world *world) {
  apikeys_env *env = world->env;
  apikeys_actor *system = world->system;
  apikeys_page *page = apikeys_page_new();
  apikeys_filter *filter = apikeys_filter_new();
  int (*const lists[])(apikeys_env *, const apikeys_actor *, const apikeys_filter *, apikeys_page *,
                       apikeys_error *) = {apikeys_key_list, apikeys_organization_list,
                                           apikeys_member_list, apikeys_permission_list,
                                           apikeys_event_list};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    if (lists[i](env, system, filter, page, NULL) == APIKEYS_OK) {
      apikeys_filter_set_after(filter, S(apikeys_page_after(page, NULL)));
      int rc = lists[i](env, system, filter, page, NULL);
      (void)rc;
      apikeys_filter_clear(filter);
    }
  }
  apikeys_filter_set_collection(filter, S("things"));
  apikeys_filter_set_due_until_ms(filter, INT64_MAX);
  int rc = apikeys_document_list(env, system, filter, page, NULL);
  rc = apikeys_event_poll(env, system, S("reader"), 10, page, NULL);
  rc = apikeys_event_acknowledge(env, system, S("reader"), INT64_MAX, NULL);
  rc = apikeys_event_poll(env, system, S("reader"), 10, page, NULL);
  rc = apikeys_maintain(env, NULL);
  rc = apikeys_prune(env, system, world->now_ms, NULL);
  rc = apikeys_permission_delete(env, system, S("posts:read"), NULL);
  rc = apikeys_rotate_root_key(env, system, NULL, 0, 0, NULL);
  (void)rc;
  apikeys_filter_free(filter);
  apikeys_page_free(page);
}

static const char *const ends[] = {"9223372036854775807", "-9223372036854775808", "-1", "0"};
enum { ENDS = sizeof ends / sizeof ends[0], TABLES = sizeof tables / sizeof tables[0] };

/* The walk that looks for revocations which the journal lacks, and the mark behind it. */
START_TEST(an_open_ends_behind_the_last_event_number) {
  struct world world;
  world_open(&world, BACKEND_SQLITE);
  make_rows(&world);
  run_sql(&world, "CREATE TEMP TABLE one AS SELECT * FROM events ORDER BY number DESC LIMIT 1;"
                  "UPDATE one SET number = 9223372036854775807,"
                  " id = 'event_7ZZZZZZZZZZZZZZZZZZZZZZZZZ';"
                  "INSERT INTO events SELECT * FROM one");
  for (int i = 0; i < 2; i++)
    world_reopen(&world);
  world_close(&world);
}
END_TEST

/* The number of one row of the table. */
START_TEST(walks_end_behind_any_number) {
  struct world world;
  world_open(&world, BACKEND_SQLITE);
  make_rows(&world);
  for (size_t i = 0; i < ENDS; i++) {
    char edit[256];
    snprintf(edit, sizeof edit,
             "UPDATE OR IGNORE %s SET number = %s WHERE number = (SELECT max(number) FROM %s)",
             tables[_i], ends[i], tables[_i]);
    run_sql(&world, edit);
    call_everything(&world);
  }
  world_close(&world);
}
END_TEST

/* Every time, version and position in the table. */
START_TEST(no_time_overflows) {
  static const char *const fields[] = {"created_at",   "updated_at", "expires_at",
                                       "revoked_at",   "due_at",     "position",
                                       "last_used_at", "version",    "object_number"};
  struct world world;
  world_open(&world, BACKEND_SQLITE);
  make_rows(&world);
  change_setting(&world, apikeys_settings_set_idle_lifetime_ms, HOUR_MS);
  change_setting(&world, apikeys_settings_set_event_retention_ms, DAY_MS);
  for (size_t i = 0; i < ENDS; i++)
    for (size_t j = 0; j < sizeof fields / sizeof fields[0]; j++) {
      char edit[128];
      int there = 0;
      for (int kind = 1; kind <= apikeys_schema_kind_count(); kind++)
        for (int field = 0; field < apikeys_schema_field_count(kind); field++)
          there |= strcmp(apikeys_schema_kind_name(kind), tables[_i]) == 0 &&
                   strcmp(apikeys_schema_field_name(kind, field), fields[j]) == 0;
      if (!there)
        continue;
      snprintf(edit, sizeof edit, "UPDATE %s SET %s = %s", tables[_i], fields[j], ends[i]);
      run_sql(&world, edit);
      call_everything(&world);
    }
  world_close(&world);
}
END_TEST

START_TEST(many_documents_share_a_transaction) {
  enum { MANY = 100 };
  struct world world;
  apikeys_document *many[MANY];
  int results[MANY];
  open_counting(&world);
  for (int i = 0; i < MANY; i++) {
    char id[16];
    int length = snprintf(id, sizeof id, "d%d", i);
    many[i] = apikeys_document_new();
    ck_assert_int_eq(apikeys_document_set_collection(many[i], "jobs", 4), 0);
    ck_assert_int_eq(apikeys_document_set_id(many[i], id, (size_t)length), 0);
  }
  int commits = wrapped.calls[SLOT_COMMIT];
  ok(&world, apikeys_document_create_many(world.env, world.system, many, MANY, results, world.err));
  ck_assert_int_eq(wrapped.calls[SLOT_COMMIT], commits + 1);
  ok(&world, apikeys_document_update_many(world.env, world.system, many, MANY, results, world.err));
  ck_assert_int_eq(wrapped.calls[SLOT_COMMIT], commits + 2);
  for (int i = 0; i < MANY; i++)
    apikeys_document_free(many[i]);
  world_close(&world);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bounds");
  TCase *bounded = tcase_create("transactions");
  tcase_add_test(bounded, no_transaction_changes_more_than_its_share);
  tcase_add_test(bounded, a_transaction_of_slow_records_ends_early);
  tcase_add_test(bounded, a_permission_is_taken_from_many_keys_in_steps);
  tcase_add_test(bounded, many_documents_share_a_transaction);
  suite_add_tcase(suite, bounded);
  TCase *numbers = tcase_create("numbers");
  tcase_add_test(numbers, an_open_ends_behind_the_last_event_number);
  tcase_add_loop_test(numbers, walks_end_behind_any_number, 0, TABLES);
  tcase_add_loop_test(numbers, no_time_overflows, 0, TABLES);
  suite_add_tcase(suite, numbers);
  return run_suite(suite);
}
