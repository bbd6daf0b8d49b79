//! How lists are found: every filter and every sort walks an index, whatever the resource.

use crate::support::{app::run, database::Kind, *};
use samphan_api::openapi;
use samphan_persistence::{
    dialect::Dialect,
    list::{self, Query, View},
    record,
    search::{self, SearchWindow},
    sql::Sql,
    store::{DatabaseOptions, Reader, Store, Work},
    timers, visibility,
};
use samphan_resource::{
    caller::{Caller, CallerKind, Reach},
    filter::{Filter, Op, Target},
    page::Sort,
    scalar::{Kind as Value, Scalar},
    shape::{Field, Shape, Sorting},
};
use std::sync::Arc;

crate::on_both![
    every_filter_and_every_sort_has_an_index,
    indexes_hold_nothing_that_has_no_value_but_where_lists_are_ordered_by_it,
    items_links_tags_and_custom_texts_are_found_along_an_index,
    what_is_whose_and_in_which_state_is_listed_in_every_order,
    balances_are_found_by_one_account_after_the_other,
    lists_of_a_short_reach_go_along_an_index_for_each_way,
    timers_go_along_the_index_of_their_state_and_moment,
];

/// The database with all that is listed; `App::store` knows of none.
async fn store(app: &App) -> Store {
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 1, full_sync: false };
    Store::open(&opening, Box::leak(Box::new(openapi::api().shapes))).await.unwrap()
}

/// A work on it, whose plans go along indexes where they can.
pub async fn work(app: &App) -> Work {
    let store = store(app).await;
    let work = store.work(Arc::new(Caller::system()), now()).await.unwrap();
    for way in ["enable_seqscan", "enable_sort", "enable_bitmapscan"] {
        turn(&work, way, "off").await;
    }
    work
}

/// Makes a way to run statements as dear as can be for PostgreSQL, or as dear as it is: on tables this small only the lack of an index leaves a
/// scan or a sort that is off.
async fn turn(work: &Work, way: &str, to: &str) {
    if work.store.dialect() == Dialect::Postgres {
        let mut sql = work.sql();
        sql.push("SELECT set_config(").text(way).push(", ").text(to).push(", true)");
        work.fetch(sql, |_| Ok(())).await.unwrap();
    }
}

/// Every resource that can be listed, in a steady order.
fn resources(work: &Work) -> Vec<&'static Shape> {
    let mut all: Vec<_> = work.store.shapes.values().copied().collect();
    all.sort_by_key(|s| s.plural);
    all
}

fn sorts(shape: &'static Shape) -> impl Iterator<Item = Sort> {
    let sorted = shape.fields.iter().filter(|f| f.sorting != Sorting::No);
    sorted.flat_map(move |field| {
        [false, true].map(|descending| Sort::parse(&format!("{}{}", if descending { "-" } else { "" }, field.name), shape).unwrap())
    })
}

fn equals(field: &'static Field) -> Filter {
    let value = match field.kind {
        Value::Id => Scalar::Id(uuid::Uuid::nil()),
        Value::Text => Scalar::Text("x".into()),
        Value::Bool => Scalar::Bool(true),
        Value::Time => Scalar::Time(now()),
        Value::Date => Scalar::Date(now().utc().date_naive()),
        _ => Scalar::Int(1),
    };
    Filter::All(vec![Filter::Leaf { target: Target::Field(field), op: Op::In, values: vec![value], negated: false }])
}

/// The steps a database would run a statement in.
pub async fn plan(reader: &Reader, sql: Sql) -> Vec<String> {
    let column = if reader.store.dialect() == Dialect::Sqlite { 3 } else { 0 };
    reader.fetch(sql.explained(), |row| row.text(column)).await.unwrap()
}

