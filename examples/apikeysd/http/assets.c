/* SPDX-License-Identifier: MIT */
#include "http/assets.h"

#include "http/reply.h"

#include <string.h>

static const struct asset *find(const char *name) {
  for (const struct asset *asset = assets; name != NULL && asset->name != NULL; asset++)
    if (strcmp(asset->name, name) == 0)
      return asset;
  return NULL;
}

/* If-None-Match is a list of tags, or "*"; a proxy may have made them weak: "W/" is skipped. */
static bool client_has(const struct exchange *x, const struct asset *asset) {
  const char *tags = exchange_header(x, "If-None-Match", NULL);
  return tags != NULL && (strcmp(tags, "*") == 0 || strstr(tags, asset->etag) != NULL);
}

void assets_answer(struct exchange *x, const char *name) {
  const struct asset *asset = find(name);
  if (asset == NULL) {
    reply_error(x, 404, "not_found", "The requested path '%s' could not be found.", x->path);
    return;
  }
  if (client_has(x, asset))
    reply_not_modified(x);
  else
    reply_static(x, asset->type, asset->bytes, asset->length);
  reply_header(x, "ETag", asset->etag);
  reply_header(x, "Cache-Control", "no-cache");
}

void assets_answer_page(struct exchange *x, const char *name) {
  static const char *const headers[][2] = {
      /* Trusted Types: not even our own code can turn text into markup. */
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
       "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
       "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Permissions-Policy",
       "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
       "magnetometer=(), microphone=(), midi=(), payment=(), usb=(), "
       "clipboard-read=(), clipboard-write=(self)"},
  };
  assets_answer(x, name);
  for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
    reply_header(x, headers[i][0], headers[i][1]);
}
