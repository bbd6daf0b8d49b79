//! Whatever stands in the parameters of any read, it is answered; and a list never answers more than it has.

use crate::support::{
    contract,
    generated::{cases, for_all},
    lists::{Lists, make_demo, query_parameters},
    *,
};
use proptest::{prelude::*, sample::select};
use reqwest::Method;
use std::collections::{HashMap, HashSet};

crate::on_both![
    many_words_are_looked_for_as_few_are,
    no_text_in_a_parameter_breaks_a_read_or_widens_a_list,
    a_cursor_is_of_its_own_list_alone
];

/// What breaks programs that put text together: SQL of both databases and others, patterns, arrays, JSON, cursors, formats.
const HOSTILE: [&str; 44] = [
    "'",
    "\"",
    "`",
    "')--",
    "' OR '1'='1",
    "' OR 1=1--",
    "1 OR 1=1",
    "\") OR (\"\"=\"",
    "x' UNION SELECT id FROM users--",
    "'||pg_sleep(5)--",
    "1;SELECT pg_sleep(5)",
    "1 AND randomblob(500000000)",
    "'; DROP TABLE accounts;--",
    "/**/",
    "--",
    "#",
    ";",
    "$$",
    "$1",
    "?1",
    ":id",
    "@@version",
    "%",
    "_",
    "\\",
    "%%%",
    "\\%",
    "*",
    "{",
    "}",
    "{\"\",NULL}",
    "[]",
    "{}",
    "null",
    "true",
    "-0",
    "1e400",
    "0x10",
    "NaN",
    "9223372036854775808",
    "id,id",
    "-",
    ",",
    ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,",
];

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(HOSTILE.to_vec()).prop_map(str::to_owned), 2 => any::<String>(), 1 => "\\PC{0,300}"]
}

/// What is sent for a parameter: the text, or what the parameter takes with the text in it.
fn sent(parameter: &str, text: &str, field: &str) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    match parameter {
        "filter" => {
            let leaf = |field: &str, op: &str, value: Value| json!({"field": field, "op": op, "value": value}).to_string();
            all.extend(["eq", "contains", "starts_with", "gt"].map(|op| leaf(field, op, json!(text))));
            all.extend([leaf(text, "eq", json!("x")), leaf(field, text, json!("x")), leaf(field, "in", json!([text, text]))]);
            all.push(json!({text: [{}]}).to_string());
        }
        "sort" => all.extend([format!("{field},{text}"), format!("-{text}")]),
        "fields" => all.push(format!("id,{text}")),
        _ => {}
    }
    all
}

/// What is read besides lists of records, by each of its parameters.
fn other_reads(lists: &Lists) -> Vec<(&'static str, &'static str)> {
    let reads = contract::operations().filter(|(method, path, _)| *method == Method::GET && !path.contains('{'));
    let others = reads.filter(|(_, path, _)| lists.all.iter().all(|l| l.path != *path));
    others.flat_map(|(_, path, operation)| query_parameters(operation).map(move |name| (path, name))).collect()
}

async fn no_text_in_a_parameter_breaks_a_read_or_widens_a_list(app: App) {
    make_demo(&app).await;
    let lists = Lists::read(&app).await;
    let mut asked = 0;
    for listed in &lists.all {
        let own: HashSet<&str> = listed.records.iter().map(|r| r["id"].as_str().unwrap()).collect();
        let field = listed.shape.fields.iter().find(|f| f.filter && f.name != "id").map_or("id", |f| f.name);
        for parameter in &listed.parameters {
            for_all(cases(85), hostile(), async |text| {
                for value in sent(parameter, &text, field) {
                    let answer = app.get(&format!("{}?{parameter}={}", listed.path, encoded(&value))).await;
                    let of_its_own = answer.status == 200 && ids(&answer).iter().all(|id| own.contains(id.as_str()));
                    if !of_its_own && answer.status != 400 {
                        return Err(format!("{}: {}", answer.what, answer.text));
                    }
                }
                Ok(())
            })
            .await;
            asked += 1;
        }
    }
    assert!(asked > 400, "{asked}");
    for (path, parameter) in other_reads(&lists) {
        for_all(cases(85), hostile(), async |text| {
            let answer = app.get(&format!("{path}?{parameter}={}", encoded(&text))).await;
            if matches!(answer.status, 200 | 400) { Ok(()) } else { Err(format!("{}: {}", answer.what, answer.text)) }
        })
        .await;
    }
}

async fn many_words_are_looked_for_as_few_are(app: App) {
    let words = |many: u32| (0..many).map(|i| char::from_u32(0x4e00 + i).unwrap().to_string()).collect::<Vec<_>>().join(" ");
    let long = "abcdefghi".repeat(7_000);
    for (name, part) in [("a ".repeat(100), "a ".repeat(100)), (words(100), words(100)), ("x".repeat(180), "x".repeat(180))] {
        let made = app.account(name.trim()).await;
        for part in [part.trim(), &part[..part.ceil_char_boundary(40)]] {
            let q = format!("q={}", encoded(part));
            assert_eq!(ids(&app.get(&format!("/v1/accounts?{q}")).await.is(200)), [made.as_str()], "{part}");
            assert_eq!(app.get(&format!("/v1/search?{q}")).await.is(200)["data"][0]["id"], *made, "{part}");
            let held = json!({"filter": {"field": "name", "op": "contains", "value": part}});
            assert_eq!(ids(&app.post("/v1/accounts/search", held).await.is(200)), [made.as_str()], "{part}");
        }
    }
    for part in ["ab ".repeat(1_000), words(20_000), words(20_000).replace(' ', ""), long] {
        let contains = json!({"field": "name", "op": "contains", "value": part});
        for (filter, found) in [(contains.clone(), 0), (json!({"none": [contains]}), 3)] {
            let page = app.post("/v1/accounts/search", json!({"filter": filter})).await.is(200);
            assert_eq!(ids(&page).len(), found, "{}", &part[..20]);
        }
    }
}

async fn a_cursor_is_of_its_own_list_alone(app: App) {
    make_demo(&app).await;
    let lists = Lists::read(&app).await;
    let mut cursors = HashMap::new();
    for listed in &lists.all {
        let page = app.get(&format!("{}?limit=1", listed.path)).await.is(200);
        cursors.extend(page["next_cursor"].as_str().map(|c| (listed.path.clone(), c.to_owned())));
    }
    assert!(cursors.len() > 15, "{}", cursors.len());
    for listed in &lists.all {
        for (of, cursor) in &cursors {
            let answer = app.get(&format!("{}?limit=1&cursor={cursor}", listed.path)).await;
            if *of == listed.path {
                answer.is(200);
            } else {
                answer.refused(400, "invalid_cursor");
            }
        }
    }
    for cursor in cursors.values() {
        for place in ["/v1/search?q=a&cursor=", "/v1/changes?after=", "/v1/changes/stream?after="] {
            app.get(&format!("{place}{cursor}")).await.refused(400, "invalid_cursor");
        }
    }
}
