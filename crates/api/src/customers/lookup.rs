//! `GET /v1/lookup`: who is calling? For the call pop, before the telephone is picked up.

use samphan_domain::{
    customers::contact_point::{DEFAULT_REGION, phone_keys},
    email, tax_id,
};
use samphan_persistence::{store::Reader, visibility};
use samphan_resource::{
    caller::{FieldAccess, Visibility},
    error::{Code, Error, FieldCode, FieldError, Result},
    example,
    scalar::{Kind, Scalar},
};
use samphan_rest::{
    example::Example,
    operation::{Operation, Parameter, RequestContext},
    response::Response,
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// Most customers answered.
const MOST: i64 = 20;

/// Who it may be.
#[derive(Debug, Serialize, ToSchema)]
pub struct LookupAnswer {
    /// The accounts and contacts, VIPs first.
    #[schema(max_items = 40)]
    pub matches: Vec<LookupMatch>,
}

/// One it may be.
#[derive(Debug, Serialize, ToSchema)]
pub struct LookupMatch {
    /// `accounts` or `contacts`.
    #[schema(max_length = 100)]
    pub resource: String,
    /// Its id.
    pub id: Uuid,
    /// Its name.
    #[schema(max_length = 500)]
    pub name: String,
    /// Whether it, or for a contact one of its accounts, is a VIP.
    pub is_vip: bool,
    /// Grade of the account.
    #[schema(required = true, max_length = 10)]
    pub grade: Option<String>,
    /// Where the account stands in its life with us.
    #[schema(required = true, max_length = 100)]
    pub lifecycle_stage: Option<String>,
    /// The account: the match itself, or the contact's first one.
    #[schema(required = true)]
    pub account_id: Option<Uuid>,
    /// The account's name.
    #[schema(required = true, max_length = 200)]
    pub account_name: Option<String>,
    /// The account's owner.
    #[schema(required = true)]
    pub owner_id: Option<Uuid>,
}

/// The operation.
#[must_use]
pub fn routes() -> Vec<Operation> {
    let text = || json!({"type": "string", "minLength": 1, "maxLength": 254});
    vec![
        Operation::read("lookup", "/v1/lookup", run)
            .describe(
                "search",
                "Look up a caller",
                "Accounts and contacts by exactly one of phone number (typed in any way), e-mail address, tax id, or another system's id.",
            )
            .example(Example::query(&[("phone", "081 234 5678")]).depends_on(&["createAccountContactPoint"]).answers(json!({"matches": [{
                "resource": "accounts", "id": example::id("accounts"), "name": "Siam Trading", "grade": "A", "lifecycle_stage": "active",
                "account_id": example::id("accounts"), "account_name": "Siam Trading", "owner_id": example::id("users"),
            }]})))
            .query(vec![
                Parameter::new("phone", text(), "A phone number, typed in any way."),
                Parameter::new(
                    "region",
                    json!({"type": "string", "pattern": "^[A-Z]{2}$", "maxLength": 2, "default": DEFAULT_REGION}),
                    "Region of a phone number without country code.",
                ),
                Parameter::new("email", text(), "An e-mail address."),
                Parameter::new("tax_id", text(), "A tax id; spaces and dashes do not count."),
                Parameter::new("external_id", text(), "What any other system calls the customer."),
            ])
            .requires("accounts:read")
            .responds(200, "LookupAnswer"),
    ]
}

async fn run(reader: &Reader, call: RequestContext) -> Result<Response> {
    const KEYS: [&str; 4] = ["phone", "email", "tax_id", "external_id"];
    let given: Vec<(&str, &String)> = KEYS.iter().filter_map(|k| call.query.get(*k).map(|v| (*k, v))).collect();
    let [(key, value)] = given.as_slice() else {
        let fault = FieldError::new("?phone", FieldCode::AmbiguousKey, "exactly one of phone, email, tax_id, external_id");
        return Err(Error::from(Code::InvalidQuery).with_field_errors(vec![fault]));
    };
    // A caller that may not see a value may not ask whose it is.
    let sources: &[(&str, &str)] = match *key {
        "tax_id" => &[("accounts", "tax_id")],
        "external_id" => &[("accounts", "external_refs"), ("contacts", "external_refs"), ("external_references", "external_id")],
        _ => &[("contact_points", "normalized")],
    };
    for (many, field) in sources {
        if !may_see(reader, many, field)? {
            let fault = FieldError::new(format!("?{key}"), FieldCode::HiddenField, *field);
            return Err(Error::from(Code::InvalidQuery).with_field_errors(vec![fault]));
        }
    }
    let (mut accounts, mut contacts): (Vec<Uuid>, Vec<Uuid>) = (vec![], vec![]);
    match *key {
        "tax_id" => {
            let bare = tax_id::thai_tax_id(value).unwrap_or_else(|_| (*value).clone());
            let mut sql = reader.sql();
            sql.push("SELECT t.id FROM accounts t WHERE t.deleted_at IS NULL AND t.tax_id")
                .one_of(Kind::Text, [Scalar::Text(bare), Scalar::Text((*value).clone())]);
            visibility::restrict_to_visible(&mut sql, reader, reader.shape("accounts")?, "t", "read")?;
            sql.push(" LIMIT ").int(MOST);
            accounts = reader.fetch(sql, |row| row.id(0)).await?;
        }
        "external_id" => {
            let mut sql = reader.sql();
            sql.push("SELECT t.resource, t.record_id FROM external_references t WHERE t.deleted_at IS NULL ");
            sql.push("AND t.resource IN ('accounts', 'contacts') AND t.external_id = ").text((*value).clone());
            visibility::restrict_to_visible(&mut sql, reader, reader.shape("external_references")?, "t", "read")?;
            sql.push(" LIMIT ").int(MOST);
            for (resource, id) in reader.fetch(sql, |row| Ok((row.text(0)?, row.id(1)?))).await? {
                if resource == "accounts" { accounts.push(id) } else { contacts.push(id) }
            }
        }
        _ => {
            let region = call.query.get("region").map_or(DEFAULT_REGION, String::as_str);
            let keys = match *key {
                "phone" => phone_keys(value, region),
                // Also as addresses were kept before they had a normal form.
                _ => vec![email::normal_form(value), value.trim().to_lowercase()],
            };
            let mut sql = reader.sql();
            sql.push("SELECT t.account_id, t.contact_id FROM contact_points t WHERE t.deleted_at IS NULL AND t.normalized")
                .one_of(Kind::Text, keys.into_iter().map(Scalar::Text));
            // What is not seen must not take the place of what is.
            visibility::restrict_to_visible(&mut sql, reader, reader.shape("contact_points")?, "t", "read")?;
            sql.push(" LIMIT ").int(MOST);
            for (account, contact) in reader.fetch(sql, |row| Ok((row.optional_id(0)?, row.optional_id(1)?))).await? {
                accounts.extend(account);
                contacts.extend(contact);
            }
        }
    }
    let mut matches = found_accounts(reader, accounts).await?;
    matches.extend(found_contacts(reader, contacts).await?);
    matches.sort_by_key(|m| !m.is_vip);
    Ok(Response::json(&LookupAnswer { matches }))
}

fn may_see(reader: &Reader, many: &str, field: &str) -> Result<bool> {
    let shape = reader.shape(many)?;
    Ok(shape.field(field).is_some_and(|f| reader.caller.access(shape, f) >= FieldAccess::ReadOnly))
}

/// A name, or what stands in for it.
fn name_or_stars(name: String, seen: bool) -> String {
    if seen { name } else { "***".to_owned() }
}

async fn found_accounts(reader: &Reader, ids: Vec<Uuid>) -> Result<Vec<LookupMatch>> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let shape = reader.shape("accounts")?;
    let mut sql = reader.sql();
    sql.push("SELECT t.id, t.name, t.is_vip, t.grade, t.lifecycle_stage, t.owner_id FROM accounts t WHERE t.deleted_at IS NULL AND t.id")
        .one_of_ids(ids);
    visibility::restrict_to_visible(&mut sql, reader, shape, "t", "read")?;
    let sees = |field: &str| may_see(reader, shape.plural, field);
    let (names, vips, grades, stages, owners) =
        (sees("name")?, sees("is_vip")?, sees("grade")?, sees("lifecycle_stage")?, sees("owner_id")?);
    reader
        .fetch(sql, |row| {
            let (id, name) = (row.id(0)?, name_or_stars(row.text(1)?, names));
            Ok(LookupMatch {
                resource: "accounts".to_owned(),
                id,
                is_vip: vips && row.scalar(2, Kind::Bool)? == Scalar::Bool(true),
                grade: row.optional_text(3)?.filter(|_| grades),
                lifecycle_stage: row.optional_text(4)?.filter(|_| stages),
                account_id: Some(id),
                account_name: Some(name.clone()),
                owner_id: row.optional_id(5)?.filter(|_| owners),
                name,
            })
        })
        .await
}

