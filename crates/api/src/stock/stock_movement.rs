//! Receipts, adjustments and transfers: many lines in one work, all of them or none; and the ledger to read.

use super::ledger::{self, AllOrNothing, MovementRequest, StockError};
use actix_web::http::Method;
use samphan_domain::{
    catalog::product::Tracking,
    id::{ProductId, WarehouseId},
    stock::stock_movement::{
        MovementKind, ReceiptKind, StockAdjustment, StockAdjustmentLine, StockLine, StockMovement, StockReceipt, StockTransfer,
    },
};
use samphan_persistence::{record::Record, store::Work};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    example,
    money::{SCALE, SignedQuantity},
    resource::Resource,
    scalar::{Kind, Scalar},
};
use samphan_rest::{
    collection::{Api, Collection},
    example::Example,
    operation::{Body, Operation, RequestContext},
    response::{Response, visible_fields},
};
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

/// The operations and the ledger.
#[must_use]
pub fn routes(api: Api) -> Api {
    let rules = "Up to 1,000 lines in one transaction, all of them or none; faults point at `/lines/<n>`. Answers the movements made, in the order of the lines.";
    let guard = "Refused with 409 `insufficient_stock` where less than that is available: what is reserved stays, unless the product's backorder policy allows more.";
    let mut api = api
        .collection(Collection::<StockMovement>::new("stock"))
        .operations(vec![
            Operation::write("receiveStock", Method::POST, "/v1/stock-receipts", receive)
                .describe("stock", "Receive stock", format!("Books what came in, from outside or back from a customer. {rules}"))
                .example(Example::body(json!({"warehouse_code": "BKK1", "lines": [{"sku": "TEA-001", "quantity": "240"}]})).answers(json!({"data": [{"product_id": example::id("products"), "warehouse_id": example::id("warehouses"), "quantity": "240", "on_hand_after": "240", "kind": "receipt"}]})))
                .body(Body::of("StockReceipt"))
                .requires("stock-levels:receive")
                .responds(201, "StockMovements"),
            Operation::write("adjustStock", Method::POST, "/v1/stock-adjustments", adjust)
                .describe(
                    "stock",
                    "Adjust stock",
                    format!("Books by how much there is more or less than was known, and why. {guard} {rules}"),
                )
                .example(Example::body(json!({"warehouse_code": "BKK1", "reason": "Broken in the rack", "lines": [{"sku": "TEA-001", "quantity": "-2"}]})).depends_on(&["receiveStock"]).answers(json!({"data": [{"product_id": example::id("products"), "warehouse_id": example::id("warehouses"), "quantity": "-2", "on_hand_after": "238", "kind": "adjust"}]})))
                .body(Body::of("StockAdjustment"))
                .requires("stock-levels:adjust")
                .responds(201, "StockMovements"),
            Operation::write("transferStock", Method::POST, "/v1/stock-transfers", transfer)
                .describe(
                    "stock",
                    "Transfer stock",
                    format!("Books two movements for each line, out of the one warehouse and into the other. {guard} {rules}"),
                )
                .example(
                    Example::body(json!({"from_warehouse_code": "BKK1", "to_warehouse_code": "CNX1", "lines": [{"sku": "TEA-001", "quantity": "24"}]}))
                        .depends_on(&["receiveStock", "batchWarehouses"])
                        .answers(json!({"data": [
                            {"product_id": example::id("products"), "warehouse_id": example::id("warehouses"), "quantity": "-24", "on_hand_after": "214", "kind": "transfer"},
                            {"product_id": example::id("products"), "warehouse_id": example::id("other_warehouses"), "quantity": "24", "on_hand_after": "24", "kind": "transfer"},
                        ]})),
                )
                .body(Body::of("StockTransfer"))
                .requires("stock-levels:transfer")
                .responds(201, "StockMovements"),
        ])
        .schema::<StockReceipt>()
        .schema::<StockAdjustment>()
        .schema::<StockTransfer>();
    let made = json!({
        "type": "object",
        "description": "The movements an operation made.",
        "required": ["data"],
        "properties": {
            "data": {"type": "array", "maxItems": 2000, "items": {"$ref": "#/components/schemas/StockMovement"}, "description": "In the order of the lines; of a transfer the one out comes before the one in."},
        },
    });
    api.schemas.push(("StockMovements".to_owned(), made));
    api
}

