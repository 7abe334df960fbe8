/* SPDX-License-Identifier: MIT */
/* The root key: where it comes from, what is wrong with it, and how it is changed. */
#define _XOPEN_SOURCE 700
#include "support/deeds.h"
#include "support/suite.h"
#include "support/world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct world world;
static char organization[64];
static struct made_key key;
static char root_path[128];

static void set_up(void) {
  world_open(&world, BACKEND_SQLITE);
  make_organization(&world, "Acme", organization);
  make_key(&world, key_spec(organization, "k", ""), &key);
  snprintf(root_path, sizeof root_path, "%s.root", world.path);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *at) {
  (void)status, (void)type, (void)at;
  return remove(path);
}

static void tear_down(void) {
  char directory[sizeof world.directory];
  snprintf(directory, sizeof directory, "%s", world.directory);
  world_close(&world);
  nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS); /* what a test made beside the store */
}

static size_t read_file(const char *path, void *bytes, size_t size) {
  FILE *file = fopen(path, "rb");
  if (file == NULL)
    return 0;
  size_t length = fread(bytes, 1, size, file);
  fclose(file);
  return length;
}

static void write_file(const char *path, const void *bytes, size_t length) {
  int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ck_assert_int_ge(descriptor, 0);
  ck_assert_int_eq(write(descriptor, bytes, length), (ssize_t)length);
  close(descriptor);
}

/* Opens with the world's options, or with others. */
static int try_open(const apikeys_options *options) {
  apikeys_env *env = NULL;
  int rc = apikeys_open_sqlite(&env, world.path, options, world.err);
  if (rc == APIKEYS_OK)
    apikeys_close(env);
  else
    ck_assert_ptr_null(env);
  return rc;
}

START_TEST(the_file_is_made_for_its_owner_alone) {
  struct stat status;
  ck_assert_int_eq(stat(root_path, &status), 0);
  ck_assert_int_eq(status.st_mode & 0777, 0600);
  ck_assert_int_eq(status.st_size, 32);
  ck_assert_int_eq(stat(world.path, &status), 0);
  ck_assert_int_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(a_missing_file_says_where_it_was_expected) {
  unsigned char root[32], left[32];
  ck_assert_uint_eq(read_file(root_path, root, sizeof root), 32);
  unlink(root_path);
  ck_assert_int_eq(try_open(NULL), APIKEYS_ERROR_ROOT_KEY_MISSING);
  ck_assert_ptr_nonnull(strstr(apikeys_error_message(world.err), root_path));
  ck_assert_int_eq(access(root_path, F_OK), -1); /* none was made up in its place */
  write_file(root_path, root, 32);
  ck_assert_int_eq(try_open(NULL), APIKEYS_OK);
  ck_assert_uint_eq(read_file(root_path, left, sizeof left), 32);
  ck_assert_mem_eq(root, left, 32);
}
END_TEST

START_TEST(a_wrong_short_or_exposed_file_is_refused) {
  unsigned char root[33], wrong[33];
  read_file(root_path, root, sizeof root);
  memset(wrong, 7, sizeof wrong);
  write_file(root_path, wrong, 32);
  ck_assert_int_eq(try_open(NULL), APIKEYS_ERROR_ROOT_KEY_WRONG);
  write_file(root_path, root, 31);
  ck_assert_int_eq(try_open(NULL), APIKEYS_ERROR_ROOT_KEY_MALFORMED);
  write_file(root_path, wrong, 33);
  ck_assert_int_eq(try_open(NULL), APIKEYS_ERROR_ROOT_KEY_MALFORMED);
  write_file(root_path, root, 32);
  ck_assert_int_eq(chmod(root_path, 0640), 0);
  ck_assert_int_eq(try_open(NULL), APIKEYS_ERROR_ROOT_KEY_EXPOSED);
  ck_assert_int_eq(chmod(root_path, 0600), 0);
  ck_assert_int_eq(try_open(NULL), APIKEYS_OK);
}
END_TEST

START_TEST(a_directory_is_no_root_file) {
  unsigned char root[32];
  char moved[160];
  read_file(root_path, root, sizeof root);
  snprintf(moved, sizeof moved, "%s.moved", root_path);
  ck_assert_int_eq(rename(root_path, moved), 0);
  ck_assert_int_eq(mkdir(root_path, 0700), 0);
  ck_assert_int_eq(try_open(NULL), APIKEYS_ERROR_ROOT_KEY_MALFORMED);
  ck_assert_int_eq(rmdir(root_path), 0);
  ck_assert_int_eq(rename(moved, root_path), 0);
  ck_assert_int_eq(try_open(NULL), APIKEYS_OK);
}
END_TEST

START_TEST(a_link_is_followed_and_never_written) {
  unsigned char root[32], left[32];
  char moved[160];
  struct stat status;
  read_file(root_path, root, sizeof root);
  snprintf(moved, sizeof moved, "%s/elsewhere", world.directory);
  ck_assert_int_eq(rename(root_path, moved), 0);
  ck_assert_int_eq(symlink("elsewhere", root_path), 0);
  ck_assert_int_eq(try_open(NULL), APIKEYS_OK);
  ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err),
                   APIKEYS_ERROR_READ_ONLY);
  ck_assert_ptr_nonnull(strstr(apikeys_error_message(world.err), root_path));
  ck_assert_int_eq(lstat(root_path, &status), 0);
  ck_assert(S_ISLNK(status.st_mode));
  read_file(moved, left, sizeof left);
  ck_assert_mem_eq(root, left, 32);
  ck_assert_int_eq(chmod(moved, 0640), 0);
  ck_assert_int_eq(try_open(NULL), APIKEYS_ERROR_ROOT_KEY_EXPOSED);
  unlink(moved);
  ck_assert_int_eq(try_open(NULL), APIKEYS_ERROR_ROOT_KEY_MISSING);
}
END_TEST

