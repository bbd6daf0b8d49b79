//! `samphan generate`: many customers and their orders, written in bulk, for benches. The same for the same seed.
//!
//! As real ones, they have come over time, customers and orders among each other, and are of uneven size: the first hundredth of the
//! accounts has about three tenths of the orders.

mod chance;
mod crew;
mod customers;
mod orders;

use crate::{
    commands::generate::{
        chance::Chance,
        customers::{Accounts, Contacts},
        orders::Orders,
    },
    config::Database,
};
use clap::Args;
use samphan_api::openapi;
use samphan_domain::{integration::external_system::ExternalSystem, platform::team::Team};
use samphan_persistence::{
    bulk, deferred_indexes,
    error::DatabaseError,
    feed, migrate,
    store::{DatabaseOptions, Shapes, Store},
    stored::Stored,
};
use samphan_resource::{
    caller::Caller,
    error::{Code, Error, Result},
    resource::Resource,
    timestamp::Timestamp,
};
use serde_json::{Map, Value, json};
use std::{io, ops::Range, sync::Arc};
use uuid::Uuid;

/// The code of the system that names the generated accounts.
const SYSTEM: &str = "bench";
/// Teams made, in a tree two levels deep.
const TEAMS: usize = 10;
/// When it all begins, and the seconds it goes on for: some 250 days.
const BEGINNING: &str = "2026-01-01T00:00:00Z";
const SPAN: usize = 250 * 86_400;
/// Accounts that come before what refers to these or older ones does: so few that among the newest records are some of each kind.
const SLICE: usize = 2_000;

