/* SPDX-License-Identifier: MIT */
/*
 * What the SQLite back-end tells of changes that it did not make itself: whatever another
 * connection does to the database is told of, or said not to be known. And when the database is
 * not the one any more that was opened, that is told too.
 */
#define _GNU_SOURCE /* what the fixture needs */
#include "sqlite_fixture.h"

#include "storage/sqlite/sqlite.h"

#include "support/suite.h"

#include <stdbool.h>
#include <sys/mman.h>
#include <time.h>

static apikeys_storage store;

static void open_it(void) {
  set_up();
  store = open_store();
}

static void close_it(void) {
  close_store(&store);
  tear_down();
}

/* -- Asking ------------------------------------------------------------------------------------ */

static int ask(uint64_t *generation) {
  return store.generation(store.self, generation);
}

static uint64_t generation(void) {
  uint64_t now = 0;
  ck_assert_int_eq(ask(&now), APIKEYS_OK);
  return now;
}

static void assert_unknown(void) {
  uint64_t now;
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq(ask(&now), APIKEYS_ERROR_UNSUPPORTED);
}

struct told {
  int count;
  char text[65536]; /* "kind:identity " for each */
};

static int note(int kind, const char *identity, size_t length, void *data) {
  struct told *told = data;
  char one[256];
  snprintf(one, sizeof one, "%d:%.*s ", kind, (int)length, identity);
  if (strlen(told->text) + strlen(one) < sizeof told->text)
    strcat(told->text, one);
  told->count++;
  return APIKEYS_OK;
}

static struct told told;

static int changes_since(uint64_t since) {
  memset(&told, 0, sizeof told);
  apikeys_transaction *transaction = start(&store, APIKEYS_TRANSACTION_READ);
  int rc = store.changes(store.self, transaction, since, note, &told);
  ck_assert_int_eq(finish(&store, transaction), APIKEYS_OK);
  return rc;
}

/* The generation moves, and this is told; `wanted` may be in any order and more may be told. */
static void assert_told(uint64_t since, const char *wanted) {
  ck_assert_uint_ne(generation(), since);
  ck_assert_int_eq(changes_since(since), APIKEYS_OK);
  ck_assert_msg(strstr(told.text, wanted) != NULL, "'%s' in '%s'", wanted, told.text);
}

static void assert_gap(uint64_t since) {
  ck_assert_uint_ne(generation(), since);
  ck_assert_int_eq(changes_since(since), APIKEYS_ERROR_UNSUPPORTED);
  ck_assert_int_eq(told.count, 0);
}

static void assert_quiet(uint64_t since) {
  ck_assert_uint_eq(generation(), since);
  ck_assert_int_eq(changes_since(since), APIKEYS_OK);
  ck_assert_int_eq(told.count, 0);
}

static void add_record(int kind, const char *tag) {
  apikeys_transaction *transaction = start(&store, APIKEYS_TRANSACTION_WRITE);
  ck_assert_int_eq(insert_into(&store, transaction, kind, tag), APIKEYS_OK);
  ck_assert_int_eq(finish(&store, transaction), APIKEYS_OK);
}

/* -- What is told ------------------------------------------------------------------------------ */

START_TEST(a_commit_that_alters_no_validation_goes_by) {
  add_record(AK_API_KEY, "a");
  uint64_t before = generation();
  add_record(AK_API_KEY, "b"); /* that it was unknown is in no cache */
  add_record(AK_API_KEY_USE, "a");
  add_record(AK_EVENT, "a");
  assert_quiet(before);
}
END_TEST

START_TEST(the_events_floor_alters_no_validation) {
  add_record(AK_ENVIRONMENT, "a");
  uint64_t before = generation();
  run_sql(path, "UPDATE environment SET event_floor = event_floor + 1, prefix = 'new'");
  assert_quiet(before);
  run_sql(path, "UPDATE environment SET accepted_prefixes = 'new'");
  assert_told(before, "1: ");
}
END_TEST

