//! The catalog: what we sell, and for how much to whom.

pub mod exchange_rate;
pub mod price_book;
pub mod price_quote;
pub mod product;
