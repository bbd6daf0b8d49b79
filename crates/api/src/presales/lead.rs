//! How leads are reached: from coming in to being a customer, or none.

use super::convert;
use actix_web::http::Method;
use samphan_domain::{
    id::LeadId,
    presales::lead::{AssignLead, ConvertLead, DisqualifyLead, Lead, LeadConversion, LeadStatus, MergeLead, NurtureLead},
};
use samphan_persistence::{
    record,
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Error, FieldCode, FieldError, Result},
    example,
    resource::Resource,
    transition,
};
use samphan_rest::{
    collection::Collection,
    example::Example,
    operation::{Body, Operation},
};
use serde_json::{Value, json};

/// Leads.
#[must_use]
pub fn routes() -> Collection<Lead> {
    let other = || Example::default().for_record("other_leads").persists();
    let made = json!({"id": example::id("other_leads"), "name": "ริมน้ำ", "email": "info@rimnam.example"});
    Collection::new("leads")
        .update(update)
        .with_crud()
        .example_of("batchLeads", Example::body(json!({"mode": "create", "items": [made]})).answers(json!({
            "results": [{"index": 0, "status": "created", "id": example::id("other_leads"), "version": 1}],
            "summary": {"created": 1, "updated": 0},
        })))
        .example_of("deleteLead", other().depends_on(&["batchLeads"]))
        .example_of("restoreLead", other().depends_on(&["deleteLead"]))
        .action("assign", "Assign a lead. A new lead is `assigned` then.", assign)
        .example(
            Example::body(json!({"owner_id": example::id("users"), "reason": "Speaks Thai"}))
                .answers(json!({"owner_id": example::id("users"), "status": "assigned"})),
        )
        .transition_with("start", "Start working on a lead. It needs an owner.", expect_owner)
        .example(Example::default().answers(json!({"status": "working"})))
        .transition_with_input("nurture", "Nurture a lead. It is kept warm until it wants more.", nurture)
        .example(Example::body(json!({"recycle_on": "2027-02-01"})).answers(json!({"status": "nurturing", "recycle_on": "2027-02-01"})))
        .transition_with("qualify", "Qualify a lead. It needs an e-mail address or a phone number.", qualify)
        .example(Example::default().answers(json!({"status": "qualified"})))
        .transition_with_input("disqualify", "Disqualify a lead. It is no lead.", disqualify)
        .example(
            Example::body(json!({"reason": "Looks for a supplier of coffee machines."}))
                .for_record("other_leads")
                .depends_on(&["restoreLead"])
                .answers(json!({"status": "disqualified", "disqualify_reason": "Looks for a supplier of coffee machines."}))
                .persists(),
        )
        .transition_with("recycle", "Recycle a disqualified lead. It is worked on again.", recycle)
        .example(other().depends_on(&["disqualifyLead"]).answers(json!({"id": example::id("other_leads"), "status": "working"})))
        .action("merge", "Merge a lead into another. What the other has not, it takes from this one.", merge)
        .also_requires("leads:update")
        .example(Example::body(json!({"into_id": example::id("other_leads")})).depends_on(&["recycleLead"]).answers(json!({"status": "merged", "duplicate_of_id": example::id("other_leads")})))
        .operation("/{id}/convert", |path| {
            Operation::write("convertLead", Method::POST, path, convert::run)
                .describe(
                    "leads",
                    "Convert a lead",
                    "Makes an account, a contact and, if asked for, an opportunity of it, in one transaction. A record that certainly matches is \
                     used instead of a new one: its empty fields are filled, the others stay. 409 `already_converted` names what it became; 409 \
                     `likely_match` names the candidates; 409 `duplicate_hidden` when a record that the caller does not see certainly matches; 409 \
                     `illegal_transition` when the state does not allow it.",
                )
                .example(
                    Example::body(json!({"opportunity": {"name": "Tea and coffee for 120 rooms", "expected_close_on": "2027-01-31"}}))
                        .depends_on(&["createLead", "activatePipeline"])
                        .answers(json!({
                            "lead": {"id": example::id("leads"), "status": "converted"},
                            "account": {"id": example::id("converted_accounts"), "is_new": true},
                            "contact": {"id": example::id("converted_contacts"), "is_new": true},
                            "opportunity_id": example::id("converted_opportunities"),
                        })),
                )
                .body(Body { optional: true, ..Body::of("ConvertLead") })
                .requires("leads:convert")
                .also_requires("leads:read")
                .also_requires("accounts:read")
                .also_requires("contacts:read")
                .also_requires_when("accounts:create", "no account matches")
                .also_requires_when("contacts:create", "no contact matches")
                .also_requires_when("account-contacts:create", "the contact does not act for the account yet")
                .also_requires_when("opportunities:create", "an opportunity is asked for")
                .responds(200, "LeadConversion")
                .etag()
                .if_match(false)
        })
        .schema::<ConvertLead>()
        .schema::<LeadConversion>()
}

