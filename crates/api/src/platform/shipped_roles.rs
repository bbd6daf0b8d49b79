//! The roles that the first start makes, as areas name them where they say which permissions each gets.

/// Sells: sees the accounts of the team.
pub const SELLER: &str = "Seller";
/// Leads sellers: sees the accounts of the teams beneath.
pub const SALES_MANAGER: &str = "Sales manager";
/// Sends orders on their way.
pub const WAREHOUSE: &str = "Warehouse";
/// Keeps balances and limits.
pub const ACCOUNTING: &str = "Accounting";
/// The key of a system that keeps the books: what `docs/connect-accounting.md` needs, and nothing else.
pub const CONNECTOR: &str = "Accounting connector";
/// Those who sell, and those who lead them.
pub const SELLING: &[&str] = &[SELLER, SALES_MANAGER];
