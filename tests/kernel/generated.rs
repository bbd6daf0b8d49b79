//! Generated records, filters, orders and sizes of pages: what a list answers is what memory says.

use crate::support::{
    generated::{cases, for_all},
    lists::{Listed, Lists, make_demo},
    *,
};
use proptest::{collection::vec, option, prelude::*, sample::select, strategy::Union};
use samphan_resource::{
    filter::{self, Target},
    page::Sort,
    scalar::{Kind, Scalar},
    shape::Sorting,
    text,
};
use std::cmp::Ordering;

crate::on_both![every_list_answers_what_memory_says];

/// Decimals at the ends and between.
const DECIMALS: [&str; 8] = ["0", "-0.0001", "0.0001", "9.5", "10", "-3", "922337203685477.5807", "-922337203685477.5807"];
const DATES: [&str; 5] = ["1900-01-01", "1999-12-31", "2000-02-29", "2026-02-28", "2199-12-31"];
const TIMES: [&str; 4] =
    ["1900-01-01T00:00:00Z", "2026-02-28T12:00:00+07:00", "2026-02-28T05:00:00.000001Z", "2199-12-31T23:59:59.999999Z"];
const SIGNS: [&str; 16] = ["%", "_", "\\", "'", "\"", "{}", "a,b", "NULL", "null", "{\"a\"}", "a%b_c\\", " ", "''", "é", "ß", "\u{10ffff}"];

