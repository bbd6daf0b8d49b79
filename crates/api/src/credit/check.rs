//! `POST /v1/credit-checks`: may I sell so much to this customer, and will it still be there when I do?
//!
//! Checks of one group of accounts run one after the other until they are committed: the next one sees what is authorised before.

use super::{
    currencies::conversion,
    known::{Above, Known, above, groups},
    sees_ledger,
};
use actix_web::http::Method;
use samphan_domain::{
    catalog::exchange_rate::Conversion,
    customers::account::Account,
    id::{AccountId, CreditPolicyId, OrderId},
    integration::{
        credit_check::{AskCredit, AuthorisationStatus, Capture, CreditCheck, CreditCheckComponent, CreditDecision},
        credit_policy::{self, Asked, Checkpoint, CreditAction, CreditComponent, CreditPolicy, Verdict},
    },
};
use samphan_persistence::{
    bulk,
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    example,
    money::{Amount, Price},
    resource::Resource,
    scalar::Scalar,
    timestamp::Timestamp,
};
use samphan_rest::{
    collection::Collection,
    example::Example,
    operation::{Body, Operation, RequestContext},
    response::Response,
};
use serde_json::json;
use uuid::Uuid;

/// Credit checks as they are kept, and what becomes of their authorisations.
#[must_use]
pub fn routes() -> Collection<CreditCheck> {
    Collection::new("credit")
        .action("capture", "Capture a credit authorisation", capture)
        .example(Example::body(json!({"amount": "48000.00"})).answers(json!({"status": "captured"})))
        .action_without_input("release", "Release a credit authorisation", release)
        .example(Example::default().answers(json!({"status": "released"})))
}

/// The question.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let about = "The decision (`allow`, `warn`, `hold` or `decline`) of the policy that fits, with every rule that had something to say. With `allow` and `warn` the amount is \
                 authorised: it lowers what others may sell until `expires_at`, or until it is captured or released. Captured, it counts until accounting's books are newer; neither, it \
                 counts for ten seconds beyond `expires_at`, so that a capture on its way at that moment still finds its room, and then becomes `expired` (`credit_check.expired`). \
                 The ledger behind the answer (limit, exposure, components) is null without the permission `credit:see-ledger`. `dry_run=true` asks and keeps nothing.";
    vec![
        Operation::write("checkCredit", Method::POST, "/v1/credit-checks", ask)
            .describe("credit", "Check a customer's credit", about)
            .example(
                Example::body(json!({"account_id": example::id("accounts"), "amount": "50000.00", "checkpoint": "confirm"}))
                    .depends_on(&["batchCreditBalances"])
                    .answers(json!({
                        "check_id": example::id("credit_checks"), "account_id": example::id("accounts"), "decision": "warn",
                        "findings": [{"rule": "overdue", "action": "warn"}], "rule": "overdue", "amount": "50000.00", "available_before": "55000.00",
                        "available_after": "5000.00", "as_of": example::MOMENT, "authorised_amount": "50000.00", "limit_kind": "limited",
                        "limit_amount": "200000.00", "exposure": "145000.00",
                    })),
            )
            .body(Body::of("AskCredit"))
            .requires("credit:check")
            .also_requires("accounts:read")
            .responds(201, "CreditDecision"),
    ]
}

