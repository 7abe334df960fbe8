/* SPDX-License-Identifier: MIT */
/* Requests: setters of what the host tells of one validation. */
#include "objects/request.h"
#include "base/misplaced_secret.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

apikeys_request *apikeys_request_new(void) {
  return calloc(1, sizeof(apikeys_request));
}

void apikeys_request_free(apikeys_request *request) {
  free(request);
}

int apikeys_request_set_time_ms(apikeys_request *request, int64_t unix_ms) {
  if (request == NULL || unix_ms < 0)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  request->time_ms = unix_ms;
  return APIKEYS_OK;
}

static int set_request_text(char *to, const char *text, size_t length) {
  if (to == NULL || (text == NULL && length > 0) ||
      (length > 0 && ak_text_form_problem(text, length, 1, AK_CONTEXT_MAX) != NULL))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (length > 0)
    memcpy(to, text, length);
  ak_mask_secrets(to, length);
  return APIKEYS_OK;
}

int apikeys_request_set_address(apikeys_request *request, const char *text, size_t length) {
  length = ak_text_length(text, length);
  return set_request_text(request != NULL ? request->address : NULL, text, length);
}

int apikeys_request_set_request_id(apikeys_request *request, const char *text, size_t length) {
  length = ak_text_length(text, length);
  return set_request_text(request != NULL ? request->request_id : NULL, text, length);
}
