//! What persons ask of their data, and how what is held about them is found, be it deleted or not.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0008_privacy", tables: TABLES, indexes: INDEXES, ..Step::NONE };

/// The other indexes are of living records: these are of the deleted ones, which are few, or none.
const TABLES: &str = "
CREATE TABLE privacy_requests (
    {record}, kind :text NOT NULL, resource :text NOT NULL, record_id :id NOT NULL, received_on :date, due_on :date, note :text,
    evidence :text, outcome :text, status :text NOT NULL, settled_at :time);
CREATE INDEX addresses_deleted_account_id_idx ON addresses (account_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX addresses_deleted_contact_id_idx ON addresses (contact_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX contact_points_deleted_account_id_idx ON contact_points (account_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX contact_points_deleted_contact_id_idx ON contact_points (contact_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX account_contacts_deleted_contact_id_idx ON account_contacts (contact_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX external_references_deleted_record_id_idx ON external_references (record_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX orders_deleted_account_id_idx ON orders (account_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX orders_deleted_contact_id_idx ON orders (contact_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX order_promises_deleted_account_id_idx ON order_promises (account_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX order_promises_deleted_contact_id_idx ON order_promises (contact_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX order_holds_deleted_account_id_idx ON order_holds (account_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX order_invoices_deleted_account_id_idx ON order_invoices (account_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX shipments_deleted_account_id_idx ON shipments (account_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX credit_profiles_deleted_account_id_idx ON credit_profiles (account_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX credit_balances_deleted_account_id_idx ON credit_balances (account_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX credit_checks_deleted_account_id_idx ON credit_checks (account_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX privacy_requests_settled_idx ON privacy_requests (kind, settled_at);
CREATE INDEX privacy_requests_deleted_record_id_idx ON privacy_requests (record_id) WHERE deleted_at IS NOT NULL;
";

const INDEXES: &str = "
    privacy_requests: created_at
    privacy_requests: updated_at
    privacy_requests: kind
    privacy_requests: status
    privacy_requests: resource
    privacy_requests: record_id
    privacy_requests: due_on
    order_promises: contact_id
";
