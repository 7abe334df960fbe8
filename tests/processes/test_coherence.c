/* SPDX-License-Identifier: MIT */
/*
 * A key that is warm, and a database that somebody else changes: another process, with nothing but
 * SQL. The very next validation sees it. Where the library can no longer know what others do, it
 * asks the store each time; where the files are not the ones that it opened, it refuses.
 *
 * The other process is forked before anything is open, and runs what it is sent.
 */
#include "support/deeds.h"
#include "support/process.h"
#include "support/sql.h"
#include "support/suite.h"
#include "support/wrapped_storage.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* -- The other process ------------------------------------------------------------------------- */

struct command {
  char path[128];
  char sql[3800];
};

static int run_commands(struct process *process) {
  static struct command command;
  while (process_receive(process, &command, sizeof command)) {
    int rc = execute_sql(command.path, command.sql, NULL);
    CHECK(process_send(process, &rc, sizeof rc));
  }
  return 0;
}

/* -- A shop with warm keys --------------------------------------------------------------------- */

struct shop {
  struct world world;
  struct wrapped_storage wrapped;
  struct process other;
  char organization[64];
  struct made_key key;
  struct made_key own; /* a member's */
};

static void open_environment(struct shop *shop) {
  static const char root_key[32] = "root";
  struct world *world = &shop->world;
  apikeys_storage sqlite, storage;
  ok(world, apikeys_storage_sqlite(&sqlite, world->path, -1, world->err));
  wrap_storage(&shop->wrapped, &sqlite, &storage);
  ok(world, apikeys_options_set_root_key(world->options, root_key, sizeof root_key));
  ok(world, apikeys_open_storage(&world->env, &storage, world->options, world->err));
}

static void warm_up(struct shop *shop) {
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(validate(&shop->world, shop->key.value, "posts:read"), APIKEYS_OK);
    ck_assert_int_eq(validate(&shop->world, shop->own.value, "posts:read"), APIKEYS_OK);
  }
}

static int reads(const struct shop *shop) {
  return shop->wrapped.calls[SLOT_BEGIN_READ];
}

static void assert_warm(struct shop *shop) {
  warm_up(shop);
  int before = reads(shop);
  warm_up(shop);
  ck_assert_int_eq(reads(shop), before);
}

static void assert_asks_each_time(struct shop *shop) {
  warm_up(shop);
  int before = reads(shop);
  warm_up(shop);
  ck_assert_int_eq(reads(shop), before + 4);
}

static void open_shop(struct shop *shop) {
  struct world *world = &shop->world;
  process_start(&shop->other, run_commands);
  world_open(world, BACKEND_SQLITE);
  apikeys_close(world->env);
  char made[160];
  const char *const endings[] = {"", ".root", "-revocations"};
  for (int i = 0; i < 3; i++) {
    snprintf(made, sizeof made, "%s%s", world->path, endings[i]);
    ck_assert_int_eq(unlink(made), 0);
  }
  open_environment(shop);
  make_posts(world);
  make_organization(world, "Acme", shop->organization);
  make_role(world, "", "reader", "posts:read");
  make_member(world, shop->organization, "user_1", "reader");
  make_key(world, key_spec(shop->organization, "CI", "posts:read"), &shop->key);
  make_key(world, member_key_spec(shop->organization, "user_1", "own", "posts:read"), &shop->own);
  assert_warm(shop);
}

static void close_shop(struct shop *shop) {
  world_close(&shop->world);
  process_finish(&shop->other);
}

/* What the SQL names: ?K the key's lookup id, ?M the member's key's, ?O the organization. */
static void put_names(const struct shop *shop, char *out, size_t size, const char *sql) {
  char key[17], own[17];
  size_t used = 0;
  lookup_id_of(key, shop->key.value);
  lookup_id_of(own, shop->own.value);
  for (const char *at = sql; *at != '\0' && used + 80 < size; at++) {
    const char *name = at[0] != '?'   ? NULL
                       : at[1] == 'K' ? key
                       : at[1] == 'M' ? own
                       : at[1] == 'O' ? shop->organization
                                      : NULL;
    if (name == NULL) {
      out[used++] = *at;
      continue;
    }
    used += (size_t)snprintf(out + used, size - used, "'%s'", name);
    at++;
  }
  out[used] = '\0';
}

/* Returns when the other process has committed. */
static void edit(struct shop *shop, const char *sql) {
  static struct command command;
  int rc = -1;
  memset(&command, 0, sizeof command);
  snprintf(command.path, sizeof command.path, "%s", shop->world.path);
  put_names(shop, command.sql, sizeof command.sql, sql);
  ck_assert(process_send(&shop->other, &command, sizeof command));
  ck_assert(process_receive(&shop->other, &rc, sizeof rc));
  ck_assert_msg(rc == SQLITE_OK, "%s: %d", command.sql, rc);
}

/* -- Edits ------------------------------------------------------------------------------------- */

