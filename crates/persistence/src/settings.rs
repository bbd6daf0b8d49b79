//! The organisation's settings as every reader needs them, and the days that follow from its time zone.

use crate::{
    error::Result,
    store::{Reader, Store},
};
use chrono::NaiveDate;
use samphan_resource::{
    builtin::organisation_settings::OrganisationSettings,
    calendar::{self, Zone},
};
use serde_json::Value;
use std::sync::{Arc, PoisonError};

/// Seconds for which the settings are taken as read: other processes see a change within these.
const CACHE_TTL_SECONDS: i64 = 4;

impl Store {
    /// Forgets the settings read before, in this process at once.
    pub fn forget_settings(&self) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Reader {
    /// The organisation's settings, at most a few seconds old.
    pub async fn settings(&self) -> Result<Arc<OrganisationSettings>> {
        let kept = self.store.settings.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, settings)) = kept
            && at.is_within(CACHE_TTL_SECONDS, self.now)
        {
            return Ok(settings);
        }
        let mut sql = self.sql();
        sql.push("SELECT name, time_zone, currency, locale FROM settings WHERE deleted_at IS NULL AND id = ").id(OrganisationSettings::ID);
        let found = self
            .fetch_one(sql, |row| {
                Ok(OrganisationSettings {
                    name: row.text(0)?,
                    time_zone: row.text(1)?,
                    currency: row.optional_text(2)?,
                    locale: serde_json::from_value(Value::String(row.text(3)?)).unwrap_or_default(),
                })
            })
            .await?;
        let settings = Arc::new(found.unwrap_or_default());
        *self.store.settings.write().unwrap_or_else(PoisonError::into_inner) = Some((self.now, Arc::clone(&settings)));
        Ok(settings)
    }

    /// The organisation's time zone, which documents go by.
    pub async fn zone(&self) -> Result<Zone> {
        Ok(calendar::zone(&self.settings().await?.time_zone).unwrap_or(Zone::UTC))
    }

    /// The caller's own time zone, or else the organisation's: filters go by it.
    pub async fn caller_zone(&self) -> Result<Zone> {
        match self.caller.time_zone {
            Some(zone) => Ok(zone),
            None => self.zone().await,
        }
    }

    /// The organisation's calendar day at this reader's moment.
    pub async fn today(&self) -> Result<NaiveDate> {
        Ok(calendar::today(self.zone().await?, self.now))
    }
}