START_TEST(each_edit_names_what_it_changed) {
  static const char *const edits[][2] = {
      {"UPDATE api_keys SET state = 2 WHERE lookup_id = 'lookup_id-a'", "6:lookup_id-a "},
      {"UPDATE api_keys SET lookup_id = 'moved' WHERE lookup_id = 'lookup_id-a'", "6:moved "},
      {"UPDATE api_keys SET lookup_id = 'moved' WHERE lookup_id = 'lookup_id-a'", "6:lookup_id-a "},
      {"DELETE FROM api_keys WHERE lookup_id = 'lookup_id-a'", "6:lookup_id-a "},
      {"DELETE FROM api_keys", "6:lookup_id-b "},
      {"PRAGMA foreign_keys=OFF; DELETE FROM organizations", "4:id-a "},
      {"DELETE FROM members", "5:organization_id-b "},
      {"UPDATE members SET roles = ''", "5:organization_id-a "},
      {"UPDATE roles SET permissions = ''", "3:organization_id-a "},
      {"DELETE FROM permissions WHERE slug = 'slug-a'", "2: "},
      {"DELETE FROM environment", "1: "},
      /* rows that go without a trigger of theirs */
      {"INSERT OR REPLACE INTO api_keys SELECT 99, id, owner_type, organization_id, user_id, name,"
       " permissions, 'another', obfuscated_value, scheme, root_version, sealed_digest, state,"
       " expires_at, revoked_at, revoked_reason, created_at, updated_at FROM api_keys"
       " WHERE lookup_id = 'lookup_id-a'",
       "6:lookup_id-a "},
      {"REPLACE INTO api_keys SELECT number, 'api_key_x', owner_type, organization_id, user_id,"
       " name, permissions, 'another', obfuscated_value, scheme, root_version, sealed_digest,"
       " state, expires_at, revoked_at, revoked_reason, created_at, updated_at FROM api_keys"
       " WHERE lookup_id = 'lookup_id-a'",
       "6:lookup_id-a "},
      {"UPDATE OR REPLACE api_keys SET lookup_id = 'lookup_id-a' WHERE lookup_id = 'lookup_id-b'",
       "6:lookup_id-a "},
      {"UPDATE OR REPLACE api_keys SET id = 'id-a' WHERE lookup_id = 'lookup_id-b'",
       "6:lookup_id-a "},
      {"UPDATE OR REPLACE api_keys SET number = (SELECT number FROM api_keys WHERE lookup_id ="
       " 'lookup_id-a') WHERE lookup_id = 'lookup_id-b'",
       "6:lookup_id-a "},
      {"UPDATE OR REPLACE organizations SET id = 'id-a' WHERE id = 'id-b'", "4:id-a "},
      {"INSERT INTO api_keys SELECT number, id, owner_type, organization_id, user_id, name, '',"
       " lookup_id, obfuscated_value, scheme, root_version, sealed_digest, state, expires_at,"
       " revoked_at, revoked_reason, created_at, updated_at FROM api_keys WHERE lookup_id ="
       " 'lookup_id-a' ON CONFLICT (id) DO UPDATE SET permissions = excluded.permissions",
       "6:lookup_id-a "},
  };
  for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
    for (int kind = AK_ENVIRONMENT; kind <= AK_API_KEY; kind++)
      for (const char *tag = "a"; tag != NULL; tag = tag[0] == 'a' ? "b" : NULL)
        add_record(kind, tag);
    uint64_t before = generation();
    run_sql(path, edits[i][0]);
    ck_assert_msg(generation() != before, "%s", edits[i][0]);
    assert_told(before, edits[i][1]);
    run_sql(path, "DELETE FROM api_keys; DELETE FROM members; DELETE FROM organizations;"
                  " DELETE FROM roles; DELETE FROM permissions; DELETE FROM environment");
  }
}
END_TEST

START_TEST(what_is_rolled_back_is_not_told) {
  add_record(AK_API_KEY, "a");
  uint64_t before = generation();
  run_sql(path, "BEGIN; DELETE FROM api_keys; ROLLBACK");
  assert_quiet(before);
}
END_TEST

/* -- Whose triggers ---------------------------------------------------------------------------- */

static const char *trigger_names(void) {
  return ask_sql(path, "SELECT group_concat(name, ' ') FROM sqlite_schema WHERE type = 'trigger'");
}

static char *trigger_sql(const char *name) {
  char question[256];
  snprintf(question, sizeof question, "SELECT sql FROM sqlite_schema WHERE name = '%s'", name);
  return strdup(ask_sql(path, question));
}

/* For each: dropped, and made again differently, nothing is known; made again as it was, it is. */
START_TEST(a_trigger_that_is_not_ours_ends_all_knowledge) {
  char *names = strdup(trigger_names()), *state = NULL;
  int count = 0;
  add_record(AK_API_KEY, "a");
  for (char *name = strtok_r(names, " ", &state); name != NULL;
       name = strtok_r(NULL, " ", &state)) {
    char edit[4096];
    char *made_with = trigger_sql(name);
    uint64_t before = generation();
    snprintf(edit, sizeof edit, "DROP TRIGGER %s", name);
    run_sql(path, edit);
    assert_unknown();
    /* Without the one that numbers entries a change fails, which is as well. */
    execute_sql(path, "UPDATE api_keys SET updated_at = updated_at + 1", NULL);
    assert_unknown();
    ck_assert_int_eq(changes_since(before), APIKEYS_ERROR_UNSUPPORTED);
    snprintf(edit, sizeof edit, "%.*sSELECT 1; END", (int)(strlen(made_with) - 3), made_with);
    run_sql(path, edit);
    assert_unknown();
    snprintf(edit, sizeof edit, "DROP TRIGGER %s; %s", name, made_with);
    run_sql(path, edit);
    assert_gap(before);
    free(made_with);
    count++;
  }
  free(names);
  ck_assert_int_eq(count, 33);
}
END_TEST

