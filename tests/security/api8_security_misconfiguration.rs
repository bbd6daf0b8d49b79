//! What is sent by default is safe, and what an operator may want otherwise is a setting.

use crate::support::{app::client, contract, *};
use reqwest::Method;

crate::on_both![
    every_answer_tells_browsers_what_not_to_do_with_it,
    pages_and_tls_are_settings,
    document_and_metrics_are_kept_from_strangers_where_that_is_set,
    only_the_origins_that_are_set_may_call,
    no_problem_tells_of_the_inside,
    trace_and_other_methods_are_refused,
];

/// Addresses of every kind: operations, refusals, pages.
const EVERYWHERE: [(&str, &str, u16); 14] = [
    ("GET", "/v1/me", 200),
    ("GET", "/v1/accounts", 200),
    ("POST", "/v1/accounts", 415),
    ("GET", "/v1/nothing", 404),
    ("DELETE", "/v1/accounts", 405),
    ("GET", "/v1/accounts?x=1", 400),
    ("GET", "/problems/not_found", 200),
    ("GET", "/health/live", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/openapi-3.0.json", 200),
    ("GET", "/metrics", 200),
    ("GET", "/", 302),
    ("GET", "/docs", 302),
    ("GET", "/docs/index.html", 200),
];

async fn asked(app: &App, method: &str, path: &str) -> reqwest::Response {
    let request = client().request(method.parse().unwrap(), format!("{}{path}", app.url));
    request.header("authorization", format!("Bearer {}", app.token())).send().await.unwrap()
}

fn header<'a>(answer: &'a reqwest::Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn every_answer_tells_browsers_what_not_to_do_with_it(app: App) {
    for (method, path, status) in EVERYWHERE {
        let answer = asked(&app, method, path).await;
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("strict-transport-security", ""),
            ("server", ""),
            ("x-powered-by", ""),
            ("access-control-allow-origin", ""),
        ] {
            assert_eq!(header(&answer, name), value, "{name} of {method} {path}");
        }
        let policy = header(&answer, "content-security-policy");
        assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(policy.contains("script-src 'self'"), path.starts_with("/docs/"), "{path}: {policy}");
        assert!(!policy.contains("unsafe-eval") && !policy.contains("script-src 'self' 'unsafe-inline'"), "{policy}");
        assert!(!path.starts_with("/v1") || header(&answer, "cache-control") == "no-store", "{path}");
    }
    // The page needs nothing that its policy forbids: no script stands in it.
    let page = asked(&app, "GET", "/docs/index.html").await.text().await.unwrap();
    assert!(page.contains("<script src=") && page.split("<script").skip(1).all(|part| part.trim_start().starts_with("src=")), "{page}");
}

async fn pages_and_tls_are_settings(app: App) {
    let program = app.program(&["--hsts-seconds", "31536000", "--docs", "false", "--metrics", "false"]);
    for (method, path, status) in EVERYWHERE {
        let answer = asked(&program.app, method, path).await;
        let is_off = path == "/" || path.starts_with("/docs") || path == "/metrics";
        assert_eq!(answer.status().as_u16(), if is_off { 404 } else { status }, "{path}");
        assert_eq!(header(&answer, "strict-transport-security"), "max-age=31536000; includeSubDomains", "{path}");
    }
}

async fn document_and_metrics_are_kept_from_strangers_where_that_is_set(app: App) {
    let token = "a-token-of-prometheus";
    let program = app.program(&["--public-document", "false", "--metrics-token", token]);
    let status = async |path: &str, authorization: Option<&str>| {
        let request = client().get(format!("{}{path}", program.app.url));
        let request = authorization.into_iter().fold(request, |request, value| request.header("authorization", value));
        request.send().await.unwrap().status().as_u16()
    };
    let own = format!("Bearer {}", app.token());
    for path in ["/openapi.json", "/openapi-3.0.json", "/openapi.json?tags=auth"] {
        assert_eq!([status(path, None).await, status(path, Some("Bearer x")).await, status(path, Some(&own)).await], [401, 401, 200]);
    }
    assert_eq!(status("/docs/index.html", Some(&own)).await, 404, "the page could not read the document");
    assert_eq!([status("/metrics", None).await, status("/metrics", Some(&own)).await], [401, 401]);
    assert_eq!(status("/metrics", Some(&format!("Bearer {token}"))).await, 200);
}

