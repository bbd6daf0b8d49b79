//! The demo company's activities: what its sellers wrote down and whom they called.

use super::{Company, Seller};
use samphan_api::engagement::{cancel_task, complete_task, create_task, log_call};
use samphan_domain::engagement::{
    call::Call,
    note::Note,
    task::{CancelTask, CompleteTask, Task},
};
use samphan_persistence::stored;
use samphan_resource::error::Result;
use serde_json::json;
use uuid::Uuid;

/// Calls made.
const CALLS: usize = 20;
/// Seconds between two calls.
const PACE_SECONDS: i64 = 5_400;

/// Tasks made.
const TASKS_MADE: usize = 20;
/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;
/// What is to be done.
const TASKS: [(&str, &str); 5] = [
    ("Call about the autumn order", "callback"),
    ("ส่งใบเสนอราคาฉบับแก้ไข", "todo"),
    ("Visit the new warehouse", "follow_up"),
    ("Ask for the payment of last month", "todo"),
    ("ติดตามผลการชิมชา", "follow_up"),
];

/// What is written of accounts.
const OF_ACCOUNTS: [&str; 8] = [
    "# Visit in October\n\nWants **500 boxes** of jasmine tea before Songkran.\n\n- [x] samples sent\n- [ ] price for a pallet",
    "ลูกค้าขอใบเสนอราคาภายในวันศุกร์ และขอเงื่อนไขชำระ 45 วัน",
    "Opens a second shop in Chiang Mai next year; the owner asks for a delivery twice a week.",
    "Moved to a new warehouse: deliveries at gate 4, before 11:00.",
    "Compares us with two others. Price matters less than _delivery on the day_.",
    "ชอบคุยเรื่องกาแฟมากกว่าชา ไม่ว่างทุกวันจันทร์",
    "Paid late twice because the invoice went to the old address.",
    "Asks for the certificate of the organic range.",
];

/// What is written of orders.
const OF_ORDERS: [&str; 4] = [
    "Call before delivery: the shop is closed on Tuesdays.",
    "ขอแยกกล่องตามสาขา",
    "The buyer takes less if the price of the second line stays as it is.",
    "Promised for the opening; must not slip.",
];

