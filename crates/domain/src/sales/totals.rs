//! What a document with lines comes to: discounts, tax and rounding.
//!
//! Every line is rounded half up to the currency's decimals once, from the exact product, and the document is the sum of its
//! lines. Tax is either rounded with each line, or once for each rate over the whole document; then the lines show their
//! shares of it, so that lines and document always add up.

use samphan_resource::money::{Amount, Percent, Price, Quantity, SCALE};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where tax is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaxRounding {
    /// With each line.
    #[default]
    Line,
    /// Once for each rate.
    Document,
}

/// What holds for the whole document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The currency's decimals: 2 for baht, 0 for yen.
    pub decimals: u32,
    /// Whether prices include tax.
    pub tax_inclusive: bool,
    /// Where tax is rounded.
    pub rounding: TaxRounding,
}

/// A line as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// How much of it.
    pub quantity: Quantity,
    /// The price of one.
    pub unit_price: Price,
    /// How much of the price is let off, at most all of it.
    pub discount: Percent,
    /// The tax on it.
    pub tax_rate: Percent,
}

/// What a line comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineTotals {
    /// Price times quantity.
    pub gross: Amount,
    /// What is let off.
    pub discount: Amount,
    /// What is left, without tax.
    pub net: Amount,
    /// The tax.
    pub tax: Amount,
    /// Net and tax.
    pub total: Amount,
}

/// The tax of one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaxTotal {
    /// The rate.
    pub rate: Percent,
    /// What it is of, without tax.
    pub net: Amount,
    /// The tax.
    pub tax: Amount,
}

/// What a document comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Each line, in order.
    pub lines: Vec<LineTotals>,
    /// Each rate, the lowest first.
    pub taxes: Vec<TaxTotal>,
    /// The whole.
    pub whole: LineTotals,
}

/// The totals of a document; none when one of them is beyond what an amount holds.
#[must_use]
pub fn totals(lines: &[Line], terms: Terms) -> Option<Totals> {
    let mut done: Vec<LineTotals> = lines.iter().map(|l| line_totals(l, terms)).collect::<Option<_>>()?;
    let mut rates: Vec<Percent> = lines.iter().map(|l| l.tax_rate).collect();
    rates.sort_unstable();
    rates.dedup();
    if terms.rounding == TaxRounding::Document {
        for rate in &rates {
            let of_rate = || lines.iter().enumerate().filter(|(_, l)| l.tax_rate == *rate).map(|(i, _)| i);
            // What the lines come to with or without tax, as prices are; the tax of the sum is shared out among them.
            let sums: Vec<i64> =
                of_rate().filter_map(|i| done.get(i)).map(|l| if terms.tax_inclusive { l.total.0 } else { l.net.0 }).collect();
            let whole = sums.iter().try_fold(0_i64, |all, one| all.checked_add(*one))?;
            let tax = tax_of(whole, *rate, terms)?;
            let shares = shares(tax, &sums, terms.decimals)?;
            for (i, share) in of_rate().zip(shares) {
                if let Some(line) = done.get_mut(i) {
                    line.tax = Amount(share);
                    if terms.tax_inclusive {
                        line.net = Amount(line.total.0.checked_sub(share)?);
                    } else {
                        line.total = Amount(line.net.0.checked_add(share)?);
                    }
                }
            }
        }
    }
    let sum = |of: &dyn Fn(&LineTotals) -> Amount, which: &dyn Fn(usize) -> bool| {
        let each = done.iter().enumerate().filter(|(i, _)| which(*i)).map(|(_, l)| of(l).0);
        each.into_iter().try_fold(0_i64, i64::checked_add).map(Amount)
    };
    let all = |_: usize| true;
    let taxes = rates.iter().map(|rate| {
        let which = |i: usize| lines.get(i).is_some_and(|l| l.tax_rate == *rate);
        Some(TaxTotal { rate: *rate, net: sum(&|l| l.net, &which)?, tax: sum(&|l| l.tax, &which)? })
    });
    let taxes = taxes.collect::<Option<_>>()?;
    let whole = LineTotals {
        gross: sum(&|l| l.gross, &all)?,
        discount: sum(&|l| l.discount, &all)?,
        net: sum(&|l| l.net, &all)?,
        tax: sum(&|l| l.tax, &all)?,
        total: sum(&|l| l.total, &all)?,
    };
    Some(Totals { lines: done, taxes, whole })
}

