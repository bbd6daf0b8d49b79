//! The filter language: what SQL finds is what memory says.

use crate::support::*;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use samphan_domain::{
    customers::account::Account,
    filter::{self, Filter, Vocabulary},
    instant::Instant,
    scalar::Kind,
    shape::{Field, Shape},
};
use std::collections::BTreeSet;

crate::on_both![
    every_filter_finds_what_it_means,
    a_bad_filter_is_refused_with_its_place_and_what_would_do,
    query_parameters_and_the_filter_agree,
    letters_that_are_signs_to_sql_are_letters_here,
    contains_finds_a_part_that_cuts_what_is_searched_as_one,
];

/// What the accounts of this module know.
struct Words;

impl Vocabulary for Words {
    fn shape(&self, many: &str) -> Option<&'static Shape> {
        (many == "accounts").then(accounts)
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
        vec![]
    }

    fn may_see(&self, _: &Shape, _: &Field) -> bool {
        true
    }

    fn now(&self) -> Instant {
        samphan::server::now()
    }
}

fn accounts() -> &'static Shape {
    static SHAPE: std::sync::OnceLock<&'static Shape> = std::sync::OnceLock::new();
    SHAPE.get_or_init(Shape::of::<Account>)
}

const NAMES: [&str; 8] = ["Ann", "ann", "a%b_c\\", "สมชาย", "شرکت", "Ann & Co", "%", "o'Neil"];

async fn seed(app: &App) -> Vec<Value> {
    for (key, kind) in [("route", "text"), ("score", "number"), ("seen", "date"), ("gold", "boolean")] {
        app.make("/v1/custom-fields", json!({"resource": "accounts", "key": key, "label": key, "type": kind})).await;
    }
    let mut random = StdRng::seed_from_u64(7);
    let mut made: Vec<String> = vec![];
    for generation in 0..3 {
        let mut items = vec![];
        for n in 0..30 {
            let mut custom = json!({});
            for (key, value) in [
                ("route", json!(["north", "south"][n % 2])),
                ("score", json!(["0", "9.5", "10", "-3"][n % 4])),
                ("seen", json!("2026-02-28")),
                ("gold", json!(n % 3 == 0)),
            ] {
                if random.random_bool(0.5) {
                    custom[key] = value;
                }
            }
            let mut account = json!({"name": NAMES.choose(&mut random).unwrap(), "is_vip": random.random_bool(0.3), "custom": custom});
            for (field, values) in [
                ("grade", ["A", "B", "c"]),
                ("industry", ["tea", "Tea", "rice"]),
                ("legal_form", ["company", "foreign", "individual"]),
                ("country", ["TH", "IR", "US"]),
            ] {
                if random.random_bool(0.6) {
                    account[field] = json!(values.choose(&mut random).unwrap());
                }
            }
            if random.random_bool(0.5) {
                let tag = ["vip", "old"].choose(&mut random).unwrap();
                account["tags"] = json!([tag, "all"]);
            }
            if generation > 0 && random.random_bool(0.6) {
                account["parent_id"] = json!(made.choose(&mut random).unwrap());
            }
            items.push(account);
        }
        made.extend(app.make_many("/v1/accounts", &items).await);
    }
    app.all("/v1/accounts", 200).await
}

fn leaf(random: &mut StdRng, records: &[Value]) -> Value {
    let some = |random: &mut StdRng, all: &[&str]| (*all.choose(random).unwrap()).to_owned();
    let text_op = ["eq", "ne", "in", "not_in", "lt", "le", "gt", "ge", "starts_with"];
    let any = records.choose(random).unwrap();
    let (field, ops, values): (&str, &[&str], Vec<Value>) = match random.random_range(0..15) {
        0 => (
            "name",
            &["eq", "ne", "contains", "starts_with", "in", "not_in"],
            NAMES.iter().chain(&["n", "A", "\\", "_"]).map(|v| json!(v)).collect(),
        ),
        1 => ("grade", &text_op, ["A", "B", "c", "C", ""].map(|v| json!(v)).to_vec()),
        2 => ("industry", &text_op, ["tea", "Tea", "rice", "t"].map(|v| json!(v)).to_vec()),
        3 => ("is_vip", &["eq", "ne"], vec![json!(true), json!(false)]),
        4 => ("legal_form", &["eq", "ne", "in", "not_in"], ["company", "foreign", "government"].map(|v| json!(v)).to_vec()),
        5 => ("created_at", &["lt", "le", "gt", "ge", "eq"], vec![any["created_at"].clone()]),
        6 => ("created_at", &["within_last"], vec![json!("P1D"), json!("PT0S")]),
        7 => ("tags", &["eq", "ne", "in", "not_in"], ["vip", "old", "all", "none"].map(|v| json!(v)).to_vec()),
        8 => ("custom.route", &text_op, ["north", "south", "n"].map(|v| json!(v)).to_vec()),
        9 => ("custom.score", &["eq", "ne", "in", "lt", "le", "gt", "ge"], ["9.5", "9.50", "10", "-3", "0"].map(|v| json!(v)).to_vec()),
        10 => ("custom.seen", &["eq", "ne", "lt", "ge"], vec![json!("2026-02-28"), json!("2026-03-01")]),
        11 => ("custom.gold", &["eq", "ne"], vec![json!(true), json!(false)]),
        12 => ("parent.grade", &text_op, ["A", "B"].map(|v| json!(v)).to_vec()),
        13 => ("parent.is_vip", &["eq", "ne"], vec![json!(true), json!(false)]),
        _ => (
            "parent_id",
            &["eq", "ne", "in", "not_in"],
            vec![any["id"].clone(), any["parent_id"].clone()].into_iter().filter(|v| !v.is_null()).collect(),
        ),
    };
    if random.random_bool(0.15) && field != "created_at" {
        return json!({"field": field, "op": "is_null", "value": random.random_bool(0.5)});
    }
    let op = some(random, ops);
    let one = |random: &mut StdRng| values.choose(random).unwrap().clone();
    let value = if op == "in" || op == "not_in" { json!([one(random), one(random)]) } else { one(random) };
    json!({"field": field, "op": op, "value": value})
}

