//! How accounts are reached; the history of stage and grade is written here.

use super::handover::{self, Include};
use samphan_domain::{
    customers::{
        account::{Account, ChangeLifecycle, LifecycleStage},
        account_history::{AccountGradeChange, AccountLifecycleChange},
    },
    id::AccountId,
};
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, Result},
    example,
};
use samphan_rest::{collection::Collection, example::Example};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// Accounts.
#[must_use]
pub fn routes() -> Collection<Account> {
    Collection::new("accounts")
        .create(create) // begins the histories
        .update(update) // keeps the grade's history
        .writes()
        .action("change-lifecycle", "Move an account to another stage of its life", change_lifecycle)
        .example(Example::body(json!({"to": "active", "reason": "First order"})).answers(json!({"lifecycle_stage": "active"})).kept())
        .action("assign", "Give an account to another owner or team", assign)
        .example(
            Example::body(json!({"owner_id": example::id("users"), "team_id": example::id("teams"), "reason": "New territory"}))
                .answers(json!({"owner_id": example::id("users"), "team_id": example::id("teams")})),
        )
}

/// Makes an account and begins its histories.
pub async fn create(work: &Work, draft: Stored<Account>) -> Result<Stored<Account>> {
    let account = stored::insert(work, draft).await?;
    note_stage(work, &account, None, None).await?;
    note_grade(work, &account, None).await?;
    Ok(account)
}

async fn update(work: &Work, before: &Stored<Account>, after: Stored<Account>) -> Result<Stored<Account>> {
    let account = stored::save(work, before, after, "updated", None).await?;
    note_grade(work, &account, before.data.grade.clone()).await?;
    Ok(account)
}

/// Moves an account to another stage and keeps the history.
pub async fn change_lifecycle(work: &Work, before: Stored<Account>, input: ChangeLifecycle) -> Result<Stored<Account>> {
    let stage = before.data.lifecycle_stage;
    if !stage.next().contains(&input.to) {
        return Err(Error::from(Code::IllegalTransition).allowing(stage.next().iter().map(|s| s.as_str())));
    }
    let mut after = before.clone();
    after.data.lifecycle_stage = input.to;
    let account = stored::save(work, &before, after, "lifecycle_changed", input.reason.clone()).await?;
    note_stage(work, &account, Some(stage), input.reason).await?;
    Ok(account)
}

async fn note_stage(work: &Work, account: &Stored<Account>, from_stage: Option<LifecycleStage>, reason: Option<String>) -> Result<()> {
    let line = AccountLifecycleChange { account_id: AccountId(account.id()), from_stage, to_stage: account.data.lifecycle_stage, reason };
    stored::insert(work, Stored::draft(line)).await.map(|_| ())
}

async fn note_grade(work: &Work, account: &Stored<Account>, from_grade: Option<String>) -> Result<()> {
    if account.data.grade == from_grade {
        return Ok(());
    }
    let line = AccountGradeChange { account_id: AccountId(account.id()), from_grade, to_grade: account.data.grade.clone() };
    stored::insert(work, Stored::draft(line)).await.map(|_| ())
}

/// Gives a record to another owner, team, or both.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assign {
    /// The new owner; as it is when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub owner_id: Option<Uuid>,
    /// The new team; as it is when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub team_id: Option<Uuid>,
    /// Why; kept in the audit.
    #[serde(default)]
    #[schema(max_length = 500, nullable = false)]
    pub reason: Option<String>,
    /// What of the account gets the same owner and team, as far as it belonged to the account's owner of before or to no user: at most 1,000
    /// records. The new owner sees all contacts and documents of the account either way. Each needs its own permission: `contacts:assign`,
    /// `orders:assign`, `order-promises:assign`.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub include: Vec<Include>,
}

async fn assign(work: &Work, before: Stored<Account>, input: Assign) -> Result<Stored<Account>> {
    handover::take_along(work, &before, &input).await?;
    let mut after = before.clone();
    for (field, id) in [("owner_id", input.owner_id), ("team_id", input.team_id)] {
        if let Some(id) = id {
            after.record.insert(field.to_owned(), json!(id));
        }
    }
    stored::save(work, &before, after, "assigned", input.reason).await
}
