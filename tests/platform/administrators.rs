//! There is always an administrator, and who owns the machine can make one.

use super::privacy::{act, verified};
use crate::support::{
    app::{ADMIN, PASSWORD},
    program::command,
    *,
};
use futures_util::future::join;
use samphan::config::RateLimit;
use std::process::Output;

crate::on_both![
    last_administrator_cannot_be_removed_in_any_way,
    two_administrators_removed_at_once_leave_one,
    password_reset_on_the_machine_ends_sessions_and_is_audited,
    administrator_is_created_on_the_machine_though_no_role_grants_everything,
];

async fn role_of_administrators(app: &App) -> String {
    app.all("/v1/roles?name=Administrator", 50).await[0]["id"].as_str().unwrap().to_owned()
}

async fn last_administrator_cannot_be_removed_in_any_way(app: App) {
    let admin = app.get("/v1/me").await.is(200).id();
    let role = role_of_administrators(&app).await;
    let (user, role_path) = (format!("/v1/users/{admin}"), format!("/v1/roles/{role}"));
    let hides = json!([{"fields": "financial", "access": "hidden"}]);
    let restricted = app.role(&["accounts:read/all"], &["personal=masked"]).await;
    let erasure = verified(&app, "erasure", "users", &admin).await.id();
    app.make("/v1/external-systems", json!({"code": "hr", "name": "HR", "kind": "accounting"})).await;
    let reference = json!({"system": "hr", "resource": "users", "record_id": admin, "external_id": "1"});
    app.make("/v1/external-references", reference).await;
    let refused_in_every_way = async || {
        let refuse = async |request: crate::support::request::Request| {
            request.await.refused(409, "last_administrator");
        };
        refuse(app.post(&format!("{user}/deactivate"), json!({}))).await;
        refuse(app.delete(&user)).await;
        refuse(app.patch(&user, json!({"role_ids": []}))).await;
        refuse(app.patch(&user, json!({"role_ids": [role, restricted]}))).await;
        let named = json!({"name": "Administrator", "email": ADMIN, "role_ids": []});
        refuse(app.put("/v1/users/by-external-id/hr/1", named)).await;
        refuse(app.post(&format!("/v1/privacy-requests/{erasure}/fulfil"), json!({}))).await;
        for change in [json!({"permissions": []}), json!({"field_rules": hides})] {
            refuse(app.patch(&role_path, change.clone())).await;
        }
        // A role that is held is not deleted, so neither is the only one of administrators.
        app.delete(&role_path).await.refused(409, "in_use");
        for (path, id, change) in [("users", &admin, json!({"role_ids": []})), ("roles", &role, json!({"permissions": []}))] {
            for (mode, mut item) in [("update", change), ("delete", json!({}))] {
                item["id"] = json!(id);
                let batch = app.post(&format!("/v1/{path}/batch"), json!({"mode": mode, "items": [item]})).await.is(200);
                let code = if (path, mode) == ("roles", "delete") { "in_use" } else { "last_administrator" };
                assert_eq!(batch["results"][0]["error"]["code"], code, "{path} {mode}: {}", batch.text);
            }
        }
    };
    refused_in_every_way().await;
    // What does not remove it goes on.
    app.patch(&user, json!({"name": "The Administrator"})).await.is(200);
    app.patch(&role_path, json!({"description": "Everything"})).await.is(200);
    // A second one who cannot sign in is none, nor is one who was deactivated.
    let second = json!({"name": "Second", "email": "second@example.com", "role_ids": [role]});
    let second = app.make("/v1/users", second).await["id"].as_str().unwrap().to_owned();
    refused_in_every_way().await;
    app.post(&format!("/v1/users/{second}/set-password"), json!({"password": PASSWORD})).await.is(204);
    app.post(&format!("/v1/users/{second}/deactivate"), json!({})).await.is(200);
    app.post(&format!("/v1/users/{second}/set-password"), json!({"password": PASSWORD})).await.refused(409, "illegal_transition");
    refused_in_every_way().await;
    app.post(&format!("/v1/users/{second}/activate"), json!({})).await.is(200);
    // One batch removes one of two, not both.
    let items = json!([{"id": second, "role_ids": []}, {"id": admin, "role_ids": []}]);
    let batch = app.post("/v1/users/batch", json!({"mode": "update", "items": items})).await.is(200);
    assert_eq!((&batch["results"][0]["status"], &batch["results"][1]["error"]["code"]), (&json!("updated"), &json!("last_administrator")));
    app.patch(&format!("/v1/users/{second}"), json!({"role_ids": [role]})).await.is(200);
    act(&app, &erasure, "fulfil", json!({})).await.is(200);
    let second = app.sign_in("second@example.com", PASSWORD).await.is(200);
    app.as_(&second.text_of("access_token")).get("/v1/users").await.is(200);
}

async fn two_administrators_removed_at_once_leave_one(app: App) {
    let role = role_of_administrators(&app).await;
    let other = app.another(RateLimit::Off);
    let mut standing = app.admin().await;
    for round in 0..5 {
        let email = format!("admin{round}@example.com");
        let user = json!({"name": "Another", "email": email, "role_ids": [role]});
        let id = standing.app.make("/v1/users", user).await["id"].as_str().unwrap().to_owned();
        standing.app.post(&format!("/v1/users/{id}/set-password"), json!({"password": PASSWORD})).await.is(204);
        let token = app.sign_in(&email, PASSWORD).await.is(200).text_of("access_token");
        let there = other.as_(&token);
        there.get("/v1/me").await.is(200);
        let one = standing.app.delete(&format!("/v1/users/{id}"));
        let two = there.post(&format!("/v1/users/{}/deactivate", standing.id), json!({}));
        let (one, two) = join(async { one.await }, async { two.await }).await;
        assert!((one.status == 204) != (two.status == 200), "one and only one is removed: {} {}", one.text, two.text);
        if two.status == 200 {
            standing.app = there.at(&app.url);
            standing.id = id;
        } else {
            assert!(two.status == 401 || two.body["code"] == "last_administrator", "{}", two.text);
        }
        standing.app.get("/v1/users").await.is(200);
    }
}

