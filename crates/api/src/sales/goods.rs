//! The goods of a document's lines: where there are any, put aside, kept, let go.

use crate::stock::ledger::{self, ReservationRequest, Source};
use samphan_domain::{
    id::WarehouseId,
    sales::{
        allocation::{Need, Share, Supply, allocate},
        order::Order,
        order_line::{LineAllocation, OrderLine},
    },
    stock::stock_level::MOST,
};
use samphan_persistence::store::{Reader, Work};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    money::Quantity,
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What there is of some products, in warehouses for sale, the preferred first.
#[derive(Debug, Default)]
pub struct Goods {
    /// On hand and not reserved.
    pub there: Vec<Supply>,
    /// What may be promised beyond that.
    pub beyond: Vec<Supply>,
}

impl Goods {
    /// Looks, without a lock.
    pub async fn of(reader: &Reader, lines: &[OrderLine]) -> Result<Self> {
        let products: BTreeSet<Uuid> = lines.iter().filter(|l| !l.is_service).filter_map(|l| l.product_id).map(|id| id.0).collect();
        let mut goods = Self::default();
        if products.is_empty() {
            return Ok(goods);
        }
        let mut sql = reader.sql();
        sql.push("SELECT p.id, w.id, coalesce(l.available, 0), p.backorder, p.backorder_limit FROM products p ");
        sql.push("JOIN warehouses w ON w.deleted_at IS NULL AND w.status = 'active' AND w.available_for_sale = ");
        sql.bind(Kind::Bool, Scalar::Bool(true)).push(" LEFT JOIN stock_levels l ON l.product_id = p.id AND l.warehouse_id = w.id ");
        sql.push("AND l.deleted_at IS NULL WHERE p.deleted_at IS NULL AND (l.id IS NOT NULL OR p.backorder = 'allow') AND p.id");
        sql.one_of_ids(products).push(" ORDER BY w.code, p.id");
        let rows = reader
            .fetch(sql, |row| {
                let limit = row.optional_int(4)?.unwrap_or(MOST);
                let may_lack = if row.text(3)? == "allow" { limit } else { 0 };
                Ok((row.id(0)?, row.id(1)?, row.int(2)?, may_lack))
            })
            .await?;
        for (product, warehouse, available, may_lack) in rows {
            let there = available.max(0);
            goods.there.push(Supply { product, warehouse, quantity: Quantity(there) });
            goods.beyond.push(Supply { product, warehouse, quantity: Quantity(available + may_lack - there) });
        }
        Ok(goods)
    }

    /// Shares what there is out among lines: what is there first, then what may be promised beyond it.
    #[must_use]
    pub fn shared(&self, lines: &[OrderLine], warehouse: Option<WarehouseId>) -> Vec<Share> {
        let need = |line: &OrderLine, quantity| Need {
            product: line.product_id.map(|id| id.0).unwrap_or_default(),
            quantity,
            warehouse: line.warehouse_id.or(warehouse).map(|id| id.0),
        };
        let mut needs: Vec<Need> = lines.iter().map(|l| need(l, l.unallocated())).collect();
        let mut shares = allocate(&needs, &self.there);
        for share in &shares {
            if let Some(need) = needs.get_mut(share.line) {
                need.quantity.0 -= share.quantity.0;
            }
        }
        for more in allocate(&needs, &self.beyond) {
            match shares.iter_mut().find(|s| (s.line, s.warehouse) == (more.line, more.warehouse)) {
                Some(share) => share.quantity.0 += more.quantity.0,
                None => shares.push(more),
            }
        }
        shares
    }
}

/// The lines of which there is not enough, by id.
fn short(lines: &[OrderLine], shares: &[Share]) -> Vec<Uuid> {
    let given = |i: usize| shares.iter().filter(|s| s.line == i).map(|s| s.quantity.0).sum::<i64>();
    lines.iter().enumerate().filter(|(i, l)| given(*i) < l.unallocated().0).filter_map(|(_, l)| l.id).collect()
}

/// The lines that could not be put aside now.
pub async fn lacking(reader: &Reader, lines: &[OrderLine], warehouse: Option<WarehouseId>) -> Result<Vec<Uuid>> {
    let shares = Goods::of(reader, lines).await?.shared(lines, warehouse);
    Ok(short(lines, &shares))
}

