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
    resource::Resource,
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
        .after_create(begin_histories)
        .after_update(note_changed_grades)
        .with_crud()
        .example_of(
            "batchAccounts",
            Example::body(json!({"mode": "upsert", "items": [
                {"id": example::id("accounts"), "grade": "B", "description": "Orders every other Monday."},
                {"id": example::id("accounts/suppliers"), "name": "Siam Tins", "legal_form": "company"},
            ]}))
            .answers(json!({
                "results": [
                    {"index": 0, "status": "updated", "id": example::id("accounts"), "version": 3},
                    {"index": 1, "status": "created", "id": example::id("accounts/suppliers"), "version": 1},
                ],
                "summary": {"received": 2, "updated": 1, "created": 1},
            }))
            .persists(),
        )
        .with_bulk_update()
        .example(
            Example::body(
                json!({"filter": {"field": "grade", "op": "eq", "value": "D"}, "patch": {"grade": "C", "preferred_channel": "email"}}),
            )
            .answers(json!({
                "id": example::id("bulk updates"), "changed_fields": ["grade", "preferred_channel"],
            })),
        )
        .with_bulk_assign()
        .example(
            Example::body(json!({
                "filter": {"field": "grade", "op": "eq", "value": "D"}, "owner_id": example::id("users"), "reason": "New territory",
            }))
            .answers(json!({
                "id": example::id("bulk assignments"), "kind": "bulk_assign",
                "changed_fields": ["owner_id"],
            })),
        )
        .action("change-lifecycle", "Change an account's lifecycle stage", change_lifecycle)
        .example(Example::body(json!({"to": "active", "reason": "First order"})).answers(json!({"lifecycle_stage": "active"})).persists())
        .action("assign", "Assign an account", assign)
        .example(
            Example::body(json!({"owner_id": example::id("users"), "team_id": example::id("teams"), "reason": "New territory"}))
                .answers(json!({"owner_id": example::id("users"), "team_id": example::id("teams")})),
        )
}

/// Makes an account and begins its histories.
pub async fn create(work: &Work, draft: Stored<Account>) -> Result<Stored<Account>> {
    let account = stored::insert(work, draft).await?;
    begin_histories(work, &[&account]).await?;
    Ok(account)
}

async fn begin_histories(work: &Work, made: &[&Stored<Account>]) -> Result<()> {
    note_stages(work, made.iter().map(|account| (*account, None)), None).await?;
    note_grades(work, made.iter().map(|account| (*account, None))).await
}

async fn note_changed_grades(work: &Work, changed: &[(&Stored<Account>, &Stored<Account>)]) -> Result<()> {
    note_grades(work, changed.iter().map(|(before, after)| (*after, before.data.grade.clone()))).await
}

/// Moves an account to another stage and keeps the history.
pub async fn change_lifecycle(work: &Work, before: Stored<Account>, input: ChangeLifecycle) -> Result<Stored<Account>> {
    let stage = before.data.lifecycle_stage;
    if !stage.next().contains(&input.to) {
        return Err(Error::from(Code::IllegalTransition).with_allowed(stage.next().iter().map(|s| s.as_str())));
    }
    let mut after = before.clone();
    after.data.lifecycle_stage = input.to;
    let account = stored::save(work, &before, after, "lifecycle_changed", input.reason.clone()).await?;
    note_stages(work, [(&account, Some(stage))].into_iter(), input.reason).await?;
    Ok(account)
}

/// Notes the stages of accounts, and those they come from.
async fn note_stages(
    work: &Work,
    accounts: impl Iterator<Item = (&Stored<Account>, Option<LifecycleStage>)>,
    reason: Option<String>,
) -> Result<()> {
    let line = |(account, from_stage): (&Stored<Account>, Option<LifecycleStage>)| AccountLifecycleChange {
        account_id: AccountId(account.id()),
        from_stage,
        to_stage: account.data.lifecycle_stage,
        reason: reason.clone(),
    };
    write_lines(work, accounts.map(line).collect()).await
}

/// Notes the grades of accounts that had others.
async fn note_grades(work: &Work, accounts: impl Iterator<Item = (&Stored<Account>, Option<String>)>) -> Result<()> {
    let changed = accounts.filter(|(account, from_grade)| account.data.grade != *from_grade);
    let line = |(account, from_grade): (&Stored<Account>, Option<String>)| AccountGradeChange {
        account_id: AccountId(account.id()),
        from_grade,
        to_grade: account.data.grade.clone(),
    };
    write_lines(work, changed.map(line).collect()).await
}

async fn write_lines<T: Resource>(work: &Work, lines: Vec<T>) -> Result<()> {
    for line in stored::create_many(work, lines.into_iter().map(Stored::draft).collect()).await? {
        line?;
    }
    Ok(())
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
