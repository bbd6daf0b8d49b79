//! All of Northwind's orders through the API, from the promise to what is owed, with an accounting system that is in trouble meanwhile.

use super::*;
use futures_util::{StreamExt, future::join, stream};
use samphan::commands::load;
use samphan_domain::sales::totals::{Line, TaxRounding, Terms, totals};
use samphan_resource::money::{Percent, Price, Quantity, parse};
use std::{cell::Cell, path::PathBuf};

crate::on_both![every_order_is_shipped_invoiced_and_owed_to_the_cent];

/// Orders on their way at the same time, and orders between two runs of the accounting system.
const AT_ONCE: usize = 6;
const BETWEEN: usize = 300;

/// The folder of the sample data, which is not part of the project.
#[expect(clippy::disallowed_methods, reason = "tests have no settings of their own")]
fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/northwind");
    let folder = std::env::var("SAMPHAN_NORTHWIND").map_or(beside, PathBuf::from);
    folder.join("orders.csv").exists().then_some(folder)
}

/// The rows of a file, by the names of its columns.
fn rows(folder: &Path, file: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(folder.join(file)).unwrap().deserialize().map(Result::unwrap).collect()
}

/// An order and its lines, as the file says them.
struct Sale {
    row: BTreeMap<String, String>,
    lines: Vec<BTreeMap<String, String>>,
}

impl Sale {
    fn all(folder: &Path) -> Vec<Self> {
        let mut lines: BTreeMap<String, Vec<BTreeMap<String, String>>> = BTreeMap::new();
        for line in rows(folder, "order_details.csv") {
            lines.entry(line["order_id"].clone()).or_default().push(line);
        }
        let with_lines = |row: BTreeMap<String, String>| Self { lines: lines.remove(&row["order_id"]).unwrap(), row };
        rows(folder, "orders.csv").into_iter().map(with_lines).collect()
    }

    fn sku(line: &BTreeMap<String, String>) -> String {
        format!("NW-{:0>3}", line["product_id"])
    }

    /// 0.15 of the price is 15 percent of it.
    fn percent(line: &BTreeMap<String, String>) -> Percent {
        Percent(parse(&line["discount"]).unwrap() * 100)
    }

    fn body(&self, account: &str) -> Value {
        let line = |l: &BTreeMap<String, String>| json!({"sku": Self::sku(l), "quantity": l["quantity"], "unit_price": l["unit_price"], "discount_percent": Self::percent(l)});
        json!({"account_id": account, "currency": "USD", "ordered_on": self.row["order_date"], "requested_on": self.row["required_date"],
            "customer_reference": self.row["order_id"], "lines": self.lines.iter().map(line).collect::<Vec<_>>()})
    }

    /// What it comes to: each line rounded once, then added up.
    fn total(&self) -> Amount {
        let number = |text: &String| parse(text).unwrap();
        let exact = |l: &BTreeMap<String, String>| {
            let units =
                i128::from(number(&l["unit_price"])) * i128::from(number(&l["quantity"])) * i128::from(10_000 - number(&l["discount"]));
            Amount::cents(i64::try_from((units + 5_000_000_000) / 10_000_000_000).unwrap())
        };
        let of_house = |l: &BTreeMap<String, String>| Line {
            quantity: Quantity(number(&l["quantity"])),
            unit_price: Price(number(&l["unit_price"])),
            discount: Self::percent(l),
            tax_rate: Percent(0),
        };
        let terms = Terms { decimals: 2, tax_inclusive: false, rounding: TaxRounding::Line };
        let house = totals(&self.lines.iter().map(of_house).collect::<Vec<_>>(), terms).unwrap().whole.total;
        let total = self.lines.iter().map(exact).sum();
        assert_eq!(Amount(house.0), total, "two ways of adding up order {}", self.row["order_id"]);
        total
    }

    /// From nothing to having left.
    async fn go(&self, app: &App, account: &str) {
        let made = app.post("/v1/orders", self.body(account)).await.is(201);
        assert_eq!(amount(&made["total_amount"]), self.total(), "{}", made.text);
        app.post(&format!("/v1/orders/{}/submit", made.id()), json!({})).await.is(200);
        let promised = app.post(&format!("/v1/orders/{}/confirm", made.id()), json!({})).await.is(200);
        assert_eq!(promised["status"], "confirmed", "{}", promised.text);
        let shipment = app.post(&format!("/v1/orders/{}/create-shipment", made.id()), json!({})).await.is(201);
        app.post(&format!("/v1/shipments/{}/ship", shipment.id()), json!({})).await.is(200);
    }
}

