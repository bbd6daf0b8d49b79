//! The accounts and contacts that a lead may be the same as: found along indexes by what they have in common, and scored in memory.
//!
//! They are looked for among all records, whoever may see them: a duplicate that the caller does not see is a duplicate.

use super::convert::region;
use samphan_domain::{
    customers::{account::Account, contact_point::phone_keys},
    presales::{
        lead::Lead,
        matching::{self, MatchKey, compare_companies, core_name, own_domain},
    },
};
use samphan_persistence::{search, store::Work, visibility};
use samphan_resource::{
    caller::Caller,
    error::Result,
    resource::Resource,
    scalar::{Kind, Scalar},
    text::fold,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};
use uuid::Uuid;

/// Most records found by one key.
const MAX_FOUND: i64 = 50;

/// A record that a lead may be the same as.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The record.
    pub id: Uuid,
    /// What it has in common with the lead.
    pub keys: BTreeSet<MatchKey>,
}

impl Candidate {
    /// How sure it is, from 0 to 100.
    pub fn score(&self) -> i32 {
        matching::score(&self.keys)
    }
}

/// The accounts and contacts that a lead may be the same as.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    accounts: Vec<Candidate>,
    contacts: Vec<Candidate>,
}

impl Candidates {
    /// Those of a resource.
    pub fn of(&self, resource: &str) -> &[Candidate] {
        if resource == Account::PLURAL { &self.accounts } else { &self.contacts }
    }
}

type Found = BTreeMap<Uuid, BTreeSet<MatchKey>>;

/// Finds and scores them.
pub async fn find(work: &Work, lead: &Lead) -> Result<Candidates> {
    let (mut accounts, mut contacts): (Found, Found) = by_points(work, lead).await?;
    if let Some(tax_id) = &lead.tax_id {
        let mut sql = work.sql();
        sql.push("SELECT t.id FROM accounts t WHERE t.deleted_at IS NULL AND t.tax_id = ").text(tax_id.clone());
        sql.push(" ORDER BY t.id LIMIT ").int(MAX_FOUND);
        for id in work.fetch(sql, |row| row.id(0)).await? {
            accounts.entry(id).or_default().insert(MatchKey::TaxId);
        }
    }
    let links = links(work, contacts.keys().copied()).await?;
    for (contact, account) in &links {
        let keys: Vec<MatchKey> = contacts.get(contact).into_iter().flatten().copied().collect();
        accounts.entry(*account).or_default().extend(keys);
    }
    for id in by_company(work, lead).await? {
        accounts.entry(id).or_default();
    }
    name_accounts(work, lead, &mut accounts).await?;
    name_contacts(work, lead, &mut contacts).await?;
    for (contact, account) in links {
        // Who acts for the company is likelier the person.
        let of_company = accounts.get(&account).into_iter().flatten().copied();
        let of_company: Vec<MatchKey> =
            of_company.filter(|key| matches!(key, MatchKey::Company | MatchKey::SimilarCompany | MatchKey::Domain)).collect();
        contacts.entry(contact).or_default().extend(of_company);
    }
    let list = |found: Found| found.into_iter().map(|(id, keys)| Candidate { id, keys }).collect();
    Ok(Candidates { accounts: list(accounts), contacts: list(contacts) })
}

/// Accounts and contacts that are reached as the lead is.
async fn by_points(work: &Work, lead: &Lead) -> Result<(Found, Found)> {
    let (mut accounts, mut contacts) = (Found::new(), Found::new());
    let phones = lead.phone.as_deref().map(|phone| phone_keys(phone, region(lead))).unwrap_or_default();
    let emails: Vec<String> = lead.email.iter().cloned().collect();
    let keys: Vec<Scalar> = phones.iter().chain(&emails).cloned().map(Scalar::Text).collect();
    if keys.is_empty() {
        return Ok((accounts, contacts));
    }
    let mut sql = work.sql();
    sql.push("SELECT t.account_id, t.contact_id, t.normalized FROM contact_points t WHERE t.deleted_at IS NULL AND t.normalized");
    sql.one_of(Kind::Text, keys).push(" ORDER BY t.id LIMIT ").int(MAX_FOUND);
    let found = work.fetch(sql, |row| Ok((row.optional_id(0)?, row.optional_id(1)?, row.text(2)?))).await?;
    for (account, contact, normalized) in found {
        let key = if emails.contains(&normalized) { MatchKey::Email } else { MatchKey::Phone };
        for (found, id) in [(&mut accounts, account), (&mut contacts, contact)] {
            if let Some(id) = id {
                found.entry(id).or_default().insert(key);
            }
        }
    }
    Ok((accounts, contacts))
}

