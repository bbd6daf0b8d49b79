//! The database, and the two ways to it: a `Reader` without a transaction, a `Work` that is one.

use crate::{
    custom_values::Definitions,
    dialect::Dialect,
    error::{DatabaseError, Result},
    guard::Guards,
    long::{Budget, Charge, LongReads},
    many::ChangedRow,
    named_lock::{NamedLockGuard, NamedLocks},
    outbox,
    postgres::{self, Pools},
    row::Row,
    sql::Sql,
    sqlite::{self, Sqlite, TokenChange, Turn, Writer},
};
use samphan_resource::{
    builtin::{custom_field::CustomField, organisation_settings::OrganisationSettings},
    caller::Caller,
    error::{Code, Error},
    event::Event,
    resource::Resource,
    scalar::{Kind, Scalar},
    shape::Shape,
    timestamp::Timestamp,
};
use sea_orm::DatabaseConnection;
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap},
    ops::Deref,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};
use tokio::sync::{Notify, OwnedMutexGuard};
use uuid::Uuid;

/// How to open a database.
#[derive(Clone, Debug)]
pub struct DatabaseOptions {
    /// `sqlite://path` or `postgres://…`.
    pub url: String,
    /// Connections for reads, and as many for writes; PostgreSQL only.
    pub connections: u32,
    /// Wait for the disk at every commit; SQLite only.
    pub full_sync: bool,
}

/// An open database with the state all its users share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store(Arc<StoreInner>);

impl Deref for Store {
    type Target = StoreInner;

    fn deref(&self) -> &StoreInner {
        &self.0
    }
}

/// The shared state of a store.
#[derive(Clone, Debug)]
pub struct StoreInner {
    backend: Backend,
    /// Every resource by its plural.
    pub shapes: &'static Shapes,
    /// What was read of the organisation's custom fields, and when.
    pub(crate) custom: Arc<RwLock<Definitions>>,
    /// The organisation's settings, and when they were read.
    pub(crate) settings: Arc<RwLock<Option<ReadAt<OrganisationSettings>>>>,
    /// The keys that sign what clients hand back, such as cursors, by kind: the first signs, all verify.
    keys: Arc<RwLock<HashMap<&'static str, SigningKeys>>>,
    /// Notified after each commit of this process that had events.
    pub committed: Arc<Notify>,
    /// Notified after each commit of this process that enqueued jobs.
    pub enqueued: Arc<Notify>,
    /// Named locks that works of this process wait for.
    pub named_locks: Arc<NamedLocks>,
    /// Rules that changes of some resources must keep.
    pub guards: Arc<Guards>,
    /// The turns of reads that take long.
    long: Arc<LongReads>,
    /// How long the reads of a request may take.
    read_timeout: Duration,
}

/// How long the reads of a request may take, where nothing else is set.
const READ_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a work on SQLite runs before others on its thread get their turn.
const YIELD_INTERVAL: Duration = Duration::from_micros(500);
/// Rows that are inserted between two looks at the time.
const ROWS_PER_CHECK: usize = 20;

/// Every resource by its plural.
pub type Shapes = HashMap<&'static str, &'static Shape>;
/// Custom fields by resource and key.
pub type CustomFields = HashMap<(String, String), CustomField>;

/// What was read, and when.
pub(crate) type ReadAt<T> = (Timestamp, Arc<T>);

/// Keys of one kind, the one that signs first.
pub type SigningKeys = Arc<[Vec<u8>]>;

#[derive(Clone, Debug)]
enum Backend {
    Sqlite(Arc<Sqlite>),
    Postgres(Pools),
}

