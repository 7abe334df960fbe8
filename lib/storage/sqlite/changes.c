/* SPDX-License-Identifier: MIT */
/*
 * The log of changes, and the counter of its entries. Triggers append an entry for each change that
 * could alter a validation, whoever makes it: this library, another process, somebody with a shell.
 *
 * `head` has one row: the number of the last entry, and a random mark that tells two histories with
 * the same number apart. Triggers of its own keep the number from going back, and keep entries from
 * being altered, removed or added by hand.
 *
 * All of this can be relied on while the triggers are what they were made as, with no others beside
 * them. That is checked whenever the schema's own number has moved, and this number is a part of
 * the generation: asked for the changes since before it moved, the log answers that they are not
 * known.
 */
#include "storage/sqlite/private.h"

#include "storage/invalidation_rules.h"

/* -- The texts --------------------------------------------------------------------------------- */

#define KEPT "10000" /* entries */

enum trigger { BEFORE_INSERT, BEFORE_UPDATE, AFTER_INSERT, AFTER_UPDATE, AFTER_DELETE, TRIGGERS };

static const char *const names[TRIGGERS][2] = {{"BEFORE", "INSERT"},
                                               {"BEFORE", "UPDATE"},
                                               {"AFTER", "INSERT"},
                                               {"AFTER", "UPDATE"},
                                               {"AFTER", "DELETE"}};

/* What the log itself consists of, in the order in which it is made. */
static const char *const log_objects[] = {
    "CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL,"
    " mark INTEGER NOT NULL) STRICT",
    "CREATE TABLE changes (generation INTEGER PRIMARY KEY, mark INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, identity TEXT NOT NULL) STRICT",
    /* An entry is added through this view, which gives it its number and drops the oldest one. */
    "CREATE VIEW new_changes AS SELECT kind, identity FROM changes",
    "CREATE TRIGGER new_changes_numbered INSTEAD OF INSERT ON new_changes BEGIN"
    " UPDATE head SET generation = generation + 1, mark = random();"
    " INSERT INTO changes SELECT generation, mark, NEW.kind, NEW.identity FROM head;"
    " DELETE FROM changes WHERE generation <= (SELECT generation FROM head) - " KEPT "; END",
    "CREATE TRIGGER head_rises BEFORE UPDATE ON head"
    " WHEN NEW.one IS NOT 1 OR NEW.generation IS NOT OLD.generation + 1"
    " BEGIN SELECT RAISE(ABORT, 'head: the generation rises by one'); END",
    "CREATE TRIGGER head_stays BEFORE DELETE ON head"
    " BEGIN SELECT RAISE(ABORT, 'head: the row stays'); END",
    "CREATE TRIGGER head_is_one BEFORE INSERT ON head WHEN EXISTS (SELECT 1 FROM head)"
    " BEGIN SELECT RAISE(ABORT, 'head: there is one row'); END",
    "CREATE TRIGGER changes_follow_head BEFORE INSERT ON changes"
    " WHEN NEW.generation IS NOT (SELECT generation FROM head)"
    " OR EXISTS (SELECT 1 FROM changes WHERE generation = NEW.generation)"
    " BEGIN SELECT RAISE(ABORT, 'changes: add to new_changes'); END",
    "CREATE TRIGGER changes_stay_as_they_are BEFORE UPDATE ON changes"
    " BEGIN SELECT RAISE(ABORT, 'changes: entries stay as they are'); END",
    "CREATE TRIGGER changes_stay BEFORE DELETE ON changes"
    " WHEN OLD.generation > (SELECT generation FROM head) - " KEPT
    " BEGIN SELECT RAISE(ABORT, 'changes: recent entries stay'); END",
};

enum {
  LOG_OBJECTS = sizeof log_objects / sizeof log_objects[0],
  LOG_TRIGGERS = LOG_OBJECTS - 3, /* two tables and a view are none */
  OBJECTS = LOG_OBJECTS + AK_INVALIDATION_RULES * TRIGGERS
};

