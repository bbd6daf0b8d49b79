//! How suppressions are reached: entered, asked about, and taken back.

use crate::identity::tokens;
use actix_web::http::Method;
use hmac::{Hmac, KeyInit, Mac};
use samphan_domain::{
    consents::suppression::{Suppression, SuppressionReason, SuppressionStatus},
    customers::{
        account::Channel,
        contact_point::{DEFAULT_REGION, phone_keys},
    },
    email,
};
use samphan_persistence::{
    record,
    store::{Reader, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    example,
    resource::Resource,
    scalar::{Kind, Scalar},
    text,
    timestamp::Timestamp,
};
use samphan_rest::{
    collection::Collection,
    example::Example,
    operation::{Body, Operation, RequestContext},
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::Sha256;
use utoipa::ToSchema;
use uuid::Uuid;

/// An address to suppress.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Suppress {
    /// The channel that is to be closed.
    pub channel: Channel,
    /// The address, number or name, typed in any way. It is not kept.
    #[schema(min_length = 1, max_length = 254, example = "somchai@example.com")]
    pub address: String,
    /// Why.
    pub reason: SuppressionReason,
    /// When it ends by itself; never when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub until: Option<Timestamp>,
    /// What else is known of it, without the address.
    #[serde(default)]
    #[schema(max_length = 500, nullable = false)]
    pub note: Option<String>,
}

/// Addresses to ask about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressionCheck {
    /// The channel.
    pub channel: Channel,
    /// The addresses, typed in any way.
    #[schema(min_items = 1, max_items = 100, example = json!(["somchai@example.com"]))]
    pub addresses: Vec<String>,
}

/// What is known of addresses, in the order they were asked about.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuppressionResults {
    /// One for each address.
    #[schema(max_items = 100)]
    pub results: Vec<SuppressionResult>,
}

/// What is known of an address.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SuppressionResult {
    /// Whether nothing is to be sent to it.
    pub is_suppressed: bool,
    /// Why; null where it is not suppressed.
    #[schema(required = true)]
    pub reason: Option<SuppressionReason>,
    /// The suppression; null where it is not suppressed.
    #[schema(required = true)]
    pub suppression_id: Option<Uuid>,
}

/// Suppressions.
pub fn routes() -> Collection<Suppression> {
    Collection::new("consents")
        .schema::<Suppress>()
        .schema::<SuppressionCheck>()
        .schema::<SuppressionResults>()
        .operation("", |path| {
            Operation::write("addSuppression", Method::POST, path, add)
                .describe(
                    "consents",
                    "Add a suppression",
                    "Nothing is sent to the address by the channel from now on. Of an address that is suppressed already it answers that suppression as it is; one that was lifted or has ended is renewed.",
                )
                .example(Example::body(json!({"channel": "email", "reason": "manual"})).answers(json!({
                    "id": example::id("suppressions"), "channel": "email", "reason": "manual", "status": "active",
                })).persists())
                .body(Body::of("Suppress"))
                .requires("suppressions:add")
                .responds(200, "Suppression")
                .etag()
        })
        .operation("/check", |path| {
            let mut check = Operation::read("checkSuppressions", path, check)
                .describe("consents", "Check addresses for suppressions", "Whether anything may be sent to addresses. The answer does not repeat them.")
                .example(Example::default().answers(json!({"results": [{"is_suppressed": false, "reason": null, "suppression_id": null}]})))
                .body(Body::of("SuppressionCheck"))
                .requires("suppressions:read")
                .responds(200, "SuppressionResults");
            check.method = Method::POST;
            check
        })
        .transition("lift", "Lift a suppression")
        .example(Example::default().depends_on(&["addSuppression"]).answers(json!({"status": "lifted"})))
}

async fn add(work: &Work, call: RequestContext) -> Result<Response> {
    let input: Suppress = call.input()?;
    if input.until.is_some_and(|until| until <= work.now) {
        return Err(Error::invalid(FieldError::new("/until", FieldCode::InPast, "after now")));
    }
    let made = suppress(work, input).await?;
    Ok(Response::record(work, work.shape(Suppression::PLURAL)?, &made.record))
}

