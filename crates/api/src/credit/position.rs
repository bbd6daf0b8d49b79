//! `GET /v1/accounts/{account_id}/credit`: may I sell to this customer?

use super::{
    known::{Known, above, groups},
    sees_ledger,
};
use samphan_domain::{customers::account::Account, id::AccountId, integration::credit_position::position};
use samphan_persistence::{store::Reader, stored};
use samphan_resource::{error::Result, example};
use samphan_rest::{
    example::Example,
    operation::{Operation, Parameter, RequestContext},
    response::Response,
};
use serde_json::json;

/// The operation.
#[must_use]
pub fn routes() -> Vec<Operation> {
    let about = "The status (`ok`, `warn`, `hold`, `over_limit`, `unknown`), what is still available, as of when, and why. The ledger behind it (limit, exposure by component, \
                 overdue) is null without the permission `credit:see-ledger`.";
    vec![
        Operation::read("getAccountCredit", "/v1/accounts/{account_id}/credit", run)
            .describe("credit", "Get an account's credit position", about)
            .example(Example::query(&[("currency", "THB")]).depends_on(&["batchCreditBalances"]).answers(json!({
                "currency": "THB", "status": "warn", "reasons": ["overdue"], "available": "55000.00", "as_of": example::MOMENT, "limit_kind": "limited",
                "limit_amount": "200000.00", "exposure": "145000.00", "receivable": "125000.00", "open_orders": "20000.00", "overdue": "5000.00",
                "balances": [{"exposure": "145000.00", "overdue": "5000.00", "as_of": example::MOMENT}],
            })))
            .query(vec![Parameter::new(
                "currency",
                json!({"type": "string", "pattern": "^[A-Z]{3}$", "maxLength": 3}),
                "ISO 4217 currency of what is to be sold; the account's own when left out, else the one there is a balance in. Where the customer has no limit in it, but one in another, the position is in that: what counts is brought to the limit's currency by the day's exchange rates.",
            )])
            .requires("credit:read")
            .also_requires("accounts:read")
            .responds(200, "CreditPosition"),
    ]
}

async fn run(reader: &Reader, call: RequestContext) -> Result<Response> {
    let account = stored::find::<Account>(reader, call.id(0)?, "read").await?;
    let known = Known::of(reader, &account, call.query.get("currency").cloned()).await?;
    let groups = match &known.limit_currency {
        Some(currency) => groups(reader, &above(reader, account.id()).await?, currency).await?,
        None => vec![],
    };
    let told = known.told();
    let made = position(AccountId(account.id()), known.limit_currency.clone(), &known.facts(&told, &groups), reader.now);
    Ok(Response::json(&if sees_ledger(reader, &account)? { made } else { made.without_ledger() }))
}
