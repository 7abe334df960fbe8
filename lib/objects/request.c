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

enum request_field { REQUEST_TIME_MS, REQUEST_ADDRESS, REQUEST_REQUEST_ID };

int ak_request_check(const apikeys_request *request, apikeys_error *err) {
  static const char *const names[] = {"time_ms", "address", "request_id"};
  const struct ak_setter_fault *fault =
      request != NULL ? ak_setter_fault_first(&request->faults) : NULL;
  if (fault == NULL)
    return APIKEYS_OK;
  return ak_setter_fault_report(fault, fault->field >= 0 ? names[fault->field] : "", err);
}

int apikeys_request_set_time_ms(apikeys_request *request, int64_t unix_ms) {
  if (request == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (unix_ms < 0)
    return ak_setter_fault_keep(&request->faults, REQUEST_TIME_MS, APIKEYS_ERROR_INVALID_ARGUMENT,
                                "must not be negative");
  request->time_ms = unix_ms;
  return ak_setter_fault_clear(&request->faults, REQUEST_TIME_MS);
}

static int set_request_text(apikeys_request *request, int field, char *to, const char *text,
                            size_t length) {
  const char *problem = text == NULL && length > 0 ? "is NULL" : NULL;
  if (problem == NULL && length > 0)
    problem = ak_text_form_problem(text, length, 1, AK_CONTEXT_MAX);
  if (problem != NULL)
    return ak_setter_fault_keep(&request->faults, field, APIKEYS_ERROR_INVALID_ARGUMENT, problem);
  if (length > 0)
    memcpy(to, text, length);
  ak_mask_secrets(to, length);
  return ak_setter_fault_clear(&request->faults, field);
}

int apikeys_request_set_address(apikeys_request *request, const char *text, size_t length) {
  length = ak_text_length(text, length);
  return request != NULL
             ? set_request_text(request, REQUEST_ADDRESS, request->address, text, length)
             : APIKEYS_ERROR_INVALID_ARGUMENT;
}

int apikeys_request_set_request_id(apikeys_request *request, const char *text, size_t length) {
  length = ak_text_length(text, length);
  return request != NULL
             ? set_request_text(request, REQUEST_REQUEST_ID, request->request_id, text, length)
             : APIKEYS_ERROR_INVALID_ARGUMENT;
}
