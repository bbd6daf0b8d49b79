//! Northwind's customers, employees, categories and products as accounts, contacts, users, a catalog and a price book.
//!
//! Stock figures are left aside: they are a moment's, and the files do not say which.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use super::{
    Client, LoadError, Outcome, Summary, countries, problem,
    rows::{Row, fits, given, item, read},
};
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

/// The code of the system in external references.
const SYSTEM: &str = "northwind";
/// What the price book is called there.
const BOOK: &str = "list";

type Item = Map<String, Value>;
/// Our ids by theirs.
type Ids = HashMap<String, String>;

/// A load under way.
pub struct Load {
    client: Client,
    folder: PathBuf,
    summary: Summary,
}

impl Load {
    /// From a folder, through a client.
    pub fn begin(client: Client, folder: PathBuf) -> Self {
        Self { client, folder, summary: Summary::default() }
    }

    /// Loads everything. One bad record fails alone and is named; no answer from the service ends it.
    pub async fn run(mut self) -> Result<Summary, LoadError> {
        let employees = read(&self.folder, "employees.csv")?;
        let customers = read(&self.folder, "customers.csv")?;
        let categories = read(&self.folder, "categories.csv")?;
        let products = read(&self.folder, "products.csv")?;
        self.system().await?;
        self.employees(employees).await?;
        self.customers(&customers).await?;
        let categories = self.upsert("categories", "/v1/product-categories", "category_id", &categories, category).await?;
        self.products(&products, &categories).await?;
        Ok(self.summary)
    }

    /// The system that all references name.
    async fn system(&mut self) -> Result<(), LoadError> {
        let wanted = item(json!({"code": SYSTEM, "name": "Northwind Traders", "kind": "other"}));
        self.settle("external systems", "/v1/external-systems", &format!("&code={SYSTEM}"), &["code"], vec![wanted]).await
    }

    /// Users, those whom others report to first: a reference needs its record.
    async fn employees(&mut self, mut waiting: Vec<Row>) -> Result<(), LoadError> {
        let mut known = Ids::new();
        while !waiting.is_empty() {
            let (ready, rest): (Vec<Row>, Vec<Row>) =
                waiting.into_iter().partition(|r| r.text("reports_to").is_empty() || known.contains_key(r.text("reports_to")));
            if ready.is_empty() {
                for row in &rest {
                    self.fail("users", row.text("employee_id"), "reports to someone who was not loaded");
                }
                break;
            }
            let made = self.upsert("users", "/v1/users", "employee_id", &ready, |row| employee(row, &known)).await?;
            known.extend(made);
            waiting = rest;
        }
        Ok(())
    }

    /// Each customer as an account with a contact, an address, and phone and fax numbers.
    async fn customers(&mut self, rows: &[Row]) -> Result<(), LoadError> {
        let accounts = self.upsert("accounts", "/v1/accounts", "customer_id", rows, account).await?;
        let contacts = self.upsert("contacts", "/v1/contacts", "customer_id", rows, contact).await?;
        let both: Vec<Row> =
            rows.iter().filter(|r| [&accounts, &contacts].iter().all(|m| m.contains_key(r.text("customer_id")))).cloned().collect();
        let link = |row: &Row| {
            let id = row.text("customer_id");
            Ok(item(json!({"account_id": accounts.get(id), "contact_id": contacts.get(id), "role": "purchaser"})))
        };
        self.upsert("account contacts", "/v1/account-contacts", "customer_id", &both, link).await?;
        for row in rows {
            let Some(account) = accounts.get(row.text("customer_id")) else { continue };
            let path = format!("/v1/accounts/{account}");
            self.settle("addresses", &format!("{path}/addresses"), "", &["purpose"], vec![address(row)]).await?;
            self.settle("contact points", &format!("{path}/contact-points"), "", &["kind"], contact_points(row)).await?;
        }
        Ok(())
    }

    /// Products, whether they are still sold, and the list of their prices.
    async fn products(&mut self, rows: &[Row], categories: &Ids) -> Result<(), LoadError> {
        let products = self.upsert("products", "/v1/products", "product_id", rows, |row| product(row, categories)).await?;
        self.sold(rows, &products).await?;
        let book = item(json!({"name": "Northwind list", "currency": "USD", "external_id": BOOK}));
        let books = self.put("price books", "/v1/price-books", vec![book]).await?;
        let Some(book) = books.get(BOOK) else { return Ok(()) };
        let entries = rows.iter().filter_map(|row| Some((row, products.get(row.text("product_id"))?)));
        let entries = entries.map(|(row, id)| item(json!({"product_id": id, "min_quantity": "0", "price": row.price("unit_price")})));
        self.settle(
            "price book entries",
            &format!("/v1/price-books/{book}/entries"),
            "",
            &["product_id", "min_quantity"],
            entries.collect(),
        )
        .await
    }

    /// Ends or resumes the sale of products where the file says otherwise than the record.
    async fn sold(&mut self, rows: &[Row], products: &Ids) -> Result<(), LoadError> {
        let ended = self.client.all("/v1/products", "&fields=id&status=discontinued").await?;
        let ended: HashSet<&str> = ended.iter().filter_map(|p| p["id"].as_str()).collect();
        for row in rows {
            let Some(id) = products.get(row.text("product_id")) else { continue };
            let verb = match (row.is("discontinued"), ended.contains(id.as_str())) {
                (true, false) => "discontinue",
                (false, true) => "reactivate",
                _ => continue,
            };
            let done = self.client.send(Method::POST, &format!("/v1/products/{id}/{verb}"), None).await;
            self.note("product states", row.text("product_id"), done.map(|_| Outcome::Updated))?;
        }
        Ok(())
    }

