/* SPDX-License-Identifier: MIT */
/* The revocation journal: what it holds, and that no restored backup revives a revoked key. */
#define _DEFAULT_SOURCE /* flock */
#include "crypto/ids.h"
#include "operation/revocation_journal.h"
#include "support/deeds.h"
#include "support/sql.h"
#include "support/suite.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct shop {
  struct world world;
  char organization[64];
  char journal[128];
  char copy[128];
};

static void open_shop(struct shop *shop) {
  world_open(&shop->world, BACKEND_SQLITE);
  make_posts(&shop->world);
  make_organization(&shop->world, "Acme", shop->organization);
  snprintf(shop->journal, sizeof shop->journal, "%s-revocations", shop->world.path);
  snprintf(shop->copy, sizeof shop->copy, "%s/copy.db", shop->world.directory);
}

static void close_shop(struct shop *shop) {
  world_close(&shop->world);
}

static void make(struct shop *shop, const char *name, struct made_key *key) {
  make_key(&shop->world, key_spec(shop->organization, name, "posts:read"), key);
}

static int revoke_by_id(struct shop *shop, const char *id) {
  return apikeys_key_revoke(shop->world.env, shop->world.system, id, APIKEYS_NUL, "leaked",
                            APIKEYS_NUL, NULL, shop->world.err);
}

static void revoke_made(struct shop *shop, const struct made_key *key) {
  ck_assert_int_eq(revoke_by_id(shop, key->id), 0);
}

static void copy_file(const char *from, const char *to) {
  char command[512];
  snprintf(command, sizeof command, "cp '%s' '%s'", from, to);
  ck_assert_int_eq(system(command), 0);
}

static void backup(struct shop *shop) {
  unlink(shop->copy);
  ck_assert_int_eq(apikeys_backup(shop->world.env, shop->world.system, shop->copy, shop->world.err),
                   0);
}

/* As an operator does it: stop, put the backup in the database's place. */
static void stop_and_restore(struct shop *shop) {
  char beside[160];
  apikeys_close(shop->world.env);
  shop->world.env = NULL;
  copy_file(shop->copy, shop->world.path);
  snprintf(beside, sizeof beside, "%s-wal", shop->world.path);
  unlink(beside);
  snprintf(beside, sizeof beside, "%s-shm", shop->world.path);
  unlink(beside);
}

static int open_again(struct shop *shop, int accept) {
  struct world *world = &shop->world;
  ck_assert_int_eq(apikeys_options_set_accept_restore(world->options, accept), 0);
  int rc = apikeys_open_sqlite(&world->env, world->path, world->options, world->err);
  ck_assert_int_eq(apikeys_options_set_accept_restore(world->options, 0), 0);
  return rc;
}

static void reopen_well(struct shop *shop) {
  apikeys_close(shop->world.env);
  shop->world.env = NULL;
  ck_assert_msg(open_again(shop, 0) == 0, "%s", apikeys_error_message(shop->world.err));
}

/* How many entries of the journal name this key. */
static int entries_of(struct shop *shop, const char *key_id) {
  struct ak_journal_file file;
  uint8_t wanted[AK_ULID_BYTES];
  int count = 0;
  ck_assert_int_eq(ak_ulid_pack(wanted, key_id, strlen(key_id)), 0);
  ck_assert_int_eq(ak_journal_load(shop->journal, &file), 0);
  ck_assert_int_eq(file.state, AK_JOURNAL_GOOD);
  for (size_t i = 0; i < file.count; i++)
    count += memcmp(file.bytes + i * AK_JOURNAL_BYTES + 32, wanted, sizeof wanted) == 0;
  ak_journal_file_release(&file);
  return count;
}

static off_t size_of(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 ? status.st_size : -1;
}

static void write_at(const char *path, long offset, int whence, const char *bytes, size_t length) {
  FILE *file = fopen(path, "r+b");
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(fseek(file, offset, whence), 0);
  ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
  fclose(file);
}

/* -- The format -------------------------------------------------------------------------------- */

