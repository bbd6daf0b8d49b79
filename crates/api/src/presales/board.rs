//! `GET /v1/pipelines/{id}/board`: the stages of a pipeline, what is in each, and its first cards.
//!
//! Counts and sums come from the projection `board_totals`, in one statement; the cards of a stage are the first page of a list, found along
//! its index. Both are as far as the caller sees.

use samphan_domain::presales::{
    opportunity::Opportunity,
    pipeline::{Pipeline, StageKind},
};
use samphan_persistence::{
    list::{self, Query, View},
    store::Reader,
    stored, visibility,
};
use samphan_resource::{
    caller::FieldAccess,
    error::{Code, Error, Result},
    example,
    filter::{Filter, Op, Target},
    money::Amount,
    page::Sort,
    resource::Resource,
    scalar::Scalar,
    shape::Shape,
};
use samphan_rest::{
    example::Example,
    operation::{Operation, RequestContext},
    response::Response,
};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Cards of a stage.
const MAX_CARDS: usize = 20;
/// What a card shows.
const CARD: [&str; 11] = [
    "id",
    "version",
    "name",
    "account_id",
    "owner_id",
    "amount",
    "currency",
    "expected_close_on",
    "next_step",
    "stage_entered_at",
    "is_rotten",
];

/// A pipeline with what is in its stages.
#[derive(Debug, Serialize, ToSchema)]
pub struct PipelineBoard {
    /// The pipeline.
    pub pipeline_id: Uuid,
    /// Its name.
    #[schema(max_length = 100)]
    pub name: String,
    /// Its stages in order.
    #[schema(max_items = 30)]
    pub stages: Vec<BoardStage>,
}

/// A stage with what is in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct BoardStage {
    /// The stage.
    pub stage_id: Uuid,
    /// Its key.
    #[schema(max_length = 50)]
    pub key: String,
    /// Its name.
    #[schema(max_length = 100)]
    pub name: String,
    /// The state of the opportunities in it.
    pub kind: StageKind,
    /// How many opportunities are in it.
    pub count: i64,
    /// How many should be in it at most; no limit when null.
    #[schema(required = true)]
    pub wip_limit: Option<i32>,
    /// Whether there are more than `wip_limit`.
    pub is_over_wip_limit: bool,
    /// What they would bring, by currency.
    #[schema(max_items = 200)]
    pub totals: Vec<BoardTotal>,
    /// The first 20 of them, by `expected_close_on`.
    #[schema(max_items = 20, value_type = Vec<BoardCard>)]
    pub cards: Vec<Value>,
    /// Whether there are more than those.
    pub has_more: bool,
}

/// What the opportunities of a stage would bring in a currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct BoardTotal {
    /// ISO 4217 currency.
    #[schema(max_length = 3)]
    pub currency: String,
    /// How many opportunities.
    pub count: i64,
    /// The sum of their amounts; null where field rules hide amounts.
    #[schema(required = true)]
    pub amount: Option<Amount>,
    /// The sum of their weighted amounts; null likewise.
    #[schema(required = true)]
    pub weighted_amount: Option<Amount>,
}

/// An opportunity on a board.
#[derive(Debug, Serialize, ToSchema)]
pub struct BoardCard {
    /// The opportunity.
    pub id: Uuid,
    /// Its version.
    pub version: i64,
    /// Its name.
    #[schema(max_length = 200)]
    pub name: String,
    /// The customer.
    pub account_id: Uuid,
    /// The owner.
    #[schema(required = true)]
    pub owner_id: Option<Uuid>,
    /// What it would bring.
    #[schema(required = true)]
    pub amount: Option<Amount>,
    /// ISO 4217 currency of the amount.
    #[schema(required = true, max_length = 3)]
    pub currency: Option<String>,
    /// The day it is expected to be won or lost.
    #[schema(value_type = String, format = Date)]
    pub expected_close_on: String,
    /// What is to be done next.
    #[schema(required = true, max_length = 500)]
    pub next_step: Option<String>,
    /// When it entered the stage.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    pub stage_entered_at: Option<String>,
    /// Whether it is in the stage for longer than `rot_days` of it.
    pub is_rotten: bool,
}