/* With each the key's text, or the member's key's, is refused. */
static const struct bad_edit {
  const char *sql;
  int key, own; /* what their validations give afterwards */
} bad_edits[] = {
    {"UPDATE api_keys SET state = 2 WHERE lookup_id = ?K", APIKEYS_REVOKED, APIKEYS_OK},
    {"UPDATE api_keys SET expires_at = 1 WHERE lookup_id = ?M", APIKEYS_OK, APIKEYS_EXPIRED},
    {"UPDATE api_keys SET permissions = '' WHERE lookup_id = ?K", APIKEYS_NOT_PERMITTED,
     APIKEYS_OK},
    {"DELETE FROM api_keys WHERE lookup_id = ?K", APIKEYS_UNKNOWN, APIKEYS_OK},
    {"DELETE FROM api_keys", APIKEYS_UNKNOWN, APIKEYS_UNKNOWN},
    {"PRAGMA foreign_keys=OFF; DELETE FROM organizations", APIKEYS_OWNER_INACTIVE,
     APIKEYS_OWNER_INACTIVE},
    {"UPDATE organizations SET id = 'org_x' WHERE id = ?O", APIKEYS_OWNER_INACTIVE,
     APIKEYS_OWNER_INACTIVE},
    {"PRAGMA foreign_keys=OFF; DELETE FROM members", APIKEYS_OK, APIKEYS_OWNER_INACTIVE},
    {"UPDATE members SET roles = ''", APIKEYS_OK, APIKEYS_NOT_PERMITTED},
    {"UPDATE roles SET permissions = '' WHERE slug = 'reader'", APIKEYS_OK, APIKEYS_NOT_PERMITTED},
    {"DELETE FROM roles WHERE slug = 'reader'", APIKEYS_OK, APIKEYS_NOT_PERMITTED},
    {"UPDATE environment SET accepted_prefixes = 'none'", APIKEYS_MALFORMED, APIKEYS_MALFORMED},
    {"INSERT OR REPLACE INTO api_keys SELECT 99, id, owner_type, organization_id, user_id, name,"
     " permissions, 'AAAAAAAAAAAAAAAA', obfuscated_value, scheme, root_version, sealed_digest,"
     " state, expires_at, revoked_at, revoked_reason, created_at, updated_at FROM api_keys"
     " WHERE lookup_id = ?K",
     APIKEYS_UNKNOWN, APIKEYS_OK},
    {"UPDATE OR REPLACE api_keys SET id = (SELECT id FROM api_keys WHERE lookup_id = ?K)"
     " WHERE lookup_id = ?M",
     APIKEYS_UNKNOWN, APIKEYS_ERROR_CORRUPT},
    {"UPDATE OR REPLACE api_keys SET number = (SELECT number FROM api_keys WHERE lookup_id = ?M)"
     " WHERE lookup_id = ?K",
     APIKEYS_OK, APIKEYS_UNKNOWN},
    {"UPDATE api_keys SET state = 2 WHERE lookup_id = ?K; WITH RECURSIVE n (i) AS (VALUES (1) UNION"
     " ALL SELECT i + 1 FROM n WHERE i < 10001) INSERT INTO new_changes (kind, identity)"
     " SELECT 6, 'x' FROM n",
     APIKEYS_REVOKED, APIKEYS_OK},
    /* without our triggers, or with one that keeps them from running */
    {"DROP TRIGGER changes_api_keys_AFTER_UPDATE;"
     " UPDATE api_keys SET state = 2 WHERE lookup_id = ?K",
     APIKEYS_REVOKED, APIKEYS_OK},
    {"DROP TABLE changes; DROP TRIGGER changes_api_keys_AFTER_DELETE;"
     " DELETE FROM api_keys WHERE lookup_id = ?K",
     APIKEYS_UNKNOWN, APIKEYS_OK},
    {"CREATE TRIGGER theirs BEFORE INSERT ON changes BEGIN SELECT RAISE(IGNORE); END;"
     " UPDATE api_keys SET state = 2 WHERE lookup_id = ?K; DROP TRIGGER theirs",
     APIKEYS_REVOKED, APIKEYS_OK},
    {"VACUUM; DELETE FROM api_keys WHERE lookup_id = ?M", APIKEYS_OK, APIKEYS_UNKNOWN},
};
enum { BAD_EDITS = sizeof bad_edits / sizeof bad_edits[0] };

START_TEST(the_next_validation_sees_what_another_process_did) {
  struct shop shop;
  const struct bad_edit *bad = &bad_edits[_i];
  open_shop(&shop);
  edit(&shop, bad->sql);
  ck_assert_msg(validate(&shop.world, shop.key.value, "posts:read") == bad->key, "%s: %s", bad->sql,
                apikeys_error_message(shop.world.err));
  ck_assert_msg(validate(&shop.world, shop.own.value, "posts:read") == bad->own, "%s: %s", bad->sql,
                apikeys_error_message(shop.world.err));
  close_shop(&shop);
}
END_TEST