START_TEST(a_link_to_nothing_makes_no_root_key) {
  char path[160], link[160], target[160];
  apikeys_env *env = NULL;
  apikeys_options *options = apikeys_options_new();
  snprintf(path, sizeof path, "%s/new.db", world.directory);
  snprintf(link, sizeof link, "%s/link", world.directory);
  snprintf(target, sizeof target, "%s/target", world.directory);
  ck_assert_int_eq(symlink("target", link), 0);
  ck_assert_int_eq(apikeys_options_set_root_key_file(options, link), 0);
  ck_assert_int_eq(apikeys_open_sqlite(&env, path, options, world.err),
                   APIKEYS_ERROR_ROOT_KEY_MISSING);
  ck_assert_int_eq(access(target, F_OK), -1);
  apikeys_options_free(options);
}
END_TEST

/* The file's owner and mode as kubelet sets them for a pod with `fsGroup`. */
START_TEST(mode_0440_needs_root_and_a_group_of_ours) {
  enum { NOT_OURS = 54321 };
  if (geteuid() != 0) {
    printf("mode_0440_needs_root_and_a_group_of_ours: skipped: only root may give files away\n");
    return;
  }
  ck_assert_int_eq(chmod(root_path, 0440), 0);
  ck_assert_int_eq(chown(root_path, 0, getegid()), 0);
  ck_assert_int_eq(try_open(NULL), APIKEYS_OK);
  ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err),
                   APIKEYS_ERROR_READ_ONLY);
  ck_assert_int_eq(chown(root_path, 0, NOT_OURS), 0);
  ck_assert_int_eq(try_open(NULL), APIKEYS_ERROR_ROOT_KEY_EXPOSED);
  ck_assert_int_eq(chown(root_path, NOT_OURS, getegid()), 0);
  ck_assert_int_eq(try_open(NULL), APIKEYS_ERROR_ROOT_KEY_EXPOSED);
  ck_assert_int_eq(chown(root_path, 0, getegid()), 0);
  static const mode_t refused[] = {0444, 0640, 0460, 0450, 0441};
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    ck_assert_int_eq(chmod(root_path, refused[i]), 0);
    ck_assert_int_eq(try_open(NULL), APIKEYS_ERROR_ROOT_KEY_EXPOSED);
  }
}
END_TEST

/* -- A mounted secret as kubelet keeps it: `root` leads to `..data/root`, `..data` is swapped -- */

struct secret {
  char directory[160];
  char link[192]; /* the path that a process is given */
  int version;
};

static void write_entry(const struct secret *secret, const char *name, const void *bytes) {
  char path[256], link[256], target[96];
  snprintf(path, sizeof path, "%s/..v%d/%s", secret->directory, secret->version, name);
  write_file(path, bytes, 32);
  ck_assert_int_eq(chmod(path, 0400), 0);
  snprintf(link, sizeof link, "%s/%s", secret->directory, name);
  snprintf(target, sizeof target, "..data/%s", name);
  ck_assert(symlink(target, link) == 0 || errno == EEXIST);
}

