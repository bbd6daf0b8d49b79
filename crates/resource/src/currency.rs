//! Currencies: ISO 4217 codes and how many decimals their amounts have.

use iso_currency::Currency;

/// How many decimals a currency's amounts have; none for a code that is not one.
#[must_use]
pub fn decimals(code: &str) -> Option<u32> {
    Currency::from_code(code).map(|c| c.exponent().map_or(2, u32::from))
}
