/* SPDX-License-Identifier: MIT */
#include "security_log.h"

#include "token.h"

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

void ak_log_refusal(apikeys_env *env, int rc, const char *lookup_id,
                    const apikeys_request *request) {
  if (env->options.log == NULL)
    return;
  int64_t left_out = may_log(&env->security_log, ak_now_ms(&env->options));
  if (left_out < 0)
    return;
  if (left_out > 0)
    ak_log(&env->options, APIKEYS_LOG_SECURITY, "%lld refusals were left out of this log",
           (long long)left_out);
  ak_log(&env->options, APIKEYS_LOG_SECURITY,
         "validation refused: %s; lookup id %.*s; address %s; request %s", apikeys_result_name(rc),
         lookup_id != NULL ? AK_LOOKUP_ID_LENGTH : 1, lookup_id != NULL ? lookup_id : "-",
         request != NULL && request->address[0] != '\0' ? request->address : "-",
         request != NULL && request->request_id[0] != '\0' ? request->request_id : "-");
}