/// Until when goods are put aside, and for what.
#[derive(Clone, Debug)]
pub struct Hold {
    /// For what.
    pub source: Source,
    /// Until when; until they are let go when none.
    pub until: Option<Timestamp>,
}

/// Puts aside what the lines need: all of it, or nothing; with `partly`, what there is. Answers the lines that lack something.
pub async fn reserve(work: &Work, lines: &mut [OrderLine], warehouse: Option<WarehouseId>, hold: &Hold, partly: bool) -> Result<Vec<Uuid>> {
    let shares = Goods::of(work, lines).await?.shared(lines, warehouse);
    let lacking = short(lines, &shares);
    if !lacking.is_empty() && !partly {
        return Ok(lacking);
    }
    let wants: Vec<(Share, ReservationRequest)> = shares
        .into_iter()
        .filter_map(|share| {
            let product_id = lines.get(share.line)?.product_id?;
            let want = ReservationRequest {
                id: None,
                product_id,
                warehouse_id: WarehouseId(share.warehouse),
                quantity: share.quantity,
                expires_at: hold.until,
                source: Some(hold.source.clone()),
            };
            Some((share, want))
        })
        .collect();
    let asked: Vec<ReservationRequest> = wants.iter().map(|(_, want)| want.clone()).collect();
    // Another work may have changed it between the read and the lock.
    let made: Vec<Option<Uuid>> = if partly {
        ledger::reserve(work, &asked).await?.into_iter().map(|made| made.ok().flatten()).collect()
    } else {
        match ledger::reserve_all(work, &asked).await? {
            Ok(made) => made,
            Err(refusals) => {
                let of = |place: &usize| wants.get(*place).and_then(|(share, _)| lines.get(share.line)).and_then(|l| l.id);
                return Ok(refusals.iter().filter_map(|(place, _)| of(place)).collect());
            }
        }
    };
    for ((share, want), id) in wants.into_iter().zip(made) {
        let (Some(reservation_id), Some(line)) = (id, lines.get_mut(share.line)) else { continue };
        line.allocations.push(LineAllocation {
            warehouse_id: want.warehouse_id,
            reservation_id,
            quantity: share.quantity,
            planned: Quantity(0),
        });
        line.count();
    }
    Ok(lines.iter().filter(|l| l.unallocated().0 > 0).filter_map(|l| l.id).collect())
}

/// Lets go of what is put aside for lines.
pub async fn release<'l>(work: &Work, lines: impl Iterator<Item = &'l mut OrderLine>, reason: Option<String>) -> Result<()> {
    let mut ids = vec![];
    for line in lines {
        ids.extend(line.allocations.drain(..).map(|a| a.reservation_id));
        line.count();
    }
    if !ids.is_empty() {
        ledger::release(work, &ids, reason).await?;
    }
    Ok(())
}

/// Whether what is put aside for the lines of an order would have to leave its warehouse, and is in a shipment already.
pub fn are_in_the_way(before: &Order, after: &Order) -> bool {
    let misplaced = |line: &OrderLine| misplaced(before, after, line);
    before.lines.iter().any(|was| misplaced(was).is_some_and(|to| was.allocations.iter().any(|a| a.warehouse_id != to && a.planned.0 > 0)))
}

/// The warehouse a line's goods are to be in now, where some of them are not.
fn misplaced(before: &Order, after: &Order, was: &OrderLine) -> Option<WarehouseId> {
    let line = was.id.and_then(|id| before.line(id).and(after.line(id)))?;
    let to = line.warehouse_id.or(after.warehouse_id)?;
    was.allocations.iter().any(|a| a.warehouse_id != to).then_some(to)
}