static void make_version(struct secret *secret) {
  char path[256];
  snprintf(path, sizeof path, "%s/..v%d", secret->directory, ++secret->version);
  ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void publish_version(const struct secret *secret) {
  char target[32], made[256], data[256];
  snprintf(target, sizeof target, "..v%d", secret->version);
  snprintf(made, sizeof made, "%s/..data_tmp", secret->directory);
  snprintf(data, sizeof data, "%s/..data", secret->directory);
  ck_assert_int_eq(symlink(target, made), 0);
  ck_assert_int_eq(rename(made, data), 0);
}

static void make_secret(struct secret *secret, const void *root) {
  memset(secret, 0, sizeof *secret);
  snprintf(secret->directory, sizeof secret->directory, "%s/secret", world.directory);
  snprintf(secret->link, sizeof secret->link, "%s/root", secret->directory);
  ck_assert_int_eq(mkdir(secret->directory, 0700), 0);
  make_version(secret);
  write_entry(secret, "root", root);
  publish_version(secret);
}

/* The name that the message says the new root key's entry must have. */
static void wanted_entry(const struct secret *secret, const apikeys_error *err, char name[32]) {
  const char *at = strstr(apikeys_error_message(err), secret->link);
  ck_assert_ptr_nonnull(at);
  snprintf(name, 32, "%.*s", (int)sizeof "root.0123456789abcdef" - 1,
           at + strlen(secret->directory) + 1);
}

struct source {
  unsigned char bytes[32];
  int asked;
  int fails;
  int destroyed;
  char wanted[17]; /* the check that was asked for, as messages and file names say it */
};

static int give_root(void *out, const void *check, void *user_data) {
  struct source *source = user_data;
  const unsigned char *bytes = check;
  source->asked++;
  source->wanted[0] = '\0';
  for (int i = 0; check != NULL && i < 8; i++)
    snprintf(source->wanted + 2 * i, 3, "%02x", bytes[i]);
  memcpy(out, source->bytes, 32);
  return source->fails;
}

static void destroy_source(void *user_data) {
  struct source *source = user_data;
  source->destroyed++;
}

START_TEST(a_callback_is_asked_at_each_open) {
  struct source source = {.fails = 0};
  read_file(root_path, source.bytes, 32);
  apikeys_options *options = apikeys_options_new();
  ck_assert_int_eq(
      apikeys_options_set_root_key_callback(options, give_root, &source, destroy_source), 0);
  ck_assert_int_eq(try_open(options), APIKEYS_OK);
  ck_assert_int_eq(try_open(options), APIKEYS_OK);
  ck_assert_int_eq(source.asked, 2);
  source.fails = 1;
  ck_assert_int_eq(try_open(options), APIKEYS_ERROR_ROOT_KEY_MISSING);
  ck_assert_int_eq(source.destroyed, 0);
  apikeys_options_free(options);
  ck_assert_int_eq(source.destroyed, 1);
  ck_assert_int_eq(apikeys_options_set_root_key_callback(NULL, give_root, &source, destroy_source),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(source.destroyed, 2);
}
END_TEST

START_TEST(given_bytes_work_and_are_checked) {
  unsigned char root[32];
  read_file(root_path, root, sizeof root);
  apikeys_options *options = apikeys_options_new();
  ck_assert_int_eq(apikeys_options_set_root_key(options, root, 31), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_options_set_root_key(options, root, 32), 0);
  ck_assert_int_eq(try_open(options), APIKEYS_OK);
  root[31] ^= 1;
  ck_assert_int_eq(apikeys_options_set_root_key(options, root, 32), 0);
  ck_assert_int_eq(try_open(options), APIKEYS_ERROR_ROOT_KEY_WRONG);
  apikeys_options_free(options);
}
END_TEST

START_TEST(rotation_keeps_keys_and_ends_the_old_root) {
  unsigned char old[32], new[32];
  read_file(root_path, old, sizeof old);
  ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, old, 32, 0, world.err),
                   APIKEYS_ERROR_INVALID_ARGUMENT); /* the file is ours to draw */
  ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err), 0);
  char type[64];
  last_event(&world, type);
  ck_assert_str_eq(type, "environment.root_key_rotated");
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
  read_file(root_path, new, sizeof new);
  ck_assert_int_ne(memcmp(old, new, 32), 0);
  world_reopen(&world);
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
  write_file(root_path, old, 32);
  ck_assert_int_eq(try_open(NULL), APIKEYS_ERROR_ROOT_KEY_WRONG);
  write_file(root_path, new, 32);
}
END_TEST

