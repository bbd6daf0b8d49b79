//! Generated callers and requests: whatever a group of callers asks, together it sees and does no more than before.

use crate::{
    support::{
        app::PASSWORD,
        generated::{cases, for_all},
        *,
    },
    walks::Step,
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select, subsequence},
};
use samphan::config::RateLimit;
use std::collections::{BTreeMap, BTreeSet};

crate::on_both![no_sequence_of_allowed_requests_gains_rights];

/// What roles are drawn from: rights to records, some by owner and some with fields that are protected.
const DATA: [&str; 9] = [
    "accounts:read",
    "accounts:update",
    "accounts:create",
    "contacts:read",
    "credit-balances:read",
    "credit:read",
    "tags:read",
    "*:read",
    "accounts:*",
];
/// What the first caller has besides: all that hands rights over.
const HANDING: [&str; 7] =
    ["roles:*", "users:*", "teams:*", "api-keys:*", "webhook-endpoints:*", "external-references:*", "privacy-requests:*"];
const REACHES: [&str; 4] = ["own", "team", "subtree", "all"];
const RULES: [&str; 4] = ["financial", "personal", "accounts.grade", "contacts.department"];
const ACCESSES: [&str; 4] = ["hidden", "masked", "read_only", "full"];
/// The lists that are looked at, and the resources whose requests are sent.
const SEEN: [&str; 5] = ["accounts", "contacts", "credit-balances", "users", "external-references"];
const ASKED: [&str; 8] =
    ["roles", "users", "teams", "api-keys", "webhook-endpoints", "external-references", "accounts", "privacy-requests"];

/// A role's grants and field rules.
type RoleDrawn = (Vec<(&'static str, &'static str)>, Vec<(&'static str, &'static str)>);

/// A request: by whom, which operation, and what its ids and its body are picked by.
#[derive(Clone, Debug)]
struct Asked {
    by: Index,
    step: Index,
    picks: Vec<Index>,
    role: RoleDrawn,
}

fn role() -> impl Strategy<Value = RoleDrawn> {
    let grants = vec((select(DATA.to_vec()), select(REACHES.to_vec())), 0..4);
    let rules = subsequence(RULES.to_vec(), 0..3).prop_flat_map(|rules| {
        let count = rules.len();
        (Just(rules), vec(select(ACCESSES.to_vec()), count)).prop_map(|(rules, accesses)| rules.into_iter().zip(accesses).collect())
    });
    (grants, rules)
}

fn asked() -> impl Strategy<Value = Asked> {
    (any::<Index>(), any::<Index>(), vec(any::<Index>(), 12), role()).prop_map(|(by, step, picks, role)| Asked { by, step, picks, role })
}

fn role_body((grants, rules): &RoleDrawn) -> Value {
    let mut permissions: BTreeMap<&str, &str> = BTreeMap::new();
    permissions.extend(grants.iter().copied());
    let permissions: Vec<Value> = permissions.iter().map(|(p, r)| json!({"permission": p, "reach": r})).collect();
    let rules: Vec<Value> = rules.iter().map(|(f, a)| json!({"fields": f, "access": a})).collect();
    json!({"permissions": permissions, "field_rules": rules})
}

/// The records of a case by resource, those that the group made included.
type Known = BTreeMap<&'static str, Vec<String>>;

/// What a group can sign in with.
#[derive(Clone)]
struct Member {
    app: App,
    /// The e-mail address of a user; keys go on by their token.
    email: Option<String>,
}

async fn make(app: &App, known: &mut Known, resource: &'static str, body: Value) -> String {
    let id = app.make(&format!("/v1/{resource}"), body).await["id"].as_str().unwrap().to_owned();
    known.entry(resource).or_default().push(id.clone());
    id
}

