/* SPDX-License-Identifier: MIT */
/*
 * The revocation journal and the "went back" check: a backup that is restored revives no revoked
 * key, and nothing but a restore is taken for one.
 *
 * The calls that write and sync are replaced here, so that a process can be killed before each of
 * them, and a disk can be full for the journal alone.
 */
#define _GNU_SOURCE
#include "support/deeds.h"
#include "support/process.h"
#include "support/sql.h"
#include "support/suite.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORD = 64, STEPS_MAX = 1000 };

static int kill_at;      /* the step before which the process dies; 0: it lives */
static int journal_full; /* ENOSPC for writes to the journal */

static void step(void) {
  if (kill_at > 0 && --kill_at == 0)
    kill(getpid(), SIGKILL);
}

typedef int (*descriptor_call)(int);
typedef ssize_t (*write_call)(int, const void *, size_t);
typedef ssize_t (*write_at_call)(int, const void *, size_t, off64_t);

int fsync(int descriptor) {
  descriptor_call call;
  *(void **)&call = dlsym(RTLD_NEXT, "fsync");
  step();
  return call(descriptor);
}

int fdatasync(int descriptor) {
  descriptor_call call;
  *(void **)&call = dlsym(RTLD_NEXT, "fdatasync");
  step();
  return call(descriptor);
}

static int is_journal(int descriptor) {
  char link[64], target[512];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, target, sizeof target - 1);
  target[length > 0 ? length : 0] = '\0';
  return strstr(target, "-revocations") != NULL;
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
  write_call call;
  *(void **)&call = dlsym(RTLD_NEXT, "write");
  step();
  if (journal_full && is_journal(descriptor)) {
    errno = ENOSPC;
    return -1;
  }
  return call(descriptor, bytes, length);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t at) {
  write_at_call call;
  *(void **)&call = dlsym(RTLD_NEXT, "pwrite64");
  step();
  return call(descriptor, bytes, length, at);
}

/* -- The store --------------------------------------------------------------------------------- */

static struct world world;
static char organization[64], journal[128], backup[128], aside[128];
static struct made_key key, other;
static int warnings;

static void count_warnings(int level, const char *message, size_t length, void *user_data) {
  (void)message, (void)length, (void)user_data;
  warnings += level == APIKEYS_LOG_WARNING;
}

static void copy_file(const char *from, const char *to) {
  size_t length;
  char *bytes = read_bytes(from, &length);
  ck_assert_ptr_nonnull(bytes);
  FILE *file = fopen(to, "wb");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
  ck_assert_int_eq(fclose(file), 0);
  free(bytes);
}

static long journal_size(void) {
  struct stat status;
  return stat(journal, &status) == 0 ? (long)status.st_size : -1;
}

static void close_store(void) {
  apikeys_close(world.env);
  world.env = NULL;
}

static int try_open(void) {
  return apikeys_open_sqlite(&world.env, world.path, world.options, world.err);
}

static void open_store(void) {
  ok(&world, try_open());
}

static void accept_restores(int accept) {
  ck_assert_int_eq(apikeys_options_set_accept_restore(world.options, accept), APIKEYS_OK);
}

/* Puts the backup in the database's place, with the server stopped. */
static void restore_backup(void) {
  char beside[140];
  snprintf(beside, sizeof beside, "%s-wal", world.path);
  unlink(beside);
  snprintf(beside, sizeof beside, "%s-shm", world.path);
  unlink(beside);
  copy_file(backup, world.path);
}

/* A key that is in the backup, good there. */
static void setup(void) {
  world_open(&world, BACKEND_SQLITE);
  snprintf(journal, sizeof journal, "%s-revocations", world.path);
  snprintf(backup, sizeof backup, "%s/backup.db", world.directory);
  snprintf(aside, sizeof aside, "%s/aside", world.directory);
  ck_assert_int_eq(apikeys_options_set_log(world.options, count_warnings, NULL, NULL), APIKEYS_OK);
  world_reopen(&world);
  make_organization(&world, "Acme", organization);
  make_key(&world, key_spec(organization, "k", ""), &key);
  make_key(&world, key_spec(organization, "other", ""), &other);
  ok(&world, apikeys_backup(world.env, world.system, backup, world.err));
  warnings = 0;
}

static void teardown(void) {
  accept_restores(1);
  if (world.env == NULL)
    open_store();
  world_close(&world);
}

static void assert_went_back(void) {
  ck_assert_int_eq(try_open(), APIKEYS_ERROR_STORE_WENT_BACK);
  ck_assert_str_eq(apikeys_error_field(world.err), "journal");
}

