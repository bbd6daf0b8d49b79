//! Named locks of this process: works that must not run at the same time wait here, before they have a connection.
//!
//! `Work::lock_named` takes an advisory lock in the database as well, for other processes. A work that waits there holds a connection, and a
//! few that want the same lock would leave none for other requests. So a work that cannot get the lock at once is rolled back, waits here
//! without a connection, and runs again with the lock.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

/// Names known before unused ones are forgotten.
const FORGET_AT: usize = 1_000;

/// The named locks of a process, first come, first served.
#[derive(Debug, Default)]
pub struct NamedLocks(Mutex<HashMap<String, Weak<Queue<()>>>>);

/// A held lock, until it is dropped.
#[derive(Debug)]
pub struct NamedLockGuard {
    /// The lock's name.
    pub name: String,
    _held: OwnedMutexGuard<()>,
}

impl NamedLocks {
    fn lock_of(&self, name: &str) -> Arc<Queue<()>> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(name).and_then(Weak::upgrade) {
            return line;
        }
        if lines.len() >= FORGET_AT {
            lines.retain(|_, line| line.strong_count() > 0);
        }
        let line = Arc::<Queue<()>>::default();
        lines.insert(name.to_owned(), Arc::downgrade(&line));
        line
    }

    /// The lock, if it is free and nothing waits for it.
    #[must_use]
    pub fn try_lock(&self, name: &str) -> Option<NamedLockGuard> {
        self.lock_of(name).try_lock_owned().ok().map(|held| NamedLockGuard { name: name.to_owned(), _held: held })
    }

    /// Waits for several locks, always in the order of their names, so that there is no deadlock.
    pub async fn wait(&self, names: BTreeSet<String>) -> Vec<NamedLockGuard> {
        let mut places = Vec::with_capacity(names.len());
        for name in names {
            let held = self.lock_of(&name).lock_owned().await;
            places.push(NamedLockGuard { name, _held: held });
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        future::Future,
        pin::pin,
        task::{Context, Waker},
    };

    fn names(all: &[&str]) -> BTreeSet<String> {
        all.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn a_line_has_one_head_and_others_come_in_turn() {
        let lines = NamedLocks::default();
        let mut context = Context::from_waker(Waker::noop());
        let first = lines.try_lock("a").unwrap();
        assert!(lines.try_lock("a").is_none() && lines.try_lock("b").is_some());
        let mut second = pin!(lines.wait(names(&["b", "a"])));
        assert!(second.as_mut().poll(&mut context).is_pending());
        // A waiting work is not overtaken.
        drop(first);
        assert!(lines.try_lock("a").is_none());
        let std::task::Poll::Ready(places) = second.as_mut().poll(&mut context) else { panic!("it is its turn") };
        assert_eq!(places.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert!(lines.try_lock("b").is_none());
        drop(places);
        assert!(lines.try_lock("a").is_some() && lines.try_lock("b").is_some());
    }

    #[test]
    fn names_that_nobody_wants_are_forgotten() {
        let lines = NamedLocks::default();
        let held = lines.try_lock("held").unwrap();
        for n in 0..3 * FORGET_AT {
            drop(lines.try_lock(&n.to_string()));
        }
        assert!(lines.0.lock().unwrap().len() <= FORGET_AT && lines.try_lock("held").is_none());
        drop(held);
    }
}
