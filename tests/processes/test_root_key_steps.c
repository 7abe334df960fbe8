/* SPDX-License-Identifier: MIT */
/*
 * A rotation of the root key that is killed, stopped or out of disk space at each of its steps:
 * each call that writes, syncs, renames or removes a file, of the library and of SQLite.
 *
 * The calls are replaced here. The rotating process is forked while nothing is open.
 */
#define _GNU_SOURCE
#include "support/suite.h"
#include "support/world.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS_MAX = 1000 };

static int kill_at;        /* the step before which the process dies; 0: it lives */
static int stop_at_rename; /* non-zero: it stops itself before the first rename */
static int disk_is_full;   /* for files that are written by write(2): those of the root key */

static void step(void) {
  if (kill_at > 0 && --kill_at == 0)
    kill(getpid(), SIGKILL);
}

typedef int (*path_call)(const char *);
typedef int (*two_path_call)(const char *, const char *);
typedef int (*descriptor_call)(int);
typedef ssize_t (*write_call)(int, const void *, size_t);
typedef ssize_t (*write_at_call)(int, const void *, size_t, off64_t);

/* The C library's own function behind the one here. */
static void *next(const char *name) {
  return dlsym(RTLD_NEXT, name);
}

int rename(const char *from, const char *to) {
  two_path_call call;
  *(void **)&call = next("rename");
  step();
  if (stop_at_rename) {
    stop_at_rename = 0;
    raise(SIGSTOP);
  }
  return call(from, to);
}

int unlink(const char *path) {
  path_call call;
  *(void **)&call = next("unlink");
  step();
  return call(path);
}

int fsync(int descriptor) {
  descriptor_call call;
  *(void **)&call = next("fsync");
  step();
  return call(descriptor);
}

int fdatasync(int descriptor) {
  descriptor_call call;
  *(void **)&call = next("fdatasync");
  step();
  return call(descriptor);
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
  write_call call;
  *(void **)&call = next("write");
  step();
  if (disk_is_full) {
    errno = ENOSPC;
    return -1;
  }
  return call(descriptor, bytes, length);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t at) {
  write_at_call call;
  *(void **)&call = next("pwrite64");
  step();
  return call(descriptor, bytes, length, at);
}

/* -- The store, and the process that rotates --------------------------------------------------- */

static struct world world;
static struct made_key key;

static void close_store(void) {
  apikeys_close(world.env);
  world.env = NULL;
}

static void set_up(void) {
  char organization[64];
  world_open(&world, BACKEND_SQLITE);
  make_organization(&world, "Acme", organization);
  make_key(&world, key_spec(organization, "k", ""), &key);
  close_store();
}

static void tear_down(void) {
  world_reopen(&world);
  world_close(&world);
}

static int rotate(void) {
  return apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err);
}

static int rotate_in_child(int at, int stops) {
  world_reopen(&world);
  kill_at = at;
  stop_at_rename = stops;
  return rotate() == APIKEYS_OK ? 0 : 1;
}

static pid_t start_rotation(int at, int stops) {
  pid_t pid = fork();
  if (pid == 0)
    _exit(rotate_in_child(at, stops));
  ck_assert_int_gt(pid, 0);
  return pid;
}

/* The store opens, holds the key, and can be rotated. */
static void check_store(void) {
  world_reopen(&world);
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
  ck_assert_int_eq(rotate(), APIKEYS_OK);
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
  close_store();
}

START_TEST(killed_before_any_step_the_store_opens) {
  int status = 0, at = 0;
  do {
    ck_assert_int_lt(++at, STEPS_MAX);
    pid_t pid = start_rotation(at, 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    check_store();
  } while (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  ck_assert_int_gt(at, 10); /* it did come to the steps */
}
END_TEST

/* Between the commit and the rename another process opens the store, and may rotate as well. */
static void open_before_the_rename(int rotations) {
  int status = 0;
  pid_t pid = start_rotation(0, 1);
  ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
  ck_assert(WIFSTOPPED(status));
  world_reopen(&world);
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
  for (int i = 0; i < rotations; i++)
    ck_assert_int_eq(rotate(), APIKEYS_OK);
  close_store();
  kill(pid, SIGCONT);
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  check_store();
}

START_TEST(an_open_between_commit_and_rename) {
  open_before_the_rename(0);
}
END_TEST

START_TEST(a_rotation_between_commit_and_rename) {
  open_before_the_rename(1);
  open_before_the_rename(2);
}
END_TEST

START_TEST(a_full_disk_refuses_the_rotation) {
  world_reopen(&world);
  disk_is_full = 1;
  int rc = rotate();
  disk_is_full = 0;
  ck_assert_int_eq(rc, APIKEYS_ERROR_STORAGE_FULL);
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
  close_store();
  check_store();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("steps of a root key's rotation");
  TCase *tcase = tcase_create("SQLite");
  tcase_add_checked_fixture(tcase, set_up, tear_down);
  tcase_add_test(tcase, killed_before_any_step_the_store_opens);
  tcase_add_test(tcase, an_open_between_commit_and_rename);
  tcase_add_test(tcase, a_rotation_between_commit_and_rename);
  tcase_add_test(tcase, a_full_disk_refuses_the_rotation);
  tcase_set_timeout(tcase, 300);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
