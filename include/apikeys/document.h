/* SPDX-License-Identifier: MIT */
/*
 * apikeys/document.h: documents, the state that a service around the library keeps in the
 * environment's store (webhook endpoints, the progress of deliveries, sessions), so that moving or
 * backing up the store moves everything.
 *
 * A document lies in a collection under an id; you choose both names. Its body is text of any form
 * (usually JSON) and readable in the store. A document may have a secret. The secret is sealed
 * under the root key, bound to the collection and the id, and no JSON and no list contains it.
 *
 * Documents leave no events, belong to no organization, and no validation depends on them.
 * Otherwise delivery records would flood the event log and trigger webhooks about webhooks.
 *
 * Actor for create, update, put and delete: the system, or `apikeys:documents:write`; for get, list
 * and count: the system, or `apikeys:documents:read`, which also gives secrets. Never a member or a
 * widget token.
 */
#ifndef APIKEYS_DOCUMENT_H
#define APIKEYS_DOCUMENT_H

#include <apikeys/environment.h>
#include <apikeys/list.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A document: either one you are about to write or one you have read. Conventions as in
 * <apikeys/permission.h>. Freeing it wipes the secret. Since 1.0. */
APIKEYS_API apikeys_document *apikeys_document_new(void); /* NULL: out of memory */
APIKEYS_API void apikeys_document_free(apikeys_document *document);

/* 1 to 48 of a-z 0-9 - _ : . * */
APIKEYS_API const char *apikeys_document_collection(const apikeys_document *document,
                                                    size_t *length);
APIKEYS_API int apikeys_document_set_collection(apikeys_document *document, const char *collection,
                                                size_t length);
/* 1 to 128 printable ASCII bytes without blanks, unique in the collection. */
APIKEYS_API const char *apikeys_document_id(const apikeys_document *document, size_t *length);
APIKEYS_API int apikeys_document_set_id(apikeys_document *document, const char *id, size_t length);
/* A group that lists can select: up to 128 bytes of text; "" for none. */
APIKEYS_API const char *apikeys_document_group(const apikeys_document *document, size_t *length);
APIKEYS_API int apikeys_document_set_group(apikeys_document *document, const char *group,
                                           size_t length);
/* Up to 65536 bytes of UTF-8 without NUL; line ends and tabs are allowed. "" if not set. */
APIKEYS_API const char *apikeys_document_body(const apikeys_document *document, size_t *length);
APIKEYS_API int apikeys_document_set_body(apikeys_document *document, const char *body,
                                          size_t length);

/*
 * The secret: up to 4096 bytes; length 0 removes it. It is read into your buffer; wipe it after
 * use. APIKEYS_ERROR_NOT_FOUND: the object has no secret (objects of a list never have one).
 * APIKEYS_ERROR_BUFFER_TOO_SMALL sets *length to the size that is needed. `length` may be NULL.
 */
APIKEYS_API int apikeys_document_secret(const apikeys_document *document, void *buffer, size_t size,
                                        size_t *length) APIKEYS_WARN_UNUSED;
APIKEYS_API int apikeys_document_set_secret(apikeys_document *document, const void *secret,
                                            size_t length);

/* When a queue should process the document: apikeys_filter_set_due_until_ms(). 0: never. */
APIKEYS_API int64_t apikeys_document_due_at_ms(const apikeys_document *document);
APIKEYS_API int apikeys_document_set_due_at_ms(apikeys_document *document, int64_t unix_ms);
/* From this time on the document counts as not found; apikeys_maintain() deletes it. 0: never. */
APIKEYS_API int64_t apikeys_document_expires_at_ms(const apikeys_document *document);
APIKEYS_API int apikeys_document_set_expires_at_ms(apikeys_document *document, int64_t unix_ms);

/*
 * 1 for a new document, plus one with each write; 0 in an object that was neither read nor written.
 * Set it to name the version that an update expects, without reading first.
 */
APIKEYS_API int64_t apikeys_document_version(const apikeys_document *document);
APIKEYS_API int apikeys_document_set_version(apikeys_document *document, int64_t version);