/// Has what is put aside for the lines of an order follow them as they are amended: of less, the rest is let go; of another product, all of
/// it; for another warehouse as much is put aside there, or the amendment is refused. What is in a shipment stays.
pub async fn carry_over(work: &Work, before: &Order, after: &mut Order, source: &Source, reason: Option<String>) -> Result<()> {
    let mut less: Vec<(Uuid, Quantity)> = vec![];
    let mut moved: Vec<(usize, OrderLine)> = vec![];
    for was in &before.lines {
        let place = after.lines.iter().position(|l| l.id == was.id && l.product_id == was.product_id);
        let to = place.and_then(|_| misplaced(before, after, was));
        let Some((place, line)) = place.and_then(|place| Some((place, after.lines.get_mut(place)?))) else {
            less.extend(was.allocations.iter().map(|a| (a.reservation_id, a.quantity)));
            continue;
        };
        let mut excess = (was.shipped_quantity.0 + was.reserved_quantity.0 - line.quantity.0).max(0);
        let elsewhere = |a: &LineAllocation| to.is_some_and(|to| a.warehouse_id != to);
        let mut leaving = 0;
        // What is in the wrong place goes first.
        line.allocations.sort_by_key(|a| elsewhere(a));
        for allocation in line.allocations.iter_mut().rev() {
            let mut by = excess.min(allocation.quantity.0 - allocation.planned.0).max(0);
            excess -= by;
            if elsewhere(allocation) {
                leaving += allocation.quantity.0 - by;
                by = allocation.quantity.0;
            }
            if by > 0 {
                less.push((allocation.reservation_id, Quantity(by)));
                allocation.quantity.0 -= by;
            }
        }
        line.count();
        if leaving > 0 {
            let quantity = Quantity(line.shipped_quantity.0 + line.reserved_quantity.0 + leaving);
            moved.push((place, OrderLine { quantity, ..line.clone() }));
        }
    }
    // A line of another product begins with nothing.
    for line in &mut after.lines {
        if line.id.and_then(|id| before.line(id)).is_some_and(|was| was.product_id != line.product_id) {
            line.allocations.clear();
            line.count();
        }
    }
    if !less.is_empty() {
        ledger::reduce(work, &less, reason).await?;
    }
    let (places, mut lines): (Vec<usize>, Vec<OrderLine>) = moved.into_iter().unzip();
    let hold = Hold { source: source.clone(), until: None };
    let lacking = reserve(work, &mut lines, after.warehouse_id, &hold, false).await?;
    if !lacking.is_empty() {
        let fault = |(place, line): (&usize, &OrderLine)| {
            let at = if line.warehouse_id.is_some() { format!("/lines/{place}/warehouse_id") } else { "/warehouse_id".to_owned() };
            line.id
                .filter(|id| lacking.contains(id))
                .map(|_| FieldError::new(at, FieldCode::InsufficientStock, "a warehouse that has the goods"))
        };
        let mut faults: Vec<FieldError> = places.iter().zip(&lines).filter_map(fault).collect();
        faults.dedup_by(|a, b| a.pointer == b.pointer);
        return Err(Error::from(Code::InsufficientStock).with_field_errors(faults));
    }
    for (place, with_goods) in places.into_iter().zip(lines) {
        if let Some(line) = after.lines.get_mut(place) {
            line.allocations = with_goods.allocations;
            line.count();
        }
    }
    Ok(())
}

/// Has what is put aside for lines hold for an order from now on; what holds no more is forgotten.
pub async fn keep(work: &Work, lines: &mut [OrderLine], source: &Source) -> Result<()> {
    let ids: Vec<Uuid> = lines.iter().flat_map(|l| &l.allocations).map(|a| a.reservation_id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let kept = ledger::reassign(work, &ids, source).await?;
    for line in lines {
        line.allocations.retain(|a| kept.contains(&a.reservation_id));
        line.count();
    }
    Ok(())
}

/// Locks everything that letting go of some lines and putting others aside may touch.
pub async fn lock(work: &Work, before: &[OrderLine], after: &[OrderLine]) -> Result<()> {
    let held = before.iter().flat_map(|l| l.allocations.iter().filter_map(|a| Some((l.product_id?.0, a.warehouse_id.0))));
    lock_with(work, held.collect(), after).await
}

/// Locks some levels, and those that lines may be put aside in: where there is any of their products, or more may be promised.
pub async fn lock_with(work: &Work, mut keys: BTreeSet<(Uuid, Uuid)>, lines: &[OrderLine]) -> Result<()> {
    let goods = Goods::of(work, lines).await?;
    keys.extend(goods.there.iter().chain(&goods.beyond).filter(|s| s.quantity.0 > 0).map(|s| (s.product, s.warehouse)));
    ledger::lock(work, keys).await
}
