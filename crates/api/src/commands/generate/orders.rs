//! Orders: most delivered, invoiced and paid long ago, some given up, and the last ones still open.

use super::{Made, Maker, draft};
use crate::commands::names::{PLACES, at};
use samphan_domain::{
    catalog::product::Product,
    error::{Code, Error, Result},
    id::ProductId,
    money::{Percent, Price, Quantity, SCALE},
    sales::{
        order::{Order, OrderAddress, OrderStatus},
        order_line::OrderLine,
    },
};
use samphan_persistence::{bulk, stored::Stored};
use serde_json::json;
use uuid::Uuid;

/// Percent of tax on everything.
const TAX: Percent = Percent(7 * SCALE);
/// Days the orders are spread over, up to the last day.
const DAYS: usize = 1_095;
const LAST_DAY: chrono::NaiveDate = match chrono::NaiveDate::from_ymd_opt(2026, 10, 31) {
    Some(day) => day,
    None => chrono::NaiveDate::MAX,
};

/// Something that is sold.
#[derive(Clone)]
pub(super) struct Good {
    id: Uuid,
    sku: String,
    name: String,
    price: i64,
}

impl Maker {
    /// What is sold: a product for every fifty accounts, within reason.
    pub(super) async fn goods(&mut self, accounts: usize) -> Result<Vec<Good>> {
        let many = (accounts / 50).clamp(50, 10_000);
        let mut goods: Vec<Good> = vec![];
        while goods.len() < many {
            let work = self.work().await?;
            let mut drafts = vec![];
            for n in goods.len()..many.min(goods.len() + super::CHUNK) {
                let price = i64::try_from(1 + self.chance.below(5_000)).unwrap_or(1) * SCALE / 4;
                let good = Good { id: self.id(&work), sku: format!("G-{n:05}"), name: format!("สินค้า Product {n}"), price };
                let body = json!({"id": good.id, "sku": good.sku, "name": good.name, "unit": "piece"});
                drafts.push(draft::<Product>(&work, body, None)?);
                goods.push(good);
            }
            bulk::insert_many(&work, drafts).await?;
            work.commit().await?;
        }
        Ok(goods)
    }

    /// The next orders of `all`, in the order of their days.
    pub(super) async fn orders(&mut self, chunk: std::ops::Range<usize>, all: usize, accounts: &[Made], goods: &[Good]) -> Result<()> {
        let work = self.work().await?;
        let mut numbers = work.next_numbers("order_numbers", chunk.len()).await?.into_iter();
        let mut drafts = vec![];
        for n in chunk {
            let Some(account) = at(accounts, self.chance.skewed(accounts.len())) else { break };
            let mut order = self.order(n, all, account, goods)?;
            order.number = Order::numbered(numbers.next().unwrap_or_default());
            if !order.add_up(2) {
                return Err(Error::from(Code::Internal));
            }
            self.live(&mut order, n, all);
            let mut draft = Stored::draft(order);
            let own = json!({"id": self.id(&work), "owner_id": account.owner, "team_id": account.team});
            draft.record.extend(own.as_object().cloned().unwrap_or_default());
            drafts.push(draft);
        }
        bulk::insert_many(&work, drafts).await?;
        work.commit().await
    }

    fn order(&mut self, n: usize, all: usize, account: Made, goods: &[Good]) -> Result<Order> {
        let day = LAST_DAY - chrono::Days::new(((all - n) * DAYS / all) as u64);
        // Most orders are short, some are long.
        let lines = if self.chance.below(20) == 0 { 5 + self.chance.below(16) } else { 1 + self.chance.below(3) };
        let body = json!({
            "account_id": account.id, "channel": self.chance.one_of(&["field", "telesales", "web", "web"]),
            "customer_reference": (self.chance.below(2) == 0).then(|| format!("PO-{n:07}")), "ordered_on": day.to_string(),
            "requested_on": (day + chrono::Days::new(1 + self.chance.below(14))).to_string(), "currency": "THB", "payment_terms_days": 30,
        });
        let mut order: Order = serde_json::from_value(body).map_err(|_| Error::from(Code::Internal))?;
        order.shipping_address = Some(self.place());
        order.lines = (0..lines).filter_map(|_| self.line(goods)).collect();
        Ok(order)
    }

    fn line(&mut self, goods: &[Good]) -> Option<OrderLine> {
        let good = goods.get(self.chance.skewed(goods.len()))?;
        Some(OrderLine {
            id: Some(Uuid::from_u64_pair(self.chance.next(), self.chance.next())),
            product_id: Some(ProductId(good.id)),
            sku: Some(good.sku.clone()),
            description: Some(good.name.clone()),
            quantity: Quantity(i64::try_from(1 + self.chance.below(24)).unwrap_or(1) * SCALE),
            unit_price: Some(Price(good.price)),
            unit: Some("piece".to_owned()),
            tax_code: Some("VAT7".to_owned()),
            tax_rate: TAX,
            ..OrderLine::default()
        })
    }

    fn place(&mut self) -> OrderAddress {
        let (street, subdistrict, district, region, postal_code) = self.chance.one_of(&PLACES);
        let own = |text: &str| Some(text.to_owned());
        OrderAddress {
            line1: Some(format!("{} {street}", 1 + self.chance.below(999))),
            subdistrict: own(subdistrict),
            district: own(district),
            region: own(region),
            postal_code: own(postal_code),
            country: own("TH"),
            ..OrderAddress::default()
        }
    }

    /// How far it has come: of the last hundredth some are still being written, asked for or promised.
    fn live(&mut self, order: &mut Order, n: usize, all: usize) {
        let is_late = all - n <= all / 100;
        order.status = match self.chance.below(20) {
            0 => OrderStatus::Cancelled,
            1..=4 if is_late => OrderStatus::Draft,
            5..=9 if is_late => OrderStatus::Submitted,
            10..=19 if is_late => OrderStatus::Confirmed,
            _ => OrderStatus::Closed,
        };
        if matches!(order.status, OrderStatus::Closed | OrderStatus::Confirmed) {
            order.committed_amount = order.total_amount;
        }
        if order.status == OrderStatus::Closed {
            for line in &mut order.lines {
                line.shipped_quantity = line.quantity;
                line.delivered_quantity = line.quantity;
                line.invoiced_quantity = line.quantity;
                line.invoiced_amount = line.total_amount;
            }
            order.invoiced_amount = order.total_amount;
            order.paid_amount = order.total_amount;
        }
        order.follow_up();
    }
}
