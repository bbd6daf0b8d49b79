//! The journal of erasures: who was erased, in a file apart from the database. A backup that is put back brings back whoever was erased
//! since it was made; whom the journal names is erased again before anything is served. A line is an erasure, as JSON: ids and a time.

use super::{forget, settle};
use crate::server::{StartError, now};
use samphan_domain::{
    caller::Caller,
    error::{Code, Error, Result},
    instant::Instant,
    platform::privacy_request::{PrivacyRequest, PrivacyRequestKind, PrivacyRequestStatus},
    scalar::{Kind, Scalar},
};
use samphan_persistence::{
    person::Person,
    record,
    store::{Reader, Store},
    stored::{self, Stored},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use uuid::Uuid;

/// How often the database is asked for new ones: the journal is behind by no more than this.
const EVERY: Duration = Duration::from_secs(1);
/// Seconds before the newest erasure known in which others may have been settled: clocks of several processes, or one put back.
const EARLIER: i64 = 86_400;
/// What an erasure that was done again says of itself.
const AGAIN: &str = "Done again: a backup of before the erasure was put back.";

/// The file, and what is in it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    known: HashSet<Uuid>,
    /// The newest erasure in it.
    newest: Option<Instant>,
}

/// An erasure.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Erasure {
    privacy_request_id: Uuid,
    resource: String,
    record_id: Uuid,
    erased_at: Instant,
}

impl Journal {
    /// Opens the journal and makes it and the database agree: whom only the journal names is erased again, whom only the database has
    /// erased is noted.
    pub async fn open(store: &Store, path: &Path) -> std::result::Result<Self, StartError> {
        let unusable = |error: io::Error| StartError::Journal(path.to_owned(), error);
        let (file, noted) = read(path).map_err(unusable)?;
        let reader = store.reader(Arc::new(Caller::system()), now());
        let done = fulfilled(&reader, None).await?;
        let in_database: HashSet<Uuid> = done.iter().map(|e| e.privacy_request_id).collect();
        for erasure in noted.iter().filter(|e| !in_database.contains(&e.privacy_request_id)) {
            erase_again(store, erasure).await?;
        }
        let newest = noted.iter().map(|e| e.erased_at).max();
        let known = noted.into_iter().map(|e| e.privacy_request_id).collect();
        let mut journal = Self { path: path.to_owned(), file, known, newest };
        journal.note(done).map_err(unusable)?;
        Ok(journal)
    }

    /// Notes what the database erases, for the life of the process.
    pub async fn follow(mut self, store: Store) {
        let mut clock = tokio::time::interval(EVERY);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            clock.tick().await;
            let reader = store.reader(Arc::new(Caller::system()), now());
            // A database that is away is logged where it fails, and may be back by the next time.
            let Ok(done) = fulfilled(&reader, self.newest.map(|newest| newest.plus_seconds(-EARLIER))).await else { continue };
            if let Err(error) = self.note(done) {
                tracing::error!(%error, journal = %self.path.display(), "an erasure could not be noted; it is tried again");
            }
        }
    }

    /// Adds those that are not in it yet.
    fn note(&mut self, done: Vec<Erasure>) -> io::Result<()> {
        let new: Vec<Erasure> = done.into_iter().filter(|e| !self.known.contains(&e.privacy_request_id)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let lines: String = new.iter().map(|e| format!("{}\n", json!(e))).collect();
        let whole = self.file.metadata()?.len();
        if let Err(error) = self.file.write_all(lines.as_bytes()).and_then(|()| self.file.sync_all()) {
            // What was written of it is no line.
            self.file.set_len(whole)?;
            return Err(error);
        }
        self.newest = new.iter().map(|e| e.erased_at).chain(self.newest).max();
        self.known.extend(new.into_iter().map(|e| e.privacy_request_id));
        Ok(())
    }
}

/// What is in the file, which is made if it is not there. A last line that was not written to its end is taken away: it is written again.
fn read(path: &Path) -> io::Result<(File, Vec<Erasure>)> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    if whole < text.len() {
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
    }
    let lines = text[..whole].lines().enumerate();
    let wrong = |n: usize, error: serde_json::Error| io::Error::new(io::ErrorKind::InvalidData, format!("line {}: {error}", n + 1));
    let erasures: io::Result<Vec<Erasure>> = lines.map(|(n, line)| serde_json::from_str(line).map_err(|e| wrong(n, e))).collect();
    Ok((file, erasures?))
}

/// The erasures the database has done, since then or ever.
async fn fulfilled(reader: &Reader, since: Option<Instant>) -> Result<Vec<Erasure>> {
    let mut sql = reader.sql();
    sql.push("SELECT id, resource, record_id, settled_at FROM privacy_requests WHERE status = 'fulfilled' AND kind = 'erasure'");
    if let Some(since) = since {
        sql.push(" AND settled_at >= ").bind(Kind::Time, Scalar::Time(since));
    }
    sql.push(" ORDER BY settled_at");
    let done = reader.fetch(sql, |row| Ok((row.id(0)?, row.text(1)?, row.id(2)?, row.time(3)?))).await?;
    let erasure = |(privacy_request_id, resource, record_id, settled_at): (Uuid, String, Uuid, Option<Instant>)| {
        let erased_at = settled_at.ok_or_else(|| Error::from(Code::Internal))?;
        Ok(Erasure { privacy_request_id, resource, record_id, erased_at })
    };
    done.into_iter().map(erasure).collect()
}

/// Erases whoever came back. Who is not there, because he was made after the backup, stays away.
async fn erase_again(store: &Store, erasure: &Erasure) -> Result<()> {
    let work = store.work(Arc::new(Caller::system()), now()).await?;
    let person = Person { shape: work.shape(&erasure.resource)?, id: erasure.record_id };
    if record::seen_dead_or_alive(&work, person.shape, person.id).await?.is_none() {
        return Ok(());
    }
    let id = Scalar::Id(erasure.privacy_request_id);
    let request = match stored::one_with::<PrivacyRequest>(&work, "id", id).await? {
        Some(before) => settle(&work, &before, PrivacyRequestStatus::Fulfilled, Some(AGAIN.to_owned())).await?,
        None => stored::insert(&work, erasure.request()).await?,
    };
    forget(&work, person, &request).await?;
    work.commit().await?;
    tracing::warn!(privacy_request = %request.id(), "a person was erased again: a backup of before was put back");
    Ok(())
}

impl Erasure {
    /// The request it was, as far as it is known.
    fn request(&self) -> Stored<PrivacyRequest> {
        let mut draft = Stored::draft(PrivacyRequest {
            kind: PrivacyRequestKind::Erasure,
            resource: self.resource.clone(),
            record_id: self.record_id,
            received_on: Some(self.erased_at.date()),
            due_on: None,
            note: None,
            evidence: None,
            outcome: Some(AGAIN.to_owned()),
            status: PrivacyRequestStatus::Fulfilled,
            settled_at: Some(self.erased_at),
        });
        draft.record.insert("id".to_owned(), json!(self.privacy_request_id));
        draft
    }
}
