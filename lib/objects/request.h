/* SPDX-License-Identifier: MIT */
/* A request: what the host tells of one validation, such as the client's address. */
#ifndef AK_OBJECTS_REQUEST_H
#define AK_OBJECTS_REQUEST_H

#include "base/setter_faults.h"
#include "base/text.h"

#include <apikeys/validate.h>

struct apikeys_request {
  int64_t time_ms;
  char address[AK_CONTEXT_MAX + 1];
  char request_id[AK_CONTEXT_MAX + 1];
  struct ak_setter_faults faults;
};

/* 0 if no setter of the request (NULL: none) failed, else its code, field and reason. */
int ak_request_check(const apikeys_request *request, apikeys_error *err);

#endif