START_TEST(rotation_of_given_bytes) {
  unsigned char root[32];
  apikeys_options *options = apikeys_options_new();
  apikeys_env *env;
  read_file(root_path, root, sizeof root);
  ck_assert_int_eq(apikeys_options_set_root_key(options, root, 32), 0);
  ck_assert_int_eq(apikeys_open_sqlite(&env, world.path, options, world.err), 0);
  memset(root, 9, sizeof root);
  ck_assert_int_eq(apikeys_rotate_root_key(env, world.system, root, 32, 0, world.err), 0);
  ck_assert_int_eq(apikeys_validate(env, S(key.value), NULL, NULL, NULL, world.err), 0);
  apikeys_close(env);
  ck_assert_int_eq(try_open(options), APIKEYS_ERROR_ROOT_KEY_WRONG);
  ck_assert_int_eq(apikeys_options_set_root_key(options, root, 32), 0);
  ck_assert_int_eq(try_open(options), APIKEYS_OK);
  apikeys_options_free(options);
  /* A handle that was open all the while has the old one, and says so. */
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_ERROR_ROOT_KEY_WRONG);
}
END_TEST

START_TEST(a_rotation_that_died_between_store_and_file_is_finished) {
  unsigned char old[32], new[32], left[32];
  char next[160];
  snprintf(next, sizeof next, "%s.next", root_path);
  read_file(root_path, old, sizeof old);
  ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err), 0);
  read_file(root_path, new, sizeof new);
  write_file(next, new, 32); /* as if the file had not been put in place */
  write_file(root_path, old, 32);
  world_reopen(&world);
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
  read_file(root_path, left, sizeof left);
  ck_assert_mem_eq(new, left, 32);
  ck_assert_int_eq(access(next, F_OK), -1);

  memset(old, 3, sizeof old);
  write_file(next, old, 32); /* as if the store had not been committed */
  world_reopen(&world);
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
  ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err), 0);
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
}
END_TEST

/* How many files in the store's directory begin so. */
static int files_like(const char *start) {
  int count = 0;
  DIR *directory = opendir(world.directory);
  ck_assert_ptr_nonnull(directory);
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
    count += strncmp(entry->d_name, start, strlen(start)) == 0;
  closedir(directory);
  return count;
}

/* The file of a rotation that is not in place yet may be the only copy of the root key. */
static int waiting_files(void) {
  return files_like("keys.db.root.") - files_like("keys.db.root.old.");
}

START_TEST(a_failed_rotation_leaves_the_one_before_alone) {
  unsigned char old[32], new[32];
  char next[160];
  snprintf(next, sizeof next, "%s.next", root_path);
  read_file(root_path, old, sizeof old);
  ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err), 0);
  read_file(root_path, new, sizeof new);
  write_file(next, new, 32); /* as if the file could not be put in place */
  write_file(root_path, old, 32);
  run_sql(&world, "CREATE TRIGGER t BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no'); END");
  ck_assert_int_lt(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err), 0);
  run_sql(&world, "DROP TRIGGER t");
  ck_assert_int_eq(waiting_files(), 0); /* the failed one took its own file away, and no other */
  world_reopen(&world);
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
}
END_TEST

START_TEST(a_backup_from_before_a_rotation_opens) {
  unsigned char current[32], left[32];
  char copy[160];
  snprintf(copy, sizeof copy, "%s/copy", world.directory);
  ck_assert_int_eq(apikeys_backup(world.env, world.system, copy, world.err), 0);
  for (int i = 0; i < 2; i++)
    ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err), 0);
  ck_assert_int_eq(files_like("keys.db.root.old."), 2);
  read_file(root_path, current, sizeof current);
  apikeys_close(world.env);
  world.env = NULL;
  ck_assert_int_eq(rename(copy, world.path), 0);
  world_reopen(&world);
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
  read_file(root_path, left, sizeof left);
  ck_assert_mem_eq(current, left, 32); /* what other backups need is still there */
  ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err), 0);
  ck_assert_int_eq(files_like("keys.db.root.old."), 3);
  world_reopen(&world);
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
}
END_TEST

static char log_text[8192];

