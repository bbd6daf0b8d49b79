//! How opportunities are reached: created in a stage, moved, won, lost and reopened, each with a line of history.

use super::{criteria, stages};
use actix_web::http::Method;
use samphan_domain::{
    customers::account::Account,
    presales::{
        opportunity::{
            ChangePipeline, LoseOpportunity, MoveStage, MoveStages, Opportunity, OpportunityStatus, ReopenOpportunity, WinOpportunity,
        },
        pipeline::{ForecastCategory, Pipeline, PipelineStatus, StageKind},
        stage_history::{OpportunityStageChange, StageChangeKind},
    },
};
use samphan_persistence::{
    record::{self, Record, expect_action},
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    example,
    resource::Resource,
};
use samphan_rest::{
    batch::{self, ItemResult, ItemStatus},
    collection::Collection,
    example::Example,
    operation::{Body, Operation, RequestContext},
    response::Response,
};
use serde_json::json;
use std::collections::HashMap;
use uuid::Uuid;

/// The right to pass exit criteria that are not met.
const FORCE: &str = "opportunities:force-stage";

/// Opportunities.
#[must_use]
pub fn routes() -> Collection<Opportunity> {
    let stage = |key: &str| example::id(&format!("pipeline_stages/{key}"));
    let forced = "`force` passes exit criteria that are not met";
    let none_matches = json!({"field": "source", "op": "eq", "value": "no_such_source"});
    let operation = |what: &str| json!({"id": example::id(what), "resource": "opportunities"});
    Collection::new("opportunities")
        .create(create)
        .update(update)
        .after_restore(restored)
        .with_crud()
        .example_of("createOpportunity", Example::default().depends_on(&["activatePipeline"]))
        .example_of("upsertOpportunityByExternalId", Example::default().depends_on(&["createOpportunity"]))
        .with_bulk_update()
        .example(
            Example::body(json!({"filter": none_matches, "patch": {"source": "trade_fair"}}))
                .answers(merged(operation("bulk updates of opportunities"), json!({"changed_fields": ["source"]}))),
        )
        .with_bulk_assign()
        .example(Example::body(json!({"filter": none_matches, "owner_id": example::id("users")})).answers(merged(
            operation("bulk assignments of opportunities"),
            json!({"kind": "bulk_assign", "changed_fields": ["owner_id"]}),
        )))
        .action(
            "move-stage",
            "Move an opportunity to another stage. Probability and forecast category become the stage's. 409 `exit_criteria`, with the \
             conditions that are not met, when it moves forward and a stage it leaves or passes asks for more.",
            move_stage,
        )
        .also_requires_when(FORCE, forced)
        .example(
            Example::body(json!({"stage_id": stage("proposal")}))
                .answers(json!({"stage_id": stage("proposal"), "stage_key": "proposal", "probability": "60", "forecast_category": "best_case"})),
        )
        .action(
            "win",
            "Win an opportunity. It moves to the won stage of its pipeline, with a probability of 100. The exit criteria of the open stages \
             from its own on must be met, or 409 `exit_criteria`.",
            win,
        )
        .also_requires_when(FORCE, forced)
        .example(Example::default().answers(json!({"status": "won", "stage_key": "won", "probability": "100", "closed_on": example::DATE})))
        .action("lose", "Lose an opportunity. It moves to a lost stage of its pipeline, with a probability of 0.", lose)
        .example(
            Example::body(json!({"reason": "The customer buys elsewhere."}))
                .answers(json!({"status": "lost", "stage_key": "lost", "loss_reason": "The customer buys elsewhere."}))
                .persists(),
        )
        .action("reopen", "Reopen an opportunity. It is neither won nor lost any more.", reopen)
        .example(
            Example::body(json!({"stage_id": stage("qualified")})).depends_on(&["loseOpportunity"]).answers(json!({"status": "open"})).persists(),
        )
        .action("change-pipeline", "Change an opportunity's pipeline", change_pipeline)
        .example(Example::body(json!({"pipeline_id": example::id("pipelines"), "stage_id": stage("proposal")})))
        .operation("/{id}/clone", |path| {
            Operation::write("cloneOpportunity", Method::POST, path, clone)
                .describe("opportunities", "Clone an opportunity", "An open opportunity with the same values, in the first stage of its pipeline.")
                .example(
                    Example::default()
                        .answers(json!({"id": example::id("cloned_opportunities"), "cloned_from_id": example::id("opportunities")})),
                )
                .requires("opportunities:create")
                .also_requires("accounts:read")
                .also_requires_when("contacts:read", "the opportunity names contacts")
                .also_requires_when("users:read", "the opportunity has credits")
                .responds(201, "Opportunity")
                .etag()
        })
        .operation("/move-stage", |path| {
            Operation::write("moveOpportunities", Method::POST, path, move_many)
                .describe(
                    "opportunities",
                    "Move opportunities to a stage",
                    "Each as `move-stage` does it, with a result of its own in the order of the request. One that fails does not fail the others.",
                )
                .example(
                    Example::body(json!({"opportunity_ids": [example::id("opportunities")], "stage_id": stage("proposal")})).answers(json!({
                        "results": [{"index": 0, "status": "updated", "id": example::id("opportunities"), "version": 2}],
                        "summary": {"received": 1, "updated": 1},
                    })),
                )
                .body(Body::of("MoveStages"))
                .requires("opportunities:move-stage")
                .also_requires("opportunities:read")
                .also_requires_when(FORCE, forced)
                .responds(200, "BatchResults")
        })
        .schema::<MoveStages>()
}

