/* SPDX-License-Identifier: MIT */
/*
 * apikeys/document.h: documents, which the host keeps in the environment's store for itself: what a
 * service around the library has to remember (webhook endpoints, the progress of deliveries,
 * sessions), so that moving or backing up the store moves everything.
 *
 * A document lies in a collection under an id, both named by the host. Its body is text of any form
 * (usually JSON), which is readable in the store. A secret, if it has one, is sealed under the root
 * key, together with its collection and id, and is in no JSON and no list.
 *
 * Documents are the host's own business: they leave no events, belong to no organization, and no
 * validation depends on them. Events tell customers and auditors what became of keys; a queue's
 * bookkeeping there would bury that, and would set off the webhooks that it is the bookkeeping of.
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

/* One document: to be written, or as it was got. Conventions as in <apikeys/permission.h>. Freeing
 * it wipes the secret. Since 1.0. */
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
/* What a list can ask for: up to 128 bytes of text; "" for none. */
APIKEYS_API const char *apikeys_document_group(const apikeys_document *document, size_t *length);
APIKEYS_API int apikeys_document_set_group(apikeys_document *document, const char *group,
                                           size_t length);
/* Up to 65536 bytes of UTF-8; line ends and tabs are welcome, NUL is not. "" if not set. */
APIKEYS_API const char *apikeys_document_body(const apikeys_document *document, size_t *length);
APIKEYS_API int apikeys_document_set_body(apikeys_document *document, const char *body,
                                          size_t length);

/*
 * Up to 4096 bytes; length 0 takes it away. Read into a buffer of yours, for you to wipe:
 * APIKEYS_ERROR_NOT_FOUND if the object has none, as all have none that a list gave;
 * APIKEYS_ERROR_BUFFER_TOO_SMALL, which sets *length to what is needed. `length` may be NULL.
 */
APIKEYS_API int apikeys_document_secret(const apikeys_document *document, void *buffer, size_t size,
                                        size_t *length) APIKEYS_WARN_UNUSED;
APIKEYS_API int apikeys_document_set_secret(apikeys_document *document, const void *secret,
                                            size_t length);

/* When a queue should come to it: apikeys_filter_set_due_until_ms(). 0: never. */
APIKEYS_API int64_t apikeys_document_due_at_ms(const apikeys_document *document);
APIKEYS_API int apikeys_document_set_due_at_ms(apikeys_document *document, int64_t unix_ms);
/* From then on it is not there any more; apikeys_maintain() drops it for good. 0: never. */
APIKEYS_API int64_t apikeys_document_expires_at_ms(const apikeys_document *document);
APIKEYS_API int apikeys_document_set_expires_at_ms(apikeys_document *document, int64_t unix_ms);

/*
 * 1 for a new document, and one more with each write; 0 in an object that was neither got nor
 * written. Set it to say which version an update should be of, without a get.
 */
APIKEYS_API int64_t apikeys_document_version(const apikeys_document *document);
APIKEYS_API int apikeys_document_set_version(apikeys_document *document, int64_t version);

APIKEYS_API int64_t apikeys_document_created_at_ms(const apikeys_document *document);
APIKEYS_API int64_t apikeys_document_updated_at_ms(const apikeys_document *document);
/* Everything but the secret; the body is a string in it. */
APIKEYS_API const char *apikeys_document_json(apikeys_document *document, size_t *length);

/* Everything that the object says, as a new document. APIKEYS_ERROR_EXISTS: there is one. */
APIKEYS_API int apikeys_document_create(apikeys_env *env, const apikeys_actor *actor,
                                        apikeys_document *document, apikeys_error *err);

APIKEYS_API int apikeys_document_get(apikeys_env *env, const apikeys_actor *actor,
                                     const char *collection, size_t collection_length,
                                     const char *id, size_t id_length, apikeys_document *document,
                                     apikeys_error *err);

/*
 * Writes what was set since the object was got, if nobody has written the document meanwhile:
 * APIKEYS_ERROR_CHANGED if its version is another by now, or if it was deleted and made anew. Get it
 * and try again, or leave it to who was faster: of many workers who move the due time of the same
 * document ahead, one succeeds, and has it to itself until then.
 */
APIKEYS_API int apikeys_document_update(apikeys_env *env, const apikeys_actor *actor,
                                        apikeys_document *document, apikeys_error *err);

/* Everything that the object says, also that it has no secret, whether there is one or not: as a new
 * document or as the next version. */
APIKEYS_API int apikeys_document_put(apikeys_env *env, const apikeys_actor *actor,
                                     apikeys_document *document, apikeys_error *err);

/* `version`: APIKEYS_ERROR_CHANGED if it has another; 0: whichever it has. */
APIKEYS_API int apikeys_document_delete(apikeys_env *env, const apikeys_actor *actor,
                                        const char *collection, size_t collection_length,
                                        const char *id, size_t id_length, int64_t version,
                                        apikeys_error *err);

/*
 * Filter: the collection, which must be set, and limit, order, after, before, group, due_until_ms.
 * Cursors are ids of documents of the collection. With due_until_ms the list is ordered by due
 * time, the longest due first unless APIKEYS_ORDER_NEWEST_FIRST is set, and is not continued from a
 * cursor: change or delete what was given, and ask again.
 */
APIKEYS_API int apikeys_document_list(apikeys_env *env, const apikeys_actor *actor,
                                      const apikeys_filter *filter, apikeys_page *page,
                                      apikeys_error *err);

/* How many there are. Filter: the collection, which must be set, group, due_until_ms. */
APIKEYS_API int apikeys_document_count(apikeys_env *env, const apikeys_actor *actor,
                                       const apikeys_filter *filter, uint64_t *count,
                                       apikeys_error *err);

#ifdef __cplusplus
}
#endif
#endif
