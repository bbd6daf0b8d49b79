//! A pipeline: the stages that opportunities go through, as data.

use crate::id::TeamId;
use samphan_resource::{error::FieldCode, example, money::Percent, resource::Resource, transition::Transition, validation::fault};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

/// The stages of a sales process, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "sound_stages"))]
pub struct Pipeline {
    /// Its name.
    #[schema(min_length = 1, max_length = 100, example = "Wholesale")]
    pub name: String,
    /// The name in other languages, by BCP 47 tag.
    #[serde(default)]
    pub name_translations: BTreeMap<String, String>,
    /// Whether opportunities go through it when neither the request nor their team names another pipeline.
    #[serde(default)]
    pub is_default: bool,
    /// Teams whose opportunities go through it when the request names none.
    #[schema(max_items = 50)]
    #[serde(default)]
    pub team_ids: Vec<TeamId>,
    /// Its stages in order: open ones, exactly one `won`, and at least one `lost`. A draft may have none. A stage that is sent again without its
    /// `id` is recognised by its `key`. A stage that opportunities are in is removed by `remove-stage`.
    #[schema(max_items = 30)]
    #[serde(default)]
    pub stages: Vec<PipelineStage>,
    /// Whether opportunities are made in it; moved by `activate` and `retire`.
    #[schema(read_only)]
    #[serde(default)]
    pub status: PipelineStatus,
}

/// A stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PipelineStage {
    /// Its id; the server's when left out.
    pub id: Option<Uuid>,
    /// Its key, for programs: unique in the pipeline. It stays as it is made.
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z][a-z0-9_]*$", example = "qualified")]
    pub key: String,
    /// Its name, for people.
    #[schema(min_length = 1, max_length = 100, example = "Qualified")]
    pub name: String,
    /// The name in other languages, by BCP 47 tag.
    #[serde(default)]
    pub name_translations: BTreeMap<String, String>,
    /// The state of the opportunities in it. It stays as it is made.
    #[serde(default)]
    pub kind: StageKind,
    /// Percent: how likely an opportunity in it is won. 100 where `kind` is `won`, 0 where it is `lost`. A change holds for opportunities
    /// that enter the stage from then on.
    #[serde(default)]
    pub probability: Percent,
    /// The forecast category of the opportunities that enter it. `closed` where `kind` is `won`, `omitted` where it is `lost`.
    #[serde(default)]
    pub forecast_category: ForecastCategory,
    /// What an opportunity must meet to leave the stage forward or to be won, in the filter language (schema `Filter`) over the filters of
    /// opportunities; nothing when null.
    #[schema(value_type = Option<Object>, example = json!({"field": "amount", "op": "gt", "value": "0"}))]
    pub exit_criteria: Option<Value>,
    /// Days after which an opportunity in it is rotten; never when null.
    #[schema(minimum = 1, maximum = 3650)]
    pub rot_days: Option<i32>,
    /// How many opportunities should be in it at most. The board tells when there are more.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub wip_limit: Option<i32>,
}

/// The state of the opportunities in a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageKind {
    /// They are worked on.
    #[default]
    Open,
    /// They are won.
    Won,
    /// They are lost.
    Lost,
}

/// How a forecast counts an opportunity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForecastCategory {
    /// It is left out.
    Omitted,
    /// It may come.
    #[default]
    Pipeline,
    /// It comes if all goes well.
    BestCase,
    /// The seller commits to it.
    Commit,
    /// It is won.
    Closed,
}

impl ForecastCategory {
    /// As it is stored and answered.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Omitted => "omitted",
            Self::Pipeline => "pipeline",
            Self::BestCase => "best_case",
            Self::Commit => "commit",
            Self::Closed => "closed",
        }
    }
}

/// Whether opportunities are made in a pipeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PipelineStatus {
    /// It is being written.
    #[default]
    Draft,
    /// Opportunities go through it.
    Active,
    /// Opportunities are no longer made in it; those that were won or lost in it stay.
    Retired,
}

impl Pipeline {
    /// The stage of that id.
    #[must_use]
    pub fn stage(&self, id: Uuid) -> Option<&PipelineStage> {
        self.stages.iter().find(|stage| stage.id == Some(id))
    }

