//! A promise: price, tax, stock and credit of an order to be, answered at once and held until it is made or too late.

use crate::{
    catalog::price_quote::PriceStep,
    id::{AccountId, ContactId, OrderId, PriceBookId, WarehouseId},
    integration::credit_policy::{CreditAction, CreditFinding},
    sales::{
        order::{OrderAddress, OrderTax, SalesChannel},
        order_hold::HoldKind,
        order_line::OrderLine,
        totals::TaxRounding,
    },
};
use samphan_resource::{
    example,
    money::{Amount, Quantity},
    privacy::PersonalData,
    reference::OnDelete,
    resource::{Resource, Timeline, VisibleThrough},
    timer::Timer,
    timestamp::Timestamp,
    transition::Transition,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// What an order would be, and what is held for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct OrderPromise {
    /// The customer.
    pub account_id: AccountId,
    /// Who asks.
    pub contact_id: Option<ContactId>,
    /// How the order comes in.
    #[serde(default)]
    pub channel: SalesChannel,
    /// The day the customer wants it.
    #[schema(value_type = Option<String>, format = Date)]
    pub requested_on: Option<String>,
    /// ISO 4217 currency of every amount here; the price book's when left out.
    #[schema(pattern = "^[A-Z]{3}$", example = "THB")]
    pub currency: Option<String>,
    /// The price book its prices come from; the account's, or the default one of the currency, when left out.
    pub price_book_id: Option<PriceBookId>,
    /// The warehouse it is delivered from; for each line whichever has it, when null.
    pub warehouse_id: Option<WarehouseId>,
    /// Where the goods go; the account's address when left out.
    pub shipping_address: Option<OrderAddress>,
    /// What is wanted.
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<OrderLine>,
    /// Until when it is held, at most a day; 15 minutes when left out.
    pub expires_at: Option<Timestamp>,
    /// The day prices and tax are of.
    #[schema(read_only, value_type = Option<String>, format = Date)]
    #[serde(default)]
    pub priced_on: Option<String>,
    /// How each price came about. Emptied 90 days after the promise ended.
    #[schema(read_only, max_items = 500)]
    #[serde(default)]
    pub waterfall: Vec<LinePrice>,
    /// What there is of each line, in each warehouse that has any of it, before this promise. Emptied 90 days after the promise ended.
    #[schema(read_only, max_items = 5000)]
    #[serde(default)]
    pub stock: Vec<LineStock>,
    /// The first day all of it can leave: today when it is there; null when that is not known.
    #[schema(read_only, value_type = Option<String>, format = Date)]
    #[serde(default)]
    pub available_on: Option<String>,
    /// Whether prices include tax.
    #[schema(read_only)]
    #[serde(default)]
    pub tax_inclusive: bool,
    /// Where tax is rounded.
    #[schema(read_only)]
    #[serde(default)]
    pub tax_rounding: TaxRounding,
    /// Prices times quantities.
    #[schema(read_only)]
    #[serde(default)]
    pub gross_amount: Amount,
    /// What is let off.
    #[schema(read_only)]
    #[serde(default)]
    pub discount_amount: Amount,
    /// What is left, without tax.
    #[schema(read_only)]
    #[serde(default)]
    pub net_amount: Amount,
    /// The tax.
    #[schema(read_only)]
    #[serde(default)]
    pub tax_amount: Amount,
    /// Net and tax.
    #[schema(read_only)]
    #[serde(default)]
    pub total_amount: Amount,
    /// The tax of each rate.
    #[schema(read_only, max_items = 500)]
    #[serde(default)]
    pub taxes: Vec<OrderTax>,
    /// What credit decided.
    #[schema(read_only)]
    #[serde(default)]
    pub credit_decision: Option<CreditAction>,
    /// Every rule of credit that had something to say, the strictest first.
    #[schema(read_only, max_items = 20)]
    #[serde(default)]
    pub credit_findings: Vec<CreditFinding>,
    /// The credit check behind it, whose authorisation is held.
    #[schema(read_only)]
    #[serde(default)]
    pub credit_check_id: Option<Uuid>,
    /// What an order like this would be held for; nothing is held for a promise that has any.
    #[schema(read_only, max_items = 10)]
    #[serde(default)]
    pub refused_for: Vec<HoldKind>,
    /// The order made from it.
    #[schema(read_only)]
    #[serde(default)]
    pub order_id: Option<OrderId>,
    /// What became of it.
    #[schema(read_only)]
    #[serde(default)]
    pub status: PromiseStatus,
}

