/* SPDX-License-Identifier: MIT */
/* Settings from flags, variables and the file: one table, and what is checked. */
#define _GNU_SOURCE /* environ */
#include "config.h"

#include "http/client_address.h"
#include "nearest.h"

#include <apikeys.h>

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum setting_type { SETTING_TEXT, SETTING_NUMBER, SETTING_FLAG, SETTING_LIST };

/*
 * One setting: its flag, which is also its name in the file, and in capitals with '_' its variable.
 */
struct setting {
  const char *name;
  enum setting_type type;
  size_t offset;
  const char *initial;  /* NULL: empty, 0, off */
  int minimum, maximum; /* of numbers */
  const char *placeholder;
  const char *help;
};

#define TEXT(name, member, initial, placeholder, help)                                             \
  { name, SETTING_TEXT, offsetof(struct config, member), initial, 0, 0, placeholder, help }
#define NUMBER(name, member, initial, minimum, maximum, help)                                      \
  { name, SETTING_NUMBER, offsetof(struct config, member), initial, minimum, maximum, "N", help }
#define FLAG(name, member, help)                                                                   \
  { name, SETTING_FLAG, offsetof(struct config, member), NULL, 0, 0, NULL, help }
#define LIST(name, member, placeholder, help)                                                      \
  { name, SETTING_LIST, offsetof(struct config, member), NULL, 0, 0, placeholder, help }

static const struct setting settings[] = {
    TEXT("listen", listen, "127.0.0.1:8787", "[ADDRESS:]PORT",
         "where to serve; a port alone is on 127.0.0.1; port 0: any free one"),
    FLAG("next-port", next_port, "if that port is busy, take the next free one"),
    TEXT("database", database, "keys.db", "FILE", "the environment's SQLite database"),
    TEXT("root-key-file", root_key_file, NULL, "FILE",
         "the root key (default: the credential root-key, else the database's name with .root)"),
    TEXT("revocation-journal", revocation_journal, NULL, "FILE",
         "names the revoked keys, so that a restored backup revives none (default: the database's "
         "name with -revocations)"),
    FLAG("allow-missing-journal", allow_missing_journal,
         "start with a new revocation journal where the one that was there is missing"),
    TEXT("management-key-file", management_key_file, NULL, "FILE",
         "where the first management key goes, mode 0600 (default: the database's name with "
         ".management-key)"),
    TEXT("public-url", public_url, NULL, "URL",
         "how clients reach the service (default: from --listen)"),
    LIST("allow-origin", allowed_origins, "ORIGIN",
         "an origin whose pages may embed the widget; '*': every one; may be given again"),
    LIST("allow-host", allowed_hosts, "HOST",
         "a further name that the Host header may have; may be given again"),
    LIST("trust-proxy", trusted_proxies, "ADDRESS[/BITS]",
         "a proxy whose X-Forwarded-For tells who asks; may be given again"),
    TEXT("tls-certificate", tls_certificate, NULL, "FILE",
         "serve HTTPS: the certificate chain, PEM"),
    TEXT("tls-key", tls_key, NULL, "FILE",
         "serve HTTPS: the private key, PEM, not readable by everybody"),
    NUMBER("hsts-seconds", hsts_seconds, "31536000", 0, 63072000,
           "with an https --public-url: how long browsers are to use HTTPS alone; 0: not said"),
    TEXT("metrics-listen", metrics_listen, NULL, "[ADDRESS:]PORT",
         "serve Prometheus metrics at /metrics there, in plain HTTP; a port alone is on 127.0.0.1 "
         "(off)"),
    NUMBER("threads", threads, "8", 1, 256, "threads that answer requests"),
    NUMBER("max-connections", max_connections, "1000", 1, 100000, "connections at a time"),
    NUMBER("max-connections-per-address", max_connections_per_address, "200", 1, 100000,
           "connections at a time from one address"),
    NUMBER("max-connections-per-proxy", max_connections_per_proxy, "1000", 1, 100000,
           "connections at a time from an address that --trust-proxy names"),
    NUMBER("request-timeout", request_timeout, "10", 1, 3600,
           "seconds that a client has to send a whole request, and to take the answer"),
    NUMBER("stop-seconds", stop_seconds, "10", 0, 3600,
           "seconds that requests under way have to end when the service is told to stop"),
    NUMBER("drain-seconds", drain_seconds, "0", 0, 3600,
           "seconds for which it goes on serving before that, while /readyz says 503"),
    TEXT("on-replaced", on_replaced, "exit", "ACTION",
         "when the database's files were replaced or went back: exit with status 1, or reopen"),
    NUMBER("max-body", max_body, "65536", 1024, 1048576, "bytes in a request's body"),
    NUMBER("failures-per-minute", failures_per_minute, "60", 0, 1000000,
           "refused requests of one address before it must wait; 0: no such limit"),
    NUMBER("session-idle-seconds", session_idle_seconds, "900", 1, 3600,
           "seconds after which an unused dashboard session ends"),
    NUMBER("session-seconds", session_seconds, "28800", 1, 86400,
           "seconds after which every dashboard session ends"),
    FLAG("webhook-allow-http", webhook_allow_http, "let webhook endpoints be plain http"),
    FLAG("webhook-allow-private", webhook_allow_private,
         "let webhook endpoints have private and loopback addresses"),
    TEXT("webhook-ca-file", webhook_ca_file, NULL, "FILE",
         "certificate authorities for webhook endpoints, PEM (default: the system's)"),
    NUMBER("webhook-first-retry", webhook_first_retry, "12", 0, 3600,
           "seconds until a failed delivery is tried again; each of five further waits is seven "
           "times as long"),
    NUMBER("webhook-disable-after", webhook_disable_after, "432000", 0, 31536000,
           "seconds of nothing but failures after which an endpoint is disabled; 0: never"),
    FLAG("demo", demo, "loopback only: a seeded organization, and widget tokens for everybody"),
    TEXT("ready-file", ready_file, NULL, "FILE", "write the service's URLs there once it serves"),
    FLAG("access-log", access_log, "log every request, not only those that failed on our side"),
    TEXT("log-level", log_level, "info", "LEVEL", "error, warning, info or debug"),
};

