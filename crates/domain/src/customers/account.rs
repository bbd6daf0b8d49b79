//! An account: a legal entity (or a person as a customer) that we deal with.

use crate::{
    id::{AccountId, PriceBookId},
    tax_id,
};
use samphan_resource::{
    error::FieldCode,
    error::{Code, Error},
    example,
    privacy::PersonalData,
    resource::Resource,
    transition::Transition,
    validation::fault,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// A legal entity we deal with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "known_tax_identity"))]
pub struct Account {
    /// The name it is known by.
    #[schema(min_length = 1, max_length = 200, example = "Siam Trading")]
    pub name: String,
    /// The registered name, where it differs.
    #[schema(max_length = 200, example = "บริษัท สยามเทรดดิ้ง จำกัด")]
    pub legal_name: Option<String>,
    /// Its legal form.
    pub legal_form: Option<LegalForm>,
    /// Number in the company register.
    #[schema(max_length = 50)]
    pub registration_no: Option<String>,
    /// Tax id. For Thai accounts 13 digits with a check digit (Revenue Department); spaces and dashes are dropped.
    #[schema(max_length = 30, example = "0105536000003")]
    pub tax_id: Option<String>,
    /// Thai VAT branch: five digits, `00000` is the head office.
    #[schema(max_length = 10, example = "00000")]
    pub branch_code: Option<String>,
    /// ISO 3166-1 alpha-2 country of registration; `TH` makes the tax id a Thai one.
    #[schema(pattern = "^[A-Z]{2}$", example = "TH")]
    pub country: Option<String>,
    /// Line of business.
    #[schema(max_length = 100)]
    pub industry: Option<String>,
    /// Size band by number of employees.
    pub size: Option<CompanySize>,
    /// Where it stands in its life with us; moved by `change-lifecycle`.
    #[schema(read_only)]
    #[serde(default)]
    pub lifecycle_stage: LifecycleStage,
    /// To be recognised at first contact.
    #[serde(default)]
    pub is_vip: bool,
    /// Grade by value to us, such as `A`.
    #[schema(max_length = 10, example = "A")]
    pub grade: Option<String>,
    /// The channel it answers best.
    pub preferred_channel: Option<Channel>,
    /// BCP 47 language tag.
    #[schema(max_length = 35, example = "th")]
    pub preferred_language: Option<String>,
    /// ISO 4217 currency it trades in.
    #[schema(pattern = "^[A-Z]{3}$", example = "THB")]
    pub currency: Option<String>,
    /// Days until an invoice is due.
    #[schema(minimum = 0, maximum = 3650)]
    pub payment_terms_days: Option<i32>,
    /// The price book its prices come from.
    pub price_book_id: Option<PriceBookId>,
    /// The account it belongs to.
    pub parent_id: Option<AccountId>,
    /// Health from 0 (leaving) to 100 (thriving).
    #[schema(minimum = 0, maximum = 100)]
    pub health: Option<i32>,
    /// Web site.
    #[schema(max_length = 200)]
    pub website: Option<String>,
    /// Anything worth knowing.
    #[schema(max_length = 5000)]
    pub description: Option<String>,
}

/// Legal forms of accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own terms")]
pub enum LegalForm {
    Company,
    LimitedPartnership,
    OrdinaryPartnership,
    StateEnterprise,
    Government,
    Foundation,
    Individual,
    Foreign,
}

/// Bands by number of employees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompanySize {
    /// Up to 9.
    Micro,
    /// 10 to 49.
    Small,
    /// 50 to 249.
    Medium,
    /// 250 and more.
    Large,
}

/// Channels of contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own terms")]
pub enum Channel {
    Phone,
    Email,
    Sms,
    Line,
    Whatsapp,
    Facebook,
    Webchat,
    Letter,
    Fax,
    Visit,
}

impl Channel {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Line => "line",
            Self::Whatsapp => "whatsapp",
            Self::Facebook => "facebook",
            Self::Webchat => "webchat",
            Self::Letter => "letter",
            Self::Fax => "fax",
            Self::Visit => "visit",
        }
    }
}

/// Where an account stands in its life with us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LifecycleStage {
    /// Has not bought yet.
    #[default]
    Prospect,
    /// Buys.
    Active,
    /// Buys less, or says so.
    AtRisk,
    /// Has left.
    Churned,
    /// Had left and buys again.
    WonBack,
    /// We do not deal with it.
    Blocked,
}

impl LifecycleStage {
    /// Every stage.
    pub const ALL: [Self; 6] = [Self::Prospect, Self::Active, Self::AtRisk, Self::Churned, Self::WonBack, Self::Blocked];