impl Store {
    /// Opens a database.
    pub async fn open(opening: &DatabaseOptions, shapes: &'static Shapes) -> Result<Self, DatabaseError> {
        let backend = match opening.url.strip_prefix("sqlite://") {
            Some(path) => Backend::Sqlite(Arc::new(Sqlite::open(path, opening.full_sync)?)),
            None => Backend::Postgres(Pools::open(&opening.url, opening.connections).await?),
        };
        Ok(Self(Arc::new(StoreInner {
            backend,
            shapes,
            custom: Arc::default(),
            settings: Arc::default(),
            keys: Arc::default(),
            committed: Arc::default(),
            enqueued: Arc::default(),
            named_locks: Arc::default(),
            guards: Arc::default(),
            long: Arc::default(),
            read_timeout: READ_TIMEOUT,
        })))
    }

    /// A store for another worker: the same SQLite database, but PostgreSQL pools of its own.
    pub async fn for_worker(&self, opening: &DatabaseOptions) -> Result<Self, DatabaseError> {
        match &self.backend {
            Backend::Sqlite(_) => Ok(self.clone()),
            Backend::Postgres(_) => {
                let backend = Backend::Postgres(Pools::open(&opening.url, opening.connections).await?);
                Ok(Self(Arc::new(StoreInner { backend, ..StoreInner::clone(self) })))
            }
        }
    }

    /// Takes these keys of a kind from now on, for all workers of the process: the first signs, all verify.
    pub fn use_keys(&self, kind: &'static str, keys: Vec<Vec<u8>>) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(kind, Arc::from(keys));
    }

    /// The keys of a kind.
    #[must_use]
    pub fn keys(&self, kind: &str) -> SigningKeys {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).get(kind).cloned().unwrap_or_default()
    }

    /// With rules that changes of some resources must keep.
    #[must_use]
    pub fn with_guards(self, guards: Guards) -> Self {
        Self(Arc::new(StoreInner { guards: Arc::new(guards), ..StoreInner::clone(&self) }))
    }

    /// With the time that the reads of a request may take.
    #[must_use]
    pub fn with_read_timeout(self, read_timeout: Duration) -> Self {
        Self(Arc::new(StoreInner { read_timeout, ..StoreInner::clone(&self) }))
    }

    /// Whether the database answers: asked on a connection that no request holds.
    pub async fn ping(&self) -> Result<()> {
        let mut sql = Sql::new(self.dialect());
        sql.push("SELECT count(*) FROM server_keys");
        match &self.backend {
            Backend::Sqlite(lite) => lite.read(|connection| sqlite::fetch(connection, &sql, |row| row.int(0))).map(|_| ()),
            Backend::Postgres(pools) => Ok(pools.rows(&pools.control, sql).await.map(|_| ())?),
        }
    }

    /// Which database it is.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.backend {
            Backend::Sqlite(_) => Dialect::Sqlite,
            Backend::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Maintenance that SQLite does not do by itself, a little at a time: merges the search index. Called by a task.
    pub async fn run_maintenance(&self) -> Result<(), DatabaseError> {
        match &self.backend {
            Backend::Sqlite(lite) => lite.run_maintenance().await,
            Backend::Postgres(_) => Ok(()),
        }
    }

    /// SQLite's writer, for migrations.
    pub(crate) async fn sqlite_writer(&self) -> Option<OwnedMutexGuard<Writer>> {
        match &self.backend {
            Backend::Sqlite(lite) => Some(lite.writer().await),
            Backend::Postgres(_) => None,
        }
    }

    /// PostgreSQL's pool, for migrations.
    pub(crate) fn postgres(&self) -> Option<&DatabaseConnection> {
        match &self.backend {
            Backend::Sqlite(_) => None,
            Backend::Postgres(pools) => Some(&pools.writes),
        }
    }

    /// A way to read, for a caller, at a moment.
    #[must_use]
    pub fn reader(&self, caller: Arc<Caller>, now: Timestamp) -> Reader {
        Reader::new(self.clone(), caller, now, Connection::Pool)
    }

    /// Begins a unit of work.
    pub async fn work(&self, caller: Arc<Caller>, now: Timestamp) -> Result<Work> {
        let on = match &self.backend {
            Backend::Sqlite(lite) => Connection::Sqlite(lite.turn().await?),
            Backend::Postgres(pools) => Connection::Postgres(postgres::Transaction::new(pools.begin(&pools.writes).await?)),
        };
        let reader = Reader::new(self.clone(), caller, now, on);
        Ok(Work {
            reader,
            events: RefCell::default(),
            savepoints: RefCell::new(0),
            write_attempts: Cell::new(0),
            has_events: Cell::new(false),
            defines: Cell::new(false),
            allows_duplicates: false,
            named_locks: RefCell::default(),
            contended: RefCell::default(),
            after_commit: RefCell::default(),
        })
    }

    /// Begins a unit of work that can be run again, as a request's is. If another work holds a named lock, `Work::contended_locks` names it
    /// and this work has to be rolled back; `locks` are those it has waited for since. Its inserts are sent to PostgreSQL together.
    pub async fn retryable_work(&self, caller: Arc<Caller>, now: Timestamp, locks: Vec<NamedLockGuard>) -> Result<Work> {
        let work = self.work(caller, now).await?;
        work.named_locks.replace(Some(locks));
        work.gather(true);
        Ok(work)
    }

    /// Forgets what was read of custom fields, here at once; other processes forget within seconds.
    fn forget_custom_fields(&self) {
        self.custom.write().unwrap_or_else(PoisonError::into_inner).forget();
    }
}

