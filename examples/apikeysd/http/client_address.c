/* SPDX-License-Identifier: MIT */
#include "http/client_address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An address, or the first `bits` of one; IPv4 as IPv6 has it (::ffff:0:0/96). */
struct block {
  unsigned char address[16];
  unsigned bits;
};

static bool parse_address(unsigned char out[16], const char *text) {
  static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF};
  memcpy(out, mapped, sizeof mapped);
  return inet_pton(AF_INET, text, out + sizeof mapped) == 1 || inet_pton(AF_INET6, text, out) == 1;
}

static bool parse_block(struct block *block, const char *text) {
  char address[EXCHANGE_ADDRESS_MAX];
  const char *slash = strchr(text, '/');
  size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
  if (length >= sizeof address)
    return false;
  memcpy(address, text, length);
  address[length] = '\0';
  if (!parse_address(block->address, address))
    return false;
  unsigned all = strchr(address, ':') != NULL ? 128 : 32;
  block->bits = 128;
  if (slash != NULL) {
    char *end;
    unsigned long bits = strtoul(slash + 1, &end, 10);
    if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || bits > all)
      return false;
    block->bits = (unsigned)bits + (128 - all);
  }
  return true;
}

bool client_address_is_block(const char *text) {
  struct block block;
  return parse_block(&block, text);
}

static bool is_in(const struct block *block, const unsigned char address[16]) {
  unsigned whole = block->bits / 8, rest = block->bits % 8;
  unsigned char mask = (unsigned char)(0xFF00u >> rest);
  return memcmp(block->address, address, whole) == 0 &&
         (rest == 0 || ((block->address[whole] ^ address[whole]) & mask) == 0);
}

bool client_address_is_proxy(const char *text, const struct config_list *proxies) {
  unsigned char address[16];
  struct block block;
  if (!parse_address(address, text))
    return false;
  for (size_t i = 0; i < proxies->count; i++)
    if (parse_block(&block, proxies->at[i]) && is_in(&block, address))
      return true;
  return false;
}

/* The last entry of a header's text, without the port that some proxies add; the text ends before
 * it from then on. False: there is none. */
static bool take_last(const char *text, size_t *length, char out[EXCHANGE_ADDRESS_MAX]) {
  size_t end = *length, start;
  while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t'))
    end--;
  for (start = end; start > 0 && text[start - 1] != ',';)
    start--;
  *length = start > 0 ? start - 1 : 0;
  start += strspn(text + start, " \t");
  if (start >= end || end - start >= EXCHANGE_ADDRESS_MAX)
    return false;
  memcpy(out, text + start, end - start);
  out[end - start] = '\0';
  char *first = strchr(out, ':');
  if (out[0] == '[') { /* "[2001:db8::1]:443" */
    memmove(out, out + 1, strlen(out));
    out[strcspn(out, "]")] = '\0';
  } else if (first != NULL && strchr(first + 1, ':') == NULL) { /* "192.0.2.1:443" */
    *first = '\0';
  }
  return true;
}

/* True: that was the client, or nothing more can be believed. */
static bool follow(struct exchange *x, const struct pair *header,
                   const struct config_list *proxies) {
  char entry[EXCHANGE_ADDRESS_MAX];
  unsigned char address[16];
  for (size_t left = header->length; left > 0;) {
    if (!take_last(header->text, &left, entry) || !parse_address(address, entry))
      return true;
    snprintf(x->address, sizeof x->address, "%s", entry);
    if (!client_address_is_proxy(entry, proxies))
      return true;
  }
  return false;
}

void client_address_find(struct exchange *x, const struct config_list *proxies) {
  if (proxies->count == 0 || !client_address_is_proxy(x->address, proxies))
    return;
  for (size_t i = x->headers.count; i > 0; i--) {
    const struct pair *header = &x->headers.at[i - 1];
    if (strcasecmp(header->name, "X-Forwarded-For") == 0 && follow(x, header, proxies))
      return;
  }
}
