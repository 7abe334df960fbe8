/* SPDX-License-Identifier: MIT */
/*
 * Getters and setters of objects that hold a record: each is one line that names its field. The
 * public headers declare and describe them.
 */
#ifndef AK_OBJECTS_ACCESSORS_H
#define AK_OBJECTS_ACCESSORS_H

#include "objects/object.h"
#include "objects/object_json.h"

#define AK_NEW_AND_FREE(noun, kind)                                                                \
  apikeys_##noun *apikeys_##noun##_new(void) {                                                     \
    return ak_object_new(sizeof(apikeys_##noun), kind);                                            \
  }                                                                                                \
  void apikeys_##noun##_free(apikeys_##noun *noun) {                                               \
    ak_object_free(noun != NULL ? &noun->object : NULL);                                           \
  }

#define AK_GET_TEXT(noun, name, field)                                                             \
  const char *apikeys_##noun##_##name(const apikeys_##noun *noun, size_t *length) {                \
    return ak_object_text(noun != NULL ? &noun->object : NULL, field, length);                     \
  }

#define AK_SET_TEXT(noun, name, field)                                                             \
  int apikeys_##noun##_set_##name(apikeys_##noun *noun, const char *text, size_t length) {         \
    return ak_object_set_text(noun != NULL ? &noun->object : NULL, field, text, length);           \
  }

#define AK_GET_INTEGER(noun, type, name, field)                                                    \
  type apikeys_##noun##_##name(const apikeys_##noun *noun) {                                       \
    return (type)ak_object_integer(noun != NULL ? &noun->object : NULL, field);                    \
  }

#define AK_SET_INTEGER(noun, type, name, field)                                                    \
  int apikeys_##noun##_set_##name(apikeys_##noun *noun, type value) {                              \
    return ak_object_set_integer(noun != NULL ? &noun->object : NULL, field, value);               \
  }

#define AK_SET_FLAG(noun, name, field)                                                             \
  int apikeys_##noun##_set_##name(apikeys_##noun *noun, int flag) {                                \
    return ak_object_set_flag(noun != NULL ? &noun->object : NULL, field, flag);                   \
  }

#define AK_ADD_SLUG(noun, name, field)                                                             \
  int apikeys_##noun##_add_##name(apikeys_##noun *noun, const char *slug, size_t length) {         \
    return ak_object_add_slug(noun != NULL ? &noun->object : NULL, field, slug, length);           \
  }

#define AK_REMOVE_SLUG(noun, name, field)                                                          \
  int apikeys_##noun##_remove_##name(apikeys_##noun *noun, const char *slug, size_t length) {      \
    return ak_object_remove_slug(noun != NULL ? &noun->object : NULL, field, slug, length);        \
  }

#define AK_CLEAR_SLUGS(noun, names, field)                                                         \
  int apikeys_##noun##_clear_##names(apikeys_##noun *noun) {                                       \
    return ak_object_clear_slugs(noun != NULL ? &noun->object : NULL, field);                      \
  }

#define AK_SET_SLUGS(noun, names, field)                                                           \
  int apikeys_##noun##_set_##names(apikeys_##noun *noun, const char *text, size_t length) {        \
    return ak_object_set_slugs(noun != NULL ? &noun->object : NULL, field, text, length);          \
  }

#define AK_GET_SLUGS(noun, name, field)                                                            \
  size_t apikeys_##noun##_##name##_count(const apikeys_##noun *noun) {                             \
    return ak_object_slug_count(noun != NULL ? &noun->object : NULL, field);                       \
  }                                                                                                \
  int apikeys_##noun##_##name##_at(const apikeys_##noun *noun, size_t i, const char **slug,        \
                                   size_t *length) {                                               \
    return ak_object_slug_at(noun != NULL ? &noun->object : NULL, field, i, slug, length);         \
  }

#define AK_JSON(noun)                                                                              \
  const char *apikeys_##noun##_json(const apikeys_##noun *noun, size_t *length) {                  \
    return ak_object_json(noun != NULL ? &noun->object : NULL, NULL, length);                      \
  }

#endif
