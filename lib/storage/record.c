/* SPDX-License-Identifier: MIT */
/* Records: fields by number in one reusable buffer, and their encoding as bytes. */
#include "storage/record.h"
#include "base/text.h"

#include "crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------------- the buffer -------- */

bool ak_kind_holds_secrets(int kind) {
  return kind == AK_ENVIRONMENT || kind == AK_API_KEY || kind == AK_DOCUMENT;
}

void ak_record_init(apikeys_record *record, int kind) {
  memset(record, 0, sizeof *record);
  record->kind = kind;
}

static void wipe_bytes(apikeys_record *record) {
  if (record->used > 0 && record->has_blobs && ak_kind_holds_secrets(record->kind))
    ak_wipe(record->bytes, record->used);
  record->has_blobs = false;
  record->used = 0;
}

static void forget_fields(apikeys_record *record) {
  memset(record->fields, 0, sizeof record->fields);
  record->failed = false;
}

void ak_record_release(apikeys_record *record) {
  wipe_bytes(record);
  forget_fields(record);
  free(record->bytes);
  record->bytes = NULL;
  record->capacity = 0;
}

apikeys_record *apikeys_record_new(int kind) {
  if (ak_schema_kind(kind) == NULL)
    return NULL;
  apikeys_record *record = malloc(sizeof *record);
  if (record != NULL)
    ak_record_init(record, kind);
  return record;
}

void apikeys_record_free(apikeys_record *record) {
  if (record == NULL)
    return;
  ak_record_release(record);
  free(record);
}

void apikeys_record_clear(apikeys_record *record) {
  if (record == NULL)
    return;
  wipe_bytes(record);
  forget_fields(record);
}

int apikeys_record_kind(const apikeys_record *record) {
  return record != NULL ? record->kind : 0;
}

static bool has_bytes(const struct ak_record_field *field) {
  return field->type == APIKEYS_TYPE_TEXT || field->type == APIKEYS_TYPE_BLOB;
}

/* What the fields in use need, each with the NUL behind it. */
static size_t live_bytes(const apikeys_record *record) {
  size_t live = 0;
  for (int i = 0; i < AK_FIELDS_MAX; i++)
    if (has_bytes(&record->fields[i]))
      live += record->fields[i].length + 1;
  return live;
}

static void record_place(apikeys_record *record, struct ak_record_field *field, char *bytes,
                         const void *value, size_t length) {
  if (length > 0)
    memmove(bytes + record->used, value, length);
  bytes[record->used + length] = '\0';
  field->offset = (uint32_t)record->used;
  field->length = field->room = (uint32_t)length;
  record->used += length + 1;
}

/*
 * A new buffer with the fields in use, one behind the other, and the new value. Space that shorter
 * or vanished values left is regained here, so that a record used over and over stays small.
 */
