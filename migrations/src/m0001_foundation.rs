//! The foundation: platform, customers, catalog, and accounting's credit feed.

use crate::Step;

/// The step.
pub const STEP: Step =
    Step { name: "m0001_foundation", tables: TABLES, indexes: INDEXES, postgres: POSTGRES, sqlite: SQLITE, ..Step::NONE };

const TABLES: &str = "
-- Kernel: what every resource needs kept.
CREATE TABLE server_keys (name :text NOT NULL PRIMARY KEY, secret :bytes NOT NULL, created_at :time NOT NULL);
CREATE TABLE idempotency_keys (
    principal :id NOT NULL, key :text NOT NULL, fingerprint :bytes NOT NULL, created_at :time NOT NULL,
    status :int, headers :json, body :bytes, PRIMARY KEY (principal, key));
CREATE TABLE record_values (
    resource :text NOT NULL, key :text NOT NULL, record_id :id NOT NULL, text_value :text, number_value :int);
CREATE TABLE custom_fields (
    {record}, resource :text NOT NULL, key :text NOT NULL, label :text NOT NULL, label_translations :json NOT NULL, type :text NOT NULL,
    required :bool NOT NULL, picklist :text, max_length :int, description :text);
CREATE TABLE picklists ({record}, key :text NOT NULL, name :text NOT NULL, name_key :bytes NOT NULL, \"values\" :json NOT NULL);

-- Platform.
CREATE TABLE users (
    {record}, name :text NOT NULL, name_key :bytes NOT NULL, email :text NOT NULL, job_title :text, locale :text, time_zone :text,
    manager_id :id REFERENCES users (id), role_ids :json NOT NULL, team_ids :json NOT NULL, status :text NOT NULL, {tail});
CREATE TABLE user_passwords (user_id :id NOT NULL PRIMARY KEY REFERENCES users (id), hash :text NOT NULL, changed_at :time NOT NULL);
CREATE TABLE teams (
    {record}, name :text NOT NULL, name_key :bytes NOT NULL, parent_id :id REFERENCES teams (id), description :text, {tail});
CREATE TABLE roles (
    {record}, name :text NOT NULL, name_key :bytes NOT NULL, description :text, permissions :json NOT NULL, field_rules :json NOT NULL, {tail});
CREATE TABLE api_keys (
    {record}, name :text NOT NULL, name_key :bytes NOT NULL, role_ids :json NOT NULL, scopes :json NOT NULL, systems :json NOT NULL,
    expires_at :time, allowed_addresses :json NOT NULL, prefix :text NOT NULL, status :text NOT NULL, secret_hash :bytes);
CREATE TABLE sessions (
    id :id NOT NULL PRIMARY KEY, user_id :id NOT NULL REFERENCES users (id), created_at :time NOT NULL, expires_at :time NOT NULL,
    ended_at :time, ended_why :text);
CREATE TABLE refresh_tokens (
    hash :bytes NOT NULL PRIMARY KEY, session_id :id NOT NULL REFERENCES sessions (id), created_at :time NOT NULL,
    used_at :time, successor :bytes, is_live :bool NOT NULL);

-- Customers.
CREATE TABLE price_books (
    {record}, name :text NOT NULL, name_key :bytes NOT NULL, currency :text NOT NULL, valid_from :date, valid_to :date,
    parent_id :id REFERENCES price_books (id), tax_inclusive :bool NOT NULL, tax_rounding :text NOT NULL, is_default :bool NOT NULL, {tail});
CREATE TABLE accounts (
    {record}, {owned}, name :text NOT NULL, name_key :bytes NOT NULL, legal_name :text, legal_form :text, registration_no :text, tax_id :text,
    branch_code :text, country :text, industry :text, size :text, lifecycle_stage :text NOT NULL, is_vip :bool NOT NULL, grade :text,
    preferred_channel :text, preferred_language :text, currency :text, payment_terms_days :int, price_book_id :id REFERENCES price_books (id),
    parent_id :id REFERENCES accounts (id), health :int, website :text, description :text, {tail});
CREATE TABLE account_lifecycle_history (
    {log}, account_id :id NOT NULL REFERENCES accounts (id), from_stage :text, to_stage :text NOT NULL, reason :text);
CREATE TABLE account_grade_history (
    {log}, account_id :id NOT NULL REFERENCES accounts (id), from_grade :text, to_grade :text);
CREATE TABLE contacts (
    {record}, {owned}, salutation :text, first_name :text NOT NULL, middle_name :text, last_name :text, name :text NOT NULL,
    name_key :bytes NOT NULL, local_name :text, job_title :text, department :text, birth_date :date, marital_status :text, spouse_name :text,
    children_count :int, interests :json NOT NULL, preferred_channel :text, preferred_language :text, best_time :text,
    do_not_call :bool NOT NULL, description :text, {tail});
CREATE TABLE account_contacts (
    {record}, account_id :id NOT NULL REFERENCES accounts (id), contact_id :id NOT NULL REFERENCES contacts (id), role :text NOT NULL,
    topics :json NOT NULL, is_primary :bool NOT NULL, valid_from :date, valid_to :date, {tail});
CREATE TABLE addresses (
    {record}, account_id :id REFERENCES accounts (id), contact_id :id REFERENCES contacts (id), purpose :text NOT NULL, label :text,
    line1 :text NOT NULL, line2 :text, subdistrict :text, district :text, city :text, region :text, postal_code :text, country :text,
    valid_from :date, valid_to :date, is_default :bool NOT NULL, {tail});
CREATE TABLE contact_points (
    {record}, account_id :id REFERENCES accounts (id), contact_id :id REFERENCES contacts (id), kind :text NOT NULL, raw :text NOT NULL,
    region :text, e164 :text, normalized :text NOT NULL, label :text, is_primary :bool NOT NULL, is_verified :bool NOT NULL,
    status :text NOT NULL, {tail});
CREATE TABLE tags ({record}, name :text NOT NULL, name_key :bytes NOT NULL, color :text, description :text);
CREATE TABLE external_references (
    {record}, system :text NOT NULL, resource :text NOT NULL, external_type :text NOT NULL, external_id :text NOT NULL, record_id :id NOT NULL);

-- Catalog.
CREATE TABLE product_categories (
    {record}, name :text NOT NULL, name_key :bytes NOT NULL, parent_id :id REFERENCES product_categories (id), description :text, {tail});
CREATE TABLE products (
    {record}, sku :text NOT NULL, name :text NOT NULL, name_key :bytes NOT NULL, name_translations :json NOT NULL, description :text,
    kind :text NOT NULL, unit :text, packaging :text, tax_code :text, tracked :text NOT NULL,
    backorder :text NOT NULL, backorder_limit :int, lead_time_days :int, category_id :id REFERENCES product_categories (id), status :text NOT NULL, {tail});
CREATE TABLE price_book_entries (
    {record}, price_book_id :id NOT NULL REFERENCES price_books (id), product_id :id NOT NULL REFERENCES products (id),
    min_quantity :int NOT NULL, price :int NOT NULL, valid_from :date, valid_to :date, {tail});

-- Integration.
CREATE TABLE external_systems (
    {record}, code :text NOT NULL, name :text NOT NULL, name_key :bytes NOT NULL, kind :text NOT NULL, legal_entity :text, currency :text,
    stale_after :text, on_stale :text NOT NULL, status :text NOT NULL, last_seen_at :time);
CREATE TABLE credit_balances (
    {record}, account_id :id NOT NULL REFERENCES accounts (id), system :text NOT NULL, entity :text NOT NULL, currency :text NOT NULL,
    exposure_as_of :time, exposure_revision :text, receivable :int, overdue_days_1_30 :int, overdue_days_31_60 :int,
    overdue_days_61_90 :int, overdue_days_over_90 :int, unbilled_deliveries :int, open_orders :int, limit_as_of :time, limit_revision :text,
    limit_kind :text, limit_amount :int, on_hold :bool, status :text NOT NULL, exposure_has_conflict :bool NOT NULL,
    limit_has_conflict :bool NOT NULL, has_conflict :bool NOT NULL, received_at :time NOT NULL);
CREATE TABLE credit_balance_history (
    {log}, balance_id :id NOT NULL, account_id :id NOT NULL REFERENCES accounts (id), system :text NOT NULL, entity :text NOT NULL,
    currency :text NOT NULL, as_of :time NOT NULL, item :json NOT NULL);
CREATE TABLE credit_profiles (
    {record}, account_id :id NOT NULL REFERENCES accounts (id), is_on_hold :bool NOT NULL, hold_reason :text, limit_amount :int,
    group_limit_amount :int, currency :text, payment_terms_days :int, insured_amount :int, review_on :date, warn_at_percent :int);
CREATE TABLE credit_snapshots (
    {record}, system :text NOT NULL, entity :text NOT NULL, currency :text NOT NULL, expected_items :int NOT NULL, status :text NOT NULL,
    received_items :int NOT NULL, receivable_total :int NOT NULL, completed_at :time, marked_missing :int NOT NULL);
CREATE TABLE credit_snapshot_items (
    snapshot_id :id NOT NULL REFERENCES credit_snapshots (id), external_key :text NOT NULL, account_id :id, as_of :time NOT NULL, receivable :int,
    PRIMARY KEY (snapshot_id, external_key));
CREATE TABLE unmatched_credits (
    {record}, system :text NOT NULL, entity :text NOT NULL, currency :text NOT NULL, external_id :text NOT NULL, as_of :time NOT NULL,
    items :json NOT NULL, attempts :int NOT NULL);
";

/// Each line an index: of a filter, a sort, a rule of uniqueness, or a way to follow a reference; `a | b, c | d` is four.
/// Whose a record is and in which state are asked for in every order, so each pair of these with a sort has one.
const INDEXES: &str = "
    custom_fields: created_at
    custom_fields: updated_at
    custom_fields: resource
    custom_fields: key
    unique custom_fields: resource, key
    picklists: created_at
    picklists: updated_at
    picklists: name_key
    unique picklists: key
    users: created_at
    users: updated_at
    users: name_key
    users: name
    users: status
    users: manager_id
    unique users: email
    teams: created_at
    teams: updated_at
    teams: name_key
    teams: parent_id
    unique teams: name
    roles: created_at
    roles: updated_at
    roles: name_key
    unique roles: name
    api_keys: created_at
    api_keys: updated_at
    api_keys: name
    api_keys: name_key
    api_keys: status
    price_books: created_at
    price_books: updated_at
    price_books: name_key
    price_books: currency
    price_books: parent_id
    price_books: is_default
    unique price_books: name
    accounts: created_at
    accounts: updated_at
    accounts: owner_id | team_id | lifecycle_stage
    accounts: owner_id | team_id | lifecycle_stage, created_at | updated_at | name_key | grade
    accounts: owner_id | team_id, lifecycle_stage
    accounts: name_key
    accounts: name
    accounts: legal_name
    accounts: legal_form
    accounts: tax_id
    accounts: industry
    accounts: is_vip
    accounts: grade
    accounts: country
    accounts: currency
    accounts: parent_id
    accounts: price_book_id
    log account_lifecycle_history: account_id
    log account_lifecycle_history: created_at
    log account_grade_history: account_id
    log account_grade_history: created_at
    contacts: created_at
    contacts: updated_at
    contacts: owner_id | team_id
    contacts: owner_id | team_id, created_at | updated_at | name_key
    contacts: name_key
    contacts: name
    contacts: last_name
    contacts: job_title
    contacts: department
    contacts: do_not_call
    contacts: birth_date
    account_contacts: created_at
    account_contacts: updated_at
    account_contacts: account_id
    account_contacts: contact_id
    account_contacts: role
    account_contacts: is_primary
    unique account_contacts: account_id, contact_id, role
    addresses: created_at
    addresses: updated_at
    addresses: account_id
    addresses: contact_id
    addresses: purpose
    addresses: country
    addresses: postal_code
    contact_points: created_at
    contact_points: updated_at
    contact_points: account_id
    contact_points: contact_id
    contact_points: kind
    contact_points: normalized
    contact_points: e164
    tags: created_at
    tags: updated_at
    tags: name_key
    unique tags: name
    external_references: created_at
    external_references: updated_at
    external_references: system
    external_references: resource
    external_references: external_type
    external_references: external_id
    external_references: record_id
    unique external_references: system, resource, external_type, external_id
    product_categories: created_at
    product_categories: updated_at
    product_categories: name
    product_categories: name_key
    product_categories: parent_id
    products: created_at
    products: updated_at
    products: name
    products: name_key
    products: kind
    products: status
    products: category_id
    products: tax_code
    unique products: sku
    price_book_entries: created_at
    price_book_entries: updated_at
    price_book_entries: price_book_id
    price_book_entries: price_book_id, product_id
    price_book_entries: product_id
    external_systems: created_at
    external_systems: updated_at
    external_systems: name_key
    external_systems: kind
    external_systems: status
    unique external_systems: code
    credit_balances: created_at
    credit_balances: updated_at
    credit_balances: system, entity, currency
    credit_balances: account_id | system
    credit_balances: status
    credit_balances: has_conflict
    unique credit_balances: account_id, system, entity, currency
    log credit_balance_history: account_id
    log credit_balance_history: created_at
    credit_profiles: created_at
    credit_profiles: updated_at
    credit_profiles: is_on_hold
    credit_profiles: review_on
    unique credit_profiles: account_id
    credit_snapshots: created_at
    credit_snapshots: updated_at
    credit_snapshots: system
    credit_snapshots: status
    unmatched_credits: created_at
    unmatched_credits: updated_at
    unmatched_credits: system
    unmatched_credits: external_id
    unique unmatched_credits: system, entity, currency, external_id
";

/// An event takes its number within its transaction only after that transaction has one: `m0003` relies on it.
const POSTGRES: &str = r#"
CREATE SEQUENCE audit_events_seq;
CREATE TABLE audit_events (
    id uuid NOT NULL PRIMARY KEY, created_at timestamptz NOT NULL, created_by_id uuid, kind text COLLATE "C" NOT NULL,
    resource text COLLATE "C" NOT NULL, resource_id uuid NOT NULL, resource_version bigint NOT NULL, request_id text, changed_fields json NOT NULL,
    before json, after json, reason text,
    seq bigint NOT NULL DEFAULT CASE WHEN pg_current_xact_id() IS NOT NULL THEN nextval('audit_events_seq') END);
CREATE INDEX audit_events_resource_id_idx ON audit_events (resource_id, id);
CREATE INDEX audit_events_created_at_idx ON audit_events (created_at, id);
CREATE TABLE search_entries (
    seq bigserial NOT NULL PRIMARY KEY, resource text COLLATE "C" NOT NULL, record_id uuid NOT NULL, source_id uuid NOT NULL, owner_id uuid, team_id uuid,
    folded text COLLATE "C" NOT NULL, tokens tsvector NOT NULL);
CREATE INDEX search_entries_tokens_idx ON search_entries USING gin (tokens, (ARRAY[(seq >> 14) + (14::bigint << 48), (seq >> 16) + (16::bigint << 48),
    (seq >> 18) + (18::bigint << 48), (seq >> 20) + (20::bigint << 48)])) WITH (fastupdate = off);
CREATE UNIQUE INDEX search_entries_source_key ON search_entries (source_id, record_id);
CREATE INDEX search_entries_record_idx ON search_entries (record_id);
CREATE INDEX record_values_text_idx ON record_values (resource, key, text_value, record_id);
CREATE INDEX record_values_number_idx ON record_values (resource, key, number_value, record_id);
CREATE INDEX record_values_record_idx ON record_values (record_id, key);
CREATE INDEX idempotency_keys_created_idx ON idempotency_keys (created_at);
CREATE INDEX refresh_tokens_session_idx ON refresh_tokens (session_id);
CREATE INDEX sessions_user_idx ON sessions (user_id);
CREATE INDEX audit_events_kind_idx ON audit_events (kind, id);
CREATE INDEX audit_events_resource_idx ON audit_events (resource, id);
CREATE INDEX audit_events_created_by_id_idx ON audit_events (created_by_id, id)
"#;

const SQLITE: &str = "
CREATE TABLE audit_events (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, created_at INTEGER NOT NULL, created_by_id BLOB, kind TEXT NOT NULL,
    resource TEXT NOT NULL, resource_id BLOB NOT NULL, resource_version INTEGER NOT NULL, request_id TEXT, changed_fields TEXT NOT NULL,
    before TEXT, after TEXT, reason TEXT);
CREATE INDEX audit_events_resource_id_idx ON audit_events (resource_id, id);
CREATE INDEX audit_events_created_at_idx ON audit_events (created_at, id);
CREATE TABLE search_entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, resource TEXT NOT NULL, record_id BLOB NOT NULL, source_id BLOB NOT NULL, owner_id BLOB, team_id BLOB,
    folded TEXT NOT NULL);
CREATE VIRTUAL TABLE search_tokens USING fts5 (tokens, content='', contentless_delete=1, detail='none', tokenize='ascii');
INSERT INTO search_tokens (search_tokens, rank) VALUES ('usermerge', 2);
INSERT INTO search_tokens (search_tokens, rank) VALUES ('pgsz', 1024);
CREATE UNIQUE INDEX search_entries_source_key ON search_entries (source_id, record_id);
CREATE INDEX search_entries_record_idx ON search_entries (record_id);
CREATE INDEX record_values_text_idx ON record_values (resource, key, text_value, record_id);
CREATE INDEX record_values_number_idx ON record_values (resource, key, number_value, record_id);
CREATE INDEX record_values_record_idx ON record_values (record_id, key);
CREATE INDEX idempotency_keys_created_idx ON idempotency_keys (created_at);
CREATE INDEX refresh_tokens_session_idx ON refresh_tokens (session_id);
CREATE INDEX sessions_user_idx ON sessions (user_id);
CREATE INDEX audit_events_kind_idx ON audit_events (kind, id);
CREATE INDEX audit_events_resource_idx ON audit_events (resource, id);
CREATE INDEX audit_events_created_by_id_idx ON audit_events (created_by_id, id)
";
