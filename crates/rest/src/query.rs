//! What a list is asked for: read from query parameters or from the body of a search, into one thing.

use super::{
    operation::{Parameter, RequestContext},
    strict,
};
use jsonschema::PatternOptions;
use samphan_persistence::{
    cursor,
    list::Query,
    store::{CustomFields, Reader},
    visibility,
};
use samphan_resource::{
    calendar::Zone,
    caller::FieldAccess,
    error::{Code, Error, FieldCode, FieldError, Result},
    filter::{self, Filter, Op, Target, Vocabulary},
    page::Sort,
    reference::AnyReference,
    resource::{Details, POSITION},
    scalar::{Kind, Scalar},
    shape::{Field, Shape, Sorting},
    text,
    timestamp::Timestamp,
};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

/// Rows of a page when the request does not say, and at most.
const PAGE_SIZES: (usize, usize) = (50, 200);
/// Most records expanded.
const MAX_EXPANDED: usize = 5;
/// What stands between a field and how its range parameter compares.
const RANGES: [(&str, Op, &str); 4] = [
    ("_gte", Op::Ge, "At or after, at least."),
    ("_gt", Op::Gt, "After, more than."),
    ("_lte", Op::Le, "At or before, at most."),
    ("_lt", Op::Lt, "Before, less than."),
];

/// A list request: filter, sort, page, fields and expansions.
#[derive(Debug)]
pub struct ListRequest {
    /// The rows.
    pub query: Query,
    /// Fields to answer; all when none are named.
    pub fields: Option<Vec<&'static str>>,
    /// References to follow: the name to answer under, the field, the other resource.
    pub expand: Vec<Expand>,
    /// Whether and how to count.
    pub count: Count,
    /// What the cursor is bound to.
    pub binding: String,
}

/// A reference to follow, or records that belong to the record.
#[derive(Clone, Debug)]
pub struct Expand {
    /// Its name: `account` for `account_id`.
    pub name: String,
    /// How the other records are found.
    pub by: ExpandBy,
}

/// How the records to be answered with another are found.
#[derive(Clone, Copy, Debug)]
pub enum ExpandBy {
    /// The record's field names one of this resource.
    Reference(&'static Field, &'static Shape),
    /// The record's fields name one, by resource and id.
    Any(&'static Field, &'static Field),
    /// They are of this resource, and name the record.
    Details(&'static Details, &'static Shape),
}

impl Expand {
    /// The fields of the record to be followed, if there are any.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        let fields = match self.by {
            ExpandBy::Reference(field, _) => [Some(field), None],
            ExpandBy::Any(resource, id) => [Some(resource), Some(id)],
            ExpandBy::Details(..) => [None, None],
        };
        fields.into_iter().flatten()
    }
}

/// Whether and how to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Not.
    None,
    /// As the planner guesses, where there is one.
    Estimated,
    /// By counting.
    Exact,
}

/// The parameters of a single read.
#[must_use]
pub fn read_parameters(shape: &Shape) -> Vec<Parameter> {
    let mut all = vec![Parameter::new(
        "fields",
        string(2000),
        "Fields to answer, separated by commas; all when left out. Beside them come only `id` and, in records, `available_actions`, whatever the schema requires.",
    )];
    if !expandable(shape).is_empty() {
        all.push(Parameter::new(
            "expand",
            string(200),
            format!("References to answer in full under `expanded`, at most {MAX_EXPANDED}, such as `{}`.", expandable(shape).join(",")),
        ));
    }
    all
}