static int rebuild(apikeys_record *record, struct ak_record_field *target, const void *value,
                   size_t length) {
  if (length > AK_RECORD_BYTES_MAX)
    return APIKEYS_ERROR_NO_MEMORY;
  size_t need = live_bytes(record) + length + 1;
  if (need > AK_RECORD_BYTES_MAX)
    return APIKEYS_ERROR_NO_MEMORY;
  size_t capacity = need < 48 ? 64 : need + need / 2;
  if (capacity < record->capacity)
    capacity = record->capacity;
  char *bytes = malloc(capacity);
  if (bytes == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  char *old = record->bytes;
  size_t old_used = record->used;
  record->used = 0;
  for (int i = 0; i < AK_FIELDS_MAX; i++) {
    struct ak_record_field *field = &record->fields[i];
    if (has_bytes(field) && field != target)
      record_place(record, field, bytes, old + field->offset, field->length);
  }
  record_place(record, target, bytes, value,
               length); /* last: the value may lie in the old buffer */
  if (old != NULL && record->has_blobs && ak_kind_holds_secrets(record->kind))
    ak_wipe(old, old_used);
  free(old);
  record->bytes = bytes;
  record->capacity = capacity;
  return APIKEYS_OK;
}

static int store_bytes(apikeys_record *record, struct ak_record_field *field, int type,
                       const void *value, size_t length) {
  if (has_bytes(field) && length <= field->room) {
    if (length > 0)
      memmove(record->bytes + field->offset, value, length);
    record->bytes[field->offset + length] = '\0';
    field->length = (uint32_t)length;
  } else if (record->capacity - record->used > length) {
    record_place(record, field, record->bytes, value, length);
  } else if (rebuild(record, field, value, length) != APIKEYS_OK) {
    record->failed = true;
    return APIKEYS_ERROR_NO_MEMORY;
  }
  field->type = type;
  record->has_blobs |= type == APIKEYS_TYPE_BLOB;
  return APIKEYS_OK;
}

int apikeys_record_copy(apikeys_record *target, const apikeys_record *source) {
  if (target == NULL || source == NULL || target->kind != source->kind)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (source->failed)
    return APIKEYS_ERROR_NO_MEMORY;
  if (target == source)
    return APIKEYS_OK;
  size_t need = live_bytes(source);
  char *fresh = NULL;
  if (need > target->capacity && (fresh = malloc(need)) == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  apikeys_record_clear(target);
  if (fresh != NULL) {
    free(target->bytes);
    target->bytes = fresh;
    target->capacity = need;
  }
  target->has_blobs = source->has_blobs;
  for (int i = 0; i < AK_FIELDS_MAX; i++) {
    const struct ak_record_field *from = &source->fields[i];
    target->fields[i] = *from;
    if (has_bytes(from))
      record_place(target, &target->fields[i], target->bytes, source->bytes + from->offset,
                   from->length);
  }
  return APIKEYS_OK;
}

char *ak_record_begin(apikeys_record *record, size_t size) {
  char *fresh = NULL;
  if (size > record->capacity && (size > AK_RECORD_BYTES_MAX || (fresh = malloc(size)) == NULL))
    return NULL;
  wipe_bytes(record);
  for (int i = 0; i < AK_FIELDS_MAX; i++)
    record->fields[i].type = APIKEYS_TYPE_NULL;
  record->failed = false;
  if (fresh != NULL) {
    free(record->bytes);
    record->bytes = fresh;
    record->capacity = size;
  }
  record->used = size;
  return record->bytes;
}

/* ------------------------------------------------------------------------- setting fields ----- */

static const struct ak_field *field_schema(const apikeys_record *record, int field) {
  const struct ak_kind_schema *schema = record != NULL ? ak_schema_kind(record->kind) : NULL;
  return schema != NULL && field >= 0 && field < schema->field_count ? &schema->fields[field]
                                                                     : NULL;
}

static bool takes(const apikeys_record *record, int field, int type) {
  const struct ak_field *schema = field_schema(record, field);
  return schema != NULL && schema->type == type;
}

int apikeys_record_set_null(apikeys_record *record, int field) {
  if (field_schema(record, field) == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  record->fields[field] = (struct ak_record_field){0};
  return APIKEYS_OK;
}

int apikeys_record_set_integer(apikeys_record *record, int field, int64_t value) {
  if (!takes(record, field, APIKEYS_TYPE_INTEGER))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  record->fields[field].type = APIKEYS_TYPE_INTEGER;
  record->fields[field].integer = value;
  return APIKEYS_OK;
}

int apikeys_record_set_text(apikeys_record *record, int field, const char *text, size_t length) {
  length = ak_text_length(text, length);
  if (!takes(record, field, APIKEYS_TYPE_TEXT) || (text == NULL && length > 0) ||
      (length > 0 && memchr(text, '\0', length) != NULL))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  return store_bytes(record, &record->fields[field], APIKEYS_TYPE_TEXT, text, length);
}

int apikeys_record_set_blob(apikeys_record *record, int field, const void *bytes, size_t length) {
  if (!takes(record, field, APIKEYS_TYPE_BLOB) || (bytes == NULL && length > 0))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  return store_bytes(record, &record->fields[field], APIKEYS_TYPE_BLOB, bytes, length);
}

int ak_record_set_string(apikeys_record *record, int field, const char *text) {
  return apikeys_record_set_text(record, field, text, text != NULL ? strlen(text) : 0);
}

/* ------------------------------------------------------------------------- reading fields ----- */

static const struct ak_record_field *record_find_field(const apikeys_record *record, int field) {
  static const struct ak_record_field none = {0};
  return field_schema(record, field) != NULL ? &record->fields[field] : &none;
}

int apikeys_record_type(const apikeys_record *record, int field) {
  return record_find_field(record, field)->type;
}

int64_t apikeys_record_integer(const apikeys_record *record, int field) {
  const struct ak_record_field *found = record_find_field(record, field);
  return found->type == APIKEYS_TYPE_INTEGER ? found->integer : 0;
}

static const char *read_bytes(const apikeys_record *record, int field, int type, size_t *length) {
  const struct ak_record_field *found = record_find_field(record, field);
  bool there = found->type == type;
  if (length != NULL)
    *length = there ? found->length : 0;
  return there ? record->bytes + found->offset : "";
}

const char *apikeys_record_text(const apikeys_record *record, int field, size_t *length) {
  return read_bytes(record, field, APIKEYS_TYPE_TEXT, length);
}

const void *apikeys_record_blob(const apikeys_record *record, int field, size_t *length) {
  return read_bytes(record, field, APIKEYS_TYPE_BLOB, length);
}

bool ak_record_text_is(const apikeys_record *record, int field, const char *text, size_t length) {
  const struct ak_record_field *found = record_find_field(record, field);
  return found->type == APIKEYS_TYPE_TEXT && found->length == length &&
         (length == 0 || memcmp(record->bytes + found->offset, text, length) == 0);
}

int ak_record_status(const apikeys_record *record) {
  return record->failed ? APIKEYS_ERROR_NO_MEMORY : APIKEYS_OK;
}

static const char *find_problem(const apikeys_record *record, int first) {
  const struct ak_kind_schema *schema = ak_schema_kind(record->kind);
  if (schema == NULL)
    return "kind";
  for (int i = first; i < schema->field_count; i++) {
    int type = record->fields[i].type;
    if (type == APIKEYS_TYPE_NULL ? !schema->fields[i].nullable : type != schema->fields[i].type)
      return schema->fields[i].name;
  }
  return NULL;
}

const char *ak_record_problem(const apikeys_record *record) {
  return find_problem(record, AK_NUMBER);
}

const char *ak_record_new_problem(const apikeys_record *record) {
  return find_problem(record, AK_NUMBER + 1);
}

/* ---------------------------------------------------------------------- bytes in an order ----- */

/* No tag is 0x00 or 0xff, so that 0xff behind an entry is above all that begin with it. */
enum { TAG_NULL = 1, TAG_INTEGER = 2, TAG_TEXT = 3, TAG_BLOB = 4 };

static size_t append_integer(uint8_t *to, size_t room, int64_t integer) {
  if (room >= 9) {
    uint64_t bits = (uint64_t)integer ^ (UINT64_C(1) << 63); /* negative below positive */
    to[0] = TAG_INTEGER;
    for (int i = 0; i < 8; i++)
      to[1 + i] = (uint8_t)(bits >> (56 - 8 * i));
  }
  return 9;
}

static size_t append_text(uint8_t *to, size_t room, const void *text, size_t length) {
  if (room >= length + 2) {
    to[0] = TAG_TEXT;
    if (length > 0)
      memcpy(to + 1, text, length);
    to[1 + length] = 0;
  }
  return length + 2;
}

/* A zero byte becomes 00 ff, the end is 00 01: a blob sorts before those it is the beginning of. */
static size_t append_blob(uint8_t *to, size_t room, const uint8_t *blob, size_t length) {
  size_t size = length + 3;
  for (size_t i = 0; i < length; i++)
    size += blob[i] == 0;
  if (room < size)
    return size;
  *to++ = TAG_BLOB;
  for (size_t i = 0; i < length; i++) {
    *to++ = blob[i];
    if (blob[i] == 0)
      *to++ = 0xff;
  }
  *to++ = 0;
  *to = 1;
  return size;
}

size_t ak_order_append(uint8_t *buffer, size_t capacity, size_t used,
                       const struct ak_field_value *value) {
  size_t room = used < capacity ? capacity - used : 0;
  uint8_t *to = room > 0 ? buffer + used : buffer;
  switch (value->type) {
  case APIKEYS_TYPE_INTEGER:
    return used + append_integer(to, room, value->integer);
  case APIKEYS_TYPE_TEXT:
    return used + append_text(to, room, value->bytes, value->length);
  case APIKEYS_TYPE_BLOB:
    return used + append_blob(to, room, value->bytes, value->length);
  default:
    if (room > 0)
      *to = TAG_NULL;
    return used + 1;
  }
}

struct ak_field_value ak_record_value(const apikeys_record *record, int field) {
  const struct ak_record_field *found = record_find_field(record, field);
  struct ak_field_value value = {.type = found->type};
  if (found->type == APIKEYS_TYPE_INTEGER) {
    value.integer = found->integer;
  } else if (has_bytes(found)) {
    value.bytes = record->bytes + found->offset;
    value.length = found->length;
  }
  return value;
}

int ak_field_value_compare(const struct ak_field_value *a, const struct ak_field_value *b) {
  if (a->type != b->type)
    return a->type < b->type ? -1 : 1;
  if (a->type == APIKEYS_TYPE_INTEGER)
    return a->integer < b->integer ? -1 : a->integer > b->integer;
  size_t shorter = a->length < b->length ? a->length : b->length;
  int order = shorter > 0 ? memcmp(a->bytes, b->bytes, shorter) : 0;
  if (order != 0)
    return order;
  return a->length < b->length ? -1 : a->length > b->length;
}

bool ak_record_has_entry(const apikeys_record *record, const struct ak_index *index) {
  return !index->sparse || record->fields[index->fields[0]].type != APIKEYS_TYPE_NULL;
}

static size_t write_key(const apikeys_record *record, const struct ak_index *index, uint8_t *buffer,
                        size_t capacity) {
  size_t used = 0;
  for (int i = 0; i < index->field_count; i++) {
    struct ak_field_value value = ak_record_value(record, index->fields[i]);
    used = ak_order_append(buffer, capacity, used, &value);
  }
  if (!index->unique) {
    struct ak_field_value number = ak_record_value(record, AK_NUMBER);
    used = ak_order_append(buffer, capacity, used, &number);
  }
  return used;
}

size_t apikeys_index_key_max(void) {
  return APIKEYS_INDEX_KEY_MAX;
}

int apikeys_record_index_key(const apikeys_record *record, int index, void *buffer, size_t capacity,
                             size_t *length) {
  const struct ak_kind_schema *schema = record != NULL ? ak_schema_kind(record->kind) : NULL;
  if (schema == NULL || index < 0 || index >= schema->index_count || length == NULL ||
      (buffer == NULL && capacity > 0))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (!ak_record_has_entry(record, &schema->indexes[index]))
    return APIKEYS_ERROR_NOT_FOUND;
  *length = write_key(record, &schema->indexes[index], buffer, capacity);
  return *length <= capacity ? APIKEYS_OK : APIKEYS_ERROR_BUFFER_TOO_SMALL;
}

static const char *longest_field(const apikeys_record *record, const struct ak_index *index) {
  int longest = index->fields[0];
  for (int i = 1; i < index->field_count; i++)
    if (record->fields[index->fields[i]].length > record->fields[longest].length)
      longest = index->fields[i];
  return ak_schema_kind(record->kind)->fields[longest].name;
}

const char *ak_record_key_problem(const apikeys_record *record) {
  const struct ak_kind_schema *schema = ak_schema_kind(record->kind);
  for (int i = 0; schema != NULL && i < schema->index_count; i++) {
    const struct ak_index *index = &schema->indexes[i];
    if (index->field_count > 0 && write_key(record, index, NULL, 0) >= APIKEYS_INDEX_KEY_MAX)
      return longest_field(record, index);
  }
  return NULL;
}

/* --------------------------------------------------------------------- records as bytes ------- */

/*
 * The format, the kind, the number of fields that the writer knew, and of those that are not NULL;
 * then for each of these, in ascending order: its number, its type, and the value. Numbers and
 * lengths are base-128 with the low digits first and in their shortest form, integers zigzag. What
 * the writer did not know is told from what it knew as NULL by the number of fields.
 */
enum { FORMAT = 1, VARINT_MAX = 10 };

struct writer {
  uint8_t *bytes;
  size_t capacity;
  size_t used;
};

static void record_put(struct writer *writer, const void *bytes, size_t length) {
  if (length > 0 && writer->used <= writer->capacity && length <= writer->capacity - writer->used)
    memcpy(writer->bytes + writer->used, bytes, length);
  writer->used += length;
}

static void put_varint(struct writer *writer, uint64_t value) {
  uint8_t digits[VARINT_MAX];
  size_t count = 0;
  for (; value >= 0x80; value >>= 7)
    digits[count++] = (uint8_t)(value | 0x80);
  digits[count++] = (uint8_t)value;
  record_put(writer, digits, count);
}

static void put_field(struct writer *writer, int number, const struct ak_field_value *value) {
  put_varint(writer, (uint64_t)number);
  put_varint(writer, (uint64_t)value->type);
  if (value->type == APIKEYS_TYPE_INTEGER) {
    uint64_t bits = (uint64_t)value->integer;
    put_varint(writer, (bits << 1) ^ (value->integer < 0 ? UINT64_MAX : 0));
  } else {
    put_varint(writer, value->length);
    record_put(writer, value->bytes, value->length);
  }
}

static void put_record(struct writer *writer, const apikeys_record *record, int field_count) {
  static const uint8_t format = FORMAT;
  record_put(writer, &format, 1);
  put_varint(writer, (uint64_t)record->kind);
  put_varint(writer, (uint64_t)field_count);
  uint64_t set = 0;
  for (int i = 0; i < field_count; i++)
    set += record->fields[i].type != APIKEYS_TYPE_NULL;
  put_varint(writer, set);
  for (int i = 0; i < field_count; i++) {
    struct ak_field_value value = ak_record_value(record, i);
    if (value.type != APIKEYS_TYPE_NULL)
      put_field(writer, i, &value);
  }
}

int apikeys_record_encode(const apikeys_record *record, void *buffer, size_t capacity,
                          size_t *length) {
  const struct ak_kind_schema *schema = record != NULL ? ak_schema_kind(record->kind) : NULL;
  if (schema == NULL || length == NULL || (buffer == NULL && capacity > 0))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  struct writer measure = {0};
  put_record(&measure, record, schema->field_count);
  *length = measure.used;
  if (record->failed)
    return APIKEYS_ERROR_NO_MEMORY;
  if (measure.used > capacity)
    return APIKEYS_ERROR_BUFFER_TOO_SMALL;
  struct writer writer = {buffer, capacity, 0};
  put_record(&writer, record, schema->field_count);
  return APIKEYS_OK;
}

struct record_reader {
  const uint8_t *at;
  const uint8_t *end;
};

static bool get_varint(struct record_reader *reader, uint64_t *value) {
  uint64_t result = 0;
  for (int i = 0; i < VARINT_MAX && reader->at < reader->end; i++) {
    uint8_t digit = *reader->at++;
    if (i == VARINT_MAX - 1 && digit > 1) /* beyond 64 bits */
      return false;
    result |= (uint64_t)(digit & 0x7f) << (7 * i);
    if (digit < 0x80) {
      *value = result;
      return digit != 0 || i == 0; /* a leading zero: not the shortest form */
    }
  }
  return false;
}

static int get_field(struct record_reader *reader, apikeys_record *record, int number,
                     uint64_t type) {
  uint64_t value;
  if (!get_varint(reader, &value))
    return APIKEYS_ERROR_CORRUPT;
  if (type == APIKEYS_TYPE_INTEGER) {
    uint64_t bits = (value >> 1) ^ ((value & 1) != 0 ? UINT64_MAX : 0);
    int64_t integer;
    memcpy(&integer, &bits, sizeof integer);
    return apikeys_record_set_integer(record, number, integer);
  }
  if (value > (uint64_t)(reader->end - reader->at))
    return APIKEYS_ERROR_CORRUPT;
  const uint8_t *bytes = reader->at;
  reader->at += value;
  if (type == APIKEYS_TYPE_TEXT)
    return apikeys_record_set_text(record, number, (const char *)bytes, (size_t)value);
  return apikeys_record_set_blob(record, number, bytes, (size_t)value);
}

struct header {
  uint64_t format;
  uint64_t kind;
  uint64_t known; /* fields that the writer knew */
  uint64_t set;   /* of those, that are not NULL */
};

static bool get_header(struct record_reader *reader, const apikeys_record *record,
                       struct header *header) {
  return get_varint(reader, &header->format) && header->format == FORMAT &&
         get_varint(reader, &header->kind) && header->kind == (uint64_t)record->kind &&
         get_varint(reader, &header->known) &&
         header->known <= (uint64_t)ak_schema_kind(record->kind)->field_count &&
         get_varint(reader, &header->set) && header->set <= header->known;
}

static int get_fields(struct record_reader *reader, apikeys_record *record,
                      const struct header *header) {
  const struct ak_kind_schema *schema = ak_schema_kind(record->kind);
  uint64_t next = 0;
  for (uint64_t i = 0; i < header->set; i++) {
    uint64_t number, type;
    if (!get_varint(reader, &number) || number < next || number >= header->known ||
        !get_varint(reader, &type) || type != (uint64_t)schema->fields[number].type)
      return APIKEYS_ERROR_CORRUPT;
    int rc = get_field(reader, record, (int)number, type);
    if (rc != APIKEYS_OK)
      return rc == APIKEYS_ERROR_INVALID_ARGUMENT ? APIKEYS_ERROR_CORRUPT : rc;
    next = number + 1;
  }
  return reader->at == reader->end ? APIKEYS_OK : APIKEYS_ERROR_CORRUPT;
}

/* What an older writer did not know: NULL, or nothing where NULL may not be. */
static int fill_in(apikeys_record *record, int known) {
  const struct ak_kind_schema *schema = ak_schema_kind(record->kind);
  for (int i = known; i < schema->field_count; i++) {
    const struct ak_field *field = &schema->fields[i];
    int rc = APIKEYS_OK;
    if (field->nullable)
      continue;
    if (field->type == APIKEYS_TYPE_INTEGER)
      rc = apikeys_record_set_integer(record, i, 0);
    else
      rc = store_bytes(record, &record->fields[i], field->type, NULL, 0);
    if (rc != APIKEYS_OK)
      return rc;
  }
  return APIKEYS_OK;
}

int apikeys_record_decode(apikeys_record *record, const void *bytes, size_t length) {
  const struct ak_kind_schema *schema = record != NULL ? ak_schema_kind(record->kind) : NULL;
  if (schema == NULL || (bytes == NULL && length > 0))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  apikeys_record_clear(record);
  if (length == 0)
    return APIKEYS_ERROR_CORRUPT;
  struct record_reader reader = {bytes, (const uint8_t *)bytes + length};
  struct header header;
  if (!get_header(&reader, record, &header))
    return APIKEYS_ERROR_CORRUPT;
  int rc = get_fields(&reader, record, &header);
  if (rc == APIKEYS_OK)
    rc = fill_in(record, (int)header.known);
  if (rc != APIKEYS_OK)
    apikeys_record_clear(record);
  return rc;
}