enum {
  SETTINGS = sizeof settings / sizeof settings[0],
  FLAG_CONFIG = 1000,
  FLAG_HELP,
  FLAG_VERSION,
  FLAG_COMPROMISED,
  FLAG_ACCEPT_RESTORE,
  FLAG_NEW_ROOT_KEY_FILE
};

static void *place(struct config *config, const struct setting *setting) {
  return (char *)config + setting->offset;
}

/* Reports a refused setting. `origin` says where the text came from. */
static bool refuse(const char *origin, const char *name, const char *why) {
  fprintf(stderr, "apikeysd: %s: %s: %s\n", origin, name, why);
  return false;
}

static bool set_number(const struct setting *setting, int *out, const char *text,
                       const char *origin) {
  char *end, why[80];
  errno = 0;
  long value = strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || value < setting->minimum ||
      value > setting->maximum) {
    snprintf(why, sizeof why, "must be a number from %d to %d", setting->minimum, setting->maximum);
    return refuse(origin, setting->name, why);
  }
  *out = (int)value;
  return true;
}

static bool set_flag(const struct setting *setting, bool *out, const char *text,
                     const char *origin) {
  if (strcmp(text, "on") == 0 || strcmp(text, "1") == 0 || strcmp(text, "true") == 0)
    *out = true;
  else if (strcmp(text, "off") == 0 || strcmp(text, "0") == 0 || strcmp(text, "false") == 0)
    *out = false;
  else
    return refuse(origin, setting->name, "must be on or off");
  return true;
}

static bool add_to_list(const struct setting *setting, struct config_list *list, const char *text,
                        size_t length, const char *origin) {
  if (list->count == CONFIG_LIST_MAX)
    return refuse(origin, setting->name, "too many");
  list->at[list->count] = strndup(text, length);
  if (list->at[list->count] == NULL)
    return refuse(origin, setting->name, "out of memory");
  list->count++;
  return true;
}

/* Lists in variables and in the file are separated by blanks. */
static bool set_list(const struct setting *setting, struct config_list *list, const char *text,
                     const char *origin) {
  for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
    size_t length = strcspn(text, " ");
    if (!add_to_list(setting, list, text, length, origin))
      return false;
    text += length;
  }
  return true;
}

