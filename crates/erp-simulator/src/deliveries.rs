//! What leaves the CRM's shelves for orders: it leaves our stock too, and is invoiced; what comes back is credited.

use crate::{
    amount::{Amount, NotAnAmount},
    api::{ListOrdersQuery, ListShipmentsQuery, Order, Shipment},
    books::{Delivered, Delivery, Kin, days_after},
    dice::{fate, is_within},
    report::Report,
    simulator::{Done, Simulator},
    takeover::limit,
};
use std::collections::HashMap;
use uuid::Uuid;

/// Records asked for by their ids at a time: as many as an address may name.
const AT_ONCE: usize = 100;
/// Percent let off on an invoice with a rebate.
const REBATE: i64 = 10;
/// Percent of the first line that an allowance gives back.
const ALLOWANCE: i64 = 5;

/// A shipment that has left, and its order.
pub struct Shipped {
    shipment: Shipment,
    order: Order,
}

impl Simulator {
    /// Shipments and their orders.
    pub(crate) async fn shipped(&self, ids: &[Uuid]) -> Done<Vec<Shipped>> {
        let mut shipments = vec![];
        for some in ids.chunks(AT_ONCE) {
            let asked = ListShipmentsQuery { id: Some(named(some)), limit: limit(), ..ListShipmentsQuery::default() };
            shipments.extend(self.client.list_shipments(&asked).await?.data);
        }
        self.with_orders(shipments).await
    }

    /// What has left before we came, and is not invoiced.
    pub(crate) async fn shipped_before(&self) -> Done<Vec<Shipped>> {
        let mut all = vec![];
        let mut asked = ListShipmentsQuery { status: Some("shipped,delivered".to_owned()), limit: limit(), ..Default::default() };
        loop {
            let page = self.client.list_shipments(&asked).await?;
            all.extend(page.data);
            match page.next_cursor {
                Some(next) => asked.cursor = Some(next),
                None => break,
            }
        }
        let mut all = self.with_orders(all).await?;
        all.retain(|one| one.order.invoice_status == "none");
        Ok(all)
    }

    async fn with_orders(&self, shipments: Vec<Shipment>) -> Done<Vec<Shipped>> {
        let mut ids: Vec<Uuid> = shipments.iter().map(|shipment| shipment.order_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut orders = HashMap::new();
        for some in ids.chunks(AT_ONCE) {
            let asked = ListOrdersQuery { id: Some(named(some)), limit: limit(), ..ListOrdersQuery::default() };
            orders.extend(self.client.list_orders(&asked).await?.data.into_iter().map(|order| (order.id, order)));
        }
        let with_order = |shipment: Shipment| Some(Shipped { order: orders.get(&shipment.order_id)?.clone(), shipment });
        Ok(shipments.into_iter().filter_map(with_order).collect())
    }

    /// Writes down what left: once, and out of our stock where it was ours.
    pub(crate) fn deliver(&self, shipped: &Shipped, leaves: bool, report: &mut Report) -> Done<()> {
        let Shipped { shipment, order } = shipped;
        let Some((customer, _)) = self.books.known(Kin::Customer, order.account_id)? else {
            report.failed.push(format!("shipment {}: its customer is unknown", shipment.number));
            return Ok(());
        };
        let currency = order.currency.clone().map_or_else(|| self.books.currency(&customer), Ok)?;
        let ledger = self.books.ledger(&customer, self.entity(&order.id.to_string()), &currency)?;
        let mut lines = vec![];
        for line in &order.lines {
            let Some(id) = line.id else { continue };
            let of_it = shipment.lines.iter().filter(|part| part.order_line_id == id);
            let mut quantity = of_it.map(|part| part.quantity.parse()).sum::<Result<Amount, NotAnAmount>>()?;
            // A service has no shipment of its own: it is invoiced with the first one.
            if line.is_service && !self.books.knows_order_line(id)? {
                quantity = line.quantity.parse()?;
            }
            if quantity.is_positive() {
                let (ordered, total) = (line.quantity.parse()?, line.total_amount.parse()?);
                lines.push(Delivered { order_id: order.id, order_line_id: id, is_service: line.is_service, ordered, total, quantity });
            }
        }
        let terms = order.payment_terms_days.and_then(|days| u32::try_from(days).ok()).unwrap_or_default();
        if self.books.deliver(&Delivery { shipment: shipment.id, ledger, terms, lines })? && leaves {
            self.move_goods(shipment, |quantity| -quantity, "shipped")?;
        }
        Ok(())
    }

    /// Notes what came back of what had left, once: into our stock where it is ours.
    pub(crate) fn take_back(&self, shipped: &Shipped) -> Done<()> {
        let shipment = &shipped.shipment;
        if shipment.status == "failed" && self.books.take_back(&shipment.id.to_string())? {
            self.move_goods(shipment, |quantity| quantity, "returned")?;
        }
        Ok(())
    }

    /// Moves the goods of a shipment out of or into our stock, unless another warehouse is meant.
    fn move_goods(&self, shipment: &Shipment, signed: fn(Amount) -> Amount, reason: &str) -> Done<()> {
        if self.books.setting("warehouse")? != Some(shipment.warehouse_id.to_string()) {
            return Ok(());
        }
        for (n, part) in shipment.lines.iter().enumerate() {
            if let Some((code, _)) = self.books.known(Kin::Item, part.product_id)? {
                let source = format!("{reason} {} {n}", shipment.id);
                self.books.move_stock(&code, signed(part.quantity.parse()?), reason, Some(&source))?;
            }
        }
        Ok(())
    }

    /// Invoices what left: an invoice for each shipment. How many.
    pub fn invoice_shipped(&mut self) -> Done<usize> {
        let work = self.books.work()?;
        let (today, mut invoices) = (self.today()?, 0);
        let deliveries = self.books.uninvoiced()?;
        for (shipment, ledger, terms) in &deliveries {
            let falls = |what: &str, share| is_within(fate(self.options.seed, &format!("{what} of {shipment}")), share);
            let percent = if falls("rebate", self.options.rebate) { 100 - REBATE } else { 100 };
            let Some(number) = self.books.invoice((shipment, ledger), percent, today, days_after(today, *terms))? else { continue };
            invoices += 1;
            if falls("allowance", self.options.allowance) {
                invoices += usize::from(self.books.allow(&number, ALLOWANCE, today)?.is_some());
            }
        }
        self.mishap()?;
        work.commit()?;
        self.report.documents += invoices;
        Ok(deliveries.len())
    }

    /// Credits what came back: a credit note for each shipment, after its invoice. How many.
    pub fn credit_returned(&mut self) -> Done<usize> {
        let work = self.books.work()?;
        let (today, mut notes) = (self.today()?, 0);
        let returned = self.books.uncredited()?;
        for shipment in &returned {
            notes += usize::from(self.books.credit_return(shipment, today)?.is_some());
        }
        self.mishap()?;
        work.commit()?;
        self.report.documents += notes;
        Ok(returned.len())
    }
}

fn named(ids: &[Uuid]) -> String {
    ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(",")
}