START_TEST(a_trigger_beside_ours_ends_all_knowledge) {
  static const char *const triggers[] = {
      "BEFORE INSERT ON changes BEGIN SELECT RAISE(IGNORE); END",
      "AFTER UPDATE ON api_keys BEGIN SELECT RAISE(IGNORE); END",
      "AFTER DELETE ON Members BEGIN SELECT RAISE(IGNORE); END",
  };
  add_record(AK_API_KEY, "a");
  for (size_t i = 0; i < sizeof triggers / sizeof triggers[0]; i++) {
    char edit[256];
    uint64_t before = generation();
    snprintf(edit, sizeof edit, "CREATE TRIGGER theirs %s", triggers[i]);
    run_sql(path, edit);
    assert_unknown();
    run_sql(path, "DELETE FROM api_keys WHERE 0; UPDATE api_keys SET state = 2");
    assert_unknown();
    run_sql(path, "DROP TRIGGER theirs");
    assert_gap(before);
  }
}
END_TEST

START_TEST(a_table_of_changes_that_is_not_ours_ends_all_knowledge) {
  uint64_t before = generation();
  char *table = trigger_sql("changes");
  char *triggers[] = {trigger_sql("changes_follow_head"), trigger_sql("changes_stay_as_they_are"),
                      trigger_sql("changes_stay")};
  char edit[4096];
  run_sql(path, "DROP TABLE changes");
  assert_unknown();
  run_sql(path,
          "CREATE TABLE changes (generation INTEGER PRIMARY KEY, kind INTEGER, identity TEXT)");
  assert_unknown();
  snprintf(edit, sizeof edit, "DROP TABLE changes; %s; %s; %s; %s", table, triggers[0], triggers[1],
           triggers[2]);
  run_sql(path, edit);
  assert_gap(before);
  free(table);
  for (int i = 0; i < 3; i++)
    free(triggers[i]);
}
END_TEST

START_TEST(other_changes_of_the_schema_leave_a_gap) {
  static const char trigger[] =
      "CREATE TRIGGER theirs_too AFTER INSERT ON events BEGIN SELECT 1; END";
  static const char *const edits[] = {"CREATE INDEX theirs ON api_keys (name)",
                                      "CREATE TABLE another (a)", trigger, "DROP INDEX theirs",
                                      "VACUUM"};
  for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
    uint64_t before = generation();
    run_sql(path, edits[i]);
    assert_gap(before);
    assert_quiet(generation());
  }
}
END_TEST

START_TEST(a_store_without_its_triggers_can_be_opened) {
  close_store(&store);
  char *text = trigger_sql("changes_api_keys_AFTER_UPDATE");
  run_sql(path, "DROP TRIGGER changes_api_keys_AFTER_UPDATE");
  store = open_store();
  assert_unknown();
  ck_assert_int_eq(add(&store, "one"), APIKEYS_OK);
  run_sql(path, text);
  assert_quiet(generation());
  free(text);
}
END_TEST

/* -- Rows that are missing --------------------------------------------------------------------- */

static void assert_refused(const char *sql) {
  ck_assert_msg(execute_sql(path, sql, NULL) == SQLITE_CONSTRAINT, "%s", sql);
}

/* What a shell could do to make an edit go unnoticed. */
START_TEST(the_log_cannot_be_set_back_or_altered) {
  static const char *const edits[] = {
      "DELETE FROM changes",
      "DELETE FROM changes WHERE generation = (SELECT generation FROM head)",
      "UPDATE changes SET identity = 'x'",
      "UPDATE changes SET generation = generation - 1",
      "UPDATE OR REPLACE changes SET generation = 1",
      "INSERT INTO changes SELECT generation, mark, 6, 'x' FROM head",
      "INSERT OR REPLACE INTO changes SELECT generation, mark, 6, 'x' FROM head",
      "INSERT OR IGNORE INTO changes SELECT generation + 1, mark, 6, 'x' FROM head",
      "UPDATE head SET generation = generation - 1",
      "UPDATE head SET generation = generation",
      "UPDATE OR REPLACE head SET one = 1, generation = 0",
      "UPDATE OR IGNORE head SET generation = 0",
      "DELETE FROM head",
      "INSERT INTO head VALUES (1, 0, 0)",
      "INSERT OR REPLACE INTO head VALUES (1, 0, 0)",
      "REPLACE INTO head SELECT 1, generation - 1, mark FROM head",
  };
  add_record(AK_API_KEY, "a");
  run_sql(path, "UPDATE api_keys SET state = 2; UPDATE api_keys SET state = 1");
  uint64_t before = generation();
  for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
    char edit[512];
    assert_refused(edits[i]);
    /* Nor together with the change that it would hide. */
    snprintf(edit, sizeof edit, "BEGIN; UPDATE api_keys SET state = state + 2; %s; COMMIT",
             edits[i]);
    assert_refused(edit);
    assert_quiet(before);
  }
}
END_TEST

START_TEST(sequences_set_back_change_nothing) {
  add_record(AK_API_KEY, "a");
  run_sql(path, "UPDATE api_keys SET state = 2");
  uint64_t before = generation();
  run_sql(path, "DELETE FROM sqlite_sequence; UPDATE api_keys SET state = 1");
  assert_told(before, "6:lookup_id-a ");
  before = generation();
  run_sql(path, "UPDATE sqlite_sequence SET seq = seq - 1; UPDATE api_keys SET state = 2");
  assert_told(before, "6:lookup_id-a ");
}
END_TEST

