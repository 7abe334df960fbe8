-- SPDX-License-Identifier: MIT
-- An environment that the library of schema version 4 made, dumped with the sqlite3 shell. Its root
-- key is the bytes 0 to 31. It is never changed: it stands for the files that users have.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
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
INSERT INTO environment VALUES(1,'env_01M8QQMQWD74CJ2V9HBH2Q3EHF','sk','sk',1,X'47942e12531358b8af2102eae20c122648a97ae76031c5f1f6c42a227644a6cc',NULL,NULL,0,0,0,0,0,0,0,1,1796092878733,1796092878733);
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
INSERT INTO permissions VALUES(1,'perm_01M8QQMQWDR6H0RKPVKA8EZY62','widgets:api-keys:manage','Manage API keys','Create, see, change and revoke the organization''s keys',1,0,0,1796092878733,1796092878733);
INSERT INTO permissions VALUES(2,'perm_01M8QQMQWD20R8A3K0S9D4JV31','widgets:user-api-keys:manage-self','Manage own API keys','Create, see, change and revoke one''s own keys',1,0,0,1796092878733,1796092878733);
INSERT INTO permissions VALUES(3,'perm_01M8QQMQWDP7QNWK2BP9XVQKJP','widgets:user-api-keys:manage-all','Manage all users'' API keys','The same, and see and revoke the keys of other members',1,0,0,1796092878733,1796092878733);
INSERT INTO permissions VALUES(4,'perm_01M8QQMQWFNPPVSYF3BM576DN2','posts:read','Read posts',NULL,0,1,0,1796092878735,1796092878735);
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
INSERT INTO roles VALUES(1,'role_01M8QQMQWDTC250ZXHXJ0QTK8K','','admin','Admin','Manages API keys',0,'widgets:api-keys:manage widgets:user-api-keys:manage-all widgets:user-api-keys:manage-self',1796092878733,1796092878733);
INSERT INTO roles VALUES(2,'role_01M8QQMQWD6Z3B023VW47NK7SV','','member','Member','What a member is unless told otherwise',0,'',1796092878733,1796092878733);
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
INSERT INTO organizations VALUES(1,'org_01M8QQMQWFKM70F6KJW4JBKR73','Acme',NULL,'',1796092878735,1796092878735,'');
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
INSERT INTO api_keys VALUES(1,'api_key_01M8QQMQWFGYEE8GSX0KQ959EF',1,'org_01M8QQMQWFKM70F6KJW4JBKR73',NULL,'good','posts:read','ODP4sKWG0P66TdNy','sk_...J1Hb',1,1,X'855af214d1cf291eaf3aedc2cfac3958b8762005de1979aca684886821ffc3c66f0db0e84514e20e8ff30fd84d228a84f047e281a1a1fa864dc40644f467cf0664e6cac2bf57fd61',1,0,0,NULL,1796092878735,1796092878735);
INSERT INTO api_keys VALUES(2,'api_key_01M8QQMQWG3XG91VZR76T2P090',1,'org_01M8QQMQWFKM70F6KJW4JBKR73',NULL,'revoked','posts:read','nGAC0W5U5GV5wMNo','sk_...ZnFq',1,1,X'0867354c0bc2a0539ac64a13378321894f47fb666c2c6f693d17a029e7b1db58e3545921f18dff627bdf795a77f27436ef5f0ce5a3a72820570dbe646334b8c93a46ece54b5d6438',2,0,1796092878736,'leaked',1796092878736,1796092878736);
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
INSERT INTO events VALUES(1,'event_01M8QQMQWDVPWY2CJ8R4HCRJAA','environment.created','',1796092878733,'{"object":"environment","id":"env_01M8QQMQWD74CJ2V9HBH2Q3EHF","prefix":"sk","accepted_prefixes":["sk"],"root_version":1,"max_lifetime_ms":0,"expiry_required":false,"idle_lifetime_ms":0,"max_keys_per_owner":0,"grants_must_be_held":false,"event_retention_ms":0,"first_event_number":1,"created_at":"2026-12-01T02:41:18.733Z","updated_at":"2026-12-01T02:41:18.733Z"}',1,'env_01M8QQMQWD74CJ2V9HBH2Q3EHF','','maintenance',NULL,NULL,NULL,0);
INSERT INTO events VALUES(2,'event_01M8QQMQWDDAT1RM646BW0XA76','permission.created','',1796092878733,'{"object":"permission","id":"perm_01M8QQMQWDR6H0RKPVKA8EZY62","slug":"widgets:api-keys:manage","name":"Manage API keys","description":"Create, see, change and revoke the organization''s keys","system":true,"resource_type_slug":"organization","available_to_organization_keys":false,"available_to_user_keys":false,"created_at":"2026-12-01T02:41:18.733Z","updated_at":"2026-12-01T02:41:18.733Z"}',1,'env_01M8QQMQWD74CJ2V9HBH2Q3EHF','','maintenance',NULL,NULL,NULL,0);
INSERT INTO events VALUES(3,'event_01M8QQMQWDXYWC5YHWG7QZTJNM','permission.created','',1796092878733,'{"object":"permission","id":"perm_01M8QQMQWD20R8A3K0S9D4JV31","slug":"widgets:user-api-keys:manage-self","name":"Manage own API keys","description":"Create, see, change and revoke one''s own keys","system":true,"resource_type_slug":"organization","available_to_organization_keys":false,"available_to_user_keys":false,"created_at":"2026-12-01T02:41:18.733Z","updated_at":"2026-12-01T02:41:18.733Z"}',1,'env_01M8QQMQWD74CJ2V9HBH2Q3EHF','','maintenance',NULL,NULL,NULL,0);
INSERT INTO events VALUES(4,'event_01M8QQMQWDKP70NCH5KEG9RZYE','permission.created','',1796092878733,'{"object":"permission","id":"perm_01M8QQMQWDP7QNWK2BP9XVQKJP","slug":"widgets:user-api-keys:manage-all","name":"Manage all users'' API keys","description":"The same, and see and revoke the keys of other members","system":true,"resource_type_slug":"organization","available_to_organization_keys":false,"available_to_user_keys":false,"created_at":"2026-12-01T02:41:18.733Z","updated_at":"2026-12-01T02:41:18.733Z"}',1,'env_01M8QQMQWD74CJ2V9HBH2Q3EHF','','maintenance',NULL,NULL,NULL,0);
INSERT INTO events VALUES(5,'event_01M8QQMQWDGQ8VN6N1J4105STZ','role.created','',1796092878733,'{"object":"role","id":"role_01M8QQMQWDTC250ZXHXJ0QTK8K","slug":"admin","name":"Admin","description":"Manages API keys","type":"EnvironmentRole","resource_type_slug":"organization","permissions":["widgets:api-keys:manage","widgets:user-api-keys:manage-all","widgets:user-api-keys:manage-self"],"priority":0,"created_at":"2026-12-01T02:41:18.733Z","updated_at":"2026-12-01T02:41:18.733Z"}',1,'env_01M8QQMQWD74CJ2V9HBH2Q3EHF','','maintenance',NULL,NULL,NULL,0);
INSERT INTO events VALUES(6,'event_01M8QQMQWD9TR8C8422YE9WGBK','role.created','',1796092878733,'{"object":"role","id":"role_01M8QQMQWD6Z3B023VW47NK7SV","slug":"member","name":"Member","description":"What a member is unless told otherwise","type":"EnvironmentRole","resource_type_slug":"organization","permissions":[],"priority":0,"created_at":"2026-12-01T02:41:18.733Z","updated_at":"2026-12-01T02:41:18.733Z"}',1,'env_01M8QQMQWD74CJ2V9HBH2Q3EHF','','maintenance',NULL,NULL,NULL,0);
INSERT INTO events VALUES(7,'event_01M8QQMQWF8ASS3RNYGDJ65J53','permission.created','',1796092878735,'{"object":"permission","id":"perm_01M8QQMQWFNPPVSYF3BM576DN2","slug":"posts:read","name":"Read posts","description":null,"system":false,"resource_type_slug":"organization","available_to_organization_keys":true,"available_to_user_keys":false,"created_at":"2026-12-01T02:41:18.735Z","updated_at":"2026-12-01T02:41:18.735Z"}',1,'env_01M8QQMQWD74CJ2V9HBH2Q3EHF','','made by schema version 4',NULL,NULL,NULL,0);
INSERT INTO events VALUES(8,'event_01M8QQMQWFZKG03A7BWY3DW7QS','organization.created','org_01M8QQMQWFKM70F6KJW4JBKR73',1796092878735,'{"object":"organization","id":"org_01M8QQMQWFKM70F6KJW4JBKR73","name":"Acme","domains":[],"metadata":{},"external_id":null,"created_at":"2026-12-01T02:41:18.735Z","updated_at":"2026-12-01T02:41:18.735Z"}',1,'env_01M8QQMQWD74CJ2V9HBH2Q3EHF','','made by schema version 4',NULL,NULL,NULL,0);
INSERT INTO events VALUES(9,'event_01M8QQMQWF8KTZXSPP6P4F86YM','api_key.created','org_01M8QQMQWFKM70F6KJW4JBKR73',1796092878735,'{"object":"api_key","id":"api_key_01M8QQMQWFGYEE8GSX0KQ959EF","owner":{"type":"organization","id":"org_01M8QQMQWFKM70F6KJW4JBKR73"},"name":"good","obfuscated_value":"sk_...J1Hb","last_used_at":null,"expires_at":null,"permissions":["posts:read"],"created_at":"2026-12-01T02:41:18.735Z","updated_at":"2026-12-01T02:41:18.735Z"}',1,'env_01M8QQMQWD74CJ2V9HBH2Q3EHF','','made by schema version 4',NULL,NULL,NULL,0);
INSERT INTO events VALUES(10,'event_01M8QQMQWGNHYT46VX718C0MAB','api_key.created','org_01M8QQMQWFKM70F6KJW4JBKR73',1796092878736,'{"object":"api_key","id":"api_key_01M8QQMQWG3XG91VZR76T2P090","owner":{"type":"organization","id":"org_01M8QQMQWFKM70F6KJW4JBKR73"},"name":"revoked","obfuscated_value":"sk_...ZnFq","last_used_at":null,"expires_at":null,"permissions":["posts:read"],"created_at":"2026-12-01T02:41:18.736Z","updated_at":"2026-12-01T02:41:18.736Z"}',1,'env_01M8QQMQWD74CJ2V9HBH2Q3EHF','','made by schema version 4',NULL,NULL,NULL,0);
INSERT INTO events VALUES(11,'event_01M8QQMQWG1FCJQ4FWSZDKFPP7','api_key.revoked','org_01M8QQMQWFKM70F6KJW4JBKR73',1796092878736,'{"object":"api_key","id":"api_key_01M8QQMQWG3XG91VZR76T2P090","owner":{"type":"organization","id":"org_01M8QQMQWFKM70F6KJW4JBKR73"},"name":"revoked","obfuscated_value":"sk_...ZnFq","last_used_at":null,"expires_at":null,"permissions":["posts:read"],"created_at":"2026-12-01T02:41:18.736Z","updated_at":"2026-12-01T02:41:18.736Z"}',1,'env_01M8QQMQWD74CJ2V9HBH2Q3EHF','','made by schema version 4',NULL,NULL,NULL,0);
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
CREATE TABLE changes (generation INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, identity TEXT NOT NULL) STRICT;
INSERT INTO changes VALUES(1,1,'');
INSERT INTO changes VALUES(2,3,'');
INSERT INTO changes VALUES(3,3,'');
INSERT INTO changes VALUES(4,6,'nGAC0W5U5GV5wMNo');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('changes',4);
INSERT INTO sqlite_sequence VALUES('environment',1);
INSERT INTO sqlite_sequence VALUES('events',11);
INSERT INTO sqlite_sequence VALUES('permissions',4);
INSERT INTO sqlite_sequence VALUES('roles',2);
INSERT INTO sqlite_sequence VALUES('organizations',1);
INSERT INTO sqlite_sequence VALUES('api_keys',2);
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
COMMIT;
PRAGMA application_id = 1095460217;
PRAGMA user_version = 4;
