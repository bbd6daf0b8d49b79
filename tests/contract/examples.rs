//! Every example of the document is executed, each once what it needs is there. None is left out, and what is answered is what is documented.

use crate::support::{
    contract::{self, document},
    *,
};
use actix_web::http::Method;
use samphan_api::{openapi, platform::succession::HandOverRecords};
use samphan_background::jobs::Job as _;
use samphan_persistence::{
    operations::{self, NewOperation, Outcome, Plan},
    store::{DatabaseOptions, Store},
};
use samphan_resource::{
    builtin::operation::OperationKind,
    caller::Caller,
    example::{DATE, MOMENT, is_id},
};
use samphan_rest::{
    bulk::RunOperation,
    example::{self, RenderedExample},
    operation::{Access, Media, Operation, Run},
    schemas,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use uuid::Uuid;

crate::on_both![every_example_is_executed];

/// An example, and the operation it is of.
struct Step {
    operation: Operation,
    told: RenderedExample,
}

/// Every example of every operation: there is none without.
fn steps() -> Vec<Step> {
    let api = openapi::api();
    let schemas = schemas::all(&api);
    let of = |o: &Operation| {
        let told = example::of(o, &api, &schemas).unwrap_or_else(|faults| panic!("{faults:?}"));
        assert!(!told.is_empty(), "{} has no example", o.id);
        told.into_iter().map(|told| Step { operation: o.clone(), told }).collect::<Vec<_>>()
    };
    api.operations.iter().flat_map(of).collect()
}

/// What stands for something that only the server knows: the id of an example, or a secret.
fn stands_for(text: &str) -> bool {
    is_id(text) || text.starts_with("example-")
}

/// What of a value stands for something, by the names of the fields it is in.
fn named<'a>(name: &'a str, value: &'a Value, out: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::String(text) if stands_for(text) => out.push((name, text)),
        Value::Array(all) => all.iter().for_each(|v| named(name, v, out)),
        Value::Object(map) => map.iter().for_each(|(name, v)| named(name, v, out)),
        _ => {}
    }
}

impl Step {
    /// The ids of records it makes by ids of the client's own.
    fn defines(&self) -> BTreeSet<&str> {
        let mut found = vec![];
        let makes = |mode: &Value| mode == "create" || mode == "upsert";
        if self.operation.status == 201 || self.told.body.as_ref().is_some_and(|body| makes(&body["mode"])) {
            self.told.body.iter().for_each(|body| named("", body, &mut found));
        }
        found.into_iter().filter(|(name, _)| *name == "id").map(|(_, id)| id).collect()
    }

    /// What it names and does not make.
    fn names(&self) -> BTreeSet<&str> {
        let mut found: Vec<(&str, &str)> = vec![];
        self.told.body.iter().for_each(|body| named("", body, &mut found));
        found.extend(self.told.path.iter().map(|(name, value)| (name.as_str(), value.as_str())).filter(|(_, value)| stands_for(value)));
        let own = self.defines();
        found.into_iter().map(|(_, id)| id).filter(|id| !own.contains(id)).collect()
    }

    /// What it answers that nobody knew.
    fn tells(&self) -> BTreeSet<&str> {
        let mut found = vec![];
        self.told.answer.iter().for_each(|answer| named("", answer, &mut found));
        let (own, asked) = (self.defines(), self.names());
        found.into_iter().map(|(_, id)| id).filter(|id| !own.contains(id) && !asked.contains(id)).collect()
    }

    fn is_dry(&self) -> bool {
        !self.told.persists && matches!(self.operation.run, Run::Write(_))
    }

    /// What changes nothing comes first, then what is undone at once, so that the story goes on from where it was.
    fn rank(&self) -> u8 {
        let (id, method) = (&self.operation.id, &self.operation.method);
        match () {
            () if id.starts_with("restore") => 0,
            () if *method == Method::GET || matches!(self.operation.run, Run::Read(_)) || self.is_dry() => 2,
            () if *method == Method::DELETE => 1,
            () if *method == Method::PATCH || id.starts_with("batch") => 3,
            // What is put by another system's id is what that system calls the record made before.
            () if *method == Method::PUT => 5,
            () if self.operation.path.contains("{id}/") => 6,
            () => 4,
        }
    }
}

