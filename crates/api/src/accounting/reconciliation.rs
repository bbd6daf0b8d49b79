//! `GET /v1/credit-balances/reconciliation`: do our books agree with theirs?

use samphan_domain::sales::order_invoice::OrderInvoice;
use samphan_persistence::{sql::Sql, store::Reader, visibility};
use samphan_resource::{
    error::{Code, Error, Result},
    example,
    filter::duration_seconds,
    money::Amount,
    resource::Resource,
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
};
use samphan_rest::{
    example::Example,
    operation::{Operation, Parameter, RequestContext},
    response::Response,
};
use serde::Serialize;
use serde_json::json;
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// The state of every ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reconciliation {
    /// This moment.
    pub as_of: Timestamp,
    /// A line for each system, legal entity and currency.
    #[schema(max_items = 1000)]
    pub ledgers: Vec<LedgerState>,
    /// Credit notes that give back more than was invoiced of their order line: what is beyond has no effect on credit. The oldest first.
    #[schema(max_items = 1000)]
    pub over_credited: Vec<OverCredited>,
}

/// A credit note that gives back more than was invoiced of its order line.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverCredited {
    /// The credit note, of `order-invoices`.
    pub order_invoice_id: Uuid,
    /// Code of the system.
    #[schema(max_length = 50, example = "express")]
    pub system: String,
    /// The legal entity, where it is known.
    #[schema(required = true, max_length = 50, example = "TH01")]
    pub entity: Option<String>,
    /// The document's number there.
    #[schema(max_length = 100, example = "CN-2026-00007")]
    pub document_no: String,
    /// The order.
    pub order_id: Uuid,
    /// The line.
    pub order_line_id: Uuid,
    /// ISO 4217 currency.
    #[schema(max_length = 3, example = "THB")]
    pub currency: String,
    /// How much it gives back beyond what was invoiced.
    pub amount: Amount,
}

/// The state of one ledger, to be held against the sender's own totals.
#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerState {
    /// Code of the system.
    #[schema(max_length = 50, example = "express")]
    pub system: String,
    /// The legal entity.
    #[schema(max_length = 50, example = "TH01")]
    pub entity: String,
    /// ISO 4217 currency.
    #[schema(max_length = 3, example = "THB")]
    pub currency: String,
    /// Balances kept.
    #[schema(minimum = 0)]
    pub items: i64,
    /// Sum of their receivables.
    pub receivable_total: Amount,
    /// Sum of what is overdue.
    pub overdue_total: Amount,
    /// The oldest moment an exposure was true.
    #[schema(required = true)]
    pub oldest_as_of: Option<Timestamp>,
    /// The newest.
    #[schema(required = true)]
    pub newest_as_of: Option<Timestamp>,
    /// Exposures older than the system's `stale_after`.
    #[schema(minimum = 0)]
    pub stale: i64,
    /// Balances the last complete snapshot did not have.
    #[schema(minimum = 0)]
    pub missing: i64,
    /// Balances of which two pushes with the same time said different things.
    #[schema(minimum = 0)]
    pub conflicts: i64,
    /// Customer numbers without a mapping to an account.
    #[schema(minimum = 0)]
    pub unmatched: i64,
}

/// The operation.
#[must_use]
pub fn routes() -> Vec<Operation> {
    vec![
        Operation::read("getCreditReconciliation", "/v1/credit-balances/reconciliation", run)
            .describe(
                "credit",
                "Get the credit reconciliation",
                "Counts and totals of every ledger, over the accounts the caller sees, with what is stale, missing, in conflict or unmatched, and the credit notes that give back more than was invoiced (with the permission `order-invoices:read`). Refused when field rules hide what it adds up.",
            )
            .example(Example::query(&[("system", "express")]).depends_on(&["batchCreditBalances"]).answers(json!({"ledgers": [{
                "items": 1, "receivable_total": "125000.00", "overdue_total": "5000.00", "oldest_as_of": example::MOMENT, "newest_as_of": example::MOMENT, "unmatched": 1,
            }]})))
            .query(vec![Parameter::new("system", json!({"type": "string", "minLength": 1, "maxLength": 50}), "Only this system.")])
            .requires("credit-balances:read")
            .also_requires("accounts:read")
            .responds(200, "Reconciliation"),
    ]
}

type Key = (String, String, String);

