//! Credit policies, the checks they decide, and what each check counted.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0004_credit_checks", tables: TABLES, indexes: INDEXES, ..Step::NONE };

const TABLES: &str = "
CREATE TABLE credit_policies (
    {record}, name :text NOT NULL, name_key :bytes NOT NULL, priority :int NOT NULL, checkpoints :json NOT NULL, grades :json NOT NULL,
    currency :text, components :json NOT NULL, tolerance_percent :int, over_limit :text NOT NULL, overdue_from :text, overdue_amount :int,
    overdue :text NOT NULL, stale :text, unknown :text NOT NULL, authorisation_minutes :int NOT NULL, releases_holds :bool NOT NULL, status :text NOT NULL);
CREATE TABLE credit_checks (
    {record}, account_id :id NOT NULL REFERENCES accounts (id), amount :int NOT NULL, currency :text NOT NULL, checkpoint :text NOT NULL,
    decision :text NOT NULL, findings :json NOT NULL, rule :text, available_before :int, available_after :int, as_of :time, policy_id :id,
    policy_version :int, status :text NOT NULL, authorised_amount :int, expires_at :time, settled_at :time, order_id :id);
CREATE TABLE credit_check_components (
    {log}, check_id :id NOT NULL REFERENCES credit_checks (id), account_id :id NOT NULL REFERENCES accounts (id), component :text NOT NULL,
    system :text, entity :text, amount :int NOT NULL, is_counted :bool NOT NULL, as_of :time);
";

const INDEXES: &str = "
    credit_policies: created_at
    credit_policies: updated_at
    credit_policies: name_key
    credit_policies: priority
    credit_policies: status
    credit_checks: created_at
    credit_checks: updated_at
    credit_checks: account_id
    credit_checks: account_id, status, settled_at
    credit_checks: decision
    credit_checks: status
    credit_checks: expires_at
    credit_checks: order_id
    log credit_check_components: created_at
    log credit_check_components: check_id
    log credit_check_components: account_id
";
