//! The journal of erasures: who was erased, in a file apart from the database. A restored backup brings back persons that were erased
//! since it was made; whom the journal names is erased again before anything is served. A line is an erasure, as JSON: ids and a time.

use super::forget;
use samphan_domain::platform::privacy_request::{PrivacyRequest, PrivacyRequestKind, PrivacyRequestStatus};
use samphan_persistence::{
    clock,
    data_subject::DataSubject,
    private, record,
    store::{Reader, Store},
    stored::{self, Stored},
};
use samphan_resource::{
    calendar::{self, Zone},
    caller::Caller,
    error::{Code, Error, Result},
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use tokio::sync::Mutex;
use uuid::Uuid;

/// How often the database is asked for new ones: the journal is behind by no more than this, and not at all once the service has ended.
const EVERY: Duration = Duration::from_secs(1);
/// Seconds before the look before in which erasures may have been settled that it did not see: clocks of several processes differ.
const EARLIER: i64 = 86_400;
/// The line in which processes stand that erase a person again.
const LINE: &str = "erasure journal";
/// What an erasure that was done again says of itself.
const AGAIN: &str = "Done again: a backup of before the erasure was put back.";

/// Why the journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be read or written.
    #[error("the erasure journal {}: {}", .0.display(), .1)]
    File(PathBuf, io::Error),
    /// An erasure could not be done again.
    #[error("the database could not be set up: {0}")]
    Database(#[from] Error),
}

/// The file, and whose erasures are in it.
#[derive(Debug)]
pub struct Journal {
    store: Store,
    path: PathBuf,
    file: File,
    known: HashSet<Uuid>,
}

/// An erasure.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Erasure {
    privacy_request_id: Uuid,
    resource: String,
    record_id: Uuid,
    erased_at: Timestamp,
}

impl Journal {
    /// Opens the journal and makes it and the database agree: whom only the journal names is erased again, whom only the database has
    /// erased is noted.
    pub async fn open(store: Store, path: &Path) -> std::result::Result<Self, JournalError> {
        let unusable = |error: io::Error| JournalError::File(path.to_owned(), error);
        private::narrow(path);
        private::create(path).map_err(unusable)?;
        let file = OpenOptions::new().read(true).append(true).open(path).map_err(unusable)?;
        let noted = read(&file, &store).map_err(unusable)?;
        let reader = store.reader(Arc::new(Caller::system()), clock::now());
        let done = fulfilled(&reader, None).await?;
        let in_database: HashSet<Uuid> = done.iter().map(|e| e.privacy_request_id).collect();
        for erasure in noted.iter().filter(|e| !in_database.contains(&e.privacy_request_id)) {
            erase_again(&store, erasure).await?;
        }
        let known = noted.into_iter().map(|e| e.privacy_request_id).collect();
        let mut journal = Self { store, path: path.to_owned(), file, known };
        journal.note(done).map_err(unusable)?;
        Ok(journal)
    }

    /// Notes what the database erases, for the life of the process.
    pub async fn follow(this: Rc<Mutex<Self>>) {
        let mut clock = tokio::time::interval(EVERY);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut looked = clock::now();
        loop {
            clock.tick().await;
            let at = clock::now();
            // A clock may be put ahead or back between two looks.
            if this.lock().await.catch_up(Some(looked.min(at).plus_seconds(-EARLIER))).await {
                looked = at;
            }
        }
    }

    /// Notes what the database has erased, since then or ever; says whether it could ask.
    pub async fn catch_up(&mut self, since: Option<Timestamp>) -> bool {
        // A database that is away is logged where it fails, and may be back by the next time.
        let reader = self.store.reader(Arc::new(Caller::system()), clock::now());
        let Ok(done) = fulfilled(&reader, since).await else { return false };
        let noted = self.note(done);
        if let Err(error) = &noted {
            tracing::error!(%error, journal = %self.path.display(), "an erasure could not be noted; it is tried again");
        }
        noted.is_ok()
    }

    /// Adds those that are not in it yet.
    fn note(&mut self, done: Vec<Erasure>) -> io::Result<()> {
        let new: Vec<Erasure> = done.into_iter().filter(|e| !self.known.contains(&e.privacy_request_id)).collect();
        if new.is_empty() {
            return Ok(());
        }
        whole_lines(&self.file)?;
        let lines: String = new.iter().map(|e| format!("{}\n", json!(e))).collect();
        self.file.write_all(lines.as_bytes())?;
        self.file.sync_all()?;
        self.known.extend(new.into_iter().map(|e| e.privacy_request_id));
        Ok(())
    }
}

