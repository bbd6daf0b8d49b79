//! Finding customers: by words in any language, or by a number however it is typed.

use crate::support::{app::run, database::Kind, *};
use sqlx::{Connection, PgConnection};

crate::on_both![
    a_phone_number_is_found_however_it_is_typed,
    an_email_and_another_systems_id_are_looked_up,
    spellings_of_one_email_address_are_one,
    spellings_of_one_external_id_are_one,
    an_account_a_contact_left_does_not_call,
    a_vip_comes_first,
    words_are_found_in_thai_persian_and_english,
    the_search_follows_changes,
    the_search_has_pages,
    spaces_between_thai_words_make_no_difference,
    addresses_are_found_with_their_account,
    lists_are_filtered_by_what_records_hold_in_lists_and_links,
    custom_text_is_found_by_what_it_contains,
    filters_tell_nothing_of_what_the_caller_does_not_see,
];

async fn words(app: &App, q: &str) -> Vec<String> {
    let one = app.get(&format!("/v1/accounts?limit=200&q={}", encoded(q))).await.is(200);
    let all = app.get(&format!("/v1/search?limit=200&resources=accounts&q={}", encoded(q))).await.is(200);
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    let names = sorted(column(&one, "name"));
    assert_eq!(names, sorted(column(&all, "title")), "the list and the search agree on {q}");
    names
}

async fn spaces_between_thai_words_make_no_difference(app: App) {
    for name in ["บริษัท สยามพัฒนา", "บริษัทสยามพัฒนา สาขาเชียงใหม่", "Siam Trading"]
    {
        app.account(name).await;
    }
    for q in ["บริษัทสยามพัฒนา", "บริษัท สยามพัฒนา", "ริษัทสยาม", "บริษัท สยาม พัฒนา"]
    {
        assert_eq!(words(&app, q).await.len(), 2, "{q}");
    }
    assert_eq!(words(&app, "บริษัทสยามพัฒนาสาขา").await, ["บริษัทสยามพัฒนา สาขาเชียงใหม่"]);
    assert_eq!(words(&app, "SiamTrading").await, Vec::<String>::new(), "other words are words");
}

async fn addresses_are_found_with_their_account(app: App) {
    let account = app.account("Lanna Tea").await;
    app.account("Another").await;
    let address = json!({"purpose": "shipping", "line1": "99/1 ถนนนิมมานเหมินท์", "district": "เมืองเชียงใหม่", "postal_code": "50200"});
    let address = app.make(&format!("/v1/accounts/{account}/addresses"), address).await;
    for q in ["นิมมานเหมินท์", "50200", "เมือง เชียงใหม่ 99/1"] {
        assert_eq!(words(&app, q).await, ["Lanna Tea"], "{q}");
    }
    let path = format!("/v1/accounts/{account}/addresses/{}", address["id"].as_str().unwrap());
    app.patch(&path, json!({"postal_code": "50300"})).await.is(200);
    assert_eq!((words(&app, "50200").await.len(), words(&app, "50300").await.len()), (0, 1));
    app.delete(&path).await.is(204);
    assert_eq!(words(&app, "50300").await, Vec::<String>::new());
}

