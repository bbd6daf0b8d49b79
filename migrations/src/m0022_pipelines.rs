//! Pipelines and opportunities: their history, and the totals that boards are answered from.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0022_pipelines", tables: TABLES, indexes: INDEXES, ..Step::NONE };

/// Totals have no nulls in their key: nil stands for no owner and no team. Sums are in two parts, each of which an integer holds.
const TABLES: &str = "
CREATE TABLE pipelines (
    {record}, name :text NOT NULL, name_key :bytes NOT NULL, name_translations :json NOT NULL, is_default :bool NOT NULL,
    team_ids :json NOT NULL, stages :json NOT NULL, status :text NOT NULL, {tail});
CREATE TABLE opportunities (
    {record}, {owned}, name :text NOT NULL, name_key :bytes NOT NULL, account_id :id NOT NULL REFERENCES accounts (id),
    contact_id :id REFERENCES contacts (id), pipeline_id :id NOT NULL REFERENCES pipelines (id), stage_id :id NOT NULL,
    stage_key :text NOT NULL, amount :int, currency :text NOT NULL, probability :int NOT NULL, is_probability_manual :bool NOT NULL,
    forecast_category :text NOT NULL, is_forecast_category_manual :bool NOT NULL, weighted_amount :int NOT NULL,
    expected_close_on :date NOT NULL, kind :text NOT NULL, source :text, next_step :text, description :text, contacts :json NOT NULL,
    competitors :json NOT NULL, credits :json NOT NULL, status :text NOT NULL, loss_reason :text, closed_on :date,
    stage_entered_at :time NOT NULL, rots_at :time, is_rotten :bool NOT NULL, cloned_from_id :id, {tail});
CREATE TABLE opportunity_stage_history (
    {log}, opportunity_id :id NOT NULL, kind :text NOT NULL, from_stage_id :id, to_stage_id :id NOT NULL, from_stage_key :text,
    to_stage_key :text, from_probability :int, to_probability :int NOT NULL, from_forecast_category :text,
    to_forecast_category :text NOT NULL, from_amount :int, to_amount :int, currency :text NOT NULL, from_expected_close_on :date,
    to_expected_close_on :date NOT NULL, seconds :int, reason :text);
CREATE TABLE board_totals (
    pipeline_id :id NOT NULL, stage_id :id NOT NULL, owner_id :id NOT NULL, team_id :id NOT NULL, currency :text NOT NULL,
    number :int NOT NULL, amount_high :int NOT NULL, amount_low :int NOT NULL, weighted_high :int NOT NULL, weighted_low :int NOT NULL,
    PRIMARY KEY (pipeline_id, stage_id, owner_id, team_id, currency));
CREATE INDEX opportunities_deleted_account_id_idx ON opportunities (account_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX opportunities_deleted_contact_id_idx ON opportunities (contact_id) WHERE deleted_at IS NOT NULL;
";

const INDEXES: &str = "
    pipelines: created_at
    pipelines: updated_at
    pipelines: name_key
    pipelines: status
    pipelines: is_default
    unique pipelines: name
    opportunities: created_at
    opportunities: updated_at
    opportunities: name_key
    opportunities: expected_close_on
    opportunities: amount
    opportunities: status
    opportunities: status, created_at | updated_at | name_key | expected_close_on | amount
    opportunities: status, rots_at
    opportunities: owner_id | team_id
    sparse opportunities: owner_id | team_id, created_at | updated_at | name_key | expected_close_on | amount | status
    opportunities: account_id
    sparse opportunities: contact_id
    sparse opportunities: pipeline_id
    sparse opportunities: stage_id
    sparse opportunities: stage_id, expected_close_on
    sparse opportunities: stage_key
    sparse opportunities: currency
    sparse opportunities: probability
    sparse opportunities: forecast_category
    opportunities: kind
    sparse opportunities: source
    sparse opportunities: next_step
    sparse opportunities: closed_on
    opportunities: is_rotten
    log opportunity_stage_history: created_at
    log opportunity_stage_history: opportunity_id
";
