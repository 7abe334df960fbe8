/* SPDX-License-Identifier: MIT */
/* The frames of calls that give one object or a page: everything but the noun's own work. */
#ifndef AK_OPERATION_CRUD_H
#define AK_OPERATION_CRUD_H

#include "operation/list.h"
#include "operation/operation.h"

/*
 * What a noun does inside the transaction: from what the caller gave, and the call's arguments, to
 * the record as it is stored now.
 */
typedef int (*ak_object_body)(struct ak_op *op, const struct ak_object *given,
                              const void *arguments, apikeys_record *stored);

/* Runs the body; on success, and only then, the object becomes the stored record. */
int ak_object_op(apikeys_env *env, const apikeys_actor *actor, int mode, struct ak_object *object,
                 ak_object_body body, const void *arguments, apikeys_error *err);

/* The same where nothing is given or wanted. */
typedef int (*ak_body)(struct ak_op *op, const void *arguments);
int ak_plain_op(apikeys_env *env, const apikeys_actor *actor, int mode, ak_body body,
                const void *arguments, apikeys_error *err);

/* Runs the body; on success, and only then, the page is what it filled. */
typedef int (*ak_list_body)(struct ak_op *op, const apikeys_filter *filter, apikeys_page *page);
int ak_list_op(apikeys_env *env, const apikeys_actor *actor, const apikeys_filter *filter,
               apikeys_page *page, int kind, ak_list_body body, apikeys_error *err);

/*
 * Write what was set in `given` over the stored record, with its time and an event that tells the
 * previous attributes; nothing at all if nothing differs.
 */
int ak_object_change(struct ak_op *op, const struct ak_object *given, apikeys_record *stored,
                     int updated_field, const char *event_type, const char *organization_id);

/* Text that a caller gave as an argument: names what is looked for. */
struct ak_text {
  const char *text;
  size_t length;
};
/* 0, or APIKEYS_ERROR_INVALID_ARGUMENT where the text is NULL, empty or too long
 * to be anything's. */
int ak_check_lookup(struct ak_op *op, const struct ak_text *text, const char *name);

/* Gives a new record its id and its times (the fields are the kind's). */
int ak_stamp_new(struct ak_op *op, apikeys_record *record, const char *id_kind, int created_field,
                 int updated_field);

#endif