START_TEST(a_number_without_its_entry_is_a_gap) {
  add_record(AK_API_KEY, "a");
  uint64_t before = generation();
  run_sql(path, "UPDATE head SET generation = generation + 1");
  assert_gap(before);
}
END_TEST

START_TEST(changes_pruned_past_a_reader_are_a_gap) {
  add_record(AK_API_KEY, "a");
  uint64_t before = generation();
  run_sql(path, "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 9999)"
                " INSERT INTO new_changes (kind, identity) SELECT 6, 'x' FROM n");
  ck_assert_int_eq(changes_since(before), APIKEYS_OK);
  ck_assert_int_eq(told.count, 9999);
  uint64_t later = generation();
  run_sql(path, "DELETE FROM api_keys; INSERT INTO new_changes (kind, identity) VALUES (6, 'y')");
  assert_gap(before);
  assert_told(later, "6:lookup_id-a ");
  ck_assert_int_le(atoi(ask_sql(path, "SELECT count(*) FROM changes")), 10000);
}
END_TEST

/* -- Another history --------------------------------------------------------------------------- */

static void assert_final(int code) {
  uint64_t now;
  apikeys_transaction *transaction = NULL;
  ck_assert_int_eq(ask(&now), APIKEYS_ERROR_UNSUPPORTED);
  for (int mode = APIKEYS_TRANSACTION_READ; mode <= APIKEYS_TRANSACTION_WRITE; mode++)
    ck_assert_int_eq(store.begin(store.self, mode, &transaction), code);
}

/* Puts the content of another database into this one through SQLite, as its shell's .restore
 * does. */
static void restore_from(const char *copy) {
  sqlite3 *from = NULL, *to = NULL;
  ck_assert_int_eq(sqlite3_open(copy, &from), SQLITE_OK);
  ck_assert_int_eq(sqlite3_open(path, &to), SQLITE_OK);
  sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
  ck_assert_ptr_nonnull(backup);
  ck_assert_int_eq(sqlite3_backup_step(backup, -1), SQLITE_DONE);
  ck_assert_int_eq(sqlite3_backup_finish(backup), SQLITE_OK);
  sqlite3_close(to);
  sqlite3_close(from);
}

/* _i further changes in the copy: fewer than were made here meanwhile, as many, more. */
START_TEST(an_earlier_state_brought_back_is_noticed) {
  char copy[256], edit[256];
  add_record(AK_API_KEY, "a");
  snprintf(copy, sizeof copy, "%s", in_directory("copy.db"));
  ck_assert_int_eq(store.backup(store.self, copy), APIKEYS_OK);
  run_sql(path, "UPDATE api_keys SET state = 2; UPDATE api_keys SET name = 'x'");
  generation();
  for (int i = 0; i < _i; i++) {
    snprintf(edit, sizeof edit, "UPDATE api_keys SET updated_at = %d", i);
    run_sql(copy, edit);
  }
  restore_from(copy);
  uint64_t now;
  ck_assert_int_eq(ask(&now), APIKEYS_ERROR_UNSUPPORTED);
  assert_final(APIKEYS_ERROR_STORE_WENT_BACK);
}
END_TEST

START_TEST(a_writer_notices_an_earlier_state_by_itself) {
  char copy[256];
  apikeys_transaction *transaction = NULL;
  add_record(AK_API_KEY, "a");
  snprintf(copy, sizeof copy, "%s", in_directory("copy.db"));
  ck_assert_int_eq(store.backup(store.self, copy), APIKEYS_OK);
  run_sql(path, "UPDATE api_keys SET state = 2");
  generation();
  restore_from(copy);
  ck_assert_int_eq(store.begin(store.self, APIKEYS_TRANSACTION_WRITE, &transaction),
                   APIKEYS_ERROR_STORE_WENT_BACK);
  assert_final(APIKEYS_ERROR_STORE_WENT_BACK);
}
END_TEST

static void copy_bytes_over(const char *from, const char *to) {
  static char bytes[1 << 20];
  FILE *source = fopen(from, "rb");
  size_t length = fread(bytes, 1, sizeof bytes, source);
  fclose(source);
  int target = open(to, O_WRONLY | O_TRUNC); /* the inode stays, as with cp */
  ck_assert_int_ge(target, 0);
  ck_assert_int_eq(write(target, bytes, length), (ssize_t)length);
  _exit(close(target)); /* in a child: closing drops a process's locks on the file */
}

