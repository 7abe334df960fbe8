// SPDX-License-Identifier: MIT
//
// The widget token: its source and its claims. Only the service decides whether a token is good;
// the claims read here change texts on the screen, never access.

const EARLY_MS = 30_000; // a token is replaced that long before its end

/** The claims of a JWT, or {} for a token that is not one. */
export function readClaims(token) {
  try {
    const base64 = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' && claims !== null ? claims : {};
  } catch {
    return {};
  }
}

async function fetchToken(url) {
  const response = await fetch(new URL(url, document.baseURI), {
    cache: 'no-store',
    credentials: 'same-origin',
    headers: { Accept: 'application/json' },
  });
  if (!response.ok) throw new Error(`the token's URL answered ${response.status}`);
  const text = (await response.text()).trim();
  return text.startsWith('{') ? JSON.parse(text).token : text;
}

/** One of the three ways to give a token; `source` has tokenProvider, tokenUrl, token. */
export class Tokens {
  #source;
  #token = null;
  #pending = null;

  constructor(source) {
    this.#source = source;
  }

  get given() {
    const { tokenProvider, tokenUrl, token } = this.#source;
    return Boolean(tokenProvider || tokenUrl || token);
  }

  get permissions() {
    const { permissions } = readClaims(this.#token ?? '');
    return Array.isArray(permissions) ? permissions : null;
  }

  get expired() {
    const { exp } = readClaims(this.#token ?? '');
    return typeof exp === 'number' && exp * 1000 <= Date.now();
  }

  /** Drops the token, because the page has another one. */
  forget() {
    this.#token = null;
  }

  async get() {
    const { exp } = readClaims(this.#token ?? '');
    const late = typeof exp === 'number' && exp * 1000 - EARLY_MS <= Date.now();
    return this.#token && !late ? this.#token : this.renew();
  }

  /** Asks for a new token; simultaneous callers share one answer. */
  renew() {
    this.#pending ??= this.#ask().finally(() => (this.#pending = null));
    return this.#pending;
  }

  async #ask() {
    const { tokenProvider, tokenUrl, token } = this.#source;
    const answer = tokenProvider ? await tokenProvider() : tokenUrl ? await fetchToken(tokenUrl) : token;
    if (typeof answer !== 'string' || answer === '') throw new Error('there is no token');
    this.#token = answer;
    return answer;
  }
}
