//! How the organisation's settings are read and changed, and how they begin.

use samphan_persistence::{
    store::{Store, Work},
    stored::{self, Stored},
};
use samphan_resource::{builtin::organisation_settings::OrganisationSettings, calendar, error::Result};
use samphan_rest::{collection::Collection, example::Example};
use serde_json::json;

/// The settings.
#[must_use]
pub fn routes() -> Collection<OrganisationSettings> {
    Collection::singleton("settings")
        .update(update) // this process uses them at once
        .record(OrganisationSettings::ID)
        .example_of("getSettings", Example::default().answers(json!({"id": OrganisationSettings::ID})))
        .example_of("updateSettings", Example::default().answers(json!({"id": OrganisationSettings::ID})))
}

/// Changes the settings. This process goes by them from its commit on, the others within seconds.
pub async fn update(
    work: &Work,
    before: &Stored<OrganisationSettings>,
    after: Stored<OrganisationSettings>,
) -> Result<Stored<OrganisationSettings>> {
    let saved = stored::save(work, before, after, "updated", None).await?;
    work.after_commit(Store::forget_settings);
    Ok(saved)
}

/// Makes the settings where there are none yet: at the first start, or at the first after an update of the program.
pub async fn begin(work: &Work, time_zone: &str) -> Result<()> {
    work.lock_named("settings").await?;
    let mut sql = work.sql();
    sql.push("SELECT count(*) FROM settings WHERE id = ").id(OrganisationSettings::ID);
    if work.count(sql).await? > 0 {
        return Ok(());
    }
    let mut draft = Stored::draft(OrganisationSettings { time_zone: time_zone.to_owned(), ..OrganisationSettings::default() });
    draft.record.insert("id".to_owned(), json!(OrganisationSettings::ID));
    stored::insert(work, draft).await?;
    work.after_commit(Store::forget_settings);
    Ok(())
}

/// A time zone as a setting of the program says it.
pub fn known_zone(name: &str) -> Result<String, String> {
    match calendar::zone(name) {
        Some(zone) => Ok(zone.name().to_owned()),
        None => Err("an IANA time zone such as Asia/Bangkok is needed".to_owned()),
    }
}