START_TEST(without_the_triggers_every_validation_asks) {
  struct shop shop;
  open_shop(&shop);
  edit(&shop, "DROP TRIGGER changes_api_keys_AFTER_UPDATE");
  assert_asks_each_time(&shop);
  edit(&shop, "UPDATE api_keys SET state = 2 WHERE lookup_id = ?K");
  ck_assert_int_eq(validate(&shop.world, shop.key.value, NULL), APIKEYS_REVOKED);
  edit(&shop, "UPDATE api_keys SET state = 1 WHERE lookup_id = ?K");
  assert_asks_each_time(&shop);
  close_shop(&shop);
}
END_TEST

START_TEST(other_edits_leave_the_keys_warm) {
  struct shop shop;
  open_shop(&shop);
  edit(&shop, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
  assert_warm(&shop); /* again, once it was looked at */
  int before = reads(&shop);
  edit(&shop, "INSERT INTO theirs VALUES (2); DELETE FROM events; UPDATE api_key_uses SET"
              " last_used_at = last_used_at + 1; UPDATE environment SET event_floor = 99");
  warm_up(&shop);
  ck_assert_int_eq(reads(&shop), before);
  close_shop(&shop);
}
END_TEST

/* -- Files ------------------------------------------------------------------------------------- */

static void in_place_of(const struct shop *shop, char *out, size_t size, const char *ending) {
  snprintf(out, size, "%s%s", shop->world.path, ending);
}

static void replace_by(const struct shop *shop, const char *ending) {
  char there[160], new[160];
  in_place_of(shop, there, sizeof there, ending);
  in_place_of(shop, new, sizeof new, ".new");
  FILE *file = fopen(new, "w");
  ck_assert_ptr_nonnull(file);
  fclose(file);
  ck_assert_int_eq(rename(new, there), 0);
}

static void delete_file(const struct shop *shop, const char *ending) {
  char there[160];
  in_place_of(shop, there, sizeof there, ending);
  ck_assert_int_eq(unlink(there), 0);
}

/* With the cache and without: not one validation is good any more, a second later. */
START_TEST(files_that_are_not_the_ones_end_all_validations) {
  static const char *const endings[] = {"", "-wal", "-shm"};
  struct shop shop;
  struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
  open_shop(&shop);
  if (_i >= 6) {
    apikeys_close(shop.world.env);
    ok(&shop.world, apikeys_options_set_cache_keys(shop.world.options, 0));
    open_environment(&shop);
    assert_asks_each_time(&shop);
  }
  if (_i % 2 == 0)
    delete_file(&shop, endings[_i / 2 % 3]);
  else
    replace_by(&shop, endings[_i / 2 % 3]);
  while (validate(&shop.world, shop.key.value, NULL) == APIKEYS_OK)
    nanosleep(&pause, NULL);
  for (int i = 0; i < 10; i++) {
    ck_assert_int_eq(validate(&shop.world, shop.key.value, NULL), APIKEYS_ERROR_STORE_REPLACED);
    ck_assert_int_eq(revoke_key(&shop.world, shop.key.id, NULL), APIKEYS_ERROR_STORE_REPLACED);
  }
  close_shop(&shop);
}
END_TEST

/* -- Fork -------------------------------------------------------------------------------------- */

/* The child has the parent's cache in its memory, and must not use it. */
START_TEST(a_child_does_not_go_by_what_its_parent_knew) {
  struct shop shop;
  open_shop(&shop);
  int prepared = _i == 1;
  if (prepared)
    ok(&shop.world, apikeys_prepare_fork(shop.world.env, shop.world.err));
  edit(&shop, "DELETE FROM api_keys WHERE lookup_id = ?K");
  fflush(NULL);
  pid_t child = fork();
  if (child == 0)
    _exit(validate(&shop.world, shop.key.value, NULL) ==
                  (prepared ? APIKEYS_UNKNOWN : APIKEYS_ERROR_FORKED)
              ? 0
              : 1);
  await_good_end(child);
  ck_assert_int_eq(validate(&shop.world, shop.key.value, NULL), APIKEYS_UNKNOWN);
  ck_assert_int_eq(validate(&shop.world, shop.own.value, NULL), APIKEYS_OK);
  close_shop(&shop);
}
END_TEST

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  Suite *suite = suite_create("coherence");
  TCase *tcase = tcase_create("with another process");
  tcase_add_loop_test(tcase, the_next_validation_sees_what_another_process_did, 0, BAD_EDITS);
  tcase_add_test(tcase, without_the_triggers_every_validation_asks);
  tcase_add_test(tcase, other_edits_leave_the_keys_warm);
  tcase_add_loop_test(tcase, files_that_are_not_the_ones_end_all_validations, 0, 12);
  tcase_add_loop_test(tcase, a_child_does_not_go_by_what_its_parent_knew, 0, 2);
  tcase_set_timeout(tcase, 120);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