APIKEYS_API int64_t apikeys_document_created_at_ms(const apikeys_document *document);
APIKEYS_API int64_t apikeys_document_updated_at_ms(const apikeys_document *document);
/* Everything except the secret. The body is a string in it. */
APIKEYS_API const char *apikeys_document_json(const apikeys_document *document, size_t *length);

/* Creates the document. APIKEYS_ERROR_EXISTS: one with this collection and id exists. */
APIKEYS_API int apikeys_document_create(apikeys_env *env, const apikeys_actor *actor,
                                        apikeys_document *document,
                                        apikeys_error *err) APIKEYS_WARN_UNUSED;

APIKEYS_API int apikeys_document_get(apikeys_env *env, const apikeys_actor *actor,
                                     const char *collection, size_t collection_length,
                                     const char *id, size_t id_length, apikeys_document *document,
                                     apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Optimistic locking: writes the fields that were set since the object was read, if nobody has
 * written the document meanwhile. APIKEYS_ERROR_CHANGED: its version is another, or it was deleted
 * and created again. Read it and try again, or leave it to the other writer: if many workers move
 * the due time of one document ahead, exactly one succeeds and owns the document until that time.
 */
APIKEYS_API int apikeys_document_update(apikeys_env *env, const apikeys_actor *actor,
                                        apikeys_document *document,
                                        apikeys_error *err) APIKEYS_WARN_UNUSED;

/* Creates the document or replaces it as a whole, as the next version. An object without a secret
 * removes the secret. */
APIKEYS_API int apikeys_document_put(apikeys_env *env, const apikeys_actor *actor,
                                     apikeys_document *document,
                                     apikeys_error *err) APIKEYS_WARN_UNUSED;

/* `version`: APIKEYS_ERROR_CHANGED if the document has another one; 0 deletes any version. */
APIKEYS_API int apikeys_document_delete(apikeys_env *env, const apikeys_actor *actor,
                                        const char *collection, size_t collection_length,
                                        const char *id, size_t id_length, int64_t version,
                                        apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Creates or updates up to 100 documents in one transaction, in their order: one wait for the disk
 * instead of one each. results[i] is what apikeys_document_create() or _update() would return for
 * documents[i]: 0, or why this document was refused (APIKEYS_ERROR_EXISTS, _CHANGED, _NOT_FOUND,
 * _INVALID_ARGUMENT); the others are written all the same. With `results` NULL the first refusal is
 * the call's own, and nothing is written. Any other failure is the call's, writes nothing, and
 * leaves the objects and `results` as they were. A document that is named twice meets its own first
 * write. Since 1.0.
 */
APIKEYS_API int apikeys_document_create_many(apikeys_env *env, const apikeys_actor *actor,
                                             apikeys_document *const *documents, size_t count,
                                             int *results, apikeys_error *err) APIKEYS_WARN_UNUSED;
APIKEYS_API int apikeys_document_update_many(apikeys_env *env, const apikeys_actor *actor,
                                             apikeys_document *const *documents, size_t count,
                                             int *results, apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Filter: the collection, which must be set, and limit, order, after, before, group, due_until_ms.
 * Cursors are ids of documents of the collection. With due_until_ms the list is ordered by due
 * time, earliest first unless APIKEYS_ORDER_NEWEST_FIRST is set, and has no cursors: change or
 * delete the documents that it returned, and ask again.
 */
APIKEYS_API int apikeys_document_list(apikeys_env *env, const apikeys_actor *actor,
                                      const apikeys_filter *filter, apikeys_page *page,
                                      apikeys_error *err) APIKEYS_WARN_UNUSED;

/* Counts documents. Filter: the collection, which must be set, group, due_until_ms. */
APIKEYS_API int apikeys_document_count(apikeys_env *env, const apikeys_actor *actor,
                                       const apikeys_filter *filter, uint64_t *count,
                                       apikeys_error *err) APIKEYS_WARN_UNUSED;

#ifdef __cplusplus
}
#endif
#endif
