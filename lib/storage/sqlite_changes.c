/* SPDX-License-Identifier: MIT */
/*
 * The table of changes. Triggers append a row for each change that could alter a validation,
 * whoever makes it: this library, another process, somebody with a shell.
 *
 * The table can be relied on while those triggers are what they were made as, and nobody else's are
 * beside them. That is looked at whenever the schema's own number has moved, and this number is a
 * part of the generation: who asks what changed since before it moved is told that it is not known.
 */
#include "sqlite_private.h"

#include "change_source.h"

/* -- The texts --------------------------------------------------------------------------------- */

enum trigger { BEFORE_INSERT, BEFORE_UPDATE, AFTER_INSERT, AFTER_UPDATE, AFTER_DELETE, TRIGGERS };

/* The table, its pruning, and the triggers of each source. */
enum { OBJECTS = 2 + AK_CHANGE_SOURCES * TRIGGERS, CHANGES_KEPT = 10000 };

static const char *column(const struct ak_change_source *source, int field) {
  return ak_schema_kind(source->kind)->fields[field].name;
}

static void add_identity(struct ak_sql *sql, const struct ak_change_source *source,
                         const char *row) {
  if (source->identity >= 0)
    ak_sql_add(sql, "%s%s", row, column(source, source->identity));
  else
    ak_sql_add(sql, "''");
}

static void add_note(struct ak_sql *sql, const struct ak_change_source *source, const char *row) {
  ak_sql_add(sql, " INSERT INTO changes (kind, identity) VALUES (%d, ", source->kind);
  add_identity(sql, source, row);
  ak_sql_add(sql, ");");
}

/* The row is the record of another that is in the place of NEW: a record that OR REPLACE would
 * remove without a trigger of its own. Where it is a plain insert that fails, so does this. */
static void add_collisions(struct ak_sql *sql, const struct ak_change_source *source,
                           const char *others) {
  const struct ak_kind_schema *kind = ak_schema_kind(source->kind);
  ak_sql_add(sql, " INSERT INTO changes (kind, identity) SELECT %d, ", source->kind);
  add_identity(sql, source, "");
  ak_sql_add(sql, " FROM %s WHERE %s(number = NEW.number", kind->name, others);
  for (int i = 0; i < kind->index_count; i++) {
    const struct ak_index *index = &kind->indexes[i];
    if (!index->unique)
      continue;
    for (int j = 0; j < index->field_count; j++)
      ak_sql_add(sql, "%s%s = NEW.%s", j == 0 ? " OR (" : " AND ", column(source, index->fields[j]),
                 column(source, index->fields[j]));
    ak_sql_add(sql, ")");
  }
  ak_sql_add(sql, ");");
}

static void add_relevant(struct ak_sql *sql, const struct ak_change_source *source,
                         const char *row) {
  for (int i = 0; i < source->relevant_count; i++)
    ak_sql_add(sql, "%s%s%s", i == 0 ? "(" : ", ", row, column(source, source->relevant[i]));
  ak_sql_add(sql, ")");
}

static void add_condition(struct ak_sql *sql, const struct ak_change_source *source) {
  ak_sql_add(sql, " WHEN ");
  add_relevant(sql, source, "OLD.");
  ak_sql_add(sql, " IS NOT ");
  add_relevant(sql, source, "NEW.");
}

/* By its old name, and where that has changed by its new one. */
static void add_update(struct ak_sql *sql, const struct ak_change_source *source) {
  add_note(sql, source, "OLD.");
  if (source->identity < 0)
    return;
  const char *identity = column(source, source->identity);
  ak_sql_add(sql, " INSERT INTO changes (kind, identity) SELECT %d, NEW.%s WHERE NEW.%s <> OLD.%s;",
             source->kind, identity, identity, identity);
}

static void trigger_text(struct ak_sql *sql, const struct ak_change_source *source,
                         enum trigger trigger) {
  static const char *const names[TRIGGERS][2] = {{"BEFORE", "INSERT"},
                                                 {"BEFORE", "UPDATE"},
                                                 {"AFTER", "INSERT"},
                                                 {"AFTER", "UPDATE"},
                                                 {"AFTER", "DELETE"}};
  const char *table = ak_schema_kind(source->kind)->name;
  const char *when = names[trigger][0], *event = names[trigger][1];
  ak_sql_add(sql, "CREATE TRIGGER changes_%s_%s_%s %s %s ON %s", table, when, event, when, event,
             table);
  if (trigger == AFTER_UPDATE && source->relevant_count > 0)
    add_condition(sql, source);
  ak_sql_add(sql, " BEGIN");
  if (trigger == BEFORE_INSERT)
    add_collisions(sql, source, "");
  else if (trigger == BEFORE_UPDATE)
    add_collisions(sql, source, "number <> OLD.number AND ");
  else if (trigger == AFTER_UPDATE)
    add_update(sql, source);
  else
    add_note(sql, source, trigger == AFTER_INSERT ? "NEW." : "OLD.");
  ak_sql_add(sql, " END");
}