async fn lists_are_filtered_by_what_records_hold_in_lists_and_links(app: App) {
    let shop = crate::sales::Shop::open(&app).await;
    let coffee = shop.product(&app, "COFFEE", "50.00", "0").await;
    let order = async |products: &[&String]| {
        let lines: Vec<Value> = products.iter().map(|p| json!({"product_id": p, "quantity": "1"})).collect();
        app.post("/v1/orders", json!({"account_id": shop.account, "lines": lines})).await.is(201).id()
    };
    let (tea, both) = (order(&[&shop.tea]).await, order(&[&shop.tea, &coffee]).await);
    let found = async |path: &str| ids(&app.get(path).await.is(200));
    assert_eq!(found(&format!("/v1/orders?product_id={coffee}")).await, std::slice::from_ref(&both));
    assert_eq!(found(&format!("/v1/orders?product_id={}", shop.tea)).await.len(), 2);
    app.patch(&format!("/v1/orders/{both}"), json!({"lines": [{"product_id": shop.tea, "quantity": "3"}]})).await.is(200);
    assert_eq!(found(&format!("/v1/orders?product_id={coffee}")).await, Vec::<String>::new());
    app.get("/v1/orders?product_id=tea").await.refused(400, "invalid_query");
    let filtered = async |path: &str, field: &str, op: &str, value: Value| {
        found(&format!("{path}?filter={}", encoded(&json!({"field": field, "op": op, "value": value}).to_string()))).await
    };
    assert_eq!(filtered("/v1/orders", "product_id", "eq", json!(shop.tea)).await, [tea, both]);

    let contact = async |name: &str, interests: Value| {
        let body = json!({"first_name": name, "interests": interests, "preferred_channel": "line", "tags": ["golf club"]});
        app.make("/v1/contacts", body).await["id"].as_str().unwrap().to_owned()
    };
    let (malee, niran) = (contact("Malee", json!(["Golf", "Tea ceremony"])).await, contact("Niran", json!([])).await);
    let link = json!({"account_id": shop.account, "contact_id": malee, "role": "billing", "topics": ["credit", "delivery"]});
    let link = app.make("/v1/account-contacts", link).await["id"].as_str().unwrap().to_owned();
    assert_eq!(found("/v1/contacts?interests=Golf").await, std::slice::from_ref(&malee));
    // A set contains its members, not parts of their names.
    assert_eq!(filtered("/v1/contacts", "interests", "contains", json!("Tea ceremony")).await, std::slice::from_ref(&malee));
    assert_eq!(filtered("/v1/contacts", "interests", "contains", json!("ceremony")).await, Vec::<String>::new());
    assert_eq!(filtered("/v1/contacts", "interests", "is_null", json!(true)).await, std::slice::from_ref(&niran));
    assert_eq!(filtered("/v1/contacts", "tags", "contains", json!("golf club")).await.len(), 2);
    assert_eq!(filtered("/v1/contacts", "tags", "contains", json!("club")).await.len(), 0);
    assert_eq!(found("/v1/contacts?preferred_channel=line").await.len(), 2);
    assert_eq!(found("/v1/account-contacts?topics=credit").await, std::slice::from_ref(&link));
    assert_eq!(found("/v1/account-contacts?topics=price,delivery").await, std::slice::from_ref(&link));
    assert_eq!(found(&format!("/v1/contacts?account_id={}", shop.account)).await, std::slice::from_ref(&malee));
    assert_eq!(filtered("/v1/contacts", "account_id", "is_null", json!(true)).await, [niran]);
    app.delete(&format!("/v1/account-contacts/{link}")).await.is(204);
    assert_eq!(found(&format!("/v1/contacts?account_id={}", shop.account)).await, Vec::<String>::new());

    app.patch(&format!("/v1/accounts/{}", shop.account), json!({"health": 40})).await.is(200);
    assert_eq!(found("/v1/accounts?health_lt=50").await.len(), 1);
}

async fn custom_text_is_found_by_what_it_contains(app: App) {
    app.make("/v1/custom-fields", json!({"resource": "accounts", "key": "route", "label": "Route", "type": "text"})).await;
    let account = async |name: &str, route: Option<String>| {
        app.make("/v1/accounts", json!({"name": name, "custom": {"route": route}})).await["id"].as_str().unwrap().to_owned()
    };
    let north = account("North", Some("Chiang Mai, then Lampang".to_owned())).await;
    // Of a long text the index has the beginning: what stands after it is found, too.
    let long = account("Long", Some(format!("{}then ลำปาง", "x".repeat(600)))).await;
    let none = account("None", None).await;
    let found = async |op: &str, value: &str| {
        let filter = json!({"field": "custom.route", "op": op, "value": value});
        ids(&app.get(&format!("/v1/accounts?filter={}", encoded(&filter.to_string()))).await.is(200))
    };
    assert_eq!(found("contains", "Lampang").await, std::slice::from_ref(&north));
    assert_eq!(found("contains", "then").await, [north.clone(), long.clone()]);
    assert_eq!(found("contains", "then ลำ").await, std::slice::from_ref(&long));
    assert_eq!(found("contains", "lampang").await, Vec::<String>::new(), "letter for letter");
    let filter = json!({"none": [{"field": "custom.route", "op": "contains", "value": "ลำปาง"}]});
    let others = ids(&app.get(&format!("/v1/accounts?filter={}", encoded(&filter.to_string()))).await.is(200));
    assert_eq!(others, [north, none]);
    let count = json!({"resource": "accounts", "key": "count", "label": "Count", "type": "number"});
    app.make("/v1/custom-fields", count).await;
    let number = json!({"filter": {"field": "custom.count", "op": "contains", "value": "1"}});
    app.post("/v1/accounts/search", number).await.refused(400, "invalid_filter").fault("/filter/op", "unknown_operator");
}

