/* SPDX-License-Identifier: MIT */
/* The SQLite back-end and its file: what it makes, what it refuses, what it upgrades. */
#define _GNU_SOURCE /* mkfifo, and what the fixture needs */
#include "sqlite_fixture.h"

#include <sched.h>
#include <sys/mount.h>

#include "storage/sqlite/private.h"

#include "support/suite.h"

#include <apikeys.h>

#include <pthread.h>
#include <sys/resource.h>

/* -------------------------------------------------------------------------- what is made ------ */

static unsigned mode_of(const char *name) {
  struct stat status;
  ck_assert_int_eq(lstat(name, &status), 0);
  return (unsigned)status.st_mode & 07777;
}

static void check_modes(mode_t mask) {
  mode_t before = umask(mask);
  apikeys_storage store = open_store();
  ck_assert_int_eq(add(&store, "one"), APIKEYS_OK);
  umask(before);
  ck_assert_uint_eq(mode_of(path), 0600);
  ck_assert_uint_eq(mode_of(in_directory("keys.db-wal")), 0600);
  ck_assert_uint_eq(mode_of(in_directory("keys.db-shm")), 0600);
  close_store(&store);
}

START_TEST(new_files_are_private_under_an_open_umask) {
  check_modes(0);
}
END_TEST

START_TEST(new_files_are_usable_under_a_tight_umask) {
  check_modes(0777);
}
END_TEST

START_TEST(a_new_database_says_what_it_is) {
  apikeys_storage store = open_store();
  ck_assert_uint_eq(store.struct_size, sizeof store);
  ck_assert_uint_eq(store.capabilities, APIKEYS_STORAGE_DURABLE | APIKEYS_STORAGE_MANY_PROCESSES);
  close_store(&store);
  ck_assert_str_eq(ask_sql(path, "PRAGMA application_id"), "1095460217"); /* 0x414b6579 */
  ck_assert_int_eq(atoi(ask_sql(path, "PRAGMA user_version")), AK_SCHEMA_VERSION);
  ck_assert_str_eq(ask_sql(path, "PRAGMA journal_mode"), "wal");
  ck_assert_str_eq(
      ask_sql(path, "SELECT group_concat(name, ' ') FROM sqlite_schema"
                    " WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"),
      "environment permissions roles organizations members api_keys api_key_uses"
      " events event_cursors idempotency_keys documents tombstones sweeps head changes");
  ck_assert_str_eq(ask_sql(path, "PRAGMA integrity_check"), "ok");
}
END_TEST

START_TEST(closing_writes_the_log_back) {
  apikeys_storage store = open_store();
  ck_assert_int_eq(add(&store, "one"), APIKEYS_OK);
  close_store(&store);
  ck_assert_int_ne(access(in_directory("keys.db-wal"), F_OK), 0);
  ck_assert_int_ne(access(in_directory("keys.db-shm"), F_OK), 0);
  store = open_store();
  ck_assert_int_eq(look_for(&store, "one"), APIKEYS_OK);
  close_store(&store);
}
END_TEST

static void check_becomes_ours(void) {
  apikeys_storage store = open_store();
  ck_assert_int_eq(add(&store, "one"), APIKEYS_OK);
  close_store(&store);
  store = open_store();
  ck_assert_int_eq(count_kind(&store, AK_PERMISSION), 1);
  close_store(&store);
}

START_TEST(an_empty_file_becomes_a_database) {
  write_bytes(path, "", 0);
  check_becomes_ours();
}
END_TEST

START_TEST(an_empty_database_becomes_ours) {
  run_sql(path, "VACUUM; PRAGMA journal_mode=WAL; CREATE TABLE t (a); DROP TABLE t");
  check_becomes_ours();
}
END_TEST

