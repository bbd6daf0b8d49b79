//! Limits: whose they are, what counts, and that nobody uses up what is another's.

use crate::support::{
    app::{ADMIN, PASSWORD},
    *,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use samphan::config::RateLimit;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

crate::on_both![
    clients_behind_a_trusted_proxy_have_limits_of_their_own,
    headers_of_a_proxy_nobody_trusts_are_ignored,
    headers_of_a_proxy_that_disagree_are_refused,
    key_with_allowed_addresses_works_behind_a_trusted_proxy,
    allowed_addresses_are_written_in_one_way_and_must_be_possible,
    right_password_from_another_address_is_not_locked_out,
    ipv6_clients_are_limited_by_their_network,
    failed_sign_ins_cost_no_machine_its_token,
    bad_keys_are_limited_and_good_ones_go_on,
    exports_of_one_caller_are_limited,
    parts_of_the_document_are_limited_by_client,
];

/// A server that believes this machine about who calls.
fn behind_a_proxy(app: &App) -> App {
    app.another_set(RateLimit::On, |settings| settings.trusted_proxies = vec!["127.0.0.1".parse().unwrap()])
}

async fn sign_in(app: &App, forwarded_for: &str, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    app.nobody().post("/v1/auth/sign-in", body).header("x-forwarded-for", forwarded_for).await
}

/// Fails to sign in from a client's addresses, each time to another account, until it is refused: the limit fills again as time goes by.
async fn use_up(app: &App, address: impl Fn(usize) -> String) {
    for n in 0..80 {
        let answer = sign_in(app, &address(n), &format!("{n}@example.com"), "wrong").await;
        if answer.status == 429 {
            assert!(n >= 20, "{n}");
            return;
        }
        answer.refused(401, "invalid_grant");
    }
    panic!("never refused");
}

async fn clients_behind_a_trusted_proxy_have_limits_of_their_own(app: App) {
    let proxied = behind_a_proxy(&app);
    for n in 0..22 {
        let email = format!("{n}@example.com");
        sign_in(&proxied, &format!("198.51.100.{n}"), &email, "wrong").await.refused(401, "invalid_grant");
    }
    // What a client writes itself stands on the left of what the proxy adds.
    use_up(&proxied, |n| format!("192.0.2.{n}, 203.0.113.1")).await;
    sign_in(&proxied, "203.0.113.2", ADMIN, PASSWORD).await.is(200);
}

async fn headers_of_a_proxy_nobody_trusts_are_ignored(app: App) {
    let limited = app.another(RateLimit::On);
    use_up(&limited, |n| format!("198.51.100.{n}")).await;
}

async fn headers_of_a_proxy_that_disagree_are_refused(app: App) {
    let proxied = behind_a_proxy(&app);
    let asked = |list: &str| proxied.get("/v1/me").header("x-forwarded-for", list).header("forwarded", "for=203.0.113.1;proto=https");
    asked("203.0.113.1").await.is(200);
    asked("203.0.113.2").await.refused(400, "invalid_header");
}

async fn key_with_allowed_addresses_works_behind_a_trusted_proxy(app: App) {
    let proxied = behind_a_proxy(&app);
    let key = proxied.api_key(&["accounts:read/all"], json!({"allowed_addresses": ["203.0.113.0/24", "2001:db8::/32"]})).await.is(201);
    let machine = proxied.as_(&key.text_of("token"));
    for (client, status) in
        [("203.0.113.9", 200), ("2001:db8::1", 200), ("198.51.100.1", 401), ("203.0.113.9, 198.51.100.1", 401), ("::ffff:203.0.113.9", 200)]
    {
        machine.get("/v1/accounts").header("x-forwarded-for", client).await.is(status);
    }
    machine.get("/v1/accounts").header("forwarded", "for=\"[2001:db8::1]:4711\"").await.is(200);
    machine.get("/v1/accounts").await.refused(401, "unauthenticated");
}

async fn allowed_addresses_are_written_in_one_way_and_must_be_possible(app: App) {
    let sent = json!({"allowed_addresses": ["0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "10.1.2.3/8"]});
    let key = app.api_key(&["accounts:read/all"], sent).await.is(201);
    assert_eq!(key["api_key"]["allowed_addresses"], json!(["::1", "127.0.0.1", "10.0.0.0/8"]));
    app.as_(&key.text_of("token")).get("/v1/accounts").await.is(200);
    let path = format!("/v1/api-keys/{}", key["api_key"]["id"].as_str().unwrap());
    for address in ["0.0.0.0", "255.255.255.255", "10.0.0.0/33", "ff02::1", "example.com"] {
        let patch = app.patch(&path, json!({"allowed_addresses": ["127.0.0.1", address]})).await;
        patch.refused(422, "validation_failed").fault("/allowed_addresses/1", "invalid_format");
    }
}

async fn right_password_from_another_address_is_not_locked_out(app: App) {
    let proxied = behind_a_proxy(&app);
    for _ in 0..5 {
        sign_in(&proxied, "198.51.100.1", ADMIN, "wrong").await.refused(401, "invalid_grant");
    }
    sign_in(&proxied, "198.51.100.1", ADMIN, PASSWORD).await.refused(429, "rate_limited");
    sign_in(&proxied, "203.0.113.2", ADMIN, PASSWORD).await.is(200);
    // Nor by many addresses: tries are only slow then.
    for n in 0..18 {
        sign_in(&proxied, &format!("198.51.100.{}", 100 + n), ADMIN, "wrong").await.refused(401, "invalid_grant");
    }
    sign_in(&proxied, "203.0.113.2", ADMIN, PASSWORD).await.is(200);
    // Who signs in rightly may do so as often as needed.
    for _ in 0..6 {
        sign_in(&proxied, "203.0.113.3", ADMIN, PASSWORD).await.is(200);
    }
}

async fn ipv6_clients_are_limited_by_their_network(app: App) {
    let proxied = behind_a_proxy(&app);
    use_up(&proxied, |n| format!("2001:db8:0:1:{n:x}::1")).await;
    sign_in(&proxied, "2001:db8:0:2::1", "x@example.com", "wrong").await.refused(401, "invalid_grant");
}

async fn failed_sign_ins_cost_no_machine_its_token(app: App) {
    let limited = app.another(RateLimit::On);
    let key = limited.api_key(&["accounts:read/all"], json!({})).await.is(201);
    use_up(&limited, |_| String::new()).await;
    let basic = |secret: &str| format!("Basic {}", STANDARD.encode(format!("{}:{secret}", key.text_of("client_id"))));
    let token = |secret: &str| {
        limited.nobody().post("/v1/oauth/token", json!({"grant_type": "client_credentials"})).header("authorization", &basic(secret))
    };
    // Of right ones there is no end.
    for _ in 0..25 {
        token(&key.text_of("client_secret")).await.is(200);
    }
    for _ in 0..20 {
        token("wrong").await.refused(401, "invalid_grant");
    }
    token("wrong").await.refused(429, "rate_limited");
    app.get("/v1/me").await.is(200);
}

async fn bad_keys_are_limited_and_good_ones_go_on(app: App) {
    let limited = app.another(RateLimit::On);
    let key = limited.api_key(&["accounts:read/all"], json!({})).await.is(201);
    let later = limited.api_key(&["accounts:read/all"], json!({})).await.is(201);
    let machine = limited.as_(&key.text_of("token"));
    machine.get("/v1/accounts").await.is(200);
    let mut refused = 0;
    for n in 0..90 {
        let bad = match n % 3 {
            0 => format!("smp_{}{}", random_id().replace('-', ""), "x".repeat(43)),
            1 => "smp_short".to_owned(),
            _ => "not.a.token".to_owned(),
        };
        let answer = limited.as_(&bad).get("/v1/accounts").await;
        if answer.status == 429 {
            assert!((1..=60).contains(&answer.header("retry-after").parse::<u64>().unwrap()));
            refused += 1;
        } else {
            answer.refused(401, "unauthenticated");
        }
    }
    // One comes back each second.
    assert!((10..=30).contains(&refused), "{refused}");
    // Who is known goes on, by key and by token; a key nobody has used here yet waits.
    machine.get("/v1/accounts").await.is(200);
    app.as_(&app.token()).get("/v1/me").await.is(200);
    limited.get("/v1/me").await.is(200);
    let waits = limited.as_(&later.text_of("token")).get("/v1/accounts").await;
    assert!([200, 429].contains(&waits.status), "{waits:?}");
}

/// A request whose answer is not read.
async fn unread(app: &App, path: &str) -> TcpStream {
    let address: SocketAddr = app.url.trim_start_matches("http://").parse().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", app.token());
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200");
    stream
}

async fn exports_of_one_caller_are_limited(app: App) {
    let long = "x".repeat(2_000);
    let tags: Vec<Value> = (0..1_000).map(|n| json!({"name": format!("Account {n}"), "description": long})).collect();
    for _ in 0..5 {
        app.make_many("/v1/accounts", &tags).await;
    }
    let path = "/v1/accounts/export?fields=description";
    let mut open = vec![unread(&app, path).await, unread(&app, path).await];
    let refused = app.get(path).await.refused(429, "rate_limited");
    assert!(!refused.header("retry-after").is_empty() && refused.text.contains("exports"), "{}", refused.text);
    let other = app.person(&["accounts:read/all", "accounts:export/all"], &[], &[]).await.app;
    drop(unread(&other, path).await);
    // Who closes one may have another.
    open.pop();
    loop {
        let answer = app.get("/v1/tags/export").await;
        if answer.status == 200 {
            break;
        }
        answer.refused(429, "rate_limited");
    }
}

async fn parts_of_the_document_are_limited_by_client(app: App) {
    let proxied = behind_a_proxy(&app).nobody();
    let document = app.get("/openapi.json").await.is(200);
    let tags: Vec<&str> = document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    // Ever-new sets of tags, from ever-new addresses of one network.
    let sets: Vec<String> = tags.iter().enumerate().flat_map(|(n, one)| tags[..n].iter().map(move |two| format!("{one},{two}"))).collect();
    let part = async |set: &str, client: &str| proxied.get(&format!("/openapi.json?tags={set}")).header("x-forwarded-for", client).await;
    let mut made: Vec<&str> = vec![];
    let refused = loop {
        let answer = part(&sets[made.len()], &format!("2001:db8:0:1:{:x}::1", made.len())).await;
        if answer.status != 200 {
            break answer.refused(429, "rate_limited");
        }
        made.push(&sets[made.len()]);
        assert!(made.len() < 60, "never refused");
    };
    assert!(made.len() >= 10, "{}", made.len());
    assert!((1..=60).contains(&refused.header("retry-after").parse::<u64>().unwrap()), "{refused:?}");
    // What is made already goes on, in every form, and so does the whole; another client has a share of its own.
    let client = "2001:db8:0:1::1";
    for _ in 0..20 {
        part(made.last().unwrap(), client).await.is(200);
    }
    proxied.get("/openapi.json").header("x-forwarded-for", client).await.is(200);
    proxied.get("/openapi-3.0.json").header("x-forwarded-for", client).await.is(200);
    part(&sets[made.len() + 1], "2001:db8:0:2::1").await.is(200);
    part(&sets[made.len() + 2], "203.0.113.1").await.is(200);
}
