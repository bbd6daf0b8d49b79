//! What an area registers: its operations, its tasks, and the rules that hold for its records.

use super::collection::Api;
use samphan_background::task::Task;
use samphan_persistence::guard::Guards;

/// What the areas register, one after the other.
#[derive(Default)]
pub struct Module {
    /// Collections, operations and schemas.
    pub api: Api,
    /// What is done in the background.
    pub tasks: Vec<Task>,
    /// What areas have to say about records of other areas.
    pub guards: Guards,
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

    /// With what it has to say about records of other areas.
    #[must_use]
    pub fn guards(mut self, register: impl FnOnce(Guards) -> Guards) -> Self {
        self.guards = register(self.guards);
        self
    }
}
