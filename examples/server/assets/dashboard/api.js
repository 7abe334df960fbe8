// SPDX-License-Identifier: MIT
//
// The service's REST API under /dashboard/api, where the session's cookie lets us in.

const FIELD_TEXTS = {
  required: 'This is needed.',
  unknown_permission: 'One of these permissions does not exist (any more).',
  permission_not_available: 'One of these permissions is not available to such keys.',
};

/** What an answer other than 2xx said: `fields` has a message for each field that was wrong. */
export class ApiError extends Error {
  constructor(status, body) {
    super(body?.message ?? 'The service gave no answer that makes sense.');
    this.status = status;
    this.code = body?.code ?? null;
    this.fields = {};
    for (const { field, code, message } of body?.errors ?? [])
      this.fields[field] = message ?? FIELD_TEXTS[code] ?? 'This is not valid.';
  }
}

let session = null;
let whenSignedOut = () => {};

export const currentSession = () => session;
export const can = (scope) => session?.key.permissions.includes(scope) ?? false;
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
    throw new ApiError(0, { message: 'The service cannot be reached. Check your connection.' });
  }
}

async function ask(method, url, options = {}) {
  const response = await send(method, url, options);
  const text = await response.text();
  let answer = null;
  try {
    answer = text === '' ? null : JSON.parse(text);
  } catch {
    /* A proxy's own page: the status alone tells. */
  }
  if (response.ok) return answer;
  const error = new ApiError(response.status, answer);
  if (response.status === 401 && error.code === 'signed_out' && session !== null) {
    session = null;
    whenSignedOut();
  }
  throw error;
}

const PREFIX = '/dashboard/api';
const writer = (method) => (path, body, options) => ask(method, PREFIX + path, { body, ...options });
export const get = (path, options) => ask('GET', PREFIX + path, options);
export const post = writer('POST');
export const put = writer('PUT');
export const patch = writer('PATCH');
export const remove = (path) => ask('DELETE', PREFIX + path);

/** path`/organizations/${id}`: what is put in is encoded. */
export const path = (texts, ...values) =>
  texts.reduce((all, text, i) => all + encodeURIComponent(values[i - 1]) + text);

export function query(parameters) {
  const entries = Object.entries(parameters).filter(([, value]) => value !== '' && value != null);
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries)}`;
}

/** All of a list, page by page. */
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

/** The same text for each try to do one thing, so that it is done once. */
export function idempotencyKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `dashboard-${Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')}`;
}

// -- The session ---------------------------------------------------------------------------------

/** Is somebody signed in? */
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
  try {
    await ask('DELETE', '/dashboard/session');
  } catch (error) {
    if (error.status !== 401) throw error;
  }
  session = null;
}
