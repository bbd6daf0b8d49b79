//! A list as a CSV file: all of it, written as it is read, so that it is never in memory as a whole.

use super::{
    kernel::Kernel,
    operation::{Parameter, RequestContext},
    pace::Pace,
    query::{self, ListRequest},
    rate_limit::Slot,
    reading::finish_records,
    response::{BodyStream, Response},
    revalidated_caller::RevalidatedCaller,
};
use csv::{Terminator, WriterBuilder};
use samphan_persistence::{
    clock,
    list::{self, View},
    store::Store,
};
use samphan_resource::{
    caller::Caller,
    error::{Code, Error, Result},
    event::CLIENT_ADDRESS,
    page::Position,
    scalar::Kind,
    shape::{Field, Shape},
};
use serde_json::{Map, Value, json};
use std::{borrow::Cow, sync::Arc};

/// Records read at a time: few enough that others on the thread have their turn between two pieces within a millisecond or two.
const AT_ONCE: usize = 40;
/// Most exports of one caller under way.
const PER_CALLER: usize = 2;
/// What a list is asked for and an export is not: it has no pages, and one order.
const OF_PAGES: [&str; 5] = ["limit", "cursor", "sort", "count", "expand"];
/// The name of a byte order mark among the parameters.
const BOM: &str = "bom";

/// The description of every export in the document.
pub const ABOUT: &str = "Everything the list has, oldest first, as one CSV file (RFC 4180, UTF-8, CRLF): a line of names, then one for each record as it is when \
     its line is written. Nothing is an empty cell; arrays and objects are JSON. No spreadsheet takes a text for a formula: one that begins \
     with `=`, `+`, `-` or `@` (also in full width), a tab or a carriage return, after any number of apostrophes, has one apostrophe more before it, which who reads the file \
     with a program takes away. A caller has at most two exports under way; one more is answered with 429. When something fails on the way, or the caller may no longer, the connection ends before the file does.";

/// The parameters of an export.
#[must_use]
pub fn parameters(shape: &Shape) -> Vec<Parameter> {
    let mut all = query::list_parameters(shape);
    all.retain(|p| !OF_PAGES.contains(&p.name.as_str()));
    all.push(Parameter::new(
        BOM,
        json!({"type": "boolean", "default": false}),
        "Begins the file with a byte order mark, by which Excel knows that it is UTF-8.",
    ));
    all
}

/// Answers the file. Errors of the request are returned before the first byte.
pub async fn run(call: RequestContext, shape: &'static Shape, permission: &str) -> Result<Response> {
    let mut asked = query::parse_list_request(&call.reader(), shape, &call, None).await?;
    asked.query.limit = AT_ONCE;
    let slot = slot(&call)?;
    let audit = ExportAudit::new(&call, shape);
    audit.emit(call.kernel.store(), "export_started", None).await?;
    let mut export = Export {
        caller: RevalidatedCaller::new(&call, permission),
        shape,
        asked,
        ended: false,
        ready: None,
        rows: 0,
        audit,
        kernel: call.kernel.clone(),
        pace: Pace::new(&call.kernel.turns),
        _slot: slot,
    };
    let mut begin = if call.query.get(BOM).is_some_and(|v| v == "true") { "\u{feff}".as_bytes().to_vec() } else { vec![] };
    begin.extend(export.names()?);
    begin.extend(export.next().await?.unwrap_or_default());
    export.ready = Some(begin);
    Ok(Response {
        stream: Some(BodyStream::of(export, async |export: &mut Export| export.next().await)),
        file: Some(format!("{}.csv", shape.path)),
        ..Response::default()
    })
}

/// A place for one more export of a caller.
pub fn slot(call: &RequestContext) -> Result<Slot> {
    call.kernel.slots.take(format!("exports of {}", call.caller.id), PER_CALLER, "exports")
}

/// An export under way.
struct Export {
    caller: RevalidatedCaller,
    shape: &'static Shape,
    asked: ListRequest,
    /// Whether the last record is written.
    ended: bool,
    /// What is written and not sent.
    ready: Option<Vec<u8>>,
    _slot: Slot,
    /// Records written so far.
    rows: usize,
    audit: ExportAudit,
    kernel: Kernel,
    pace: Pace,
}

/// The audit's facts of an export: the caller, its address, the resource, and the names of the parameters that narrowed it. Their values are
/// left out: they may be personal data, which an erasure would not find here.
struct ExportAudit {
    caller: Arc<Caller>,
    request_id: String,
    about: Map<String, Value>,
}