async fn update(work: &Work, before: &Stored<Lead>, mut after: Stored<Lead>) -> Result<Stored<Lead>> {
    if matches!(before.data.status, LeadStatus::Converted | LeadStatus::Merged) {
        return Err(transition::illegal(Lead::TRANSITIONS, before.data.status.as_str()));
    }
    if after.owner().0 != before.owner().0 {
        note_owner(work, &mut after);
    }
    stored::save(work, before, after, "updated", None).await
}

/// Notes that a lead has another owner.
fn note_owner(work: &Work, after: &mut Stored<Lead>) {
    let has_owner = after.owner().0.is_some();
    after.data.assigned_at = has_owner.then_some(work.now);
    if has_owner && after.data.status == LeadStatus::New {
        after.data.status = LeadStatus::Assigned;
    }
}

/// Gives a lead to another owner or team.
pub async fn assign(work: &Work, before: Stored<Lead>, input: AssignLead) -> Result<Stored<Lead>> {
    let mut after = before.clone();
    for (field, id) in [("owner_id", input.owner_id), ("team_id", input.team_id)] {
        if let Some(id) = id {
            after.record.insert(field.to_owned(), json!(id));
        }
    }
    if input.owner_id.is_some() {
        note_owner(work, &mut after);
    }
    stored::save(work, &before, after, "assigned", input.reason).await
}

async fn expect_owner(_: &Work, before: &Stored<Lead>, _: &mut Lead) -> Result<()> {
    match before.owner().0 {
        Some(_) => Ok(()),
        None => Err(Error::invalid(FieldError::new("/owner_id", FieldCode::Required, "an owner: use `assign`"))),
    }
}

async fn nurture(_: &Work, _: &Stored<Lead>, after: &mut Lead, input: NurtureLead) -> Result<()> {
    after.recycle_on = input.recycle_on;
    Ok(())
}

async fn qualify(_: &Work, before: &Stored<Lead>, _: &mut Lead) -> Result<()> {
    match before.data.email.is_some() || before.data.phone.is_some() {
        true => Ok(()),
        false => Err(Error::invalid(FieldError::new("/email", FieldCode::Required, "an e-mail address or a phone number"))),
    }
}

async fn disqualify(_: &Work, _: &Stored<Lead>, after: &mut Lead, input: DisqualifyLead) -> Result<()> {
    (after.disqualify_reason, after.recycle_on) = (Some(input.reason), input.recycle_on);
    Ok(())
}

async fn recycle(work: &Work, before: &Stored<Lead>, after: &mut Lead) -> Result<()> {
    expect_owner(work, before, after).await?;
    (after.disqualify_reason, after.recycle_on) = (None, None);
    Ok(())
}

/// Merges a lead into another: what the other has not, it takes from this one.
pub async fn merge(work: &Work, before: Stored<Lead>, input: MergeLead) -> Result<Stored<Lead>> {
    let fault = |code, about: &str| Err(Error::invalid(FieldError::new("/into_id", code, about)));
    if input.into_id.0 == before.id() {
        return fault(FieldCode::RefersToItself, "another lead");
    }
    let shape = work.shape(Lead::PLURAL)?;
    let Some(other) = record::find_visible(work, shape, input.into_id.0, None, true).await? else {
        return Err(Error::unknown_reference("/into_id", Lead::PLURAL));
    };
    record::check_permission(work, shape, &other, "update")?;
    let other = Stored::<Lead>::of(other)?;
    if transition::expect(Lead::TRANSITIONS, other.data.status.as_str(), "merge").is_err() {
        return fault(FieldCode::NotActive, "a lead that is open");
    }
    let mut filled = other.record.clone();
    let is_empty = |value: Option<&Value>| match value {
        None | Some(Value::Null) => true,
        Some(Value::Array(all)) => all.is_empty(),
        Some(_) => false,
    };
    for field in shape.writable().filter(|field| !matches!(field.name, "owner_id" | "team_id")) {
        let (has, offers) = (other.record.get(field.name), before.record.get(field.name));
        if is_empty(has) && !is_empty(offers) {
            filled.insert(field.name.to_owned(), offers.cloned().unwrap_or_default());
        }
    }
    stored::save(work, &other, Stored::of(filled)?, "updated", None).await?;
    let (mut after, what) = stored::after_transition(&before, "merge")?;
    after.data.duplicate_of_id = Some(LeadId(other.id()));
    stored::save(work, &before, after, what, None).await
}