/// The operation.
#[must_use]
pub fn operation(path: String) -> Operation {
    let stage = json!({
        "stage_id": example::id("pipeline_stages/qualified"), "key": "qualified", "name": "Qualified", "kind": "open", "count": 1,
        "wip_limit": null,
        "totals": [{"currency": "THB", "count": 1, "amount": "250000.00", "weighted_amount": "50000.00"}],
        "cards": [{
            "id": example::id("opportunities"), "version": 1, "name": "Tea for the new hotel", "account_id": example::id("accounts"),
            "owner_id": example::id("users"), "amount": "250000.00", "currency": "THB", "expected_close_on": "2027-01-31",
            "next_step": null, "stage_entered_at": example::MOMENT, "is_rotten": false,
        }],
    });
    Operation::read("getPipelineBoard", path, run)
        .describe(
            "pipelines",
            "Get a pipeline's board",
            "Each stage in order with the number and the sums of its opportunities by currency, and its first 20 cards. Only opportunities \
             that the caller sees are counted. More cards are in `GET /v1/opportunities?stage_id=…&sort=expected_close_on`.",
        )
        .example(
            Example::default()
                .depends_on(&["createOpportunity"])
                .answers(json!({"pipeline_id": example::id("pipelines"), "name": "Wholesale", "stages": [stage]})),
        )
        .requires("pipelines:read")
        .also_requires("opportunities:read")
        .responds(200, "PipelineBoard")
}

async fn run(reader: &Reader, call: RequestContext) -> Result<Response> {
    let found = stored::find_visible::<Pipeline>(reader, call.id(0)?).await?.ok_or_else(|| Error::from(Code::NotFound))?;
    let shape = reader.shape(Opportunity::PLURAL)?;
    let mut totals = totals(reader, shape, found.id()).await?;
    let mut board = PipelineBoard { pipeline_id: found.id(), name: found.data.name.clone(), stages: vec![] };
    for stage in &found.data.stages {
        let Some(id) = stage.id else { continue };
        let totals = totals.remove(&id).unwrap_or_default();
        let count = totals.iter().map(|total| total.count).sum();
        let mut cards = if count == 0 { vec![] } else { cards(reader, shape, id).await? };
        let has_more = cards.len() > MAX_CARDS;
        cards.truncate(MAX_CARDS);
        board.stages.push(BoardStage {
            stage_id: id,
            key: stage.key.clone(),
            name: stage.name.clone(),
            kind: stage.kind,
            count,
            wip_limit: stage.wip_limit,
            is_over_wip_limit: stage.wip_limit.is_some_and(|limit| count > i64::from(limit)),
            totals,
            cards,
            has_more,
        });
    }
    Ok(Response::json(&board))
}

/// The totals of each stage of a pipeline, as far as the caller sees.
async fn totals(reader: &Reader, shape: &'static Shape, pipeline: Uuid) -> Result<HashMap<Uuid, Vec<BoardTotal>>> {
    let may_see = |name: &str| shape.field(name).is_some_and(|field| reader.caller.access(shape, field) >= FieldAccess::ReadOnly);
    let shows_amounts = may_see("amount") && may_see("weighted_amount");
    let mut sql = reader.sql();
    sql.push("SELECT t.stage_id, t.currency, CAST(sum(t.number) AS bigint), CAST(sum(t.amount_high) AS bigint), ");
    sql.push("CAST(sum(t.amount_low) AS bigint), CAST(sum(t.weighted_high) AS bigint), CAST(sum(t.weighted_low) AS bigint) ");
    sql.push("FROM board_totals t WHERE t.number <> 0 AND t.pipeline_id = ").id(pipeline);
    visibility::restrict_by_owner(&mut sql, shape, "t", &reader.caller.visibility("opportunities:read"));
    sql.push(" GROUP BY t.stage_id, t.currency ORDER BY t.stage_id, t.currency");
    let rows = reader
        .fetch(sql, |row| {
            let sum = |at: usize| Ok::<_, Error>(Some(Amount::of_parts(row.int(at)?, row.int(at + 1)?)).filter(|_| shows_amounts));
            Ok((row.id(0)?, BoardTotal { currency: row.text(1)?, count: row.int(2)?, amount: sum(3)?, weighted_amount: sum(5)? }))
        })
        .await?;
    let mut totals: HashMap<Uuid, Vec<BoardTotal>> = HashMap::new();
    for (stage, total) in rows {
        totals.entry(stage).or_default().push(total);
    }
    Ok(totals)
}

/// The first cards of a stage, and one more where there are more.
async fn cards(reader: &Reader, shape: &'static Shape, stage: Uuid) -> Result<Vec<Value>> {
    let view = View::new(reader, shape, Some(&CARD), vec![]);
    let stage_id = shape.field("stage_id").ok_or(Code::Internal)?;
    let of_stage = Filter::Leaf { target: Target::Field(stage_id), op: Op::In, values: vec![Scalar::Id(stage)], negated: false };
    let query = Query { filter: Some(of_stage), sort: Sort::parse("expected_close_on", shape)?, limit: MAX_CARDS + 1, ..Query::default() };
    let found = list::page(reader, &view, &query, "read").await?;
    let read = |mut line: list::RecordJson| {
        line.json.push(b'}');
        serde_json::from_slice(&line.json).map_err(|_| Error::from(Code::Internal))
    };
    found.into_iter().map(read).collect()
}