/* Accepts, and finds the key revoked; and again without accepting. */
static void assert_accepted(void) {
  accept_restores(1);
  open_store();
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_REVOKED);
  ck_assert_int_eq(validate(&world, other.value, NULL), APIKEYS_OK);
  close_store();
  accept_restores(0);
  open_store();
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_REVOKED);
}

/* -- True alarms ------------------------------------------------------------------------------- */

START_TEST(a_restored_file_is_refused_and_accepting_it_revokes) {
  char type[64];
  ck_assert_int_eq(revoke_key(&world, key.id, NULL), APIKEYS_OK);
  int64_t before = last_event(&world, type);
  close_store();
  restore_backup();
  assert_went_back();
  assert_went_back();
  assert_accepted();
  int64_t after = last_event(&world, type);
  ck_assert_str_eq(type, "environment.restored");
  ck_assert_int_gt(after, before + 1); /* no number is used again */
}
END_TEST

/* Several ways of revoking; each key is named in the journal. */
START_TEST(all_ways_of_revoking_are_journalled) {
  struct made_key members, idle;
  make_member(&world, organization, "user_1", "member");
  make_key(&world, member_key_spec(organization, "user_1", "m", ""), &members);
  make_key(&world, key_spec(organization, "idle", ""), &idle);
  unlink(backup);
  ok(&world, apikeys_backup(world.env, world.system, backup, world.err));
  ok(&world,
     apikeys_member_delete(world.env, world.system, S(organization), S("user_1"), world.err));
  ck_assert_int_eq(revoke_key(&world, key.id, NULL), APIKEYS_OK);
  change_setting(&world, apikeys_settings_set_idle_lifetime_ms, DAY_MS);
  world.now_ms += DAY_MS / 2;
  ck_assert_int_eq(validate(&world, other.value, NULL), APIKEYS_OK);
  world.now_ms += DAY_MS / 2 + 2;
  ok(&world, apikeys_maintain(world.env, world.err));
  close_store();
  restore_backup();
  assert_went_back();
  assert_accepted();
  ck_assert_int_eq(validate(&world, members.value, NULL), APIKEYS_REVOKED);
  ck_assert_int_eq(validate(&world, idle.value, NULL), APIKEYS_REVOKED);
}
END_TEST

START_TEST(a_deleted_organizations_keys_are_journalled) {
  ok(&world, apikeys_organization_delete(world.env, world.system, S(organization), world.err));
  close_store();
  restore_backup();
  assert_went_back();
  accept_restores(1);
  open_store();
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_REVOKED);
  ck_assert_int_eq(validate(&world, other.value, NULL), APIKEYS_REVOKED);
}
END_TEST

START_TEST(a_backup_of_before_a_rotation_is_refused_and_accepted) {
  ck_assert_int_eq(revoke_key(&world, other.id, NULL), APIKEYS_OK);
  ok(&world, apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err));
  ck_assert_int_eq(revoke_key(&world, key.id, NULL), APIKEYS_OK);
  close_store();
  open_store(); /* readable with the new root key */
  close_store();
  restore_backup();
  assert_went_back(); /* and with the old one */
  accept_restores(1);
  open_store();
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_REVOKED);
  ck_assert_int_eq(validate(&world, other.value, NULL), APIKEYS_REVOKED);
}
END_TEST

/* The last two entries are of these two revocations: the journal is edited as if processes had
 * appended them in another order, or one had died before it did. */
static void edit_last_two(int keep_first) {
  size_t length;
  char *bytes = read_bytes(journal, &length), first[RECORD];
  ck_assert_uint_ge(length, 3 * RECORD);
  memcpy(first, bytes + length - 2 * RECORD, RECORD);
  memcpy(bytes + length - 2 * RECORD, bytes + length - RECORD, RECORD);
  memcpy(bytes + length - RECORD, first, RECORD);
  FILE *file = fopen(journal, "wb");
  ck_assert_ptr_nonnull(file);
  length -= keep_first ? 0 : RECORD;
  ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
  ck_assert_int_eq(fclose(file), 0);
  free(bytes);
}

START_TEST(entries_out_of_order_hide_no_restore) {
  ck_assert_int_eq(revoke_key(&world, other.id, NULL), APIKEYS_OK);
  unlink(backup);
  ok(&world, apikeys_backup(world.env, world.system, backup, world.err));
  ck_assert_int_eq(revoke_key(&world, key.id, NULL), APIKEYS_OK);
  edit_last_two(1);
  close_store();
  restore_backup();
  assert_went_back(); /* the last entry's event is in the backup */
  accept_restores(1);
  open_store();
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_REVOKED);
}
END_TEST

