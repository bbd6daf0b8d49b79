//! The page on which a person chooses what is sent: by a link that says whose page it is, without signing in. Reading it changes nothing,
//! because mail programs and scanners follow links. The one-click unsubscription of mail programs (RFC 8058) goes by the same link.

use super::consent::{self, Person};
use crate::identity::{limits, server_keys::KeyKind};
use actix_web::http::Method;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use samphan_domain::{
    consents::{
        consent::{Consent, ConsentSource, ConsentStatus, LawfulBasis},
        consent_purpose::ConsentPurpose,
        effective_consent::{EffectiveConsent, EffectiveStatus},
    },
    customers::{account::Channel, contact::Contact},
    id::{AccountId, ContactId},
};
use samphan_persistence::{
    record,
    store::{Reader, Store, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    caller::Caller,
    error::{Code, Result},
    network::limited_as,
    resource::Resource,
    timestamp::Timestamp,
};
use samphan_rest::{
    example::Example,
    operation::{Access, Body, Operation, RequestContext},
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::Sha256;
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;
use uuid::Uuid;

/// Seconds for which a link is good: two years.
const LINK_SECONDS: i64 = 2 * 365 * 86_400;
/// The first byte of a token: how the rest is read.
const VERSION: u8 = 1;
/// Bytes of the version, the person and the moment.
const FIXED_BYTES: usize = 1 + 16 + 8;
/// Bytes of the signature: half of HMAC-SHA256, as RFC 2104 allows.
const SIGNATURE_BYTES: usize = 16;

/// What a link is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreferenceLinkRequest {
    /// The purpose that one click unsubscribes from; every purpose when left out.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z][a-z0-9_]*$", nullable = false, example = "newsletter")]
    pub purpose: Option<String>,
}

/// A link to a person's preference page.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreferenceLink {
    /// Stands in the addresses `/v1/public/preferences/{token}` and `/v1/public/unsubscribe/{token}`.
    #[schema(max_length = 200, example = "example-token")]
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What a person may choose. It does not say who the person is.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommunicationPreferences {
    /// The organisation's name.
    #[schema(max_length = 200, example = "Siam Tea")]
    pub organisation: String,
    /// The purpose that the link's one click unsubscribes from; null for every purpose.
    #[schema(required = true, max_length = 50)]
    pub purpose: Option<String>,
    /// The purposes there are.
    #[schema(max_items = 1000)]
    pub purposes: Vec<PreferencePurpose>,
}

/// A purpose, and what the person allows for it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreferencePurpose {
    /// The key.
    #[schema(max_length = 50, example = "newsletter")]
    pub key: String,
    /// The name.
    #[schema(max_length = 100, example = "Monthly newsletter")]
    pub name: String,
    /// The name in other languages, by BCP 47 tag.
    pub name_translations: BTreeMap<String, String>,
    /// What is to be read below the name.
    #[schema(required = true, max_length = 1000)]
    pub description: Option<String>,
    /// What the person allows, by channel.
    #[schema(max_items = 20)]
    pub choices: Vec<PreferenceState>,
}

/// What a person allows by a channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreferenceState {
    /// The channel; null for every channel that is not named beside it.
    #[schema(required = true)]
    pub channel: Option<Channel>,
    /// What counts now.
    pub status: EffectiveStatus,
    /// Whether messages are sent.
    pub is_permitted: bool,
}

/// What a person chooses.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreferenceChoices {
    /// The choices.
    #[schema(min_items = 1, max_items = 50)]
    pub choices: Vec<PreferenceChoice>,
}

/// A choice.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreferenceChoice {
    /// The key of the purpose.
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z][a-z0-9_]*$", example = "newsletter")]
    pub purpose: String,
    /// The channel; every channel when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub channel: Option<Channel>,
    /// Whether messages may be sent.
    pub is_permitted: bool,
}

