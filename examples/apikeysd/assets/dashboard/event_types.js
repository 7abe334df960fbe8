// SPDX-License-Identifier: MIT
//
// The types of events: their labels, and the colours in which they are shown.

export const TYPES = {
  'api_key.created': ['API key created', 'good'],
  'api_key.updated': ['API key changed', 'plain'],
  'api_key.revoked': ['API key revoked', 'danger'],
  'organization.created': ['Organization created', 'good'],
  'organization.updated': ['Organization changed', 'plain'],
  'organization.deleted': ['Organization deleted', 'danger'],
  'organization_membership.created': ['Member added', 'good'],
  'organization_membership.updated': ['Member changed', 'plain'],
  'organization_membership.deleted': ['Member removed', 'danger'],
  'role.created': ['Role created', 'good'],
  'role.updated': ['Role changed', 'plain'],
  'role.deleted': ['Role deleted', 'danger'],
  'organization_role.created': ['Organization’s role created', 'good'],
  'organization_role.updated': ['Organization’s role changed', 'plain'],
  'organization_role.deleted': ['Organization’s role deleted', 'danger'],
  'permission.created': ['Permission created', 'good'],
  'permission.updated': ['Permission changed', 'plain'],
  'permission.deleted': ['Permission deleted', 'danger'],
  'management_key.created': ['Management key created', 'good'],
  'management_key.updated': ['Management key changed', 'plain'],
  'management_key.revoked': ['Management key revoked', 'danger'],
  'environment.created': ['Environment created', 'good'],
  'environment.updated': ['Settings changed', 'plain'],
};

export const describe = (type) => TYPES[type] ?? [type, 'plain'];

/** The types that webhook endpoints can choose: customers' events, not the operator's. */
export const PUBLIC_TYPES = Object.keys(TYPES).filter((type) => !/^(management_key|environment)\./.test(type));
