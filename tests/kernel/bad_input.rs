//! Whatever is wrong is refused with a stable code, its place, and what would do.

use crate::support::{contract::document, *};
use reqwest::Method;

crate::on_both![
    an_unknown_field_is_named_with_the_nearest,
    an_unknown_parameter_is_named_with_the_nearest,
    an_unknown_value_is_named_with_the_nearest,
    a_wrong_type_is_named,
    a_body_that_is_too_large_is_413,
    a_batch_of_more_than_a_thousand_is_refused,
    what_is_not_json_is_400,
    a_nul_is_refused_wherever_it_stands,
    json_of_any_depth_is_answered,
    a_time_needs_an_offset_and_a_sane_year,
    an_amount_has_at_most_four_decimals_and_is_no_number,
    a_compressed_body_is_415,
    another_media_type_is_415,
    a_wrong_method_is_405_with_allow,
    an_unknown_address_is_404,
    only_json_is_answered,
    a_malformed_if_match_is_400,
    problems_speak_the_readers_language_and_echo_no_values,
    an_id_that_is_none_is_of_no_record,
    of_a_thousand_faults_the_first_are_named,
    a_name_of_any_length_is_refused_and_told_in_part,
    a_header_longer_than_any_is_400,
    name_that_stands_twice_is_400_with_its_place,
    charset_other_than_utf_8_is_415,
    second_authorization_is_400,
    body_of_an_operation_that_takes_none_is_refused,
];

async fn an_unknown_field_is_named_with_the_nearest(app: App) {
    let refused = app.post("/v1/accounts", json!({"name": "A", "grad": "A", "a/b~c": 1})).await.refused(422, "validation_failed");
    let fault = refused.fault("/grad", "unknown_field");
    assert_eq!(fault["did_you_mean"], "grade");
    assert!(fault["allowed"].as_array().unwrap().contains(&json!("legal_form")));
    refused.fault("/a~1b~0c", "unknown_field");
    for read_only in ["version", "created_at", "lifecycle_stage", "external_refs"] {
        let refused = app.post("/v1/accounts", json!({"name": "A", read_only: null})).await.refused(422, "validation_failed");
        refused.fault(&format!("/{read_only}"), "unknown_field");
    }
}

async fn an_unknown_parameter_is_named_with_the_nearest(app: App) {
    let fault = app.get("/v1/accounts?grad=A").await.refused(400, "invalid_query").fault("?grad", "unknown_parameter");
    assert_eq!(fault["did_you_mean"], "grade");
    app.get("/v1/accounts?limit=1&limit=2").await.refused(400, "invalid_query").fault("?limit", "repeated");
    app.get("/v1/accounts?limit=0").await.refused(400, "invalid_query").fault("?limit", "too_small");
    app.get("/v1/accounts?limit=201").await.refused(400, "invalid_query").fault("?limit", "too_large");
    app.get("/v1/accounts?limit=ten").await.refused(400, "invalid_query").fault("?limit", "wrong_type");
    app.get("/v1/accounts?count=all").await.refused(400, "invalid_query").fault("?count", "unknown_value");
    app.get("/v1/accounts?fields=nam").await.refused(400, "invalid_query").fault("?fields", "unknown_field");
    app.get("/v1/accounts?is_vip=yes").await.refused(400, "invalid_query").fault("?is_vip", "wrong_type");
    let fault = app.get("/v1/accounts?legal_form=compani").await.refused(400, "invalid_query").fault("?legal_form", "unknown_value");
    assert_eq!(fault["did_you_mean"], "company");
    app.post("/v1/accounts?x=1", json!({"name": "A"})).await.refused(400, "invalid_query").fault("?x", "unknown_parameter");
    app.post("/v1/accounts/search", json!({"sorted": "name"})).await.refused(422, "validation_failed").fault("/sorted", "unknown_field");
}

async fn an_unknown_value_is_named_with_the_nearest(app: App) {
    let refused = app.post("/v1/accounts", json!({"name": "A", "legal_form": "compeny"})).await.refused(422, "validation_failed");
    let fault = refused.fault("/legal_form", "unknown_value");
    assert_eq!(fault["did_you_mean"], "company");
    assert!(fault["allowed"].as_array().unwrap().contains(&json!("foundation")));
}

