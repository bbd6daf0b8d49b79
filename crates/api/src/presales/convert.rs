//! A lead becomes an account, a contact and an opportunity: matched first, in one transaction.
//!
//! Conversions of leads with the same tax id, e-mail address or phone number stand in one line, so that the second finds what the first made.
//! The line is taken before the lead is locked.

use super::{
    candidates::{self, Candidate, Candidates},
    opportunity,
};
use samphan_domain::{
    customers::{
        account::Account,
        account_contact::{AccountContact, ContactRole},
        address::Address,
        contact::Contact,
        contact_point::{ContactPoint, phone_keys},
    },
    id::{AccountId, ContactId, LeadId, OpportunityId, PipelineId, UserId},
    presales::{
        lead::{ConversionOpportunity, ConversionTarget, ConvertLead, ConvertedRecord, Lead, LeadConversion, LeadStatus, OnLikely},
        matching::{CERTAIN, LIKELY, MatchKey},
        opportunity::Opportunity,
    },
};
use samphan_persistence::{
    record::{self, Record, expect_action, expect_version},
    repoint::repoint,
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    calendar,
    error::{Code, Error, FieldCode, FieldError, Result},
    resource::Resource,
    scalar::Scalar,
};
use samphan_rest::{
    operation::RequestContext,
    response::{Response, visible_fields},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

use crate::customers::{account, address};

/// Days after which an opportunity is expected to be closed when nothing else is known.
const CLOSES_AFTER_DAYS: u64 = 30;

/// The operation.
pub async fn run(work: &Work, call: RequestContext) -> Result<Response> {
    let (id, shape) = (call.id(0)?, work.shape(Lead::PLURAL)?);
    let input: ConvertLead = call.input()?;
    let seen = stored::find_visible::<Lead>(work, id).await?.ok_or_else(|| Error::from(Code::NotFound))?;
    work.lock_all_named(lines(&seen.data)).await?;
    let lead = stored::find::<Lead>(work, id, "convert").await?;
    if lead.data.status == LeadStatus::Converted {
        return Err(already_converted(&lead.data));
    }
    expect_version(call.if_match, lead.version())?;
    expect_action(shape, &lead.record, "convert")?;
    let (made, conversion) = convert(work, lead, input).await?;
    let lead = visible_fields(work, shape, &made.record);
    Ok(Response { version: Some(made.version()), ..Response::json(&LeadConversion { lead, ..conversion }) })
}

/// The lines in which conversions that may be of the same customer stand.
fn lines(lead: &Lead) -> Vec<String> {
    let phone = lead.phone.as_deref().map(|phone| phone_keys(phone, region(lead))).unwrap_or_default();
    let keys = lead.tax_id.iter().map(|id| format!("lead tax_id {id}"));
    let keys = keys.chain(lead.email.iter().map(|address| format!("lead email {address}")));
    keys.chain(phone.first().map(|phone| format!("lead phone {phone}"))).collect()
}

/// The region in which the phone number of a lead is read.
pub(super) fn region(lead: &Lead) -> &str {
    lead.region.as_deref().unwrap_or(samphan_domain::customers::contact_point::DEFAULT_REGION)
}

/// The refusal to convert a lead once more, with what it became.
fn already_converted(lead: &Lead) -> Error {
    let made = [
        (Account::PLURAL, lead.converted_account_id.map(|id| id.0), "converted_account_id"),
        (Contact::PLURAL, lead.converted_contact_id.map(|id| id.0), "converted_contact_id"),
        (Opportunity::PLURAL, lead.converted_opportunity_id.map(|id| id.0), "converted_opportunity_id"),
    ];
    let made = made.into_iter().filter_map(|(resource, id, field)| Some((resource, id?, field)));
    made.fold(Error::from(Code::AlreadyConverted), |error, (resource, id, field)| error.with_conflict(resource, id, field))
}

/// Converts a lead that is locked.
pub async fn convert(work: &Work, lead: Stored<Lead>, input: ConvertLead) -> Result<(Stored<Lead>, LeadConversion)> {
    let found = candidates::find(work, &lead.data).await?;
    let account = decide(work, Account::PLURAL, "/account", input.account, &found, input.on_likely).await?;
    let contact = decide(work, Contact::PLURAL, "/contact", input.contact, &found, input.on_likely).await?;
    let account = match account {
        Decision::Use(used) => fill_account(work, &lead, used).await?,
        Decision::Create => new_account(work, &lead).await?,
    };
    let contact = match contact {
        Decision::Use(used) => fill_contact(work, &lead, used).await?,
        Decision::Create => new_contact(work, &lead).await?,
    };
    link(work, &account, &contact).await?;
    let opportunity_id = match input.opportunity {
        Some(asked) => Some(new_opportunity(work, &lead, &account, &contact, asked).await?),
        None => None,
    };
    repoint(work, (work.shape(Lead::PLURAL)?, lead.id()), (work.shape(Contact::PLURAL)?, contact.id)).await?;
    let (mut after, what) = stored::after_transition(&lead, "convert")?;
    after.data.converted_account_id = Some(AccountId(account.id));
    after.data.converted_contact_id = Some(ContactId(contact.id));
    after.data.converted_opportunity_id = opportunity_id.map(OpportunityId);
    after.data.converted_at = Some(work.now);
    after.data.converted_by_id = work.caller.author().map(UserId);
    let made = stored::save(work, &lead, after, what, None).await?;
    Ok((made, LeadConversion { lead: Map::new(), account, contact, opportunity_id }))
}

/// What a lead becomes.
enum Decision {
    /// A record there is.
    Use(Used),
    /// A new one.
    Create,
}

/// A record that is used.
struct Used {
    id: Uuid,
    score: Option<i32>,
    matched: BTreeSet<MatchKey>,
}

/// Decides which record of a resource a lead becomes.
async fn decide(
    work: &Work,
    resource: &'static str,
    pointer: &str,
    target: Option<ConversionTarget>,
    found: &Candidates,
    on_likely: OnLikely,
) -> Result<Decision> {
    let target = target.unwrap_or(ConversionTarget { by_match: true, ..ConversionTarget::default() });
    match (target.id, target.create, target.by_match) {
        (Some(id), false, false) => {
            let shape = work.shape(resource)?;
            let unknown = || Error::unknown_reference(format!("{pointer}/id"), resource);
            record::find_visible(work, shape, id, None, true).await?.ok_or_else(unknown)?;
            let matched = found.of(resource).iter().find(|one| one.id == id);
            let keys = matched.map(|one| one.keys.clone()).unwrap_or_default();
            Ok(Decision::Use(Used { id, score: matched.map(Candidate::score), matched: keys }))
        }
        (None, true, false) => Ok(Decision::Create),
        (None, false, true) => by_match(work, resource, found.of(resource), on_likely).await,
        _ => Err(Error::invalid(FieldError::new(pointer, FieldCode::AmbiguousKey, "exactly one of id, create, match"))),
    }
}

async fn by_match(work: &Work, resource: &'static str, found: &[Candidate], on_likely: OnLikely) -> Result<Decision> {
    let likely: Vec<&Candidate> = found.iter().filter(|one| one.score() >= LIKELY).collect();
    if likely.is_empty() {
        return Ok(Decision::Create);
    }
    let seen = candidates::visible(work, resource, likely.iter().map(|one| one.id)).await?;
    let best = likely.iter().filter(|one| seen.contains(&one.id)).max_by_key(|one| (one.score(), std::cmp::Reverse(one.id)));
    let used = |one: &Candidate| Decision::Use(Used { id: one.id, score: Some(one.score()), matched: one.keys.clone() });
    match best {
        Some(one) if one.score() >= CERTAIN => Ok(used(one)),
        _ if likely.iter().any(|one| one.score() >= CERTAIN) => Err(Code::DuplicateHidden.into()),
        // What the caller does not see, and is only likely, is not told either.
        None => Ok(Decision::Create),
        Some(one) => match on_likely {
            OnLikely::Use => Ok(used(one)),
            OnLikely::Create => Ok(Decision::Create),
            OnLikely::Ask => {
                let candidates = likely.iter().filter(|one| seen.contains(&one.id));
                let field = |one: &Candidate| one.keys.first().map_or("name", |key| key.as_str());
                Err(candidates.fold(Error::from(Code::LikelyMatch), |error, one| error.with_conflict(resource, one.id, field(one))))
            }
        },
    }
}

/// A record to be made for a lead: its owner and team, the custom fields of equal key, and these values.
async fn draft<T: Resource>(work: &Work, lead: &Stored<Lead>, body: Value) -> Result<Stored<T>> {
    let mut body = fields(body)?;
    let (owner, team) = lead.owner();
    if work.shape(T::PLURAL)?.owned {
        body.extend([("owner_id", owner), ("team_id", team)].map(|(field, id)| (field.to_owned(), json!(id))));
    }
    let defined = work.custom_fields().await?;
    let field = |resource: &str, key: &String| defined.get(&(resource.to_owned(), key.clone())).map(|field| field.kind);
    let custom = lead.record.get("custom").and_then(Value::as_object).into_iter().flatten();
    let custom: Map<String, Value> = custom
        .filter(|(key, _)| field(T::PLURAL, key).is_some() && field(T::PLURAL, key) == field(Lead::PLURAL, key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !custom.is_empty() {
        body.insert("custom".to_owned(), Value::Object(custom));
    }
    Stored::from_body(work.shape(T::PLURAL)?, body, None)
}

/// The fields of a body, without what is null.
fn fields(body: Value) -> Result<Record> {
    let Value::Object(body) = body else { return Err(Code::Internal.into()) };
    Ok(body.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

fn created(id: Uuid) -> ConvertedRecord {
    ConvertedRecord { id, is_new: true, score: None, matched: vec![], filled: vec![], kept: vec![] }
}

fn used(one: &Used, filled: Vec<String>, kept: Vec<String>) -> ConvertedRecord {
    let matched = one.matched.iter().map(|key| key.as_str().to_owned()).collect();
    ConvertedRecord { id: one.id, is_new: false, score: one.score, matched, filled, kept }
}

async fn new_account(work: &Work, lead: &Stored<Lead>) -> Result<ConvertedRecord> {
    let data = &lead.data;
    let body = json!({
        "name": data.company.as_ref().unwrap_or(&data.name),
        "legal_form": data.company.is_none().then_some("individual"),
        "tax_id": data.tax_id,
        "country": data.tax_id.is_some().then_some("TH"),
        "currency": data.currency,
    });
    let made = account::create(work, draft::<Account>(work, lead, body).await?).await?;
    if let Some(place) = data.address.as_ref().filter(|place| place.line1.is_some()) {
        let mut body = fields(json!(place))?;
        body.insert("purpose".to_owned(), json!("registered"));
        let parent = Some(("account_id", made.id()));
        address::create(work, Stored::<Address>::from_body(work.shape(Address::PLURAL)?, body, parent)?).await?;
    }
    Ok(created(made.id()))
}

async fn new_contact(work: &Work, lead: &Stored<Lead>) -> Result<ConvertedRecord> {
    let (first_name, last_name) = match lead.data.name.trim().rsplit_once(' ') {
        Some((first, last)) => (first.trim().to_owned(), Some(last.to_owned())),
        None => (lead.data.name.clone(), None),
    };
    let first_name: String = first_name.chars().take(100).collect();
    let last_name = last_name.map(|name| name.chars().take(100).collect::<String>());
    let body = json!({"first_name": first_name, "last_name": last_name, "job_title": lead.data.job_title});
    let made = stored::insert(work, draft::<Contact>(work, lead, body).await?).await?;
    for (_, point) in points(&lead.data) {
        add_point(work, made.id(), point).await?;
    }
    Ok(created(made.id()))
}

/// How a lead is reached, by the lead's field.
fn points(lead: &Lead) -> Vec<(&'static str, Value)> {
    let phone = |raw: &String| json!({"kind": "mobile", "raw": raw, "region": region(lead)});
    let all = [
        ("email", lead.email.as_ref().map(|raw| json!({"kind": "email", "raw": raw}))),
        ("phone", lead.phone.as_ref().map(phone)),
        ("line_id", lead.line_id.as_ref().map(|raw| json!({"kind": "line", "raw": raw}))),
    ];
    all.into_iter().filter_map(|(field, point)| Some((field, point?))).collect()
}

/// Adds a way to reach a contact, unless it is there. Answers whether it was added.
async fn add_point(work: &Work, contact: Uuid, body: Value) -> Result<bool> {
    let parent = Some(("contact_id", contact));
    let mut draft = Stored::<ContactPoint>::from_body(work.shape(ContactPoint::PLURAL)?, fields(body)?, parent)?;
    draft.data.normalise();
    let there = stored::find_by::<ContactPoint>(work, "contact_id", Scalar::Id(contact)).await?;
    if there.iter().any(|one| one.data.normalized == draft.data.normalized) {
        return Ok(false);
    }
    draft.data.is_primary = !there.iter().any(|one| one.data.kind == draft.data.kind);
    stored::insert(work, draft).await?;
    Ok(true)
}

/// Fills a field that is empty, or notes that it stays.
fn fill<T: PartialEq + Clone>(name: &str, has: &mut Option<T>, offers: Option<&T>, filled: &mut Vec<String>, kept: &mut Vec<String>) {
    match (&has, offers) {
        (_, None) => {}
        (None, Some(offers)) => {
            *has = Some(offers.clone());
            filled.push(name.to_owned());
        }
        (Some(has), Some(offers)) if *has != *offers => kept.push(name.to_owned()),
        (Some(_), Some(_)) => {}
    }
}

/// Fills what is empty of an account, as far as the caller may change it.
async fn fill_account(work: &Work, lead: &Stored<Lead>, one: Used) -> Result<ConvertedRecord> {
    let before = stored::find::<Account>(work, one.id, "read").await?;
    let (mut after, mut filled, mut kept) = (before.clone(), vec![], vec![]);
    let data = &mut after.data;
    fill("tax_id", &mut data.tax_id, lead.data.tax_id.as_ref(), &mut filled, &mut kept);
    fill("currency", &mut data.currency, lead.data.currency.as_ref(), &mut filled, &mut kept);
    if let Some(company) = lead.data.company.as_ref().filter(|company| **company != data.name) {
        fill("legal_name", &mut data.legal_name, Some(company), &mut filled, &mut kept);
    }
    if filled.is_empty() {
        return Ok(used(&one, filled, kept));
    }
    if record::check_permission(work, work.shape(Account::PLURAL)?, &before.record, "update").is_err() {
        kept.append(&mut filled);
        return Ok(used(&one, vec![], kept));
    }
    stored::save(work, &before, after, "updated", None).await?;
    Ok(used(&one, filled, kept))
}

/// The same of a contact, with the ways to reach it.
async fn fill_contact(work: &Work, lead: &Stored<Lead>, one: Used) -> Result<ConvertedRecord> {
    let before = stored::find::<Contact>(work, one.id, "read").await?;
    let (mut after, mut filled, mut kept) = (before.clone(), vec![], vec![]);
    fill("job_title", &mut after.data.job_title, lead.data.job_title.as_ref(), &mut filled, &mut kept);
    if after.data.name != lead.data.name {
        kept.push("name".to_owned());
    }
    if record::check_permission(work, work.shape(Contact::PLURAL)?, &before.record, "update").is_err() {
        kept.append(&mut filled);
        return Ok(used(&one, vec![], kept));
    }
    stored::save(work, &before, after, "updated", None).await?;
    for (field, point) in points(&lead.data) {
        if add_point(work, one.id, point).await? {
            filled.push(field.to_owned());
        }
    }
    Ok(used(&one, filled, kept))
}

/// Has a contact act for an account, unless it does.
async fn link(work: &Work, account: &ConvertedRecord, contact: &ConvertedRecord) -> Result<()> {
    let there = stored::find_by::<AccountContact>(work, "contact_id", Scalar::Id(contact.id)).await?;
    if there.iter().any(|link| link.data.account_id.0 == account.id) {
        return Ok(());
    }
    work.caller.require(["account-contacts:create"])?;
    let link = AccountContact {
        account_id: AccountId(account.id),
        contact_id: ContactId(contact.id),
        role: ContactRole::default(),
        topics: vec![],
        is_primary: account.is_new,
        valid_from: None,
        valid_to: None,
    };
    stored::insert(work, Stored::draft(link)).await.map(|_| ())
}

async fn new_opportunity(
    work: &Work,
    lead: &Stored<Lead>,
    account: &ConvertedRecord,
    contact: &ConvertedRecord,
    asked: ConversionOpportunity,
) -> Result<Uuid> {
    let data = &lead.data;
    let amount = asked.amount.or(data.budget_amount);
    let days = calendar::days_after(work.today().await?, CLOSES_AFTER_DAYS).to_string();
    let body = json!({
        "name": asked.name.as_ref().or(data.company.as_ref()).unwrap_or(&data.name),
        "account_id": account.id,
        "contact_id": contact.id,
        "pipeline_id": asked.pipeline_id.map(PipelineId),
        "stage_id": asked.stage_id,
        "amount": amount,
        "currency": asked.currency.as_ref().or(data.currency.as_ref()),
        "expected_close_on": asked.expected_close_on.as_ref().or(data.decides_on.as_ref()).unwrap_or(&days),
        "source": data.source,
    });
    let mut draft = draft::<Opportunity>(work, lead, body).await?;
    draft.data.lead_id = Some(LeadId(lead.id()));
    let below = |error: FieldError| FieldError { pointer: format!("/opportunity{}", error.pointer), ..error };
    let made = opportunity::create(work, draft).await;
    let made = made.map_err(|error| Error { errors: error.errors.into_iter().map(below).collect(), ..error })?;
    Ok(made.id())
}
