/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memmem */
#include "operation/revocation_journal.h"

#include "support/suite.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORD = AK_JOURNAL_RECORD, RECORDS = 5 };

static const uint8_t journal_key[AK_JOURNAL_KEY_BYTES] = {1, 2, 3};
static const uint8_t wrap[AK_KEY_BYTES] = {7}, new_wrap[AK_KEY_BYTES] = {8};
static const uint8_t root_check[AK_KEY_BYTES] = {9}, new_check[AK_KEY_BYTES] = {10};
static const uint8_t nonce[16] = {11};

static struct ak_journal_record record_of(int number) {
  struct ak_journal_record record = {.type = AK_JOURNAL_REVOKED, .event_number = number};
  snprintf(record.event_id, sizeof record.event_id, "event_01ARYZ6S41000000000000000%d", number);
  snprintf(record.key_id, sizeof record.key_id, "api_key_7ZZZZZZZZZZZZZZZZZZZZZZZZ%d", number);
  return record;
}

/* A key record, then revocations 1 to 4. */
static void fill(uint8_t bytes[RECORDS * RECORD]) {
  ak_journal_wrap(bytes, journal_key, nonce, wrap, root_check);
  for (int i = 1; i < RECORDS; i++) {
    struct ak_journal_record record = record_of(i);
    ck_assert_int_eq(ak_journal_encode(bytes + i * RECORD, &record, journal_key), 0);
  }
}

static int count_visit(const struct ak_journal_record *record, void *data) {
  int *count = data;
  ck_assert_int_eq(record->event_number, ++*count);
  return 0;
}

static int scan(const uint8_t *bytes, size_t length, int *count, size_t *good) {
  *count = 0;
  return ak_journal_scan(bytes, length, journal_key, count_visit, count, good);
}

START_TEST(a_record_reads_back) {
  uint8_t bytes[RECORD];
  struct ak_journal_record record = record_of(3), read;
  record.event_number = INT64_MAX;
  ck_assert_int_eq(ak_journal_encode(bytes, &record, journal_key), 0);
  ck_assert_int_eq(ak_journal_decode(&read, bytes, journal_key), 0);
  ck_assert_int_eq(read.type, AK_JOURNAL_REVOKED);
  ck_assert_int_eq(read.event_number, INT64_MAX);
  ck_assert_str_eq(read.event_id, record.event_id);
  ck_assert_str_eq(read.key_id, record.key_id);
  record.type = AK_JOURNAL_SEEN;
  record.key_id[0] = '\0';
  ck_assert_int_eq(ak_journal_encode(bytes, &record, journal_key), 0);
  ck_assert_int_eq(ak_journal_decode(&read, bytes, journal_key), 0);
  ck_assert_int_eq(read.type, AK_JOURNAL_SEEN);
  ck_assert_str_eq(read.key_id, "");
}
END_TEST

START_TEST(an_id_that_is_none_is_not_encoded) {
  uint8_t bytes[RECORD];
  struct ak_journal_record record = record_of(1);
  record.key_id[0] = 'x';
  ck_assert_int_eq(ak_journal_encode(bytes, &record, journal_key), -1);
  record = record_of(1);
  record.event_id[8] = 'u';
  ck_assert_int_eq(ak_journal_encode(bytes, &record, journal_key), -1);
}
END_TEST