async fn a_wrong_type_is_named(app: App) {
    for (field, value, code) in [
        ("name", json!(7), "wrong_type"),
        ("is_vip", json!("true"), "wrong_type"),
        ("payment_terms_days", json!("30"), "wrong_type"),
        ("payment_terms_days", json!(30.5), "wrong_type"),
        ("payment_terms_days", json!(-1), "too_small"),
        ("health", json!(101), "too_large"),
        ("tags", json!("vip"), "wrong_type"),
        ("parent_id", json!("seven"), "wrong_type"),
        ("country", json!("Thailand"), "invalid_format"),
        ("name", json!(""), "too_short"),
        ("name", json!("x".repeat(201)), "too_long"),
    ] {
        let mut body = json!({"name": "A"});
        body[field] = value.clone();
        app.post("/v1/accounts", body).await.refused(422, "validation_failed").fault(&format!("/{field}"), code);
    }
    app.post("/v1/accounts", json!({})).await.refused(422, "validation_failed").fault("/name", "required");
    app.post("/v1/accounts", json!([])).await.refused(422, "validation_failed");
    // To JSON Schema 30.0 is an integer, so it is one here.
    assert_eq!(app.make("/v1/accounts", json!({"name": "A", "payment_terms_days": 30.0})).await["payment_terms_days"], 30);
    // 200 characters, not bytes.
    app.make("/v1/accounts", json!({"name": "ก".repeat(200)})).await;
}

async fn a_body_that_is_too_large_is_413(app: App) {
    let body = format!("{{\"name\":\"{}\"}}", "x".repeat(1024 * 1024));
    app.ask(Method::POST, "/v1/accounts").raw("application/json", body).await.refused(413, "too_large");
}

async fn a_batch_of_more_than_a_thousand_is_refused(app: App) {
    let batch = |count| json!({"mode": "create", "items": vec![json!({"name": "A"}); count]});
    app.post("/v1/accounts/batch", batch(1001)).await.refused(422, "validation_failed").fault("/items", "too_many_items");
    app.post("/v1/accounts/batch", batch(0)).await.refused(422, "validation_failed").fault("/items", "too_few_items");
    let wrong = json!({"mode": "replace", "items": [{"name": "A"}]});
    app.post("/v1/accounts/batch", wrong).await.refused(422, "validation_failed").fault("/mode", "unknown_value");
}

async fn what_is_not_json_is_400(app: App) {
    let send = |bytes: &[u8]| app.ask(Method::POST, "/v1/accounts").raw("application/json", bytes.to_vec());
    for bytes in [
        &b"{\"name\":\"\xff\xfe\"}"[..],
        b"{\"name\":\"\xed\xa0\x80\"}",
        b"{",
        b"",
        b"{\"name\":\"A\"} x",
        b"{\"name\":\"\\ud800\"}",
        b"{'name':'A'}",
        b"NaN",
    ] {
        send(bytes).await.refused(400, "malformed_json");
    }
}

async fn a_nul_is_refused_wherever_it_stands(app: App) {
    app.post("/v1/accounts", json!({"name": "a\u{0}b"})).await.refused(422, "validation_failed").fault("/name", "nul_character");
    app.post("/v1/accounts", json!({"name": "A", "custom": {"a\u{0}": 1}})).await.refused(422, "validation_failed");
    app.post("/v1/accounts", json!({"name": "A", "tags": ["x", "\u{0}"]}))
        .await
        .refused(422, "validation_failed")
        .fault("/tags/1", "nul_character");
    app.get("/v1/accounts?name=a%00b").await.refused(400, "invalid_query").fault("?name", "nul_character");
    app.get("/v1/accounts?q=a%00b").await.refused(400, "invalid_query");
    app.get("/v1/search?q=%00").await.refused(400, "invalid_query");
    app.get("/v1/accounts?tags=%00").await.refused(400, "invalid_query");
    app.get("/v1/accounts/%00").await.is(404);
    app.get("/v1/accounts/by-external-id/a%00/b").await.is(404);
    app.get("/v1/lookup?phone=%00").await.refused(400, "invalid_query");
}