fn tree(random: &mut StdRng, records: &[Value], depth: usize) -> Value {
    if depth == 0 || random.random_bool(0.4) {
        return leaf(random, records);
    }
    let group = *["all", "any", "none"].choose(random).unwrap();
    let parts: Vec<Value> = (0..random.random_range(1..4)).map(|_| tree(random, records, depth - 1)).collect();
    json!({group: parts})
}

async fn every_filter_finds_what_it_means(app: App) {
    let records = seed(&app).await;
    let through = |_: &str, id: &Value| records.iter().find(|r| r["id"] == *id && !id.is_null()).cloned();
    let mut random = StdRng::seed_from_u64(11);
    let (mut found_some, mut found_few) = (0, 0);
    for round in 0..250 {
        let asked = tree(&mut random, &records, 3);
        let meant: Filter = filter::parse(&asked, accounts(), &Words).unwrap_or_else(|e| panic!("{asked}: {e:?}"));
        let wanted: BTreeSet<String> =
            records.iter().filter(|r| meant.passes(r, &through)).map(|r| r["id"].as_str().unwrap().to_owned()).collect();
        let answer = if round % 2 == 0 {
            app.post("/v1/accounts/search", json!({"filter": asked, "limit": 200})).await.is(200)
        } else {
            app.get(&format!("/v1/accounts?limit=200&filter={}", encoded(&asked.to_string()))).await.is(200)
        };
        let found: BTreeSet<String> = ids(&answer).into_iter().collect();
        assert_eq!(found, wanted, "{asked}");
        found_some += usize::from(!wanted.is_empty());
        found_few += usize::from(wanted.len() < records.len());
    }
    assert!(found_some > 100 && found_few > 100, "the filters say something: {found_some}, {found_few}");
}

async fn a_bad_filter_is_refused_with_its_place_and_what_would_do(app: App) {
    let leaf = |field: &str, op: &str, value: Value| json!({"field": field, "op": op, "value": value});
    let deep = json!({"all": [{"any": [{"none": [{"all": [{"any": [leaf("name", "eq", json!("A"))]}]}]}]}]});
    let bad = [
        (leaf("gradee", "eq", json!("A")), "/filter/field", "unknown_field", Some("grade")),
        (leaf("description", "eq", json!("A")), "/filter/field", "unknown_field", None),
        (leaf("name", "equals", json!("A")), "/filter/op", "unknown_operator", None),
        (leaf("name", "start_with", json!("A")), "/filter/op", "unknown_operator", Some("starts_with")),
        (leaf("is_vip", "gt", json!(true)), "/filter/op", "unknown_operator", None),
        (leaf("legal_form", "eq", json!("compani")), "/filter/value", "unknown_value", Some("company")),
        (leaf("is_vip", "eq", json!("true")), "/filter/value", "wrong_type", None),
        (leaf("grade", "eq", Value::Null), "/filter/value", "null_not_allowed", None),
        (leaf("grade", "in", json!([])), "/filter/value", "too_few_items", None),
        (leaf("grade", "in", json!(vec!["x"; 101])), "/filter/value", "too_many_items", None),
        (leaf("grade", "in", json!("A")), "/filter/value", "wrong_type", None),
        (leaf("grade", "is_null", json!(1)), "/filter/value", "wrong_type", None),
        (leaf("created_at", "within_last", json!("30 days")), "/filter/value", "invalid_duration", None),
        (leaf("created_at", "ge", json!("2026-01-01T00:00:00")), "/filter/value", "time_without_offset", None),
        (leaf("custom.nothing", "eq", json!("A")), "/filter/field", "unknown_field", None),
        (leaf("parent.gradee", "eq", json!("A")), "/filter/field", "unknown_field", Some("parent.grade")),
        (leaf("parent.parent.grade", "eq", json!("A")), "/filter/field", "unknown_field", Some("parent.parent_id")),
        (leaf("name", "eq", json!("a\u{0}b")), "/filter/value", "nul_character", None),
        (json!({"all": []}), "/filter/all", "too_few_items", None),
        (json!({"all": [leaf("name", "eq", json!("A"))], "any": []}), "/filter", "malformed_filter", None),
        (json!({}), "/filter", "malformed_filter", None),
        (json!({"al": []}), "/filter/al", "unknown_field", Some("all")),
        (
            json!({"any": [leaf("name", "eq", json!("A")), leaf("nam", "eq", json!("A"))]}),
            "/filter/any/1/field",
            "unknown_field",
            Some("name"),
        ),
        (json!({"any": vec![leaf("name", "eq", json!("A")); 51]}), "/filter/any/50", "too_many_items", None),
        (deep, "/filter/all/0/any/0/none/0/all/0", "too_deep", None),
    ];
    for (filter, pointer, code, meant) in bad {
        let answer = app.get(&format!("/v1/accounts?filter={}", encoded(&filter.to_string()))).await.refused(400, "invalid_filter");
        let fault = answer.fault(pointer, code);
        assert_eq!(fault["did_you_mean"].as_str(), meant, "{filter}");
        if matches!(code, "unknown_field" | "unknown_operator" | "unknown_value") && !filter.to_string().contains("custom") {
            assert!(!fault["allowed"].as_array().unwrap().is_empty(), "{filter}");
        }
        let answer = app.post("/v1/accounts/search", json!({"filter": filter})).await;
        assert!(matches!(answer.status, 400 | 422), "{filter}: {}", answer.text);
    }
    app.get("/v1/accounts?filter=%7B").await.refused(400, "invalid_filter");
    app.get("/v1/accounts?filter=").await.refused(400, "invalid_filter");
}