/// Text in the languages of the house, and the signs that mean something to SQL, arrays or patterns. As it is stored: composed.
fn words() -> impl Strategy<Value = String> {
    let any = prop_oneof![
        3 => "(บริษัท|ร้าน|น้ำ|เเม่|แม่)[ก-ฮ]{0,3}[ะัาำิีึืุู]?[่้]?",
        3 => "[آ-ی]{1,5}\u{200c}?[یيکك]{0,2}",
        3 => "[A-Ca-c]{1,3}( [A-C])?",
        2 => select(SIGNS.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{1,3}",
    ];
    any.prop_map(|t| text::nfc(&t).into_owned())
}

fn custom() -> impl Strategy<Value = Value> {
    let text = prop_oneof![5 => words(), 1 => words().prop_map(|w| w.chars().cycle().take(600).collect())];
    let fields =
        (option::of(text), option::of(select(DECIMALS.to_vec())), option::of(select(DATES.to_vec())), option::of(select(TIMES.to_vec())));
    (fields, option::of(any::<bool>())).prop_map(|((route, score, seen, at), gold)| {
        let all = json!({"route": route, "score": score, "seen": seen, "at": at, "gold": gold});
        all.as_object().unwrap().iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect()
    })
}

/// What a create leaves out where it is null.
fn body(all: Value) -> Value {
    all.as_object().unwrap().iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect()
}

fn account() -> impl Strategy<Value = Value> {
    let tags = vec(select(vec!["vip", "old", "ลูกค้าเก่า", "a,b", "'"]), 0..3);
    let texts = (words(), option::of(words()), option::of(words()), option::of(select(vec!["A", "B", "c", "ก"])));
    let sets = (option::of(select(vec!["company", "foreign", "individual"])), option::of(select(vec!["US", "IR", "SG"])));
    (texts, sets, any::<bool>(), tags, custom()).prop_map(|((name, legal_name, industry, grade), (legal_form, country), is_vip, tags, custom)| {
        body(json!({"name": name, "legal_name": legal_name, "industry": industry, "grade": grade, "legal_form": legal_form, "country": country,
            "is_vip": is_vip, "tags": tags, "custom": custom}))
    })
}

fn contact() -> impl Strategy<Value = Value> {
    let texts = (words(), option::of(words()), option::of(words()), option::of(words()));
    (texts, option::of(select(DATES.to_vec())), any::<bool>()).prop_map(|((first, last, job, department), birth_date, do_not_call)| {
        body(json!({"first_name": first, "last_name": last, "job_title": job, "department": department, "birth_date": birth_date,
            "do_not_call": do_not_call}))
    })
}

/// The demo company, and records as odd as they may be; some of those others point at are deleted.
async fn seed(app: &App) {
    make_demo(app).await;
    for (key, kind) in [("route", "text"), ("score", "number"), ("seen", "date"), ("at", "time"), ("gold", "boolean")] {
        app.make("/v1/custom-fields", json!({"resource": "accounts", "key": key, "label": key, "type": kind})).await;
    }
    for_all(
        1,
        (vec(account(), 60), vec(contact(), 40), vec(any::<prop::sample::Index>(), 60)),
        async |(mut accounts, contacts, parents)| {
            let first = app.make_many("/v1/accounts", &accounts.split_off(40)).await;
            for (account, parent) in accounts.iter_mut().zip(parents) {
                account["parent_id"] = json!(parent.get(&first));
            }
            app.make_many("/v1/accounts", &accounts).await;
            app.make_many("/v1/contacts", &contacts).await;
            let mut deleted = 0;
            for id in first.iter().step_by(3) {
                deleted += usize::from(app.delete(&format!("/v1/accounts/{id}")).await.status == 204);
            }
            if deleted > 0 { Ok(()) } else { Err("no account could be deleted".to_owned()) }
        },
    )
    .await;
}

/// Every field, own, custom or of another record, that a list can be filtered by.
fn targets(listed: &Listed, lists: &Lists) -> Vec<(String, Target)> {
    use samphan_resource::filter::Vocabulary;
    let own = listed.shape.fields.iter().filter(|f| f.filter).map(|f| f.name.to_owned());
    let custom = lists.custom_keys(listed.shape.plural).into_iter().map(|key| format!("custom.{key}"));
    let through = listed.shape.fields.iter().filter_map(|f| Some((f.name.strip_suffix("_id")?, lists.shape(f.reference?)?)));
    let through = through.filter(|(_, other)| lists.knows(other.plural));
    let through = through.flat_map(|(name, other)| other.fields.iter().filter(|f| f.filter).map(move |f| format!("{name}.{}", f.name)));
    let items = listed.shape.items.iter().map(|items| items.name.to_owned());
    let mut all: Vec<String> =
        own.chain(custom).chain(items).chain(listed.shape.extensible.then(|| "tags".to_owned())).chain(through).collect();
    all.sort();
    all.into_iter()
        .map(|path| (path.clone(), filter::target(&path, listed.shape, lists).unwrap_or_else(|e| panic!("{path}: {e:?}"))))
        .collect()
}

/// What the records hold there, and what stands beside it.
fn values(target: &Target, listed: &Listed, lists: &Lists) -> Vec<Value> {
    let options = match target {
        Target::Field(f) | Target::Through { field: f, .. } => f.options.clone(),
        _ => vec![],
    };
    if !options.is_empty() {
        return options.iter().map(|o| json!(o)).collect();
    }
    let held = listed.records.iter().flat_map(|r| match target {
        Target::Field(f) => vec![r[f.name].clone()],
        Target::Custom { key, .. } => vec![r["custom"][key].clone()],
        Target::Tags => r["tags"].as_array().unwrap().clone(),
        Target::Items { items, field } => items.of(&r[field.name]).map(|item| json!(item)).collect(),
        Target::Linked(_) => vec![],
        Target::Through { reference, shape, field } => {
            lists.record(shape.plural, &r[reference.name]).map(|o| o[field.name].clone()).into_iter().collect()
        }
    });
    let mut all: Vec<Value> = held.filter(|v| !v.is_null()).collect();
    match target.kind() {
        Kind::Text => {
            // Only the beginning of a long custom text can be asked for.
            let cut = |t: &str| t.chars().take(filter::INDEXED_TEXT - 1).collect::<String>();
            let held: Vec<String> = all.iter().map(|v| cut(v.as_str().unwrap())).collect();
            let parts = held.iter().flat_map(|t| [t.chars().skip(1).take(3).collect(), t.chars().take(2).collect(), format!("{t}x")]);
            all = held
                .iter()
                .cloned()
                .chain(parts)
                .chain(SIGNS.map(str::to_owned))
                .chain([String::new()])
                .map(|t| json!(text::nfc(&cut(&t))))
                .collect();
        }
        Kind::Decimal { .. } => all.extend(DECIMALS.map(|v| json!(v))),
        Kind::Date => all.extend(DATES.map(|v| json!(v))),
        Kind::Time => all.extend(TIMES.map(|v| json!(v))),
        Kind::Bool => all.extend([json!(true), json!(false)]),
        Kind::Int => all.extend([0, 1, -1, i64::from(i32::MAX) + 1, i64::MIN].map(|v| json!(v))),
        _ => all.push(json!(random_id())),
    }
    all.sort_by_key(Value::to_string);
    all.dedup();
    all
}

/// Filters of the whole grammar over the fields of a list.
fn filters(listed: &Listed, lists: &Lists) -> impl Strategy<Value = Value> + use<> {
    let leaves = targets(listed, lists).into_iter().map(|(path, target)| {
        let values = values(&target, listed, lists);
        let leaf = (select(filter::ops_of(&target)), vec(select(values), 1..40), any::<bool>());
        let leaf = leaf.prop_map(move |(op, values, truth)| {
            let value = match op {
                "is_null" => json!(truth),
                "within_last" => json!(if truth { "P1D" } else { "P3000W" }),
                "in" | "not_in" => json!(values),
                _ => values[0].clone(),
            };
            json!({"field": path, "op": op, "value": value})
        });
        leaf.boxed()
    });
    Union::new(leaves).prop_recursive(3, 10, 3, |inner| {
        (select(vec!["all", "any", "none"]), vec(inner, 1..4)).prop_map(|(group, parts)| json!({group: parts}))
    })
}

/// Orders: up to three keys, of which only the first may be null.
fn sorts(listed: &Listed) -> impl Strategy<Value = String> + use<> {
    let sorted = || listed.shape.fields.iter().filter(|f| f.sorting != Sorting::No);
    let first: Vec<&str> = sorted().map(|f| f.name).collect();
    let rest: Vec<&str> = sorted().filter(|f| !f.nullable).map(|f| f.name).collect();
    (option::of(select(first)), vec(select(rest), 0..3), any::<[bool; 3]>()).prop_map(|(first, rest, turned)| {
        let mut keys: Vec<&str> = vec![];
        for key in first.into_iter().chain(rest) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys.iter().zip(turned).map(|(key, turned)| format!("{}{key}", if turned { "-" } else { "" })).collect::<Vec<_>>().join(",")
    })
}

/// Which of two records comes first.
fn order(sort: &Sort, a: &Value, b: &Value) -> Ordering {
    for key in &sort.keys {
        let value = |r: &Value| match (&r[key.field.name], key.field.sorting) {
            (Value::Null, _) => None,
            (Value::String(t), Sorting::Collated) => Some(Scalar::Bytes(text::sort_key(t))),
            (other, _) => Some(key.field.kind.from_json(other).unwrap()),
        };
        let found = match (value(a), value(b)) {
            // Nulls last, whichever way.
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (a, b) if key.descending => b.cmp(&a),
            (a, b) => a.cmp(&b),
        };
        if found != Ordering::Equal {
            return found;
        }
    }
    let by_id = a["id"].as_str().cmp(&b["id"].as_str());
    if sort.id_descending { by_id.reverse() } else { by_id }
}

/// All pages of a list, asked for as a query or as a body.
async fn pages(app: &App, listed: &Listed, filter: &Value, sort: &str, limit: usize, as_body: bool) -> Result<Vec<String>, String> {
    let (mut found, mut cursor, mut total) = (vec![], None::<String>, Value::Null);
    loop {
        let answer = if as_body && listed.searched {
            let mut asked = json!({"filter": filter, "limit": limit, "count": "exact"});
            for (name, value) in [("sort", Some(sort).filter(|s| !s.is_empty())), ("cursor", cursor.as_deref())] {
                asked.as_object_mut().unwrap().extend(value.map(|v| (name.to_owned(), json!(v))));
            }
            app.post(&format!("{}/search", listed.path), asked).await
        } else {
            let sort = if sort.is_empty() { String::new() } else { format!("&sort={sort}") };
            let cursor = cursor.map(|c| format!("&cursor={c}")).unwrap_or_default();
            app.get(&format!("{}?limit={limit}&count=exact&filter={}{sort}{cursor}", listed.path, encoded(&filter.to_string()))).await
        };
        if answer.status != 200 {
            return Err(format!("{}: {}", answer.what, answer.text));
        }
        total = if total.is_null() { answer["total"].clone() } else { total };
        found.extend(ids(&answer));
        cursor = answer["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() || found.len() > listed.records.len() {
            return if total == found.len() { Ok(found) } else { Err(format!("{} records, said to be {total}", found.len())) };
        }
    }
}

async fn every_list_answers_what_memory_says(app: App) {
    seed(&app).await;
    let lists = Lists::read(&app).await;
    assert!(lists.all.len() > 35 && lists.all.iter().filter(|l| l.records.len() > 2).count() > 20, "there is something to find");
    for listed in &lists.all {
        // Where there is more to find more is asked.
        let count = cases(if listed.records.len() > 50 { 6 } else { 30 });
        let asked = (filters(listed, &lists), sorts(listed), 1..60_usize, any::<bool>());
        for_all(count, asked, async |(asked, sort, limit, as_body)| {
            let meant = filter::parse(&asked, listed.shape, &lists).map_err(|e| format!("{asked}: {e:?}"))?;
            // Children that are in an order of their own are listed in it.
            let is_ordered = listed.shape.ordered.is_some() && sort.is_empty();
            let named = if is_ordered { "position" } else { sort.as_str() };
            let by =
                if named.is_empty() { Sort::default() } else { Sort::parse(named, listed.shape).map_err(|e| format!("{named}: {e:?}"))? };
            let through = |many: &str, id: &Value| lists.record(many, id);
            let mut wanted: Vec<&Value> = listed.records.iter().filter(|r| meant.passes(r, &through)).collect();
            wanted.sort_by(|a, b| order(&by, a, b));
            let wanted: Vec<&str> = wanted.iter().map(|r| r["id"].as_str().unwrap()).collect();
            // A page of its own for each of many records says no more than a few dozen do.
            let limit = limit.max(wanted.len() / 12);
            let found = pages(&app, listed, &asked, &sort, limit, as_body).await?;
            if found == wanted { Ok(()) } else { Err(format!("{} by {sort:?}: found {found:?}, wanted {wanted:?}", listed.path)) }
        })
        .await;
    }
}
