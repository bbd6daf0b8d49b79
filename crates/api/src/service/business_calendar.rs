//! How business calendars are reached, and how business time is counted by them.

use actix_web::http::Method;
use chrono::NaiveDate;
use samphan_domain::service::{
    business_calendar::{BusinessCalendar, CalendarException, MAX_EXCEPTIONS},
    business_time::{Hours, MAX_DAYS, NeverOpen},
};
use samphan_persistence::{
    record,
    store::{Reader, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Error, FieldCode, FieldError, Result},
    resource::Resource,
    scalar::date,
    timestamp::Timestamp,
};
use samphan_rest::{
    collection::Collection,
    example::Example,
    operation::{Body, Operation, RequestContext},
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

const SECOND: i64 = 1_000_000;

/// What is to be counted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComputeBusinessTime {
    /// What is asked for.
    pub op: BusinessTimeOp,
    /// The moment from which it is counted.
    pub from: Timestamp,
    /// Of `diff`: the moment to which it is counted, at most 3,660 days later.
    #[serde(default)]
    #[schema(nullable = false)]
    pub to: Option<Timestamp>,
    /// Of `add`: the open seconds that are to pass.
    #[serde(default)]
    #[schema(nullable = false, minimum = 0, maximum = 315_360_000)]
    pub seconds: Option<i64>,
}

/// What may be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BusinessTimeOp {
    /// The moment at which `seconds` of open time have passed: the end of a day, not the next morning.
    Add,
    /// The open time from `from` to `to`.
    Diff,
    /// Whether `from` is open.
    IsOpen,
    /// The first open moment at or after `from`.
    NextOpen,
}

/// What was counted. What was not asked for is null.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct BusinessTime {
    /// Of `add` and `next_open`: the moment.
    #[schema(required = true)]
    pub at: Option<Timestamp>,
    /// Of `add` and `diff`: the open seconds, whole ones.
    #[schema(required = true, minimum = 0)]
    pub seconds: Option<i64>,
    /// Of `is_open`.
    #[schema(required = true)]
    pub is_open: Option<bool>,
    /// Of `add` and `diff`: the open time by local day, without days that have none.
    #[schema(max_items = 4000)]
    pub ledger: Vec<BusinessTimeDay>,
}

/// The open time of a local day.
#[derive(Debug, Serialize, ToSchema)]
pub struct BusinessTimeDay {
    /// The day, in the calendar's time zone.
    #[schema(value_type = String, format = Date)]
    pub date: String,
    /// Its open seconds, whole ones.
    #[schema(minimum = 0, maximum = 100_000)]
    pub seconds: i64,
    /// What the day is, where its hours are different.
    #[schema(required = true, max_length = 100)]
    pub name: Option<String>,
}

/// Business calendars.
pub fn routes() -> Collection<BusinessCalendar> {
    Collection::new("business-hours").with_crud().schema::<ComputeBusinessTime>().schema::<BusinessTime>().operation("/{id}/compute", |path| {
        let mut compute = Operation::read("computeBusinessCalendar", path, compute)
            .describe(
                "business-hours",
                "Compute business time",
                "Counts open time by the calendar, exact to the second across changes of clocks. 422 `never_open` where nothing is open within ten years.",
            )
            .example(Example::body(json!({"op": "add", "from": "2026-11-27T09:30:00Z", "seconds": 14400})).answers(json!({
                "at": "2026-11-30T04:30:00Z", "seconds": 14400, "is_open": null,
                "ledger": [{"date": "2026-11-27", "seconds": 3600, "name": null}, {"date": "2026-11-30", "seconds": 10800, "name": null}],
            })))
            .body(Body::of("ComputeBusinessTime"))
            .requires("business-calendars:read")
            .responds(200, "BusinessTime");
        compute.method = Method::POST;
        compute
    })
}

/// The days of a calendar on which its hours are different.
pub fn exceptions() -> Collection<CalendarException> {
    Collection::nested_under::<BusinessCalendar>("business-hours", "business_calendar_id", "exceptions")
        .create(create_exception)
        .with_crud()
}

