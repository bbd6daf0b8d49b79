//! What the lines of a document cost: products, prices of the day, tax of the day, and what it all adds up to.

use crate::catalog::price_quote::{books, entries, priced};
use samphan_domain::{
    catalog::{
        price_book::PriceBook,
        price_quote::{PriceStep, within},
    },
    customers::account::Account,
    id::{PriceBookId, ProductId},
    sales::{order::Order, order_line::OrderLine},
};
use samphan_persistence::{store::Reader, stored::Stored};
use samphan_resource::{
    currency,
    error::{Code, Error, FieldCode, FieldError, Result},
    money::{Percent, Price},
    scalar::{Kind, Scalar},
};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What a document's lines were priced by.
pub struct Priced {
    /// For each line: how its price came about.
    pub waterfall: Vec<Vec<PriceStep>>,
    /// For each line: the price book's price.
    pub book_prices: Vec<Option<Price>>,
    /// For each line: the days until more can be had, where more may be promised than is there.
    pub lead_times: Vec<Option<i32>>,
}

struct Product {
    id: Uuid,
    sku: String,
    name: String,
    unit: Option<String>,
    tax_code: Option<String>,
    is_service: bool,
    is_active: bool,
    lead_time_days: Option<i32>,
}

/// A fault of a line.
fn fault(line: usize, field: &str, code: FieldCode, about: &str) -> FieldError {
    FieldError::new(format!("/lines/{line}/{field}"), code, about)
}

/// The day by which something is sold now: today, or the day it is ordered for where that is to come.
pub async fn day_of_sale(reader: &Reader, order: &Order) -> Result<Option<String>> {
    let now = reader.today().await?.to_string();
    Ok(order.ordered_on.clone().filter(|day| *day > now).or(Some(now)))
}

