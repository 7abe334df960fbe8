/* SPDX-License-Identifier: MIT */
#include "http/tls.h"

#include "secret_file.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

enum { FILE_MAX = 256 * 1024 };

static gnutls_datum_t datum(char *text, size_t length) {
  union {
    char *text;
    unsigned char *bytes;
  } pun = {text};
  return (gnutls_datum_t){pun.bytes, (unsigned)length};
}

static bool refuse(struct log *log, const char *setting, const char *path, int rc) {
  log_line(log, LOG_ERROR, "%s: %s: %s", setting, path, gnutls_strerror(rc));
  return false;
}

/* A certificate that is over is served all the same: the clients' word counts, not ours. */
static void warn_if_expired(struct log *log, const char *path, gnutls_x509_crt_t certificate) {
  time_t until = gnutls_x509_crt_get_expiration_time(certificate);
  if (until != (time_t)-1 && until < time(NULL))
    log_line(log, LOG_WARNING, "tls-certificate: %s: has expired", path);
}

static bool check_certificate(struct log *log, const char *path, const gnutls_datum_t *pem) {
  gnutls_x509_crt_t *chain = NULL;
  unsigned count = 0;
  int rc = gnutls_x509_crt_list_import2(&chain, &count, pem, GNUTLS_X509_FMT_PEM,
                                        GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
  if (rc < 0)
    return refuse(log, "tls-certificate", path, rc);
  if (count > 0)
    warn_if_expired(log, path, chain[0]);
  for (unsigned i = 0; i < count; i++)
    gnutls_x509_crt_deinit(chain[i]);
  gnutls_free(chain);
  return true;
}

static bool check_key(struct log *log, const char *path, const gnutls_datum_t *pem) {
  gnutls_x509_privkey_t key;
  int rc = gnutls_x509_privkey_init(&key);
  if (rc < 0)
    return refuse(log, "tls-key", path, rc);
  rc = gnutls_x509_privkey_import2(key, pem, GNUTLS_X509_FMT_PEM, NULL, 0);
  gnutls_x509_privkey_deinit(key);
  return rc >= 0 || refuse(log, "tls-key", path, rc);
}

static bool check_pair(struct log *log, const char *key_path, const gnutls_datum_t *certificate,
                       const gnutls_datum_t *key) {
  gnutls_certificate_credentials_t both;
  int rc = gnutls_certificate_allocate_credentials(&both);
  if (rc < 0)
    return refuse(log, "tls-key", key_path, rc);
  rc = gnutls_certificate_set_x509_key_mem(both, certificate, key, GNUTLS_X509_FMT_PEM);
  gnutls_certificate_free_credentials(both);
  return rc >= 0 || refuse(log, "tls-key", key_path, rc);
}

bool tls_read(struct tls *tls, struct log *log, const char *certificate_path,
              const char *key_path) {
  if (certificate_path == NULL)
    return true;
  tls->certificate = secret_file_read(log, "tls-certificate", certificate_path, FILE_MAX,
                                      SECRET_OF_ALL, &tls->certificate_length);
  if (tls->certificate == NULL)
    return false;
  tls->key =
      secret_file_read(log, "tls-key", key_path, FILE_MAX, SECRET_OF_GROUP, &tls->key_length);
  if (tls->key == NULL)
    return false;
  const gnutls_datum_t certificate = datum(tls->certificate, tls->certificate_length);
  const gnutls_datum_t key = datum(tls->key, tls->key_length);
  return check_certificate(log, certificate_path, &certificate) && check_key(log, key_path, &key) &&
         check_pair(log, key_path, &certificate, &key);
}

void tls_release(struct tls *tls) {
  secret_file_free(tls->certificate, tls->certificate_length);
  secret_file_free(tls->key, tls->key_length);
  *tls = (struct tls){0};
}