START_TEST(an_entry_survives_as_bytes_and_no_damage_passes) {
  uint8_t key[AK_FINGERPRINT_BYTES] = {1, 2, 3}, bytes[AK_JOURNAL_BYTES];
  struct ak_journal_entry entry = {INT64_C(0x0102030405060708), INT64_C(1768478400000), {9}, {7}},
                          back;
  ak_journal_encode(bytes, &entry, key);
  ck_assert(ak_journal_decode(&back, bytes, key));
  ck_assert_mem_eq(&back, &entry, sizeof entry);
  ck_assert(ak_journal_has_key(&back));
  for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    ck_assert(!ak_journal_decode(&back, bytes, key));
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  key[0] ^= 1;
  ck_assert(!ak_journal_decode(&back, bytes, key));
}
END_TEST

START_TEST(a_ulid_is_packed_and_unpacked) {
  static const char *const ids[] = {"api_key_00000000000000000000000000",
                                    "api_key_7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
                                    "api_key_01HQ3M8Z9V4K2T7RBXWCNPJ5DE"};
  char back[AK_ID_MAX];
  uint8_t bytes[AK_ULID_BYTES];
  for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
    ck_assert_int_eq(ak_ulid_pack(bytes, ids[i], strlen(ids[i])), 0);
    ak_ulid_unpack(back, "api_key", bytes);
    ck_assert_str_eq(back, ids[i]);
  }
  ck_assert_int_ne(ak_ulid_pack(bytes, "short", 5), 0);
}
END_TEST

/* -- What goes into it ------------------------------------------------------------------------- */

START_TEST(every_way_of_revoking_is_in_the_journal) {
  struct shop shop;
  struct made_key one, members, owned;
  open_shop(&shop);
  make(&shop, "one", &one);
  make_member(&shop.world, shop.organization, "ada", "member");
  make_permission(&shop.world, "mail:send", 1, 1);
  make_role(&shop.world, "", "mailer", "mail:send");
  make_member(&shop.world, shop.organization, "bob", "mailer");
  make_key(&shop.world, member_key_spec(shop.organization, "bob", "bob's", "mail:send"), &members);
  make(&shop, "owned", &owned);
  revoke_made(&shop, &one);
  ck_assert_int_eq(entries_of(&shop, one.id), 1);
  ck_assert_int_eq(apikeys_member_delete(shop.world.env, shop.world.system, S(shop.organization),
                                         S("bob"), shop.world.err),
                   0);
  ck_assert_int_eq(entries_of(&shop, members.id), 1);
  ck_assert_int_eq(apikeys_organization_delete(shop.world.env, shop.world.system,
                                               S(shop.organization), shop.world.err),
                   0);
  ck_assert_int_eq(apikeys_maintain(shop.world.env, shop.world.err), 0);
  ck_assert_int_eq(entries_of(&shop, owned.id), 1);
  close_shop(&shop);
}
END_TEST

struct revoker {
  struct shop *shop;
  struct made_key key;
  int rc;
};

static void *revoke_in_thread(void *argument) {
  struct revoker *revoker = argument;
  apikeys_error *err = apikeys_error_new();
  revoker->rc = apikeys_key_revoke(revoker->shop->world.env, revoker->shop->world.system,
                                   revoker->key.id, APIKEYS_NUL, NULL, 0, NULL, err);
  apikeys_error_free(err);
  return NULL;
}

START_TEST(revocations_that_share_a_commit_are_all_in_the_journal) {
  enum { THREADS = 8 };
  struct shop shop;
  struct revoker revokers[THREADS];
  pthread_t threads[THREADS];
  open_shop(&shop);
  for (int i = 0; i < THREADS; i++) {
    revokers[i].shop = &shop;
    make(&shop, "shared", &revokers[i].key);
  }
  for (int i = 0; i < THREADS; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, revoke_in_thread, &revokers[i]), 0);
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    ck_assert_int_eq(revokers[i].rc, 0);
    ck_assert_int_eq(entries_of(&shop, revokers[i].key.id), 1);
  }
  close_shop(&shop);
}
END_TEST