    /// Its first stage of a kind.
    #[must_use]
    pub fn first(&self, kind: StageKind) -> Option<&PipelineStage> {
        self.stages.iter().find(|stage| stage.kind == kind)
    }

    /// The open stages from one on as far as another, which is not among them: those that a move leaves or passes. All to the end where the
    /// other one is not open; none where it comes before.
    pub fn passed(&self, from: Uuid, to: Uuid) -> impl Iterator<Item = &PipelineStage> {
        let place = |id: Uuid| self.stages.iter().position(|stage| stage.id == Some(id));
        let first = place(from).unwrap_or_default();
        let end = match self.stage(to).map(|stage| stage.kind) {
            Some(StageKind::Open) => place(to).unwrap_or_default(),
            _ => self.stages.len(),
        };
        self.stages.iter().take(end).skip(first).filter(|stage| stage.kind == StageKind::Open)
    }

    /// Gives stages that were sent again without their ids the ids they have.
    pub fn recognise(&mut self, before: &Self) {
        for stage in self.stages.iter_mut().filter(|stage| stage.id.is_none()) {
            stage.id = before.stages.iter().find(|was| was.key == stage.key).and_then(|was| was.id);
        }
    }
}

impl Resource for Pipeline {
    const PLURAL: &'static str = "pipelines";
    const SINGULAR: &'static str = "pipeline";
    const DESCRIPTION: &'static str = "Sales processes as data: the stages that opportunities go through.";
    const EVENTS: &'static [&'static str] = &[];
    const FILTERS: &'static [&'static str] = &["status", "is_default"];
    const SORTS: &'static [&'static str] = &["name"];
    const COLLATED: &'static [&'static str] = &["name"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["name"]];
    const ONE_OF: &'static [(&'static str, &'static [&'static str])] = &[("is_default", &[])];
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[
        Transition::new("activate", &["draft", "retired"], "active", "activated"),
        Transition::within("reorder-stages", &[], Some("stages_reordered")),
        Transition::within("remove-stage", &[], Some("stage_removed")),
        Transition::new("retire", &["draft", "active"], "retired", "retired"),
    ];

    fn normalise(&mut self) {
        for stage in &mut self.stages {
            match stage.kind {
                StageKind::Open => {}
                StageKind::Won => (stage.probability, stage.forecast_category) = (Percent::WHOLE, ForecastCategory::Closed),
                StageKind::Lost => (stage.probability, stage.forecast_category) = (Percent(0), ForecastCategory::Omitted),
            }
        }
    }

    fn example() -> Value {
        let id = |key: &str| example::id(&format!("pipeline_stages/{key}"));
        json!({
            "is_default": true,
            "stages": [
                {"id": id("qualified"), "key": "qualified", "name": "Qualified", "kind": "open", "probability": "20", "forecast_category": "pipeline",
                    "rot_days": 30, "exit_criteria": {"field": "amount", "op": "gt", "value": "0"}},
                {"id": id("proposal"), "key": "proposal", "name": "Proposal", "kind": "open", "probability": "60",
                    "forecast_category": "best_case"},
                {"id": id("won"), "key": "won", "name": "Won", "kind": "won", "probability": "100", "forecast_category": "closed"},
                {"id": id("lost"), "key": "lost", "name": "Lost", "kind": "lost", "probability": "0", "forecast_category": "omitted"},
            ],
        })
    }

    fn example_change() -> Value {
        json!({"name_translations": {"th": "ขายส่ง"}})
    }
}

/// Removes a stage.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveStage {
    /// The stage.
    pub stage_id: Uuid,
    /// The stage of the same kind that its opportunities move to; needed when there are any.
    #[serde(default)]
    #[schema(nullable = false)]
    pub move_to: Option<Uuid>,
}

/// Puts stages in another order.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReorderStages {
    /// All stages of the pipeline, in their new order.
    #[schema(min_items = 1, max_items = 30)]
    pub stage_ids: Vec<Uuid>,
}

/// Ends a pipeline.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetirePipeline {
    /// The pipeline that open opportunities move to; needed when there are any.
    #[serde(default)]
    #[schema(nullable = false)]
    pub to_pipeline_id: Option<Uuid>,
    /// Where the open opportunities of each stage move to; needed for each stage that has any.
    #[serde(default)]
    #[schema(max_items = 30, nullable = false)]
    pub stage_map: Vec<StageMapping>,
}

