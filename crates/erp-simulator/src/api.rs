//! Made from the published document by `make openapi`: do not edit.

use crate::client::{Call, Client, ClientError, encoded};
/// Error types.
pub mod error {
    /// Error from a `TryFrom` or `FromStr` implementation.
    pub struct ConversionError(::std::borrow::Cow<'static, str>);
    impl ::std::error::Error for ConversionError {}
    impl ::std::fmt::Display for ConversionError {
        fn fmt(
            &self,
            f: &mut ::std::fmt::Formatter<'_>,
        ) -> Result<(), ::std::fmt::Error> {
            ::std::fmt::Display::fmt(&self.0, f)
        }
    }
    impl ::std::fmt::Debug for ConversionError {
        fn fmt(
            &self,
            f: &mut ::std::fmt::Formatter<'_>,
        ) -> Result<(), ::std::fmt::Error> {
            ::std::fmt::Debug::fmt(&self.0, f)
        }
    }
    impl From<&'static str> for ConversionError {
        fn from(value: &'static str) -> Self {
            Self(value.into())
        }
    }
    impl From<String> for ConversionError {
        fn from(value: String) -> Self {
            Self(value.into())
        }
    }
}
///Organisations, and persons as customers, that we deal with.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct Account {
    ///The actions the record's state and the caller's rights allow now.
    pub available_actions: Vec<String>,
    ///Thai VAT branch: five digits, `00000` is the head office.
    pub branch_code: Option<String>,
    ///ISO 3166-1 alpha-2 country of registration; `TH` makes the tax id a Thai one.
    pub country: Option<String>,
    ///When it was made, RFC 3339 in UTC.
    pub created_at: ::chrono::DateTime<::chrono::offset::Utc>,
    ///The user or API key that made it.
    pub created_by_id: Option<::uuid::Uuid>,
    ///ISO 4217 currency it trades in.
    pub currency: Option<String>,
    ///Custom fields by key, as defined under /v1/custom-fields for this resource.
    pub custom: ::serde_json::Map<String, ::serde_json::Value>,
    ///Anything worth knowing.
    pub description: Option<String>,
    ///The records asked for by `expand`, by name; null where there is none or it is not visible.
    #[serde(default, skip_serializing_if = "::serde_json::Map::is_empty")]
    pub expanded: ::serde_json::Map<String, ::serde_json::Value>,
    ///What other systems call this record.
    pub external_refs: Vec<ExternalRef>,
    ///Grade by value to us, such as `A`.
    pub grade: Option<String>,
    ///Health from 0 (leaving) to 100 (thriving).
    pub health: Option<i32>,
    ///UUIDv7. A client may supply it on create.
    pub id: ::uuid::Uuid,
    ///Line of business.
    pub industry: Option<String>,
    ///To be recognised at first contact.
    pub is_vip: bool,
    ///Its legal form.
    pub legal_form: Option<String>,
    ///The registered name, where it differs.
    pub legal_name: Option<String>,
    ///Where it stands in its life with us; moved by `change-lifecycle`.
    pub lifecycle_stage: String,
    ///The name it is known by.
    pub name: String,
    ///The user responsible; the caller when left out on create.
    pub owner_id: Option<::uuid::Uuid>,
    ///The account it belongs to.
    pub parent_id: Option<::uuid::Uuid>,
    ///Days until an invoice is due.
    pub payment_terms_days: Option<i32>,
    ///The channel it answers best.
    pub preferred_channel: Option<String>,
    ///BCP 47 language tag.
    pub preferred_language: Option<String>,
    ///The price book its prices come from.
    pub price_book_id: Option<::uuid::Uuid>,
    ///Number in the company register.
    pub registration_no: Option<String>,
    ///Size band by number of employees.
    pub size: Option<String>,
    ///Free labels, kept in lower case and sorted.
    pub tags: Vec<String>,
    ///Tax id. For Thai accounts 13 digits with a check digit (Revenue Department); spaces and dashes are dropped.
    pub tax_id: Option<String>,
    ///The team responsible; the caller's first team when left out on create.
    pub team_id: Option<::uuid::Uuid>,
    ///When it last changed, RFC 3339 in UTC.
    pub updated_at: ::chrono::DateTime<::chrono::offset::Utc>,
    ///The user or API key that changed it last.
    pub updated_by_id: Option<::uuid::Uuid>,
    ///Counts the writes to the record; also its ETag.
    pub version: i64,
    ///Web site.
    pub website: Option<String>,
}
///One page of a list.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct AccountPage {
    ///The records.
    pub data: Vec<Account>,
    ///Whether there is another page.
    pub has_more: bool,
    ///Asks for the next page; null on the last.
    pub next_cursor: Option<String>,
    ///How many there are on all pages; null unless `count` asked for it, and where to count them takes longer than a read may.
    pub total: Option<i64>,
    ///Where counting ended with the time limit: how many there are at least. Null otherwise.
    pub total_at_least: Option<i64>,
}
///The author of a change.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug, Default)]
pub struct Actor {
    ///The user's or API key's id; null for Samphan itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<::uuid::Uuid>,
    ///A person, a machine, or Samphan itself.
    pub kind: String,
}
///What became of one item.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct BatchResult {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    ///What the sender calls it.
    pub external_id: Option<String>,
    ///The record.
    pub id: Option<::uuid::Uuid>,
    ///The item's place in the request, from 0.
    pub index: i32,
    ///What became of it.
    pub status: String,
    ///The record's version now.
    pub version: Option<i64>,
}
///What became of a batch.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct BatchResults {
    ///A result for each item, in the order of the request.
    pub results: Vec<BatchResult>,
    pub summary: BatchSummary,
}
///How many items came to what.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct BatchSummary {
    ///Pushes that counted.
    pub applied: i32,
    ///Records made.
    pub created: i32,
    ///Records deleted.
    pub deleted: i32,
    ///Items that failed.
    pub failed: i32,
    ///Items in the request.
    pub received: i32,
    ///Pushes older than what was known.
    pub stale: i32,
    ///Items that said what was known.
    pub unchanged: i32,
    ///Records changed.
    pub updated: i32,
}
///What happened to one record, in one write. The same, with the same id, in the feed, in the stream and in webhooks.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct Change {
    ///The user, API key or Samphan itself that made the change.
    pub actor: Actor,
    ///Values after: of the changed fields, or all that was set in the record when it was made or restored. Null when it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<
        ::serde_json::Map<String, ::serde_json::Value>,
    >,
    ///Values before: of the changed fields, or all that was set in the record when it was deleted. Null where there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<
        ::serde_json::Map<String, ::serde_json::Value>,
    >,
    ///The fields that changed; empty when the record was made, deleted or restored.
    pub changed_fields: Vec<String>,
    ///Goes on after this change, as `after` or `Last-Event-ID`. It does not expire while the events after it are kept.
    pub cursor: String,
    ///The event's id, a UUIDv7: what came twice has the same id twice.
    pub id: ::uuid::Uuid,
    ///Its place in the order of commits: 1, 2, 3 and so on, without gaps.
    pub position: i64,
    ///Why, where a reason was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    ///The request that did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    ///The resource's plural.
    pub resource: String,
    ///The record.
    pub resource_id: ::uuid::Uuid,
    ///When it happened, RFC 3339 in UTC. Positions tell the order, not times.
    pub time: ::chrono::DateTime<::chrono::offset::Utc>,
    ///What happened, such as `account.created`; a record's end is `<resource>.deleted`, its tombstone.
    #[serde(rename = "type")]
    pub type_: String,
    ///The record's version after the write: a state that is of this version or a later one has it in it.
    pub version: i64,
}
///A page of the feed.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct Changes {
    ///The changes, in the order of commits.
    pub data: Vec<Change>,
    ///Whether there is more already; else there will be when something changes.
    pub has_more: bool,
    ///Goes on after this page; always there. It expires only where the settings have old events deleted; `invalid_cursor` says so.
    pub next_cursor: String,
}
///Many pushes of one system, legal entity and currency.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct CreditBatch {
    ///ISO 4217 currency of every amount.
    pub currency: String,
    ///The legal entity the customers owe to.
    pub entity: String,
    /**Invoices and credit notes of orders that the balances include and that may not have been sent yet: taken first, in the same
transaction, as if they had been sent to `/v1/order-invoices` with the batch's entity, and its currency as the balance's: one row for
each document and order line. So an order is never counted as open and as owed, whatever comes first. Each has a result of its own in
`invoices` of the answer; one that is refused, or named twice (`repeated`), changes nothing, and the balance of its customer is not
applied (`invoice_refused`). All others are.*/
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invoices: Vec<PostedInvoice>,
    ///The customers.
    pub items: Vec<CreditItem>,
    ///The open snapshot the batch is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<::uuid::Uuid>,
    ///Code of the system that pushes.
    pub system: String,
}
///What became of a batch of balances.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct CreditBatchResults {
    ///A result for each of `invoices`, in the order of the request.
    pub invoices: Vec<BatchResult>,
    ///A result for each balance, in the order of the request.
    pub results: Vec<BatchResult>,
    pub summary: BatchSummary,
}
///One push about one customer.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct CreditItem {
    ///Our account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<::uuid::Uuid>,
    /**The moment the amounts are true of, taken before the sender reads its books: an entry posted while they are read is then newer
than the balance, never missing from it. Not more than five minutes ahead of now.*/
    pub as_of: ::chrono::DateTime<::chrono::offset::Utc>,
    ///The credit limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_limit: Option<CreditLimit>,
    ///What the system calls the customer. Either this or `account_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /**The orders taken here that `open_orders` and `unbilled_deliveries` include, by number or id. What was open of them at `as_of` is