/* The process that revoked may have died between its commit and the journal. */
START_TEST(who_is_told_revoked_before_may_rely_on_the_journal) {
  struct shop shop;
  struct made_key key;
  char older[160];
  open_shop(&shop);
  make(&shop, "one", &key);
  backup(&shop);
  snprintf(older, sizeof older, "%s.older", shop.journal);
  copy_file(shop.journal, older);
  revoke_made(&shop, &key);
  copy_file(older, shop.journal); /* as if the entry had not been written */
  ck_assert_int_eq(entries_of(&shop, key.id), 0);
  apikeys_close(shop.world.env);
  ck_assert_int_eq(open_again(&shop, 0), 0); /* catches up from the events */
  ck_assert_int_eq(entries_of(&shop, key.id), 1);
  /* A process that has not written the key lately, which is all that it remembers. */
  for (int i = 0; i < AK_JOURNAL_RECENT; i++) {
    struct made_key other;
    make(&shop, "other", &other);
    revoke_made(&shop, &other);
  }
  copy_file(older, shop.journal);
  ck_assert_int_eq(revoke_by_id(&shop, key.id), APIKEYS_ERROR_ALREADY_REVOKED);
  ck_assert_int_eq(entries_of(&shop, key.id), 1);
  stop_and_restore(&shop);
  ck_assert_int_eq(open_again(&shop, 0), APIKEYS_ERROR_STORE_WENT_BACK);
  ck_assert_int_eq(open_again(&shop, 1), 0);
  ck_assert_int_eq(validate(&shop.world, key.value, NULL), APIKEYS_REVOKED);
  close_shop(&shop);
}
END_TEST

/* -- A restored backup ------------------------------------------------------------------------- */

START_TEST(a_restored_backup_is_refused_and_accepted_without_reviving_a_key) {
  struct shop shop;
  struct made_key before, after, alive;
  char type[64];
  open_shop(&shop);
  make(&shop, "revoked before the backup", &before);
  make(&shop, "revoked after it", &after);
  make(&shop, "alive", &alive);
  revoke_made(&shop, &before);
  backup(&shop);
  revoke_made(&shop, &after);
  int64_t lost = last_event(&shop.world, type);

  stop_and_restore(&shop);
  shop.world.env = NULL;
  ck_assert_int_eq(open_again(&shop, 0), APIKEYS_ERROR_STORE_WENT_BACK);
  ck_assert_ptr_null(shop.world.env);
  ck_assert_str_eq(apikeys_error_field(shop.world.err), "journal");
  ck_assert_int_eq(open_again(&shop, 1), 0);
  ck_assert_int_eq(validate(&shop.world, before.value, NULL), APIKEYS_REVOKED);
  ck_assert_int_eq(validate(&shop.world, after.value, NULL), APIKEYS_REVOKED);
  ck_assert_int_eq(validate(&shop.world, alive.value, "posts:read"), 0);
  ck_assert_int_gt(last_event(&shop.world, type), lost);
  ck_assert_str_eq(type, "environment.restored");
  reopen_well(&shop);
  ck_assert_int_eq(validate(&shop.world, after.value, NULL), APIKEYS_REVOKED);
  close_shop(&shop);
}
END_TEST

/* The store goes on after the restore: the same number, another event. */
START_TEST(a_restored_store_that_gave_the_numbers_again_is_noticed) {
  struct shop shop;
  struct made_key key;
  char hidden[160];
  open_shop(&shop);
  make(&shop, "one", &key);
  backup(&shop);
  revoke_made(&shop, &key);
  stop_and_restore(&shop);
  snprintf(hidden, sizeof hidden, "%s.hidden", shop.journal);
  ck_assert_int_eq(rename(shop.journal, hidden), 0); /* an older version that knows no journal */
  ck_assert_int_eq(apikeys_options_set_revocation_journal(shop.world.options, ""), 0);
  ck_assert_int_eq(open_again(&shop, 0), 0);
  for (int i = 0; i < 5; i++) {
    struct made_key other;
    make(&shop, "other", &other);
  }
  apikeys_close(shop.world.env);
  shop.world.env = NULL;
  ck_assert_int_eq(rename(hidden, shop.journal), 0);
  ck_assert_int_eq(apikeys_options_set_revocation_journal(shop.world.options, shop.journal), 0);
  ck_assert_int_eq(open_again(&shop, 0), APIKEYS_ERROR_STORE_WENT_BACK);
  ck_assert_int_eq(open_again(&shop, 1), 0);
  ck_assert_int_eq(validate(&shop.world, key.value, NULL), APIKEYS_REVOKED);
  close_shop(&shop);
}
END_TEST

