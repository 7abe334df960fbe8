/* SPDX-License-Identifier: MIT */
/* The route tables of all parts of the service; each stands at the end of its own file. */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include "http/router.h"

extern const struct route validation_routes[];
extern const struct route key_routes[];
extern const struct route management_key_routes[];
extern const struct route environment_routes[];
extern const struct route health_routes[];
extern const struct route demo_routes[];
extern const struct route widget_routes[];
extern const struct route organization_routes[];
extern const struct route permission_routes[];
extern const struct route role_routes[];
extern const struct route user_routes[];
extern const struct route membership_routes[];
extern const struct route user_key_routes[];
extern const struct route event_routes[];
extern const struct route widget_token_routes[];
extern const struct route webhook_endpoint_routes[];
extern const struct route webhook_delivery_routes[];
extern const struct route key_lookup_routes[];
extern const struct route sign_in_routes[];
extern const struct route page_routes[];

#endif
