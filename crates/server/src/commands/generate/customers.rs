//! Customers: accounts with what belongs to them, and the people who work there.

use super::{
    Customer, SYSTEM,
    chance::Chance,
    crew::{Hand, Part},
};
use crate::commands::names::{FIRST, JOBS, LAST, PERSIAN_FIRST, PERSIAN_LAST, PERSIAN_STEMS, PERSIAN_TRADES, STEMS, TRADES};
use samphan_domain::{
    customers::{
        account::{Account, LifecycleStage},
        account_contact::AccountContact,
        account_history::{AccountGradeChange, AccountLifecycleChange},
        contact::Contact,
        contact_point::{ContactPoint, ContactPointKind},
    },
    id::AccountId,
    tax_id,
};
use samphan_persistence::{
    bulk::{self, Prepared},
    store::Work,
    stored::Stored,
};
use samphan_resource::{builtin::external_reference::ExternalReference, error::Result, resource::Resource};
use serde_json::{Value, json};
use std::ops::Range;
use uuid::Uuid;

/// Who writes a name, and how.
#[derive(Clone, Copy)]
enum Script {
    Thai,
    English,
    Persian,
}

/// Accounts, each with its stage, grade, number and name in the other system.
pub(super) struct Accounts;

impl Part for Accounts {
    const WHAT: &'static str = "accounts";
    type Made = (
        Prepared<Account>,
        Prepared<AccountLifecycleChange>,
        Prepared<AccountGradeChange>,
        Prepared<ExternalReference>,
        Prepared<ContactPoint>,
    );

    fn make(&self, numbers: Range<usize>, hand: &mut Hand<'_>) -> Result<Self::Made> {
        let (mut accounts, mut references, mut points) = (vec![], vec![], vec![]);
        for n in numbers {
            let one = hand.plan.account(n);
            let external_id = format!("B-{:07}", n + 1);
            let body = account(&mut hand.chance, one, n);
            let mut account = hand.plan.draft::<Account>(body, None)?;
            account.data.lifecycle_stage = stage(&mut hand.chance);
            let own = json!([{"system": SYSTEM, "external_type": Account::SINGULAR, "external_id": external_id}]);
            account.record.insert("external_refs".to_owned(), own);
            accounts.push(account);
            let body = json!({
                "id": hand.id(), "system": SYSTEM, "resource": Account::PLURAL, "external_type": Account::SINGULAR,
                "external_id": external_id, "record_id": one.id,
            });
            references.push(hand.plan.draft::<ExternalReference>(body, None)?);
            let raw = format!("02-{:03}-{:04}", 200 + hand.chance.below(800), hand.chance.below(10_000));
            points.push(point(hand, ContactPointKind::Phone, &raw, ("account_id", one.id))?);
        }
        let stage = |a: &Stored<Account>| AccountLifecycleChange {
            account_id: AccountId(a.id()),
            from_stage: None,
            to_stage: a.data.lifecycle_stage,
            reason: None,
        };
        let grade =
            |a: &Stored<Account>| AccountGradeChange { account_id: AccountId(a.id()), from_grade: None, to_grade: a.data.grade.clone() };
        let stages = accounts.iter().map(stage).map(Stored::draft).collect();
        let grades = accounts.iter().map(grade).map(Stored::draft).collect();
        Ok((hand.prepare(accounts)?, hand.prepare(stages)?, hand.prepare(grades)?, hand.prepare(references)?, hand.prepare(points)?))
    }

    async fn write(&self, work: &Work, (accounts, stages, grades, references, points): Self::Made) -> Result<()> {
        bulk::insert(work, accounts).await?;
        bulk::insert(work, stages).await?;
        bulk::insert(work, grades).await?;
        bulk::insert(work, references).await?;
        bulk::insert(work, points).await.map(|_| ())
    }
}

/// Contacts: the first of each account along with it, the others where there are most already.
pub(super) struct Contacts {
    pub(super) many: usize,
}

impl Part for Contacts {
    const WHAT: &'static str = "contacts";
    type Made = (Prepared<Contact>, Prepared<AccountContact>, Prepared<ContactPoint>);

