//! Typed ids: a UUIDv7 that says whose it is, so an account's id is never taken for a contact's.

/// Declares an id type over a UUID. The published schema carries `x-reference`, from which the kernel knows
/// what a field points at: existence checks, `expand` and filter paths need no second declaration.
macro_rules! typed_id {
    ($($name:ident => $many:literal;)*) => {$(
        #[doc = concat!("The id of a record in `", $many, "`.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                reference_schema($many)
            }
        }
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
        impl From<uuid::Uuid> for $name {
            fn from(id: uuid::Uuid) -> Self {
                Self(id)
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

typed_id! {
    AccountId => "accounts";
    ContactId => "contacts";
    UserId => "users";
    TeamId => "teams";
    RoleId => "roles";
    ApiKeyId => "api_keys";
    ProductId => "products";
    CategoryId => "product_categories";
    PriceBookId => "price_books";
    ExternalSystemId => "external_systems";
    CreditPolicyId => "credit_policies";
    WebhookEndpointId => "webhook_endpoints";
    WarehouseId => "warehouses";
    OrderId => "orders";
    OrderPromiseId => "order_promises";
    TaskId => "tasks";
    PipelineId => "pipelines";
    OpportunityId => "opportunities";
    BusinessCalendarId => "business_calendars";
    LeadId => "leads";
}

fn reference_schema(many: &str) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    use utoipa::openapi::{KnownFormat, ObjectBuilder, SchemaFormat, Type, extensions::Extensions};
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
        .extensions(Some(Extensions::builder().add("x-reference", many).build()))
        .into()
}
