//! How consents are reached: entered, withdrawn, and what counts of them now.

use actix_web::http::Method;
use samphan_domain::{
    consents::{
        consent::{Consent, ConsentSource, ConsentStatus},
        consent_purpose::ConsentPurpose,
        effective_consent::{EffectiveConsent, effective},
    },
    customers::{account::Account, contact::Contact},
};
use samphan_persistence::{
    record,
    store::{Reader, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Error, FieldCode, FieldError, Result},
    example,
    resource::Resource,
    scalar::{Kind, Scalar},
};
use samphan_rest::{
    collection::Collection,
    example::Example,
    operation::{Body, Operation, RequestContext},
    response::{Response, expect_visible},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// Seconds by which the clock of another system may be ahead of ours.
const CLOCK_TOLERANCE_SECONDS: i64 = 300;

/// The person a consent is of: the field that names it, and its id.
pub type Person = (&'static str, Uuid);

/// Withdraws a consent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawConsent {
    /// How the person said it.
    pub source: ConsentSource,
    /// What was said.
    #[serde(default)]
    #[schema(max_length = 5000, nullable = false)]
    pub wording: Option<String>,
}

/// What a person allows now.
#[derive(Debug, Serialize, ToSchema)]
pub struct EffectiveConsents {
    /// For each purpose: every channel that consents name, and all others together.
    #[schema(max_items = 2000)]
    pub consents: Vec<EffectiveConsent>,
}

/// Consents. They are entered and withdrawn, never changed.
pub fn routes() -> Collection<Consent> {
    Collection::new("consents").create(create).with_create().schema::<WithdrawConsent>().operation("/{id}/withdraw", |path| {
        Operation::write("withdrawConsent", Method::POST, path, withdraw)
            .describe(
                "consents",
                "Withdraw a consent",
                "Enters another consent of the same person, purpose and channel with the status `withdrawn`, and answers it. The consent itself stays as proof.",
            )
            .example(
                Example::body(json!({"source": "call", "wording": "Please send me nothing any more."})).answers(json!({
                    "id": example::id("withdrawn consents"), "contact_id": example::id("contacts"), "status": "withdrawn", "source": "call",
                })),
            )
            .body(Body::of("WithdrawConsent"))
            .requires("consents:withdraw")
            .responds(201, "Consent")
            .etag()
    })
}

/// What counts now, of a contact and of an account.
pub fn effective_operations() -> Vec<Operation> {
    let about = "What counts of all consents of the person: per purpose and channel the newest that has not ended, of two of one moment the \
                 stricter. `is_permitted` is what a sender asks.";
    let answer = json!({"consents": [{
        "purpose": "newsletter", "channel": "email", "status": "granted", "is_permitted": true, "consent_id": example::id("consents"),
        "captured_at": example::MOMENT,
    }]});
    vec![
        Operation::read("getContactEffectiveConsents", "/v1/contacts/{contact_id}/effective-consents", async |reader: &Reader, call| {
            answer_effective::<Contact>(reader, &call, "contact_id").await
        })
        .describe("consents", "Get a contact's effective consents", about)
        .example(Example::default().depends_on(&["createConsent"]).answers(answer))
        .requires("consents:read")
        .also_requires("contacts:read")
        .responds(200, "EffectiveConsents"),
        Operation::read("getAccountEffectiveConsents", "/v1/accounts/{account_id}/effective-consents", async |reader: &Reader, call| {
            answer_effective::<Account>(reader, &call, "account_id").await
        })
        .describe("consents", "Get an account's effective consents", about)
        .example(Example::default().answers(json!({"consents": [{
            "purpose": "newsletter", "channel": null, "status": "none", "is_permitted": false, "consent_id": null, "captured_at": null,
        }]})))
        .requires("consents:read")
        .also_requires("accounts:read")
        .responds(200, "EffectiveConsents"),
    ]
}

/// Enters a consent.
pub async fn create(work: &Work, mut draft: Stored<Consent>) -> Result<Stored<Consent>> {
    let captured_at = draft.data.captured_at.unwrap_or(work.now);
    if captured_at > work.now.plus_seconds(CLOCK_TOLERANCE_SECONDS) {
        return Err(Error::invalid(FieldError::new("/captured_at", FieldCode::InTheFuture, "now or before")));
    }
    // What a clock ahead of ours says is of now: otherwise a withdrawal a minute later would be the older one.
    draft.data.captured_at = Some(captured_at.min(work.now));
    expect_purpose(work, &draft.data.purpose, "/purpose").await?;
    stored::insert(work, draft).await
}

/// Refuses a key that is no purpose's. The purpose stays until the work ends.
pub async fn expect_purpose(work: &Work, key: &str, at: impl Into<String>) -> Result<()> {
    let mut sql = work.sql();
    sql.push("SELECT t.key FROM consent_purposes t WHERE t.deleted_at IS NULL AND t.key = ").text(key).for_key_share("t");
    if work.fetch_one(sql, |row| row.text(0)).await?.is_some() {
        return Ok(());
    }
    let keys = purposes(work).await?.into_iter().map(|purpose| purpose.data.key);
    Err(Error::invalid(FieldError::new(at, FieldCode::UnknownReference, "the key of a consent purpose").with_suggestion(key, keys)))
}

async fn withdraw(work: &Work, call: RequestContext) -> Result<Response> {
    let input: WithdrawConsent = call.input()?;
    let given = stored::find::<Consent>(work, call.id(0)?, "withdraw").await?;
    record::expect_action(work.shape(Consent::PLURAL)?, &given.record, "withdraw")?;
    let consent = Consent {
        status: ConsentStatus::Withdrawn,
        captured_at: None,
        expires_at: None,
        source: input.source,
        text_version: None,
        wording: input.wording,
        ip_address: None,
        user_agent: None,
        ..given.data
    };
    let made = create(work, Stored::draft(consent)).await?;
    Ok(Response::record(work, work.shape(Consent::PLURAL)?, &made.record).with_location(format!("/v1/consents/{}", made.id())))
}

async fn answer_effective<P: Resource>(reader: &Reader, call: &RequestContext, field: &'static str) -> Result<Response> {
    let person = stored::find::<P>(reader, call.id(0)?, "read").await?.id();
    expect_visible(reader, Consent::PLURAL, &[field, "purpose", "channel", "status", "captured_at", "expires_at"])?;
    let consents = effective_of(reader, (field, person)).await?;
    Ok(Response::json(&EffectiveConsents { consents }))
}

/// What a person allows now, for every purpose.
pub async fn effective_of(reader: &Reader, person: Person) -> Result<Vec<EffectiveConsent>> {
    let purposes: Vec<(String, bool)> =
        purposes(reader).await?.into_iter().map(|purpose| (purpose.data.key, purpose.data.requires_consent)).collect();
    let all = that_may_decide(reader, person).await?;
    let given: Vec<(Uuid, &Consent)> = all.iter().map(|stored| (stored.id(), &stored.data)).collect();
    Ok(effective(&given, &purposes, reader.now))
}

/// All purposes, by key.
pub async fn purposes(reader: &Reader) -> Result<Vec<Stored<ConsentPurpose>>> {
    let shape = reader.shape(ConsentPurpose::PLURAL)?;
    let mut sql = record::select(reader, shape);
    sql.push(" ORDER BY t.key");
    reader.fetch(sql, |row| record::read(shape, row)).await?.into_iter().map(Stored::of).collect()
}

/// The consents of a person that may decide: of each purpose and channel the newest that has not ended, and the newest that has. So what is
/// read does not grow with the years.
async fn that_may_decide(reader: &Reader, (field, id): Person) -> Result<Vec<Stored<Consent>>> {
    let shape = reader.shape(Consent::PLURAL)?;
    let mut sql = record::select(reader, shape);
    sql.push(" AND t.id IN (SELECT n.id FROM (SELECT c.id, row_number() OVER (PARTITION BY c.purpose, c.channel, ");
    sql.push("coalesce(c.expires_at <= ").bind(Kind::Time, Scalar::Time(reader.now)).push(", ").bind(Kind::Bool, Scalar::Bool(false));
    sql.push(
        ") ORDER BY c.captured_at DESC, CASE c.status WHEN 'withdrawn' THEN 2 WHEN 'denied' THEN 1 ELSE 0 END DESC, c.id DESC) AS place ",
    );
    sql.push("FROM consents c WHERE c.deleted_at IS NULL AND ").column("c", field).push(" = ").id(id).push(") n WHERE n.place = 1)");
    reader.fetch(sql, |row| record::read(shape, row)).await?.into_iter().map(Stored::of).collect()
}
