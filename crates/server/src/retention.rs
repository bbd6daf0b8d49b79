//! How long things are kept: the settings, and the rules of the areas that follow from them.

use clap::Args;
use samphan_api::{changes, credit, identity, sales, webhooks};
use samphan_background::{jobs, retention::Rule};
use samphan_rest::{bulk, idempotency};

/// How long things are kept.
#[derive(Clone, Copy, Debug, Args)]
pub struct Retention {
    /// Days that sessions and their refresh tokens are kept after their end, 1 to 3650. Who signed in and out is in the audit, which
    /// stays.
    #[arg(long, value_name = "DAYS", env = "SAMPHAN_KEEP_SESSIONS_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub keep_sessions_days: u16,
    /// Days that webhook deliveries are kept, 1 to 3650, once they were delivered or have failed. Those still to be tried stay.
    #[arg(long, value_name = "DAYS", env = "SAMPHAN_KEEP_DELIVERIES_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub keep_deliveries_days: u16,
    /// Days that the working data of credit checks and of ended order promises is kept, 1 to 3650: the components a check counted, and
    /// the price steps and stock a promise looked at. The checks and promises themselves stay.
    #[arg(long, value_name = "DAYS", env = "SAMPHAN_KEEP_WORKING_DATA_DAYS", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub keep_working_data_days: u16,
    /// Days that events are kept, 30 to 36500, which are the audit and the feed at once; 0 keeps them for ever. A reader of the feed who
    /// is further behind than that must begin anew.
    #[arg(long, value_name = "DAYS", env = "SAMPHAN_KEEP_EVENTS_DAYS", default_value_t = 0, value_parser = event_days)]
    pub keep_events_days: u16,
}

fn event_days(text: &str) -> Result<u16, String> {
    let days = text.parse().map_err(|_| "a number of days".to_owned())?;
    if days == 0 || (30..=36_500).contains(&days) { Ok(days) } else { Err(format!("{days} is not 0 or in 30..=36500")) }
}

impl Default for Retention {
    fn default() -> Self {
        Self { keep_sessions_days: 30, keep_deliveries_days: 30, keep_working_data_days: 90, keep_events_days: 0 }
    }
}

impl Retention {
    /// What is deleted after how many days: everything that is not kept for ever.
    #[must_use]
    pub fn rules(&self) -> Vec<Rule> {
        let working_data = self.keep_working_data_days.into();
        let mut rules = vec![
            idempotency::retention(),
            jobs::retention(),
            webhooks::retention(self.keep_deliveries_days.into()),
            credit::retention(working_data),
            sales::retention::rule(working_data),
            changes::retention::rule(self.keep_events_days.into()),
        ];
        rules.extend(bulk::retention());
        rules.extend(identity::retention::rules(self.keep_sessions_days.into()));
        rules
    }
}