async fn ask(work: &Work, call: RequestContext) -> Result<Response> {
    let asked: AskCredit = call.input()?;
    stored::find_visible::<Account>(work, asked.account_id.0).await?.ok_or_else(|| unknown("/account_id", Account::PLURAL))?;
    let question = CheckRequest {
        account_id: asked.account_id,
        amount: Amount(asked.amount.0),
        currency: asked.currency,
        checkpoint: asked.checkpoint.unwrap_or(Checkpoint::Confirm),
        policy_id: asked.policy_id,
    };
    let decided = decide(work, question).await?;
    let authorises = asked.authorise != Some(false) && asked.policy_id.is_none();
    let ledger = sees_ledger(work, &decided.account)?;
    let limit_currency = decided.known.limit_currency.clone().unwrap_or_default();
    let (verdict, policy) = (decided.verdict.clone(), decided.policy.name.clone());
    let (made, components) =
        record_check(work, decided, if authorises { AuthorisationMode::Pending(None) } else { AuthorisationMode::Nothing }).await?;
    let CreditCheck { account_id, decision, findings, rule, currency, amount, available_before, available_after, as_of, .. } =
        made.data.clone();
    let answer = CreditDecision {
        check_id: made.id(),
        account_id,
        decision,
        findings,
        rule,
        currency,
        limit_currency,
        amount,
        available_before,
        available_after,
        as_of,
        policy_id: made.data.policy_id,
        policy,
        policy_version: made.data.policy_version,
        authorised_amount: made.data.authorised_amount,
        expires_at: made.data.expires_at,
        limit_kind: ledger.then_some(verdict.limit_kind),
        limit_amount: verdict.limit.filter(|_| ledger),
        exposure: ledger.then_some(verdict.counted),
        components: if ledger { components.into_iter().map(|c| c.record).collect() } else { vec![] },
    };
    Ok(Response::json(&answer).with_location(format!("/v1/credit-checks/{}", made.id())))
}

/// What is asked of an account's credit.
#[derive(Clone, Debug)]
pub struct CheckRequest {
    /// The customer.
    pub account_id: AccountId,
    /// How much is to be sold, beyond what is counted already.
    pub amount: Amount,
    /// ISO 4217 currency; the account's own when none.
    pub currency: Option<String>,
    /// The moment of the sale.
    pub checkpoint: Checkpoint,
    /// A policy to try.
    pub policy_id: Option<CreditPolicyId>,
}

/// What was decided, while the account's group stands in line.
pub struct Assessment {
    /// The customer.
    pub account: Stored<Account>,
    /// What the policy said, in the limit's currency.
    pub verdict: Verdict,
    /// What may still be sold, in the currency asked.
    pub available: Option<Amount>,
    /// The policy.
    pub policy: CreditPolicy,
    question: CheckRequest,
    policy_id: Option<Uuid>,
    policy_version: Option<i64>,
    known: Known,
}

/// What is kept back when the decision lets it.
#[derive(Clone, Copy, Debug)]
pub enum AuthorisationMode {
    /// Nothing.
    Nothing,
    /// The amount, until it is captured, released or too late: until that moment, or as long as the policy says.
    Pending(Option<Timestamp>),
    /// The amount for this order, as long as the order is open, whatever was decided.
    Captured(OrderId),
}

fn unknown(pointer: &str, what: &str) -> Error {
    Error::unknown_reference(pointer, what)
}

/// Has the account's whole group stand in line, by its top, so that no two wait for one another; answers the account and all above it.
pub async fn lock_group(work: &Work, account: Uuid) -> Result<Vec<Above>> {
    let above = above(work, account).await?;
    let top = above.last().ok_or_else(|| unknown("/account_id", Account::PLURAL))?;
    work.lock_named(&format!("credit of {}", top.id)).await?;
    Ok(above)
}

/// Decides, and has everybody else who asks for the account or its group wait until this work is committed.
pub async fn decide(work: &Work, question: CheckRequest) -> Result<Assessment> {
    let above = lock_group(work, question.account_id.0).await?;
    // A caller that may confirm an order may have its customer's credit checked, even without seeing the customer.
    let account = stored::find_one_by::<Account>(work, "id", Scalar::Id(question.account_id.0)).await?;
    let account = account.ok_or_else(|| unknown("/account_id", Account::PLURAL))?;
    let known = Known::of(work, &account, question.currency.clone()).await?;
    let currency = known.currency.clone().ok_or_else(|| Error::invalid(FieldError::new("/currency", FieldCode::Required, "")))?;
    let limit_currency = known.limit_currency.clone().unwrap_or_else(|| currency.clone());
    let groups = groups(work, &above, &limit_currency).await?;
    let asked = Asked {
        checkpoint: question.checkpoint,
        grade: account.data.grade.as_deref(),
        currency: &currency,
        limit_currency: &limit_currency,
        // Without a rate it is held for that, whatever the amount.
        amount: known.conversion.map_or(Amount(0), |conversion| conversion.convert(question.amount)),
    };
    let (policy_id, policy_version, policy) =
        policy(work, question.policy_id, &asked).await?.ok_or_else(|| unknown("/policy_id", CreditPolicy::PLURAL))?;
    let told = known.told();
    let verdict = policy.decide(&asked, &known.facts(&told, &groups), work.now);
    let back = if currency == limit_currency { Some(Conversion::NONE) } else { conversion(work, &limit_currency, &currency).await? };
    let available = verdict.available.zip(back).map(|(available, back)| back.convert(available));
    Ok(Assessment { account, verdict, available, policy, question, policy_id, policy_version, known })
}

