//! The simulated accounting system, as any client there could be: whatever it does on the way, the end is what its books say.

mod misfortunes;
mod northwind;
mod orders;
mod steps;

use crate::support::*;
use clap::Parser;
use samphan_erp_simulator::{Amount, Customer, Options, Simulator};
use std::{collections::BTreeMap, ops::Range, path::Path};
use tempfile::TempDir;

/// What an accounting system may do, and no more.
const GRANTS: [&str; 18] = [
    "changes:read/all",
    "accounts:read/all",
    "products:read/all",
    "external-systems:read/all",
    "external-systems:create/all",
    "external-references:read/all",
    "external-references:create/all",
    "external-references:update/all",
    "warehouses:read/all",
    "warehouses:create/all",
    "warehouses:update/all",
    "credit-balances:push/all",
    "stock-levels:sync/all",
    "credit-balances:read/all",
    "shipments:read/all",
    "orders:read/all",
    "order-invoices:create/all",
    "order-invoices:update/all",
];

#[derive(Parser)]
#[command(args_override_self = true)]
struct Words {
    #[command(flatten)]
    options: Options,
}

/// A simulator beside a server: an API key that may do what it must, and a folder for its file.
struct Erp {
    folder: TempDir,
    url: String,
    key: String,
}

impl Erp {
    async fn of(app: &App) -> Self {
        let key = app.api_key(&GRANTS, json!({"systems": ["erp"]})).await.is(201).text_of("token");
        Self { folder: tempfile::tempdir().unwrap(), url: app.url.to_string(), key }
    }

    fn file(&self) -> String {
        self.folder.path().join("erp.db").display().to_string()
    }

    /// As it is with these words, on a fixed day.
    fn with(&self, words: &str) -> Simulator {
        let file = self.file();
        let fixed = ["erp", "--url", &self.url, "--key", &self.key, "--file", &file, "--today", "2026-11-20"];
        let words = Words::try_parse_from(fixed.into_iter().chain(words.split_whitespace())).unwrap_or_else(|e| panic!("{e}"));
        Simulator::open(words.options).unwrap()
    }
}

/// A company with some customers and goods.
async fn company(app: &App, customers: usize, goods: Range<usize>) {
    let accounts: Vec<Value> = (0..customers)
        .map(|n| json!({"name": format!("Customer {n}"), "currency": if n % 7 == 3 { "USD" } else { "THB" }, "payment_terms_days": 30}))
        .collect();
    app.make_many("/v1/accounts", &accounts).await;
    let products: Vec<Value> = goods.map(|n| json!({"sku": format!("S{n}"), "name": format!("Goods {n}")})).collect();
    app.make_many("/v1/products", &products).await;
}

fn amount(value: &Value) -> Amount {
    value.as_str().unwrap().parse().unwrap()
}

/// Insists that what the CRM says of balances and stock is what the books say, and that nothing was applied twice.
async fn agree(app: &App, erp: &Simulator) {
    assert_eq!(erp.faults().unwrap(), Vec::<String>::new());
    let customers = erp.customers().unwrap();
    let mut balances: BTreeMap<String, Value> = BTreeMap::new();
    for balance in app.all("/v1/credit-balances?system=erp", 200).await {
        balances.insert(balance["account_id"].as_str().unwrap().to_owned(), balance);
    }
    assert_eq!(balances.len(), customers.len());
    for customer in &customers {
        let kept = &balances[&customer.account_id.to_string()];
        let overdue = ["overdue_days_1_30", "overdue_days_31_60", "overdue_days_61_90", "overdue_days_over_90"].map(|f| amount(&kept[f]));
        assert_eq!((amount(&kept["receivable"]), overdue), (customer.receivable, customer.overdue), "{} {kept}", customer.number);
        assert_eq!((kept["limit_amount"].as_str().map(|a| a.parse().unwrap())), customer.credit_limit, "{kept}");
        assert_eq!((&kept["has_conflict"], &kept["status"]), (&json!(false), &json!("current")), "{kept}");
    }
    let total = |currency: &str| customers.iter().filter(|c| c.currency == currency).map(|c| c.receivable).sum::<Amount>();
    let reconciliation = app.get("/v1/credit-balances/reconciliation?system=erp").await.is(200);
    for ledger in reconciliation["ledgers"].as_array().unwrap() {
        assert_eq!(amount(&ledger["receivable_total"]), total(ledger["currency"].as_str().unwrap()), "{ledger}");
        assert_eq!((&ledger["unmatched"], &ledger["conflicts"]), (&json!(0), &json!(0)), "{ledger}");
    }
    let mut levels: BTreeMap<String, Value> = BTreeMap::new();
    for level in app.all("/v1/stock-levels", 200).await {
        levels.insert(level["product_id"].as_str().unwrap().to_owned(), level);
    }
    for item in erp.items().unwrap() {
        let kept = levels.get(&item.product_id.to_string()).unwrap_or_else(|| panic!("nothing is known of {item:?}"));
        assert_eq!(amount(&kept["on_hand"]), item.on_hand, "{item:?} {kept}");
    }
    assert_eq!(erp.report().twice, 0, "{}", erp.report());
    let references = app.all("/v1/external-references?system=erp&resource=accounts", 200).await;
    let mut numbers = column(&json!({"data": references}), "external_id");
    numbers.sort();
    assert_eq!(numbers, (1..=numbers.len()).map(|n| format!("C-{n:06}")).collect::<Vec<_>>(), "without gaps and none twice");
}

/// Insists that what counts against each customer's credit is what the books say he owes, and nothing besides.
async fn owe_what_the_books_say(app: &App, erp: &Simulator) {
    let position = async |customer: &Customer| app.get(&format!("/v1/accounts/{}/credit", customer.account_id)).await.is(200);
    let customers = erp.customers().unwrap();
    for customer in &customers {
        let found = position(customer).await;
        let parts = ["exposure", "receivable", "open_orders", "authorised"].map(|field| amount(&found[field]));
        let nothing = Amount::default();
        assert_eq!(parts, [customer.receivable, customer.receivable, nothing, nothing], "{} {}", customer.number, found.text);
    }
}

fn exists(path: &str) -> bool {
    Path::new(path).exists()
}
