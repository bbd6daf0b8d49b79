//! An order: what a customer wants, on what terms, and how far it has come. One record with its lines, so that a client that reads
//! it, is told of it or changes it has all of it.

use crate::{
    id::{AccountId, ContactId, OrderPromiseId, PriceBookId, WarehouseId},
    sales::{
        order_hold::HoldKind,
        order_line::OrderLine,
        totals::{TaxRounding, Terms, totals},
    },
};
use samphan_resource::{
    example,
    money::{Amount, Percent, Quantity},
    privacy::PersonalData,
    reference::OnDelete,
    resource::{Details, Items, Numbering, Resource, Timeline, VisibleThrough},
    transition::Transition,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// An order with its lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct Order {
    /// Our number for it.
    #[schema(read_only, max_length = 20, example = "SO-000042")]
    #[serde(default)]
    pub number: String,
    /// The customer.
    pub account_id: AccountId,
    /// Who ordered.
    pub contact_id: Option<ContactId>,
    /// The promise it is made from: lines and terms are the promise's, and so is what was held for it.
    pub promise_id: Option<OrderPromiseId>,
    /// How it came in.
    #[serde(default)]
    pub channel: SalesChannel,
    /// The customer's own number for it.
    #[schema(max_length = 100, example = "PO-2026-118")]
    pub customer_reference: Option<String>,
    /// The day it was placed, which decides on prices and tax; today when left out.
    #[schema(value_type = Option<String>, format = Date)]
    pub ordered_on: Option<String>,
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
    /// Days until an invoice is due; the account's when left out.
    #[schema(minimum = 0, maximum = 3650)]
    pub payment_terms_days: Option<i32>,
    /// Where the bill goes, as it was when the order was made; the account's address when left out.
    pub billing_address: Option<OrderAddress>,
    /// Where the goods go; the account's address when left out.
    pub shipping_address: Option<OrderAddress>,
    /// What stands on the tax invoice; the account's address, name, tax id and branch when left out. It and `billing_address` can be put
    /// right after confirming, until something is invoiced.
    pub tax_invoice_address: Option<OrderAddress>,
    /// Anything worth knowing.
    #[schema(max_length = 5000)]
    pub note: Option<String>,
    /// What is ordered.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub lines: Vec<OrderLine>,
    /// Whether prices include tax.
    #[schema(read_only)]
    #[serde(default)]
    pub tax_inclusive: bool,
    /// Where tax is rounded: with each `line`, or once for each rate over the whole `document`.
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
    /// The tax of each rate, the lowest first.
    #[schema(read_only, max_items = 500)]
    #[serde(default)]
    pub taxes: Vec<OrderTax>,
    /// Where it stands.
    #[schema(read_only)]
    #[serde(default)]
    pub status: OrderStatus,
    /// What credit said.
    #[schema(read_only)]
    #[serde(default)]
    pub credit_status: CreditStanding,
    /// How far the goods are.
    #[schema(read_only)]
    #[serde(default)]
    pub fulfilment_status: FulfilmentStatus,
    /// How much accounting has invoiced, by quantity: `fully` when nothing is left to invoice, for whatever amount.
    #[schema(read_only)]
    #[serde(default)]
    pub invoice_status: Completion,
    /// How much of that is paid: `settled` when nothing of it is owed any more, by payments and credit notes together.
    #[schema(read_only)]
    #[serde(default)]
    pub payment_status: PaymentStatus,
    /// Kinds of holds that were released by a user: they do not come back unless what is ordered changes.
    #[schema(read_only, max_items = 10)]
    #[serde(default)]
    pub waived_holds: Vec<HoldKind>,
    /// What we have promised to deliver, tax included: the total of a confirmed order, what was shipped of one that was closed early.
    #[schema(read_only)]
    #[serde(default)]
    pub committed_amount: Amount,
    /// What accounting has invoiced of it, tax included.
    #[schema(read_only)]
    #[serde(default)]
    pub invoiced_amount: Amount,
    /// What it has given back by credit notes, at most what was invoiced.
    #[schema(read_only)]
    #[serde(default)]
    pub credited_amount: Amount,
    /// What the customer has paid of it.
    #[schema(read_only)]
    #[serde(default)]
    pub paid_amount: Amount,
    /// What is promised and not invoiced: what counts against the customer's credit as an open order. It goes by quantity: of each line
    /// the share of its amount that the quantity is which is promised and not invoiced, so rebates and rounding leave nothing open. A
    /// quantity that a credit note gives back is promised again, unless the order is closed; a credit note without a quantity opens nothing.
    #[schema(read_only)]
    #[serde(default)]
    pub open_amount: Amount,
    /// The credit check that let it pass, or did not.
    #[schema(read_only)]
    #[serde(default)]
    pub credit_check_id: Option<Uuid>,
    /// The order it was copied from.
    #[schema(read_only)]
    #[serde(default)]
    pub cloned_from_id: Option<Uuid>,
    /// When it was confirmed.
    #[schema(read_only)]
    #[serde(default)]
    pub confirmed_at: Option<samphan_resource::timestamp::Timestamp>,
}

