//! What lives as long as the process: its way to the database, and the services that areas offer.

use samphan_persistence::{
    clock,
    store::{Store, Work},
};
use samphan_resource::{
    caller::Caller,
    error::{Code, Result},
};
use std::{
    any::{Any, TypeId, type_name},
    collections::{BTreeMap, HashMap},
    fmt::{Debug, Formatter},
    sync::{Arc, Mutex},
};
use uuid::Uuid;

/// Services by their type, one of each: what an area keeps in memory as long as the process lives, such as its caches and clients.
#[derive(Default)]
pub struct Services(HashMap<TypeId, (&'static str, Arc<dyn Any + Send + Sync>)>);

impl Debug for Services {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.values().map(|(name, _)| name)).finish()
    }
}

impl Services {
    /// With one more, in the place of one of the same type.
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, service: Arc<T>) -> Self {
        self.0.insert(TypeId::of::<T>(), (type_name::<T>(), service));
        self
    }
}

/// What lives as long as the process. Cheap to clone; each worker has one with connections of its own.
#[derive(Clone, Debug)]
pub struct Process {
    /// The database.
    pub store: Store,
    services: Arc<Services>,
    /// What names it in leases: another one at each start.
    pub id: Uuid,
    /// The leases by which it holds jobs, by job.
    pub(crate) leases: Arc<Mutex<BTreeMap<Uuid, Uuid>>>,
}

impl Process {
    /// With these services.
    #[must_use]
    pub fn new(store: Store, services: Services) -> Self {
        Self { store, services: Arc::new(services), id: Uuid::from_u128(rand::random()), leases: Arc::default() }
    }

    /// The same with another way to the database.
    #[must_use]
    pub fn on(&self, store: Store) -> Self {
        Self { store, services: Arc::clone(&self.services), id: self.id, leases: Arc::clone(&self.leases) }
    }

    /// The service of a type. A missing one is a mistake in the program: `Internal`.
    pub fn service<T: Any + Send + Sync>(&self) -> Result<Arc<T>> {
        let found = self.services.0.get(&TypeId::of::<T>()).map(|(_, service)| Arc::clone(service));
        found.and_then(|service| service.downcast().ok()).ok_or_else(|| {
            tracing::error!(service = type_name::<T>(), "a service is missing");
            Code::Internal.into()
        })
    }

    /// A work of Samphan's own, of this moment.
    pub async fn work(&self) -> Result<Work> {
        self.store.work(Arc::new(Caller::system()), clock::now()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_found_by_their_type() {
        let services = Services::default().with(Arc::new(7_u8)).with(Arc::new("seven"));
        let find = |id| services.0.get(&id).map(|(name, _)| *name);
        assert_eq!((find(TypeId::of::<u8>()), find(TypeId::of::<u16>())), (Some("u8"), None));
    }
}