taken out of `open_orders`, then of `unbilled_deliveries`, so that it counts once. An order that is not one of the customer's in
this currency fails the item.*/
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub included_orders: Vec<String>,
    ///Whether accounting has put the customer on hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_hold: Option<bool>,
    ///Ordered and not delivered. Leave out orders taken here, or name them in `included_orders`: they count here until they are invoiced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_orders: Option<String>,
    ///Of that, overdue, by age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue: Option<OverdueBuckets>,
    ///Invoiced and unpaid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receivable: Option<String>,
    /**A whole number, in digits, that grows with each change at the sender; decides between pushes with the same `as_of`. One that is no
number is refused. With equal `as_of` and without a revision, or with equal ones, the larger exposure and the lower limit win, and
the balance is marked `has_conflict`.*/
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_revision: Option<String>,
    ///Delivered and not invoiced. Leave out orders taken here, or name them in `included_orders`: they count here until they are invoiced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unbilled_deliveries: Option<String>,
}
///A credit limit as it is pushed: no magic zero.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct CreditLimit {
    ///The limit; required with `limited`, otherwise left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    ///Whether there is a limit.
    pub kind: CreditLimitKind,
}
///Whether there is a limit.
#[derive(
    ::serde::Deserialize,
    ::serde::Serialize,
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd
)]
pub enum CreditLimitKind {
    #[serde(rename = "limited")]
    Limited,
    #[serde(rename = "not_managed")]
    NotManaged,
    #[serde(rename = "unlimited")]
    Unlimited,
}
impl ::std::fmt::Display for CreditLimitKind {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        match *self {
            Self::Limited => f.write_str("limited"),
            Self::NotManaged => f.write_str("not_managed"),
            Self::Unlimited => f.write_str("unlimited"),
        }
    }
}
impl ::std::str::FromStr for CreditLimitKind {
    type Err = self::error::ConversionError;
    fn from_str(
        value: &str,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        match value {
            "limited" => Ok(Self::Limited),
            "not_managed" => Ok(Self::NotManaged),
            "unlimited" => Ok(Self::Unlimited),
            _ => Err("invalid value".into()),
        }
    }
}
impl ::std::convert::TryFrom<&str> for CreditLimitKind {
    type Error = self::error::ConversionError;
    fn try_from(
        value: &str,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
impl ::std::convert::TryFrom<&String> for CreditLimitKind {
    type Error = self::error::ConversionError;
    fn try_from(
        value: &String,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
impl ::std::convert::TryFrom<String> for CreditLimitKind {
    type Error = self::error::ConversionError;
    fn try_from(
        value: String,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
///What another system calls a record, as the record shows it.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug, Default)]
pub struct ExternalRef {
    ///The record's name there.
    pub external_id: String,
    ///What the other system calls the kind of record.
    pub external_type: String,
    ///The system's code.
    pub system: String,
}
///What other systems call our records.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ExternalReference {
    ///When it was made, RFC 3339 in UTC.
    pub created_at: ::chrono::DateTime<::chrono::offset::Utc>,
    ///The user or API key that made it.
    pub created_by_id: Option<::uuid::Uuid>,
    ///The records asked for by `expand`, by name; null where there is none or it is not visible.
    #[serde(default, skip_serializing_if = "::serde_json::Map::is_empty")]
    pub expanded: ::serde_json::Map<String, ::serde_json::Value>,
    ///The record's name there: opaque, compared letter for letter.
    pub external_id: String,
    ///What the other system calls the kind of record; the resource's singular when left out.
    pub external_type: String,
    ///UUIDv7. A client may supply it on create.
    pub id: ::uuid::Uuid,
    ///Our record.
    pub record_id: ::uuid::Uuid,
    ///The resource's plural, such as `accounts`.
    pub resource: String,
    ///The system's code.
    pub system: String,
    ///When it last changed, RFC 3339 in UTC.
    pub updated_at: ::chrono::DateTime<::chrono::offset::Utc>,
    ///The user or API key that changed it last.
    pub updated_by_id: Option<::uuid::Uuid>,
    ///Counts the writes to the record; also its ETag.
    pub version: i64,
}
///Many external references at once.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ExternalReferenceBatch {
    ///Whether one bad item undoes all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atomic: Option<bool>,
    ///The items.
    pub items: Vec<ExternalReferenceBatchItem>,
    ///`id`, or `external_id:<system>` to find records by another system's ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_on: Option<String>,
    ///What to do with each item.
    pub mode: ExternalReferenceBatchMode,
}
///One external reference of a batch: its key and its fields.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ExternalReferenceBatchItem {
    ///The record's name there: opaque, compared letter for letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    ///What the other system calls the kind of record; the resource's singular when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_type: Option<String>,
    ///The record, when matching on id; for a create an id of the client's own making.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<::uuid::Uuid>,
    ///Our record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_id: Option<::uuid::Uuid>,
    ///The resource's plural, such as `accounts`. It stays as it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    ///The system's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    ///Fails the item with `version_conflict` when the record is of another version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}
impl ::std::default::Default for ExternalReferenceBatchItem {
    fn default() -> Self {
        Self {
            external_id: Default::default(),
            external_type: Default::default(),
            id: Default::default(),
            record_id: Default::default(),
            resource: Default::default(),
            system: Default::default(),
            version: Default::default(),
        }
    }
}
///What to do with each item.
#[derive(
    ::serde::Deserialize,
    ::serde::Serialize,
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd
)]
pub enum ExternalReferenceBatchMode {
    #[serde(rename = "create")]
    Create,
    #[serde(rename = "update")]
    Update,
    #[serde(rename = "upsert")]
    Upsert,
    #[serde(rename = "delete")]
    Delete,
}
impl ::std::fmt::Display for ExternalReferenceBatchMode {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        match *self {
            Self::Create => f.write_str("create"),
            Self::Update => f.write_str("update"),
            Self::Upsert => f.write_str("upsert"),
            Self::Delete => f.write_str("delete"),
        }
    }
}
impl ::std::str::FromStr for ExternalReferenceBatchMode {
    type Err = self::error::ConversionError;
    fn from_str(
        value: &str,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        match value {
            "create" => Ok(Self::Create),
            "update" => Ok(Self::Update),
            "upsert" => Ok(Self::Upsert),
            "delete" => Ok(Self::Delete),
            _ => Err("invalid value".into()),
        }
    }
}
impl ::std::convert::TryFrom<&str> for ExternalReferenceBatchMode {
    type Error = self::error::ConversionError;
    fn try_from(
        value: &str,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
impl ::std::convert::TryFrom<&String> for ExternalReferenceBatchMode {
    type Error = self::error::ConversionError;
    fn try_from(
        value: &String,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
impl ::std::convert::TryFrom<String> for ExternalReferenceBatchMode {
    type Error = self::error::ConversionError;
    fn try_from(
        value: String,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
///One page of a list.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ExternalReferencePage {
    ///The records.
    pub data: Vec<ExternalReference>,
    ///Whether there is another page.
    pub has_more: bool,
    ///Asks for the next page; null on the last.
    pub next_cursor: Option<String>,
    ///How many there are on all pages; null unless `count` asked for it, and where to count them takes longer than a read may.
    pub total: Option<i64>,
    ///Where counting ended with the time limit: how many there are at least. Null otherwise.
    pub total_at_least: Option<i64>,
}
///Accounting, ERP and other systems that share records with us.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ExternalSystem {
    ///The actions the record's state and the caller's rights allow now.
    pub available_actions: Vec<String>,
    ///The code it is called by in every push and reference.
    pub code: String,
    ///When it was made, RFC 3339 in UTC.
    pub created_at: ::chrono::DateTime<::chrono::offset::Utc>,
    ///The user or API key that made it.
    pub created_by_id: Option<::uuid::Uuid>,
    ///ISO 4217 currency of its books: pushes in another are refused. Null where it keeps several.
    pub currency: Option<String>,
    ///UUIDv7. A client may supply it on create.
    pub id: ::uuid::Uuid,
    ///What kind of system it is.
    pub kind: String,
    ///When it last pushed.
    pub last_seen_at: Option<::chrono::DateTime<::chrono::offset::Utc>>,
    ///The legal entity it keeps books for: pushes for another are refused. Null where it keeps several.
    pub legal_entity: Option<String>,
    ///For people to read.
    pub name: String,
    ///What a stale balance does to the credit status.
    pub on_stale: String,
    ///ISO 8601 duration after which what it said is stale; never when null.
    pub stale_after: Option<String>,
    ///Whether it may push; moved by `activate` and `pause`.
    pub status: String,
    ///When it last changed, RFC 3339 in UTC.
    pub updated_at: ::chrono::DateTime<::chrono::offset::Utc>,
    ///The user or API key that changed it last.
    pub updated_by_id: Option<::uuid::Uuid>,
    ///Counts the writes to the record; also its ETag.
    pub version: i64,
}
///The fields of a new external system.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ExternalSystemInput {
    ///The code it is called by in every push and reference. It stays as it was made.
    pub code: String,
    ///ISO 4217 currency of its books: pushes in another are refused. Null where it keeps several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    ///A UUIDv7 of the client's own making, for work offline. The same id again is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<::uuid::Uuid>,
    ///What kind of system it is.
    pub kind: ExternalSystemInputKind,
    ///The legal entity it keeps books for: pushes for another are refused. Null where it keeps several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_entity: Option<String>,
    ///For people to read.
    pub name: String,
    ///What a stale balance does to the credit status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_stale: Option<ExternalSystemInputOnStale>,
    ///ISO 8601 duration after which what it said is stale; never when null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<String>,
}
///What kind of system it is.
#[derive(
    ::serde::Deserialize,
    ::serde::Serialize,
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd
)]
pub enum ExternalSystemInputKind {
    #[serde(rename = "accounting")]
    Accounting,
    #[serde(rename = "erp")]
    Erp,
    #[serde(rename = "pos")]
    Pos,
    #[serde(rename = "telephony")]
    Telephony,
    #[serde(rename = "ecommerce")]
    Ecommerce,
    #[serde(rename = "crm")]
    Crm,
    #[serde(rename = "other")]
    Other,
}
impl ::std::fmt::Display for ExternalSystemInputKind {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        match *self {
            Self::Accounting => f.write_str("accounting"),
            Self::Erp => f.write_str("erp"),
            Self::Pos => f.write_str("pos"),
            Self::Telephony => f.write_str("telephony"),
            Self::Ecommerce => f.write_str("ecommerce"),
            Self::Crm => f.write_str("crm"),
            Self::Other => f.write_str("other"),
        }
    }
}
impl ::std::str::FromStr for ExternalSystemInputKind {
    type Err = self::error::ConversionError;
    fn from_str(
        value: &str,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        match value {
            "accounting" => Ok(Self::Accounting),
            "erp" => Ok(Self::Erp),
            "pos" => Ok(Self::Pos),
            "telephony" => Ok(Self::Telephony),
            "ecommerce" => Ok(Self::Ecommerce),
            "crm" => Ok(Self::Crm),
            "other" => Ok(Self::Other),
            _ => Err("invalid value".into()),
        }
    }
}
impl ::std::convert::TryFrom<&str> for ExternalSystemInputKind {
    type Error = self::error::ConversionError;
    fn try_from(
        value: &str,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
impl ::std::convert::TryFrom<&String> for ExternalSystemInputKind {
    type Error = self::error::ConversionError;
    fn try_from(
        value: &String,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
impl ::std::convert::TryFrom<String> for ExternalSystemInputKind {
    type Error = self::error::ConversionError;
    fn try_from(
        value: String,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
///What a stale balance does to the credit status.
#[derive(
    ::serde::Deserialize,
    ::serde::Serialize,
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd
)]
pub enum ExternalSystemInputOnStale {
    #[serde(rename = "allow")]
    Allow,
    #[serde(rename = "warn")]
    Warn,
    #[serde(rename = "block")]
    Block,
}
impl ::std::fmt::Display for ExternalSystemInputOnStale {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        match *self {
            Self::Allow => f.write_str("allow"),
            Self::Warn => f.write_str("warn"),
            Self::Block => f.write_str("block"),
        }
    }
}
impl ::std::str::FromStr for ExternalSystemInputOnStale {
    type Err = self::error::ConversionError;
    fn from_str(
        value: &str,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        match value {
            "allow" => Ok(Self::Allow),
            "warn" => Ok(Self::Warn),
            "block" => Ok(Self::Block),
            _ => Err("invalid value".into()),
        }
    }
}
impl ::std::convert::TryFrom<&str> for ExternalSystemInputOnStale {
    type Error = self::error::ConversionError;
    fn try_from(
        value: &str,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
impl ::std::convert::TryFrom<&String> for ExternalSystemInputOnStale {
    type Error = self::error::ConversionError;
    fn try_from(
        value: &String,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
impl ::std::convert::TryFrom<String> for ExternalSystemInputOnStale {
    type Error = self::error::ConversionError;
    fn try_from(
        value: String,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
///One page of a list.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ExternalSystemPage {
    ///The records.
    pub data: Vec<ExternalSystem>,
    ///Whether there is another page.
    pub has_more: bool,
    ///Asks for the next page; null on the last.
    pub next_cursor: Option<String>,
    ///How many there are on all pages; null unless `count` asked for it, and where to count them takes longer than a read may.
    pub total: Option<i64>,
    ///Where counting ended with the time limit: how many there are at least. Null otherwise.
    pub total_at_least: Option<i64>,
}
///What `getAccount` may be asked.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct GetAccountQuery {
    ///References to answer in full under `expanded`, at most 5, such as `owner,team,price_book,parent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expand: Option<String>,
    ///Fields to answer, separated by commas; all when left out. Beside them come only `id` and, in records, `available_actions`, whatever the schema requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
}
impl ::std::default::Default for GetAccountQuery {
    fn default() -> Self {
        Self {
            expand: Default::default(),
            fields: Default::default(),
        }
    }
}
///What `getProduct` may be asked.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct GetProductQuery {
    ///References to answer in full under `expanded`, at most 5, such as `category`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expand: Option<String>,
    ///Fields to answer, separated by commas; all when left out. Beside them come only `id` and, in records, `available_actions`, whatever the schema requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
}
impl ::std::default::Default for GetProductQuery {
    fn default() -> Self {
        Self {
            expand: Default::default(),
            fields: Default::default(),
        }
    }
}
///What `getWarehouseByExternalId` may be asked.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct GetWarehouseByExternalIdQuery {
    ///Fields to answer, separated by commas; all when left out. Beside them come only `id` and, in records, `available_actions`, whatever the schema requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
}
impl ::std::default::Default for GetWarehouseByExternalIdQuery {
    fn default() -> Self {
        Self { fields: Default::default() }
    }
}
///Goods put aside for a line.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct LineAllocation {
    ///Of that, what is in shipments that have not left yet.
    pub planned: String,
    ///How much is put aside there and not shipped yet.
    pub quantity: String,
    ///The reservation.
    pub reservation_id: ::uuid::Uuid,
    ///The warehouse.
    pub warehouse_id: ::uuid::Uuid,
}
///What `listAccounts` may be asked.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ListAccountsQuery {
    ///Adds `total`, or `total_at_least` where counting takes longer than a read may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<String>,
    ///Only records whose country is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    ///Only records whose created_at is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_lte: Option<String>,
    ///Only records whose currency is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    ///`next_cursor` of the page before. It belongs to the same filter and sort. It does not expire; when the keys of the service are rotated it works for 30 days more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    ///References to answer in full under `expanded`, at most 5, such as `owner,team,price_book,parent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expand: Option<String>,
    ///Fields to answer, separated by commas; all when left out. Beside them come only `id` and, in records, `available_actions`, whatever the schema requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
    ///A filter of the filter language as JSON, see the schema `Filter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    ///Only records whose grade is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<String>,
    ///Only records whose health is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_lte: Option<String>,
    ///Only records whose id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    ///Only records whose industry is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub industry: Option<String>,
    ///Only records whose is_vip is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_vip: Option<String>,
    ///Only records whose legal_form is this, or one of these, separated by commas (`\,` for a comma within a value): company, limited_partnership, ordinary_partnership, state_enterprise, government, foundation, individual, foreign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_form: Option<String>,
    ///Only records whose legal_name is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_name: Option<String>,
    ///Only records whose lifecycle_stage is this, or one of these, separated by commas (`\,` for a comma within a value): prospect, active, at_risk, churned, won_back, blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle_stage: Option<String>,
    ///Records a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    ///Only records whose name is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    ///Only records whose owner_id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<String>,
    ///Only records whose parent_id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    ///Only records whose price_book_id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_book_id: Option<String>,
    ///Words to be found, in any language and anywhere within words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    ///Up to three of id, created_at, updated_at, name, lifecycle_stage, grade, separated by commas; `-` before one for descending. The id is always last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    ///Only records with this tag, or one of these, separated by commas (`\,` for a comma within a tag).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
    ///Only records whose tax_id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
    ///Only records whose team_id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    ///Only records whose updated_at is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_lte: Option<String>,
}
impl ::std::default::Default for ListAccountsQuery {
    fn default() -> Self {
        Self {
            count: Default::default(),
            country: Default::default(),
            created_at: Default::default(),
            created_at_gt: Default::default(),
            created_at_gte: Default::default(),
            created_at_lt: Default::default(),
            created_at_lte: Default::default(),
            currency: Default::default(),
            cursor: Default::default(),
            expand: Default::default(),
            fields: Default::default(),
            filter: Default::default(),
            grade: Default::default(),
            health: Default::default(),
            health_gt: Default::default(),
            health_gte: Default::default(),
            health_lt: Default::default(),
            health_lte: Default::default(),
            id: Default::default(),
            industry: Default::default(),
            is_vip: Default::default(),
            legal_form: Default::default(),
            legal_name: Default::default(),
            lifecycle_stage: Default::default(),
            limit: Default::default(),
            name: Default::default(),
            owner_id: Default::default(),
            parent_id: Default::default(),
            price_book_id: Default::default(),
            q: Default::default(),
            sort: Default::default(),
            tags: Default::default(),
            tax_id: Default::default(),
            team_id: Default::default(),
            updated_at: Default::default(),
            updated_at_gt: Default::default(),
            updated_at_gte: Default::default(),
            updated_at_lt: Default::default(),
            updated_at_lte: Default::default(),
        }
    }
}
///What `listChanges` may be asked.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ListChangesQuery {
    ///Only changes of what belongs to this account: the account itself, every record with its `account_id`, what is beneath such a record (as the shipments of its orders), and what other systems call it. An account that is not visible is refused; one that was deleted is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    ///Where to start: after the change with this cursor (`next_cursor` of a page, `cursor` of a change, `id` of a streamed event), at the `beginning` of the feed, or `now`, after its newest change. `beginning` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    ///Most changes to answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    ///Only changes of records of these resources, separated by commas, such as `accounts`; unknown ones are refused, and those the caller may not read (403).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<String>,
    ///Only changes of these types, separated by commas, such as `account.created` or `account.*`; unknown ones are refused, and those of resources the caller may not read (403).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<String>,
    ///How long to wait for a change when there is none yet, `0s` to `30s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<String>,
}
impl ::std::default::Default for ListChangesQuery {
    fn default() -> Self {
        Self {
            account_id: Default::default(),
            after: Default::default(),
            limit: Default::default(),
            resources: Default::default(),
            types: Default::default(),
            wait: Default::default(),
        }
    }
}
///What `listExternalReferences` may be asked.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ListExternalReferencesQuery {
    ///Adds `total`, or `total_at_least` where counting takes longer than a read may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<String>,
    ///Only records whose created_at is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_lte: Option<String>,
    ///`next_cursor` of the page before. It belongs to the same filter and sort. It does not expire; when the keys of the service are rotated it works for 30 days more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    ///References to answer in full under `expanded`, at most 5, such as `record`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expand: Option<String>,
    ///Only records whose external_id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    ///Only records whose external_type is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_type: Option<String>,
    ///Fields to answer, separated by commas; all when left out. Beside them come only `id` and, in records, `available_actions`, whatever the schema requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
    ///A filter of the filter language as JSON, see the schema `Filter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    ///Only records whose id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    ///Records a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    ///Only records whose record_id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_id: Option<String>,
    ///Only records whose resource is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    ///Up to three of id, created_at, updated_at, separated by commas; `-` before one for descending. The id is always last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    ///Only records whose system is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    ///Only records whose updated_at is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_lte: Option<String>,
}
impl ::std::default::Default for ListExternalReferencesQuery {
    fn default() -> Self {
        Self {
            count: Default::default(),
            created_at: Default::default(),
            created_at_gt: Default::default(),
            created_at_gte: Default::default(),
            created_at_lt: Default::default(),
            created_at_lte: Default::default(),
            cursor: Default::default(),
            expand: Default::default(),
            external_id: Default::default(),
            external_type: Default::default(),
            fields: Default::default(),
            filter: Default::default(),
            id: Default::default(),
            limit: Default::default(),
            record_id: Default::default(),
            resource: Default::default(),
            sort: Default::default(),
            system: Default::default(),
            updated_at: Default::default(),
            updated_at_gt: Default::default(),
            updated_at_gte: Default::default(),
            updated_at_lt: Default::default(),
            updated_at_lte: Default::default(),
        }
    }
}
///What `listExternalSystems` may be asked.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ListExternalSystemsQuery {
    ///Only records whose code is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    ///Adds `total`, or `total_at_least` where counting takes longer than a read may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<String>,
    ///Only records whose created_at is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_lte: Option<String>,
    ///`next_cursor` of the page before. It belongs to the same filter and sort. It does not expire; when the keys of the service are rotated it works for 30 days more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    ///Fields to answer, separated by commas; all when left out. Beside them come only `id` and, in records, `available_actions`, whatever the schema requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
    ///A filter of the filter language as JSON, see the schema `Filter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    ///Only records whose id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    ///Only records whose kind is this, or one of these, separated by commas (`\,` for a comma within a value): accounting, erp, pos, telephony, ecommerce, crm, other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    ///Records a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    ///Up to three of id, created_at, updated_at, code, name, separated by commas; `-` before one for descending. The id is always last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    ///Only records whose status is this, or one of these, separated by commas (`\,` for a comma within a value): active, paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    ///Only records whose updated_at is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_lte: Option<String>,
}
impl ::std::default::Default for ListExternalSystemsQuery {
    fn default() -> Self {
        Self {
            code: Default::default(),
            count: Default::default(),
            created_at: Default::default(),
            created_at_gt: Default::default(),
            created_at_gte: Default::default(),
            created_at_lt: Default::default(),
            created_at_lte: Default::default(),
            cursor: Default::default(),
            fields: Default::default(),
            filter: Default::default(),
            id: Default::default(),
            kind: Default::default(),
            limit: Default::default(),
            sort: Default::default(),
            status: Default::default(),
            updated_at: Default::default(),
            updated_at_gt: Default::default(),
            updated_at_gte: Default::default(),
            updated_at_lt: Default::default(),
            updated_at_lte: Default::default(),
        }
    }
}
///What `listOrders` may be asked.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ListOrdersQuery {
    ///Only records whose account_id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    ///Only records whose channel is this, or one of these, separated by commas (`\,` for a comma within a value): field, telesales, web, partner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    ///Only records whose contact_id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<String>,
    ///Adds `total`, or `total_at_least` where counting takes longer than a read may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<String>,
    ///Only records whose created_at is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_lte: Option<String>,
    ///Only records whose credit_status is this, or one of these, separated by commas (`\,` for a comma within a value): not_checked, approved, warned, held, declined, released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_status: Option<String>,
    ///`next_cursor` of the page before. It belongs to the same filter and sort. It does not expire; when the keys of the service are rotated it works for 30 days more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    ///Only records whose customer_reference is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_reference: Option<String>,
    ///References to answer in full under `expanded`, at most 5, such as `owner,team,account,contact,promise,price_book,warehouse,holds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expand: Option<String>,
    ///Fields to answer, separated by commas; all when left out. Beside them come only `id` and, in records, `available_actions`, whatever the schema requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
    ///A filter of the filter language as JSON, see the schema `Filter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    ///Only records whose fulfilment_status is this, or one of these, separated by commas (`\,` for a comma within a value): unallocated, partly_allocated, allocated, partly_shipped, shipped, partly_delivered, delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfilment_status: Option<String>,
    ///Only records whose id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    ///Only records whose invoice_status is this, or one of these, separated by commas (`\,` for a comma within a value): none, partly, fully.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_status: Option<String>,
    ///Records a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    ///Only records whose number is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    ///Only records whose ordered_on is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_on: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_on_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_on_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_on_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_on_lte: Option<String>,
    ///Only records whose owner_id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<String>,
    ///Only records whose payment_status is this, or one of these, separated by commas (`\,` for a comma within a value): none, partly, fully, settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_status: Option<String>,
    ///Only records with this product_id in `lines`, or one of these, separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_id: Option<String>,
    ///Only records whose promise_id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promise_id: Option<String>,
    ///Words to be found, in any language and anywhere within words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    ///Only records whose requested_on is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_on: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_on_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_on_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_on_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_on_lte: Option<String>,
    ///Up to three of id, created_at, updated_at, number, ordered_on, separated by commas; `-` before one for descending. The id is always last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    ///Only records whose status is this, or one of these, separated by commas (`\,` for a comma within a value): draft, submitted, on_hold, confirmed, in_fulfilment, fulfilled, closed, cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    ///Only records with this tag, or one of these, separated by commas (`\,` for a comma within a tag).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
    ///Only records whose team_id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    ///Only records whose total_amount is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_amount: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_amount_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_amount_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_amount_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_amount_lte: Option<String>,
    ///Only records whose updated_at is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_lte: Option<String>,
}
impl ::std::default::Default for ListOrdersQuery {
    fn default() -> Self {
        Self {
            account_id: Default::default(),
            channel: Default::default(),
            contact_id: Default::default(),
            count: Default::default(),
            created_at: Default::default(),
            created_at_gt: Default::default(),
            created_at_gte: Default::default(),
            created_at_lt: Default::default(),
            created_at_lte: Default::default(),
            credit_status: Default::default(),
            cursor: Default::default(),
            customer_reference: Default::default(),
            expand: Default::default(),
            fields: Default::default(),
            filter: Default::default(),
            fulfilment_status: Default::default(),
            id: Default::default(),
            invoice_status: Default::default(),
            limit: Default::default(),
            number: Default::default(),
            ordered_on: Default::default(),
            ordered_on_gt: Default::default(),
            ordered_on_gte: Default::default(),
            ordered_on_lt: Default::default(),
            ordered_on_lte: Default::default(),
            owner_id: Default::default(),
            payment_status: Default::default(),
            product_id: Default::default(),
            promise_id: Default::default(),
            q: Default::default(),
            requested_on: Default::default(),
            requested_on_gt: Default::default(),
            requested_on_gte: Default::default(),
            requested_on_lt: Default::default(),
            requested_on_lte: Default::default(),
            sort: Default::default(),
            status: Default::default(),
            tags: Default::default(),
            team_id: Default::default(),
            total_amount: Default::default(),
            total_amount_gt: Default::default(),
            total_amount_gte: Default::default(),
            total_amount_lt: Default::default(),
            total_amount_lte: Default::default(),
            updated_at: Default::default(),
            updated_at_gt: Default::default(),
            updated_at_gte: Default::default(),
            updated_at_lt: Default::default(),
            updated_at_lte: Default::default(),
        }
    }
}
///What `listProducts` may be asked.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ListProductsQuery {
    ///Only records whose category_id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_id: Option<String>,
    ///Adds `total`, or `total_at_least` where counting takes longer than a read may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<String>,
    ///Only records whose created_at is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_lte: Option<String>,
    ///`next_cursor` of the page before. It belongs to the same filter and sort. It does not expire; when the keys of the service are rotated it works for 30 days more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    ///References to answer in full under `expanded`, at most 5, such as `category`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expand: Option<String>,
    ///Fields to answer, separated by commas; all when left out. Beside them come only `id` and, in records, `available_actions`, whatever the schema requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
    ///A filter of the filter language as JSON, see the schema `Filter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    ///Only records whose id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    ///Only records whose kind is this, or one of these, separated by commas (`\,` for a comma within a value): goods, service, bundle, configurable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    ///Records a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    ///Only records whose name is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    ///Words to be found, in any language and anywhere within words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    ///Only records whose sku is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    ///Up to three of id, created_at, updated_at, sku, name, separated by commas; `-` before one for descending. The id is always last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    ///Only records whose status is this, or one of these, separated by commas (`\,` for a comma within a value): active, discontinued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    ///Only records with this tag, or one of these, separated by commas (`\,` for a comma within a tag).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
    ///Only records whose tax_code is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_code: Option<String>,
    ///Only records whose updated_at is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_lte: Option<String>,
}
impl ::std::default::Default for ListProductsQuery {
    fn default() -> Self {
        Self {
            category_id: Default::default(),
            count: Default::default(),
            created_at: Default::default(),
            created_at_gt: Default::default(),
            created_at_gte: Default::default(),
            created_at_lt: Default::default(),
            created_at_lte: Default::default(),
            cursor: Default::default(),
            expand: Default::default(),
            fields: Default::default(),
            filter: Default::default(),
            id: Default::default(),
            kind: Default::default(),
            limit: Default::default(),
            name: Default::default(),
            q: Default::default(),
            sku: Default::default(),
            sort: Default::default(),
            status: Default::default(),
            tags: Default::default(),
            tax_code: Default::default(),
            updated_at: Default::default(),
            updated_at_gt: Default::default(),
            updated_at_gte: Default::default(),
            updated_at_lt: Default::default(),
            updated_at_lte: Default::default(),
        }
    }
}
///What `listShipments` may be asked.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ListShipmentsQuery {
    ///Only records whose account_id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    ///Adds `total`, or `total_at_least` where counting takes longer than a read may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<String>,
    ///Only records whose created_at is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_lte: Option<String>,
    ///`next_cursor` of the page before. It belongs to the same filter and sort. It does not expire; when the keys of the service are rotated it works for 30 days more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    ///References to answer in full under `expanded`, at most 5, such as `order,account,warehouse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expand: Option<String>,
    ///Fields to answer, separated by commas; all when left out. Beside them come only `id` and, in records, `available_actions`, whatever the schema requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
    ///A filter of the filter language as JSON, see the schema `Filter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    ///Only records whose id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    ///Records a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    ///Only records whose number is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    ///Only records whose order_id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    ///Only records whose promised_on is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised_on: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised_on_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised_on_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised_on_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised_on_lte: Option<String>,
    ///Words to be found, in any language and anywhere within words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    ///Up to three of id, created_at, updated_at, number, promised_on, separated by commas; `-` before one for descending. The id is always last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    ///Only records whose status is this, or one of these, separated by commas (`\,` for a comma within a value): planned, picked, packed, shipped, delivered, failed, cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    ///Only records with this tag, or one of these, separated by commas (`\,` for a comma within a tag).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
    ///Only records whose tracking_no is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_no: Option<String>,
    ///Only records whose updated_at is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    ///After, more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_gt: Option<String>,
    ///At or after, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_gte: Option<String>,
    ///Before, less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_lt: Option<String>,
    ///At or before, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at_lte: Option<String>,
    ///Only records whose warehouse_id is this, or one of these, separated by commas (`\,` for a comma within a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warehouse_id: Option<String>,
}
impl ::std::default::Default for ListShipmentsQuery {
    fn default() -> Self {
        Self {
            account_id: Default::default(),
            count: Default::default(),
            created_at: Default::default(),
            created_at_gt: Default::default(),
            created_at_gte: Default::default(),
            created_at_lt: Default::default(),
            created_at_lte: Default::default(),
            cursor: Default::default(),
            expand: Default::default(),
            fields: Default::default(),
            filter: Default::default(),
            id: Default::default(),
            limit: Default::default(),
            number: Default::default(),
            order_id: Default::default(),
            promised_on: Default::default(),
            promised_on_gt: Default::default(),
            promised_on_gte: Default::default(),
            promised_on_lt: Default::default(),
            promised_on_lte: Default::default(),
            q: Default::default(),
            sort: Default::default(),
            status: Default::default(),
            tags: Default::default(),
            tracking_no: Default::default(),
            updated_at: Default::default(),
            updated_at_gt: Default::default(),
            updated_at_gte: Default::default(),
            updated_at_lt: Default::default(),
            updated_at_lte: Default::default(),
            warehouse_id: Default::default(),
        }
    }
}
///What customers ordered, with the lines, and how far it has come.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct Order {
    ///The customer.
    pub account_id: ::uuid::Uuid,
    ///The actions the record's state and the caller's rights allow now.
    pub available_actions: Vec<String>,
    ///Where the bill goes, as it was when the order was made; the account's address when left out.
    pub billing_address: Option<OrderBillingAddress>,
    ///How it came in.
    pub channel: String,
    ///The order it was copied from.
    pub cloned_from_id: Option<::uuid::Uuid>,
    ///What we have promised to deliver, tax included: the total of a confirmed order, what was shipped of one that was closed early.
    pub committed_amount: String,
    ///When it was confirmed.
    pub confirmed_at: Option<::chrono::DateTime<::chrono::offset::Utc>>,
    ///Who ordered.
    pub contact_id: Option<::uuid::Uuid>,
    ///When it was made, RFC 3339 in UTC.
    pub created_at: ::chrono::DateTime<::chrono::offset::Utc>,
    ///The user or API key that made it.
    pub created_by_id: Option<::uuid::Uuid>,
    ///The credit check that let it pass, or did not.
    pub credit_check_id: Option<::uuid::Uuid>,
    ///What credit said.
    pub credit_status: String,
    ///What it has given back by credit notes, at most what was invoiced.
    pub credited_amount: String,
    ///ISO 4217 currency of every amount here; the price book's when left out.
    pub currency: Option<String>,
    ///Custom fields by key, as defined under /v1/custom-fields for this resource.
    pub custom: ::serde_json::Map<String, ::serde_json::Value>,
    ///The customer's own number for it.
    pub customer_reference: Option<String>,
    ///What is let off.
    pub discount_amount: String,
    ///The records asked for by `expand`, by name; null where there is none or it is not visible. `holds` is a list of the `order_holds` that are `open`; a write that leaves the record `on_hold` answers it unasked.
    #[serde(default, skip_serializing_if = "::serde_json::Map::is_empty")]
    pub expanded: ::serde_json::Map<String, ::serde_json::Value>,
    ///What other systems call this record.
    pub external_refs: Vec<ExternalRef>,
    ///How far the goods are.
    pub fulfilment_status: String,
    ///Prices times quantities.
    pub gross_amount: String,
    ///UUIDv7. A client may supply it on create.
    pub id: ::uuid::Uuid,
    ///How much accounting has invoiced, by quantity: `fully` when nothing is left to invoice, for whatever amount.
    pub invoice_status: String,
    ///What accounting has invoiced of it, tax included.
    pub invoiced_amount: String,
    ///What is ordered.
    pub lines: Vec<OrderLine>,
    ///What is left, without tax.
    pub net_amount: String,
    ///Anything worth knowing.
    pub note: Option<String>,
    ///Our number for it. Given by the server: `SO-` and at least 6 digits. Numbers rise and are never given twice; some may be missing.
    pub number: String,
    /**What is promised and not invoiced: what counts against the customer's credit as an open order. It goes by quantity: of each line
the share of its amount that the quantity is which is promised and not invoiced, so rebates and rounding leave nothing open. A
quantity that a credit note gives back is promised again, unless the order is closed; a credit note without a quantity opens nothing.*/
    pub open_amount: String,
    ///The day it was placed, which decides on prices and tax; today when left out.
    pub ordered_on: Option<::chrono::naive::NaiveDate>,
    ///The user responsible; the caller when left out on create.
    pub owner_id: Option<::uuid::Uuid>,
    ///What the customer has paid of it.
    pub paid_amount: String,
    ///How much of that is paid: `settled` when nothing of it is owed any more, by payments and credit notes together.
    pub payment_status: String,
    ///Days until an invoice is due; the account's when left out.
    pub payment_terms_days: Option<i32>,
    ///The price book its prices come from; the account's, or the default one of the currency, when left out.
    pub price_book_id: Option<::uuid::Uuid>,
    ///The promise it is made from: lines and terms are the promise's, and so is what was held for it.
    pub promise_id: Option<::uuid::Uuid>,
    ///The day the customer wants it.
    pub requested_on: Option<::chrono::naive::NaiveDate>,
    ///Where the goods go; the account's address when left out.
    pub shipping_address: Option<OrderShippingAddress>,
    ///Where it stands.
    pub status: String,
    ///Free labels, kept in lower case and sorted.
    pub tags: Vec<String>,
    ///The tax.
    pub tax_amount: String,
    ///Whether prices include tax.
    pub tax_inclusive: bool,
    /**What stands on the tax invoice; the account's address, name, tax id and branch when left out. It and `billing_address` can be put
right after confirming, until something is invoiced.*/
    pub tax_invoice_address: Option<OrderTaxInvoiceAddress>,
    ///Where tax is rounded: with each `line`, or once for each rate over the whole `document`.
    pub tax_rounding: String,
    ///The tax of each rate, the lowest first.
    pub taxes: Vec<OrderTax>,
    ///The team responsible; the caller's first team when left out on create.
    pub team_id: Option<::uuid::Uuid>,
    ///Net and tax.
    pub total_amount: String,
    ///When it last changed, RFC 3339 in UTC.
    pub updated_at: ::chrono::DateTime<::chrono::offset::Utc>,
    ///The user or API key that changed it last.
    pub updated_by_id: Option<::uuid::Uuid>,
    ///Counts the writes to the record; also its ETag.
    pub version: i64,
    ///Kinds of holds that were released by a user: they do not come back unless what is ordered changes.
    pub waived_holds: Vec<String>,
    ///The warehouse it is delivered from; for each line whichever has it, when null.
    pub warehouse_id: Option<::uuid::Uuid>,
}
///Where the bill goes, as it was when the order was made; the account's address when left out.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct OrderBillingAddress {
    ///Thai VAT branch: five digits, `00000` is the head office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch_code: Option<String>,
    ///Town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    ///ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    ///District (amphoe, khet).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub district: Option<String>,
    ///House number and street.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line1: Option<String>,
    ///Building, floor, room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    ///To whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    ///Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    ///Province or state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    ///Sub-district (tambon, khwaeng).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdistrict: Option<String>,
    ///Tax id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
}
impl ::std::default::Default for OrderBillingAddress {
    fn default() -> Self {
        Self {
            branch_code: Default::default(),
            city: Default::default(),
            country: Default::default(),
            district: Default::default(),
            line1: Default::default(),
            line2: Default::default(),
            name: Default::default(),
            postal_code: Default::default(),
            region: Default::default(),
            subdistrict: Default::default(),
            tax_id: Default::default(),
        }
    }
}
///Many order invoices at once.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct OrderInvoiceBatch {
    ///Whether one bad item undoes all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atomic: Option<bool>,
    ///The items.
    pub items: Vec<OrderInvoiceBatchItem>,
    ///`id`, or `external_id:<system>` to find records by another system's ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_on: Option<String>,
    ///What to do with each item.
    pub mode: OrderInvoiceBatchMode,
}
///One order invoice of a batch: its key and its fields.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct OrderInvoiceBatchItem {
    ///For how much, tax included, in the order's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    ///When the system's books said so; a message older than what is known changes nothing. `posted_at` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<::chrono::DateTime<::chrono::offset::Utc>>,
    ///ISO 4217 currency of the balance that includes it; the order's when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance_currency: Option<String>,
    ///Custom fields by key, as defined under /v1/custom-fields for this resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<
        ::serde_json::Map<String, ::serde_json::Value>,
    >,
    ///The document's number there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_no: Option<String>,
    /**The legal entity in whose books it is: only that entity's balance can include it. The system's when left out; where the system keeps
several, a balance includes it once all of them are as of `posted_at` or later.*/
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    ///What the system of `match_on` calls the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    ///The record, when matching on id; for a create an id of the client's own making.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<::uuid::Uuid>,
    ///The document's date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_on: Option<::chrono::naive::NaiveDate>,
    ///What the document is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<OrderInvoiceBatchItemKind>,
    ///The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<::uuid::Uuid>,
    ///The line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_line_id: Option<::uuid::Uuid>,
    ///How much of that is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_amount: Option<String>,
    ///When it entered the system's books: a balance as of then or later includes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted_at: Option<::chrono::DateTime<::chrono::offset::Utc>>,
    /**How much of it, in the product's unit; of a credit note what is given back, `0` for an allowance on the price alone. What a
credit note gives back is promised to the customer again, unless its order is closed.*/
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<String>,
    ///Code of the system whose document it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    ///Free labels, kept in lower case and sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    ///Fails the item with `version_conflict` when the record is of another version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}
