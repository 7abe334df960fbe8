// SPDX-License-Identifier: MIT
import http from 'node:http';

/** A customer's webhook endpoint, which answers the n-th delivery as `answer(n)` says. */
export async function startReceiver(answer = () => 200) {
  const waiting = [];
  const deliveries = [];
  const receiver = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const payload = Buffer.concat(chunks).toString();
    const delivery = { payload, signature: request.headers['workos-signature'], request };
    deliveries.push(delivery);
    response.writeHead(answer(deliveries.length)).end('who reads this?');
    for (const { count, resolve } of waiting) if (deliveries.length >= count) resolve();
  });
  await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${receiver.address().port}/hook`,
    deliveries,
    /** Resolves once there are that many. */
    received: (count) =>
      deliveries.length >= count
        ? undefined
        : new Promise((resolve) => waiting.push({ count, resolve })),
    close() {
      receiver.closeAllConnections();
      receiver.close();
    },
  };
}