async fn found_contacts(reader: &Reader, ids: Vec<Uuid>) -> Result<Vec<LookupMatch>> {
    if ids.is_empty() || reader.caller.reach("contacts:read").is_none() {
        return Ok(vec![]);
    }
    let accounts = reader.shape("accounts")?;
    let links = reader.caller.reach("account-contacts:read").map_or(Visibility::None, |_| reader.caller.visibility("accounts:read"));
    let mut sql = reader.sql();
    sql.push("SELECT t.id, t.name, (SELECT ac.account_id FROM account_contacts ac JOIN accounts a ON a.id = ac.account_id ");
    sql.push("WHERE ac.deleted_at IS NULL AND a.deleted_at IS NULL AND ac.contact_id = t.id");
    // Who no longer acts for an account, or not yet, does not call for it.
    let today = reader.today().await?;
    sql.push(" AND (ac.valid_from IS NULL OR ac.valid_from <= ").bind(Kind::Date, Scalar::Date(today));
    sql.push(") AND (ac.valid_to IS NULL OR ac.valid_to >= ").bind(Kind::Date, Scalar::Date(today)).push(")");
    visibility::restrict_by_owner(&mut sql, accounts, "a", &links);
    sql.push(" ORDER BY ac.is_primary DESC, ac.id LIMIT 1) FROM contacts t WHERE t.deleted_at IS NULL AND t.id").one_of_ids(ids);
    visibility::restrict_to_visible(&mut sql, reader, reader.shape("contacts")?, "t", "read")?;
    let names = may_see(reader, "contacts", "name")?;
    let people = reader.fetch(sql, |row| Ok((row.id(0)?, name_or_stars(row.text(1)?, names), row.optional_id(2)?))).await?;
    let accounts = found_accounts(reader, people.iter().filter_map(|p| p.2).collect()).await?;
    Ok(people
        .into_iter()
        .map(|(id, name, account_id)| {
            let account = accounts.iter().find(|a| Some(a.id) == account_id);
            LookupMatch {
                resource: "contacts".to_owned(),
                id,
                name,
                is_vip: account.is_some_and(|a| a.is_vip),
                grade: account.and_then(|a| a.grade.clone()),
                lifecycle_stage: account.and_then(|a| a.lifecycle_stage.clone()),
                account_id: account.map(|a| a.id),
                account_name: account.map(|a| a.name.clone()),
                owner_id: account.and_then(|a| a.owner_id),
            }
        })
        .collect())
}