fn merged(mut all: serde_json::Value, more: serde_json::Value) -> serde_json::Value {
    record::merge(&mut all, &more);
    all
}

/// Why something is done, for the history.
#[derive(Clone, Debug, Default)]
pub struct Reason(pub Option<String>);

/// Makes an opportunity, in an open stage of an active pipeline.
pub async fn create(work: &Work, mut draft: Stored<Opportunity>) -> Result<Stored<Opportunity>> {
    let unknown = || Error::unknown_reference("/account_id", Account::PLURAL);
    let account = stored::find_visible::<Account>(work, draft.data.account_id.0).await?.ok_or_else(unknown)?;
    account.data.check_not_blocked()?;
    let pipeline = match draft.data.pipeline_id {
        Some(id) => stages::active(work, id, "/pipeline_id").await?,
        None => stages::default(work, team_of(work, &draft)).await?,
    };
    let opportunity = &mut draft.data;
    let stage = stages::stage(&pipeline.data, opportunity.stage_id, StageKind::Open, "/stage_id")?;
    let (probability, category) = (opportunity.probability, opportunity.forecast_category);
    opportunity.pipeline_id = Some(pipeline.id().into());
    opportunity.enter(stage, work.zone().await?, work.now);
    if let Some(probability) = probability.filter(|sent| *sent != stage.probability) {
        (opportunity.probability, opportunity.is_probability_manual) = (Some(probability), true);
    }
    if let Some(category) = category.filter(|sent| *sent != stage.forecast_category) {
        expect_open_category(category)?;
        (opportunity.forecast_category, opportunity.is_forecast_category_manual) = (Some(category), true);
    }
    if opportunity.currency.is_none() {
        opportunity.currency = account.data.currency.clone().or(work.settings().await?.currency.clone());
    }
    let made = stored::insert(work, draft).await?;
    note(work, StageChangeKind::Created, vec![(None, &made)], &Reason::default()).await?;
    Ok(made)
}

/// The team that a draft will belong to.
fn team_of(work: &Work, draft: &Stored<Opportunity>) -> Option<Uuid> {
    match draft.record.get("team_id") {
        Some(_) => record::uuid_in(&draft.record, "team_id"),
        None => work.caller.teams.first().copied(),
    }
}

fn expect_open_category(category: ForecastCategory) -> Result<()> {
    match category {
        ForecastCategory::Closed => {
            let error = FieldError::new("/forecast_category", FieldCode::UseAction, "win");
            Err(Error::invalid(error))
        }
        _ => Ok(()),
    }
}

