/* SPDX-License-Identifier: MIT */
#ifndef SERVER_HTTP_REQUEST_ID_H
#define SERVER_HTTP_REQUEST_ID_H

enum { REQUEST_ID_MAX = 40 };

/* "req_" and 32 hexadecimal digits. */
void request_id(char out[REQUEST_ID_MAX]);

#endif
