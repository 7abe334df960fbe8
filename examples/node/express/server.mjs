// SPDX-License-Identifier: MIT
//
// Express: requests need an API key that holds the route's permission.
import { WorkOS } from '@workos-inc/node';
import express from 'express';

const service = new URL(process.env.APIKEYS_URL ?? 'http://127.0.0.1:8787');
const workos = new WorkOS(process.env.APIKEYS_MANAGEMENT_KEY, {
  apiHostname: service.hostname,
  port: service.port ? Number(service.port) : undefined,
  https: service.protocol === 'https:',
});

function requireApiKey(permission) {
  return async (request, response, next) => {
    const value = /^Bearer (\S+)$/i.exec(request.get('authorization') ?? '')?.[1];
    let apiKey = null;
    try {
      if (value) ({ apiKey } = await workos.apiKeys.createValidation({ value }));
    } catch {
      // The service's trouble, not the client's; and nobody gets in because of it.
      return response.status(503).json({ message: 'API keys cannot be checked at the moment.' });
    }
    if (!apiKey)
      return response.status(401).set('WWW-Authenticate', 'Bearer').json({ message: 'Who is it?' });
    if (!apiKey.permissions.includes(permission))
      return response.status(403).json({ message: `This needs the permission ${permission}.` });
    request.apiKey = apiKey;
    next();
  };
}

const app = express();
const posts = new Map(); // by organization: a key opens its own organization's and no other's

const organizationOf = ({ owner }) => (owner.type === 'user' ? owner.organizationId : owner.id);

app.get('/posts', requireApiKey('posts:read'), (request, response) => {
  response.json(posts.get(organizationOf(request.apiKey)) ?? []);
});

app.post('/posts', requireApiKey('posts:write'), express.json(), (request, response) => {
  const id = organizationOf(request.apiKey);
  posts.set(id, [...(posts.get(id) ?? []), request.body]);
  response.status(201).json(request.body);
});

const server = app.listen(process.env.PORT ?? 3000, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