/// What a database does badly to answer a list: read a whole table, or sort; or, of a filter that leads, not go along its index.
async fn badly(work: &Work, shape: &'static Shape, filter: Option<&'static Field>, sort: Sort, leads: bool) -> Vec<String> {
    let view = View::new(work, shape, None, vec![]);
    let nullable = sort.keys.first().map(|k| k.field).filter(|f| f.nullable);
    let strides = nullable.map_or(vec![None], |f| vec![Some((f, false)), Some((f, true))]);
    let query = Query { filter: filter.map(equals), sort, limit: 50, ..Query::default() };
    let mut all = vec![];
    for stride in strides {
        let statement = list::page_statement(work, &view, &query, "read", &[], stride, 51).unwrap();
        let plan = plan(work, statement).await;
        let bad = |step: &&String| {
            let step = step.trim_start_matches(|c: char| " ->".contains(c));
            step.contains("TEMP B-TREE")
                || (step.starts_with("SCAN") && !step.contains("INDEX"))
                || step.starts_with("Seq Scan")
                || step.starts_with("Sort  (")
        };
        let about = format!(
            "{} by {:?} in the order of {:?}",
            shape.plural,
            filter.map(|f| f.name),
            query.sort.keys.iter().map(|k| k.field.name).collect::<Vec<_>>()
        );
        all.extend(plan.iter().find(bad).map(|step| format!("{about}: {}", step.trim())));
        if let Some((field, null)) = stride {
            // However few of them there are.
            let along = plan.iter().any(|step| step.contains(&format!("_{}_", field.name)));
            all.extend((!along).then(|| format!("{about}: null {null}, not along its index but {plan:?}")));
        }
        if let (Some(field), Dialect::Sqlite) = (filter, work.store.dialect()) {
            // However few there are of it; PostgreSQL, which has the same indexes, chooses by what it guesses.
            let found = |step: &String| step.contains("SEARCH t ") && step.contains(&format!("({}=?", field.name));
            all.extend((!plan.iter().any(found)).then(|| format!("{about}: not found by it but {plan:?}")));
        }
        if let (true, Some(field), Dialect::Postgres) = (leads, filter, work.store.dialect()) {
            // However many there are of it, and wherever they stand in the order.
            let along = format!("using {}_{}_", shape.plural, field.name);
            all.extend((!plan.iter().any(|step| step.contains(&along))).then(|| format!("{about}: not {along}… but {plan:?}")));
        }
    }
    all
}

