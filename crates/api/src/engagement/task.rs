//! How tasks are done: completed, put off, given to others, and made again where they recur.

use samphan_domain::{
    engagement::task::{AssignTask, CancelTask, CompleteTask, FollowUp, SnoozeTask, Task, TaskKind, TaskStatus},
    id::TaskId,
};
use samphan_persistence::{
    record::{self, Record},
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    example,
    resource::Resource,
    scalar::Scalar,
    timestamp::Timestamp,
};
use samphan_rest::{collection::Collection, example::Example};
use serde_json::json;

/// Fields that a task which goes on from another record has of it.
const OWNERS: [&str; 2] = ["owner_id", "team_id"];

/// Tasks.
pub fn routes() -> Collection<Task> {
    Collection::new("activities")
        .create(create)
        .update(update)
        .with_crud()
        .action(
            "complete",
            "Complete a task. Answers the next occurrence of its series and the follow-up, as far as there are any, under `expanded.next`.",
            complete,
        )
        .also_requires_when("tasks:create", "the body has a follow-up")
        .example(
            Example::body(
                json!({"outcome": "They order in April.", "follow_up": {"subject": "Send the price list", "due_on": "2027-04-01"}}),
            )
            .answers(json!({"status": "completed", "outcome": "They order in April."})),
        )
        .action_without_input(
            "reopen",
            "Reopen a task. The next occurrence of its series is deleted; 409 `next_in_progress` where that was changed or done.",
            reopen,
        )
        .example(Example::default().depends_on(&["cancelTask"]).answers(json!({"status": "open"})))
        .action("cancel", "Cancel a task. The next occurrence of its series is made.", cancel)
        .example(Example::body(json!({"reason": "Asked twice."})).answers(json!({"status": "cancelled"})).persists())
        .action("snooze", "Snooze a task. It is due later; its series goes on from where it was.", snooze)
        .example(Example::body(json!({"minutes": 60})))
        .action_without_input("skip", "Skip an occurrence of a task. The next one is made.", skip)
        .example(Example::default().answers(json!({"status": "cancelled"})))
        .action("assign", "Assign a task", assign)
        .example(
            Example::body(json!({"owner_id": example::id("users"), "reason": "On holiday"}))
                .answers(json!({"owner_id": example::id("users")})),
        )
}

/// Makes a task, and begins its series where it recurs.
pub async fn create(work: &Work, mut draft: Stored<Task>) -> Result<Stored<Task>> {
    if draft.data.time_zone.is_none() {
        draft.data.time_zone = Some(work.caller_zone().await?.name().to_owned());
    }
    draft.data.restart_series(work.new_id());
    draft.data.place(work.now);
    stored::insert(work, draft).await
}

async fn update(work: &Work, before: &Stored<Task>, mut after: Stored<Task>) -> Result<Stored<Task>> {
    let said = |task: &Task| (task.due_at, task.due_on.clone(), task.recurrence.clone(), task.time_zone.clone());
    if said(&before.data) != said(&after.data) {
        after.data.restart_series(work.new_id());
        after.data.place(work.now);
    }
    stored::save(work, before, after, "updated", None).await
}

/// Completes a task.
pub async fn complete(work: &Work, before: Stored<Task>, input: CompleteTask) -> Result<Stored<Task>> {
    if input.follow_up.is_some() {
        work.caller.require(["tasks:create"])?;
    }
    let (mut after, what) = stored::after_transition(&before, "complete")?;
    after.data.outcome = input.outcome;
    after.data.completed_at = Some(work.now);
    after.data.place(work.now);
    let done = stored::save(work, &before, after, what, None).await?;
    make_next(work, &done).await?;
    if let Some(input) = input.follow_up {
        let task = Task {
            account_id: done.data.account_id,
            contact_id: done.data.contact_id,
            related_resource: done.data.related_resource.clone(),
            related_id: done.data.related_id,
            time_zone: done.data.time_zone.clone(),
            previous_id: Some(TaskId(done.id())),
            ..follow_up(input, TaskKind::FollowUp)
        };
        insert_after(work, &done.record, task).await?;
    }
    Ok(done)
}

