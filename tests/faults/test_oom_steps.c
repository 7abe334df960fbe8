/* SPDX-License-Identifier: MIT */
/*
 * Every step (steps.h), with its n-th allocation failing, alone or with all that follow, until it
 * no longer notices: of the library, of SQLite and of libsodium alike, because the C
 * library's own allocator (__libc_malloc and its family) is stood in for.
 */
#include "steps.h"

#include "support/suite.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void __libc_free(void *block);

static long countdown; /* to the one that fails; 0: none does */
static int sticky, struck;
static long live;

static int fails(void) {
  if (countdown == 0 || --countdown > 0)
    return 0;
  countdown = sticky ? 1 : 0;
  struck = 1;
  errno = ENOMEM;
  return 1;
}

void *malloc(size_t size) {
  void *block = fails() ? NULL : __libc_malloc(size);
  live += block != NULL;
  return block;
}

void *calloc(size_t count, size_t size) {
  void *block = fails() ? NULL : __libc_calloc(count, size);
  live += block != NULL;
  return block;
}

void *realloc(void *block, size_t size) {
  if (fails())
    return NULL;
  void *grown = __libc_realloc(block, size);
  live += block == NULL && grown != NULL;
  return grown;
}

void free(void *block) {
  live -= block != NULL;
  __libc_free(block);
}

struct tally {
  long points, survived;
};

/* Every allocation, as long as they are few. Where a step makes thousands, it does the same for
 * each of many objects: then some of them stand for all, unless there is time. */
static long next(long n) { /* the steps grow, so no object's same place is met again and again */
  enum { FEW = 256 };
  return n < FEW || getenv("APIKEYS_SOAK") != NULL ? n + 1 : n + 1 + n / FEW;
}

static void torture(struct stage *stage, const struct step *step, int stay, struct tally *tally) {
  int rc = APIKEYS_OK;
  int64_t event = 0;
  struck = 1;
  for (long n = 1; struck; n = next(n)) {
    char where[64];
    snprintf(where, sizeof where, "allocation %ld fails%s", n, stay ? " and all after it" : "");
    if (rc == APIKEYS_OK || rc == APIKEYS_ERROR_OUTCOME_UNKNOWN)
      event = step_begin(stage, step);
    struck = 0;
    sticky = stay;
    countdown = n;
    rc = step->run(stage);
    countdown = 0;
    ck_assert_msg(rc == APIKEYS_OK || (struck && (rc == APIKEYS_ERROR_NO_MEMORY ||
                                                  rc == APIKEYS_ERROR_OUTCOME_UNKNOWN)),
                  "%s: %s: %s (%s)", where, step->name, apikeys_result_name(rc),
                  apikeys_error_message(stage->world.err));
    tally->points += struck;
    tally->survived += struck && rc == APIKEYS_OK;
    if (step->rotates && rc == APIKEYS_ERROR_OUTCOME_UNKNOWN)
      world_reopen(&stage->world);
    step_end(stage, step, rc, event, where);
    event = last_event(&stage->world, NULL);
  }
}

static void check_integrity(const char *path) {
  sqlite3 *db;
  sqlite3_stmt *statement;
  ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
  ck_assert_int_eq(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL), 0);
  ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
  ck_assert_str_eq((const char *)sqlite3_column_text(statement, 0), "ok");
  sqlite3_finalize(statement);
  sqlite3_close(db);
}

/* How many blocks it leaves behind. */
static long play(enum backend backend, struct tally *tally) {
  static struct stage stage;
  long before = live;
  memset(&stage, 0, sizeof stage);
  world_open(&stage.world, backend);
  stage_furnish(&stage);
  for (size_t i = 0; tally != NULL && i < step_count; i++) {
    torture(&stage, &steps[i], 0, tally);
    torture(&stage, &steps[i], 1, tally);
  }
  if (backend == BACKEND_SQLITE)
    check_integrity(stage.world.path);
  world_close(&stage.world);
  return live - before;
}

START_TEST(every_step_survives_every_failed_allocation) {
  struct tally tally = {0};
  play((enum backend)_i, NULL); /* what libraries allocate once and keep */
  ck_assert_int_eq(play((enum backend)_i, NULL), 0);
  ck_assert_int_eq(play((enum backend)_i, &tally), 0);
  ck_assert_int_gt(tally.points, 500);
  printf("%s: %ld failed allocations, %ld of them made no difference, none leaked\n",
         _i == BACKEND_SQLITE ? "SQLite" : "memory", tally.points, tally.survived);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("steps out of memory");
  TCase *tcase = tcase_create("failed allocations");
  tcase_add_loop_test(tcase, every_step_survives_every_failed_allocation, 0, BACKEND_COUNT);
  tcase_set_timeout(tcase, 280);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