START_TEST(a_revocation_that_was_never_appended_is_found_by_the_next_open) {
  ck_assert_int_eq(revoke_key(&world, other.id, NULL), APIKEYS_OK);
  ck_assert_int_eq(revoke_key(&world, key.id, NULL), APIKEYS_OK);
  edit_last_two(0); /* the later one is there */
  close_store();
  open_store();
  close_store();
  restore_backup();
  assert_went_back();
  accept_restores(1);
  open_store();
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_REVOKED);
  ck_assert_int_eq(validate(&world, other.value, NULL), APIKEYS_REVOKED);
}
END_TEST

/* -- No alarms --------------------------------------------------------------------------------- */

static void assert_no_alarm(void) {
  struct made_key made;
  make_key(&world, key_spec(organization, "x", ""), &made);
  close_store();
  open_store();
  ck_assert_int_eq(revoke_key(&world, made.id, NULL), APIKEYS_OK);
  close_store();
  open_store();
  ck_assert_int_eq(warnings, 0);
}

START_TEST(a_fresh_backup_in_place_is_no_alarm) {
  ck_assert_int_eq(revoke_key(&world, key.id, NULL), APIKEYS_OK);
  unlink(backup);
  ok(&world, apikeys_backup(world.env, world.system, backup, world.err));
  close_store();
  restore_backup();
  open_store();
  assert_no_alarm();
}
END_TEST

START_TEST(vacuum_is_no_alarm) {
  ck_assert_int_eq(revoke_key(&world, key.id, NULL), APIKEYS_OK);
  close_store();
  ck_assert_int_eq(execute_sql(world.path, "VACUUM", NULL), 0);
  open_store();
  assert_no_alarm();
}
END_TEST

START_TEST(an_upgrade_is_no_alarm) {
  ck_assert_int_eq(revoke_key(&world, key.id, NULL), APIKEYS_OK);
  close_store();
  ck_assert_int_eq(execute_sql(world.path,
                               "ALTER TABLE environment DROP COLUMN journal; PRAGMA user_version=5",
                               NULL),
                   0);
  ck_assert_int_eq(unlink(journal), 0); /* that version kept none */
  open_store();
  assert_no_alarm();
}
END_TEST

START_TEST(pruning_is_no_alarm) {
  ck_assert_int_eq(revoke_key(&world, key.id, NULL), APIKEYS_OK);
  close_store();
  copy_file(journal, aside);
  open_store();
  world.now_ms += 1000;
  ok(&world, apikeys_prune(world.env, world.system, world.now_ms, world.err));
  close_store();
  copy_file(aside, journal); /* its last event was pruned */
  open_store();
  assert_no_alarm();
}
END_TEST

static int revoke_in_another_process(struct process *self) {
  char go;
  apikeys_env *env;
  apikeys_actor *actor = apikeys_actor_new();
  CHECK(process_receive(self, &go, 1));
  CHECK(apikeys_actor_set_system(actor, S("test")) == APIKEYS_OK);
  CHECK(apikeys_open_sqlite(&env, world.path, NULL, NULL) == APIKEYS_OK);
  for (int i = 0; i < 20; i++) {
    char id[64], value[APIKEYS_VALUE_MAX];
    size_t length;
    apikeys_key *made = apikeys_key_new();
    apikeys_key_spec *spec = apikeys_key_spec_new();
    CHECK(apikeys_key_spec_set_organization(spec, S(organization)) == APIKEYS_OK);
    CHECK(apikeys_key_spec_set_name(spec, S("theirs")) == APIKEYS_OK);
    CHECK(apikeys_key_create(env, actor, spec, made, value, sizeof value, &length, NULL) ==
          APIKEYS_OK);
    snprintf(id, sizeof id, "%s", apikeys_key_id(made, NULL));
    CHECK(apikeys_key_revoke(env, actor, S(id), NULL, 0, NULL, NULL) == APIKEYS_OK);
    apikeys_key_spec_free(spec);
    apikeys_key_free(made);
  }
  apikeys_close(env);
  apikeys_actor_free(actor);
  return 0;
}

START_TEST(two_processes_are_no_alarm) {
  struct process process;
  close_store();
  process_start(&process, revoke_in_another_process);
  open_store();
  ck_assert(process_send(&process, "g", 1));
  for (int i = 0; i < 20; i++) {
    struct made_key made;
    make_key(&world, key_spec(organization, "ours", ""), &made);
    ck_assert_int_eq(revoke_key(&world, made.id, NULL), APIKEYS_OK);
  }
  process_finish(&process);
  assert_no_alarm();
  ck_assert_int_ge(journal_size(), 42 * RECORD); /* each of the 41, and the key record */
}
END_TEST