START_TEST(a_path_is_bound_to_its_directory) {
  char before[PATH_MAX];
  ck_assert_ptr_nonnull(getcwd(before, sizeof before));
  ck_assert_int_eq(chdir(directory), 0);
  apikeys_storage store = open_at("keys.db");
  ck_assert_int_eq(chdir("/"), 0);
  ck_assert_int_eq(add(&store, "one"), APIKEYS_OK);
  ck_assert_int_eq(look_for(&store, "one"), APIKEYS_OK); /* a new connection */
  close_store(&store);
  ck_assert_int_eq(chdir(before), 0);
  ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(directories_on_the_way_may_be_symbolic_links) {
  ck_assert_int_eq(symlink(directory, in_directory("link")), 0);
  apikeys_storage store = open_at(in_directory("link/keys.db"));
  ck_assert_int_eq(add(&store, "one"), APIKEYS_OK);
  close_store(&store);
  ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

/* ----------------------------------------------------------------------- what is refused ------ */

static void check_refused(const char *name, int expected, const char *because) {
  apikeys_storage store = {.struct_size = 77};
  ck_assert_int_eq(try_open(&store, name, 0), expected);
  ck_assert_int_eq(apikeys_error_code(error), expected);
  ck_assert_msg(strstr(apikeys_error_message(error), because) != NULL, "'%s' in '%s'", because,
                apikeys_error_message(error));
  ck_assert_uint_eq(store.struct_size, 77);
}

START_TEST(paths_that_are_none_are_refused) {
  const int code = APIKEYS_ERROR_INVALID_ARGUMENT;
  static char endless[PATH_MAX + 10];
  memset(endless, 'x', sizeof endless - 1);
  ck_assert_int_eq(apikeys_storage_sqlite(NULL, path, 0, error), code);
  check_refused(NULL, code, "empty");
  check_refused("", code, "empty");
  check_refused(":memory:", code, ":memory:");
  check_refused("file:keys.db", code, "URI");
  check_refused(endless, code, "shorter");
}
END_TEST

START_TEST(what_is_no_file_is_refused) {
  const int code = APIKEYS_ERROR_CANNOT_OPEN;
  check_refused(directory, code, "is a directory");
  check_refused(in_directory(""), code, "is a directory");
  check_refused(in_directory(".."), code, "is a directory");
  check_refused(in_directory("none/keys.db"), code, "no such directory");
  write_bytes(in_directory("file"), "", 0);
  check_refused(in_directory("file/keys.db"), code, "not a directory");
  ck_assert_int_eq(mkfifo(in_directory("pipe"), 0600), 0);
  check_refused(in_directory("pipe"), code, "not a regular file");
  ck_assert_int_eq(symlink("file", in_directory("link")), 0);
  check_refused(in_directory("link"), code, "a symbolic link");
  ck_assert_int_eq(symlink("nowhere", in_directory("dangling")), 0);
  check_refused(in_directory("dangling"), code, "a symbolic link");
  ck_assert_int_ne(access(in_directory("nowhere"), F_OK), 0);
}
END_TEST

/* By two paths a database has two logs: what is revoked by one stays good by the other. */
START_TEST(a_second_hard_link_is_refused) {
  apikeys_storage store = open_store();
  close_store(&store);
  ck_assert_int_eq(link(path, in_directory("other.db")), 0);
  unsigned long before = listing();
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(try_open(&store, i == 0 ? path : in_directory("other.db"), 0),
                     APIKEYS_ERROR_CANNOT_OPEN);
    ck_assert_msg(strstr(apikeys_error_message(error), "hard link") != NULL &&
                      strstr(apikeys_error_message(error), "the directory, never the file") != NULL,
                  "%s", apikeys_error_message(error));
  }
  ck_assert_uint_eq(listing(), before);
  ck_assert_int_eq(unlink(in_directory("other.db")), 0);
  store = open_store();
  close_store(&store);
}
END_TEST

static int open_mounted(const char *name) {
  apikeys_storage store;
  int fd = open(name, O_CREAT | O_WRONLY, 0600);
  if (fd < 0 || close(fd) != 0 || unshare(CLONE_NEWNS) != 0 ||
      mount("none", "/", "none", MS_REC | MS_PRIVATE, "") != 0 ||
      mount(path, name, "none", MS_BIND, "") != 0)
    return 77;
  return try_open(&store, name, 0) == APIKEYS_ERROR_CANNOT_OPEN &&
                 strstr(apikeys_error_message(error), "mount point") != NULL
             ? 0
             : 1;
}

/* As a container has it that was given the file alone. */
START_TEST(a_file_that_is_a_mount_point_is_refused) {
  int status;
  apikeys_storage store = open_store();
  close_store(&store);
  pid_t child = fork();
  if (child == 0)
    _exit(open_mounted(in_directory("mounted.db")));
  waitpid(child, &status, 0);
  if (WEXITSTATUS(status) == 77)
    printf("a_file_that_is_a_mount_point_is_refused: skipped: this process may not mount\n");
  else
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_path_too_long_for_sqlite_is_refused) {
  char part[201], deep[PATH_MAX];
  size_t length = (size_t)snprintf(deep, sizeof deep, "%s", directory);
  memset(part, 'd', sizeof part - 1);
  part[sizeof part - 1] = '\0';
  for (int i = 0; i < 3; i++) {
    length += (size_t)snprintf(deep + length, sizeof deep - length, "/%s", part);
    ck_assert_int_eq(mkdir(deep, 0700), 0);
  }
  strcat(deep, "/keys.db");
  check_refused(deep, APIKEYS_ERROR_CANNOT_OPEN, "longer");
  ck_assert_int_ne(access(deep, F_OK), 0);
  deep[length] = '\0';
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(rmdir(deep), 0);
    *strrchr(deep, '/') = '\0';
  }
}
END_TEST

/* As somebody whom permissions bind: the superuser becomes nobody, in a child. */
static int open_unprivileged(const char *name) {
  apikeys_storage store;
  if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
    return 1;
  return apikeys_storage_sqlite(&store, name, 0, NULL);
}

START_TEST(permissions_each_give_their_own_code) {
  apikeys_storage store = open_store();
  close_store(&store);
  ck_assert_int_eq(chmod(directory, 0777), 0);
  ck_assert_int_eq(chmod(path, 0200), 0);
  ck_assert_int_eq(in_child(open_unprivileged, path), APIKEYS_ERROR_CANNOT_OPEN);
  ck_assert_int_eq(chmod(path, 0444), 0);
  ck_assert_int_eq(in_child(open_unprivileged, path), APIKEYS_ERROR_READ_ONLY);
  ck_assert_int_eq(chmod(path, 0666), 0);
  ck_assert_int_eq(chmod(directory, 0555), 0);
  ck_assert_int_eq(in_child(open_unprivileged, path), APIKEYS_ERROR_READ_ONLY);
  ck_assert_int_eq(in_child(open_unprivileged, in_directory("new.db")), APIKEYS_ERROR_READ_ONLY);
  ck_assert_int_eq(chmod(directory, 0700), 0);
  if (geteuid() == 0) /* nobody cannot even reach it */
    ck_assert_int_eq(in_child(open_unprivileged, path), APIKEYS_ERROR_CANNOT_OPEN);
}
END_TEST

static void check_untouched(int expected, const char *because) {
  static struct bytes before, after;
  read_bytes(&before, path);
  unsigned long names = listing();
  check_refused(path, expected, because);
  read_bytes(&after, path);
  ck_assert_uint_eq(before.length, after.length);
  ck_assert_int_eq(memcmp(before.data, after.data, after.length), 0);
  ck_assert_uint_eq(listing(), names);
}

START_TEST(a_file_of_something_else_is_left_alone) {
  static unsigned char zeros[8192];
  write_bytes(path, "root:x:0:0\n", 11);
  check_untouched(APIKEYS_ERROR_FOREIGN_STORE, "not an SQLite database");
  write_bytes(path, "S", 1);
  check_untouched(APIKEYS_ERROR_FOREIGN_STORE, "not an SQLite database");
  write_bytes(path, zeros, sizeof zeros);
  check_untouched(APIKEYS_ERROR_FOREIGN_STORE, "not an SQLite database");
  write_bytes(path, "SQLite format 3\0 but only so", 28);
  check_untouched(APIKEYS_ERROR_FOREIGN_STORE, "database of another program");
}
END_TEST

