//! The demo company: a few hundred records to look at, made by the same functions the API uses. The same every time.

mod books;
mod catalog;
mod consents;
mod deals;
mod engagement;
mod sales;
mod service;

use super::names::{FIRST, JOBS, LAST, PLACES, STEMS, TRADES, at};
use catalog::CATALOG;
use samphan_api::{
    catalog::price_book,
    customers::{account, account_contact, address},
    external_systems::external_reference,
    platform::{custom_field, organisation_settings, privacy, succession::HandOverRecords, user},
};
use samphan_background::jobs::Job as _;
use samphan_domain::{
    catalog::{
        price_book::{PriceBook, PriceBookEntry},
        product::{Product, ProductCategory},
    },
    customers::{
        account::{Account, ChangeLifecycle, LifecycleStage},
        account_contact::AccountContact,
        address::Address,
        contact::Contact,
        contact_point::ContactPoint,
        tag::Tag,
    },
    integration::external_system::ExternalSystem,
    platform::{privacy_request::PrivacyRequest, team::Team, user::User},
    tax_id,
};
use samphan_persistence::{
    clock,
    jobs::{self, Ending},
    operations::{self, NewOperation, Outcome, Plan},
    store::{Store, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    builtin::{
        custom_field::CustomField,
        external_reference::ExternalReference,
        job::Job,
        operation::{Operation, OperationItem, OperationKind},
        organisation_settings::OrganisationSettings,
        picklist::Picklist,
    },
    caller::Caller,
    error::{Code, Result},
    money::{Price, SCALE},
    resource::Resource,
    scalar::Scalar,
};
use samphan_rest::bulk::RunOperation;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use uuid::Uuid;

/// Accounts made.
const ACCOUNTS: usize = 60;
/// Contacts made: one for each account, and a second one for half of them.
const CONTACTS: usize = 90;
/// Codes of the delivery routes.
const ROUTES: [(&str, &str, &str); 4] =
    [("bangkok", "Bangkok", "กรุงเทพ"), ("north", "North", "ภาคเหนือ"), ("isan", "North-east", "ภาคอีสาน"), ("south", "South", "ภาคใต้")];

/// How many records of each resource were made.
pub type Counts = BTreeMap<&'static str, usize>;

/// Makes the company, in one work: all of it or nothing, but for what follows from what is committed. For an empty database only.
pub async fn make(store: &Store) -> Result<Counts> {
    let work = store.work(Arc::new(Caller::system()), clock::now()).await?;
    let mut company = Company { work: &work, counts: Counts::new() };
    let staff = company.staff().await?;
    company.settings().await?;
    let wholesale = company.catalog().await?;
    let accounts = company.accounts(&staff, wholesale).await?;
    let contacts = company.contacts(&accounts).await?;
    company.consents(&accounts, &contacts).await?;
    company.preferences(&accounts, &contacts).await?;
    company.business_hours().await?;
    company.stock().await?;
    // Accounting judges its customers first: orders of others are held.
    company.credit(&accounts).await?;
    company.orders(&accounts, &contacts).await?;
    company.deals(&accounts, &contacts).await?;
    company.activities(&accounts, &contacts).await?;
    company.leads(&accounts).await?;
    let endpoint = company.machines().await?;
    company.past_job(&staff).await?;
    company.past_operations(&contacts).await?;
    let mut counts = company.counts;
    work.commit().await?;
    counts.insert("webhook_deliveries", books::owe(store, endpoint).await?);
    Ok(counts)
}

/// A user and the user's team.
type Seller = (Uuid, Uuid);

struct Company<'a> {
    work: &'a Work,
    counts: Counts,
}