/// An address as a document carries it: a copy that stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OrderAddress {
    /// To whom.
    #[schema(max_length = 200)]
    pub name: Option<String>,
    /// Tax id.
    #[schema(max_length = 30)]
    pub tax_id: Option<String>,
    /// Thai VAT branch: five digits, `00000` is the head office.
    #[schema(max_length = 10)]
    pub branch_code: Option<String>,
    /// House number and street.
    #[schema(max_length = 200)]
    pub line1: Option<String>,
    /// Building, floor, room.
    #[schema(max_length = 200)]
    pub line2: Option<String>,
    /// Sub-district (tambon, khwaeng).
    #[schema(max_length = 100)]
    pub subdistrict: Option<String>,
    /// District (amphoe, khet).
    #[schema(max_length = 100)]
    pub district: Option<String>,
    /// Town.
    #[schema(max_length = 100)]
    pub city: Option<String>,
    /// Province or state.
    #[schema(max_length = 100)]
    pub region: Option<String>,
    /// Postal code.
    #[schema(max_length = 20)]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(pattern = "^[A-Z]{2}$")]
    pub country: Option<String>,
}

/// The tax of one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderTax {
    /// Percent.
    pub rate: Percent,
    /// What it is of, without tax.
    pub net_amount: Amount,
    /// The tax.
    pub tax_amount: Amount,
}

/// How an order comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SalesChannel {
    /// A seller at the customer's.
    #[default]
    Field,
    /// A seller on the telephone.
    Telesales,
    /// The customer, in a shop on the web.
    Web,
    /// A partner or marketplace.
    Partner,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Being written.
    #[default]
    Draft,
    /// Asked for, not promised.
    Submitted,
    /// Something stands in the way; see its holds.
    OnHold,
    /// Promised.
    Confirmed,
    /// Part of it has left.
    InFulfilment,
    /// All of it has arrived.
    Fulfilled,
    /// Done.
    Closed,
    /// Not wanted any more; nothing has left.
    Cancelled,
}

impl OrderStatus {
    /// As it is stored and told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::OnHold => "on_hold",
            Self::Confirmed => "confirmed",
            Self::InFulfilment => "in_fulfilment",
            Self::Fulfilled => "fulfilled",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What credit said to an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditStanding {
    /// It was not asked.
    #[default]
    NotChecked,
    /// It fits.
    Approved,
    /// It fits, and there are reasons to look at.
    Warned,
    /// It is held.
    Held,
    /// It is declined.
    Declined,
    /// It was held, and somebody with the right let it go.
    Released,
}

/// How far the goods are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FulfilmentStatus {
    /// Nothing is put aside.
    #[default]
    Unallocated,
    /// Some of it is.
    PartlyAllocated,
    /// All of it is.
    Allocated,
    /// Some has left.
    PartlyShipped,
    /// All has left.
    Shipped,
    /// All has left and some has arrived.
    PartlyDelivered,
    /// All has arrived.
    Delivered,
}

