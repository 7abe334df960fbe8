// SPDX-License-Identifier: MIT
//
// A proxy between the SDK and the service which loses and breaks what it is told to.
import http from 'node:http';

/**
 * `fault(n)`, n counting requests from 1: 'drop' ends the connection before the service sees the
 * request, `{ status, headers }` is answered instead of it. `lose(n)`: the service does what it was
 * asked, and its answer gets lost.
 */
export async function faultyProxy(target, { fault = () => undefined, lose = () => false }) {
  const seen = [];
  const proxy = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { host, connection, 'content-length': length, ...headers } = request.headers;
    const n = seen.push({ method: request.method, url: request.url, headers });
    const broken = fault(n);
    if (broken === 'drop') return request.socket.destroy();
    if (broken) {
      response.writeHead(broken.status, { 'content-type': 'application/json', ...broken.headers });
      return response.end('{"message":"not now"}');
    }
    const answer = await fetch(target + request.url, {
      method: request.method,
      headers,
      body: chunks.length ? Buffer.concat(chunks) : undefined,
    });
    const body = Buffer.from(await answer.arrayBuffer());
    if (lose(n)) return request.socket.destroy();
    response.writeHead(answer.status, {
      'content-type': answer.headers.get('content-type') ?? 'text/plain',
    });
    return response.end(body);
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    seen,
    port: proxy.address().port,
    close() {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}
