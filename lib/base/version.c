/* SPDX-License-Identifier: MIT */
/* The library's version at run time. */
#include <apikeys/base.h>

int apikeys_version_number(void) {
  return APIKEYS_VERSION_NUMBER;
}

const char *apikeys_version_text(void) {
  return APIKEYS_VERSION_TEXT;
}

size_t apikeys_nul(void) {
  return APIKEYS_NUL;
}