/// A line of any of the operations.
struct Line {
    product_id: Option<ProductId>,
    sku: Option<String>,
    quantity: SignedQuantity,
    lot_no: Option<String>,
    serial_no: Option<String>,
}

impl From<StockLine> for Line {
    fn from(line: StockLine) -> Self {
        let StockLine { product_id, sku, quantity, lot_no, serial_no } = line;
        Self { product_id, sku, quantity: SignedQuantity(quantity.0), lot_no, serial_no }
    }
}

impl From<StockAdjustmentLine> for Line {
    fn from(line: StockAdjustmentLine) -> Self {
        let StockAdjustmentLine { product_id, sku, quantity, lot_no, serial_no } = line;
        Self { product_id, sku, quantity, lot_no, serial_no }
    }
}

async fn receive(work: &Work, call: RequestContext) -> Result<Response> {
    let asked: StockReceipt = call.input()?;
    let to = warehouse(work, "", asked.warehouse_id, asked.warehouse_code).await?;
    let kind = match asked.kind {
        ReceiptKind::Receipt => MovementKind::Receipt,
        ReceiptKind::Return => MovementKind::Return,
    };
    let lines = asked.lines.into_iter().map(Line::from).collect();
    book(work, lines, &[Way { warehouse: to, kind, out: false }], asked.reason).await
}

async fn adjust(work: &Work, call: RequestContext) -> Result<Response> {
    let asked: StockAdjustment = call.input()?;
    let at = warehouse(work, "", asked.warehouse_id, asked.warehouse_code).await?;
    let lines = asked.lines.into_iter().map(Line::from).collect();
    book(work, lines, &[Way { warehouse: at, kind: MovementKind::Adjust, out: false }], Some(asked.reason)).await
}

async fn transfer(work: &Work, call: RequestContext) -> Result<Response> {
    let asked: StockTransfer = call.input()?;
    let from = warehouse(work, "from_", asked.from_warehouse_id, asked.from_warehouse_code).await?;
    let to = warehouse(work, "to_", asked.to_warehouse_id, asked.to_warehouse_code).await?;
    if from == to {
        return Err(Error::invalid(FieldError::new("/to_warehouse_id", FieldCode::RefersToItself, "another warehouse than goods leave")));
    }
    let way = |warehouse, out| Way { warehouse, kind: MovementKind::Transfer, out };
    let lines = asked.lines.into_iter().map(Line::from).collect();
    book(work, lines, &[way(from, true), way(to, false)], asked.reason).await
}

/// A warehouse in use, by id or by code.
pub(super) async fn warehouse(work: &Work, prefix: &str, id: Option<WarehouseId>, code: Option<String>) -> Result<WarehouseId> {
    let (by_id, by_code) = (format!("/{prefix}warehouse_id"), format!("/{prefix}warehouse_code"));
    let mut sql = work.sql();
    sql.push("SELECT id, status FROM warehouses WHERE deleted_at IS NULL AND ");
    let at = match (id, code) {
        (Some(id), None) => {
            sql.push("id = ").id(id.0);
            by_id
        }
        (None, Some(code)) => {
            sql.push("code = ").text(code);
            by_code
        }
        _ => return Err(Error::invalid(FieldError::new(by_id, FieldCode::AmbiguousKey, "exactly one of warehouse_id and warehouse_code"))),
    };
    let found = work.fetch_one(sql, |row| Ok((row.id(0)?, row.text(1)?))).await?;
    match found {
        Some((id, status)) if status == "active" => Ok(WarehouseId(id)),
        Some(_) => Err(Error::from(Code::Conflict)
            .with_field_errors(vec![FieldError::new(at, FieldCode::Closed, "a warehouse in use")])
            .with_allowed(["reopen"])),
        None => Err(Error::unknown_reference(at, "warehouses")),
    }
}

/// One of the movements that each line makes.
struct Way {
    warehouse: WarehouseId,
    kind: MovementKind,
    /// Whether the line's quantity leaves.
    out: bool,
}

async fn book(work: &Work, lines: Vec<Line>, ways: &[Way], reason: Option<String>) -> Result<Response> {
    let products = products(work, &lines).await?;
    let mut entries = vec![];
    for (line, product_id) in lines.into_iter().zip(products) {
        for way in ways {
            entries.push(MovementRequest {
                product_id,
                warehouse_id: way.warehouse,
                quantity: if way.out { SignedQuantity(line.quantity.0.saturating_neg()) } else { line.quantity },
                kind: way.kind,
                reason: reason.clone(),
                source: None,
                lot_no: line.lot_no.clone(),
                serial_no: line.serial_no.clone(),
            });
        }
    }
    answer(work, ledger::book(work, &entries).await?, ways.len())
}

