/* SPDX-License-Identifier: MIT */
#include "dashboard/sessions.h"

#include "http/reply.h"

bool sessions_enter(struct exchange *x) {
  reply_error(x, 401, "unauthorized", "Please sign in.");
  return false;
}