static void keep_line(int level, const char *message, size_t length, void *data) {
  size_t used = strlen(log_text);
  (void)level, (void)data;
  if (used + length + 2 < sizeof log_text)
    snprintf(log_text + used, sizeof log_text - used, "%s\n", message);
}

START_TEST(every_damaged_key_is_named_in_the_log) {
  enum { DAMAGED = 23 };
  static struct made_key made[DAMAGED];
  log_text[0] = '\0';
  ck_assert_int_eq(apikeys_options_set_log(world.options, keep_line, NULL, NULL), 0);
  world_reopen(&world);
  for (int i = 0; i < DAMAGED; i++)
    make_key(&world, key_spec(organization, "damaged", ""), &made[i]);
  run_sql(&world, "UPDATE api_keys SET sealed_digest = x'00' WHERE name = 'damaged'");
  ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err), 0);
  ck_assert_ptr_nonnull(strstr(log_text, "23 damaged keys could not be sealed"));
  for (int i = 0; i < DAMAGED; i++)
    ck_assert_msg(strstr(log_text, made[i].id) != NULL, "%d: %s", i, log_text);
}
END_TEST

/* What rotations left behind that died before their commit. */
START_TEST(a_rotation_clears_away_what_dead_ones_left) {
  unsigned char left[32], root[32];
  char cut[192], foreign[192], named[192], old[192];
  struct stat status;
  snprintf(cut, sizeof cut, "%s.0123456789abcdef", root_path);
  snprintf(foreign, sizeof foreign, "%s.fedcba9876543210", root_path);
  write_file(cut, "cut", 3);
  memset(left, 7, sizeof left);
  write_file(foreign, left, 32); /* no root key of this name: not ours */
  /* Of a rotation whose commit was lost: a root key under the name of its own check. */
  ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err), 0);
  ck_assert_int_eq(access(cut, F_OK), -1);
  ck_assert_int_eq(lstat(foreign, &status), 0);
  ck_assert_int_eq(files_like("keys.db.root.old."), 1);
  DIR *directory = opendir(world.directory);
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
    if (strncmp(entry->d_name, "keys.db.root.old.", 17) == 0) {
      snprintf(old, sizeof old, "%s/%.60s", world.directory, entry->d_name);
      snprintf(named, sizeof named, "%s.%.16s", root_path, entry->d_name + 17);
    }
  closedir(directory);
  ck_assert_int_eq(rename(old, named), 0);
  read_file(named, left, sizeof left);
  ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err), 0);
  ck_assert_int_eq(access(named, F_OK), -1);
  read_file(old, root, sizeof root);
  ck_assert_mem_eq(root, left, 32);
  world_reopen(&world);
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
}
END_TEST

START_TEST(damaged_keys_stop_no_rotation) {
  struct made_key damaged;
  char sql[160];
  make_key(&world, key_spec(organization, "damaged", ""), &damaged);
  snprintf(sql, sizeof sql, "UPDATE api_keys SET sealed_digest = x'00' WHERE id = '%s'",
           damaged.id);
  run_sql(&world, sql);
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err), 0);
    ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
    ck_assert_int_eq(validate(&world, damaged.value, NULL), APIKEYS_UNKNOWN);
  }
  world_reopen(&world);
  ck_assert_int_eq(validate(&world, damaged.value, NULL), APIKEYS_UNKNOWN);
}
END_TEST

/* -- A rotation by another process: here another handle on the same store ---------------------- */

static void make_one(struct world *other) {
  struct made_key made;
  make_key(other, key_spec(organization, "made beside a rotation", ""), &made);
  ck_assert_int_eq(validate(other, made.value, NULL), APIKEYS_OK);
}

static void open_other(struct world *other, const apikeys_options *options) {
  *other = world;
  ck_assert_int_eq(apikeys_open_sqlite(&other->env, world.path, options, world.err), 0);
  other->system = apikeys_actor_new();
  other->err = apikeys_error_new();
  ck_assert_int_eq(apikeys_actor_set_system(other->system, "other", 5), 0);
}

static void close_other(struct world *other) {
  apikeys_actor_free(other->system);
  apikeys_error_free(other->err);
  apikeys_close(other->env);
}

struct rotator {
  struct world other;
  int rotations;
  int failures;
};

static void *rotate_often(void *data) {
  struct rotator *rotator = data;
  struct world *other = &rotator->other;
  for (int i = 0; i < rotator->rotations; i++)
    rotator->failures +=
        apikeys_rotate_root_key(other->env, other->system, NULL, 0, 0, other->err) != 0;
  return NULL;
}

