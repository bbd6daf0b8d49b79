//! Pushing balances: up to 1,000 customers in a handful of statements, whatever order and however often they come.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use super::{
    balances::apply,
    included, invoice,
    ledger::{Ledger, expect_ledger},
};
use actix_web::http::Method;
use samphan_domain::{integration::credit_item::CreditItem, sales::order_invoice::PostedInvoice};
use samphan_persistence::store::Work;
use samphan_resource::{
    error::{Code, FieldCode, Result},
    example,
};
use samphan_rest::{
    batch::{self, ItemResult, ItemStatus, MAX_ITEMS},
    body,
    collection::Api,
    example::Example,
    operation::{Body, Operation, RequestContext},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

/// Many pushes of one system, legal entity and currency.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditBatch {
    /// Code of the system that pushes.
    #[schema(min_length = 1, max_length = 50, example = "express")]
    pub system: String,
    /// The legal entity the customers owe to.
    #[schema(min_length = 1, max_length = 50, example = "TH01")]
    pub entity: String,
    /// ISO 4217 currency of every amount.
    #[schema(pattern = "^[A-Z]{3}$", example = "THB")]
    pub currency: String,
    /// The open snapshot the batch is part of.
    #[serde(default)]
    #[schema(nullable = false)]
    pub snapshot_id: Option<Uuid>,
    /// The customers.
    #[schema(min_items = 1, max_items = 1000, value_type = Vec<CreditItem>)]
    pub items: Vec<Value>,
    /// Invoices and credit notes of orders that the balances include and that may not have been sent yet: taken first, in the same
    /// transaction, as if they had been sent to `/v1/order-invoices` with the batch's entity, and its currency as the balance's: one row for
    /// each document and order line. So an order is never counted as open and as owed, whatever comes first. Each has a result of its own in
    /// `invoices` of the answer; one that is refused, or named twice (`repeated`), changes nothing, and the balance of its customer is not
    /// applied (`invoice_refused`). All others are.
    #[serde(default)]
    #[schema(max_items = 1000, value_type = Vec<PostedInvoice>)]
    pub invoices: Vec<Value>,
}

/// The right to push.
pub(super) const PERMISSION: &str = "credit-balances:push";
/// When it takes another right.
const INCLUDING: &str = "`included_orders` is not empty";

/// The operations.
#[must_use]
pub fn routes() -> Vec<Operation> {
    let rules = "Each item is an absolute snapshot of the groups it names: the exposure (receivable, overdue, unbilled_deliveries, open_orders; those left out are then zero) \
                 and the limit (credit_limit, on_hold). A group is `applied` only when its `as_of` is later than what is known (`source_revision` decides between equal times); \
                 late, doubled and reordered pushes come out `stale`, with what is known, or `unchanged`, and change nothing. With equal `as_of` and no revision the \
                 larger exposure and the lower limit win, and the balance is marked `has_conflict`.\n\n\
                 Take `as_of` before the books are read. `open_orders` and `unbilled_deliveries` leave out orders taken here, which count here until they are \
                 invoiced, or name them in `included_orders`.";
    let batch = format!(
        "{rules} Invoices come one row for each document and order line, in `invoices` or at `/v1/order-invoices`. Not there yet: invoices that belong to no \
         order, due dates, payments with dates of their own, a credit note that names its invoice, reconciliation for each customer.\n\nCustomers without a mapping are `failed` with `unknown_external_id`, kept under `/v1/credit-balances/unmatched`, and applied when they are mapped."
    );
    vec![
        Operation::write("batchCreditBalances", Method::POST, "/v1/credit-balances/batch", push)
            .describe("credit", "Push many credit balances", batch)
            .example(
                Example::body(json!({"snapshot_id": example::id("credit_snapshots"), "items": [
                    {
                        "external_id": "ACC-1001", "as_of": example::MOMENT, "source_revision": "88123", "receivable": "125000.00",
                        "overdue": {"days_1_30": "5000.00"}, "open_orders": "20000.00", "credit_limit": {"kind": "limited", "amount": "200000.00"},
                        "on_hold": false,
                    },
                    {"external_id": "ACC-9999", "as_of": example::MOMENT, "source_revision": null, "receivable": "1200.00"},
                ]}))
                .depends_on(&["createExternalReference"])
                .answers(json!({
                    "results": [
                        {"index": 0, "status": "applied", "id": example::id("credit_balances"), "external_id": "ACC-1001", "version": 1},
                        {"index": 1, "status": "failed", "external_id": "ACC-9999"},
                    ],
                    "summary": {"received": 2, "applied": 1, "failed": 1},
                    "invoices": [],
                })),
            )
            .body(Body::batch("CreditBatch"))
            .requires(PERMISSION)
            .also_requires_with([included::PERMISSION], "items.included_orders", INCLUDING)
            .also_requires_with(invoice::POSTING, "invoices", "`invoices` is not empty")
            .responds(200, "CreditBatchResults"),
        Operation::write("putAccountCreditBalance", Method::PUT, "/v1/accounts/{account_id}/credit-balance", push_one)
            .describe("credit", "Put an account's credit balance", rules)
            .example(
                Example::body(json!({
                    "as_of": "2026-11-21T11:00:00Z", "source_revision": "88124", "receivable": "118000.00",
                    "credit_limit": {"kind": "limited", "amount": "200000.00"},
                }))
                .depends_on(&["completeCreditSnapshot"])
                .answers(json!({"status": "applied", "id": example::id("credit_balances"), "version": 2})),
            )
            .body(Body::of("CreditPush"))
            .requires(PERMISSION)
            .also_requires_with([included::PERMISSION], "included_orders", INCLUDING)
            .responds(200, "BatchResult"),
    ]
}

