//! How external systems are reached.

use samphan_domain::integration::external_system::ExternalSystem;
use samphan_persistence::store::Work;
use samphan_resource::{
    error::{Code, Error, Result},
    scalar::{Kind, Scalar},
};
use samphan_rest::{collection::Collection, example::Example, external::known_system};
use serde_json::json;

/// External systems.
#[must_use]
pub fn routes() -> Collection<ExternalSystem> {
    Collection::new("external-systems")
        .with_crud()
        .transition("pause", "Pause an external system. Its pushes are refused.")
        .example(Example::default().answers(json!({"status": "paused"})).persists())
        .transition("activate", "Activate an external system. Its pushes are accepted again.")
        .example(Example::default().depends_on(&["pauseExternalSystem"]).persists())
}

/// What a system says it keeps the books of; all there are when none.
pub struct Books {
    /// Its legal entity.
    pub entity: Option<String>,
    /// Its currency.
    pub currency: Option<String>,
}

/// Refuses a system that is unknown, not the caller's, or paused.
pub async fn expect_active(work: &Work, code: &str) -> Result<Books> {
    known_system(work, code).await?;
    let mut sql = work.sql();
    sql.push("SELECT status, legal_entity, currency FROM external_systems WHERE deleted_at IS NULL AND code = ").text(code);
    let read =
        work.fetch_one(sql, |row| Ok((row.text(0)?, Books { entity: row.optional_text(1)?, currency: row.optional_text(2)? }))).await?;
    match read.ok_or(Code::Internal)? {
        (status, books) if status == "active" => Ok(books),
        _ => Err(Error::from(Code::Conflict).with_detail("the system is paused").with_allowed(["activate"])),
    }
}

/// The one legal entity a system keeps books for; none where it keeps several.
pub async fn legal_entity(work: &Work, code: &str) -> Result<Option<String>> {
    let mut sql = work.sql();
    sql.push("SELECT legal_entity FROM external_systems WHERE deleted_at IS NULL AND code = ").text(code);
    Ok(work.fetch_one(sql, |row| row.optional_text(0)).await?.flatten())
}

/// Notes that a system has pushed.
pub async fn seen(work: &Work, code: &str) -> Result<()> {
    let mut sql = work.sql();
    sql.push("UPDATE external_systems SET last_seen_at = ").bind(Kind::Time, Scalar::Time(work.now));
    sql.push(" WHERE deleted_at IS NULL AND code = ").text(code);
    work.execute(sql).await.map(|_| ())
}
