/* SPDX-License-Identifier: MIT */
/*
 * What libmicrohttpd refuses by itself, before the guard sees it: a first line that is none, a head
 * that is too large, a length that is no number. It would answer in HTML, in the last case with its
 * head twice, so that a client could not even read the status from the body. Here such requests get
 * what all others get: JSON, with an id.
 *
 * The library has no option for that. But it calls its own public functions where a program's own
 * of the same name come first (as symbols of shared objects do), and so this program has its own
 * MHD_queue_response() and MHD_lookup_connection_value_n(), around the library's. A version, or a
 * linker, for which they do not come first gives the library's own answers again: what is refused
 * stays refused.
 */
#ifndef SERVER_HTTP_MHD_ERROR_PAGES_H
#define SERVER_HTTP_MHD_ERROR_PAGES_H

#include <microhttpd.h>

/* MHD_queue_response() for answers of ours: what that name itself queues is taken for a refusal of
 * the library's. */
enum MHD_Result mhd_error_pages_queue_answer(struct MHD_Connection *connection, unsigned status,
                                             struct MHD_Response *response);

#endif