START_TEST(a_database_of_another_program_is_left_alone) {
  const int code = APIKEYS_ERROR_FOREIGN_STORE;
  run_sql(path, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
  check_untouched(code, "another program");
  run_sql(path, "PRAGMA journal_mode=WAL");
  check_untouched(code, "another program");
  unlink(path);
  run_sql(path, "PRAGMA application_id=0x12345678");
  check_untouched(code, "0x12345678");
  unlink(path);
  run_sql(path, "PRAGMA encoding='UTF-16'; CREATE TABLE t (a); DROP TABLE t");
  check_untouched(code, "another program");
}
END_TEST

static int leave_a_log(const char *name) {
  static sqlite3 *db; /* not lost: not closed, on purpose */
  sqlite3_open(name, &db);
  sqlite3_exec(db, "PRAGMA journal_mode=WAL; CREATE TABLE theirs (a)", NULL, NULL, NULL);
  return 0; /* without closing it: the table is in the log alone */
}

START_TEST(another_program_s_log_is_left_alone) {
  static struct bytes before, after;
  run_sql(path, "VACUUM");
  ck_assert_int_eq(in_child(leave_a_log, path), 0);
  read_bytes(&before, in_directory("keys.db-wal"));
  ck_assert_uint_gt(before.length, 4096);
  check_untouched(APIKEYS_ERROR_FOREIGN_STORE, "another program");
  read_bytes(&after, in_directory("keys.db-wal"));
  ck_assert_uint_eq(before.length, after.length);
  ck_assert_int_eq(memcmp(before.data, after.data, after.length), 0);
  ck_assert_str_eq(ask_sql(path, "SELECT name FROM sqlite_schema"), "theirs");
}
END_TEST

/* Asks the kernel, in a process that has no locks itself. */
static int reserved_by_another(const char *name) {
  struct flock lock = {
      .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000001, .l_len = 1}; /* RESERVED */
  int fd = open(name, O_RDWR);
  return fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

START_TEST(looking_at_a_database_in_use_drops_no_lock) {
  /* The host's own database by mistake, while the host's connection is in a transaction. */
  sqlite3 *db = NULL, *other = NULL;
  ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
  ck_assert_int_eq(sqlite3_exec(db, "CREATE TABLE t (a); BEGIN IMMEDIATE", NULL, NULL, NULL),
                   SQLITE_OK);
  check_refused(path, APIKEYS_ERROR_FOREIGN_STORE, "another program");
  ck_assert_int_eq(in_child(reserved_by_another, path), 1);
  ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
  ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_BUSY);
  sqlite3_close(other);
  sqlite3_close(db);
}
END_TEST

START_TEST(a_newer_schema_is_refused_and_left_alone) {
  char versions[64];
  apikeys_storage store = open_store();
  close_store(&store);
  run_sql(path, "PRAGMA user_version=99");
  snprintf(versions, sizeof versions, "version 99, this library knows %d", AK_SCHEMA_VERSION);
  check_untouched(APIKEYS_ERROR_SCHEMA_NEWER, versions);
}
END_TEST

static int upgrade_by_the_future(const char *name) {
  static sqlite3 *db; /* not lost: not closed, on purpose */
  sqlite3_open(name, &db);
  int rc = sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL);
  return rc; /* in the log alone, for the parent to find */
}

START_TEST(a_newer_schema_in_the_log_is_refused) {
  apikeys_storage store = open_store();
  close_store(&store);
  ck_assert_int_eq(in_child(upgrade_by_the_future, path), 0);
  check_refused(path, APIKEYS_ERROR_SCHEMA_NEWER, "version 99");
}
END_TEST

static void restore_version(const char *name) {
  char sql[64];
  snprintf(sql, sizeof sql, "PRAGMA user_version=%d", AK_SCHEMA_VERSION);
  run_sql(name, sql);
}

START_TEST(a_newer_schema_stops_writers_that_are_open) {
  apikeys_storage store = open_store();
  ck_assert_int_eq(add(&store, "one"), APIKEYS_OK);
  run_sql(path, "PRAGMA user_version=99");
  ck_assert_int_eq(add(&store, "two"), APIKEYS_ERROR_SCHEMA_NEWER);
  ck_assert_int_eq(look_for(&store, "one"), APIKEYS_OK); /* fields are only added */
  restore_version(path);
  ck_assert_int_eq(add(&store, "two"), APIKEYS_OK);
  close_store(&store);
}
END_TEST

/* -------------------------------------------------------------------------------- damage ------ */

static void damage(long from, long length) {
  FILE *file = fopen(path, "r+b");
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(fseek(file, from, SEEK_SET), 0);
  for (long i = 0; i < length; i++)
    fputc(0xa5, file);
  ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_damaged_database_is_corrupt) {
  apikeys_storage store = open_store();
  close_store(&store);
  damage(110, 4096 - 110); /* the table of tables, behind the header */
  check_refused(path, APIKEYS_ERROR_CORRUPT, "malformed");
  ck_assert_int_eq(truncate(path, 200), 0);
  check_refused(path, APIKEYS_ERROR_CORRUPT, "");
}
END_TEST

START_TEST(a_damaged_page_is_corrupt_when_it_is_read) {
  apikeys_storage store = open_store();
  ck_assert_int_eq(add(&store, "one"), APIKEYS_OK);
  close_store(&store);
  long root = 4096L * (atol(ask_sql(path, "SELECT rootpage FROM sqlite_schema"
                                          " WHERE name = 'permissions_by_id'")) -
                       1);
  damage(root, 4096);
  store = open_store();
  ck_assert_int_eq(look_for(&store, "one"), APIKEYS_ERROR_CORRUPT);
  close_store(&store);
}
END_TEST

