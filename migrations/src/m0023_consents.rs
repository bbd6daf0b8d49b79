//! Consents and their purposes, suppressed addresses, preferences of customers, and what accounts are to one another.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0023_consents", tables: TABLES, indexes: INDEXES, ..Step::NONE };

const TABLES: &str = "
CREATE TABLE consent_purposes (
    {record}, key :text NOT NULL, name :text NOT NULL, name_translations :json NOT NULL, description :text, requires_consent :bool NOT NULL);
CREATE TABLE consents (
    {record}, account_id :id REFERENCES accounts (id), contact_id :id REFERENCES contacts (id), purpose :text NOT NULL, channel :text,
    status :text NOT NULL, lawful_basis :text NOT NULL, captured_at :time NOT NULL, expires_at :time, source :text NOT NULL,
    text_version :text, wording :text, ip_address :text, user_agent :text);
CREATE TABLE suppressions (
    {record}, address_hash :text NOT NULL, channel :text NOT NULL, reason :text NOT NULL, until :time, note :text, status :text NOT NULL);
CREATE TABLE suppression_salt (salt :bytes NOT NULL);
CREATE TABLE preferences (
    {record}, account_id :id REFERENCES accounts (id), contact_id :id REFERENCES contacts (id), kind :text NOT NULL, value :text NOT NULL,
    source :text NOT NULL, confidence :int NOT NULL, valid_from :date, valid_to :date, {tail});
CREATE TABLE account_relationships (
    {record}, from_account_id :id NOT NULL REFERENCES accounts (id), to_account_id :id NOT NULL REFERENCES accounts (id),
    kind :text NOT NULL, note :text, valid_from :date, valid_to :date, {tail});
";

const INDEXES: &str = "
    consent_purposes: created_at | updated_at | requires_consent
    unique consent_purposes: key
    consents: created_at | updated_at | purpose | status | captured_at
    sparse consents: account_id | contact_id | channel
    suppressions: created_at | updated_at | channel | reason | status
    unique suppressions: address_hash, channel
    preferences: created_at | updated_at | kind | source | confidence
    sparse preferences: account_id | contact_id | valid_to
    account_relationships: created_at | updated_at | from_account_id | to_account_id | kind
    sparse account_relationships: valid_to
    unique account_relationships: from_account_id, to_account_id, kind
";
