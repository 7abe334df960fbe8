// SPDX-License-Identifier: MIT
//
// The API client: requests and their failures. It checks the shape of every answer, so that the
// rest can rely on it.
import { parseTime } from './times.js';

const TIMEOUT_MS = 20_000;
const RETRY_DELAY_MS = 400;
export const IN_FLIGHT = 'idempotency_key_in_flight';
const IN_FLIGHT_PATIENCE_MS = 30_000;
const IN_FLIGHT_DELAY_MS = 10_000;
const PERMISSION_PAGES_MAX = 20;

const SCOPES = {
  organization: {
    list: '/_widgets/ApiKeys/organization-api-keys',
    base: '/_widgets/ApiKeys',
    type: 'api-keys',
    needs: ['widgets:api-keys:manage'],
  },
  user: {
    list: '/_widgets/UserApiKeys/api-keys',
    base: '/_widgets/UserApiKeys',
    type: 'user-api-keys',
    needs: ['widgets:user-api-keys:manage-self', 'widgets:user-api-keys:manage-all'],
  },
};

/**
 * Why a request failed. `kind`: offline, network, token, session, forbidden, gone, conflict (`code`
 * says of what), invalid (`fields` says where), throttled, server, malformed, aborted.
 */
export class Failure extends Error {
  constructor(kind, { fields = [], code = '' } = {}) {
    super(kind);
    this.kind = kind;
    this.fields = fields;
    this.code = code;
  }

  /** True if the change may have happened all the same: a proxy's answer proves nothing. */
  get leavesDoubt() {
    return ['network', 'server', 'malformed'].includes(this.kind);
  }
}

function failureOf(status, body, tokens) {
  if (status === 401 || status === 403) return new Failure(tokens.expired ? 'session' : 'forbidden');
  if (status === 404) return new Failure('gone');
  if (status === 409) return new Failure('conflict', { code: textOr(body?.code, '') });
  if (status === 429) return new Failure('throttled');
  if (status >= 500) return new Failure('server');
  const errors = Array.isArray(body?.errors) ? body.errors : [];
  return new Failure('invalid', { fields: errors.map((error) => String(error?.field)) });
}

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const isText = (value) => typeof value === 'string' && value !== '';
const textOr = (value, other) => (isText(value) ? value : other);

function readKey(row) {
  if (!isText(row?.id) || typeof row.name !== 'string') throw new Failure('malformed');
  return {
    id: row.id,
    name: row.name,
    obfuscated: textOr(row.obfuscatedValue, ''),
    created: parseTime(row.createdAt),
    lastUsed: parseTime(row.lastUsedAt),
    expires: parseTime(row.expiresAt),
    permissions: Array.isArray(row.permissions) ? row.permissions.filter(isText) : [],
    owner: isText(row.owner?.id)
      ? {
          name: textOr(row.owner.displayName, textOr(row.owner.email, row.owner.id)),
          email: textOr(row.owner.email, ''),
        }
      : null,
  };
}

function readPermission(row) {
  if (!isText(row?.slug)) throw new Failure('malformed');
  return { slug: row.slug, name: textOr(row.name, row.slug), text: textOr(row.description, '') };
}

function readList(body, readRow) {
  if (!Array.isArray(body?.data)) throw new Failure('malformed');
  const { before, after } = body.list_metadata ?? {};
  return {
    rows: body.data.map(readRow),
    older: textOr(before, null),
    newer: textOr(after, null),
  };
}

export class Client {
  #base;
  #tokens;
  #scope;

  constructor(base, tokens, scope) {
    this.#base = base.replace(/\/+$/, '');
    this.#tokens = tokens;
    this.#scope = SCOPES[scope];
  }

  /** False if the token itself says that the service will refuse. */
  get mayTry() {
    const held = this.#tokens.permissions;
    return held === null || this.#scope.needs.some((need) => held.includes(need));
  }

  get seesAllMembers() {
    const held = this.#tokens.permissions ?? [];
    return this.#scope === SCOPES.user && held.includes('widgets:user-api-keys:manage-all');
  }

