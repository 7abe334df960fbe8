/* SPDX-License-Identifier: MIT */
#ifndef AK_FLUSH_H
#define AK_FLUSH_H

#include "env.h"

/* Write the uses of keys that are remembered; what cannot be written stays remembered. */
int ak_flush_usage(apikeys_env *env);

#endif
