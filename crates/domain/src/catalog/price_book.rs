//! A price book: prices in one currency, by product and quantity, with a parent to fall back on.

use crate::{
    customers::address::in_order,
    id::{PriceBookId, ProductId},
    sales::totals::TaxRounding,
};
use samphan_resource::{
    example,
    money::{Price, Quantity},
    resource::Resource,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// Prices in one currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "book_dates"))]
pub struct PriceBook {
    /// Its name.
    #[schema(min_length = 1, max_length = 100, example = "Retail 2026")]
    pub name: String,
    /// ISO 4217 currency of all its prices.
    #[schema(pattern = "^[A-Z]{3}$", example = "THB")]
    pub currency: String,
    /// First day it holds.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_from: Option<String>,
    /// Last day it holds.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_to: Option<String>,
    /// The book to look in for what this one does not have; of the same currency.
    pub parent_id: Option<PriceBookId>,
    /// Whether its prices include tax.
    #[serde(default)]
    pub tax_inclusive: bool,
    /// Where tax is rounded in documents with its prices: with each `line`, or once for each rate over the whole `document`.
    #[serde(default)]
    pub tax_rounding: TaxRounding,
    /// The book for accounts without one of their own, one for each currency.
    #[serde(default)]
    pub is_default: bool,
}

/// The price of one product from one quantity on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "entry_dates"))]
pub struct PriceBookEntry {
    /// The book it stands in.
    #[schema(read_only)]
    pub price_book_id: PriceBookId,
    /// The product.
    pub product_id: ProductId,
    /// The quantity from which it holds.
    #[serde(default)]
    pub min_quantity: Quantity,
    /// Price of one unit, in the book's currency.
    pub price: Price,
    /// First day it holds.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_from: Option<String>,
    /// Last day it holds.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_to: Option<String>,
}

impl Resource for PriceBook {
    const PLURAL: &'static str = "price_books";
    const SINGULAR: &'static str = "price_book";
    const DESCRIPTION: &'static str = "Prices by product and quantity, in one currency.";
    const FILTERS: &'static [&'static str] = &["name", "currency", "parent_id", "is_default"];
    const SORTS: &'static [&'static str] = &["name"];
    const COLLATED: &'static [&'static str] = &["name"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["name"]];
    const ONE_OF: &'static [(&'static str, &'static [&'static str])] = &[("is_default", &["currency"])];
    const FIXED_IN_USE: &'static [&'static str] = &["currency"];
    const MAX_LEVELS: usize = 10;

    fn example() -> Value {
        json!({"is_default": true})
    }

    fn example_change() -> Value {
        json!({"valid_from": "2026-01-01"})
    }
}

impl Resource for PriceBookEntry {
    const PLURAL: &'static str = "price_book_entries";
    const SINGULAR: &'static str = "price_book_entry";
    const DESCRIPTION: &'static str = "Prices of one book, with quantity breaks and dates.";
    const FILTERS: &'static [&'static str] = &["price_book_id", "product_id"];
    const TITLE: &'static str = "price";
    const PARENTS: &'static [&'static str] = &["price_book_id"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["price_book_id", "product_id", "min_quantity", "valid_from"]];

    fn example() -> Value {
        json!({"product_id": example::id("products"), "min_quantity": "1", "price": "85.00"})
    }

    fn example_change() -> Value {
        json!({"price": "89.00"})
    }
}

fn book_dates(b: &PriceBook) -> Result<(), ValidationError> {
    in_order(b.valid_from.as_deref(), b.valid_to.as_deref())
}

fn entry_dates(e: &PriceBookEntry) -> Result<(), ValidationError> {
    in_order(e.valid_from.as_deref(), e.valid_to.as_deref())
}