async fn every_filter_and_every_sort_has_an_index(app: App) {
    let work = work(&app).await;
    let mut bad = vec![];
    for shape in resources(&work) {
        for sort in sorts(shape) {
            bad.extend(badly(&work, shape, None, sort, false).await);
        }
        for field in shape.fields.iter().filter(|f| f.filter) {
            bad.extend(badly(&work, shape, Some(field), Sort::default(), false).await);
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// An empty field is no entry in the index of its filter. Where lists are ordered by it the empty ones are walked too, and what has no owner
/// or no team is looked for.
async fn indexes_hold_nothing_that_has_no_value_but_where_lists_are_ordered_by_it(app: App) {
    let work = work(&app).await;
    let mut sql = work.sql();
    sql.push(match work.store.dialect() {
        Dialect::Sqlite => "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
        Dialect::Postgres => "SELECT indexname, tablename, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
    });
    let all = work.fetch(sql, |row| Ok((row.text(0)?, row.text(1)?, row.text(2)?))).await.unwrap();
    let (mut bad, mut sparse) = (vec![], 0);
    for (name, table, definition) in all {
        let Some(shape) = work.store.shapes.get(table.as_str()) else { continue };
        let columns = definition.split_once('(').and_then(|(_, rest)| rest.split(')').next()).unwrap_or_default();
        let columns: Vec<&str> = columns.split(", ").collect();
        let Some(field) = shape.field(columns[0].trim_matches('"')).filter(|f| f.nullable) else { continue };
        let is_alone = columns.len() == 2 && matches!(field.name, "owner_id" | "team_id");
        let is_of_lists = name.ends_with("_idx") && columns.last() == Some(&"id");
        let is_of_timer = shape.timers.iter().any(|timer| timer.at == field.name);
        if is_of_lists && field.sorting == Sorting::No && !is_alone && !is_of_timer {
            sparse += 1;
            bad.extend((!definition.contains(&format!("{} IS NOT NULL", field.name))).then_some(name));
        }
    }
    assert!(bad.is_empty() && sparse > 60, "{sparse} {}", bad.join("\n"));
}

/// What stands beside the record is looked up there, whatever the operator, and never record by record.
async fn items_links_tags_and_custom_texts_are_found_along_an_index(app: App) {
    let work = work(&app).await;
    let text = || vec![Scalar::Text("x".into())];
    let id = || vec![Scalar::Id(uuid::Uuid::nil())];
    let (mut bad, mut walked) = (vec![], 0);
    for shape in resources(&work) {
        let mut targets: Vec<(Target, Vec<Op>, Vec<Scalar>, String)> = vec![];
        for items in shape.items {
            let values = if items.kind() == Value::Id { id() } else { text() };
            let field = shape.field(items.field).unwrap();
            targets.push((Target::Items { items, field }, vec![Op::In, Op::IsNull], values, "record_values_".into()));
        }
        for link in shape.links {
            targets.push((Target::Linked(link), vec![Op::In], id(), format!("{}_{}_", link.resource, link.other)));
        }
        if shape.extensible {
            targets.push((Target::Tags, vec![Op::In, Op::IsNull], text(), "record_values_".into()));
            let custom = Target::Custom { key: "route".into(), kind: Value::Text };
            targets.push((custom, vec![Op::In, Op::Contains, Op::StartsWith, Op::IsNull], text(), "record_values_".into()));
        }
        for (target, ops, values, along) in targets {
            for op in ops {
                let values = if op == Op::IsNull { vec![] } else { values.clone() };
                let filter = Filter::Leaf { target: target.clone(), op, values, negated: false };
                let view = View::new(&work, shape, None, vec![]);
                let query = Query { filter: Some(filter), limit: 50, ..Query::default() };
                let plan = plan(&work, list::page_statement(&work, &view, &query, "read", &[], None, 51).unwrap()).await;
                let about = format!("{} by {target:?} {op:?}: {plan:#?}", shape.plural);
                let through = |step: &&String| {
                    let step = step.trim_start_matches(|c: char| " ->".contains(c));
                    step.starts_with("Seq Scan") || step.starts_with("SCAN v") || step.starts_with("SCAN o")
                };
                bad.extend((plan.iter().any(|s| through(&s)) || !plan.iter().any(|s| s.contains(&along))).then_some(about));
                walked += 1;
            }
        }
    }
    assert!(bad.is_empty() && walked > 50, "{walked} {}", bad.join("\n"));
}

async fn what_is_whose_and_in_which_state_is_listed_in_every_order(app: App) {
    let work = work(&app).await;
    let mut bad = vec![];
    for shape in resources(&work).into_iter().filter(|s| s.owned) {
        for field in shape.leading() {
            for sort in sorts(shape) {
                bad.extend(badly(&work, shape, Some(field), sort, true).await);
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

async fn timers_go_along_the_index_of_their_state_and_moment(app: App) {
    let work = work(&app).await;
    let timers = resources(&work).into_iter().flat_map(|shape| shape.timers.iter().map(move |timer| (shape, timer)));
    let (mut bad, mut walked) = (vec![], 0);
    for (shape, timer) in timers {
        let along = format!("{}_{}_{}", shape.plural, shape.status.unwrap(), timer.at);
        let statements = [timers::any_statement(&work, shape, timer), timers::due_statement(&work, shape, timer, 500, &[])];
        for statement in statements {
            let plan = plan(&work, statement.unwrap()).await;
            bad.extend((!plan.iter().any(|step| step.contains(&along))).then(|| format!("{}: not {along}: {plan:#?}", shape.plural)));
            walked += 1;
        }
    }
    assert!(bad.is_empty() && walked >= 6, "{walked} {}", bad.join("\n"));
}

/// What is seen in several ways is found along the index of each, in every order, and never by going through all there is.
async fn lists_of_a_short_reach_go_along_an_index_for_each_way(app: App) {
    let work = work(&app).await;
    let mut bad = vec![];
    let mut walked = 0;
    for reach in [Reach::Own, Reach::Team] {
        let team = uuid::Uuid::from_u128(7);
        let grants = [("*:*".to_owned(), reach)].into();
        let caller = Caller { id: uuid::Uuid::from_u128(8), teams: vec![team], kind: CallerKind::User, grants, ..Caller::system() };
        let reader = work.store.reader(Arc::new(caller), now());
        for shape in resources(&work).into_iter().filter(|s| s.owned && s.visible_through.len() > 1) {
            let ways = visibility::ways(&reader, shape, "read").unwrap();
            assert_eq!(ways.len(), shape.visible_through.len(), "{}", shape.plural);
            for sort in sorts(shape) {
                let view = View::new(&reader, shape, None, vec![]);
                let nullable = sort.keys.first().map(|k| k.field).filter(|f| f.nullable);
                let query = Query { sort, limit: 50, ..Query::default() };
                let stride = nullable.map(|f| (f, false));
                let plan = plan(&work, list::page_statement(&reader, &view, &query, "read", &ways, stride, 51).unwrap()).await;
                let through = |step: &&String| {
                    let step = step.trim_start_matches(|c: char| " ->".contains(c));
                    step.starts_with("Seq Scan") || step.starts_with("SCAN t ") || step.starts_with("SCAN o ") || step.starts_with("SCAN p")
                };
                bad.extend(plan.iter().find(through).map(|step| format!("{} by {:?}: {step}", shape.plural, query.sort)));
                let along = format!("{}_owner_id_", shape.plural);
                bad.extend((!plan.iter().any(|step| step.contains(&along))).then(|| format!("{}: not {along}: {plan:#?}", shape.plural)));
                walked += 1;
            }
        }
    }
    assert!(bad.is_empty() && walked > 30, "{walked} {}", bad.join("\n"));
}

/// Also of a table of which the database knows nothing yet, as on the day all customers come in.
async fn balances_are_found_by_one_account_after_the_other(app: App) {
    let reader = store(&app).await.reader(Arc::new(Caller::system()), now());
    let balances = reader.shape("credit_balances").unwrap();
    let mut sql = record::select_each(&reader, balances, "account_id", (0..1_000).map(uuid::Uuid::from_u128));
    sql.push(" AND t.system = ").text("express");
    let plan = plan(&reader, sql).await;
    let by = if reader.store.dialect() == Dialect::Sqlite { "account_id=?" } else { "account_id = each.value" };
    assert!(plan.iter().any(|step| step.contains(by)), "{plan:#?}");
    assert!(!plan.iter().any(|step| step.contains("Join Filter")), "{plan:#?}");
}

/// Never from the newest entry on in the hope of a common word, and never all entries of a word where a stretch of them is asked for.
#[test]
fn a_search_looks_into_its_index_for_words_and_stretches_together() {
    run(Kind::Postgres, async |app: App| {
        let work = work(&app).await;
        let asked = || search::find_statement(&work, &resources(&work), "tea house", SearchWindow::newest(50_000_000), 51).unwrap();
        let hoping = plan(&work, asked()).await;
        assert!(!hoping.iter().any(|step| step.contains("search_entries_pkey")), "{hoping:#?}");
        turn(&work, "enable_bitmapscan", "on").await;
        let plan = plan(&work, asked()).await;
        let both = |step: &String| step.contains("Index Cond") && step.contains("tokens @@") && step.contains("&&");
        assert!(plan.iter().any(both), "{plan:#?}");
    });
}
