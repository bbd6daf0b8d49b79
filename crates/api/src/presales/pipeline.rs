//! How pipelines are reached: their stages change as a list, and what opportunities are in is never taken away from under them.

use super::{
    board, criteria,
    opportunity::{self, Reason},
    stages,
};
use samphan_domain::presales::{
    opportunity::Opportunity,
    pipeline::{Pipeline, PipelineStage, RemoveStage, ReorderStages, RetirePipeline, StageKind},
    stage_history::StageChangeKind,
};
use samphan_persistence::{
    record,
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    example,
    resource::Resource,
};
use samphan_rest::{collection::Collection, example::Example};
use serde_json::json;
use std::collections::HashSet;
use uuid::Uuid;

/// Opportunities moved together.
const MAX_MOVED: i64 = 200;

/// Pipelines.
#[must_use]
pub fn routes() -> Collection<Pipeline> {
    let stage = |key: &str| example::id(&format!("pipeline_stages/{key}"));
    Collection::new("pipelines")
        .create(create)
        .update(update)
        .with_crud()
        .transition_with("activate", "Activate a pipeline. Opportunities can be made in it.", activate)
        .example(Example::default().answers(json!({"status": "active"})).persists())
        .action("reorder-stages", "Reorder a pipeline's stages", reorder)
        .example(Example::body(json!({"stage_ids": [stage("proposal"), stage("qualified"), stage("won"), stage("lost")]})))
        .action(
            "remove-stage",
            "Remove a stage from a pipeline. Its opportunities move to another stage of the same kind; without `move_to` a stage with \
             opportunities is refused with 409 `stage_in_use`.",
            remove_stage,
        )
        .example(Example::body(json!({"stage_id": stage("proposal"), "move_to": stage("qualified")})))
        .transition_with_input(
            "retire",
            "Retire a pipeline. Its open opportunities move to another pipeline, stage by stage; those that are won or lost stay.",
            retire,
        )
        .example(Example::body(json!({"stage_map": []})).depends_on(&["createPipeline"]).answers(json!({"status": "retired"})))
        .operation("/{id}/board", board::operation)
        .schema::<board::PipelineBoard>()
}

/// Makes a pipeline: a draft.
pub async fn create(work: &Work, mut draft: Stored<Pipeline>) -> Result<Stored<Pipeline>> {
    name_stages(work, &mut draft.data);
    check_criteria(work, &draft.data, None).await?;
    stored::insert(work, draft).await
}

async fn update(work: &Work, before: &Stored<Pipeline>, mut after: Stored<Pipeline>) -> Result<Stored<Pipeline>> {
    after.data.recognise(&before.data);
    name_stages(work, &mut after.data);
    for (i, stage) in after.data.stages.iter().enumerate() {
        let Some(was) = stage.id.and_then(|id| before.data.stage(id)) else { continue };
        for (field, stays) in [("key", was.key == stage.key), ("kind", was.kind == stage.kind)] {
            if !stays {
                let error = FieldError::new(format!("/stages/{i}/{field}"), FieldCode::NotAllowed, "the value it was made with");
                return Err(Error::invalid(error));
            }
        }
    }
    for gone in before.data.stages.iter().filter_map(|stage| stage.id).filter(|id| after.data.stage(*id).is_none()) {
        expect_unused(work, gone).await?;
    }
    check_criteria(work, &after.data, Some(&before.data)).await?;
    stored::save(work, before, after, "updated", None).await
}

/// Gives the stages that have none an id.
fn name_stages(work: &Work, pipeline: &mut Pipeline) {
    for stage in &mut pipeline.stages {
        stage.id = stage.id.or_else(|| Some(work.new_id()));
    }
}

/// Refuses exit criteria that are no filter of opportunities; those that were there before are not read again.
async fn check_criteria(work: &Work, pipeline: &Pipeline, before: Option<&Pipeline>) -> Result<()> {
    let shape = work.shape(Opportunity::PLURAL)?;
    for (i, stage) in pipeline.stages.iter().enumerate() {
        let was = before.zip(stage.id).and_then(|(before, id)| before.stage(id)).and_then(|was| was.exit_criteria.as_ref());
        if let Some(filter) = stage.exit_criteria.as_ref().filter(|filter| Some(*filter) != was) {
            criteria::check(work, shape, filter, &format!("/stages/{i}/exit_criteria")).await?;
        }
    }
    Ok(())
}

/// Refuses to take away a stage that opportunities are in: 409 `stage_in_use`, with how many.
async fn expect_unused(work: &Work, stage: Uuid) -> Result<()> {
    let mut sql = work.sql();
    sql.push("SELECT count(*) FROM opportunities t WHERE t.deleted_at IS NULL AND t.stage_id = ").id(stage);
    match work.count(sql).await? {
        0 => Ok(()),
        many => Err(Error::from(Code::StageInUse).with_detail(format!("opportunities in it: {many}"))),
    }
}

