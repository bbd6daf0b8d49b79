//! An exchange rate: what so much of a currency is worth in another, from a day on.

use samphan_resource::{
    currency,
    error::FieldCode,
    money::{Amount, Price, Quantity, SCALE},
    resource::Resource,
    validation::fault,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// What an amount of one currency is worth in another, from a day on until the next rate of the pair.
///
/// Credit uses it to bring what counts against a limit to the limit's currency. A rate is used in both directions; where both are kept, each
/// direction has its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "fits"))]
pub struct ExchangeRate {
    /// ISO 4217 currency that is exchanged.
    #[schema(pattern = "^[A-Z]{3}$", example = "USD")]
    pub from_currency: String,
    /// ISO 4217 currency it is exchanged for.
    #[schema(pattern = "^[A-Z]{3}$", example = "THB")]
    pub to_currency: String,
    /// First day it holds: from then until the next rate of the pair.
    #[schema(value_type = String, format = Date)]
    pub valid_from: String,
    /// What `per` units of `from_currency` are worth in `to_currency`, more than zero.
    #[schema(example = "35.25")]
    pub rate: Price,
    /// For how many units of `from_currency` the rate is, more than zero: `100` for yen as banks quote it.
    #[serde(default = "one")]
    #[schema(example = "1")]
    pub per: Quantity,
}

const fn one() -> Quantity {
    Quantity(SCALE)
}

impl Resource for ExchangeRate {
    const PLURAL: &'static str = "exchange_rates";
    const SINGULAR: &'static str = "exchange_rate";
    const DESCRIPTION: &'static str = "What currencies are worth in others, from day to day. Credit checks bring orders and balances of other currencies to the limit's \
        currency by them; without a rate an order is held (`no_exchange_rate`). Systems push them by `PUT /v1/exchange-rates/by-external-id/{system}/{external_id}` or in \
        a batch.";
    const FILTERS: &'static [&'static str] = &["from_currency", "to_currency", "valid_from"];
    const SORTS: &'static [&'static str] = &["valid_from"];
    const TITLE: &'static str = "from_currency";
    const UNIQUE: &'static [&'static [&'static str]] = &[&["from_currency", "to_currency", "valid_from"]];

    fn example() -> Value {
        json!({"rate": "35.25", "per": "1", "valid_from": "2026-11-20"})
    }

    fn example_change() -> Value {
        json!({"rate": "35.30"})
    }
}

fn fits(rate: &ExchangeRate) -> Result<(), ValidationError> {
    let known = |code: &str| currency::decimals(code).is_some();
    match () {
        () if !known(&rate.from_currency) => Err(fault("from_currency", FieldCode::UnknownValue, "an ISO 4217 currency")),
        () if !known(&rate.to_currency) => Err(fault("to_currency", FieldCode::UnknownValue, "an ISO 4217 currency")),
        () if rate.from_currency == rate.to_currency => Err(fault("to_currency", FieldCode::RefersToItself, "another currency")),
        () if rate.rate.0 <= 0 => Err(fault("rate", FieldCode::OutOfRange, "more than 0")),
        () if rate.per.0 <= 0 => Err(fault("per", FieldCode::OutOfRange, "more than 0")),
        () => Ok(()),
    }
}

/// How amounts of one currency are brought to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conversion {
    numerator: i64,
    denominator: i64,
    decimals: u32,
}

impl Conversion {
    /// Of a currency to itself.
    pub const NONE: Self = Self { numerator: 1, denominator: 1, decimals: 4 };

    /// By a rate: `rate` of the target for `per` of the source, rounded half up to the target's decimals.
    #[must_use]
    pub fn by_rate(rate: i64, per: i64, to: &str) -> Self {
        Self { numerator: rate, denominator: per, decimals: currency::decimals(to).unwrap_or(2) }
    }

    /// The amount in the other currency, held at the ends of the range.
    #[must_use]
    pub fn convert(self, amount: Amount) -> Amount {
        if self.numerator == self.denominator {
            return amount;
        }
        let step = 10_i128.pow(4_u32.saturating_sub(self.decimals));
        let divisor = i128::from(self.denominator.max(1)) * step;
        let product = i128::from(amount.0) * i128::from(self.numerator);
        let half = if product < 0 { -(divisor / 2) } else { divisor / 2 };
        let units = (product + half) / divisor * step;
        Amount(i64::try_from(units).unwrap_or(if units < 0 { i64::MIN } else { i64::MAX }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use samphan_resource::money::parse;

    #[test]
    fn amount_is_rounded_to_the_decimals_of_its_new_currency() {
        let amount = |text: &str| Amount(parse(text).unwrap());
        let dollars = Conversion::by_rate(parse("35.25").unwrap(), SCALE, "THB");
        assert_eq!(dollars.convert(amount("10.01")), amount("352.85"));
        assert_eq!(dollars.convert(amount("-10.01")), amount("-352.85"));
        let yen = Conversion::by_rate(parse("23.12").unwrap(), parse("100").unwrap(), "THB");
        assert_eq!(yen.convert(amount("1000")), amount("231.20"));
        let to_yen = Conversion::by_rate(parse("100").unwrap(), parse("23.12").unwrap(), "JPY");
        assert_eq!(to_yen.convert(amount("231.20")), amount("1000"));
        assert_eq!(Conversion::NONE.convert(amount("0.1234")), amount("0.1234"));
        assert_eq!(dollars.convert(Amount(i64::MAX)), Amount(i64::MAX));
    }
}