/// The schema of a single push: an item with its ledger, the account being in the path.
#[must_use]
pub fn schemas(mut api: Api) -> Api {
    let mut push = json!(CreditItem::schema());
    let batch = json!(CreditBatch::schema());
    if let Some(properties) = push["properties"].as_object_mut() {
        properties.retain(|name, _| name != "account_id" && name != "external_id");
        for name in ["system", "entity", "currency"] {
            properties.insert(name.to_owned(), batch["properties"][name].clone());
        }
    }
    push["required"] = json!(["system", "entity", "currency", "as_of"]);
    push["description"] = json!("One push about one customer.");
    api.schemas.push(("CreditPush".to_owned(), push));
    let one = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let list = |about: &str| json!({"type": "array", "maxItems": MAX_ITEMS, "items": one("BatchResult"), "description": about});
    let results = json!({
        "type": "object",
        "description": "What became of a batch of balances.",
        "required": ["results", "summary", "invoices"],
        "properties": {
            "results": list("A result for each balance, in the order of the request."),
            "summary": one("BatchSummary"),
            "invoices": list("A result for each of `invoices`, in the order of the request."),
        },
    });
    api.schemas.push(("CreditBatchResults".to_owned(), results));
    api
}

async fn push(work: &Work, call: RequestContext) -> Result<Response> {
    let batch: CreditBatch = call.input()?;
    let ledger = Ledger { system: batch.system, entity: batch.entity, currency: batch.currency };
    let read = batch::read_items(work, &call, "CreditItem", &batch.items).await?;
    let posted = batch::read_items(work, &call, "PostedInvoice", &batch.invoices).await?;
    if !batch.invoices.is_empty() {
        expect_ledger(work, &ledger).await?;
    }
    let invoices = invoice::post(work, &ledger, posted).await?;
    let refused = refused_customers(work, &batch.invoices, &invoices).await?;
    let mut outcomes = apply(work, &ledger, batch.snapshot_id, read, &refused).await?;
    for (outcome, item) in outcomes.iter_mut().zip(&batch.items) {
        outcome.external_id = outcome.external_id.take().or_else(|| item["external_id"].as_str().map(str::to_owned));
    }
    Ok(Response::json(&json!({
        "results": batch::results(&call, &work.request_id, &outcomes),
        "summary": batch::summary(&outcomes),
        "invoices": batch::results(&call, &work.request_id, &invoices),
    })))
}

/// The customers of whose invoices one was refused, and its place. Their balances may include it, so they are not applied.
async fn refused_customers(work: &Work, posted: &[Value], outcomes: &[ItemResult]) -> Result<HashMap<Uuid, usize>> {
    let failed = || posted.iter().zip(outcomes).enumerate().filter(|(_, (_, outcome))| outcome.status == ItemStatus::Failed);
    let order = |one: &Value| one["order_id"].as_str().and_then(|id| Uuid::parse_str(id).ok());
    let customers = invoice::customers(work, failed().filter_map(|(_, (one, _))| order(one))).await?;
    Ok(failed().filter_map(|(place, (one, _))| Some((*customers.get(&order(one)?)?, place))).collect())
}

async fn push_one(work: &Work, call: RequestContext) -> Result<Response> {
    let mut body = call.body.clone();
    let mut take = |name: &str| body.remove(name).and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    let ledger = Ledger { system: take("system"), entity: take("entity"), currency: take("currency") };
    body.insert("account_id".into(), json!(call.id(0)?));
    let item = body::from_value(Value::Object(body))?;
    let outcomes = apply(work, &ledger, None, vec![Ok(item)], &HashMap::new()).await?;
    match outcomes.into_iter().next() {
        Some(ItemResult { error: Some(error), status: ItemStatus::Failed, .. })
            if error.errors.iter().any(|e| e.code == FieldCode::UnknownReference) =>
        {
            Err(Code::NotFound.into())
        }
        Some(ItemResult { error: Some(error), status: ItemStatus::Failed, .. }) => Err(error),
        Some(outcome) => Ok(Response::json(&batch::result(&call, &work.request_id, 0, &outcome))),
        None => Err(Code::Internal.into()),
    }
}