async fn reopen(work: &Work, before: Stored<Task>) -> Result<Stored<Task>> {
    let (mut after, what) = stored::after_transition(&before, "reopen")?;
    after.data.completed_at = None;
    after.data.outcome = None;
    after.data.place(work.now);
    let followers = stored::find_by::<Task>(work, "previous_id", Scalar::Id(before.id())).await?;
    let is_next =
        |next: &&Stored<Task>| next.data.series_id == before.data.series_id && next.data.occurrence_no > before.data.occurrence_no;
    if let Some(next) = followers.iter().find(is_next).filter(|_| before.data.series_id.is_some()) {
        match record::locked(work, work.shape(Task::PLURAL)?, [next.id()]).await?.pop().map(Stored::<Task>::of).transpose()? {
            Some(next) if next.version() > 1 => {
                return Err(Error::from(Code::NextInProgress).with_conflict(Task::PLURAL, next.id(), "previous_id"));
            }
            Some(next) => stored::delete(work, &next).await?,
            None => {}
        }
    }
    stored::save(work, &before, after, what, None).await
}

/// Cancels a task.
pub async fn cancel(work: &Work, before: Stored<Task>, input: CancelTask) -> Result<Stored<Task>> {
    end(work, before, "cancel", input.reason).await
}

async fn skip(work: &Work, before: Stored<Task>) -> Result<Stored<Task>> {
    if before.data.recurrence.is_none() {
        return Err(Error::from(Code::Conflict).with_detail("the task does not recur; cancel it instead"));
    }
    end(work, before, "skip", None).await
}

async fn end(work: &Work, before: Stored<Task>, verb: &str, reason: Option<String>) -> Result<Stored<Task>> {
    let (after, what) = stored::after_transition(&before, verb)?;
    let ended = stored::save(work, &before, after, what, reason).await?;
    make_next(work, &ended).await?;
    Ok(ended)
}

async fn snooze(work: &Work, before: Stored<Task>, input: SnoozeTask) -> Result<Stored<Task>> {
    let until = match (input.until, input.minutes) {
        (Some(until), None) if until <= work.now => {
            return Err(Error::invalid(FieldError::new("/until", FieldCode::InPast, "a moment in the future")));
        }
        (Some(until), None) => until,
        (None, Some(minutes)) => work.now.plus_seconds(minutes * 60),
        _ => return Err(Error::invalid(FieldError::new("/until", FieldCode::AmbiguousKey, "until or minutes"))),
    };
    let mut after = before.clone();
    (after.data.due_at, after.data.due_on) = (Some(until), None);
    after.data.place(work.now);
    stored::save(work, &before, after, "snoozed", None).await
}

async fn assign(work: &Work, before: Stored<Task>, input: AssignTask) -> Result<Stored<Task>> {
    let mut after = before.clone();
    for (field, id) in OWNERS.into_iter().zip([input.owner_id, input.team_id]) {
        if let Some(id) = id {
            after.record.insert(field.to_owned(), json!(id));
        }
    }
    stored::save(work, &before, after, "assigned", input.reason).await
}

/// Makes the next occurrence of a series, once one is done.
async fn make_next(work: &Work, done: &Stored<Task>) -> Result<()> {
    if let Some(next) = done.data.next_occurrence(TaskId(done.id()), work.now) {
        let extension = ["tags", "custom"].map(|field| (field.to_owned(), done.record.get(field).cloned().unwrap_or_default()));
        let mut draft = with_owners(&done.record, next);
        draft.record.extend(extension);
        stored::insert_next(work, &done.record, draft).await?;
    }
    Ok(())
}

/// Makes a task that goes on from another record: of its owner and team.
pub(super) async fn insert_after(work: &Work, of: &Record, mut task: Task) -> Result<Stored<Task>> {
    if task.time_zone.is_none() {
        task.time_zone = Some(work.caller_zone().await?.name().to_owned());
    }
    task.place(work.now);
    stored::insert_next(work, of, with_owners(of, task)).await
}

fn with_owners(of: &Record, task: Task) -> Stored<Task> {
    let owners = OWNERS.into_iter().map(|field| (field.to_owned(), of.get(field).cloned().unwrap_or_default()));
    Stored { record: Record::from_iter(owners), data: task }
}

/// A task that follows another record, of no customer yet.
pub(super) fn follow_up(input: FollowUp, kind: TaskKind) -> Task {
    Task {
        account_id: None,
        contact_id: None,
        related_resource: None,
        related_id: None,
        subject: input.subject,
        body: input.body,
        kind,
        priority: input.priority,
        status: TaskStatus::Open,
        due_at: input.due_at,
        due_on: input.due_on,
        time_zone: None,
        callback_number: None,
        callback_e164: None,
        outcome: None,
        recurrence: None,
        series_id: None,
        occurrence_no: 0,
        missed: 0,
        series_start: None,
        occurrence_at: None,
        previous_id: None,
        workflow_id: None,
        completed_at: None,
        activity_at: Timestamp::EARLIEST,
    }
}
