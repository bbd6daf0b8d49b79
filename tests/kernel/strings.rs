//! Text of every kind is kept as it was typed, composed, and found again.

use crate::support::*;

crate::on_both![
    nasty_text_comes_back_as_it_was_and_is_found,
    nasty_text_breaks_no_parameter,
    nothing_in_a_code_is_out_of_sight,
    codes_that_look_the_same_are_the_same,
    external_id_is_one_line_whichever_way_it_comes,
];

fn nasty() -> Vec<String> {
    let mut all: Vec<String> = [
        "'",
        "\"",
        "';DROP TABLE accounts;--",
        "' OR '1'='1",
        "1; SELECT pg_sleep(9)",
        "%_\\",
        "\\",
        "\\\\'",
        "$1",
        "?1",
        ":name",
        "{{7*7}}",
        "${jndi:ldap://x}",
        "<script>alert(1)</script>",
        "👩‍👩‍👧‍👦",
        "👍🏽",
        "🇹🇭🇮🇷",
        "\u{202e}txet desrever\u{202c}",
        "\u{2066}isolated\u{2069}",
        "می‌روم",
        "علي كريم",
        "น้ำ",
        "ท\u{e48}\u{e35}",
        "e\u{301}",
        "\u{1e9b}\u{323}",
        "ﬁ",
        "İstanbul",
        "ß",
        "\u{feff}bom",
        "\u{200b}",
        "a\tb\nc\r\nd",
        "\u{1b}[31m",
        "\u{7f}\u{80}\u{9f}",
        "\u{fffd}\u{ffff}",
        "\u{10ffff}",
        "𠮷野家",
        "null",
        "undefined",
        "NaN",
        "-0",
        "1e309",
        "true",
        "[]",
        "{}",
        "../../etc/passwd",
        "C:\\con",
        "a b  c ",
        " ",
        "٣٤۵",
        "  lead",
    ]
    .map(str::to_owned)
    .to_vec();
    all.push(format!("x{}", "\u{301}".repeat(199)));
    all.push("\u{300}".repeat(200));
    all
}

async fn nasty_text_comes_back_as_it_was_and_is_found(app: App) {
    let all: Vec<String> = nasty().into_iter().filter(|text| samphan_resource::text::is_line(text)).collect();
    assert!(all.len() > 40 && all.len() < nasty().len());
    for text in nasty() {
        let wanted = samphan_resource::text::nfc(&text).into_owned();
        if !all.contains(&text) {
            // A name is one line. A description may be anything.
            let body = |name: &str| app.post("/v1/accounts", json!({"name": name, "description": text}));
            body(&text).await.refused(422, "validation_failed").fault("/name", "not_one_line");
            let made = body("Not listed").await.is(201);
            assert_eq!(made.text_of("description"), wanted, "{text:?}");
            app.delete(made.header("location")).await.is(204);
            continue;
        }
        let made = app
            .post("/v1/accounts", json!({"name": text, "description": text, "industry": text.chars().take(100).collect::<String>()}))
            .await
            .is(201);
        assert_eq!((made.text_of("name"), made.text_of("description")), (wanted.clone(), wanted.clone()), "{text:?}");
        let read = app.get(made.header("location")).await.is(200);
        assert_eq!(read.body, made.body);
        let equal = json!({"filter": {"field": "name", "op": "eq", "value": text}, "limit": 200});
        let found = app.post("/v1/accounts/search", equal.clone()).await.is(200);
        assert!(ids(&found).contains(&made.id()), "{text:?}");
        assert!(column(&found, "name").iter().all(|n| *n == wanted), "{text:?}");
        let filter = encoded(&equal["filter"].to_string());
        assert!(ids(&app.get(&format!("/v1/accounts?limit=200&filter={filter}")).await.is(200)).contains(&made.id()), "{text:?}");
    }
    assert_eq!(app.all("/v1/accounts?sort=name", 7).await.len(), all.len());
}

async fn nasty_text_breaks_no_parameter(app: App) {
    app.account("A").await;
    for text in nasty() {
        let sent = encoded(&text);
        for path in [
            format!("/v1/accounts?name={sent}"),
            format!("/v1/accounts?q={sent}"),
            format!("/v1/search?q={sent}"),
            format!("/v1/accounts?sort={sent}"),
            format!("/v1/accounts?cursor={sent}"),
            format!("/v1/accounts?fields={sent}"),
            format!("/v1/accounts?expand={sent}"),
            format!("/v1/accounts?created_at_gte={sent}"),
            format!("/v1/accounts?filter={sent}"),
            format!("/v1/accounts?{sent}={sent}"),
            format!("/v1/lookup?phone={sent}"),
            format!("/v1/lookup?email={sent}"),
            format!("/v1/accounts/{sent}"),
            format!("/v1/accounts/by-external-id/{sent}/{sent}"),
        ] {
            let answer = app.get(&path).await;
            assert!(answer.status < 500, "{path}: {}", answer.text);
        }
    }
}