async fn only_the_origins_that_are_set_may_call(app: App) {
    let preflight = async |origin: &str| {
        let request = client().request(Method::OPTIONS, format!("{}/v1/accounts", app.url)).header("origin", origin);
        let request = request.header("access-control-request-method", "POST").header("access-control-request-headers", "authorization");
        request.send().await.unwrap()
    };
    let allowed = preflight("https://crm.example.com").await;
    assert_eq!((allowed.status().as_u16(), header(&allowed, "access-control-allow-origin")), (200, "https://crm.example.com"));
    for origin in
        ["https://crm.example.com.evil.example", "http://crm.example.com", "https://evil.example", "null", "https://crm.example.com:444"]
    {
        let refused = preflight(origin).await;
        assert_eq!(header(&refused, "access-control-allow-origin"), "", "{origin}");
        let request = client().get(format!("{}/v1/me", app.url)).header("origin", origin);
        let answer = request.header("authorization", format!("Bearer {}", app.token())).send().await.unwrap();
        assert_eq!(header(&answer, "access-control-allow-origin"), "", "{origin}");
    }
    // Nothing a browser sends by itself opens anything, so it is not asked to send it.
    assert_eq!(header(&allowed, "access-control-allow-credentials"), "");
}

/// Words of the inside of the program, its database and its machine.
const INSIDE: [&str; 14] = [
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "sqlx",
    "sea_orm",
    "rusqlite",
    "sqlite",
    "postgres",
    "panicked",
    ".rs:",
    "src/",
    "syntax error",
    "no such column",
    "stack",
];

async fn no_problem_tells_of_the_inside(app: App) {
    let (mut problems, client) = (0, client());
    let nasty = ["'", "\\", "%00", "%27%20OR%201%3D1--", "%F0%9F%92%A9", "%FF", "..%2f..%2fetc%2fpasswd", "-1", "9223372036854775808"];
    for (method, path, operation) in contract::operations() {
        let has_body = operation.get("requestBody").is_some();
        // A stream has no end, and who has signed out is told nothing more.
        let is_out = operation["operationId"].as_str().is_some_and(|id| id.starts_with("signOut"));
        if is_out || operation["responses"]["200"]["content"]["text/event-stream"].is_object() {
            continue;
        }
        for (n, word) in nasty.iter().enumerate() {
            let place: Vec<String> =
                path.split('/').map(|part| if part.starts_with('{') { (*word).to_owned() } else { part.to_owned() }).collect();
            let query = match n % 3 {
                0 => format!("?sort={word}&limit={word}"),
                1 => format!("?filter={word}&cursor={word}"),
                _ => format!("?fields={word}&count={word}"),
            };
            let body = [json!({"name": word, "items": word}), json!([word]), json!({"mode": "create", "items": [{"id": word}]})];
            let request = client.request(method.clone(), format!("{}{}{query}", app.url, place.join("/")));
            let request = request.header("authorization", format!("Bearer {}", app.token())).header("if-match", *word);
            let request = if has_body { request.header("content-type", "application/json").body(body[n % 3].to_string()) } else { request };
            let Ok(answer) = request.send().await else { continue };
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap();
            assert_ne!(status, 500, "{method} {path} {word}: {text}");
            if status >= 400 {
                problems += 1;
                assert!(INSIDE.iter().all(|word| !text.contains(word)), "{method} {path} {word}: {text}");
            }
        }
    }
    assert!(problems > 1_000, "{problems}");
    app.get("/v1/me").await.is(200);
}

async fn trace_and_other_methods_are_refused(app: App) {
    for method in ["TRACE", "CONNECT", "TRACK", "DEBUG", "PROPFIND"] {
        let Ok(method) = method.parse::<Method>() else { continue };
        if method == Method::CONNECT {
            continue;
        }
        let request = client().request(method.clone(), format!("{}/v1/me", app.url)).header("x-echo", "S3cret");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 405, "{method}");
        assert!(!answer.text().await.unwrap().contains("S3cret"));
    }
}
