//! A price quote: what something costs this customer today, and why.

use crate::id::{AccountId, PriceBookId, ProductId};
use samphan_resource::money::{Amount, Price, Quantity};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A question for prices.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskPrice {
    /// The customer; its price book is the one to look in.
    pub account_id: Option<AccountId>,
    /// A price book to look in instead.
    pub price_book_id: Option<PriceBookId>,
    /// ISO 4217 currency, to choose the default book by; the account's own, else the organisation's first default book.
    #[schema(pattern = "^[A-Z]{3}$", example = "THB")]
    pub currency: Option<String>,
    /// The day to price for; today when left out.
    #[schema(value_type = Option<String>, format = Date)]
    pub date: Option<String>,
    /// What is asked for.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<AskLine>,
}

/// One product and quantity.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskLine {
    /// The product, by id.
    pub product_id: Option<ProductId>,
    /// The product, by SKU.
    #[schema(max_length = 64, format = "visible", example = "TEA-001")]
    pub sku: Option<String>,
    /// How much of it.
    pub quantity: Quantity,
}

/// Prices, and how they came about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PriceQuote {
    /// The customer.
    #[schema(required = true)]
    pub account_id: Option<AccountId>,
    /// The book the search began in.
    pub price_book_id: PriceBookId,
    /// ISO 4217 currency of every amount.
    #[schema(max_length = 3)]
    pub currency: String,
    /// The day priced for.
    #[schema(format = Date)]
    pub date: String,
    /// Whether prices include tax.
    pub tax_inclusive: bool,
    /// In the order asked.
    #[schema(max_items = 200)]
    pub lines: Vec<PricedLine>,
    /// Sum of the lines that have a price.
    pub total: Amount,
}

/// A priced line.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PricedLine {
    /// The product.
    pub product_id: ProductId,
    /// Its SKU.
    #[schema(max_length = 64)]
    pub sku: String,
    /// How much of it.
    pub quantity: Quantity,
    /// Price of one; null when no book has one.
    #[schema(required = true)]
    pub unit_price: Option<Price>,
    /// Price of the line, rounded half up to the currency's decimals.
    #[schema(required = true)]
    pub amount: Option<Amount>,
    /// The book the price stands in.
    #[schema(required = true)]
    pub price_book_id: Option<PriceBookId>,
    /// The entry that decided.
    #[schema(required = true)]
    pub price_book_entry_id: Option<Uuid>,
    /// What was looked at, step by step.
    #[schema(max_items = 20)]
    pub explain: Vec<PriceStep>,
}

/// One step on the way to a price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PriceStep {
    /// The book looked in.
    pub price_book_id: PriceBookId,
    /// Its name.
    #[schema(max_length = 100)]
    pub price_book: String,
    /// `applied`, `no_entry`, `quantity_below_break`, `entry_outside_dates` or `book_outside_dates`.
    #[schema(max_length = 30)]
    pub result: String,
    /// The quantity break that was used, or the lowest there is.
    #[schema(required = true)]
    pub min_quantity: Option<Quantity>,
    /// The price found.
    #[schema(required = true)]
    pub price: Option<Price>,
}

/// An entry of a book as pricing needs it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The entry.
    pub id: Uuid,
    /// From which quantity.
    pub min_quantity: Quantity,
    /// The price.
    pub price: Price,
    /// First day.
    pub valid_from: Option<String>,
    /// Last day.
    pub valid_to: Option<String>,
}

/// Whether a day lies within a period with open ends.
#[must_use]
pub fn within(day: &str, from: Option<&str>, to: Option<&str>) -> bool {
    // Dates of the form YYYY-MM-DD order as text.
    from.is_none_or(|f| f <= day) && to.is_none_or(|t| day <= t)
}

/// Chooses among a book's entries for a product: of those of the day and quantity the highest break, then the latest start.
pub fn choose<'a>(entries: &'a [Candidate], quantity: Quantity, day: &str) -> Result<&'a Candidate, (&'static str, Option<Quantity>)> {
    if entries.is_empty() {
        return Err(("no_entry", None));
    }
    let of_the_day: Vec<&Candidate> = entries.iter().filter(|e| within(day, e.valid_from.as_deref(), e.valid_to.as_deref())).collect();
    if of_the_day.is_empty() {
        return Err(("entry_outside_dates", None));
    }
    let lowest = of_the_day.iter().map(|e| e.min_quantity).min();
    of_the_day
        .into_iter()
        .filter(|e| e.min_quantity <= quantity)
        .max_by_key(|e| (e.min_quantity, e.valid_from.clone()))
        .ok_or(("quantity_below_break", lowest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(min: i64, price: i64, from: Option<&str>, to: Option<&str>) -> Candidate {
        Candidate {
            id: Uuid::nil(),
            min_quantity: Quantity(min),
            price: Price(price),
            valid_from: from.map(Into::into),
            valid_to: to.map(Into::into),
        }
    }

    #[test]
    fn the_highest_break_reached_decides_and_dates_count_both_ends() {
        let entries = [entry(0, 100, None, None), entry(100, 90, None, None), entry(50, 80, Some("2026-01-01"), Some("2026-01-31"))];
        let price = |q, day| choose(&entries, Quantity(q), day).map(|e| e.price.0);
        assert_eq!(price(99, "2026-02-01"), Ok(100));
        assert_eq!(price(100, "2026-02-01"), Ok(90));
        assert_eq!(price(60, "2026-01-31"), Ok(80));
        assert_eq!(price(60, "2026-02-01"), Ok(100));
        assert_eq!(choose(&entries[1..2], Quantity(1), "2026-01-01").map(|_| ()), Err(("quantity_below_break", Some(Quantity(100)))));
    }
}
