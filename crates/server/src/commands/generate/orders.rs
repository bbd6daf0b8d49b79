//! Orders: most delivered, invoiced and paid long ago, some given up, and the last ones still open.

use super::{
    Customer, Plan,
    chance::Chance,
    crew::{CHUNK, Hand, Part, id},
};
use crate::commands::names::PLACES;
use samphan_domain::{
    catalog::product::Product,
    id::ProductId,
    sales::{
        order::{Order, OrderAddress, OrderStatus},
        order_line::OrderLine,
    },
};
use samphan_persistence::{
    bulk::{self, Prepared},
    store::{Store, Work},
    stored::Stored,
};
use samphan_resource::{
    caller::Caller,
    error::{Code, Error, Result},
    money::{Percent, Price, Quantity, SCALE},
    resource::Resource,
};
use serde_json::json;
use std::{ops::Range, sync::Arc};
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

/// Orders, in the order of their days.
pub(super) struct Orders {
    /// Those sold most come first.
    goods: Vec<Good>,
    /// A number for each.
    numbers: Vec<i64>,
}

impl Orders {
    /// What is sold, a product for every fifty accounts, within reason; and the numbers of so many orders.
    pub(super) async fn begin(plan: &Plan, store: &Store, many: usize) -> Result<Self> {
        let mut goods: Vec<Good> = vec![];
        let all: Vec<usize> = (0..(plan.accounts / 50).clamp(50, 10_000)).collect();
        for chunk in all.chunks(CHUNK) {
            let now = plan.beginning;
            let work = store.work(Arc::new(Caller::system()), now).await?;
            let mut drafts = vec![];
            for n in chunk {
                let mut chance = Chance::of(plan.seed, "product", *n);
                let price = i64::try_from(1 + chance.below(5_000)).unwrap_or(1) * SCALE / 4;
                let good =
                    Good { id: id(&mut chance, now), sku: format!("G-{n:05}"), name: format!("สินค้า Product {n}"), price };
                let body = json!({"id": good.id, "sku": good.sku, "name": good.name, "unit": "piece"});
                drafts.push(plan.draft::<Product>(body, None)?);
                goods.push(good);
            }
            bulk::insert_many(&work, drafts).await?;
            work.commit().await?;
        }
        let work = store.work(Arc::new(Caller::system()), plan.beginning).await?;
        let numbers = work.next_numbers("order_numbers", many).await?;
        work.commit().await?;
        Ok(Self { goods, numbers })
    }

    fn order(&self, n: usize, account: Customer, chance: &mut Chance) -> Result<Order> {
        let all = self.numbers.len();
        let day = LAST_DAY - chrono::Days::new(((all - n) * DAYS / all) as u64);
        // Most orders are short, some are long.
        let lines = if chance.below(20) == 0 { 5 + chance.below(16) } else { 1 + chance.below(3) };
        let body = json!({
            "account_id": account.id, "channel": chance.one_of(&["field", "telesales", "web", "web"]),
            "customer_reference": (chance.below(2) == 0).then(|| format!("PO-{n:07}")), "ordered_on": day.to_string(),
            "requested_on": (day + chrono::Days::new(1 + chance.below(14))).to_string(), "currency": "THB", "payment_terms_days": 30,
        });
        let mut order: Order = serde_json::from_value(body).map_err(|_| Error::from(Code::Internal))?;
        order.shipping_address = Some(place(chance));
        let number = self.numbers.get(n).copied().unwrap_or_default();
        order.number = Order::NUMBER.map(|numbering| numbering.write(number)).unwrap_or_default();
        order.lines = (0..lines).filter_map(|_| line(chance, &self.goods)).collect();
        Ok(order)
    }
}

impl Part for Orders {
    const WHAT: &'static str = "orders";
    type Made = Prepared<Order>;

    fn make(&self, numbers: Range<usize>, hand: &mut Hand<'_>) -> Result<Self::Made> {
        let mut drafts = vec![];
        for n in numbers {
            let along = hand.plan.along(n, self.numbers.len());
            let account = hand.plan.some_account(&mut hand.chance, along);
            let mut order = self.order(n, account, &mut hand.chance)?;
            if !order.add_up(2) {
                return Err(Error::from(Code::Internal));
            }
            live(&mut hand.chance, &mut order, n, self.numbers.len());
            let mut draft = Stored::draft(order);
            let own = json!({"id": hand.id(), "owner_id": account.owner, "team_id": account.team});
            draft.record.extend(own.as_object().cloned().unwrap_or_default());
            drafts.push(draft);
        }
        hand.prepare(drafts)
    }

    async fn write(&self, work: &Work, orders: Self::Made) -> Result<()> {
        bulk::insert(work, orders).await.map(|_| ())
    }
}

fn line(chance: &mut Chance, goods: &[Good]) -> Option<OrderLine> {
    let good = goods.get(chance.skewed(goods.len()))?;
    Some(OrderLine {
        id: Some(Uuid::from_u64_pair(chance.next(), chance.next())),
        product_id: Some(ProductId(good.id)),
        sku: Some(good.sku.clone()),
        description: Some(good.name.clone()),
        quantity: Quantity(i64::try_from(1 + chance.below(24)).unwrap_or(1) * SCALE),
        unit_price: Some(Price(good.price)),
        unit: Some("piece".to_owned()),
        tax_code: Some("VAT7".to_owned()),
        tax_rate: TAX,
        ..OrderLine::default()
    })
}

fn place(chance: &mut Chance) -> OrderAddress {
    let (street, subdistrict, district, region, postal_code) = chance.one_of(&PLACES);
    let own = |text: &str| Some(text.to_owned());
    OrderAddress {
        line1: Some(format!("{} {street}", 1 + chance.below(999))),
        subdistrict: own(subdistrict),
        district: own(district),
        region: own(region),
        postal_code: own(postal_code),
        country: own("TH"),
        ..OrderAddress::default()
    }
}

/// How far it has come: of the last hundredth some are still being written, asked for or promised.
fn live(chance: &mut Chance, order: &mut Order, n: usize, all: usize) {
    let is_late = all - n <= all / 100;
    order.status = match chance.below(20) {
        0 => OrderStatus::Cancelled,
        1..=4 if is_late => OrderStatus::Draft,
        5..=9 if is_late => OrderStatus::Submitted,
        10..=19 if is_late => OrderStatus::Confirmed,
        _ => OrderStatus::Closed,
    };
    if matches!(order.status, OrderStatus::Closed | OrderStatus::Confirmed) {
        order.commit();
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