START_TEST(missing_columns_and_indexes_are_told) {
  static const char *const damages[][2] = {
      {"DROP INDEX api_keys_by_lookup_id", "lacks the index api_keys_by_lookup_id"},
      {"ALTER TABLE events DROP COLUMN address", "lacks the column address"},
      {"ALTER TABLE members RENAME COLUMN roles TO roles2", "members lacks the column roles"},
      {"DROP TABLE organizations", "organizations lacks the column number"},
      {"PRAGMA user_version=0", "schema version 0"},
  };
  for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
    apikeys_storage store = open_store();
    close_store(&store);
    run_sql(path, damages[i][0]);
    check_refused(path, APIKEYS_ERROR_CORRUPT, damages[i][1]);
    unlink(path);
    unlink(in_directory("keys.db-wal"));
    unlink(in_directory("keys.db-shm"));
  }
}
END_TEST

/* Rows that the schema forbids, made by taking its checks away while a store is open. */
START_TEST(rows_that_cannot_be_are_corrupt) {
  static const char *const rows[] = {
      "'id-x', NULL, 'n', NULL, 0, 0, 0, 0, 0",  /* NULL where a value must be */
      "'id-x', x'00', 'n', NULL, 0, 0, 0, 0, 0", /* a blob for a text */
      "'id-x', 12, 'n', NULL, 0, 0, 0, 0, 0",    /* a number for a text */
      "'id-x', 's', 'n', NULL, 'zero', 0, 0, 0, 0",
      "'id-x', 's', 'n', NULL, 0, 1.5, 0, 0, 0",
      "'id-x', 's' || char(0) || 't', 'n', NULL, 0, 0, 0, 0, 0",
      "'id-x', 's', 'n', 7, 0, 0, 0, 0, 0",
  };
  apikeys_storage store = open_store();
  run_sql(path, "PRAGMA writable_schema=ON;"
                "UPDATE sqlite_schema SET sql = replace(replace(replace(sql, 'STRICT', ''),"
                " 'NOT NULL', ''), ' TEXT', ' ANYTHING')"
                " WHERE type = 'table' AND name = 'permissions';"
                "PRAGMA writable_schema=RESET");
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char sql[512];
    snprintf(sql, sizeof sql, "DELETE FROM permissions; INSERT INTO permissions VALUES (NULL, %s)",
             rows[i]);
    run_sql(path, sql);
    ck_assert_msg(look_for(&store, "x") == APIKEYS_ERROR_CORRUPT, "row %zu", i);
  }
  run_sql(path, "DELETE FROM permissions;"
                "INSERT INTO permissions VALUES (NULL, 'id-x', 's', 'n', NULL, 0, 0, 0, 0, 0)");
  ck_assert_int_eq(look_for(&store, "x"), APIKEYS_OK);
  close_store(&store);
}
END_TEST

/* ------------------------------------------------------------------------------- upgrades ----- */

/* The SQL that made a database of that version. */
static char *schema_of(int version) {
  static struct bytes text;
  char name[PATH_MAX];
  snprintf(name, sizeof name, "%s/storage/schema_%d.sql", TEST_DATA_DIR, version);
  read_bytes(&text, name);
  text.data[text.length] = '\0';
  return (char *)text.data;
}

static char *schema_1(void) {
  return schema_of(1);
}

/* Every row of a table, but for columns that came later. */
static const char *rows_of(const char *table) {
  static const char *const texts[][2] = {
      {"organizations", "SELECT group_concat(quote(number) || quote(id) || quote(name) ||"
                        " quote(external_id) || quote(domains) || created_at || updated_at, ';')"
                        " FROM organizations"},
      {"api_keys", "SELECT group_concat(quote(number) || quote(id) || owner_type ||"
                   " quote(organization_id) || quote(user_id) || quote(name) || quote(permissions)"
                   " || quote(lookup_id) || quote(obfuscated_value) || scheme || root_version ||"
                   " quote(sealed_digest) || state || expires_at || revoked_at ||"
                   " quote(revoked_reason) || created_at || updated_at, ';') FROM api_keys"},
      {"permissions", "SELECT group_concat(quote(number) || quote(id) || quote(slug) ||"
                      " quote(name) || quote(description) || system || for_organization_keys ||"
                      " for_user_keys || created_at || updated_at, ';') FROM permissions"},
      {"members", "SELECT group_concat(quote(number) || quote(id) || quote(organization_id) ||"
                  " quote(user_id) || status || quote(roles) || quote(email) ||"
                  " quote(display_name) || created_at || updated_at, ';') FROM members"},
      {"roles", "SELECT group_concat(quote(number) || quote(id) || quote(organization_id) ||"
                " quote(slug) || quote(name) || quote(description) || priority ||"
                " quote(permissions) || created_at || updated_at, ';') FROM roles"},
      {"events", "SELECT group_concat(quote(number) || quote(id) || quote(type) ||"
                 " quote(organization_id) || created_at || quote(data) || actor_type ||"
                 " quote(actor_id) || quote(actor_organization_id) || quote(reason) ||"
                 " quote(request_id) || quote(address) || quote(user_agent), ';') FROM events"},
      {"environment", "SELECT group_concat(quote(number) || quote(id) || quote(prefix) ||"
                      " quote(accepted_prefixes) || root_version || quote(root_check) ||"
                      " quote(root_key) || quote(previous_token_key) ||"
                      " previous_token_key_until || max_lifetime_ms || expiry_required ||"
                      " idle_lifetime_ms || max_keys_per_owner || grants_must_be_held ||"
                      " event_retention_ms || event_floor || created_at || updated_at, ';')"
                      " FROM environment"},
      {"api_key_uses", "SELECT group_concat(number || quote(key_id) || last_used_at, ';')"
                       " FROM api_key_uses"},
      {"event_cursors", "SELECT group_concat(number || quote(name) || position || updated_at, ';')"
                        " FROM event_cursors"},
  };
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    if (strcmp(texts[i][0], table) == 0)
      return ask_sql(path, texts[i][1]);
  return "";
}

static const char *const tables_of_1[] = {"environment",   "permissions", "roles",
                                          "organizations", "members",     "api_keys",
                                          "api_key_uses",  "events",      "event_cursors"};
enum { TABLES_OF_1 = 9 };

static void all_rows(char *into[TABLES_OF_1]) {
  for (int i = 0; i < TABLES_OF_1; i++) {
    into[i] = strdup(rows_of(tables_of_1[i]));
    ck_assert_uint_gt(strlen(into[i]), 0);
  }
}

