//! A shipment: goods of an order on their way, from being planned to having arrived.

use crate::{
    id::{AccountId, OrderId, ProductId, WarehouseId},
    sales::order::OrderAddress,
};
use samphan_resource::{
    example,
    money::Quantity,
    privacy::PersonalData,
    reference::OnDelete,
    resource::{Derived, Numbering, Resource, Timeline},
    timestamp::Timestamp,
    transition::Transition,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// Goods of an order on their way from one warehouse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct Shipment {
    /// Our number for it.
    #[schema(read_only, max_length = 20, example = "SH-000042")]
    #[serde(default)]
    pub number: String,
    /// The order.
    #[schema(read_only)]
    pub order_id: OrderId,
    /// The customer.
    #[schema(read_only)]
    pub account_id: AccountId,
    /// The warehouse.
    #[schema(read_only)]
    pub warehouse_id: WarehouseId,
    /// Where the goods go.
    #[schema(read_only)]
    pub address: Option<OrderAddress>,
    /// What is in it.
    #[schema(read_only, max_items = 500)]
    #[serde(default)]
    pub lines: Vec<ShipmentLine>,
    /// Who carries it.
    #[schema(max_length = 100)]
    pub carrier: Option<String>,
    /// The carrier's number for it.
    #[schema(max_length = 100)]
    pub tracking_no: Option<String>,
    /// The day it was promised for.
    #[schema(value_type = Option<String>, format = Date)]
    pub promised_on: Option<String>,
    /// Anything worth knowing.
    #[schema(max_length = 5000)]
    pub note: Option<String>,
    /// Where it stands.
    #[schema(read_only)]
    #[serde(default)]
    pub status: ShipmentStatus,
    /// When it left.
    #[schema(read_only)]
    #[serde(default)]
    pub shipped_at: Option<Timestamp>,
    /// When it arrived.
    #[schema(read_only)]
    #[serde(default)]
    pub delivered_at: Option<Timestamp>,
}

/// Goods of a line in a shipment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShipmentLine {
    /// The order's line.
    pub order_line_id: Uuid,
    /// The product.
    pub product_id: ProductId,
    /// Its SKU.
    #[schema(max_length = 64)]
    pub sku: Option<String>,
    /// How much of it.
    pub quantity: Quantity,
    /// The reservation it is taken from.
    pub reservation_id: Uuid,
    /// The lot it is from.
    #[schema(max_length = 100)]
    pub lot_no: Option<String>,
    /// Its serial number.
    #[schema(max_length = 100)]
    pub serial_no: Option<String>,
}

/// Where a shipment stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShipmentStatus {
    /// To be picked.
    #[default]
    Planned,
    /// Taken from the shelves.
    Picked,
    /// Packed.
    Packed,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
    /// It did not arrive and came back: the goods are in the warehouse again.
    Failed,
    /// It never left.
    Cancelled,
}