START_TEST(nothing_that_is_no_restore_is_an_alarm) {
  struct shop shop;
  struct made_key key;
  open_shop(&shop);
  make(&shop, "one", &key);
  revoke_made(&shop, &key);
  reopen_well(&shop);
  backup(&shop); /* a backup that is only made */
  reopen_well(&shop);
  apikeys_close(shop.world.env);
  ck_assert_int_eq(execute_sql(shop.world.path, "VACUUM", NULL), 0);
  ck_assert_int_eq(open_again(&shop, 0), 0);
  /* A torn last entry, as a power cut leaves it. */
  off_t size = size_of(shop.journal);
  write_at(shop.journal, 0, SEEK_END, "torn", 4);
  reopen_well(&shop);
  make(&shop, "two", &key);
  revoke_made(&shop, &key);
  ck_assert_int_eq(size_of(shop.journal) % AK_JOURNAL_BYTES, 0);
  ck_assert_int_gt(size_of(shop.journal), size);
  ck_assert_int_eq(entries_of(&shop, key.id), 1);
  reopen_well(&shop);
  /* A note that was not synced is lost. */
  ck_assert_int_eq(truncate(shop.journal, size_of(shop.journal) - AK_JOURNAL_BYTES), 0);
  reopen_well(&shop);
  /* A rotation of the root key. */
  ck_assert_int_eq(
      apikeys_rotate_root_key(shop.world.env, shop.world.system, NULL, 0, 0, shop.world.err), 0);
  make(&shop, "three", &key);
  revoke_made(&shop, &key);
  reopen_well(&shop);
  /* Events are pruned, that of the journal's last entry too. */
  shop.world.now_ms += 1000;
  ck_assert_int_eq(
      apikeys_prune(shop.world.env, shop.world.system, shop.world.now_ms, shop.world.err), 0);
  reopen_well(&shop);
  close_shop(&shop);
}
END_TEST

struct opener {
  struct world *world;
  pthread_barrier_t *barrier;
  apikeys_env *env;
  int rc;
};

static void *open_at_once(void *argument) {
  struct opener *opener = argument;
  pthread_barrier_wait(opener->barrier);
  opener->rc = apikeys_open_sqlite(&opener->env, opener->world->path, opener->world->options, NULL);
  return NULL;
}

