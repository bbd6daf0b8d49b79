//! Tasks of the process beside its server. They end before the runtime does: whatever holds a connection to the database then gives it
//! back, and that takes a runtime.

use std::{cell::RefCell, future::Future, rc::Rc};
use tokio::task::JoinSet;

/// Those that run, on this thread. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tasks(Rc<RefCell<JoinSet<()>>>);

impl Tasks {
    /// Runs a task until it ends by itself or all of them are ended.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let mut all = self.0.borrow_mut();
        while all.try_join_next().is_some() {}
        all.spawn_local(task);
    }

    /// Ends them all, wherever they are.
    pub async fn end(self) {
        let mut all = self.0.take();
        all.shutdown().await;
    }
}
