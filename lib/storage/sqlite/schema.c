/* SPDX-License-Identifier: MIT */
/* Makes, migrates and checks the tables. */
#include "storage/sqlite/private.h"

#include "base/error.h"

#include <string.h>

/* ---------------------------------------------------------------------------- definitions ----- */

static const char *type_name(int type) {
  return type == APIKEYS_TYPE_INTEGER ? "INTEGER" : type == APIKEYS_TYPE_TEXT ? "TEXT" : "BLOB";
}

static const char *empty_value(int type) {
  return type == APIKEYS_TYPE_INTEGER ? "0" : type == APIKEYS_TYPE_TEXT ? "''" : "x''";
}

/*
 * A field that came after its table has a default, in new databases as in upgraded ones: rows of
 * before need a value, and a process with the older schema may still be adding some.
 */
static void add_column(struct ak_sql *sql, const struct ak_kind_schema *kind, int number) {
  const struct ak_field *field = &kind->fields[number];
  ak_sql_add(sql, "%s %s", field->name, type_name(field->type));
  if (number == AK_NUMBER)
    ak_sql_add(sql, " PRIMARY KEY AUTOINCREMENT");
  else if (!field->nullable)
    ak_sql_add(sql, " NOT NULL");
  if (!field->nullable && field->since > kind->since)
    ak_sql_add(sql, " DEFAULT %s", empty_value(field->type));
}

static void table_text(struct ak_sql *sql, const struct ak_kind_schema *kind) {
  ak_sql_add(sql, "CREATE TABLE %s (", kind->name);
  for (int i = 0; i < kind->field_count; i++) {
    ak_sql_add(sql, "%s\n  ", i > 0 ? "," : "");
    add_column(sql, kind, i);
  }
  ak_sql_add(sql, "\n) STRICT");
}

static void column_text(struct ak_sql *sql, const struct ak_kind_schema *kind, int field) {
  ak_sql_add(sql, "ALTER TABLE %s ADD COLUMN ", kind->name);
  add_column(sql, kind, field);
}

static void index_text(struct ak_sql *sql, const struct ak_kind_schema *kind,
                       const struct ak_index *index) {
  ak_sql_add(sql, "CREATE %sINDEX ", index->unique ? "UNIQUE " : "");
  ak_sql_add_index_name(sql, kind, index);
  ak_sql_add(sql, " ON %s (", kind->name);
  for (int i = 0; i < index->field_count; i++)
    ak_sql_add(sql, "%s%s", i > 0 ? ", " : "", kind->fields[index->fields[i]].name);
  ak_sql_add(sql, ")");
  if (index->sparse)
    ak_sql_add(sql, " WHERE %s IS NOT NULL", kind->fields[index->fields[0]].name);
}

/* ------------------------------------------------------------------------------ upgrades ------ */

static int sqlite_schema_run(struct ak_sqlite_connection *connection, const char *text) {
  return sqlite3_exec(connection->db, text, NULL, NULL, NULL);
}

static int run_built(struct ak_sqlite_connection *connection, struct ak_sql *sql) {
  int rc = sql->full ? SQLITE_TOOBIG : sqlite_schema_run(connection, sql->text);
  *sql = (struct ak_sql){0};
  return rc;
}

/* What the versions after `from` brought to one kind; all of it where `from` is 0. */
static int upgrade_kind(struct ak_sqlite_connection *connection, const struct ak_kind_schema *kind,
                        int from) {
  struct ak_sql sql = {0};
  int rc = SQLITE_OK;
  if (kind->since > from) {
    table_text(&sql, kind);
    rc = run_built(connection, &sql);
  }
  for (int i = 0; i < kind->field_count && kind->since <= from && rc == SQLITE_OK; i++) {
    if (kind->fields[i].since > from) {
      column_text(&sql, kind, i);
      rc = run_built(connection, &sql);
    }
  }
  for (int i = 0; i < kind->index_count && rc == SQLITE_OK; i++) {
    const struct ak_index *index = &kind->indexes[i];
    if (index->field_count > 0 && (kind->since > from || index->since > from)) {
      index_text(&sql, kind, index);
      rc = run_built(connection, &sql);
    }
  }
  return rc;
}

