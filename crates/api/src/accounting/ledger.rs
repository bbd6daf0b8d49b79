//! The ledger a push is for, and the accounts that its customer numbers name.

use crate::external_systems::external_system::expect_active;
use samphan_domain::integration::credit_item::CreditItem;
use samphan_persistence::{store::Work, visibility};
use samphan_resource::error::{Code, Error, FieldCode, FieldError, Result};
use samphan_rest::{batch::ItemResult, external::find_references};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// The ledger a push is for.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Code of the system.
    pub system: String,
    /// Legal entity.
    pub entity: String,
    /// Currency.
    pub currency: String,
}

/// Refuses a system that is unknown or paused, and an entity or a currency it says it keeps no books of.
pub async fn expect_ledger(work: &Work, ledger: &Ledger) -> Result<()> {
    let books = expect_active(work, &ledger.system).await?;
    let faults: Vec<FieldError> = [("/entity", books.entity, &ledger.entity), ("/currency", books.currency, &ledger.currency)]
        .into_iter()
        .filter_map(|(pointer, kept, sent)| Some((pointer, kept.filter(|kept| kept != sent)?, sent)))
        .map(|(pointer, kept, sent)| FieldError::new(pointer, FieldCode::UnknownValue, "").with_suggestion(sent, [kept]))
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::from(Code::ValidationFailed).with_field_errors(faults)) }
}

/// A system's feed is this work's alone until it ends: its pushes and mappings stand in line, so that none overtakes another
/// and no push is kept for a number that is just being mapped.
pub async fn lock_system(work: &Work, system: &str) -> Result<()> {
    work.lock_named(&format!("credit {system}")).await
}

/// The accounts the items are about.
pub struct Accounts {
    by_external_id: HashMap<String, Uuid>,
    pub(super) seen: HashSet<Uuid>,
}

impl Accounts {
    /// One account, called by one name.
    pub fn just(external_id: String, id: Uuid) -> Self {
        Self { by_external_id: HashMap::from([(external_id, id)]), seen: HashSet::from([id]) }
    }

    /// The account an item is about.
    pub fn of(&self, item: &CreditItem) -> Option<Uuid> {
        let id = match &item.external_id {
            Some(external_id) => self.by_external_id.get(external_id).copied(),
            None => item.account_id.map(|id| id.0),
        };
        id.filter(|id| self.seen.contains(id))
    }

    /// The outcome of an item whose account is not there, and keeps it where it may still be mapped.
    pub(super) fn missing(&self, item: &CreditItem, unmatched: &mut BTreeMap<String, Vec<CreditItem>>) -> ItemResult {
        let (code, fault) = match &item.external_id {
            None => (Code::UnknownReference, FieldError::new("/account_id", FieldCode::UnknownReference, "accounts")),
            Some(name) => {
                // What is mapped out of the sender's reach is answered alike, but has nothing to wait for.
                if !self.by_external_id.contains_key(name) {
                    unmatched.entry(name.clone()).or_default().push(item.clone());
                }
                let fault =
                    FieldError::new("/external_id", FieldCode::UnknownExternalId, "kept until it is mapped by an external reference");
                (Code::UnknownExternalId, fault)
            }
        };
        ItemResult::failed(item.external_id.clone(), Error::from(code).with_field_errors(vec![fault]))
    }
}

/// The accounts within the reach of the right to push.
pub(super) async fn accounts(work: &Work, ledger: &Ledger, items: &[Result<CreditItem>]) -> Result<Accounts> {
    let shape = work.shape("accounts")?;
    let items = || items.iter().flatten();
    let mut names: Vec<String> = items().filter_map(|i| i.external_id.clone()).collect();
    names.sort_unstable();
    names.dedup();
    let by_external_id = if names.is_empty() { HashMap::new() } else { find_references(work, shape, &ledger.system, &names).await? };
    let mut ids: Vec<Uuid> = by_external_id.values().copied().chain(items().filter_map(|i| i.account_id.map(|id| id.0))).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut sql = work.sql();
    sql.push("SELECT t.id FROM accounts t WHERE t.deleted_at IS NULL AND t.id").one_of_ids(ids);
    visibility::restrict_by_owner(&mut sql, shape, "t", &work.caller.visibility(super::push::PERMISSION));
    let seen = work.fetch(sql, |row| row.id(0)).await?.into_iter().collect();
    Ok(Accounts { by_external_id, seen })
}
