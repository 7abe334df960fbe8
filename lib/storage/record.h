/* SPDX-License-Identifier: MIT */
/* Records, from inside: fields by number, bytes in one buffer that is kept from use to use. */
#ifndef AK_STORAGE_RECORD_H
#define AK_STORAGE_RECORD_H

#include "storage/schema.h"

/* Of 24 bytes: records are cleared and filled on the way of every validation that fills a key. */
struct ak_record_field {
  int type;
  uint32_t offset; /* into bytes, for text and blobs */
  uint32_t length;
  uint32_t room; /* what the place at offset takes, without the NUL behind it */
  int64_t integer;
};

/* A record that takes more is refused as one for which there is no memory. */
enum { AK_RECORD_BYTES_MAX = 1 << 30 };

struct apikeys_record {
  int kind;
  bool has_blobs; /* since the bytes were wiped last: what is secret in a record is a blob */
  bool failed;    /* a set ran out of memory; stays until the record is cleared */
  char *bytes;
  size_t used;
  size_t capacity;
  struct ak_record_field fields[AK_FIELDS_MAX];
};

/*
 * For records that are members of other objects or live on the stack. Clearing keeps the buffer.
 * The bytes of kinds that may hold a secret are wiped wherever they are let go.
 */
void ak_record_init(apikeys_record *record, int kind);
void ak_record_release(apikeys_record *record); /* frees the bytes; the record may be used again */
bool ak_kind_holds_secrets(int kind);

/*
 * For who has all of a record's texts and blobs at once: clears it and gives its buffer, `size`
 * bytes of it in use, to be filled; each is then said to lie at an offset, with a NUL behind it.
 * NULL: out of memory, and the record is as it was; or no bytes were asked for.
 */
char *ak_record_begin(apikeys_record *record, size_t size);

static inline void ak_record_lay(apikeys_record *record, int field, int type, size_t offset,
                                 size_t length) {
  record->fields[field] = (struct ak_record_field){.type = type,
                                                   .offset = (uint32_t)offset,
                                                   .length = (uint32_t)length,
                                                   .room = (uint32_t)length};
  record->has_blobs |= type == APIKEYS_TYPE_BLOB;
}

static inline void ak_record_lay_integer(apikeys_record *record, int field, int64_t integer) {
  record->fields[field].type = APIKEYS_TYPE_INTEGER;
  record->fields[field].integer = integer;
}

/* NUL-terminated text into a field. */
int ak_record_set_string(apikeys_record *record, int field, const char *text);

/* 1 if the field's text is exactly `text`. Not for secrets. */
bool ak_record_text_is(const apikeys_record *record, int field, const char *text, size_t length);

/* 0, or APIKEYS_ERROR_NO_MEMORY if any set since the last clear failed. */
int ak_record_status(const apikeys_record *record);

/* NULL if every field is set that must be and holds a value of its type, else the field's name. */
const char *ak_record_problem(const apikeys_record *record);
/* The same for a record that has no number yet. */
const char *ak_record_new_problem(const apikeys_record *record);

/*
 * NULL if every index entry is shorter than APIKEYS_INDEX_KEY_MAX bytes, which back-ends rely on
 * (a bound may be a byte longer); else the name of the field that is to blame.
 */
const char *ak_record_key_problem(const apikeys_record *record);

/*
 * One value behind the `used` bytes of an index entry, in memcmp order: a tag for its type, then
 * big-endian integers, text with a NUL, escaped blobs. Gives the new length, also where it exceeds
 * `capacity`; what does not fit whole is not written, so appending may go on to learn a length.
 */
struct ak_field_value {
  int type; /* APIKEYS_TYPE_… */
  int64_t integer;
  const void *bytes;
  size_t length;
};
size_t ak_order_append(uint8_t *buffer, size_t capacity, size_t used,
                       const struct ak_field_value *value);
struct ak_field_value ak_record_value(const apikeys_record *record, int field);
/* In the order of those bytes: NULL, integers, texts, blobs. */
int ak_field_value_compare(const struct ak_field_value *a, const struct ak_field_value *b);

/* Whether the record has an entry in the index: a sparse one leaves some out. */
bool ak_record_has_entry(const apikeys_record *record, const struct ak_index *index);

#endif
