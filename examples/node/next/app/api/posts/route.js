// SPDX-License-Identifier: MIT
import { withApiKey } from '../../../api-key.js';

const posts = new Map(); // by organization: a key opens its own organization's and no other's

const organizationOf = ({ owner }) => (owner.type === 'user' ? owner.organizationId : owner.id);

export const GET = withApiKey('posts:read', (request, apiKey) =>
  Response.json(posts.get(organizationOf(apiKey)) ?? []),
);

export const POST = withApiKey('posts:write', async (request, apiKey) => {
  const post = await request.json();
  const id = organizationOf(apiKey);
  posts.set(id, [...(posts.get(id) ?? []), post]);
  return Response.json(post, { status: 201 });
});