START_TEST(every_changed_bit_is_noticed) {
  uint8_t bytes[RECORD];
  struct ak_journal_record record = record_of(1), read;
  ck_assert_int_eq(ak_journal_encode(bytes, &record, journal_key), 0);
  for (int bit = 0; bit < RECORD * 8; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    ck_assert_int_eq(ak_journal_decode(&read, bytes, journal_key), -1);
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  ck_assert_int_eq(ak_journal_decode(&read, bytes, journal_key), 0);
}
END_TEST

START_TEST(a_torn_end_is_ignored) {
  uint8_t bytes[RECORDS * RECORD];
  size_t good;
  int count;
  fill(bytes);
  for (size_t length = RECORD; length <= sizeof bytes; length++) {
    ck_assert_int_eq(scan(bytes, length, &count, &good), 0);
    ck_assert_int_eq(count, (int)(length / RECORD) - 1);
    ck_assert_uint_eq(good, length / RECORD * RECORD);
  }
  memset(bytes + 3 * RECORD, 0, 2 * RECORD); /* the length reached the disk, the bytes did not */
  ck_assert_int_eq(scan(bytes, sizeof bytes, &count, &good), 0);
  ck_assert_int_eq(count, 2);
  ck_assert_uint_eq(good, 3 * RECORD);
}
END_TEST

START_TEST(a_bad_record_in_the_middle_is_an_alarm) {
  uint8_t bytes[RECORDS * RECORD];
  size_t good;
  int count;
  for (int i = 0; i < RECORDS - 1; i++) {
    fill(bytes);
    bytes[i * RECORD + 40] ^= 1;
    ck_assert_int_eq(scan(bytes, sizeof bytes, &count, &good), -1);
  }
}
END_TEST

START_TEST(the_journal_key_opens_with_old_and_new_root_key) {
  uint8_t bytes[(RECORDS + 1) * RECORD], key[AK_JOURNAL_KEY_BYTES];
  size_t good;
  int count;
  fill(bytes);
  ck_assert_int_eq(ak_journal_unwrap(key, bytes, RECORDS * RECORD, new_wrap, new_check), -1);
  ak_journal_wrap(bytes + RECORDS * RECORD, journal_key, nonce, new_wrap, new_check);
  ck_assert_int_eq(ak_journal_unwrap(key, bytes, sizeof bytes, new_wrap, new_check), 0);
  ck_assert_mem_eq(key, journal_key, sizeof key);
  ck_assert_int_eq(ak_journal_unwrap(key, bytes, sizeof bytes, wrap, root_check), 0);
  ck_assert_mem_eq(key, journal_key, sizeof key);
  ck_assert_int_eq(ak_journal_unwrap(key, bytes, sizeof bytes, new_wrap, root_check), -1);
  ck_assert_int_eq(scan(bytes, sizeof bytes, &count, &good), 0);
  ck_assert_int_eq(count, RECORDS - 1);
  ck_assert_ptr_null(memmem(bytes, sizeof bytes, journal_key, sizeof journal_key));
}
END_TEST

/* -- The file ---------------------------------------------------------------------------------- */

static char folder[] = "apikeys-test-XXXXXX", path[64];

static void setup(void) {
  memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/journal", folder);
}

static void teardown(void) {
  unlink(path);
  rmdir(folder);
}

static void append_bytes(const void *bytes, size_t length) {
  struct ak_journal_file file;
  ck_assert_int_eq(ak_journal_open(&file, path, true, true), 0);
  ck_assert_int_eq(ak_journal_append(&file, file.size, bytes, length), 0);
  ck_assert_int_eq(ak_journal_sync(&file, path, true), 0);
  ak_journal_close(&file);
}

static void assert_last(int number, int64_t expected_end) {
  struct ak_journal_file file;
  struct ak_journal_record last;
  bool found;
  int64_t end;
  ck_assert_int_eq(ak_journal_open(&file, path, false, false), 0);
  ck_assert_int_eq(ak_journal_last(&file, journal_key, &last, &found, &end), 0);
  ck_assert_int_eq(found, number > 0);
  if (found)
    ck_assert_int_eq(last.event_number, number);
  ck_assert_int_eq(end, expected_end);
  ak_journal_close(&file);
}

START_TEST(the_last_good_record_is_found_behind_a_torn_one) {
  uint8_t bytes[RECORDS * RECORD];
  struct stat status;
  fill(bytes);
  append_bytes(bytes, RECORD);
  assert_last(0, RECORD);
  append_bytes(bytes + RECORD, 4 * RECORD);
  assert_last(4, 5 * RECORD);
  append_bytes("torn", 4);
  assert_last(4, 5 * RECORD);
  ck_assert_int_eq(stat(path, &status), 0);
  ck_assert_int_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(an_append_replaces_a_torn_record_and_one_that_was_only_seen) {
  uint8_t bytes[RECORDS * RECORD], seen[RECORD];
  struct ak_journal_record record = {.type = AK_JOURNAL_SEEN, .event_number = 9};
  struct ak_journal_file file;
  struct stat status;
  memcpy(record.event_id, record_of(9).event_id, sizeof record.event_id);
  fill(bytes);
  append_bytes(bytes, 2 * RECORD);
  ck_assert_int_eq(ak_journal_encode(seen, &record, journal_key), 0);
  append_bytes(seen, RECORD);
  append_bytes(bytes, RECORD / 2);
  assert_last(9, 2 * RECORD);
  ck_assert_int_eq(ak_journal_open(&file, path, true, false), 0);
  ck_assert_int_eq(ak_journal_append(&file, 2 * RECORD, bytes + 2 * RECORD, RECORD), 0);
  ak_journal_close(&file);
  assert_last(2, 3 * RECORD);
  ck_assert_int_eq(stat(path, &status), 0);
  ck_assert_int_eq(status.st_size, 3 * RECORD);
}
END_TEST

START_TEST(another_files_records_and_a_link_are_refused) {
  uint8_t bytes[RECORDS * RECORD];
  struct ak_journal_file file;
  struct ak_journal_record last;
  char link_path[80];
  bool found;
  int64_t end;
  memset(bytes, 'x', sizeof bytes);
  append_bytes(bytes, sizeof bytes);
  ck_assert_int_eq(ak_journal_open(&file, path, false, false), 0);
  ck_assert_int_eq(ak_journal_last(&file, journal_key, &last, &found, &end), EIO);
  ak_journal_close(&file);
  snprintf(link_path, sizeof link_path, "%s/link", folder);
  ck_assert_int_eq(symlink("journal", link_path), 0);
  ck_assert_int_eq(ak_journal_open(&file, link_path, true, true), ELOOP);
  unlink(link_path);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("revocation_journal");
  TCase *format = tcase_create("format");
  tcase_add_test(format, a_record_reads_back);
  tcase_add_test(format, an_id_that_is_none_is_not_encoded);
  tcase_add_test(format, every_changed_bit_is_noticed);
  tcase_add_test(format, a_torn_end_is_ignored);
  tcase_add_test(format, a_bad_record_in_the_middle_is_an_alarm);
  tcase_add_test(format, the_journal_key_opens_with_old_and_new_root_key);
  suite_add_tcase(suite, format);
  TCase *file = tcase_create("file");
  tcase_add_checked_fixture(file, setup, teardown);
  tcase_add_test(file, the_last_good_record_is_found_behind_a_torn_one);
  tcase_add_test(file, an_append_replaces_a_torn_record_and_one_that_was_only_seen);
  tcase_add_test(file, another_files_records_and_a_link_are_refused);
  suite_add_tcase(suite, file);
  return run_suite(suite);
}