impl ::std::default::Default for OrderInvoiceBatchItem {
    fn default() -> Self {
        Self {
            amount: Default::default(),
            as_of: Default::default(),
            balance_currency: Default::default(),
            custom: Default::default(),
            document_no: Default::default(),
            entity: Default::default(),
            external_id: Default::default(),
            id: Default::default(),
            issued_on: Default::default(),
            kind: Default::default(),
            order_id: Default::default(),
            order_line_id: Default::default(),
            paid_amount: Default::default(),
            posted_at: Default::default(),
            quantity: Default::default(),
            system: Default::default(),
            tags: Default::default(),
            version: Default::default(),
        }
    }
}
///What the document is.
#[derive(
    ::serde::Deserialize,
    ::serde::Serialize,
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd
)]
pub enum OrderInvoiceBatchItemKind {
    #[serde(rename = "invoice")]
    Invoice,
    #[serde(rename = "credit_note")]
    CreditNote,
}
impl ::std::fmt::Display for OrderInvoiceBatchItemKind {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        match *self {
            Self::Invoice => f.write_str("invoice"),
            Self::CreditNote => f.write_str("credit_note"),
        }
    }
}
impl ::std::str::FromStr for OrderInvoiceBatchItemKind {
    type Err = self::error::ConversionError;
    fn from_str(
        value: &str,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        match value {
            "invoice" => Ok(Self::Invoice),
            "credit_note" => Ok(Self::CreditNote),
            _ => Err("invalid value".into()),
        }
    }
}
impl ::std::convert::TryFrom<&str> for OrderInvoiceBatchItemKind {
    type Error = self::error::ConversionError;
    fn try_from(
        value: &str,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
impl ::std::convert::TryFrom<&String> for OrderInvoiceBatchItemKind {
    type Error = self::error::ConversionError;
    fn try_from(
        value: &String,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
impl ::std::convert::TryFrom<String> for OrderInvoiceBatchItemKind {
    type Error = self::error::ConversionError;
    fn try_from(
        value: String,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
///What to do with each item.
#[derive(
    ::serde::Deserialize,
    ::serde::Serialize,
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd
)]
pub enum OrderInvoiceBatchMode {
    #[serde(rename = "create")]
    Create,
    #[serde(rename = "update")]
    Update,
    #[serde(rename = "upsert")]
    Upsert,
    #[serde(rename = "delete")]
    Delete,
}
impl ::std::fmt::Display for OrderInvoiceBatchMode {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        match *self {
            Self::Create => f.write_str("create"),
            Self::Update => f.write_str("update"),
            Self::Upsert => f.write_str("upsert"),
            Self::Delete => f.write_str("delete"),
        }
    }
}
impl ::std::str::FromStr for OrderInvoiceBatchMode {
    type Err = self::error::ConversionError;
    fn from_str(
        value: &str,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        match value {
            "create" => Ok(Self::Create),
            "update" => Ok(Self::Update),
            "upsert" => Ok(Self::Upsert),
            "delete" => Ok(Self::Delete),
            _ => Err("invalid value".into()),
        }
    }
}
impl ::std::convert::TryFrom<&str> for OrderInvoiceBatchMode {
    type Error = self::error::ConversionError;
    fn try_from(
        value: &str,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
impl ::std::convert::TryFrom<&String> for OrderInvoiceBatchMode {
    type Error = self::error::ConversionError;
    fn try_from(
        value: &String,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
impl ::std::convert::TryFrom<String> for OrderInvoiceBatchMode {
    type Error = self::error::ConversionError;
    fn try_from(
        value: String,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
///A line of an order. What is sent is what is ordered; the rest is what that comes to and how far it has come.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct OrderLine {
    ///Where that is put aside.
    pub allocations: Vec<LineAllocation>,
    ///For how much, tax included.
    pub committed_amount: String,
    ///What is promised to the customer: the line's quantity once the order is confirmed, what was shipped of an order that was closed early.
    pub committed_quantity: String,
    ///What of that it has given back by credit notes, at most all of it.
    pub credited_quantity: String,
    ///What has arrived.
    pub delivered_quantity: String,
    ///What stands on the document; the product's name when left out.
    pub description: Option<String>,
    ///What is let off.
    pub discount_amount: String,
    ///Percent let off, at most 100.
    pub discount_percent: Option<String>,
    ///Price times quantity.
    pub gross_amount: String,
    ///The line, by which it is changed, shipped and invoiced; made when left out.
    pub id: Option<::uuid::Uuid>,
    ///For how much, tax included.
    pub invoiced_amount: String,
    ///What accounting has invoiced.
    pub invoiced_quantity: String,
    ///Whether it is as it was last confirmed: its price and tax stay until the line itself changes.
    pub is_confirmed: bool,
    ///Whether the price is another than the price book's.
    pub is_price_manual: bool,
    ///Whether it is a service, of which there is no stock.
    pub is_service: bool,
    ///What is left, without tax.
    pub net_amount: String,
    ///What is in shipments that have not left yet, of what is put aside.
    pub planned_quantity: String,
    ///The product. One of this and `sku` is needed.
    pub product_id: Option<::uuid::Uuid>,
    ///How much of it, in the product's unit, more than zero.
    pub quantity: String,
    ///What is put aside for it and not shipped yet.
    pub reserved_quantity: String,
    ///What has left.
    pub shipped_quantity: String,
    ///The product by its SKU; as it was when the line was priced.
    pub sku: Option<String>,
    ///The tax.
    pub tax_amount: String,
    ///The product's tax code.
    pub tax_code: Option<String>,
    ///Percent of tax.
    pub tax_rate: String,
    ///Net and tax.
    pub total_amount: String,
    ///Unit of sale.
    pub unit: Option<String>,
    ///Price of one; from the price book when left out.
    pub unit_price: Option<String>,
    ///The warehouse it comes from; the order's, or whichever has it, when left out.
    pub warehouse_id: Option<::uuid::Uuid>,
}
///One page of a list.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct OrderPage {
    ///The records.
    pub data: Vec<Order>,
    ///Whether there is another page.
    pub has_more: bool,
    ///Asks for the next page; null on the last.
    pub next_cursor: Option<String>,
    ///How many there are on all pages; null unless `count` asked for it, and where to count them takes longer than a read may.
    pub total: Option<i64>,
    ///Where counting ended with the time limit: how many there are at least. Null otherwise.
    pub total_at_least: Option<i64>,
}
///Where the goods go; the account's address when left out.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct OrderShippingAddress {
    ///Thai VAT branch: five digits, `00000` is the head office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch_code: Option<String>,
    ///Town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    ///ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    ///District (amphoe, khet).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub district: Option<String>,
    ///House number and street.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line1: Option<String>,
    ///Building, floor, room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    ///To whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    ///Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    ///Province or state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    ///Sub-district (tambon, khwaeng).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdistrict: Option<String>,
    ///Tax id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
}
impl ::std::default::Default for OrderShippingAddress {
    fn default() -> Self {
        Self {
            branch_code: Default::default(),
            city: Default::default(),
            country: Default::default(),
            district: Default::default(),
            line1: Default::default(),
            line2: Default::default(),
            name: Default::default(),
            postal_code: Default::default(),
            region: Default::default(),
            subdistrict: Default::default(),
            tax_id: Default::default(),
        }
    }
}
///The tax of one rate.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug, Default)]
pub struct OrderTax {
    ///What it is of, without tax.
    pub net_amount: String,
    ///Percent.
    pub rate: String,
    ///The tax.
    pub tax_amount: String,
}
/**What stands on the tax invoice; the account's address, name, tax id and branch when left out. It and `billing_address` can be put
right after confirming, until something is invoiced.*/
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct OrderTaxInvoiceAddress {
    ///Thai VAT branch: five digits, `00000` is the head office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch_code: Option<String>,
    ///Town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    ///ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    ///District (amphoe, khet).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub district: Option<String>,
    ///House number and street.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line1: Option<String>,
    ///Building, floor, room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    ///To whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    ///Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    ///Province or state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    ///Sub-district (tambon, khwaeng).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdistrict: Option<String>,
    ///Tax id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
}
impl ::std::default::Default for OrderTaxInvoiceAddress {
    fn default() -> Self {
        Self {
            branch_code: Default::default(),
            city: Default::default(),
            country: Default::default(),
            district: Default::default(),
            line1: Default::default(),
            line2: Default::default(),
            name: Default::default(),
            postal_code: Default::default(),
            region: Default::default(),
            subdistrict: Default::default(),
            tax_id: Default::default(),
        }
    }
}
///Overdue amounts by age; those left out are zero.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct OverdueBuckets {
    ///1 to 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_1_30: Option<String>,
    ///31 to 60 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_31_60: Option<String>,
    ///61 to 90 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_61_90: Option<String>,
    ///More than 90 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_over_90: Option<String>,
}
impl ::std::default::Default for OverdueBuckets {
    fn default() -> Self {
        Self {
            days_1_30: Default::default(),
            days_31_60: Default::default(),
            days_61_90: Default::default(),
            days_over_90: Default::default(),
        }
    }
}
///What a document says of a line of an order, sent with the balance that includes it.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct PostedInvoice {
    ///For how much, tax included, in the order's currency.
    pub amount: String,
    ///When the system's books said so; `posted_at` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<::chrono::DateTime<::chrono::offset::Utc>>,
    ///The document's number.
    pub document_no: String,
    ///The document's date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_on: Option<::chrono::naive::NaiveDate>,
    ///What the document is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<PostedInvoiceKind>,
    ///The order.
    pub order_id: ::uuid::Uuid,
    ///The line.
    pub order_line_id: ::uuid::Uuid,
    ///How much of that is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_amount: Option<String>,
    ///When it entered the system's books.
    pub posted_at: ::chrono::DateTime<::chrono::offset::Utc>,
    /**How much of it, in the product's unit; of a credit note what is given back, `0` for an allowance on the price alone. What a
credit note gives back is promised to the customer again, unless its order is closed.*/
    pub quantity: String,
}
///What the document is.
#[derive(
    ::serde::Deserialize,
    ::serde::Serialize,
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd
)]
pub enum PostedInvoiceKind {
    #[serde(rename = "invoice")]
    Invoice,
    #[serde(rename = "credit_note")]
    CreditNote,
}
impl ::std::fmt::Display for PostedInvoiceKind {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        match *self {
            Self::Invoice => f.write_str("invoice"),
            Self::CreditNote => f.write_str("credit_note"),
        }
    }
}
impl ::std::str::FromStr for PostedInvoiceKind {
    type Err = self::error::ConversionError;
    fn from_str(
        value: &str,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        match value {
            "invoice" => Ok(Self::Invoice),
            "credit_note" => Ok(Self::CreditNote),
            _ => Err("invalid value".into()),
        }
    }
}
impl ::std::convert::TryFrom<&str> for PostedInvoiceKind {
    type Error = self::error::ConversionError;
    fn try_from(
        value: &str,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
impl ::std::convert::TryFrom<&String> for PostedInvoiceKind {
    type Error = self::error::ConversionError;
    fn try_from(
        value: &String,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
impl ::std::convert::TryFrom<String> for PostedInvoiceKind {
    type Error = self::error::ConversionError;
    fn try_from(
        value: String,
    ) -> ::std::result::Result<Self, self::error::ConversionError> {
        value.parse()
    }
}
///What went wrong (RFC 9457). One shape for everything that is not a success.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct Problem {
    ///What would be allowed: methods, transitions, permissions.
    pub allowed: Vec<String>,
    ///A stable code, such as `version_conflict`.
    pub code: String,
    ///Records that stand in the way.
    pub conflicts: Vec<ProblemConflict>,
    ///With 412 `version_conflict` the record's present version, as in its ETag; null otherwise.
    pub current_version: Option<i64>,
    ///What to do about it. Never holds a value that was sent.
    pub detail: String,
    ///Faults in the request, each with its place.
    pub errors: Vec<ProblemError>,
    ///Quote it when asking for help.
    pub request_id: String,
    ///The HTTP status.
    pub status: i32,
    ///What it is, in the language of Accept-Language (en, th, fa).
    pub title: String,
    ///Address of the code's description, `/problems/<code>`.
    #[serde(rename = "type")]
    pub type_: String,
}
///A record that stands in the way.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ProblemConflict {
    ///The field whose value it holds.
    pub field: String,
    ///Its id.
    pub id: ::uuid::Uuid,
    ///Its resource, such as `accounts`.
    pub resource: String,
}
///One fault in a request.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ProblemError {
    ///What would have been accepted.
    pub allowed: Vec<String>,
    ///A stable code, such as `unknown_field`: one of `x-codes`, which says what each means, or for an item of a batch that is done whole or not at all (`atomic`) the code of the item's problem. More codes may follow.
    pub code: String,
    ///The nearest valid name.
    pub did_you_mean: Option<String>,
    ///The fault in words.
    pub message: String,
    ///A JSON pointer into the body, or `?name` for a query parameter.
    pub pointer: String,
}
///What we sell.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct Product {
    ///The actions the record's state and the caller's rights allow now.
    pub available_actions: Vec<String>,
    ///Whether more of it may be promised than is there.
    pub backorder: String,
    ///How much more, in each warehouse and in the product's unit; with `backorder` `allow`, null for without limit.
    pub backorder_limit: Option<String>,
    ///Where it stands in the catalog.
    pub category_id: Option<::uuid::Uuid>,
    ///When it was made, RFC 3339 in UTC.
    pub created_at: ::chrono::DateTime<::chrono::offset::Utc>,
    ///The user or API key that made it.
    pub created_by_id: Option<::uuid::Uuid>,
    ///Custom fields by key, as defined under /v1/custom-fields for this resource.
    pub custom: ::serde_json::Map<String, ::serde_json::Value>,
    ///What it is.
    pub description: Option<String>,
    ///The records asked for by `expand`, by name; null where there is none or it is not visible.
    #[serde(default, skip_serializing_if = "::serde_json::Map::is_empty")]
    pub expanded: ::serde_json::Map<String, ::serde_json::Value>,
    ///What other systems call this record.
    pub external_refs: Vec<ExternalRef>,
    ///UUIDv7. A client may supply it on create.
    pub id: ::uuid::Uuid,
    ///What kind of thing it is.
    pub kind: String,
    ///Days until more of it can be had, when there is not enough.
    pub lead_time_days: Option<i32>,
    ///Its name.
    pub name: String,
    ///The name in other languages, by BCP 47 tag.
    pub name_translations: ::serde_json::Map<String, ::serde_json::Value>,
    ///What a unit holds, such as `10 boxes x 30 bags`.
    pub packaging: Option<String>,
    /**Whether orders held for want of it go on by themselves once there is enough, those that wait longest first. When false they wait for
a user to confirm them.*/
    pub releases_holds: bool,
    ///Stock keeping unit: our own code for it.
    pub sku: String,
    ///Whether it is sold; ended by `discontinue`.
    pub status: String,
    ///Free labels, kept in lower case and sorted.
    pub tags: Vec<String>,
    ///Tax code as accounting names it, such as `VAT7`.
    pub tax_code: Option<String>,
    ///Whether stock is kept by lot or serial number; it stays while there is any.
    pub tracked: String,
    ///Unit of sale, such as `piece` or `box`.
    pub unit: Option<String>,
    ///When it last changed, RFC 3339 in UTC.
    pub updated_at: ::chrono::DateTime<::chrono::offset::Utc>,
    ///The user or API key that changed it last.
    pub updated_by_id: Option<::uuid::Uuid>,
    ///Counts the writes to the record; also its ETag.
    pub version: i64,
}
///One page of a list.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ProductPage {
    ///The records.
    pub data: Vec<Product>,
    ///Whether there is another page.
    pub has_more: bool,
    ///Asks for the next page; null on the last.
    pub next_cursor: Option<String>,
    ///How many there are on all pages; null unless `count` asked for it, and where to count them takes longer than a read may.
    pub total: Option<i64>,
    ///Where counting ended with the time limit: how many there are at least. Null otherwise.
    pub total_at_least: Option<i64>,
}
///Goods of orders on their way.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct Shipment {
    ///The customer.
    pub account_id: ::uuid::Uuid,
    ///Where the goods go.
    pub address: Option<ShipmentAddress>,
    ///The actions the record's state and the caller's rights allow now.
    pub available_actions: Vec<String>,
    ///Who carries it.
    pub carrier: Option<String>,
    ///When it was made, RFC 3339 in UTC.
    pub created_at: ::chrono::DateTime<::chrono::offset::Utc>,
    ///The user or API key that made it.
    pub created_by_id: Option<::uuid::Uuid>,
    ///Custom fields by key, as defined under /v1/custom-fields for this resource.
    pub custom: ::serde_json::Map<String, ::serde_json::Value>,
    ///When it arrived.
    pub delivered_at: Option<::chrono::DateTime<::chrono::offset::Utc>>,
    ///The records asked for by `expand`, by name; null where there is none or it is not visible.
    #[serde(default, skip_serializing_if = "::serde_json::Map::is_empty")]
    pub expanded: ::serde_json::Map<String, ::serde_json::Value>,
    ///What other systems call this record.
    pub external_refs: Vec<ExternalRef>,
    ///UUIDv7. A client may supply it on create.
    pub id: ::uuid::Uuid,
    ///What is in it.
    pub lines: Vec<ShipmentLine>,
    ///Anything worth knowing.
    pub note: Option<String>,
    ///Our number for it. Given by the server: `SH-` and at least 6 digits. Numbers rise and are never given twice; some may be missing.
    pub number: String,
    ///The order.
    pub order_id: ::uuid::Uuid,
    ///The day it was promised for.
    pub promised_on: Option<::chrono::naive::NaiveDate>,
    ///When it left.
    pub shipped_at: Option<::chrono::DateTime<::chrono::offset::Utc>>,
    ///Where it stands.
    pub status: String,
    ///Free labels, kept in lower case and sorted.
    pub tags: Vec<String>,
    ///The carrier's number for it.
    pub tracking_no: Option<String>,
    ///When it last changed, RFC 3339 in UTC.
    pub updated_at: ::chrono::DateTime<::chrono::offset::Utc>,
    ///The user or API key that changed it last.
    pub updated_by_id: Option<::uuid::Uuid>,
    ///Counts the writes to the record; also its ETag.
    pub version: i64,
    ///The warehouse.
    pub warehouse_id: ::uuid::Uuid,
}
///Where the goods go.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ShipmentAddress {
    ///Thai VAT branch: five digits, `00000` is the head office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch_code: Option<String>,
    ///Town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    ///ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    ///District (amphoe, khet).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub district: Option<String>,
    ///House number and street.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line1: Option<String>,
    ///Building, floor, room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    ///To whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    ///Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    ///Province or state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    ///Sub-district (tambon, khwaeng).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdistrict: Option<String>,
    ///Tax id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
}
impl ::std::default::Default for ShipmentAddress {
    fn default() -> Self {
        Self {
            branch_code: Default::default(),
            city: Default::default(),
            country: Default::default(),
            district: Default::default(),
            line1: Default::default(),
            line2: Default::default(),
            name: Default::default(),
            postal_code: Default::default(),
            region: Default::default(),
            subdistrict: Default::default(),
            tax_id: Default::default(),
        }
    }
}
///Goods of a line in a shipment.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ShipmentLine {
    ///The lot it is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot_no: Option<String>,
    ///The order's line.
    pub order_line_id: ::uuid::Uuid,
    ///The product.
    pub product_id: ::uuid::Uuid,
    ///How much of it.
    pub quantity: String,
    ///The reservation it is taken from.
    pub reservation_id: ::uuid::Uuid,
    ///Its serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_no: Option<String>,
    ///Its SKU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
}
///One page of a list.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct ShipmentPage {
    ///The records.
    pub data: Vec<Shipment>,
    ///Whether there is another page.
    pub has_more: bool,
    ///Asks for the next page; null on the last.
    pub next_cursor: Option<String>,
    ///How many there are on all pages; null unless `count` asked for it, and where to count them takes longer than a read may.
    pub total: Option<i64>,
    ///Where counting ended with the time limit: how many there are at least. Null otherwise.
    pub total_at_least: Option<i64>,
}
///What a system counted of one product.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct StockCount {
    ///When the system's books said so; not more than five minutes ahead of now.
    pub as_of: ::chrono::DateTime<::chrono::offset::Utc>,
    ///What the system calls the product. Exactly one of this, `sku` and `product_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    ///How much there is, in the product's unit, at most 100000000000; below zero where the system lets its stock go below zero.
    pub on_hand: String,
    ///Our product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_id: Option<::uuid::Uuid>,
    ///Our SKU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    ///A number that grows with each change at the system; decides between counts with the same `as_of`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_sequence: Option<i64>,
}
///What a system counted in one warehouse.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct StockSync {
    ///The products.
    pub items: Vec<StockCount>,
    ///Code of the system that counted.
    pub system: String,
    ///The warehouse, by our code. Either this or `warehouse_external_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warehouse_code: Option<String>,
    ///The warehouse, as the system calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warehouse_external_id: Option<String>,
}
///The places where goods are kept.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
pub struct Warehouse {
    ///The actions the record's state and the caller's rights allow now.
    pub available_actions: Vec<String>,
    ///Whether what is kept there may be reserved: not so for quarantine, showrooms, goods on their way.
    pub available_for_sale: bool,
    ///Town.
    pub city: Option<String>,
    ///The code it is called by in stock operations.
    pub code: String,
    ///ISO 3166-1 alpha-2.
    pub country: Option<String>,
    ///When it was made, RFC 3339 in UTC.
    pub created_at: ::chrono::DateTime<::chrono::offset::Utc>,
    ///The user or API key that made it.
    pub created_by_id: Option<::uuid::Uuid>,
    ///Custom fields by key, as defined under /v1/custom-fields for this resource.
    pub custom: ::serde_json::Map<String, ::serde_json::Value>,
    ///District (amphoe, khet).
    pub district: Option<String>,
    ///What other systems call this record.
    pub external_refs: Vec<ExternalRef>,
    ///UUIDv7. A client may supply it on create.
    pub id: ::uuid::Uuid,
    ///House number and street.
    pub line1: Option<String>,
    ///Building, floor, room.
    pub line2: Option<String>,
    ///Its name.
    pub name: String,
    ///Postal code.
    pub postal_code: Option<String>,
    ///Province or state.
    pub region: Option<String>,
    ///Whether it is in use; moved by `close` and `reopen`.
    pub status: String,
    ///Sub-district (tambon, khwaeng).
    pub subdistrict: Option<String>,
    ///Free labels, kept in lower case and sorted.
    pub tags: Vec<String>,
    ///When it last changed, RFC 3339 in UTC.
    pub updated_at: ::chrono::DateTime<::chrono::offset::Utc>,
    ///The user or API key that changed it last.
    pub updated_by_id: Option<::uuid::Uuid>,
    ///Counts the writes to the record; also its ETag.
    pub version: i64,
}
///The fields of a new warehouse.
#[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug, Default)]
pub struct WarehouseInput {
    ///Whether what is kept there may be reserved: not so for quarantine, showrooms, goods on their way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_for_sale: Option<bool>,
    ///Town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    ///The code it is called by in stock operations.
    pub code: String,
    ///ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    ///Custom fields by key, as defined under /v1/custom-fields for this resource.
    #[serde(default, skip_serializing_if = "::serde_json::Map::is_empty")]
    pub custom: ::serde_json::Map<String, ::serde_json::Value>,
    ///District (amphoe, khet).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub district: Option<String>,
    ///A UUIDv7 of the client's own making, for work offline. The same id again is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<::uuid::Uuid>,
    ///House number and street.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line1: Option<String>,
    ///Building, floor, room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    ///Its name.
    pub name: String,
    ///Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    ///Province or state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    ///Sub-district (tambon, khwaeng).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdistrict: Option<String>,
    ///Free labels, kept in lower case and sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}
impl Client {
    /// List changes: `GET /v1/changes`
    pub async fn list_changes(
        &self,
        query: &ListChangesQuery,
    ) -> Result<Changes, ClientError> {
        self.send(Call::new("GET", "/v1/changes".to_owned()).query(query)?).await
    }
    /// List external systems: `GET /v1/external-systems`
    pub async fn list_external_systems(
        &self,
        query: &ListExternalSystemsQuery,
    ) -> Result<ExternalSystemPage, ClientError> {
        self.send(Call::new("GET", "/v1/external-systems".to_owned()).query(query)?)
            .await
    }
    /// Create an external system: `POST /v1/external-systems`
    pub async fn create_external_system(
        &self,
        body: &ExternalSystemInput,
        key: &str,
    ) -> Result<ExternalSystem, ClientError> {
        self.send(
                Call::new("POST", "/v1/external-systems".to_owned()).body(body)?.key(key),
            )
            .await
    }
    /// List external references: `GET /v1/external-references`
    pub async fn list_external_references(
        &self,
        query: &ListExternalReferencesQuery,
    ) -> Result<ExternalReferencePage, ClientError> {
        self.send(Call::new("GET", "/v1/external-references".to_owned()).query(query)?)
            .await
    }
    /// Batch external references: `POST /v1/external-references/batch`
    pub async fn batch_external_references(
        &self,
        body: &ExternalReferenceBatch,
        key: &str,
    ) -> Result<BatchResults, ClientError> {
        self.send(
                Call::new("POST", "/v1/external-references/batch".to_owned())
                    .body(body)?
                    .key(key),
            )
            .await
    }
    /// List accounts: `GET /v1/accounts`
    pub async fn list_accounts(
        &self,
        query: &ListAccountsQuery,
    ) -> Result<AccountPage, ClientError> {
        self.send(Call::new("GET", "/v1/accounts".to_owned()).query(query)?).await
    }
    /// Get an account: `GET /v1/accounts/{id}`
    pub async fn get_account(
        &self,
        id: impl std::fmt::Display,
        query: &GetAccountQuery,
    ) -> Result<Account, ClientError> {
        self.send(
                Call::new("GET", format!("/v1/accounts/{}", encoded(id))).query(query)?,
            )
            .await
    }
    /// List products: `GET /v1/products`
    pub async fn list_products(
        &self,
        query: &ListProductsQuery,
    ) -> Result<ProductPage, ClientError> {
        self.send(Call::new("GET", "/v1/products".to_owned()).query(query)?).await
    }
    /// Get a product: `GET /v1/products/{id}`
    pub async fn get_product(
        &self,
        id: impl std::fmt::Display,
        query: &GetProductQuery,
    ) -> Result<Product, ClientError> {
        self.send(
                Call::new("GET", format!("/v1/products/{}", encoded(id))).query(query)?,
            )
            .await
    }
    /// Get warehouse by external id: `GET /v1/warehouses/by-external-id/{system}/{external_id}`
    pub async fn get_warehouse_by_external_id(
        &self,
        system: impl std::fmt::Display,
        external_id: impl std::fmt::Display,
        query: &GetWarehouseByExternalIdQuery,
    ) -> Result<Warehouse, ClientError> {
        self.send(
                Call::new(
                        "GET",
                        format!(
                            "/v1/warehouses/by-external-id/{}/{}", encoded(system),
                            encoded(external_id)
                        ),
                    )
                    .query(query)?,
            )
            .await
    }
    /// Upsert warehouse by external id: `PUT /v1/warehouses/by-external-id/{system}/{external_id}`
    pub async fn upsert_warehouse_by_external_id(
        &self,
        system: impl std::fmt::Display,
        external_id: impl std::fmt::Display,
        body: &WarehouseInput,
    ) -> Result<Warehouse, ClientError> {
        self.send(
                Call::new(
                        "PUT",
                        format!(
                            "/v1/warehouses/by-external-id/{}/{}", encoded(system),
                            encoded(external_id)
                        ),
                    )
                    .body(body)?,
            )
            .await
    }
    /// Push many credit balances: `POST /v1/credit-balances/batch`
    pub async fn batch_credit_balances(
        &self,
        body: &CreditBatch,
        key: &str,
    ) -> Result<CreditBatchResults, ClientError> {
        self.send(
                Call::new("POST", "/v1/credit-balances/batch".to_owned())
                    .body(body)?
                    .key(key),
            )
            .await
    }
    /// Synchronise stock counts: `POST /v1/stock-syncs`
    pub async fn sync_stock(
        &self,
        body: &StockSync,
        key: &str,
    ) -> Result<BatchResults, ClientError> {
        self.send(Call::new("POST", "/v1/stock-syncs".to_owned()).body(body)?.key(key))
            .await
    }
    /// List shipments: `GET /v1/shipments`
    pub async fn list_shipments(
        &self,
        query: &ListShipmentsQuery,
    ) -> Result<ShipmentPage, ClientError> {
        self.send(Call::new("GET", "/v1/shipments".to_owned()).query(query)?).await
    }
    /// List orders: `GET /v1/orders`
    pub async fn list_orders(
        &self,
        query: &ListOrdersQuery,
    ) -> Result<OrderPage, ClientError> {
        self.send(Call::new("GET", "/v1/orders".to_owned()).query(query)?).await
    }
    /// Batch order invoices: `POST /v1/order-invoices/batch`
    pub async fn batch_order_invoices(
        &self,
        body: &OrderInvoiceBatch,
        key: &str,
    ) -> Result<BatchResults, ClientError> {
        self.send(
                Call::new("POST", "/v1/order-invoices/batch".to_owned())
                    .body(body)?
                    .key(key),
            )
            .await
    }
}
