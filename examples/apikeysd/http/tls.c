/* SPDX-License-Identifier: MIT */
#include "http/tls.h"

#include "secret_file.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FILE_MAX = 256 * 1024, CHAIN_MAX = 16 };

/* The two files, as they were read. */
struct files {
  char *certificate; /* PEM, a chain */
  char *key;         /* PEM */
  size_t certificate_length;
  size_t key_length;
};

struct tls {
  struct log *log;
  const char *certificate_path, *key_path;
  pthread_mutex_t lock; /* guards the next */
  struct files files;
};

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
  if (count > CHAIN_MAX)
    log_line(log, LOG_ERROR, "tls-certificate: %s: more than %d certificates", path, CHAIN_MAX);
  return count <= CHAIN_MAX;
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

static void release(struct files *files) {
  secret_file_free(files->certificate, files->certificate_length);
  secret_file_free(files->key, files->key_length);
  *files = (struct files){0};
}

static bool read_files(const struct tls *tls, struct files *files) {
  files->certificate = secret_file_read(tls->log, "tls-certificate", tls->certificate_path,
                                        FILE_MAX, SECRET_OF_ALL, &files->certificate_length);
  if (files->certificate == NULL)
    return false;
  files->key = secret_file_read(tls->log, "tls-key", tls->key_path, FILE_MAX, SECRET_OF_GROUP,
                                &files->key_length);
  if (files->key == NULL)
    return false;
  const gnutls_datum_t certificate = datum(files->certificate, files->certificate_length);
  const gnutls_datum_t key = datum(files->key, files->key_length);
  return check_certificate(tls->log, tls->certificate_path, &certificate) &&
         check_key(tls->log, tls->key_path, &key) &&
         check_pair(tls->log, tls->key_path, &certificate, &key);
}

bool tls_reload(struct tls *tls) {
  struct files files = {0};
  bool good = read_files(tls, &files);
  if (good) {
    pthread_mutex_lock(&tls->lock);
    const struct files before = tls->files;
    tls->files = files;
    pthread_mutex_unlock(&tls->lock);
    files = before;
  }
  release(&files);
  return good;
}

/* -- For GnuTLS -------------------------------------------------------------------------------- */

/* Its callback gets no pointer of ours. */
static struct tls *served;

struct tls *tls_open(struct log *log, const char *certificate_path, const char *key_path) {
  struct tls *tls = calloc(1, sizeof *tls);
  if (tls == NULL)
    return NULL;
  *tls = (struct tls){.log = log, .certificate_path = certificate_path, .key_path = key_path};
  pthread_mutex_init(&tls->lock, NULL);
  if (tls_reload(tls))
    return served = tls;
  tls_close(tls);
  return NULL;
}

void tls_close(struct tls *tls) {
  if (tls == NULL)
    return;
  if (served == tls)
    served = NULL;
  release(&tls->files);
  pthread_mutex_destroy(&tls->lock);
  free(tls);
}

static int import(const struct tls *tls, gnutls_pcert_st *chain, unsigned *count,
                  gnutls_privkey_t key) {
  const gnutls_datum_t certificate_pem =
      datum(tls->files.certificate, tls->files.certificate_length);
  const gnutls_datum_t key_pem = datum(tls->files.key, tls->files.key_length);
  int rc = gnutls_privkey_import_x509_raw(key, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0);
  return rc < 0 ? rc
                : gnutls_pcert_list_import_x509_raw(chain, count, &certificate_pem,
                                                    GNUTLS_X509_FMT_PEM, 0);
}

/* Each handshake gets copies, which GnuTLS frees with it: what it has does not go away while a
 * certificate is replaced. */
int tls_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                 gnutls_pcert_st **chain, unsigned *count, gnutls_ocsp_data_st **ocsp,
                 unsigned *ocsp_count, gnutls_privkey_t *key, unsigned *flags) {
  (void)session;
  (void)info;
  unsigned room = CHAIN_MAX;
  *chain = gnutls_calloc(room, sizeof **chain);
  if (*chain == NULL)
    return GNUTLS_E_MEMORY_ERROR;
  int rc = gnutls_privkey_init(key);
  if (rc >= 0) {
    pthread_mutex_lock(&served->lock);
    rc = import(served, *chain, &room, *key);
    pthread_mutex_unlock(&served->lock);
    if (rc < 0)
      gnutls_privkey_deinit(*key);
  }
  if (rc < 0) {
    gnutls_free(*chain);
    return rc;
  }
  *count = room;
  *ocsp = NULL;
  *ocsp_count = 0;
  *flags = GNUTLS_CERT_RETR_DEINIT_ALL;
  return 0;
}