/// What a mail program sends when its user unsubscribes. Whatever it says, the request itself is the unsubscription.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it says nothing but that it was sent")]
pub struct OneClick {
    /// `One-Click`, as RFC 8058 has it.
    #[serde(rename = "List-Unsubscribe", default)]
    #[schema(nullable = false, max_length = 20, pattern = "^One-Click$", example = "One-Click")]
    pub list_unsubscribe: Option<String>,
}

/// What is answered to every unsubscription, so that it tells nothing of the token.
#[derive(Debug, Serialize, ToSchema)]
pub struct Unsubscription {
    /// `received`.
    #[schema(max_length = 20, example = "received")]
    pub status: String,
}

/// The operations.
pub fn operations() -> Vec<Operation> {
    let page = json!({
        "organisation": "Siam Tea", "purpose": "newsletter",
        "purposes": [{
            "key": "newsletter", "name": "Monthly newsletter", "description": "New teas and where to taste them.",
            "choices": [{"channel": null, "status": "none", "is_permitted": false}],
        }],
    });
    vec![
        Operation::write("createContactPreferenceLink", Method::POST, "/v1/contacts/{contact_id}/preference-link", create_link)
            .describe(
                "consents",
                "Create a contact's preference link",
                "The token of a page on which the person chooses what is sent, without signing in. It is good for two years; its holder can change these choices and nothing else.",
            )
            .example(Example::body(json!({"purpose": "newsletter"})).depends_on(&["createConsentPurpose"]).answers(json!({"token": "example-token"})))
            .body(Body { optional: true, ..Body::of("PreferenceLinkRequest") })
            .requires("contacts:create-preference-link")
            .also_requires("contacts:read")
            .returns_secret()
            .responds(201, "PreferenceLink"),
        Operation::read("getPreferencePage", "/v1/public/preferences/{token}", get_page)
            .describe("consents", "Get a preference page", "What the person may choose, and what counts now. Reading it changes nothing. At most 20 unknown tokens a minute from an address.")
            .example(Example::default().depends_on(&["createContactPreferenceLink"]).answers(page.clone()))
            .access(Access::Public)
            .responds(200, "CommunicationPreferences"),
        Operation::unmanaged("updatePreferencePage", Method::POST, "/v1/public/preferences/{token}", update_page)
            .describe("consents", "Update a preference page", "Enters what the person chose as consents, where it is not what counts already. At most 20 requests a minute from an address.")
            .example(
                Example::body(json!({"choices": [{"purpose": "newsletter", "channel": "email", "is_permitted": true}]}))
                    .depends_on(&["createContactPreferenceLink"])
                    .answers(page),
            )
            .body(Body::of("PreferenceChoices"))
            .access(Access::Public)
            .responds(200, "CommunicationPreferences"),
        Operation::unmanaged("unsubscribe", Method::POST, "/v1/public/unsubscribe/{token}", unsubscribe)
            .describe(
                "consents",
                "Unsubscribe with one click",
                "For mail programs (RFC 8058): withdraws the consent for the link's purpose, by every channel. The answer is the same whether the token is known or not. At most 20 requests a minute from an address.",
            )
            .example(Example::body(json!({"List-Unsubscribe": "One-Click"})).depends_on(&["createContactPreferenceLink"]))
            .body(Body { optional: true, form: true, ..Body::of("OneClick") })
            .access(Access::Public)
            .responds(200, "Unsubscription"),
    ]
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Link {
    contact: Uuid,
    purpose: Option<String>,
    made_at: Timestamp,
}

impl Link {
    fn payload(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(self.contact.as_bytes());
        bytes.extend(self.made_at.micros().to_be_bytes());
        bytes.extend(self.purpose.as_deref().unwrap_or_default().as_bytes());
        bytes
    }

    /// The token, signed with the present key.
    fn token(&self, store: &Store) -> Result<String> {
        let keys = store.keys(KeyKind::PreferenceLinks.as_str());
        let mut bytes = self.payload();
        let signature = keys.first().and_then(|key| signature(key, &bytes)).ok_or(Code::Internal)?;
        bytes.extend(signature);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What a token says; none where we did not sign it, or where it has ended.
    fn read(token: &str, store: &Store, now: Timestamp) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (payload, signed) = bytes.split_at_checked(bytes.len().checked_sub(SIGNATURE_BYTES)?)?;
        let is_ours = |key: &Vec<u8>| {
            Hmac::<Sha256>::new_from_slice(key).is_ok_and(|mac| mac.chain_update(payload).verify_truncated_left(signed).is_ok())
        };
        if !store.keys(KeyKind::PreferenceLinks.as_str()).iter().any(is_ours) {
            return None;
        }
        let (fixed, purpose) = payload.split_at_checked(FIXED_BYTES)?;
        let (version, rest) = fixed.split_first()?;
        let (contact, made_at) = rest.split_at_checked(16)?;
        let made_at = Timestamp::from_micros(i64::from_be_bytes(made_at.try_into().ok()?))?;
        let link = Self {
            contact: Uuid::from_slice(contact).ok()?,
            purpose: Some(String::from_utf8(purpose.to_vec()).ok()?).filter(|purpose| !purpose.is_empty()),
            made_at,
        };
        (*version == VERSION && made_at.plus_seconds(LINK_SECONDS) > now).then_some(link)
    }

    const fn person(&self) -> Person {
        ("contact_id", self.contact)
    }
}

fn signature(key: &[u8], payload: &[u8]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(payload);
    Some(mac.finalize().into_bytes().iter().copied().take(SIGNATURE_BYTES).collect())
}

async fn create_link(work: &Work, call: RequestContext) -> Result<Response> {
    let input: PreferenceLinkRequest = call.input()?;
    let contact = stored::find::<Contact>(work, call.id(0)?, "create-preference-link").await?.id();
    if let Some(purpose) = &input.purpose {
        consent::expect_purpose(work, purpose, "/purpose").await?;
    }
    let link = Link { contact, purpose: input.purpose, made_at: work.now };
    let token = link.token(&work.store)?;
    Ok(Response::json(&PreferenceLink { token, expires_at: work.now.plus_seconds(LINK_SECONDS) }))
}

/// The bucket of a client's requests for pages.
fn bucket(call: &RequestContext) -> String {
    format!("preference pages for {}", limited_as(call.client_address))
}

/// The link of a request, of a contact that is there.
async fn link_of(reader: &Reader, call: &RequestContext) -> Result<Option<Link>> {
    let token = call.path.first().map(String::as_str).unwrap_or_default();
    let Some(link) = Link::read(token, &reader.store, call.now) else { return Ok(None) };
    let shape = reader.shape(Contact::PLURAL)?;
    let contact = record::find_visible(reader, shape, link.contact, None, false).await?;
    Ok(contact.map(|_| link))
}

async fn get_page(_: &Reader, call: RequestContext) -> Result<Response> {
    // The caller is anonymous and sees nothing by itself; the token is what allows this page.
    let reader = call.kernel.store().reader(Arc::new(Caller::system()), call.now).limited(call.kernel.charging());
    call.kernel.limits.has_any(&bucket(&call), limits::PREFERENCE_PAGES, call.now)?;
    match link_of(&reader, &call).await? {
        Some(link) => Ok(Response::json(&page(&reader, &link).await?)),
        None => {
            call.kernel.limits.charge(&bucket(&call), 1, limits::PREFERENCE_PAGES, call.now);
            Err(Code::NotFound.into())
        }
    }
}

async fn page(reader: &Reader, link: &Link) -> Result<CommunicationPreferences> {
    let mut effective = consent::effective_of(reader, link.person()).await?;
    let purposes = consent::purposes(reader).await?.into_iter().map(|purpose| {
        let ConsentPurpose { key, name, name_translations, description, .. } = purpose.data;
        let choices = effective.extract_if(.., |one| one.purpose == key);
        let choices = choices.map(|one| PreferenceState { channel: one.channel, status: one.status, is_permitted: one.is_permitted });
        PreferencePurpose { choices: choices.collect(), key, name, name_translations, description }
    });
    let purposes = purposes.collect();
    Ok(CommunicationPreferences { organisation: reader.settings().await?.name.clone(), purpose: link.purpose.clone(), purposes })
}

async fn update_page(call: RequestContext) -> Result<Response> {
    call.kernel.limits.try_acquire(&bucket(&call), 1, limits::PREFERENCE_PAGES, call.now)?;
    let input: PreferenceChoices = call.input()?;
    let work = call.system_work().await?;
    let link = link_of(&work, &call).await?.ok_or(Code::NotFound)?;
    for (n, choice) in input.choices.iter().enumerate() {
        consent::expect_purpose(&work, &choice.purpose, format!("/choices/{n}/purpose")).await?;
    }
    let choices = input.choices.into_iter().map(|choice| (choice.purpose, choice.channel, choice.is_permitted));
    enter(&work, &call, &link, choices.collect(), ConsentSource::PreferencePage).await?;
    let page = page(&work, &link).await?;
    work.commit().await?;
    Ok(Response::json(&page))
}

async fn unsubscribe(call: RequestContext) -> Result<Response> {
    call.kernel.limits.try_acquire(&bucket(&call), 1, limits::PREFERENCE_PAGES, call.now)?;
    let _: OneClick = call.input()?;
    let work = call.system_work().await?;
    if let Some(link) = link_of(&work, &call).await? {
        let purposes = consent::purposes(&work).await?.into_iter().map(|purpose| purpose.data.key);
        let of_link = purposes.filter(|key| link.purpose.as_ref().is_none_or(|purpose| purpose == key));
        enter(&work, &call, &link, of_link.map(|key| (key, None, false)).collect(), ConsentSource::Unsubscribe).await?;
        work.commit().await?;
    }
    Ok(Response::json(&Unsubscription { status: "received".to_owned() }))
}

/// Enters choices of a person: purpose, channel, and whether it is permitted. What counts already is not entered again, so that a repeated
/// click leaves one consent.
async fn enter(
    work: &Work,
    call: &RequestContext,
    link: &Link,
    choices: Vec<(String, Option<Channel>, bool)>,
    source: ConsentSource,
) -> Result<()> {
    work.lock_named(&format!("consents of contact {}", link.contact)).await?;
    let effective = consent::effective_of(work, link.person()).await?;
    let mut drafts = vec![];
    for (purpose, channel, is_permitted) in choices {
        let status = if is_permitted { ConsentStatus::Granted } else { ConsentStatus::Withdrawn };
        if !is_said(&effective, &purpose, channel, status) {
            drafts.push(Stored::draft(Consent {
                account_id: None::<AccountId>,
                contact_id: Some(ContactId(link.contact)),
                purpose,
                channel,
                status,
                lawful_basis: LawfulBasis::Consent,
                captured_at: Some(work.now),
                expires_at: None,
                source,
                text_version: None,
                wording: None,
                ip_address: Some(call.client_address.to_string()),
                user_agent: None,
            }));
        }
    }
    for made in stored::create_many(work, drafts).await? {
        made?;
    }
    Ok(())
}

/// Whether a status counts already: for a channel its own entry or that of every channel; for every channel all entries of the purpose.
fn is_said(effective: &[EffectiveConsent], purpose: &str, channel: Option<Channel>, status: ConsentStatus) -> bool {
    let wanted = match status {
        ConsentStatus::Granted => EffectiveStatus::Granted,
        ConsentStatus::Denied => EffectiveStatus::Denied,
        ConsentStatus::Withdrawn => EffectiveStatus::Withdrawn,
    };
    let mut of_purpose = effective.iter().filter(|one| one.purpose == purpose);
    match channel {
        None => of_purpose.all(|one| one.status == wanted),
        Some(_) => {
            let own = of_purpose.clone().find(|one| one.channel == channel);
            own.or_else(|| of_purpose.find(|one| one.channel.is_none())).is_some_and(|one| one.status == wanted)
        }
    }
}
