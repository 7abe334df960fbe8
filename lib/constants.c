/* SPDX-License-Identifier: MIT */
/* The public constants by name, for programs that cannot read a header. */
#include <apikeys.h>

struct constant {
  const char *name;
  int value;
};

#define CONSTANT(name) {#name, APIKEYS_##name}

static const struct constant constants[] = {
    CONSTANT(ACTOR_NOBODY),
    CONSTANT(ACTOR_SYSTEM),
    CONSTANT(ACTOR_MEMBER),
    CONSTANT(ACTOR_VOUCHED_MEMBER),
    CONSTANT(ACTOR_WIDGET_TOKEN),
    CONSTANT(ACTOR_MANAGEMENT_KEY),
    CONSTANT(LOG_WARNING),
    CONSTANT(LOG_SECURITY),
    CONSTANT(CATEGORY_GOOD),
    CONSTANT(CATEGORY_UNAUTHENTICATED),
    CONSTANT(CATEGORY_FORBIDDEN),
    CONSTANT(CATEGORY_LIMITED),
    CONSTANT(CATEGORY_INVALID),
    CONSTANT(CATEGORY_NOT_FOUND),
    CONSTANT(CATEGORY_CONFLICT),
    CONSTANT(CATEGORY_UNAVAILABLE),
    CONSTANT(OWNER_ORGANIZATION),
    CONSTANT(OWNER_MEMBER),
    CONSTANT(OWNER_ENVIRONMENT),
    CONSTANT(ORDER_NEWEST_FIRST),
    CONSTANT(ORDER_OLDEST_FIRST),
    CONSTANT(MEMBER_ACTIVE),
    CONSTANT(MEMBER_INACTIVE),
    CONSTANT(MEMBER_PENDING),
    CONSTANT(TYPE_NULL),
    CONSTANT(TYPE_INTEGER),
    CONSTANT(TYPE_TEXT),
    CONSTANT(TYPE_BLOB),
    CONSTANT(SCOPE_ENVIRONMENT),
    CONSTANT(SCOPE_ORGANIZATION),
    CONSTANT(SCOPE_ANY),
    CONSTANT(QUERY_LOWER),
    CONSTANT(QUERY_UPPER),
    CONSTANT(TRANSACTION_READ),
    CONSTANT(TRANSACTION_WRITE),
    CONSTANT(STORAGE_DURABLE),
    CONSTANT(STORAGE_MANY_PROCESSES),
    CONSTANT(VERSION_NUMBER),
    CONSTANT(VALUE_MAX),
    CONSTANT(WIDGET_TOKEN_MAX),
    CONSTANT(INDEX_KEY_MAX),
};

size_t apikeys_constant_count(void) {
  return sizeof constants / sizeof constants[0];
}

const char *apikeys_constant_name(size_t i) {
  return i < apikeys_constant_count() ? constants[i].name : "";
}

int apikeys_constant_value(size_t i) {
  return i < apikeys_constant_count() ? constants[i].value : 0;
}