    /// Creates or updates what rows are mapped to, found again by the id in `key`.
    async fn upsert(
        &mut self,
        resource: &'static str,
        path: &str,
        key: &str,
        rows: &[Row],
        map: impl Fn(&Row) -> Result<Item, String>,
    ) -> Result<Ids, LoadError> {
        let mut items = vec![];
        for row in rows {
            match map(row) {
                Ok(mut item) => {
                    item.insert("external_id".to_owned(), row.json(key));
                    items.push(given(item));
                }
                Err(why) => self.fail(resource, row.text(key), &why),
            }
        }
        self.put(resource, path, items).await
    }

    async fn put(&mut self, resource: &'static str, path: &str, items: Vec<Item>) -> Result<Ids, LoadError> {
        let mut ids = Ids::new();
        for result in self.client.upsert(path, SYSTEM, &items).await? {
            let external_id = result["external_id"].as_str().unwrap_or_default();
            let outcome = match result["status"].as_str() {
                Some("created") => Outcome::Created,
                Some("updated") => Outcome::Updated,
                Some("unchanged") => Outcome::Unchanged,
                _ => Outcome::Failed(format!("{external_id}: {}", problem(&result["error"]))),
            };
            self.summary.note(resource, outcome);
            if let Some(id) = result["id"].as_str() {
                ids.insert(external_id.to_owned(), id.to_owned());
            }
        }
        Ok(ids)
    }

    /// Brings a short list to what is wanted: what is there is found by the fields of `key`, and written only where it differs.
    async fn settle(&mut self, resource: &'static str, path: &str, query: &str, key: &[&str], wanted: Vec<Item>) -> Result<(), LoadError> {
        let there = self.client.all(path, query).await?;
        for item in wanted {
            let same = |record: &&Value| key.iter().all(|k| record.get(*k) == item.get(*k));
            let done = match there.iter().find(same) {
                Some(record) if fits(record, &item) => Ok(Outcome::Unchanged),
                Some(record) => {
                    let id = record["id"].as_str().unwrap_or_default();
                    let patch = Value::Object(item.clone());
                    self.client.send(Method::PATCH, &format!("{path}/{id}"), Some(&patch)).await.map(|_| Outcome::Updated)
                }
                None => self.client.send(Method::POST, path, Some(&Value::Object(given(item.clone())))).await.map(|_| Outcome::Created),
            };
            let name: Vec<&str> = key.iter().filter_map(|k| item.get(*k).and_then(Value::as_str)).collect();
            self.note(resource, &format!("{path} {}", name.join(" ")), done)?;
        }
        Ok(())
    }

    /// Counts what became of a record; a refusal is the record's own failure, anything else ends the load.
    fn note(&mut self, resource: &'static str, name: &str, done: Result<Outcome, LoadError>) -> Result<(), LoadError> {
        match done {
            Ok(outcome) => self.summary.note(resource, outcome),
            Err(LoadError::Refused { status, problem, .. }) if !matches!(status, 401 | 403) && status < 500 => {
                self.fail(resource, name, &problem)
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }

    fn fail(&mut self, resource: &'static str, name: &str, why: &str) {
        self.summary.note(resource, Outcome::Failed(format!("{name}: {why}")));
    }
}

fn employee(row: &Row, known: &Ids) -> Result<Item, String> {
    let (first, last) = (row.text("first_name"), row.text("last_name"));
    let mailbox = format!("{first}.{last}").to_lowercase().replace(char::is_whitespace, "-");
    Ok(item(json!({
        "name": format!("{first} {last}"),
        "email": format!("{mailbox}@northwind.example"),
        "job_title": row.json("title"),
        "manager_id": known.get(row.text("reports_to")),
    })))
}

fn account(row: &Row) -> Result<Item, String> {
    let country = row.text("country");
    let code = countries::code(country).ok_or_else(|| format!("unknown country {country}"))?;
    Ok(item(json!({"name": row.json("company_name"), "country": code})))
}

fn contact(row: &Row) -> Result<Item, String> {
    let (first, last) = row.text("contact_name").split_once(' ').unwrap_or((row.text("contact_name"), ""));
    let last = (!last.trim().is_empty()).then(|| last.trim());
    Ok(item(json!({"first_name": first, "last_name": last, "job_title": row.json("contact_title")})))
}

fn address(row: &Row) -> Item {
    let (line1, line2) = row.text("address").split_once('\n').unwrap_or((row.text("address"), ""));
    item(json!({
        "purpose": "registered",
        "line1": line1,
        "line2": (!line2.is_empty()).then_some(line2),
        "city": row.json("city"),
        "region": row.json("region"),
        "postal_code": row.json("postal_code"),
        "country": countries::code(row.text("country")),
    }))
}

fn contact_points(row: &Row) -> Vec<Item> {
    let region = countries::code(row.text("country"));
    let given = ["phone", "fax"].into_iter().filter(|kind| !row.text(kind).is_empty());
    given.map(|kind| item(json!({"kind": kind, "raw": row.json(kind), "region": region}))).collect()
}

fn category(row: &Row) -> Result<Item, String> {
    Ok(item(json!({"name": row.json("category_name"), "description": row.json("description")})))
}

fn product(row: &Row, categories: &Ids) -> Result<Item, String> {
    let category = categories.get(row.text("category_id")).ok_or_else(|| format!("unknown category {}", row.text("category_id")))?;
    Ok(item(json!({
        "sku": format!("NW-{:0>3}", row.text("product_id")),
        "name": row.json("product_name"),
        "packaging": row.json("quantity_per_unit"),
        "category_id": category,
    })))
}
