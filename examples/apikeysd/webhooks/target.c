/* SPDX-License-Identifier: MIT */
/* Checks webhooks' URLs and addresses. */
#include "webhooks/target.h"

#include <curl/curl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* -- Addresses --------------------------------------------------------------------------------- */

struct block4 {
  uint32_t network;
  int bits;
};

/*
 * The IANA registry of special-purpose IPv4 addresses (RFC 6890), multicast and reserved blocks:
 * none of them is a customer's server. 169.254.169.254, where clouds keep their machines'
 * credentials, is in the link-local block.
 */
static const struct block4 not_public4[] = {
    {0x00000000, 8},  /* 0.0.0.0/8, this network */
    {0x0A000000, 8},  /* 10.0.0.0/8, private */
    {0x64400000, 10}, /* 100.64.0.0/10, carriers' */
    {0x7F000000, 8},  /* 127.0.0.0/8, loopback */
    {0xA9FE0000, 16}, /* 169.254.0.0/16, link-local */
    {0xAC100000, 12}, /* 172.16.0.0/12, private */
    {0xC0000000, 24}, /* 192.0.0.0/24, protocols' */
    {0xC0000200, 24}, /* 192.0.2.0/24, documentation */
    {0xC0586300, 24}, /* 192.88.99.0/24, 6to4 relays */
    {0xC0A80000, 16}, /* 192.168.0.0/16, private */
    {0xC6120000, 15}, /* 198.18.0.0/15, benchmarks */
    {0xC6336400, 24}, /* 198.51.100.0/24, documentation */
    {0xCB007100, 24}, /* 203.0.113.0/24, documentation */
    {0xE0000000, 4},  /* 224.0.0.0/4, multicast */
    {0xF0000000, 4},  /* 240.0.0.0/4, reserved, and broadcast */
};

static bool is_public4(uint32_t address) {
  for (size_t i = 0; i < sizeof not_public4 / sizeof not_public4[0]; i++)
    if ((address ^ not_public4[i].network) >> (32 - not_public4[i].bits) == 0)
      return false;
  return true;
}

/*
 * Global unicast is 2000::/3. Blocks in it that lead elsewhere: to embedded IPv4 addresses (6to4,
 * Teredo), documentation, protocol assignments. Translated (64:ff9b::/96) and mapped
 * (::ffff:0:0/96) addresses lie outside of it.
 */
static bool is_public6(const unsigned char a[16]) {
  if ((a[0] & 0xE0) != 0x20)
    return false;
  if (a[0] == 0x20 && a[1] == 0x01 && a[2] < 0x02) /* 2001::/23 */
    return false;
  if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0D && a[3] == 0xB8) /* 2001:db8::/32 */
    return false;
  if (a[0] == 0x20 && a[1] == 0x02) /* 2002::/16 */
    return false;
  return !(a[0] == 0x3F && a[1] == 0xFF && (a[2] & 0xF0) == 0); /* 3fff::/20 */
}

bool target_address_is_public(const struct sockaddr *address, size_t length) {
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  if (address->sa_family == AF_INET && length >= sizeof v4) {
    memcpy(&v4, address, sizeof v4);
    return is_public4(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6 && length >= sizeof v6) {
    memcpy(&v6, address, sizeof v6);
    return is_public6(v6.sin6_addr.s6_addr);
  }
  return false;
}

/* -- URLs -------------------------------------------------------------------------------------- */

/* True for a number in any form that resolvers take for an address: "127.1", "0x7f000001". */
static bool is_private_number(const char *host) {
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *found = NULL;
  char bare[256];
  size_t length = strlen(host);
  if (length > 2 && host[0] == '[' && length < sizeof bare) {
    memcpy(bare, host + 1, length - 2);
    bare[length - 2] = '\0';
    host = bare;
  }
  if (getaddrinfo(host, NULL, &hints, &found) != 0)
    return false;
  bool private = !target_address_is_public(found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return private;
}

static bool ends_with(const char *host, const char *suffix) {
  size_t length = strlen(host), wanted = strlen(suffix);
  while (length > 0 && host[length - 1] == '.')
    length--;
  return length >= wanted && strncasecmp(host + length - wanted, suffix, wanted) == 0 &&
         (length == wanted || host[length - wanted - 1] == '.');
}

/* Names that never leave the machine or its network (RFC 6761, RFC 6762, RFC 9476). */
static bool is_private_name(const char *host) {
  return ends_with(host, "localhost") || ends_with(host, "local") || ends_with(host, "internal");
}

static const char *part_of(CURLU *url, CURLUPart which, char **text) {
  *text = NULL;
  return curl_url_get(url, which, text, 0) == CURLUE_OK ? *text : NULL;
}

static const char *scheme_problem(CURLU *url, bool allow_http) {
  char *text;
  const char *scheme = part_of(url, CURLUPART_SCHEME, &text), *problem = NULL;
  bool plain = scheme != NULL && strcasecmp(scheme, "http") == 0;
  if (scheme == NULL || (!plain && strcasecmp(scheme, "https") != 0) || (plain && !allow_http))
    problem = allow_http ? "The URL must begin with https:// or http://."
                         : "The URL must begin with https://.";
  curl_free(text);
  return problem;
}

static const char *host_problem(CURLU *url, bool allow_private) {
  char *text;
  const char *host = part_of(url, CURLUPART_HOST, &text), *problem = NULL;
  if (host == NULL || host[0] == '\0')
    problem = "The URL names no host.";
  else if (!allow_private && (is_private_name(host) || is_private_number(host)))
    problem = "The URL's host is not public.";
  curl_free(text);
  return problem;
}

/* A password would be shown to all who may see the endpoint; the signature is what
 * authenticates. */
static const char *credentials_problem(CURLU *url) {
  char *user, *password;
  bool any = part_of(url, CURLUPART_USER, &user) != NULL;
  any = part_of(url, CURLUPART_PASSWORD, &password) != NULL || any;
  curl_free(user);
  curl_free(password);
  return any ? "The URL must not hold a user name or a password." : NULL;
}

const char *target_problem(const char *url, const struct config *config) {
  if (strlen(url) > TARGET_URL_MAX)
    return "The URL is too long.";
  CURLU *parsed = curl_url();
  const char *problem = NULL;
  if (parsed == NULL)
    return "The service is out of memory.";
  const char *authority = strstr(url, "://");              /* curl would forgive a third slash */
  bool foreign = url[strcspn(url, "\"\\<>^`{|}")] != '\0'; /* and what RFC 3986 has no use for */
  if (authority == NULL || authority[3] == '/' || foreign ||
      curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK)
    problem = "The URL is malformed.";
  if (problem == NULL)
    problem = scheme_problem(parsed, config->webhook_allow_http);
  if (problem == NULL)
    problem = credentials_problem(parsed);
  if (problem == NULL)
    problem = host_problem(parsed, config->webhook_allow_private);
  curl_url_cleanup(parsed);
  return problem;
}
