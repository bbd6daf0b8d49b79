//! A purpose for which persons are contacted, such as a newsletter.

use samphan_resource::resource::Resource;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

/// A purpose for which persons are contacted. Consents name it by its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct ConsentPurpose {
    /// The key that consents and campaigns name it by.
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z][a-z0-9_]*$", example = "newsletter")]
    pub key: String,
    /// The name that the person reads.
    #[schema(min_length = 1, max_length = 100, example = "Monthly newsletter")]
    pub name: String,
    /// The name in other languages, by BCP 47 tag.
    #[serde(default)]
    #[schema(example = json!({"th": "จดหมายข่าวรายเดือน"}))]
    pub name_translations: std::collections::BTreeMap<String, String>,
    /// What the person reads below the name.
    #[schema(max_length = 1000)]
    pub description: Option<String>,
    /// Whether nothing is sent for it without a consent, as for marketing. Where it is false, as for news of an order under a contract,
    /// everything is sent that the person has not refused.
    #[serde(default = "needed")]
    pub requires_consent: bool,
}

const fn needed() -> bool {
    true
}

impl Resource for ConsentPurpose {
    const PLURAL: &'static str = "consent_purposes";
    const SINGULAR: &'static str = "consent_purpose";
    const DESCRIPTION: &'static str = "Purposes for which persons are contacted, and whether each requires a consent.";
    const FILTERS: &'static [&'static str] = &["key", "requires_consent"];
    const SORTS: &'static [&'static str] = &["key"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["key"]];
    const FIXED: &'static [&'static str] = &["key"];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({"description": "New teas and where to taste them.", "requires_consent": true})
    }

    fn example_change() -> Value {
        json!({"name": "Newsletter"})
    }
}