  /** `place`: {} (the newest), { before: id } (older ones), { after: id } (newer ones). */
  async list(place, search, limit, signal) {
    const query = new URLSearchParams({ limit, ...place, ...(search && { search }) });
    return readList(await this.#get(`${this.#scope.list}?${query}`, signal), readKey);
  }

  async permissions(signal) {
    const all = [];
    let place = {};
    for (let page = 0; page < PERMISSION_PAGES_MAX; page++) {
      const query = new URLSearchParams({ limit: 100, ...place });
      const path = `${this.#scope.base}/permissions?${query}`;
      const { rows, older } = readList(await this.#get(path, signal), readPermission);
      all.push(...rows);
      if (!older || rows.length === 0) break;
      place = { before: older };
    }
    return all;
  }

  /**
   * Idempotent: one `idempotencyKey` creates one key, however often it is sent. `wanted`: { name,
   * permissions, expires }. While the service may still be answering an earlier request, `onWait`
   * is called, and the request is repeated later.
   */
  async create({ name, permissions, expires }, idempotencyKey, onWait) {
    const content = { name, permissions, expiresAt: expires ? expires.toISOString() : null };
    const headers = { 'Idempotency-Key': idempotencyKey };
    const end = Date.now() + IN_FLIGHT_PATIENCE_MS;
    for (;;) {
      const answer = await this.#ask('POST', this.#scope.list, content, { headers });
      const wait = this.#inFlightMs(answer);
      if (wait === 0 || Date.now() + wait > end) return this.#readCreated(this.#settle(answer));
      onWait();
      await later(wait);
    }
  }

  #inFlightMs({ status, text, retryAfter }) {
    if (status !== 409 || !text.includes(IN_FLIGHT)) return 0;
    return retryAfter > 0 ? retryAfter * 1000 : IN_FLIGHT_DELAY_MS;
  }

  #readCreated(body) {
    if (!isText(body?.value)) throw new Failure('malformed');
    return { key: readKey(body), value: body.value };
  }

  async expire(id, expires) {
    await this.#send('POST', `${this.#scope.base}/${encodeURIComponent(id)}/expire`, {
      expiresAt: expires ? expires.toISOString() : null,
    });
  }

  async revoke(id) {
    const body = await this.#send('DELETE', `${this.#scope.base}/${encodeURIComponent(id)}`);
    if (body?.success !== true) throw new Failure('malformed');
  }

  /** A read is tried twice. */
  async #get(path, signal) {
    try {
      return await this.#send('GET', path, undefined, signal);
    } catch (failure) {
      if (!['network', 'server'].includes(failure.kind)) throw failure;
      await later(RETRY_DELAY_MS);
      return this.#send('GET', path, undefined, signal);
    }
  }

  async #send(method, path, content, signal) {
    return this.#settle(await this.#ask(method, path, content, { signal }));
  }

  /** A refused token is replaced once; the request is repeated only with a different one. */
  async #ask(method, path, content, options) {
    const token = await this.#token(() => this.#tokens.get());
    const first = await this.#exchange(method, path, content, token, options);
    if (first.status !== 403 && first.status !== 401) return first;
    const other = await this.#token(() => this.#tokens.renew());
    return other === token ? first : this.#exchange(method, path, content, other, options);
  }

  async #token(ask) {
    try {
      return await ask();
    } catch {
      throw new Failure(navigator.onLine ? 'token' : 'offline');
    }
  }

  async #exchange(method, path, content, token, { signal, headers = {} }) {
    if (!navigator.onLine) throw new Failure('offline');
    const late = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const response = await fetch(this.#base + path, {
        method,
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
        signal: signal ? AbortSignal.any([signal, late]) : late,
        headers: {
          Authorization: `Bearer ${token}`,
          'Content-Type': 'application/json',
          'WorkOS-Widgets-Version': '1',
          'WorkOS-Widgets-Type': this.#scope.type,
          ...headers,
        },
        body: content === undefined ? undefined : JSON.stringify(content),
      });
      const { status, ok } = response;
      const retryAfter = Number(response.headers.get('Retry-After') ?? 0);
      return { status, ok, retryAfter, text: await response.text() };
    } catch {
      // The connection may have broken after the request arrived.
      const offline = method === 'GET' && !navigator.onLine;
      throw new Failure(signal?.aborted ? 'aborted' : offline ? 'offline' : 'network');
    }
  }

  #settle({ ok, status, text }) {
    let body = null;
    try {
      body = JSON.parse(text);
    } catch {
      if (ok) throw new Failure('malformed');
    }
    if (!ok) throw failureOf(status, body, this.#tokens);
    return body;
  }
}
