//! An API key: how a machine signs in, directly or by OAuth2 client credentials.

use crate::id::{RoleId, UserId};
use samphan_resource::{example, reference::OnDelete, resource::Resource, timestamp::Timestamp, transition::Transition};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

/// A machine's key. Its secret is shown once, when it is made or rotated, and stored hashed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct ApiKey {
    /// Who uses it.
    #[schema(min_length = 1, max_length = 100, example = "Express accounting")]
    pub name: String,
    /// What it may do.
    #[schema(min_items = 1, max_items = 20)]
    pub role_ids: Vec<RoleId>,
    /// Permissions it is cut down to, of those its roles grant; all of them when empty. One that no operation asks for, or that the
    /// roles do not grant, is refused. What the roles lose later, the key loses.
    #[schema(max_items = 2000)]
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Codes of the external systems it may write for; any when empty.
    #[schema(max_items = 50)]
    #[serde(default)]
    pub systems: Vec<String>,
    /// When it stops working; a year from its making when left out.
    pub expires_at: Option<Timestamp>,
    /// Addresses it may call from, as IP addresses or networks such as `10.0.0.0/8`; any when empty. Behind a proxy the
    /// client's address is known where the proxy is a trusted one (`SAMPHAN_TRUSTED_PROXIES`).
    #[schema(max_items = 100)]
    #[serde(default)]
    pub allowed_addresses: Vec<String>,
    /// The beginning of its secret, to tell keys apart.
    #[schema(read_only, max_length = 20)]
    #[serde(default)]
    pub prefix: String,
    /// Whether it works; ended by `revoke`.
    #[schema(read_only)]
    #[serde(default)]
    pub status: ApiKeyStatus,
    /// The user who answers for the key: who made it, or who rotated it last. The key works only while this user may sign in; none for a
    /// key that Samphan itself made.
    #[schema(read_only)]
    #[serde(default)]
    pub responsible_id: Option<UserId>,
}

/// Whether a key works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApiKeyStatus {
    /// It works until it expires.
    #[default]
    Active,
    /// It does not, for good.
    Revoked,
}

impl Resource for ApiKey {
    const PLURAL: &'static str = "api_keys";
    const SINGULAR: &'static str = "api_key";
    const DESCRIPTION: &'static str = "Keys of machines, also their OAuth2 client credentials.";
    const EVENTS: &'static [&'static str] = &["api_key.issued", "api_key.export_started", "api_key.export_finished"];
    const FILTERS: &'static [&'static str] = &["name", "status", "created_by_id", "responsible_id"];
    const SORTS: &'static [&'static str] = &["name"];
    const COLLATED: &'static [&'static str] = &["name"];
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] =
        &[Transition::within("rotate", &["active"], Some("rotated")), Transition::new("revoke", &["active"], "revoked", "revoked")];
    const ON_DELETE: &'static [(&'static str, OnDelete)] = &[("role_ids", OnDelete::RefuseIn(&["active"]))];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({"role_ids": [example::id("roles")], "scopes": ["accounts:read"], "prefix": "smp_01a2", "responsible_id": example::id("administrators")})
    }

    fn example_change() -> Value {
        json!({"name": "Express accounting, Bangkok"})
    }
}