START_TEST(a_backup_copied_over_the_file_is_noticed) {
  char copy[256];
  apikeys_transaction *transaction = NULL;
  add_record(AK_API_KEY, "a");
  snprintf(copy, sizeof copy, "%s", in_directory("copy.db"));
  ck_assert_int_eq(store.backup(store.self, copy), APIKEYS_OK);
  run_sql(path, "UPDATE api_keys SET state = 2");
  run_sql(path, "PRAGMA wal_checkpoint(PASSIVE)");
  add_record(AK_EVENT, "a"); /* a look at the files as they are */
  pid_t child = fork();
  if (child == 0)
    copy_bytes_over(copy, path);
  int status;
  waitpid(child, &status, 0);
  ck_assert_int_eq(status, 0);
  ck_assert_int_eq(store.begin(store.self, APIKEYS_TRANSACTION_WRITE, &transaction),
                   APIKEYS_ERROR_STORE_REPLACED);
  assert_final(APIKEYS_ERROR_STORE_REPLACED);
}
END_TEST

START_TEST(checkpoints_of_every_kind_are_no_alarm) {
  static const char *const kinds[] = {"PASSIVE", "FULL", "RESTART", "TRUNCATE"};
  for (int i = 0; i < 40; i++) {
    char sql[64];
    char tag[16];
    snprintf(sql, sizeof sql, "PRAGMA wal_checkpoint(%s)", kinds[i % 4]);
    snprintf(tag, sizeof tag, "k%d", i);
    add_record(AK_API_KEY, tag);
    run_sql(path, sql);
    if (i % 3 == 0)
      run_sql(path, "VACUUM");
  }
  generation();
}
END_TEST

START_TEST(what_is_no_generation_of_this_store_is_a_gap) {
  uint64_t now = generation();
  ck_assert_int_eq(changes_since(now + 1), APIKEYS_ERROR_UNSUPPORTED);
  ck_assert_int_eq(changes_since(UINT64_MAX), APIKEYS_ERROR_UNSUPPORTED);
  ck_assert_int_eq(changes_since(now ^ (UINT64_C(1) << 63)), APIKEYS_ERROR_UNSUPPORTED);
}
END_TEST

/* -- The wal-index ----------------------------------------------------------------------------- */

/* In a child, whose closing of the file drops no lock of ours: a writer that died between the
 * header's two copies. */
static int write_half_a_header(const char *name) {
  int fd = open(name, O_RDWR);
  unsigned char *index = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (index == MAP_FAILED)
    return 1;
  index[48 + 8] ^= 0xff; /* of the second copy, which is written first: the count of changes */
  return 0;
}

START_TEST(half_a_header_is_no_knowledge_until_a_reader_has_mended_it) {
  uint64_t before = generation();
  ck_assert_int_eq(in_child(write_half_a_header, in_directory("keys.db-shm")), 0);
  assert_unknown();
  ck_assert_int_eq(look_for(&store, "one"), APIKEYS_ERROR_NOT_FOUND);
  assert_quiet(before);
}
END_TEST

/* The system's file layer, in which another connection commits while a lock of a reader's is taken
 * or given back: when the watch begins to read the generation, or has just read it. */
static sqlite3_vfs *system_layer;
static const sqlite3_io_methods *system_methods;
static sqlite3_io_methods intruded_methods;
static int intrude_at; /* SQLITE_SHM_LOCK, SQLITE_SHM_UNLOCK; 0: not any more */

static int lock_with_intruder(sqlite3_file *file, int offset, int count, int flags) {
  bool now = (flags & SQLITE_SHM_SHARED) != 0 && (flags & intrude_at) != 0;
  bool before = (flags & SQLITE_SHM_LOCK) != 0;
  if (now)
    intrude_at = 0;
  if (now && before)
    run_sql(path, "UPDATE api_keys SET state = state + 1");
  int rc = system_methods->xShmLock(file, offset, count, flags);
  if (now && !before)
    run_sql(path, "UPDATE api_keys SET state = state + 1");
  return rc;
}

static int open_with_intruder(sqlite3_vfs *layer, const char *name, sqlite3_file *file, int flags,
                              int *out) {
  (void)layer;
  int rc = system_layer->xOpen(system_layer, name, file, flags, out);
  if (rc == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB) != 0) {
    system_methods = file->pMethods;
    intruded_methods = *system_methods;
    intruded_methods.xShmLock = lock_with_intruder;
    file->pMethods = &intruded_methods;
  }
  return rc;
}

static void open_in_layer(sqlite3_vfs *layer) {
  close_store(&store);
  ck_assert_int_eq(sqlite3_vfs_register(layer, 1), SQLITE_OK);
  store = open_store();
}

/* The number belongs to what the wal-index said before it was read, not after. */
START_TEST(a_commit_beside_the_look_is_seen_by_the_next) {
  static const int moments[] = {SQLITE_SHM_LOCK, SQLITE_SHM_UNLOCK};
  static sqlite3_vfs layer; /* which a failed assertion leaves registered */
  system_layer = sqlite3_vfs_find(NULL);
  layer = *system_layer;
  layer.zName = "intruded";
  layer.pNext = NULL;
  layer.xOpen = open_with_intruder;
  add_record(AK_API_KEY, "a");
  open_in_layer(&layer);
  generation();
  run_sql(path,
          "UPDATE api_keys SET state = state + 1"); /* so that there is something to look at */
  intrude_at = moments[_i];
  uint64_t during = generation();
  ck_assert_int_eq(intrude_at, 0);
  if (moments[_i] == SQLITE_SHM_LOCK)
    assert_quiet(during); /* its commit was read */
  else
    assert_told(during, "6:lookup_id-a ");
  open_in_layer(system_layer);
  ck_assert_int_eq(sqlite3_vfs_unregister(&layer), SQLITE_OK);
}
END_TEST

