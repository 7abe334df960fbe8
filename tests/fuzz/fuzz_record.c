/* SPDX-License-Identifier: MIT */
/*
 * Records as bytes, from a store that somebody else may have written. The first byte says of which
 * kind; the rest is decoded. What does not decode leaves nothing behind; what does is the same
 * again after it was encoded and decoded, in one form only, and is safe to look at in every way.
 */
#include "storage/record.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds)
    abort();
}

static int same(const apikeys_record *a, const apikeys_record *b) {
  for (int field = 0; field < AK_FIELDS_MAX; field++) {
    struct ak_field_value x = ak_record_value(a, field), y = ak_record_value(b, field);
    if (ak_field_value_compare(&x, &y) != 0)
      return 0;
  }
  return 1;
}

static uint8_t *encode(const apikeys_record *record, size_t *length) {
  require(apikeys_record_encode(record, NULL, 0, length) == APIKEYS_ERROR_BUFFER_TOO_SMALL);
  uint8_t *bytes = malloc(*length);
  if (bytes != NULL)
    require(apikeys_record_encode(record, bytes, *length, length) == APIKEYS_OK);
  return bytes;
}

static void check_nothing_left(const apikeys_record *record) {
  for (int field = 0; field < AK_FIELDS_MAX; field++)
    require(apikeys_record_type(record, field) == APIKEYS_TYPE_NULL);
}

static void check_fields(const apikeys_record *record) {
  for (int field = 0; field < apikeys_schema_field_count(record->kind); field++) {
    size_t length;
    int type = apikeys_record_type(record, field);
    require(type == APIKEYS_TYPE_NULL || type == apikeys_schema_field_type(record->kind, field));
    const char *text = apikeys_record_text(record, field, &length);
    require(strlen(text) == length);
    const char *blob = apikeys_record_blob(record, field, &length);
    require(blob[length] == '\0');
  }
}

static void check_keys(const apikeys_record *record) {
  for (int index = 0; index < apikeys_schema_index_count(record->kind); index++) {
    uint8_t key[APIKEYS_INDEX_KEY_MAX];
    size_t length = 0;
    int rc = apikeys_record_index_key(record, index, key, sizeof key, &length);
    require(rc == APIKEYS_OK || rc == APIKEYS_ERROR_NOT_FOUND ||
            (rc == APIKEYS_ERROR_BUFFER_TOO_SMALL && length > sizeof key));
    if (rc == APIKEYS_ERROR_BUFFER_TOO_SMALL)
      require(ak_record_key_problem(record) != NULL);
  }
}

static void check_round_trip(const apikeys_record *record, const uint8_t *data, size_t size) {
  apikeys_record again;
  size_t length, second_length;
  uint8_t *bytes = encode(record, &length);
  ak_record_init(&again, record->kind);
  if (bytes != NULL && apikeys_record_decode(&again, bytes, length) != APIKEYS_ERROR_NO_MEMORY) {
    require(same(record, &again));
    uint8_t *second = encode(&again, &second_length);
    require(second == NULL || (second_length == length && memcmp(second, bytes, length) == 0));
    free(second);
    /* What this version wrote has one form; an older one knew fewer fields: the third byte. */
    if (data[2] == apikeys_schema_field_count(record->kind))
      require(length == size && memcmp(bytes, data, size) == 0);
  }
  free(bytes);
  ak_record_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  apikeys_record record;
  ak_record_init(&record, 1 + data[0] % (AK_KIND_END - 1));
  int rc = apikeys_record_decode(&record, data + 1, size - 1);
  require(rc == APIKEYS_OK || rc == APIKEYS_ERROR_CORRUPT || rc == APIKEYS_ERROR_NO_MEMORY);
  if (rc == APIKEYS_OK) {
    check_fields(&record);
    check_keys(&record);
    check_round_trip(&record, data + 1, size - 1);
  } else {
    check_nothing_left(&record);
  }
  ak_record_release(&record);
  return 0;
}