static int upgrade(struct ak_sqlite_connection *connection, int from) {
  int rc = SQLITE_OK;
  for (int kind = 1; kind < AK_KIND_END && rc == SQLITE_OK; kind++)
    rc = upgrade_kind(connection, ak_schema_kind(kind), from);
  if (rc == SQLITE_OK && from < 5)
    rc = ak_sqlite_changes_create(connection);
  struct ak_sql sql = {0};
  ak_sql_add(&sql, "PRAGMA application_id=%d; PRAGMA user_version=%d", AK_SQLITE_APPLICATION_ID,
             AK_SCHEMA_VERSION);
  return rc == SQLITE_OK ? run_built(connection, &sql) : rc;
}

/* ------------------------------------------------------------------------- what is there ------ */

struct found {
  int64_t application_id;
  int64_t version;
  int64_t objects; /* tables, indexes, … */
};

static int sqlite_schema_read_number(sqlite3 *db, const char *text, int64_t *number) {
  sqlite3_stmt *statement = NULL;
  int rc = sqlite3_prepare_v2(db, text, -1, &statement, NULL);
  if (rc == SQLITE_OK)
    rc = sqlite3_step(statement);
  if (rc == SQLITE_ROW)
    *number = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return rc == SQLITE_ROW ? SQLITE_OK : rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
}

static int sqlite_schema_look(struct ak_sqlite_connection *connection, struct found *found) {
  int rc =
      sqlite_schema_read_number(connection->db, "PRAGMA application_id", &found->application_id);
  if (rc == SQLITE_OK)
    rc = ak_sqlite_version(connection, &found->version);
  if (rc == SQLITE_OK)
    rc = sqlite_schema_read_number(connection->db, "SELECT count(*) FROM sqlite_schema",
                                   &found->objects);
  return rc;
}

static int sqlite_schema_judge(const struct found *found, apikeys_error *err) {
  bool vacant = found->application_id == 0 && found->objects == 0;
  if (found->application_id != AK_SQLITE_APPLICATION_ID && !vacant)
    return ak_error_set(err, APIKEYS_ERROR_FOREIGN_STORE, "",
                        "the file is a database of another program (id 0x%08x)",
                        (unsigned)found->application_id);
  if (found->version > AK_SCHEMA_VERSION)
    return ak_error_set(err, APIKEYS_ERROR_SCHEMA_NEWER, "",
                        "the database has schema version %lld, this library knows %d",
                        (long long)found->version, AK_SCHEMA_VERSION);
  if (!vacant && found->version < 1)
    return ak_error_set(err, APIKEYS_ERROR_CORRUPT, "", "the database has schema version %lld",
                        (long long)found->version);
  return APIKEYS_OK;
}

/* Inside a write transaction: whoever else makes or upgrades the same file has done so or waits. */
static int upgrade_if_needed(struct ak_sqlite_connection *connection, apikeys_error *err) {
  struct found found = {0};
  int rc = sqlite_schema_look(connection, &found);
  if (rc != SQLITE_OK)
    return ak_sqlite_report(err, connection->db, rc, "cannot read the database");
  int code = sqlite_schema_judge(&found, err);
  if (code != APIKEYS_OK || found.version == AK_SCHEMA_VERSION)
    return code;
  rc = upgrade(connection, found.objects == 0 ? 0 : (int)found.version);
  return rc == SQLITE_OK ? APIKEYS_OK
                         : ak_sqlite_report(err, connection->db, rc, "cannot make the tables");
}

static int bring_up_to_date(struct ak_sqlite_connection *connection, apikeys_error *err) {
  int rc = ak_sqlite_control(connection, AK_SQLITE_BEGIN_WRITE);
  if (rc != SQLITE_OK)
    return ak_sqlite_report(err, connection->db, rc, "cannot write to the database");
  int code = upgrade_if_needed(connection, err);
  if (code == APIKEYS_OK && (rc = ak_sqlite_control(connection, AK_SQLITE_COMMIT)) != SQLITE_OK)
    code = ak_sqlite_report(err, connection->db, rc, "cannot make the tables");
  ak_sqlite_settle(connection);
  return code;
}