async fn run(reader: &Reader, call: RequestContext) -> Result<Response> {
    if !crate::credit::sees_amounts(reader)? {
        return Err(Error::from(Code::Forbidden).with_detail("what it adds up is hidden from you"));
    }
    let system = call.query.get("system");
    let cutoffs = cutoffs(reader).await?;
    let unmatched = unmatched(reader, system).await?;
    let mut sql = reader.sql();
    sql.push("SELECT t.system, t.entity, t.currency, count(*), ");
    sql.amount_sum(&["receivable"]);
    sql.push(", ");
    sql.amount_sum(&["overdue_days_1_30", "overdue_days_31_60", "overdue_days_61_90", "overdue_days_over_90"]);
    sql.push(", min(t.exposure_as_of), max(t.exposure_as_of), count(CASE WHEN t.status = 'missing' THEN 1 END), ");
    sql.push("count(CASE WHEN t.has_conflict = ").bind(Kind::Bool, Scalar::Bool(true)).push(" THEN 1 END)");
    seen(&mut sql, reader)?;
    if let Some(system) = system {
        sql.push(" AND t.system = ").text(system.clone());
    }
    sql.push(" GROUP BY t.system, t.entity, t.currency ORDER BY t.system, t.entity, t.currency LIMIT 1000");
    let mut ledgers = reader
        .fetch(sql, |row| {
            Ok(LedgerState {
                system: row.text(0)?,
                entity: row.text(1)?,
                currency: row.text(2)?,
                items: row.int(3)?,
                receivable_total: Amount::of_parts(row.int(4)?, row.int(5)?),
                overdue_total: Amount::of_parts(row.int(6)?, row.int(7)?),
                oldest_as_of: row.time(8)?,
                newest_as_of: row.time(9)?,
                missing: row.int(10)?,
                conflicts: row.int(11)?,
                stale: 0,
                unmatched: 0,
            })
        })
        .await?;
    for ledger in &mut ledgers {
        let key = (ledger.system.clone(), ledger.entity.clone(), ledger.currency.clone());
        ledger.unmatched = unmatched.get(&key).copied().unwrap_or_default();
        if let Some(cutoff) = cutoffs.get(&ledger.system) {
            ledger.stale = stale(reader, &key, *cutoff).await?;
        }
    }
    let known: Vec<Key> = ledgers.iter().map(|l| (l.system.clone(), l.entity.clone(), l.currency.clone())).collect();
    for ((system, entity, currency), count) in unmatched.into_iter().filter(|(key, _)| !known.contains(key)) {
        ledgers.push(LedgerState {
            system,
            entity,
            currency,
            items: 0,
            receivable_total: Amount(0),
            overdue_total: Amount(0),
            oldest_as_of: None,
            newest_as_of: None,
            stale: 0,
            missing: 0,
            conflicts: 0,
            unmatched: count,
        });
    }
    ledgers.sort_by(|a, b| (&a.system, &a.entity, &a.currency).cmp(&(&b.system, &b.entity, &b.currency)));
    ledgers.truncate(1000);
    let over_credited = over_credited(reader, system).await?;
    Ok(Response::json(&Reconciliation { as_of: reader.now, ledgers, over_credited }))
}

/// The credit notes the caller sees that give back too much.
async fn over_credited(reader: &Reader, system: Option<&String>) -> Result<Vec<OverCredited>> {
    let shape = reader.shape(OrderInvoice::PLURAL)?;
    if !visibility::may_read(reader, shape) {
        return Ok(vec![]);
    }
    let mut sql = reader.sql();
    sql.push("SELECT t.id, t.system, t.entity, t.document_no, t.order_id, t.order_line_id, t.currency, t.over_credited_amount ");
    sql.push("FROM order_invoices t WHERE t.deleted_at IS NULL AND t.over_credited_amount > 0");
    if let Some(system) = system {
        sql.push(" AND t.system = ").text(system.clone());
    }
    visibility::restrict_to_visible(&mut sql, reader, shape, "t", "read")?;
    sql.push(" ORDER BY t.id LIMIT 1000");
    reader
        .fetch(sql, |row| {
            Ok(OverCredited {
                order_invoice_id: row.id(0)?,
                system: row.text(1)?,
                entity: row.optional_text(2)?,
                document_no: row.text(3)?,
                order_id: row.id(4)?,
                order_line_id: row.id(5)?,
                currency: row.text(6)?,
                amount: Amount(row.int(7)?),
            })
        })
        .await
}

/// The balances of the accounts the caller may see.
fn seen(sql: &mut Sql, reader: &Reader) -> Result<()> {
    sql.push(" FROM credit_balances t WHERE t.deleted_at IS NULL");
    visibility::restrict_to_visible(sql, reader, reader.shape("credit_balances")?, "t", "read")
}

/// The moment before which each system's word is stale.
async fn cutoffs(reader: &Reader) -> Result<HashMap<String, Timestamp>> {
    let mut sql = reader.sql();
    sql.push("SELECT code, stale_after FROM external_systems WHERE deleted_at IS NULL AND stale_after IS NOT NULL");
    let rows = reader.fetch(sql, |row| Ok((row.text(0)?, row.text(1)?))).await?;
    Ok(rows.into_iter().filter_map(|(code, after)| duration_seconds(&after).map(|s| (code, reader.now.plus_seconds(-s)))).collect())
}

async fn stale(reader: &Reader, key: &Key, cutoff: Timestamp) -> Result<i64> {
    let mut sql = reader.sql();
    sql.push("SELECT count(*)");
    seen(&mut sql, reader)?;
    sql.push(" AND t.system = ").text(key.0.clone()).push(" AND t.entity = ").text(key.1.clone());
    sql.push(" AND t.currency = ").text(key.2.clone()).push(" AND t.exposure_as_of < ").bind(Kind::Time, Scalar::Time(cutoff));
    reader.count(sql).await
}

async fn unmatched(reader: &Reader, system: Option<&String>) -> Result<HashMap<Key, i64>> {
    let mut sql = reader.sql();
    sql.push("SELECT system, entity, currency, count(*) FROM unmatched_credits WHERE deleted_at IS NULL");
    if let Some(system) = system {
        sql.push(" AND system = ").text(system.clone());
    }
    sql.push(" GROUP BY system, entity, currency LIMIT 1000");
    Ok(reader.fetch(sql, |row| Ok(((row.text(0)?, row.text(1)?, row.text(2)?), row.int(3)?))).await?.into_iter().collect())
}