/// The parameters of a list.
#[must_use]
pub fn list_parameters(shape: &Shape) -> Vec<Parameter> {
    let sorts: Vec<&str> = shape.fields.iter().filter(|f| f.sorting != Sorting::No).map(|f| f.name).collect();
    let mut all = vec![
        Parameter::new(
            "limit",
            json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": PAGE_SIZES.1, "default": PAGE_SIZES.0}),
            "Records a page.",
        ),
        Parameter::new(
            "cursor",
            string(4000),
            "`next_cursor` of the page before. It belongs to the same filter and sort. It does not expire; when the keys of the service are rotated it works for 30 days more.",
        ),
        Parameter::new(
            "sort",
            string(200),
            match default_sort(shape, shape.nested) {
                Some(own) => format!(
                    "Up to three of {}, separated by commas; `-` before one for descending. The id is always last. By `{own}` when left out.",
                    sorts.join(", ")
                ),
                None => format!(
                    "Up to three of {}, separated by commas; `-` before one for descending. The id is always last.",
                    sorts.join(", ")
                ),
            },
        ),
        Parameter::new(
            "count",
            json!({"type": "string", "enum": ["none", "estimated", "exact"], "default": "none"}),
            "Adds `total`, or `total_at_least` where counting takes longer than a read may.",
        ),
        Parameter::new("filter", string(10_000), "A filter of the filter language as JSON, see the schema `Filter`."),
    ];
    all.extend(read_parameters(shape));
    if shape.fields.iter().any(|f| f.searched) {
        all.push(Parameter::new(
            "q",
            json!({"type": "string", "minLength": 1, "maxLength": 200}),
            "Words to be found, in any language and anywhere within words.",
        ));
    }
    for field in shape.fields.iter().filter(|f| f.filter) {
        let is = if field.options.is_empty() { String::new() } else { format!(": {}", field.options.join(", ")) };
        all.push(Parameter::new(
            field.name,
            string(4000),
            format!(
                "Only records whose {} is this, or one of these, separated by commas (`\\,` for a comma within a value){is}.",
                field.name
            ),
        ));
        if matches!(field.kind, Kind::Time | Kind::Date | Kind::Int | Kind::Decimal { .. }) {
            all.extend(RANGES.iter().map(|(suffix, _, about)| Parameter::new(format!("{}{suffix}", field.name), string(50), *about)));
        }
    }
    for items in shape.items {
        let about = match items.member {
            Some(member) => format!("Only records with this {member} in `{}`, or one of these, separated by commas.", items.field),
            None => format!(
                "Only records with this item in `{}`, or one of these, separated by commas (`\\,` for a comma within an item).",
                items.field
            ),
        };
        all.push(Parameter::new(items.name, string(4000), about));
    }
    for link in shape.links {
        let about = format!(
            "Only records that one of the {} you may read links with this {}, or one of these, separated by commas. Links that have ended count, deleted ones do not.",
            link.resource.replace('_', " "),
            link.other
        );
        all.push(Parameter::new(link.name, string(4000), about));
    }
    if shape.extensible {
        all.push(Parameter::new(
            "tags",
            string(1000),
            "Only records with this tag, or one of these, separated by commas (`\\,` for a comma within a tag).",
        ));
    }
    all
}

fn string(longest: usize) -> Value {
    json!({"type": "string", "maxLength": longest})
}

fn expandable(shape: &Shape) -> Vec<String> {
    let references = shape.fields.iter().filter(|f| f.reference.is_some()).filter_map(|f| f.name.strip_suffix("_id"));
    let any = shape.any_references.iter().map(AnyReference::name);
    references.chain(any).chain(shape.details.iter().map(|d| d.name)).map(str::to_owned).collect()
}

/// The custom fields, time zone and permissions that filters are parsed with.
pub struct FilterContext<'a> {
    reader: &'a Reader,
    custom: Arc<CustomFields>,
    zone: Zone,
}

impl<'a> FilterContext<'a> {
    /// For a reader.
    pub async fn of(reader: &'a Reader) -> Result<FilterContext<'a>> {
        Ok(FilterContext { reader, custom: reader.custom_fields().await?, zone: reader.caller_zone().await? })
    }

    /// Reads a filter. What remembered definitions do not know may have been defined a moment ago, by another process.
    pub async fn parse(&mut self, value: &Value, shape: &'static Shape) -> Result<Filter> {
        match filter::parse(value, shape, self) {
            Err(_) if value.to_string().contains("\"custom.") => {
                self.custom = self.reader.current_custom_fields().await?;
                filter::parse(value, shape, self)
            }
            parsed => parsed,
        }
    }
}

impl Vocabulary for FilterContext<'_> {
    fn shape(&self, many: &str) -> Option<&'static Shape> {
        let shape = self.reader.store.shapes.get(many).copied()?;
        visibility::may_read(self.reader, shape).then_some(shape)
    }

    fn custom(&self, many: &str, key: &str) -> Option<Kind> {
        self.custom.get(&(many.to_owned(), key.to_owned())).map(|f| f.kind.kind())
    }

    fn custom_keys(&self, many: &str) -> Vec<String> {
        self.custom.keys().filter(|(m, _)| m == many).map(|(_, k)| k.clone()).collect()
    }

    fn may_see(&self, shape: &Shape, field: &Field) -> bool {
        self.reader.caller.access(shape, field) >= FieldAccess::ReadOnly
    }

    fn now(&self) -> Timestamp {
        self.reader.now
    }

    fn zone(&self) -> Zone {
        self.zone
    }
}

