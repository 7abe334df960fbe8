/* SPDX-License-Identifier: MIT */
/* The log of refused validations: what was refused and to whom, never the value. */
#ifndef AK_SECURITY_LOG_H
#define AK_SECURITY_LOG_H

#include "env.h"
#include "requirement.h"

/* `lookup_id` is NULL where the value had none. Lines are limited to some a second. */
void ak_log_refusal(apikeys_env *env, int rc, const char *lookup_id,
                    const apikeys_request *request);

#endif
