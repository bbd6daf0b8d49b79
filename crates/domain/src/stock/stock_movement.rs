//! A stock movement: a line of the ledger, from which every level can be made again.

use crate::id::{ProductId, WarehouseId};
use samphan_resource::{
    example,
    money::{Quantity, SignedQuantity},
    reference::{AnyReference, Targets},
    resource::Resource,
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// Something that came or went. Written with the level it changes, never changed and never deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct StockMovement {
    /// The product.
    pub product_id: ProductId,
    /// The warehouse.
    pub warehouse_id: WarehouseId,
    /// What came, or below zero what went, in the product's unit.
    pub quantity: SignedQuantity,
    /// What is there after it.
    pub on_hand_after: SignedQuantity,
    /// What it was.
    pub kind: MovementKind,
    /// Why, where a reason was given.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    /// Resource of the record it was made for, such as `stock_reservations`.
    #[schema(max_length = 100)]
    pub source_resource: Option<String>,
    /// Id of that record.
    pub source_id: Option<Uuid>,
    /// The lot it was of.
    #[schema(max_length = 100)]
    pub lot_no: Option<String>,
    /// The serial number it was of.
    #[schema(max_length = 100)]
    pub serial_no: Option<String>,
    /// Code of the system whose count it books, for a `sync`.
    #[schema(max_length = 50)]
    pub system: Option<String>,
    /// When that count was true.
    pub as_of: Option<Timestamp>,
    /// The number the system gave it.
    pub source_sequence: Option<i64>,
}

/// Kinds of movements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// Came from outside.
    Receipt,
    /// Went out, against a reservation or without one.
    Issue,
    /// Came from or went to another warehouse.
    Transfer,
    /// Put right by hand.
    Adjust,
    /// Came back from a customer.
    Return,
    /// The difference to what another system counted.
    Sync,
}

impl MovementKind {
    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Issue => "issue",
            Self::Transfer => "transfer",
            Self::Adjust => "adjust",
            Self::Return => "return",
            Self::Sync => "sync",
        }
    }
}

impl Resource for StockMovement {
    const PLURAL: &'static str = "stock_movements";
    const SINGULAR: &'static str = "stock_movement";
    const DESCRIPTION: &'static str = "The ledger of everything that came and went.";
    const FILTERS: &'static [&'static str] = &["product_id", "warehouse_id", "kind", "source_id", "lot_no", "serial_no"];
    const ANY_REFERENCES: &'static [AnyReference] = &[AnyReference::new("source_resource", "source_id", Targets::All)];
    const TITLE: &'static str = "kind";
    const EXTENSIBLE: bool = false;
    const APPEND_ONLY: bool = true;

    fn example() -> Value {
        json!({
            "product_id": example::id("products"),
            "warehouse_id": example::id("warehouses"),
            "quantity": "240",
            "on_hand_after": "240",
            "kind": "receipt",
        })
    }
}

/// A product and how much of it comes or goes.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockLine {
    /// The product, by id. Either this or `sku`.
    #[schema(nullable = false)]
    pub product_id: Option<ProductId>,
    /// The product, by SKU.
    #[schema(nullable = false, min_length = 1, max_length = 64, format = "visible", example = "TEA-001")]
    pub sku: Option<String>,
    /// How much, in the product's unit: more than 0, at most 100000000000.
    #[schema(example = "12")]
    pub quantity: Quantity,
    /// The lot; required where the product is tracked by lot.
    #[schema(nullable = false, min_length = 1, max_length = 100, format = "visible")]
    pub lot_no: Option<String>,
    /// The serial number; required where the product is tracked by serial number, and the quantity is then 1.
    #[schema(nullable = false, min_length = 1, max_length = 100, format = "visible")]
    pub serial_no: Option<String>,
}

/// A product and how far its stock is put right.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockAdjustmentLine {
    /// The product, by id. Either this or `sku`.
    #[schema(nullable = false)]
    pub product_id: Option<ProductId>,
    /// The product, by SKU.
    #[schema(nullable = false, min_length = 1, max_length = 64, format = "visible", example = "TEA-001")]
    pub sku: Option<String>,
    /// How much more there is, or below zero how much less, in the product's unit; not 0, at most 100000000000 either way.
    #[schema(example = "-2")]
    pub quantity: SignedQuantity,
    /// The lot; required where the product is tracked by lot.
    #[schema(nullable = false, min_length = 1, max_length = 100, format = "visible")]
    pub lot_no: Option<String>,
    /// The serial number; required where the product is tracked by serial number, and the quantity is then 1 or -1.
    #[schema(nullable = false, min_length = 1, max_length = 100, format = "visible")]
    pub serial_no: Option<String>,
}

/// Goods that came in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockReceipt {
    /// The warehouse, by id. Either this or `warehouse_code`.
    #[schema(nullable = false)]
    pub warehouse_id: Option<WarehouseId>,
    /// The warehouse, by code.
    #[schema(nullable = false, min_length = 1, max_length = 50, example = "BKK1")]
    pub warehouse_code: Option<String>,
    /// Whether they come from a supplier or back from a customer.
    #[serde(default)]
    pub kind: ReceiptKind,
    /// Why, such as the supplier's delivery note.
    #[schema(nullable = false, min_length = 1, max_length = 500)]
    pub reason: Option<String>,
    /// What came.
    #[schema(min_items = 1, max_items = 1000)]
    pub lines: Vec<StockLine>,
}

/// Where goods come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// From outside.
    #[default]
    Receipt,
    /// Back from a customer.
    Return,
}

/// Stock put right by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockAdjustment {
    /// The warehouse, by id. Either this or `warehouse_code`.
    #[schema(nullable = false)]
    pub warehouse_id: Option<WarehouseId>,
    /// The warehouse, by code.
    #[schema(nullable = false, min_length = 1, max_length = 50, example = "BKK1")]
    pub warehouse_code: Option<String>,
    /// Why.
    #[schema(min_length = 1, max_length = 500, example = "Broken in the rack")]
    pub reason: String,
    /// What is put right.
    #[schema(min_items = 1, max_items = 1000)]
    pub lines: Vec<StockAdjustmentLine>,
}

/// Goods brought from one warehouse to another.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockTransfer {
    /// The warehouse they leave, by id. Either this or `from_warehouse_code`.
    #[schema(nullable = false)]
    pub from_warehouse_id: Option<WarehouseId>,
    /// The warehouse they leave, by code.
    #[schema(nullable = false, min_length = 1, max_length = 50, example = "BKK1")]
    pub from_warehouse_code: Option<String>,
    /// The warehouse they come to, by id. Either this or `to_warehouse_code`.
    #[schema(nullable = false)]
    pub to_warehouse_id: Option<WarehouseId>,
    /// The warehouse they come to, by code.
    #[schema(nullable = false, min_length = 1, max_length = 50, example = "CNX1")]
    pub to_warehouse_code: Option<String>,
    /// Why.
    #[schema(nullable = false, min_length = 1, max_length = 500)]
    pub reason: Option<String>,
    /// What is brought.
    #[schema(min_items = 1, max_items = 1000)]
    pub lines: Vec<StockLine>,
}
