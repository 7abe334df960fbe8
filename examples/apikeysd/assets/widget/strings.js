// SPDX-License-Identifier: MIT
//
// Every text that the widget shows. A page replaces any of them by `element.strings = { … }`.
// `{word}` is filled in; an object holds plural forms, chosen by `count` (see Intl.PluralRules).

export const defaultStrings = {
  tableLabel: 'API keys',
  search: 'Search keys by name',
  clearSearch: 'Clear search',
  create: 'Create API key',
  name: 'Name',
  key: 'Key',
  lastUsed: 'Last used',
  expires: 'Expires',
  createdBy: 'Created by',
  created: 'Created',
  permissions: 'Permissions',
  keyId: 'Key ID',
  actions: 'Actions',
  actionsFor: 'Actions for {name}',
  never: 'Never',
  expired: 'Expired',
  none: 'None',
  previous: 'Previous',
  next: 'Next',
  pages: 'Pages of API keys',
  loading: 'Loading API keys',
  listed: { one: '{count} API key shown', other: '{count} API keys shown' },
  cancel: 'Cancel',
  close: 'Close',
  retry: 'Try again',
  reload: 'Reload page',

  emptyTitle: 'No API keys yet',
  emptyText: 'Create a key to let your own programs use the API.',
  noMatchTitle: 'No matching keys',
  noMatchText: 'No key has a name with “{search}” in it.',

  createTitle: 'Create an API key',
  nameHint: 'What is it for? Only people see this name.',
  nameMissing: 'Give the key a name.',
  nameTooLong: 'The name is too long: 255 bytes at most.',
  nameRefused: 'This name cannot be used.',
  expiration: 'Expiration',
  expireNever: 'Never',
  expireHour: 'In 1 hour',
  expireDay: 'In 24 hours',
  expireThreeDays: 'In 3 days',
  expireWeek: 'In 7 days',
  expireCustom: 'On a date of your choice…',
  customDate: 'Date and time',
  expiresOn: 'Expires on {date}.',
  expiresNever: 'The key works until somebody revokes it.',
  dateMissing: 'Choose a date and a time.',
  datePast: 'Choose a time in the future.',
  expirationRefused: 'This expiration cannot be used.',
  searchPermissions: 'Search permissions',
  selectAll: 'Select all',
  deselectAll: 'Deselect all',
  selected: '{count} of {total} selected',
  noPermissionMatches: 'No permission matches.',
  noPermissions: 'There are no permissions to choose from. The key can be created without any.',
  loadingPermissions: 'Loading permissions',
  permissionsFailed:
    'The permissions could not be loaded. You can try again, or create a key without permissions.',
  permissionsRefused: 'The key cannot have these permissions: the list may have changed.',
  createUnknown:
    'No answer came, so it is not known whether the key was created. Send the form again as it is: that never creates a second key.',
  createWaiting: 'The service is still busy with your first try. This takes a few seconds…',
  createUsed:
    'Your first try created the key, and it has been used already. If that was not you, revoke it.',
  limitReached: 'There are as many keys as are allowed. Revoke one that is not needed any more.',

  revealTitle: 'Copy your API key',
  revealText: 'This is the only time that the key is shown. Store it somewhere safe.',
  keyValue: 'API key',
  copy: 'Copy',
  copyKey: 'Copy key',
  copied: 'Copied',
  copyFailed: 'The browser did not allow copying. The key is selected: copy it yourself.',
  done: 'Done',
  notCopied: 'You have not copied the key, and it will not be shown again.',
  closeAnyway: 'Close without copying',

  details: 'Details',
  detailsTitle: 'API key details',

  editExpiration: 'Edit expiration',
  save: 'Save',
  alreadyExpired: 'The key has expired in the meantime. Create a new one instead.',

  revoke: 'Revoke',
  revokeTitle: 'Revoke this API key?',
  revokeText:
    '{name} stops working at once, for every program that uses it. This cannot be undone.',
  revokeKey: 'Revoke key',

  toastCreated: '{name} was created.',
  toastRevoked: '{name} was revoked.',
  toastGone: '{name} had been revoked already.',
  toastExpiration: 'The expiration of {name} was changed.',

  forbiddenTitle: 'You cannot manage API keys',
  forbiddenText: 'Ask an administrator of your organization for the permission to do so.',
  expiredTitle: 'Your session has expired',
  expiredText: 'Reload the page to go on.',
  offlineTitle: 'You are offline',
  offlineText: 'The list loads as soon as the connection is back.',
  failedTitle: 'The API keys could not be loaded',
  failedText: 'Something went wrong on the way. Please try again.',
  noTokenTitle: 'Not signed in',
  noTokenText: 'The page did not give the widget a token.',
  staleText: 'The list could not be refreshed and may be out of date.',

  failedAction: 'That did not work, and nothing was changed. Please try again.',
  failedUnknown:
    'No answer came, so it is not known whether that worked. Please look at the list, then try again.',
  failedForbidden: 'You may not do this.',
  failedSession: 'Your session has expired. Reload the page to go on.',
  failedThrottled: 'Too many requests. Please wait a moment, then try again.',
  failedOffline: 'You are offline. Nothing was changed.',
  failedGone: 'This key does not exist any more.',
  failedMalformed: 'The service gave an answer that cannot be read. Please check the list.',
};

// Text inside text keeps its own direction: FSI … PDI.
const isolate = (text) => `\u2068${text}\u2069`;

/** The strings of one widget, in its language. */
export class Texts {
  constructor(overrides = {}, locale = undefined) {
    this.table = { ...defaultStrings, ...overrides };
    this.locale = locale;
    this.plural = new Intl.PluralRules(locale);
  }

  #pick(name, values) {
    const entry = this.table[name];
    if (typeof entry !== 'object' || entry === null) return String(entry);
    return String(entry[this.plural.select(values.count ?? 0)] ?? entry.other);
  }

  /** As plain text; filled-in texts are bidi-isolated. */
  text(name, values = {}) {
    return this.#pick(name, values).replace(/\{(\w+)\}/g, (whole, word) => {
      if (!(word in values)) return whole;
      const value = values[word];
      return typeof value === 'number'
        ? value.toLocaleString(this.locale)
        : isolate(String(value));
    });
  }

  /** As nodes: each `{word}` is replaced by the given node. */
  nodes(name, values) {
    return this.#pick(name, {})
      .split(/(\{\w+\})/)
      .map((piece) => values[piece.slice(1, -1)] ?? piece);
  }
}
