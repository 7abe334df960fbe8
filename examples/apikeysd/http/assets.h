/* SPDX-License-Identifier: MIT */
/*
 * The files of assets/, which are part of the program (embed.cmake). They are revalidated by their
 * ETag: what a browser runs is always what this program holds.
 */
#ifndef SERVER_HTTP_ASSETS_H
#define SERVER_HTTP_ASSETS_H

#include "http/exchange.h"

struct asset {
  const char *name; /* below assets/: "dashboard/index.html" */
  const char *type;
  const char *etag; /* quoted, as the header wants it */
  const unsigned char *bytes;
  size_t length;
};

/* Sorted by name; ended by an entry without one. */
extern const struct asset assets[];

/*
 * Answers with the asset of that name: 200, 304 if the client has it, or 404. The name is looked up
 * as it stands, so no path is ever walked; NULL (out of memory) is not found.
 */
void assets_answer(struct exchange *x, const char *name);

/* The same for an HTML page of ours: with what keeps foreign code and frames out. */
void assets_answer_page(struct exchange *x, const char *name);

#endif
