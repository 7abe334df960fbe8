/* SPDX-License-Identifier: MIT */
/* Routes of the pages, scripts and styles of the dashboard, the widget and the demo. */
#include "config.h"
#include "http/assets.h"
#include "http/reply.h"
#include "routes.h"
#include "service.h"

/* Each place in the dashboard has its own path; one page serves all and reads the path. */
static void show_dashboard(struct exchange *x) {
  assets_answer_page(x, "dashboard/index.html");
}

static void enter_dashboard(struct exchange *x) {
  reply_redirect(x, "/dashboard/");
}

static void show_dashboard_asset(struct exchange *x) {
  assets_answer(x, exchange_format(x, "dashboard/%s", exchange_argument(x, "name", NULL)));
}

/* Pages of other origins load this module: with CORS. The path has a version, so that what those
 * pages rely on does not change. */
static void show_widget(struct exchange *x) {
  assets_answer(x, "api-keys-widget.js");
  if (x->status == 200 || x->status == 304)
    reply_header(x, "Cross-Origin-Resource-Policy", "cross-origin");
}

/* The OpenAPI 3.1 document. */
static void show_document(struct exchange *x) {
  assets_answer(x, "api/openapi.json");
}

static bool is_demo(struct exchange *x) {
  if (!x->service->config->demo)
    reply_error(x, 404, "not_found", "This is no demo.");
  return x->service->config->demo;
}

static void show_start(struct exchange *x) {
  if (x->service->config->demo)
    assets_answer_page(x, "demo/start.html");
  else
    enter_dashboard(x);
}

static void show_demo(struct exchange *x) {
  if (is_demo(x))
    assets_answer_page(x, "demo/index.html");
}

static void enter_demo(struct exchange *x) {
  if (is_demo(x))
    reply_redirect(x, "/demo");
}

/* Browsers ask for this on pages that name no icon, such as a JSON answer. */
static void show_icon(struct exchange *x) {
  assets_answer(x, "dashboard/icon.svg");
}

static void show_demo_asset(struct exchange *x) {
  if (is_demo(x))
    assets_answer(x, exchange_format(x, "demo/%s", exchange_argument(x, "name", NULL)));
}

const struct route page_routes[] = {
    {METHOD_GET, "/", ACCESS_PUBLIC, show_start},
    {METHOD_GET, "/widget/v1/api-keys-widget.js", ACCESS_PUBLIC, show_widget},
    {METHOD_GET, "/openapi.json", ACCESS_PUBLIC, show_document},
    {METHOD_GET, "/favicon.ico", ACCESS_PUBLIC, show_icon},
    {METHOD_GET, "/demo", ACCESS_PUBLIC, show_demo},
    {METHOD_GET, "/demo/", ACCESS_PUBLIC, enter_demo},
    {METHOD_GET, "/demo/assets/:name", ACCESS_PUBLIC, show_demo_asset},
    {METHOD_GET, "/dashboard", ACCESS_PUBLIC, enter_dashboard},
    {METHOD_GET, "/dashboard/assets/:name", ACCESS_PUBLIC, show_dashboard_asset},
    {METHOD_GET, "/dashboard/*place", ACCESS_PUBLIC, show_dashboard},
    {0},
};