async fn query_parameters_and_the_filter_agree(app: App) {
    let records = seed(&app).await;
    let last = records[40]["created_at"].as_str().unwrap();
    for (query, filter) in [
        ("grade=A,B", json!({"field": "grade", "op": "in", "value": ["A", "B"]})),
        (
            "is_vip=true&country=TH",
            json!({"all": [{"field": "is_vip", "op": "eq", "value": true}, {"field": "country", "op": "eq", "value": "TH"}]}),
        ),
        ("tags=vip,old", json!({"field": "tags", "op": "in", "value": ["vip", "old"]})),
        (&format!("created_at_gte={last}"), json!({"field": "created_at", "op": "ge", "value": last})),
        (&format!("created_at_lt={last}"), json!({"field": "created_at", "op": "lt", "value": last})),
    ] {
        let one = ids(&app.get(&format!("/v1/accounts?limit=200&{query}")).await.is(200));
        let other = ids(&app.post("/v1/accounts/search", json!({"limit": 200, "filter": filter})).await.is(200));
        assert!(!one.is_empty() && one.len() < records.len(), "{query}");
        assert_eq!(one, other, "{query}");
    }
}

async fn letters_that_are_signs_to_sql_are_letters_here(app: App) {
    app.make_many("/v1/accounts", &["100%", "100x", "a_b", "axb", "c\\d", "c\\\\d", "it's", "[a]"].map(|name| json!({"name": name}))).await;
    for (op, value, wanted) in [
        ("contains", "0%", vec!["100%"]),
        ("contains", "_", vec!["a_b"]),
        ("starts_with", "a_", vec!["a_b"]),
        ("contains", "\\d", vec!["c\\\\d", "c\\d"]),
        ("contains", "'", vec!["it's"]),
        ("starts_with", "[a", vec!["[a]"]),
        ("starts_with", "A", vec![]),
    ] {
        let found = app.post("/v1/accounts/search", json!({"filter": {"field": "name", "op": op, "value": value}})).await.is(200);
        let mut names = column(&found, "name");
        names.sort();
        let mut wanted: Vec<&str> = wanted;
        wanted.sort_unstable();
        assert_eq!(names, wanted, "{op} {value}");
    }
}

// Two เ are searched as one แ, and marks change places; a part of the text as it is written is found all the same.
async fn contains_finds_a_part_that_cuts_what_is_searched_as_one(app: App) {
    app.make_many("/v1/accounts", &["เเม่กลอง", "แม่กลอง", "ก\u{e48}\u{e35}"].map(|name| json!({"name": name}))).await;
    for (part, wanted) in [
        ("เม่ก", vec!["เเม่กลอง"]),
        ("เ", vec!["เเม่กลอง"]),
        ("แม่", vec!["แม่กลอง"]),
        ("ก\u{e48}", vec!["ก\u{e48}\u{e35}"]),
        ("ม่กล", vec!["เเม่กลอง", "แม่กลอง"]),
    ] {
        let found = app.post("/v1/accounts/search", json!({"filter": {"field": "name", "op": "contains", "value": part}})).await.is(200);
        let mut names = column(&found, "name");
        names.sort();
        assert_eq!(names, wanted, "{part}");
    }
}