/* The text that makes one of the objects; false: there is none of that number. */
static bool object_text(struct ak_sql *sql, int number) {
  *sql = (struct ak_sql){0};
  if (number == 0) {
    ak_sql_add(sql, "CREATE TABLE changes (generation INTEGER PRIMARY KEY AUTOINCREMENT,"
                    " kind INTEGER NOT NULL, identity TEXT NOT NULL) STRICT");
  } else if (number == 1) {
    ak_sql_add(sql,
               "CREATE TRIGGER changes_pruned AFTER INSERT ON changes"
               " BEGIN DELETE FROM changes WHERE generation <= NEW.generation - %d; END",
               CHANGES_KEPT);
  } else {
    const struct ak_change_source *source = ak_change_source_at((number - 2) / TRIGGERS);
    enum trigger trigger = (enum trigger)((number - 2) % TRIGGERS);
    if (trigger == AFTER_INSERT && !source->inserts)
      return false;
    trigger_text(sql, source, trigger);
  }
  return true;
}

int ak_sqlite_changes_create(struct ak_sqlite_connection *connection) {
  int rc = SQLITE_OK;
  for (int i = 0; i < OBJECTS && rc == SQLITE_OK; i++) {
    struct ak_sql sql;
    if (!object_text(&sql, i))
      continue;
    ak_sql_add(&sql, ";");
    rc = sql.full ? SQLITE_TOOBIG : sqlite3_exec(connection->db, sql.text, NULL, NULL, NULL);
  }
  return rc;
}

/* -- Statements, prepared once ----------------------------------------------------------------- */

static int prepare_once(struct ak_sqlite_connection *connection, enum ak_sqlite_question question,
                        sqlite3_stmt **statement) {
  static const char *const texts[AK_SQLITE_QUESTION_END] = {
      [AK_SQLITE_SCHEMA_NUMBER] = "PRAGMA schema_version",
      [AK_SQLITE_LAST_CHANGE] =
          "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0)",
      [AK_SQLITE_COUNT_CHANGES] = "SELECT count(*) FROM changes WHERE generation > ?1",
      [AK_SQLITE_CHANGES] = "SELECT kind, identity FROM changes WHERE generation > ?1",
  };
  sqlite3_stmt **prepared = &connection->questions[question];
  int rc = SQLITE_OK;
  if (*prepared == NULL)
    rc = sqlite3_prepare_v3(connection->db, texts[question], -1, SQLITE_PREPARE_PERSISTENT,
                            prepared, NULL);
  *statement = *prepared;
  return rc;
}

static int step_to_integer(sqlite3_stmt *statement, int64_t *out) {
  int rc = sqlite3_step(statement);
  if (rc == SQLITE_ROW)
    *out = sqlite3_column_int64(statement, 0);
  sqlite3_reset(statement);
  return rc == SQLITE_ROW ? SQLITE_OK : rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
}

static int ask(struct ak_sqlite_connection *connection, enum ak_sqlite_question question,
               int64_t *answer) {
  sqlite3_stmt *statement = NULL;
  int rc = prepare_once(connection, question, &statement);
  return rc == SQLITE_OK ? step_to_integer(statement, answer) : rc;
}

/* -- Whether the triggers are ours ------------------------------------------------------------- */

int ak_sqlite_changes_schema(struct ak_sqlite_connection *connection, int64_t *number) {
  return ask(connection, AK_SQLITE_SCHEMA_NUMBER, number);
}

/* On the tables told of, and on the table of changes: one more could keep ours from running. */
static int count_triggers(sqlite3 *db, int64_t *count) {
  struct ak_sql sql = {0};
  sqlite3_stmt *statement = NULL;
  ak_sql_add(&sql, "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'"
                   " AND lower(tbl_name) IN ('changes'");
  for (int i = 0; i < AK_CHANGE_SOURCES; i++)
    ak_sql_add(&sql, ", '%s'", ak_schema_kind(ak_change_source_at(i)->kind)->name);
  ak_sql_add(&sql, ")");
  int rc = sqlite3_prepare_v2(db, sql.text, -1, &statement, NULL);
  if (rc == SQLITE_OK)
    rc = step_to_integer(statement, count);
  sqlite3_finalize(statement);
  return rc;
}

/* SQLite keeps the text that an object was made with, but for what is behind its end. */
static int is_there(sqlite3_stmt *statement, const struct ak_sql *sql, bool *there) {
  int64_t count = 0;
  int rc = sqlite3_bind_text(statement, 1, sql->text, (int)sql->used, SQLITE_STATIC);
  if (rc == SQLITE_OK)
    rc = step_to_integer(statement, &count);
  *there = rc == SQLITE_OK && count == 1;
  return rc;
}