static int count_mappings(void) {
  char line[PATH_MAX + 128];
  int count = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
    count += strstr(line, "keys.db-shm") != NULL;
  if (maps != NULL)
    fclose(maps);
  return count;
}

START_TEST(nothing_stays_mapped) {
  for (int i = 0; i < 20; i++) {
    generation();
    ck_assert_int_eq(store.prepare_fork(store.self), APIKEYS_OK);
    ck_assert_int_eq(count_mappings(), 0);
    assert_unknown(); /* it rests until it is used again */
    ck_assert_int_eq(look_for(&store, "one"), APIKEYS_ERROR_NOT_FOUND);
    generation();
    ck_assert_int_le(count_mappings(), 1);
    close_store(&store);
    ck_assert_int_eq(count_mappings(), 0);
    store = open_store();
  }
}
END_TEST

/* -- Journals ---------------------------------------------------------------------------------- */

START_TEST(a_database_with_a_rollback_journal_becomes_one_with_a_log) {
  close_store(&store);
  run_sql(path, "PRAGMA journal_mode=DELETE");
  ck_assert_str_eq(ask_sql(path, "PRAGMA journal_mode"), "delete");
  store = open_store();
  uint64_t before = generation();
  ck_assert_str_eq(ask_sql(path, "PRAGMA journal_mode"), "wal");
  add_record(AK_API_KEY, "a");
  run_sql(path, "DELETE FROM api_keys");
  assert_told(before, "6:lookup_id-a ");
}
END_TEST

START_TEST(nobody_takes_the_log_away_while_it_is_watched) {
  sqlite3 *db = NULL;
  uint64_t before = generation();
  ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
  ck_assert_int_eq(sqlite3_exec(db, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL), SQLITE_BUSY);
  ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
  assert_quiet(before);
}
END_TEST

START_TEST(a_log_taken_away_while_the_store_rests_comes_back) {
  add_record(AK_API_KEY, "a");
  uint64_t before = generation();
  ck_assert_int_eq(store.prepare_fork(store.self), APIKEYS_OK);
  run_sql(path, "PRAGMA journal_mode=DELETE; UPDATE api_keys SET state = 2");
  assert_unknown();
  ck_assert_int_eq(look_for(&store, "one"), APIKEYS_ERROR_NOT_FOUND);
  assert_told(before, "6:lookup_id-a ");
  run_sql(path, "DELETE FROM api_keys");
  assert_told(before, "6:lookup_id-a ");
}
END_TEST

/* A file layer without shared memory, as that of databases in memory: nothing could be watched. */
static sqlite3_vfs *real_layer;
static sqlite3_io_methods poor_methods;

static int open_poor(sqlite3_vfs *layer, const char *name, sqlite3_file *file, int flags,
                     int *out) {
  (void)layer;
  int rc = real_layer->xOpen(real_layer, name, file, flags, out);
  /* Only the database: a journal has methods of its own, which know of no locks. */
  if (rc == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB) != 0) {
    poor_methods = *file->pMethods;
    poor_methods.iVersion = 1;
    poor_methods.xShmMap = NULL;
    file->pMethods = &poor_methods;
  }
  return rc;
}

START_TEST(without_shared_memory_there_is_no_store) {
  real_layer = sqlite3_vfs_find(NULL);
  sqlite3_vfs layer = *real_layer;
  apikeys_storage other;
  layer.zName = "poor";
  layer.pNext = NULL;
  layer.xOpen = open_poor;
  ck_assert_int_eq(sqlite3_vfs_register(&layer, 1), SQLITE_OK);
  ck_assert_int_eq(try_open(&other, in_directory("other.db"), 0), APIKEYS_ERROR_UNSUPPORTED);
  ck_assert_int_eq(sqlite3_vfs_register(real_layer, 1), SQLITE_OK);
  ck_assert_int_eq(sqlite3_vfs_unregister(&layer), SQLITE_OK);
  ck_assert_int_eq(try_open(&other, ":memory:", 0), APIKEYS_ERROR_INVALID_ARGUMENT);
  other = open_at(in_directory("other.db")); /* nothing is left of the attempt: no lock on it */
  close_store(&other);
}
END_TEST

/* -- Files that are not the ones --------------------------------------------------------------- */

static void remove_database(void) {
  ck_assert_int_eq(unlink(path), 0);
}

static void replace_database(void) {
  apikeys_storage other = open_at(in_directory("other.db"));
  close_store(&other);
  ck_assert_int_eq(rename(in_directory("other.db"), path), 0);
}

static void remove_index(void) {
  ck_assert_int_eq(unlink(in_directory("keys.db-shm")), 0);
}

static void remove_log(void) {
  ck_assert_int_eq(unlink(in_directory("keys.db-wal")), 0);
}

