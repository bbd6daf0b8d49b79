//! Leads, and the lead that an opportunity comes from.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0026_leads", tables: TABLES, indexes: INDEXES, ..Step::NONE };

const TABLES: &str = "
CREATE TABLE leads (
    {record}, {owned}, name :text NOT NULL, name_key :bytes NOT NULL, company :text, job_title :text, email :text, phone :text,
    region :text, e164 :text, line_id :text, tax_id :text, address :json, source :text, interest :text, product_ids :json NOT NULL,
    budget_amount :int, currency :text, decides_on :date, rating :text, required_skills :json NOT NULL, status :text NOT NULL,
    assigned_at :time, disqualify_reason :text, recycle_on :date, duplicate_of_id :id, converted_account_id :id,
    converted_contact_id :id, converted_opportunity_id :id, converted_at :time, converted_by_id :id, {tail});
ALTER TABLE opportunities ADD COLUMN lead_id :id;
CREATE INDEX leads_deleted_converted_contact_id_idx ON leads (converted_contact_id) WHERE deleted_at IS NOT NULL;
";

const INDEXES: &str = "
    leads: created_at
    leads: updated_at
    leads: name_key
    leads: status
    leads: status, created_at | updated_at | name_key
    leads: owner_id | team_id
    sparse leads: owner_id | team_id, created_at | updated_at | name_key | status
    sparse leads: email
    sparse leads: e164
    sparse leads: tax_id
    sparse leads: company
    sparse leads: source
    sparse leads: rating
    sparse leads: budget_amount
    sparse leads: decides_on
    sparse leads: recycle_on
    sparse leads: duplicate_of_id
    sparse leads: converted_account_id
    sparse leads: converted_contact_id
    sparse leads: converted_opportunity_id
    sparse opportunities: lead_id
";
