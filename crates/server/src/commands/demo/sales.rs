//! The demo company's sales: tax, warehouses with goods, and orders in every state of their lives.

use super::{Company, Seller};
use samphan_api::{
    accounting::invoice,
    sales::{order, promise},
    stock::ledger::{self, MovementRequest},
};
use samphan_domain::{
    catalog::exchange_rate::ExchangeRate,
    id::{ProductId, WarehouseId},
    sales::{
        order::{Order, OrderReason},
        order_invoice::OrderInvoice,
        order_promise::OrderPromise,
        shipment::{CreateShipment, DeliverShipment, ShipShipment, Shipment},
        tax_rate::TaxRate,
    },
    stock::{stock_movement::MovementKind, warehouse::Warehouse},
};
use samphan_persistence::{
    record::merge,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, Result},
    money::{SCALE, SignedQuantity},
};
use serde_json::{Value, json};
use uuid::Uuid;

/// Orders made.
const ORDERS: usize = 24;
/// Those that were placed on hold by hand, each in the state it has come to.
const HELD: [usize; 5] = [4, 9, 12, 14, 22];

impl Company<'_> {
    /// VAT, two warehouses, and goods in them: enough of most, of some too little.
    pub(super) async fn stock(&mut self) -> Result<()> {
        let vat = json!({"code": "VAT7", "name": "VAT 7 %", "rate": "7"});
        self.add::<TaxRate>(stored::insert, None, vat).await?;
        let today = self.work.today().await?.to_string();
        for (from, rate, per) in [("USD", "35.2500", "1"), ("EUR", "38.1000", "1"), ("JPY", "23.1200", "100")] {
            let body = json!({"from_currency": from, "to_currency": "THB", "rate": rate, "per": per, "valid_from": today});
            self.add::<ExchangeRate>(stored::insert, None, body).await?;
        }
        let mut warehouses = vec![];
        for (code, name, region) in [("BKK1", "Bangkok, Rama IX", "Bangkok"), ("CNX1", "Chiang Mai", "Chiang Mai")] {
            let body = json!({"code": code, "name": name, "region": region, "country": "TH"});
            warehouses.push(self.add::<Warehouse>(stored::insert, None, body).await?.id());
        }
        let mut sql = self.work.sql();
        sql.push("SELECT id FROM products WHERE deleted_at IS NULL AND kind <> 'service' AND status = 'active' ORDER BY sku");
        let products = self.work.fetch(sql, |row| row.id(0)).await?;
        let entry = |n: usize, product: Uuid, warehouse: &Uuid| MovementRequest {
            product_id: ProductId(product),
            warehouse_id: WarehouseId(*warehouse),
            quantity: SignedQuantity(i64::try_from(5 + n * 37 % 200).unwrap_or(5) * SCALE),
            kind: MovementKind::Receipt,
            reason: Some("opening stock".to_owned()),
            source: None,
            lot_no: None,
            serial_no: None,
        };
        let places = products.iter().enumerate().flat_map(|(n, product)| {
            let both = if n.is_multiple_of(3) { 2 } else { 1 };
            warehouses.iter().take(both).map(move |warehouse| entry(n, *product, warehouse))
        });
        let booked = ledger::book(self.work, &places.collect::<Vec<_>>()).await?;
        *self.counts.entry("stock_movements").or_default() += booked.map_err(|_| Error::from(Code::Internal))?.len();
        Ok(())
    }

    /// Orders from draft to delivered, some of them promised first, what was invoiced of those that left, and what was asked for today.
    pub(super) async fn orders(&mut self, accounts: &[(Uuid, Seller)], contacts: &[Uuid]) -> Result<()> {
        let mut sql = self.work.sql();
        sql.push("SELECT sku FROM products WHERE deleted_at IS NULL AND status = 'active' ORDER BY sku");
        let skus = self.work.fetch(sql, |row| row.text(0)).await?;
        let line = |n: usize| json!({"sku": skus.get(n % skus.len().max(1)), "quantity": (1 + n % 4).to_string()});
        let channels = ["field", "telesales", "web", "partner"];
        for n in 0..ORDERS {
            let place = n * 5 % accounts.len().max(1);
            let Some((account, (owner, team))) = accounts.get(place).copied() else { break };
            let mut customer = json!({"account_id": account, "owner_id": owner, "team_id": team, "contact_id": contacts.get(place)});
            let mut lines = json!([line(n), line(n * 3 + 1), line(n * 7 + 2)]);
            if let (11 | 19, Some(first)) = (n, lines.get_mut(0).and_then(Value::as_object_mut)) {
                // More than there is: it is held.
                first.insert("quantity".to_owned(), json!("5000"));
            }
            let promise = if n % 8 == 5 { self.promise(&customer, lines.clone()).await? } else { None };
            let rest = json!({"channel": channels.get(n % 4), "promise_id": promise, "customer_reference": format!("PO-{:04}", 1_100 + n * 7),
                "lines": if promise.is_some() { json!([]) } else { lines }});
            merge(&mut customer, &rest);
            let made = self.add::<Order>(order::create, None, customer).await?;
            self.live_on(made, n).await?;
        }
        for n in 1..=4 {
            let Some((account, (owner, team))) = accounts.get(n).copied() else { break };
            let customer = json!({"account_id": account, "owner_id": owner, "team_id": team, "contact_id": contacts.get(n)});
            self.promise(&customer, json!([line(24 + n)])).await?;
        }
        Ok(())
    }

    /// A promise; its id when it could be given.
    async fn promise(&mut self, customer: &Value, lines: Value) -> Result<Option<Uuid>> {
        let mut body = customer.clone();
        merge(&mut body, &json!({"lines": lines}));
        let made = self.add::<OrderPromise>(promise::create, None, body).await?;
        Ok(made.data.refused_for.is_empty().then(|| made.id()))
    }

    /// Takes an order as far as its number says, and holds it where it is one of `HELD`.
    async fn live_on(&mut self, order: Stored<Order>, n: usize) -> Result<()> {
        let id = order.id();
        self.advance(order, n).await?;
        if HELD.contains(&n)
            && let Some(order) = stored::find_visible::<Order>(self.work, id).await?
        {
            let reason = Some("the customer asked to wait".to_owned());
            order::by_hand(self.work, order, OrderReason { reason }).await?;
        }
        Ok(())
    }

    async fn advance(&mut self, order: Stored<Order>, n: usize) -> Result<()> {
        if n.is_multiple_of(8) {
            return Ok(());
        }
        let order = order::submit(self.work, order).await?;
        match n % 8 {
            1 => return Ok(()),
            2 => {
                let reason = Some("the customer changed their mind".to_owned());
                return order::cancel(self.work, order, OrderReason { reason }).await.map(|_| ());
            }
            _ => {}
        }
        let order = order::confirm(self.work, order).await?;
        if n % 8 < 5 || order.data.lines.iter().all(|l| l.allocations.is_empty()) {
            return Ok(());
        }
        let shipment = self.ship(&order).await?;
        if n % 8 == 7 {
            samphan_api::sales::shipment::deliver(self.work, shipment, DeliverShipment { delivered_at: None }).await?;
        }
        if n % 8 > 5 {
            self.invoice(order.id(), n).await?;
        }
        Ok(())
    }

    async fn ship(&mut self, order: &Stored<Order>) -> Result<Stored<Shipment>> {
        let first = order.data.lines.iter().flat_map(|l| &l.allocations).map(|a| a.warehouse_id).next();
        let asked = CreateShipment {
            warehouse_id: first,
            lines: None,
            carrier: Some("Kerry Express".to_owned()),
            tracking_no: None,
            promised_on: None,
        };
        let shipment = samphan_api::sales::shipment::plan(self.work, order, asked).await?;
        *self.counts.entry("shipments").or_default() += 1;
        let left = ShipShipment { carrier: None, tracking_no: None, shipped_at: None, picked: vec![] };
        samphan_api::sales::shipment::ship(self.work, shipment, left).await
    }

    async fn invoice(&mut self, order: Uuid, n: usize) -> Result<()> {
        let Some(order) = stored::find_visible::<Order>(self.work, order).await? else { return Ok(()) };
        for (i, line) in order.data.lines.iter().filter(|l| l.shipped_quantity == l.quantity).enumerate() {
            let body = json!({"system": "express", "document_no": format!("IV-{:05}", 100 + n), "order_id": order.id(), "order_line_id": line.id,
                "quantity": line.quantity, "amount": line.total_amount, "posted_at": self.work.now,
                "paid_amount": if i == 0 { line.total_amount.to_string() } else { "0".to_owned() }});
            self.add::<OrderInvoice>(invoice::create, None, body).await?;
        }
        Ok(())
    }
}