async fn json_of_any_depth_is_answered(app: App) {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{{\"name\":\"A\",\"custom\":{{\"x\":{}1{}}}}}", open.repeat(10_000), close.repeat(10_000));
        app.ask(Method::POST, "/v1/accounts").raw("application/json", deep).await.refused(400, "too_deep");
    }
    app.ask(Method::POST, "/v1/accounts").raw("application/json", "[".repeat(100_000)).await.refused(400, "too_deep");
    let deep = format!("{}{}{}", "{\"all\":[".repeat(2_000), "1", "]}".repeat(2_000));
    assert_eq!(app.get(&format!("/v1/accounts?filter={}", &encoded(&deep)[..9_000])).await.status, 400);
}

async fn a_time_needs_an_offset_and_a_sane_year(app: App) {
    let role = app.role(&["accounts:read/all"], &[]).await;
    let key = |at: &str| app.post("/v1/api-keys", json!({"name": "K", "role_ids": [role], "expires_at": at}));
    key("2030-01-01T00:00:00").await.refused(422, "validation_failed").fault("/expires_at", "time_without_offset");
    key("3030-01-01T00:00:00Z").await.refused(422, "validation_failed").fault("/expires_at", "out_of_range");
    key("tomorrow").await.refused(422, "validation_failed").fault("/expires_at", "invalid_time");
    let made = key("2030-01-01T07:00:00.1234567+07:00").await.is(201);
    assert_eq!(made["api_key"]["expires_at"], "2030-01-01T00:00:00.123456Z");
    app.get("/v1/accounts?created_at_gte=2026-01-01T00:00:00")
        .await
        .refused(400, "invalid_query")
        .fault("?created_at_gte", "time_without_offset");
    app.post("/v1/contacts", json!({"first_name": "A", "birth_date": "2026-02-30"}))
        .await
        .refused(422, "validation_failed")
        .fault("/birth_date", "invalid_date");
}

async fn an_amount_has_at_most_four_decimals_and_is_no_number(app: App) {
    let product = app.make("/v1/products", json!({"sku": "T", "name": "Tea"})).await;
    let book = app.make("/v1/price-books", json!({"name": "Retail", "currency": "THB"})).await;
    let path = format!("/v1/price-books/{}/entries", book["id"].as_str().unwrap());
    let entry = |price: Value| app.post(&path, json!({"product_id": product["id"], "price": price}));
    entry(json!("1.23456")).await.refused(422, "validation_failed").fault("/price", "too_many_decimals");
    entry(json!(12.5)).await.refused(422, "validation_failed").fault("/price", "wrong_type");
    entry(json!("1e3")).await.refused(422, "validation_failed");
    entry(json!("99999999999999999999")).await.refused(422, "validation_failed").fault("/price", "out_of_range");
    for wrong in ["", " 1", "+1", "1.", ".5", "๑๒", "0x10", "Infinity", "-0", "-1", "0000000000000001"] {
        entry(json!(wrong)).await.refused(422, "validation_failed");
    }
    assert_eq!(entry(json!("12.5")).await.is(201)["price"], "12.50");
}

async fn a_compressed_body_is_415(app: App) {
    for coding in ["gzip", "br", "deflate", "zstd"] {
        let sent = app.post("/v1/accounts", json!({"name": "A"})).header("content-encoding", coding);
        sent.await.refused(415, "unsupported_media_type");
    }
}

async fn another_media_type_is_415(app: App) {
    for kind in
        ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/merge-patch+json", "multipart/form-data"]
    {
        app.ask(Method::POST, "/v1/accounts").raw(kind, "{\"name\":\"A\"}").await.refused(415, "unsupported_media_type");
    }
    app.ask(Method::POST, "/v1/accounts").raw("Application/JSON; charset=utf-8", "{\"name\":\"A\"}").await.is(201);
}

async fn a_wrong_method_is_405_with_allow(app: App) {
    let refused = app.delete("/v1/accounts").await.refused(405, "method_not_allowed");
    let mut allow: Vec<&str> = refused.header("allow").split(", ").collect();
    allow.sort_unstable();
    assert_eq!(allow, ["GET", "POST"]);
    app.put("/v1/accounts/x", json!({})).await.refused(405, "method_not_allowed");
    app.get("/v1/auth/sign-in").await.refused(405, "method_not_allowed");
    app.get("/v1/accounts/batch").await.refused(405, "method_not_allowed");
}