START_TEST(no_call_is_refused_while_others_rotate) {
  static struct rotator rotators[2];
  struct world other;
  pthread_t threads[2];
  open_other(&other, NULL);
  for (int i = 0; i < 2; i++) {
    rotators[i] = (struct rotator){.rotations = 20};
    open_other(&rotators[i].other, NULL);
  }
  for (int i = 0; i < 2; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, rotate_often, &rotators[i]), 0);
  for (int i = 0; i < 40; i++) {
    ck_assert_int_eq(validate(&other, key.value, NULL), APIKEYS_OK);
    make_one(&other);
  }
  for (int i = 0; i < 2; i++) {
    pthread_join(threads[i], NULL);
    ck_assert_int_eq(rotators[i].failures, 0);
    close_other(&rotators[i].other);
  }
  make_one(&other);
  close_other(&other);
  ck_assert_int_eq(waiting_files(), 0);
  world_reopen(&world);
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
}
END_TEST

struct validator {
  const struct world *other;
  int refusals;
};

static void *validate_often(void *data) {
  struct validator *validator = data;
  apikeys_error *err = apikeys_error_new();
  for (int i = 0; i < 200; i++)
    validator->refusals +=
        apikeys_validate(validator->other->env, S(key.value), NULL, NULL, NULL, err) != APIKEYS_OK;
  apikeys_error_free(err);
  return NULL;
}

/* Threads of one handle, without a cache: each asks the store, and one at a time looks for the
 * key. */
START_TEST(threads_of_one_handle_follow_together) {
  enum { THREADS = 4 };
  static struct rotator rotator;
  struct validator validators[THREADS];
  struct world other;
  pthread_t thread, threads[THREADS];
  apikeys_options *options = apikeys_options_new();
  ck_assert_int_eq(apikeys_options_set_cache_keys(options, 0), 0);
  open_other(&other, options);
  rotator = (struct rotator){.rotations = 50};
  open_other(&rotator.other, NULL);
  ck_assert_int_eq(pthread_create(&thread, NULL, rotate_often, &rotator), 0);
  for (int i = 0; i < THREADS; i++) {
    validators[i] = (struct validator){.other = &other};
    ck_assert_int_eq(pthread_create(&threads[i], NULL, validate_often, &validators[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    ck_assert_int_eq(validators[i].refusals, 0);
  }
  pthread_join(thread, NULL);
  ck_assert_int_eq(rotator.failures, 0);
  close_other(&rotator.other);
  close_other(&other);
  apikeys_options_free(options);
}
END_TEST

/* An open reads the record first and the file then: a rotation may end in between. */
START_TEST(no_open_is_refused_while_another_rotates) {
  static struct rotator rotator;
  pthread_t thread;
  rotator = (struct rotator){.rotations = 200};
  open_other(&rotator.other, NULL);
  ck_assert_int_eq(pthread_create(&thread, NULL, rotate_often, &rotator), 0);
  for (int i = 0; i < 200; i++)
    ck_assert_int_eq(try_open(NULL), APIKEYS_OK);
  pthread_join(thread, NULL);
  ck_assert_int_eq(rotator.failures, 0);
  close_other(&rotator.other);
}
END_TEST

START_TEST(a_mounted_secret_is_rotated_with_given_bytes) {
  unsigned char root[32], new[32];
  struct secret secret;
  struct world other, rotating;
  char name[32];
  read_file(root_path, root, sizeof root);
  memset(new, 9, sizeof new);
  make_secret(&secret, root);
  apikeys_options *options = apikeys_options_new();
  ck_assert_int_eq(apikeys_options_set_root_key_file(options, secret.link), 0);
  open_other(&other, options);
  open_other(&rotating, options);
  ck_assert_int_eq(apikeys_rotate_root_key(rotating.env, rotating.system, new, 32, 0, rotating.err),
                   APIKEYS_ERROR_ROOT_KEY_MISSING);
  wanted_entry(&secret, rotating.err, name);
  make_version(&secret);
  write_entry(&secret, "root", root);
  write_entry(&secret, name, new);
  publish_version(&secret);
  ck_assert_int_eq(apikeys_rotate_root_key(rotating.env, rotating.system, new, 32, 0, rotating.err),
                   0);
  make_one(&other); /* follows */
  ck_assert_int_eq(try_open(options), APIKEYS_OK);
  make_version(&secret);
  write_entry(&secret, "root", new); /* the new root key alone, in the first one's place */
  publish_version(&secret);
  ck_assert_int_eq(try_open(options), APIKEYS_OK);
  make_one(&other);
  close_other(&rotating);
  close_other(&other);
  apikeys_options_free(options);
  write_file(root_path, new, 32);
}
END_TEST

START_TEST(a_callback_is_asked_again_after_a_rotation) {
  struct source source = {.fails = 0};
  struct world other;
  read_file(root_path, source.bytes, 32);
  apikeys_options *options = apikeys_options_new();
  ck_assert_int_eq(apikeys_options_set_root_key_callback(options, give_root, &source, NULL), 0);
  open_other(&other, options);
  ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err), 0);
  read_file(root_path, source.bytes, 32);
  make_one(&other);
  ck_assert_int_eq(source.asked, 2);
  close_other(&other);
  apikeys_options_free(options);
}
END_TEST

/* For a new environment none; afterwards the one of the store, which names old root key files. */
START_TEST(a_callback_is_told_which_root_key_is_wanted) {
  struct source source = {.fails = 0};
  struct world other;
  char path[160], old[192], before[17];
  apikeys_env *env = NULL;
  apikeys_options *options = apikeys_options_new();
  ck_assert_int_eq(apikeys_options_set_root_key_callback(options, give_root, &source, NULL), 0);
  snprintf(path, sizeof path, "%s/new.db", world.directory);
  snprintf(source.wanted, sizeof source.wanted, "not asked");
  ck_assert_int_eq(apikeys_open_sqlite(&env, path, options, world.err), 0);
  ck_assert_str_eq(source.wanted, "");
  apikeys_close(env);

  read_file(root_path, source.bytes, 32);
  open_other(&other, options);
  snprintf(before, sizeof before, "%s", source.wanted);
  ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err), 0);
  snprintf(old, sizeof old, "%s.old.%s", root_path, before);
  ck_assert_int_eq(access(old, F_OK), 0);
  read_file(root_path, source.bytes, 32);
  make_one(&other);
  ck_assert_uint_eq(strlen(source.wanted), 16);
  ck_assert_str_ne(source.wanted, before);
  close_other(&other);
  apikeys_options_free(options);
}
END_TEST

