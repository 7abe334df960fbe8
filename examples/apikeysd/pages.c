/* SPDX-License-Identifier: MIT */
/* Pages, scripts and styles: of the dashboard, the widget, the demo. */
#include "config.h"
#include "http/assets.h"
#include "http/reply.h"
#include "routes.h"
#include "service.h"

/* Every place in the dashboard is a path of its own; its one page finds out which. */
static void show_dashboard(struct exchange *x) {
  assets_answer_page(x, "dashboard/index.html");
}

static void enter_dashboard(struct exchange *x) {
  reply_redirect(x, "/dashboard/");
}

static void show_dashboard_asset(struct exchange *x) {
  assets_answer(x, exchange_format(x, "dashboard/%s", exchange_argument(x, "name", NULL)));
}

/*
 * For other origins' pages, which load it as a module: with CORS. The version is in the path: what
 * pages rely on does not change under it.
 */
static void show_widget(struct exchange *x) {
  assets_answer(x, "api-keys-widget.js");
  if (x->status == 200 || x->status == 304)
    reply_header(x, "Cross-Origin-Resource-Policy", "cross-origin");
}

/* What the API is, for programs and people: OpenAPI 3.1. */
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

/* What browsers ask for on pages that name no icon, such as a JSON answer that is looked at. */
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