/* A power cut takes what was not synced: any end of the journal. The next open puts it back. */
START_TEST(a_power_cut_is_no_alarm) {
  ck_assert_int_eq(revoke_key(&world, key.id, NULL), APIKEYS_OK);
  ck_assert_int_eq(revoke_key(&world, other.id, NULL), APIKEYS_OK);
  close_store();
  open_store();
  close_store();
  long full = journal_size();
  copy_file(journal, aside);
  for (long size = RECORD; size <= full; size += 16) {
    copy_file(aside, journal);
    ck_assert_int_eq(truncate(journal, size), 0);
    open_store();
    close_store();
    ck_assert_int_ge(journal_size(), 4 * RECORD); /* the header, both revocations, a mark */
  }
  ck_assert_int_eq(warnings, 0);
}
END_TEST

/* A length that reached the disk before the bytes did. */
START_TEST(several_torn_entries_are_no_damage) {
  static const char zeros[3 * RECORD];
  struct made_key made;
  ck_assert_int_eq(apikeys_options_set_require_journal(world.options, 1), APIKEYS_OK);
  ck_assert_int_eq(revoke_key(&world, other.id, NULL), APIKEYS_OK);
  close_store();
  FILE *file = fopen(journal, "ab");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(fwrite(zeros, 1, sizeof zeros, file), sizeof zeros);
  ck_assert_int_eq(fclose(file), 0);
  for (int i = 0; i < 3; i++) {
    open_store();
    make_key(&world, key_spec(organization, "x", ""), &made);
    ck_assert_int_eq(revoke_key(&world, made.id, NULL), APIKEYS_OK);
    close_store();
  }
  ck_assert_int_eq(warnings, 0);
}
END_TEST

START_TEST(notes_do_not_let_the_journal_grow) {
  struct made_key made;
  long before = journal_size();
  for (int i = 0; i < 20; i++) {
    world.now_ms += 2000;
    make_key(&world, key_spec(organization, "x", ""), &made);
  }
  ck_assert_int_le(journal_size(), before + RECORD);
}
END_TEST

START_TEST(an_old_revocation_leaves_the_journal_and_a_young_one_stays) {
  struct made_key made;
  ck_assert_int_eq(apikeys_options_set_journal_retention_ms(world.options, 0),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_options_set_journal_retention_ms(world.options, DAY_MS), APIKEYS_OK);
  for (int i = 0; i < 80; i++) {
    make_key(&world, key_spec(organization, "x", ""), &made);
    ck_assert_int_eq(revoke_key(&world, made.id, NULL), APIKEYS_OK);
  }
  unlink(backup);
  ok(&world, apikeys_backup(world.env, world.system, backup, world.err));
  world.now_ms += DAY_MS - 1;
  close_store();
  open_store();
  ck_assert_int_gt(journal_size(), 80 * RECORD); /* young enough */
  ck_assert_int_eq(revoke_key(&world, key.id, NULL), APIKEYS_OK);
  world.now_ms += 2;
  close_store();
  open_store();
  ck_assert_int_le(journal_size(), 5 * RECORD);
  ck_assert_int_eq(revoke_key(&world, other.id, NULL), APIKEYS_OK); /* appends to the new file */
  close_store();
  open_store();
  close_store();
  ck_assert_int_eq(warnings, 0);
  restore_backup();
  assert_went_back();
  accept_restores(1);
  open_store();
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_REVOKED);
  ck_assert_int_eq(validate(&world, other.value, NULL), APIKEYS_REVOKED);
}
END_TEST

/* -- A journal that is not there, or cannot be written ------------------------------------------ */

START_TEST(the_journal_may_be_elsewhere) {
  close_store();
  ck_assert_int_eq(rename(journal, aside), 0);
  ck_assert_int_eq(apikeys_options_set_revocation_journal(world.options, aside), APIKEYS_OK);
  ck_assert_int_eq(apikeys_options_set_require_journal(world.options, 1), APIKEYS_OK);
  open_store();
  ck_assert_int_eq(revoke_key(&world, key.id, NULL), APIKEYS_OK);
  close_store();
  ck_assert_int_eq(journal_size(), -1);
  restore_backup();
  assert_went_back();
  assert_accepted();
}
END_TEST

