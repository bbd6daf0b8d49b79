//! A stock level: how much of a product a warehouse has, and how much of that is put aside.

use crate::id::{ProductId, WarehouseId};
use samphan_resource::{
    example,
    money::{Quantity, SignedQuantity},
    reference::OnDelete,
    resource::Resource,
    timestamp::Timestamp,
    transition::Transition,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

/// Most of a product, in ten-thousandths, that a warehouse has, lacks or puts aside: whatever is added up of such stays in range.
pub const MOST: i64 = 1_000_000_000_000_000;

/// How much of a product a warehouse has: the sum of its movements, kept with each of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct StockLevel {
    /// The product.
    #[schema(read_only)]
    pub product_id: ProductId,
    /// The warehouse.
    #[schema(read_only)]
    pub warehouse_id: WarehouseId,
    /// What is there, in the product's unit. Below zero where more was issued than was known to be there.
    #[schema(read_only)]
    pub on_hand: SignedQuantity,
    /// What of it is put aside by active reservations.
    #[schema(read_only)]
    pub reserved: Quantity,
    /// What may still be promised: `on_hand` less `reserved`. Below zero where more is promised than is there.
    #[schema(read_only)]
    pub available: SignedQuantity,
    /// What is promised beyond what is there: by the product's backorder policy, or because a system counted less. Else 0.
    #[schema(read_only)]
    pub backordered: Quantity,
    /// The least that should be available; set by `set-minimum`, null for none.
    #[schema(read_only)]
    pub minimum: Option<Quantity>,
    /// Whether less than `minimum` is available.
    #[schema(read_only)]
    pub is_below_minimum: bool,
    /// Code of the system that counted last; null until one does.
    #[schema(read_only, max_length = 50)]
    pub system: Option<String>,
    /// When its count was true.
    #[schema(read_only)]
    pub as_of: Option<Timestamp>,
    /// The number it gave that count.
    #[schema(read_only)]
    pub source_sequence: Option<i64>,
    /// What it counted.
    #[schema(read_only)]
    pub counted: Option<SignedQuantity>,
}

/// The least that should be available.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetMinimum {
    /// The least that should be available, in the product's unit; null for none.
    #[schema(required = true)]
    pub minimum: Option<Quantity>,
}

impl Resource for StockLevel {
    const PLURAL: &'static str = "stock_levels";
    const SINGULAR: &'static str = "stock_level";
    const DESCRIPTION: &'static str = "How much of each product each warehouse has, how much of it is reserved and how much available.";
    const TRANSITIONS: &'static [Transition] = &[Transition::within("set-minimum", &[], Some("minimum_set"))];
    const EVENTS: &'static [&'static str] = &["stock_level.changed", "stock_level.below_minimum", "stock_level.oversold"];
    const FILTERS: &'static [&'static str] = &["product_id", "warehouse_id", "available", "is_below_minimum", "system"];
    const SORTS: &'static [&'static str] = &["available"];
    const TITLE: &'static str = "product_id";
    const ON_DELETE: &'static [(&'static str, OnDelete)] = &[
        ("product_id", OnDelete::RefuseUnlessZero(&["on_hand", "reserved"])),
        ("warehouse_id", OnDelete::RefuseUnlessZero(&["on_hand", "reserved"])),
    ];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({
            "product_id": example::id("products"),
            "warehouse_id": example::id("warehouses"),
            "on_hand": "240",
            "reserved": "10",
            "available": "230",
        })
    }
}