/// A way to read: for one caller, at one moment.
#[derive(Debug)]
pub struct Reader {
    /// The database.
    pub store: Store,
    /// The caller that reads.
    pub caller: Arc<Caller>,
    /// The moment.
    pub now: Timestamp,
    on: Connection,
    /// The request it is for.
    pub request_id: String,
    /// What its long reads may take; without one none is ended.
    budget: Option<Budget>,
    /// When others on this thread last got their turn.
    yielded_at: Cell<Instant>,
}

#[derive(Debug)]
enum Connection {
    Pool,
    Sqlite(Turn),
    Postgres(postgres::Transaction),
}

impl Reader {
    fn new(store: Store, caller: Arc<Caller>, now: Timestamp, on: Connection) -> Self {
        Self { store, caller, now, on, request_id: String::new(), budget: None, yielded_at: Cell::new(Instant::now()) }
    }

    /// With a limit to what its reads may take together; what takes long is charged to its caller.
    #[must_use]
    pub fn limited(mut self, charge: Arc<dyn Charge>) -> Self {
        self.budget = Some(Budget::new(self.store.read_timeout, self.caller.id, charge));
        self
    }

    /// Begins the limit anew: for the next piece of an answer in pieces.
    pub fn renew_limit(&self) {
        if let Some(budget) = &self.budget {
            budget.renew();
        }
    }

    /// Lets others on this thread have their turn, where this work had it long enough: neither what is computed nor a statement on
    /// SQLite waits by itself.
    pub async fn yield_when_due(&self) {
        if self.yielded_at.get().elapsed() >= YIELD_INTERVAL {
            tokio::task::yield_now().await;
            self.yielded_at.set(Instant::now());
        }
    }

    /// An empty statement in this database's dialect.
    #[must_use]
    pub fn sql(&self) -> Sql {
        Sql::new(self.store.dialect())
    }