/// Fills in what follows from a document's lines: products, prices, tax, totals. Prices that were given stay; those that were the
/// book's are so again. `before` is the document the lines go on from: those that keep their price keep their tax and product data too,
/// and then the currency and tax terms are the document's, not those the price book has now.
pub async fn price(reader: &Reader, order: &mut Order, account: &Stored<Account>, before: Option<&Order>) -> Result<Priced> {
    let day = match &order.ordered_on {
        Some(day) => day.clone(),
        None => reader.today().await?.to_string(),
    };
    let was: Vec<Option<&OrderLine>> = order.lines.iter().map(|l| before.and_then(|b| l.id.and_then(|id| b.line(id)))).collect();
    let kept: Vec<Option<&OrderLine>> = was.iter().zip(&order.lines).map(|(was, line)| was.filter(|w| line.keeps_price_of(w))).collect();
    let goes_on = kept.iter().any(Option::is_some);
    let books = if !kept.is_empty() && kept.iter().all(|k| k.is_some_and(|k| k.is_confirmed)) {
        vec![]
    } else {
        books(reader, order.price_book_id, order.currency.as_deref(), Some(&account.data)).await?
    };
    if !goes_on {
        settle_currency(order, &books)?;
    }
    // Prices in another currency, or with tax where the document's are without, are not the document's.
    let is_of_book =
        |b: &Stored<PriceBook>| Some(&b.data.currency) == order.currency.as_ref() && b.data.tax_inclusive == order.tax_inclusive;
    let comparable = books.first().is_none_or(is_of_book);
    let products = products(reader, &order.lines).await?;
    let mut faults = vec![];
    let mut seen = HashSet::new();
    for (i, (line, kept)) in order.lines.iter_mut().zip(&kept).enumerate() {
        check_amounts(line, i, &mut faults);
        if line.id.is_some_and(|id| !seen.insert(id)) {
            faults.push(fault(i, "id", FieldCode::Repeated, "each line has an id of its own"));
        }
        if let Some(kept) = kept {
            line.sku.clone_from(&kept.sku);
            line.description = line.description.take().or_else(|| kept.description.clone());
            line.unit.clone_from(&kept.unit);
            line.tax_code.clone_from(&kept.tax_code);
            line.is_service = kept.is_service;
            continue;
        }
        let found = match (line.product_id, &line.sku) {
            (Some(id), _) => products.iter().find(|p| p.id == id.0),
            (None, Some(sku)) => products.iter().find(|p| p.sku == *sku),
            (None, None) => {
                faults.push(fault(i, "product_id", FieldCode::Required, "product_id or sku"));
                continue;
            }
        };
        let Some(product) = found else {
            faults.push(fault(i, if line.product_id.is_some() { "product_id" } else { "sku" }, FieldCode::UnknownReference, "products"));
            continue;
        };
        let known = before.and_then(|b| line.id.and_then(|id| b.line(id))).is_some_and(|b| b.product_id == Some(ProductId(product.id)));
        if !product.is_active && !known {
            faults.push(fault(i, "product_id", FieldCode::Discontinued, "a product that is sold"));
        }
        line.product_id = Some(ProductId(product.id));
        line.sku = Some(product.sku.clone());
        line.description = line.description.take().or_else(|| Some(product.name.clone()));
        line.unit.clone_from(&product.unit);
        line.tax_code.clone_from(&product.tax_code);
        line.is_service = product.is_service;
    }
    if !faults.is_empty() {
        let unknown = faults.iter().any(|f| f.code == FieldCode::UnknownReference);
        return Err(Error::from(if unknown { Code::UnknownReference } else { Code::ValidationFailed }).with(faults));
    }
    let decimals = order.currency.as_deref().and_then(currency::decimals).unwrap_or(2);
    let of_books = entries(reader, &books, order.lines.iter().filter_map(|l| l.product_id).map(|id| id.0)).await?;
    let rates = tax_rates(reader, &order.lines, &day).await?;
    let (mut waterfall, mut book_prices) = (vec![], vec![]);
    for (i, ((line, was), kept)) in order.lines.iter_mut().zip(&was).zip(&kept).enumerate() {
        let product = line.product_id.unwrap_or(ProductId(Uuid::nil())).0;
        let sku = line.sku.clone().unwrap_or_default();
        let found = priced(line.quantity, product, sku, &books, &of_books, &day, decimals)?;
        let book_price = found.unit_price.filter(|_| comparable);
        waterfall.push(found.explain);
        book_prices.push(book_price);
        if let Some(kept) = kept {
            line.is_price_manual = kept.is_price_manual || line.unit_price != kept.unit_price;
            line.tax_rate = kept.tax_rate;
            line.is_confirmed = is_still_confirmed(line, kept);
            continue;
        }
        // A price that was the book's is so again, whatever the book says now.
        let given = line.unit_price.filter(|p| !was.is_some_and(|w| w.unit_price == Some(*p) && !w.is_price_manual));
        line.unit_price = given.or(book_price);
        line.is_price_manual = given.is_some_and(|g| Some(g) != book_price);
        if line.unit_price.is_none() {
            faults.push(fault(i, "unit_price", FieldCode::NoPrice, "a price, or a product the price book has"));
        }
        match line.tax_code.as_ref().map(|code| rates.get(code)) {
            Some(Some(rate)) => line.tax_rate = *rate,
            Some(None) => faults.push(fault(i, "product_id", FieldCode::UnknownTaxCode, "a product whose tax code has a rate on that day")),
            None => line.tax_rate = Percent(0),
        }
        line.is_confirmed = was.is_some_and(|was| is_still_confirmed(line, was));
    }
    if faults.is_empty() && !order.add_up(decimals) {
        faults.push(FieldError::new("/lines", FieldCode::OutOfRange, "smaller quantities or prices"));
    }
    if !faults.is_empty() {
        return Err(Error::from(Code::ValidationFailed).with(faults));
    }
    let lead = |l: &OrderLine| products.iter().find(|p| l.product_id == Some(ProductId(p.id))).and_then(|p| p.lead_time_days);
    Ok(Priced { waterfall, book_prices, lead_times: order.lines.iter().map(lead).collect() })
}

