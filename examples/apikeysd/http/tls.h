/* SPDX-License-Identifier: MIT */
/* The certificate and the private key for HTTPS, found good before anything is served with them. */
#ifndef SERVER_HTTP_TLS_H
#define SERVER_HTTP_TLS_H

#include "log.h"

#include <gnutls/abstract.h>

struct tls;

/* What GnuTLS may agree on with a client: nothing older than TLS 1.2. */
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* Reads both, and checks that the key is the certificate's. The paths are kept, not copied. NULL:
 * said in the log what is wrong with which file. One at a time in a process. */
struct tls *tls_open(struct log *log, const char *certificate_path, const char *key_path);
/* Once nobody shakes hands any more. NULL does nothing. */
void tls_close(struct tls *tls);

/* Reads both anew, for handshakes from now on. False: said in the log; those of before stay. */
bool tls_reload(struct tls *tls);

/* For MHD_OPTION_HTTPS_CERT_CALLBACK2. */
int tls_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                 gnutls_pcert_st **chain, unsigned *count, gnutls_ocsp_data_st **ocsp,
                 unsigned *ocsp_count, gnutls_privkey_t *key, unsigned *flags);

#endif
