/* SPDX-License-Identifier: MIT */
/* Generates SQL from the schema and the shape of a query, and keeps prepared statements. */
#include "storage/sqlite/private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------------------- text -------- */

void ak_sql_add(struct ak_sql *sql, const char *format, ...) {
  size_t room = sizeof sql->text - sql->used;
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(sql->text + sql->used, room, format, arguments);
  va_end(arguments);
  if (length < 0 || (size_t)length >= room)
    sql->full = true;
  else
    sql->used += (size_t)length;
}

static const char *field_name(const struct ak_kind_schema *kind, int field) {
  return kind->fields[field].name;
}

void ak_sql_add_index_name(struct ak_sql *sql, const struct ak_kind_schema *kind,
                           const struct ak_index *index) {
  ak_sql_add(sql, "%s_by", kind->name);
  for (int i = 0; i < index->field_count; i++)
    ak_sql_add(sql, "_%s", field_name(kind, index->fields[i]));
}

/* The field at a place of the index; behind its last one comes the number. */
static const char *position_name(const struct ak_kind_schema *kind, const struct ak_index *index,
                                 int position) {
  return field_name(kind, position < index->field_count ? index->fields[position] : AK_NUMBER);
}

static void sqlite_statements_add_condition(struct ak_sql *sql, int *count, const char *field,
                                            const char *test) {
  ak_sql_add(sql, "%s %s %s", (*count)++ == 0 ? " WHERE" : " AND", field, test);
}

static void add_conditions(struct ak_sql *sql, const struct ak_sqlite_shape *shape,
                           const struct ak_kind_schema *kind, const struct ak_index *index) {
  int count = 0;
  const char *next = position_name(kind, index, shape->equal_count);
  for (int i = 0; i < shape->equal_count; i++)
    sqlite_statements_add_condition(sql, &count, position_name(kind, index, i), "= ?");
  if (shape->lower)
    sqlite_statements_add_condition(sql, &count, next, ">= ?");
  if (shape->upper)
    sqlite_statements_add_condition(sql, &count, next, "< ?");
  if (index->sparse)
    sqlite_statements_add_condition(sql, &count, position_name(kind, index, 0), "IS NOT NULL");
  /* Kinds without an owner: apikeys_query_matches() knows which scopes may see them. */
  if (kind->scope_field >= 0 && shape->scope == APIKEYS_SCOPE_ORGANIZATION)
    sqlite_statements_add_condition(sql, &count, field_name(kind, kind->scope_field), "= ?");
  if (kind->scope_field >= 0 && shape->scope == APIKEYS_SCOPE_ENVIRONMENT)
    sqlite_statements_add_condition(sql, &count, field_name(kind, kind->scope_field), "= ''");
}

static void add_order(struct ak_sql *sql, const struct ak_sqlite_shape *shape,
                      const struct ak_kind_schema *kind, const struct ak_index *index) {
  const char *direction = shape->descending ? " DESC" : "";
  if (index->unique && shape->equal_count == index->field_count)
    return; /* one row: the planner does not always see that, and would sort it */
  ak_sql_add(sql, " ORDER BY ");
  for (int i = 0; i < index->field_count; i++)
    ak_sql_add(sql, "%s%s, ", field_name(kind, index->fields[i]), direction);
  ak_sql_add(sql, "%s%s", field_name(kind, AK_NUMBER), direction);
}

/*
 * The index is named, so that the planner cannot choose another and sort. With the order coming
 * from an index, rows are found as they are asked for: a limit needs no place in the text.
 */
static void add_query(struct ak_sql *sql, const struct ak_sqlite_shape *shape,
                      const struct ak_kind_schema *kind) {
  const struct ak_index *index = &kind->indexes[shape->index];
  bool counting = shape->operation == AK_SQLITE_COUNT;
  ak_sql_add(sql, "SELECT ");
  for (int i = 0; !counting && i < kind->field_count; i++)
    ak_sql_add(sql, "%s%s", i > 0 ? ", " : "", field_name(kind, i));
  ak_sql_add(sql, "%s FROM %s", counting ? "count(*)" : "", kind->name);
  if (index->field_count > 0) {
    ak_sql_add(sql, " INDEXED BY ");
    ak_sql_add_index_name(sql, kind, index);
  } else {
    ak_sql_add(sql, " NOT INDEXED");
  }
  add_conditions(sql, shape, kind, index);
  if (!counting)
    add_order(sql, shape, kind, index);
}

static void add_insert(struct ak_sql *sql, const struct ak_kind_schema *kind) {
  ak_sql_add(sql, "INSERT INTO %s (", kind->name);
  for (int i = 1; i < kind->field_count; i++)
    ak_sql_add(sql, "%s%s", i > 1 ? ", " : "", field_name(kind, i));
  ak_sql_add(sql, ") VALUES (");
  for (int i = 1; i < kind->field_count; i++)
    ak_sql_add(sql, "%s?", i > 1 ? ", " : "");
  ak_sql_add(sql, ")");
}

