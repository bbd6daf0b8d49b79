//! The catalog: products, price books, and what something costs this customer.

pub mod price_book;
pub mod price_quote;
pub mod product;

use samphan_domain::catalog::{
    exchange_rate::ExchangeRate,
    price_book::{PriceBook, PriceBookEntry},
    price_quote::{AskPrice, PriceQuote},
    product::ProductCategory,
};
use samphan_rest::{
    collection::{Api, Collection},
    module::Module,
};

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes)
}

/// The area's routes.
#[must_use]
fn routes(api: Api) -> Api {
    api.collection(Collection::<ProductCategory>::new("products").writes())
        .collection(product::routes())
        .collection(price_book::routes())
        .collection(Collection::<PriceBookEntry>::under::<PriceBook>("prices", "price_book_id", "entries").writes())
        .collection(Collection::<ExchangeRate>::new("prices").writes())
        .operations(price_quote::routes())
        .schema::<AskPrice>()
        .schema::<PriceQuote>()
}
