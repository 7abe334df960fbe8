/* SPDX-License-Identifier: MIT */
/* The types of events that clients can ask for: in lists, and for webhook endpoints. */
#ifndef SERVER_REST_EVENT_TYPES_H
#define SERVER_REST_EVENT_TYPES_H

#include <stdbool.h>
#include <stddef.h>

/* Those of the contract come first; behind them is what is the operator's, not the public's. */
extern const char *const event_types[];
enum { EVENT_TYPES_PUBLIC = 18, EVENT_TYPES_ALL = 25 };

/* One of the first `known` of them? */
bool event_type_is_known(const char *type, size_t length, size_t known);

/* One that official clients may ask for and that never happens here: it matches nothing. */
bool event_type_is_foreign(const char *type, size_t length);

#endif