async fn update(work: &Work, before: &Stored<Opportunity>, mut after: Stored<Opportunity>) -> Result<Stored<Opportunity>> {
    let (was, is) = (&before.data, &mut after.data);
    let is_open = was.status == OpportunityStatus::Open;
    let mut faults = vec![];
    let mut use_action = |pointer: &str, verb: &str| faults.push(FieldError::new(pointer, FieldCode::UseAction, verb));
    if is.pipeline_id != was.pipeline_id {
        use_action("/pipeline_id", "change-pipeline");
    }
    if is.stage_id != was.stage_id {
        use_action("/stage_id", "move-stage");
    }
    if is.probability != was.probability && !is_open {
        use_action("/probability", "reopen");
    }
    if is.forecast_category != was.forecast_category && !is_open {
        use_action("/forecast_category", "reopen");
    }
    if is.currency != was.currency && is.amount.is_some() && is.amount == was.amount {
        faults.push(FieldError::new("/amount", FieldCode::Required, "the amount in the new currency"));
    }
    if !faults.is_empty() {
        return Err(Error::from(Code::ValidationFailed).with_field_errors(faults));
    }
    if is.probability != was.probability {
        match is.probability {
            Some(_) => is.is_probability_manual = true,
            None => is.follow_probability(stages::stage_of(&stages::of(work, was.pipeline_id).await?.data, was)?),
        }
    }
    if is.forecast_category != was.forecast_category {
        match is.forecast_category {
            Some(category) => {
                expect_open_category(category)?;
                is.is_forecast_category_manual = true;
            }
            None => is.follow_category(stages::stage_of(&stages::of(work, was.pipeline_id).await?.data, was)?),
        }
    }
    let what = match () {
        () if is.amount != was.amount => "amount_changed",
        () if is.expected_close_on != was.expected_close_on => "close_date_changed",
        () => "updated",
    };
    let is_noted = is.counts_otherwise(was);
    let saved = stored::save(work, before, after, what, None).await?;
    if is_noted {
        note(work, StageChangeKind::Changed, vec![(Some(before), &saved)], &Reason::default()).await?;
    }
    Ok(saved)
}

/// A restored opportunity whose stage was removed meanwhile is in the first stage of its kind.
async fn restored(work: &Work, found: &Stored<Opportunity>) -> Result<()> {
    let pipeline = stages::of(work, found.data.pipeline_id).await?;
    if found.data.stage_id.is_some_and(|id| pipeline.data.stage(id).is_some()) {
        return Ok(());
    }
    let kind = match found.data.status {
        OpportunityStatus::Open => StageKind::Open,
        OpportunityStatus::Won => StageKind::Won,
        OpportunityStatus::Lost => StageKind::Lost,
    };
    let mut after = found.clone();
    after.data.enter(stages::stage(&pipeline.data, None, kind, "")?, work.zone().await?, work.now);
    save_all(work, vec![(found.clone(), after)], "remapped", StageChangeKind::Remapped, &Reason::default()).await
}

/// Moves an opportunity to another open stage.
pub async fn move_stage(work: &Work, before: Stored<Opportunity>, input: MoveStage) -> Result<Stored<Opportunity>> {
    let pipeline = stages::of(work, before.data.pipeline_id).await?;
    let stage = stages::stage(&pipeline.data, Some(input.stage_id), StageKind::Open, "/stage_id")?;
    check_exit(work, &pipeline, &before, input.stage_id, input.force).await?;
    let mut after = before.clone();
    if before.data.stage_id != stage.id {
        after.data.enter(stage, work.zone().await?, work.now);
    }
    save(work, &before, after, "stage_moved", StageChangeKind::Moved, input.reason).await
}

/// Wins an opportunity.
pub async fn win(work: &Work, before: Stored<Opportunity>, input: WinOpportunity) -> Result<Stored<Opportunity>> {
    let pipeline = stages::of(work, before.data.pipeline_id).await?;
    let stage = stages::stage(&pipeline.data, None, StageKind::Won, "/stage_id")?;
    check_exit(work, &pipeline, &before, stage.id.unwrap_or_default(), input.force).await?;
    let (mut after, what) = stored::after_transition(&before, "win")?;
    after.data.enter(stage, work.zone().await?, work.now);
    after.data.closed_on = Some(closed_on(work, input.closed_on).await?);
    save(work, &before, after, what, StageChangeKind::Won, None).await
}

/// Loses an opportunity, for a reason.
pub async fn lose(work: &Work, before: Stored<Opportunity>, input: LoseOpportunity) -> Result<Stored<Opportunity>> {
    let pipeline = stages::of(work, before.data.pipeline_id).await?;
    let stage = stages::stage(&pipeline.data, input.stage_id, StageKind::Lost, "/stage_id")?;
    let (mut after, what) = stored::after_transition(&before, "lose")?;
    after.data.enter(stage, work.zone().await?, work.now);
    after.data.closed_on = Some(closed_on(work, input.closed_on).await?);
    after.data.loss_reason = Some(input.reason.clone());
    save(work, &before, after, what, StageChangeKind::Lost, Some(input.reason)).await
}

