/* SPDX-License-Identifier: MIT */
/*
 * Creators that share a transaction, and the n-th allocation of the thread that runs it fails, for
 * every n: each then runs alone, or is told. A key is there exactly if its creator was told so.
 */
#include "support/creators.h"
#include "support/deeds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { MEMBERS = 3 };

/* -- The allocator: glibc's own, which can be told to fail one thread -------------------------- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static _Thread_local long countdown; /* to the allocation that fails; 0: none does */
static _Atomic int fired;

static int fails(void) {
  if (countdown == 0 || --countdown > 0)
    return 0;
  fired = 1;
  errno = ENOMEM;
  return 1;
}

void *malloc(size_t size) {
  return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
  return fails() ? NULL : __libc_realloc(old, size);
}

/* -- A round ----------------------------------------------------------------------------------- */

static _Atomic long failing_next; /* in the next transaction */

static void arm(struct creators *creators, enum wrapped_slot slot) {
  (void)creators;
  if (slot == SLOT_BEGIN_WRITE)
    countdown = atomic_exchange(&failing_next, 0);
}

static void run_group(struct creators *creators, long n) {
  creators_clear(creators);
  creators_add_plain(creators, MEMBERS);
  creators_queue_up(creators);
  fired = 0;
  failing_next = n;
  creators_let_go(creators);
}

/* How many were told that their key is there. */
static unsigned expect_told_the_truth(struct creators *creators, uint64_t keys_before, long n) {
  unsigned made = 0, unknown = 0;
  for (size_t i = 0; i < MEMBERS; i++) {
    const struct creator *creator = &creators->list[i];
    ck_assert_int_eq(apikeys_error_code(creator->err), creator->rc);
    ck_assert_int_eq(creator->told, creator->rc == APIKEYS_OK);
    unknown += creator->rc == APIKEYS_ERROR_OUTCOME_UNKNOWN;
    made += creator->rc == APIKEYS_OK;
    if (creator->rc == APIKEYS_OK)
      ck_assert_int_eq(validate(&creators->world, creator->made.value, NULL), APIKEYS_OK);
    else
      ck_assert_msg(creator->rc == APIKEYS_ERROR_NO_MEMORY || unknown > 0, "allocation %ld: %s", n,
                    apikeys_result_name(creator->rc));
  }
  uint64_t more = creators_count_keys(creators) - keys_before;
  ck_assert(unknown == 0 ? more == made : unknown == MEMBERS && (more == 0 || more == MEMBERS));
  return made;
}

START_TEST(a_group_survives_every_failed_allocation) {
  struct creators *creators = creators_open((enum backend)_i);
  long failed = 0, saved = 0;
  creators->on_slot = arm;
  run_group(creators, 0); /* what is made once is there afterwards */
  fired = 1;
  for (long n = 1; fired; n++) {
    uint64_t keys_before = creators_count_keys(creators);
    run_group(creators, n);
    unsigned made = expect_told_the_truth(creators, keys_before, n);
    failed += fired;
    saved += fired && made == MEMBERS;
  }
  ck_assert_int_gt(saved, 10);
  printf("%s: %ld allocations of a group failed, %ld times each had its key all the same\n",
         _i == BACKEND_SQLITE ? "SQLite" : "memory", failed, saved);
  creators_close(creators);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("out of memory, in a group");
  TCase *tcase = tcase_create("creators");
  tcase_add_loop_test(tcase, a_group_survives_every_failed_allocation, 0, BACKEND_COUNT);
  tcase_set_timeout(tcase, 240);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failures = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