/// Neither a hidden field nor a link that is out of sight is found out by a filter.
async fn filters_tell_nothing_of_what_the_caller_does_not_see(app: App) {
    let account = app.account("Siam").await;
    let contact = async |name: &str| {
        let body = json!({"first_name": name, "interests": ["Golf"], "tags": ["vip"]});
        app.make("/v1/contacts", body).await["id"].as_str().unwrap().to_owned()
    };
    let contact = contact("Malee").await;
    app.make("/v1/account-contacts", json!({"account_id": account, "contact_id": contact, "role": "billing", "topics": ["credit"]})).await;
    app.make("/v1/custom-fields", json!({"resource": "contacts", "key": "club", "label": "Club", "type": "text"})).await;
    let by_account = format!("/v1/contacts?account_id={account}");
    let filter = |path: &str, field: &str| {
        format!("{path}?filter={}", encoded(&json!({"field": field, "op": "eq", "value": random_id()}).to_string()))
    };
    // Fields that a rule hides, whatever they are: of the class, a list, tags, custom fields, the ends of a link.
    let rules = [
        "personal=hidden",
        "contacts.tags=hidden",
        "contacts.custom=hidden",
        "account_contacts.account_id=hidden",
        "account_contacts.topics=hidden",
        "orders.lines=hidden",
    ];
    let masked =
        app.person(&["contacts:read/all", "account-contacts:read/all", "accounts:read/all", "orders:read/all"], &rules, &[]).await.app;
    for (path, field) in [
        ("/v1/contacts", "interests"),
        ("/v1/contacts", "tags"),
        ("/v1/contacts", "account_id"),
        ("/v1/account-contacts", "topics"),
        ("/v1/orders", "product_id"),
    ] {
        let value = random_id();
        masked.get(&format!("{path}?{field}={value}")).await.refused(400, "invalid_query").fault(&format!("?{field}"), "hidden_field");
        masked.get(&filter(path, field)).await.refused(400, "invalid_filter").fault("/filter/field", "hidden_field");
    }
    masked.get(&filter("/v1/contacts", "custom.club")).await.refused(400, "invalid_filter").fault("/filter/field", "hidden_field");
    // Without the links, and with those of other accounts only.
    let without = app.person(&["contacts:read/all", "accounts:read/all"], &[], &[]).await.app;
    without.get(&by_account).await.refused(400, "invalid_query").fault("?account_id", "hidden_field");
    let own = app.person(&["contacts:read/all", "account-contacts:read/all", "accounts:read/own"], &[], &[]).await.app;
    assert_eq!(ids(&own.get("/v1/contacts").await.is(200)), std::slice::from_ref(&contact));
    assert_eq!(ids(&own.get(&by_account).await.is(200)), Vec::<String>::new());
    let unlinked = json!({"field": "account_id", "op": "is_null", "value": true});
    let unlinked = format!("/v1/contacts?filter={}", encoded(&unlinked.to_string()));
    assert_eq!(ids(&own.get(&unlinked).await.is(200)), [contact]);
    assert_eq!(ids(&app.get(&unlinked).await.is(200)), Vec::<String>::new());
}

/// Segments of SQLite's search index: a word is looked up in each.
async fn segments(app: &App) -> i64 {
    let reader = app.reader().await;
    let mut sql = reader.sql();
    sql.push("SELECT count(DISTINCT segid) FROM search_tokens_idx");
    reader.count(sql).await.unwrap()
}

#[test]
fn what_the_search_index_has_grown_is_merged() {
    run(Kind::Sqlite, async |app: App| {
        for n in 0..40 {
            app.account(&format!("Siam {n}")).await;
        }
        let grown = segments(&app).await;
        let store = app.store().await;
        store.run_maintenance().await.unwrap();
        let merged = segments(&app).await;
        assert!(merged < grown && merged <= 4, "{grown}, then {merged}");
        assert_eq!(words(&app, "Siam").await.len(), 40);
        let gone = ids(&app.get("/v1/accounts?name=Siam%200").await.is(200))[0].clone();
        app.delete(&format!("/v1/accounts/{gone}")).await.is(204);
        store.run_maintenance().await.unwrap();
        assert_eq!(words(&app, "Siam").await.len(), 39);
    });
}