impl Company<'_> {
    /// Makes a record from a body as a client would send it.
    async fn add<T: Resource>(
        &mut self,
        create: impl AsyncFn(&Work, Stored<T>) -> Result<Stored<T>>,
        parent: Option<(&'static str, Uuid)>,
        body: Value,
    ) -> Result<Stored<T>> {
        let body: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
        let made = create(self.work, Stored::from_body(self.work.shape(T::PLURAL)?, body, parent)?).await?;
        *self.counts.entry(T::PLURAL).or_default() += 1;
        Ok(made)
    }

    /// Teams as a tree, and users, who cannot sign in before a password is set.
    async fn staff(&mut self) -> Result<Vec<Seller>> {
        let sales = self.add::<Team>(stored::insert, None, json!({"name": "Sales", "description": "ฝ่ายขาย"})).await?.id();
        let mut teams = vec![sales];
        for name in ["Sales Bangkok", "Sales North"] {
            teams.push(self.add::<Team>(stored::insert, None, json!({"name": name, "parent_id": sales})).await?.id());
        }
        let mut sql = self.work.sql();
        sql.push("SELECT name, id FROM roles WHERE deleted_at IS NULL");
        let roles: HashMap<String, Uuid> = self.work.fetch(sql, |row| Ok((row.text(0)?, row.id(1)?))).await?.into_iter().collect();
        let people = [
            ("Somying Rakdee", "Sales director", "Sales manager", 0),
            ("Prasert Thongkham", "Key account manager", "Seller", 1),
            ("Malee Srisuk", "Account manager", "Seller", 1),
            ("Niran Wongthai", "Account manager", "Seller", 2),
            ("Wipa Mankhong", "Chief accountant", "Accounting", 0),
        ];
        let (mut sellers, mut boss): (Vec<Seller>, Option<Uuid>) = (vec![], None);
        for (name, job_title, role, team) in people {
            let mailbox = name.to_lowercase().replace(' ', ".");
            let team = teams.get(team).copied().unwrap_or(sales);
            let body = json!({
                "name": name, "email": format!("{mailbox}@demo.example"), "job_title": job_title, "locale": "th",
                "time_zone": "Asia/Bangkok", "manager_id": boss, "team_ids": [team],
                "role_ids": roles.get(role).into_iter().collect::<Vec<_>>(),
            });
            let id = self.add::<User>(user::create, None, body).await?.id();
            boss.get_or_insert(id);
            if role == "Seller" {
                sellers.push((id, team));
            }
        }
        Ok(sellers)
    }

    /// A job that is done: a hand-over of a user who had nothing to hand over.
    async fn past_job(&mut self, staff: &[Seller]) -> Result<()> {
        let Some((user_id, _)) = staff.first().copied() else { return Ok(()) };
        self.work.enqueue(HandOverRecords { user_id, successor_id: None }.enqueued()?.of(0)).await?;
        let lease = self.work.new_id();
        if let Some(job) = jobs::claim(self.work, lease, &[HandOverRecords::KIND], &[]).await? {
            jobs::end(self.work, job.id, lease, Ending::Succeeded).await?;
            *self.counts.entry(Job::PLURAL).or_default() += 1;
        }
        Ok(())
    }

    /// Bulk operations that are done, as far as they could be: each gives two contacts a department.
    async fn past_operations(&mut self, contacts: &[Uuid]) -> Result<()> {
        const DEPARTMENTS: [&str; 8] =
            ["Purchasing", "Accounting", "Warehouse", "Production", "Quality control", "Sales", "Marketing", "Management"];
        for (pair, department) in contacts.chunks_exact(2).zip(DEPARTMENTS) {
            let [first, second] = pair else { continue };
            let plan = Plan {
                ids: pair.to_vec(),
                patch: Map::from_iter([("department".to_owned(), json!(department))]),
                is_assignment: false,
                reason: None,
            };
            let shape = self.work.shape(Contact::PLURAL)?;
            let changed_fields = vec!["department".to_owned()];
            let new = NewOperation { kind: OperationKind::BulkUpdate, shape, plan, changed_fields, reverts_id: None };
            let made = operations::begin(self.work, new, |operation_id| RunOperation { operation_id }.enqueued()).await?;
            let outcomes = [(*first, Outcome::Unchanged), (*second, Outcome::Failed(Code::Forbidden.into()))];
            operations::note(self.work, made.id(), &outcomes).await?;
            operations::complete(self.work, made.id()).await?;
            let lease = self.work.new_id();
            if let Some(job) = jobs::claim(self.work, lease, &[RunOperation::KIND], &[]).await? {
                jobs::end(self.work, job.id, lease, Ending::Succeeded).await?;
                *self.counts.entry(Job::PLURAL).or_default() += 1;
            }
            *self.counts.entry(Operation::PLURAL).or_default() += 1;
            *self.counts.entry(OperationItem::PLURAL).or_default() += 1;
        }
        Ok(())
    }

    /// What the organisation adds: an accounting system, tags, a picklist and the field that uses it.
    async fn settings(&mut self) -> Result<()> {
        let express = json!({
            "code": "express", "name": "Express for Windows", "kind": "accounting", "legal_entity": "TH01", "currency": "THB",
            "stale_after": "PT26H",
        });
        self.add::<ExternalSystem>(stored::insert, None, express).await?;
        let settings = stored::find_one_by::<OrganisationSettings>(self.work, "id", Scalar::Id(OrganisationSettings::ID)).await?;
        if let Some(before) = settings {
            let mut after = before.clone();
            after.data.name = "Siam Tea".to_owned();
            after.data.currency = Some("THB".to_owned());
            if after.data.time_zone == OrganisationSettings::default().time_zone {
                after.data.time_zone = "Asia/Bangkok".to_owned();
            }
            organisation_settings::update(self.work, &before, after).await?;
            // The days of what is made from here on are of this zone.
            self.work.store.forget_settings();
        }
        for (name, color, about) in [
            ("key account", "#0a7d50", "Seen by the sales director every quarter."),
            ("export", "#1f5fbf", "Ships abroad."),
            ("seasonal", "#c77700", "Buys before the festivals."),
            ("new", "#7a3fb5", "Won this year."),
        ] {
            self.add::<Tag>(stored::insert, None, json!({"name": name, "color": color, "description": about})).await?;
        }
        let values: Vec<Value> =
            ROUTES.iter().map(|(code, label, thai)| json!({"code": code, "label": label, "label_translations": {"th": thai}})).collect();
        self.add::<Picklist>(stored::insert, None, json!({"key": "delivery_route", "name": "Delivery route", "values": values})).await?;
        let field = json!({
            "resource": "accounts", "key": "delivery_route", "label": "Delivery route", "label_translations": {"th": "เส้นทางจัดส่ง"},
            "type": "picklist", "picklist": "delivery_route",
        });
        self.add::<CustomField>(custom_field::create, None, field).await?;
        Ok(())
    }

    /// Categories, products, and two price books; answers the wholesale book.
    async fn catalog(&mut self) -> Result<Uuid> {
        let list = json!({"name": "List 2026", "currency": "THB", "is_default": true});
        let list = self.add::<PriceBook>(price_book::create, None, list).await?.id();
        let wholesale = json!({"name": "Wholesale 2026", "currency": "THB", "parent_id": list});
        let wholesale = self.add::<PriceBook>(price_book::create, None, wholesale).await?.id();
        let mut n = 0;
        for (category, thai, articles) in CATALOG {
            let body = json!({"name": category, "description": thai});
            let category = self.add::<ProductCategory>(stored::insert, None, body).await?.id();
            for (name, thai, unit, baht) in articles {
                n += 1;
                let kind = if unit == "trip" { "service" } else { "goods" };
                let body = json!({
                    "sku": format!("SP-{n:03}"), "name": name, "name_translations": {"th": thai}, "unit": unit, "tax_code": "VAT7",
                    "kind": kind, "category_id": category,
                });
                let made = self.add::<Product>(stored::insert, None, body).await?;
                let product = made.id();
                let percent = |p: i64| Price(baht * SCALE / 100 * p).to_string();
                let entry = |from: &str, price: String| json!({"product_id": product, "min_quantity": from, "price": price});
                self.add::<PriceBookEntry>(stored::insert, Some(("price_book_id", list)), entry("0", percent(100))).await?;
                if kind == "goods" && n % 2 == 0 {
                    for (from, share) in [("10", 92), ("100", 85)] {
                        let entry = entry(from, percent(share));
                        self.add::<PriceBookEntry>(stored::insert, Some(("price_book_id", wholesale)), entry).await?;
                    }
                }
                if n % 20 == 0 {
                    stored::transition(self.work, &made, "discontinue").await?;
                }
            }
        }
        Ok(wholesale)
    }

    /// Accounts with their addresses, numbers, and names in the accounting system.
    async fn accounts(&mut self, sellers: &[Seller], wholesale: Uuid) -> Result<Vec<(Uuid, Seller)>> {
        let mut accounts = vec![];
        for n in 0..ACCOUNTS {
            let Some(seller) = at(sellers, n) else { break };
            // Every fifteenth belongs to a group.
            let head = if n % 15 == 14 { accounts.get(n - 14).map(|(head, _): &(Uuid, Seller)| *head) } else { None };
            let made = self.add::<Account>(account::create, None, organisation(n, seller, wholesale, head)).await?;
            let id = made.id();
            self.live(made, n).await?;
            let parent = Some(("account_id", id));
            for purpose in ["registered", "shipping"].into_iter().take(if n.is_multiple_of(3) { 2 } else { 1 }) {
                self.add::<Address>(address::create, parent, place(n, purpose)).await?;
            }
            let phone = json!({"kind": "phone", "raw": format!("02-{:03}-{:04}", 210 + n, 1_000 + n * 37), "region": "TH", "label": "switchboard", "is_primary": true});
            self.add::<ContactPoint>(stored::insert, parent, phone).await?;
            let mail = json!({"kind": "email", "raw": format!("info@customer{:02}.example", n + 1), "is_primary": true});
            self.add::<ContactPoint>(stored::insert, parent, mail).await?;
            let reference =
                json!({"system": "express", "resource": "accounts", "external_id": format!("C-{:07}", 10_001 + n), "record_id": id});
            self.add::<ExternalReference>(external_reference::create, None, reference).await?;
            accounts.push((id, seller));
        }
        Ok(accounts)
    }

    /// Moves an account through the stages of its life, as its number says.
    async fn live(&self, mut account: Stored<Account>, n: usize) -> Result<()> {
        use LifecycleStage::{Active, AtRisk, Blocked, Churned, WonBack};
        let stages: &[LifecycleStage] = match n % 10 {
            0 | 5 => &[],
            7 => &[Active, AtRisk],
            8 => &[Active, Churned],
            9 if n == 59 => &[Active, Blocked],
            9 => &[Active, Churned, WonBack],
            _ => &[Active],
        };
        for to in stages {
            account = account::change_lifecycle(self.work, account, ChangeLifecycle { to: *to, reason: None }).await?;
        }
        Ok(())
    }

    /// Contacts, how to reach them, and whom they act for; first those who are the first of their accounts.
    async fn contacts(&mut self, accounts: &[(Uuid, Seller)]) -> Result<Vec<Uuid>> {
        let mut contacts = vec![];
        for n in 0..CONTACTS {
            let Some((account, seller)) = at(accounts, n) else { break };
            let contact = self.add::<Contact>(stored::insert, None, person(n, seller)).await?.id();
            contacts.push(contact);
            let parent = Some(("contact_id", contact));
            let mobile = json!({"kind": "mobile", "raw": format!("08{}-{:03}-{:04}", 1 + n % 9, 200 + n, 2_000 + n * 53), "region": "TH", "is_primary": true});
            self.add::<ContactPoint>(stored::insert, parent, mobile).await?;
            if n.is_multiple_of(5) {
                self.add::<Address>(address::create, parent, place(n + 7, "shipping")).await?;
            }
            if n.is_multiple_of(3) {
                self.add::<ContactPoint>(stored::insert, parent, json!({"kind": "line", "raw": format!("demo.line{n}")})).await?;
            }
            let role = at(&["decision_maker", "purchaser", "billing", "user"], n);
            let link = self
                .add::<AccountContact>(stored::insert, None, json!({"account_id": account, "contact_id": contact, "role": role}))
                .await?;
            if n < accounts.len() {
                account_contact::set_primary(self.work, link).await?;
            }
        }
        if let Some(person) = contacts.last() {
            let body = json!({"kind": "access", "resource": Contact::PLURAL, "record_id": person, "note": "Asked on the telephone."});
            self.add::<PrivacyRequest>(privacy::create, None, body).await?;
        }
        Ok(contacts)
    }
}

