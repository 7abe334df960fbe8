/* SPDX-License-Identifier: MIT */
/*
 * Reading JSON bodies. A form collects what is wrong with its fields, so that a client learns it
 * all at once:
 *
 *   struct form form;
 *   if (!form_open(&form, x))
 *     return;
 *   const char *name = form_text(&form, "name", FORM_REQUIRED, &length);
 *   …
 *   if (form_good(&form))
 *     … use them …
 *   form_close(&form);
 *
 * form_good() answers the exchange if something was wrong. Text is lent by the form.
 */
#ifndef SERVER_HTTP_BODY_H
#define SERVER_HTTP_BODY_H

#include "http/exchange.h"

#include <jansson.h>

struct form {
  struct exchange *x;
  json_t *object;
  json_t *errors; /* of {"code", "field"}, some with a "message" */
};

enum presence { FORM_OPTIONAL, FORM_REQUIRED };

/* False: the body is no JSON object (400), or has a field that the route does not know (see
 * http/name_check.h); answered. No body at all is an empty object. */
bool form_open(struct form *form, struct exchange *x);
/* The same for a form whose texts may hold U+0000 and are used by their length alone. */
bool form_open_with_nul(struct form *form, struct exchange *x);
void form_close(struct form *form);

/* Report a field: "required", "invalid", … */
void form_refuse(struct form *form, const char *code, const char *field);
/* The same with what the field must be, for people. */
void form_explain(struct form *form, const char *code, const char *field, const char *message);
/* True if nothing was reported; else the exchange is answered with 422. */
bool form_good(struct form *form);

/* Was the field in the body at all, be it null? */
bool form_has(const struct form *form, const char *field);
/* NULL: absent, null, or of another type, which is reported. */
const char *form_text(struct form *form, const char *field, enum presence presence, size_t *length);
/* An array of text; NULL if absent or null, or reported: elements are asked for with json_…(). */
json_t *form_texts(struct form *form, const char *field);
/* A time as RFC 3339 text. 0: absent or null, or reported with the form that is wanted. */
int64_t form_time_ms(struct form *form, const char *field);

#endif