/* The first opens of an environment make its journal: one of them, once. */
START_TEST(first_opens_at_once_share_one_journal) {
  enum { ROUNDS = 20, THREADS = 4 };
  for (int round = 0; round < ROUNDS; round++) {
    struct shop shop;
    struct made_key key;
    struct opener openers[THREADS];
    pthread_t threads[THREADS];
    pthread_barrier_t barrier;
    world_open(&shop.world, BACKEND_SQLITE);
    apikeys_close(shop.world.env);
    char command[256];
    snprintf(command, sizeof command, "rm -f %s/*", shop.world.directory);
    ck_assert_int_eq(system(command), 0);
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
      openers[i] = (struct opener){.world = &shop.world, .barrier = &barrier};
      ck_assert_int_eq(pthread_create(&threads[i], NULL, open_at_once, &openers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
      pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
    shop.world.env = NULL;
    snprintf(shop.journal, sizeof shop.journal, "%s-revocations", shop.world.path);
    for (int i = 0; i < THREADS; i++) {
      ck_assert_int_eq(openers[i].rc, 0);
      shop.world.env = openers[i].env;
      if (i == 0) {
        make_posts(&shop.world);
        make_organization(&shop.world, "Acme", shop.organization);
      }
      make(&shop, "one", &key);
      revoke_made(&shop, &key);
      ck_assert_uint_eq(apikeys_environment_metric(shop.world.env, APIKEYS_METRIC_JOURNAL_BEHIND),
                        0);
      ck_assert_int_eq(entries_of(&shop, key.id), 1);
    }
    for (int i = 1; i < THREADS; i++)
      apikeys_close(openers[i].env);
    shop.world.env = openers[0].env;
    close_shop(&shop);
  }
}
END_TEST

START_TEST(a_program_may_change_its_directory) {
  struct shop shop;
  struct made_key key;
  char home[4096];
  open_shop(&shop); /* by a relative path */
  make(&shop, "one", &key);
  ck_assert_ptr_nonnull(getcwd(home, sizeof home));
  ck_assert_int_eq(chdir("/"), 0);
  int rc = revoke_by_id(&shop, key.id);
  ck_assert_int_eq(chdir(home), 0);
  ck_assert_int_eq(rc, 0);
  ck_assert_int_eq(entries_of(&shop, key.id), 1);
  close_shop(&shop);
}
END_TEST

START_TEST(two_processes_share_a_journal) {
  struct shop shop;
  struct made_key keys[4];
  apikeys_env *other = NULL;
  open_shop(&shop);
  ck_assert_int_eq(apikeys_open_sqlite(&other, shop.world.path, shop.world.options, shop.world.err),
                   0);
  for (int i = 0; i < 4; i++) {
    make(&shop, "shared", &keys[i]);
    ck_assert_int_eq(apikeys_key_revoke(i % 2 == 0 ? shop.world.env : other, shop.world.system,
                                        keys[i].id, APIKEYS_NUL, NULL, 0, NULL, shop.world.err),
                     0);
  }
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(entries_of(&shop, keys[i].id), 1);
  apikeys_close(other);
  reopen_well(&shop);
  close_shop(&shop);
}
END_TEST

/* -- A journal that is not as it should be ------------------------------------------------------ */

START_TEST(a_missing_journal_is_made_anew_or_refused) {
  struct shop shop;
  struct made_key key;
  open_shop(&shop);
  apikeys_close(shop.world.env);
  ck_assert_int_eq(unlink(shop.journal), 0);
  ck_assert_int_eq(apikeys_options_set_require_journal(shop.world.options, 1), 0);
  ck_assert_int_eq(open_again(&shop, 0), APIKEYS_ERROR_STORE_WENT_BACK);
  ck_assert_int_eq(size_of(shop.journal), -1);
  ck_assert_int_eq(apikeys_options_set_require_journal(shop.world.options, 0), 0);
  ck_assert_int_eq(open_again(&shop, 0), 0);
  make(&shop, "one", &key);
  revoke_made(&shop, &key);
  ck_assert_int_eq(entries_of(&shop, key.id), 1);
  ck_assert_int_eq(apikeys_options_set_require_journal(shop.world.options, 1), 0);
  reopen_well(&shop);
  close_shop(&shop);
}
END_TEST

START_TEST(a_damaged_journal_is_an_alarm_where_one_is_required) {
  struct shop shop;
  struct made_key one, two;
  open_shop(&shop);
  make(&shop, "one", &one);
  make(&shop, "two", &two);
  backup(&shop);
  revoke_made(&shop, &one);
  revoke_made(&shop, &two);
  reopen_well(&shop);
  write_at(shop.journal, AK_JOURNAL_BYTES + 3, SEEK_SET, "x", 1);
  ck_assert_int_eq(apikeys_options_set_require_journal(shop.world.options, 1), 0);
  apikeys_close(shop.world.env);
  ck_assert_int_eq(open_again(&shop, 0), APIKEYS_ERROR_STORE_WENT_BACK);
  /* What of it is good still counts. */
  ck_assert_int_eq(apikeys_options_set_require_journal(shop.world.options, 0), 0);
  ck_assert_int_eq(open_again(&shop, 0), 0);
  stop_and_restore(&shop);
  ck_assert_int_eq(open_again(&shop, 1), 0);
  ck_assert_int_eq(validate(&shop.world, two.value, NULL), APIKEYS_REVOKED);
  close_shop(&shop);
}
END_TEST

START_TEST(a_journal_that_cannot_be_written_fails_no_change_and_catches_up) {
  struct shop shop;
  struct made_key one, two;
  char folder[96], aside[112], path[128];
  world_open(&shop.world, BACKEND_SQLITE);
  snprintf(folder, sizeof folder, "%s/apart", shop.world.directory);
  snprintf(aside, sizeof aside, "%s.away", folder);
  snprintf(path, sizeof path, "%s/journal", folder);
  ck_assert_int_eq(mkdir(folder, 0700), 0);
  ck_assert_int_eq(apikeys_options_set_revocation_journal(shop.world.options, path), 0);
  world_reopen(&shop.world);
  snprintf(shop.journal, sizeof shop.journal, "%s", path);
  make_posts(&shop.world);
  make_organization(&shop.world, "Acme", shop.organization);
  make(&shop, "one", &one);
  make(&shop, "two", &two);
  ck_assert_uint_eq(apikeys_environment_metric(shop.world.env, APIKEYS_METRIC_JOURNAL_BEHIND), 0);
  ck_assert_int_eq(rename(folder, aside), 0);
  revoke_made(&shop, &one);
  ck_assert_uint_eq(apikeys_environment_metric(shop.world.env, APIKEYS_METRIC_JOURNAL_BEHIND), 1);
  ck_assert_int_eq(rename(aside, folder), 0);
  revoke_made(&shop, &two);
  ck_assert_uint_eq(apikeys_environment_metric(shop.world.env, APIKEYS_METRIC_JOURNAL_BEHIND), 0);
  ck_assert_int_eq(entries_of(&shop, one.id), 1);
  ck_assert_int_eq(entries_of(&shop, two.id), 1);
  unlink(path);
  rmdir(folder);
  close_shop(&shop);
}
END_TEST

/* A neighbour that was stopped while it held the journal's lock. */
START_TEST(a_stuck_neighbour_holds_up_no_revocation_for_good) {
  struct shop shop;
  struct made_key one, two;
  open_shop(&shop);
  make(&shop, "one", &one);
  make(&shop, "two", &two);
  int fd = open(shop.journal, O_RDONLY | O_CLOEXEC);
  ck_assert_int_eq(flock(fd, LOCK_EX), 0);
  revoke_made(&shop, &one);
  ck_assert_uint_eq(apikeys_environment_metric(shop.world.env, APIKEYS_METRIC_JOURNAL_BEHIND), 1);
  close(fd);
  revoke_made(&shop, &two);
  ck_assert_uint_eq(apikeys_environment_metric(shop.world.env, APIKEYS_METRIC_JOURNAL_BEHIND), 0);
  ck_assert_int_eq(entries_of(&shop, one.id), 1);
  ck_assert_int_eq(entries_of(&shop, two.id), 1);
  close_shop(&shop);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("restore");
  TCase *tests = tcase_create("restore");
  tcase_add_test(tests, an_entry_survives_as_bytes_and_no_damage_passes);
  tcase_add_test(tests, a_ulid_is_packed_and_unpacked);
  tcase_add_test(tests, every_way_of_revoking_is_in_the_journal);
  tcase_add_test(tests, revocations_that_share_a_commit_are_all_in_the_journal);
  tcase_add_test(tests, who_is_told_revoked_before_may_rely_on_the_journal);
  tcase_add_test(tests, a_restored_backup_is_refused_and_accepted_without_reviving_a_key);
  tcase_add_test(tests, a_restored_store_that_gave_the_numbers_again_is_noticed);
  tcase_add_test(tests, nothing_that_is_no_restore_is_an_alarm);
  tcase_add_test(tests, first_opens_at_once_share_one_journal);
  tcase_add_test(tests, a_program_may_change_its_directory);
  tcase_add_test(tests, two_processes_share_a_journal);
  tcase_add_test(tests, a_missing_journal_is_made_anew_or_refused);
  tcase_add_test(tests, a_damaged_journal_is_an_alarm_where_one_is_required);
  tcase_add_test(tests, a_journal_that_cannot_be_written_fails_no_change_and_catches_up);
  tcase_add_test(tests, a_stuck_neighbour_holds_up_no_revocation_for_good);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