static void check_rows(char *before[TABLES_OF_1]) {
  for (int i = 0; i < TABLES_OF_1; i++) {
    ck_assert_str_eq(before[i], rows_of(tables_of_1[i]));
    free(before[i]);
  }
}

/* The whole schema without the blanks, in which an upgraded table's text differs. */
static char *schema_text(const char *name) {
  return strdup(ask_sql(name, "SELECT group_concat(replace(replace(sql, char(10), ''), ' ', ''),"
                              " ';') FROM (SELECT sql FROM sqlite_schema ORDER BY type, name)"));
}

static void check_is_current(void) {
  apikeys_storage fresh = open_at(in_directory("fresh.db"));
  close_store(&fresh);
  char *expected = schema_text(in_directory("fresh.db"));
  char *found = schema_text(path);
  ck_assert_str_eq(found, expected);
  free(found);
  free(expected);
  ck_assert_int_eq(atoi(ask_sql(path, "PRAGMA user_version")), AK_SCHEMA_VERSION);
  ck_assert_str_eq(ask_sql(path, "PRAGMA integrity_check"), "ok");
}

static void check_upgrade(int version, const char *and_then) {
  char *before[TABLES_OF_1];
  run_sql(path, schema_of(version));
  run_sql(path, and_then);
  all_rows(before);
  apikeys_storage store = open_store();
  ck_assert_int_eq(add(&store, "later"), APIKEYS_OK);
  ck_assert_int_eq(look_for(&store, "later"), APIKEYS_OK);
  close_store(&store);
  run_sql(path, "DELETE FROM permissions WHERE id = 'id-later'");
  check_rows(before);
  check_is_current();
}

START_TEST(schema_1_is_upgraded) {
  check_upgrade(1, "");
}
END_TEST

START_TEST(schema_1_is_upgraded_in_wal_mode) {
  check_upgrade(1, "PRAGMA journal_mode=WAL");
}
END_TEST

START_TEST(schema_3_is_upgraded) {
  check_upgrade(3, _i == 0 ? "" : "PRAGMA journal_mode=WAL");
  ck_assert_str_eq(ask_sql(path, "SELECT metadata FROM organizations WHERE id = 'org_1'"),
                   "{\"plan\":\"pro\"}");
  ck_assert_str_eq(ask_sql(path, "SELECT (SELECT count(*) FROM documents) ||"
                                 " (SELECT count(*) FROM tombstones) ||"
                                 " (SELECT count(*) FROM idempotency_keys)"),
                   "111");
}
END_TEST

START_TEST(schema_4_is_upgraded) {
  check_upgrade(4, _i == 0 ? "" : "PRAGMA journal_mode=WAL");
  ck_assert_str_eq(ask_sql(path, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'changes_%'"
                                 " AND sql LIKE '%INSERT INTO changes (%'"),
                   "0");
}
END_TEST

/* A whole environment, with keys whose values are known. */
START_TEST(an_environment_of_schema_4_goes_on) {
  static const char good[] = "sk_ODP4sKWG0P66TdNyJ9AFuwrSbmgvNvk4jvAGq1jddzXL6eBc0NJ1Hb";
  static const char revoked[] = "sk_nGAC0W5U5GV5wMNo5Ei26lv2RnMatm23LZ9K60EWdKqobmkc02ZnFq";
  static struct bytes text;
  unsigned char root[32];
  apikeys_env *env = NULL;
  apikeys_options *options = apikeys_options_new();
  for (size_t i = 0; i < sizeof root; i++)
    root[i] = (unsigned char)i;
  apikeys_options_set_root_key(options, root, sizeof root);
  read_bytes(&text, TEST_DATA_DIR "/storage/environment_4.sql");
  text.data[text.length] = '\0';
  run_sql(path, (char *)text.data);
  ck_assert_int_eq(apikeys_open_sqlite(&env, path, options, error), APIKEYS_OK);
  apikeys_key *key = apikeys_key_new();
  apikeys_actor *system = apikeys_actor_new();
  apikeys_actor_set_system(system, "upgraded", 8);
  ck_assert_int_eq(apikeys_validate(env, good, strlen(good), NULL, NULL, key, error), APIKEYS_OK);
  ck_assert_int_eq(apikeys_validate(env, revoked, strlen(revoked), NULL, NULL, NULL, error),
                   APIKEYS_REVOKED);
  const char *id = apikeys_key_id(key, NULL);
  ck_assert_int_eq(apikeys_key_revoke(env, system, id, strlen(id), "late", 4, NULL, error),
                   APIKEYS_OK);
  ck_assert_int_eq(apikeys_validate(env, good, strlen(good), NULL, NULL, NULL, error),
                   APIKEYS_REVOKED);
  apikeys_actor_free(system);
  apikeys_key_free(key);
  apikeys_options_free(options);
  apikeys_close(env);
}
END_TEST

static int note_lookup_id(int kind, const char *identity, size_t length, void *data) {
  int *seen = data;
  *seen += kind == AK_API_KEY && length == 16 && memcmp(identity, "9fQ2000000000001", 16) == 0;
  return APIKEYS_OK;
}

/* What was there before there were triggers is told of as well. */
START_TEST(an_upgraded_store_tells_changes) {
  uint64_t before = 0, after = 0;
  int seen = 0;
  run_sql(path, schema_of(_i));
  apikeys_storage store = open_store();
  ck_assert_int_eq(store.generation(store.self, &before), APIKEYS_OK);
  run_sql(path, "UPDATE api_keys SET state = 2 WHERE id = 'api_key_1'");
  ck_assert_int_eq(store.generation(store.self, &after), APIKEYS_OK);
  ck_assert_uint_ne(before, after);
  apikeys_transaction *transaction = start(&store, APIKEYS_TRANSACTION_READ);
  ck_assert_int_eq(store.changes(store.self, transaction, before, note_lookup_id, &seen),
                   APIKEYS_OK);
  ck_assert_int_eq(finish(&store, transaction), APIKEYS_OK);
  ck_assert_int_gt(seen, 0);
  close_store(&store);
}
END_TEST