impl ExportAudit {
    fn new(call: &RequestContext, shape: &Shape) -> Self {
        let mut parameters: Vec<&String> = call.query.keys().collect();
        parameters.sort();
        let about = json!({"resource": shape.plural, "parameters": parameters, CLIENT_ADDRESS: call.client_address});
        Self {
            caller: Arc::clone(&call.caller),
            request_id: call.request_id.clone(),
            about: about.as_object().cloned().unwrap_or_default(),
        }
    }

    /// Writes an event about the caller; on its own, since an export is no transaction.
    async fn emit(&self, store: &Store, what: &str, rows: Option<usize>) -> Result<()> {
        let Some((resource, one)) = self.caller.kind.resource() else { return Ok(()) };
        let mut facts = self.about.clone();
        facts.extend(rows.map(|rows| ("rows".to_owned(), json!(rows))));
        let work = store.work(Arc::clone(&self.caller), clock::now()).await?.for_request(&self.request_id);
        work.emit_activity(format!("{one}.{what}"), (resource, self.caller.id), facts);
        work.commit().await
    }
}

impl Export {
    /// The line of names.
    fn names(&self) -> Result<Vec<u8>> {
        written([self.shape.fields.iter().filter(|f| self.has(f)).map(|f| f.name)])
    }

    fn has(&self, field: &Field) -> bool {
        self.asked.fields.as_ref().is_none_or(|chosen| field.name == "id" || chosen.contains(&field.name))
    }

    /// The next lines; none when there are no more.
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        if let Some(ready) = self.ready.take() {
            return Ok(Some(ready));
        }
        if self.ended {
            return Ok(None);
        }
        let (kernel, mut pace) = (self.kernel.clone(), self.pace);
        let piece = pace.next(&kernel.turns, self.read()).await;
        self.pace = pace;
        piece.map(Some)
    }

    /// The lines of the next records.
    async fn read(&mut self) -> Result<Vec<u8>> {
        let reader = self.caller.reader().await?;
        let view = View::new(&reader, self.shape, self.asked.fields.as_deref(), vec![]);
        let mut lines = list::page(&reader, &view, &self.asked.query, "export").await?;
        self.ended = lines.len() <= AT_ONCE;
        lines.truncate(AT_ONCE);
        self.rows += lines.len();
        if self.ended {
            self.audit.emit(&reader.store, "export_finished", Some(self.rows)).await?;
        }
        self.asked.query.after = lines.last().map(|l| Position { keys: l.keys.clone(), id: l.id });
        finish_records(&reader, self.shape, &mut lines, &[]).await?;
        let records: serde_json::Result<Vec<Map<String, Value>>> = lines.iter().map(|l| serde_json::from_slice(&l.json)).collect();
        let records = records.map_err(|_| Error::from(Code::Internal))?;
        let fields = || self.shape.fields.iter().filter(|f| self.has(f));
        written(records.iter().map(|record| fields().map(|f| cell(f, record.get(f.name)))))
    }
}

/// Lines of cells.
fn written<T: AsRef<str>>(lines: impl IntoIterator<Item = impl Iterator<Item = T>>) -> Result<Vec<u8>> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(vec![]);
    let write = || {
        for mut line in lines {
            line.try_for_each(|cell| writer.write_field(cell.as_ref()))?;
            writer.write_record(None::<&[u8]>)?;
        }
        writer.flush().map_err(csv::Error::from)
    };
    write().map_err(|_| Error::from(Code::Internal))?;
    writer.into_inner().map_err(|_| Error::from(Code::Internal))
}

/// A value as a cell.
fn cell<'a>(field: &Field, value: Option<&'a Value>) -> Cow<'a, str> {
    let text = match value {
        None | Some(Value::Null) => Cow::Borrowed(""),
        Some(Value::String(text)) => Cow::Borrowed(text.as_str()),
        Some(other) => Cow::Owned(other.to_string()),
    };
    // Numbers, moments and ids are what they are: a negative amount is no formula.
    if matches!(field.kind, Kind::Text | Kind::Json) { guarded(text) } else { text }
}

/// A text that no spreadsheet takes for a formula: one that begins as a formula does, or as one that is guarded, has one apostrophe
/// more before it. So it is always known what there was.
fn guarded(text: Cow<'_, str>) -> Cow<'_, str> {
    let begins = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '＝' | '＋' | '－' | '＠');
    if text.trim_start_matches('\'').starts_with(begins) { Cow::Owned(format!("'{text}")) } else { text }
}