/// Parses the query parameters, or the body of a search. `parent` is the record the list belongs to.
pub async fn parse_list_request(
    reader: &Reader,
    shape: &'static Shape,
    call: &RequestContext,
    parent: Option<(&'static str, Uuid)>,
) -> Result<ListRequest> {
    let from_body = !call.body.is_empty() || call.query.is_empty();
    let given: HashMap<String, String> = if from_body {
        call.body.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), as_parameter(v))).collect()
    } else {
        call.query.clone()
    };
    let get = |name: &str| given.get(name).map(String::as_str);
    let mut words = FilterContext::of(reader).await?;
    let mut faults: Vec<FieldError> = vec![];
    let (mut parts, mut said): (Vec<Filter>, String) = (vec![], String::new());
    if let Some(json) = get("filter") {
        let mut value = strict::parse(json.as_bytes()).map_err(|malformed| {
            let twice = malformed.errors.into_iter().map(|fault| FieldError { pointer: format!("/filter{}", fault.pointer), ..fault });
            let faults: Vec<FieldError> = twice.collect();
            let unread = || vec![FieldError::new("?filter", FieldCode::MalformedJson, "one JSON object")];
            Error::from(Code::InvalidFilter).with_field_errors(if faults.is_empty() { unread() } else { faults })
        })?;
        // Text is stored composed, so it is compared composed; NUL is named by the filter's own reading.
        super::body::clean(&mut value, "", &mut vec![]);
        parts.push(words.parse(&value, shape).await?);
        // As it is said, not as it is meant now: `within_last` means another moment on every page.
        value.sort_all_objects();
        said = value.to_string();
    }
    let typed = if from_body { vec![] } else { typed_filters(shape, &given, &words, &mut faults) };
    let typed_said = format!("{typed:?}");
    parts.extend(typed);
    let sort =
        get("sort").or_else(|| default_sort(shape, parent.is_some())).map(|s| Sort::parse(s, shape)).transpose()?.unwrap_or_default();
    if let Some(key) = sort.keys.iter().find(|k| !words.may_see(shape, k.field)) {
        faults.push(FieldError::new("?sort", FieldCode::HiddenField, key.field.name));
    }
    if get("q").is_some() && !may_search(reader, shape) {
        faults.push(FieldError::new("?q", FieldCode::HiddenField, "a searched field"));
    }
    let fields = fields(shape, get("fields"), &mut faults);
    let expand = expand(shape, get("expand"), &words, &mut faults);
    if !faults.is_empty() {
        return Err(Error::from(Code::InvalidQuery).with_field_errors(faults));
    }
    let q = get("q").map(str::to_owned);
    let filter = (!parts.is_empty()).then_some(Filter::All(parts));
    let parent_id = parent.map(|(_, id)| id.to_string()).unwrap_or_default();
    let binding = cursor::binding(&[
        shape.plural,
        &parent_id,
        &said,
        &typed_said,
        &format!("{:?}", sort_text(&sort)),
        q.as_deref().unwrap_or_default(),
    ]);
    let after = get("cursor").map(|c| reader.store.read_cursor(&binding, c)).transpose()?;
    let limit = get("limit").and_then(|l| l.parse().ok()).unwrap_or(PAGE_SIZES.0).clamp(1, PAGE_SIZES.1);
    let count = match get("count") {
        Some("exact") => Count::Exact,
        Some("estimated") => Count::Estimated,
        _ => Count::None,
    };
    Ok(ListRequest { query: Query { filter, parent, q, sort, after, limit }, fields, expand, count, binding })
}

/// The order of a list that is not asked for in another: that of the records themselves, where all of the list are in one.
fn default_sort(shape: &Shape, is_nested: bool) -> Option<&'static str> {
    shape.ordered.filter(|within| within.is_empty() || is_nested).map(|_| POSITION)
}

/// Whether the caller sees every field the search looks in, of the record and of its indexed children: a search over a
/// hidden field would disclose its values.
#[must_use]
pub fn may_search(reader: &Reader, shape: &Shape) -> bool {
    let speaks = |child: &Shape| {
        let parents = child.parents.iter().filter_map(|name| child.field(name).and_then(|f| f.reference));
        child.fields.iter().any(|f| f.searched) && parents.into_iter().any(|many| many == shape.plural)
    };
    let looked_in = |f: &&Field| f.searched || matches!(f.name, "tags" | "external_refs");
    let seen = |shape: &Shape| shape.fields.iter().filter(looked_in).all(|f| reader.caller.access(shape, f) >= FieldAccess::ReadOnly);
    seen(shape) && reader.store.shapes.values().filter(|child| speaks(child)).all(|child| seen(child))
}