/* -------------------------------------------------------------------------------- check ------- */

/* SQLITE_OK, SQLITE_ERROR if the column is not there or another one, or what failed. */
static int check_column(sqlite3 *db, const struct ak_kind_schema *kind, int number) {
  const struct ak_field *field = &kind->fields[number];
  const char *type = NULL;
  int not_null = 0;
  int primary = 0;
  int automatic = 0;
  int rc = sqlite3_table_column_metadata(db, "main", kind->name, field->name, &type, NULL,
                                         &not_null, &primary, &automatic);
  if (rc != SQLITE_OK)
    return rc;
  bool good = type != NULL && strcmp(type, type_name(field->type)) == 0 &&
              (number == AK_NUMBER ? primary && automatic : field->nullable == !not_null);
  return good ? SQLITE_OK : SQLITE_ERROR;
}

/* The same for an index. */
static int check_index(sqlite3 *db, const struct ak_kind_schema *kind, const char *name) {
  sqlite3_stmt *statement = NULL;
  int rc = sqlite3_prepare_v2(db,
                              "SELECT 1 FROM sqlite_schema"
                              " WHERE type = 'index' AND name = ?1 AND tbl_name = ?2",
                              -1, &statement, NULL);
  if (rc == SQLITE_OK)
    rc = sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
  if (rc == SQLITE_OK)
    rc = sqlite3_bind_text(statement, 2, kind->name, -1, SQLITE_STATIC);
  if (rc == SQLITE_OK)
    rc = sqlite3_step(statement);
  sqlite3_finalize(statement);
  return rc == SQLITE_ROW ? SQLITE_OK : rc == SQLITE_DONE ? SQLITE_ERROR : rc;
}

static int report_missing(apikeys_error *err, sqlite3 *db, int rc, const char *table,
                          const char *what, const char *name) {
  if (rc != SQLITE_ERROR)
    return ak_sqlite_report(err, db, rc, "cannot read the database");
  return ak_error_set(err, APIKEYS_ERROR_CORRUPT, "",
                      "the table %s lacks the %s %s as it should be", table, what, name);
}

/* Somebody may have been at the file with a tool: better to hear of it now than row by row. */
static int sqlite_schema_check_kind(sqlite3 *db, const struct ak_kind_schema *kind,
                                    apikeys_error *err) {
  for (int i = 0; i < kind->field_count; i++) {
    int rc = check_column(db, kind, i);
    if (rc != SQLITE_OK)
      return report_missing(err, db, rc, kind->name, "column", kind->fields[i].name);
  }
  for (int i = 0; i < kind->index_count; i++) {
    struct ak_sql name = {0};
    if (kind->indexes[i].field_count == 0)
      continue;
    ak_sql_add_index_name(&name, kind, &kind->indexes[i]);
    int rc = check_index(db, kind, name.text);
    if (rc != SQLITE_OK)
      return report_missing(err, db, rc, kind->name, "index", name.text);
  }
  return APIKEYS_OK;
}

int ak_sqlite_schema_open(struct ak_sqlite_connection *connection, apikeys_error *err) {
  struct found found = {0};
  /* One state for all that is read: another process may be making the tables. */
  int rc = ak_sqlite_control(connection, AK_SQLITE_BEGIN_READ);
  if (rc == SQLITE_OK)
    rc = sqlite_schema_look(connection, &found);
  int code = rc == SQLITE_OK
                 ? sqlite_schema_judge(&found, err)
                 : ak_sqlite_report(err, connection->db, rc, "cannot read the database");
  ak_sqlite_settle(connection);
  if (code == APIKEYS_OK && (found.objects == 0 || found.version < AK_SCHEMA_VERSION))
    code = bring_up_to_date(connection, err);
  for (int kind = 1; kind < AK_KIND_END && code == APIKEYS_OK; kind++)
    code = sqlite_schema_check_kind(connection->db, ak_schema_kind(kind), err);
  return code;
}