static const char *column(const struct ak_invalidation_rule *source, int field) {
  return ak_schema_kind(source->kind)->fields[field].name;
}

static void add_identity(struct ak_sql *sql, const struct ak_invalidation_rule *source,
                         const char *row) {
  if (source->identity >= 0)
    ak_sql_add(sql, "%s%s", row, column(source, source->identity));
  else
    ak_sql_add(sql, "''");
}

static void add_note(struct ak_sql *sql, const struct ak_invalidation_rule *source,
                     const char *row) {
  ak_sql_add(sql, " INSERT INTO new_changes (kind, identity) VALUES (%d, ", source->kind);
  add_identity(sql, source, row);
  ak_sql_add(sql, ");");
}

/* The row is the record of another that is in the place of NEW: a record that OR REPLACE would
 * remove without a trigger of its own. Where it is a plain insert that fails, so does this. */
static void add_collisions(struct ak_sql *sql, const struct ak_invalidation_rule *source,
                           const char *others) {
  const struct ak_kind_schema *kind = ak_schema_kind(source->kind);
  ak_sql_add(sql, " INSERT INTO new_changes (kind, identity) SELECT %d, ", source->kind);
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

static void add_relevant(struct ak_sql *sql, const struct ak_invalidation_rule *source,
                         const char *row) {
  for (int i = 0; i < source->relevant_count; i++)
    ak_sql_add(sql, "%s%s%s", i == 0 ? "(" : ", ", row, column(source, source->relevant[i]));
  ak_sql_add(sql, ")");
}

static void sqlite_changes_add_condition(struct ak_sql *sql,
                                         const struct ak_invalidation_rule *source) {
  ak_sql_add(sql, " WHEN ");
  add_relevant(sql, source, "OLD.");
  ak_sql_add(sql, " IS NOT ");
  add_relevant(sql, source, "NEW.");
}

/* By its old name, and where that has changed by its new one. */
static void sqlite_changes_add_update(struct ak_sql *sql,
                                      const struct ak_invalidation_rule *source) {
  add_note(sql, source, "OLD.");
  if (source->identity < 0)
    return;
  const char *identity = column(source, source->identity);
  ak_sql_add(sql,
             " INSERT INTO new_changes (kind, identity) SELECT %d, NEW.%s WHERE NEW.%s <> OLD.%s;",
             source->kind, identity, identity, identity);
}

static void trigger_text(struct ak_sql *sql, const struct ak_invalidation_rule *source,
                         enum trigger trigger) {
  const char *table = ak_schema_kind(source->kind)->name;
  const char *when = names[trigger][0], *event = names[trigger][1];
  ak_sql_add(sql, "CREATE TRIGGER changes_%s_%s_%s %s %s ON %s", table, when, event, when, event,
             table);
  if (trigger == AFTER_UPDATE && source->relevant_count > 0)
    sqlite_changes_add_condition(sql, source);
  ak_sql_add(sql, " BEGIN");
  if (trigger == BEFORE_INSERT)
    add_collisions(sql, source, "");
  else if (trigger == BEFORE_UPDATE)
    add_collisions(sql, source, "number <> OLD.number AND ");
  else if (trigger == AFTER_UPDATE)
    sqlite_changes_add_update(sql, source);
  else
    add_note(sql, source, trigger == AFTER_INSERT ? "NEW." : "OLD.");
  ak_sql_add(sql, " END");
}

/* The text that makes one of the objects; false: there is none of that number. */
static bool object_text(struct ak_sql *sql, int number) {
  *sql = (struct ak_sql){0};
  if (number < LOG_OBJECTS) {
    ak_sql_add(sql, "%s", log_objects[number]);
  } else {
    const struct ak_invalidation_rule *source =
        ak_invalidation_rule_at((number - LOG_OBJECTS) / TRIGGERS);
    enum trigger trigger = (enum trigger)((number - LOG_OBJECTS) % TRIGGERS);
    if (trigger == AFTER_INSERT && !source->inserts)
      return false;
    trigger_text(sql, source, trigger);
  }
  return true;
}

/* 0 where there is no older log. */
static int read_last_of_old_log(struct ak_sqlite_connection *connection, int64_t *last) {
  sqlite3_stmt *statement = NULL;
  int rc = sqlite3_prepare_v2(connection->db,
                              "SELECT max(seq) FROM sqlite_sequence WHERE name = 'changes'", -1,
                              &statement, NULL);
  if (rc == SQLITE_OK)
    rc = sqlite3_step(statement);
  if (rc == SQLITE_ROW)
    *last = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* Up to schema version 4 sqlite_sequence held the counter, and triggers wrote to the log
 * directly. */
static int drop_objects(struct ak_sqlite_connection *connection) {
  struct ak_sql sql = {0};
  for (int i = 0; i < AK_INVALIDATION_RULES; i++) {
    const char *table = ak_schema_kind(ak_invalidation_rule_at(i)->kind)->name;
    for (int trigger = 0; trigger < TRIGGERS; trigger++)
      ak_sql_add(&sql, "DROP TRIGGER IF EXISTS changes_%s_%s_%s;", table, names[trigger][0],
                 names[trigger][1]);
  }
  ak_sql_add(&sql, "DROP TABLE IF EXISTS changes;"); /* and its own trigger with it */
  return sql.full ? SQLITE_TOOBIG : sqlite3_exec(connection->db, sql.text, NULL, NULL, NULL);
}

/* A new history starts at a number that no process with the older schema ever saw. */
static int fill_head(struct ak_sqlite_connection *connection, int64_t last) {
  struct ak_sql sql = {0};
  ak_sql_add(&sql, "INSERT INTO head VALUES (1, %lld, random())", (long long)last);
  return sqlite3_exec(connection->db, sql.text, NULL, NULL, NULL);
}

int ak_sqlite_changes_create(struct ak_sqlite_connection *connection) {
  int64_t last = 0;
  int rc = read_last_of_old_log(connection, &last);
  if (rc == SQLITE_OK)
    rc = drop_objects(connection);
  for (int i = 0; i < OBJECTS && rc == SQLITE_OK; i++) {
    struct ak_sql sql;
    if (!object_text(&sql, i))
      continue;
    ak_sql_add(&sql, ";");
    rc = sql.full ? SQLITE_TOOBIG : sqlite3_exec(connection->db, sql.text, NULL, NULL, NULL);
  }
  return rc == SQLITE_OK ? fill_head(connection, last) : rc;
}

/* -- Statements, prepared once ----------------------------------------------------------------- */

static int prepare_once(struct ak_sqlite_connection *connection, enum ak_sqlite_question question,
                        sqlite3_stmt **statement) {
  static const char *const texts[AK_SQLITE_QUESTION_END] = {
      [AK_SQLITE_SCHEMA_NUMBER] = "PRAGMA schema_version",
      [AK_SQLITE_LAST_CHANGE] = "SELECT generation, mark FROM head",
      [AK_SQLITE_MARK_OF_CHANGE] = "SELECT mark FROM changes WHERE generation = ?1",
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

static int sqlite_changes_ask(struct ak_sqlite_connection *connection,
                              enum ak_sqlite_question question, int64_t *answer) {
  sqlite3_stmt *statement = NULL;
  int rc = prepare_once(connection, question, &statement);
  return rc == SQLITE_OK ? step_to_integer(statement, answer) : rc;
}

static int start_after(struct ak_sqlite_connection *connection, enum ak_sqlite_question question,
                       int64_t since, sqlite3_stmt **statement) {
  int rc = prepare_once(connection, question, statement);
  return rc == SQLITE_OK ? sqlite3_bind_int64(*statement, 1, since) : rc;
}

/* -- Whether the triggers are ours ------------------------------------------------------------- */

int ak_sqlite_changes_schema(struct ak_sqlite_connection *connection, int64_t *number) {
  return sqlite_changes_ask(connection, AK_SQLITE_SCHEMA_NUMBER, number);
}

/* On the tables told of, and on the log: one more could keep ours from running. */
static int count_triggers(sqlite3 *db, int64_t *count) {
  struct ak_sql sql = {0};
  sqlite3_stmt *statement = NULL;
  ak_sql_add(&sql, "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'"
                   " AND lower(tbl_name) IN ('head', 'changes', 'new_changes'");
  for (int i = 0; i < AK_INVALIDATION_RULES; i++)
    ak_sql_add(&sql, ", '%s'", ak_schema_kind(ak_invalidation_rule_at(i)->kind)->name);
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
  *ours = *ours && rc == SQLITE_OK && triggers == expected - (LOG_OBJECTS - LOG_TRIGGERS);
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

int ak_sqlite_changes_head(struct ak_sqlite_connection *connection, struct ak_sqlite_head *head) {
  sqlite3_stmt *row = NULL;
  int rc = prepare_once(connection, AK_SQLITE_LAST_CHANGE, &row);
  if (rc != SQLITE_OK)
    return rc;
  rc = sqlite3_step(row);
  if (rc == SQLITE_ROW)
    *head = (struct ak_sqlite_head){sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1)};
  sqlite3_reset(row);
  if (rc != SQLITE_ROW)
    return rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
  return head->last < 0 || head->last > last_max ? SQLITE_CORRUPT : SQLITE_OK;
}

uint64_t ak_sqlite_changes_generation(int64_t schema, const struct ak_sqlite_head *head) {
  return schema_part(schema) << LAST_BITS | (uint64_t)head->last;
}

/*
 * The store went back if its last entry is numbered below one that was seen, or if an entry with a
 * number that was seen has another mark. An entry that was pruned says nothing.
 */
int ak_sqlite_changes_compare(struct ak_sqlite_connection *connection,
                              const struct ak_sqlite_head *seen, const struct ak_sqlite_head *now,
                              bool *went_back) {
  sqlite3_stmt *statement = NULL;
  int64_t mark = 0;
  *went_back = now->last < seen->last || (now->last == seen->last && now->mark != seen->mark);
  if (now->last <= seen->last)
    return SQLITE_OK;
  int rc = start_after(connection, AK_SQLITE_MARK_OF_CHANGE, seen->last, &statement);
  if (rc != SQLITE_OK)
    return rc;
  rc = step_to_integer(statement, &mark);
  *went_back = rc == SQLITE_OK && mark != seen->mark;
  return rc == SQLITE_CORRUPT ? SQLITE_OK : rc; /* no row */
}

/* -- What changed ------------------------------------------------------------------------------ */

/* Numbers have no holes: as many rows as numbers, or some are missing. */
static int is_complete(struct ak_sqlite_connection *connection, uint64_t generation, int64_t since,
                       bool *complete) {
  sqlite3_stmt *statement = NULL;
  struct ak_sqlite_head head = {0};
  int64_t schema = 0, count = 0;
  *complete = false;
  int rc = sqlite_changes_ask(connection, AK_SQLITE_SCHEMA_NUMBER, &schema);
  if (rc != SQLITE_OK || schema_part(schema) != generation >> LAST_BITS)
    return rc;
  rc = ak_sqlite_changes_head(connection, &head);
  if (rc == SQLITE_OK)
    rc = start_after(connection, AK_SQLITE_COUNT_CHANGES, since, &statement);
  if (rc == SQLITE_OK)
    rc = step_to_integer(statement, &count);
  *complete = rc == SQLITE_OK && since <= head.last && count == head.last - since;
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
