/* SPDX-License-Identifier: MIT */
/* Structured logs: writes the lines, and limits how many a second. */
#include "log.h"

#include "mask.h"

#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SECURITY_LINES_A_SECOND = 10 };

/* A cause by its result's name, which is static. */
struct cause {
  const char *result;
  time_t second;
};

enum { CAUSES = 32 };

struct log {
  enum log_level level;
  pthread_mutex_t lock; /* guards the next */
  time_t second;        /* of the security lines counted */
  int lines;
  int left_out;
  struct cause causes[CAUSES]; /* of failures, each with the second of its last line */
};

static const char *const level_names[] = {"error", "warning", "info", "debug"};

struct log *log_new(const char *level) {
  struct log *log = NULL;
  for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
    if (strcmp(level, level_names[i]) == 0 && (log = calloc(1, sizeof *log)) != NULL) {
      log->level = (enum log_level)i;
      pthread_mutex_init(&log->lock, NULL);
    }
  }
  return log;
}

void log_free(struct log *log) {
  if (log == NULL)
    return;
  pthread_mutex_destroy(&log->lock);
  free(log);
}

/*
 * Takes `line`. Adds time and level and writes the line with one call, so that threads do not mix.
 */
static void write_line(enum log_level level, json_t *line) {
  struct timespec now;
  struct tm utc;
  char time_text[64];
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &utc);
  size_t used = strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%S", &utc);
  snprintf(time_text + used, sizeof time_text - used, ".%03ldZ", now.tv_nsec / 1000000);
  json_t *whole = json_pack("{s:s,s:s}", "time", time_text, "level", level_names[level]);
  if (whole != NULL && line != NULL)
    json_object_update(whole, line);
  char *text = whole != NULL ? json_dumps(whole, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
  if (text != NULL)
    fprintf(stderr, "%s\n", text);
  free(text);
  json_decref(whole);
  json_decref(line);
}

void log_line(struct log *log, enum log_level level, const char *format, ...) {
  if (level > log->level)
    return;
  va_list arguments;
  va_start(arguments, format);
  json_t *message = json_vsprintf(format, arguments);
  va_end(arguments);
  write_line(level, json_pack("{s:o}", "message", message));
}

static const char *method_name(enum method method) {
  static const char *const names[] = {"?", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  return names[method];
}

void log_access(struct log *log, const struct exchange *x, int64_t took_us) {
  if (log->level < LOG_INFO)
    return;
  write_line(LOG_INFO, json_pack("{s:s,s:s,s:o,s:i,s:I,s:s,s:s}", "message", "request", "method",
                                 method_name(x->method), "path", mask_json(x->path), "status",
                                 x->status, "duration_us", (json_int_t)took_us, "address",
                                 x->address, "request_id", x->request_id));
}

void log_change(struct log *log, const struct exchange *x, const char *change, const char *id) {
  if (log->level < LOG_INFO)
    return;
  write_line(LOG_INFO, json_pack("{s:s,s:s,s:s,s:s,s:s}", "message", change, "id", id, "actor",
                                 apikeys_actor_key_id(x->actor, NULL), "address", x->address,
                                 "request_id", x->request_id));
}

/* True if this second has room for one more line. Also tells how many were left out before. */
static bool may_write(struct log *log, int *left_out) {
  time_t now = time(NULL);
  pthread_mutex_lock(&log->lock);
  if (now != log->second) {
    log->second = now;
    log->lines = 0;
  }
  bool room = log->lines < SECURITY_LINES_A_SECOND;
  *left_out = log->left_out;
  if (room) {
    log->lines++;
    log->left_out = 0;
  } else {
    log->left_out++;
  }
  pthread_mutex_unlock(&log->lock);
  return room;
}

void log_security(struct log *log, const struct exchange *x, const char *outcome) {
  int left_out;
  if (log->level < LOG_WARNING || !may_write(log, &left_out))
    return;
  write_line(LOG_WARNING, json_pack("{s:s,s:s,s:s,s:o,s:s,s:i}", "message", "refused", "outcome",
                                    outcome, "address", x->address, "path", mask_json(x->path),
                                    "request_id", x->request_id, "left_out", left_out));
}

/* Where there are more causes than places, the last place is shared. */
static bool is_first_this_second(struct log *log, const char *result, time_t now) {
  size_t i = 0;
  while (i < CAUSES - 1 && log->causes[i].result != NULL && log->causes[i].result != result)
    i++;
  bool first = log->causes[i].result != result || log->causes[i].second != now;
  log->causes[i] = (struct cause){result, now};
  return first;
}

void log_failure(struct log *log, const struct exchange *x, const char *result, const char *cause) {
  time_t now = time(NULL);
  pthread_mutex_lock(&log->lock);
  bool first = is_first_this_second(log, result, now);
  pthread_mutex_unlock(&log->lock);
  if (first)
    write_line(LOG_ERROR, json_pack("{s:s,s:s,s:o,s:s}", "message", "failed", "outcome", result,
                                    "cause", mask_json(cause), "request_id", x->request_id));
}