/// Makes a won or lost opportunity open again.
pub async fn reopen(work: &Work, before: Stored<Opportunity>, input: ReopenOpportunity) -> Result<Stored<Opportunity>> {
    let pipeline = stages::of(work, before.data.pipeline_id).await?;
    let stage = stages::stage(&pipeline.data, Some(input.stage_id), StageKind::Open, "/stage_id")?;
    let (mut after, what) = stored::after_transition(&before, "reopen")?;
    after.data.enter(stage, work.zone().await?, work.now);
    (after.data.closed_on, after.data.loss_reason) = (None, None);
    save(work, &before, after, what, StageChangeKind::Reopened, input.reason).await
}

async fn change_pipeline(work: &Work, before: Stored<Opportunity>, input: ChangePipeline) -> Result<Stored<Opportunity>> {
    let pipeline = stages::active(work, input.pipeline_id, "/pipeline_id").await?;
    let stage = stages::stage(&pipeline.data, input.stage_id, StageKind::Open, "/stage_id")?;
    let mut after = before.clone();
    if before.data.stage_id != stage.id {
        after.data.pipeline_id = Some(input.pipeline_id);
        after.data.enter(stage, work.zone().await?, work.now);
    }
    save(work, &before, after, "pipeline_changed", StageChangeKind::Moved, input.reason).await
}

/// The day something was closed: today or before.
async fn closed_on(work: &Work, sent: Option<String>) -> Result<String> {
    let today = work.today().await?.to_string();
    match sent {
        Some(day) if day > today => Err(Error::invalid(FieldError::new("/closed_on", FieldCode::InTheFuture, "today or before"))),
        sent => Ok(sent.unwrap_or(today)),
    }
}

/// Refuses to leave or pass stages whose exit criteria are not met: 409 `exit_criteria`, with the conditions.
async fn check_exit(work: &Work, pipeline: &Stored<Pipeline>, found: &Stored<Opportunity>, to: Uuid, force: bool) -> Result<()> {
    if force {
        return work.caller.require([FORCE]);
    }
    let shape = work.shape(Opportunity::PLURAL)?;
    let mut refusal = Error::from(Code::ExitCriteria);
    for stage in pipeline.data.passed(found.data.stage_id.unwrap_or_default(), to) {
        let Some(criteria) = &stage.exit_criteria else { continue };
        for fault in criteria::unmet(work, shape, criteria, &found.record).await? {
            if !refusal.errors.contains(&fault) {
                refusal.errors.push(fault);
            }
        }
    }
    if refusal.errors.is_empty() { Ok(()) } else { Err(refusal) }
}

async fn clone(work: &Work, call: RequestContext) -> Result<Response> {
    let found = stored::find_visible::<Opportunity>(work, call.id(0)?).await?.ok_or_else(|| Error::from(Code::NotFound))?;
    let made = copy(work, found, Record::new()).await?;
    Ok(Response::record(work, work.shape(Opportunity::PLURAL)?, &made.record).with_location(format!("/v1/opportunities/{}", made.id())))
}

/// Makes an open opportunity with the values of another; `record` says what else it has, such as its owner.
pub async fn copy(work: &Work, found: Stored<Opportunity>, record: Record) -> Result<Stored<Opportunity>> {
    let cloned_from_id = Some(found.id().into());
    let is_active = stages::of(work, found.data.pipeline_id).await?.data.status == PipelineStatus::Active;
    let fresh = Opportunity {
        pipeline_id: found.data.pipeline_id.filter(|_| is_active),
        stage_id: None,
        probability: None,
        forecast_category: None,
        status: OpportunityStatus::Open,
        loss_reason: None,
        closed_on: None,
        lead_id: None,
        cloned_from_id,
        ..found.data
    };
    create(work, Stored { record, data: fresh }).await
}

