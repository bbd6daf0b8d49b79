//! Notes and calls, and the indexes of timelines: by account, contact or related record, in the order of time.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0024_notes_and_calls", tables: TABLES, indexes: INDEXES, ..Step::NONE };

const TABLES: &str = "
CREATE TABLE notes (
    {record}, {owned}, account_id :id, contact_id :id, related_resource :text, related_id :id, body :text NOT NULL, title :text NOT NULL,
    is_pinned :bool NOT NULL, visibility :text NOT NULL, {tail});
CREATE TABLE calls (
    {record}, {owned}, account_id :id, contact_id :id, related_resource :text, related_id :id, direction :text NOT NULL, from_number :text,
    to_number :text, from_e164 :text, to_e164 :text, customer_number :text NOT NULL, match_status :text NOT NULL, started_at :time NOT NULL,
    answered_at :time, ended_at :time, duration_seconds :int, disposition :text, user_id :id, queue :text, notes :text, {tail});
CREATE INDEX notes_deleted_account_id_idx ON notes (account_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX notes_deleted_contact_id_idx ON notes (contact_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX calls_deleted_account_id_idx ON calls (account_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX calls_deleted_contact_id_idx ON calls (contact_id) WHERE deleted_at IS NOT NULL;
";

const INDEXES: &str = "
    notes: created_at
    notes: updated_at
    notes: owner_id | team_id
    sparse notes: owner_id | team_id, created_at | updated_at
    sparse notes: account_id | contact_id | related_id
    sparse notes: account_id | contact_id | related_id, created_at
    notes: is_pinned
    notes: visibility
    calls: created_at
    calls: updated_at
    calls: started_at
    calls: owner_id | team_id
    sparse calls: owner_id | team_id, created_at | updated_at | started_at
    sparse calls: account_id | contact_id | related_id
    sparse calls: account_id | contact_id | related_id, started_at
    calls: direction
    calls: customer_number
    calls: match_status
    sparse calls: disposition
    sparse calls: user_id
    sparse calls: queue
    orders: account_id, created_at
    sparse orders: contact_id, created_at
    opportunities: account_id, created_at
    sparse opportunities: contact_id, created_at
    order_promises: account_id, created_at
    sparse order_promises: contact_id, created_at
    shipments: account_id, created_at
    sparse order_invoices: account_id, created_at
";