/// An account by its number: mostly companies, some partnerships, foundations, persons and foreigners.
fn organisation(n: usize, (owner, team): Seller, wholesale: Uuid, head: Option<Uuid>) -> Value {
    let (stem, stem_en) = at(&STEMS, n * 5).unwrap_or_default();
    let (trade, trade_en, industry) = at(&TRADES, n * 7 + n / 12).unwrap_or_default();
    let (first, last) = (at(&FIRST, n * 11).unwrap_or_default(), at(&LAST, n * 13 + 5).unwrap_or_default());
    let (form, name, legal, series) = match n % 12 {
        2 | 7 => ("limited_partnership", format!("{stem}{trade}"), format!("ห้างหุ้นส่วนจำกัด {stem}{trade}"), "01035"),
        4 if n % 24 == 4 => ("foundation", format!("มูลนิธิ{stem}"), format!("มูลนิธิ{stem}"), "09930"),
        9 => ("individual", format!("{} {}", first.0, last.0), format!("{} {}", first.0, last.0), "31005"),
        11 => ("foreign", format!("{stem_en} {trade_en}"), format!("{stem_en} {trade_en} Pte. Ltd."), ""),
        _ => ("company", format!("{stem}{trade}"), format!("บริษัท {stem}{trade} จำกัด"), "01055"),
    };
    let is_foreign = form == "foreign";
    let grade = at(&["A", "B", "B", "C"], n);
    let tags: &[&str] = match n % 6 {
        0 => &["key account"],
        3 => &["seasonal", "new"],
        _ if is_foreign => &["export"],
        _ => &[],
    };
    json!({
        "name": name,
        "legal_name": legal,
        "legal_form": form,
        "tax_id": if is_foreign { None } else { tax_id::with_check_digit(&format!("{series}{:07}", 4_300_000 + n * 7_919)) },
        "branch_code": (!is_foreign && form != "individual").then(|| format!("{:05}", if n % 15 == 14 { n / 15 + 1 } else { 0 })),
        "country": if is_foreign { "SG" } else { "TH" },
        "industry": industry,
        "size": at(&["micro", "small", "medium", "large"], n / 2),
        "is_vip": n.is_multiple_of(12),
        "grade": grade,
        "preferred_channel": at(&["phone", "line", "email"], n),
        "preferred_language": if is_foreign { "en" } else { "th" },
        "currency": "THB",
        "payment_terms_days": at(&[0, 15, 30, 60], n),
        "price_book_id": (grade == Some("A")).then_some(wholesale),
        "parent_id": head,
        "health": 35 + n * 17 % 65,
        "owner_id": owner,
        "team_id": team,
        "tags": tags,
        "custom": {"delivery_route": at(&ROUTES, n).map(|r| r.0)},
    })
}

