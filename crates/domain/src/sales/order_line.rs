//! A line of an order: a product, how much of it, for how much, and how far it has come.

use crate::{
    id::{ProductId, WarehouseId},
    sales::totals::{Line, LineTotals},
};
use samphan_resource::money::{Amount, Percent, Price, Quantity};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A line of an order. What is sent is what is ordered; the rest is what that comes to and how far it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct OrderLine {
    /// The line, by which it is changed, shipped and invoiced; made when left out.
    pub id: Option<Uuid>,
    /// The product. One of this and `sku` is needed.
    pub product_id: Option<ProductId>,
    /// The product by its SKU; as it was when the line was priced.
    #[schema(max_length = 64, format = "visible", example = "TEA-001")]
    pub sku: Option<String>,
    /// What stands on the document; the product's name when left out.
    #[schema(max_length = 200)]
    pub description: Option<String>,
    /// How much of it, in the product's unit, more than zero.
    #[schema(required = true, example = "12")]
    pub quantity: Quantity,
    /// Price of one; from the price book when left out.
    pub unit_price: Option<Price>,
    /// Percent let off, at most 100.
    pub discount_percent: Option<Percent>,
    /// The warehouse it comes from; the order's, or whichever has it, when left out.
    pub warehouse_id: Option<WarehouseId>,
    /// Unit of sale.
    #[schema(read_only, max_length = 50)]
    pub unit: Option<String>,
    /// Whether it is a service, of which there is no stock.
    #[schema(read_only)]
    pub is_service: bool,
    /// Whether the price is another than the price book's.
    #[schema(read_only)]
    pub is_price_manual: bool,
    /// Whether it is as it was last confirmed: its price and tax stay until the line itself changes.
    #[schema(read_only)]
    pub is_confirmed: bool,
    /// The product's tax code.
    #[schema(read_only, max_length = 20)]
    pub tax_code: Option<String>,
    /// Percent of tax.
    #[schema(read_only)]
    pub tax_rate: Percent,
    /// Price times quantity.
    #[schema(read_only)]
    pub gross_amount: Amount,
    /// What is let off.
    #[schema(read_only)]
    pub discount_amount: Amount,
    /// What is left, without tax.
    #[schema(read_only)]
    pub net_amount: Amount,
    /// The tax.
    #[schema(read_only)]
    pub tax_amount: Amount,
    /// Net and tax.
    #[schema(read_only)]
    pub total_amount: Amount,
    /// What is put aside for it and not shipped yet.
    #[schema(read_only)]
    pub reserved_quantity: Quantity,
    /// Where that is put aside.
    #[schema(read_only, max_items = 50)]
    pub allocations: Vec<LineAllocation>,
    /// What is in shipments that have not left yet, of what is put aside.
    #[schema(read_only)]
    pub planned_quantity: Quantity,
    /// What has left.
    #[schema(read_only)]
    pub shipped_quantity: Quantity,
    /// What has arrived.
    #[schema(read_only)]
    pub delivered_quantity: Quantity,
    /// What accounting has invoiced.
    #[schema(read_only)]
    pub invoiced_quantity: Quantity,
    /// For how much, tax included.
    #[schema(read_only)]
    pub invoiced_amount: Amount,
    /// What of that it has given back by credit notes, at most all of it.
    #[schema(read_only)]
    pub credited_quantity: Quantity,
    /// What is promised to the customer: the line's quantity once the order is confirmed, what was shipped of an order that was closed early.
    #[schema(read_only)]
    pub committed_quantity: Quantity,
    /// For how much, tax included.
    #[schema(read_only)]
    pub committed_amount: Amount,
}

/// Goods put aside for a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineAllocation {
    /// The warehouse.
    pub warehouse_id: WarehouseId,
    /// The reservation.
    pub reservation_id: Uuid,
    /// How much is put aside there and not shipped yet.
    pub quantity: Quantity,
    /// Of that, what is in shipments that have not left yet.
    pub planned: Quantity,
}