/// Where the opportunities of a stage move to.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StageMapping {
    /// The stage they are in.
    pub from_stage_id: Uuid,
    /// The open stage of the other pipeline.
    pub to_stage_id: Uuid,
}

fn sound_stages(pipeline: &Pipeline) -> Result<(), ValidationError> {
    let (mut keys, mut ids) = (HashSet::new(), HashSet::new());
    let of = |kind: StageKind| pipeline.stages.iter().filter(|stage| stage.kind == kind).count();
    let is_misplaced = |stage: &PipelineStage| stage.kind == StageKind::Open && stage.forecast_category == ForecastCategory::Closed;
    match () {
        () if pipeline.stages.is_empty() => Ok(()),
        () if !pipeline.stages.iter().all(|stage| keys.insert(stage.key.as_str())) => {
            Err(fault("stages", FieldCode::Repeated, "each key once"))
        }
        () if !pipeline.stages.iter().filter_map(|stage| stage.id).all(|id| ids.insert(id)) => {
            Err(fault("stages", FieldCode::Repeated, "each id once"))
        }
        () if pipeline.stages.iter().any(|stage| stage.probability > Percent::WHOLE) => {
            Err(fault("stages", FieldCode::OutOfRange, "a probability from 0 to 100"))
        }
        () if pipeline.stages.iter().any(is_misplaced) => {
            Err(fault("stages", FieldCode::NotAllowed, "`closed` for the stage of kind `won` only"))
        }
        () if of(StageKind::Open) == 0 || of(StageKind::Won) != 1 || of(StageKind::Lost) == 0 => {
            Err(fault("stages", FieldCode::InvalidValue, "open stages, exactly one won, and at least one lost"))
        }
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(n: u128, kind: StageKind) -> PipelineStage {
        PipelineStage {
            id: Some(Uuid::from_u128(n)),
            key: format!("s{n}"),
            name: format!("S{n}"),
            name_translations: BTreeMap::new(),
            kind,
            probability: Percent(50 * samphan_resource::money::SCALE),
            forecast_category: ForecastCategory::Pipeline,
            exit_criteria: None,
            rot_days: None,
            wip_limit: None,
        }
    }

    fn pipeline(kinds: &[StageKind]) -> Pipeline {
        let stages = kinds.iter().zip(1..).map(|(kind, n)| stage(n, *kind)).collect();
        let (name, name_translations, team_ids) = ("P".to_owned(), BTreeMap::new(), vec![]);
        let mut made = Pipeline { name, name_translations, is_default: false, team_ids, stages, status: PipelineStatus::Active };
        made.normalise();
        made
    }

    #[test]
    fn a_pipeline_has_open_stages_one_won_and_some_lost() {
        use StageKind::{Lost, Open, Won};
        for (kinds, is_sound) in [
            (&[Open, Open, Won, Lost, Lost][..], true),
            (&[][..], true),
            (&[Open, Won][..], false),
            (&[Open, Won, Won, Lost][..], false),
            (&[Won, Lost][..], false),
        ] {
            assert_eq!(sound_stages(&pipeline(kinds)).is_ok(), is_sound, "{kinds:?}");
        }
        let made = pipeline(&[Open, Won, Lost]);
        assert_eq!(made.stages.iter().map(|s| s.probability).collect::<Vec<_>>(), [Percent(500_000), Percent::WHOLE, Percent(0)]);
    }

    #[test]
    fn a_move_passes_the_open_stages_before_its_end() {
        use StageKind::{Lost, Open, Won};
        let made = pipeline(&[Open, Open, Open, Won, Lost]);
        let passed =
            |from, to| -> Vec<&str> { made.passed(Uuid::from_u128(from), Uuid::from_u128(to)).map(|stage| stage.key.as_str()).collect() };
        assert_eq!(passed(1, 3), ["s1", "s2"]);
        assert_eq!(passed(2, 4), ["s2", "s3"], "to be won it passes the rest");
        assert!(passed(3, 1).is_empty() && passed(2, 2).is_empty());
    }
}
