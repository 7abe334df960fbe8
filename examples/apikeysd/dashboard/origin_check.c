/* SPDX-License-Identifier: MIT */
/* Checks Host, Origin and Sec-Fetch-Site. */
#include "dashboard/origin_check.h"

#include "config.h"
#include "http/reply.h"
#include "service.h"

#include <string.h>
#include <strings.h>

/* A host without its port, as it stands in a header or a URL: "keys.example", "[::1]". */
struct host {
  const char *text;
  size_t length;
};

static struct host host_of(const char *authority) {
  struct host host = {authority, strcspn(authority, ":/")};
  const char *end = authority[0] == '[' ? strchr(authority, ']') : NULL;
  if (end != NULL)
    host.length = (size_t)(end + 1 - authority);
  return host;
}

static bool same(struct host a, struct host b) {
  return a.length == b.length && strncasecmp(a.text, b.text, a.length) == 0;
}

static bool is(struct host host, const char *name) {
  return same(host, (struct host){name, strlen(name)});
}

static bool is_loopback(struct host host) {
  return is(host, "localhost") || is(host, "[::1]") ||
         (host.length > 4 && strncmp(host.text, "127.", 4) == 0 &&
          strspn(host.text, "0123456789.") >= host.length);
}

/* An IP address cannot be rebound, because no name server had a say in it. */
static bool is_address(struct host host) {
  return host.length > 0 &&
         (host.text[0] == '[' || strspn(host.text, "0123456789.") >= host.length);
}

static bool fits_listen(const char *listen, struct host host) {
  struct host own = host_of(listen);
  if (is(own, "0.0.0.0") || is(own, "[::]"))
    return is_address(host);
  return same(own, host) || (is_loopback(own) && is_loopback(host));
}

static const char *after_scheme(const char *url) {
  const char *colon = strstr(url, "://");
  return colon != NULL ? colon + 3 : url;
}

static bool is_ours(const struct config *config, struct host host) {
  if (fits_listen(config->listen, host))
    return true;
  if (config->public_url != NULL && same(host_of(after_scheme(config->public_url)), host))
    return true;
  for (size_t i = 0; i < config->allowed_hosts.count; i++)
    if (same(host_of(config->allowed_hosts.at[i]), host))
      return true;
  return false;
}

static bool covers(const char *path) {
  static const char *const folders[] = {"/dashboard", "/demo"};
  for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
    size_t length = strlen(folders[i]);
    if (strncmp(path, folders[i], length) == 0 && (path[length] == '\0' || path[length] == '/'))
      return true;
  }
  return strcmp(path, "/") == 0;
}

bool origin_check_host(struct exchange *x) {
  const char *host = exchange_header(x, "Host", NULL);
  if (!covers(x->path) || (host != NULL && is_ours(x->service->config, host_of(host))))
    return true;
  reply_error(x, 421, "unknown_host", "This is not served under that name (see --allow-host).");
  return false;
}

/* The origin that the request was sent to, or the public one if a proxy stands between. */
static bool is_our_origin(const struct exchange *x, const char *origin) {
  const char *url = x->service->config->public_url, *host = exchange_header(x, "Host", NULL);
  if (url != NULL && strncasecmp(url, origin, strlen(origin)) == 0 &&
      strspn(url + strlen(origin), "/") == strlen(url + strlen(origin)))
    return true;
  const char *scheme = x->secure ? "https://" : "http://";
  return host != NULL && strncmp(origin, scheme, strlen(scheme)) == 0 &&
         strcasecmp(origin + strlen(scheme), host) == 0;
}

bool origin_check_origin(struct exchange *x) {
  const char *origin = exchange_header(x, "Origin", NULL);
  const char *site = exchange_header(x, "Sec-Fetch-Site", NULL);
  bool reads = x->method == METHOD_GET;
  bool good = reads || origin != NULL || site != NULL;
  if (good && origin != NULL)
    good = is_our_origin(x, origin);
  if (good && site != NULL)
    good = strcmp(site, "same-origin") == 0 || (reads && strcmp(site, "none") == 0);
  if (!good)
    reply_error(x, 403, "foreign_origin", "This can only be asked by the dashboard's own pages.");
  return good;
}
