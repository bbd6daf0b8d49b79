//! What the lines of a document cost: products, prices of the day, tax of the day, and what it all adds up to.

use crate::catalog::price_quote::{Entries, books, entries, priced};
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
    let earlier = Earlier::of(order, before);
    let books = if earlier.is_all_confirmed() {
        vec![]
    } else {
        books(reader, order.price_book_id, order.currency.as_deref(), Some(&account.data)).await?
    };
    if !earlier.keeps_any_price() {
        settle_currency(order, &books)?;
    }
    let products = products(reader, &order.lines).await?;
    name_products(order, &earlier, &products)?;
    let of_books = entries(reader, &books, order.lines.iter().filter_map(|l| l.product_id).map(|id| id.0)).await?;
    let rates = tax_rates(reader, &order.lines, &day).await?;
    let (waterfall, book_prices) = set_prices(order, &earlier, &books, &of_books, &rates, &day)?.into_iter().unzip();
    let lead = |l: &OrderLine| products.iter().find(|p| l.product_id == Some(ProductId(p.id))).and_then(|p| p.lead_time_days);
    Ok(Priced { waterfall, book_prices, lead_times: order.lines.iter().map(lead).collect() })
}

/// The lines from which a document's lines go on.
struct Earlier<'a> {
    /// For each line of the document, the same line as it was.
    was: Vec<Option<&'a OrderLine>>,
    /// Those of them whose price the line keeps.
    kept: Vec<Option<&'a OrderLine>>,
}

impl<'a> Earlier<'a> {
    fn of(order: &Order, before: Option<&'a Order>) -> Self {
        let was: Vec<Option<&OrderLine>> = order.lines.iter().map(|l| before.and_then(|b| l.id.and_then(|id| b.line(id)))).collect();
        let kept = was.iter().zip(&order.lines).map(|(was, line)| was.filter(|w| line.keeps_price_of(w))).collect();
        Self { was, kept }
    }

    fn keeps_any_price(&self) -> bool {
        self.kept.iter().any(Option::is_some)
    }

    /// Whether every line keeps a price that was confirmed: then no price book is asked.
    fn is_all_confirmed(&self) -> bool {
        !self.kept.is_empty() && self.kept.iter().all(|k| k.is_some_and(|k| k.is_confirmed))
    }
}