    /// The shape of a resource.
    pub fn shape(&self, many: &str) -> Result<&'static Shape> {
        self.store.shapes.get(many).copied().ok_or_else(|| Code::Internal.into())
    }

    /// Runs a query and reads each row.
    ///
    /// A row may be read twice: what turns out to take long is begun again where it may.
    pub async fn fetch<T>(&self, sql: Sql, mut read: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
        match (&self.on, &self.store.backend) {
            (Connection::Sqlite(turn), _) => {
                self.yield_when_due().await;
                sqlite::fetch(turn.connection()?, &sql, read)
            }
            (Connection::Postgres(tx), _) => tx.fetch(sql, read).await,
            (Connection::Pool, Backend::Sqlite(lite)) => {
                let Some(budget) = &self.budget else { return lite.read(|connection| sqlite::fetch(connection, &sql, read)) };
                if !self.is_long(&sql) {
                    let brief = lite.read_briefly(|connection| sqlite::fetch(connection, &sql, &mut read));
                    if !brief.as_ref().is_err_and(|error| error.code == Code::TooCostly) {
                        return brief;
                    }
                }
                let (turn, time) = (self.store.long.turn(self.caller.id).await?, budget.left()?);
                let _running = budget.running();
                let _learning = self.store.long.learning(self.caller.id, &sql.text);
                let rows = Arc::clone(lite).read_long(sql, time, turn).await?;
                rows.iter().map(|row| read(&Row::Values(row))).collect()
            }
            (Connection::Pool, Backend::Postgres(pools)) => postgres::read_each(&self.rows(pools, sql).await?, read),
        }
    }

    /// Whether a read is known to take long: by what it is, or because it did for this caller.
    fn is_long(&self, sql: &Sql) -> bool {
        sql.is_long() || self.store.long.is_known(self.caller.id, &sql.text)
    }

    /// The rows of a query on PostgreSQL.
    async fn rows(&self, pools: &Pools, sql: Sql) -> Result<Vec<sea_orm::QueryResult>> {
        if self.budget.is_none() || !self.is_long(&sql) {
            match pools.rows(&pools.reads, sql.clone()).await {
                Err(failure) if failure.is_cancelled() => {}
                rows => return Ok(rows?),
            }
            if let Some(budget) = &self.budget {
                budget.spend(Duration::from_millis(postgres::BRIEF_MS));
            }
        }
        let Some(budget) = &self.budget else { return Ok(pools.rows(&pools.writes, sql).await?) };
        let (turn, time) = (self.store.long.turn(self.caller.id).await?, budget.left()?);
        let _running = budget.running();
        let _learning = self.store.long.learning(self.caller.id, &sql.text);
        match pools.read_long(sql, time, turn).await {
            // It took too long: the database itself is well.
            Err(failure) if failure.is_cancelled() => Err(Code::TooCostly.into()),
            rows => Ok(rows?),
        }
    }

    /// Runs a query and reads its first row, if any.
    pub async fn fetch_one<T>(&self, sql: Sql, read: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Option<T>> {
        Ok(self.fetch(sql, read).await?.into_iter().next())
    }

    /// Runs a query that answers one number.
    pub async fn count(&self, sql: Sql) -> Result<i64> {
        Ok(self.fetch_one(sql, |row| row.int(0)).await?.unwrap_or_default())
    }

    /// A new id, of this moment.
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        let seconds = self.now.micros().div_euclid(1_000_000);
        let nanos = self.now.micros().rem_euclid(1_000_000) * 1_000;
        let stamp = uuid::Timestamp::from_unix(
            uuid::NoContext,
            u64::try_from(seconds).unwrap_or_default(),
            u32::try_from(nanos).unwrap_or_default(),
        );
        Uuid::new_v7(stamp)
    }

    /// Whether this reader is a work's, and so may lock.
    #[must_use]
    pub const fn is_work(&self) -> bool {
        !matches!(self.on, Connection::Pool)
    }
}

/// A unit of work: one transaction, one caller, one moment. Dropped without `commit` it leaves nothing behind.
#[derive(Debug)]
pub struct Work {
    reader: Reader,
    events: RefCell<Vec<Event>>,
    savepoints: RefCell<u32>,
    write_attempts: Cell<u64>,
    /// Whether events were written.
    has_events: Cell<bool>,
    /// Whether custom fields were changed.
    defines: Cell<bool>,
    /// Whether possible duplicates are meant.
    allows_duplicates: bool,
    /// The named locks this work holds, where it can be run again; released when the transaction has ended.
    named_locks: RefCell<Option<Vec<NamedLockGuard>>>,
    /// A named lock that another work holds.
    contended: RefCell<Option<String>>,
    /// What is done to the store once everything is committed.
    after_commit: RefCell<Vec<fn(&Store)>>,
}