/// For which accounts contacts act.
async fn links(work: &Work, contacts: impl Iterator<Item = Uuid>) -> Result<Vec<(Uuid, Uuid)>> {
    let mut sql = work.sql();
    sql.push("SELECT t.contact_id, t.account_id FROM account_contacts t WHERE t.deleted_at IS NULL AND t.contact_id").one_of_ids(contacts);
    sql.push(" ORDER BY t.id");
    work.fetch(sql, |row| Ok((row.id(0)?, row.id(1)?))).await
}

/// Accounts in whose names the words of the company's stand.
async fn by_company(work: &Work, lead: &Lead) -> Result<Vec<Uuid>> {
    let Some(company) = lead.company.as_deref().map(core_name).filter(|core| core.chars().count() > 1) else { return Ok(vec![]) };
    let reader = work.store.reader(Arc::new(Caller::system()), work.now);
    let hits = search::find(&reader, &[work.shape(Account::PLURAL)?], &company, None, MAX_FOUND).await?;
    Ok(hits.into_iter().map(|hit| hit.id).collect())
}

/// Compares the names and mail domains of accounts with the lead's.
async fn name_accounts(work: &Work, lead: &Lead, accounts: &mut Found) -> Result<()> {
    let mut sql = work.sql();
    sql.push("SELECT t.id, t.name, t.legal_name, t.website FROM accounts t WHERE t.deleted_at IS NULL AND t.id")
        .one_of_ids(accounts.keys().copied());
    let named = work.fetch(sql, |row| Ok((row.id(0)?, row.text(1)?, row.optional_text(2)?, row.optional_text(3)?))).await?;
    let living: HashSet<Uuid> = named.iter().map(|(id, ..)| *id).collect();
    accounts.retain(|id, _| living.contains(id));
    let domain = lead.email.as_deref().and_then(own_domain);
    let company = lead.company.as_deref().unwrap_or(&lead.name);
    for (id, name, legal_name, website) in named {
        let Some(keys) = accounts.get_mut(&id) else { continue };
        // `Company` is before `SimilarCompany`.
        keys.extend([Some(name), legal_name].into_iter().flatten().filter_map(|name| compare_companies(&name, company)).min());
        let is_own = |website: &String| domain.is_some_and(|domain| website.to_lowercase().contains(domain));
        if website.as_ref().is_some_and(is_own) {
            keys.insert(MatchKey::Domain);
        }
    }
    Ok(())
}

/// Compares the names of contacts with the lead's.
async fn name_contacts(work: &Work, lead: &Lead, contacts: &mut Found) -> Result<()> {
    let mut sql = work.sql();
    sql.push("SELECT t.id, t.name, t.local_name FROM contacts t WHERE t.deleted_at IS NULL AND t.id").one_of_ids(contacts.keys().copied());
    let named = work.fetch(sql, |row| Ok((row.id(0)?, row.text(1)?, row.optional_text(2)?))).await?;
    let living: HashSet<Uuid> = named.iter().map(|(id, ..)| *id).collect();
    contacts.retain(|id, _| living.contains(id));
    let own = fold(&lead.name);
    for (id, name, local_name) in named {
        if [Some(name), local_name].into_iter().flatten().any(|name| fold(&name) == own)
            && let Some(keys) = contacts.get_mut(&id)
        {
            keys.insert(MatchKey::Name);
        }
    }
    Ok(())
}

/// Those of some records that the caller sees.
pub async fn visible(work: &Work, resource: &'static str, ids: impl Iterator<Item = Uuid>) -> Result<HashSet<Uuid>> {
    let shape = work.shape(resource)?;
    let mut sql = work.sql();
    sql.push("SELECT t.id FROM ").push(shape.plural).push(" t WHERE t.deleted_at IS NULL AND t.id").one_of_ids(ids);
    visibility::restrict_to_visible(&mut sql, work, shape, "t", "read")?;
    Ok(work.fetch(sql, |row| row.id(0)).await?.into_iter().collect())
}