/// Keeps a decision, and what it keeps back.
pub async fn record_check(
    work: &Work,
    decided: Assessment,
    keep: AuthorisationMode,
) -> Result<(Stored<CreditCheck>, Vec<Stored<CreditCheckComponent>>)> {
    let Assessment { verdict, available, policy, question, policy_id, policy_version, known, .. } = decided;
    let amount = Price(question.amount.0.max(0));
    let lets = verdict.decision <= CreditAction::Warn && amount.0 > 0;
    let (status, expires_at, order_id) = match keep {
        AuthorisationMode::Pending(until) if lets => {
            let until = until.unwrap_or_else(|| work.now.plus_seconds(i64::from(policy.authorisation_minutes) * 60));
            (AuthorisationStatus::Pending, Some(until), None)
        }
        AuthorisationMode::Captured(order) => (AuthorisationStatus::Captured, None, Some(order)),
        AuthorisationMode::Nothing | AuthorisationMode::Pending(_) => (AuthorisationStatus::None, None, None),
    };
    let keeps = status != AuthorisationStatus::None;
    let check = CreditCheck {
        account_id: question.account_id,
        amount,
        currency: known.currency.clone().unwrap_or_default(),
        checkpoint: question.checkpoint,
        decision: verdict.decision,
        findings: verdict.findings.clone(),
        rule: verdict.findings.first().map(|f| f.rule),
        available_before: available,
        available_after: available.map(|a| if keeps { a.minus(question.amount) } else { a }),
        as_of: known.as_of(),
        policy_id: policy_id.map(CreditPolicyId),
        policy_version,
        status,
        authorised_amount: keeps.then_some(amount),
        expires_at,
        settled_at: order_id.map(|_| work.now),
        order_id,
    };
    let made = stored::insert(work, Stored::draft(check)).await?;
    let components = components(&made, &policy, &verdict, &known, work.now);
    let components = bulk::insert_many(work, components.into_iter().map(Stored::draft).collect()).await?;
    Ok((made, components))
}

/// Captures for an order of the account what was authorised, all of it, while it still is; says whether it was.
pub async fn capture_for(work: &Work, account: AccountId, check: Uuid, order: OrderId, amount: Amount) -> Result<bool> {
    lock_group(work, account.0).await?;
    let Some(found) = stored::find_one_by::<CreditCheck>(work, "id", Scalar::Id(check)).await? else { return Ok(false) };
    let holds = found.data.status == AuthorisationStatus::Pending && found.data.expires_at.is_some_and(|at| at > work.now);
    if !holds || found.data.authorised_amount.is_none_or(|authorised| authorised.0 < amount.0) {
        return Ok(false);
    }
    let mut after = found.clone();
    after.data.order_id = Some(order);
    after.data.status = AuthorisationStatus::Captured;
    after.data.settled_at = Some(work.now);
    after.data.authorised_amount = Some(Price(amount.0));
    stored::save(work, &found, after, "captured", None).await?;
    Ok(true)
}

/// Gives back what was authorised, if it still is.
pub async fn release_authorisation(work: &Work, account: AccountId, check: Uuid, status: AuthorisationStatus, what: &str) -> Result<()> {
    lock_group(work, account.0).await?;
    match stored::find_one_by::<CreditCheck>(work, "id", Scalar::Id(check)).await? {
        Some(found) if found.data.status == AuthorisationStatus::Pending => settle(work, found, status, None, what).await.map(|_| ()),
        _ => Ok(()),
    }
}