/// What is in the file: erasures of persons, as this version knows them.
fn read(file: &File, store: &Store) -> io::Result<Vec<Erasure>> {
    let erasure = |line: &str| -> std::result::Result<Erasure, String> {
        let erasure: Erasure = serde_json::from_str(line).map_err(|e| e.to_string())?;
        let is_known = store.shapes.get(erasure.resource.as_str()).is_some_and(|shape| DataSubject::is_one(shape));
        if is_known { Ok(erasure) } else { Err(format!("{} is no resource of persons", erasure.resource)) }
    };
    let lines = whole_lines(file)?;
    let wrong = |n: usize, why: String| io::Error::new(io::ErrorKind::InvalidData, format!("line {}: {why}", n + 1));
    lines.lines().enumerate().map(|(n, line)| erasure(line).map_err(|why| wrong(n, why))).collect()
}

/// The lines of the file. A last one that was not written to its end is taken away: what it was to say is not known, and is written again.
fn whole_lines(mut file: &File) -> io::Result<String> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_string(&mut text)?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    if whole < text.len() {
        file.set_len(whole as u64)?;
        text.truncate(whole);
    }
    Ok(text)
}

/// The erasures the database has done, since then or ever.
async fn fulfilled(reader: &Reader, since: Option<Timestamp>) -> Result<Vec<Erasure>> {
    let mut sql = reader.sql();
    sql.push("SELECT id, resource, record_id, settled_at FROM privacy_requests WHERE status = 'fulfilled' AND kind = 'erasure'");
    if let Some(since) = since {
        sql.push(" AND settled_at >= ").bind(Kind::Time, Scalar::Time(since));
    }
    sql.push(" ORDER BY settled_at");
    let done = reader.fetch(sql, |row| Ok((row.id(0)?, row.text(1)?, row.id(2)?, row.time(3)?))).await?;
    let erasure = |(privacy_request_id, resource, record_id, settled_at): (Uuid, String, Uuid, Option<Timestamp>)| {
        let erased_at = settled_at.ok_or_else(|| Error::from(Code::Internal))?;
        Ok(Erasure { privacy_request_id, resource, record_id, erased_at })
    };
    done.into_iter().map(erasure).collect()
}

/// Erases whoever came back, whatever business is under way with him: it was not when he was erased. Who is not there, because he was made
/// after the backup, stays away.
async fn erase_again(store: &Store, erasure: &Erasure) -> Result<()> {
    let work = store.work(Arc::new(Caller::system()), clock::now()).await?;
    // Another process may be at it.
    work.lock_named(LINE).await?;
    let person = DataSubject { shape: work.shape(&erasure.resource)?, id: erasure.record_id };
    if record::find_visible_or_deleted(&work, person.shape, person.id).await?.is_none() {
        return Ok(());
    }
    let request = match stored::find_one_by::<PrivacyRequest>(&work, "id", Scalar::Id(erasure.privacy_request_id)).await? {
        Some(done) if done.data.status == PrivacyRequestStatus::Fulfilled => return Ok(()),
        Some(before) => {
            let mut after = before.clone();
            let done = erasure.request(work.zone().await?);
            (after.data.status, after.data.outcome, after.data.settled_at) = (done.status, done.outcome, done.settled_at);
            stored::save(&work, &before, after, PrivacyRequestStatus::Fulfilled.as_str(), None).await?
        }
        None => {
            let mut draft = Stored::draft(erasure.request(work.zone().await?));
            draft.record.insert("id".to_owned(), json!(erasure.privacy_request_id));
            stored::insert(&work, draft).await?
        }
    };
    forget(&work, person, &request).await?;
    work.commit().await?;
    tracing::warn!(privacy_request = %request.id(), "a person was erased again: a backup of before was put back");
    Ok(())
}

impl Erasure {
    /// The request it was, as far as it is known.
    fn request(&self, zone: Zone) -> PrivacyRequest {
        PrivacyRequest {
            kind: PrivacyRequestKind::Erasure,
            resource: self.resource.clone(),
            record_id: self.record_id,
            received_on: Some(calendar::today(zone, self.erased_at).to_string()),
            due_on: None,
            note: None,
            evidence: None,
            outcome: Some(AGAIN.to_owned()),
            status: PrivacyRequestStatus::Fulfilled,
            settled_at: Some(self.erased_at),
        }
    }
}
