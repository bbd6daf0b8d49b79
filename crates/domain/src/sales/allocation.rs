//! From which warehouse each line comes: from one that has everything where there is one, else from as few as may be.

use samphan_resource::money::Quantity;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What a line needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The product.
    pub product: Uuid,
    /// How much.
    pub quantity: Quantity,
    /// The only warehouse it may come from.
    pub warehouse: Option<Uuid>,
}

/// What a warehouse can promise of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supply {
    /// The product.
    pub product: Uuid,
    /// The warehouse.
    pub warehouse: Uuid,
    /// What is there and not promised, and what may be promised beyond it.
    pub quantity: Quantity,
}

/// Part of a line from a warehouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The line, by its place.
    pub line: usize,
    /// The warehouse.
    pub warehouse: Uuid,
    /// How much of it.
    pub quantity: Quantity,
}

/// Shares needs out over what there is. What is there for no line is in no share: it is short. Warehouses come in the order of
/// `supplies`, the preferred first.
#[must_use]
pub fn allocate(needs: &[Need], supplies: &[Supply]) -> Vec<Share> {
    let mut left: BTreeMap<(Uuid, Uuid), i64> = BTreeMap::new();
    let mut warehouses: Vec<Uuid> = vec![];
    for s in supplies.iter().filter(|s| s.quantity.0 > 0) {
        *left.entry((s.product, s.warehouse)).or_default() += s.quantity.0;
        if !warehouses.contains(&s.warehouse) {
            warehouses.push(s.warehouse);
        }
    }
    // The warehouse that can give most lines whole comes first; of equals the preferred one.
    let whole = |w: Uuid| {
        let mut left = left.clone();
        let gives = |need: &&Need| match left.get_mut(&(need.product, w)) {
            Some(have) if *have >= need.quantity.0 => {
                *have -= need.quantity.0;
                true
            }
            _ => false,
        };
        needs.iter().filter(gives).count()
    };
    let mut ranked: Vec<(usize, Uuid)> = warehouses.iter().map(|w| (whole(*w), *w)).collect();
    ranked.sort_by_key(|(lines, _)| std::cmp::Reverse(*lines));
    let mut shares = vec![];
    for (line, need) in needs.iter().enumerate() {
        let mut wanted = need.quantity.0;
        let from: Vec<Uuid> = match need.warehouse {
            Some(only) => vec![only],
            None => ranked.iter().map(|(_, w)| *w).collect(),
        };
        let has = |left: &BTreeMap<(Uuid, Uuid), i64>, w: Uuid| left.get(&(need.product, w)).copied().unwrap_or_default();
        // From one warehouse where one has it all, else from the one with most.
        let mut order = from.clone();
        order.sort_by_key(|w| std::cmp::Reverse(has(&left, *w)));
        let one = from.iter().copied().find(|w| has(&left, *w) >= wanted);
        for warehouse in one.into_iter().chain(order) {
            let take = wanted.min(has(&left, warehouse));
            if take > 0 {
                if let Some(have) = left.get_mut(&(need.product, warehouse)) {
                    *have -= take;
                }
                shares.push(Share { line, warehouse, quantity: Quantity(take) });
                wanted -= take;
            }
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    const fn need(product: u128, quantity: i64) -> Need {
        Need { product: id(product), quantity: Quantity(quantity), warehouse: None }
    }

    const fn supply(product: u128, warehouse: u128, quantity: i64) -> Supply {
        Supply { product: id(product), warehouse: id(warehouse), quantity: Quantity(quantity) }
    }

    #[test]
    fn one_warehouse_that_has_everything_is_better_than_two() {
        let supplies = [supply(1, 10, 9), supply(1, 20, 5), supply(2, 20, 5)];
        let shares = allocate(&[need(1, 5), need(2, 5)], &supplies);
        assert!(shares.iter().all(|s| s.warehouse == id(20)), "{shares:?}");
        assert_eq!(shares.len(), 2);
    }

    #[test]
    fn a_line_is_taken_from_two_when_no_one_has_it() {
        let shares = allocate(&[need(1, 7)], &[supply(1, 10, 3), supply(1, 20, 5)]);
        assert_eq!(shares.iter().map(|s| (s.warehouse, s.quantity.0)).collect::<Vec<_>>(), [(id(20), 5), (id(10), 2)]);
        let only = Need { warehouse: Some(id(10)), ..need(1, 7) };
        assert_eq!(allocate(&[only], &[supply(1, 10, 3), supply(1, 20, 5)]).iter().map(|s| s.quantity.0).sum::<i64>(), 3);
    }

    proptest! {
        #[test]
        fn nobody_gets_more_than_there_is_and_nothing_is_left_where_it_is_needed(
            needs in prop::collection::vec((0..4_u128, 1..20_i64), 0..8),
            supplies in prop::collection::vec((0..4_u128, 10..14_u128, 0..20_i64), 0..12),
        ) {
            let needs: Vec<Need> = needs.into_iter().map(|(p, q)| need(p, q)).collect();
            let supplies: Vec<Supply> = supplies.into_iter().map(|(p, w, q)| supply(p, w, q)).collect();
            let shares = allocate(&needs, &supplies);
            for product in (0..4).map(id) {
                let wanted: i64 = needs.iter().filter(|n| n.product == product).map(|n| n.quantity.0).sum();
                let there: i64 = supplies.iter().filter(|s| s.product == product).map(|s| s.quantity.0).sum();
                let given: i64 = shares.iter().filter(|s| needs[s.line].product == product).map(|s| s.quantity.0).sum();
                prop_assert_eq!(given, wanted.min(there));
                for warehouse in (10..14).map(id) {
                    let has: i64 = supplies.iter().filter(|s| (s.product, s.warehouse) == (product, warehouse)).map(|s| s.quantity.0).sum();
                    let gives: i64 = shares.iter().filter(|s| needs[s.line].product == product && s.warehouse == warehouse).map(|s| s.quantity.0).sum();
                    prop_assert!(gives <= has);
                }
            }
            for (line, need) in needs.iter().enumerate() {
                prop_assert!(shares.iter().filter(|s| s.line == line).map(|s| s.quantity.0).sum::<i64>() <= need.quantity.0);
            }
        }
    }
}
