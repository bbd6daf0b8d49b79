//! What an area registers: its operations, its tasks, and the rules that hold for its records.

use super::{collection::Api, presets::Presets};
use samphan_background::{
    jobs::{Job, Jobs},
    task::Task,
    timer::Timers,
};
use samphan_persistence::{guard::Guards, store::Work, stored::Stored};
use samphan_resource::{error::Result, resource::Resource};

/// What the areas register, one after the other.
#[derive(Default)]
pub struct Module {
    /// Collections, operations and schemas.
    pub api: Api,
    /// What is done in the background.
    pub tasks: Vec<Task>,
    /// What is done later, and again and again.
    pub jobs: Jobs,
    /// What is done to records when a moment of theirs has come.
    pub timers: Timers,
    /// Rules for records of other areas.
    pub guards: Guards,
    /// What shipped roles may do.
    pub presets: Presets,
}

impl Module {
    /// With collections, operations and schemas.
    #[must_use]
    pub fn routes(mut self, routes: impl FnOnce(Api) -> Api) -> Self {
        self.api = routes(self.api);
        self
    }

    /// With a task.
    #[must_use]
    pub fn task(mut self, task: Task) -> Self {
        self.tasks.push(task);
        self
    }

    /// With a kind of job.
    #[must_use]
    pub fn job<J: Job>(mut self) -> Self {
        self.jobs = self.jobs.job::<J>();
        self
    }

    /// With a job that is enqueued at local times of the organisation: five fields, as cron has them.
    #[must_use]
    pub fn schedule<J: Job>(mut self, name: &'static str, cron: &str, job: &J) -> Self {
        self.jobs = self.jobs.schedule(name, cron, job);
        self
    }

    /// With what is done to records of a resource when the moment of one of its timers has come.
    #[must_use]
    pub fn timer<T: Resource>(mut self, verb: &'static str, run: impl AsyncFn(&Work, Vec<Stored<T>>) -> Result<()> + 'static) -> Self {
        self.timers = self.timers.with(verb, run);
        self
    }

    /// With permissions of shipped roles.
    #[must_use]
    pub fn presets(mut self, grant: impl FnOnce(Presets) -> Presets) -> Self {
        self.presets = grant(self.presets);
        self
    }

    /// With rules for records of other areas.
    #[must_use]
    pub fn guards(mut self, register: impl FnOnce(Guards) -> Guards) -> Self {
        self.guards = register(self.guards);
        self
    }
}
