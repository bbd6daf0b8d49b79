//! `GET /v1/accounts/{account_id}/credit`: may I sell to this customer?

use crate::rest::{
    answer::Answer,
    operation::{Call, Operation, Parameter},
};
use samphan_domain::{
    customers::account::Account,
    error::Result,
    filter::duration_seconds,
    id::AccountId,
    integration::{
        credit_balance::CreditBalance,
        credit_position::{Told, position},
        credit_profile::CreditProfile,
        external_system::{ExternalSystem, OnStale},
    },
    scalar::{Kind, Scalar},
};
use samphan_persistence::{store::Reader, stored};
use serde_json::{Value, json};
use std::collections::HashMap;

/// The operation.
#[must_use]
pub fn routes() -> Vec<Operation> {
    let about = "The status (`ok`, `warn`, `hold`, `over_limit`, `unknown`), what is still available, as of when, and why. The ledger behind it (limit, exposure by component, \
                 overdue) is null without the permission `credit:see-ledger`.";
    vec![
        Operation::read("getAccountCredit", "/v1/accounts/{account_id}/credit", run)
            .says("credit", "Get an account's credit position", about)
            .query(vec![Parameter::new(
                "currency",
                json!({"type": "string", "pattern": "^[A-Z]{3}$", "maxLength": 3}),
                "ISO 4217 currency; the account's own when left out, else the one there is a balance in.",
            )])
            .needs("credit:read")
            .answers(200, "CreditPosition"),
    ]
}

async fn run(reader: &Reader, call: Call) -> Result<Answer> {
    let account = stored::find::<Account>(reader, call.id(0)?, "read").await?;
    let id = account.id();
    let all = stored::all_with::<CreditBalance>(reader, "account_id", Scalar::Id(id)).await?;
    let currencies = || all.iter().map(|b| b.data.currency.clone());
    let own = account.data.currency.clone().filter(|own| all.is_empty() || currencies().any(|c| c == *own));
    let currency = call.query.get("currency").cloned().or(own).or_else(|| currencies().next());
    let profile = stored::one_with::<CreditProfile>(reader, "account_id", Scalar::Id(id)).await?;
    let systems = systems(reader, all.iter().map(|b| b.data.system.clone())).await?;
    let told: Vec<Told<'_>> = all
        .iter()
        .filter(|b| Some(&b.data.currency) == currency.as_ref())
        .map(|b| {
            let (stale_after, on_stale) = systems.get(&b.data.system).copied().unwrap_or((None, OnStale::Warn));
            Told { balance: &b.data, stale_after, on_stale }
        })
        .collect();
    let made = position(AccountId(id), currency, &told, profile.as_ref().map(|p| &p.data), reader.now);
    let (owner, team) = account.owner();
    let may_see = reader.caller.sight("credit:see-ledger").covers(owner, team) && super::sees_amounts(reader)?;
    Ok(Answer::json(&if may_see { made } else { made.without_ledger() }))
}

/// How long what each system says holds, and what then.
async fn systems(reader: &Reader, codes: impl Iterator<Item = String>) -> Result<HashMap<String, (Option<i64>, OnStale)>> {
    let mut sql = reader.sql();
    sql.push("SELECT code, stale_after, on_stale FROM ").push(<ExternalSystem as samphan_domain::resource::Resource>::MANY);
    sql.push(" WHERE deleted_at IS NULL AND code").one_of(Kind::Text, codes.map(Scalar::Text));
    let rows = reader.fetch(sql, |row| Ok((row.text(0)?, row.optional_text(1)?, row.text(2)?))).await?;
    let on_stale = |text: String| serde_json::from_value(Value::String(text)).unwrap_or_default();
    Ok(rows.into_iter().map(|(code, after, on)| (code, (after.as_deref().and_then(duration_seconds), on_stale(on)))).collect())
}
