/* SPDX-License-Identifier: MIT */
/* Log lines about refused validations, limited to some a second. */
#include "operation/security_log.h"

#include "crypto/constant_time.h"
#include "crypto/key_text.h"

enum { SECURITY_LINES_A_SECOND = 10 };

/* How many lines were left out before this one; -1: leave this one out as well. */
static int64_t may_log(struct ak_log_limit *limit, int64_t now_ms) {
  int64_t left_out = -1;
  pthread_mutex_lock(&limit->lock);
  if (now_ms / 1000 != limit->second) {
    limit->second = now_ms / 1000;
    limit->lines = 0;
  }
  if (limit->lines < SECURITY_LINES_A_SECOND) {
    limit->lines++;
    left_out = limit->left_out;
    limit->left_out = 0;
  } else {
    limit->left_out++;
  }
  pthread_mutex_unlock(&limit->lock);
  return left_out;
}

/* No first or last character of a value is one of these, so to tell them apart tells no secret. */
static const char *what_is_around(char end) {
  switch (ak_declassify((unsigned char)end)) {
  case ' ':
  case '\t':
    return " (blanks around the value)";
  case '\r':
  case '\n':
    return " (a newline around the value)";
  case '"':
  case '\'':
  case '`':
    return " (quotes around the value)";
  case ',':
  case ';':
    return " (a comma or semicolon behind the value)";
  case '\0':
    return " (a NUL behind the value)";
  case 0xEF:
    return " (a byte order mark before the value)";
  default:
    return "";
  }
}

static const char *why_malformed(int rc, const char *value, size_t length) {
  if (rc != APIKEYS_MALFORMED)
    return "";
  if (length == 0)
    return " (no value)";
  const char *before = what_is_around(value[0]), *behind = what_is_around(value[length - 1]);
  if (before[0] != '\0' || behind[0] != '\0')
    return before[0] != '\0' ? before : behind;
  if (length < AK_KEY_TEXT_MIN)
    return " (too short for a value)";
  return length > AK_KEY_TEXT_MAX ? " (too long for a value)" : "";
}

void ak_log_refusal(apikeys_env *env, int rc, const char *value, size_t length,
                    const apikeys_request *request) {
  struct ak_key_text token;
  if (env->options.log == NULL)
    return;
  const char *lookup_id =
      ak_key_text_parse(&token, value, length) == APIKEYS_OK ? token.lookup_id : NULL;
  int64_t left_out = may_log(&env->security_log, ak_now_ms(&env->options));
  if (left_out < 0)
    return;
  if (left_out > 0)
    ak_log(&env->options, APIKEYS_LOG_SECURITY, "%lld refusals were left out of this log",
           (long long)left_out);
  ak_log(&env->options, APIKEYS_LOG_SECURITY,
         "validation refused: %s%s; lookup id %.*s; address %s; request %s",
         apikeys_result_name(rc), why_malformed(rc, value, length),
         lookup_id != NULL ? AK_LOOKUP_ID_LENGTH : 1, lookup_id != NULL ? lookup_id : "-",
         request != NULL && request->address[0] != '\0' ? request->address : "-",
         request != NULL && request->request_id[0] != '\0' ? request->request_id : "-");
}