/// How much to generate, and where.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Where the data is.
    #[command(flatten)]
    pub database: Database,
    /// Accounts to generate, each with a phone number, a stage, a grade and a name in the system `bench`.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub accounts: u32,
    /// Contacts to generate, each with a mobile number and an account; two for each account when left out.
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=20_000_000))]
    pub contacts: Option<u32>,
    /// Orders to generate, each with its lines, most of them delivered and paid long ago; three for each account when left out.
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=30_000_000))]
    pub orders: Option<u32>,
    /// What the data follows from: the same seed, the same data.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Why nothing, or no more, was generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// It was done before.
    #[error("this database has generated data already")]
    Again,
    /// The database would not open or migrate.
    #[error("the database could not be opened or migrated: {0}")]
    Database(#[from] DatabaseError),
    /// A write failed.
    #[error("generating: {0}")]
    Write(#[from] Error),
    /// The system gives no more threads.
    #[error("generating: {0}")]
    Threads(#[from] io::Error),
}

/// Generates, saying how far it is. Refused when the database has generated data already.
pub async fn run(options: &Options, say: impl Fn(&str) + Sync) -> Result<(), GenerateError> {
    let opening =
        DatabaseOptions { url: options.database.database_url.clone(), connections: 1, full_sync: options.database.sqlite_full_sync };
    let store = Store::open(&opening, openapi::shapes()).await?;
    migrate::migrate_with_progress(&store, &|building| say(&building.to_string())).await?;
    let accounts = options.accounts as usize;
    let contacts = options.contacts.map_or(accounts * 2, |n| n as usize);
    let orders = options.orders.map_or(accounts * 3, |n| n as usize);
    let beginning = Timestamp::parse(BEGINNING).map_err(|_| Error::from(Code::Internal))?;
    let mut plan = Plan { opening, shapes: store.shapes, seed: options.seed, beginning, accounts, owners: vec![], teams: vec![] };
    plan.begin(&store).await?;
    deferred_indexes::suspend(&store).await?;
    let sold = if orders > 0 { Some(Orders::begin(&plan, &store, orders).await?) } else { None };
    let slices = accounts.div_ceil(SLICE);
    for slice in 0..slices {
        let some = (slice * accounts / slices)..((slice + 1) * accounts / slices);
        crew::run(&plan, &store, &Accounts, some.clone(), accounts, &say)?;
        crew::run(&plan, &store, &Contacts { many: contacts }, plan.with(&some, contacts), contacts, &say)?;
        if let Some(sold) = &sold {
            crew::run(&plan, &store, sold, plan.with(&some, orders), orders, &say)?;
        }
    }
    deferred_indexes::restore(&store, &|building| say(&building.to_string())).await?;
    say("feed");
    feed::newest(&store, beginning).await?;
    deferred_indexes::analyze(&store).await?;
    say(&format!("{accounts} accounts, {contacts} contacts, {} contact points, {orders} orders, seed {}", accounts + contacts, plan.seed));
    Ok(())
}

/// An account, and whose it is.
#[derive(Clone, Copy)]
struct Customer {
    id: Uuid,
    owner: Option<Uuid>,
    team: Option<Uuid>,
}

/// What everything is made by; the same for all who make it.
struct Plan {
    opening: DatabaseOptions,
    shapes: &'static Shapes,
    seed: u64,
    beginning: Timestamp,
    accounts: usize,
    owners: Vec<Option<Uuid>>,
    teams: Vec<Option<Uuid>>,
}

impl Plan {
    /// When the n-th of so many records comes.
    fn moment(&self, n: usize, many: usize) -> Timestamp {
        self.beginning.plus_seconds(i64::try_from(SPAN * n / many.max(1)).unwrap_or_default())
    }

    /// Those of so many records that come along with some accounts.
    const fn with(&self, some: &Range<usize>, many: usize) -> Range<usize> {
        (some.start * many).div_ceil(self.accounts)..(some.end * many).div_ceil(self.accounts)
    }

    /// The account along with which the n-th of so many records comes: all before it are there, too.
    const fn along(&self, n: usize, many: usize) -> usize {
        n * self.accounts / many
    }

    /// An account; it may not have been made yet when it is referred to.
    fn account(&self, n: usize) -> Customer {
        let mut chance = Chance::of(self.seed, "account", n);
        Customer {
            id: crew::id(&mut chance, self.moment(n, self.accounts)),
            owner: chance.one_of(&self.owners),
            team: chance.one_of(&self.teams),
        }
    }

    /// One of the accounts up to the n-th: the first far more often than the last.
    fn some_account(&self, chance: &mut Chance, n: usize) -> Customer {
        self.account(chance.skewed(n + 1))
    }

    fn draft<T: Resource>(&self, body: Value, parent: Option<(&'static str, Uuid)>) -> Result<Stored<T>> {
        let shape = self.shapes.get(T::PLURAL).ok_or_else(|| Error::from(Code::Internal))?;
        let body: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
        Stored::from_body(shape, body, parent)
    }

    /// The system and the teams, unless they are there already and so the data. Owners are the users there are; making users here
    /// would pass for a first start.
    async fn begin(&mut self, store: &Store) -> Result<(), GenerateError> {
        let now = self.beginning;
        let work = store.work(Arc::new(Caller::system()), now).await?;
        let mut sql = work.sql();
        sql.push("SELECT count(*) FROM external_systems WHERE deleted_at IS NULL AND code = ").text(SYSTEM);
        if work.count(sql).await? > 0 {
            return Err(GenerateError::Again);
        }
        let system = self.draft::<ExternalSystem>(json!({"code": SYSTEM, "name": "Bench", "kind": "other"}), None)?;
        bulk::insert_many(&work, vec![system]).await?;
        for n in 0..TEAMS {
            let parent = if n < 2 { None } else { self.teams.get(n % 2).copied().flatten() };
            let id = crew::id(&mut Chance::of(self.seed, "team", n), now);
            let body = json!({"id": id, "name": format!("Bench team {n}"), "parent_id": parent});
            bulk::insert_many(&work, vec![self.draft::<Team>(body, None)?]).await?;
            self.teams.push(Some(id));
        }
        let mut sql = work.sql();
        sql.push("SELECT id FROM users WHERE deleted_at IS NULL ORDER BY id LIMIT 200");
        self.owners = work.fetch(sql, |row| row.id(0).map(Some)).await?;
        Ok(work.commit().await?)
    }
}