/// Suppresses an address, unless it is suppressed already.
pub async fn suppress(work: &Work, input: Suppress) -> Result<Stored<Suppression>> {
    let normal = normal_form(input.channel, &input.address)
        .ok_or_else(|| Error::invalid(FieldError::new("/address", FieldCode::InvalidFormat, "an address of the channel")))?;
    let hash = hash(&begun_salt(work).await?, &normal)?;
    // Of two requests for one address the second finds what the first made.
    work.lock_named(&format!("suppression {hash}")).await?;
    let Some(before) = found(work, input.channel, vec![hash.clone()]).await?.pop() else {
        let draft = Suppression {
            address_hash: hash,
            channel: input.channel,
            reason: input.reason,
            until: input.until,
            note: input.note,
            status: SuppressionStatus::Active,
        };
        return stored::insert(work, Stored::draft(draft)).await;
    };
    if holds(&before.data, work.now) {
        return Ok(before);
    }
    let mut after = before.clone();
    (after.data.status, after.data.reason) = (SuppressionStatus::Active, input.reason);
    (after.data.until, after.data.note) = (input.until, input.note);
    stored::save(work, &before, after, "renewed", None).await
}

async fn check(reader: &Reader, call: RequestContext) -> Result<Response> {
    let input: SuppressionCheck = call.input()?;
    let salt = salt(reader).await?;
    let hashes = input.addresses.iter().map(|address| {
        let (normal, salt) = (normal_form(input.channel, address)?, salt.as_deref()?);
        hash(salt, &normal).ok()
    });
    let hashes: Vec<Option<String>> = hashes.collect();
    let known = found(reader, input.channel, hashes.iter().flatten().cloned().collect()).await?;
    let results = hashes.iter().map(|hash| {
        let of_address = |one: &&Stored<Suppression>| Some(&one.data.address_hash) == hash.as_ref();
        let holding = known.iter().find(of_address).filter(|one| holds(&one.data, reader.now));
        SuppressionResult {
            is_suppressed: holding.is_some(),
            reason: holding.map(|one| one.data.reason),
            suppression_id: holding.map(Stored::id),
        }
    });
    Ok(Response::json(&SuppressionResults { results: results.collect() }))
}

/// Whether a suppression holds at a moment.
fn holds(suppression: &Suppression, now: Timestamp) -> bool {
    suppression.status == SuppressionStatus::Active && suppression.until.is_none_or(|until| until > now)
}

async fn found(reader: &Reader, channel: Channel, hashes: Vec<String>) -> Result<Vec<Stored<Suppression>>> {
    let shape = reader.shape(Suppression::PLURAL)?;
    let mut sql = record::select(reader, shape);
    sql.push(" AND t.channel = ").text(channel.as_str()).push(" AND t.address_hash");
    sql.one_of(Kind::Text, hashes.into_iter().map(Scalar::Text));
    reader.fetch(sql, |row| record::read(shape, row)).await?.into_iter().map(Stored::of).collect()
}

/// An address in the form in which it is compared; none where it is no address of the channel.
pub fn normal_form(channel: Channel, address: &str) -> Option<String> {
    let normal = match channel {
        Channel::Email => Some(email::normal_form(address)).filter(|normal| email::is_address(normal)),
        Channel::Phone | Channel::Sms | Channel::Whatsapp | Channel::Fax => phone_keys(address, DEFAULT_REGION).into_iter().next(),
        _ => Some(text::lookup_key(address)),
    };
    normal.filter(|normal| !normal.is_empty())
}

/// The hash of an address, under the salt of this database.
fn hash(salt: &[u8], normal: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(salt).map_err(|_| Error::from(Code::Internal))?;
    mac.update(normal.as_bytes());
    Ok(mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The salt, where an address was suppressed before. It is no server key: those are rotated and may be lost, and with it the suppressions
/// would be.
async fn salt(reader: &Reader) -> Result<Option<Vec<u8>>> {
    let mut sql = reader.sql();
    sql.push("SELECT salt FROM suppression_salt");
    reader.fetch_one(sql, |row| row.bytes(0)).await
}

/// The salt; the first suppression makes it.
async fn begun_salt(work: &Work) -> Result<Vec<u8>> {
    if let Some(salt) = salt(work).await? {
        return Ok(salt);
    }
    work.lock_named("suppression salt").await?;
    if let Some(salt) = salt(work).await? {
        return Ok(salt);
    }
    let salt = tokens::random().to_vec();
    work.insert("suppression_salt", &[("salt", Kind::Bytes)], vec![vec![Scalar::Bytes(salt.clone())]], "").await?;
    Ok(salt)
}