/// Teams, roles and users as they were drawn, and records of each; the first two users are the group. Answers also the records that the
/// group is held against: what its own members own may be given to them by who reaches what is one's own.
async fn world(app: &App, roles: &[RoleDrawn]) -> (Known, Vec<Member>, Known) {
    let mut known = Known::new();
    let mut own = vec![];
    let above = make(app, &mut known, "teams", json!({"name": random_id()})).await;
    let below = make(app, &mut known, "teams", json!({"name": random_id(), "parent_id": above})).await;
    let aside = make(app, &mut known, "teams", json!({"name": random_id()})).await;
    let mut role_ids = vec![];
    for (n, drawn) in roles.iter().enumerate() {
        let mut body = role_body(drawn);
        if n == 0 {
            let all = HANDING.iter().map(|p| json!({"permission": p, "reach": "all"}));
            body["permissions"].as_array_mut().unwrap().extend(all);
        }
        body["name"] = json!(random_id());
        role_ids.push(make(app, &mut known, "roles", body).await);
    }
    make(app, &mut known, "roles", json!({"name": random_id(), "permissions": [{"permission": "*:*", "reach": "all"}]})).await;
    let mut group = vec![];
    for (n, (role, team)) in role_ids.iter().zip([&below, &below, &aside, &above, &aside]).enumerate() {
        let email = format!("{}@example.com", random_id());
        let user = json!({"name": "A", "email": email, "role_ids": [role], "team_ids": [team]});
        let id = make(app, &mut known, "users", user).await;
        app.post(&format!("/v1/users/{id}/set-password"), json!({"password": PASSWORD})).await.is(204);
        if n < 2 {
            group.push(Member { app: app.nobody(), email: Some(email) });
        } else {
            let key = app.post("/v1/api-keys", json!({"name": "K", "role_ids": [role]})).await.is(201);
            known.entry("api-keys").or_default().push(key.text_of("client_id"));
        }
        for team in [&above, &below, &aside] {
            let account = json!({"name": "A", "grade": "A", "owner_id": id, "team_id": team, "currency": "THB"});
            let account = make(app, &mut known, "accounts", account).await;
            if n < 2 {
                own.push(account.clone());
            }
            let contact = json!({"first_name": "A", "birth_date": "1980-01-02", "department": "D", "owner_id": id, "team_id": team});
            let contact = make(app, &mut known, "contacts", contact).await;
            if n < 2 {
                own.push(contact);
            }
            let name = json!({"system": "express", "resource": "accounts", "external_id": account, "record_id": account});
            make(app, &mut known, "external-references", name).await;
            let item = json!({"external_id": account, "as_of": "2026-01-01T00:00:00Z", "receivable": "1597"});
            let push = json!({"system": "express", "entity": "main", "currency": "THB", "items": [item]});
            app.post("/v1/credit-balances/batch", push).await.is(200);
        }
    }
    // Something of the administrator's to take over, and something to restore.
    let hook = app.post("/v1/webhook-endpoints", json!({"url": "http://127.0.0.1:9/a", "event_types": ["tag.created"]})).await.is(201);
    known.entry("webhook-endpoints").or_default().push(hook["webhook_endpoint"]["id"].as_str().unwrap().to_owned());
    let admin = app.get("/v1/me").await.is(200).id();
    known.entry("users").or_default().push(admin);
    let gone = make(app, &mut known, "teams", json!({"name": random_id(), "parent_id": below})).await;
    make(app, &mut known, "accounts", json!({"name": "A", "grade": "A", "team_id": gone})).await;
    app.delete(&format!("/v1/teams/{gone}")).await;
    let power = known["roles"].last().unwrap().clone();
    app.delete(&format!("/v1/roles/{power}")).await.is(204);
    let mut others = known.clone();
    others.values_mut().for_each(|ids| ids.retain(|id| !own.contains(id)));
    (known, group, others)
}

