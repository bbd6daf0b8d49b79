//! Engagement: what is done with customers and said about them, related to any record.

pub mod call;
pub mod markdown;
pub mod note;
pub mod recurrence;
pub mod task;

use samphan_resource::{
    reference::{AnyReference, OnDelete, Targets},
    resource::{Filled, VisibleThrough},
};

/// The record an activity is about, beside its account and contact.
pub const RELATED: &[AnyReference] = &[AnyReference::new("related_resource", "related_id", Targets::Business)];

/// The related record says whose account and contact an activity is of.
pub const FILLED: &[Filled] =
    &[Filled { field: "account_id", reference: "related_id" }, Filled { field: "contact_id", reference: "related_id" }];

/// An activity is visible to its owner and team, and with its account, its contact or the record it is about.
pub const VISIBLE_THROUGH: &[VisibleThrough] = &[
    VisibleThrough::Owner,
    VisibleThrough::Parent("account_id"),
    VisibleThrough::Parent("contact_id"),
    VisibleThrough::Subject("related_id"),
];

/// An activity stays as history when what it is about is deleted.
pub const ON_DELETE: &[(&str, OnDelete)] =
    &[("account_id", OnDelete::Keep), ("contact_id", OnDelete::Keep), ("related_id", OnDelete::Keep)];

/// The persons an activity says something of.
pub const DATA_SUBJECT: &[&str] = &["account_id", "contact_id"];