async fn an_unknown_address_is_404(app: App) {
    for path in ["/v1/acounts", "/v2/accounts", "/v1", "/v1/accounts/", "/v1/accounts/x/y/z", "/../etc/passwd", "/v1//accounts"] {
        app.get(path).await.refused(404, "unknown_path");
    }
}

async fn only_json_is_answered(app: App) {
    app.get("/v1/accounts").header("accept", "text/html").await.refused(406, "not_acceptable");
    for accept in ["*/*", "application/json", "text/html, application/*;q=0.5"] {
        app.get("/v1/accounts").header("accept", accept).await.is(200);
    }
}

async fn a_malformed_if_match_is_400(app: App) {
    let path = format!("/v1/accounts/{}", app.account("A").await);
    for tag in ["1", "\"one\"", "\"1", "\"1\", \"2\""] {
        app.patch(&path, json!({"grade": "A"})).header("if-match", tag).await.refused(400, "invalid_header");
    }
    assert_eq!(app.get(&path).await.version(), 1);
    app.make("/v1/external-systems", json!({"code": "erp", "name": "ERP", "kind": "accounting"})).await;
    for tag in ["\"1\"", "x", "*, \"1\""] {
        let put = app.put("/v1/accounts/by-external-id/erp/1", json!({"name": "A"}));
        put.header("if-none-match", tag).await.refused(400, "invalid_header");
    }
}

async fn problems_speak_the_readers_language_and_echo_no_values(app: App) {
    let ask =
        |language: &str| app.post("/v1/accounts", json!({"name": "A", "legal_form": "s3cret-value"})).header("accept-language", language);
    let mut titles = vec![];
    for language in ["en", "th", "fa"] {
        let refused = ask(language).await.refused(422, "validation_failed");
        assert!(!refused.text.contains("s3cret-value"));
        titles.push(refused.text_of("title"));
    }
    titles.dedup();
    assert_eq!(titles.len(), 3);
    let mine = app.get("/v1/nothing").header("x-request-id", "mine-1.x_2").await;
    assert_eq!(mine.header("x-request-id"), "mine-1.x_2");
    assert_ne!(app.get("/v1/nothing").header("x-request-id", "not mine").await.header("x-request-id"), "not mine");
    let described = app.get("/problems/version_conflict").await.is(200);
    assert_eq!(described["status"], 412);
}

async fn an_id_that_is_none_is_of_no_record(app: App) {
    for id in ["x", "1", "00000000-0000-0000-0000-00000000000g", "%27", "null", "..%2f"] {
        let gone = app.get(&format!("/v1/accounts/{id}")).await;
        assert_eq!(gone.status, 404, "{id}");
    }
}

async fn of_a_thousand_faults_the_first_are_named(app: App) {
    let commas = ",".repeat(1999);
    let leaf = json!({"field": "name", "op": "eq", "value": "A"});
    for (answer, status) in [
        (app.get(&format!("/v1/accounts?fields={commas}")).await, 400),
        (app.post("/v1/accounts/search", json!({"filter": {"any": vec![json!(1); 5000]}})).await, 400),
        (app.post("/v1/accounts", json!({"name": "A", "tags": vec!["\0"; 5000]})).await, 422),
    ] {
        let named = answer.is(status)["errors"].as_array().unwrap().len();
        assert_eq!(named, samphan_resource::error::MAX_FIELD_ERRORS);
    }
    let refused = app.post("/v1/accounts/search", json!({"filter": {"any": vec![leaf; 5000]}})).await.refused(400, "invalid_filter");
    assert_eq!(refused["errors"].as_array().unwrap().len(), 1);
}

async fn a_name_of_any_length_is_refused_and_told_in_part(app: App) {
    let name = "n".repeat(1_000_000);
    let refused = app.post("/v1/accounts", json!({"name": "A", name.as_str(): 1})).await.refused(422, "validation_failed");
    refused.fault(&format!("/{}", &name[..999]), "unknown_field");
    let refused = app.post("/v1/accounts/search", json!({"filter": {"field": name, "op": "eq", "value": 1}})).await;
    refused.refused(400, "invalid_filter").fault("/filter/field", "unknown_field");
    let system = json!({"mode": "upsert", "match_on": "external_id:erp", "items": [{"external_id": name}]});
    let answer = app.post("/v1/accounts/batch", system).await.is(200);
    assert_eq!((&answer["results"][0]["status"], &answer["results"][0]["external_id"]), (&json!("failed"), &Value::Null));
}

