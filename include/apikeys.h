/* SPDX-License-Identifier: MIT */
/*
 * libapikeys: self-service API keys inside your own process.
 *
 * This is the umbrella header, and the contract that all of them share. <apikeys/document.h>, for
 * services that are built on the library, is not part of it.
 *
 * Caveats first
 *   - The database and its root key file (`<database>.root`) belong together. A backup of one
 *     without the other restores nothing. Whoever has both can check guesses, never read values.
 *   - A process forked while an environment is open must not use it: see apikeys_prepare_fork().
 *   - One copy of SQLite per process, a local file system: SQLite's own rules.
 *   - Who can write the store can change a key's state and permissions. What they cannot do is to
 *     make a key that verifies, or to move one to another owner.
 *   - Whether a lookup id exists may show in timing. Nothing shows of a secret.
 *
 * Results
 *   int functions return 0 for good, a positive refusal (validations and _require functions only),
 *   or a negative failure: <apikeys/error.h>. On failure nothing was changed and outputs are
 *   untouched. There is no function that answers a security question with true or false.
 *   The last argument `apikeys_error *err` is optional and takes the detail.
 *
 * Ownership
 *   Every handle is opaque. What an apikeys_x_new() gives is freed by apikeys_x_free(), which takes
 *   NULL. Text in is a pointer and a length (or APIKEYS_NUL: up to its NUL), and is copied; an
 *   embedded NUL is an error. Text out is lent: NUL-terminated, alive until its object is changed
 *   or freed; the `size_t *length` beside it may be NULL. Secrets go into the caller's buffer, for
 *   the caller to wipe. Objects own what they show: they outlive the environment, and may be freed
 *   in any order.
 *
 * Setters
 *   A setter returns 0 or a failure. The failure is kept: the call that uses the object fails too,
 *   and names the field and the reason ("limit: must be 1 to 100"). A later good set of the same
 *   field clears it; a later good add (of a permission, a domain, metadata) does not, because what
 *   the bad one should have added is still missing.
 *
 * Threads
 *   An environment may be used by many threads at once, and so may a requirement after its first
 *   use. Every other object is used by one thread at a time, whichever. No thread-local state is
 *   kept between calls. Callbacks come on the caller's thread, with no lock held.
 *
 * Names
 *   The name of a key, organization, member (display name), role or permission is UTF-8 without
 *   control characters and without controls of the writing direction (U+202A to U+202E, U+2066 to
 *   U+2069), and shows something: it is not of blanks and zero-width characters alone.
 *
 * Units
 *   Times are int64_t Unix milliseconds, and say so: `_ms`. 0 is "never" or "none". Lengths are
 *   bytes. Text is UTF-8.
 *
 * Misplaced secrets
 *   What looks like a key's value or a signed token is refused as a name, description, member's
 *   text or metadata (APIKEYS_ERROR_INVALID_ARGUMENT; the message does not repeat it), and masked
 *   in reasons, addresses, user agents, request ids and log lines. The host's own documents and
 *   their ids are left alone.
 *
 * The library never prints, aborts, exits, or installs a signal handler.
 */
#ifndef APIKEYS_H
#define APIKEYS_H

#include <apikeys/actor.h>
#include <apikeys/base.h>
#include <apikeys/environment.h>
#include <apikeys/error.h>
#include <apikeys/event.h>
#include <apikeys/key.h>
#include <apikeys/list.h>
#include <apikeys/member.h>
#include <apikeys/organization.h>
#include <apikeys/permission.h>
#include <apikeys/role.h>
#include <apikeys/storage.h>
#include <apikeys/validate.h>
#include <apikeys/widget_token.h>

#endif
