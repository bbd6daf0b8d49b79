//! A tax rate: how much of the price a tax code of accounting's takes, from day to day.

use crate::customers::address::in_order;
use samphan_resource::{error::FieldCode, money::Percent, resource::Resource, validation::fault};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// The rate of a tax code for a time. A code may have many, one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "fits"))]
pub struct TaxRate {
    /// The code, as products carry it and accounting names it.
    #[schema(min_length = 1, max_length = 20, format = "visible", example = "VAT7")]
    pub code: String,
    /// Its name.
    #[schema(min_length = 1, max_length = 100, example = "VAT 7 %")]
    pub name: String,
    /// Percent of the price without tax, at most 1000.
    #[schema(example = "7")]
    pub rate: Percent,
    /// First day it holds; always has when null.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_from: Option<String>,
    /// Last day it holds; holds for good when null.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_to: Option<String>,
}

impl Resource for TaxRate {
    const PLURAL: &'static str = "tax_rates";
    const SINGULAR: &'static str = "tax_rate";
    const DESCRIPTION: &'static str =
        "The rate of each tax code, from day to day. Of those that hold on a day the one that began last counts.";
    const FILTERS: &'static [&'static str] = &["code"];
    const SORTS: &'static [&'static str] = &["code"];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({"rate": "7"})
    }

    fn example_change() -> Value {
        json!({"name": "Value added tax 7 %"})
    }
}

fn fits(rate: &TaxRate) -> Result<(), ValidationError> {
    if rate.rate.0 > 10 * Percent::WHOLE.0 {
        return Err(fault("rate", FieldCode::OutOfRange, "0 to 1000"));
    }
    in_order(rate.valid_from.as_deref(), rate.valid_to.as_deref())
}
