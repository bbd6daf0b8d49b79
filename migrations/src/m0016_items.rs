//! What records hold in lists is indexed as tags are: the products of orders, topics and interests.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0016_items", postgres: POSTGRES, sqlite: SQLITE, ..Step::NONE };

const POSTGRES: &str = "
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'orders', 'items.product_id', o.id, l->>'product_id' FROM orders o CROSS JOIN LATERAL json_array_elements(o.lines) l
    WHERE o.deleted_at IS NULL AND l->>'product_id' IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'account_contacts', 'items.topics', a.id, left(l, 500) FROM account_contacts a CROSS JOIN LATERAL json_array_elements_text(a.topics) l
    WHERE a.deleted_at IS NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'contacts', 'items.interests', c.id, left(l, 500) FROM contacts c CROSS JOIN LATERAL json_array_elements_text(c.interests) l
    WHERE c.deleted_at IS NULL
";

const SQLITE: &str = "
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'orders', 'items.product_id', o.id, json_extract(l.value, '$.product_id') FROM orders o, json_each(o.lines) l
    WHERE o.deleted_at IS NULL AND json_extract(l.value, '$.product_id') IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'account_contacts', 'items.topics', a.id, substr(l.value, 1, 500) FROM account_contacts a, json_each(a.topics) l
    WHERE a.deleted_at IS NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'contacts', 'items.interests', c.id, substr(l.value, 1, 500) FROM contacts c, json_each(c.interests) l
    WHERE c.deleted_at IS NULL
";