START_TEST(a_full_disk_leaves_the_journal_behind_until_a_repeat) {
  ck_assert_uint_eq(apikeys_environment_metric(world.env, APIKEYS_METRIC_JOURNAL_BEHIND), 0);
  journal_full = 1;
  ck_assert_int_eq(revoke_key(&world, key.id, NULL), APIKEYS_OK);
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_REVOKED);
  ck_assert_uint_eq(apikeys_environment_metric(world.env, APIKEYS_METRIC_JOURNAL_BEHIND), 1);
  ck_assert_int_eq(warnings, 1);
  journal_full = 0;
  ck_assert_int_eq(revoke_key(&world, key.id, NULL), APIKEYS_ERROR_ALREADY_REVOKED);
  ck_assert_uint_eq(apikeys_environment_metric(world.env, APIKEYS_METRIC_JOURNAL_BEHIND), 0);
  close_store();
  restore_backup();
  assert_went_back();
  assert_accepted();
}
END_TEST

/* -- Killed at each step ----------------------------------------------------------------------- */

static int killed_at(int at, int (*life)(void)) {
  int status = 0;
  pid_t pid = fork();
  if (pid == 0) {
    kill_at = at;
    _exit(life());
  }
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static int revoke_life(void) {
  int steps = kill_at;
  kill_at = 0;
  open_store();
  kill_at = steps;
  return revoke_key(&world, key.id, NULL) == APIKEYS_OK ? 0 : 1;
}

static int accept_life(void) {
  return try_open() == APIKEYS_OK ? 0 : 1;
}

START_TEST(a_revocation_killed_at_any_step_is_journalled_if_it_was_made) {
  int at = 0, killed, journalled = 0;
  close_store();
  copy_file(journal, aside);
  do {
    ck_assert_int_lt(++at, STEPS_MAX);
    accept_restores(0);
    restore_backup();
    copy_file(aside, journal);
    killed = killed_at(at, revoke_life);
    open_store();
    int made = validate(&world, key.value, NULL) == APIKEYS_REVOKED;
    ck_assert(made || killed);
    close_store();
    restore_backup();
    if (!made)
      continue;
    journalled++;
    assert_went_back();
    assert_accepted();
    close_store();
  } while (killed);
  ck_assert_int_gt(journalled, 1);
  open_store();
}
END_TEST

START_TEST(accepting_that_is_killed_at_any_step_is_resumed) {
  int at = 0, killed;
  ck_assert_int_eq(revoke_key(&world, key.id, NULL), APIKEYS_OK);
  close_store();
  copy_file(journal, aside);
  do {
    ck_assert_int_lt(++at, STEPS_MAX);
    restore_backup();
    copy_file(aside, journal);
    accept_restores(1);
    killed = killed_at(at, accept_life);
    accept_restores(0);
    int rc = try_open(); /* refused as ever until all of it is done */
    if (rc == APIKEYS_OK) {
      ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_REVOKED);
      close_store();
    } else {
      ck_assert_int_eq(rc, APIKEYS_ERROR_STORE_WENT_BACK);
      ck_assert(killed);
    }
    assert_accepted();
    close_store();
  } while (killed);
  ck_assert_int_gt(at, 3); /* it did come to the steps */
}
END_TEST

int main(void) {
  Suite *suite = suite_create("restore");
  TCase *tcase = tcase_create("SQLite");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_test(tcase, a_restored_file_is_refused_and_accepting_it_revokes);
  tcase_add_test(tcase, all_ways_of_revoking_are_journalled);
  tcase_add_test(tcase, a_deleted_organizations_keys_are_journalled);
  tcase_add_test(tcase, a_backup_of_before_a_rotation_is_refused_and_accepted);
  tcase_add_test(tcase, entries_out_of_order_hide_no_restore);
  tcase_add_test(tcase, a_revocation_that_was_never_appended_is_found_by_the_next_open);
  tcase_add_test(tcase, several_torn_entries_are_no_damage);
  tcase_add_test(tcase, notes_do_not_let_the_journal_grow);
  tcase_add_test(tcase, an_old_revocation_leaves_the_journal_and_a_young_one_stays);
  tcase_add_test(tcase, a_fresh_backup_in_place_is_no_alarm);
  tcase_add_test(tcase, vacuum_is_no_alarm);
  tcase_add_test(tcase, an_upgrade_is_no_alarm);
  tcase_add_test(tcase, pruning_is_no_alarm);
  tcase_add_test(tcase, two_processes_are_no_alarm);
  tcase_add_test(tcase, a_power_cut_is_no_alarm);
  tcase_add_test(tcase, the_journal_may_be_elsewhere);
  tcase_add_test(tcase, a_full_disk_leaves_the_journal_behind_until_a_repeat);
  tcase_add_test(tcase, a_revocation_killed_at_any_step_is_journalled_if_it_was_made);
  tcase_add_test(tcase, accepting_that_is_killed_at_any_step_is_resumed);
  tcase_set_timeout(tcase, 300);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
