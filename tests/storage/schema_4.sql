-- SPDX-License-Identifier: MIT
-- A database of schema version 4, written down once. It is never changed: it stands for the files
-- that users of that version have. Its log of changes counts in sqlite_sequence.
PRAGMA application_id = 1095460217; -- 0x414b6579
PRAGMA user_version = 4;
BEGIN;
CREATE TABLE environment (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  prefix TEXT NOT NULL,
  accepted_prefixes TEXT NOT NULL,
  root_version INTEGER NOT NULL,
  root_check BLOB NOT NULL,
  root_key BLOB,
  previous_token_key BLOB,
  previous_token_key_until INTEGER NOT NULL,
  max_lifetime_ms INTEGER NOT NULL,
  expiry_required INTEGER NOT NULL,
  idle_lifetime_ms INTEGER NOT NULL,
  max_keys_per_owner INTEGER NOT NULL,
  grants_must_be_held INTEGER NOT NULL,
  event_retention_ms INTEGER NOT NULL,
  event_floor INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE permissions (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  slug TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  system INTEGER NOT NULL,
  for_organization_keys INTEGER NOT NULL,
  for_user_keys INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE roles (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  organization_id TEXT NOT NULL,
  slug TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  priority INTEGER NOT NULL,
  permissions TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE organizations (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  external_id TEXT,
  domains TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  metadata TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE members (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  organization_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  status INTEGER NOT NULL,
  roles TEXT NOT NULL,
  email TEXT,
  display_name TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE api_keys (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  owner_type INTEGER NOT NULL,
  organization_id TEXT NOT NULL,
  user_id TEXT,
  name TEXT NOT NULL,
  permissions TEXT NOT NULL,
  lookup_id TEXT NOT NULL,
  obfuscated_value TEXT NOT NULL,
  scheme INTEGER NOT NULL,
  root_version INTEGER NOT NULL,
  sealed_digest BLOB NOT NULL,
  state INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER NOT NULL,
  revoked_reason TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE api_key_uses (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  key_id TEXT NOT NULL,
  last_used_at INTEGER NOT NULL
) STRICT;
CREATE TABLE events (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  organization_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  data TEXT NOT NULL,
  actor_type INTEGER NOT NULL,
  actor_id TEXT NOT NULL,
  actor_organization_id TEXT NOT NULL,
  reason TEXT,
  request_id TEXT,
  address TEXT,
  user_agent TEXT,
  source INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE event_cursors (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE idempotency_keys (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  request BLOB NOT NULL,
  api_key_id TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE documents (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL,
  collection TEXT NOT NULL,
  id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  body TEXT NOT NULL,
  sealed_secret BLOB,
  root_version INTEGER,
  due_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE tombstones (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  object_id TEXT NOT NULL,
  kind INTEGER NOT NULL,
  object_number INTEGER NOT NULL,
  organization_id TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX environment_by_id ON environment (id);
CREATE UNIQUE INDEX permissions_by_id ON permissions (id);
CREATE UNIQUE INDEX permissions_by_slug ON permissions (slug);
CREATE UNIQUE INDEX roles_by_id ON roles (id);
CREATE UNIQUE INDEX roles_by_organization_id_slug ON roles (organization_id, slug);
CREATE INDEX roles_by_organization_id_priority ON roles (organization_id, priority);
CREATE UNIQUE INDEX organizations_by_id ON organizations (id);
CREATE UNIQUE INDEX organizations_by_external_id ON organizations (external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX members_by_id ON members (id);
CREATE UNIQUE INDEX members_by_organization_id_user_id ON members (organization_id, user_id);
CREATE INDEX members_by_organization_id ON members (organization_id);
CREATE INDEX members_by_user_id ON members (user_id);
CREATE UNIQUE INDEX api_keys_by_id ON api_keys (id);
CREATE UNIQUE INDEX api_keys_by_lookup_id ON api_keys (lookup_id);
CREATE INDEX api_keys_by_organization_id_owner_type_state ON api_keys (organization_id, owner_type, state);
CREATE INDEX api_keys_by_user_id_state ON api_keys (user_id, state) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX api_key_uses_by_key_id ON api_key_uses (key_id);
CREATE UNIQUE INDEX events_by_id ON events (id);
CREATE INDEX events_by_organization_id ON events (organization_id);
CREATE UNIQUE INDEX event_cursors_by_name ON event_cursors (name);
CREATE UNIQUE INDEX idempotency_keys_by_id ON idempotency_keys (id);
CREATE INDEX idempotency_keys_by_created_at ON idempotency_keys (created_at);
CREATE UNIQUE INDEX documents_by_path ON documents (path);
CREATE INDEX documents_by_collection ON documents (collection);
CREATE INDEX documents_by_collection_group_id ON documents (collection, group_id);
CREATE INDEX documents_by_collection_due_at ON documents (collection, due_at);
CREATE INDEX documents_by_expires_at ON documents (expires_at);
CREATE INDEX documents_by_root_version ON documents (root_version) WHERE root_version IS NOT NULL;
CREATE UNIQUE INDEX tombstones_by_object_id ON tombstones (object_id);
CREATE INDEX tombstones_by_created_at ON tombstones (created_at);
CREATE TABLE changes (generation INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, identity TEXT NOT NULL) STRICT;
CREATE TRIGGER changes_pruned AFTER INSERT ON changes BEGIN DELETE FROM changes WHERE generation <= NEW.generation - 10000; END;
CREATE TRIGGER changes_environment_BEFORE_INSERT BEFORE INSERT ON environment BEGIN INSERT INTO changes (kind, identity) SELECT 1, '' FROM environment WHERE (number = NEW.number OR (id = NEW.id)); END;
CREATE TRIGGER changes_environment_BEFORE_UPDATE BEFORE UPDATE ON environment BEGIN INSERT INTO changes (kind, identity) SELECT 1, '' FROM environment WHERE number <> OLD.number AND (number = NEW.number OR (id = NEW.id)); END;
CREATE TRIGGER changes_environment_AFTER_INSERT AFTER INSERT ON environment BEGIN INSERT INTO changes (kind, identity) VALUES (1, ''); END;
CREATE TRIGGER changes_environment_AFTER_UPDATE AFTER UPDATE ON environment WHEN (OLD.id, OLD.accepted_prefixes, OLD.root_version, OLD.idle_lifetime_ms) IS NOT (NEW.id, NEW.accepted_prefixes, NEW.root_version, NEW.idle_lifetime_ms) BEGIN INSERT INTO changes (kind, identity) VALUES (1, ''); END;
CREATE TRIGGER changes_environment_AFTER_DELETE AFTER DELETE ON environment BEGIN INSERT INTO changes (kind, identity) VALUES (1, ''); END;
CREATE TRIGGER changes_permissions_BEFORE_INSERT BEFORE INSERT ON permissions BEGIN INSERT INTO changes (kind, identity) SELECT 2, '' FROM permissions WHERE (number = NEW.number OR (id = NEW.id) OR (slug = NEW.slug)); END;
CREATE TRIGGER changes_permissions_BEFORE_UPDATE BEFORE UPDATE ON permissions BEGIN INSERT INTO changes (kind, identity) SELECT 2, '' FROM permissions WHERE number <> OLD.number AND (number = NEW.number OR (id = NEW.id) OR (slug = NEW.slug)); END;
CREATE TRIGGER changes_permissions_AFTER_UPDATE AFTER UPDATE ON permissions BEGIN INSERT INTO changes (kind, identity) VALUES (2, ''); END;
CREATE TRIGGER changes_permissions_AFTER_DELETE AFTER DELETE ON permissions BEGIN INSERT INTO changes (kind, identity) VALUES (2, ''); END;
CREATE TRIGGER changes_roles_BEFORE_INSERT BEFORE INSERT ON roles BEGIN INSERT INTO changes (kind, identity) SELECT 3, organization_id FROM roles WHERE (number = NEW.number OR (id = NEW.id) OR (organization_id = NEW.organization_id AND slug = NEW.slug)); END;
CREATE TRIGGER changes_roles_BEFORE_UPDATE BEFORE UPDATE ON roles BEGIN INSERT INTO changes (kind, identity) SELECT 3, organization_id FROM roles WHERE number <> OLD.number AND (number = NEW.number OR (id = NEW.id) OR (organization_id = NEW.organization_id AND slug = NEW.slug)); END;
CREATE TRIGGER changes_roles_AFTER_INSERT AFTER INSERT ON roles BEGIN INSERT INTO changes (kind, identity) VALUES (3, NEW.organization_id); END;
CREATE TRIGGER changes_roles_AFTER_UPDATE AFTER UPDATE ON roles BEGIN INSERT INTO changes (kind, identity) VALUES (3, OLD.organization_id); INSERT INTO changes (kind, identity) SELECT 3, NEW.organization_id WHERE NEW.organization_id <> OLD.organization_id; END;
CREATE TRIGGER changes_roles_AFTER_DELETE AFTER DELETE ON roles BEGIN INSERT INTO changes (kind, identity) VALUES (3, OLD.organization_id); END;
CREATE TRIGGER changes_organizations_BEFORE_INSERT BEFORE INSERT ON organizations BEGIN INSERT INTO changes (kind, identity) SELECT 4, id FROM organizations WHERE (number = NEW.number OR (id = NEW.id) OR (external_id = NEW.external_id)); END;
CREATE TRIGGER changes_organizations_BEFORE_UPDATE BEFORE UPDATE ON organizations BEGIN INSERT INTO changes (kind, identity) SELECT 4, id FROM organizations WHERE number <> OLD.number AND (number = NEW.number OR (id = NEW.id) OR (external_id = NEW.external_id)); END;
CREATE TRIGGER changes_organizations_AFTER_UPDATE AFTER UPDATE ON organizations BEGIN INSERT INTO changes (kind, identity) VALUES (4, OLD.id); INSERT INTO changes (kind, identity) SELECT 4, NEW.id WHERE NEW.id <> OLD.id; END;
CREATE TRIGGER changes_organizations_AFTER_DELETE AFTER DELETE ON organizations BEGIN INSERT INTO changes (kind, identity) VALUES (4, OLD.id); END;
CREATE TRIGGER changes_members_BEFORE_INSERT BEFORE INSERT ON members BEGIN INSERT INTO changes (kind, identity) SELECT 5, organization_id FROM members WHERE (number = NEW.number OR (id = NEW.id) OR (organization_id = NEW.organization_id AND user_id = NEW.user_id)); END;
CREATE TRIGGER changes_members_BEFORE_UPDATE BEFORE UPDATE ON members BEGIN INSERT INTO changes (kind, identity) SELECT 5, organization_id FROM members WHERE number <> OLD.number AND (number = NEW.number OR (id = NEW.id) OR (organization_id = NEW.organization_id AND user_id = NEW.user_id)); END;
CREATE TRIGGER changes_members_AFTER_UPDATE AFTER UPDATE ON members BEGIN INSERT INTO changes (kind, identity) VALUES (5, OLD.organization_id); INSERT INTO changes (kind, identity) SELECT 5, NEW.organization_id WHERE NEW.organization_id <> OLD.organization_id; END;
CREATE TRIGGER changes_members_AFTER_DELETE AFTER DELETE ON members BEGIN INSERT INTO changes (kind, identity) VALUES (5, OLD.organization_id); END;
CREATE TRIGGER changes_api_keys_BEFORE_INSERT BEFORE INSERT ON api_keys BEGIN INSERT INTO changes (kind, identity) SELECT 6, lookup_id FROM api_keys WHERE (number = NEW.number OR (id = NEW.id) OR (lookup_id = NEW.lookup_id)); END;
CREATE TRIGGER changes_api_keys_BEFORE_UPDATE BEFORE UPDATE ON api_keys BEGIN INSERT INTO changes (kind, identity) SELECT 6, lookup_id FROM api_keys WHERE number <> OLD.number AND (number = NEW.number OR (id = NEW.id) OR (lookup_id = NEW.lookup_id)); END;
CREATE TRIGGER changes_api_keys_AFTER_UPDATE AFTER UPDATE ON api_keys BEGIN INSERT INTO changes (kind, identity) VALUES (6, OLD.lookup_id); INSERT INTO changes (kind, identity) SELECT 6, NEW.lookup_id WHERE NEW.lookup_id <> OLD.lookup_id; END;
CREATE TRIGGER changes_api_keys_AFTER_DELETE AFTER DELETE ON api_keys BEGIN INSERT INTO changes (kind, identity) VALUES (6, OLD.lookup_id); END;
INSERT INTO environment VALUES (1, 'env_01HZY0000000000000000000A1', 'sk', 'acme_live sk', 3, x'00ff10', NULL, x'27', 0, 86400000, 1, 0, 100, 1, 7776000000, 12, 1767225600000, 1767225600001);
INSERT INTO permissions VALUES (1, 'perm_1', 'widgets:api-keys:manage', 'Manage API keys', NULL, 1, 0, 0, 1767225600000, 1767225600000);
INSERT INTO permissions VALUES (7, 'perm_7', 'posts:read', 'Read ''posts''; DROP TABLE permissions;--', 'Größe "100%" _ \ ' || char(10) || char(0x1F511), 0, 1, 1, 1767225600000, 1767225600002);
INSERT INTO roles VALUES (1, 'role_1', '', 'admin', 'Admin', NULL, 0, 'widgets:api-keys:manage', 1767225600000, 1767225600000);
INSERT INTO roles VALUES (2, 'role_2', 'org_1', 'editor', 'Éditeur', '', -5, '', 1767225600000, 1767225600000);
INSERT INTO organizations VALUES (1, 'org_1', 'Acme "Quotes" & Söhne', 'acme/eu', 'acme.example acme.test', 1767225600000, 1767225600000, '{"plan":"pro"}');
INSERT INTO organizations VALUES (2, 'org_2', '组织', NULL, '', 1767225600000, 1767225600000, '');
INSERT INTO members VALUES (1, 'om_1', 'org_1', 'user_1', 1, 'admin editor', 'o''neil@acme.example', 'Seán O''Neil', 1767225600000, 1767225600000);
INSERT INTO members VALUES (2, 'om_2', 'org_2', 'user_1', 0, '', NULL, NULL, 1767225600000, 1767225600000);
INSERT INTO api_keys VALUES (1, 'api_key_1', 1, 'org_1', NULL, 'CI deploys', 'posts:read', '9fQ2000000000001', 'sk_...3456', 1, 3, x'000102fffe00', 1, 0, 0, NULL, 1767225600000, 1767225600000);
INSERT INTO api_keys VALUES (2, 'api_key_2', 2, 'org_1', 'user_1', 'a''b"c%_', '', '9fQ2000000000002', 'acme_live_...0000', 1, 3, x'', 2, 1767225600009, 1767225600008, 'leaked' || char(9) || 'in a log', 1767225600000, 1767225600008);
INSERT INTO api_keys VALUES (9, 'api_key_9', 3, '', NULL, 'management', 'apikeys:keys:read', '9fQ2000000000009', 'sk_...9999', 1, 3, x'aa', 1, 9223372036854775807, 0, NULL, 1767225600000, 1767225600000);
INSERT INTO api_key_uses VALUES (1, 'api_key_1', 1767225601000);
INSERT INTO events VALUES (1, 'event_1', 'organization.created', 'org_1', 1767225600000, '{"name":"Acme \"Quotes\""}', 1, 'system', '', 'set up', NULL, NULL, NULL, 0);
INSERT INTO events VALUES (5, 'event_5', 'api_key.revoked', 'org_1', 1767225600008, '{}', 2, 'user_1', 'org_1', NULL, 'req_1', '2001:db8::1', 'curl/8 (''x'')', 1);
INSERT INTO event_cursors VALUES (1, 'mailer', 4, 1767225600000);
INSERT INTO idempotency_keys VALUES (3, 'create-1', x'0102', 'api_key_1', 1767225600000);
INSERT INTO documents VALUES (4, '/webhooks/1', 'webhooks', 'wh_1', 'org_1', '{"url":"https://acme.example/"}', x'00ff', 3, 0, 0, 2, 1767225600000, 1767225600001);
INSERT INTO tombstones VALUES (5, 'api_key_8', 6, 8, 'org_1', 1767225600000);
DELETE FROM api_keys WHERE number = 9;
COMMIT;