static void sqlite_statements_add_update(struct ak_sql *sql, const struct ak_kind_schema *kind) {
  ak_sql_add(sql, "UPDATE %s SET ", kind->name);
  for (int i = 1; i < kind->field_count; i++)
    ak_sql_add(sql, "%s%s = ?", i > 1 ? ", " : "", field_name(kind, i));
  ak_sql_add(sql, " WHERE %s = ?", field_name(kind, AK_NUMBER));
}

static void add_raise(struct ak_sql *sql, const struct ak_kind_schema *kind, int field) {
  const char *name = field_name(kind, field);
  ak_sql_add(sql, "UPDATE %s SET %s = max(ifnull(%s, ?1), ?1)", kind->name, name, name);
  for (int i = 0; i < kind->indexes[0].field_count; i++)
    ak_sql_add(sql, "%s %s = ?%d", i == 0 ? " WHERE" : " AND",
               field_name(kind, kind->indexes[0].fields[i]), i + 2);
}

void ak_sqlite_shape_text(struct ak_sql *sql, const struct ak_sqlite_shape *shape) {
  const struct ak_kind_schema *kind = ak_schema_kind(shape->kind);
  sql->used = 0;
  sql->full = false;
  sql->text[0] = '\0';
  switch (shape->operation) {
  case AK_SQLITE_INSERT:
    add_insert(sql, kind);
    break;
  case AK_SQLITE_UPDATE:
    sqlite_statements_add_update(sql, kind);
    break;
  case AK_SQLITE_REMOVE:
    ak_sql_add(sql, "DELETE FROM %s WHERE %s = ?", kind->name, field_name(kind, AK_NUMBER));
    break;
  case AK_SQLITE_RAISE:
    add_raise(sql, kind, shape->index);
    break;
  default:
    add_query(sql, shape, kind);
    break;
  }
}

struct ak_sqlite_shape ak_sqlite_query_shape(enum ak_sqlite_operation operation,
                                             const apikeys_query *query) {
  return (struct ak_sqlite_shape){
      .operation = (uint8_t)operation,
      .kind = (uint8_t)apikeys_query_kind(query),
      .index = (uint8_t)apikeys_query_index(query),
      .equal_count = (uint8_t)apikeys_query_equal_count(query),
      .lower =
          apikeys_query_value(query, APIKEYS_QUERY_LOWER, NULL, NULL, NULL) != APIKEYS_TYPE_NULL,
      .upper =
          apikeys_query_value(query, APIKEYS_QUERY_UPPER, NULL, NULL, NULL) != APIKEYS_TYPE_NULL,
      .descending = apikeys_query_descending(query) != 0,
      .scope = (uint8_t)apikeys_query_scope(query),
  };
}

/* ------------------------------------------------------------------------------- cache -------- */

static bool same_shape(const struct ak_sqlite_shape *a, const struct ak_sqlite_shape *b) {
  return a->operation == b->operation && a->index == b->index && a->equal_count == b->equal_count &&
         a->lower == b->lower && a->upper == b->upper && a->descending == b->descending &&
         a->scope == b->scope && a->kind == b->kind;
}

static int prepare(struct ak_sqlite_connection *connection, struct ak_sqlite_statement *statement) {
  struct ak_sql sql;
  ak_sqlite_shape_text(&sql, &statement->shape);
  if (sql.full)
    return APIKEYS_ERROR_STORAGE;
  int rc = sqlite3_prepare_v3(connection->db, sql.text, (int)sql.used + 1,
                              SQLITE_PREPARE_PERSISTENT, &statement->prepared, NULL);
  return ak_sqlite_code(connection->db, rc);
}

/* A store asks a few dozen different questions, about ten of a kind: a list is short enough. */
int ak_sqlite_prepare(struct ak_sqlite_connection *connection, const struct ak_sqlite_shape *shape,
                      sqlite3_stmt **prepared) {
  struct ak_sqlite_statement **first = &connection->statements[shape->kind];
  struct ak_sqlite_statement *statement = *first;
  while (statement != NULL && !same_shape(&statement->shape, shape))
    statement = statement->next;
  if (statement == NULL) {
    if ((statement = calloc(1, sizeof *statement)) == NULL)
      return APIKEYS_ERROR_NO_MEMORY;
    statement->shape = *shape;
    int rc = prepare(connection, statement);
    if (rc != APIKEYS_OK) {
      free(statement);
      return rc;
    }
    statement->next = *first;
    *first = statement;
  }
  *prepared = statement->prepared;
  return APIKEYS_OK;
}

/* Values are bound without a copy: forget them before their owners do. */
void ak_sqlite_reset(sqlite3_stmt *prepared) {
  sqlite3_reset(prepared);
  sqlite3_clear_bindings(prepared);
}