/// How the price of a line came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LinePrice {
    /// The line.
    pub line_id: Uuid,
    /// What was looked at, step by step.
    #[schema(max_items = 20)]
    pub steps: Vec<PriceStep>,
}

/// What there is of a line in a warehouse.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LineStock {
    /// The line.
    pub line_id: Uuid,
    /// The warehouse.
    pub warehouse_id: WarehouseId,
    /// On hand and not reserved.
    pub available: Quantity,
    /// What is held there for this promise.
    pub held: Quantity,
}

/// What became of a promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromiseStatus {
    /// It holds.
    #[default]
    Active,
    /// It could not be given; see `refused_for`.
    Refused,
    /// An order was made from it.
    Used,
    /// It was let go.
    Released,
    /// It was too late.
    Expired,
}

impl PromiseStatus {
    /// As it is stored and told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Refused => "refused",
            Self::Used => "used",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }
}

impl Resource for OrderPromise {
    const PLURAL: &'static str = "order_promises";
    const SINGULAR: &'static str = "order_promise";
    const DESCRIPTION: &'static str = "Price, tax, stock and credit of orders to be, held until they are made.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] = &[(PersonalData::Contact, &["shipping_address"])];
    const DATA_SUBJECT: &'static [&'static str] = &["account_id", "contact_id"];
    const EVENTS: &'static [&'static str] = &["order_promise.used", "order_promise.expired"];
    const FILTERS: &'static [&'static str] = &["account_id", "status", "expires_at"];
    const TITLE: &'static str = "account_id";
    const TIMELINE: Option<Timeline> = Some(Timeline { at: "created_at", summary: None, actor: "created_by_id" });
    const OWNED: bool = true;
    const VISIBLE_THROUGH: &'static [VisibleThrough] = &[VisibleThrough::Owner, VisibleThrough::Parent("account_id")];
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[Transition::new("release", &["active"], "released", "released")];
    // Ending one gives back goods and credit.
    const TIMERS: &'static [Timer] = &[Timer::new("expire", "active", "expires_at").one_by_one()];
    const ON_DELETE: &'static [(&'static str, OnDelete)] = &[
        ("account_id", OnDelete::RefuseIn(&["active"])),
        ("contact_id", OnDelete::Keep),
        ("price_book_id", OnDelete::RefuseIn(&["active"])),
        ("warehouse_id", OnDelete::RefuseIn(&["active"])),
        ("lines.product_id", OnDelete::RefuseIn(&["active"])),
        ("lines.warehouse_id", OnDelete::RefuseIn(&["active"])),
    ];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({
            "account_id": example::id("accounts"),
            "channel": "telesales",
            "warehouse_id": example::id("warehouses"),
            "price_book_id": example::id("price_books"),
            "lines": [{
                "id": example::id("promise_lines"), "sku": "TEA-001", "quantity": "5", "product_id": example::id("products"),
                "unit_price": "89.00", "unit": "box", "tax_code": "VAT7", "tax_rate": "7", "gross_amount": "445.00", "net_amount": "445.00",
                "tax_amount": "31.15", "total_amount": "476.15", "reserved_quantity": "5",
            }],
            "gross_amount": "445.00",
            "net_amount": "445.00",
            "tax_amount": "31.15",
            "total_amount": "476.15",
            "taxes": [{"rate": "7", "net_amount": "445.00", "tax_amount": "31.15"}],
        })
    }
}
