//! The first start: an administrator in an empty database, with the roles most organisations begin with.

use super::shipped_roles::{ACCOUNTING, CONNECTOR, SALES_MANAGER, SELLER, WAREHOUSE};
use crate::identity::{passwords, tokens};
use samphan_domain::{
    id::RoleId,
    platform::{
        role::{FieldRule, Grant, Role},
        user::{User, UserStatus},
    },
};
use samphan_persistence::{
    clock,
    store::Store,
    stored::{self, Stored},
};
use samphan_resource::{
    caller::{Caller, FieldAccess, Reach},
    error::Result,
};
use samphan_rest::presets::Presets;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// What the first start made.
#[derive(Debug)]
pub struct FirstStart {
    /// The administrator's e-mail address.
    pub email: String,
    /// The password, when it was made up here.
    pub password: Option<String>,
}

/// The id of the role of accounting connectors, the same in every deployment: once made, it stays as it was renamed, changed or deleted.
const CONNECTOR_ID: Uuid = Uuid::from_u128(0x019a_0000_0000_7000_8000_0000_0000_0001);

/// Makes the first administrator and the first roles, if there are no users yet. A deployment of before gets the role of accounting
/// connectors, which grants nothing until a key has it.
pub async fn run(store: &Store, presets: &Presets, email: &str, password: Option<&str>) -> Result<Option<FirstStart>> {
    let caller = Arc::new(Caller::system());
    let reader = store.reader(Arc::clone(&caller), clock::now());
    let mut sql = reader.sql();
    sql.push("SELECT count(*) FROM users");
    if reader.count(sql).await? > 0 {
        if let Err(error) = add_connector(store, presets).await {
            tracing::warn!(%error, "the role of accounting connectors could not be made");
        }
        return Ok(None);
    }
    let made_up = password.is_none().then(tokens::secret);
    let password = made_up.clone().or_else(|| password.map(str::to_owned)).unwrap_or_default();
    let hash = passwords::hash(password).await?;
    let work = store.work(caller, clock::now()).await?;
    let mut administrator = None;
    for role in roles(presets) {
        let made = stored::insert(&work, Stored::draft(role)).await?;
        administrator.get_or_insert(RoleId(made.id()));
    }
    stored::insert(&work, connector(presets)).await?;
    let user = User {
        name: "Administrator".to_owned(),
        email: email.to_owned(),
        job_title: None,
        locale: None,
        time_zone: None,
        manager_id: None,
        role_ids: administrator.into_iter().collect(),
        team_ids: vec![],
        successor_id: None,
        status: UserStatus::Active,
    };
    let user = stored::insert(&work, Stored::draft(user)).await?;
    super::user::keep_password(&work, user.id(), hash).await?;
    work.commit().await?;
    Ok(Some(FirstStart { email: user.data.email, password: made_up }))
}

/// Makes the role of accounting connectors, unless there is or was one, or another has its name.
async fn add_connector(store: &Store, presets: &Presets) -> Result<()> {
    let work = store.work(Arc::new(Caller::system()), clock::now()).await?;
    let mut sql = work.sql();
    sql.push("SELECT count(*) FROM roles WHERE id = ").id(CONNECTOR_ID).push(" OR deleted_at IS NULL AND name = ").text(CONNECTOR);
    if work.count(sql).await? > 0 {
        return work.roll_back().await;
    }
    stored::insert(&work, connector(presets)).await?;
    work.commit().await
}

/// The role of accounting connectors: what `docs/connect-accounting.md` needs, and nothing else. It has no field rules: an accounting
/// system writes tax invoices, and needs names, tax ids and addresses for them.
fn connector(presets: &Presets) -> Stored<Role> {
    let role = Role {
        name: CONNECTOR.to_owned(),
        description: Some(
            "For the key of a system that keeps the books: what docs/connect-accounting.md needs, and nothing else.".to_owned(),
        ),
        permissions: granted(presets, CONNECTOR, Reach::All),
        field_rules: vec![],
    };
    let mut draft = Stored::draft(role);
    draft.record.insert("id".to_owned(), json!(CONNECTOR_ID));
    draft
}

/// The permissions of a shipped role.
fn granted(presets: &Presets, role: &str, reach: Reach) -> Vec<Grant> {
    presets.of(role, reach).map(|(permission, reach)| Grant { permission: permission.to_owned(), reach }).collect()
}

/// The roles most organisations begin with; the administrator first. What each may do the areas say, beside their routes.
fn roles(presets: &Presets) -> Vec<Role> {
    let rule = |fields: &str, access| FieldRule { fields: fields.to_owned(), access };
    let role = |name: &str, about: &str, permissions, field_rules| Role {
        name: name.to_owned(),
        description: Some(about.to_owned()),
        permissions,
        field_rules,
    };
    let shipped = |name: &str, reach, about: &str, field_rules| role(name, about, granted(presets, name, reach), field_rules);
    vec![
        role("Administrator", "May do everything.", vec![Grant { permission: "*:*".to_owned(), reach: Reach::All }], vec![]),
        shipped(
            SELLER,
            Reach::Team,
            "Sees the accounts of the team, and the credit status of each but not the ledger.",
            vec![
                rule("personal", FieldAccess::Masked),
                rule("financial", FieldAccess::Hidden),
                // Prices and terms are decided by who answers for them.
                rule("accounts.price_book_id", FieldAccess::ReadOnly),
                rule("accounts.payment_terms_days", FieldAccess::ReadOnly),
            ],
        ),
        shipped(SALES_MANAGER, Reach::Subtree, "Sees the accounts of the teams beneath.", vec![rule("financial", FieldAccess::Hidden)]),
        shipped(WAREHOUSE, Reach::All, "Sends orders on their way.", vec![rule("financial", FieldAccess::Hidden)]),
        shipped(
            ACCOUNTING,
            Reach::All,
            "Pushes balances, maps customer numbers, sees the ledger.",
            vec![rule("personal", FieldAccess::Hidden)],
        ),
    ]
}