/// What a group sees of records and may do: fields that say something, permissions, and how far each reaches.
async fn sight(app: &App, group: &mut [Member], records: &Known) -> BTreeSet<String> {
    // A process that remembers nobody's rights.
    let fresh = app.another(RateLimit::Off);
    let mut facts = BTreeSet::new();
    for member in group {
        if let Some(email) = &member.email {
            let tokens = fresh.sign_in(email, PASSWORD).await;
            let tokens = if tokens.status == 200 { tokens } else { fresh.sign_in(email, STOLEN).await };
            if tokens.status != 200 {
                continue;
            }
            member.app = app.as_(&tokens.text_of("access_token"));
        }
        let there = fresh.as_(&member.app.token());
        let me = there.get("/v1/me").await;
        for (permission, reach) in me["permissions"].as_object().into_iter().flatten() {
            let rank = REACHES.iter().position(|r| reach == r).unwrap();
            facts.extend(REACHES[..=rank].iter().map(|reach| format!("may {permission}/{reach}")));
        }
        for list in SEEN {
            let page = there.get(&format!("/v1/{list}?limit=200")).await;
            for record in page["data"].as_array().into_iter().flatten() {
                let of = match list {
                    "credit-balances" => &record["account_id"],
                    "external-references" => &record["record_id"],
                    _ => &record["id"],
                };
                let is_known = records.values().flatten().any(|id| of == id);
                let shown = record.as_object().unwrap().iter().filter(|(_, v)| !v.is_null() && *v != "***" && *v != "0.00");
                let shown = shown.filter(|(name, _)| !matches!(name.as_str(), "available_actions" | "version"));
                facts.extend(shown.filter(|_| is_known).map(|(name, _)| format!("sees {list} {of} {name}")));
            }
        }
    }
    facts
}

/// The password that the group sets.
const STOLEN: &str = "another horse battery";

/// A body for an operation, picked from what there is.
fn body(step: &Step, asked: &Asked, known: &Known, is_create: bool) -> Value {
    let pick = |n: usize, of: &str| known.get(of).map(|ids| asked.picks[n].get(ids).clone());
    let flag = |n: usize| asked.picks[n].index(2) == 0;
    let several = |n: usize, of: &str| json!((0..asked.picks[n].index(3)).filter_map(|i| pick(n + 1 + i, of)).collect::<BTreeSet<_>>());
    let resource = step.path.split('/').nth(2).unwrap_or_default();
    let mut body = match resource {
        "roles" => {
            let mut body = role_body(&asked.role);
            if asked.picks[0].index(4) == 0 {
                body["permissions"] = json!([]);
            }
            if flag(1) {
                body.as_object_mut().unwrap().remove(["permissions", "field_rules"][asked.picks[2].index(2)]);
            }
            body
        }
        "users" => json!({"role_ids": several(0, "roles"), "team_ids": several(4, "teams")}),
        "teams" => json!({"parent_id": pick(0, "teams")}),
        "api-keys" => {
            json!({"role_ids": [pick(0, "roles"), pick(1, "roles")], "scopes": if flag(2) { json!(["accounts:read"]) } else { json!([]) },
            "systems": if flag(3) { json!(["express"]) } else { json!([]) }, "expires_at": "2046-01-01T00:00:00Z"})
        }
        "webhook-endpoints" => json!({"url": "http://127.0.0.1:9/stolen", "event_types": ["tag.created"]}),
        "external-references" => {
            json!({"system": "express", "resource": "accounts", "external_id": random_id(), "record_id": pick(0, "accounts")})
        }
        "accounts" => json!({"owner_id": pick(0, "users"), "team_id": pick(1, "teams"), "grade": "B"}),
        _ => json!({"kind": "erasure", "resource": "users", "record_id": pick(0, "users")}),
    };
    match step.path.rsplit('/').next().unwrap_or_default() {
        "set-password" => return json!({"password": STOLEN}),
        "assign" => return json!({"owner_id": pick(0, "users"), "team_id": pick(1, "teams")}),
        "verify" => return json!({"evidence": "seen"}),
        "fulfil" | "reject" => return json!({}),
        "replay" => return json!({"after": "x"}),
        _ => {}
    }
    let fields = body.as_object_mut().unwrap();
    if is_create {
        fields.insert("name".to_owned(), json!(random_id()));
        if resource == "users" {
            fields.insert("email".to_owned(), json!(format!("{}@example.com", random_id())));
        }
        if !matches!(resource, "roles" | "users" | "teams" | "api-keys" | "accounts") {
            fields.remove("name");
        }
    } else if flag(5) && fields.len() > 1 {
        let name = asked.picks[6].get(&fields.keys().cloned().collect::<Vec<_>>()).clone();
        fields.retain(|other, _| *other == name);
    }
    body
}

