/* SPDX-License-Identifier: MIT */
/* A program of another project, built against the installed library in each way there is. */
#include <apikeys/base.h>
#include <apikeys/error.h>

#include <stdio.h>
#include <string.h>

int main(void) {
  if (apikeys_version_number() != APIKEYS_VERSION_NUMBER ||
      strcmp(apikeys_version_text(), APIKEYS_VERSION_TEXT) != 0) {
    fprintf(stderr, "the library is %s, the headers are %s\n", apikeys_version_text(),
            APIKEYS_VERSION_TEXT);
    return 1;
  }
  if (strcmp(apikeys_result_name(APIKEYS_REVOKED), "REVOKED") != 0)
    return 1;
  printf("libapikeys %s\n", apikeys_version_text());
  return 0;
}