static bool set(struct config *config, const struct setting *setting, const char *text,
                const char *origin) {
  char **to;
  switch (setting->type) {
  case SETTING_TEXT:
    to = place(config, setting);
    free(*to);
    *to = strdup(text);
    return *to != NULL || refuse(origin, setting->name, "out of memory");
  case SETTING_NUMBER:
    return set_number(setting, place(config, setting), text, origin);
  case SETTING_FLAG:
    return set_flag(setting, place(config, setting), text, origin);
  case SETTING_LIST:
    return set_list(setting, place(config, setting), text, origin);
  }
  return false;
}

/* -- Where settings come from ------------------------------------------------------------------ */

static void usage(void) {
  printf(
      "usage: apikeysd [options]\n       apikeysd recover [--accept-restore] [options]\n"
      "       apikeysd rotate-root-key [--compromised] [--new-root-key-file FILE] [options]\n\n"
      "Serves API keys over HTTP. recover: makes a management key, for the owner of the database\n"
      "who has lost theirs, and ends; --accept-restore: revokes what a restored backup would "
      "revive,\n"
      "instead, with the service stopped. rotate-root-key: seals every key under a new root key, "
      "and\n"
      "ends; --compromised: the old one was stolen, so widget tokens and dashboard sessions end.\n"
      "Both also while the service runs.\n\n");
  printf("  --%-34s %s\n", "config FILE", "settings, one a line: listen = 127.0.0.1:8787");
  for (size_t i = 0; i < SETTINGS; i++) {
    char flag[64];
    snprintf(flag, sizeof flag, "%s%s%s", settings[i].name, settings[i].placeholder ? " " : "",
             settings[i].placeholder ? settings[i].placeholder : "");
    printf("  --%-34s %s", flag, settings[i].help);
    if (settings[i].initial != NULL)
      printf(" (%s)", settings[i].initial);
    printf("\n");
  }
  printf("  --%-34s %s\n  --%-34s %s\n", "help", "this", "version", "which version this is");
  printf("\nEvery setting may also come from the environment: APIKEYSD_LISTEN for --listen. No "
         "setting is a\nsecret itself: secrets are in files, of which others are told only the "
         "name. As systemd's\ncredentials they may be called root-key, tls-certificate and "
         "tls-key.\n");
}

static bool read_defaults(struct config *config) {
  for (size_t i = 0; i < SETTINGS; i++)
    if (settings[i].initial != NULL && !set(config, &settings[i], settings[i].initial, "default"))
      return false;
  return true;
}

static const struct setting *find_setting(const char *name, size_t length) {
  for (size_t i = 0; i < SETTINGS; i++)
    if (strlen(settings[i].name) == length && memcmp(settings[i].name, name, length) == 0)
      return &settings[i];
  return NULL;
}

static const char *nearest_setting(const char *name) {
  const char *names[SETTINGS];
  for (size_t i = 0; i < SETTINGS; i++)
    names[i] = settings[i].name;
  return nearest_name(name, names, SETTINGS);
}

static bool refuse_unknown(const char *origin, const char *name) {
  char why[128];
  const char *near = nearest_setting(name);
  snprintf(why, sizeof why, near != NULL ? "no such setting; is %s meant?" : "no such setting",
           near);
  return refuse(origin, name, why);
}

/* Kubernetes sets such variables for a service that is called apikeysd. */
static bool is_of_kubernetes(const char *name) {
  return strncmp(name, "PORT", 4) == 0 || strncmp(name, "SERVICE_", 8) == 0;
}

/* An unknown APIKEYSD_ variable is a misspelt setting: refused, because it would have no effect. */
static bool check_environment(void) {
  static const char prefix[] = "APIKEYSD_";
  for (char **at = environ; *at != NULL; at++) {
    const char *rest = *at + sizeof prefix - 1;
    if (strncmp(*at, prefix, sizeof prefix - 1) != 0 || is_of_kubernetes(rest))
      continue;
    char name[64] = "";
    size_t length = strcspn(rest, "=");
    for (size_t i = 0; i < length && i < sizeof name - 1; i++)
      name[i] = (char)(rest[i] == '_' ? '-' : tolower((unsigned char)rest[i]));
    if (strcmp(name, "config") != 0 && find_setting(name, strlen(name)) == NULL)
      return refuse_unknown("environment", name);
  }
  return true;
}