async fn every_order_is_shipped_invoiced_and_owed_to_the_cent(app: App) {
    let Some(folder) = folder() else { return eprintln!("northwind: no sample data beside the project, nothing to replay") };
    let service = load::Service { url: app.url.to_string(), email: String::new(), password: None, token: Some(app.token()) };
    let options = load::Options { folder: folder.clone(), service };
    assert_eq!(load::northwind(&options).await.unwrap().failures, Vec::<String>::new());
    let sales = Sale::all(&folder);
    assert_eq!((sales.len(), sales.iter().map(|s| s.lines.len()).sum::<usize>()), (830, 2155));
    for product in app.all("/v1/products?status=discontinued", 50).await {
        app.post(&format!("/v1/products/{}/reactivate", product["id"].as_str().unwrap()), json!(null)).await.is(200);
    }
    let setting = Erp::of(&app).await;
    let fixed = "--currency USD --opening-stock 0 --opening-invoices 0 --credit-limit 10000000";
    let mut erp = setting.with(fixed);
    erp.run().await.unwrap();
    // What was sold and what was left of it came in before.
    let mut left: BTreeMap<String, Amount> = BTreeMap::new();
    for product in rows(&folder, "products.csv") {
        let (sku, rest) = (Sale::sku(&product), product["units_in_stock"].parse().unwrap());
        let sold = sales.iter().flat_map(|s| &s.lines).filter(|l| l["product_id"] == product["product_id"]);
        let sold: Amount = sold.map(|l| l["quantity"].parse::<Amount>().unwrap()).sum();
        assert!(erp.receive(&sku, sold + rest).unwrap(), "{sku}");
        left.insert(sku, rest);
    }
    erp.run().await.unwrap();

    let mut accounts: BTreeMap<String, String> = BTreeMap::new();
    for reference in app.all("/v1/external-references?system=northwind&resource=accounts", 200).await {
        let text = |field: &str| reference[field].as_str().unwrap().to_owned();
        accounts.insert(text("external_id"), text("record_id"));
    }
    for (round, some) in sales.chunks(BETWEEN).enumerate() {
        let storm = "--repeat 0.1 --reorder 0.3 --drop 0.1 --restart 0.01 --pay 0.4";
        erp = setting.with(&format!("{fixed} {storm} --seed {round} --today 2027-0{}-01", round + 1));
        let is_over = Cell::new(false);
        let selling = async {
            stream::iter(some).for_each_concurrent(AT_ONCE, |sale| sale.go(&app, &accounts[&sale.row["customer_id"]])).await;
            is_over.set(true);
        };
        let accounting = async {
            while !is_over.get() {
                erp.run().await.unwrap();
            }
        };
        join(selling, accounting).await;
        erp.run().await.unwrap();
        agree(&app, &erp).await;
    }

    assert_eq!(erp.items().unwrap().into_iter().map(|i| (i.sku, i.on_hand)).collect::<BTreeMap<_, _>>(), left);
    adds_up(&app).await;
    owe_what_the_books_say(&app, &erp).await;
    let orders = app.all("/v1/orders", 200).await;
    assert_eq!(orders.len(), 830);
    let mut books = erp.journal().unwrap();
    books.retain(|line| line.contains(" invoice "));
    assert_eq!(books.len(), 830, "an invoice for each order");
    for order in &orders {
        assert_eq!(
            (&order["status"], &order["invoice_status"], &order["open_amount"]),
            (&json!("in_fulfilment"), &json!("fully"), &json!("0.00"))
        );
        assert_eq!(order["invoiced_amount"], order["total_amount"], "{order}");
    }
    let sum = |field: &str| orders.iter().map(|o| amount(&o[field])).sum::<Amount>();
    assert_eq!(sum("total_amount"), sales.iter().map(Sale::total).sum());
    let owed: Amount = erp.customers().unwrap().iter().map(|c| c.receivable).sum();
    assert_eq!(sum("total_amount") - sum("paid_amount"), owed, "what was not paid is owed");
    assert!(sum("paid_amount").is_positive());
}