/// Whether a line says no more than what was confirmed: the same terms for no more of it.
fn is_still_confirmed(line: &OrderLine, was: &OrderLine) -> bool {
    was.is_confirmed && line.terms() == was.terms() && line.tax_rate == was.tax_rate && line.quantity <= was.quantity
}

fn check_amounts(line: &OrderLine, i: usize, faults: &mut Vec<FieldError>) {
    if line.quantity.0 <= 0 {
        faults.push(fault(i, "quantity", FieldCode::OutOfRange, "more than 0"));
    }
    if line.discount_percent.is_some_and(|d| d > Percent::WHOLE) {
        faults.push(fault(i, "discount_percent", FieldCode::OutOfRange, "0 to 100"));
    }
}

/// The book and currency of a document, of which one may follow from the other.
fn settle_currency(order: &mut Order, books: &[Stored<PriceBook>]) -> Result<()> {
    let Some(book) = books.first() else {
        if order.currency.is_none() {
            let about = "a currency, a price book, an account with one, or a default book";
            return Err(Error::invalid(FieldError::new("/currency", FieldCode::Required, about)));
        }
        return Ok(());
    };
    if order.currency.as_ref().is_some_and(|c| *c != book.data.currency) {
        return Err(Error::invalid(FieldError::new("/currency", FieldCode::NotOfPriceBook, book.data.currency.clone())));
    }
    order.currency = Some(book.data.currency.clone());
    order.price_book_id = Some(PriceBookId(book.id()));
    order.tax_inclusive = book.data.tax_inclusive;
    order.tax_rounding = book.data.tax_rounding;
    Ok(())
}

/// The products of the lines: one query.
async fn products(reader: &Reader, lines: &[OrderLine]) -> Result<Vec<Product>> {
    let mut sql = reader.sql();
    sql.push("SELECT id, sku, name, unit, tax_code, kind, status, lead_time_days FROM products WHERE deleted_at IS NULL AND (id");
    sql.one_of_ids(lines.iter().filter_map(|l| l.product_id).map(|id| id.0)).push(" OR sku");
    let skus = lines.iter().filter(|l| l.product_id.is_none()).filter_map(|l| l.sku.clone());
    sql.one_of(Kind::Text, skus.map(Scalar::Text)).push(")");
    reader
        .fetch(sql, |row| {
            let days = if let Scalar::Int(n) = row.scalar(7, Kind::Int)? { i32::try_from(n).ok() } else { None };
            Ok(Product {
                id: row.id(0)?,
                sku: row.text(1)?,
                name: row.text(2)?,
                unit: row.optional_text(3)?,
                tax_code: row.optional_text(4)?,
                is_service: row.text(5)? == "service",
                is_active: row.text(6)? == "active",
                lead_time_days: days,
            })
        })
        .await
}

/// The rate of each tax code of the lines on a day: of those that hold the one that began last.
async fn tax_rates(reader: &Reader, lines: &[OrderLine], day: &str) -> Result<HashMap<String, Percent>> {
    let codes: HashSet<&String> = lines.iter().filter_map(|l| l.tax_code.as_ref()).collect();
    if codes.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = reader.sql();
    sql.push("SELECT code, rate, valid_from, valid_to FROM tax_rates WHERE deleted_at IS NULL AND code");
    sql.one_of(Kind::Text, codes.into_iter().cloned().map(Scalar::Text)).push(" ORDER BY code, coalesce(valid_from, ");
    sql.bind(Kind::Date, Kind::Date.read("1900-01-01").unwrap_or(Scalar::Null)).push("), id");
    let day_of = |scalar| if let Scalar::Date(d) = scalar { Some(d.to_string()) } else { None };
    let rows = reader
        .fetch(sql, |row| Ok((row.text(0)?, row.int(1)?, day_of(row.scalar(2, Kind::Date)?), day_of(row.scalar(3, Kind::Date)?))))
        .await?;
    let held = rows.into_iter().filter(|(.., from, to)| within(day, from.as_deref(), to.as_deref()));
    Ok(held.map(|(code, rate, ..)| (code, Percent(rate))).collect())
}
