//! A stock reservation: goods put aside for somebody, until they are issued, let go, or too late.

use crate::id::{ProductId, WarehouseId};
use samphan_resource::{
    example,
    money::Quantity,
    reference::{AnyReference, OnDelete, Targets},
    resource::Resource,
    timer::Timer,
    timestamp::Timestamp,
    transition::Transition,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// Goods put aside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct StockReservation {
    /// The product.
    pub product_id: ProductId,
    /// The warehouse.
    pub warehouse_id: WarehouseId,
    /// How much, in the product's unit: more than 0, at most 100000000000.
    #[schema(example = "12")]
    pub quantity: Quantity,
    /// How much of it was issued.
    #[schema(read_only)]
    #[serde(default)]
    pub consumed: Quantity,
    /// What became of it; moved by `release` and `consume`, and by time.
    #[schema(read_only)]
    #[serde(default)]
    pub status: ReservationStatus,
    /// Until when it holds; null for until it is released. Put off by `extend`.
    pub expires_at: Option<Timestamp>,
    /// Resource of the record it is for, such as `orders`; with `source_id`.
    #[schema(min_length = 1, max_length = 100, pattern = "^[a-z_]+$", example = "orders")]
    pub source_resource: Option<String>,
    /// Id of that record.
    pub source_id: Option<Uuid>,
}

/// What became of a reservation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReservationStatus {
    /// It holds.
    #[default]
    Active,
    /// All of it was issued.
    Consumed,
    /// What was left of it was let go.
    Released,
    /// It was too late for what was left of it.
    Expired,
}

impl ReservationStatus {
    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Consumed => "consumed",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }
}

/// A later end of a reservation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendReservation {
    /// Until when it holds, in the future; null for until it is released.
    #[schema(required = true)]
    pub expires_at: Option<Timestamp>,
}

/// Goods issued of a reservation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsumeReservation {
    /// How much, in the product's unit; all that is left of the reservation when left out.
    #[schema(nullable = false)]
    pub quantity: Option<Quantity>,
    /// The lot it is of.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    pub lot_no: Option<String>,
    /// The serial number it is of.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    pub serial_no: Option<String>,
}

impl Resource for StockReservation {
    const PLURAL: &'static str = "stock_reservations";
    const SINGULAR: &'static str = "stock_reservation";
    const DESCRIPTION: &'static str = "Stock reserved for one purpose: it is not available to others.";
    const EVENTS: &'static [&'static str] = &["stock_reservation.reduced", "stock_reservation.expired"];
    const FILTERS: &'static [&'static str] = &["product_id", "warehouse_id", "status", "expires_at", "source_id"];
    const ANY_REFERENCES: &'static [AnyReference] = &[AnyReference::new("source_resource", "source_id", Targets::All)];
    const ON_DELETE: &'static [(&'static str, OnDelete)] = &[("source_id", OnDelete::Keep)];
    const SORTS: &'static [&'static str] = &["expires_at"];
    const TITLE: &'static str = "product_id";
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[
        Transition::new("release", &["active"], "released", "released"),
        Transition::within("extend", &["active"], Some("extended")),
        Transition::within("consume", &["active"], Some("consumed")),
    ];
    // A reservation is changed under the lock of its level.
    const TIMERS: &'static [Timer] = &[Timer::new("expire", "active", "expires_at").unlocked()];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({"product_id": example::id("products"), "warehouse_id": example::id("warehouses"), "quantity": "10", "source_resource": null})
    }
}
