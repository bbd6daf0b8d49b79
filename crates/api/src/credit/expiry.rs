//! Authorisations that were neither captured nor released in time: they count no more by themselves; here that is written down and told.

use samphan_domain::integration::credit_check::{AuthorisationStatus, CreditCheck};
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::error::Result;

/// Ends overdue authorisations: their grace is over, too.
pub async fn expire(work: &Work, overdue: Vec<Stored<CreditCheck>>) -> Result<()> {
    let ended = overdue.into_iter().map(|before| {
        let mut after = before.clone();
        after.data.status = AuthorisationStatus::Expired;
        after.data.settled_at = Some(work.now);
        (before, after)
    });
    stored::update_many(work, ended.collect(), "expired", None).await?.into_iter().try_for_each(|one| one.map(|_| ()))
}
