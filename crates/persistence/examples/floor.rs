//! The floor of the benches: the very statements the server runs, without the server.
//!
//!     floor DATABASE_URL OPERATION SECONDS [LOOPS]    SQLite: bare loops, as many as cores; prints statements a second
//!     floor DATABASE_URL OPERATION script             PostgreSQL: prints a script for pgbench
//!
//! OPERATION is read, first, deep, search, create or credit. `words`, `accounts` and `orders` print what to ask for: words of names, and ids.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a bench, not the product"
)]

use rusqlite::Connection;
use samphan_domain::{
    catalog::product::Product,
    customers::{account::Account, contact::Contact},
    integration::credit_balance::CreditBalance,
    platform::user::User,
};
use samphan_persistence::{
    dialect::Dialect,
    list::{self, Query, View},
    record, search,
    store::{DatabaseOptions, Reader, Shapes, Store},
};
use samphan_resource::{
    caller::Caller,
    filter::{Filter, Op, Target},
    page::{Position, Sort},
    scalar::Scalar,
    shape::Shape,
    text,
    timestamp::Timestamp,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use uuid::Uuid;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (url, operation, how) = (&args[1], args[2].as_str(), args[3].as_str());
    let shapes =
        [Shape::of::<Account>(), Shape::of::<Contact>(), Shape::of::<Product>(), Shape::of::<User>(), Shape::of::<CreditBalance>()];
    let shapes: Shapes = shapes.into_iter().map(|s| (s.plural, s)).collect();
    let opening = DatabaseOptions { url: url.clone(), connections: 1, full_sync: false };
    let store = Store::open(&opening, Box::leak(Box::new(shapes))).await.unwrap();
    let reader = store.reader(Arc::new(Caller::system()), Timestamp::from(chrono::Utc::now()));
    let operations = operations(&reader, operation).await;
    if how == "script" {
        // Few enough that preparing them does not count.
        let many = if matches!(operation, "words" | "accounts" | "orders") { operations.len() } else { operations.len().min(20) };
        println!("-- {many}");
        operations.iter().take(many).flatten().for_each(|s| println!("{s};"));
        return;
    }
    let seconds: u64 = how.parse().unwrap();
    let path = url.strip_prefix("sqlite://").expect("SQLite runs here; PostgreSQL under pgbench");
    let writes = matches!(operation, "create" | "credit");
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let loops = args.get(4).map_or(cores, |loops| loops.parse().unwrap());
    println!("{:.1}", looped(path, &operations, seconds, if writes { 1 } else { loops }));
}