async fn a_phone_number_is_found_however_it_is_typed(app: App) {
    let account = app.account("A").await;
    let points = format!("/v1/accounts/{account}/contact-points");
    let mobile = app.make(&points, json!({"kind": "mobile", "raw": "081-234 5678"})).await;
    assert_eq!((&mobile["raw"], &mobile["e164"]), (&json!("081-234 5678"), &json!("+66812345678")));
    for typed in [
        "0812345678",
        "081 234 5678",
        "+66 81 234 5678",
        "+66812345678",
        "0066812345678",
        "๐๘๑-๒๓๔-๕๖๗๘",
        "۰۸۱۲۳۴۵۶۷۸",
        "(081) 234-5678",
        "tel:+66-81-234-5678",
        "66812345678",
    ] {
        let found = app.get(&format!("/v1/lookup?phone={}", encoded(typed))).await.is(200);
        assert_eq!(found["matches"][0]["id"], json!(account), "{typed}");
        if !typed.starts_with("00") && !typed.starts_with("tel") {
            assert_eq!(words(&app, typed).await, ["A"], "{typed}");
        }
    }
    for other in ["0812345679", "812345678901", "1"] {
        assert_eq!(app.get(&format!("/v1/lookup?phone={other}")).await.is(200)["matches"], json!([]), "{other}");
    }
    app.make(&points, json!({"kind": "phone", "raw": "(212) 555-0123", "region": "US"})).await;
    assert_eq!(app.get("/v1/lookup?phone=%2B12125550123").await["matches"][0]["id"], json!(account));
    assert_eq!(app.get("/v1/lookup?phone=212-555-0123&region=US").await["matches"][0]["id"], json!(account));
    app.post(&points, json!({"kind": "phone", "raw": "x"})).await.refused(422, "validation_failed").fault("/raw", "invalid_phone");
    app.delete(&format!("{points}/{}", mobile["id"].as_str().unwrap())).await.is(204);
    assert_eq!(app.get("/v1/lookup?phone=0812345678").await["matches"], json!([]));
    app.get("/v1/lookup").await.refused(400, "invalid_query");
    app.get("/v1/lookup?phone=1&email=a").await.refused(400, "invalid_query");
    app.get("/v1/lookup?phone=1&region=th").await.refused(400, "invalid_query").fault("?region", "invalid_format");
}

async fn an_email_and_another_systems_id_are_looked_up(app: App) {
    app.make("/v1/external-systems", json!({"code": "pbx", "name": "PBX", "kind": "telephony"})).await;
    let contact = app.put("/v1/contacts/by-external-id/pbx/77", json!({"first_name": "A"})).await.is(201).id();
    let account = app.account("Siam").await;
    app.make("/v1/account-contacts", json!({"account_id": account, "contact_id": contact})).await;
    let points = format!("/v1/contacts/{contact}/contact-points");
    app.make(&points, json!({"kind": "email", "raw": "Somchai@Example.com"})).await;
    for query in ["email=somchai%40example.COM", "external_id=77"] {
        let found = &app.get(&format!("/v1/lookup?{query}")).await.is(200)["matches"][0].clone();
        assert_eq!((&found["resource"], &found["id"]), (&json!("contacts"), &json!(contact)), "{query}");
        assert_eq!((&found["account_id"], &found["account_name"]), (&json!(account), &json!("Siam")));
    }
    for wrong in ["a", "a@b", "a b@c.example", "@example.com"] {
        app.post(&points, json!({"kind": "email", "raw": wrong})).await.refused(422, "validation_failed").fault("/raw", "invalid_email");
    }
}

async fn a_vip_comes_first(app: App) {
    for (name, vip) in [("A", false), ("B", true), ("C", false)] {
        let id = app.make("/v1/accounts", json!({"name": name, "is_vip": vip, "grade": name})).await["id"].as_str().unwrap().to_owned();
        app.make(&format!("/v1/accounts/{id}/contact-points"), json!({"kind": "phone", "raw": "02 123 4567"})).await;
    }
    let found = app.get("/v1/lookup?phone=021234567").await.is(200);
    assert_eq!(
        (&found["matches"][0]["name"], &found["matches"][0]["is_vip"], &found["matches"][0]["grade"]),
        (&json!("B"), &json!(true), &json!("B"))
    );
    assert_eq!(found["matches"].as_array().unwrap().len(), 3);
}

