//! Customers: accounts with what belongs to them, and the people who work there.

use super::{Made, Maker, SYSTEM, draft};
use crate::commands::names::{FIRST, JOBS, LAST, PERSIAN_FIRST, PERSIAN_LAST, PERSIAN_STEMS, PERSIAN_TRADES, STEMS, TRADES, at};
use samphan_domain::{
    customers::{
        account::{Account, LifecycleStage},
        account_contact::AccountContact,
        account_history::{AccountGradeChange, AccountLifecycleChange},
        contact::Contact,
        contact_point::ContactPoint,
    },
    error::Result,
    id::AccountId,
    integration::external_reference::ExternalReference,
    resource::Resource,
    tax_id,
};
use samphan_persistence::{bulk, stored::Stored};
use serde_json::{Value, json};
use uuid::Uuid;

/// Who writes a name, and how.
#[derive(Clone, Copy)]
enum Script {
    Thai,
    English,
    Persian,
}

impl Maker {
    /// The next accounts, each with its stage, grade, number and name in the other system.
    pub(super) async fn accounts(&mut self, first: usize, many: usize) -> Result<Vec<Made>> {
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
        let (name, legal) = match self.script() {
            Script::Thai => (format!("{stem}{other}{trade} {n}"), format!("บริษัท {stem}{other}{trade} {n} จำกัด")),
            Script::English => (format!("{stem_en} {other_en} {trade_en} {n}"), format!("{stem_en} {other_en} {trade_en} {n} Co., Ltd.")),
            Script::Persian => {
                let (trade, stem) = (self.chance.one_of(&PERSIAN_TRADES), self.chance.one_of(&PERSIAN_STEMS));
                (format!("{trade} {stem} {n}"), format!("شرکت {trade} {stem} {n}"))
            }
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

    /// Six of ten write Thai, three English, one Persian.
    fn script(&mut self) -> Script {
        match self.chance.below(10) {
            0..=5 => Script::Thai,
            6..=8 => Script::English,
            _ => Script::Persian,
        }
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

    /// The next contacts: the first of each account, then most where there are most.
    pub(super) async fn contacts(&mut self, first: usize, many: usize, accounts: &[Made]) -> Result<usize> {
        let work = self.work().await?;
        let (mut contacts, mut links, mut points) = (vec![], vec![], vec![]);
        for n in first..first + many {
            let whose = if n < accounts.len() { n } else { self.chance.skewed(accounts.len()) };
            let Some(account) = at(accounts, whose) else { break };
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
        let ((first, first_en), (last, last_en)) = (self.chance.one_of(&FIRST), self.chance.one_of(&LAST));
        let (job_title, department) = self.chance.one_of(&JOBS);
        let (first_name, last_name, language) = match self.script() {
            Script::Thai => (first, last, "th"),
            Script::English => (first_en, last_en, "en"),
            Script::Persian => (self.chance.one_of(&PERSIAN_FIRST), self.chance.one_of(&PERSIAN_LAST), "fa"),
        };
        json!({
            "id": id, "owner_id": account.owner, "team_id": account.team, "first_name": first_name, "last_name": last_name,
            "job_title": job_title, "department": department, "preferred_language": language,
        })
    }
}
