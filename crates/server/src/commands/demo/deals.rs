//! The demo company's leads, its pipelines, and opportunities in every stage of them.

use super::{Company, FIRST, JOBS, LAST, PLACES, STEMS, Seller, TRADES, at};
use samphan_api::presales::{convert, lead, opportunity, pipeline};
use samphan_domain::{
    id::LeadId,
    presales::{
        lead::{AssignLead, ConversionOpportunity, ConvertLead, Lead, MergeLead},
        opportunity::{LoseOpportunity, MoveStage, Opportunity, ReopenOpportunity, WinOpportunity},
        pipeline::{Pipeline, StageKind},
    },
};
use samphan_persistence::stored::{self, Stored};
use samphan_resource::{
    calendar,
    error::{Code, Result},
    resource::Resource,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// Leads made.
const LEADS: usize = 64;
/// Opportunities made.
const OPPORTUNITIES: usize = 48;
/// What is offered: in English and Thai by turns, with the usual amount in baht.
const OFFERS: [(&str, i64); 8] = [
    ("Tea for the whole chain", 480_000),
    ("กาแฟสำหรับสำนักงานใหม่", 96_000),
    ("Welcome drinks, one season", 215_000),
    ("ข้าวหอมมะลิรายไตรมาส", 350_000),
    ("Snacks for meeting rooms", 64_000),
    ("ซอสปรุงรสสำหรับครัวกลาง", 128_500),
    ("Gift boxes for the New Year", 172_800),
    ("ของใช้ในบ้านพักพนักงาน", 41_250),
];

impl Company<'_> {
    /// Three pipelines, of which one is retired and one is being written, and opportunities that went through them.
    pub(super) async fn deals(&mut self, accounts: &[(Uuid, Seller)], contacts: &[Uuid]) -> Result<()> {
        let open = |key: &str, name: &str, thai: &str, probability: &str, category: &str| {
            json!({"key": key, "name": name, "name_translations": {"th": thai}, "probability": probability, "forecast_category": category,
                "rot_days": 45})
        };
        let lost = |key: &str, name: &str, thai: &str| json!({"key": key, "name": name, "name_translations": {"th": thai}, "kind": "lost"});
        let won = json!({"key": "won", "name": "Won", "name_translations": {"th": "ปิดการขายได้"}, "kind": "won"});
        let mut qualified = open("qualified", "Qualified", "ผ่านการคัดกรอง", "25", "pipeline");
        if let Some(stage) = qualified.as_object_mut() {
            stage.insert("exit_criteria".to_owned(), json!({"field": "amount", "op": "gt", "value": "0"}));
            stage.insert("wip_limit".to_owned(), json!(10));
        }
        let stages = json!([
            open("contacted", "Contacted", "ติดต่อแล้ว", "10", "pipeline"),
            qualified,
            open("proposal", "Proposal", "เสนอราคา", "50", "best_case"),
            open("negotiation", "Negotiation", "ต่อรอง", "75", "commit"),
            won,
            lost("lost_price", "Lost on price", "แพ้ราคา"),
            lost("lost_other", "Lost for another reason", "ไม่สำเร็จด้วยเหตุอื่น"),
        ]);
        let wholesale = json!({"name": "Wholesale", "name_translations": {"th": "ขายส่ง"}, "is_default": true, "stages": stages});
        let wholesale = self.pipeline(wholesale, &["activate"]).await?;
        let fair = json!({"name": "Trade fair 2025", "stages": [
            open("visited", "Visited us", "มาเยี่ยมบูธ", "10", "pipeline"), {"key": "won", "name": "Won", "kind": "won"}, lost("lost", "Lost", "ไม่สำเร็จ"),
        ]});
        self.pipeline(fair, &["activate", "retire"]).await?;
        self.pipeline(json!({"name": "Online shop", "name_translations": {"th": "ร้านค้าออนไลน์"}}), &[]).await?;

        let today = self.work.today().await?;
        for n in 0..OPPORTUNITIES {
            // The last account is blocked.
            let place = n * 7 % accounts.len().saturating_sub(1).max(1);
            let Some((account, (owner, team))) = accounts.get(place).copied() else { break };
            let (offer, amount) = OFFERS.get(n % OFFERS.len()).copied().unwrap_or_default();
            let body = json!({
                "name": offer,
                "account_id": account,
                "contact_id": contacts.get(place),
                "amount": (n % 11 != 10).then(|| format!("{}.00", amount + i64::try_from(n).unwrap_or_default() * 1_250)),
                "currency": if n % 12 == 7 { "USD" } else { "THB" },
                "expected_close_on": calendar::days_after(today, 5 + (n as u64 * 17) % 160).to_string(),
                "kind": at(&["new", "repeat", "upsell", "cross_sell", "renewal"], n),
                "source": at(&["referral", "trade_fair", "website", "telephone"], n),
                "next_step": (n % 3 != 2).then_some("ส่งตัวอย่างสินค้าให้ฝ่ายจัดซื้อ"),
                "competitors": if n % 6 == 1 { json!([{"name": "Doi Tea", "note": "ราคาต่ำกว่า แต่ส่งช้า"}]) } else { json!([]) },
                "owner_id": owner,
                "team_id": team,
            });
            let made = self.add::<Opportunity>(opportunity::create, None, body).await?;
            self.follow_deal(made.clone(), n, &wholesale).await?;
            if n % 8 == 5 {
                // The same once more, next season.
                let owned = [("owner_id", owner), ("team_id", team)].map(|(field, id)| (field.to_owned(), json!(id)));
                opportunity::copy(self.work, made, owned.into_iter().collect()).await?;
                *self.counts.entry(Opportunity::PLURAL).or_default() += 1;
            }
        }
        Ok(())
    }

    /// Leads in every state: half of them of companies, some with little more than a name.
    pub(super) async fn leads(&mut self, accounts: &[(Uuid, Seller)]) -> Result<()> {
        let mut sql = self.work.sql();
        sql.push("SELECT id FROM products WHERE deleted_at IS NULL AND status = 'active' ORDER BY sku");
        let products = self.work.fetch(sql, |row| row.id(0)).await?;
        let today = self.work.today().await?;
        let mut last: Option<Uuid> = None;
        for n in 0..LEADS {
            let (first, family) = (at(&FIRST, n * 5 + 2).unwrap_or_default(), at(&LAST, n * 11 + 7).unwrap_or_default());
            let (stem, stem_en) = at(&STEMS, n * 3 + 1).unwrap_or_default();
            let (trade, _, _) = at(&TRADES, n * 5 + 2).unwrap_or_default();
            let (line1, subdistrict, district, region, postal_code) = at(&PLACES, n * 3).unwrap_or_default();
            let mailbox = format!("{}{n}@{}.example", first.1.to_lowercase(), stem_en.to_lowercase().replace(' ', "-"));
            let is_of_company = n % 4 != 3;
            let body = json!({
                "name": format!("{} {}", first.0, family.0),
                "company": is_of_company.then(|| format!("บริษัท {stem}{trade} {} จำกัด", n + 1)),
                "job_title": at(&JOBS, n).map(|(title, _)| title),
                "email": (n % 3 != 2).then_some(mailbox),
                "phone": format!("09{}-{:03}-{:04}", n % 9, 110 + n, 3_000 + n * 71),
                "address": is_of_company.then(|| json!({"line1": format!("{} {line1}", 20 + n), "subdistrict": subdistrict, "district": district,
                    "region": region, "postal_code": postal_code, "country": "TH"})),
                "source": at(&["referral", "trade_fair", "website", "telephone"], n),
                "interest": at(&["ชาและกาแฟสำหรับห้องพัก 120 ห้อง", "ข้าวหอมมะลิเดือนละ 2 ตัน", "ของว่างสำหรับงานสัมมนา", "ซอสสำหรับครัวกลาง"], n),
                "product_ids": at(&products, n * 3).map(|id| [id]),
                "budget_amount": (n % 5 != 4).then(|| format!("{}.00", 25_000 + n * 7_500)),
                "currency": "THB",
                "decides_on": calendar::days_after(today, 20 + (n as u64 * 13) % 90).to_string(),
                "rating": at(&["hot", "warm", "cold", "warm"], n),
                "required_skills": at(&[&["th"][..], &["th", "cold_chain"], &["en"]], n),
            });
            let body: Value =
                body.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect();
            let made = self.add::<Lead>(stored::insert, None, body).await?;
            let (_, seller) = accounts.get(n % accounts.len().max(1)).copied().unwrap_or_default();
            let id = made.id();
            self.follow_lead(made, n, seller, last).await?;
            // One that is assigned takes the next one in.
            last = if n % 8 == 1 { Some(id) } else { last };
        }
        Ok(())
    }

    /// Takes a lead as far as its number says.
    async fn follow_lead(&mut self, made: Stored<Lead>, n: usize, (owner, team): Seller, other: Option<Uuid>) -> Result<()> {
        if n.is_multiple_of(8) {
            return Ok(());
        }
        let given = AssignLead { owner_id: Some(owner), team_id: Some(team), reason: None };
        let lead = lead::assign(self.work, made, given).await?;
        match n % 8 {
            2 => stored::transition(self.work, &lead, "start").await.map(|_| ()),
            3 => stored::transition(self.work, &lead, "nurture").await.map(|_| ()),
            4 => stored::transition(self.work, &lead, "qualify").await.map(|_| ()),
            5 => {
                let (mut after, what) = stored::after_transition(&lead, "disqualify")?;
                after.data.disqualify_reason = Some("หาผู้ขายเครื่องชงกาแฟ".to_owned());
                stored::save(self.work, &lead, after, what, None).await.map(|_| ())
            }
            6 => {
                let opportunity = ConversionOpportunity {
                    name: None,
                    amount: None,
                    currency: None,
                    expected_close_on: None,
                    pipeline_id: None,
                    stage_id: None,
                };
                let asked = ConvertLead { opportunity: Some(opportunity), ..ConvertLead::default() };
                convert::convert(self.work, lead, asked).await?;
                for resource in ["accounts", "contacts", Opportunity::PLURAL] {
                    *self.counts.entry(resource).or_default() += 1;
                }
                Ok(())
            }
            7 => match other {
                Some(other) => lead::merge(self.work, lead, MergeLead { into_id: LeadId(other) }).await.map(|_| ()),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// A pipeline, taken through these actions.
    async fn pipeline(&mut self, body: Value, verbs: &[&str]) -> Result<Stored<Pipeline>> {
        let mut made = self.add::<Pipeline>(pipeline::create, None, body).await?;
        for verb in verbs {
            made = stored::transition(self.work, &made, verb).await?;
        }
        Ok(made)
    }

    /// Takes an opportunity as far as its number says.
    async fn follow_deal(&mut self, mut deal: Stored<Opportunity>, n: usize, pipeline: &Stored<Pipeline>) -> Result<()> {
        let open: Vec<Uuid> = pipeline.data.stages.iter().filter(|s| s.kind == StageKind::Open).filter_map(|s| s.id).collect();
        let lost: Vec<Uuid> = pipeline.data.stages.iter().filter(|s| s.kind == StageKind::Lost).filter_map(|s| s.id).collect();
        let stage = |n: usize| open.get(n % open.len().max(1)).copied().ok_or(Code::Internal);
        for step in 1..=n % 4 {
            deal = opportunity::move_stage(self.work, deal, MoveStage { stage_id: stage(step)?, force: true, reason: None }).await?;
        }
        match n % 8 {
            3 => opportunity::win(self.work, deal, WinOpportunity { closed_on: None, force: true }).await.map(|_| ()),
            5 => {
                let reason = "ลูกค้าเลือกผู้ขายรายอื่น".to_owned();
                let lose = LoseOpportunity { reason, stage_id: lost.get(n % 2).copied(), closed_on: None };
                let deal = opportunity::lose(self.work, deal, lose).await?;
                if n % 24 == 5 {
                    let again =
                        ReopenOpportunity { stage_id: stage(0)?, reason: Some("ลูกค้าโทรกลับมา".to_owned()) };
                    opportunity::reopen(self.work, deal, again).await?;
                }
                Ok(())
            }
            6 => opportunity::rot(self.work, vec![deal]).await,
            _ => Ok(()),
        }
    }
}