async fn words_are_found_in_thai_persian_and_english(app: App) {
    let names = ["บริษัทสมชายการค้าจำกัด", "น้ำดื่มทิพย์", "شرکت علی\u{200c}پور ۱۲", "Crème Brûlée Ltd", "Northwind Traders 42", "一二三"];
    app.make_many("/v1/accounts", &names.map(|name| json!({"name": name}))).await;
    for (q, wanted) in [
        ("สมชาย", Some(names[0])),
        ("จำกัด สมชาย", Some(names[0])),
        ("น\u{e4d}\u{e49}าดื่ม", Some(names[1])),
        ("สมหญิง", None),
        ("علی‌پور", Some(names[2])),
        ("عليپور", Some(names[2])),
        ("علی پور", Some(names[2])),
        ("شركت", Some(names[2])),
        ("12", Some(names[2])),
        ("١٢", Some(names[2])),
        ("brulee", Some(names[3])),
        ("CREME", Some(names[3])),
        ("thwin", Some(names[4])),
        ("trader 42", Some(names[4])),
        ("๔๒", Some(names[4])),
        ("northwind tradersx", None),
        ("二", Some(names[5])),
        ("zzz", None),
    ] {
        assert_eq!(words(&app, q).await, wanted.into_iter().collect::<Vec<_>>(), "{q}");
    }
}

async fn the_search_follows_changes(app: App) {
    let path = format!("/v1/accounts/{}", app.account("Jasmine").await);
    assert_eq!(words(&app, "jasm").await, ["Jasmine"]);
    app.patch(&path, json!({"name": "Lotus"})).await.is(200);
    assert_eq!(words(&app, "jasm").await, [""; 0]);
    assert_eq!(words(&app, "lotus").await, ["Lotus"]);
    app.patch(&path, json!({"tags": ["river"]})).await.is(200);
    assert_eq!(words(&app, "river").await, ["Lotus"]);
    app.delete(&path).await.is(204);
    assert_eq!(words(&app, "lotus").await, [""; 0]);
    app.post(&format!("{path}/restore"), json!({})).await.is(200);
    assert_eq!(words(&app, "lotus").await, ["Lotus"]);
    let point = app.make(&format!("{path}/contact-points"), json!({"kind": "line", "raw": "@lotustea"})).await;
    let found = async || app.get("/v1/search?q=lotustea").await.is(200)["data"].as_array().unwrap().len();
    assert_eq!(found().await, 1);
    // The point is found in its own list, too, by words and by parts.
    let contains = encoded(r#"{"field":"normalized","op":"contains","value":"lotust"}"#);
    for asked in ["q=lotustea".to_owned(), format!("filter={contains}")] {
        assert_eq!(ids(&app.get(&format!("{path}/contact-points?{asked}")).await.is(200)), [point["id"].as_str().unwrap()], "{asked}");
    }
    app.delete(&format!("{path}/contact-points/{}", point["id"].as_str().unwrap())).await.is(204);
    assert_eq!(found().await, 0);
}

/// What is found of tea, page by page, and how the last page was asked for.
async fn tea(app: &App) -> (Vec<String>, String) {
    let (mut found, mut cursor) = (vec![], String::new());
    loop {
        let page = app.get(&format!("/v1/search?q=tea&limit=5{cursor}")).await.is(200);
        found.extend(ids(&page));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (found, cursor),
        }
    }
}

#[test]
fn the_newest_come_first_however_many_entries_lie_between() {
    run(Kind::Postgres, async |app: App| {
        let mut beside = PgConnection::connect(app.database_url()).await.unwrap();
        let mut made = vec![];
        // Before each, as many entries as if others had come and gone: few enough to be looked through first, or for each of the lengths of
        // stretches, or too many for any.
        for between in [0, 10_000_000, 3_000_000, 3_000, 1_500_000, 300_000, 3_000, 40_000, 500, 70_000, 70_000, 70_000] {
            let skip = format!("SELECT setval('search_entries_seq_seq', nextval('search_entries_seq_seq') + {between})");
            sqlx::raw_sql(sqlx::AssertSqlSafe(skip)).execute(&mut beside).await.unwrap();
            for _ in 0..3 {
                made.push(app.account(&format!("Tea house {}", made.len())).await);
                app.account("Coffee house").await;
            }
        }
        made.reverse();
        assert_eq!(tea(&app).await.0, made);
    });
}