START_TEST(an_upgraded_store_reads_what_was_there) {
  run_sql(path, schema_1());
  apikeys_storage store = open_store();
  apikeys_query query;
  apikeys_record *record = apikeys_record_new(AK_ORGANIZATION);
  apikeys_transaction *transaction = start(&store, APIKEYS_TRANSACTION_WRITE);
  size_t length = 99;
  ak_query_any(&query, AK_ORGANIZATION, AK_ORGANIZATION_BY_EXTERNAL_ID);
  ak_query_equal_text(&query, "acme/eu", 7);
  ck_assert_int_eq(store.get(store.self, transaction, &query, record), APIKEYS_OK);
  ck_assert_str_eq(apikeys_record_text(record, AK_ORGANIZATION_NAME, NULL),
                   "Acme \"Quotes\" & S\xc3\xb6hne");
  ck_assert_int_eq(apikeys_record_type(record, AK_ORGANIZATION_METADATA), APIKEYS_TYPE_TEXT);
  apikeys_record_text(record, AK_ORGANIZATION_METADATA, &length);
  ck_assert_uint_eq(length, 0);
  apikeys_record_free(record);

  /* Numbers go on behind those of removed records. */
  record = make_record(AK_API_KEY, "new");
  ck_assert_int_eq(store.insert(store.self, transaction, record), APIKEYS_OK);
  ck_assert_int_eq(apikeys_record_integer(record, AK_NUMBER), 10);
  apikeys_record_free(record);
  ck_assert_int_eq(insert_into(&store, transaction, AK_IDEMPOTENCY_KEY, "new"), APIKEYS_OK);
  ck_assert_int_eq(finish(&store, transaction), APIKEYS_OK);
  close_store(&store);
}
END_TEST

START_TEST(a_process_with_the_older_schema_can_still_add) {
  run_sql(path, schema_1());
  apikeys_storage store = open_store();
  close_store(&store);
  run_sql(path, "INSERT INTO organizations (id, name, domains, created_at, updated_at)"
                " VALUES ('org_9', 'old', '', 1, 1)");
  ck_assert_str_eq(ask_sql(path, "SELECT metadata IS '' FROM organizations WHERE id = 'org_9'"),
                   "1");
}
END_TEST

START_TEST(an_upgrade_that_fails_in_the_middle_changes_nothing) {
  /* The second step fails: the name of the table that it would make is taken. */
  run_sql(path, schema_1());
  run_sql(path, "CREATE TABLE idempotency_keys (in_the_way)");
  char *schema = schema_text(path);
  char *before[TABLES_OF_1];
  all_rows(before);
  check_refused(path, APIKEYS_ERROR_STORAGE, "idempotency_keys");
  ck_assert_str_eq(ask_sql(path, "PRAGMA user_version"), "1");
  char *after = schema_text(path);
  ck_assert_str_eq(after, schema);
  free(after);
  free(schema);
  check_rows(before);
  run_sql(path, "DROP TABLE idempotency_keys");
  apikeys_storage store = open_store();
  close_store(&store);
  check_is_current();
}
END_TEST

static int open_without_room(const char *name) {
  struct stat status;
  apikeys_storage store;
  signal(SIGXFSZ, SIG_IGN);
  if (stat(name, &status) != 0)
    return 1;
  struct rlimit limit = {.rlim_cur = (rlim_t)status.st_size, .rlim_max = RLIM_INFINITY};
  setrlimit(RLIMIT_FSIZE, &limit);
  return apikeys_storage_sqlite(&store, name, 0, NULL);
}

START_TEST(an_upgrade_without_room_changes_nothing) {
  run_sql(path, schema_1());
  char *before[TABLES_OF_1];
  all_rows(before);
  ck_assert_int_eq(in_child(open_without_room, path), APIKEYS_ERROR_STORAGE_FULL);
  ck_assert_str_eq(ask_sql(path, "PRAGMA user_version"), "1");
  check_rows(before);
}
END_TEST

START_TEST(an_upgrade_waits_for_a_lock_and_gives_up) {
  sqlite3 *db = NULL;
  run_sql(path, schema_1());
  ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
  ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
  apikeys_storage store;
  ck_assert_int_eq(try_open(&store, path, 50), APIKEYS_ERROR_BUSY);
  ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
  ck_assert_str_eq(ask_sql(path, "PRAGMA user_version"), "1");
  store = open_store();
  close_store(&store);
}
END_TEST

/* ---------------------------------------------------------------------------- query plans ----- */

static void check_plan(sqlite3 *db, const struct ak_sqlite_shape *shape) {
  struct ak_sql text;
  char explain[sizeof text.text + 32];
  sqlite3_stmt *statement = NULL;
  ak_sqlite_shape_text(&text, shape);
  ck_assert(!text.full);
  snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", text.text);
  ck_assert_msg(sqlite3_prepare_v2(db, explain, -1, &statement, NULL) == SQLITE_OK, "%s: %s",
                text.text, sqlite3_errmsg(db));
  bool narrowed = shape->equal_count > 0 || shape->lower || shape->upper;
  int steps = 0;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    const char *step = (const char *)sqlite3_column_text(statement, 3);
    steps++;
    ck_assert_msg(strstr(step, "TEMP B-TREE") == NULL, "%s: %s", text.text, step);
    ck_assert_msg(!narrowed || strncmp(step, "SEARCH", 6) == 0, "%s: %s", text.text, step);
  }
  ck_assert_int_eq(steps, 1);
  sqlite3_finalize(statement);
}

