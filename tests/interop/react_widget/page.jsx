// SPDX-License-Identifier: MIT
//
// A customer's page with the official widget in it. Where the service is, and which keys are shown,
// comes with the page's address; the token from the page's own server, as in a real application, or
// as text.
import '@radix-ui/themes/styles.css';
import '@workos-inc/widgets/styles.css';
import { ApiKeys, WorkOsWidgets } from '@workos-inc/widgets';
import { createRoot } from 'react-dom/client';

const asked = new URLSearchParams(location.search);

async function authToken() {
  const response = await fetch(asked.get('token') ?? '/token');
  return response.text();
}

createRoot(document.getElementById('root')).render(
  <WorkOsWidgets apiHostname="127.0.0.1" port={Number(asked.get('port'))} https={false}>
    <ApiKeys authToken={asked.get('text') ?? authToken} scope={asked.get('scope') ?? 'organization'} />
  </WorkOsWidgets>,
);