fn admin(app: &App, words: &[&str]) -> Output {
    let words = [&["admin", words[0], "--database-url", app.database_url()], &words[1..]].concat();
    command(&words).output().unwrap()
}

fn said(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

/// The password that was printed, once.
#[track_caller]
fn printed(done: &Output) -> String {
    let text = said(done);
    assert!(done.status.success(), "{text}");
    let (_, rest) = text.split_once("   password ").unwrap_or_else(|| panic!("{text}"));
    let password = rest.split_whitespace().next().unwrap().to_owned();
    assert_eq!(text.matches(&password).count(), 1, "{text}");
    password
}

async fn password_reset_on_the_machine_ends_sessions_and_is_audited(app: App) {
    let person = app.admin().await;
    let password = printed(&admin(&app, &["reset-password", "--email", " Admin@Example.com"]));
    app.sign_in(ADMIN, PASSWORD).await.refused(401, "invalid_grant");
    let again = app.sign_in(ADMIN, &password).await.is(200).text_of("access_token");
    let again = app.as_(&again);
    super::sessions::felt(&person.app).await;
    app.nobody().post("/v1/auth/refresh", json!({"refresh_token": person.refresh_token})).await.refused(401, "invalid_grant");
    let events = again.get(&format!("/v1/audit-events?resource_id={}&kind=user.password_set", person.id)).await.is(200);
    assert_eq!(ids(&events).len(), 1);
    assert_eq!(
        (&events["data"][0]["created_by_id"], &events["data"][0]["reason"]),
        (&Value::Null, &json!("samphan admin, on the machine"))
    );
    // Given in the environment or on standard input it is not printed.
    let mut given = command(&["admin", "reset-password", "--database-url", app.database_url(), "--email", ADMIN]);
    let done = given.env("SAMPHAN_NEW_PASSWORD", "tea at nine in Lampang").output().unwrap();
    assert!(done.status.success() && !said(&done).contains("Lampang"), "{}", said(&done));
    app.sign_in(ADMIN, "tea at nine in Lampang").await.is(200);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("line"), "coffee at ten in Phrae\n").unwrap();
    let mut given = command(&["admin", "reset-password", "--database-url", app.database_url(), "--email", ADMIN, "--password-stdin"]);
    let done = given.stdin(std::fs::File::open(folder.path().join("line")).unwrap()).output().unwrap();
    assert!(done.status.success() && !said(&done).contains("Phrae"), "{}", said(&done));
    app.sign_in(ADMIN, "coffee at ten in Phrae").await.is(200);
    for (words, says) in [
        (&["reset-password", "--email", "missing@example.com"][..], "no user has the e-mail address missing@example.com"),
        (&["reset-password", "--email", ADMIN, "--password", "short"], "12 characters or more"),
        (&["create", "--email", ADMIN], "a user has the e-mail address admin@example.com already"),
    ] {
        let done = admin(&app, words);
        assert!(!done.status.success() && said(&done).contains(says), "{}", said(&done));
    }
    // A user who was deactivated stays so unless that is asked for.
    let again = app.as_(&app.sign_in(ADMIN, "coffee at ten in Phrae").await.is(200).text_of("access_token"));
    let user = again.person(&["accounts:read/all"], &[], &[]).await;
    again.post(&format!("/v1/users/{}/deactivate", user.id), json!({})).await.is(200);
    let done = admin(&app, &["reset-password", "--email", &user.email]);
    assert!(!done.status.success() && said(&done).contains("--activate"), "{}", said(&done));
    let done = admin(&app, &["reset-password", "--email", &user.email, "--activate"]);
    assert!(said(&done).contains("do not grant everything"), "{}", said(&done));
    app.sign_in(&user.email, &printed(&done)).await.is(200);
}

async fn administrator_is_created_on_the_machine_though_no_role_grants_everything(app: App) {
    let password = printed(&admin(&app, &["create", "--email", "first@example.com", "--name", "First"]));
    let tokens = app.sign_in("first@example.com", &password).await.is(200);
    let me = app.as_(&tokens.text_of("access_token")).get("/v1/me").await.is(200);
    assert_eq!((&me["name"], &me["permissions"]["*:*"]), (&json!("First"), &json!("all")));
    assert_eq!(app.all("/v1/roles", 50).await.iter().filter(|r| r["name"].as_str().unwrap().contains("Administrator")).count(), 1);
    // As a database may have been left by a version before.
    let work = app.work().await;
    let mut sql = work.sql();
    sql.push("UPDATE roles SET permissions = '[]' WHERE name = 'Administrator'");
    work.execute(sql).await.unwrap();
    work.commit().await.unwrap();
    let password = printed(&admin(&app, &["create", "--email", "second@example.com"]));
    let tokens = app.sign_in("second@example.com", &password).await.is(200);
    let roles = app.as_(&tokens.text_of("access_token")).all("/v1/roles", 50).await;
    assert!(roles.iter().any(|r| r["name"] == "Administrator 2" && r["permissions"][0]["permission"] == "*:*"), "{roles:?}");
}