/* Every question that can be asked: its index gives the rows and their order. */
START_TEST(every_query_is_a_walk_along_its_index) {
  apikeys_storage store = open_store();
  sqlite3 *db = NULL;
  ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
  for (int kind = 1; kind <= apikeys_schema_kind_count(); kind++)
    for (int index = 0; index < apikeys_schema_index_count(kind); index++)
      for (int equal = 0; equal <= apikeys_schema_index_field_count(kind, index); equal++)
        for (int bits = 0; bits < 16; bits++)
          for (int scope = APIKEYS_SCOPE_ENVIRONMENT; scope <= APIKEYS_SCOPE_ANY; scope++) {
            struct ak_sqlite_shape shape = {.operation = (bits & 8) != 0 ? AK_SQLITE_COUNT
                                                                         : AK_SQLITE_SELECT,
                                            .kind = (uint8_t)kind,
                                            .index = (uint8_t)index,
                                            .equal_count = (uint8_t)equal,
                                            .lower = (bits & 1) != 0,
                                            .upper = (bits & 2) != 0,
                                            .descending = (bits & 4) != 0,
                                            .scope = (uint8_t)scope};
            check_plan(db, &shape);
          }
  sqlite3_close(db);
  close_store(&store);
}
END_TEST

/* --------------------------------------------------------------------------------- backup ----- */

struct busy_writer {
  apikeys_storage *store;
  int done;
  volatile int rc;
};

static void *write_on(void *data) {
  struct busy_writer *writer = data;
  for (int i = 0; i < 60 && writer->rc == APIKEYS_OK; i++) {
    char tag[16];
    apikeys_transaction *transaction = NULL;
    snprintf(tag, sizeof tag, "w%d", i);
    writer->rc = writer->store->begin(writer->store->self, APIKEYS_TRANSACTION_WRITE, &transaction);
    if (writer->rc != APIKEYS_OK)
      break;
    writer->rc = insert_into(writer->store, transaction, AK_PERMISSION, tag);
    if (writer->rc == APIKEYS_OK)
      writer->rc = insert_into(writer->store, transaction, AK_ROLE, tag);
    if (writer->rc == APIKEYS_OK)
      writer->rc = finish(writer->store, transaction);
    else
      writer->store->rollback(writer->store->self, transaction);
  }
  return NULL;
}

START_TEST(a_backup_is_one_state_while_others_write) {
  apikeys_storage store = open_store();
  ck_assert_int_eq(add(&store, "before"), APIKEYS_OK);
  struct busy_writer writer = {.store = &store};
  pthread_t thread;
  ck_assert_int_eq(pthread_create(&thread, NULL, write_on, &writer), 0);
  for (int i = 0; i < 5; i++) {
    char name[32];
    snprintf(name, sizeof name, "copy%d.db", i);
    ck_assert_int_eq(store.backup(store.self, in_directory(name)), APIKEYS_OK);
    ck_assert_uint_eq(mode_of(in_directory(name)), 0600);
  }
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  ck_assert_int_eq(writer.rc, APIKEYS_OK);
  ck_assert_int_eq(store.backup(store.self, in_directory("last.db")), APIKEYS_OK);
  for (int i = 0; i < 5; i++) {
    char name[32];
    snprintf(name, sizeof name, "copy%d.db", i);
    apikeys_storage copy = open_at(in_directory(name));
    ck_assert_int_eq(look_for(&copy, "before"), APIKEYS_OK);
    /* Both of a transaction's records are there, or none. */
    ck_assert_int_eq(count_kind(&copy, AK_PERMISSION), count_kind(&copy, AK_ROLE) + 1);
    close_store(&copy);
  }
  apikeys_storage copy = open_at(in_directory("last.db"));
  ck_assert_int_eq(count_kind(&copy, AK_ROLE), 60);
  ck_assert_int_eq(add(&copy, "after"), APIKEYS_OK);
  close_store(&copy);
  ck_assert_int_eq(look_for(&store, "after"), APIKEYS_ERROR_NOT_FOUND);
  close_store(&store);
}
END_TEST

