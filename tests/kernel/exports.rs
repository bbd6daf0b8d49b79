//! Exports: the whole list as a CSV file that every program reads alike, and that no spreadsheet runs.

use crate::support::{request::Rows, *};

crate::on_both![
    an_export_is_the_whole_list,
    no_text_is_a_formula_and_none_is_lost,
    a_negative_quantity_is_a_number,
    what_is_hidden_in_lists_is_hidden_in_exports,
    what_is_wrong_is_said_before_the_file_begins,
    it_needs_a_right_of_its_own,
];

/// More than are read at a time, twice over.
const MANY: usize = 1_100;

fn names(rows: &Rows) -> Vec<&str> {
    rows.iter().map(|row| row["name"].as_str()).collect()
}

async fn an_export_is_the_whole_list(app: App) {
    let account = |n: usize| json!({"name": format!("ลูกค้า {n}, \"คุณ\" สมชาย"), "description": "one\r\n\"two\"", "grade": if n < MANY - 3 { "A" } else { "B" }});
    let accounts: Vec<Value> = (0..MANY).map(account).collect();
    let mut made = vec![];
    for some in accounts.chunks(1000) {
        made.extend(app.make_many("/v1/accounts", some).await);
    }
    made.sort();
    let file = app.get("/v1/accounts/export").await.is(200);
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"accounts.csv\"");
    let rows = file.rows();
    assert_eq!(rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>(), made, "all of them, each once, oldest first");
    let listed = app.all("/v1/accounts", 200).await;
    for (row, record) in rows.iter().zip(&listed) {
        for (field, cell) in row {
            let said = match &record[field] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(*cell, said, "{field}");
        }
        let others = record.as_object().unwrap().keys().filter(|name| *name != "available_actions");
        assert_eq!(others.count(), row.len(), "every field is a column");
    }
    let some = app.get("/v1/accounts/export?grade=B&fields=name&bom=true").await.is(200);
    assert!(some.text.starts_with("\u{feff}id,name\r\n"), "{}", some.text);
    assert_eq!(some.rows().len(), 3);
    let filter = encoded(&json!({"field": "grade", "op": "eq", "value": "C"}).to_string());
    let none = app.get(&format!("/v1/accounts/export?fields=id,grade&filter={filter}")).await.is(200);
    assert_eq!(none.text, "id,grade\r\n");
}

async fn no_text_is_a_formula_and_none_is_lost(app: App) {
    let texts = [
        "=HYPERLINK(\"http://127.0.0.1/\")",
        "+1+1",
        "-2+3|cmd",
        "@SUM(A1)",
        "'=1",
        "''@x",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "'quoted'",
        "O'Neil",
        "a=b",
        "ราคา -5",
    ];
    for text in texts {
        app.account(text).await;
    }
    let file = app.get("/v1/accounts/export?fields=name").await.is(200);
    let rows = file.rows();
    let mut read = vec![];
    for cell in names(&rows) {
        assert!(!cell.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r']), "{cell}");
        let bare = cell.trim_start_matches('\'');
        let guarded = bare.len() < cell.len() && bare.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
        read.push(if guarded { &cell[1..] } else { cell });
    }
    assert_eq!(read, texts);
}

async fn a_negative_quantity_is_a_number(app: App) {
    app.make("/v1/products", json!({"sku": "TEA", "name": "Tea"})).await;
    app.make("/v1/warehouses", json!({"code": "BKK1", "name": "Bangkok"})).await;
    for (path, quantity) in [("receipts", "10"), ("adjustments", "-2.5")] {
        let body = json!({"warehouse_code": "BKK1", "reason": "-", "lines": [{"sku": "TEA", "quantity": quantity}]});
        app.post(&format!("/v1/stock-{path}"), body).await.is(201);
    }
    let rows = app.get("/v1/stock-movements/export?kind=adjust").await.is(200).rows();
    assert_eq!((rows.len(), rows[0]["quantity"].as_str(), rows[0]["reason"].as_str()), (1, "-2.5", "'-"));
}

async fn what_is_hidden_in_lists_is_hidden_in_exports(app: App) {
    app.make("/v1/contacts", json!({"first_name": "Malee", "birth_date": "1990-05-01"})).await;
    let shown = app.get("/v1/contacts/export?fields=birth_date").await.is(200).rows();
    assert_eq!(shown[0]["birth_date"], "1990-05-01");
    let person = app.person(&["contacts:*/all"], &["contacts.birth_date=hidden"], &[]).await;
    let hidden = person.app.get("/v1/contacts/export?fields=birth_date").await.is(200).rows();
    assert_eq!(hidden[0]["birth_date"], "");
    person.app.get("/v1/contacts/export?birth_date=1990-05-01").await.refused(400, "invalid_query");
}

async fn what_is_wrong_is_said_before_the_file_begins(app: App) {
    app.get("/v1/accounts/export?sort=name").await.refused(400, "invalid_query");
    app.get("/v1/accounts/export?limit=5").await.refused(400, "invalid_query");
    app.get("/v1/accounts/export?fields=nmae").await.refused(400, "invalid_query").fault("?fields", "unknown_field");
    app.get("/v1/accounts/export?filter={").await.refused(400, "invalid_filter");
    let refused = app.get("/v1/accounts/export").header("accept", "application/json").await.refused(406, "not_acceptable");
    assert_eq!(refused["allowed"], json!(["text/csv"]));
    app.get("/v1/accounts/export").header("accept", "text/csv;q=0.9, application/json").await.is(200);
}

async fn it_needs_a_right_of_its_own(app: App) {
    app.account("Somebody's").await;
    let reads = app.person(&["accounts:read/all"], &[], &[]).await;
    reads.app.get("/v1/accounts/export").await.refused(403, "forbidden");
    let exports_own = app.person(&["accounts:read/all", "accounts:export/own"], &[], &[]).await;
    assert_eq!(exports_own.app.get("/v1/accounts").await.is(200)["data"].as_array().unwrap().len(), 1);
    assert!(exports_own.app.get("/v1/accounts/export").await.is(200).rows().is_empty());
}
