//! The program killed in the middle of a credit feed, again and again: what it answered is kept, and sending everything once more
//! ends as if nothing had happened.

#![expect(clippy::expect_used, reason = "a test says what it expected")]
#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use futures_util::{StreamExt, stream::FuturesUnordered};
use sea_orm::{ConnectionTrait, Database};
use serde_json::{Value, json};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

const PASSWORD: &str = "a password for tests";
const BATCHES: usize = 24;
const CUSTOMERS: usize = 40;

/// The program itself, killed when dropped.
struct Program {
    child: RefCell<Child>,
    /// Held open, as the program prints more than its address.
    _output: BufReader<ChildStdout>,
    url: String,
    token: String,
    client: reqwest::Client,
}

impl Program {
    async fn start(database_url: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_samphan"))
            .args(["serve", "--listen", "127.0.0.1:0", "--workers", "2", "--rate-limit", "off", "--log", "off"])
            .args(["--admin-password", PASSWORD, "--database-url", database_url])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (mut output, mut first) = (BufReader::new(child.stdout.take().expect("its output")), String::new());
        output.read_line(&mut first).expect("a line");
        let url = first.split_whitespace().find(|w| w.starts_with("http://")).expect("an address").to_owned();
        samphan_background::tls::install_tls_provider();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().expect("a client");
        let mut program = Self { child: RefCell::new(child), _output: output, url, token: String::new(), client };
        let signed_in = program.post("/v1/auth/sign-in", &json!({"email": "admin@example.com", "password": PASSWORD})).await;
        program.token = signed_in.expect("an answer").1["access_token"].as_str().expect("a token").to_owned();
        program
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Option<(bool, Value)> {
        let answer = request.bearer_auth(&self.token).send().await.ok()?;
        let (status, replayed) = (answer.status(), answer.headers().contains_key("idempotency-replayed"));
        let body: Value = serde_json::from_slice(&answer.bytes().await.ok()?).expect("JSON");
        assert!(status.is_success(), "{status}: {body}");
        Some((replayed, body))
    }

    async fn post(&self, path: &str, body: &Value) -> Option<(bool, Value)> {
        let request = self.client.post(format!("{}{path}", self.url)).header("content-type", "application/json");
        self.answer(request.body(body.to_string())).await
    }

    /// Pushes a batch under a key of its own; none when the program is killed before it answers.
    async fn push(&self, n: usize) -> Option<(bool, Value)> {
        let request = self.client.post(format!("{}/v1/credit-balances/batch", self.url)).header("content-type", "application/json");
        self.answer(request.header("idempotency-key", format!("batch-{n}")).body(batch(n).to_string())).await
    }

    async fn all(&self, path: &str) -> Vec<Value> {
        let (mut found, mut cursor) = (vec![], String::new());
        loop {
            let page = self.answer(self.client.get(format!("{}{path}?limit=200{cursor}", self.url))).await.expect("a page").1;
            found.extend(page["data"].as_array().expect("data").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    }

    /// Registers the system, and customers of which it knows all but the last four by name.
    async fn prepare(&self) {
        let system = json!({"code": "express", "name": "Express", "kind": "accounting"});
        self.post("/v1/external-systems", &system).await.expect("a system");
        let items: Vec<Value> = (0..CUSTOMERS - 4).map(|n| json!({"external_id": format!("C-{n}"), "name": format!("C-{n}")})).collect();
        let body = json!({"mode": "upsert", "match_on": "external_id:express", "items": items});
        self.post("/v1/accounts/batch", &body).await.expect("customers");
    }

    /// What is known in the end, by the customer's name, without what is ours: ids, versions, and when it came in.
    async fn end(&self) -> BTreeMap<String, Value> {
        let names: BTreeMap<String, String> =
            self.all("/v1/accounts").await.iter().map(|a| (a["id"].to_string(), a["name"].to_string())).collect();
        let mut end = BTreeMap::new();
        for mut balance in self.all("/v1/credit-balances").await {
            let name = names[&balance["account_id"].to_string()].clone();
            let ours = ["id", "version", "account_id", "received_at", "created_at", "updated_at", "created_by_id", "updated_by_id"];
            balance.as_object_mut().expect("a balance").retain(|name, _| !ours.contains(&name.as_str()));
            end.insert(name, balance);
        }
        for kept in self.all("/v1/credit-balances/unmatched").await {
            end.insert(format!("unmatched {}", kept["external_id"]), kept["items"].clone());
        }
        end
    }

    /// How many items of each batch the history has.
    async fn counted(&self) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        for change in self.all("/v1/credit-balances/history").await {
            *counted.entry(change["item"]["source_revision"].to_string()).or_default() += 1;
        }
        counted
    }

    fn kill(&self) {
        self.child.borrow_mut().kill().expect("it is killed");
        self.child.borrow_mut().wait().expect("it is gone");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.child.get_mut().kill().is_ok() {
            drop(self.child.get_mut().wait());
        }
    }
}

/// Later batches tell later moments of the same customers; some tell only of the exposure, some only of the limit.
fn batch(n: usize) -> Value {
    let items: Vec<Value> = (0..CUSTOMERS)
        .map(|customer| {
            let mut item = json!({
                "external_id": format!("C-{customer}"), "as_of": format!("2026-01-02T{n:02}:00:00Z"), "source_revision": n.to_string(),
            });
            if !(n + customer).is_multiple_of(3) {
                item["receivable"] = json!(format!("{}.50", n * 100 + customer));
            }
            if (n + customer) % 3 != 1 {
                item["credit_limit"] = json!({"kind": "limited", "amount": format!("{n}000.00")});
            }
            item
        })
        .collect();
    json!({"system": "express", "entity": "TH01", "currency": "THB", "items": items})
}

async fn survives(undisturbed: &str, disturbed: &str) {
    let program = Program::start(undisturbed).await;
    program.prepare().await;
    for n in 0..BATCHES {
        program.push(n).await.expect("an answer");
    }
    let end = program.end().await;
    assert_eq!(end.len(), CUSTOMERS);
    program.kill();

    let mut program = Program::start(disturbed).await;
    program.prepare().await;
    let mut answered: BTreeMap<usize, Value> = BTreeMap::new();
    for round in 0..BATCHES / 4 {
        // Four at once; as soon as some are answered, the rest is cut off wherever it is.
        let mut sent: FuturesUnordered<_> = (round * 4..round * 4 + 4)
            .map(|n| {
                let program = &program;
                async move { (n, program.push(n).await) }
            })
            .collect();
        for _ in 0..=round % 3 {
            let (n, answer) = sent.next().await.expect("four were sent");
            answered.insert(n, answer.expect("an answer").1);
        }
        program.kill();
        answered.extend(sent.filter_map(async |(n, answer)| Some((n, answer?.1))).collect::<Vec<_>>().await);
        program = Program::start(disturbed).await;
        // What was answered is there, every push of it.
        let counted = program.counted().await;
        for n in 0..=round * 4 + 3 {
            let many = counted.get(&format!("\"{n}\"")).copied().unwrap_or_default();
            let told = answered.get(&n).map(|a| a["summary"]["applied"].as_u64());
            assert!(told.is_none_or(|told| told == u64::try_from(many).ok()), "batch {n}: {many} kept, {told:?} answered");
        }
    }
    // The sender does not know what came in, and sends all of it again, the last first.
    for n in (0..BATCHES).rev() {
        let (replayed, answer) = program.push(n).await.expect("an answer");
        if let Some(before) = answered.get(&n) {
            assert!(replayed && answer == *before, "batch {n} was answered once and is answered so again");
        }
    }
    assert_eq!(program.end().await, end);
}

#[actix_web::test]
async fn a_killed_program_loses_nothing_on_sqlite() {
    let home = tempfile::tempdir().expect("a folder");
    let url = |name: &str| format!("sqlite://{}", home.path().join(name).display());
    survives(&url("undisturbed.db"), &url("disturbed.db")).await;
}

#[actix_web::test]
#[expect(clippy::disallowed_methods, reason = "tests have no settings of their own")]
async fn a_killed_program_loses_nothing_on_postgres() {
    let Ok(server) = std::env::var("SAMPHAN_TEST_POSTGRES") else { return eprintln!("killed: SAMPHAN_TEST_POSTGRES is not set") };
    let admin = Database::connect(format!("{server}/postgres")).await.expect("a server");
    let names = ["undisturbed", "disturbed"].map(|name| format!("killed_{}_{name}", std::process::id()));
    for name in &names {
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
    }
    let [undisturbed, disturbed] = names.map(|name| format!("{server}/{name}"));
    survives(&undisturbed, &disturbed).await;
}