fn line_totals(line: &Line, terms: Terms) -> Option<LineTotals> {
    let product = i128::from(line.unit_price.0) * i128::from(line.quantity.0);
    let left = Percent::WHOLE.0.checked_sub(line.discount.0).filter(|left| (0..=Percent::WHOLE.0).contains(left))?;
    let gross = rounded(product, i128::from(SCALE), terms.decimals)?;
    // Of the exact product, not of the rounded gross: one rounding, not two.
    let price = rounded(product.checked_mul(i128::from(left))?, i128::from(SCALE) * i128::from(Percent::WHOLE.0), terms.decimals)?;
    let tax = tax_of(price, line.tax_rate, terms)?;
    let (net, total) = if terms.tax_inclusive { (price.checked_sub(tax)?, price) } else { (price, price.checked_add(tax)?) };
    Some(LineTotals {
        gross: Amount(gross),
        discount: Amount(gross.checked_sub(price)?),
        net: Amount(net),
        tax: Amount(tax),
        total: Amount(total),
    })
}

/// The tax on an amount, or within it where prices include tax.
fn tax_of(amount: i64, rate: Percent, terms: Terms) -> Option<i64> {
    let base = if terms.tax_inclusive { Percent::WHOLE.0.checked_add(rate.0)? } else { Percent::WHOLE.0 };
    rounded(i128::from(amount).checked_mul(i128::from(rate.0))?, i128::from(base), terms.decimals)
}

/// `units / divisor`, rounded half away from zero to the decimals.
fn rounded(units: i128, divisor: i128, decimals: u32) -> Option<i64> {
    let step = 10_i128.checked_pow(4_u32.checked_sub(decimals)?)?;
    let divisor = divisor.checked_mul(step)?;
    let half = if units < 0 { -(divisor / 2) } else { divisor / 2 };
    i64::try_from((units.checked_add(half)? / divisor).checked_mul(step)?).ok()
}