async fn a_header_longer_than_any_is_400(app: App) {
    for name in ["x-request-id", "accept-language", "if-none-match"] {
        app.get("/v1/accounts").header(name, &"a".repeat(1001)).await.refused(400, "invalid_header");
        app.get("/v1/accounts").header(name, &"a".repeat(1000)).await.is(200);
    }
}

async fn name_that_stands_twice_is_400_with_its_place(app: App) {
    let send = |path: &str, text: &str| app.ask(Method::POST, path).raw("application/json", text.to_owned());
    send("/v1/accounts", r#"{"name": "A", "name": "B"}"#).await.refused(400, "malformed_json").fault("/name", "repeated");
    let nested = r#"{"name": "A", "custom": {"x": 1, "\u0078": 2}}"#;
    send("/v1/accounts", nested).await.refused(400, "malformed_json").fault("/custom/x", "repeated");
    let batch = r#"{"mode": "create", "items": [{"name": "A"}, {"name": "B", "grade": "A", "grade": "C"}]}"#;
    send("/v1/accounts/batch", batch).await.refused(400, "malformed_json").fault("/items/1/grade", "repeated");
    assert_eq!(app.get("/v1/accounts?count=exact").await.is(200)["total"], 0);
}

async fn charset_other_than_utf_8_is_415(app: App) {
    let send = |kind: &str| app.ask(Method::POST, "/v1/accounts").raw(kind, r#"{"name": "A"}"#);
    for kind in ["application/json; charset=utf-16", "application/json;charset=\"ISO-8859-1\"", "application/json; q=1; CharSet=tis-620"] {
        send(kind).await.refused(415, "unsupported_media_type");
    }
    for kind in ["application/json", "application/json; charset=UTF-8", "application/json;charset=\"utf-8\"", "application/json; q=1"] {
        send(kind).await.is(201);
    }
}

async fn second_authorization_is_400(app: App) {
    let own = format!("Bearer {}", app.token());
    for other in ["Bearer x", own.as_str(), "Basic eDp5"] {
        app.get("/v1/accounts").header("authorization", other).await.refused(400, "invalid_header");
    }
    app.get("/v1/accounts").await.is(200);
}

/// Every operation of the document that writes and takes no body, also the next one.
async fn body_of_an_operation_that_takes_none_is_refused(app: App) {
    let (mut walked, record) = (0, random_id());
    for (path, methods) in document()["paths"].as_object().unwrap() {
        for (method, operation) in
            methods.as_object().unwrap().iter().filter(|(m, _)| ["post", "put", "patch", "delete"].contains(&m.as_str()))
        {
            if operation.get("requestBody").is_some() {
                continue;
            }
            let parts = path.split('/').map(|part| if part.starts_with('{') { record.as_str() } else { part });
            let address = parts.collect::<Vec<_>>().join("/");
            let method: Method = method.to_uppercase().parse().unwrap();
            let refused = app.ask(method.clone(), &address).json(&json!({"nonsense": 1})).await;
            refused.refused(422, "validation_failed").fault("/nonsense", "unknown_field");
            app.ask(method.clone(), &address).json(&json!([])).await.refused(422, "validation_failed").fault("", "wrong_type");
            walked += 1;
        }
    }
    assert!(walked > 20, "{walked}");
    // Nothing, and an object of nothing, say the same.
    let account = app.account("Siam").await;
    let order = async || app.post("/v1/orders", json!({"account_id": account, "currency": "THB"})).await.is(201).id();
    let submit = async |body: Option<Value>| {
        let request = app.ask(Method::POST, &format!("/v1/orders/{}/submit", order().await));
        match body {
            Some(body) => request.json(&body).await,
            None => request.await,
        }
    };
    submit(None).await.refused(422, "validation_failed").fault("/lines", "required");
    submit(Some(json!({}))).await.refused(422, "validation_failed").fault("/lines", "required");
}