static void replace_log(void) {
  write_bytes(in_directory("new"), "", 0);
  ck_assert_int_eq(rename(in_directory("new"), in_directory("keys.db-wal")), 0);
}

static void (*const losses[])(void) = {remove_database, replace_database, remove_index, remove_log,
                                       replace_log};
enum { LOSSES = sizeof losses / sizeof losses[0] };

static void pause_shortly(void) {
  struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
  nanosleep(&pause, NULL);
}

static int try_begin(int mode) {
  apikeys_transaction *transaction = NULL;
  int rc = store.begin(store.self, mode, &transaction);
  if (rc == APIKEYS_OK)
    store.rollback(store.self, transaction);
  return rc;
}

/* Every call is told, and goes on being told, until the store is opened again. */
static void assert_replaced(void) {
  assert_unknown();
  ck_assert_int_eq(try_begin(APIKEYS_TRANSACTION_READ), APIKEYS_ERROR_STORE_REPLACED);
  ck_assert_int_eq(try_begin(APIKEYS_TRANSACTION_WRITE), APIKEYS_ERROR_STORE_REPLACED);
  close_store(&store);
  store = open_store();
  ck_assert_int_eq(add(&store, "new"), APIKEYS_OK);
  ck_assert_int_eq(look_for(&store, "new"), APIKEYS_OK);
  assert_quiet(generation());
}

START_TEST(the_generation_notices_that_a_file_is_not_the_one) {
  uint64_t now;
  generation();
  losses[_i]();
  while (ask(&now) == APIKEYS_OK)
    pause_shortly();
  assert_replaced();
}
END_TEST

/* As with the cache off, where nobody asks for the generation. */
START_TEST(a_reader_notices_that_a_file_is_not_the_one) {
  ck_assert_int_eq(look_for(&store, "one"), APIKEYS_ERROR_NOT_FOUND); /* has its connection */
  losses[_i]();
  while (try_begin(APIKEYS_TRANSACTION_READ) == APIKEYS_OK)
    pause_shortly();
  assert_replaced();
}
END_TEST

START_TEST(a_writer_notices_at_once_that_a_file_is_not_the_one) {
  losses[_i]();
  ck_assert_int_eq(try_begin(APIKEYS_TRANSACTION_WRITE), APIKEYS_ERROR_STORE_REPLACED);
  assert_replaced();
}
END_TEST

/* The commit is in a log that no other process will ever read. */
START_TEST(a_commit_to_files_that_are_gone_is_not_acknowledged) {
  apikeys_transaction *transaction = start(&store, APIKEYS_TRANSACTION_WRITE);
  ck_assert_int_eq(insert_into(&store, transaction, AK_API_KEY, "lost"), APIKEYS_OK);
  losses[_i]();
  ck_assert_int_eq(store.commit(store.self, transaction), APIKEYS_ERROR_OUTCOME_UNKNOWN);
  assert_replaced();
}
END_TEST

/* After a prepared fork there is no watch until somebody asks for the generation: with the cache
 * off nobody does. */
START_TEST(so_it_is_where_nothing_is_watched) {
  ck_assert_int_eq(store.prepare_fork(store.self), APIKEYS_OK);
  apikeys_transaction *transaction = start(&store, APIKEYS_TRANSACTION_WRITE);
  ck_assert_int_eq(insert_into(&store, transaction, AK_API_KEY, "lost"), APIKEYS_OK);
  losses[_i]();
  ck_assert_int_eq(store.commit(store.self, transaction), APIKEYS_ERROR_OUTCOME_UNKNOWN);
  ck_assert_int_eq(try_begin(APIKEYS_TRANSACTION_WRITE), APIKEYS_ERROR_STORE_REPLACED);
  ck_assert_int_eq(try_begin(APIKEYS_TRANSACTION_READ), APIKEYS_ERROR_STORE_REPLACED);
}
END_TEST

static int64_t log_size(void) {
  struct stat status;
  ck_assert_int_eq(stat(in_directory("keys.db-wal"), &status), 0);
  return (int64_t)status.st_size;
}

START_TEST(a_long_log_is_shortened_once_its_reader_has_gone) {
  apikeys_transaction *reader = start(&store, APIKEYS_TRANSACTION_READ);
  find(&store, reader, "none"); /* the snapshot is taken at the first read */
  run_sql(path, "CREATE TABLE theirs (a)");
  while (log_size() < 3 * AK_SQLITE_LOG_BYTES)
    run_sql(path, "INSERT INTO theirs VALUES (randomblob(1000000))");
  ck_assert_int_eq(finish(&store, reader), APIKEYS_OK);
  add_record(AK_API_KEY, "a");
  ck_assert_int_le(log_size(), AK_SQLITE_LOG_BYTES);
}
END_TEST

/* -- Forks ------------------------------------------------------------------------------------- */

static int ask_in_child(const char *unused) {
  (void)unused;
  uint64_t now;
  return store.generation(store.self, &now);
}