/// How far the story has come.
struct Story {
    app: App,
    /// Examples that are done, by name.
    done: BTreeSet<String>,
    /// Ids of the client's own that there are records of.
    made: BTreeSet<String>,
    /// What the server has for what the examples call so.
    known: BTreeMap<String, String>,
}

impl Story {
    fn text(&self, text: &str) -> String {
        self.known.iter().fold(text.to_owned(), |text, (example, real)| text.replace(example, real))
    }

    fn value(&self, value: &Value) -> Value {
        serde_json::from_str(&self.text(&value.to_string())).unwrap()
    }

    /// Learns what the server calls what an example's answer names, but for these.
    fn learn(&mut self, shown: &Value, real: &Value, but: &BTreeSet<String>) {
        match (shown, real) {
            (Value::String(example), Value::String(real)) if stands_for(example) && !but.contains(example) => {
                self.known.entry(example.clone()).or_insert_with(|| real.clone());
            }
            (Value::Object(shown), Value::Object(real)) => {
                for (name, value) in shown {
                    // A number is given by the server, and records are found by it.
                    if let ("number", Some(example), Some(real)) = (name.as_str(), value.as_str(), real.get(name).and_then(Value::as_str)) {
                        self.known.entry(example.to_owned()).or_insert_with(|| real.to_owned());
                    }
                    self.learn(value, real.get(name).unwrap_or(&Value::Null), but);
                }
            }
            (Value::Array(shown), Value::Array(real)) => shown.iter().zip(real).for_each(|(s, r)| self.learn(s, r, but)),
            _ => {}
        }
    }

    /// Who calls: what needs no permission but a session is done by whoever the example signs in, so that it ends that one.
    async fn caller(&self, step: &Step, sign_in: &Value) -> App {
        match &step.operation.access {
            Access::Public => self.app.nobody(),
            Access::SignedIn if step.operation.method != Method::GET => {
                let tokens = self.app.nobody().post("/v1/auth/sign-in", sign_in.clone()).await.is(200);
                self.app.as_(&tokens.text_of("access_token"))
            }
            _ => self.app.clone(),
        }
    }

    /// Executes an example; or says why it is too early for it.
    async fn tries(&self, step: &Step, sign_in: &Value) -> Result<Answer, String> {
        let (o, told) = (&step.operation, &step.told);
        let path = told.path.iter().fold(o.path.clone(), |path, (name, value)| path.replace(&format!("{{{name}}}"), &self.text(value)));
        let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        let mut query: Vec<String> =
            told.query.iter().map(|(name, value)| format!("{name}={}", encoded(&self.text(&text(value))))).collect();
        if step.is_dry() {
            query.push("dry_run=true".to_owned());
        }
        let caller = self.caller(step, sign_in).await;
        let mut request = caller.ask(o.method.as_str().parse().unwrap(), &format!("{path}?{}", query.join("&")));
        if o.if_match_required && o.method != Method::PUT {
            let record = path.rsplit_once("/").filter(|_| o.path.contains("{id}/")).map_or(path.as_str(), |(record, _)| record);
            request = request.header("if-match", self.app.get(record).await.header("etag"));
        }
        if o.media == Media::EventStream {
            let stream = request.open().await;
            return if stream.status() == 200 {
                Ok(Answer { status: 200, headers: stream.headers().clone(), text: String::new(), body: Value::Null, what: o.id.clone() })
            } else {
                Err(format!("{}", stream.status()))
            };
        }
        if let Some(body) = &told.body {
            request = request.json(&self.value(body));
        }
        let answer = request.await;
        let is_first = answer.status == 201 && o.method == Method::PUT && !o.path.contains("/by-external-id/");
        if answer.status != o.status && !is_first {
            return Err(answer.text);
        }
        if let Some(shown) = told.answer.as_ref().filter(|shown| shown["data"].as_array().is_some_and(|data| !data.is_empty()))
            && answer["data"].as_array().unwrap().is_empty()
        {
            return Err(format!("nothing was found of {}", shown["data"][0]));
        }
        Ok(answer)
    }
}