/// Shares a whole out by weight, in steps of the currency: each gets its part rounded down, and those who lost most by that get
/// one step more, the first of equals first.
fn shares(whole: i64, weights: &[i64], decimals: u32) -> Option<Vec<i64>> {
    let step = 10_i64.checked_pow(4_u32.checked_sub(decimals)?)?;
    let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
    if sum == 0 {
        return Some(vec![0; weights.len()]);
    }
    let steps = i128::from(whole / step);
    let mut parts: Vec<(i128, i128, usize)> = weights
        .iter()
        .enumerate()
        .map(|(i, w)| {
            let part = steps * i128::from(*w);
            (part.div_euclid(sum), part.rem_euclid(sum), i)
        })
        .collect();
    let missing = steps - parts.iter().map(|(part, ..)| part).sum::<i128>();
    parts.sort_by_key(|(_, lost, i)| (std::cmp::Reverse(*lost), *i));
    for part in parts.iter_mut().take(usize::try_from(missing).ok()?) {
        part.0 += 1;
    }
    parts.sort_by_key(|(.., i)| *i);
    parts.into_iter().map(|(part, ..)| i64::try_from(part * i128::from(step)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BAHT: Terms = Terms { decimals: 2, tax_inclusive: false, rounding: TaxRounding::Line };

    fn line(quantity: &str, price: &str, discount: &str, tax: &str) -> Line {
        let read = |text| samphan_resource::money::parse(text).unwrap_or_default();
        Line {
            quantity: Quantity(read(quantity)),
            unit_price: Price(read(price)),
            discount: Percent(read(discount)),
            tax_rate: Percent(read(tax)),
        }
    }

    fn whole(lines: &[Line], terms: Terms) -> [String; 5] {
        let LineTotals { gross, discount, net, tax, total } = totals(lines, terms).unwrap_or_default().whole;
        [gross, discount, net, tax, total].map(|a| a.to_string())
    }

    #[test]
    fn a_line_is_rounded_once_from_the_exact_product() {
        // Northwind's first order: 12 × 14.00, 10 × 9.80, 5 × 34.80.
        let order = [line("12", "14", "0", "0"), line("10", "9.8", "0", "0"), line("5", "34.8", "0", "0")];
        assert_eq!(whole(&order, BAHT), ["440.00", "0.00", "440.00", "0.00", "440.00"]);
        // 3 × 0.335 less 15 % is 0.85425.
        assert_eq!(whole(&[line("3", "0.335", "15", "7")], BAHT), ["1.01", "0.16", "0.85", "0.06", "0.91"]);
        assert_eq!(whole(&[line("1", "5", "100", "7")], BAHT), ["5.00", "5.00", "0.00", "0.00", "0.00"]);
        assert_eq!(totals(&[line("1", "5", "100.0001", "7")], BAHT), None);
    }

    #[test]
    fn tax_is_on_top_or_within_and_rounded_by_line_or_by_rate() {
        let three = [line("1", "0.1", "0", "7"); 3];
        assert_eq!(whole(&three, BAHT)[3..], ["0.03", "0.33"], "0.007 each, rounded up each time");
        let by_document = Terms { rounding: TaxRounding::Document, ..BAHT };
        assert_eq!(whole(&three, by_document)[3..], ["0.02", "0.32"], "0.021 of all");
        let shares: Vec<String> = totals(&three, by_document).unwrap_or_default().lines.iter().map(|l| l.tax.to_string()).collect();
        assert_eq!(shares, ["0.01", "0.01", "0.00"]);
        let inclusive = Terms { tax_inclusive: true, ..BAHT };
        assert_eq!(whole(&[line("1", "107", "0", "7")], inclusive), ["107.00", "0.00", "100.00", "7.00", "107.00"]);
        let yen = Terms { decimals: 0, ..BAHT };
        assert_eq!(whole(&[line("1", "105", "0", "10")], yen), ["105.00", "0.00", "105.00", "11.00", "116.00"]);
    }

    #[test]
    fn what_no_amount_holds_is_refused() {
        assert_eq!(totals(&[line("900000000000", "900000000000", "0", "7")], BAHT), None);
    }

    fn any_line() -> impl Strategy<Value = Line> {
        (0..1_000_000_i64, 0..100_000_000_i64, 0..=1_000_000_i64, prop_oneof![Just(0_i64), Just(70_000), Just(100_000), 0..300_000_i64])
            .prop_map(|(q, p, d, t)| Line { quantity: Quantity(q), unit_price: Price(p), discount: Percent(d), tax_rate: Percent(t) })
    }

    fn any_terms() -> impl Strategy<Value = Terms> {
        (prop_oneof![Just(0_u32), Just(2), Just(3), Just(4)], any::<bool>(), any::<bool>()).prop_map(|(decimals, tax_inclusive, line)| {
            Terms { decimals, tax_inclusive, rounding: if line { TaxRounding::Line } else { TaxRounding::Document } }
        })
    }

    proptest! {
        #[test]
        fn lines_rates_and_document_add_up(lines in prop::collection::vec(any_line(), 0..20), terms in any_terms()) {
            let made = totals(&lines, terms).unwrap_or_default();
            prop_assert_eq!(made.lines.len(), lines.len());
            let step = 10_i64.pow(4 - terms.decimals);
            for l in &made.lines {
                prop_assert_eq!(l.net.0 + l.tax.0, l.total.0);
                prop_assert!([l.gross, l.discount, l.net, l.tax, l.total].iter().all(|a| a.0 % step == 0 && a.0 >= 0));
                let price = if terms.tax_inclusive { l.total.0 } else { l.net.0 };
                prop_assert_eq!(l.gross.0 - l.discount.0, price);
            }
            let sum = |of: fn(&LineTotals) -> Amount| made.lines.iter().map(|l| of(l).0).sum::<i64>();
            prop_assert_eq!(
                [made.whole.gross.0, made.whole.discount.0, made.whole.net.0, made.whole.tax.0, made.whole.total.0],
                [sum(|l| l.gross), sum(|l| l.discount), sum(|l| l.net), sum(|l| l.tax), sum(|l| l.total)]
            );
            prop_assert_eq!(made.taxes.iter().map(|t| t.tax.0).sum::<i64>(), made.whole.tax.0);
            prop_assert_eq!(made.taxes.iter().map(|t| t.net.0).sum::<i64>(), made.whole.net.0);
        }

        #[test]
        fn both_roundings_differ_by_no_more_than_half_a_step_a_line(lines in prop::collection::vec(any_line(), 1..20), mut terms in any_terms()) {
            terms.rounding = TaxRounding::Line;
            let by_line = totals(&lines, terms).unwrap_or_default().whole.tax.0;
            terms.rounding = TaxRounding::Document;
            let by_document = totals(&lines, terms).unwrap_or_default();
            let step = 10_i64.pow(4 - terms.decimals);
            let roundings = i64::try_from(lines.len() + by_document.taxes.len()).unwrap_or_default();
            prop_assert!(2 * (by_line - by_document.whole.tax.0).abs() <= roundings * step);
        }

        #[test]
        fn the_order_of_lines_does_not_change_the_document(lines in prop::collection::vec(any_line(), 0..12), terms in any_terms()) {
            let mut turned = lines.clone();
            turned.reverse();
            let (a, b) = (totals(&lines, terms).unwrap_or_default(), totals(&turned, terms).unwrap_or_default());
            prop_assert_eq!((a.whole, a.taxes), (b.whole, b.taxes));
        }
    }
}
