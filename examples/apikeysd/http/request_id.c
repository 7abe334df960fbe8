/* SPDX-License-Identifier: MIT */
#include "http/request_id.h"

#include <sodium.h>

#include <string.h>

/* They need to be unique, not secret: the system is asked for a handful of them at a time. */
void request_id(char out[REQUEST_ID_MAX]) {
  enum { ID_BYTES = 16, IDS = 32 };
  static _Thread_local unsigned char random[IDS * ID_BYTES];
  static _Thread_local size_t left;
  static const char prefix[] = "req_";
  if (left == 0) {
    randombytes_buf(random, sizeof random);
    left = IDS;
  }
  left--;
  memcpy(out, prefix, sizeof prefix);
  sodium_bin2hex(out + sizeof prefix - 1, REQUEST_ID_MAX - (sizeof prefix - 1),
                 random + left * ID_BYTES, ID_BYTES);
}
