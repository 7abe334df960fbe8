/* SPDX-License-Identifier: MIT */
/*
 * Structured logs on standard error: one JSON object a line, with "time", "level" and "message".
 * Nothing that is logged may hold a key's value, a token, a body, or a query.
 */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include "http/exchange.h"

struct log;

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* NULL: out of memory, or no such level. */
struct log *log_new(const char *level);
void log_free(struct log *log);

void log_line(struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Logs an answered request: method, path, status, duration, address, request id. */
void log_access(struct log *log, const struct exchange *x, int64_t took_us);

/* Logs a change of the service's own objects, which leave no event: "webhook_endpoint.created", the
 * object's id, the management key. */
void log_change(struct log *log, const struct exchange *x, const char *change, const char *id);

/* Logs a refused authentication: outcome, address, path. At most 10 a second, then how many were
 * left out. */
void log_security(struct log *log, const struct exchange *x, const char *outcome);

/* Logs the cause of a 503: the result's name (static) and the library's message. At most one line a
 * second for each result. */
void log_failure(struct log *log, const struct exchange *x, const char *result, const char *cause);

#endif