impl Company<'_> {
    /// Notes on accounts, contacts and orders, and calls in both directions.
    pub(super) async fn activities(&mut self, accounts: &[(Uuid, Seller)], contacts: &[Uuid]) -> Result<()> {
        self.notes(accounts, contacts).await?;
        self.calls(accounts, contacts).await?;
        self.tasks(accounts, contacts).await
    }

    async fn notes(&mut self, accounts: &[(Uuid, Seller)], contacts: &[Uuid]) -> Result<()> {
        for (n, body) in OF_ACCOUNTS.iter().cycle().take(2 * OF_ACCOUNTS.len()).enumerate() {
            let place = n * 3 % accounts.len().max(1);
            let Some((account, (owner, team))) = accounts.get(place) else { break };
            let contact = contacts.get(place).filter(|_| n % 2 == 1);
            let note = json!({"account_id": account, "contact_id": contact, "body": body, "is_pinned": n % 8 == 0,
                "visibility": if n % 5 == 4 { "shared" } else { "internal" }, "owner_id": owner, "team_id": team});
            self.add::<Note>(stored::insert, None, note).await?;
        }
        if let Some((account, (owner, _))) = accounts.first() {
            let body = "ตั้งใจจะเสนอส่วนลดเพิ่มถ้าปิดได้ในเดือนนี้";
            let note = json!({"account_id": account, "body": body, "visibility": "private", "owner_id": owner});
            self.add::<Note>(stored::insert, None, note).await?;
        }
        let mut sql = self.work.sql();
        sql.push("SELECT id, owner_id, team_id FROM orders WHERE deleted_at IS NULL ORDER BY number LIMIT 12");
        let orders = self.work.fetch(sql, |row| Ok((row.id(0)?, row.optional_id(1)?, row.optional_id(2)?))).await?;
        for ((order, owner, team), body) in orders.into_iter().zip(OF_ORDERS.iter().cycle()) {
            let note = json!({"related_resource": "orders", "related_id": order, "body": body, "owner_id": owner, "team_id": team});
            self.add::<Note>(stored::insert, None, note).await?;
        }
        Ok(())
    }

    async fn calls(&mut self, accounts: &[(Uuid, Seller)], contacts: &[Uuid]) -> Result<()> {
        let mut sql = self.work.sql();
        sql.push("SELECT id FROM orders WHERE deleted_at IS NULL ORDER BY number");
        let orders = self.work.fetch(sql, |row| row.id(0)).await?;
        for n in 0..CALLS {
            let place = n * 7 % accounts.len().max(1);
            let Some((account, (owner, team))) = accounts.get(place) else { break };
            let later = |seconds: i64| self.work.now.plus_seconds(seconds - (i64::try_from(n).unwrap_or_default() + 1) * PACE_SECONDS);
            let number = format!("02-{:03}-{:04}", 210 + place, 1_000 + place * 37);
            let (is_inbound, is_answered) = (n % 3 != 0, n % 4 != 3);
            let mut call = json!({
                "direction": if is_inbound { "inbound" } else { "outbound" }, "started_at": later(0), "user_id": owner,
                "queue": if is_inbound { Some("orders") } else { None }, "owner_id": owner, "team_id": team,
                "from_number": if is_inbound { number.as_str() } else { "02 100 2000" },
                "to_number": if is_inbound { "02 100 2000" } else { number.as_str() },
            });
            let rest = match n % 10 {
                // Nobody's number: it stays without a customer.
                9 => json!({"from_number": "+44 20 7946 0018", "to_number": "+44 20 7946 0018"}),
                2 | 7 => json!({"related_resource": "orders", "related_id": orders.get(n)}),
                4 => json!({"contact_id": contacts.get(place), "account_id": account}),
                _ => json!({}),
            };
            samphan_persistence::record::merge(&mut call, &rest);
            let end = if is_answered {
                json!({"answered_at": later(8), "ended_at": later(128), "disposition": "answered", "notes": "ถามกำหนดส่งของ"})
            } else {
                json!({"ended_at": later(35), "disposition": if is_inbound { "abandoned" } else { "no_answer" }})
            };
            samphan_persistence::record::merge(&mut call, &end);
            self.add::<Call>(log_call, None, call).await?;
        }
        Ok(())
    }

    async fn tasks(&mut self, accounts: &[(Uuid, Seller)], contacts: &[Uuid]) -> Result<()> {
        let mut sql = self.work.sql();
        sql.push("SELECT id FROM orders WHERE deleted_at IS NULL ORDER BY number");
        let orders = self.work.fetch(sql, |row| row.id(0)).await?;
        for (n, (subject, kind)) in TASKS.iter().cycle().take(TASKS_MADE).enumerate() {
            let place = n * 11 % accounts.len().max(1);
            let Some((account, (owner, team))) = accounts.get(place) else { break };
            let due = self.work.now.plus_seconds((i64::try_from(n).unwrap_or_default() - 6) * DAY_SECONDS);
            let mut task = json!({"subject": subject, "kind": kind, "priority": if n % 5 == 0 { "high" } else { "normal" }, "due_at": due,
                "owner_id": owner, "team_id": team, "time_zone": "Asia/Bangkok"});
            let about = match n % 4 {
                1 => json!({"related_resource": "orders", "related_id": orders.get(n)}),
                2 => json!({"contact_id": contacts.get(place), "account_id": account}),
                _ => json!({"account_id": account}),
            };
            samphan_persistence::record::merge(&mut task, &about);
            if n % 6 == 3 {
                samphan_persistence::record::merge(&mut task, &json!({"recurrence": {"rule": "FREQ=WEEKLY"}}));
            }
            let made = self.add::<Task>(create_task, None, task).await?;
            match n % 5 {
                3 => {
                    drop(complete_task(self.work, made, CompleteTask { outcome: Some("ลูกค้าตอบรับแล้ว".to_owned()), follow_up: None }).await?)
                }
                4 => drop(cancel_task(self.work, made, CancelTask { reason: Some("no longer needed".to_owned()) }).await?),
                _ => {}
            }
        }
        Ok(())
    }
}