/* The callback's answer belongs to a rotation that came after the look at the record. */
struct late_source {
  struct rotator rotator;
  int asked;
};

static int give_after_a_rotation(void *out, const void *check, void *user_data) {
  (void)check;
  struct late_source *source = user_data;
  pthread_t thread;
  if (source->asked++ == 1) {
    if (pthread_create(&thread, NULL, rotate_often, &source->rotator) != 0)
      return -1;
    pthread_join(thread, NULL);
  }
  return read_file(root_path, out, 32) == 32 ? 0 : -1;
}

START_TEST(a_search_that_a_rotation_outran_is_made_anew) {
  static struct late_source source;
  struct world other;
  memset(&source, 0, sizeof source);
  source.rotator.rotations = 1;
  open_other(&source.rotator.other, NULL);
  apikeys_options *options = apikeys_options_new();
  ck_assert_int_eq(
      apikeys_options_set_root_key_callback(options, give_after_a_rotation, &source, NULL), 0);
  open_other(&other, options);
  ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err), 0);
  make_one(&other);
  ck_assert_int_eq(source.asked, 3);
  ck_assert_int_eq(source.rotator.failures, 0);
  close_other(&other);
  close_other(&source.rotator.other);
  apikeys_options_free(options);
}
END_TEST

START_TEST(given_bytes_follow_what_was_offered) {
  unsigned char root[32];
  struct world other, rotating;
  read_file(root_path, root, sizeof root);
  apikeys_options *options = apikeys_options_new();
  ck_assert_int_eq(apikeys_options_set_root_key(options, root, 32), 0);
  open_other(&other, options);
  open_other(&rotating, options);
  memset(root, 9, sizeof root);
  ck_assert_int_eq(apikeys_offer_root_key(other.env, root, 31, other.err),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_offer_root_key(other.env, root, 32, other.err), 0);
  make_one(&other); /* nothing changes before the rotation */
  ck_assert_int_eq(
      apikeys_rotate_root_key(rotating.env, rotating.system, root, 32, 0, rotating.err), 0);
  make_one(&other);
  make_one(&rotating);
  /* Not offered: the message says which is wanted, and a later offer helps. */
  memset(root, 10, sizeof root);
  ck_assert_int_eq(
      apikeys_rotate_root_key(rotating.env, rotating.system, root, 32, 0, rotating.err), 0);
  ck_assert_int_eq(validate(&other, key.value, NULL), APIKEYS_ERROR_ROOT_KEY_WRONG);
  ck_assert_ptr_nonnull(strstr(apikeys_error_message(other.err), "with the check "));
  ck_assert_int_eq(apikeys_offer_root_key(other.env, root, 32, other.err), 0);
  ck_assert_int_eq(validate(&other, key.value, NULL), APIKEYS_OK);
  make_one(&other);
  close_other(&rotating);
  close_other(&other);
  apikeys_options_free(options);
  /* A new root key in given bytes is none of the file's: the fixture's own handle has lost it. */
  write_file(root_path, root, 32);
}
END_TEST