START_TEST(a_child_knows_nothing_by_its_parents_watch) {
  generation();
  ck_assert_int_eq(in_child(ask_in_child, NULL), APIKEYS_ERROR_UNSUPPORTED);
  assert_quiet(generation());
}
END_TEST

static uint64_t before_fork;

static int see_the_parents_change(const char *name) {
  uint64_t now = before_fork;
  (void)name;
  if (look_for(&store, "later") != APIKEYS_OK)
    return 1;
  if (store.generation(store.self, &now) != APIKEYS_OK || now == before_fork)
    return 2;
  return count_mappings() == 1 ? 0 : 3;
}

START_TEST(a_child_of_a_prepared_store_watches_by_itself) {
  add_record(AK_API_KEY, "a");
  before_fork = generation();
  ck_assert_int_eq(store.prepare_fork(store.self), APIKEYS_OK);
  run_sql(path, "DELETE FROM api_keys");
  apikeys_storage other = open_store(); /* which knows what a key is; closed before the fork */
  ck_assert_int_eq(add(&other, "later"), APIKEYS_OK);
  close_store(&other);
  ck_assert_int_eq(in_child(see_the_parents_change, path), 0);
  ck_assert_int_eq(look_for(&store, "later"), APIKEYS_OK);
  assert_told(before_fork, "6:lookup_id-a ");
}
END_TEST

static TCase *new_open_case(Suite *suite, const char *name) {
  TCase *tests = tcase_create(name);
  tcase_add_checked_fixture(tests, open_it, close_it);
  suite_add_tcase(suite, tests);
  return tests;
}

int main(void) {
  Suite *suite = suite_create("sqlite_changes");
  TCase *edits = new_open_case(suite, "edits");
  tcase_add_test(edits, a_commit_that_alters_no_validation_goes_by);
  tcase_add_test(edits, the_events_floor_alters_no_validation);
  tcase_add_test(edits, each_edit_names_what_it_changed);
  tcase_add_test(edits, what_is_rolled_back_is_not_told);
  TCase *triggers = new_open_case(suite, "triggers");
  tcase_add_test(triggers, a_trigger_that_is_not_ours_ends_all_knowledge);
  tcase_add_test(triggers, a_trigger_beside_ours_ends_all_knowledge);
  tcase_add_test(triggers, a_table_of_changes_that_is_not_ours_ends_all_knowledge);
  tcase_add_test(triggers, other_changes_of_the_schema_leave_a_gap);
  tcase_add_test(triggers, a_store_without_its_triggers_can_be_opened);
  TCase *gaps = new_open_case(suite, "gaps");
  tcase_add_test(gaps, the_log_cannot_be_set_back_or_altered);
  tcase_add_test(gaps, sequences_set_back_change_nothing);
  tcase_add_test(gaps, a_number_without_its_entry_is_a_gap);
  tcase_add_test(gaps, changes_pruned_past_a_reader_are_a_gap);
  tcase_add_test(gaps, what_is_no_generation_of_this_store_is_a_gap);
  TCase *histories = new_open_case(suite, "histories");
  tcase_add_loop_test(histories, an_earlier_state_brought_back_is_noticed, 0, 5);
  tcase_add_test(histories, a_writer_notices_an_earlier_state_by_itself);
  tcase_add_test(histories, a_backup_copied_over_the_file_is_noticed);
  tcase_add_test(histories, checkpoints_of_every_kind_are_no_alarm);
  TCase *memory = new_open_case(suite, "wal-index");
  tcase_add_test(memory, half_a_header_is_no_knowledge_until_a_reader_has_mended_it);
  tcase_add_loop_test(memory, a_commit_beside_the_look_is_seen_by_the_next, 0, 2);
  tcase_add_test(memory, nothing_stays_mapped);
  TCase *journals = new_open_case(suite, "journals");
  tcase_add_test(journals, a_database_with_a_rollback_journal_becomes_one_with_a_log);
  tcase_add_test(journals, nobody_takes_the_log_away_while_it_is_watched);
  tcase_add_test(journals, a_log_taken_away_while_the_store_rests_comes_back);
  tcase_add_test(journals, without_shared_memory_there_is_no_store);
  TCase *files = new_open_case(suite, "files");
  tcase_add_loop_test(files, the_generation_notices_that_a_file_is_not_the_one, 0, LOSSES);
  tcase_add_loop_test(files, a_reader_notices_that_a_file_is_not_the_one, 0, LOSSES);
  tcase_add_loop_test(files, a_writer_notices_at_once_that_a_file_is_not_the_one, 0, LOSSES);
  tcase_add_loop_test(files, a_commit_to_files_that_are_gone_is_not_acknowledged, 0, LOSSES);
  tcase_add_loop_test(files, so_it_is_where_nothing_is_watched, 0, LOSSES);
  tcase_add_test(files, a_long_log_is_shortened_once_its_reader_has_gone);
  TCase *forks = new_open_case(suite, "forks");
  tcase_add_test(forks, a_child_knows_nothing_by_its_parents_watch);
  tcase_add_test(forks, a_child_of_a_prepared_store_watches_by_itself);
  return run_suite(suite);
}
