//! Northwind, loaded twice through the public API of a service of its own, on each database.

#![expect(clippy::expect_used, reason = "a test says what it expected")]
#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use clap::Parser;
use reqwest::Method;
use samphan::{
    commands::load::{self, Client, Options, Service, Summary},
    config::{Cli, Command, Settings},
    server,
};
use samphan_api::platform::first_start;
use sea_orm::{ConnectionTrait, Database};
use serde_json::Value;
use std::path::{Path, PathBuf};

const PASSWORD: &str = "a password for tests";

/// The folder of the sample data, which is not part of the project.
#[expect(clippy::disallowed_methods, reason = "tests have no settings of their own")]
fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/northwind");
    let folder = std::env::var("SAMPHAN_NORTHWIND").map_or(beside, PathBuf::from);
    folder.join("customers.csv").exists().then_some(folder)
}

fn settings(database_url: &str) -> Settings {
    let words = ["samphan", "serve", "--listen", "127.0.0.1:0", "--workers", "1", "--admin-password", PASSWORD];
    match Cli::parse_from(words.into_iter().chain(["--database-url", database_url])).command {
        Command::Serve(settings) => *settings,
        other => panic!("{other:?}"),
    }
}

async fn load_twice(database_url: &str, folder: &Path) {
    let settings = settings(database_url);
    let service = server::build(&settings).await.expect("a database");
    first_start::run(service.store(), service.presets(), &settings.admin_email, Some(PASSWORD)).await.expect("an administrator");
    let serving = server::serve(&settings, service).await.expect("a service");
    let (handle, address) = (serving.handle(), serving.address);
    actix_web::rt::spawn(serving.run());
    let options = Options {
        folder: folder.to_owned(),
        service: Service {
            url: format!("http://{address}"),
            email: settings.admin_email.clone(),
            password: Some(PASSWORD.to_owned()),
            token: None,
        },
    };

    let first = load::northwind(&options).await.expect("a load");
    assert_eq!(first.failures, Vec::<String>::new());
    let created = |summary: &Summary, name: &str| summary.of(name).created;
    for (name, many) in [
        ("external systems", 1),
        ("users", 9),
        ("accounts", 91),
        ("contacts", 91),
        ("account contacts", 91),
        ("addresses", 91),
        ("categories", 8),
        ("products", 77),
        ("price books", 1),
        ("price book entries", 77),
    ] {
        assert_eq!(created(&first, name), many, "{name}");
    }
    assert!(created(&first, "contact points") > 91, "phones and faxes");

    let client = Client::sign_in(&options.service).await.expect("a sign-in");
    let before = versions(&client).await;
    let second = load::northwind(&options).await.expect("a load");
    assert!(second.is_unchanged(), "{second}");
    assert_eq!(versions(&client).await, before, "no version moves");
    found_as_written(&client).await;
    handle.stop(false).await;
}

/// Ids and versions of everything that was loaded.
async fn versions(client: &Client) -> Vec<String> {
    let mut all = vec![];
    for path in ["accounts", "contacts", "account-contacts", "users", "products", "product-categories", "price-books", "external-systems"] {
        let records = client.all(&format!("/v1/{path}"), "").await.expect(path);
        all.extend(records.iter().map(|r| format!("{path} {} {}", r["id"], r["version"])));
    }
    let events = client.all("/v1/audit-events", "&fields=kind").await.expect("events");
    // A sign-in is an event too, and each run signs in.
    let writes = events.iter().filter(|e| !e["kind"].as_str().unwrap_or_default().starts_with("session."));
    all.push(format!("{} events", writes.count()));
    all
}

async fn found_as_written(client: &Client) {
    let get = async |path: &str| client.send(Method::GET, path, None).await.expect(path);
    let account = get("/v1/accounts/by-external-id/northwind/AROUT").await;
    assert_eq!((account["name"].as_str(), account["country"].as_str()), (Some("Around the Horn"), Some("GB")));
    let nancy = get("/v1/users/by-external-id/northwind/1").await;
    let boss = get("/v1/users/by-external-id/northwind/2").await;
    assert_eq!(nancy["email"], "nancy.davolio@northwind.example");
    assert_eq!(nancy["manager_id"], boss["id"], "the reporting line");
    assert_eq!(boss["manager_id"], Value::Null);
    let chai = get("/v1/products/by-external-id/northwind/1").await;
    assert_eq!((chai["sku"].as_str(), chai["status"].as_str()), (Some("NW-001"), Some("discontinued")));
    assert_eq!(chai["packaging"], "10 boxes x 30 bags");

    let american = get("/v1/accounts/by-external-id/northwind/GREAL").await;
    let id = american["id"].as_str().expect("an id");
    let points = get(&format!("/v1/accounts/{id}/contact-points")).await;
    assert_eq!(points["data"][0]["e164"], "+15035557555");
    let mut parsed = 0;
    for account in client.all("/v1/accounts", "&fields=id").await.expect("accounts") {
        let points = get(&format!("/v1/accounts/{}/contact-points", account["id"].as_str().expect("an id"))).await;
        for point in points["data"].as_array().expect("a page") {
            match point["e164"].as_str() {
                Some(e164) => {
                    assert!(e164.starts_with('+') && e164[1..].bytes().all(|b| b.is_ascii_digit()), "{e164}");
                    parsed += 1;
                }
                None => assert!(!point["normalized"].as_str().unwrap_or_default().is_empty()),
            }
        }
    }
    assert!(parsed > 30, "most phones of today's form are read: {parsed}");
}

#[actix_web::test]
async fn northwind_loads_and_a_second_run_changes_nothing_on_sqlite() {
    let Some(folder) = folder() else { return eprintln!("northwind: no sample data beside the project, nothing to load") };
    let home = tempfile::tempdir().expect("a folder");
    load_twice(&format!("sqlite://{}", home.path().join("northwind.db").display()), &folder).await;
}

#[actix_web::test]
#[expect(clippy::disallowed_methods, reason = "tests have no settings of their own")]
async fn northwind_loads_and_a_second_run_changes_nothing_on_postgres() {
    let Some(folder) = folder() else { return eprintln!("northwind: no sample data beside the project, nothing to load") };
    let Ok(server) = std::env::var("SAMPHAN_TEST_POSTGRES") else { return eprintln!("northwind: SAMPHAN_TEST_POSTGRES is not set") };
    let name = format!("northwind_{}", std::process::id());
    let admin = Database::connect(format!("{server}/postgres")).await.expect("a server");
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
    load_twice(&format!("{server}/{name}"), &folder).await;
}
