//! Many hands: chunks of records are made by as many threads as there are cores. On PostgreSQL each writes what it made; on SQLite
//! one writes while the others make.

use super::{GenerateError, Plan, chance::Chance};
use samphan_persistence::{
    bulk::{self, Prepared},
    store::{Reader, Store, Work},
    stored::Stored,
};
use samphan_resource::{caller::Caller, error::Result, resource::Resource, timestamp::Timestamp};
use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use uuid::Uuid;

/// Records of a kind in one transaction.
pub(super) const CHUNK: usize = 1_000;
/// Records between two lines of progress.
const PROGRESS: usize = 20_000;

/// A kind of records, made in chunks that know nothing of each other.
pub(super) trait Part: Sync {
    /// What they are, as progress is told.
    const WHAT: &'static str;
    /// What is made, and not written yet.
    type Made;

    /// Makes the records with these numbers.
    fn make(&self, numbers: Range<usize>, hand: &mut Hand<'_>) -> Result<Self::Made>;

    /// Writes what was made.
    async fn write(&self, work: &Work, made: Self::Made) -> Result<()>;
}

/// What a chunk is made with.
pub(super) struct Hand<'a> {
    pub(super) plan: &'a Plan,
    pub(super) chance: Chance,
    /// Who makes it, and when.
    reader: Reader,
}

impl Hand<'_> {
    /// An id of this moment that follows from the seed.
    pub(super) fn id(&mut self) -> Uuid {
        id(&mut self.chance, self.reader.now)
    }

    /// Everything that can be done before a database is asked.
    pub(super) fn prepare<T: Resource>(&self, drafts: Vec<Stored<T>>) -> Result<Prepared<T>> {
        bulk::prepare(&self.reader, drafts)
    }
}

/// An id of a moment that follows from chance.
pub(super) fn id(chance: &mut Chance, now: Timestamp) -> Uuid {
    let mut random = [0; 10];
    let bytes = chance.next().to_le_bytes().into_iter().chain(chance.next().to_le_bytes());
    random.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    let millis = u64::try_from(now.micros() / 1_000).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// Makes and writes the records with these numbers, of so many.
pub(super) fn run<P: Part>(
    plan: &Plan,
    store: &Store,
    part: &P,
    numbers: Range<usize>,
    many: usize,
    say: &(impl Fn(&str) + Sync),
) -> Result<(), GenerateError> {
    let next = AtomicUsize::new(numbers.start);
    let one = async || {
        let store = store.for_worker(&plan.opening).await?;
        loop {
            let first = next.fetch_add(CHUNK, Ordering::Relaxed);
            if first >= numbers.end {
                return Ok(());
            }
            if first / PROGRESS > first.saturating_sub(CHUNK) / PROGRESS {
                say(&format!("{first:>9} of {many} {}", P::WHAT));
            }
            let now = plan.moment(first, many);
            let caller = Arc::new(Caller::system());
            let reader = store.reader(Arc::clone(&caller), now);
            let chunk = first..numbers.end.min(first + CHUNK);
            let made = part.make(chunk, &mut Hand { plan, chance: Chance::of(plan.seed, P::WHAT, first), reader })?;
            let work = store.work(caller, now).await?;
            part.write(&work, made).await?;
            work.commit().await?;
        }
    };
    let hand = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // When one fails the others end in order.
        runtime.block_on(one()).inspect_err(|_: &GenerateError| next.store(numbers.end, Ordering::Relaxed))
    };
    thread::scope(|scope| {
        let hands: Vec<_> = (0..thread::available_parallelism().map_or(1, usize::from)).map(|_| scope.spawn(hand)).collect();
        hands.into_iter().try_for_each(|hand| hand.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