    /// The stages that may follow this one: the one place that knows.
    #[must_use]
    pub const fn next(self) -> &'static [Self] {
        use LifecycleStage::{Active, AtRisk, Blocked, Churned, Prospect, WonBack};
        match self {
            Prospect => &[Active, Blocked],
            Active | WonBack => &[AtRisk, Churned, Blocked],
            AtRisk => &[Active, Churned, Blocked],
            Churned => &[WonBack, Blocked],
            Blocked => &[Prospect, Active],
        }
    }

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prospect => "prospect",
            Self::Active => "active",
            Self::AtRisk => "at_risk",
            Self::Churned => "churned",
            Self::WonBack => "won_back",
            Self::Blocked => "blocked",
        }
    }
}

/// Moves an account to another stage of its life.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeLifecycle {
    /// The stage to move to.
    pub to: LifecycleStage,
    /// Why; kept in the history.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

impl Resource for Account {
    const PLURAL: &'static str = "accounts";
    const SINGULAR: &'static str = "account";
    const DESCRIPTION: &'static str = "Organisations, and persons as customers, that we deal with.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] = &[
        (PersonalData::Identity, &["name", "legal_name", "registration_no", "tax_id", "external_refs"]),
        (PersonalData::Contact, &["website", "preferred_channel", "preferred_language"]),
        (PersonalData::FreeText, &["description", "tags", "custom"]),
    ];
    const RETAINED_AFTER_ERASURE: &'static [&'static str] = &["external_refs"];
    const DATA_SUBJECT: &'static [&'static str] = &["id"];
    const FILTERS: &'static [&'static str] = &[
        "name",
        "legal_name",
        "legal_form",
        "tax_id",
        "industry",
        "lifecycle_stage",
        "is_vip",
        "grade",
        "health",
        "country",
        "currency",
        "parent_id",
        "price_book_id",
    ];
    const SORTS: &'static [&'static str] = &["name", "grade", "lifecycle_stage"];
    const COLLATED: &'static [&'static str] = &["name"];
    const SEARCHED: &'static [&'static str] = &["name", "legal_name", "tax_id", "registration_no"];
    const POSSIBLE_DUPLICATES: &'static [&'static [&'static str]] = &[&["tax_id", "branch_code"]];
    const OWNED: bool = true;
    const STATUS: Option<&'static str> = Some("lifecycle_stage");
    const TRANSITIONS: &'static [Transition] =
        &[Transition::within("change-lifecycle", &[], Some("lifecycle_changed")), Transition::within("assign", &[], Some("assigned"))];

    fn normalise(&mut self) {
        if self.is_thai() {
            if let Some(Ok(digits)) = self.tax_id.as_deref().map(tax_id::thai_tax_id) {
                self.tax_id = Some(digits);
            }
            if let Some(Ok(digits)) = self.branch_code.as_deref().map(tax_id::branch_code) {
                self.branch_code = Some(digits);
            }
        }
    }

    fn example() -> Value {
        json!({
            "legal_form": "company",
            "industry": "wholesale",
            "payment_terms_days": 30,
            "price_book_id": example::id("price_books"),
            "tags": ["vip"],
        })
    }

    fn example_change() -> Value {
        json!({"grade": "B", "description": "Orders every other Monday."})
    }
}

impl Account {
    /// Refuses to sell or promise anything to it while it is blocked.
    pub fn check_not_blocked(&self) -> Result<(), Error> {
        if self.lifecycle_stage == LifecycleStage::Blocked { Err(Code::CustomerBlocked.into()) } else { Ok(()) }
    }

    /// Whether Thai rules hold for its tax identity: registered in Thailand, or not said and not of foreign form.
    #[must_use]
    pub fn is_thai(&self) -> bool {
        self.country.as_deref().map_or(self.legal_form != Some(LegalForm::Foreign), |c| c == "TH")
    }
}

fn known_tax_identity(account: &Account) -> Result<(), ValidationError> {
    if !account.is_thai() {
        return Ok(());
    }
    if let Some(Err(e)) = account.tax_id.as_deref().map(tax_id::thai_tax_id) {
        return Err(fault("tax_id", FieldCode::InvalidTaxId, e.to_string()));
    }
    if let Some(Err(e)) = account.branch_code.as_deref().map(tax_id::branch_code) {
        return Err(fault("branch_code", FieldCode::InvalidBranchCode, e.to_string()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::LifecycleStage;

    #[test]
    fn every_stage_can_be_blocked_and_none_moves_to_itself() {
        for stage in LifecycleStage::ALL {
            assert!(stage == LifecycleStage::Blocked || stage.next().contains(&LifecycleStage::Blocked));
            assert!(!stage.next().contains(&stage));
        }
        assert!(!LifecycleStage::Churned.next().contains(&LifecycleStage::Active), "who comes back is won back");
    }
}