async fn move_many(work: &Work, call: RequestContext) -> Result<Response> {
    let input: MoveStages = call.input()?;
    let shape = work.shape(Opportunity::PLURAL)?;
    let zone = work.zone().await?;
    let ids: Vec<Uuid> = input.opportunity_ids.iter().map(|id| id.0).collect();
    let mut pipelines: HashMap<Uuid, Stored<Pipeline>> = HashMap::new();
    for id in pipelines_of(work, &ids).await? {
        pipelines.extend(stages::load(work, id).await?.map(|pipeline| (id, pipeline)));
    }
    let mut found = record::find_many(work, shape, ids.iter().copied(), None).await?;
    let (mut outcomes, mut changes, mut places) = (vec![], vec![], vec![]);
    for (place, id) in ids.into_iter().enumerate() {
        let moved = async {
            let one = found.remove(&id).ok_or_else(|| Error::from(Code::NotFound))?;
            record::check_permission(work, shape, &one, "move-stage")?;
            expect_action(shape, &one, "move-stage")?;
            let before = Stored::<Opportunity>::of(one)?;
            let pipeline = before.data.pipeline_id.and_then(|id| pipelines.get(&id.0)).ok_or(Code::Unavailable)?;
            let stage = stages::stage(&pipeline.data, Some(input.stage_id), StageKind::Open, "/stage_id")?;
            check_exit(work, pipeline, &before, input.stage_id, input.force).await?;
            let mut after = before.clone();
            if before.data.stage_id != stage.id {
                after.data.enter(stage, zone, work.now);
            }
            Ok((before, after))
        };
        match moved.await {
            Err(error) => outcomes.push(ItemResult::failed(None, error)),
            Ok(change) => {
                places.push(place);
                outcomes.push(ItemResult { status: ItemStatus::Updated, id: Some(id), external_id: None, version: None, error: None });
                changes.push(change);
            }
        }
    }
    let before: Vec<Stored<Opportunity>> = changes.iter().map(|(before, _)| before.clone()).collect();
    let saved = stored::update_many(work, changes, "stage_moved", input.reason.as_deref()).await?;
    let mut noted = vec![];
    for ((place, saved), before) in places.into_iter().zip(&saved).zip(&before) {
        let Some(outcome) = outcomes.get_mut(place) else { continue };
        match saved {
            Err(error) => *outcome = ItemResult::failed(None, error.clone()),
            Ok(saved) => {
                outcome.version = Some(saved.version());
                if saved.version() == before.version() {
                    outcome.status = ItemStatus::Unchanged;
                } else {
                    noted.push((Some(before), saved));
                }
            }
        }
    }
    note(work, StageChangeKind::Moved, noted, &Reason(input.reason)).await?;
    Ok(batch::answer(&call, &call.request_id, &outcomes))
}

/// The pipelines of opportunities, in the order of their ids.
async fn pipelines_of(work: &Work, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    let mut sql = work.sql();
    sql.push("SELECT DISTINCT t.pipeline_id FROM opportunities t WHERE t.deleted_at IS NULL AND t.id").one_of_ids(ids.iter().copied());
    sql.push(" ORDER BY 1");
    work.fetch(sql, |row| row.id(0)).await
}

/// Marks opportunities whose time in their stage is over as rotten.
pub async fn rot(work: &Work, due: Vec<Stored<Opportunity>>) -> Result<()> {
    let rotten = |before: Stored<Opportunity>| {
        let mut after = before.clone();
        (after.data.is_rotten, after.data.rots_at) = (true, None);
        (before, after)
    };
    for saved in stored::update_many(work, due.into_iter().map(rotten).collect(), "rotted", None).await? {
        saved?;
    }
    Ok(())
}

/// Saves an opportunity and keeps its history.
async fn save(
    work: &Work,
    before: &Stored<Opportunity>,
    after: Stored<Opportunity>,
    what: &str,
    kind: StageChangeKind,
    reason: Option<String>,
) -> Result<Stored<Opportunity>> {
    let saved = stored::save(work, before, after, what, reason.clone()).await?;
    if saved.version() != before.version() {
        note(work, kind, vec![(Some(before), &saved)], &Reason(reason)).await?;
    }
    Ok(saved)
}

/// Saves opportunities and keeps their history.
pub async fn save_all(
    work: &Work,
    changes: Vec<(Stored<Opportunity>, Stored<Opportunity>)>,
    what: &str,
    kind: StageChangeKind,
    reason: &Reason,
) -> Result<()> {
    let before: Vec<Stored<Opportunity>> = changes.iter().map(|(before, _)| before.clone()).collect();
    let saved = stored::update_many(work, changes, what, reason.0.as_deref()).await?;
    let saved: Vec<Stored<Opportunity>> = saved.into_iter().collect::<Result<_>>()?;
    note(work, kind, before.iter().map(Some).zip(&saved).collect(), reason).await
}

/// Keeps the history of opportunities.
async fn note(
    work: &Work,
    kind: StageChangeKind,
    changed: Vec<(Option<&Stored<Opportunity>>, &Stored<Opportunity>)>,
    reason: &Reason,
) -> Result<()> {
    let line = |(before, after): (Option<&Stored<Opportunity>>, &Stored<Opportunity>)| {
        let change = OpportunityStageChange::between(kind, after.id(), before.map(|before| &before.data), &after.data, work.now);
        Stored::draft(OpportunityStageChange { reason: reason.0.clone(), ..change })
    };
    for line in stored::create_many(work, changed.into_iter().map(line).collect()).await? {
        line?;
    }
    Ok(())
}
