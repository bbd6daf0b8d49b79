//! The demo company's books: what accounting says of its customers, what is decided about their credit, and the machines that follow.

use super::{Company, Seller};
use samphan_api::{
    accounting::{balances, ledger, snapshot},
    credit::check,
    platform::api_key,
    webhooks::{dispatcher, endpoint},
};
use samphan_domain::{
    id::AccountId,
    integration::{
        credit_item::CreditItem,
        credit_policy::{Checkpoint, CreditPolicy},
        credit_profile::CreditProfile,
        credit_snapshot::{ControlTotals, CreditSnapshot},
        webhook_endpoint::WebhookEndpoint,
    },
    platform::api_key::ApiKey,
};
use samphan_persistence::{
    clock,
    feed::{self, FeedFilter},
    store::{Store, Work},
    stored,
};
use samphan_resource::{
    calendar,
    caller::Caller,
    error::{Code, Result},
    money::{Amount, SCALE},
    timestamp::Timestamp,
};
use samphan_rest::batch::ItemResult;
use serde::Deserialize;
use serde_json::json;
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

/// The number of a customer of accounting's without a mapping.
const UNMAPPED: usize = 998;
/// What the endpoint is told of, beside shipments.
const CONFIRMED: &str = "order.confirmed";

impl Company<'_> {
    /// What a full push of the night before said, what we decide ourselves, and one question asked since.
    pub(super) async fn credit(&mut self, accounts: &[(Uuid, Seller)]) -> Result<()> {
        let ledger = ledger::Ledger { system: "express".to_owned(), entity: "TH01".to_owned(), currency: "THB".to_owned() };
        // Of some that buy nothing yet accounting has said nothing.
        let is_known = |n: &usize| !n.is_multiple_of(3) || n.is_multiple_of(5) || *n < 5;
        let items = (0..accounts.len()).filter(is_known).map(|n| balance(n, self.work.now)).collect::<Result<Vec<CreditItem>>>()?;
        let snapshot = json!({"system": "express", "entity": "TH01", "currency": "THB", "expected_items": items.len()});
        let snapshot = self.add::<CreditSnapshot>(snapshot::create, None, snapshot).await?;
        let receivable_total = items.iter().filter_map(|i| i.receivable).fold(Amount(0), Amount::plus);
        let count = i64::try_from(items.len()).unwrap_or_default();
        *self.counts.entry("credit_balances").or_default() += items.len();
        let taken = balances::apply(self.work, &ledger, Some(snapshot.id()), items.into_iter().map(Ok).collect(), &HashMap::new()).await?;
        if let Some(ItemResult { error: Some(error), .. }) = taken.into_iter().find(|o| o.error.is_some()) {
            return Err(error);
        }
        snapshot::complete(self.work, snapshot, ControlTotals { items: count, receivable_total }).await?;
        // Accounting has a customer that we have not: its push waits until it is mapped.
        let unknown = balance(UNMAPPED, self.work.now)?;
        balances::apply(self.work, &ledger, None, vec![Ok(unknown)], &HashMap::new()).await?;
        *self.counts.entry("unmatched_credits").or_default() += 1;

        let wholesale = json!({
            "name": "Wholesale / ขายส่ง", "priority": 10, "grades": ["A", "B"], "currency": "THB", "tolerance_percent": 10,
            "overdue_from": "days_31", "overdue_amount": "5000", "overdue": "warn",
        });
        let wholesale = self.add::<CreditPolicy>(stored::insert, None, wholesale).await?;
        stored::transition(self.work, &wholesale, "activate").await?;
        let review_on = calendar::days_after(self.work.today().await?, 90).to_string();
        for (n, (account, _)) in accounts.iter().enumerate().filter(|(n, _)| n % 20 == 1) {
            let body = json!({"limit_amount": (250_000 + n * 10_000).to_string(), "currency": "THB", "payment_terms_days": 30,
                "warn_at_percent": 80, "review_on": review_on});
            self.add::<CreditProfile>(stored::insert, Some(("account_id", *account)), body).await?;
        }
        let Some((account, _)) = accounts.get(1) else { return Ok(()) };
        let question = check::CheckRequest {
            account_id: AccountId(*account),
            amount: Amount(12_500 * SCALE),
            currency: None,
            checkpoint: Checkpoint::Quote,
            policy_id: None,
        };
        let decided = check::decide(self.work, question).await?;
        check::record_check(self.work, decided, check::AuthorisationMode::Nothing).await?;
        *self.counts.entry("credit_checks").or_default() += 1;
        Ok(())
    }

    /// The key accounting is to use, whose secret is unknown before it is rotated; and an endpoint that is told nothing before it is
    /// resumed.
    pub(super) async fn machines(&mut self) -> Result<Uuid> {
        let mut sql = self.work.sql();
        sql.push("SELECT id FROM roles WHERE deleted_at IS NULL AND name = 'Accounting'");
        let role = self.work.fetch_one(sql, |row| row.id(0)).await?.ok_or(Code::Internal)?;
        let key = json!({"name": "Express เชื่อมต่อบัญชี", "role_ids": [role], "systems": ["express"],
            "expires_at": self.work.now.plus_seconds(365 * 86_400)});
        self.add::<ApiKey>(async |work: &Work, draft| api_key::insert(work, draft).await.map(|(key, _)| key), None, key).await?;
        let hook = json!({"url": "https://hooks.demo.example/samphan", "description": "แจ้งฝ่ายบัญชีเมื่อมีการส่งของ",
            "event_types": ["shipment.*", CONFIRMED]});
        let hook = self.add::<WebhookEndpoint>(endpoint::make, None, hook).await?;
        Ok(stored::transition(self.work, &hook, "pause").await?.id())
    }
}

/// What the paused endpoint was still to be told: what happens has its place in the feed only when it is committed.
pub(super) async fn owe(store: &Store, endpoint: Uuid) -> Result<usize> {
    let (caller, now) = (Arc::new(Caller::system()), clock::now());
    let newest = feed::newest(store, now).await?;
    let wanted = FeedFilter { types: Some(vec![CONFIRMED]), ..FeedFilter::default() };
    let found = feed::read(&store.reader(Arc::clone(&caller), now), &wanted, 0, newest, 3).await?;
    let work = store.work(caller, now).await?;
    dispatcher::enqueue(&work, endpoint, found.changes.iter()).await?;
    work.commit().await?;
    Ok(found.changes.len())
}

/// What accounting says of the customer of this number: most owe something, some of it late; some have a limit.
fn balance(n: usize, as_of: Timestamp) -> Result<CreditItem> {
    let owed = 8_000 + n * 3_700;
    let late = (n % 5 == 2).then(|| json!({"days_1_30": (owed / 4).to_string(), "days_31_60": (owed / 10).to_string()}));
    let limit = (n % 2 == 1).then(|| json!({"kind": "limited", "amount": (100_000 + n * 5_000).to_string()}));
    let item = json!({"external_id": format!("C-{:07}", 10_001 + n), "as_of": as_of, "source_revision": (4_400 + n).to_string(),
        "receivable": owed.to_string(), "open_orders": "0", "overdue": late, "credit_limit": limit});
    CreditItem::deserialize(&item).map_err(|_| Code::Internal.into())
}