/// Sends one request of the group, and takes up what it is given: ids, keys, and identities.
async fn send(app: &App, steps: &[Step], asked: &Asked, known: &mut Known, group: &mut Vec<Member>) {
    let step = asked.step.get(steps);
    let by = asked.by.get(group).app.clone();
    let names: Vec<String> = step
        .path
        .split('/')
        .enumerate()
        .filter(|(_, part)| part.starts_with('{'))
        .map(|(n, part)| match part {
            "{system}" => "express".to_owned(),
            _ => {
                known.get(step.path.split('/').nth(n - 1).unwrap_or_default()).map_or_else(random_id, |ids| asked.picks[9].get(ids).clone())
            }
        })
        .collect();
    let resource = ASKED.into_iter().find(|r| step.path.split('/').nth(2) == Some(r)).unwrap();
    let sent = if step.path.ends_with("/batch") {
        let mode = ["create", "update", "delete"][asked.picks[10].index(3)];
        let mut item = if mode == "delete" { json!({}) } else { body(step, asked, known, mode == "create") };
        if mode != "create" {
            item["id"] = json!(known.get(resource).map(|ids| asked.picks[9].get(ids).clone()));
        }
        Some(json!({"mode": mode, "items": [item]}))
    } else {
        step.taken().map(|_| body(step, asked, known, step.method != "patch" && !step.path.contains("{id}")))
    };
    let answer = step.ask_for(&by, &names, "", sent.as_ref()).await;
    if answer.status >= 300 {
        return;
    }
    let id = |of: &Value| of["id"].as_str().map(str::to_owned);
    let made = id(&answer).or_else(|| id(&answer["api_key"])).or_else(|| id(&answer["results"][0]));
    if let Some(made) = made.filter(|made| !known.get(resource).is_some_and(|ids| ids.contains(made))) {
        known.entry(resource).or_default().push(made);
    }
    if let Some(token) = answer["token"].as_str() {
        group.push(Member { app: app.as_(token), email: None });
    }
    if step.path.ends_with("/set-password") {
        let email = app.get(&format!("/v1/users/{}", names[0])).await["email"].as_str().map(str::to_owned);
        group.push(Member { app: app.nobody(), email });
        let last = group.len() - 1;
        sight(app, &mut group[last..], &Known::new()).await;
    }
}

async fn no_sequence_of_allowed_requests_gains_rights(app: App) {
    app.make("/v1/external-systems", json!({"code": "express", "name": "Express", "kind": "accounting"})).await;
    let is_asked =
        |s: &Step| s.method != "get" && ASKED.iter().any(|r| s.path.split('/').nth(2) == Some(r)) && !s.path.ends_with("/search");
    let steps: Vec<Step> = Step::all().into_iter().filter(is_asked).collect();
    assert!(steps.len() > 40);
    for_all(cases(64), (vec(role(), 5), vec(asked(), 24)), async |(roles, requests)| {
        let (mut known, mut group, records) = world(&app, &roles).await;
        let before = sight(&app, &mut group, &records).await;
        for (n, asked) in requests.iter().enumerate() {
            send(&app, &steps, asked, &mut known, &mut group).await;
            if n % 8 == 7 {
                let now = sight(&app, &mut group, &records).await;
                let gained: Vec<&String> = now.difference(&before).filter(|fact| !is_covered(fact, &before)).collect();
                if !gained.is_empty() {
                    return Err(format!("after {} requests the group gained {gained:?}", n + 1));
                }
            }
        }
        Ok(())
    })
    .await;
}

/// Whether a permission is within another that has a `*`.
fn is_covered(fact: &str, before: &BTreeSet<String>) -> bool {
    let Some((permission, reach)) = fact.strip_prefix("may ").and_then(|f| f.split_once('/')) else { return false };
    let (resource, verb) = permission.split_once(':').unwrap();
    [format!("{resource}:*"), format!("*:{verb}"), "*:*".to_owned()].iter().any(|wide| before.contains(&format!("may {wide}/{reach}")))
}
