//! `POST /v1/price-quotes`: what it costs this customer, and why.

use super::price_book::MOST_PARENTS;
use actix_web::http::Method;
use samphan_domain::{
    catalog::{
        price_book::PriceBook,
        price_quote::{AskLine, AskPrice, Candidate, PriceQuote, PriceStep, PricedLine, choose, within},
    },
    customers::account::Account,
    id::{PriceBookId, ProductId},
};
use samphan_persistence::{
    store::Reader,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    example,
    money::{Amount, Price, Quantity, times},
    scalar::{Kind, Scalar},
};
use samphan_rest::{
    example::Example,
    operation::{Body, Operation, RequestContext},
    response::Response,
};
use serde_json::json;
use std::collections::HashMap;
use uuid::Uuid;

/// The operation.
#[must_use]
pub fn routes() -> Vec<Operation> {
    let about = "Looks in the price book named, else in the account's own, else in the default book of the currency; what a book does not have is looked for in its \
                 parents. Within a book the highest quantity break that is reached decides. Every step is explained. Keeps nothing.";
    let mut ask = Operation::read("createPriceQuote", "/v1/price-quotes", run)
        .describe("prices", "Quote prices", about)
        .example(
            Example::body(json!({"account_id": example::id("accounts"), "lines": [{"sku": "TEA-001", "quantity": "10"}]}))
                .depends_on(&["createPriceBookEntry"])
                .answers(json!({"account_id": example::id("accounts"), "currency": "THB", "total": "890.00", "lines": [{
                    "sku": "TEA-001", "quantity": "10", "unit_price": "89.00", "amount": "890.00", "price_book_id": example::id("price_books"),
                    "explain": [{"price_book": "Retail 2026", "result": "applied", "min_quantity": "1", "price": "89.00"}],
                }]})),
        )
        .body(Body::of("AskPrice"))
        .requires("price-books:read")
        .also_requires_with(["accounts:read"], "account_id", "the body names an account")
        .responds(200, "PriceQuote");
    ask.method = Method::POST;
    vec![ask]
}

async fn run(reader: &Reader, call: RequestContext) -> Result<Response> {
    let ask: AskPrice = call.input()?;
    let date = match &ask.date {
        Some(date) => date.clone(),
        None => reader.today().await?.to_string(),
    };
    let account = match ask.account_id {
        Some(id) => Some(stored::find_visible::<Account>(reader, id.0).await?.ok_or_else(|| unknown("/account_id", "accounts"))?),
        None => None,
    };
    if let Some(account) = &account {
        account.data.check_not_blocked()?;
    }
    let books = books(reader, ask.price_book_id, ask.currency.as_deref(), account.as_ref().map(|a| &a.data)).await?;
    let Some((first_id, first)) = books.first().map(|b| (PriceBookId(b.id()), &b.data)) else {
        return Err(Error::invalid(FieldError::new(
            "/price_book_id",
            FieldCode::NoPriceBook,
            "a price book, an account with one, or a default book",
        )));
    };
    if ask.currency.as_ref().is_some_and(|c| *c != first.currency) {
        return Err(Error::invalid(FieldError::new("/currency", FieldCode::NotOfPriceBook, first.currency.clone())));
    }
    let products = products(reader, &ask.lines).await?;
    let entries = entries(reader, &books, products.iter().map(|p| p.0)).await?;
    let decimals = iso_decimals(&first.currency);
    let mut lines = vec![];
    for (line, (product_id, sku)) in ask.lines.iter().zip(products) {
        lines.push(priced(line.quantity, product_id, sku, &books, &entries, &date, decimals)?);
    }
    let total = lines.iter().filter_map(|l| l.amount).fold(Amount(0), Amount::plus);
    let quote = PriceQuote {
        account_id: ask.account_id,
        price_book_id: first_id,
        currency: first.currency.clone(),
        date,
        tax_inclusive: first.tax_inclusive,
        lines,
        total,
    };
    Ok(Response::json(&quote))
}

fn unknown(pointer: &str, many: &str) -> Error {
    Error::unknown_reference(pointer, many)
}

fn iso_decimals(currency: &str) -> u32 {
    samphan_resource::currency::decimals(currency).unwrap_or(2)
}

/// The book to look in, and its ancestors: the one named, else the account's own, else the default one of the currency.
pub(crate) async fn books(
    reader: &Reader,
    named: Option<PriceBookId>,
    currency: Option<&str>,
    account: Option<&Account>,
) -> Result<Vec<Stored<PriceBook>>> {
    let own = account.and_then(|a| a.price_book_id);
    let currency = currency.or(account.and_then(|a| a.currency.as_deref()));
    let mut next = match named.or(own) {
        Some(id) => {
            let named = stored::find_one_by::<PriceBook>(reader, "id", Scalar::Id(id.0)).await?;
            Some(named.ok_or_else(|| unknown("/price_book_id", "price_books"))?)
        }
        None => {
            let defaults = stored::find_by::<PriceBook>(reader, "is_default", Scalar::Bool(true)).await?;
            defaults.into_iter().find(|b| currency.is_none_or(|c| *c == b.data.currency))
        }
    };
    let mut books = vec![];
    while let Some(book) = next {
        next = match book.data.parent_id.filter(|_| books.len() < MOST_PARENTS) {
            Some(id) => stored::find_one_by::<PriceBook>(reader, "id", Scalar::Id(id.0)).await?,
            None => None,
        };
        books.push(book);
    }
    Ok(books)
}

