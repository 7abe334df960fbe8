// SPDX-License-Identifier: MIT
//
// <api-keys-widget>: lets the members of an organization create, see and revoke its API keys.
//
//   <script type="module" src="https://keys.example.com/widget/v1/api-keys-widget.js"></script>
//   <api-keys-widget token-url="/widget-token"></api-keys-widget>
//
// The token is a widget token, which your server gets from the service for the person signed in
// (POST /widgets/token). Give it in one of three ways; the first two let the widget renew it:
//   token-url="/path"                 a URL of your application that answers {"token": "…"} or the
//                                     bare token; asked with your own origin's cookies
//   element.tokenProvider = async () => token
//   token="…"
//
// Attributes   base-url   the service (default: where this module came from); allow your page's
//                         origin there (--allow-origin)
//              scope      "organization" (default), or "user" for the member's own keys
//              theme      "light" or "dark" (default: as the system has it)
//              lang       language of dates and plurals (default: the page's)
// Properties   strings    texts to replace, see `defaultStrings`: { create: 'New key', … }
//              tokenProvider, and token, tokenUrl, baseUrl, scope as the attributes
// Method       refresh()
// Events       api-key-created, api-key-updated, api-key-revoked; detail { id, name }, never a value
// Exports      ApiKeysElement (the class), defaultStrings
// CSS          --api-keys-accent, -on-accent, -danger, -on-danger, -warning, -surface, -raised,
//              -subtle, -text, -muted, -line, -edge, -radius, -font, -font-mono, -font-size
//              ::part(root), ::part(panel), ::part(create)
//
// Content-Security-Policy: script-src and connect-src need the service's origin, nothing else; the
// widget uses no inline style or script and works where Trusted Types are required.
export { ApiKeysElement } from './element.js';
export { defaultStrings } from './strings.js';
