//! What can go wrong, as stable codes. How it is worded, and in which language, is the API's business.

use uuid::Uuid;

macro_rules! codes {
    ($($name:ident = $text:literal, $status:literal, $about:literal;)*) => {
        /// The stable code of a problem; the one list of them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $about] $name,)* }

        impl Code {
            /// All of them, in the order they are documented.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As it stands in a problem.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status it is answered with.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// What it means and what to do, in English, for the page at its `type` address.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)* }
            }
        }
    };
}

codes! {
    MalformedJson = "malformed_json", 400, "The body is not one JSON value in UTF-8, or an object in it has a name twice; `errors` says where.";
    TooDeep = "too_deep", 400, "The JSON is nested deeper than 64 levels.";
    InvalidQuery = "invalid_query", 400, "A query parameter is unknown, repeated or malformed; `errors` names each with what is allowed.";
    InvalidFilter = "invalid_filter", 400, "The filter breaks the filter language; `errors` says where.";
    InvalidCursor = "invalid_cursor", 400, "The cursor was altered or belongs to another query; start again without it.";
    InvalidHeader = "invalid_header", 400, "A request header has a value that cannot be used.";
    InvalidGrant = "invalid_grant", 401, "The e-mail and password, client credentials or refresh token are not valid.";
    Unauthenticated = "unauthenticated", 401, "No valid access token or API key was sent.";
    Forbidden = "forbidden", 403, "The caller may see this but not do it; `allowed` names every permission that is missing.";
    NotFound = "not_found", 404, "There is no such record, or the caller may not see it.";
    UnknownPath = "unknown_path", 404, "There is no such address in this API.";
    MethodNotAllowed = "method_not_allowed", 405, "The address exists but not with this method; see the Allow header.";
    NotAcceptable = "not_acceptable", 406, "The operation answers in another format than Accept names; `allowed` says which: application/json but for exports and event streams.";
    AlreadyExists = "already_exists", 409, "Another record holds a value that must be unique; `conflicts` names it.";
    IllegalTransition = "illegal_transition", 409, "The record's state does not allow this; `allowed` lists what it does.";
    InUse = "in_use", 409, "Other records depend on this one; `conflicts` names some.";
    LastAdministrator = "last_administrator", 409, "The change would leave no administrator: an active user with a password, whose roles grant everything and hide nothing. Give another user such a role first.";
    CustomerBlocked = "customer_blocked", 409, "The customer's stage is `blocked`: nothing is sold or promised. Move it to another stage with `change-lifecycle` first.";
    ExitCriteria = "exit_criteria", 409, "The opportunity does not meet the exit criteria of a stage that it would leave or pass; `errors` names each condition. Meet them, or send `force` with the permission `opportunities:force-stage`.";
    StageInUse = "stage_in_use", 409, "Opportunities are in the stage; the detail says how many. Use `remove-stage` with `move_to`, or `stage_map` of `retire`.";
    NextInProgress = "next_in_progress", 409, "The next occurrence of the series was changed or is done already; `conflicts` names it.";
    AlreadyConverted = "already_converted", 409, "The lead was converted before; `conflicts` names what it became.";
    LikelyMatch = "likely_match", 409, "Records that are likely of the same customer exist; `conflicts` names them. Name one by `id`, or say with `on_likely` whether to use the likeliest or to create a new record.";
    DuplicateHidden = "duplicate_hidden", 409, "A record that the caller does not see is certainly of the same customer. Ask a colleague who sees all customers to convert the lead.";
    PossibleDuplicate = "possible_duplicate", 409, "Another record is probably of the same thing; `conflicts` names it. If it is not, send the request again with `allow_duplicate=true`.";
    Conflict = "conflict", 409, "The request conflicts with the present state.";
    InsufficientStock = "insufficient_stock", 409, "Less is available than is asked for; `errors` says where and how much there is, `conflicts` names the stock levels.";
    IdempotencyInProgress = "idempotency_in_progress", 409, "The first request with this Idempotency-Key is still running; try again shortly.";
    VersionConflict = "version_conflict", 412, "The record has changed since the version named in If-Match.";
    PreconditionFailed = "precondition_failed", 412, "The record exists already and If-None-Match: * asked for it not to.";
    TooLarge = "too_large", 413, "The body is larger than the limit.";
    UnsupportedMediaType = "unsupported_media_type", 415, "The body must be application/json (or application/merge-patch+json for PATCH), in UTF-8, without Content-Encoding.";
    ValidationFailed = "validation_failed", 422, "The body is well formed but breaks a rule; `errors` says where, what is allowed and the nearest valid name.";
    IdempotencyKeyReused = "idempotency_key_reused", 422, "This Idempotency-Key was used with another body.";
    UnknownReference = "unknown_reference", 422, "The body points at a record that does not exist or is not visible.";
    UnknownExternalId = "unknown_external_id", 422, "No external reference of this system maps the id to a record the caller may write to; map it, or send the record's own id.";
    TooCostly = "too_costly", 422, "The read would take longer than the time limit. Narrow the filter, search for longer words (three characters or more), or leave out `count`.";
    ControlTotalMismatch = "control_total_mismatch", 422, "The snapshot's control totals do not match what was received; nothing was marked missing.";
    PreconditionRequired = "precondition_required", 428, "This record may only be written with If-Match.";
    RateLimited = "rate_limited", 429, "Too many requests; see Retry-After.";
    Internal = "internal", 500, "Something went wrong here; quote the request id.";
    Unavailable = "unavailable", 503, "The database cannot be reached or is too busy; try again after Retry-After.";
    Timeout = "timeout", 408, "The body did not arrive in time.";
}

