//! What the customers of the demo company allow, need and like, and what accounts are to one another.

use super::{Company, Seller, at};
use samphan_api::consents::{self, Suppress};
use samphan_domain::{
    consents::{
        consent::Consent,
        consent_purpose::ConsentPurpose,
        suppression::{Suppression, SuppressionReason},
    },
    customers::{account::Channel, account_relationship::AccountRelationship, preference::Preference},
};
use samphan_persistence::stored;
use samphan_resource::{error::Result, resource::Resource};
use serde_json::{Value, json};
use uuid::Uuid;

/// Purposes: key, name, Thai name, whether each requires a consent.
const PURPOSES: [(&str, &str, &str, bool); 3] = [
    ("newsletter", "Monthly newsletter", "จดหมายข่าวรายเดือน", true),
    ("offers", "Seasonal offers", "ข้อเสนอตามเทศกาล", true),
    ("order_news", "News of your orders", "ข่าวคำสั่งซื้อของคุณ", false),
];
/// What customers like: kind, value, source, percent.
const PREFERENCES: [(&str, &str, &str, i32); 5] = [
    ("interest", "Oolong tea from Doi Mae Salong", "stated", 90),
    ("habit", "Orders before the 10th of the month", "purchases", 85),
    ("need", "ใบกำกับภาษีเต็มรูปทุกครั้ง", "stated", 100),
    ("interest", "Tasting events", "observed", 60),
    ("habit", "Answers on LINE in the evening", "observed", 70),
];
const RELATIONSHIPS: [&str; 5] = ["supplier", "distributor", "reseller", "partner", "competitor"];

impl Company<'_> {
    /// Purposes, consents of most contacts, and addresses that nothing is sent to.
    pub(super) async fn consents(&mut self, accounts: &[(Uuid, Seller)], contacts: &[Uuid]) -> Result<()> {
        for (key, name, thai, requires_consent) in PURPOSES {
            let body = json!({"key": key, "name": name, "name_translations": {"th": thai}, "requires_consent": requires_consent});
            self.add::<ConsentPurpose>(stored::insert, None, body).await?;
        }
        for (n, contact) in contacts.iter().enumerate().filter(|(n, _)| n % 3 != 2) {
            let given = |status: &str, source: &str, purpose: &str, channel: Value| json!({"contact_id": contact, "purpose": purpose, "channel": channel, "status": status, "source": source});
            let first = given("granted", at(&["form", "call", "paper"], n).unwrap_or("form"), "newsletter", json!("email"));
            self.add::<Consent>(consents::create, None, first).await?;
            if n.is_multiple_of(5) {
                self.add::<Consent>(consents::create, None, given("withdrawn", "unsubscribe", "newsletter", Value::Null)).await?;
            }
            if n.is_multiple_of(4) {
                self.add::<Consent>(consents::create, None, given("denied", "call", "offers", Value::Null)).await?;
            }
        }
        for (account, _) in accounts.iter().skip(9).step_by(12) {
            let body =
                json!({"account_id": account, "purpose": "offers", "status": "granted", "source": "paper", "text_version": "2026-01"});
            self.add::<Consent>(consents::create, None, body).await?;
        }
        for n in 0..8 {
            let (channel, address, reason) = match n % 2 {
                0 => (Channel::Email, format!("gone{n}@demo.example"), SuppressionReason::HardBounce),
                _ => (Channel::Sms, format!("089-555-{:04}", 1_000 + n), SuppressionReason::Complaint),
            };
            consents::suppress(self.work, Suppress { channel, address, reason, until: None, note: None }).await?;
            *self.counts.entry(Suppression::PLURAL).or_default() += 1;
        }
        Ok(())
    }

    /// What customers need, like and usually do, and what some accounts are to others.
    pub(super) async fn preferences(&mut self, accounts: &[(Uuid, Seller)], contacts: &[Uuid]) -> Result<()> {
        let of_accounts = accounts.iter().step_by(2).map(|(id, _)| ("account_id", *id));
        let of_contacts = contacts.iter().step_by(2).map(|id| ("contact_id", *id));
        for (n, parent) in of_accounts.chain(of_contacts).enumerate() {
            let Some((kind, value, source, confidence)) = at(&PREFERENCES, n) else { break };
            let body = json!({"kind": kind, "value": value, "source": source, "confidence": confidence});
            self.add::<Preference>(stored::insert, Some(parent), body).await?;
        }
        for (n, pair) in accounts.chunks_exact(2).enumerate() {
            let [(from, _), (to, _)] = pair else { continue };
            let body = json!({"from_account_id": from, "to_account_id": to, "kind": at(&RELATIONSHIPS, n)});
            self.add::<AccountRelationship>(stored::insert, None, body).await?;
        }
        Ok(())
    }
}
