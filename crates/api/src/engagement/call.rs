//! How calls are logged: by people and by telephone systems, which report one and the same call several times by its external id.

use super::task;
use actix_web::http::Method;
use samphan_domain::{
    customers::contact_point::{DEFAULT_REGION, phone_keys},
    engagement::{
        call::{Call, CallMatch, LinkCall},
        task::{FollowUp, Task, TaskKind},
    },
    id::{AccountId, ContactId, UserId},
};
use samphan_persistence::{
    record::expect_version,
    store::Work,
    stored::{self, Stored},
    visibility,
};
use samphan_resource::{
    caller::CallerKind,
    error::{Error, FieldCode, FieldError, Result},
    example,
    resource::Resource,
    scalar::{Kind, Scalar},
};
use samphan_rest::{
    collection::Collection,
    example::Example,
    operation::{Body, Operation, RequestContext},
    reading::written,
    response::Response,
};
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Contact points with the number that are looked at.
const MAX_POINTS: i64 = 20;

/// Calls.
pub fn routes() -> Collection<Call> {
    Collection::new("activities")
        .create(log)
        .with_crud()
        .operation("/{id}/follow-up", |path| {
            Operation::write("createCallFollowUp", Method::POST, path, follow_up)
                .describe("activities", "Create a follow-up of a call", "A task to call back, for the account, contact and related record of the call and its owner.")
                .example(Example::body(json!({"subject": "Call back with the date", "due_at": "2027-03-01T02:00:00Z"})).answers(json!({
                    "id": example::id("follow-up tasks"), "subject": "Call back with the date", "kind": "callback", "priority": "normal", "callback_number": "081-234 5678",
                    "callback_e164": "+66812345678", "recurrence": null, "series_id": null, "series_start": null, "occurrence_at": null, "occurrence_no": 0,
                })))
                .body(Body::of("FollowUp"))
                .requires("calls:follow-up")
                .also_requires("tasks:create")
                .responds(201, "Task")
                .etag()
        })
        .schema::<FollowUp>()
        .action("link", "Link a call. Says whom and what it was about, where the number did not tell.", link)
        .also_requires_when("accounts:read", "the body names an account")
        .also_requires_when("contacts:read", "the body names a contact")
        .example(
            Example::body(json!({"account_id": example::id("accounts"), "contact_id": example::id("contacts")}))
                .answers(json!({"match_status": "matched"})),
        )
}

/// Makes a call. Without account, contact and related record it is matched by the number of the other side.
pub async fn log(work: &Work, mut draft: Stored<Call>) -> Result<Stored<Call>> {
    let call = &mut draft.data;
    if call.user_id.is_none() && work.caller.kind == CallerKind::User {
        call.user_id = Some(UserId(work.caller.id));
    }
    if !call.is_linked()
        && let Some(number) = call.other_side().map(|raw| phone_keys(raw, DEFAULT_REGION))
    {
        match find_customer(work, number).await? {
            Customer::Unknown => {}
            Customer::Several => call.match_status = CallMatch::Ambiguous,
            Customer::One { account, contact } => {
                call.account_id = account.map(AccountId);
                call.contact_id = contact.map(ContactId);
            }
        }
    }
    stored::insert(work, draft).await
}

/// Whose a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Customer {
    /// Nobody's that the caller sees.
    Unknown,
    /// Several customers'.
    Several,
    /// One customer's.
    One { account: Option<Uuid>, contact: Option<Uuid> },
}

/// The customer with a number, among those the caller sees: one contact, or else one account. Never the first of several.
async fn find_customer(work: &Work, keys: Vec<String>) -> Result<Customer> {
    let points = work.shape("contact_points")?;
    if keys.is_empty() || visibility::parents_to_read(work, points)?.iter().all(|permission| work.caller.reach(permission).is_none()) {
        return Ok(Customer::Unknown);
    }
    let mut sql = work.sql();
    sql.push("SELECT t.account_id, t.contact_id FROM contact_points t WHERE t.deleted_at IS NULL AND t.status <> 'retired'");
    sql.push(" AND t.normalized").one_of(Kind::Text, keys.into_iter().map(Scalar::Text));
    visibility::restrict_to_visible(&mut sql, work, points, "t", "read")?;
    sql.push(" LIMIT ").int(MAX_POINTS);
    let found = work.fetch(sql, |row| Ok((row.optional_id(0)?, row.optional_id(1)?))).await?;
    let accounts: BTreeSet<Uuid> = found.iter().filter_map(|(account, _)| *account).collect();
    let contacts: BTreeSet<Uuid> = found.iter().filter_map(|(_, contact)| *contact).collect();
    let (accounts, contacts): (Vec<Uuid>, Vec<Uuid>) = (accounts.into_iter().collect(), contacts.into_iter().collect());
    Ok(match (accounts.as_slice(), contacts.as_slice()) {
        ([], []) => Customer::Unknown,
        ([account], []) => Customer::One { account: Some(*account), contact: None },
        // A switchboard that is also given as the person's own number.
        ([account], [contact]) => Customer::One { account: Some(*account), contact: Some(*contact) },
        ([], [contact]) => Customer::One { account: only_account(work, *contact).await?, contact: Some(*contact) },
        _ => Customer::Several,
    })
}

/// The account a contact acts for, where there is just one that the caller sees.
async fn only_account(work: &Work, contact: Uuid) -> Result<Option<Uuid>> {
    let accounts = work.shape("accounts")?;
    if !visibility::may_read(work, accounts) {
        return Ok(None);
    }
    let mut sql = work.sql();
    sql.push("SELECT DISTINCT t.id FROM account_contacts c JOIN accounts t ON t.id = c.account_id WHERE c.deleted_at IS NULL");
    sql.push(" AND t.deleted_at IS NULL AND c.contact_id = ").id(contact);
    visibility::restrict_to_visible(&mut sql, work, accounts, "t", "read")?;
    sql.push(" LIMIT 2");
    let found = work.fetch(sql, |row| row.id(0)).await?;
    Ok(if let [account] = found.as_slice() { Some(*account) } else { None })
}

async fn follow_up(work: &Work, call: RequestContext) -> Result<Response> {
    let of = stored::find::<Call>(work, call.id(0)?, "follow-up").await?;
    expect_version(call.if_match, of.version())?;
    let data = Task {
        account_id: of.data.account_id,
        contact_id: of.data.contact_id,
        related_resource: of.data.related_resource.clone(),
        related_id: of.data.related_id,
        callback_number: of.data.other_side().map(str::to_owned),
        ..task::follow_up(call.input::<FollowUp>()?, TaskKind::Callback)
    };
    let made = task::insert_after(work, &of.record, data).await?;
    let response = written(work, work.shape(Task::PLURAL)?, &made.record).await?;
    Ok(response.with_location(format!("/v1/tasks/{}", made.id())))
}

async fn link(work: &Work, before: Stored<Call>, input: LinkCall) -> Result<Stored<Call>> {
    let mut after = before.clone();
    let call = &mut after.data;
    (call.account_id, call.contact_id) = (input.account_id, input.contact_id);
    (call.related_resource, call.related_id) = (input.related_resource, input.related_id);
    if !call.is_linked() {
        let about = "account_id, contact_id, or related_resource and related_id";
        return Err(Error::invalid(FieldError::new("/account_id", FieldCode::Required, about)));
    }
    stored::save(work, &before, after, "linked", None).await
}