/// What of a documented answer is not what is answered: the state after an action, and all that is said of a record just made, but for what
/// follows from the moment and from what came before.
fn differs(step: &Step, real: &Value) -> Vec<String> {
    let (Some(subject), Some(shown)) = (step.operation.subject, &step.told.answer) else { return vec![] };
    let is_made = step.operation.id.starts_with("create") && step.operation.answer.as_deref() == Some(subject.shape.type_name);
    let is_moved = step.operation.path.contains("{id}/");
    let compared = |name: &str| is_made && !matches!(name, "version" | "number") || is_moved && subject.shape.status == Some(name);
    let said = shown.as_object().into_iter().flatten().filter(|(name, value)| {
        compared(name)
            && (value.is_boolean()
                || value.is_number()
                || value.as_str().is_some_and(|text| ![MOMENT, DATE].contains(&text) && (*name == "id" || !stands_for(text))))
    });
    let other = said.filter(|(name, value)| real[name.as_str()] != **value);
    other.map(|(name, value)| format!("{}: {name} is {}, not {value}", step.told.name, real[name.as_str()])).collect()
}

async fn every_example_is_executed(app: App) {
    let steps = steps();
    let total = steps.len();
    let own: BTreeSet<String> = steps.iter().flat_map(Step::defines).map(str::to_owned).collect();
    let told: BTreeSet<String> = steps.iter().flat_map(Step::tells).map(str::to_owned).collect();
    // What an operation makes and tells of is not any record of a list.
    let makers = steps.iter().filter(|s| s.told.answer.as_ref().is_some_and(|answer| answer.get("data").is_none()));
    let listed: BTreeSet<String> = own.iter().cloned().chain(makers.flat_map(Step::tells).map(str::to_owned)).collect();
    let sign_in = steps.iter().find(|s| s.operation.id == "signIn").unwrap().told.body.clone().unwrap();
    let mut left: Vec<(Step, Option<(usize, String)>)> = steps.into_iter().map(|s| (s, None)).collect();
    left.sort_by_key(|(step, _)| step.rank());
    enqueue(&app).await;
    let mut story = Story { app, done: BTreeSet::new(), made: BTreeSet::new(), known: BTreeMap::new() };
    let (mut wrong, mut changes, mut rounds) = (vec![], 0, 0);
    while !left.is_empty() {
        // What was too early is tried again when something has changed.
        let is_ready = |step: &Step, tried: &Option<(usize, String)>| {
            let there =
                |id: &&str| if own.contains(*id) { story.made.contains(*id) } else { !told.contains(*id) || story.known.contains_key(*id) };
            tried.as_ref().is_none_or(|(then, _)| *then < changes)
                && step.told.depends_on.iter().all(|name| story.done.contains(name))
                && step.names().iter().all(there)
        };
        let Some(place) = left.iter().position(|(step, tried)| is_ready(step, tried)) else {
            // Webhooks are sent when they are; nothing else may still come.
            rounds += 1;
            let why = |(step, tried): &(Step, Option<(usize, String)>)| {
                let said = tried
                    .as_ref()
                    .map_or_else(|| format!("waits for {:?} {:?}", step.told.depends_on, step.names()), |(_, why)| why.clone());
                format!("{}: {said}", step.told.name)
            };
            let early: Vec<String> = left.iter().map(why).chain(wrong.clone()).collect();
            assert!(rounds < 100, "{} of {total} examples cannot be executed:\n{}", left.len(), early.join("\n"));
            tokio::time::sleep(Duration::from_millis(50)).await;
            changes += 1;
            continue;
        };
        let outcome = story.tries(&left[place].0, &sign_in).await;
        match outcome {
            Err(why) => left[place].1 = Some((changes, why)),
            Ok(answer) => {
                let (step, _) = left.remove(place);
                wrong.extend(differs(&step, &answer.body));
                if !step.is_dry() {
                    story.made.extend(step.defines().into_iter().map(str::to_owned));
                    if let Some(shown) = &step.told.answer {
                        story.learn(shown, &answer.body, if shown.get("data").is_some() { &listed } else { &own });
                    }
                    changes += usize::from(step.operation.method != Method::GET);
                }
                story.done.insert(step.told.name.clone());
            }
        }
    }
    assert!(wrong.is_empty(), "these answer something else than their examples:\n{}", wrong.join("\n"));
}

