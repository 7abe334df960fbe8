// SPDX-License-Identifier: MIT
// The lines that a customer's application needs, with the address that this demo has.
document.getElementById('snippet').textContent = [
  `<script type="module" src="${location.origin}/widget/v1/api-keys-widget.js"></script>`,
  `<api-keys-widget token-url="/demo/widget-token"></api-keys-widget>`,
].join('\n');