macro_rules! field_codes {
    ($($name:ident = $text:literal, $about:literal;)*) => {
        /// The stable code of a fault in one place of a request; the one list of them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum FieldCode {
            $(#[doc = $about] $name,)*
            /// An item of a batch that is done whole or not at all failed with the problem's code.
            Item(Code),
        }

        impl FieldCode {
            /// All that are no problem's code, in the order they are documented.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As it stands in `errors[].code`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* Self::Item(code) => code.as_str() }
            }

            /// What it means, in English, for the document.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)* Self::Item(code) => code.about() }
            }
        }
    };
}

field_codes! {
    UnknownField = "unknown_field", "There is no such field here.";
    UnknownParameter = "unknown_parameter", "The operation has no such query parameter.";
    UnknownValue = "unknown_value", "The value is not one of those allowed; `allowed` lists them.";
    UnknownOperator = "unknown_operator", "The filter operator does not fit the field; `allowed` lists those that do.";
    UnknownSortKey = "unknown_sort_key", "The list cannot be sorted by it; `allowed` lists the sort keys.";
    UnknownReference = "unknown_reference", "There is no such record, or the caller may not see it.";
    UnknownExternalId = "unknown_external_id", "No external reference of the system maps the id.";
    UnknownCurrency = "unknown_currency", "The code is not an ISO 4217 currency.";
    UnknownTimeZone = "unknown_time_zone", "The name is not an IANA time zone.";
    UnknownTaxCode = "unknown_tax_code", "The product's tax code has no rate on the day of the document.";
    Required = "required", "The value is missing.";
    NullNotAllowed = "null_not_allowed", "The value must not be null.";
    WrongType = "wrong_type", "The value is of another JSON type.";
    TooLong = "too_long", "The text has more characters than the limit.";
    TooShort = "too_short", "The text has fewer characters than the limit.";
    TooLarge = "too_large", "The number is larger than the limit.";
    TooSmall = "too_small", "The number is smaller than the limit.";
    TooMuch = "too_much", "The amount is more than what is left.";
    TooDeep = "too_deep", "The filter is nested deeper than the limit.";
    TooManyItems = "too_many_items", "The array has more items than the limit.";
    TooFewItems = "too_few_items", "The array has fewer items than the limit.";
    TooManyDecimals = "too_many_decimals", "The decimal has more places than are kept.";
    TooManyLevels = "too_many_levels", "The hierarchy would have more levels than the limit.";
    OutOfRange = "out_of_range", "The value is outside the allowed range.";
    Repeated = "repeated", "The name, item or line is given more than once.";
    InvalidValue = "invalid_value", "The value does not fit the field for a reason no other code tells.";
    InvalidFormat = "invalid_format", "The text does not have the required form.";
    InvalidTime = "invalid_time", "The text is not an RFC 3339 time with an offset.";
    InvalidDate = "invalid_date", "The text is not a date YYYY-MM-DD between 1900 and 2200.";
    InvalidDuration = "invalid_duration", "The text is not an ISO 8601 duration of weeks, days, hours, minutes and seconds.";
    InvalidEmail = "invalid_email", "The text is not an e-mail address.";
    InvalidPhone = "invalid_phone", "The text is not a telephone number of the country.";
    InvalidTaxId = "invalid_tax_id", "The text is not a Thai tax id: 13 digits with a check digit.";
    InvalidBranchCode = "invalid_branch_code", "The text is not a branch code of five digits.";
    TimeWithoutOffset = "time_without_offset", "The time has neither Z nor an offset.";
    InvisibleCharacter = "invisible_character", "The text holds a control character or an invisible one.";
    NotOneLine = "not_one_line", "The text is not one line.";
    NulCharacter = "nul_character", "The text holds the NUL character.";
    MalformedJson = "malformed_json", "The text is not one JSON value.";
    MalformedFilter = "malformed_filter", "The object is neither a condition nor a group of conditions.";
    SortKeyMustBeFirst = "sort_key_must_be_first", "The sort key can only be the first.";
    Ambiguous = "ambiguous", "Values are given that exclude each other.";
    AmbiguousKey = "ambiguous_key", "None or several of the keys are given of which one is needed.";
    NotAllowed = "not_allowed", "The value cannot be set or changed here.";
    HiddenField = "hidden_field", "A field rule hides the field from the caller.";
    ProtectedField = "protected_field", "A field rule keeps the caller from changing the field.";
    BeyondOwnRights = "beyond_own_rights", "The caller would give rights it does not have.";
    WeakPassword = "weak_password", "The password is too easy to guess.";
    WrongPassword = "wrong_password", "The password is not the present one.";
    InactiveUser = "inactive_user", "The user is not active.";
    NotAPerson = "not_a_person", "The record is not a private person.";
    Circular = "circular", "The records would name one another in a ring.";
    RefersToItself = "refers_to_itself", "The record or value names itself.";
    InPast = "in_past", "The moment is not in the future.";
    InTheFuture = "in_the_future", "The moment is in the future.";
    AsOfInFuture = "as_of_in_future", "The moment of what is told is more than five minutes ahead of now.";
    BeforeStart = "before_start", "The end lies before the start.";
    Superseded = "superseded", "Something newer is known already.";
    SameAsOfDifferentValues = "same_as_of_different_values", "Something else was told of the same moment and revision.";
    InvoiceRefused = "invoice_refused", "The balance is not applied, because an invoice of the same account was refused.";
    ControlTotalMismatch = "control_total_mismatch", "The control total does not match what was received.";
    OtherLedger = "other_ledger", "The snapshot is of another system, entity or currency.";
    AheadOfFeed = "ahead_of_feed", "The position is ahead of the feed.";
    AddressNotAllowed = "address_not_allowed", "The address is not a public one.";
    OtherCurrency = "other_currency", "The record is of another currency.";
    NotOfPriceBook = "not_of_price_book", "The currency is not the price book's.";
    NoPriceBook = "no_price_book", "No price book applies.";
    NoPrice = "no_price", "The price book has no price for the line.";
    Discontinued = "discontinued", "The product is no longer sold.";
    NotOfAccount = "not_of_account", "The record belongs to another account.";
    NotConfirmed = "not_confirmed", "The order is not confirmed.";
    Shipped = "shipped", "The goods are shipped, in a shipment, or invoiced.";
    Invoiced = "invoiced", "The goods are invoiced.";
    InsufficientStock = "insufficient_stock", "Less is available than is asked for.";
    OnHand = "on_hand", "The serial number or lot is on hand already.";
    NotOnHand = "not_on_hand", "The serial number or lot is not on hand there.";
    NothingThere = "nothing_there", "Nothing is reserved for the order in that warehouse.";
    NotStocked = "not_stocked", "The product is a service or the warehouse is closed: nothing is kept in stock.";
    NotForSale = "not_for_sale", "The goods of the warehouse are not for sale.";
    Closed = "closed", "The warehouse is closed.";
    NotActive = "not_active", "The record no longer holds.";
    NothingNamed = "nothing_named", "The item says nothing of what it is about.";
    AmbiguousLimit = "ambiguous_limit", "The kind of the limit and its amount exclude each other.";
    UseAction = "use_action", "The value is changed by an action of the record: the message names it.";
    NotInPipeline = "not_in_pipeline", "The stage is none of the pipeline that fits; `allowed` lists those that do.";
    MustSumTo100 = "must_sum_to_100", "The shares do not add up to 100 percent.";
    Unmet = "unmet", "The record does not meet the condition: the message says it in the filter language.";
    NeverOpen = "never_open", "The business calendar has no open time within ten years.";
    Tracked = "tracked", "The product is tracked by lot or serial number and is not counted as a whole.";
}

