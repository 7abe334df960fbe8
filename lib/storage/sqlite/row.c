/* SPDX-License-Identifier: MIT */
/* A record's way out of a row, and into the parameters of a statement. */
#include "storage/sqlite/private.h"

#include "storage/record.h"

#include <string.h>

/* ------------------------------------------------------------------------------- out ---------- */

/* What a row holds, before any of it is copied. Texts and blobs stay where SQLite has them. */
struct cell {
  int type;
  int64_t integer;
  const void *bytes;
  size_t length;
};

/*
 * Length after text, as SQLite's manual wants it. The type is asked for although the table is
 * STRICT: somebody may have been at the file with a tool.
 */
static int sqlite_row_look(struct cell *cell, sqlite3_stmt *row, int column,
                           const struct ak_field *field) {
  int type = sqlite3_column_type(row, column);
  *cell = (struct cell){.type = APIKEYS_TYPE_NULL};
  if (type == SQLITE_NULL)
    return field->nullable ? APIKEYS_OK : APIKEYS_ERROR_CORRUPT;
  cell->type = field->type;
  if (type == SQLITE_INTEGER && field->type == APIKEYS_TYPE_INTEGER) {
    cell->integer = sqlite3_column_int64(row, column);
    return APIKEYS_OK;
  }
  if (type == SQLITE_TEXT && field->type == APIKEYS_TYPE_TEXT)
    cell->bytes = sqlite3_column_text(row, column);
  else if (type == SQLITE_BLOB && field->type == APIKEYS_TYPE_BLOB)
    cell->bytes = sqlite3_column_blob(row, column);
  else
    return APIKEYS_ERROR_CORRUPT;
  cell->length = (size_t)sqlite3_column_bytes(row, column);
  if (type == SQLITE_TEXT && cell->bytes == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  bool has_nul = type == SQLITE_TEXT && memchr(cell->bytes, '\0', cell->length) != NULL;
  return has_nul ? APIKEYS_ERROR_CORRUPT : APIKEYS_OK;
}

/* The record's buffer is as large as the row's texts and blobs, each with a NUL behind it. */
static int lay_out(apikeys_record *record, const struct cell *cells, int count) {
  size_t size = 0, at = 0;
  for (int i = 0; i < count; i++)
    if (cells[i].type == APIKEYS_TYPE_TEXT || cells[i].type == APIKEYS_TYPE_BLOB)
      size += cells[i].length + 1;
  char *bytes = ak_record_begin(record, size);
  if (bytes == NULL && size > 0)
    return APIKEYS_ERROR_NO_MEMORY;
  for (int i = 0; i < count; i++) {
    const struct cell *cell = &cells[i];
    if (cell->type == APIKEYS_TYPE_INTEGER)
      ak_record_lay_integer(record, i, cell->integer);
    if (cell->type != APIKEYS_TYPE_TEXT && cell->type != APIKEYS_TYPE_BLOB)
      continue;
    if (cell->length > 0)
      memcpy(bytes + at, cell->bytes, cell->length);
    bytes[at + cell->length] = '\0';
    ak_record_lay(record, i, cell->type, at, cell->length);
    at += cell->length + 1;
  }
  return APIKEYS_OK;
}

int ak_sqlite_read_row(apikeys_record *record, sqlite3_stmt *row) {
  struct cell cells[AK_FIELDS_MAX];
  const struct ak_kind_schema *kind = ak_schema_kind(record->kind);
  int rc = APIKEYS_OK;
  for (int i = 0; i < kind->field_count && rc == APIKEYS_OK; i++)
    rc = sqlite_row_look(&cells[i], row, i, &kind->fields[i]);
  if (rc == APIKEYS_OK)
    rc = lay_out(record, cells, kind->field_count);
  if (rc != APIKEYS_OK)
    apikeys_record_clear(record);
  return rc;
}

/* -------------------------------------------------------------------------------- in ---------- */

int ak_sqlite_bind_field(sqlite3_stmt *statement, int parameter, const apikeys_record *record,
                         int field) {
  size_t length = 0;
  switch (apikeys_record_type(record, field)) {
  case APIKEYS_TYPE_INTEGER:
    return sqlite3_bind_int64(statement, parameter, apikeys_record_integer(record, field));
  case APIKEYS_TYPE_TEXT: {
    const char *text = apikeys_record_text(record, field, &length);
    return sqlite3_bind_text64(statement, parameter, text, length, SQLITE_STATIC, SQLITE_UTF8);
  }
  case APIKEYS_TYPE_BLOB: {
    const void *bytes = apikeys_record_blob(record, field, &length);
    return sqlite3_bind_blob64(statement, parameter, bytes, length, SQLITE_STATIC);
  }
  default:
    return sqlite3_bind_null(statement, parameter);
  }
}

int ak_sqlite_bind_fields(sqlite3_stmt *statement, const apikeys_record *record) {
  int rc = SQLITE_OK;
  int count = ak_schema_kind(record->kind)->field_count;
  for (int field = 1; field < count && rc == SQLITE_OK; field++)
    rc = ak_sqlite_bind_field(statement, field, record, field);
  return rc;
}
