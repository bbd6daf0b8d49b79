//! Whatever is sent as a filter is read, or refused with its place; what is read means what it says.

use proptest::{collection::vec, prelude::*, sample::select};
use samphan_domain::customers::account::Account;
use samphan_resource::{
    calendar::{self, Zone},
    error::{Code, FieldCode, MAX_FIELD_ERRORS, Result},
    filter::*,
    scalar::Kind,
    shape::{Field, Shape},
    timestamp::Timestamp,
};
use serde_json::{Value, json};
use std::sync::LazyLock;

static ACCOUNTS: LazyLock<&'static Shape> = LazyLock::new(Shape::of::<Account>);

struct Words;

impl Vocabulary for Words {
    fn shape(&self, many: &str) -> Option<&'static Shape> {
        (many == "accounts").then_some(*ACCOUNTS)
    }

    fn custom(&self, _: &str, key: &str) -> Option<Kind> {
        match key {
            "route" => Some(Kind::Text),
            "score" => Some(Kind::Decimal { least: 0 }),
            "seen" => Some(Kind::Date),
            "gold" => Some(Kind::Bool),
            _ => None,
        }
    }

    fn custom_keys(&self, _: &str) -> Vec<String> {
        vec!["route".to_owned()]
    }

    fn may_see(&self, _: &Shape, field: &Field) -> bool {
        field.name != "tax_id"
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000).unwrap()
    }

    fn zone(&self) -> Zone {
        // It is 05:13 of 2023-11-15 there, and 22:13 of the day before in UTC.
        calendar::zone("Asia/Bangkok").unwrap()
    }
}

fn parsed(value: &Value) -> Result<Filter> {
    parse(value, *ACCOUNTS, &Words)
}

const PATHS: [&str; 14] = [
    "name",
    "grade",
    "is_vip",
    "legal_form",
    "created_at",
    "parent_id",
    "tags",
    "custom.route",
    "custom.score",
    "custom.seen",
    "custom.gold",
    "parent.grade",
    "parent.is_vip",
    "id",
];
const TEXTS: [&str; 9] = ["", "A", "a", "ก", "เก", "ی", "%", "_\\", "company"];
const IDS: [&str; 2] = ["01a20358-4a56-7c95-9db7-a9b5137c263f", "01a20358-45e1-7171-a4ba-5d4ebc9a27d8"];
const TIMES: [&str; 3] = ["2023-11-14T22:13:20Z", "2023-11-14T22:13:20.000001Z", "2023-11-15T06:00:00+07:00"];
const DATES: [&str; 2] = ["1900-01-01", "2199-12-31"];
const NUMBERS: [&str; 5] = ["0", "-0.0001", "9.5", "922337203685477.5807", "-922337203685477.5807"];

/// Values of the kinds there are, and of none.
fn value() -> impl Strategy<Value = Value> {
    let text = select([&TEXTS[..], &IDS, &TIMES, &DATES, &NUMBERS, &["P1D", "PT0S"]].concat());
    prop_oneof![
        5 => text.prop_map(|t| json!(t)),
        1 => any::<String>().prop_map(|t| json!(t)),
        1 => any::<bool>().prop_map(|b| json!(b)),
        1 => select(vec![json!(null), json!(0), json!(-1.5), json!(1e300), json!({}), json!([])]),
    ]
}