    fn make(&self, numbers: Range<usize>, hand: &mut Hand<'_>) -> Result<Self::Made> {
        let (mut contacts, mut links, mut points) = (vec![], vec![], vec![]);
        for n in numbers {
            let along = hand.plan.along(n, self.many);
            let is_first = n == hand.plan.with(&(along..along), self.many).start;
            let account = if is_first { hand.plan.account(along) } else { hand.plan.some_account(&mut hand.chance, along) };
            let id = hand.id();
            let body = contact(&mut hand.chance, id, account);
            contacts.push(hand.plan.draft::<Contact>(body, None)?);
            let body = json!({
                "id": hand.id(), "account_id": account.id, "contact_id": id,
                "role": hand.chance.one_of(&["decision_maker", "purchaser", "billing", "user"]),
            });
            let mut link = hand.plan.draft::<AccountContact>(body, None)?;
            // The first contact of each account, as `set-primary` would mark it.
            link.data.is_primary = is_first;
            links.push(link);
            let chance = &mut hand.chance;
            let raw = format!("08{}-{:03}-{:04}", 1 + chance.below(9), chance.below(1_000), chance.below(10_000));
            points.push(point(hand, ContactPointKind::Mobile, &raw, ("contact_id", id))?);
        }
        Ok((hand.prepare(contacts)?, hand.prepare(links)?, hand.prepare(points)?))
    }

    async fn write(&self, work: &Work, (contacts, links, points): Self::Made) -> Result<()> {
        bulk::insert(work, contacts).await?;
        bulk::insert(work, links).await?;
        bulk::insert(work, points).await.map(|_| ())
    }
}

/// The one way to reach a person.
fn point(hand: &mut Hand<'_>, kind: ContactPointKind, raw: &str, of: (&'static str, Uuid)) -> Result<Stored<ContactPoint>> {
    let body = json!({"id": hand.id(), "kind": kind, "raw": raw, "region": "TH", "is_primary": true});
    let mut draft = hand.plan.draft::<ContactPoint>(body, Some(of))?;
    draft.data.position = 1;
    Ok(draft)
}

fn account(chance: &mut Chance, one: Customer, n: usize) -> Value {
    let (stem, stem_en) = chance.one_of(&STEMS);
    let (other, other_en) = chance.one_of(&STEMS);
    let (trade, trade_en, industry) = chance.one_of(&TRADES);
    let (name, legal) = match script(chance) {
        Script::Thai => (format!("{stem}{other}{trade} {n}"), format!("บริษัท {stem}{other}{trade} {n} จำกัด")),
        Script::English => (format!("{stem_en} {other_en} {trade_en} {n}"), format!("{stem_en} {other_en} {trade_en} {n} Co., Ltd.")),
        Script::Persian => {
            let (trade, stem) = (chance.one_of(&PERSIAN_TRADES), chance.one_of(&PERSIAN_STEMS));
            (format!("{trade} {stem} {n}"), format!("شرکت {trade} {stem} {n}"))
        }
    };
    json!({
        "id": one.id, "owner_id": one.owner, "team_id": one.team, "name": name, "legal_name": legal, "legal_form": "company",
        "tax_id": tax_id::with_check_digit(&format!("01055{:07}", n % 10_000_000)), "branch_code": "00000", "country": "TH",
        "industry": industry, "size": chance.one_of(&["micro", "small", "medium", "large"]),
        "is_vip": chance.below(50) == 0, "grade": chance.one_of(&["A", "B", "B", "C", "C", "C"]), "currency": "THB",
        "payment_terms_days": chance.one_of(&[0, 15, 30, 60]), "health": chance.below(101),
        "tags": if chance.below(5) == 0 { json!([chance.one_of(&["key account", "seasonal", "export"])]) } else { json!([]) },
    })
}

fn contact(chance: &mut Chance, id: Uuid, account: Customer) -> Value {
    let ((first, first_en), (last, last_en)) = (chance.one_of(&FIRST), chance.one_of(&LAST));
    let (job_title, department) = chance.one_of(&JOBS);
    let (first_name, last_name, language) = match script(chance) {
        Script::Thai => (first, last, "th"),
        Script::English => (first_en, last_en, "en"),
        Script::Persian => (chance.one_of(&PERSIAN_FIRST), chance.one_of(&PERSIAN_LAST), "fa"),
    };
    json!({
        "id": id, "owner_id": account.owner, "team_id": account.team, "first_name": first_name, "last_name": last_name,
        "job_title": job_title, "department": department, "preferred_language": language,
    })
}

/// Six of ten write Thai, three English, one Persian.
fn script(chance: &mut Chance) -> Script {
    match chance.below(10) {
        0..=5 => Script::Thai,
        6..=8 => Script::English,
        _ => Script::Persian,
    }
}

fn stage(chance: &mut Chance) -> LifecycleStage {
    use LifecycleStage::{Active, AtRisk, Churned, Prospect};
    match chance.below(10) {
        0..=5 => Active,
        6 | 7 => Prospect,
        8 => AtRisk,
        _ => Churned,
    }
}