static bool read_environment(struct config *config) {
  for (size_t i = 0; i < SETTINGS; i++) {
    char name[64] = "APIKEYSD_";
    size_t used = strlen(name);
    for (const char *c = settings[i].name; *c != '\0'; c++)
      name[used++] = (char)(*c == '-' ? '_' : toupper((unsigned char)*c));
    name[used] = '\0';
    const char *text = getenv(name);
    if (text != NULL && !set(config, &settings[i], text, "environment"))
      return false;
  }
  return true;
}

/* Refuses quotes and inline comments: other formats give them a meaning, here they would be part of
 * the text. */
static bool is_plain(const char *text, const char *name, const char *origin) {
  if (text[0] == '"' || text[0] == '\'')
    return refuse(origin, name, "must stand without quotes");
  if (strstr(text, " #") != NULL || strstr(text, "\t#") != NULL)
    return refuse(origin, name, "a comment needs a line of its own");
  return true;
}

/* "name = text", a comment behind '#', or nothing. */
static bool read_line(struct config *config, char *line, const char *origin) {
  line[strcspn(line, "\r\n")] = '\0';
  line += strspn(line, " \t");
  if (*line == '\0' || *line == '#')
    return true;
  size_t length = strcspn(line, " \t=");
  const struct setting *setting = find_setting(line, length);
  char *text = line + length;
  text += strspn(text, " \t");
  if (*text != '=')
    return refuse(origin, line, "there is no '=' behind the name");
  if (setting == NULL) {
    line[length] = '\0';
    return refuse_unknown(origin, line);
  }
  text += 1 + strspn(text + 1, " \t");
  for (size_t end = strlen(text); end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t'); end--)
    text[end - 1] = '\0';
  return is_plain(text, setting->name, origin) && set(config, setting, text, origin);
}

static bool read_file(struct config *config, const char *path) {
  FILE *file = fopen(path, "re");
  if (file == NULL)
    return refuse("--config", path, strerror(errno));
  char *line = NULL;
  size_t size = 0;
  bool good = true;
  for (bool first = true; good && getline(&line, &size, file) >= 0; first = false)
    good = first && strncmp(line, "\xEF\xBB\xBF", 3) == 0
               ? refuse(path, "its first bytes", "are a byte order mark: save it without one")
               : read_line(config, line, path);
  free(line);
  fclose(file);
  return good;
}

static void set_of_command(struct config *config, int chosen) {
  if (config == NULL)
    return;
  if (chosen == FLAG_ACCEPT_RESTORE) {
    config->accept_restore = true;
  } else if (chosen == FLAG_COMPROMISED) {
    config->compromised = true;
  } else {
    free(config->new_root_key_file);
    config->new_root_key_file = strdup(optarg);
  }
}

/* Walks over the flags: with `config` NULL it only looks for --config, --help and --version. */
static enum config_outcome read_flags(struct config *config, enum config_command command, int argc,
                                      char **argv, const char **file) {
  struct option options[SETTINGS + 6] = {{0}};
  for (size_t i = 0; i < SETTINGS; i++)
    options[i] = (struct option){settings[i].name,
                                 settings[i].type == SETTING_FLAG ? no_argument : required_argument,
                                 NULL, (int)i};
  options[SETTINGS] = (struct option){"config", required_argument, NULL, FLAG_CONFIG};
  options[SETTINGS + 1] = (struct option){"help", no_argument, NULL, FLAG_HELP};
  options[SETTINGS + 2] = (struct option){"version", no_argument, NULL, FLAG_VERSION};
  if (command == COMMAND_ROTATE_ROOT_KEY) {
    options[SETTINGS + 3] = (struct option){"compromised", no_argument, NULL, FLAG_COMPROMISED};
    options[SETTINGS + 4] =
        (struct option){"new-root-key-file", required_argument, NULL, FLAG_NEW_ROOT_KEY_FILE};
  }
  if (command == COMMAND_RECOVER)
    options[SETTINGS + 3] =
        (struct option){"accept-restore", no_argument, NULL, FLAG_ACCEPT_RESTORE};
  int chosen;
  optind = 1;
  opterr = config == NULL; /* one message for a flag that is none */
  while ((chosen = getopt_long(argc, argv, "", options, NULL)) != -1) {
    if (chosen == FLAG_HELP) {
      usage();
      return CONFIG_HELP;
    }
    if (chosen == FLAG_VERSION) {
      printf("apikeysd %s\n", apikeys_version_text());
      return CONFIG_HELP;
    }
    if (chosen == FLAG_CONFIG)
      *file = optarg;
    else if (chosen == FLAG_COMPROMISED || chosen == FLAG_NEW_ROOT_KEY_FILE ||
             chosen == FLAG_ACCEPT_RESTORE)
      set_of_command(config, chosen);
    else if (chosen < 0 || chosen >= (int)SETTINGS)
      return CONFIG_REFUSED;
    else if (config != NULL &&
             !set(config, &settings[chosen], optarg != NULL ? optarg : "on", "flag"))
      return CONFIG_REFUSED;
  }
  if (optind < argc) {
    fprintf(stderr, "apikeysd: %s: not an option; see --help\n", argv[optind]);
    return CONFIG_REFUSED;
  }
  return CONFIG_GOOD;
}

/* Derives a path that was not set from the database's path. */
static bool derive(char **text, const char *database, const char *suffix) {
  if (*text != NULL)
    return true;
  size_t size = strlen(database) + strlen(suffix) + 1;
  *text = malloc(size);
  if (*text != NULL)
    snprintf(*text, size, "%s%s", database, suffix);
  return *text != NULL;
}

/* Where no file was named, uses systemd's credentials (LoadCredential=root-key:…): "root-key",
 * "tls-certificate", "tls-key". */
static bool use_credential(char **path, const char *name) {
  const char *directory = getenv("CREDENTIALS_DIRECTORY");
  if (*path != NULL || directory == NULL)
    return true;
  size_t size = strlen(directory) + strlen(name) + 2;
  *path = malloc(size);
  if (*path == NULL)
    return false;
  snprintf(*path, size, "%s/%s", directory, name);
  if (access(*path, F_OK) != 0) {
    free(*path);
    *path = NULL;
  }
  return true;
}

static bool is_of_systemd(const char *path) {
  const char *directory = getenv("CREDENTIALS_DIRECTORY");
  size_t length = directory != NULL ? strlen(directory) : 0;
  return length > 0 && strncmp(path, directory, length) == 0 && path[length] == '/';
}

/* A root key file inside the credentials' folder is a credential: it must exist. */
static void take_credential(struct config *config) {
  if (config->root_key_file == NULL || !is_of_systemd(config->root_key_file))
    return;
  config->root_key_credential = config->root_key_file;
  config->root_key_file = NULL;
}

static bool use_credentials(struct config *config) {
  take_credential(config);
  return (config->root_key_file != NULL ||
          use_credential(&config->root_key_credential, "root-key")) &&
         use_credential(&config->tls_certificate, "tls-certificate") &&
         use_credential(&config->tls_key, "tls-key");
}

/* A port alone means 127.0.0.1, so that a short setting opens nothing to the network. */
static bool complete_address(char **address) {
  static const char loopback[] = "127.0.0.1:";
  if (*address == NULL || strchr(*address, ':') != NULL)
    return true;
  size_t size = strlen(*address) + sizeof loopback;
  char *whole = malloc(size);
  if (whole == NULL)
    return false;
  snprintf(whole, size, "%s%s", loopback, *address);
  free(*address);
  *address = whole;
  return true;
}

/* "…:0" to "…:65535". */
static bool check_port(const char *setting, const char *address) {
  const char *port = address != NULL ? strrchr(address, ':') + 1 : "0";
  size_t digits = strspn(port, "0123456789");
  return (digits > 0 && digits <= 5 && port[digits] == '\0' && atoi(port) <= 65535) ||
         refuse("settings", setting, "must end in a port: a number from 0 to 65535");
}

/* True for a scheme, a host and perhaps a port. Anything more would equal no Origin and no Host. */
static bool is_origin(const char *text) {
  size_t scheme = strncmp(text, "https://", 8) == 0 ? 8 : strncmp(text, "http://", 7) == 0 ? 7 : 0;
  const char *host = text + scheme;
  return scheme > 0 && *host != '\0' && *host != ':' && host[strcspn(host, "/?#@ \"<>\\")] == '\0';
}

static bool check_urls(const struct config *config) {
  if (config->public_url != NULL && !is_origin(config->public_url))
    return refuse("settings", "public-url",
                  "must be http:// or https:// and a host, without a path or a slash behind it");
  for (size_t i = 0; i < config->allowed_origins.count; i++) {
    const char *origin = config->allowed_origins.at[i];
    if (strcmp(origin, "*") != 0 && !is_origin(origin))
      return refuse("settings", "allow-origin",
                    "must be *, or http:// or https:// and a host, without a path or a slash "
                    "behind it: browsers send no more");
  }
  return true;
}

static bool check_readable(const char *setting, const char *path) {
  return path == NULL || access(path, R_OK) == 0 || refuse(setting, path, strerror(errno));
}

static bool check(const struct config *config) {
  if (!check_port("listen", config->listen) ||
      !check_port("metrics-listen", config->metrics_listen) || !check_urls(config) ||
      !check_readable("webhook-ca-file", config->webhook_ca_file))
    return false;
  if ((config->tls_certificate == NULL) != (config->tls_key == NULL))
    return refuse("settings", "tls-certificate",
                  "needs tls-key beside it, and the other way round");
  for (size_t i = 0; i < config->trusted_proxies.count; i++)
    if (!client_address_is_block(config->trusted_proxies.at[i]))
      return refuse("settings", "trust-proxy", "must be addresses, or blocks such as 10.0.0.0/8");
  if (strcmp(config->on_replaced, "exit") != 0 && strcmp(config->on_replaced, "reopen") != 0)
    return refuse("settings", "on-replaced", "must be exit or reopen");
  bool loopback =
      strncmp(config->listen, "127.", 4) == 0 || strncmp(config->listen, "[::1]:", 6) == 0;
  if (config->demo && !loopback)
    return refuse("settings", "demo", "only on loopback: it gives widget tokens to everybody");
  return true;
}

static enum config_command read_command(int argc, char **argv) {
  const char *word = argc > 1 ? argv[1] : "";
  return strcmp(word, "recover") == 0           ? COMMAND_RECOVER
         : strcmp(word, "rotate-root-key") == 0 ? COMMAND_ROTATE_ROOT_KEY
                                                : COMMAND_SERVE;
}

enum config_outcome config_read(struct config *config, int argc, char **argv) {
  config->command = read_command(argc, argv);
  if (config->command != COMMAND_SERVE) {
    argc--; /* the flags follow the command */
    argv++;
  }
  const char *file = getenv("APIKEYSD_CONFIG");
  enum config_outcome outcome = read_flags(NULL, config->command, argc, argv, &file);
  if (outcome != CONFIG_GOOD)
    return outcome;
  if (!read_defaults(config) || (file != NULL && !read_file(config, file)) ||
      !check_environment() || !read_environment(config) ||
      read_flags(config, config->command, argc, argv, &file) != CONFIG_GOOD ||
      !derive(&config->management_key_file, config->database, ".management-key") ||
      !use_credentials(config) || !complete_address(&config->listen) ||
      !complete_address(&config->metrics_listen) || !check(config))
    return CONFIG_REFUSED;
  return CONFIG_GOOD;
}

void config_free(struct config *config) {
  free(config->new_root_key_file);
  free(config->root_key_credential);
  for (size_t i = 0; i < SETTINGS; i++) {
    if (settings[i].type == SETTING_TEXT)
      free(*(char **)place(config, &settings[i]));
    if (settings[i].type == SETTING_LIST) {
      struct config_list *list = place(config, &settings[i]);
      while (list->count > 0)
        free(list->at[--list->count]);
    }
  }
}