fn sort_text(sort: &Sort) -> Vec<(&'static str, bool)> {
    sort.keys.iter().map(|k| (k.field.name, k.descending)).chain([("id", sort.id_descending)]).collect()
}

/// A member of a search body as the query parameter of the same name would say it.
fn as_parameter(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn typed_filters(
    shape: &'static Shape,
    given: &HashMap<String, String>,
    words: &FilterContext<'_>,
    faults: &mut Vec<FieldError>,
) -> Vec<Filter> {
    let mut parts = vec![];
    for (name, text) in given {
        let ranged = || RANGES.iter().find_map(|(suffix, op, _)| Some((name.strip_suffix(suffix)?, *op)));
        let (path, op) = if shape.is_filtered_by(name) { (name.as_str(), Op::In) } else { ranged().unwrap_or((name, Op::In)) };
        if !shape.is_filtered_by(path) {
            continue;
        }
        let target = match filter::target(path, shape, words) {
            Ok(target) => target,
            Err(fault) => {
                faults.push(FieldError { pointer: format!("?{name}"), ..fault });
                continue;
            }
        };
        let read = |part: &str| -> std::result::Result<Scalar, FieldError> {
            match &target {
                Target::Field(field) => field.parse(part).map_err(|(code, about)| match code {
                    FieldCode::UnknownValue => FieldError::new(format!("?{name}"), code, "").with_suggestion(part, field.options.clone()),
                    _ => FieldError::new(format!("?{name}"), code, about),
                }),
                Target::Tags => Ok(Scalar::Text(part.trim().to_lowercase())),
                other => other.kind().parse(part).map_err(|(code, about)| FieldError::new(format!("?{name}"), code, about)),
            }
        };
        let values: Vec<_> = if op == Op::In { listed(text).iter().map(|part| read(part)).collect() } else { vec![read(text)] };
        if values.len() > filter::MOST_VALUES {
            faults.push(FieldError::new(format!("?{name}"), FieldCode::TooManyItems, filter::MOST_VALUES.to_string()));
            continue;
        }
        let mut good = vec![];
        for value in values {
            match value {
                Ok(value) => good.push(value),
                Err(fault) => faults.push(fault),
            }
        }
        parts.push(Filter::Leaf { target, op, values: good, negated: false });
    }
    // A cursor is bound to the filter, whatever order the parameters came in.
    parts.sort_by_cached_key(|p| format!("{p:?}"));
    parts
}

/// The values of a list separated by commas, in which `\,` stands for a comma and `\\` for a backslash within a value.
fn listed(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let escaped = if c == '\\' { characters.next_if(|next| matches!(next, ',' | '\\')) } else { None };
        match (escaped, c) {
            (None, ',') => values.push(String::new()),
            (escaped, c) => values.iter_mut().last().into_iter().for_each(|value| value.push(escaped.unwrap_or(c))),
        }
    }
    values
}

