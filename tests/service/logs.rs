//! One line for each request, and never what was sent with it.

use crate::support::{
    app::{ADMIN, PASSWORD},
    request::Request,
    *,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;

crate::on_both![each_request_is_one_line_that_says_what_it_was, no_secret_stands_in_a_log_a_problem_or_an_event];

/// The lines about requests.
fn requests(log: &str) -> Vec<Value> {
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|e| panic!("not JSON ({e}): {line}")));
    lines.filter(|line| line["message"] == "request").collect()
}

async fn each_request_is_one_line_that_says_what_it_was(app: App) {
    let mut program = app.program(&["--log-format", "json"]);
    let there = program.app.clone();
    let me = there.get("/v1/me").header("x-request-id", "r-1").await.is(200).id();
    let account = there.post("/v1/accounts", json!({"name": "Siam"})).header("x-request-id", "r-2").await.is(201).id();
    there
        .get(&format!("/v1/accounts/{account}?fields=name&expand=owner"))
        .header("x-request-id", "r-3")
        .header("if-none-match", "\"1\"")
        .await;
    there.get("/v1/accounts?q=S3cretWord&sort=-name").header("x-request-id", "r-4").await.is(200);
    there.get(&format!("/v1/accounts/{}", random_id())).header("x-request-id", "r-5").await.is(404);
    there.nobody().get("/v1/accounts").header("x-request-id", "r-6").await.is(401);
    there.delete("/v1/accounts").header("x-request-id", "r-7").await.is(405);
    there.get("/S3cretPath/x").header("x-request-id", "r-8").await.is(404);
    there.nobody().get("/health/live").header("x-request-id", "r-9").await.is(200);
    there.nobody().get("/openapi.json").await.is(200);
    program.terminate();
    assert_eq!(program.ended(), Some(0));
    let log = program.log();
    let lines = requests(&log);
    assert_eq!(lines.len(), 10, "{log}");
    for (id, method, route, operation, status, known) in [
        ("r-1", "GET", json!("/v1/me"), json!("getMe"), 200, true),
        ("r-2", "POST", json!("/v1/accounts"), json!("createAccount"), 201, true),
        ("r-3", "GET", json!("/v1/accounts/{id}"), json!("getAccount"), 304, true),
        ("r-4", "GET", json!("/v1/accounts"), json!("listAccounts"), 200, true),
        ("r-5", "GET", json!("/v1/accounts/{id}"), json!("getAccount"), 404, true),
        ("r-6", "GET", json!("/v1/accounts"), json!("listAccounts"), 401, false),
        ("r-7", "DELETE", json!("/v1/accounts"), Value::Null, 405, false),
        ("r-8", "GET", Value::Null, Value::Null, 404, false),
        ("r-9", "GET", json!("/health/live"), json!("getLiveness"), 200, false),
    ] {
        let line = lines.iter().find(|l| l["request_id"] == id).unwrap_or_else(|| panic!("no line of {id} in {log}"));
        assert_eq!(
            (&line["method"], &line["route"], &line["operation"], &line["status"]),
            (&json!(method), &route, &operation, &json!(status))
        );
        assert_eq!(line["principal"], if known { json!(me) } else { Value::Null }, "{line}");
        assert_eq!((&line["level"], &line["client_address"]), (&json!("INFO"), &json!("127.0.0.1")));
        assert!(line["duration_ms"].as_f64().unwrap() >= 0.0 && line["timestamp"].is_string(), "{line}");
    }
    for secret in ["S3cret", &account, "fields=", "sort"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

/// Requests and their answers, and what must not be said of them.
#[derive(Default)]
struct Watch {
    answers: Vec<Answer>,
    secrets: Vec<String>,
}

impl Watch {
    async fn ask(&mut self, request: Request) -> Answer {
        let answer = request.await;
        for field in ["access_token", "refresh_token", "token", "client_secret"] {
            self.secrets.extend(answer[field].as_str().map(str::to_owned));
        }
        self.answers.push(answer.clone());
        answer
    }
}

async fn no_secret_stands_in_a_log_a_problem_or_an_event(app: App) {
    const WRONG: &str = "S3cret-wrong-password";
    const NEW: &str = "S3cret-new-password";
    let program = app.program(&["--log-format", "json", "--log", "debug"]);
    let (there, mut w) = (program.app.clone(), Watch::default());
    let nobody = there.nobody();
    w.secrets.extend([PASSWORD, WRONG, NEW, "argon2", "S3cret"].map(str::to_owned));
    w.secrets.push(there.token());

    let sign_in = |email: &str, password: &str| nobody.post("/v1/auth/sign-in", json!({"email": email, "password": password}));
    let tokens = w.ask(sign_in(ADMIN, PASSWORD)).await.is(200);
    w.ask(sign_in(ADMIN, WRONG)).await.is(401);
    w.ask(sign_in("nobody@example.com", WRONG)).await.is(401);
    w.ask(nobody.post("/v1/auth/sign-in", json!({"email": ADMIN, "password": [WRONG]}))).await.is(422);
    w.ask(nobody.ask(Method::POST, "/v1/auth/sign-in").raw("application/json", format!("{{\"password\": \"{WRONG}"))).await.is(400);
    let refresh = |token: &str| nobody.post("/v1/auth/refresh", json!({"refresh_token": token}));
    let second = w.ask(refresh(&tokens.text_of("refresh_token"))).await.is(200);
    w.ask(refresh(&second.text_of("refresh_token"))).await.is(200);
    w.ask(refresh(&tokens.text_of("refresh_token"))).await.is(401);
    w.ask(refresh("S3cret-refresh-token")).await.is(401);

    let user = w.ask(there.post("/v1/users", json!({"name": "U", "email": "u@example.com"}))).await.is(201).id();
    w.ask(there.post(&format!("/v1/users/{user}/set-password"), json!({"password": PASSWORD}))).await.is(204);
    w.ask(there.post(&format!("/v1/users/{user}/set-password"), json!({"password": "S3cret"}))).await.is(422);
    let signed = there.as_(&w.ask(sign_in("u@example.com", PASSWORD)).await.is(200).text_of("access_token"));
    let change = |current: &str| signed.post("/v1/me/password", json!({"current_password": current, "new_password": NEW}));
    w.ask(change(WRONG)).await.is(422);
    w.ask(change(PASSWORD)).await.is(204);

    let role = app.role(&["accounts:read/all"], &[]).await;
    let key = w.ask(there.post("/v1/api-keys", json!({"name": "K", "role_ids": [role]})).key("once")).await.is(201);
    w.ask(there.post("/v1/api-keys", json!({"name": "K", "role_ids": [role]})).key("once")).await.is(409);
    let (id, secret) = (key.text_of("client_id"), key.text_of("client_secret"));
    w.ask(there.as_(&key.text_of("token")).get("/v1/me")).await.is(200);
    w.ask(there.as_(&format!("{}S3cret", key.text_of("token"))).get("/v1/me")).await.is(401);
    w.ask(there.as_(&format!("{}S3cret", there.token())).get("/v1/me")).await.is(401);
    w.ask(nobody.get("/v1/me").header("authorization", "S3cret S3cret")).await.is(401);
    let token = |secret: &str| json!({"grant_type": "client_credentials", "client_id": id, "client_secret": secret});
    w.ask(nobody.post("/v1/oauth/token", token(&secret))).await.is(200);
    w.ask(nobody.post("/v1/oauth/token", token("S3cret"))).await.is(401);
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    w.ask(nobody.ask(Method::POST, "/v1/oauth/token").raw("application/x-www-form-urlencoded", form)).await.is(200);
    for secret in [secret.as_str(), "S3cret"] {
        let basic = STANDARD.encode(format!("{id}:{secret}"));
        let request = nobody.ask(Method::POST, "/v1/oauth/token").header("authorization", &format!("Basic {basic}"));
        w.secrets.push(basic);
        w.ask(request.raw("application/x-www-form-urlencoded", "grant_type=client_credentials")).await;
    }
    w.ask(there.post(&format!("/v1/api-keys/{id}/rotate"), json!({}))).await.is(200);
    w.ask(there.get("/v1/accounts?q=S3cret&access_token=S3cret")).await.is(400);
    w.ask(there.get("/v1/accounts?q=S3cret")).await.is(200);
    w.ask(there.get("/v1/lookup?phone=0812345678")).await.is(200);
    w.ask(there.get("/v1/accounts/by-external-id/S3cret/S3cret")).await.is(404);
    w.ask(there.post("/v1/accounts", json!({"name": {"x": "S3cret"}, "tax_id": "S3cret", "grade": ["S3cret"]}))).await.is(422);
    w.ask(signed.post("/v1/auth/sign-out", json!({}))).await.is(204);

    let events = app.all("/v1/audit-events", 200).await;
    assert!(events.len() >= 8, "{events:?}");
    let events = json!(events).to_string();
    let log = program.log();
    assert!(requests(&log).len() >= w.answers.len() && w.secrets.len() > 15, "{log}");
    for secret in &w.secrets {
        assert!(!log.contains(secret.as_str()), "{secret} in the log: {log}");
        assert!(!events.contains(secret.as_str()), "{secret} in the events: {events}");
        for problem in w.answers.iter().filter(|a| a.status >= 400) {
            assert!(!problem.text.contains(secret.as_str()), "{secret} in {}: {}", problem.what, problem.text);
        }
    }
    for private in [ADMIN, "u@example.com", "nobody@example.com", "0812345678"] {
        assert!(!log.contains(private), "{private} in the log: {log}");
    }
}