impl Deref for Work {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

/// A savepoint of a work.
#[derive(Debug)]
pub struct Savepoint {
    name: u32,
    events: usize,
    token_changes: usize,
}

impl Work {
    /// For the request of that id.
    #[must_use]
    pub fn for_request(mut self, id: &str) -> Self {
        id.clone_into(&mut self.reader.request_id);
        self
    }

    /// With leave to write possible duplicates: the request asked for it.
    #[must_use]
    pub fn allowing_duplicates(self, allowed: bool) -> Self {
        Self { allows_duplicates: allowed, ..self }
    }

    /// Whether possible duplicates are meant.
    #[must_use]
    pub(crate) const fn allows_duplicates(&self) -> bool {
        self.allows_duplicates
    }

    /// How many statements that write were tried so far. As long as the number stands, there is nothing to undo.
    #[must_use]
    pub const fn write_attempts(&self) -> u64 {
        self.write_attempts.get()
    }

    /// Runs a statement and counts the rows it touched.
    pub async fn execute(&self, sql: Sql) -> Result<u64> {
        self.write_attempts.set(self.write_attempts.get() + 1);
        match &self.on {
            Connection::Sqlite(turn) => {
                self.yield_when_due().await;
                sqlite::execute(turn.connection()?, &sql)
            }
            Connection::Postgres(tx) => tx.execute(sql).await,
            Connection::Pool => Err(Code::Internal.into()),
        }
    }

    /// Inserts rows: one statement on PostgreSQL, one prepared statement run for each row on SQLite, whichever is fastest there.
    /// `ending` is what follows, such as `ON CONFLICT …`.
    pub async fn insert(
        &self,
        table: &'static str,
        columns: &[(&'static str, Kind)],
        rows: Vec<Vec<Scalar>>,
        ending: &'static str,
    ) -> Result<u64> {
        if rows.is_empty() {
            return Ok(0);
        }
        self.write_attempts.set(self.write_attempts.get() + 1);
        match &self.on {
            Connection::Sqlite(turn) => self.insert_each(turn, table, columns, &rows, ending).await,
            Connection::Postgres(tx) => tx.execute(insert_statement(self.sql(), table, columns, rows, ending)).await,
            Connection::Pool => Err(Code::Internal.into()),
        }
    }

    /// The same of rows that this work does not look at by itself: on PostgreSQL they may be sent with others, before the next statement
    /// that is no such insert. A refusal by the database comes with that.
    pub async fn insert_unseen(&self, table: &'static str, columns: &[(&'static str, Kind)], rows: Vec<Vec<Scalar>>) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        match &self.on {
            Connection::Postgres(_) => self.send_unseen(insert_statement(self.sql(), table, columns, rows, "")).await,
            _ => self.insert(table, columns, rows, "").await.map(|_| ()),
        }
    }

    /// The same of an insert for PostgreSQL that is written already.
    pub(crate) async fn send_unseen(&self, sql: Sql) -> Result<()> {
        let Connection::Postgres(tx) = &self.on else { return Err(Code::Internal.into()) };
        self.write_attempts.set(self.write_attempts.get() + 1);
        tx.insert(sql).await
    }

    /// Gathers such rows from now on, or no longer.
    fn gather(&self, gathers: bool) {
        if let Connection::Postgres(tx) = &self.on {
            tx.gather(gathers);
        }
    }

