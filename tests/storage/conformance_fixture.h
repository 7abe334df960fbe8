/* SPDX-License-Identifier: MIT */
/*
 * What the files of the suite share: the store under test, its slots in short, records that differ
 * in every field. cf_ is for "conformance"; the driver's program is linked with these names.
 */
#ifndef STORAGE_CONFORMANCE_FIXTURE_H
#define STORAGE_CONFORMANCE_FIXTURE_H

#include "conformance.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

/* -- The suite, a file each -------------------------------------------------------------------- */

void conformance_records(Suite *suite);
void conformance_queries(Suite *suite);
void conformance_isolation(Suite *suite);
void conformance_reopened(Suite *suite);
void conformance_changes(Suite *suite);

/* Its tests have a new and empty store each. */
TCase *cf_new_case(Suite *suite, const char *name);

/* More with APIKEYS_SOAK. */
int cf_rounds(int usual);

/* For what is asked often: Check notes every assertion of its own in a file. */
#define REQUIRE(condition)                                                                         \
  do {                                                                                             \
    if (!(condition))                                                                              \
      ck_abort_msg("%s", #condition);                                                              \
  } while (0)

/* -- The store and its slots ------------------------------------------------------------------- */

extern const struct storage_under_test *cf_given;
extern apikeys_storage cf_store;

/* Asks again for a while where the store is busy: for threads, which cannot use Check. */
int cf_try_begin(apikeys_storage *storage, int mode, apikeys_transaction **transaction);

apikeys_transaction *cf_begin_in(apikeys_storage *storage, int mode);
apikeys_transaction *cf_begin_read(void);
apikeys_transaction *cf_begin_write(void);
void cf_commit(apikeys_transaction *transaction);
int cf_insert(apikeys_transaction *transaction, apikeys_record *record);
int cf_update(apikeys_transaction *transaction, const apikeys_record *record);
int cf_remove_number(apikeys_transaction *transaction, int kind, int64_t number);
int cf_get(apikeys_transaction *transaction, const apikeys_query *query, apikeys_record *out);
uint64_t cf_count(apikeys_transaction *transaction, const apikeys_query *query);

/* -- Records ----------------------------------------------------------------------------------- */

enum { NUMBER = 0, ID = 1 }; /* of every kind */

apikeys_record *cf_new_record(int kind);
apikeys_record *cf_copy_of(const apikeys_record *record);
int64_t cf_number_of(const apikeys_record *record);
void cf_set_any_text(apikeys_record *record, int field, const char *text);
void cf_set_value(apikeys_record *record, int field, const char *text, int64_t integer);
void cf_fill(apikeys_record *record, unsigned n);
void cf_assert_same(const apikeys_record *a, const apikeys_record *b);

bool cf_is_indexed(int kind, int field);
bool cf_tells_apart(int kind, int field); /* the last field of a unique index? */
int cf_kind_by_number(int *index);        /* a kind that pages by number, and that index of it */

/* -- Queries ----------------------------------------------------------------------------------- */

apikeys_query *cf_new_query(int kind, int index);
apikeys_query *cf_query_like(const apikeys_record *like, int index, int equal_count);
int cf_get_id(apikeys_transaction *transaction, const apikeys_record *like, apikeys_record *out);
void cf_assert_stored(apikeys_transaction *transaction, const apikeys_record *expected);
void cf_assert_absent(apikeys_transaction *transaction, const apikeys_record *record);
uint64_t cf_count_all(apikeys_transaction *transaction, int kind);

#endif
