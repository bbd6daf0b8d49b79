//! The user who answers for an API key, without whom it stops; and which keys a user made.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0010_responsible", tables: TABLES, indexes: INDEXES, ..Step::NONE };

/// A key's key is answered for by who answers for that: three generations, beyond which nobody does.
const TABLES: &str = "
ALTER TABLE api_keys ADD COLUMN responsible_id :id NULL;
UPDATE api_keys SET responsible_id = created_by_id WHERE created_by_id IN (SELECT id FROM users);
UPDATE api_keys SET responsible_id = (SELECT p.responsible_id FROM api_keys p WHERE p.id = api_keys.created_by_id) WHERE responsible_id IS NULL;
UPDATE api_keys SET responsible_id = (SELECT p.responsible_id FROM api_keys p WHERE p.id = api_keys.created_by_id) WHERE responsible_id IS NULL;
UPDATE api_keys SET responsible_id = (SELECT p.responsible_id FROM api_keys p WHERE p.id = api_keys.created_by_id) WHERE responsible_id IS NULL;
";

const INDEXES: &str = "
    api_keys: created_by_id
    api_keys: responsible_id
";