    async fn insert_each(
        &self,
        turn: &Turn,
        table: &'static str,
        columns: &[(&'static str, Kind)],
        rows: &[Vec<Scalar>],
        ending: &'static str,
    ) -> Result<u64> {
        let mut sql = self.sql();
        sql.push("INSERT INTO ").push(table).push(" (").names(columns.iter().map(|c| c.0)).push(") VALUES (");
        for (i, (_, kind)) in columns.iter().enumerate() {
            sql.push(if i == 0 { "" } else { ", " }).bind(*kind, Scalar::Null);
        }
        sql.push(") ").push(ending);
        let mut touched = 0;
        for some in rows.chunks(ROWS_PER_CHECK) {
            self.yield_when_due().await;
            touched += sqlite::execute_each(turn.connection()?, &sql.text, some)?;
        }
        Ok(touched)
    }

    /// Updates rows by id and the version each was read with, and counts those that were still of it: one statement on PostgreSQL, one
    /// prepared statement run for each row on SQLite. Each row has an id, a version, and the new values of the columns; the version is
    /// counted on, and author and moment are those of the work.
    pub(crate) async fn update_each(&self, table: &'static str, columns: &[(&'static str, Kind)], rows: Vec<ChangedRow>) -> Result<u64> {
        self.write_attempts.set(self.write_attempts.get() + 1);
        let (now, author) = (Scalar::Time(self.now), self.caller.author().map_or(Scalar::Null, Scalar::Id));
        let mut sql = self.sql();
        sql.push("UPDATE ").push(table).push(" AS t SET version = t.version + 1, updated_at = ").bind(Kind::Time, now.clone());
        sql.push(", updated_by_id = ").bind(Kind::Id, author.clone());
        match &self.on {
            Connection::Sqlite(turn) => {
                for (name, kind) in columns {
                    sql.push(", \"").push(name).push("\" = ").bind(*kind, Scalar::Null);
                }
                sql.push(" WHERE t.deleted_at IS NULL AND t.id = ").bind(Kind::Id, Scalar::Null);
                sql.push(" AND t.version = ").bind(Kind::Int, Scalar::Null);
                let bound = rows.into_iter().map(|(id, version, values)| {
                    let key = [Scalar::Id(id), Scalar::Int(version)];
                    [now.clone(), author.clone()].into_iter().chain(values).chain(key).collect()
                });
                let bound: Vec<Vec<Scalar>> = bound.collect();
                let mut touched = 0;
                for some in bound.chunks(ROWS_PER_CHECK) {
                    self.yield_when_due().await;
                    touched += sqlite::execute_each(turn.connection()?, &sql.text, some)?;
                }
                Ok(touched)
            }
            Connection::Postgres(tx) => {
                for (name, kind) in columns {
                    sql.push(", \"").push(name).push("\" = ").column("u", name).push(if *kind == Kind::Json { "::json" } else { "" });
                }
                let (mut ids, mut versions) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
                let mut turned: Vec<Vec<Scalar>> = columns.iter().map(|_| Vec::with_capacity(rows.len())).collect();
                for (id, version, values) in rows {
                    ids.push(Scalar::Id(id));
                    versions.push(Scalar::Int(version));
                    for (column, value) in turned.iter_mut().zip(values) {
                        column.push(value);
                    }
                }
                sql.push(" FROM unnest(").bind_column(Kind::Id, ids).push(", ").bind_column(Kind::Int, versions);
                for (values, (_, kind)) in turned.into_iter().zip(columns) {
                    sql.push(", ").bind_column(*kind, values);
                }
                sql.push(") AS u (id, version");
                for (name, _) in columns {
                    sql.push(", \"").push(name).push("\"");
                }
                sql.push(") WHERE t.deleted_at IS NULL AND t.id = u.id AND t.version = u.version");
                tx.execute(sql).await
            }
            Connection::Pool => Err(Code::Internal.into()),
        }
    }

    /// The number SQLite gave the row inserted last.
    pub(crate) fn last_row(&self) -> Result<i64> {
        match &self.on {
            Connection::Sqlite(turn) => Ok(turn.connection()?.last_insert_rowid()),
            _ => Err(Code::Internal.into()),
        }
    }

    /// Queues a change of SQLite's search index, written at commit.
    pub(crate) fn queue_token_change(&self, change: TokenChange) {
        if let Connection::Sqlite(turn) = &self.on {
            turn.queue_token_change(change);
        }
    }

    /// Holds a named lock until the work ends: others that want it wait. SQLite has one writer anyway.
    pub async fn lock_named(&self, name: &str) -> Result<()> {
        self.lock_all_named(vec![name.to_owned()]).await
    }