/// Enqueues a job that is due tomorrow: no operation does.
async fn enqueue(app: &App) {
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 1, full_sync: false };
    let store = Store::open(&opening, openapi::shapes()).await.unwrap();
    let work = store.work(Arc::new(Caller::system()), now()).await.unwrap();
    let job = HandOverRecords { user_id: Uuid::nil(), successor_id: None }.enqueued().unwrap();
    let tomorrow = work.now.plus_seconds(86_400);
    work.enqueue(job.at(tomorrow)).await.unwrap().unwrap();
    // And a bulk operation that has begun and goes on tomorrow.
    let ids = vec![work.new_id()];
    let plan = Plan { ids: ids.clone(), patch: serde_json::Map::new(), is_assignment: false, reason: None };
    let (shape, changed_fields) = (work.shape("accounts").unwrap(), vec!["grade".to_owned()]);
    let new = NewOperation { kind: OperationKind::BulkUpdate, shape, plan, changed_fields, reverts_id: None };
    let made = operations::begin(&work, new, |operation_id| Ok(RunOperation { operation_id }.enqueued()?.at(tomorrow))).await.unwrap();
    operations::note(&work, made.id(), &[(ids[0], Outcome::Changed(2))]).await.unwrap();
    let mut sql = work.sql();
    sql.push("UPDATE operations SET status = 'queued' WHERE id = ").id(made.id());
    work.execute(sql).await.unwrap();
    work.commit().await.unwrap();
}

/// The examples of a media type of the document, by name.
fn written(media: &Value) -> BTreeMap<&str, &Value> {
    let all = media["examples"].as_object().into_iter().flatten();
    all.map(|(name, one)| {
        let found = one["$ref"].as_str().map_or(one, |r| document().pointer(r.trim_start_matches('#')).unwrap());
        (name.as_str(), &found["value"])
    })
    .collect()
}

#[test]
fn what_is_executed_is_what_is_documented_and_fits_its_schema() {
    let (mut bodies, mut answers) = (0, 0);
    for Step { operation: o, told } in steps() {
        let documented = &document()["paths"][&o.path][o.method.as_str().to_lowercase()];
        if let Some(body) = &told.body {
            for media in documented["requestBody"]["content"].as_object().unwrap().values() {
                assert_eq!(written(media)[told.name.as_str()], body, "{}", told.name);
            }
            contract::fits_schema(&o.body.as_ref().unwrap().schema, body, &told.name);
            bodies += 1;
        }
        if let (Some(answer), Some(schema)) = (&told.answer, &o.answer) {
            let media = &documented["responses"][o.status.to_string()]["content"]["application/json"];
            assert_eq!(written(media)[told.name.as_str()], answer, "{}", told.name);
            contract::fits_schema(schema, answer, &told.name);
            answers += 1;
        }
        for (name, value) in &told.query {
            let parameters = documented["parameters"].as_array().unwrap().iter();
            let mut parameters =
                parameters.map(|p| p["$ref"].as_str().map_or(p, |r| document().pointer(r.trim_start_matches('#')).unwrap()));
            let found = parameters.find(|p| p["name"] == *name).unwrap_or_else(|| panic!("{}: no parameter {name}", told.name));
            assert!(found["schema"]["examples"].as_array().unwrap().contains(value), "{}: {name}", told.name);
        }
    }
    assert!(bodies > 150 && answers > 300, "{bodies} {answers}");
}
