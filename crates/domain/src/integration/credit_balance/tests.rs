use super::*;
use crate::integration::credit_item::CreditLimit;
use proptest::prelude::*;
use samphan_resource::money::Price;

fn balance() -> CreditBalance {
    let zero = Timestamp::parse("2026-01-01T00:00:00Z").unwrap_or_else(|_| unreachable!());
    CreditBalance::unknown(AccountId(uuid::Uuid::nil()), "s".into(), "e".into(), "THB".into(), zero)
}

fn items() -> impl Strategy<Value = Vec<CreditItem>> {
    let amount = || proptest::option::of((0..3_i64).prop_map(Amount));
    let limit = proptest::option::of(prop_oneof![
        Just(CreditLimit { kind: LimitKind::Unlimited, amount: None }),
        Just(CreditLimit { kind: LimitKind::NotManaged, amount: None }),
        (0..3_i64).prop_map(|n| CreditLimit { kind: LimitKind::Limited, amount: Some(Price(n)) }),
    ]);
    let revision = proptest::option::of(prop_oneof![Just("1"), Just("2"), Just("02"), Just("99999999999999999999"), Just("a"), Just("b")]);
    let included = proptest::collection::vec(prop_oneof![Just("SO-1"), Just("SO-2")], 0..3);
    let item = (0..3_i64, revision, amount(), amount(), limit, proptest::option::of(any::<bool>()), included).prop_map(
        |(minute, revision, receivable, open_orders, credit_limit, on_hold, included)| CreditItem {
            external_id: None,
            account_id: Some(AccountId(uuid::Uuid::nil())),
            as_of: balance().received_at.plus_seconds(minute * 60),
            source_revision: revision.map(str::to_owned),
            receivable,
            overdue: None,
            unbilled_deliveries: None,
            open_orders,
            included_orders: included.into_iter().map(str::to_owned).collect(),
            credit_limit,
            on_hold,
        },
    );
    let item = item.prop_filter("names a group", |i| i.names_exposure() || i.names_limit());
    proptest::collection::vec(item, 1..8)
}

/// What is open of the orders an item includes: of SO-1 one, of SO-2 nothing.
fn open_of(item: &CreditItem) -> Amount {
    Amount(i64::from(item.included_orders.iter().any(|name| name == "SO-1")))
}

#[test]
fn included_orders_are_taken_out_of_open_orders_then_of_deliveries_and_never_beyond() {
    let mut balance = balance();
    let item = CreditItem {
        unbilled_deliveries: Some(Amount(40)),
        open_orders: Some(Amount(100)),
        included_orders: vec!["SO-1".into()],
        ..CreditItem::deserialize(json!({"as_of": "2026-01-02T00:00:00Z", "receivable": "1"})).unwrap()
    };
    for (open, left) in [(0, (100, 40)), (30, (70, 40)), (120, (0, 20)), (500, (0, 0))] {
        balance.exposure_as_of = None;
        assert_eq!(balance.take(&item, Amount(open), item.as_of), Outcome::Applied);
        assert_eq!((balance.open_orders, balance.unbilled_deliveries), (Some(Amount(left.0)), Some(Amount(left.1))), "{open}");
        assert_eq!(balance.take(&item, Amount(0), item.as_of), Outcome::Unchanged, "what is compared is what was sent");
    }
}

fn after(items: &[CreditItem]) -> CreditBalance {
    let mut balance = balance();
    for item in items {
        balance.take(item, open_of(item), item.as_of);
    }
    // When a push came in depends on the order, of course; nothing else may.
    CreditBalance { received_at: self::balance().received_at, ..balance }
}

proptest! {
    #[test]
    fn any_order_and_any_doubling_of_the_same_pushes_ends_in_the_same_balance((items, shuffled) in items().prop_flat_map(|v| {
        let doubled: Vec<CreditItem> = v.iter().chain(v.iter()).cloned().collect();
        (Just(v), Just(doubled).prop_shuffle())
    })) {
        prop_assert_eq!(after(&items), after(&shuffled));
    }

    #[test]
    fn the_pushes_that_decide_are_the_same_in_any_order_and_end_as_all_would((items, shuffled) in items().prop_flat_map(|v| {
        let doubled: Vec<CreditItem> = v.iter().chain(v.iter()).cloned().collect();
        (Just(v), Just(doubled).prop_shuffle())
    })) {
        let kept = |items: &[CreditItem]| {
            items.iter().fold(vec![], |kept, item| CreditItem::deciding([kept, vec![item.clone()]].concat()))
        };
        prop_assert!(kept(&items).len() <= 4);
        prop_assert_eq!(kept(&shuffled), kept(&items));
        prop_assert_eq!(after(&kept(&items)), after(&items));
    }

    #[test]
    fn a_push_said_twice_is_unchanged_the_second_time(items in items()) {
        let mut balance = balance();
        for item in &items {
            if balance.take(item, open_of(item), item.as_of) == Outcome::Applied {
                let before = balance.clone();
                prop_assert_ne!(balance.take(item, open_of(item), item.as_of), Outcome::Applied);
                prop_assert_eq!(&balance, &before);
            }
        }
    }
}
