/* SPDX-License-Identifier: MIT */
/* The faults of an object's setters, kept until the object is used or its fields are set anew. */
#include "base/setter_faults.h"

#include "base/error.h"

#include <string.h>

int ak_setter_fault_keep(struct ak_setter_faults *faults, int field, int code, const char *reason) {
  for (int i = 0; i < faults->count; i++)
    if (faults->kept[i].field == field)
      return code;
  if (faults->count == AK_SETTER_FAULTS_KEPT) {
    faults->more = faults->more != 0 ? faults->more : code;
    return code;
  }
  faults->kept[faults->count++] = (struct ak_setter_fault){field, code, reason};
  return code;
}

int ak_setter_fault_clear(struct ak_setter_faults *faults, int field) {
  for (int i = 0; i < faults->count; i++) {
    if (faults->kept[i].field != field)
      continue;
    faults->count--;
    memmove(&faults->kept[i], &faults->kept[i + 1],
            (size_t)(faults->count - i) * sizeof faults->kept[0]);
    break;
  }
  return APIKEYS_OK;
}

const struct ak_setter_fault *ak_setter_fault_first(const struct ak_setter_faults *faults) {
  static const struct ak_setter_fault several = {-1, APIKEYS_ERROR_INVALID_ARGUMENT,
                                                 "several settings were refused"};
  static const struct ak_setter_fault no_memory = {-1, APIKEYS_ERROR_NO_MEMORY, NULL};
  if (faults->count > 0)
    return &faults->kept[0];
  if (faults->more == 0)
    return NULL;
  return faults->more == APIKEYS_ERROR_NO_MEMORY ? &no_memory : &several;
}

int ak_setter_fault_report(const struct ak_setter_fault *fault, const char *name,
                           apikeys_error *err) {
  if (fault->code == APIKEYS_ERROR_NO_MEMORY)
    return ak_error_code(err, fault->code);
  return ak_error_set(err, fault->code, fault->field >= 0 ? name : "", "%s",
                      fault->reason != NULL ? fault->reason
                                            : "was set to something that it cannot be");
}
