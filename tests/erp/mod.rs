//! The simulated accounting system, as any client there could be: whatever it does on the way, the end is what its books say.

mod misfortunes;
mod northwind;
mod orders;
mod returns;
mod steps;

use crate::support::*;
use clap::Parser;
use samphan_erp_simulator::{Amount, Options, Simulator};
use std::{collections::BTreeMap, ops::Range, path::Path};
use tempfile::TempDir;

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
        Self::of_entity(app, Some("TH01")).await
    }

    /// The same for the books of one legal entity, or of several. The system and its warehouse are made by a person; the key has the shipped
    /// role of a connector and no other.
    async fn of_entity(app: &App, entity: Option<&str>) -> Self {
        if app.get("/v1/external-systems?code=erp").await.is(200)["data"] == json!([]) {
            let mut system = json!({"code": "erp", "name": "Simulated accounting", "kind": "erp", "stale_after": "PT26H"});
            if let Some(entity) = entity {
                system["legal_entity"] = json!(entity);
            }
            app.make("/v1/external-systems", system).await;
            app.put("/v1/warehouses/by-external-id/erp/ERP1", json!({"code": "ERP1", "name": "Main warehouse"})).await.is(201);
        }
        let role = app.get("/v1/roles?name=Accounting%20connector").await.is(200)["data"][0]["id"].clone();
        let key = app.post("/v1/api-keys", json!({"name": "Connector", "role_ids": [role], "systems": ["erp"]})).await.is(201);
        Self { folder: tempfile::tempdir().unwrap(), url: app.url.to_string(), key: key.text_of("token") }
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
    let ledgers = erp.ledgers().unwrap();
    let mut balances: BTreeMap<[String; 3], Value> = BTreeMap::new();
    for balance in app.all("/v1/credit-balances?system=erp", 200).await {
        balances.insert(["account_id", "entity", "currency"].map(|f| balance[f].as_str().unwrap().to_owned()), balance);
    }
    assert_eq!(balances.len(), ledgers.len());
    for ledger in &ledgers {
        let kept = &balances[&[ledger.account_id.to_string(), ledger.entity.clone(), ledger.currency.clone()]];
        let overdue = ["overdue_days_1_30", "overdue_days_31_60", "overdue_days_61_90", "overdue_days_over_90"].map(|f| amount(&kept[f]));
        assert_eq!((amount(&kept["receivable"]), overdue), (ledger.receivable, ledger.overdue), "{} {kept}", ledger.name);
        let home = customers.iter().find(|c| c.number == ledger.customer && c.currency == ledger.currency && ledger.entity == "TH01");
        assert_eq!(kept["limit_amount"].as_str().map(|a| a.parse().unwrap()), home.and_then(|c| c.credit_limit), "{kept}");
        assert_eq!((&kept["has_conflict"], &kept["status"]), (&json!(false), &json!("current")), "{kept}");
    }
    let reconciliation = app.get("/v1/credit-balances/reconciliation?system=erp").await.is(200);
    for found in reconciliation["ledgers"].as_array().unwrap() {
        let same = ledgers.iter().filter(|l| found["entity"] == *l.entity && found["currency"] == *l.currency);
        assert_eq!(amount(&found["receivable_total"]), same.map(|l| l.receivable).sum(), "{found}");
        assert_eq!((&found["unmatched"], &found["conflicts"]), (&json!(0), &json!(0)), "{found}");
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

/// What a dollar is worth in baht: a whole number, so that sums are exact.
const BAHT_A_DOLLAR: i64 = 35;

/// Has dollars count against limits in baht.
async fn exchange_rate(app: &App) {
    let rate = json!({"from_currency": "USD", "to_currency": "THB", "rate": BAHT_A_DOLLAR.to_string(), "valid_from": "2020-01-01"});
    app.make("/v1/exchange-rates", rate).await;
}

/// The sum by account and currency, brought to a currency: dollars count in baht, too.
fn counted(sums: &BTreeMap<(String, String), Amount>, account: &str, currency: &str) -> Amount {
    let of = |currency: &str| sums.get(&(account.to_owned(), currency.to_owned())).copied().unwrap_or_default();
    let dollars = if currency == "THB" { (0..BAHT_A_DOLLAR).map(|_| of("USD")).sum() } else { Amount::default() };
    of(currency) + dollars
}

/// Insists that what counts against each customer's credit, in the currency of the limit, is what the books say is owed and what of
/// confirmed orders is still open, and nothing besides.
async fn owe_what_the_books_say(app: &App, erp: &Simulator) {
    let mut open: BTreeMap<(String, String), Amount> = BTreeMap::new();
    for order in app.all("/v1/orders", 200).await {
        let key = ["account_id", "currency"].map(|f| order[f].as_str().unwrap().to_owned()).into();
        let sum = open.entry(key).or_default();
        *sum = *sum + amount(&order["open_amount"]);
    }
    let mut owed: BTreeMap<(String, String), Amount> = BTreeMap::new();
    for ledger in erp.ledgers().unwrap() {
        let sum = owed.entry((ledger.account_id.to_string(), ledger.currency)).or_default();
        *sum = *sum + ledger.receivable;
    }
    for (account, currency) in owed.keys() {
        let found = app.get(&format!("/v1/accounts/{account}/credit?currency={currency}")).await.is(200);
        let parts = ["exposure", "receivable", "open_orders", "authorised"].map(|field| amount(&found[field]));
        let [receivable, open] = [&owed, &open].map(|sums| counted(sums, account, found["currency"].as_str().unwrap()));
        assert_eq!(parts, [receivable + open, receivable, Amount::default(), open], "{account} {currency} {}", found.text);
    }
}

fn exists(path: &str) -> bool {
    Path::new(path).exists()
}
