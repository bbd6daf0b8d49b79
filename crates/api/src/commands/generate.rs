//! `samphan generate`: many accounts and contacts, written in bulk, for benches. The same for the same seed.

use super::names::{FIRST, JOBS, LAST, STEMS, TRADES};
use crate::{config::Database, openapi};
use clap::Args;
use samphan_domain::{
    caller::Caller,
    customers::{
        account::{Account, LifecycleStage},
        account_contact::AccountContact,
        account_history::{AccountGradeChange, AccountLifecycleChange},
        contact::Contact,
        contact_point::ContactPoint,
    },
    error::{Code, Error, Result},
    id::AccountId,
    instant::Instant,
    integration::{external_reference::ExternalReference, external_system::ExternalSystem},
    platform::team::Team,
    resource::Resource,
    tax_id,
};
use samphan_persistence::{
    bulk,
    error::Failure,
    migrate,
    store::{Opening, Store, Work},
    stored::Stored,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;
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
    /// Contacts to generate, each with a mobile number and an account.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub contacts: u32,
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
    let (accounts, contacts) = (options.accounts as usize, options.contacts as usize);
    let mut made = Vec::with_capacity(accounts);
    while made.len() < accounts {
        made.extend(maker.accounts(made.len(), CHUNK.min(accounts - made.len())).await?);
        if made.len().is_multiple_of(PROGRESS) || made.len() == accounts {
            say(&format!("{:>9} accounts", made.len()));
        }
    }
    let mut done = 0;
    while done < contacts {
        done += maker.contacts(done, CHUNK.min(contacts - done), &made).await?;
        if done.is_multiple_of(PROGRESS) || done == contacts {
            say(&format!("{done:>9} contacts"));
        }
    }
    maker.end().await?;
    say(&format!("{accounts} accounts, {contacts} contacts, {} contact points, seed {}", accounts + contacts, options.seed));
    Ok(())
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

    async fn accounts(&mut self, first: usize, many: usize) -> Result<Vec<Made>> {
        let work = self.work().await?;
        let (mut accounts, mut references, mut points, mut made) = (vec![], vec![], vec![], vec![]);
        for n in first..first + many {
            let one = Made { id: self.id(&work), owner: self.chance.one_of(&self.owners), team: self.chance.one_of(&self.teams) };
            let external_id = format!("B-{:07}", n + 1);
            let mut account = draft::<Account>(&work, self.account(one, n), None)?;
            account.data.lifecycle_stage = self.stage();
            let own = json!([{"system": SYSTEM, "external_type": Account::ONE, "external_id": external_id}]);
            account.record.insert("external_refs".to_owned(), own);
            accounts.push(account);
            let body = json!({
                "id": self.id(&work), "system": SYSTEM, "resource": Account::MANY, "external_type": Account::ONE,
                "external_id": external_id, "record_id": one.id,
            });
            references.push(draft::<ExternalReference>(&work, body, None)?);
            let raw = format!("02-{:03}-{:04}", 200 + self.chance.below(800), self.chance.below(10_000));
            let body = json!({"id": self.id(&work), "kind": "phone", "raw": raw, "region": "TH", "is_primary": true});
            points.push(draft::<ContactPoint>(&work, body, Some(("account_id", one.id)))?);
            made.push(one);
        }
        let accounts = bulk::insert_many(&work, accounts).await?;
        let stage = |a: &Stored<Account>| AccountLifecycleChange {
            account_id: AccountId(a.id()),
            from_stage: None,
            to_stage: a.data.lifecycle_stage,
            reason: None,
        };
        let grade =
            |a: &Stored<Account>| AccountGradeChange { account_id: AccountId(a.id()), from_grade: None, to_grade: a.data.grade.clone() };
        bulk::insert_many(&work, accounts.iter().map(stage).map(Stored::draft).collect()).await?;
        bulk::insert_many(&work, accounts.iter().map(grade).map(Stored::draft).collect()).await?;
        bulk::insert_many(&work, references).await?;
        bulk::insert_many(&work, points).await?;
        work.commit().await?;
        Ok(made)
    }

    fn account(&mut self, one: Made, n: usize) -> Value {
        let (stem, stem_en) = self.chance.one_of(&STEMS);
        let (other, other_en) = self.chance.one_of(&STEMS);
        let (trade, trade_en, industry) = self.chance.one_of(&TRADES);
        let english = self.chance.below(10) < 3;
        let (name, legal) = if english {
            (format!("{stem_en} {other_en} {trade_en} {n}"), format!("{stem_en} {other_en} {trade_en} {n} Co., Ltd."))
        } else {
            (format!("{stem}{other}{trade} {n}"), format!("บริษัท {stem}{other}{trade} {n} จำกัด"))
        };
        json!({
            "id": one.id, "owner_id": one.owner, "team_id": one.team, "name": name, "legal_name": legal, "legal_form": "company",
            "tax_id": tax_id::with_check_digit(&format!("01055{:07}", n % 10_000_000)), "branch_code": "00000", "country": "TH",
            "industry": industry, "size": self.chance.one_of(&["micro", "small", "medium", "large"]),
            "is_vip": self.chance.below(50) == 0, "grade": self.chance.one_of(&["A", "B", "B", "C", "C", "C"]), "currency": "THB",
            "payment_terms_days": self.chance.one_of(&[0, 15, 30, 60]), "health": self.chance.below(101),
            "tags": if self.chance.below(5) == 0 { json!([self.chance.one_of(&["key account", "seasonal", "export"])]) } else { json!([]) },
        })
    }

    fn stage(&mut self) -> LifecycleStage {
        use LifecycleStage::{Active, AtRisk, Churned, Prospect};
        match self.chance.below(10) {
            0..=5 => Active,
            6 | 7 => Prospect,
            8 => AtRisk,
            _ => Churned,
        }
    }

    async fn contacts(&mut self, first: usize, many: usize, accounts: &[Made]) -> Result<usize> {
        let work = self.work().await?;
        let (mut contacts, mut links, mut points) = (vec![], vec![], vec![]);
        for n in first..first + many {
            let Some(account) = super::names::at(accounts, n) else { break };
            let id = self.id(&work);
            contacts.push(draft::<Contact>(&work, self.contact(id, account), None)?);
            let body = json!({
                "id": self.id(&work), "account_id": account.id, "contact_id": id,
                "role": self.chance.one_of(&["decision_maker", "purchaser", "billing", "user"]),
            });
            let mut link = draft::<AccountContact>(&work, body, None)?;
            // The first contact of each account, as `set-primary` would mark it.
            link.data.is_primary = n < accounts.len();
            links.push(link);
            let raw = format!("08{}-{:03}-{:04}", 1 + self.chance.below(9), self.chance.below(1_000), self.chance.below(10_000));
            let body = json!({"id": self.id(&work), "kind": "mobile", "raw": raw, "region": "TH", "is_primary": true});
            points.push(draft::<ContactPoint>(&work, body, Some(("contact_id", id)))?);
        }
        bulk::insert_many(&work, contacts).await?;
        bulk::insert_many(&work, links).await?;
        bulk::insert_many(&work, points).await?;
        work.commit().await?;
        Ok(many)
    }

    fn contact(&mut self, id: Uuid, account: Made) -> Value {
        let (first, last) = (self.chance.one_of(&FIRST), self.chance.one_of(&LAST));
        let (job_title, department) = self.chance.one_of(&JOBS);
        let english = self.chance.below(4) == 0;
        json!({
            "id": id, "owner_id": account.owner, "team_id": account.team,
            "first_name": if english { first.1 } else { first.0 }, "last_name": if english { last.1 } else { last.0 },
            "job_title": job_title, "department": department, "preferred_language": if english { "en" } else { "th" },
        })
    }

    /// Lets the planner know what is there now.
    async fn end(&mut self) -> Result<()> {
        let work = self.work().await?;
        let mut sql = work.sql();
        sql.push("ANALYZE");
        work.execute(sql).await?;
        work.commit().await
    }
}

fn draft<T: Resource>(work: &Work, body: Value, parent: Option<(&'static str, Uuid)>) -> Result<Stored<T>> {
    let body: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
    Stored::from_body(work.shape(T::MANY)?, body, parent)
}
