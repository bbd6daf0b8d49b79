//! A consent: what a person said about being contacted for a purpose. Consents are kept as they were said; a later one replaces an earlier.

use crate::{
    customers::account::Channel,
    id::{AccountId, ContactId},
};
use samphan_resource::{
    error::FieldCode,
    example,
    privacy::PersonalData,
    reference::OnDelete,
    resource::{Resource, Timeline},
    timestamp::Timestamp,
    transition::Transition,
    validation::fault,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// What a person said about being contacted for a purpose, when and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "of_one_person"), schema(function = "only_a_grant_ends"))]
pub struct Consent {
    /// The person, where it is an account; exactly one of `account_id` and `contact_id` is given.
    pub account_id: Option<AccountId>,
    /// The person, where it is a contact.
    pub contact_id: Option<ContactId>,
    /// The key of the purpose.
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z][a-z0-9_]*$", example = "newsletter")]
    pub purpose: String,
    /// The channel; null for every channel.
    pub channel: Option<Channel>,
    /// What the person said.
    pub status: ConsentStatus,
    /// The legal ground (GDPR article 6, PDPA section 24).
    #[serde(default)]
    pub lawful_basis: LawfulBasis,
    /// When the person said it; now when left out. The newest counts, in whatever order they are entered.
    pub captured_at: Option<Timestamp>,
    /// When a grant ends by itself.
    pub expires_at: Option<Timestamp>,
    /// How it was said.
    pub source: ConsentSource,
    /// The version of the text that the person agreed to.
    #[schema(max_length = 50, example = "2026-03")]
    pub text_version: Option<String>,
    /// The text that the person agreed to, or what was said.
    #[schema(max_length = 5000)]
    pub wording: Option<String>,
    /// The client's address, where it was said on a page.
    #[schema(max_length = 45, example = "203.0.113.7")]
    pub ip_address: Option<String>,
    /// The client's browser, where it was said on a page.
    #[schema(max_length = 500)]
    pub user_agent: Option<String>,
}

/// What a person says about being contacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentStatus {
    /// Yes.
    Granted,
    /// No, when asked.
    Denied,
    /// No longer.
    Withdrawn,
}

/// Legal grounds for using a person's data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the law's own terms")]
pub enum LawfulBasis {
    #[default]
    Consent,
    Contract,
    LegalObligation,
    LegitimateInterest,
    VitalInterest,
    PublicTask,
}

/// How a consent was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentSource {
    /// On a form.
    Form,
    /// On the telephone.
    Call,
    /// On paper.
    Paper,
    /// Taken over from another system.
    Import,
    /// On the preference page.
    PreferencePage,
    /// By the one-click unsubscription of a mail program (RFC 8058).
    Unsubscribe,
}

impl Resource for Consent {
    const PLURAL: &'static str = "consents";
    const SINGULAR: &'static str = "consent";
    const DESCRIPTION: &'static str =
        "What persons said about being contacted. A consent never changes: what is said later is another one, and the newest counts.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] =
        &[(PersonalData::Contact, &["ip_address", "user_agent"]), (PersonalData::FreeText, &["wording"])];
    const DATA_SUBJECT: &'static [&'static str] = &["account_id", "contact_id"];
    const FILTERS: &'static [&'static str] = &["account_id", "contact_id", "purpose", "channel", "status", "captured_at"];
    const SORTS: &'static [&'static str] = &["captured_at"];
    const TITLE: &'static str = "purpose";
    const ON_DELETE: &'static [(&'static str, OnDelete)] = &[("account_id", OnDelete::Keep), ("contact_id", OnDelete::Keep)];
    const NAMES: &'static [(&'static str, &'static str, OnDelete)] = &[("purpose", "consent_purposes.key", OnDelete::Refuse)];
    const PARENTS: &'static [&'static str] = &["account_id", "contact_id"];
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[Transition::within("withdraw", &["granted", "denied"], None)];
    const TIMELINE: Option<Timeline> = Some(Timeline { at: "created_at", summary: Some("wording"), actor: "created_by_id" });
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({
            "contact_id": example::id("contacts"), "channel": "email", "status": "granted", "captured_at": example::MOMENT,
            "source": "form", "wording": "Yes, send me the newsletter.",
        })
    }
}

fn of_one_person(consent: &Consent) -> Result<(), ValidationError> {
    match (consent.account_id, consent.contact_id) {
        (None, None) => Err(fault("contact_id", FieldCode::Required, "one of account_id and contact_id")),
        (Some(_), Some(_)) => Err(fault("contact_id", FieldCode::Ambiguous, "one of account_id and contact_id, not both")),
        _ => Ok(()),
    }
}

fn only_a_grant_ends(consent: &Consent) -> Result<(), ValidationError> {
    match (consent.expires_at, consent.captured_at) {
        (Some(_), _) if consent.status != ConsentStatus::Granted => {
            Err(fault("expires_at", FieldCode::NotAllowed, "only where the status is granted"))
        }
        (Some(ends), Some(begins)) if ends <= begins => Err(fault("expires_at", FieldCode::BeforeStart, "after captured_at")),
        _ => Ok(()),
    }
}
