//! The filter language: what is refused, and what letters mean. What it finds is held against memory in `generated.rs`.

use crate::support::*;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

crate::on_both![
    a_bad_filter_is_refused_with_its_place_and_what_would_do,
    filter_with_a_name_twice_is_refused_with_its_place,
    query_parameters_and_the_filter_agree,
    a_comma_within_a_value_is_escaped,
    letters_that_are_signs_to_sql_are_letters_here,
    contains_finds_a_part_that_cuts_what_is_searched_as_one,
];

/// Accounts of three moments.
async fn seed(app: &App) -> Vec<Value> {
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..3 {
        let one = |_| {
            let mut account = json!({"name": "A", "is_vip": random.random_bool(0.3)});
            for (field, values) in
                [("grade", json!(["A", "B", "c"])), ("country", json!(["TH", "IR", "US"])), ("tags", json!([["vip"], ["old"], []]))]
            {
                if random.random_bool(0.6) {
                    account[field] = values.as_array().unwrap().choose(&mut random).unwrap().clone();
                }
            }
            account
        };
        app.make_many("/v1/accounts", &(0..30).map(one).collect::<Vec<_>>()).await;
    }
    app.all("/v1/accounts", 200).await
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

async fn filter_with_a_name_twice_is_refused_with_its_place(app: App) {
    for (filter, pointer) in [
        (r#"{"field": "name", "op": "eq", "value": "A", "value": "B"}"#, "/filter/value"),
        (
            r#"{"all": [{"field": "name", "op": "eq", "value": "A"}, {"field": "name", "field": "grade", "op": "eq", "value": "A"}]}"#,
            "/filter/all/1/field",
        ),
        (r#"{"all": [], "all": []}"#, "/filter/all"),
    ] {
        let refused = app.get(&format!("/v1/accounts?filter={}", encoded(filter))).await.refused(400, "invalid_filter");
        refused.fault(pointer, "repeated");
    }
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

async fn a_comma_within_a_value_is_escaped(app: App) {
    let industries = ["tea, coffee", "tea", "coffee", "a\\b", "a\\,b"];
    app.make_many("/v1/accounts", &industries.map(|industry| json!({"name": industry, "industry": industry}))).await;
    for (value, wanted) in [
        ("tea\\, coffee", vec!["tea, coffee"]),
        ("tea,coffee", vec!["coffee", "tea"]),
        ("tea\\, coffee,tea", vec!["tea", "tea, coffee"]),
        ("a\\b", vec!["a\\b"]),
        ("a\\\\\\,b", vec!["a\\,b"]),
    ] {
        let found = app.get(&format!("/v1/accounts?industry={}", encoded(value))).await.is(200);
        let mut names = column(&found, "name");
        names.sort();
        assert_eq!(names, wanted, "{value}");
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