    /// The same of several names, in their alphabetical order: one statement.
    pub async fn lock_all_named(&self, mut names: Vec<String>) -> Result<()> {
        if self.store.dialect() != Dialect::Postgres || names.is_empty() {
            return Ok(());
        }
        names.sort_unstable();
        names.dedup();
        if let Some(places) = &mut *self.named_locks.borrow_mut() {
            for name in &names {
                if places.iter().any(|place| place.name == *name) {
                    continue;
                }
                match self.store.named_locks.try_lock(name) {
                    Some(place) => places.push(place),
                    None => {
                        self.contended.replace(Some(name.clone()));
                        return Err(Error::from(Code::Unavailable).retry_after(1));
                    }
                }
            }
        }
        let mut sql = self.sql();
        sql.push("SELECT 1 FROM (SELECT pg_advisory_xact_lock(hashtextextended(");
        match <[String; 1]>::try_from(names) {
            Ok([name]) => sql.text(name).push(", 0))) l"),
            Err(names) => {
                sql.push("u.name, 0)) FROM unnest(").bind_column(Kind::Text, names.into_iter().map(Scalar::Text).collect());
                sql.push(") WITH ORDINALITY AS u (name, place) ORDER BY u.place) l")
            }
        };
        self.fetch(sql, |_| Ok(())).await.map(|_| ())
    }

    /// The named locks to wait for before this work is run again; none when it got every lock it asked for. With some, the work's result does
    /// not count and it is to be rolled back.
    #[must_use]
    pub fn contended_locks(&self) -> Option<BTreeSet<String>> {
        let missed = self.contended.borrow().clone()?;
        let had = self.named_locks.borrow();
        Some(had.iter().flatten().map(|place| place.name.clone()).chain([missed]).collect())
    }

    /// The next numbers of a series, such as `order_numbers`, rising. A work that is not committed may leave a gap.
    pub async fn next_numbers(&self, series: &'static str, many: usize) -> Result<Vec<i64>> {
        let many = i64::try_from(many).map_err(|_| Error::from(Code::Internal))?;
        let mut sql = self.sql();
        if many == 0 {
            return Ok(vec![]);
        }
        self.write_attempts.set(self.write_attempts.get() + 1);
        match self.store.dialect() {
            Dialect::Postgres => {
                sql.push("SELECT nextval(").text(series).push("::text::regclass) FROM generate_series(1, ").int(many).push(")");
                self.fetch(sql, |row| row.int(0)).await
            }
            Dialect::Sqlite => {
                sql.push("UPDATE number_series SET last = last + ").int(many).push(" WHERE name = ").text(series).push(" RETURNING last");
                // A series that no migration began would number everything 0.
                let last = self.fetch_one(sql, |row| row.int(0)).await?.ok_or(Code::Internal)?;
                Ok((last - many + 1..=last).collect())
            }
        }
    }

    /// Emits an event, written with everything else at commit.
    pub fn emit(&self, event: Event) {
        self.events.borrow_mut().push(event);
    }

    /// Whether this work has made the record.
    pub(crate) fn has_created(&self, many: &str, id: Uuid) -> bool {
        let is_it = |event: &Event| event.resource_id == id && event.resource == many && event.kind.ends_with(".created");
        self.events.borrow().iter().rev().any(is_it)
    }

    /// Sets a savepoint. From here on every statement is sent at once, so that a failure is known where it happens.
    pub async fn savepoint(&self) -> Result<Savepoint> {
        self.gather(false);
        let name = self.savepoints.replace_with(|n| *n + 1);
        self.control("SAVEPOINT", name).await?;
        let told = if let Connection::Sqlite(turn) = &self.on { turn.token_change_count() } else { 0 };
        Ok(Savepoint { name, events: self.events.borrow().len(), token_changes: told })
    }