/// How much of something is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Completion {
    /// Nothing.
    #[default]
    None,
    /// Some of it.
    Partly,
    /// All of it.
    Fully,
}

/// How much of what was invoiced is paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Nothing is paid, and what was invoiced is owed.
    #[default]
    None,
    /// Some of it is paid; the rest is owed.
    Partly,
    /// Everything that was promised is paid.
    Fully,
    /// Nothing of what was invoiced is owed: it was paid, or given back by credit notes.
    Settled,
}

impl Order {
    /// The line of that id.
    #[must_use]
    pub fn line(&self, id: Uuid) -> Option<&OrderLine> {
        self.lines.iter().find(|l| l.id == Some(id))
    }

    /// The same, to change it.
    pub fn line_mut(&mut self, id: Uuid) -> Option<&mut OrderLine> {
        self.lines.iter_mut().find(|l| l.id == Some(id))
    }

    /// Adds everything up; false when an amount is beyond what can be kept.
    #[must_use]
    pub fn add_up(&mut self, decimals: u32) -> bool {
        let lines: Vec<_> = self.lines.iter().map(OrderLine::line).collect();
        let terms = Terms { decimals, tax_inclusive: self.tax_inclusive, rounding: self.tax_rounding };
        let Some(made) = totals(&lines, terms) else { return false };
        for (line, its) in self.lines.iter_mut().zip(&made.lines) {
            line.takes(its);
        }
        self.gross_amount = made.whole.gross;
        self.discount_amount = made.whole.discount;
        self.net_amount = made.whole.net;
        self.tax_amount = made.whole.tax;
        self.total_amount = made.whole.total;
        self.taxes = made.taxes.iter().map(|t| OrderTax { rate: t.rate, net_amount: t.net, tax_amount: t.tax }).collect();
        true
    }

    /// Whether it is promised to the customer.
    #[must_use]
    pub const fn is_promised(&self) -> bool {
        matches!(self.status, OrderStatus::Confirmed | OrderStatus::InFulfilment | OrderStatus::Fulfilled)
    }

    /// Whether it was confirmed, and not cancelled since.
    #[must_use]
    pub const fn is_confirmed(&self) -> bool {
        let was_confirmed = self.confirmed_at.is_some() && matches!(self.status, OrderStatus::OnHold | OrderStatus::Closed);
        self.is_promised() || was_confirmed
    }

    /// Marks the lines of a promised order as confirmed: before it is held or amended, after which its status does not say so any more.
    pub fn mark_confirmed(&mut self) {
        if self.is_promised() {
            self.lines.iter_mut().for_each(|l| l.is_confirmed = true);
        }
    }

    /// How far the goods are, by the quantities of the lines.
    pub(super) fn fulfilment(&self) -> FulfilmentStatus {
        let goods = || self.lines.iter().filter(|l| !l.is_service);
        let all = |done: fn(&OrderLine) -> Quantity| goods().all(|l| done(l) >= l.quantity);
        let any = |done: fn(&OrderLine) -> Quantity| goods().any(|l| done(l).0 > 0);
        let gone = |l: &OrderLine| l.shipped_quantity;
        let arrived = |l: &OrderLine| l.delivered_quantity;
        if goods().next().is_none() {
            // Services alone need no goods.
            return if self.is_promised() { FulfilmentStatus::Delivered } else { FulfilmentStatus::Unallocated };
        }
        match () {
            () if all(arrived) => FulfilmentStatus::Delivered,
            () if all(gone) && any(arrived) => FulfilmentStatus::PartlyDelivered,
            () if all(gone) => FulfilmentStatus::Shipped,
            () if any(gone) => FulfilmentStatus::PartlyShipped,
            () if goods().all(|l| l.unallocated().0 == 0) => FulfilmentStatus::Allocated,
            () if any(|l| l.reserved_quantity) => FulfilmentStatus::PartlyAllocated,
            () => FulfilmentStatus::Unallocated,
        }
    }