/// Fills in what each line takes over from its product, or from the line whose price it keeps; all that is wrong is said at once.
fn name_products(order: &mut Order, earlier: &Earlier<'_>, products: &[Product]) -> Result<()> {
    let mut faults = vec![];
    let mut seen = HashSet::new();
    for (i, ((line, was), kept)) in order.lines.iter_mut().zip(&earlier.was).zip(&earlier.kept).enumerate() {
        check_amounts(line, i, &mut faults);
        if line.id.is_some_and(|id| !seen.insert(id)) {
            faults.push(fault(i, "id", FieldCode::Repeated, "each line has an id of its own"));
        }
        match kept {
            Some(kept) => {
                line.sku.clone_from(&kept.sku);
                line.description = line.description.take().or_else(|| kept.description.clone());
                line.unit.clone_from(&kept.unit);
                line.tax_code.clone_from(&kept.tax_code);
                line.is_service = kept.is_service;
            }
            None => faults.extend(name_product(line, *was, i, products).err()),
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    let unknown = faults.iter().any(|f| f.code == FieldCode::UnknownReference);
    Err(Error::from(if unknown { Code::UnknownReference } else { Code::ValidationFailed }).with_field_errors(faults))
}

/// Fills in what a line takes over from its product, found by its id or SKU.
fn name_product(line: &mut OrderLine, was: Option<&OrderLine>, i: usize, products: &[Product]) -> Result<(), FieldError> {
    let (found, by) = match (line.product_id, &line.sku) {
        (Some(id), _) => (products.iter().find(|p| p.id == id.0), "product_id"),
        (None, Some(sku)) => (products.iter().find(|p| p.sku == *sku), "sku"),
        (None, None) => return Err(fault(i, "product_id", FieldCode::Required, "product_id or sku")),
    };
    let product = found.ok_or_else(|| fault(i, by, FieldCode::UnknownReference, "products"))?;
    let is_sold_already = was.is_some_and(|was| was.product_id == Some(ProductId(product.id)));
    if !product.is_active && !is_sold_already {
        return Err(fault(i, "product_id", FieldCode::Discontinued, "a product that is sold"));
    }
    line.product_id = Some(ProductId(product.id));
    line.sku = Some(product.sku.clone());
    line.description = line.description.take().or_else(|| Some(product.name.clone()));
    line.unit.clone_from(&product.unit);
    line.tax_code.clone_from(&product.tax_code);
    line.is_service = product.is_service;
    Ok(())
}

/// Sets the price and the tax of each line, and adds the document up. Answers for each line how its price came about, and the book's.
fn set_prices(
    order: &mut Order,
    earlier: &Earlier<'_>,
    books: &[Stored<PriceBook>],
    of_books: &Entries,
    rates: &HashMap<String, Percent>,
    day: &str,
) -> Result<Vec<(Vec<PriceStep>, Option<Price>)>> {
    // Prices in another currency, or with tax where the document's are without, are not the document's.
    let is_of_book =
        |b: &Stored<PriceBook>| Some(&b.data.currency) == order.currency.as_ref() && b.data.tax_inclusive == order.tax_inclusive;
    let comparable = books.first().is_none_or(is_of_book);
    let decimals = order.currency.as_deref().and_then(currency::decimals).unwrap_or(2);
    let (mut faults, mut prices) = (vec![], vec![]);
    for (i, ((line, was), kept)) in order.lines.iter_mut().zip(&earlier.was).zip(&earlier.kept).enumerate() {
        let product = line.product_id.ok_or(Code::Internal)?.0;
        let sku = line.sku.clone().unwrap_or_default();
        let found = priced(line.quantity, product, sku, books, of_books, day, decimals)?;
        let book_price = found.unit_price.filter(|_| comparable);
        prices.push((found.explain, book_price));
        match kept {
            Some(kept) => {
                line.is_price_manual = kept.is_price_manual || line.unit_price != kept.unit_price;
                line.tax_rate = kept.tax_rate;
                line.is_confirmed = is_still_confirmed(line, kept);
            }
            None => faults.extend(set_price(line, *was, book_price, rates, i)),
        }
    }
    if faults.is_empty() && !order.add_up(decimals) {
        faults.push(FieldError::new("/lines", FieldCode::OutOfRange, "smaller quantities or prices"));
    }
    if faults.is_empty() { Ok(prices) } else { Err(Error::from(Code::ValidationFailed).with_field_errors(faults)) }
}

/// Sets the price of a line that keeps none, and its tax.
fn set_price(
    line: &mut OrderLine,
    was: Option<&OrderLine>,
    book_price: Option<Price>,
    rates: &HashMap<String, Percent>,
    i: usize,
) -> Vec<FieldError> {
    let mut faults = vec![];
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
    faults
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
            Ok(Product {
                id: row.id(0)?,
                sku: row.text(1)?,
                name: row.text(2)?,
                unit: row.optional_text(3)?,
                tax_code: row.optional_text(4)?,
                is_service: row.text(5)? == "service",
                is_active: row.text(6)? == "active",
                lead_time_days: row.optional_int(7)?.and_then(|days| i32::try_from(days).ok()),
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
    sql.bind(Kind::Date, Kind::Date.parse("1900-01-01").unwrap_or(Scalar::Null)).push("), id");
    let rows = reader.fetch(sql, |row| Ok((row.text(0)?, row.int(1)?, row.day(2)?, row.day(3)?))).await?;
    let held = rows.into_iter().filter(|(.., from, to)| within(day, from.as_deref(), to.as_deref()));
    Ok(held.map(|(code, rate, ..)| (code, Percent(rate))).collect())
}
