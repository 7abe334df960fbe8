/* SPDX-License-Identifier: MIT */
/* The revocation journal's file by itself: when it is synced, and what an append overwrites. */
#define _DEFAULT_SOURCE /* mkdtemp, fdatasync */
#include "operation/revocation_journal.h"

#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int syncs;
static char folder[64], path[96];
static struct ak_journal journal;

int fdatasync(int descriptor) {
  syncs++;
  return fsync(descriptor);
}

static void setup(void) {
  snprintf(folder, sizeof folder, "apikeys-test-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/journal", folder);
  ak_journal_init(&journal);
  journal.path = strdup(path);
  journal.key[0] = 7;
  ck_assert(ak_journal_create(&journal));
  journal.started = true;
  syncs = 0;
}

static void teardown(void) {
  ak_journal_release(&journal);
  unlink(path);
  rmdir(folder);
}

static struct ak_journal_entry entry_of(int number) {
  struct ak_journal_entry entry = {.event_number = number, .at_ms = number * 2000};
  entry.event[0] = (uint8_t)number;
  return entry;
}

static void queue_revocation(int number) {
  struct ak_journal_entry entry = entry_of(number);
  entry.key[0] = (uint8_t)number;
  ak_journal_queue(&journal, &entry, 1, false);
}

static void queue_note(int number) {
  struct ak_journal_entry entry = entry_of(number);
  ck_assert(ak_journal_note(&journal, &entry));
}

/* The numbers of the file's entries are these, and no more; the last is 0. */
static void assert_entries(const int *numbers) {
  struct ak_journal_file file;
  struct ak_journal_entry entry;
  size_t count = 0;
  ck_assert_int_eq(ak_journal_load(path, &file), 0);
  ck_assert_int_eq(file.state, AK_JOURNAL_GOOD);
  for (; numbers[count] != 0; count++) {
    ck_assert_uint_lt(count, file.count);
    ck_assert(ak_journal_decode(&entry, file.bytes + count * AK_JOURNAL_BYTES, journal.key));
    ck_assert_int_eq(entry.event_number, numbers[count]);
  }
  ck_assert_uint_eq(file.count, count);
  ak_journal_file_release(&file);
}

/* One thread queues its revocation; another one's note takes it to the file before it appends. */
START_TEST(a_revocation_that_another_call_appended_is_synced_nevertheless) {
  queue_revocation(1);
  ck_assert(ak_journal_append(&journal, false));
  ck_assert_int_eq(syncs, 0);
  ck_assert(ak_journal_append(&journal, true));
  ck_assert_int_eq(syncs, 1);
  ck_assert(ak_journal_append(&journal, true)); /* nothing is left to sync */
  ck_assert_int_eq(syncs, 1);
  assert_entries((const int[]){1, 0});
}
END_TEST

START_TEST(what_could_not_be_written_is_synced_once_it_can_be) {
  char aside[112];
  snprintf(aside, sizeof aside, "%s.aside", path);
  ck_assert_int_eq(rename(path, aside), 0);
  queue_revocation(1);
  ck_assert(!ak_journal_append(&journal, true));
  ck_assert(atomic_load(&journal.behind));
  ck_assert_int_eq(rename(aside, path), 0);
  ck_assert(ak_journal_append(&journal, false));
  ck_assert(!atomic_load(&journal.behind));
  ck_assert_int_eq(syncs, 1);
  assert_entries((const int[]){1, 0});
}
END_TEST

START_TEST(a_note_is_overwritten_and_a_revocation_or_a_mark_is_not) {
  struct ak_journal_entry mark = entry_of(4);
  ak_journal_set_mark(&mark);
  ck_assert(!ak_journal_has_key(&mark));
  queue_note(1);
  ck_assert(ak_journal_append(&journal, false));
  assert_entries((const int[]){1, 0});
  queue_note(2);
  ck_assert(ak_journal_append(&journal, false));
  assert_entries((const int[]){2, 0});
  queue_revocation(3);
  ck_assert(ak_journal_append(&journal, true));
  ak_journal_queue(&journal, &mark, 1, false);
  ck_assert(ak_journal_append(&journal, true));
  queue_revocation(5);
  ck_assert(ak_journal_append(&journal, true));
  assert_entries((const int[]){3, 4, 5, 0});
}
END_TEST

START_TEST(torn_entries_are_overwritten) {
  queue_revocation(1);
  queue_revocation(2);
  queue_revocation(3);
  ck_assert(ak_journal_append(&journal, true));
  for (int cut = 1; cut < 2 * AK_JOURNAL_BYTES; cut += 9) {
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(truncate(path, 4 * AK_JOURNAL_BYTES - cut), 0);
    ck_assert_int_eq(truncate(path, 5 * AK_JOURNAL_BYTES + cut), 0); /* zeros */
    if (cut <= AK_JOURNAL_BYTES)
      queue_revocation(3);
    else {
      queue_revocation(2);
      queue_revocation(3);
    }
    ck_assert(ak_journal_append(&journal, true));
    assert_entries((const int[]){1, 2, 3, 0});
  }
}
END_TEST

/* As where an open of another process put a shorter file in place. */
START_TEST(compaction_keeps_what_is_young_the_mark_and_the_newest) {
  struct ak_journal_entry mark = entry_of(3);
  ak_journal_set_mark(&mark);
  queue_revocation(100);
  for (int i = 1; i < 100; i++)
    if (i == 3)
      ak_journal_queue(&journal, &mark, 1, false);
    else
      queue_revocation(i);
  ck_assert(ak_journal_append(&journal, true));
  ck_assert(!ak_journal_compact(&journal, 40 * 2000)); /* not half of it */
  ck_assert(ak_journal_compact(&journal, 98 * 2000));
  assert_entries((const int[]){100, 3, 98, 99, 0});
  queue_revocation(101);
  ck_assert(ak_journal_append(&journal, true));
  assert_entries((const int[]){100, 3, 98, 99, 101, 0});
}
END_TEST

int main(void) {
  Suite *suite = suite_create("revocation_journal");
  TCase *tests = tcase_create("file");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, a_revocation_that_another_call_appended_is_synced_nevertheless);
  tcase_add_test(tests, what_could_not_be_written_is_synced_once_it_can_be);
  tcase_add_test(tests, a_note_is_overwritten_and_a_revocation_or_a_mark_is_not);
  tcase_add_test(tests, torn_entries_are_overwritten);
  tcase_add_test(tests, compaction_keeps_what_is_young_the_mark_and_the_newest);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