impl FieldCode {
    /// The code of that text, as rules across fields hand it over.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

/// Most faults named in one answer: a short request can have thousands, and each names what would do.
pub const MAX_FIELD_ERRORS: usize = 100;

/// One fault in a request: where, what, and what would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// A JSON pointer into the body, or `?name` for a query parameter.
    pub pointer: String,
    /// A stable code such as `unknown_field` or `too_long`.
    pub code: FieldCode,
    /// What the message is about: a limit, a format; never the value that was sent.
    pub about: String,
    /// What would have been accepted.
    pub allowed: Vec<String>,
    /// The nearest valid name.
    pub did_you_mean: Option<String>,
}

impl FieldError {
    /// A fault at `pointer`.
    pub fn new(pointer: impl Into<String>, code: FieldCode, about: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, about: about.into(), allowed: vec![], did_you_mean: None }
    }

    /// With what is allowed, and of those the nearest to what was sent.
    #[must_use]
    pub fn with_suggestion<S: Into<String>>(mut self, sent: &str, allowed: impl IntoIterator<Item = S>) -> Self {
        self.allowed = allowed.into_iter().map(Into::into).collect();
        self.did_you_mean = nearest(sent, &self.allowed);
        self
    }
}

/// Longest name that is compared with others, in bytes.
const MAX_SUGGESTION_BYTES: usize = 100;

