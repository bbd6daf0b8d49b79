//! `POST /v1/stock-syncs`: what another system counted, by its own item codes, whatever order and however often it comes.

use super::{
    ledger::{self, Key, StockError},
    levels::{Facts, Levels},
    stock_movement::{self, Products},
};
use crate::external_systems::external_system;
use actix_web::http::Method;
use samphan_domain::{
    catalog::product::Tracking,
    id::{ProductId, WarehouseId},
    stock::stock_count::{Stamp, StockCount, Taken},
};
use samphan_persistence::store::Work;
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    example,
    scalar::{Kind, Scalar},
};
use samphan_rest::{
    batch::{self, ItemResult, ItemStatus, MAX_ITEMS},
    collection::Api,
    example::Example,
    external::find_references,
    operation::{Body, Operation, RequestContext},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a system counted in one warehouse.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockSync {
    /// Code of the system that counted.
    #[schema(min_length = 1, max_length = 50, example = "express")]
    pub system: String,
    /// The warehouse, by our code. Either this or `warehouse_external_id`.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 50, example = "BKK1")]
    pub warehouse_code: Option<String>,
    /// The warehouse, as the system calls it.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 128, example = "01")]
    pub warehouse_external_id: Option<String>,
    /// The products.
    #[schema(min_items = 1, max_items = 1000, value_type = Vec<StockCount>)]
    pub items: Vec<Value>,
}

/// The operation.
#[must_use]
pub fn routes(api: Api) -> Api {
    let about = "Each item is an absolute count. It is `applied` only when its `as_of` is later than that of the count that holds (`source_sequence` decides between \
                 equal times, then the smaller count); late, doubled and reordered items come out `stale` or `unchanged` and change nothing. What was received, issued, \
                 brought or put right here after `as_of` counts on top: the system cannot have counted it. The difference is booked as a movement of kind `sync`. A count \
                 is never refused for what is reserved; where it leaves less than is promised, the level is below zero and the event `stock_level.oversold` is emitted. Item codes that no \
                 external reference maps are `failed` with `unknown_external_id`.";
    api.operations(vec![
        Operation::write("syncStock", Method::POST, "/v1/stock-syncs", sync)
            .describe("stock", "Synchronise stock counts", about)
            .example(
                Example::body(json!({"warehouse_external_id": null, "items": [{"sku": "TEA-001", "external_id": null, "on_hand": "236", "as_of": example::MOMENT}]}))
                    .depends_on(&["receiveStock"])
                    .answers(json!({"results": [{"index": 0, "status": "applied"}], "summary": {"received": 1, "applied": 1}})),
            )
            .body(Body::batch("StockSync"))
            .requires("stock-levels:sync")
            .responds(200, "BatchResults"),
    ])
    .schema::<StockSync>()
}

async fn sync(work: &Work, call: RequestContext) -> Result<Response> {
    let asked: StockSync = call.input()?;
    if asked.items.len() > MAX_ITEMS {
        return Err(Error::invalid(FieldError::new("/items", FieldCode::TooManyItems, MAX_ITEMS.to_string())));
    }
    external_system::expect_active(work, &asked.system).await?;
    work.lock_named(&format!("stock {}", asked.system)).await?;
    let warehouse = warehouse(work, &asked).await?;
    let fault = |(pointer, code, about): (&str, _, &str)| Error::invalid(FieldError::new(pointer, code, about));
    let checked = |count: StockCount| count.check(work.now).map_err(fault).map(|()| count);
    let read = batch::read_items::<StockCount>(work, &call, "StockCount", &asked.items).await?;
    let items = read.into_iter().map(|item| item.and_then(checked)).collect();
    let outcomes = apply(work, &asked.system, warehouse, items).await?;
    external_system::seen(work, &asked.system).await?;
    Ok(batch::answer(&call, &work.request_id, &outcomes))
}

async fn warehouse(work: &Work, asked: &StockSync) -> Result<WarehouseId> {
    let at = "/warehouse_external_id";
    match (&asked.warehouse_code, &asked.warehouse_external_id) {
        (Some(code), None) => stock_movement::warehouse(work, "", None, Some(code.clone())).await,
        (None, Some(name)) => {
            let found = find_references(work, work.shape("warehouses")?, &asked.system, std::slice::from_ref(name)).await?;
            let Some(id) = found.get(name) else {
                return Err(Error::from(Code::UnknownExternalId).with_field_errors(vec![FieldError::new(
                    at,
                    FieldCode::UnknownExternalId,
                    "warehouses",
                )]));
            };
            stock_movement::warehouse(work, "", Some(WarehouseId(*id)), None).await
        }
        _ => Err(Error::invalid(FieldError::new(at, FieldCode::AmbiguousKey, "exactly one of warehouse_code and warehouse_external_id"))),
    }
}

/// The products the items are about.
struct Named {
    by_external_id: HashMap<String, Uuid>,
    others: Products,
}

impl Named {
    async fn of(work: &Work, system: &str, items: &[Result<StockCount>]) -> Result<Self> {
        let items = || items.iter().flatten();
        let mut names: Vec<String> = items().filter_map(|i| i.external_id.clone()).collect();
        names.sort_unstable();
        names.dedup();
        let shape = work.shape("products")?;
        let by_external_id = if names.is_empty() { HashMap::new() } else { find_references(work, shape, system, &names).await? };
        let others = stock_movement::find(work, items().filter_map(|i| i.product_id), items().filter_map(|i| i.sku.clone())).await?;
        Ok(Self { by_external_id, others })
    }

    fn product(&self, item: &StockCount) -> Result<Uuid> {
        let (found, pointer, fault) = match (&item.external_id, &item.sku, item.product_id) {
            (Some(name), ..) => (self.by_external_id.get(name).copied(), "/external_id", FieldCode::UnknownExternalId),
            (_, Some(sku), _) => (self.others.by_sku(sku).map(|p| p.0.0), "/sku", FieldCode::UnknownReference),
            (.., id) => (id.and_then(|id: ProductId| self.others.by_id(id)).map(|p| p.0.0), "/product_id", FieldCode::UnknownReference),
        };
        let code = if item.external_id.is_some() { Code::UnknownExternalId } else { Code::UnknownReference };
        found.ok_or_else(|| Error::from(code).with_field_errors(vec![FieldError::new(pointer, fault, "products")]))
    }
}

/// Takes the items one after the other, as if each had been sent alone, and writes what came of them all at once.
async fn apply(work: &Work, system: &str, warehouse: WarehouseId, items: Vec<Result<StockCount>>) -> Result<Vec<ItemResult>> {
    let named = Named::of(work, system, &items).await?;
    let about: Vec<Result<Key>> = items
        .iter()
        .map(|item| item.as_ref().map_err(Clone::clone).and_then(|item| named.product(item)).map(|product| (product, warehouse.0)))
        .collect();
    let mut levels = Levels::open(work, about.iter().flatten().copied().collect(), Facts::is_stocked).await?;
    let mut applied: BTreeMap<Key, Stamp> = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(items.len());
    for (item, key) in items.into_iter().zip(about) {
        let external_id = item.as_ref().ok().and_then(|i| i.external_id.clone());
        outcomes.push(match (item, key) {
            (Ok(item), Ok(key)) => match take(&mut levels, system, key, &item, &mut applied) {
                Ok((status, error)) => (ItemResult { status, id: None, external_id, version: None, error }, Some(key)),
                Err(error) => (ItemResult::failed(external_id, error), None),
            },
            (Err(error), _) | (_, Err(error)) => (ItemResult::failed(external_id, error), None),
        });
    }
    let since = moved_since(work, &applied).await?;
    let is_tracked = |levels: &Levels<'_>, key: &Key| levels.facts.get(key).is_some_and(|f| f.tracking != Tracking::None);
    for (key, stamp) in &applied {
        // A count that agrees changes nothing.
        if is_tracked(&levels, key) {
            continue;
        }
        levels.count(*key, stamp.counted.0.saturating_add(since.get(key).copied().unwrap_or_default()));
    }
    let written: HashMap<Key, (Uuid, i64)> = levels.versions().collect();
    levels.close().await?;
    Ok(outcomes
        .into_iter()
        .map(|(outcome, key)| match key.and_then(|key| written.get(&key)) {
            Some((id, version)) => ItemResult { id: Some(*id), version: Some(*version), ..outcome },
            None => outcome,
        })
        .collect())
}

type Told = (ItemStatus, Option<Error>);

fn take(levels: &mut Levels<'_>, system: &str, key: Key, item: &StockCount, applied: &mut BTreeMap<Key, Stamp>) -> Result<Told> {
    let fault = |code, about| Error::invalid(FieldError::new("", code, about));
    let Some(level) = levels.by_key.get_mut(&key) else {
        return Err(fault(FieldCode::NotStocked, "a product that is no service, in a warehouse in use"));
    };
    let told = item.stamp();
    let tracking = levels.facts.get(&key).map_or(Tracking::None, |f| f.tracking);
    if tracking != Tracking::None && told.counted.0 != level.on_hand {
        return Err(ledger::refused(&[(String::new(), StockError::Tracked)]));
    }
    Ok(match Stamp::takes(level.count.as_ref().map(|(_, stamp)| stamp), &told) {
        Taken::Applied => {
            level.count = Some((system.to_owned(), told));
            level.counted = true;
            applied.insert(key, told);
            (ItemStatus::Applied, None)
        }
        Taken::Unchanged => (ItemStatus::Unchanged, None),
        Taken::Stale => {
            let known = level.count.as_ref().map(|(_, stamp)| format!("as of {}", stamp.as_of)).unwrap_or_default();
            (
                ItemStatus::Stale,
                Some(Error::from(Code::Conflict).with_field_errors(vec![FieldError::new("/as_of", FieldCode::Superseded, known)])),
            )
        }
        Taken::Conflicting => {
            let fault = FieldError::new("/as_of", FieldCode::SameAsOfDifferentValues, "the smaller of the two counts is kept");
            (ItemStatus::Stale, Some(Error::from(Code::Conflict).with_field_errors(vec![fault])))
        }
    })
}

/// What was moved here since each of the counts was true, but for what was counted: one query.
async fn moved_since(work: &Work, counts: &BTreeMap<Key, Stamp>) -> Result<HashMap<Key, i64>> {
    if counts.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = work.sql();
    sql.push("WITH v (product_id, warehouse_id, as_of) AS (VALUES ");
    for (n, ((product, warehouse), stamp)) in counts.iter().enumerate() {
        sql.push(if n == 0 { "(" } else { ", (" }).id(*product).push(", ").id(*warehouse).push(", ");
        sql.bind(Kind::Time, Scalar::Time(stamp.as_of)).push(")");
    }
    sql.push(
        ") SELECT v.product_id, v.warehouse_id, CAST(sum(m.quantity) AS bigint) FROM v JOIN stock_movements m ON m.product_id = v.product_id \
         AND m.warehouse_id = v.warehouse_id AND m.created_at > v.as_of WHERE m.kind <> 'sync' GROUP BY v.product_id, v.warehouse_id",
    );
    Ok(work.fetch(sql, |row| Ok(((row.id(0)?, row.id(1)?), row.int(2)?))).await?.into_iter().collect())
}
