//! Text is held to what its schema says of it, in every body: identifiers have nothing out of sight, names are one line.

use super::step::{Step, schema};
use crate::support::*;

crate::on_both![every_text_of_every_body_is_one_line_unless_it_says_otherwise];

/// The texts of a schema, by their pointers, each with a value that has just that text.
fn texts(of: &'static Value, at: &str, depth: usize) -> Vec<(String, &'static Value)> {
    let of = schema(of);
    let is = |kind: &str| of["type"] == kind || of["type"].as_array().is_some_and(|all| all.iter().any(|t| t == kind));
    if is("string") {
        return vec![(at.to_owned(), of)];
    }
    if depth > 3 {
        return vec![];
    }
    if is("array") {
        return texts(&of["items"], &format!("{at}/0"), depth + 1);
    }
    let properties = of["properties"].as_object().into_iter().flatten();
    properties.flat_map(|(name, inner)| texts(inner, &format!("{at}/{name}"), depth + 1)).collect()
}

/// The smallest value with a text at a pointer.
fn with(pointer: &str, text: &str) -> Value {
    pointer.rsplit('/').filter(|step| !step.is_empty()).fold(json!(text), |inner, step| match step {
        "0" => json!([inner]),
        name => json!({ name: inner }),
    })
}

async fn every_text_of_every_body_is_one_line_unless_it_says_otherwise(app: App) {
    let (mut lines, mut identifiers, mut long) = (0, 0, 0);
    for step in Step::all() {
        let Some(taken) = step.taken() else { continue };
        for (pointer, of) in texts(taken, "", 0) {
            let (is_closed, is_visible) =
                (["enum", "format", "x-decimal"].iter().any(|word| !of[*word].is_null()), of["x-visible"] == true);
            // Items are looked at one by one, after the rest.
            if is_closed && !is_visible || ["/items/", "/invoices/", "/filter"].iter().any(|at| pointer.starts_with(at)) {
                continue;
            }
            for bad in ["a\u{1b}b", "a\u{7}b", "a\nb", "a\u{202e}b"] {
                let answer = step.ask(&app, Some(&with(&pointer, bad))).await;
                let found = |code: &str| {
                    answer["errors"].as_array().is_some_and(|all| all.iter().any(|e| e["pointer"] == *pointer && e["code"] == code))
                };
                let held = if is_visible { found("invisible_character") } else { found("not_one_line") };
                assert_eq!(held, of["x-multiline"] != true, "{} {pointer} {bad:?}: {}", step.id, answer.text);
            }
            match (is_visible, of["x-multiline"] == true) {
                (true, _) => identifiers += 1,
                (false, true) => long += 1,
                (false, false) => lines += 1,
            }
        }
    }
    assert!(lines > 300 && identifiers > 10 && long > 20, "{lines} {identifiers} {long}");
}