    /// What may not change any more once it is promised, unless it is amended.
    #[must_use]
    pub fn terms(&self) -> serde_json::Value {
        let lines: Vec<_> = self.lines.iter().map(OrderLine::asked).collect();
        serde_json::json!([
            self.account_id,
            self.contact_id,
            self.promise_id,
            self.channel,
            self.ordered_on,
            self.requested_on,
            self.currency,
            self.price_book_id,
            self.warehouse_id,
            self.payment_terms_days,
            self.billing_address,
            self.shipping_address,
            self.tax_invoice_address,
            lines
        ])
    }
}

/// The states of an order of which something is still to leave.
const OPEN: &[&str] = &["draft", "submitted", "on_hold", "confirmed", "in_fulfilment"];

impl Resource for Order {
    const PLURAL: &'static str = "orders";
    const SINGULAR: &'static str = "order";
    const DESCRIPTION: &'static str = "What customers ordered, with the lines, and how far it has come.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] =
        &[(PersonalData::Contact, &["billing_address", "shipping_address", "tax_invoice_address"]), (PersonalData::FreeText, &["note"])];
    const RETAINED_AFTER_ERASURE: &'static [&'static str] = &["billing_address", "tax_invoice_address"];
    const DATA_SUBJECT: &'static [&'static str] = &["account_id", "contact_id"];
    const EVENTS: &'static [&'static str] = &["order.shipped", "order.delivered", "order.returned", "order.invoiced"];
    const FILTERS: &'static [&'static str] = &[
        "number",
        "account_id",
        "contact_id",
        "promise_id",
        "channel",
        "customer_reference",
        "ordered_on",
        "requested_on",
        "total_amount",
        "status",
        "credit_status",
        "fulfilment_status",
        "invoice_status",
        "payment_status",
    ];
    const ITEMS: &'static [Items] = &[Items { name: "product_id", field: "lines", member: Some("product_id") }];
    const SORTS: &'static [&'static str] = &["number", "ordered_on"];
    const SEARCHED: &'static [&'static str] = &["number", "customer_reference"];
    const NUMBER: Option<Numbering> = Some(Numbering { prefix: "SO-", width: 6 });
    const TITLE: &'static str = "number";
    const TIMELINE: Option<Timeline> = Some(Timeline { at: "created_at", summary: Some("customer_reference"), actor: "created_by_id" });
    // What an order is made of stays while something of it is still to leave. What else keeps its customer follows from amounts.
    const ON_DELETE: &'static [(&'static str, OnDelete)] = &[
        ("account_id", OnDelete::RefuseIn(OPEN)),
        ("contact_id", OnDelete::Keep),
        ("price_book_id", OnDelete::RefuseIn(OPEN)),
        ("warehouse_id", OnDelete::RefuseIn(OPEN)),
        ("lines.product_id", OnDelete::RefuseIn(OPEN)),
        ("lines.warehouse_id", OnDelete::RefuseIn(OPEN)),
    ];
    const OWNED: bool = true;
    const VISIBLE_THROUGH: &'static [VisibleThrough] = &[VisibleThrough::Owner, VisibleThrough::Parent("account_id")];
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[
        Transition::new("submit", &["draft"], "submitted", "submitted"),
        Transition::within("confirm", &["submitted", "on_hold"], Some("confirmed")),
        Transition::within("release", &["on_hold"], Some("released")),
        Transition::new("hold", &["submitted", "confirmed", "in_fulfilment"], "on_hold", "held"),
        Transition::within("amend", &["on_hold", "confirmed", "in_fulfilment"], Some("amended")),
        Transition::within("allocate-stock", &["confirmed", "in_fulfilment"], Some("allocated")),
        Transition::within("create-shipment", &["confirmed", "in_fulfilment"], Some("planned")),
        Transition::new("cancel", &["draft", "submitted", "on_hold", "confirmed"], "cancelled", "cancelled"),
        Transition::new("close", &["on_hold", "confirmed", "in_fulfilment", "fulfilled"], "closed", "closed"),
        Transition::within("reopen", &["closed", "cancelled"], Some("reopened")),
        Transition::within(
            "clone",
            &["draft", "submitted", "on_hold", "confirmed", "in_fulfilment", "fulfilled", "closed", "cancelled"],
            None,
        ),
    ];
    const DETAILS: &'static [Details] =
        &[Details { name: "holds", resource: "order_holds", field: "order_id", status: "open", unasked_in: "on_hold" }];
    const CREATE_OPTIONS: &'static [(&'static str, &'static str)] = &[(
        "confirm",
        "Whether to submit and confirm it in the same transaction, as `submit` and `confirm` do, with their permissions. What is in the way \
         holds it: then the answer is `on_hold`, with the holds under `expanded`.",
    )];

    fn example() -> Value {
        json!({
            "account_id": example::id("accounts"),
            "contact_id": example::id("contacts"),
            "channel": "telesales",
            "warehouse_id": example::id("warehouses"),
            "price_book_id": example::id("price_books"),
            "payment_terms_days": 30,
            "lines": [{
                "id": example::id("order_lines"), "sku": "TEA-001", "quantity": "10", "product_id": example::id("products"),
                "unit_price": "89.00", "unit": "box", "tax_code": "VAT7", "tax_rate": "7", "gross_amount": "890.00", "net_amount": "890.00",
                "tax_amount": "62.30", "total_amount": "952.30", "description": "Jasmine tea 50 g",
            }],
            "gross_amount": "890.00",
            "net_amount": "890.00",
            "tax_amount": "62.30",
            "total_amount": "952.30",
            "taxes": [{"rate": "7", "net_amount": "890.00", "tax_amount": "62.30"}],
        })
    }

    fn example_change() -> Value {
        json!({"note": "Call before delivery."})
    }
}

