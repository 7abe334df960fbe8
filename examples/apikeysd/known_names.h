/* SPDX-License-Identifier: MIT */
/*
 * The query parameters and body fields that each JSON route knows, ours and the contract's. This is
 * the only list of them: http/name_check.c checks requests against it, and a test checks it against
 * the OpenAPI document.
 */
#ifndef SERVER_KNOWN_NAMES_H
#define SERVER_KNOWN_NAMES_H

#include "http/exchange.h"

struct known_names {
  enum method method;
  const char *pattern; /* the route's */
  bool contract;       /* newer clients may send more: only near misses are refused */
  int status;          /* of a refusal: 422, or 400 where the contract has that */
  /* Names with blanks between them; "a.b" is the field b of an object, or of each object of an
   * array, under the field a. NULL: none. */
  const char *query;
  const char *body;
  const char *unused; /* the contract's, in either place, that this service does nothing with */
};

/* NULL: the route is a page, an asset or a probe, which ignores what it does not know. */
const struct known_names *known_names_of(enum method method, const char *pattern);

/* All rows, ended by a zeroed one. */
extern const struct known_names known_names[];

#endif