START_TEST(a_backup_overwrites_nothing) {
  static struct bytes after;
  apikeys_storage store = open_store();
  write_bytes(in_directory("there"), "precious", 8);
  ck_assert_int_eq(store.backup(store.self, in_directory("there")), APIKEYS_ERROR_EXISTS);
  read_bytes(&after, in_directory("there"));
  ck_assert_uint_eq(after.length, 8);
  ck_assert_int_eq(symlink("nowhere", in_directory("link")), 0);
  ck_assert_int_eq(store.backup(store.self, in_directory("link")), APIKEYS_ERROR_EXISTS);
  ck_assert_int_ne(access(in_directory("nowhere"), F_OK), 0);
  ck_assert_int_eq(store.backup(store.self, path), APIKEYS_ERROR_EXISTS);
  ck_assert_int_eq(store.backup(store.self, directory), APIKEYS_ERROR_EXISTS);
  ck_assert_int_eq(store.backup(store.self, in_directory("none/copy")), APIKEYS_ERROR_CANNOT_OPEN);
  ck_assert_int_eq(store.backup(store.self, ""), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(store.backup(store.self, NULL), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(add(&store, "still here"), APIKEYS_OK);
  close_store(&store);
}
END_TEST

static int back_up_without_room(const char *data) {
  (void)data;
  apikeys_storage store;
  if (apikeys_storage_sqlite(&store, path, 0, NULL) != APIKEYS_OK)
    return 1;
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit limit = {.rlim_cur = 40000, .rlim_max = RLIM_INFINITY};
  setrlimit(RLIMIT_FSIZE, &limit);
  int rc = store.backup(store.self, in_directory("copy.db"));
  store.destroy(store.self);
  return rc;
}

START_TEST(a_backup_that_fails_leaves_nothing) {
  apikeys_storage store = open_store();
  close_store(&store);
  unsigned long names = listing();
  ck_assert_int_eq(in_child(back_up_without_room, NULL), APIKEYS_ERROR_STORAGE_FULL);
  ck_assert_uint_eq(listing(), names);
}
END_TEST

/* -------------------------------------------------------------------------------- replaced ---- */

START_TEST(a_store_whose_file_is_gone_takes_no_writes) {
  apikeys_storage store = open_store();
  ck_assert_int_eq(add(&store, "one"), APIKEYS_OK);
  ck_assert_int_eq(rename(path, in_directory("moved.db")), 0);
  ck_assert_int_eq(add(&store, "two"), APIKEYS_ERROR_STORE_REPLACED);
  write_bytes(path, "", 0);
  ck_assert_int_eq(add(&store, "two"), APIKEYS_ERROR_STORE_REPLACED);
  /* A connection that is made now would be to the other file. */
  apikeys_transaction *transaction = NULL;
  ck_assert_int_eq(store.prepare_fork(store.self), APIKEYS_OK);
  ck_assert_int_eq(store.begin(store.self, APIKEYS_TRANSACTION_READ, &transaction),
                   APIKEYS_ERROR_STORE_REPLACED);
  ck_assert_int_eq(rename(in_directory("moved.db"), path), 0);
  ck_assert_int_eq(add(&store, "two"), APIKEYS_ERROR_STORE_REPLACED); /* until opened again */
  close_store(&store);
  store = open_store();
  ck_assert_int_eq(add(&store, "two"), APIKEYS_OK);
  ck_assert_int_eq(count_kind(&store, AK_PERMISSION), 2);
  close_store(&store);
}
END_TEST

/* In front of the C library's: looks at logs fail for as long as this says. */
static bool logs_cannot_be_looked_at;

int lstat(const char *name, struct stat *status) {
  size_t length = strlen(name);
  if (logs_cannot_be_looked_at && length > 4 && strcmp(name + length - 4, "-wal") == 0) {
    errno = EACCES;
    return -1;
  }
  return fstatat(AT_FDCWD, name, status, AT_SYMLINK_NOFOLLOW);
}

/* The files beside it are new ones then: a writer must not be compared with those of before. */
START_TEST(a_look_that_failed_after_a_fork_was_prepared_is_made_again) {
  apikeys_storage store = open_store();
  ck_assert_int_eq(add(&store, "one"), APIKEYS_OK);
  ck_assert_int_eq(store.prepare_fork(store.self), APIKEYS_OK);
  logs_cannot_be_looked_at = true;
  ck_assert_int_eq(add(&store, "two"), APIKEYS_ERROR_STORAGE);
  logs_cannot_be_looked_at = false;
  ck_assert_int_eq(add(&store, "three"), APIKEYS_OK);
  ck_assert_int_eq(count_kind(&store, AK_PERMISSION), 2);
  close_store(&store);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sqlite_file");
  TCase *made = new_case(suite, "made");
  tcase_add_test(made, new_files_are_private_under_an_open_umask);
  tcase_add_test(made, new_files_are_usable_under_a_tight_umask);
  tcase_add_test(made, a_new_database_says_what_it_is);
  tcase_add_test(made, closing_writes_the_log_back);
  tcase_add_test(made, an_empty_file_becomes_a_database);
  tcase_add_test(made, an_empty_database_becomes_ours);
  tcase_add_test(made, a_path_is_bound_to_its_directory);
  tcase_add_test(made, directories_on_the_way_may_be_symbolic_links);
  TCase *refused = new_case(suite, "refused");
  tcase_add_test(refused, paths_that_are_none_are_refused);
  tcase_add_test(refused, what_is_no_file_is_refused);
  tcase_add_test(refused, a_second_hard_link_is_refused);
  tcase_add_test(refused, a_file_that_is_a_mount_point_is_refused);
  tcase_add_test(refused, a_path_too_long_for_sqlite_is_refused);
  tcase_add_test(refused, permissions_each_give_their_own_code);
  tcase_add_test(refused, a_file_of_something_else_is_left_alone);
  tcase_add_test(refused, a_database_of_another_program_is_left_alone);
  tcase_add_test(refused, another_program_s_log_is_left_alone);
  tcase_add_test(refused, looking_at_a_database_in_use_drops_no_lock);
  tcase_add_test(refused, a_newer_schema_is_refused_and_left_alone);
  tcase_add_test(refused, a_newer_schema_in_the_log_is_refused);
  tcase_add_test(refused, a_newer_schema_stops_writers_that_are_open);
  TCase *damaged = new_case(suite, "damaged");
  tcase_add_test(damaged, a_damaged_database_is_corrupt);
  tcase_add_test(damaged, a_damaged_page_is_corrupt_when_it_is_read);
  tcase_add_test(damaged, missing_columns_and_indexes_are_told);
  tcase_add_test(damaged, rows_that_cannot_be_are_corrupt);
  TCase *upgraded = new_case(suite, "upgraded");
  tcase_add_test(upgraded, schema_1_is_upgraded);
  tcase_add_test(upgraded, schema_1_is_upgraded_in_wal_mode);
  tcase_add_loop_test(upgraded, schema_3_is_upgraded, 0, 2);
  tcase_add_loop_test(upgraded, schema_4_is_upgraded, 0, 2);
  tcase_add_test(upgraded, an_environment_of_schema_4_goes_on);
  tcase_add_loop_test(upgraded, an_upgraded_store_tells_changes, 1, 2);
  tcase_add_loop_test(upgraded, an_upgraded_store_tells_changes, 3, 5);
  tcase_add_test(upgraded, an_upgraded_store_reads_what_was_there);
  tcase_add_test(upgraded, a_process_with_the_older_schema_can_still_add);
  tcase_add_test(upgraded, an_upgrade_that_fails_in_the_middle_changes_nothing);
  tcase_add_test(upgraded, an_upgrade_without_room_changes_nothing);
  tcase_add_test(upgraded, an_upgrade_waits_for_a_lock_and_gives_up);
  TCase *plans = new_case(suite, "plans");
  tcase_add_test(plans, every_query_is_a_walk_along_its_index);
  TCase *backup = new_case(suite, "backup");
  tcase_add_test(backup, a_backup_is_one_state_while_others_write);
  tcase_add_test(backup, a_backup_overwrites_nothing);
  tcase_add_test(backup, a_backup_that_fails_leaves_nothing);
  TCase *replaced = new_case(suite, "replaced");
  tcase_add_test(replaced, a_store_whose_file_is_gone_takes_no_writes);
  tcase_add_test(replaced, a_look_that_failed_after_a_fork_was_prepared_is_made_again);
  return run_suite(suite);
}
