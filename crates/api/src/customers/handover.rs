//! What goes along when an account gets another owner: its contacts and open documents. Called by `assign`, within its transaction.

use super::account::Assign;
use samphan_domain::{
    customers::{account::Account, contact::Contact},
    sales::{order::Order, order_promise::OrderPromise},
};
use samphan_persistence::{
    record::{self, Record},
    sql::Sql,
    store::Work,
    stored::Stored,
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    resource::Resource,
    scalar::{Kind, Scalar},
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Most records of each kind that go along.
const MAX_RECORDS: usize = 1_000;

/// What of an account goes along with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Include {
    /// The contacts linked with the account.
    Contacts,
    /// The orders of the account that are neither closed nor cancelled.
    OpenOrders,
    /// The promises to the account that are active.
    OpenPromises,
}

impl Include {
    const fn resource(self) -> &'static str {
        match self {
            Self::Contacts => Contact::PLURAL,
            Self::OpenOrders => Order::PLURAL,
            Self::OpenPromises => OrderPromise::PLURAL,
        }
    }

    /// Adds the condition that a record of `t` belongs to the account and is open.
    fn of_account(self, sql: &mut Sql, account: Uuid) {
        match self {
            Self::Contacts => {
                sql.push("t.id IN (SELECT l.contact_id FROM account_contacts l WHERE l.deleted_at IS NULL AND l.account_id = ").id(account);
                sql.push(")");
            }
            Self::OpenOrders => {
                sql.push("t.account_id = ").id(account).push(" AND t.status NOT IN ('closed', 'cancelled')");
            }
            Self::OpenPromises => {
                sql.push("t.account_id = ").id(account).push(" AND t.status = 'active'");
            }
        }
    }
}

/// Gives what is included the owner and team that the account is about to get.
pub async fn take_along(work: &Work, account: &Stored<Account>, input: &Assign) -> Result<()> {
    for (i, include) in input.include.iter().enumerate() {
        let shape = work.shape(include.resource())?;
        let mut sql = work.sql();
        sql.push("SELECT t.id FROM ").push(shape.plural).push(" t WHERE t.deleted_at IS NULL AND ");
        include.of_account(&mut sql, account.id());
        sql.push(" AND (t.owner_id IS NULL OR t.owner_id = ").bind(Kind::Id, account.owner().0.map_or(Scalar::Null, Scalar::Id));
        sql.push(") ORDER BY t.id LIMIT ").int(i64::try_from(MAX_RECORDS).unwrap_or(i64::MAX) + 1);
        let ids = work.fetch(sql, |row| row.id(0)).await?;
        if ids.len() > MAX_RECORDS {
            return Err(Error::invalid(FieldError::new(format!("/include/{i}"), FieldCode::TooManyItems, MAX_RECORDS.to_string())));
        }
        let permission = shape.permission("assign");
        let reach = work.caller.visibility(&permission);
        let records = record::locked(work, shape, ids).await?;
        let is_covered = |record: &Record| {
            let (owner, team) = record::owner_of(record);
            reach.includes(owner, team)
        };
        if !records.iter().all(is_covered) {
            return Err(Error::from(Code::Forbidden).with_allowed([permission]));
        }
        record::hand_over(work, shape, records, input.owner_id, input.team_id, input.reason.as_deref()).await?;
    }
    Ok(())
}
