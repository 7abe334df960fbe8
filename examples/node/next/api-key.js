// SPDX-License-Identifier: MIT
//
// Next.js: a route handler that runs only for requests whose API key holds the permission.
import { WorkOS } from '@workos-inc/node';

const service = new URL(process.env.APIKEYS_URL ?? 'http://127.0.0.1:8787');
const workos = new WorkOS(process.env.APIKEYS_MANAGEMENT_KEY, {
  apiHostname: service.hostname,
  port: service.port ? Number(service.port) : undefined,
  https: service.protocol === 'https:',
});

const refuse = (status, message, headers) => Response.json({ message }, { status, headers });

/** `handler(request, apiKey)` */
export function withApiKey(permission, handler) {
  return async (request) => {
    const value = /^Bearer (\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    let apiKey = null;
    try {
      if (value) ({ apiKey } = await workos.apiKeys.createValidation({ value }));
    } catch {
      // The service's trouble, not the client's; and nobody gets in because of it.
      return refuse(503, 'API keys cannot be checked at the moment.');
    }
    if (!apiKey) return refuse(401, 'Who is it?', { 'WWW-Authenticate': 'Bearer' });
    if (!apiKey.permissions.includes(permission))
      return refuse(403, `This needs the permission ${permission}.`);
    return handler(request, apiKey);
  };
}
