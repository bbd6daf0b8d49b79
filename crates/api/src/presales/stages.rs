//! The pipeline and the stage of an opportunity.

use samphan_domain::{
    id::PipelineId,
    presales::{
        opportunity::Opportunity,
        pipeline::{Pipeline, PipelineStage, PipelineStatus, StageKind},
    },
};
use samphan_persistence::{record, store::Work, stored::Stored};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    resource::Resource,
};
use uuid::Uuid;

/// A living pipeline, whoever may see it. Its stages stay as they are until the work ends.
pub async fn load(work: &Work, id: Uuid) -> Result<Option<Stored<Pipeline>>> {
    let shape = work.shape(Pipeline::PLURAL)?;
    let mut sql = record::select(work, shape);
    sql.push(" AND t.id = ").id(id).for_share("t");
    work.fetch_one(sql, |row| record::read(shape, row)).await?.map(Stored::of).transpose()
}

/// The pipeline of an opportunity.
pub async fn of(work: &Work, id: Option<PipelineId>) -> Result<Stored<Pipeline>> {
    load(work, id.ok_or(Code::Internal)?.0).await?.ok_or_else(|| Code::Internal.into())
}

/// An active pipeline by its id.
pub async fn active(work: &Work, id: PipelineId, pointer: &str) -> Result<Stored<Pipeline>> {
    let pipeline = load(work, id.0).await?.ok_or_else(|| Error::unknown_reference(pointer, Pipeline::PLURAL))?;
    match pipeline.data.status {
        PipelineStatus::Active => Ok(pipeline),
        _ => Err(Error::invalid(FieldError::new(pointer, FieldCode::NotActive, "an active pipeline"))),
    }
}

/// The active pipeline of a team, or else the default one, or else the only one.
pub async fn default(work: &Work, team: Option<Uuid>) -> Result<Stored<Pipeline>> {
    let shape = work.shape(Pipeline::PLURAL)?;
    let mut sql = record::select(work, shape);
    sql.push(" AND t.status = 'active' ORDER BY t.id").for_share("t");
    let all = work.fetch(sql, |row| record::read(shape, row)).await?;
    let mut all: Vec<Stored<Pipeline>> = all.into_iter().map(Stored::of).collect::<Result<_>>()?;
    let place = all
        .iter()
        .position(|one| one.data.team_ids.iter().any(|of| Some(of.0) == team))
        .or_else(|| all.iter().position(|one| one.data.is_default))
        .or((all.len() == 1).then_some(0));
    match place {
        Some(place) => Ok(all.swap_remove(place)),
        None => Err(Error::invalid(FieldError::new("/pipeline_id", FieldCode::Required, "an active pipeline; none is the default"))),
    }
}

/// A stage of a pipeline of this kind; its first one where none is named.
pub fn stage<'a>(pipeline: &'a Pipeline, id: Option<Uuid>, kind: StageKind, pointer: &str) -> Result<&'a PipelineStage> {
    let of_kind = || pipeline.stages.iter().filter(|stage| stage.kind == kind);
    let Some(id) = id else {
        return of_kind().next().ok_or_else(|| Error::from(Code::Conflict).with_detail("the pipeline has no stages"));
    };
    let allowed = || of_kind().filter_map(|stage| stage.id).map(|id| id.to_string());
    let fault = |code, about: &str| {
        let error = FieldError { allowed: allowed().collect(), ..FieldError::new(pointer, code, about) };
        Err(Error::invalid(error))
    };
    match (pipeline.stage(id).map(|stage| (stage, stage.kind)), kind) {
        (Some((stage, found)), _) if found == kind => Ok(stage),
        (Some((_, StageKind::Won)), StageKind::Open) => fault(FieldCode::UseAction, "win"),
        (Some((_, StageKind::Lost)), StageKind::Open) => fault(FieldCode::UseAction, "lose"),
        _ => fault(FieldCode::NotInPipeline, "a stage of the pipeline that fits"),
    }
}

/// The stage that an opportunity is in.
pub fn stage_of<'a>(pipeline: &'a Pipeline, opportunity: &Opportunity) -> Result<&'a PipelineStage> {
    opportunity.stage_id.and_then(|id| pipeline.stage(id)).ok_or_else(|| Code::Internal.into())
}