/// An address by its number.
fn place(n: usize, purpose: &str) -> Value {
    let (street, subdistrict, district, region, postal_code) = at(&PLACES, n).unwrap_or_default();
    json!({
        "purpose": purpose, "line1": format!("{}/{} {street}", 11 + n * 3, 1 + n % 9), "subdistrict": subdistrict, "district": district,
        "region": region, "postal_code": postal_code, "country": "TH",
    })
}

/// A contact by its number: most in Thai, every fourth in English with the Thai name beside.
fn person(n: usize, (owner, team): Seller) -> Value {
    let (first, last) = (at(&FIRST, n * 7 + n / 24).unwrap_or_default(), at(&LAST, n * 5 + 3).unwrap_or_default());
    let (job_title, department) = at(&JOBS, n * 3).unwrap_or_default();
    let english = n % 4 == 3;
    json!({
        "salutation": if english { "Khun" } else { "คุณ" },
        "first_name": if english { first.1 } else { first.0 },
        "last_name": if english { last.1 } else { last.0 },
        "local_name": english.then(|| format!("{} {}", first.0, last.0)),
        "job_title": job_title,
        "department": department,
        "preferred_channel": at(&["line", "phone", "email"], n),
        "preferred_language": if english { "en" } else { "th" },
        "do_not_call": n % 30 == 29,
        "owner_id": owner,
        "team_id": team,
    })
}
