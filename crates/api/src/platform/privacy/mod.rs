//! How privacy requests are reached: what a person may ask of the data that is held about him, and the doing of it.

mod export;
pub mod journal;
mod register;

use crate::{identity::rights, platform::user};
use samphan_domain::{
    customers::account::{Account, LegalForm},
    platform::{
        privacy_request::{
            DAYS_TO_ANSWER, FulfilPrivacyRequest, PrivacyRequest, PrivacyRequestKind, RejectPrivacyRequest, VerifyPrivacyRequest,
        },
        user::User,
    },
};
use samphan_persistence::{
    data_subject::DataSubject,
    erasure, guard, record, relations,
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
        .with_create()
        .transition_with_input("verify", "Verify a privacy request. The data subject has been identified.", verify)
        .example(Example::body(json!({"evidence": "passport seen at the counter"})).answers(json!({"status": "verified"})).persists())
        .action("fulfil", "Fulfil a privacy request. An erasure is done by this, for good.", fulfil)
        .example(
            Example::body(json!({"outcome": "Sent on paper."}))
                .answers(json!({"status": "fulfilled"}))
                .depends_on(&["verifyPrivacyRequest"]),
        )
        .transition_with_input("reject", "Reject a privacy request", reject)
        .example(Example::body(json!({"outcome": "Nobody could say who asks."})).answers(json!({"status": "rejected"})))
        .schema::<export::PrivacyExport>()
        .schema::<register::ProcessingRegister>()
        .operation("/{id}/export", export::operation);
    api.collection(requests).operations(vec![register::operation()])
}

/// Takes a request in.
pub async fn create(work: &Work, mut draft: Stored<PrivacyRequest>) -> Result<Stored<PrivacyRequest>> {
    let asked = &mut draft.data;
    relations::require_any_references(work, work.shape(PrivacyRequest::PLURAL)?, &draft.record).await?;
    if asked.resource == Account::PLURAL
        && let Some(account) = record::find_visible_or_deleted(work, work.shape(Account::PLURAL)?, asked.record_id).await?
        && Stored::<Account>::of(account)?.data.legal_form != Some(LegalForm::Individual)
    {
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

async fn verify(_: &Work, _: &Stored<PrivacyRequest>, after: &mut PrivacyRequest, input: VerifyPrivacyRequest) -> Result<()> {
    after.evidence = Some(input.evidence);
    Ok(())
}

async fn reject(work: &Work, _: &Stored<PrivacyRequest>, after: &mut PrivacyRequest, input: RejectPrivacyRequest) -> Result<()> {
    after.outcome = Some(input.outcome);
    after.settled_at = Some(work.now);
    Ok(())
}

async fn fulfil(work: &Work, before: Stored<PrivacyRequest>, input: FulfilPrivacyRequest) -> Result<Stored<PrivacyRequest>> {
    let (mut after, what) = stored::after_transition(&before, "fulfil")?;
    after.data.outcome = input.outcome;
    after.data.settled_at = Some(work.now);
    let done = stored::save(work, &before, after, what, None).await?;
    if done.data.kind != PrivacyRequestKind::Erasure {
        return Ok(done);
    }
    let person = person(work, &done)?;
    guard::check_erasure(work, person.shape.plural, person.id).await?;
    forget(work, person, &done).await?;
    // The request is one of the things that are the person's.
    stored::find_one_by(work, "id", Scalar::Id(done.id())).await?.ok_or_else(|| Code::Internal.into())
}

/// Erases a person, as a request says.
async fn forget(work: &Work, person: DataSubject, request: &Stored<PrivacyRequest>) -> Result<()> {
    if person.shape.plural == User::PLURAL {
        rights::require_rights_of(work, Some(person.id), Delegation::None).await?;
        user::shut_out(work, person.id).await?;
    }
    erasure::erase(work, person, &format!("privacy request {}", request.id())).await
}

/// The person a request is about.
fn person(work: &Work, request: &Stored<PrivacyRequest>) -> Result<DataSubject> {
    Ok(DataSubject { shape: work.shape(&request.data.resource)?, id: request.data.record_id })
}