/// The name most like `sent`, if any is like it at all; none for what is too long to be a slip.
#[must_use]
pub fn nearest(sent: &str, names: &[String]) -> Option<String> {
    // To compare takes time and memory by the product of both lengths, and nothing that long is a slip of the pen.
    if sent.len() > MAX_SUGGESTION_BYTES {
        return None;
    }
    let sent = sent.to_lowercase();
    let length = sent.chars().count();
    let near = |name: &str| 1 + name.chars().count() / 3;
    names
        .iter()
        // Of what is much longer or shorter nothing need be compared: that takes time and memory by both lengths.
        .filter(|name| length.abs_diff(name.chars().count()) <= near(name))
        .map(|name| (strsim::damerau_levenshtein(&sent, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= near(name))
        .min()
        .map(|(_, name)| name.clone())
}

/// A name as a step of a JSON pointer.
#[must_use]
pub fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A record that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Conflict {
    /// Its resource, such as `accounts`.
    pub resource: String,
    /// Its id.
    pub id: Uuid,
    /// The field whose value it holds.
    pub field: String,
}

/// A refusal: a code and what is needed to act on it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", code.as_str())]
pub struct Error {
    /// What went wrong.
    pub code: Code,
    /// What in particular; never a value that was sent.
    pub detail: String,
    /// Faults in the request.
    pub errors: Vec<FieldError>,
    /// Records in the way.
    pub conflicts: Vec<Conflict>,
    /// What would be allowed: transitions, methods, permissions.
    pub allowed: Vec<String>,
    /// Seconds after which to try again.
    pub retry_after: Option<u64>,
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self { code, detail: String::new(), errors: vec![], conflicts: vec![], allowed: vec![], retry_after: None }
    }
}

impl Error {
    /// With what in particular.
    #[must_use]
    pub fn with_detail(mut self, about: impl Into<String>) -> Self {
        self.detail = about.into();
        self
    }

    /// With what would be allowed.
    #[must_use]
    pub fn with_allowed<S: Into<String>>(mut self, allowed: impl IntoIterator<Item = S>) -> Self {
        self.allowed = allowed.into_iter().map(Into::into).collect();
        self
    }

    /// With faults in the request, the first [`MOST_FAULTS`] of them.
    #[must_use]
    pub fn with_field_errors(mut self, mut errors: Vec<FieldError>) -> Self {
        errors.truncate(MAX_FIELD_ERRORS);
        self.errors = errors;
        self
    }

    /// With a record that stands in the way.
    #[must_use]
    pub fn with_conflict(mut self, resource: &str, id: Uuid, field: &str) -> Self {
        self.conflicts.push(Conflict { resource: resource.to_owned(), id, field: field.to_owned() });
        self
    }

    /// With the seconds after which to try again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// One fault in the body.
    #[must_use]
    pub fn invalid(error: FieldError) -> Self {
        Self::from(Code::ValidationFailed).with_field_errors(vec![error])
    }

    /// A reference in the body to a record that there is not, or that the caller does not see.
    #[must_use]
    pub fn unknown_reference(pointer: impl Into<String>, resource: &str) -> Self {
        Self::from(Code::UnknownReference).with_field_errors(vec![FieldError::new(pointer, FieldCode::UnknownReference, resource)])
    }
}

/// What every operation answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_only_when_it_is_near() {
        let names = ["created_at", "name", "owner_id"].map(str::to_owned);
        assert_eq!(nearest("creatd_at", &names).as_deref(), Some("created_at"));
        assert_eq!(nearest("zzzzzzzz", &names), None);
        assert_eq!(nearest(&"name".repeat(1_000_000), &names), None);
    }

    // To compare all of it would take a table of gigabytes.
    #[test]
    fn nothing_is_near_a_name_of_a_megabyte() {
        let names: Vec<String> = (0..100).map(|n| format!("name_{n}")).collect();
        assert_eq!(nearest(&"n".repeat(1 << 20), &names), None);
    }

    #[test]
    fn every_code_is_one_of_a_kind() {
        let mut seen = std::collections::HashSet::new();
        assert!(Code::ALL.iter().all(|c| seen.insert(c.as_str()) && (400..=503).contains(&c.status())));
    }

    #[test]
    fn every_code_of_a_field_is_one_of_a_kind_and_is_found_by_its_text() {
        let mut seen = std::collections::HashSet::new();
        assert!(FieldCode::ALL.iter().all(|c| seen.insert(c.as_str()) && FieldCode::named(c.as_str()) == Some(*c)));
    }
}
