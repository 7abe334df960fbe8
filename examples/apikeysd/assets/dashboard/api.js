// SPDX-License-Identifier: MIT
//
// The service's REST API under /dashboard/api, where the session's cookie lets us in.

const FIELD_TEXTS = {
  required: 'This is needed.',
  unknown_permission: 'One of these permissions does not exist (any more).',
  permission_not_available: 'One of these permissions is not available to such keys.',
};

const DOUBT = 'No answer came, so it is not known whether this was done. Please look before you try again.';
const SAFE_DOUBT = 'No answer came, so it is not known whether this was done. Send it again as it is: it is never done twice.';
const OTHER_KEY = 'You have signed in with another key. Send this again if it is to be done with that one.';
const IN_FLIGHT = 'idempotency_key_in_flight';
const IN_FLIGHT_PATIENCE_MS = 30_000;
const IN_FLIGHT_DELAY_MS = 2_000;

/** An answer other than 2xx; `fields` has a message for each wrong field. */
export class ApiError extends Error {
  constructor(status, body) {
    super(body?.message ?? 'The service gave no answer that makes sense.');
    this.status = status;
    this.code = body?.code ?? null;
    this.leavesDoubt = false; // true: the change may have happened
    this.fields = {};
    for (const { field, code, message } of body?.errors ?? [])
      this.fields[field] = message ?? FIELD_TEXTS[code] ?? 'This is not valid.';
  }
}

/** A change that got no answer from the service: a gateway's, or none at all. */
function doubtful(status, code = null) {
  const error = new ApiError(status, { message: DOUBT, code });
  error.leavesDoubt = true;
  return error;
}

let session = null;
let whenSignedOut = async () => false;

export const currentSession = () => session;
export const can = (scope) => session?.key.permissions.includes(scope) ?? false;
/** `callback` shows the sign-in form; its promise says whether the person signed in. */
export const onSignedOut = (callback) => (whenSignedOut = callback);

async function send(method, url, { body, background = false, headers = {}, signal }) {
  try {
    return await fetch(url, {
      method,
      signal,
      cache: 'no-store',
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(method === 'GET' ? {} : { 'X-CSRF-Token': session?.csrf_token ?? '' }),
        ...(background ? { 'X-Background': '1' } : {}),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    if (method !== 'GET') throw doubtful(0);
    throw new ApiError(0, { message: 'The service cannot be reached. Check your connection.' });
  }
}

let signingIn = null; // a promise that all waiting requests share

/** Shows the sign-in form. True if the request can be sent again: a change only by the same key. */
async function signedInAgain(method, before) {
  if (session === before) {
    signingIn ??= whenSignedOut().finally(() => (signingIn = null));
    await signingIn;
  }
  if (session === null || session === before) return false;
  return method === 'GET' || session.key.id === before.key.id;
}

async function ask(method, url, options = {}) {
  const before = session;
  const response = await send(method, url, options);
  const text = await response.text();
  let answer = null;
  try {
    answer = text === '' ? null : JSON.parse(text);
  } catch {
    /* A proxy's page, not JSON: only the status is known. */
  }
  if (response.ok) return answer;
  const signedOut = response.status === 401 && answer?.code === 'signed_out' && before !== null;
  if (signedOut && (await signedInAgain(method, before))) return ask(method, url, options);
  if (response.status >= 500 && method !== 'GET') throw doubtful(response.status, answer?.code);
  const error = new ApiError(response.status, answer);
  if (signedOut && session !== null) error.message = OTHER_KEY;
  error.retryAfterMs = Number(response.headers.get('Retry-After') ?? 0) * 1000;
  throw error;
}

const PREFIX = '/dashboard/api';
const writer = (method) => (path, body, options) => ask(method, PREFIX + path, { body, ...options });
export const get = (path, options) => ask('GET', PREFIX + path, options);
export const post = writer('POST');
export const put = writer('PUT');
export const patch = writer('PATCH');
export const remove = (path) => ask('DELETE', PREFIX + path);

/** path`/organizations/${id}`: encodes the inserted values. */
export const path = (texts, ...values) =>
  texts.reduce((all, text, i) => all + encodeURIComponent(values[i - 1]) + text);

export function query(parameters) {
  const entries = Object.entries(parameters).filter(([, value]) => value !== '' && value != null);
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries)}`;
}

/** All objects of a list, read page by page. */
export async function all(listPath, parameters = {}, options) {
  const items = [];
  let after = null;
  do {
    const page = await get(listPath + query({ limit: 100, ...parameters, after }), options);
    items.push(...page.data);
    after = page.list_metadata?.after ?? null;
  } while (after !== null);
  return items;
}

function idempotencyKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `dashboard-${Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')}`;
}

/** Waits as Retry-After says, because the service may still be answering the first request. */
async function patiently(send) {
  const end = Date.now() + IN_FLIGHT_PATIENCE_MS;
  for (;;) {
    try {
      return await send();
    } catch (error) {
      const wait = error.retryAfterMs || IN_FLIGHT_DELAY_MS;
      if (error.code !== IN_FLIGHT || Date.now() + wait > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** `const send = creation()`: an idempotent POST; the same body sent again creates nothing new. */
export function creation() {
  let asked = null;
  let headers = null;
  return async (path, body) => {
    const text = path + JSON.stringify(body);
    if (text !== asked) headers = { 'Idempotency-Key': idempotencyKey() };
    asked = text;
    try {
      return await patiently(() => post(path, body, { headers }));
    } catch (error) {
      if (error.leavesDoubt) error.message = SAFE_DOUBT;
      if (error.code === 'idempotency_key_used') asked = null; // the key is used up; take a new one
      throw error;
    }
  };
}

// -- The session ---------------------------------------------------------------------------------

/** The session, or null if there is none. */
export async function resume() {
  try {
    session = await ask('GET', '/dashboard/session');
  } catch (error) {
    if (error.status !== 401) throw error;
    session = null;
  }
  return session;
}

export async function signIn(key) {
  session = await ask('POST', '/dashboard/session', { body: { key } });
  return session;
}

export async function signOut() {
  const response = await send('DELETE', '/dashboard/session', {});
  if (!response.ok && response.status !== 401) throw new ApiError(response.status, null);
  session = null;
}

/** Ends the session in this tab. */
export const forgetSession = () => (session = null);