impl OrderLine {
    /// As it is added up.
    #[must_use]
    pub fn line(&self) -> Line {
        Line {
            quantity: self.quantity,
            unit_price: self.unit_price.unwrap_or_default(),
            discount: self.discount_percent.unwrap_or_default(),
            tax_rate: self.tax_rate,
        }
    }

    /// With what it comes to.
    pub const fn takes(&mut self, totals: &LineTotals) {
        self.gross_amount = totals.gross;
        self.discount_amount = totals.discount;
        self.net_amount = totals.net;
        self.tax_amount = totals.tax;
        self.total_amount = totals.total;
    }

    /// What a client may say of it: two lines that agree in this are the same order.
    #[must_use]
    pub fn asked(&self) -> serde_json::Value {
        let discount = self.discount_percent.filter(|d| d.0 > 0);
        serde_json::json!([self.id, self.product_id, self.description, self.quantity, self.unit_price, discount, self.warehouse_id])
    }

    /// What is neither shipped nor put aside.
    #[must_use]
    pub fn unallocated(&self) -> Quantity {
        if self.is_service {
            return Quantity(0);
        }
        Quantity((self.quantity.0 - self.shipped_quantity.0 - self.reserved_quantity.0).max(0))
    }

    /// What is sold on which terms, beside how much of it.
    #[must_use]
    pub fn terms(&self) -> (Option<ProductId>, Option<Price>, Option<Percent>) {
        (self.product_id, self.unit_price, self.discount_percent.filter(|d| d.0 > 0))
    }

    /// Whether its price and tax are those of the line of the same id that it goes on from, whatever price books and tax rates say now: it
    /// is confirmed and does not change, or something of it is shipped or invoiced.
    #[must_use]
    pub fn keeps_price_of(&self, before: &Self) -> bool {
        let is_rendered = before.shipped_quantity.0 > 0 || before.billed_quantity().0 > 0;
        let is_same = self.quantity == before.quantity && self.terms() == before.terms();
        self.product_id == before.product_id && (is_rendered || before.is_confirmed && is_same)
    }

    /// Whether nothing of it is left to be shipped or invoiced.
    #[must_use]
    pub fn is_rendered(&self) -> bool {
        self.shipped_quantity >= self.quantity || self.billed_quantity() >= self.quantity
    }

    /// Goes on from where the line of the same id stood.
    pub fn follow(&mut self, before: &Self) {
        self.is_confirmed = before.is_confirmed;
        self.reserved_quantity = before.reserved_quantity;
        self.allocations.clone_from(&before.allocations);
        self.planned_quantity = before.planned_quantity;
        self.shipped_quantity = before.shipped_quantity;
        self.delivered_quantity = before.delivered_quantity;
        self.invoiced_quantity = before.invoiced_quantity;
        self.invoiced_amount = before.invoiced_amount;
        self.credited_quantity = before.credited_quantity;
        self.committed_quantity = before.committed_quantity;
        self.committed_amount = before.committed_amount;
    }

    /// What is invoiced of it and not given back.
    #[must_use]
    pub fn billed_quantity(&self) -> Quantity {
        Quantity((self.invoiced_quantity.0 - self.credited_quantity.0).max(0))
    }

    /// As a new order begins with it.
    #[must_use]
    pub fn afresh(&self) -> Self {
        Self {
            product_id: self.product_id,
            description: self.description.clone(),
            quantity: self.quantity,
            unit_price: self.unit_price.filter(|_| self.is_price_manual),
            discount_percent: self.discount_percent,
            warehouse_id: self.warehouse_id,
            ..Self::default()
        }
    }

    /// Notes anew how much is put aside, from where.
    pub fn count(&mut self) {
        self.allocations.retain(|a| a.quantity.0 > 0);
        let sum = |of: fn(&LineAllocation) -> i64| Quantity(self.allocations.iter().map(of).sum());
        let (reserved, planned) = (sum(|a| a.quantity.0), sum(|a| a.planned.0));
        self.reserved_quantity = reserved;
        self.planned_quantity = planned;
    }
}
