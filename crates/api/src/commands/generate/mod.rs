//! `samphan generate`: many customers and their orders, written in bulk, for benches. The same for the same seed.
//!
//! As real ones, they are of uneven size: a hundredth of the accounts has about a fifth of the orders.

mod customers;
mod orders;

use crate::{config::Database, openapi};
use clap::Args;
use samphan_domain::{
    caller::Caller,
    error::{Code, Error, Result},
    instant::Instant,
    integration::external_system::ExternalSystem,
    platform::team::Team,
    resource::Resource,
};
use samphan_persistence::{
    bulk,
    error::Failure,
    migrate,
    store::{Opening, Store, Work},
    stored::Stored,
    unindexed,
};
use serde_json::{Map, Value, json};
use std::{ops::Range, sync::Arc};
use uuid::Uuid;

/// The code of the system that names the generated accounts.
const SYSTEM: &str = "bench";
/// Records of a kind in one transaction.
const CHUNK: usize = 1_000;
/// Records between two lines of progress.
const PROGRESS: usize = 20_000;
/// Teams made, in a tree two levels deep.
const TEAMS: usize = 10;
/// The moment of the first chunk, and the seconds to the next: generated records spread over time as real ones do.
const BEGINNING: &str = "2026-01-01T00:00:00Z";
const STEP: i64 = 60;

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
    Database(#[from] Failure),
    /// A write failed.
    #[error("generating: {0}")]
    Write(#[from] Error),
}

/// Generates, saying how far it is. Refused when the database has generated data already.
pub async fn run(options: &Options, say: impl Fn(&str)) -> Result<(), GenerateError> {
    let opening = Opening { url: options.database.database_url.clone(), connections: 1, full_sync: options.database.sqlite_full_sync };
    let store = Store::open(&opening, Box::leak(Box::new(openapi::api().shapes))).await?;
    migrate::migrate(&store).await?;
    let mut maker = Maker { store, chance: Chance(options.seed), chunk: 0, owners: vec![], teams: vec![] };
    if maker.is_done().await? {
        return Err(GenerateError::Again);
    }
    maker.begin().await?;
    unindexed::suspend(&maker.store).await?;
    let accounts = options.accounts as usize;
    let contacts = options.contacts.map_or(accounts * 2, |n| n as usize);
    let orders = options.orders.map_or(accounts * 3, |n| n as usize);
    let mut made = Vec::with_capacity(accounts);
    for chunk in chunks(accounts, "accounts", &say) {
        made.extend(maker.accounts(chunk.start, chunk.len()).await?);
    }
    for chunk in chunks(contacts, "contacts", &say) {
        maker.contacts(chunk.start, chunk.len(), &made).await?;
    }
    let goods = if orders > 0 { maker.goods(accounts).await? } else { vec![] };
    for chunk in chunks(orders, "orders", &say) {
        maker.orders(chunk, orders, &made, &goods).await?;
    }
    say("indexes");
    unindexed::restore(&maker.store).await?;
    unindexed::settle(&maker.store).await?;
    say(&format!(
        "{accounts} accounts, {contacts} contacts, {} contact points, {orders} orders, seed {}",
        accounts + contacts,
        options.seed
    ));
    Ok(())
}

/// The chunks that many records are written in, telling the progress between them.
fn chunks(many: usize, what: &str, say: &impl Fn(&str)) -> impl Iterator<Item = Range<usize>> {
    (0..many.div_ceil(CHUNK)).map(move |n| {
        let first = n * CHUNK;
        if first > 0 && first.is_multiple_of(PROGRESS) {
            say(&format!("{first:>9} of {many} {what}"));
        }
        first..many.min(first + CHUNK)
    })
}

/// SplitMix64: small, fast, and the same everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `most`.
    fn below(&mut self, most: u64) -> u64 {
        self.next() % most.max(1)
    }

    /// A place below `most`, the first far more often than the last: the n-th hundredth is met by the cube root of n.
    fn skewed(&mut self, most: usize) -> usize {
        const STEPS: u64 = 1 << 20;
        let u = u128::from(self.below(STEPS));
        let cube = u * u * u;
        let place = cube * most as u128 / (u128::from(STEPS) * u128::from(STEPS) * u128::from(STEPS));
        usize::try_from(place).unwrap_or_default()
    }

    /// One of these; the default when there are none.
    fn one_of<T: Copy + Default>(&mut self, all: &[T]) -> T {
        let n = self.below(all.len() as u64);
        usize::try_from(n).ok().and_then(|n| all.get(n)).copied().unwrap_or_default()
    }
}

/// An account made, and whose it is.
#[derive(Clone, Copy)]
struct Made {
    id: Uuid,
    owner: Option<Uuid>,
    team: Option<Uuid>,
}

struct Maker {
    store: Store,
    chance: Chance,
    chunk: i64,
    owners: Vec<Option<Uuid>>,
    teams: Vec<Option<Uuid>>,
}

impl Maker {
    /// A work at the moment of the next chunk.
    async fn work(&mut self) -> Result<Work> {
        let beginning = Instant::parse(BEGINNING).map_err(|_| Error::from(Code::Internal))?;
        self.chunk += 1;
        self.store.work(Arc::new(Caller::system()), beginning.plus_seconds(self.chunk * STEP)).await
    }

    /// An id of the work's moment that follows from the seed.
    fn id(&mut self, work: &Work) -> Uuid {
        let mut random = [0; 10];
        let bytes = self.chance.next().to_le_bytes().into_iter().chain(self.chance.next().to_le_bytes());
        random.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        let millis = u64::try_from(work.now.micros() / 1_000).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    /// Whether the system is there already, and so the data.
    async fn is_done(&self) -> Result<bool> {
        let beginning = Instant::parse(BEGINNING).map_err(|_| Error::from(Code::Internal))?;
        let reader = self.store.reader(Arc::new(Caller::system()), beginning);
        let mut sql = reader.sql();
        sql.push("SELECT count(*) FROM external_systems WHERE deleted_at IS NULL AND code = ").text(SYSTEM);
        Ok(reader.count(sql).await? > 0)
    }

    /// The system and the teams. Owners are the users there are; making users here would pass for a first start.
    async fn begin(&mut self) -> Result<()> {
        let work = self.work().await?;
        let system = draft::<ExternalSystem>(&work, json!({"code": SYSTEM, "name": "Bench", "kind": "other"}), None)?;
        bulk::insert_many(&work, vec![system]).await?;
        for n in 0..TEAMS {
            let parent = if n < 2 { None } else { self.teams.get(n % 2).copied().flatten() };
            let body = json!({"id": self.id(&work), "name": format!("Bench team {n}"), "parent_id": parent});
            let team = bulk::insert_many(&work, vec![draft::<Team>(&work, body, None)?]).await?;
            self.teams.extend(team.iter().map(|t| Some(t.id())));
        }
        let mut sql = work.sql();
        sql.push("SELECT id FROM users WHERE deleted_at IS NULL ORDER BY id LIMIT 200");
        self.owners = work.fetch(sql, |row| row.id(0).map(Some)).await?;
        work.commit().await
    }
}

fn draft<T: Resource>(work: &Work, body: Value, parent: Option<(&'static str, Uuid)>) -> Result<Stored<T>> {
    let body: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
    Stored::from_body(work.shape(T::MANY)?, body, parent)
}
