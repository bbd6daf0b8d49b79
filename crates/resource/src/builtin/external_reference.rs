//! An external reference: what another system calls one of our records. Many to many.

use crate::{
    example,
    privacy::PersonalData,
    reference::{AnyReference, OnDelete, Targets},
    resource::{Resource, VisibleThrough},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// What a system calls a record. A record may have several, and case and leading zeros count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct ExternalReference {
    /// The system's code.
    #[schema(min_length = 1, max_length = 50, example = "express")]
    pub system: String,
    /// The resource's plural, such as `accounts`.
    #[schema(min_length = 1, max_length = 100, pattern = "^[a-z_]+$", example = "accounts")]
    pub resource: String,
    /// What the other system calls the kind of record; the resource's singular when left out.
    #[schema(max_length = 50, example = "customer")]
    #[serde(default)]
    pub external_type: String,
    /// The record's name there: opaque, compared letter for letter.
    #[schema(min_length = 1, max_length = 128, example = "C-0010023")]
    pub external_id: String,
    /// Our record.
    pub record_id: Uuid,
}

/// What another system calls a record, as the record shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExternalRef {
    /// The system's code.
    #[schema(max_length = 50, example = "express")]
    pub system: String,
    /// What the other system calls the kind of record.
    #[schema(max_length = 50, example = "account")]
    pub external_type: String,
    /// The record's name there.
    #[schema(max_length = 128, example = "C-0010023")]
    pub external_id: String,
}

impl Resource for ExternalReference {
    const PLURAL: &'static str = "external_references";
    const SINGULAR: &'static str = "external_reference";
    const DESCRIPTION: &'static str = "What other systems call our records.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] = &[(PersonalData::Identity, &["external_id"])];
    const DATA_SUBJECT: &'static [&'static str] = &["record_id"];
    const FILTERS: &'static [&'static str] = &["system", "resource", "external_type", "external_id", "record_id"];
    const FIXED: &'static [&'static str] = &["resource"];
    const TITLE: &'static str = "external_id";
    const ANY_REFERENCES: &'static [AnyReference] = &[AnyReference::new("resource", "record_id", Targets::Extensible)];
    // What a system calls a record holds again when the record is restored.
    const ON_DELETE: &'static [(&'static str, OnDelete)] = &[("record_id", OnDelete::Keep)];
    const VISIBLE_THROUGH: &'static [VisibleThrough] = &[VisibleThrough::Subject("record_id")];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["system", "resource", "external_type", "external_id"]];
    const NAMES: &'static [(&'static str, &'static str, OnDelete)] = &[("system", "external_systems.code", OnDelete::Refuse)];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({"record_id": example::id("accounts"), "external_type": "account", "external_id": "ACC-1001"})
    }

    fn example_change() -> Value {
        json!({"external_type": "customer"})
    }
}