/// What changes of a promised order. What is left out stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AmendOrder {
    /// All lines as they are to be: those with an `id` go on from where they stand, those left out are cancelled. A line that does not
    /// change, or of which something is shipped or invoiced, keeps its price and tax; others are priced by the day of the amendment.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 500, nullable = false)]
    pub lines: Option<Vec<OrderLine>>,
    /// The day the customer wants it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, nullable = false)]
    pub requested_on: Option<String>,
    /// Where the goods go. Merged as by PATCH: what is left out stays, null clears.
    #[serde(default)]
    #[schema(value_type = Option<OrderAddress>, nullable = false)]
    pub shipping_address: Option<Map<String, Value>>,
    /// Where the bill goes, merged likewise; refused once something is invoiced.
    #[serde(default)]
    #[schema(value_type = Option<OrderAddress>, nullable = false)]
    pub billing_address: Option<Map<String, Value>>,
    /// What stands on the tax invoice, merged likewise; refused once something is invoiced.
    #[serde(default)]
    #[schema(value_type = Option<OrderAddress>, nullable = false)]
    pub tax_invoice_address: Option<Map<String, Value>>,
    /// The warehouse it is delivered from. What is put aside elsewhere is put aside there instead, or the amendment is refused.
    #[serde(default)]
    #[schema(nullable = false)]
    pub warehouse_id: Option<WarehouseId>,
    /// The customer's own number for it.
    #[serde(default)]
    #[schema(max_length = 100, nullable = false)]
    pub customer_reference: Option<String>,
    /// Why; kept in the audit.
    #[serde(default)]
    #[schema(max_length = 500, nullable = false)]
    pub reason: Option<String>,
}

/// Why something is done to an order.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderReason {
    /// Why; kept in the audit, and with the hold where there is one.
    #[serde(default)]
    #[schema(max_length = 500, nullable = false)]
    pub reason: Option<String>,
}