    /// Rolls back to a savepoint.
    pub async fn roll_back_to(&self, place: Savepoint) -> Result<()> {
        self.events.borrow_mut().truncate(place.events);
        if let Connection::Sqlite(turn) = &self.on {
            turn.discard_token_changes(place.token_changes);
        }
        self.control("ROLLBACK TO SAVEPOINT", place.name).await
    }

    /// Releases a savepoint.
    pub async fn release(&self, place: Savepoint) -> Result<()> {
        self.control("RELEASE SAVEPOINT", place.name).await
    }

    async fn control(&self, verb: &'static str, name: u32) -> Result<()> {
        let mut sql = self.sql();
        sql.push(verb);
        sql.text.push_str(&format!(" s{name}"));
        self.execute(sql).await.map(|_| ())
    }

    /// Writes the events, before the commit.
    pub async fn flush(&self) -> Result<()> {
        let events = std::mem::take(&mut *self.events.borrow_mut());
        self.has_events.set(self.has_events.get() || !events.is_empty());
        self.defines.set(self.defines.get() || events.iter().any(|e| e.resource == CustomField::PLURAL));
        outbox::write(self, events).await?;
        match &self.on {
            Connection::Postgres(tx) => tx.send().await,
            _ => Ok(()),
        }
    }

    /// Has something done to the store once this work is committed, such as forgetting what was read before.
    pub fn after_commit(&self, then: fn(&Store)) {
        self.after_commit.borrow_mut().push(then);
    }

    /// Commits.
    pub async fn commit(self) -> Result<()> {
        self.flush().await?;
        let after_commit = self.after_commit.take();
        let Reader { store, on, .. } = self.reader;
        match on {
            Connection::Sqlite(turn) => turn.commit().await?,
            Connection::Postgres(tx) => tx.commit().await?,
            Connection::Pool => {}
        }
        if self.defines.get() {
            store.forget_custom_fields();
        }
        after_commit.into_iter().for_each(|then| then(&store));
        if self.has_events.get() {
            store.committed.notify_one();
        }
        Ok(())
    }

    /// Rolls back, as dropping does, but waits until the database has done it. A work that answers from what it read commits instead: on SQLite
    /// that may be of a writer whose commit is still to come.
    pub async fn roll_back(self) -> Result<()> {
        if let Connection::Postgres(tx) = self.reader.on {
            tx.roll_back().await?;
        }
        Ok(())
    }
}

/// The statement that inserts rows on PostgreSQL.
fn insert_statement(
    mut sql: Sql,
    table: &'static str,
    columns: &[(&'static str, Kind)],
    rows: Vec<Vec<Scalar>>,
    ending: &'static str,
) -> Sql {
    sql.push("INSERT INTO ").push(table).push(" (").names(columns.iter().map(|c| c.0)).push(") ");
    match <[_; 1]>::try_from(rows) {
        Ok([row]) => {
            sql.push("VALUES (");
            for (i, (value, (_, kind))) in row.into_iter().zip(columns).enumerate() {
                sql.push(if i == 0 { "" } else { ", " }).bind(*kind, value);
            }
            sql.push(") ");
        }
        Err(rows) => {
            sql.push("SELECT ");
            for (i, (name, kind)) in columns.iter().enumerate() {
                sql.push(if i == 0 { "" } else { ", " }).column("u", name).push(if *kind == Kind::Json { "::json" } else { "" });
            }
            sql.push(" FROM unnest(");
            let mut turned: Vec<Vec<Scalar>> = columns.iter().map(|_| Vec::with_capacity(rows.len())).collect();
            for row in rows {
                for (column, value) in turned.iter_mut().zip(row) {
                    column.push(value);
                }
            }
            for (i, (values, (_, kind))) in turned.into_iter().zip(columns).enumerate() {
                sql.push(if i == 0 { "" } else { ", " }).bind_column(*kind, values);
            }
            sql.push(") AS u (").names(columns.iter().map(|c| c.0)).push(") ");
        }
    }
    sql.push(ending);
    sql
}