async fn the_search_has_pages(app: App) {
    app.make_many("/v1/accounts", &(0..23).map(|n| json!({"name": format!("Tea house {n}")})).collect::<Vec<_>>()).await;
    app.make_many("/v1/products", &(0..9).map(|n| json!({"sku": format!("T{n}"), "name": "Tea"})).collect::<Vec<_>>()).await;
    let (found, cursor) = tea(&app).await;
    assert_eq!((found.len(), found.iter().collect::<std::collections::HashSet<_>>().len()), (32, 32));
    app.get(&format!("/v1/search?q=other{cursor}")).await.refused(400, "invalid_cursor");
    app.get("/v1/search").await.refused(400, "invalid_query").fault("?q", "required");
    app.get("/v1/search?q=tea&resources=acounts").await.refused(400, "invalid_query").fault("?resources", "unknown_value");
}

async fn spellings_of_one_email_address_are_one(app: App) {
    let contact = app.make("/v1/contacts", json!({"first_name": "Somying"})).await;
    let points = format!("/v1/contacts/{}/contact-points", contact["id"].as_str().unwrap());
    for (kept, sought) in [
        ("\u{200e}a@example.com", "a@example.com"),
        ("b\u{200b}@example.com", "b@example.com"),
        ("c@example.com.", "c@example.com"),
        ("d@bücher.example", "d@xn--bcher-kva.example"),
        ("e@xn--bcher-kva.example", "e@BÜCHER.example"),
        ("f@example.com", "mailto:f@example.com"),
        ("mailto:g@example.com", "g@example.com"),
    ] {
        app.make(&points, json!({"kind": "email", "raw": kept})).await;
        for query in [kept, sought] {
            let found = app.get(&format!("/v1/lookup?email={}", encoded(query))).await.is(200);
            assert_eq!(found["matches"].as_array().unwrap().len(), 1, "{kept:?} by {query:?}");
        }
        app.post(&points, json!({"kind": "email", "raw": sought})).await.refused(409, "already_exists");
    }
    for blank in ["a\u{3164}b@example.com", "a\u{2800}@example.com", "a b@example.com"] {
        app.post(&points, json!({"kind": "email", "raw": blank})).await.refused(422, "validation_failed").fault("/raw", "invalid_email");
    }
}

async fn spellings_of_one_external_id_are_one(app: App) {
    app.make("/v1/external-systems", json!({"code": "erp", "name": "ERP", "kind": "erp"})).await;
    let path = |id: &str| format!("/v1/accounts/by-external-id/erp/{}", encoded(id));
    let made = app.put(&path("\u{e9}1"), json!({"name": "composed"})).await.is(201);
    assert_eq!(app.put(&path("e\u{301}1"), json!({"name": "decomposed"})).await.is(200).id(), made.id());
    let batch = |id: &str| json!({"mode": "upsert", "match_on": "external_id:erp", "items": [{"external_id": id, "name": "batch"}]});
    let answer = app.post("/v1/accounts/batch", batch("e\u{301}1")).await.is(200);
    assert_eq!(answer["results"][0]["id"], json!(made.id()));
    app.post("/v1/accounts/batch", batch("o\u{308}1")).await.is(200);
    for id in ["o\u{308}1", "\u{f6}1"] {
        app.get(&path(id)).await.is(200);
        let found = app.get(&format!("/v1/lookup?external_id={}", encoded(id))).await.is(200);
        assert_eq!(found["matches"].as_array().unwrap().len(), 1);
    }
}

async fn an_account_a_contact_left_does_not_call(app: App) {
    let contact = app.make("/v1/contacts", json!({"first_name": "Somying"})).await;
    let id = contact["id"].as_str().unwrap();
    app.make(&format!("/v1/contacts/{id}/contact-points"), json!({"kind": "mobile", "raw": "081 234 5678"})).await;
    let (left, present, later) = (app.account("Left").await, app.account("Present").await, app.account("Later").await);
    let link = |account: &str, dates: Value| {
        let mut body = json!({"account_id": account, "contact_id": id});
        body.as_object_mut().unwrap().extend(dates.as_object().cloned().unwrap());
        body
    };
    let first = app.make("/v1/account-contacts", link(&left, json!({"valid_to": "2020-12-31"}))).await;
    app.ask(reqwest::Method::POST, &format!("/v1/account-contacts/{}/set-primary", first["id"].as_str().unwrap())).await.is(200);
    app.make("/v1/account-contacts", link(&later, json!({"valid_from": "2199-01-01"}))).await;
    let caller = async || app.get("/v1/lookup?phone=0812345678").await.is(200)["matches"][0]["account_id"].clone();
    assert_eq!(caller().await, Value::Null);
    app.make("/v1/account-contacts", link(&present, json!({"valid_from": "2020-01-01", "valid_to": "2199-12-31"}))).await;
    assert_eq!(caller().await, json!(present));
}