START_TEST(inside_the_store_only_when_asked) {
  char path[160];
  apikeys_env *env;
  apikeys_options *options = apikeys_options_new();
  snprintf(path, sizeof path, "%s/within.db", world.directory);
  ck_assert_int_eq(apikeys_options_set_root_key_in_store(options, 1), 0);
  ck_assert_int_eq(apikeys_open_sqlite(&env, path, options, world.err), 0);
  apikeys_close(env);
  ck_assert_int_eq(apikeys_open_sqlite(&env, path, options, world.err), 0);
  apikeys_close(env);
  ck_assert_int_eq(apikeys_open_sqlite(&env, path, NULL, world.err),
                   APIKEYS_ERROR_ROOT_KEY_MISSING);
  ck_assert_int_eq(try_open(options), APIKEYS_ERROR_ROOT_KEY_MISSING);
  apikeys_options_free(options);
  unlink(path);
}
END_TEST

/* The value, its secret and the root key are nowhere in what a thief of the database would have. */
START_TEST(a_stolen_store_holds_no_secret) {
  unsigned char root[32];
  static char bytes[4 << 20];
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
  ck_assert_int_eq(apikeys_maintain(world.env, world.err), 0);
  read_file(root_path, root, sizeof root);
  static const char *const suffixes[] = {"", "-wal"};
  size_t seen = 0;
  for (int i = 0; i < 2; i++) {
    char path[128];
    snprintf(path, sizeof path, "%s%s", world.path, suffixes[i]);
    size_t length = read_file(path, bytes, sizeof bytes);
    seen += length;
    for (size_t at = 0; at + 32 <= length; at++) {
      if (memcmp(bytes + at, key.value + 3 + 16, 32) == 0 || memcmp(bytes + at, root, 32) == 0)
        ck_abort_msg("a secret is in the store");
    }
  }
  ck_assert_uint_gt(seen, 4096);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("root key");
  TCase *tcase = tcase_create("SQLite");
  const TTest *const tests[] = {the_file_is_made_for_its_owner_alone,
                                a_missing_file_says_where_it_was_expected,
                                a_wrong_short_or_exposed_file_is_refused,
                                a_directory_is_no_root_file,
                                a_link_is_followed_and_never_written,
                                a_link_to_nothing_makes_no_root_key,
                                mode_0440_needs_root_and_a_group_of_ours,
                                threads_of_one_handle_follow_together,
                                no_open_is_refused_while_another_rotates,
                                a_mounted_secret_is_rotated_with_given_bytes,
                                a_callback_is_asked_at_each_open,
                                given_bytes_work_and_are_checked,
                                rotation_keeps_keys_and_ends_the_old_root,
                                rotation_of_given_bytes,
                                a_rotation_that_died_between_store_and_file_is_finished,
                                a_failed_rotation_leaves_the_one_before_alone,
                                a_backup_from_before_a_rotation_opens,
                                damaged_keys_stop_no_rotation,
                                no_call_is_refused_while_others_rotate,
                                a_callback_is_asked_again_after_a_rotation,
                                a_callback_is_told_which_root_key_is_wanted,
                                every_damaged_key_is_named_in_the_log,
                                a_rotation_clears_away_what_dead_ones_left,
                                a_search_that_a_rotation_outran_is_made_anew,
                                given_bytes_follow_what_was_offered,
                                inside_the_store_only_when_asked,
                                a_stolen_store_holds_no_secret};
  tcase_add_checked_fixture(tcase, set_up, tear_down);
  for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
    tcase_add_test(tcase, tests[i]);
  tcase_set_timeout(tcase, 120);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
