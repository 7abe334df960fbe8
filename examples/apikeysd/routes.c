/* SPDX-License-Identifier: MIT */
/* The list of all route tables. */
#include "routes.h"

/* The busiest first. */
const struct route *const route_tables[] = {
    validation_routes,       //
    widget_routes,           //
    key_routes,              //
    user_key_routes,         //
    organization_routes,     //
    user_routes,             //
    membership_routes,       //
    permission_routes,       //
    role_routes,             //
    event_routes,            //
    widget_token_routes,     //
    webhook_endpoint_routes, //
    webhook_delivery_routes, //
    management_key_routes,   //
    environment_routes,      //
    health_routes,           //
    key_lookup_routes,       //
    sign_in_routes,          //
    page_routes,             //
    demo_routes,             //
    NULL,
};