/// Answers the movements, or the lines that stand in the way.
fn answer(work: &Work, done: AllOrNothing<Vec<Record>>, movements_a_line: usize) -> Result<Response> {
    let made = done.map_err(|refusals| {
        let mut placed: Vec<(String, StockError)> = vec![];
        for (place, refusal) in refusals {
            let at = format!("/lines/{}", place / movements_a_line.max(1));
            // A line that cannot leave cannot come either: that is one fault.
            if !placed.iter().any(|(known, _)| *known == at) {
                placed.push((at, refusal));
            }
        }
        ledger::refused(&placed)
    })?;
    let shape = work.shape(StockMovement::PLURAL)?;
    let data: Vec<Value> = made.iter().map(|record| Value::Object(visible_fields(work, shape, record))).collect();
    Ok(Response::json(&json!({"data": data})))
}

/// The products of the lines, in order; refuses what is no good in a line by itself.
async fn products(work: &Work, lines: &[Line]) -> Result<Vec<ProductId>> {
    let found = find(work, lines.iter().filter_map(|l| l.product_id), lines.iter().filter_map(|l| l.sku.clone())).await?;
    let (mut faults, mut unknown, mut all) = (vec![], vec![], vec![]);
    for (i, line) in lines.iter().enumerate() {
        let at = |field: &str| format!("/lines/{i}{field}");
        let (field, hit) = match (line.product_id, &line.sku) {
            (Some(id), None) => ("/product_id", found.by_id(id)),
            (None, Some(sku)) => ("/sku", found.by_sku(sku)),
            _ => {
                faults.push(FieldError::new(at(""), FieldCode::AmbiguousKey, "exactly one of product_id and sku"));
                continue;
            }
        };
        let Some((product, tracking)) = hit else {
            unknown.push(FieldError::new(at(field), FieldCode::UnknownReference, "products"));
            continue;
        };
        match tracking {
            Tracking::Lot if line.lot_no.is_none() => faults.push(FieldError::new(at("/lot_no"), FieldCode::Required, "")),
            Tracking::Serial if line.serial_no.is_none() => faults.push(FieldError::new(at("/serial_no"), FieldCode::Required, "")),
            Tracking::Serial if line.quantity.0.unsigned_abs() != SCALE.unsigned_abs() => {
                faults.push(FieldError::new(at("/quantity"), FieldCode::NotAllowed, "one piece for each serial number"));
            }
            _ => {}
        }
        all.push(product);
    }
    let code = if faults.is_empty() { Code::UnknownReference } else { Code::ValidationFailed };
    faults.extend(unknown);
    if faults.is_empty() { Ok(all) } else { Err(Error::from(code).with_field_errors(faults)) }
}

/// Products by what a request calls them.
pub(super) struct Products {
    by_id: HashMap<Uuid, Tracking>,
    by_sku: HashMap<String, Uuid>,
}

impl Products {
    /// Of that id.
    pub(super) fn by_id(&self, id: ProductId) -> Option<(ProductId, Tracking)> {
        self.by_id.get(&id.0).map(|tracking| (id, *tracking))
    }

    /// Of that SKU.
    pub(super) fn by_sku(&self, sku: &str) -> Option<(ProductId, Tracking)> {
        self.by_sku.get(sku).and_then(|id| self.by_id(ProductId(*id)))
    }
}

/// Products by ids and SKUs: one query.
pub(super) async fn find(work: &Work, ids: impl Iterator<Item = ProductId>, skus: impl Iterator<Item = String>) -> Result<Products> {
    let mut sql = work.sql();
    sql.push("SELECT id, sku, tracked FROM products WHERE deleted_at IS NULL AND (id").one_of_ids(ids.map(|id| id.0));
    sql.push(" OR sku").one_of(Kind::Text, skus.map(Scalar::Text)).push(")");
    let rows = work.fetch(sql, |row| Ok((row.id(0)?, row.text(1)?, row.text(2)?))).await?;
    let mut found = Products { by_id: HashMap::new(), by_sku: HashMap::new() };
    for (id, sku, tracked) in rows {
        found.by_id.insert(id, Tracking::named(Some(&tracked)));
        found.by_sku.insert(sku, id);
    }
    Ok(found)
}