/// A word of the language, another, or any at all.
fn word(words: &[&'static str]) -> impl Strategy<Value = Value> + use<> {
    prop_oneof![20 => select(words.to_vec()).prop_map(|w| json!(w)), 1 => any::<String>().prop_map(|w| json!(w)), 1 => value()]
}

/// Filters, and what is nearly one.
fn nearly() -> impl Strategy<Value = Value> {
    let operand = prop_oneof![3 => value(), 1 => vec(value(), 0..4).prop_map(Value::Array)];
    let leaf = (word(&PATHS), word(OPS), operand).prop_map(|(field, op, value)| json!({"field": field, "op": op, "value": value}));
    let stray = (any::<String>(), value()).prop_map(|(name, value)| Value::Object([(name, value)].into_iter().collect()));
    prop_oneof![30 => leaf, 1 => stray, 1 => value()].prop_recursive(6, 80, 4, |inner| {
        let group = (select(vec!["all", "any", "none", "field", "al/l~"]), vec(inner.clone(), 0..4));
        prop_oneof![
            8 => group.prop_map(|(name, parts)| json!({name: parts})),
            1 => (inner.clone(), inner).prop_map(|(a, b)| json!({"all": [a], "none": [b], "op": null})),
        ]
    })
}

/// Conditions that are well formed, and groups of them.
fn good() -> impl Strategy<Value = Value> {
    let leaf = select(PATHS.to_vec()).prop_flat_map(|path| {
        let target = target(path, *ACCOUNTS, &Words).unwrap();
        let values: Vec<Value> = match target.kind() {
            Kind::Bool => vec![json!(true), json!(false)],
            Kind::Id => IDS.map(|v| json!(v)).to_vec(),
            Kind::Time => TIMES.map(|v| json!(v)).to_vec(),
            Kind::Date => DATES.map(|v| json!(v)).to_vec(),
            Kind::Decimal { .. } => NUMBERS.map(|v| json!(v)).to_vec(),
            _ if !target.options().is_empty() => target.options().iter().map(|v| json!(v)).collect(),
            _ => TEXTS.map(|v| json!(v)).to_vec(),
        };
        (select(ops_of(&target)), vec(select(values), 1..4), any::<bool>()).prop_map(move |(op, values, truth)| {
            let value = match op {
                "is_null" => json!(truth),
                "within_last" => json!(if truth { "P1D" } else { "PT0S" }),
                "in" | "not_in" => json!(values),
                _ => values[0].clone(),
            };
            json!({"field": path, "op": op, "value": value})
        })
    });
    leaf.prop_recursive(2, 12, 3, |inner| {
        (select(vec!["all", "any", "none"]), vec(inner, 1..3)).prop_map(|(group, parts)| json!({group: parts}))
    })
}

/// An account, with most of its fields null.
fn record() -> impl Strategy<Value = Value> {
    let some = |values: &[&'static str]| prop::option::of(select(values.to_vec())).prop_map(|v| json!(v));
    let own = (some(&TEXTS), some(&TEXTS), any::<bool>(), some(&["company", "foreign"]), select(TIMES.to_vec()), some(&IDS));
    let extra = (vec(select(TEXTS.to_vec()), 0..3), some(&TEXTS), some(&NUMBERS), some(&DATES), prop::option::of(any::<bool>()));
    (own, extra).prop_map(|((name, grade, is_vip, legal_form, created_at, parent_id), (tags, route, score, seen, gold))| {
        json!({"id": IDS[0], "name": name, "grade": grade, "is_vip": is_vip, "legal_form": legal_form, "created_at": created_at,
            "parent_id": parent_id, "tags": tags, "custom": {"route": route, "score": score, "seen": seen, "gold": gold}})
    })
}

fn passes(filter: &Value, record: &Value) -> bool {
    let parents = |_: &str, id: &Value| (*id == IDS[0]).then(|| json!({"grade": "A", "is_vip": true}));
    parsed(filter).unwrap_or_else(|e| panic!("{filter}: {e:?}")).passes(record, &parents)
}

fn depth(filter: &Filter) -> usize {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => 1 + parts.iter().map(depth).max().unwrap_or_default(),
        Filter::Leaf { .. } => 1,
    }
}

fn leaves(filter: &Filter) -> usize {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().map(leaves).sum(),
        Filter::Leaf { .. } => 1,
    }
}

/// A place that the value has, or where something is missing.
fn is_place(pointer: &str, value: &Value) -> bool {
    let Some(place) = pointer.strip_prefix("/filter") else { return false };
    value.pointer(place).is_some() || place.rsplit_once('/').is_some_and(|(parent, _)| value.pointer(parent).is_some())
}

