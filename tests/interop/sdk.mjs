// SPDX-License-Identifier: MIT
//
// The official Node SDK, pointed at the service under test.
import { WorkOS } from '@workos-inc/node';
import assert from 'node:assert/strict';

/** Without retries, unless the options say otherwise: a test shall see every answer. */
export function sdkFor(server, options = {}) {
  return new WorkOS(server.managementKey, {
    apiHostname: '127.0.0.1',
    port: server.port,
    https: false,
    maxRetries: 0,
    timeout: 10000,
    ...options,
  });
}

/** What the promise was rejected with. */
export async function thrownBy(promise) {
  let result;
  try {
    result = await promise;
  } catch (error) {
    return error;
  }
  return assert.fail(`an exception was expected, not ${JSON.stringify(result)}`);
}

/** The call throws this exception of the SDK, with the id of the request in it. */
export async function refused(promise, name, status, code) {
  const error = await thrownBy(promise);
  assert.equal(error.name, name, error.stack);
  assert.equal(error.status, status);
  if (code !== undefined) assert.equal(error.code, code);
  assert.match(error.requestID, /^[\w-]{8,}$/, 'X-Request-ID');
  return error;
}

export const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
export const ulid = (prefix) => new RegExp(`^${prefix}_[0-9A-HJKMNP-TV-Z]{26}$`);
