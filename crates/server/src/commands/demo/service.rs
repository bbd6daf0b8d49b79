//! The hours in which the demo company works, and its holidays.

use super::Company;
use samphan_api::service;
use samphan_domain::service::business_calendar::{BusinessCalendar, CalendarException};
use samphan_persistence::stored;
use samphan_resource::error::Result;
use serde_json::{Map, Value, json};

/// Public holidays of Thailand in the winter of 2026 and the spring of 2027.
const HOLIDAYS: [(&str, &str); 8] = [
    ("2026-12-07", "Substitution for King Bhumibol's birthday"),
    ("2026-12-10", "Constitution Day"),
    ("2026-12-31", "New Year's Eve"),
    ("2027-01-01", "New Year's Day"),
    ("2027-04-06", "Chakri Memorial Day"),
    ("2027-04-13", "Songkran"),
    ("2027-04-14", "Songkran"),
    ("2027-04-15", "Songkran"),
];

impl Company<'_> {
    /// Offices with a lunch hour, and the hotline.
    pub(super) async fn business_hours(&mut self) -> Result<()> {
        let office = json!([{"from": "08:30", "to": "12:00"}, {"from": "13:00", "to": "17:30"}]);
        let hotline = json!([{"from": "07:00", "to": "21:00"}]);
        const WORKDAYS: [&str; 5] = ["monday", "tuesday", "wednesday", "thursday", "friday"];
        let weekly = |hours: &Value, more: &[&str]| -> Map<String, Value> {
            WORKDAYS.iter().chain(more).map(|day| ((*day).to_owned(), hours.clone())).collect()
        };
        for (name, weekly, is_default) in [
            ("Office Bangkok", weekly(&office, &[]), true),
            ("Office Chiang Mai", weekly(&office, &[]), false),
            ("Hotline", weekly(&hotline, &["saturday", "sunday"]), false),
        ] {
            let body = json!({"name": name, "time_zone": "Asia/Bangkok", "weekly": weekly, "is_default": is_default});
            let calendar = self.add::<BusinessCalendar>(stored::insert, None, body).await?.id();
            for (date, name) in HOLIDAYS {
                let body = json!({"date": date, "name": name, "source": "Bank of Thailand"});
                self.add::<CalendarException>(service::create_exception, Some(("business_calendar_id", calendar)), body).await?;
            }
        }
        Ok(())
    }
}
