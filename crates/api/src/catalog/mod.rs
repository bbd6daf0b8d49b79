//! The catalog: products, price books, and what something costs this customer.

pub mod price_book;
pub mod price_quote;
pub mod product;

use crate::platform::shipped_roles::{ACCOUNTING, CONNECTOR, SELLING, WAREHOUSE};
use samphan_domain::catalog::{
    exchange_rate::ExchangeRate,
    price_book::{PriceBook, PriceBookEntry},
    price_quote::{AskPrice, PriceQuote},
    product::ProductCategory,
};
use samphan_rest::{
    collection::{Api, Collection},
    module::Module,
    presets::Presets,
};

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).presets(presets)
}

/// What shipped roles may do here.
fn presets(presets: Presets) -> Presets {
    presets
        .grant_over_all(SELLING, "products", &["read"])
        .grant_over_all(SELLING, "product-categories", &["read"])
        .grant_over_all(SELLING, "price-books", &["read"])
        .grant_over_all(SELLING, "exchange-rates", &["read"])
        .grant(&[WAREHOUSE, ACCOUNTING, CONNECTOR], "products", &["read"])
        .grant(&[ACCOUNTING], "exchange-rates", &["read", "create", "update"])
}

/// The area's routes.
#[must_use]
fn routes(api: Api) -> Api {
    api.collection(Collection::<ProductCategory>::new("products").with_crud())
        .collection(product::routes())
        .collection(price_book::routes())
        .collection(Collection::<PriceBookEntry>::nested_under::<PriceBook>("prices", "price_book_id", "entries").with_crud())
        .collection(Collection::<ExchangeRate>::new("prices").with_crud())
        .operations(price_quote::routes())
        .schema::<AskPrice>()
        .schema::<PriceQuote>()
}
