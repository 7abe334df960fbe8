/* SPDX-License-Identifier: MIT */
/* Settings: flags, then the environment (APIKEYSD_…), then the file of --config, then defaults; the
 * first that sets one counts. One table in config.c describes every setting. */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

enum { CONFIG_LIST_MAX = 32 };

struct config_list {
  char *at[CONFIG_LIST_MAX];
  size_t count;
};

enum config_command {
  COMMAND_SERVE,
  COMMAND_RECOVER,        /* "apikeysd recover": make a management key, and end */
  COMMAND_ROTATE_ROOT_KEY /* "apikeysd rotate-root-key": seal everything anew, and end */
};

struct config {
  enum config_command command;
  bool accept_restore;     /* of recover: go on with a restored backup, without its revoked keys */
  bool compromised;        /* of rotate-root-key: end what the old root key could have signed */
  char *new_root_key_file; /* of rotate-root-key, where the service does not draw the key */
  char *listen;            /* ADDRESS:PORT; "[::1]:8787" for IPv6; port 0: any free one */
  bool next_port;          /* a busy port: try the next ones */
  char *database;
  char *root_key_file;
  char *revocation_journal; /* NULL: beside the database */
  bool allow_missing_journal;
  char *root_key_credential;          /* systemd's; NULL: none, or a file was named */
  char *management_key_file;          /* where the first management key goes, mode 0600 */
  char *public_url;                   /* how clients reach the service, for links and Host checks */
  struct config_list allowed_origins; /* that may embed the widget; "*": all */
  struct config_list allowed_hosts;   /* further names in Host that are ours */
  struct config_list trusted_proxies; /* whose X-Forwarded-For is believed */
  char *tls_certificate;
  char *tls_key;
  int hsts_seconds;
  char *metrics_listen; /* as listen; NULL: no metrics are served */
  int threads;
  int max_connections;
  int max_connections_per_address;
  int max_connections_per_proxy;
  int stop_seconds;
  int drain_seconds;        /* before that: /readyz tells those who send requests */
  char *on_replaced;        /* exit, reopen */
  int request_timeout;      /* seconds, in all, to send a request */
  int max_body;             /* bytes */
  int failures_per_minute;  /* refused requests per address before it must wait */
  int session_idle_seconds; /* a dashboard session that nobody uses */
  int session_seconds;      /* any dashboard session */
  bool webhook_allow_http;
  bool webhook_allow_private;
  char *webhook_ca_file; /* whom webhook targets' certificates must come from; NULL: the system's */
  int webhook_first_retry;   /* seconds; each further wait is seven times as long */
  int webhook_disable_after; /* seconds; 0: never */
  bool demo;
  char *ready_file;
  bool access_log;
  char *log_level; /* error, warning, info, debug */
};

enum config_outcome {
  CONFIG_GOOD = 0,
  CONFIG_HELP,   /* --help or --version was answered; end with 0 */
  CONFIG_REFUSED /* said on standard error; end with 2 */
};

/* The caller zeroes `config`, and frees it with config_free() also after a failure. */
enum config_outcome config_read(struct config *config, int argc, char **argv);
void config_free(struct config *config);

#endif