proptest! {
    #[test]
    fn whatever_is_sent_is_read_or_refused_with_its_place(sent in nearly(), record in record()) {
        match parsed(&sent) {
            Ok(filter) => {
                prop_assert!(depth(&filter) <= MOST_DEPTH && leaves(&filter) <= MOST_LEAVES);
                let _ = filter.passes(&record, &|_, _| None);
            }
            Err(refused) => {
                prop_assert_eq!(refused.code, Code::InvalidFilter);
                prop_assert!((1..=MAX_FIELD_ERRORS).contains(&refused.errors.len()));
                for fault in refused.errors {
                    prop_assert!(is_place(&fault.pointer, &sent), "{} in {}", fault.pointer, sent);
                }
            }
        }
    }

    #[test]
    fn groups_mean_what_they_say(a in good(), b in good(), record in record()) {
        let (of_a, of_b) = (passes(&a, &record), passes(&b, &record));
        prop_assert_eq!(passes(&json!({"all": [a, b]}), &record), of_a && of_b);
        prop_assert_eq!(passes(&json!({"any": [a, b]}), &record), of_a || of_b);
        prop_assert_eq!(passes(&json!({"none": [a, b]}), &record), !of_a && !of_b);
    }

    #[test]
    fn a_duration_is_the_sum_of_its_parts(weeks in 0..99_i64, days in 0..999_i64, hours in 0..99_i64, minutes in 0..99_i64, seconds in 0..9999_i64) {
        let text = format!("P{weeks}W{days}DT{hours}H{minutes}M{seconds}S");
        prop_assert_eq!(duration_seconds(&text), Some(((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds));
    }

    #[test]
    fn any_text_is_a_duration_or_none(text in prop_oneof![any::<String>(), "P[0-9WDTHMS]{0,30}"]) {
        let _ = duration_seconds(&text);
    }
}

#[test]
fn of_a_thousand_faults_the_first_are_named() {
    let many = vec![json!({"all": vec![json!(1); 1000]}); 1000];
    let refused = parsed(&json!({"any": many})).unwrap_err();
    assert_eq!(refused.errors.len(), MAX_FIELD_ERRORS);
    let refused = parsed(&json!({"any": vec![json!({"field": "name", "op": "eq", "value": "A"}); 1000]})).unwrap_err();
    assert_eq!((refused.errors.len(), refused.errors[0].pointer.as_str()), (1, "/filter/any/50"));
}

// Only the beginning of a custom text is indexed: what it is compared with must end within it.
#[test]
fn a_custom_text_is_compared_with_what_its_index_can_tell() {
    let filter = |length: usize| json!({"field": "custom.route", "op": "eq", "value": "ก".repeat(length)});
    assert!(parsed(&filter(INDEXED_TEXT - 1)).is_ok());
    let refused = parsed(&filter(INDEXED_TEXT)).unwrap_err();
    assert_eq!((refused.errors[0].pointer.as_str(), refused.errors[0].code), ("/filter/value", FieldCode::TooLong));
}

#[test]
fn a_set_contains_whole_members_only() {
    use samphan_domain::integration::webhook_endpoint::ChangeCondition;
    let changes: &'static Shape = Shape::of::<ChangeCondition>();
    let passes = |op: &str, value: Value, changed: &[&str]| {
        let filter = parse(&json!({"field": "changed_fields", "op": op, "value": value}), changes, &Words).unwrap();
        filter.passes(&json!({"changed_fields": changed}), &|_, _| None)
    };
    assert!(passes("contains", json!("name"), &["name"]) && passes("contains", json!("name"), &["grade", "name"]));
    assert!(!passes("contains", json!("name"), &["legal_name"]) && !passes("contains", json!("name"), &[]));
    assert!(passes("in", json!(["grade", "name"]), &["name"]) && passes("ne", json!("name"), &["legal_name"]));
    assert!(passes("is_null", json!(true), &[]) && !passes("is_null", json!(true), &["name"]));
    assert!(parse(&json!({"field": "changed_fields", "op": "starts_with", "value": "na"}), changes, &Words).is_err());
    let tagged = parsed(&json!({"field": "tags", "op": "contains", "value": "vip"})).unwrap();
    assert!(tagged.passes(&json!({"tags": ["new", "vip"]}), &|_, _| None) && !tagged.passes(&json!({"tags": ["vips"]}), &|_, _| None));
}
