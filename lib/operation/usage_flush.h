/* SPDX-License-Identifier: MIT */
#ifndef AK_OPERATION_USAGE_FLUSH_H
#define AK_OPERATION_USAGE_FLUSH_H

#include "operation/env_handle.h"

/* Write the uses of keys that are remembered; what cannot be written stays remembered. */
int ak_flush_usage(apikeys_env *env);

/* The same without those that the cache has: they need no room that a validation waits for. */
int ak_flush_pending(apikeys_env *env);

#endif
