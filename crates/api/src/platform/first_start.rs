//! The first start: an administrator in an empty database, with the roles most organisations begin with.

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
const CONNECTOR_NAME: &str = "Accounting connector";

/// Makes the first administrator and the first roles, if there are no users yet. A deployment of before gets the role of accounting
/// connectors, which grants nothing until a key has it.
pub async fn run(store: &Store, email: &str, password: Option<&str>) -> Result<Option<FirstStart>> {
    let caller = Arc::new(Caller::system());
    let reader = store.reader(Arc::clone(&caller), clock::now());
    let mut sql = reader.sql();
    sql.push("SELECT count(*) FROM users");
    if reader.count(sql).await? > 0 {
        if let Err(error) = add_connector(store).await {
            tracing::warn!(%error, "the role of accounting connectors could not be made");
        }
        return Ok(None);
    }
    let made_up = password.is_none().then(tokens::secret);
    let password = made_up.clone().or_else(|| password.map(str::to_owned)).unwrap_or_default();
    let hash = passwords::hash(password).await?;
    let work = store.work(caller, clock::now()).await?;
    let mut administrator = None;
    for role in roles() {
        let made = stored::insert(&work, Stored::draft(role)).await?;
        administrator.get_or_insert(RoleId(made.id()));
    }
    stored::insert(&work, connector()).await?;
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
async fn add_connector(store: &Store) -> Result<()> {
    let work = store.work(Arc::new(Caller::system()), clock::now()).await?;
    let mut sql = work.sql();
    sql.push("SELECT count(*) FROM roles WHERE id = ").id(CONNECTOR_ID).push(" OR deleted_at IS NULL AND name = ").text(CONNECTOR_NAME);
    if work.count(sql).await? > 0 {
        return work.roll_back().await;
    }
    stored::insert(&work, connector()).await?;
    work.commit().await
}

/// The role of accounting connectors: what `docs/connect-accounting.md` needs, and nothing else. It has no field rules: an accounting
/// system writes tax invoices, and needs names, tax ids and addresses for them.
fn connector() -> Stored<Role> {
    let permissions = [
        "accounts:read",
        "changes:read",
        "credit-balances:push",
        "credit-balances:read",
        "credit-snapshots:complete",
        "credit-snapshots:create",
        "credit-snapshots:read",
        "external-references:create",
        "external-references:read",
        "external-systems:read",
        "order-invoices:create",
        "order-invoices:read",
        "order-invoices:update",
        "orders:read",
        "products:read",
        "shipments:read",
        "stock-levels:sync",
        "unmatched-credits:read",
        "warehouses:read",
    ];
    let role = Role {
        name: CONNECTOR_NAME.to_owned(),
        description: Some(
            "For the key of a system that keeps the books: what docs/connect-accounting.md needs, and nothing else.".to_owned(),
        ),
        permissions: permissions.map(|p| Grant { permission: p.to_owned(), reach: Reach::All }).into(),
        field_rules: vec![],
    };
    let mut draft = Stored::draft(role);
    draft.record.insert("id".to_owned(), json!(CONNECTOR_ID));
    draft
}

/// The roles most organisations begin with; the administrator first.
fn roles() -> Vec<Role> {
    let grant = |permission: &str, reach| Grant { permission: permission.to_owned(), reach };
    let rule = |fields: &str, access| FieldRule { fields: fields.to_owned(), access };
    let role = |name: &str, about: &str, permissions, field_rules| Role {
        name: name.to_owned(),
        description: Some(about.to_owned()),
        permissions,
        field_rules,
    };
    let selling = |reach| {
        let own = ["accounts", "contacts", "account-contacts"]
            .iter()
            .flat_map(move |r| ["read", "create", "update"].map(|v| grant(&format!("{r}:{v}"), reach)));
        let shared = [
            "products",
            "product-categories",
            "price-books",
            "tags",
            "users",
            "teams",
            "external-references",
            "warehouses",
            "stock-levels",
            "tax-rates",
            "settings",
            "exchange-rates",
            // What forms are built of.
            "custom-fields",
            "picklists",
        ]
        .map(|r| grant(&format!("{r}:read"), Reach::All));
        let orders = ["read", "create", "update", "submit", "confirm", "hold", "amend", "cancel", "close", "reopen", "allocate-stock"]
            .map(|v| grant(&format!("orders:{v}"), reach));
        let promises = ["read", "create", "release"].map(|v| grant(&format!("order-promises:{v}"), reach));
        let rest = ["accounts:change-lifecycle", "credit:read", "credit:check", "order-holds:read", "shipments:read"];
        own.chain(rest.map(|p| grant(p, reach))).chain(orders).chain(promises).chain(shared).collect::<Vec<_>>()
    };
    let mut managing = selling(Reach::Subtree);
    managing.extend(
        [
            "accounts:delete",
            "accounts:assign",
            "contacts:assign",
            "orders:assign",
            "order-promises:assign",
            "contacts:delete",
            "account-contacts:delete",
            "account-contacts:set-primary",
        ]
        .map(|p| grant(p, Reach::Subtree)),
    );
    managing.extend(
        ["orders:set-price", "orders:release", "orders:delete", "order-holds:release", "order-holds:reject", "order-holds:escalate"]
            .map(|p| grant(p, Reach::Subtree)),
    );
    // What they change at once they may change one by one: each record is asked for.
    managing.extend(["read", "create", "cancel", "revert"].map(|verb| grant(&format!("operations:{verb}"), Reach::All)));
    let keeping = [("orders", vec!["read", "create-shipment", "allocate-stock"])]
        .into_iter()
        .chain([("shipments", vec!["read", "update", "pick", "pack", "ship", "deliver", "fail", "cancel"])])
        .chain(
            ["stock-movements", "stock-reservations", "warehouses", "products", "settings", "custom-fields", "picklists"]
                .map(|r| (r, vec!["read"])),
        )
        .chain([("stock-levels", vec!["read", "receive", "transfer", "adjust"])]);
    let keeping = keeping.flat_map(|(r, verbs)| verbs.into_iter().map(move |v| grant(&format!("{r}:{v}"), Reach::All))).collect();
    let mut accounting: Vec<Grant> = [
        "credit-balances:read",
        "credit-balances:push",
        "credit-balance-history:read",
        "credit:read",
        "credit:check",
        "credit:see-ledger",
        "credit-checks:read",
        "credit-checks:release",
        "credit-check-components:read",
        "credit-profiles:read",
        "credit-profiles:update",
        "changes:read",
        "orders:read",
        "orders:release",
        "order-holds:read",
        "order-holds:release",
        "order-holds:release-credit",
        "order-holds:reject",
        "order-holds:escalate",
        "shipments:read",
        "products:read",
        "warehouses:read",
        "stock-levels:read",
        "stock-levels:sync",
        "settings:read",
        "custom-fields:read",
        "picklists:read",
    ]
    .map(|p| grant(p, Reach::All))
    .into();
    accounting.extend(
        [
            "accounts",
            "external-references",
            "external-systems",
            "credit-snapshots",
            "credit-policies",
            "unmatched-credits",
            "order-invoices",
            "tax-rates",
            "exchange-rates",
        ]
        .iter()
        .flat_map(|r| ["read", "create", "update", "complete", "activate", "retire"].map(|v| grant(&format!("{r}:{v}"), Reach::All))),
    );
    vec![
        role("Administrator", "May do everything.", vec![grant("*:*", Reach::All)], vec![]),
        role(
            "Seller",
            "Sees the accounts of the team, and the credit status of each but not the ledger.",
            selling(Reach::Team),
            vec![
                rule("personal", FieldAccess::Masked),
                rule("financial", FieldAccess::Hidden),
                // Prices and terms are decided by who answers for them.
                rule("accounts.price_book_id", FieldAccess::ReadOnly),
                rule("accounts.payment_terms_days", FieldAccess::ReadOnly),
            ],
        ),
        role("Sales manager", "Sees the accounts of the teams beneath.", managing, vec![rule("financial", FieldAccess::Hidden)]),
        role("Warehouse", "Sends orders on their way.", keeping, vec![rule("financial", FieldAccess::Hidden)]),
        role(
            "Accounting",
            "Pushes balances, maps customer numbers, sees the ledger.",
            accounting,
            vec![rule("personal", FieldAccess::Hidden)],
        ),
    ]
}