int ak_sqlite_changes_are_ours(struct ak_sqlite_connection *connection, bool *ours) {
  sqlite3_stmt *statement = NULL;
  int64_t triggers = 0;
  int expected = 0;
  int rc = count_triggers(connection->db, &triggers);
  if (rc == SQLITE_OK)
    rc = sqlite3_prepare_v2(connection->db, "SELECT count(*) FROM sqlite_schema WHERE sql = ?1", -1,
                            &statement, NULL);
  *ours = true;
  for (int i = 0; i < OBJECTS && rc == SQLITE_OK && *ours; i++) {
    struct ak_sql sql;
    if (!object_text(&sql, i))
      continue;
    expected++;
    rc = is_there(statement, &sql, ours);
  }
  sqlite3_finalize(statement);
  *ours = *ours && rc == SQLITE_OK && triggers == expected - 1; /* the table is none */
  return rc;
}

/* -- The generation ---------------------------------------------------------------------------- */

/*
 * Of the schema's number the lower bits above, the last change's below: enough for a thousand
 * changes a second in 34 years, and for 16 million changes of the schema between two looks.
 */
enum { LAST_BITS = 40, SCHEMA_BITS = 24 };
static const int64_t last_max = (INT64_C(1) << LAST_BITS) - 2;

static uint64_t schema_part(int64_t schema) {
  return (uint64_t)schema & ((UINT64_C(1) << SCHEMA_BITS) - 1);
}

int ak_sqlite_changes_generation(struct ak_sqlite_connection *connection, int64_t schema,
                                 uint64_t *generation) {
  int64_t last = 0;
  int rc = ask(connection, AK_SQLITE_LAST_CHANGE, &last);
  if (rc == SQLITE_OK && (last < 0 || last > last_max))
    rc = SQLITE_CORRUPT;
  if (rc == SQLITE_OK)
    *generation = schema_part(schema) << LAST_BITS | (uint64_t)last;
  return rc;
}

/* -- What changed ------------------------------------------------------------------------------ */

static int start_after(struct ak_sqlite_connection *connection, enum ak_sqlite_question question,
                       int64_t since, sqlite3_stmt **statement) {
  int rc = prepare_once(connection, question, statement);
  return rc == SQLITE_OK ? sqlite3_bind_int64(*statement, 1, since) : rc;
}

/* Numbers have no holes: as many rows as numbers, or some are missing. */
static int is_complete(struct ak_sqlite_connection *connection, uint64_t generation, int64_t since,
                       bool *complete) {
  sqlite3_stmt *statement = NULL;
  int64_t schema = 0, last = 0, count = 0;
  *complete = false;
  int rc = ask(connection, AK_SQLITE_SCHEMA_NUMBER, &schema);
  if (rc != SQLITE_OK || schema_part(schema) != generation >> LAST_BITS)
    return rc;
  rc = ask(connection, AK_SQLITE_LAST_CHANGE, &last);
  if (rc == SQLITE_OK)
    rc = start_after(connection, AK_SQLITE_COUNT_CHANGES, since, &statement);
  if (rc == SQLITE_OK)
    rc = step_to_integer(statement, &count);
  *complete = rc == SQLITE_OK && since <= last && count == last - since;
  return rc;
}

static int visit_row(sqlite3_stmt *row, apikeys_change_visitor visit, void *visit_data) {
  const char *identity = (const char *)sqlite3_column_text(row, 1);
  if (identity == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  return visit(sqlite3_column_int(row, 0), identity, (size_t)sqlite3_column_bytes(row, 1),
               visit_data);
}

int ak_sqlite_changes(struct ak_sqlite_connection *connection, uint64_t generation,
                      apikeys_change_visitor visit, void *visit_data) {
  sqlite3_stmt *row = NULL;
  bool complete = false;
  int64_t since = (int64_t)(generation & ((UINT64_C(1) << LAST_BITS) - 1));
  int rc = is_complete(connection, generation, since, &complete);
  if (rc == SQLITE_OK && !complete)
    return APIKEYS_ERROR_UNSUPPORTED;
  if (rc == SQLITE_OK)
    rc = start_after(connection, AK_SQLITE_CHANGES, since, &row);
  if (rc != SQLITE_OK)
    return ak_sqlite_code(connection->db, rc);
  int code = APIKEYS_OK;
  while (code == APIKEYS_OK && (rc = sqlite3_step(row)) == SQLITE_ROW)
    code = visit_row(row, visit, visit_data);
  if (code == APIKEYS_OK)
    code = ak_sqlite_code(connection->db, rc);
  sqlite3_reset(row);
  return code;
}
