/* SPDX-License-Identifier: MIT */
/* The types of events that clients can name, in lists and for webhook endpoints. */
#ifndef SERVER_REST_EVENT_TYPES_H
#define SERVER_REST_EVENT_TYPES_H

#include <stdbool.h>
#include <stddef.h>

/* The contract's types come first, the operator's behind them. */
extern const char *const event_types[];
enum { EVENT_TYPES_PUBLIC = 18, EVENT_TYPES_ALL = 26 };

/* True if it is one of the first `known` types. */
bool event_type_is_known(const char *type, size_t length, size_t known);

/* True for a type of the contract that never happens here: it matches nothing. */
bool event_type_is_foreign(const char *type, size_t length);

#endif