impl ShipmentStatus {
    /// As it is stored and told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Picked => "picked",
            Self::Packed => "packed",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Resource for Shipment {
    const PLURAL: &'static str = "shipments";
    const SINGULAR: &'static str = "shipment";
    const DESCRIPTION: &'static str = "Goods of orders on their way.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] =
        &[(PersonalData::Contact, &["address"]), (PersonalData::FreeText, &["note"])];
    const DATA_SUBJECT: &'static [&'static str] = &["account_id", "order_id.contact_id"];
    const FILTERS: &'static [&'static str] = &["number", "order_id", "account_id", "warehouse_id", "status", "tracking_no", "promised_on"];
    const SORTS: &'static [&'static str] = &["number", "promised_on"];
    const SEARCHED: &'static [&'static str] = &["number", "tracking_no"];
    const NUMBER: Option<Numbering> = Some(Numbering { prefix: "SH-", width: 6 });
    const TITLE: &'static str = "number";
    const TIMELINE: Option<Timeline> = Some(Timeline { at: "created_at", summary: Some("tracking_no"), actor: "created_by_id" });
    const PARENTS: &'static [&'static str] = &["order_id"];
    const DERIVED: &'static [Derived] = &[Derived { field: "account_id", reference: "order_id", from: "account_id" }];
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[
        Transition::new("pick", &["planned"], "picked", "picked"),
        Transition::new("pack", &["planned", "picked"], "packed", "packed"),
        Transition::new("ship", &["planned", "picked", "packed"], "shipped", "shipped"),
        Transition::new("deliver", &["shipped"], "delivered", "delivered"),
        Transition::new("fail", &["shipped"], "failed", "failed"),
        Transition::new("cancel", &["planned", "picked", "packed"], "cancelled", "cancelled"),
    ];
    const ON_DELETE: &'static [(&'static str, OnDelete)] =
        &[("warehouse_id", OnDelete::RefuseIn(&["planned", "picked", "packed", "shipped"]))];

    fn example() -> Value {
        json!({
            "order_id": example::id("orders"),
            "account_id": example::id("accounts"),
            "warehouse_id": example::id("warehouses"),
            "lines": [{
                "order_line_id": example::id("order_lines"), "product_id": example::id("products"), "sku": "TEA-001", "quantity": "10",
                "reservation_id": example::id("reservations"),
            }],
            "carrier": "Kerry",
        })
    }

    fn example_change() -> Value {
        json!({"note": "Gate 2, before noon."})
    }
}

/// What is to be shipped of an order.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateShipment {
    /// The warehouse; needed where goods are put aside in several.
    #[serde(default)]
    #[schema(nullable = false)]
    pub warehouse_id: Option<WarehouseId>,
    /// What of it; everything that is put aside there and in no other shipment when left out.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 500, nullable = false)]
    pub lines: Option<Vec<CreateShipmentLine>>,
    /// Who carries it.
    #[serde(default)]
    #[schema(max_length = 100, nullable = false)]
    pub carrier: Option<String>,
    /// The carrier's number for it.
    #[serde(default)]
    #[schema(max_length = 100, nullable = false)]
    pub tracking_no: Option<String>,
    /// The day it is promised for; the order's `requested_on` when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, nullable = false)]
    pub promised_on: Option<String>,
}

/// What of a line is to be shipped.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateShipmentLine {
    /// The order's line.
    pub order_line_id: Uuid,
    /// How much of it; all that is put aside there and in no other shipment when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub quantity: Option<Quantity>,
}

/// What left, where lots or serial numbers are kept.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipShipment {
    /// Who carries it.
    #[serde(default)]
    #[schema(max_length = 100, nullable = false)]
    pub carrier: Option<String>,
    /// The carrier's number for it.
    #[serde(default)]
    #[schema(max_length = 100, nullable = false)]
    pub tracking_no: Option<String>,
    /// When it left: not in the future, nor before the day of the order; now when left out. Stock is booked now all the same.
    #[serde(default)]
    #[schema(nullable = false)]
    pub shipped_at: Option<Timestamp>,
    /// The lot or serial number of a line's goods. A line may be named several times, each time with part of its quantity.
    #[serde(default)]
    #[schema(max_items = 1000, nullable = false)]
    pub picked: Vec<PickedGoods>,
}

/// When a shipment arrived.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliverShipment {
    /// When it arrived: not in the future, nor before it left; now when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub delivered_at: Option<Timestamp>,
}

/// Goods of a lot or with a serial number.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PickedGoods {
    /// The order's line.
    pub order_line_id: Uuid,
    /// How much; all of the line's when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub quantity: Option<Quantity>,
    /// The lot.
    #[serde(default)]
    #[schema(max_length = 100, format = "visible", nullable = false)]
    pub lot_no: Option<String>,
    /// The serial number.
    #[serde(default)]
    #[schema(max_length = 100, format = "visible", nullable = false)]
    pub serial_no: Option<String>,
}
