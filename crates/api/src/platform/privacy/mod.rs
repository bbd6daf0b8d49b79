//! How privacy requests are reached: what a person may ask of the data that is held about him, and the doing of it.

mod export;
pub mod journal;
mod register;

use crate::{identity::rights, platform::user};
use samphan_domain::{
    customers::account::{Account, LegalForm},
    platform::{
        privacy_request::{
            DAYS_TO_ANSWER, FulfilPrivacyRequest, PrivacyRequest, PrivacyRequestKind, PrivacyRequestStatus, RejectPrivacyRequest,
            VerifyPrivacyRequest,
        },
        user::User,
    },
};
use samphan_persistence::{
    erasure, guard,
    person::Person,
    record,
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    calendar,
    error::{Code, Error, FieldCode, FieldError, Result},
    resource::Resource,
    rights::Delegation,
    scalar::Scalar,
};
use samphan_rest::{
    collection::{Api, Collection},
    example::Example,
};
use serde_json::json;

/// The area's routes.
#[must_use]
pub fn routes(api: Api) -> Api {
    let requests = Collection::<PrivacyRequest>::new("privacy")
        .create(create)
        .creates()
        .action("verify", "Note that it is the person who asks", verify)
        .example(Example::body(json!({"evidence": "passport seen at the counter"})).answers(json!({"status": "verified"})).kept())
        .action("fulfil", "Fulfil a privacy request: an erasure is done by this, for good", fulfil)
        .example(
            Example::body(json!({"outcome": "Sent on paper."})).answers(json!({"status": "fulfilled"})).after(&["verifyPrivacyRequest"]),
        )
        .action("reject", "Reject a privacy request, with the reason", reject)
        .example(Example::body(json!({"outcome": "Nobody could say who asks."})).answers(json!({"status": "rejected"})))
        .schema::<export::PrivacyExport>()
        .schema::<register::ProcessingRegister>()
        .operation("/{id}/export", export::operation);
    api.collection(requests).operations(vec![register::operation()])
}

/// Takes a request in.
pub async fn create(work: &Work, mut draft: Stored<PrivacyRequest>) -> Result<Stored<PrivacyRequest>> {
    let asked = &mut draft.data;
    let persons = || work.store.shapes.values().copied().filter(|shape| Person::is_one(shape));
    let Some(shape) = persons().find(|shape| shape.many == asked.resource) else {
        let fault =
            FieldError::new("/resource", FieldCode::UnknownValue, "").instead_of(&asked.resource, persons().map(|shape| shape.many));
        return Err(Error::invalid(fault));
    };
    let missing = || Error::invalid(FieldError::new("/record_id", FieldCode::UnknownReference, shape.many));
    let found = record::seen_dead_or_alive(work, shape, asked.record_id).await?.ok_or_else(missing)?;
    if shape.many == Account::MANY && Stored::<Account>::of(found)?.data.legal_form != Some(LegalForm::Individual) {
        let about = "an account whose legal form is individual; of an organisation its contacts are the persons";
        return Err(Error::invalid(FieldError::new("/record_id", FieldCode::NotAPerson, about)));
    }
    let today = work.today().await?;
    let received = match &asked.received_on {
        Some(day) => day.parse().map_err(|_| Error::from(Code::Internal))?,
        None => today,
    };
    if received > today {
        return Err(Error::invalid(FieldError::new("/received_on", FieldCode::InTheFuture, "today or before")));
    }
    asked.received_on = Some(received.to_string());
    asked.due_on = Some(calendar::days_after(received, DAYS_TO_ANSWER).to_string());
    stored::insert(work, draft).await
}

/// Refuses what the state does not allow.
fn must_be(request: &Stored<PrivacyRequest>, any_of: &[PrivacyRequestStatus]) -> Result<()> {
    let status = request.data.status;
    if any_of.contains(&status) {
        return Ok(());
    }
    Err(Error::from(Code::IllegalTransition).allowing(PrivacyRequest::actions(status.as_str()).iter().copied()))
}

async fn verify(work: &Work, before: Stored<PrivacyRequest>, input: VerifyPrivacyRequest) -> Result<Stored<PrivacyRequest>> {
    must_be(&before, &[PrivacyRequestStatus::Received])?;
    let mut after = before.clone();
    after.data.status = PrivacyRequestStatus::Verified;
    after.data.evidence = Some(input.evidence);
    stored::save(work, &before, after, "verified", None).await
}

async fn reject(work: &Work, before: Stored<PrivacyRequest>, input: RejectPrivacyRequest) -> Result<Stored<PrivacyRequest>> {
    must_be(&before, &[PrivacyRequestStatus::Received, PrivacyRequestStatus::Verified])?;
    settle(work, &before, PrivacyRequestStatus::Rejected, Some(input.outcome)).await
}

async fn settle(
    work: &Work,
    before: &Stored<PrivacyRequest>,
    status: PrivacyRequestStatus,
    outcome: Option<String>,
) -> Result<Stored<PrivacyRequest>> {
    let mut after = before.clone();
    after.data.status = status;
    after.data.outcome = outcome;
    after.data.settled_at = Some(work.now);
    stored::save(work, before, after, status.as_str(), None).await
}

async fn fulfil(work: &Work, before: Stored<PrivacyRequest>, input: FulfilPrivacyRequest) -> Result<Stored<PrivacyRequest>> {
    must_be(&before, &[PrivacyRequestStatus::Verified])?;
    let done = settle(work, &before, PrivacyRequestStatus::Fulfilled, input.outcome).await?;
    if done.data.kind != PrivacyRequestKind::Erasure {
        return Ok(done);
    }
    let person = person(work, &done)?;
    guard::check_erasure(work, person.shape.many, person.id).await?;
    forget(work, person, &done).await?;
    // The request is one of the things that are the person's.
    stored::one_with(work, "id", Scalar::Id(done.id())).await?.ok_or_else(|| Code::Internal.into())
}

/// Erases a person, as a request says.
async fn forget(work: &Work, person: Person, request: &Stored<PrivacyRequest>) -> Result<()> {
    if person.shape.many == User::MANY {
        rights::require_rights_of(work, Some(person.id), Delegation::None).await?;
        user::shut_out(work, person.id).await?;
    }
    erasure::erase(work, person, &format!("privacy request {}", request.id())).await
}

/// The person a request is about.
fn person(work: &Work, request: &Stored<PrivacyRequest>) -> Result<Person> {
    Ok(Person { shape: work.shape(&request.data.resource)?, id: request.data.record_id })
}
