//! Credit profiles: what we decide about an account's credit. One for each account, written only by who has seen it.

use actix_web::http::Method;
use samphan_domain::{customers::account::Account, integration::credit_profile::CreditProfile};
use samphan_persistence::{
    record::expect_version,
    store::{Reader, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, Result},
    scalar::Scalar,
};
use samphan_rest::{
    operation::{Body, Operation, RequestContext},
    response::Response,
};

/// The operations.
#[must_use]
pub fn routes() -> Vec<Operation> {
    let path = "/v1/accounts/{account_id}/credit-profile";
    vec![
        Operation::read("getAccountCreditProfile", path, read)
            .describe("credit", "Get an account's credit profile", "What we decide about the account's credit; 404 until it is first put.")
            .requires("credit-profiles:read")
            .also_requires("accounts:read")
            .responds(200, "CreditProfile")
            .etag(),
        Operation::write("putAccountCreditProfile", Method::PUT, path, put)
            .describe(
                "credit",
                "Put an account's credit profile",
                "Replaces it as a whole: what is left out is cleared. If-Match is required once there is one (428).",
            )
            .body(Body::of("CreditProfileInput"))
            .requires("credit-profiles:update")
            .also_requires("accounts:read")
            .responds(200, "CreditProfile")
            .etag()
            .if_match(true),
    ]
}

async fn of_account(reader: &Reader, call: &RequestContext) -> Result<Option<Stored<CreditProfile>>> {
    let account = stored::find::<Account>(reader, call.id(0)?, "read").await?;
    stored::find_one_by::<CreditProfile>(reader, "account_id", Scalar::Id(account.id())).await
}

async fn read(reader: &Reader, call: RequestContext) -> Result<Response> {
    let found = of_account(reader, &call).await?.ok_or_else(|| Error::from(Code::NotFound))?;
    Ok(Response::record(reader, reader.shape("credit_profiles")?, &found.record))
}

async fn put(work: &Work, call: RequestContext) -> Result<Response> {
    let shape = work.shape("credit_profiles")?;
    let before = of_account(work, &call).await?;
    let draft = Stored::<CreditProfile>::from_body(shape, call.body.clone(), Some(("account_id", call.id(0)?)))?;
    match before {
        Some(_) if call.only_if_new => Err(Code::PreconditionFailed.into()),
        Some(_) if call.if_match.is_none() => Err(Code::PreconditionRequired.into()),
        Some(before) => {
            expect_version(call.if_match, before.version())?;
            let after = Stored { record: before.record.clone(), data: draft.data };
            let made = stored::save(work, &before, after, "updated", None).await?;
            Ok(Response::record(work, shape, &made.record))
        }
        None if call.if_match.is_some() => Err(Code::PreconditionFailed.into()),
        None => {
            let made = stored::insert(work, draft).await?;
            Ok(Response::record(work, shape, &made.record)
                .with_status(201)
                .with_location(format!("/v1/accounts/{}/credit-profile", call.id(0)?)))
        }
    }
}
