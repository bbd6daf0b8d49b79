//! People and machines with just the rights a test is about.

use super::{
    Answer, App,
    app::{ADMIN, PASSWORD},
};
use serde_json::{Value, json};

/// Somebody who is signed in.
pub struct Person {
    /// The server as this person sees it.
    pub app: App,
    pub id: String,
    pub email: String,
    pub refresh_token: String,
}

impl App {
    /// Signs in.
    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.nobody().post("/v1/auth/sign-in", json!({"email": email, "password": password})).await
    }

    /// A new session of the administrator.
    pub async fn admin(&self) -> Person {
        let tokens = self.sign_in(ADMIN, PASSWORD).await.is(200);
        let app = self.as_(&tokens.text_of("access_token"));
        let id = app.get("/v1/me").await.is(200).id();
        Person { app, id, email: ADMIN.to_owned(), refresh_token: tokens.text_of("refresh_token") }
    }

    /// A role, by grants such as `accounts:read/own` and field rules such as `personal=hidden`.
    pub async fn role(&self, grants: &[&str], rules: &[&str]) -> String {
        let parts = |text: &str, sign| text.split_once(sign).map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let grants: Vec<Value> = grants.iter().map(|g| parts(g, '/')).map(|(p, r)| json!({"permission": p, "reach": r})).collect();
        let rules: Vec<Value> = rules.iter().map(|r| parts(r, '=')).map(|(f, a)| json!({"fields": f, "access": a})).collect();
        let name = format!("Role {}", super::random_id());
        let made = self.make("/v1/roles", json!({"name": name, "permissions": grants, "field_rules": rules})).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// A team beneath another, or beneath none.
    pub async fn team(&self, parent: Option<&str>) -> String {
        let mut body = json!({"name": format!("Team {}", super::random_id())});
        if let Some(parent) = parent {
            body["parent_id"] = json!(parent);
        }
        self.make("/v1/teams", body).await["id"].as_str().unwrap().to_owned()
    }

    /// A user of those grants, field rules and teams, signed in.
    pub async fn person(&self, grants: &[&str], rules: &[&str], teams: &[&str]) -> Person {
        let roles = if grants.is_empty() && rules.is_empty() { vec![] } else { vec![self.role(grants, rules).await] };
        let email = format!("{}@example.com", super::random_id());
        let user = json!({"name": "Somying Rakdee", "email": email, "role_ids": roles, "team_ids": teams});
        let id = self.post("/v1/users", user).await.is(201).id();
        self.post(&format!("/v1/users/{id}/set-password"), json!({"password": PASSWORD})).await.is(204);
        let tokens = self.sign_in(&email, PASSWORD).await.is(200);
        Person { app: self.as_(&tokens.text_of("access_token")), id, email, refresh_token: tokens.text_of("refresh_token") }
    }

    /// An API key of those grants, with more of its fields in `rest`; the whole answer.
    pub async fn api_key(&self, grants: &[&str], rest: Value) -> Answer {
        let role = self.role(grants, &[]).await;
        let mut body = json!({"name": "A machine", "role_ids": [role]});
        body.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap_or_default());
        self.post("/v1/api-keys", body).await
    }
}