/// The products asked for, in order: one query.
async fn products(reader: &Reader, lines: &[AskLine]) -> Result<Vec<(Uuid, String)>> {
    let mut sql = reader.sql();
    sql.push("SELECT id, sku FROM products WHERE deleted_at IS NULL AND (id")
        .one_of_ids(lines.iter().filter_map(|l| l.product_id).map(|id| id.0));
    sql.push(" OR sku").one_of(Kind::Text, lines.iter().filter_map(|l| l.sku.clone()).map(Scalar::Text)).push(")");
    let found = reader.fetch(sql, |row| Ok((row.id(0)?, row.text(1)?))).await?;
    let mut faults = vec![];
    let mut all = vec![];
    for (i, line) in lines.iter().enumerate() {
        let hit = match (line.product_id, &line.sku) {
            (Some(id), None) => found.iter().find(|(p, _)| *p == id.0),
            (None, Some(sku)) => found.iter().find(|(_, s)| s == sku),
            _ => {
                faults.push(FieldError::new(format!("/lines/{i}"), FieldCode::AmbiguousKey, "exactly one of product_id and sku"));
                continue;
            }
        };
        match hit {
            Some(product) => all.push(product.clone()),
            None => faults.push(FieldError::new(format!("/lines/{i}"), FieldCode::UnknownReference, "products")),
        }
    }
    if faults.is_empty() { Ok(all) } else { Err(Error::from(Code::UnknownReference).with_field_errors(faults)) }
}

/// Candidates by book and product.
pub(crate) type Entries = HashMap<(Uuid, Uuid), Vec<Candidate>>;

/// The entries of the books for the products, by book and product: one query.
pub(crate) async fn entries(reader: &Reader, books: &[Stored<PriceBook>], products: impl Iterator<Item = Uuid>) -> Result<Entries> {
    let mut sql = reader.sql();
    sql.push("SELECT price_book_id, product_id, id, min_quantity, price, valid_from, valid_to FROM price_book_entries WHERE deleted_at IS NULL AND price_book_id");
    sql.one_of_ids(books.iter().map(Stored::id)).push(" AND product_id").one_of_ids(products).push(" ORDER BY id");
    let rows = reader
        .fetch(sql, |row| {
            let candidate = Candidate {
                id: row.id(2)?,
                min_quantity: Quantity(row.int(3)?),
                price: Price(row.int(4)?),
                valid_from: row.day(5)?,
                valid_to: row.day(6)?,
            };
            Ok(((row.id(0)?, row.id(1)?), candidate))
        })
        .await?;
    let mut all = Entries::new();
    for (key, candidate) in rows {
        all.entry(key).or_default().push(candidate);
    }
    Ok(all)
}

/// The price of a quantity of a product, and how it came about.
pub(crate) fn priced(
    quantity: Quantity,
    product: Uuid,
    sku: String,
    books: &[Stored<PriceBook>],
    entries: &Entries,
    date: &str,
    decimals: u32,
) -> Result<PricedLine> {
    let mut line = PricedLine {
        product_id: ProductId(product),
        sku,
        quantity,
        unit_price: None,
        amount: None,
        price_book_id: None,
        price_book_entry_id: None,
        explain: vec![],
    };
    for book in books {
        let step = |result: &str, min_quantity, price| PriceStep {
            price_book_id: PriceBookId(book.id()),
            price_book: book.data.name.clone(),
            result: result.to_owned(),
            min_quantity,
            price,
        };
        if !within(date, book.data.valid_from.as_deref(), book.data.valid_to.as_deref()) {
            line.explain.push(step("book_outside_dates", None, None));
            continue;
        }
        match choose(entries.get(&(book.id(), product)).map_or(&[], Vec::as_slice), quantity, date) {
            Ok(entry) => {
                line.explain.push(step("applied", Some(entry.min_quantity), Some(entry.price)));
                let amount = times(entry.price.0, quantity.0, decimals);
                line.amount = Some(Amount(
                    amount.ok_or_else(|| Error::invalid(FieldError::new("/lines", FieldCode::OutOfRange, "a smaller quantity")))?,
                ));
                line.unit_price = Some(entry.price);
                line.price_book_id = Some(PriceBookId(book.id()));
                line.price_book_entry_id = Some(entry.id);
                break;
            }
            Err((why, lowest)) => line.explain.push(step(why, lowest, None)),
        }
    }
    Ok(line)
}
