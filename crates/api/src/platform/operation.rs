//! How bulk operations are reached: to be looked at, cancelled, and reverted. Collections offer what makes them.

use samphan_persistence::{
    jobs, operations,
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    builtin::{
        job::Job,
        operation::{Operation, OperationItem},
    },
    error::{Code, Result},
    example,
    resource::Resource,
    scalar::Scalar,
};
use samphan_rest::{
    bulk,
    collection::{Api, Collection},
    example::Example,
};
use serde_json::json;

/// Operations and their items.
#[must_use]
pub fn routes(api: Api) -> Api {
    let operations = Collection::new("operations")
        .action_without_input("cancel", "Cancel an operation. A running one is asked to stop.", cancel)
        .example(Example::default().answers(json!({"status": "cancelled"})).persists())
        .action_without_input("revert", "Revert an operation. Puts back what it changed.", bulk::revert)
        // It begins another operation.
        .also_requires(bulk::PERMISSION)
        .example(
            Example::default()
                .answers(json!({
                    "id": example::id("reverting operations"), "kind": "revert", "status": "queued", "reverts_id": example::id(Operation::PLURAL),
                }))
                .depends_on(&["cancelOperation"]),
        );
    api.collection(operations).collection(Collection::<OperationItem>::nested_under::<Operation>("operations", "operation_id", "items"))
}

async fn cancel(work: &Work, found: Stored<Operation>) -> Result<Stored<Operation>> {
    if let Some(job) = found.data.job_id
        && let Some(job) = stored::find_one_by::<Job>(work, "id", Scalar::Id(job)).await?
    {
        jobs::cancel(work, job).await?;
    }
    operations::find(work, found.id()).await?.ok_or_else(|| Code::NotFound.into())
}
