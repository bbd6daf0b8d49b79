//! What accounting invoiced of an order's line: by it the line's amount moves from what is ordered to what is owed.

use crate::id::{AccountId, OrderId};
use samphan_resource::{
    example,
    money::{Amount, Price, Quantity},
    reference::OnDelete,
    resource::{Resource, Timeline},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// What a document of accounting's says of a line of an order. One for each document and line; the one with the newest `as_of` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct OrderInvoice {
    /// Code of the system whose document it is.
    #[schema(min_length = 1, max_length = 50, example = "erp")]
    pub system: String,
    /// The document's number there.
    #[schema(min_length = 1, max_length = 100, example = "INV-2026-00118")]
    pub document_no: String,
    /// What the document is.
    #[serde(default)]
    pub kind: InvoiceKind,
    /// The order.
    pub order_id: OrderId,
    /// The line.
    pub order_line_id: Uuid,
    /// How much of it, in the product's unit; of a credit note what is given back, `0` for an allowance on the price alone. What a
    /// credit note gives back is promised to the customer again, unless its order is closed.
    pub quantity: Quantity,
    /// For how much, tax included, in the order's currency.
    #[schema(example = "214.00")]
    pub amount: Price,
    /// How much of that is paid.
    #[serde(default)]
    pub paid_amount: Price,
    /// The document's date.
    #[schema(value_type = Option<String>, format = Date)]
    pub issued_on: Option<String>,
    /// When it entered the system's books: a balance as of then or later includes it.
    pub posted_at: Timestamp,
    /// When the system's books said so; a message older than what is known changes nothing. `posted_at` when left out.
    pub as_of: Option<Timestamp>,
    /// The legal entity in whose books it is: only that entity's balance can include it. The system's when left out; where the system keeps
    /// several, a balance includes it once all of them are as of `posted_at` or later.
    #[schema(min_length = 1, max_length = 50, example = "TH01")]
    pub entity: Option<String>,
    /// ISO 4217 currency of the balance that includes it; the order's when left out.
    #[schema(pattern = "^[A-Z]{3}$", example = "THB")]
    pub balance_currency: Option<String>,
    /// The customer.
    #[schema(read_only)]
    #[serde(default)]
    pub account_id: Option<AccountId>,
    /// ISO 4217 currency, the order's.
    #[schema(read_only, max_length = 3)]
    #[serde(default)]
    pub currency: Option<String>,
    /// What it adds to what the customer owes: the amount without what is paid, below zero for a credit note.
    #[schema(read_only)]
    #[serde(default)]
    pub owed_amount: Amount,
    /// Of a credit note: what it gives back beyond what was invoiced of the line. It is kept without effect on credit, and shown in the
    /// reconciliation.
    #[schema(read_only)]
    #[serde(default)]
    pub over_credited_amount: Amount,
}

/// What a document is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceKind {
    /// It asks for money.
    #[default]
    Invoice,
    /// It gives money back.
    CreditNote,
}

/// What a document says of a line of an order, sent with the balance that includes it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostedInvoice {
    /// The document's number.
    #[schema(min_length = 1, max_length = 100, example = "INV-2026-00118")]
    pub document_no: String,
    /// What the document is.
    #[serde(default)]
    pub kind: InvoiceKind,
    /// The order.
    pub order_id: OrderId,
    /// The line.
    pub order_line_id: Uuid,
    /// How much of it, in the product's unit; of a credit note what is given back, `0` for an allowance on the price alone. What a
    /// credit note gives back is promised to the customer again, unless its order is closed.
    pub quantity: Quantity,
    /// For how much, tax included, in the order's currency.
    #[schema(example = "214.00")]
    pub amount: Price,
    /// How much of that is paid.
    #[serde(default)]
    pub paid_amount: Price,
    /// The document's date.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, nullable = false)]
    pub issued_on: Option<String>,
    /// When it entered the system's books.
    pub posted_at: Timestamp,
    /// When the system's books said so; `posted_at` when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub as_of: Option<Timestamp>,
}

impl PostedInvoice {
    /// As it is kept, in the books of that system and entity, included in its balance of that currency.
    #[must_use]
    pub fn of(self, system: &str, entity: &str, currency: &str) -> OrderInvoice {
        OrderInvoice {
            system: system.to_owned(),
            entity: Some(entity.to_owned()),
            balance_currency: Some(currency.to_owned()),
            document_no: self.document_no,
            kind: self.kind,
            order_id: self.order_id,
            order_line_id: self.order_line_id,
            quantity: self.quantity,
            amount: self.amount,
            paid_amount: self.paid_amount,
            issued_on: self.issued_on,
            posted_at: self.posted_at,
            as_of: self.as_of.or(Some(self.posted_at)),
            account_id: None,
            currency: None,
            owed_amount: Amount(0),
            over_credited_amount: Amount(0),
        }
    }
}

impl Resource for OrderInvoice {
    const PLURAL: &'static str = "order_invoices";
    const SINGULAR: &'static str = "order_invoice";
    const DESCRIPTION: &'static str = "What accounting invoiced and credited of orders, by document and line.";
    const DATA_SUBJECT: &'static [&'static str] = &["account_id"];
    const FILTERS: &'static [&'static str] =
        &["system", "document_no", "order_id", "order_line_id", "account_id", "kind", "issued_on", "posted_at", "owed_amount"];
    const SORTS: &'static [&'static str] = &["issued_on"];
    const SEARCHED: &'static [&'static str] = &["document_no"];
    const TITLE: &'static str = "document_no";
    const TIMELINE: Option<Timeline> = Some(Timeline { at: "created_at", summary: None, actor: "created_by_id" });
    const UNIQUE: &'static [&'static [&'static str]] = &[&["system", "document_no", "order_line_id"]];
    const NAMES: &'static [(&'static str, &'static str, OnDelete)] = &[("system", "external_systems.code", OnDelete::Refuse)];
    const PARENTS: &'static [&'static str] = &["order_id"];

    fn example() -> Value {
        json!({
            "system": example::SYSTEM,
            "order_id": example::id("orders"),
            "order_line_id": example::id("order_lines"),
            "quantity": "10",
            "amount": "952.30",
            "posted_at": example::MOMENT,
            "account_id": example::id("accounts"),
            "currency": "THB",
            "owed_amount": "952.30",
        })
    }

    fn example_change() -> Value {
        json!({"paid_amount": "952.30"})
    }
}

impl OrderInvoice {
    /// Brings what follows from the rest up to date. Of a credit note `creditable` is what was invoiced of its line and not given back by
    /// another: it has no effect beyond that.
    pub fn settle(&mut self, creditable: Amount) {
        let owed = Amount(self.amount.0.saturating_sub(self.paid_amount.0));
        (self.owed_amount, self.over_credited_amount) = match self.kind {
            InvoiceKind::Invoice => (owed, Amount(0)),
            InvoiceKind::CreditNote => {
                let effective = self.credits(creditable);
                (Amount(owed.min(effective).0.saturating_neg()), Amount(self.amount.0).minus(effective))
            }
        };
        self.as_of = self.as_of.or(Some(self.posted_at));
    }

    /// What of a credit note has an effect, when so much was invoiced of its line and is not given back by another.
    #[must_use]
    pub fn credits(&self, creditable: Amount) -> Amount {
        Amount(self.amount.0).min(creditable).max(Amount(0))
    }
}