async fn nothing_in_a_code_is_out_of_sight(app: App) {
    let body = |path: &str, code: &str| match path {
        "/v1/users" => json!({"name": "X", "email": format!("somying{code}@example.com")}),
        "/v1/products" => json!({"name": "X", "sku": format!("TEA{code}")}),
        "/v1/warehouses" => json!({"name": "X", "code": format!("BKK{code}")}),
        _ => json!({"name": "X", "code": format!("VAT{code}"), "rate": "7"}),
    };
    for (path, pointer) in [("/v1/users", "/email"), ("/v1/products", "/sku"), ("/v1/warehouses", "/code"), ("/v1/tax-rates", "/code")] {
        for unseen in [
            "\u{200b}", "\u{200d}", "\u{202e}", "\u{2066}", "\u{ad}", "\u{feff}", "\u{fe0f}", "\u{7f}", "\n", "\u{85}", "\u{2028}",
            "\u{a0}", "\u{3000}", "\u{3164}", "\u{115f}", "\u{ffa0}", "\u{2800}", "\u{2003}",
        ] {
            app.post(path, body(path, unseen)).await.refused(422, "validation_failed").fault(pointer, "invisible_character");
        }
        app.post(path, body(path, "-ชา-چای-É")).await.is(201);
    }
}

async fn codes_that_look_the_same_are_the_same(app: App) {
    let product = |sku: &str| app.post("/v1/products", json!({"sku": sku, "name": "X"}));
    let made = product(" AB-é1 ").await.is(201);
    assert_eq!(made["sku"], "AB-é1");
    for alike in ["AB-é1", "AB-é1 ", "ＡＢ－é1", "ab-é1", "AB-e\u{301}1", "Ab-é1"] {
        product(alike).await.refused(409, "already_exists");
        let batch = json!({"mode": "create", "items": [{"sku": alike, "name": "X"}]});
        assert_eq!(app.post("/v1/products/batch", batch).await.is(200)["results"][0]["error"]["code"], "already_exists", "{alike}");
    }
    // What is sought is brought to the same form.
    for sought in ["AB-é1", "ＡＢ－é1", " AB-e\u{301}1"] {
        assert_eq!(ids(&app.get(&format!("/v1/products?sku={}", encoded(sought))).await.is(200)), [made.id()], "{sought}");
        let filter = json!({"filter": {"field": "sku", "op": "eq", "value": sought}});
        assert_eq!(ids(&app.post("/v1/products/search", filter).await.is(200)), [made.id()], "{sought}");
    }
    let book = app.make("/v1/price-books", json!({"name": "Retail", "currency": "THB"})).await;
    app.make(&format!("/v1/price-books/{}/entries", book["id"].as_str().unwrap()), json!({"product_id": made["id"], "price": "1"})).await;
    let ask = json!({"price_book_id": book["id"], "lines": [{"sku": "ＡＢ－é1", "quantity": "1"}]});
    assert_eq!(app.post("/v1/price-quotes", ask).await.is(200)["total"], "1.00");
    let other = product("OTHER").await.is(201);
    app.patch(&format!("/v1/products/{}", other.id()), json!({"sku": "ab-É1"})).await.is(200);
    app.patch(&format!("/v1/products/{}", other.id()), json!({"sku": "ab-é1"})).await.refused(409, "already_exists");
    app.patch(&format!("/v1/products/{}", made.id()), json!({"sku": "ab-é1"})).await.is(200);
    app.make("/v1/warehouses", json!({"code": "BKK1", "name": "X"})).await;
    app.post("/v1/warehouses", json!({"code": "bkk1", "name": "X"})).await.refused(409, "already_exists");
}

async fn external_id_is_one_line_whichever_way_it_comes(app: App) {
    app.make("/v1/external-systems", json!({"code": "erp", "name": "ERP", "kind": "accounting"})).await;
    let account = app.account("A").await;
    let put = |id: &str| app.put(&format!("/v1/accounts/by-external-id/erp/{}", encoded(id)), json!({"name": "A"}));
    let batch = |id: &str| {
        let item = json!({"external_id": id, "name": "A"});
        app.post("/v1/accounts/batch", json!({"mode": "upsert", "match_on": "external_id:erp", "items": [item]}))
    };
    let bind = |id: &str| {
        app.post("/v1/external-references", json!({"system": "erp", "resource": "accounts", "external_id": id, "record_id": account}))
    };
    let long = "x".repeat(129);
    for (id, code) in
        [("C\n1", "not_one_line"), ("C\u{1b}[31m", "not_one_line"), ("\u{202e}1-C", "not_one_line"), (long.as_str(), "too_long")]
    {
        put(id).await.refused(422, "validation_failed").fault("/external_id", code);
        bind(id).await.refused(422, "validation_failed").fault("/external_id", code);
        let item = &batch(id).await.is(200)["results"][0];
        assert_eq!((&item["status"], &item["error"]["errors"][0]["code"]), (&json!("failed"), &json!(code)), "{item}");
        app.get(&format!("/v1/accounts/by-external-id/erp/{}", encoded(id))).await.refused(404, "not_found");
    }
    put("C 1/2 \u{200d}ไทย").await.is(201);
    put("C 1/2 \u{200d}ไทย").await.is(200);
}