/// The policy that decides: the one to be tried, else the first that fits, else the standard one. None when the one to be tried is
/// not there.
async fn policy(
    work: &Work,
    tried: Option<CreditPolicyId>,
    question: &Asked<'_>,
) -> Result<Option<(Option<Uuid>, Option<i64>, CreditPolicy)>> {
    if let Some(id) = tried {
        let found = stored::find_one_by::<CreditPolicy>(work, "id", Scalar::Id(id.0)).await?;
        return Ok(found.map(|p| (Some(p.id()), Some(p.version()), p.data)));
    }
    let active = stored::find_by::<CreditPolicy>(work, "status", Scalar::Text("active".to_owned())).await?;
    let active: Vec<_> = active.into_iter().map(|p| (p.id(), p.version(), p.data)).collect();
    Ok(Some(match credit_policy::choose(&active, question).cloned() {
        Some((id, version, policy)) => (Some(id), Some(version), policy),
        None => (None, None, CreditPolicy::standard(has_accounting(work).await?)),
    }))
}

/// Whether a system is connected that judges customers: one that keeps the books. A paused one is; what it judged goes on.
async fn has_accounting(work: &Work) -> Result<bool> {
    let mut sql = work.sql();
    sql.push("SELECT count(*) FROM external_systems WHERE deleted_at IS NULL AND kind IN ('accounting', 'erp')");
    Ok(work.count(sql).await? > 0)
}

/// What was counted, and who said so when.
fn components(
    check: &Stored<CreditCheck>,
    policy: &CreditPolicy,
    verdict: &Verdict,
    known: &Known,
    now: Timestamp,
) -> Vec<CreditCheckComponent> {
    let line = |component, system: Option<&str>, entity: Option<&str>, amount, as_of| CreditCheckComponent {
        check_id: check.id(),
        account_id: check.data.account_id,
        component,
        system: system.map(str::to_owned),
        entity: entity.map(str::to_owned),
        amount,
        currency: known.limit_currency.clone(),
        is_counted: policy.components.contains(&component),
        as_of,
    };
    let told = known.told();
    let said = told.iter().map(|t| t.balance).flat_map(|b| {
        let parts = [
            (CreditComponent::Receivable, b.receivable),
            (CreditComponent::UnbilledDeliveries, b.unbilled_deliveries),
            (CreditComponent::OpenOrders, b.open_orders),
        ];
        parts.into_iter().filter_map(move |(component, amount)| Some((component, amount?, b)))
    });
    let mut all: Vec<CreditCheckComponent> =
        said.map(|(component, amount, b)| line(component, Some(&b.system), Some(&b.entity), amount, b.exposure_as_of)).collect();
    if verdict.exposure.authorisations != Amount(0) {
        all.push(line(CreditComponent::Authorisations, None, None, verdict.exposure.authorisations, Some(now)));
    }
    all
}

async fn capture(work: &Work, found: Stored<CreditCheck>, input: Capture) -> Result<Stored<CreditCheck>> {
    let authorised = pending(work, &found)?;
    let amount = input.amount.unwrap_or(authorised);
    if amount > authorised {
        let about = format!("at most {authorised}");
        return Err(Error::invalid(FieldError::new("/amount", FieldCode::TooMuch, about)));
    }
    settle(work, found, AuthorisationStatus::Captured, Some(amount), "captured").await
}

async fn release(work: &Work, found: Stored<CreditCheck>) -> Result<Stored<CreditCheck>> {
    pending(work, &found)?;
    settle(work, found, AuthorisationStatus::Released, None, "released").await
}

/// What is authorised and may still be captured or released.
fn pending(work: &Work, found: &Stored<CreditCheck>) -> Result<Price> {
    let expired = found.data.expires_at.is_none_or(|at| at <= work.now);
    match found.data.authorised_amount {
        Some(amount) if !expired => Ok(amount),
        _ => Err(Error::from(Code::IllegalTransition).with_detail("the authorisation has expired; check again")),
    }
}

async fn settle(
    work: &Work,
    before: Stored<CreditCheck>,
    to: AuthorisationStatus,
    amount: Option<Price>,
    what: &str,
) -> Result<Stored<CreditCheck>> {
    let mut after = before.clone();
    after.data.status = to;
    after.data.settled_at = Some(work.now);
    after.data.authorised_amount = amount.or(after.data.authorised_amount);
    stored::save(work, &before, after, what, None).await
}