/// Runs the operations over and over in so many loops, reading every column; how many a second.
fn looped(path: &str, operations: &[Vec<String>], seconds: u64, loops: usize) -> f64 {
    let done = AtomicU64::new(0);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for n in 0..loops {
            let done = &done;
            scope.spawn(move || {
                let connection = Connection::open(path).unwrap();
                connection.set_prepared_statement_cache_capacity(4096);
                connection
                    .execute_batch(
                        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -12000; PRAGMA busy_timeout = 5000",
                    )
                    .unwrap();
                let mut at = n * 7;
                while begun.elapsed() < Duration::from_secs(seconds) {
                    for statement in &operations[at % operations.len()] {
                        let mut prepared = connection.prepare_cached(statement).unwrap();
                        let columns = prepared.column_count();
                        let mut rows = prepared.query([]).unwrap();
                        while let Some(row) = rows.next().unwrap() {
                            for i in 0..columns {
                                std::hint::black_box(row.get_ref(i).unwrap());
                            }
                        }
                    }
                    at += 1;
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    done.into_inner() as f64 / begun.elapsed().as_secs_f64()
}

/// The statements of each operation, over and over anew or always the same.
async fn operations(reader: &Reader, operation: &str) -> Vec<Vec<String>> {
    let each = |statements: Vec<String>| statements.into_iter().map(|s| vec![s]).collect();
    let accounts = reader.shape("accounts").unwrap();
    let view = View::new(reader, accounts, None, vec![]);
    match operation {
        "read" => {
            let ids = ids(reader, "accounts", 400).await;
            each(ids.into_iter().map(|id| list::one_statement(reader, &view, id, None, "read").unwrap().inlined()).collect())
        }
        "first" => vec![vec![active(reader, &view, None)]],
        "deep" => {
            let mut sql = reader.sql();
            sql.push("SELECT name_key, id FROM accounts WHERE lifecycle_stage = 'active' AND deleted_at IS NULL ORDER BY name_key, id LIMIT 20000");
            let all = reader.fetch(sql, |row| Ok((row.bytes(0)?, row.id(1)?))).await.unwrap();
            let at = all.into_iter().skip(199).step_by(200);
            each(at.map(|(key, id)| active(reader, &view, Some(Position { keys: vec![Scalar::Bytes(key)], id }))).collect())
        }
        "search" => {
            let mut all = vec![];
            for q in words(reader).await {
                all.push(search(reader, &q).await);
            }
            all
        }
        "words" => each(words(reader).await),
        "accounts" | "orders" => {
            let table = if operation == "orders" { "orders" } else { "accounts" };
            each(ids(reader, table, 400).await.into_iter().map(|id| id.to_string()).collect())
        }
        "create" => vec![create(reader).await],
        "credit" => vec![vec![credit(reader).await]],
        _ => panic!("{operation} is not an operation"),
    }
}

/// The hits of a word, and what people call them.
async fn search(reader: &Reader, q: &str) -> Vec<String> {
    let searched: Vec<&'static Shape> = reader.store.shapes.values().copied().collect();
    let hits = search::find(reader, &searched, q, None, 51).await.unwrap();
    let mut statements = vec![];
    // As it is asked: on, while there are not enough in the places before.
    let (mut place, mut found) = (Some(search::first_window(reader, None).await.unwrap()), 0);
    while let Some(looked) = place {
        let sql = search::find_statement(reader, &searched, q, looked, 51 - found).unwrap();
        statements.push(sql.inlined());
        found += i64::try_from(reader.fetch(sql, |row| row.int(2)).await.unwrap().len()).unwrap();
        place = looked.next(found, 51);
    }
    for shape in searched {
        let ids: Vec<Uuid> = hits.iter().filter(|h| h.resource == shape.plural).take(50).map(|h| h.id).collect();
        if !ids.is_empty() {
            statements.push(list::titles_statement(reader, shape, ids).unwrap().inlined());
        }
    }
    statements
}

fn active(reader: &Reader, view: &View, after: Option<Position>) -> String {
    let shape = reader.shape("accounts").unwrap();
    let target = Target::Field(shape.field("lifecycle_stage").unwrap());
    let leaf = Filter::Leaf { target, op: Op::In, values: vec![Scalar::Text("active".into())], negated: false };
    let query =
        Query { filter: Some(Filter::All(vec![leaf])), sort: Sort::parse("name", shape).unwrap(), after, limit: 50, ..Query::default() };
    list::page_statement(reader, view, &query, "read", &[], None, 51).unwrap().inlined()
}

/// Ids spread over all of a table: what is always the same is always warm.
async fn ids(reader: &Reader, table: &'static str, many: usize) -> Vec<Uuid> {
    let mut sql = reader.sql();
    sql.push("SELECT id FROM ").push(table).push(" WHERE deleted_at IS NULL ORDER BY id");
    let all = reader.fetch(sql, |row| row.id(0)).await.unwrap();
    let step = (all.len() / many).max(1);
    // Apart in time, too: neighbours are on one page.
    let mut some: Vec<Uuid> = all.into_iter().step_by(step).take(many).collect();
    some.sort_by_key(|id| id.as_u128().swap_bytes());
    some
}

/// Words as people type them: the beginnings of names.
async fn words(reader: &Reader) -> Vec<String> {
    let mut sql = reader.sql();
    sql.push("SELECT name FROM accounts WHERE deleted_at IS NULL ORDER BY id LIMIT 2000");
    let names = reader.fetch(sql, |row| row.text(0)).await.unwrap();
    names.iter().step_by(50).map(|n| n.split(' ').next().unwrap().chars().take(6).collect()).collect()
}

/// What a batch of balances comes down to: one statement of a thousand rows that writes the ledger anew, each time at a later moment: a
/// row that is written as it was leaves the indexes alone, and no push that counts does.
async fn credit(reader: &Reader) -> String {
    const KEY: [&str; 4] = ["account_id", "system", "entity", "currency"];
    let shape = reader.shape("credit_balances").unwrap();
    let names: Vec<&str> = shape.fields.iter().map(|f| f.name).collect();
    let mut sql = record::select(reader, shape);
    sql.push(" AND t.system = ").text("bench").push(" ORDER BY t.account_id LIMIT 1000");
    let rows = reader.fetch(sql, |row| shape.fields.iter().enumerate().map(|(i, f)| row.scalar(i, f.kind)).collect()).await.unwrap();
    let mut sql = reader.sql();
    sql.push("INSERT INTO credit_balances (").names(names.iter().copied()).push(") VALUES ");
    for (n, row) in rows.into_iter().enumerate() {
        let row: Vec<Scalar> = row;
        sql.push(if n == 0 { "(" } else { "), (" });
        for (i, (value, field)) in row.into_iter().zip(&shape.fields).enumerate() {
            sql.push(if i == 0 { "" } else { ", " }).bind(field.kind, value);
        }
    }
    let second = if reader.store.dialect() == Dialect::Postgres { "interval '1 second'" } else { "1000000" };
    let set = names.iter().filter(|n| !KEY.contains(n) && **n != "id").map(|n| match *n {
        "version" => "version = credit_balances.version + 1".to_owned(),
        "updated_at" | "received_at" | "exposure_as_of" | "limit_as_of" => format!("{n} = credit_balances.{n} + {second}"),
        n => format!("{n} = excluded.{n}"),
    });
    let set = set.collect::<Vec<_>>().join(", ");
    format!("{}) ON CONFLICT ({}) WHERE deleted_at IS NULL DO UPDATE SET {set}", sql.inlined(), KEY.join(", "))
}

/// What making an account of twelve fields writes: the record, its search entry, its two histories, its event.
async fn create(reader: &Reader) -> Vec<String> {
    let postgres = reader.store.dialect() == Dialect::Postgres;
    let id = if postgres { "gen_random_uuid()" } else { "randomblob(16)" };
    let now = if postgres { "now()" } else { "1795000000000000" };
    let (name, legal) = ("สยามเทรดดิ้ง Bench", "บริษัท สยามเทรดดิ้ง จำกัด");
    let key: String = text::sort_key(name).iter().map(|b| format!("{b:02x}")).collect();
    let key = if postgres { format!("'\\x{key}'::bytea") } else { format!("x'{key}'") };
    let folded = text::fold(&format!("{name} {legal}"));
    let tokens = text::index_tokens(&folded).join(" ");
    let record = format!(
        r#"{{"id":"01a200b6-9e73-7632-881d-d1c289cfb784","name":"{name}","legal_name":"{legal}","legal_form":"company","country":"TH","industry":"wholesale","size":"small","is_vip": true,"grade":"A","currency":"THB","payment_terms_days": 30,"tags":[],"custom":{{}},"external_refs":[]}}"#
    );
    let account = ids(reader, "accounts", 1).await[0];
    let account = if postgres { format!("'{account}'::uuid") } else { format!("x'{}'", account.simple()) };
    let (yes, begin) = if postgres { ("true", "BEGIN") } else { ("1", "BEGIN IMMEDIATE") };
    let mut all = vec![
        begin.to_owned(),
        format!(
            "INSERT INTO accounts (id, version, created_at, updated_at, name, name_key, legal_name, legal_form, registration_no, branch_code, country, industry, size, lifecycle_stage, is_vip, grade, currency, payment_terms_days, tags, custom, external_refs) VALUES ({id}, 1, {now}, {now}, '{name}', {key}, '{legal}', 'company', '0105536', '00000', 'TH', 'wholesale', 'small', 'prospect', {yes}, 'A', 'THB', 30, '[]', '{{}}', '[]')"
        ),
        format!("INSERT INTO account_lifecycle_history (id, created_at, account_id, to_stage) VALUES ({id}, {now}, {account}, 'prospect')"),
        format!("INSERT INTO account_grade_history (id, created_at, account_id, to_grade) VALUES ({id}, {now}, {account}, 'A')"),
    ];
    if postgres {
        all.push(format!("INSERT INTO search_entries (resource, record_id, source_id, folded, tokens) VALUES ('accounts', {id}, {id}, '{folded}', array_to_tsvector(string_to_array('{tokens}', ' ')))"));
    } else {
        all.push(format!(
            "INSERT INTO search_entries (resource, record_id, source_id, folded) VALUES ('accounts', {id}, {id}, '{folded}')"
        ));
        all.push(format!("INSERT INTO search_tokens (rowid, tokens) VALUES (last_insert_rowid(), '{tokens}')"));
    }
    all.push(format!("INSERT INTO audit_events (id, created_at, kind, resource, resource_id, resource_version, request_id, changed_fields, after) VALUES ({id}, {now}, 'account.created', 'accounts', {id}, 1, '01a200b6-9e73', '[]', '{record}')"));
    all.push("COMMIT".to_owned());
    all
}