/// The fields named, if any.
pub fn fields(shape: &'static Shape, text: Option<&str>, faults: &mut Vec<FieldError>) -> Option<Vec<&'static str>> {
    let text = text?;
    let mut chosen = vec![];
    for name in text.split(',').map(str::trim) {
        match shape.field(name) {
            Some(field) => chosen.push(field.name),
            None => faults
                .push(FieldError::new("?fields", FieldCode::UnknownField, "").with_suggestion(name, shape.fields.iter().map(|f| f.name))),
        }
    }
    Some(chosen)
}

/// The references to follow, if any.
pub fn expand(shape: &'static Shape, text: Option<&str>, words: &dyn Vocabulary, faults: &mut Vec<FieldError>) -> Vec<Expand> {
    let mut all = vec![];
    for name in text.into_iter().flat_map(|t| t.split(',')).map(str::trim) {
        if let Some(details) = shape.details.iter().find(|d| d.name == name) {
            match words.shape(details.resource) {
                Some(other) => all.push(Expand { name: name.to_owned(), by: ExpandBy::Details(details, other) }),
                None => faults.push(FieldError::new("?expand", FieldCode::HiddenField, name)),
            }
            continue;
        }
        if let Some(any) = shape.any_references.iter().find(|any| any.name() == name) {
            match [any.resource, any.id].map(|field| shape.field(field).filter(|f| words.may_see(shape, f))) {
                [Some(resource), Some(id)] => all.push(Expand { name: name.to_owned(), by: ExpandBy::Any(resource, id) }),
                _ => faults.push(FieldError::new("?expand", FieldCode::HiddenField, name)),
            }
            continue;
        }
        let field = shape.fields.iter().find(|f| f.reference.is_some() && f.name.strip_suffix("_id") == Some(name));
        match field.and_then(|f| f.reference.map(|many| (f, many))) {
            Some((field, many)) if words.may_see(shape, field) => {
                if let Some(other) = words.shape(many) {
                    all.push(Expand { name: name.to_owned(), by: ExpandBy::Reference(field, other) });
                } else {
                    faults.push(FieldError::new("?expand", FieldCode::HiddenField, name));
                }
            }
            Some(_) => faults.push(FieldError::new("?expand", FieldCode::HiddenField, name)),
            None => faults.push(FieldError::new("?expand", FieldCode::UnknownField, "").with_suggestion(name, expandable(shape))),
        }
    }
    if all.len() > MAX_EXPANDED {
        faults.push(FieldError::new("?expand", FieldCode::TooManyItems, MAX_EXPANDED.to_string()));
    }
    all
}

/// Holds query parameters against what the operation declares: nothing unknown, nothing twice, nothing missing, everything of its type.
pub fn check(parameters: [&[Parameter]; 2], pairs: Vec<(String, String)>) -> Result<HashMap<String, String>> {
    let parameters = || parameters.into_iter().flatten();
    let mut faults = vec![];
    let mut given = HashMap::new();
    for (name, value) in pairs {
        let at = format!("?{name}");
        let Some(parameter) = parameters().find(|p| p.name == name) else {
            faults.push(FieldError::new(at, FieldCode::UnknownParameter, "").with_suggestion(&name, parameters().map(|p| p.name.clone())));
            continue;
        };
        faults.extend(check_value(&parameter.schema, &value).map(|mut fault| {
            fault.pointer.clone_from(&at);
            fault
        }));
        // Text is stored composed, so it is sought composed.
        if given.insert(name.clone(), text::nfc(&value).into_owned()).is_some() {
            faults.push(FieldError::new(at, FieldCode::Repeated, ""));
        }
    }
    let missing = parameters().filter(|p| p.required && !given.contains_key(&p.name));
    faults.extend(missing.map(|p| FieldError::new(format!("?{}", p.name), FieldCode::Required, "")));
    if faults.is_empty() { Ok(given) } else { Err(Error::from(Code::InvalidQuery).with_field_errors(faults)) }
}

fn check_value(schema: &Value, value: &str) -> Option<FieldError> {
    let fault = |code, about: String| Some(FieldError::new("", code, about));
    if value.contains('\0') {
        return fault(FieldCode::NulCharacter, String::new());
    }
    let chars = value.chars().count() as u64;
    match schema["type"].as_str() {
        Some("integer") => match value.parse::<i64>() {
            Err(_) => return fault(FieldCode::WrongType, Kind::Int.expects().to_owned()),
            Ok(n) if schema["minimum"].as_i64().is_some_and(|least| n < least) => {
                return fault(FieldCode::TooSmall, schema["minimum"].to_string());
            }
            Ok(n) if schema["maximum"].as_i64().is_some_and(|most| n > most) => {
                return fault(FieldCode::TooLarge, schema["maximum"].to_string());
            }
            Ok(_) => {}
        },
        Some("boolean") if value.parse::<bool>().is_err() => return fault(FieldCode::WrongType, Kind::Bool.expects().to_owned()),
        _ => {}
    }
    let options: Vec<&str> = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !options.is_empty() && !options.contains(&value) {
        return Some(FieldError::new("", FieldCode::UnknownValue, "").with_suggestion(value, options));
    }
    match schema["format"].as_str() {
        Some("uuid") if Kind::Id.parse(value).is_err() => return fault(FieldCode::WrongType, Kind::Id.expects().to_owned()),
        Some("date") if Kind::Date.parse(value).is_err() => return fault(FieldCode::InvalidDate, Kind::Date.expects().to_owned()),
        _ => {}
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        // Few parameters have one, so it is not kept compiled.
        let fits = jsonschema::options().with_pattern_options(PatternOptions::regex()).build(schema);
        if !fits.is_ok_and(|fits| fits.is_valid(&json!(value))) {
            return fault(FieldCode::InvalidFormat, pattern.to_owned());
        }
    }
    if schema["maxLength"].as_u64().is_some_and(|most| chars > most) {
        return fault(FieldCode::TooLong, schema["maxLength"].to_string());
    }
    if schema["minLength"].as_u64().is_some_and(|least| chars < least) {
        return fault(FieldCode::TooShort, schema["minLength"].to_string());
    }
    None
}
