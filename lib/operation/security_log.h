/* SPDX-License-Identifier: MIT */
/* The log of refused validations: what was refused and to whom, never the value. */
#ifndef AK_OPERATION_SECURITY_LOG_H
#define AK_OPERATION_SECURITY_LOG_H

#include "objects/request.h"
#include "operation/env_handle.h"

/* Lines are limited to some a second. Of a malformed value the line says what is wrong, if its ends
 * and its length show that: blanks, a newline, quotes or a byte order mark around it. */
void ak_log_refusal(apikeys_env *env, int rc, const char *value, size_t length,
                    const apikeys_request *request);

#endif
