//! Indexes without what has no value: most fields of most records are empty, and each of these was an entry in each of their indexes.
//!
//! Lists of records that have no value walk their order, and find some soon where most have none. Indexes that lists are ordered by keep
//! the empty ones, and so do those of owner and team alone (records without an owner are searched for, and may be rare) and of moments that timers wait
//! for (PostgreSQL would take the smaller index for the better one).

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0021_sparse_indexes", rebuilt: REBUILT, postgres: POSTGRES, ..Step::NONE };

const REBUILT: &str = "
    sparse accounts: owner_id | team_id, created_at | updated_at | name_key | grade | lifecycle_stage
    sparse accounts: legal_name
    sparse accounts: legal_form
    sparse accounts: tax_id
    sparse accounts: industry
    sparse accounts: country
    sparse accounts: currency
    sparse accounts: health
    sparse accounts: parent_id
    sparse accounts: price_book_id
    sparse addresses: account_id
    sparse addresses: contact_id
    sparse addresses: country
    sparse addresses: postal_code
    sparse api_keys: created_by_id
    sparse api_keys: responsible_id
    sparse log audit_events: created_by_id
    sparse contact_points: account_id
    sparse contact_points: contact_id
    sparse contact_points: e164
    sparse contacts: owner_id | team_id, created_at | updated_at | name_key
    sparse contacts: birth_date
    sparse contacts: department
    sparse contacts: job_title
    sparse contacts: last_name
    sparse contacts: preferred_channel
    sparse credit_balances: receivable
    sparse credit_checks: order_id
    sparse credit_profiles: review_on
    sparse custom_fields: picklist
    sparse jobs: principal_id
    sparse operations: owner_id | team_id, created_at | updated_at | status
    sparse operations: reverts_id
    sparse order_holds: escalated_to_id
    sparse order_invoices: account_id
    sparse order_promises: owner_id | team_id, created_at | updated_at | status
    sparse order_promises: contact_id
    sparse orders: owner_id | team_id, created_at | updated_at | number | ordered_on | status
    sparse orders: contact_id
    sparse orders: customer_reference
    sparse orders: promise_id
    sparse orders: requested_on
    sparse price_books: parent_id
    sparse product_categories: parent_id
    sparse products: category_id
    sparse products: tax_code
    sparse shipments: tracking_no
    sparse stock_levels: system
    sparse log stock_movements: lot_no
    sparse log stock_movements: serial_no
    sparse log stock_movements: source_id
    sparse stock_reservations: source_id
    sparse teams: parent_id
    sparse users: manager_id
    sparse users: successor_id
";

/// Histories are written by the work that makes or changes their account, which is never taken away: PostgreSQL looked for the account, and
/// marked its row, for each line.
const POSTGRES: &str = "
ALTER TABLE account_lifecycle_history DROP CONSTRAINT account_lifecycle_history_account_id_fkey;
ALTER TABLE account_grade_history DROP CONSTRAINT account_grade_history_account_id_fkey
";