async fn activate(_: &Work, before: &Stored<Pipeline>, _: &mut Pipeline) -> Result<()> {
    match before.data.stages.is_empty() {
        true => Err(Error::invalid(FieldError::new("/stages", FieldCode::Required, "open stages, one won, and at least one lost"))),
        false => Ok(()),
    }
}

async fn reorder(work: &Work, before: Stored<Pipeline>, input: ReorderStages) -> Result<Stored<Pipeline>> {
    let mut after = before.clone();
    let sent: HashSet<Uuid> = input.stage_ids.iter().copied().collect();
    let stages: Vec<PipelineStage> = input.stage_ids.iter().filter_map(|id| before.data.stage(*id)).cloned().collect();
    if sent.len() != input.stage_ids.len() || stages.len() != sent.len() || stages.len() != before.data.stages.len() {
        let allowed = before.data.stages.iter().filter_map(|stage| stage.id).map(|id| id.to_string()).collect();
        let error = FieldError::new("/stage_ids", FieldCode::InvalidValue, "each stage of the pipeline once");
        return Err(Error::invalid(FieldError { allowed, ..error }));
    }
    after.data.stages = stages;
    stored::save(work, &before, after, "stages_reordered", None).await
}

/// Removes a stage, and moves its opportunities to another of its kind.
pub async fn remove_stage(work: &Work, before: Stored<Pipeline>, input: RemoveStage) -> Result<Stored<Pipeline>> {
    let unknown = || Error::invalid(FieldError::new("/stage_id", FieldCode::NotInPipeline, "a stage of the pipeline"));
    let gone = before.data.stage(input.stage_id).ok_or_else(unknown)?;
    let mut after = before.clone();
    after.data.stages.retain(|stage| stage.id != gone.id);
    match input.move_to {
        None => expect_unused(work, input.stage_id).await?,
        Some(to) => {
            let to = stages::stage(&after.data, Some(to), gone.kind, "/move_to")?;
            move_all(work, StageOf { stage_id: input.stage_id, is_open_only: false }, &before, to).await?;
        }
    }
    stored::save(work, &before, after, "stage_removed", None).await
}

async fn retire(work: &Work, before: &Stored<Pipeline>, _: &mut Pipeline, input: RetirePipeline) -> Result<()> {
    for stage in before.data.stages.iter().filter(|stage| stage.kind == StageKind::Open) {
        let Some(from) = stage.id else { continue };
        let Some(to) = input.stage_map.iter().find(|mapping| mapping.from_stage_id == from) else {
            expect_unused(work, from).await?;
            continue;
        };
        let to_pipeline = input.to_pipeline_id.filter(|id| *id != before.id());
        let required = || Error::invalid(FieldError::new("/to_pipeline_id", FieldCode::Required, "another active pipeline"));
        let pipeline = stages::active(work, to_pipeline.ok_or_else(required)?.into(), "/to_pipeline_id").await?;
        let to = stages::stage(&pipeline.data, Some(to.to_stage_id), StageKind::Open, "/stage_map")?;
        move_all(work, StageOf { stage_id: from, is_open_only: true }, &pipeline, to).await?;
    }
    Ok(())
}

/// The opportunities of a stage.
#[derive(Clone, Copy, Debug)]
struct StageOf {
    stage_id: Uuid,
    is_open_only: bool,
}

/// Moves all opportunities of a stage to another, as `remapped`, and keeps their history.
async fn move_all(work: &Work, from: StageOf, pipeline: &Stored<Pipeline>, to: &PipelineStage) -> Result<()> {
    let (shape, zone) = (work.shape(Opportunity::PLURAL)?, work.zone().await?);
    loop {
        work.yield_when_due().await;
        let mut sql = record::select(work, shape);
        sql.push(" AND t.stage_id = ").id(from.stage_id);
        if from.is_open_only {
            sql.push(" AND t.status = 'open'");
        }
        sql.push(" ORDER BY t.id LIMIT ").int(MAX_MOVED).for_update("t");
        let found = work.fetch(sql, |row| record::read(shape, row)).await?;
        if found.is_empty() {
            return Ok(());
        }
        let mut changes = vec![];
        for one in found {
            let before = Stored::<Opportunity>::of(one)?;
            let mut after = before.clone();
            after.data.pipeline_id = Some(pipeline.id().into());
            after.data.enter(to, zone, work.now);
            changes.push((before, after));
        }
        opportunity::save_all(work, changes, "remapped", StageChangeKind::Remapped, &Reason::default()).await?;
    }
}
