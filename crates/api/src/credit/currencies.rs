//! Which limit something in a currency counts against, and the rates that bring it there.

use samphan_domain::{
    catalog::exchange_rate::Conversion,
    customers::account::Account,
    integration::{
        credit_balance::{CreditBalance, LimitKind},
        credit_profile::CreditProfile,
    },
};
use samphan_persistence::store::Reader;
use samphan_resource::{
    error::Result,
    money::Amount,
    scalar::{Kind, Scalar},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The currencies in which a customer has a limit.
///
/// What is sold in one of them counts against that limit; what is sold in any other, against the main one: the account's own currency, else
/// the profile's, else the first by its code. Where there is no limit at all, every currency stands for itself.
pub struct Limits {
    currencies: BTreeSet<String>,
    main: Option<String>,
}

impl Limits {
    /// Of a customer.
    pub fn of(account: &Account, profile: Option<&CreditProfile>, balances: &[CreditBalance]) -> Self {
        let is_set = |b: &&CreditBalance| matches!(b.limit_kind, Some(LimitKind::Limited | LimitKind::Unlimited));
        let mut currencies: BTreeSet<String> = balances.iter().filter(is_set).map(|b| b.currency.clone()).collect();
        let profile = profile.filter(|p| p.limit_amount.is_some());
        let own = profile.and_then(|p| p.currency.clone().or_else(|| account.currency.clone()));
        currencies.extend(own.clone());
        let preferred = [account.currency.clone(), own].into_iter().flatten().find(|c| currencies.contains(c));
        let main = preferred.or_else(|| currencies.first().cloned());
        Self { currencies, main }
    }

    /// The currency of the limit that something in this currency counts against.
    pub fn governing(&self, currency: &str) -> String {
        let main = self.main.as_ref().filter(|_| !self.currencies.contains(currency));
        main.map_or_else(|| currency.to_owned(), Clone::clone)
    }
}

/// The rates to one currency, as of today.
pub struct Rates<'r> {
    reader: &'r Reader,
    to: String,
    known: HashMap<String, Option<Conversion>>,
}

impl<'r> Rates<'r> {
    /// The rates to a currency.
    pub fn to(reader: &'r Reader, to: &str) -> Self {
        Self { reader, to: to.to_owned(), known: HashMap::new() }
    }

    /// How amounts of a currency are brought there; none without a rate.
    pub async fn from(&mut self, currency: &str) -> Result<Option<Conversion>> {
        if let Some(known) = self.known.get(currency) {
            return Ok(*known);
        }
        let found = conversion(self.reader, currency, &self.to).await?;
        self.known.insert(currency.to_owned(), found);
        Ok(found)
    }

    /// The sum of amounts by currency, and whether one of them has no rate.
    pub async fn sum(&mut self, amounts: &BTreeMap<String, Amount>) -> Result<(Amount, bool)> {
        let (mut sum, mut lacks_rate) = (Amount(0), false);
        for (currency, amount) in amounts.iter().filter(|(_, amount)| amount.0 != 0) {
            match self.from(currency).await? {
                Some(conversion) => sum = sum.plus(conversion.convert(*amount)),
                None => lacks_rate = true,
            }
        }
        Ok((sum, lacks_rate))
    }
}

/// How amounts of one currency are brought to another today: by the newest rate of the pair, else by the newest of the reverse.
pub async fn conversion(reader: &Reader, from: &str, to: &str) -> Result<Option<Conversion>> {
    if from == to {
        return Ok(Some(Conversion::NONE));
    }
    let direct = newest(reader, from, to).await?.map(|(rate, per)| Conversion::by_rate(rate, per, to));
    if direct.is_some() {
        return Ok(direct);
    }
    Ok(newest(reader, to, from).await?.map(|(rate, per)| Conversion::by_rate(per, rate, to)))
}

async fn newest(reader: &Reader, from: &str, to: &str) -> Result<Option<(i64, i64)>> {
    let today = reader.today().await?;
    let mut sql = reader.sql();
    sql.push("SELECT rate, per FROM exchange_rates WHERE deleted_at IS NULL AND from_currency = ").text(from);
    sql.push(" AND to_currency = ").text(to).push(" AND valid_from <= ");
    sql.bind(Kind::Date, Scalar::Date(today)).push(" ORDER BY valid_from DESC LIMIT 1");
    reader.fetch_one(sql, |row| Ok((row.int(0)?, row.int(1)?))).await
}

/// A balance with its amounts in another currency. Its limit stays out: it is of the balance's own currency.
pub fn converted(balance: CreditBalance, conversion: Conversion) -> CreditBalance {
    let brought = |amount: Option<Amount>| amount.map(|a| conversion.convert(a));
    CreditBalance {
        receivable: brought(balance.receivable),
        overdue_days_1_30: brought(balance.overdue_days_1_30),
        overdue_days_31_60: brought(balance.overdue_days_31_60),
        overdue_days_61_90: brought(balance.overdue_days_61_90),
        overdue_days_over_90: brought(balance.overdue_days_over_90),
        unbilled_deliveries: brought(balance.unbilled_deliveries),
        open_orders: brought(balance.open_orders),
        limit_kind: None,
        limit_amount: None,
        ..balance
    }
}
