//! A product: something we sell.

use crate::{id::CategoryId, stock::stock_level::MOST};
use samphan_resource::{
    error::FieldCode, example, money::Quantity, reference::OnDelete, resource::Resource, transition::Transition, validation::fault,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// Something we sell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "translations_fit"), schema(function = "backorder_fits"))]
pub struct Product {
    /// Stock keeping unit: our own code for it.
    #[schema(min_length = 1, max_length = 64, format = "visible", example = "TEA-001")]
    pub sku: String,
    /// Its name.
    #[schema(min_length = 1, max_length = 200, example = "Jasmine tea 50 g")]
    pub name: String,
    /// The name in other languages, by BCP 47 tag.
    #[serde(default)]
    pub name_translations: BTreeMap<String, String>,
    /// What it is.
    #[schema(max_length = 5000)]
    pub description: Option<String>,
    /// What kind of thing it is.
    #[serde(default)]
    pub kind: ProductKind,
    /// Unit of sale, such as `piece` or `box`.
    #[schema(max_length = 50)]
    pub unit: Option<String>,
    /// What a unit holds, such as `10 boxes x 30 bags`.
    #[schema(max_length = 100)]
    pub packaging: Option<String>,
    /// Tax code as accounting names it, such as `VAT7`.
    #[schema(max_length = 20, format = "visible")]
    pub tax_code: Option<String>,
    /// Whether stock is kept by lot or serial number; it stays while there is any.
    #[serde(default)]
    pub tracked: Tracking,
    /// Whether more of it may be promised than is there.
    #[serde(default)]
    pub backorder: BackorderPolicy,
    /// How much more, in each warehouse and in the product's unit; with `backorder` `allow`, null for without limit.
    pub backorder_limit: Option<Quantity>,
    /// Whether orders held for want of it go on by themselves once there is enough, those that wait longest first. When false they wait for
    /// a user to confirm them.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub releases_holds: bool,
    /// Days until more of it can be had, when there is not enough.
    #[schema(minimum = 0, maximum = 3650)]
    pub lead_time_days: Option<i32>,
    /// Where it stands in the catalog.
    pub category_id: Option<CategoryId>,
    /// Whether it is sold; ended by `discontinue`.
    #[schema(read_only)]
    #[serde(default)]
    pub status: ProductStatus,
}

const fn yes() -> bool {
    true
}

/// Kinds of products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own terms")]
pub enum ProductKind {
    #[default]
    Goods,
    Service,
    Bundle,
    Configurable,
}

/// How stock of a product is told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tracking {
    /// Not at all.
    #[default]
    None,
    /// By lot.
    Lot,
    /// By serial number.
    Serial,
}

impl Tracking {
    /// As it is stored; not at all for anything else.
    #[must_use]
    pub fn named(name: Option<&str>) -> Self {
        match name {
            Some("lot") => Self::Lot,
            Some("serial") => Self::Serial,
            _ => Self::None,
        }
    }
}

/// Whether more of a product may be promised than is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackorderPolicy {
    /// Only what is there is promised.
    #[default]
    Refuse,
    /// More may be promised: it is delivered when it comes.
    Allow,
}

/// Whether a product is sold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProductStatus {
    /// Sold.
    #[default]
    Active,
    /// No longer sold.
    Discontinued,
}

/// A branch of the catalog.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct ProductCategory {
    /// Its name.
    #[schema(min_length = 1, max_length = 100, example = "Beverages")]
    pub name: String,
    /// The branch it grows from.
    pub parent_id: Option<CategoryId>,
    /// What is in it.
    #[schema(max_length = 1000)]
    pub description: Option<String>,
}

impl ProductKind {
    /// Whether there is stock of it: of services there is none.
    #[must_use]
    pub fn is_stocked(self) -> bool {
        self != Self::Service
    }
}

impl Resource for Product {
    const PLURAL: &'static str = "products";
    const SINGULAR: &'static str = "product";
    const DESCRIPTION: &'static str = "What we sell.";
    const FILTERS: &'static [&'static str] = &["sku", "name", "kind", "status", "category_id", "tax_code"];
    const SORTS: &'static [&'static str] = &["sku", "name"];
    const COLLATED: &'static [&'static str] = &["name"];
    const SEARCHED: &'static [&'static str] = &["sku", "name", "name_translations", "description"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["sku"]];
    const CASELESS: &'static [&'static str] = &["sku"];
    const FIXED_IN_USE: &'static [&'static str] = &["unit", "tracked"];
    const NAMES: &'static [(&'static str, &'static str, OnDelete)] = &[("tax_code", "tax_rates.code", OnDelete::Refuse)];
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[
        Transition::new("discontinue", &["active"], "discontinued", "discontinued"),
        Transition::new("reactivate", &["discontinued"], "active", "reactivated"),
    ];

    fn example() -> Value {
        json!({
            "name_translations": {"th": "ชามะลิ 50 กรัม"},
            "unit": "box",
            "tax_code": "VAT7",
            "releases_holds": true,
            "category_id": example::id("product_categories"),
        })
    }

    fn example_change() -> Value {
        json!({"lead_time_days": 3})
    }
}

impl Resource for ProductCategory {
    const PLURAL: &'static str = "product_categories";
    const SINGULAR: &'static str = "product_category";
    const DESCRIPTION: &'static str = "The tree of the catalog.";
    const FILTERS: &'static [&'static str] = &["name", "parent_id"];
    const SORTS: &'static [&'static str] = &["name"];
    const COLLATED: &'static [&'static str] = &["name"];

    fn example_change() -> Value {
        json!({"description": "Tea, coffee and what goes with them."})
    }
}

fn translations_fit(product: &Product) -> Result<(), ValidationError> {
    match product.name_translations.iter().all(|(tag, name)| tag.len() <= 35 && (1..=200).contains(&name.chars().count())) {
        true => Ok(()),
        false => Err(fault("name_translations", FieldCode::TooLong, "BCP 47 tags, and names of 1 to 200 characters")),
    }
}

fn backorder_fits(product: &Product) -> Result<(), ValidationError> {
    match product.backorder_limit {
        Some(_) if product.backorder == BackorderPolicy::Refuse => {
            Err(fault("backorder_limit", FieldCode::NotAllowed, "a limit with `backorder` `allow` only"))
        }
        Some(limit) if limit.0 > MOST => Err(fault("backorder_limit", FieldCode::OutOfRange, "at most 100000000000")),
        _ => Ok(()),
    }
}
