/* SPDX-License-Identifier: MIT */
/* The certificate and the private key for HTTPS, found good before anything is served with them. */
#ifndef SERVER_HTTP_TLS_H
#define SERVER_HTTP_TLS_H

#include "log.h"

struct tls {
  char *certificate; /* PEM, a chain; NULL: plain HTTP */
  char *key;         /* PEM */
  size_t certificate_length;
  size_t key_length;
};

/* What GnuTLS may agree on with a client: nothing older than TLS 1.2. */
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* Reads both, and checks that the key is the certificate's. `tls` is zeroed by the caller and
 * released whatever comes back; false: said in the log what is wrong with which file. */
bool tls_read(struct tls *tls, struct log *log, const char *certificate_path, const char *key_path);
void tls_release(struct tls *tls);

#endif