/// Adds a day with other hours to a calendar.
pub async fn create_exception(work: &Work, draft: Stored<CalendarException>) -> Result<Stored<CalendarException>> {
    let calendar = draft.data.business_calendar_id.0;
    work.lock_named(&format!("exceptions of business calendar {calendar}")).await?;
    let mut sql = work.sql();
    sql.push("SELECT count(*) FROM calendar_exceptions t WHERE t.deleted_at IS NULL AND t.business_calendar_id = ").id(calendar);
    if work.fetch_one(sql, |row| row.int(0)).await?.is_some_and(|count| count >= MAX_EXCEPTIONS) {
        return Err(Error::invalid(FieldError::new("/date", FieldCode::TooManyItems, format!("{MAX_EXCEPTIONS} days of a calendar"))));
    }
    stored::insert(work, draft).await
}

async fn compute(reader: &Reader, call: RequestContext) -> Result<Response> {
    let input: ComputeBusinessTime = call.input()?;
    let calendar = stored::find::<BusinessCalendar>(reader, call.id(0)?, "read").await?;
    let exceptions = exceptions_of(reader, calendar.id()).await?;
    let hours = calendar.data.hours(&exceptions);
    let names: HashMap<NaiveDate, &str> = exceptions.iter().filter_map(|day| Some((date(&day.date)?, day.name.as_str()))).collect();
    let answer = match input.op {
        BusinessTimeOp::Add => {
            let seconds = given(input.seconds, "/seconds")?;
            let at = hours.after(input.from, seconds * SECOND).map_err(never_open)?;
            BusinessTime { at: Some(at), seconds: Some(seconds), ledger: ledger(&hours, &names, input.from, at), ..BusinessTime::default() }
        }
        BusinessTimeOp::Diff => {
            let to = given(input.to, "/to")?;
            let last = input.from.plus_seconds(i64::try_from(MAX_DAYS).unwrap_or(i64::MAX) * 86_400);
            if to < input.from || to > last {
                return Err(Error::invalid(FieldError::new(
                    "/to",
                    FieldCode::OutOfRange,
                    format!("at or after from, within {MAX_DAYS} days"),
                )));
            }
            let seconds = hours.between(input.from, to) / SECOND;
            BusinessTime { seconds: Some(seconds), ledger: ledger(&hours, &names, input.from, to), ..BusinessTime::default() }
        }
        BusinessTimeOp::IsOpen => BusinessTime { is_open: Some(hours.is_open(input.from)), ..BusinessTime::default() },
        BusinessTimeOp::NextOpen => BusinessTime { at: Some(hours.next_open(input.from).map_err(never_open)?), ..BusinessTime::default() },
    };
    Ok(Response::json(&answer))
}

fn given<T>(value: Option<T>, at: &str) -> Result<T> {
    value.ok_or_else(|| Error::invalid(FieldError::new(at, FieldCode::Required, "a value for this op")))
}

fn never_open(_: NeverOpen) -> Error {
    Error::invalid(FieldError::new("/from", FieldCode::NeverOpen, format!("open time within {MAX_DAYS} days")))
}

fn ledger(hours: &Hours, names: &HashMap<NaiveDate, &str>, from: Timestamp, to: Timestamp) -> Vec<BusinessTimeDay> {
    let day = |day: samphan_domain::service::business_time::LedgerDay| BusinessTimeDay {
        date: day.date.to_string(),
        seconds: day.micros / SECOND,
        name: names.get(&day.date).map(|name| (*name).to_owned()),
    };
    hours.ledger(from, to).into_iter().map(day).collect()
}

/// The days of a calendar on which its hours are different, at most [`MAX_EXCEPTIONS`].
async fn exceptions_of(reader: &Reader, calendar: Uuid) -> Result<Vec<CalendarException>> {
    let shape = reader.shape(CalendarException::PLURAL)?;
    let mut sql = record::select(reader, shape);
    sql.push(" AND t.business_calendar_id = ").id(calendar);
    let records = reader.fetch(sql, |row| record::read(shape, row)).await?;
    records.into_iter().map(|record| Stored::<CalendarException>::of(record).map(|stored| stored.data)).collect()
}
