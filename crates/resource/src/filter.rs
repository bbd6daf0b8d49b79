//! The one filter language: parsed into typed conditions, evaluated in memory here, compiled to SQL in persistence.
//!
//! A filter is a JSON object with exactly one of `{"all": […]}`, `{"any": […]}`, `{"none": […]}` or
//! `{"field", "op", "value"}`. Null compares like a value that equals nothing: `eq` is false, `ne` is true.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use crate::{
    calendar::{self, Zone},
    error::{Code, Error, FieldCode, FieldError, MAX_FIELD_ERRORS, Result, step},
    resource::{Items, Link},
    scalar::{Kind, Scalar},
    shape::{Field, Shape},
    timestamp::Timestamp,
};
use serde_json::{Map, Value};

/// Deepest nesting of `all`, `any`, `none`.
pub const MOST_DEPTH: usize = 4;
/// Most conditions in one filter.
pub const MOST_LEAVES: usize = 50;
/// Most values in one condition.
pub const MOST_VALUES: usize = 100;
/// Characters of a custom field's text that are indexed. What it is compared with has fewer, so that the rest cannot matter.
pub const INDEXED_TEXT: usize = 500;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Equal to one of the values (`eq`, `in`).
    In,
    /// Equal to none of the values (`ne`, `not_in`); true for null.
    NotIn,
    /// Less than.
    Lt,
    /// At most.
    Le,
    /// Greater than.
    Gt,
    /// At least.
    Ge,
    /// Text has this within, letter for letter.
    Contains,
    /// Text begins with this, letter for letter.
    StartsWith,
    /// Null or not null.
    IsNull,
}

/// What a condition looks at.
#[derive(Clone, Debug)]
pub enum Target {
    /// A field of the record.
    Field(&'static Field),
    /// A custom field; decided by its definition.
    Custom {
        /// The key under `custom`.
        key: String,
        /// What it holds.
        kind: Kind,
    },
    /// The record's tags: `eq` and `in` find records that have one of them.
    Tags,
    /// The items of a list of the record: `eq` and `in` find records that have one of them.
    Items {
        /// The filter.
        items: &'static Items,
        /// The field of the list.
        field: &'static Field,
    },
    /// The records that visible links name beside the record.
    Linked(&'static Link),
    /// A field of the record that a reference points at: `account.grade`.
    Through {
        /// The reference.
        reference: &'static Field,
        /// The other resource.
        shape: &'static Shape,
        /// Its field.
        field: &'static Field,
    },
}

/// A typed filter. `negated` on a condition turns its answer round, null included.
#[derive(Clone, Debug)]
pub enum Filter {
    /// Every one holds.
    All(Vec<Self>),
    /// At least one holds.
    Any(Vec<Self>),
    /// A single condition.
    Leaf {
        /// What it looks at.
        target: Target,
        /// How it compares.
        op: Op,
        /// With what; one value except for `In` and `NotIn`.
        values: Vec<Scalar>,
        /// Turned round.
        negated: bool,
    },
}

/// What a filter needs to know of the outside: other resources and custom fields.
pub trait Vocabulary {
    /// The shape of another resource, if the caller may read it.
    fn shape(&self, many: &str) -> Option<&'static Shape>;
    /// The kind of a custom field of a resource.
    fn custom(&self, many: &str, key: &str) -> Option<Kind>;
    /// All custom keys of a resource, for suggestions.
    fn custom_keys(&self, many: &str) -> Vec<String>;
    /// Whether the caller may look at this field.
    fn may_see(&self, shape: &Shape, field: &Field) -> bool;
    /// This moment, for `within_last`.
    fn now(&self) -> Timestamp;
    /// The zone whose days `within_last` counts.
    fn zone(&self) -> Zone;
}

/// Every operator.
pub const OPS: &[&str] = &["eq", "ne", "lt", "le", "gt", "ge", "in", "not_in", "contains", "starts_with", "is_null", "within_last"];

/// Reads a filter against a shape.
pub fn parse(value: &Value, shape: &'static Shape, words: &dyn Vocabulary) -> Result<Filter> {
    let mut parser = Parser { shape, words, leaves: 0, errors: vec![] };
    let made = parser.node(value, "/filter", 1, false);
    match made {
        Some(filter) if parser.errors.is_empty() => Ok(filter),
        _ => Err(Error::from(Code::InvalidFilter).with_field_errors(parser.errors)),
    }
}

/// What a field path means: `name`, `tags`, `custom.key` or `account.grade`.
pub fn target(path: &str, shape: &'static Shape, words: &dyn Vocabulary) -> Result<Target, FieldError> {
    let unknown = |allowed: Vec<String>| FieldError::new("", FieldCode::UnknownField, "").with_suggestion(path, allowed);
    let hidden = || FieldError::new("", FieldCode::HiddenField, path);
    let is_hidden = |name: &str| shape.field(name).is_none_or(|field| !words.may_see(shape, field));
    if path == "tags" && shape.extensible {
        return if is_hidden("tags") { Err(hidden()) } else { Ok(Target::Tags) };
    }
    if path.starts_with("custom.") && shape.extensible && is_hidden("custom") {
        return Err(hidden());
    }
    if let Some(key) = path.strip_prefix("custom.").filter(|_| shape.extensible) {
        let kind = words.custom(shape.plural, key);
        return kind
            .map(|kind| Target::Custom { key: key.to_owned(), kind })
            .ok_or_else(|| unknown(words.custom_keys(shape.plural).into_iter().map(|k| format!("custom.{k}")).collect()));
    }
    if let Some(items) = shape.items.iter().find(|items| items.name == path) {
        let field = shape.field(items.field).filter(|field| words.may_see(shape, field)).ok_or_else(hidden)?;
        return Ok(Target::Items { items, field });
    }
    if let Some(link) = shape.links.iter().find(|link| link.name == path) {
        let other = words.shape(link.resource).ok_or_else(hidden)?;
        let seen = [link.own, link.other].into_iter().all(|name| other.field(name).is_some_and(|field| words.may_see(other, field)));
        return if seen { Ok(Target::Linked(link)) } else { Err(hidden()) };
    }
    let filterable = |s: &'static Shape| s.fields.iter().filter(|f| f.filter);
    // By the names of its own a resource is filtered by.
    let own = || {
        let fields = filterable(shape).map(|f| f.name).chain(shape.items.iter().map(|items| items.name));
        fields.chain(shape.links.iter().map(|link| link.name)).chain(shape.extensible.then_some("tags")).map(str::to_owned)
    };
    if let Some((first, rest)) = path.split_once('.') {
        let named = |f: &&'static Field| f.reference.is_some() && f.name.strip_suffix("_id") == Some(first);
        let Some(reference) = shape.fields.iter().find(named) else {
            let names = shape.fields.iter().filter(|f| f.reference.is_some()).filter_map(|f| f.name.strip_suffix("_id"));
            return Err(unknown(names.map(str::to_owned).collect()));
        };
        let other = reference.reference.and_then(|many| words.shape(many)).ok_or_else(hidden)?;
        let Some(field) = filterable(other).find(|f| f.name == rest) else {
            return Err(unknown(filterable(other).map(|f| format!("{first}.{}", f.name)).collect()));
        };
        return if words.may_see(other, field) && words.may_see(shape, reference) {
            Ok(Target::Through { reference, shape: other, field })
        } else {
            Err(hidden())
        };
    }
    match filterable(shape).find(|f| f.name == path) {
        Some(field) if words.may_see(shape, field) => Ok(Target::Field(field)),
        Some(_) => Err(hidden()),
        None => Err(unknown(own().collect())),
    }
}

struct Parser<'a> {
    shape: &'static Shape,
    words: &'a dyn Vocabulary,
    leaves: usize,
    errors: Vec<FieldError>,
}

impl Parser<'_> {
    fn fail<T>(&mut self, at: &str, code: FieldCode, about: impl Into<String>) -> Option<T> {
        self.errors.push(FieldError::new(at, code, about));
        None
    }

    fn node(&mut self, value: &Value, at: &str, depth: usize, negated: bool) -> Option<Filter> {
        // What is refused already is not read to its end.
        if self.leaves > MOST_LEAVES || self.errors.len() >= MAX_FIELD_ERRORS {
            return None;
        }
        let Value::Object(map) = value else { return self.fail(at, FieldCode::WrongType, "an object") };
        if depth > MOST_DEPTH {
            return self.fail(at, FieldCode::TooDeep, MOST_DEPTH.to_string());
        }
        const NAMES: [&str; 6] = ["all", "any", "none", "field", "op", "value"];
        if let Some(stray) = map.keys().find(|k| !NAMES.contains(&k.as_str())) {
            self.errors.push(FieldError::new(format!("{at}/{}", step(stray)), FieldCode::UnknownField, "").with_suggestion(stray, NAMES));
            return None;
        }
        // Clients that send every field of a struct send the unused ones as null.
        let given: Vec<&str> = NAMES.iter().copied().filter(|n| map.get(*n).is_some_and(|v| !v.is_null() || *n == "value")).collect();
        let one_of = "exactly one of all, any, none, or field with op and value";
        match *given.as_slice() {
            [group @ ("all" | "any" | "none")] | [group @ ("all" | "any" | "none"), "value"] => {
                let Some(Value::Array(items)) = map.get(group) else {
                    return self.fail(&format!("{at}/{group}"), FieldCode::WrongType, "an array");
                };
                if items.is_empty() {
                    return self.fail(&format!("{at}/{group}"), FieldCode::TooFewItems, "1");
                }
                // De Morgan, as it is read: `none` is a turned `any`, and a turned `any` is an `all` of turned parts.
                let turned = negated ^ (group == "none");
                let parts: Vec<Option<Filter>> =
                    items.iter().enumerate().map(|(i, item)| self.node(item, &format!("{at}/{group}/{i}"), depth + 1, turned)).collect();
                let parts: Vec<Filter> = parts.into_iter().collect::<Option<_>>()?;
                Some(if (group == "all") ^ turned { Filter::All(parts) } else { Filter::Any(parts) })
            }
            ["field", "op"] | ["field", "op", "value"] => self.leaf(map, at, negated),
            _ => self.fail(at, FieldCode::MalformedFilter, one_of),
        }
    }

    fn leaf(&mut self, map: &Map<String, Value>, at: &str, negated: bool) -> Option<Filter> {
        self.leaves += 1;
        if self.leaves > MOST_LEAVES {
            return self.fail(at, FieldCode::TooManyItems, MOST_LEAVES.to_string());
        }
        let (Some(Value::String(path)), Some(Value::String(op))) = (map.get("field"), map.get("op")) else {
            return self.fail(at, FieldCode::WrongType, "field and op are strings");
        };
        let target = match target(path, self.shape, self.words) {
            Ok(target) => target,
            Err(mut e) => {
                e.pointer = format!("{at}/field");
                self.errors.push(e);
                return None;
            }
        };
        let allowed = ops_of(&target);
        if !allowed.contains(&op.as_str()) {
            self.errors.push(FieldError::new(format!("{at}/op"), FieldCode::UnknownOperator, "").with_suggestion(op, allowed));
            return None;
        }
        let at = format!("{at}/value");
        let value = map.get("value").unwrap_or(&Value::Null);
        let (op, values) = match op.as_str() {
            "is_null" => match value {
                Value::Bool(wanted) => return Some(Filter::Leaf { target, op: Op::IsNull, values: vec![], negated: negated ^ !wanted }),
                _ => return self.fail(&at, FieldCode::WrongType, Kind::Bool.expects()),
            },
            "within_last" => match value.as_str().and_then(Duration::parse) {
                Some(duration) => return Some(self.within(&target, duration, negated)),
                None => return self.fail(&at, FieldCode::InvalidDuration, "an ISO 8601 duration such as P30D or PT12H"),
            },
            "in" | "not_in" => match value {
                Value::Array(items) if items.len() > MOST_VALUES => {
                    return self.fail(&at, FieldCode::TooManyItems, MOST_VALUES.to_string());
                }
                Value::Array(items) if items.is_empty() => return self.fail(&at, FieldCode::TooFewItems, "1"),
                Value::Array(items) => {
                    let values: Vec<Option<Scalar>> =
                        items.iter().enumerate().map(|(i, v)| self.scalar(&target, v, &format!("{at}/{i}"))).collect();
                    (if op == "in" { Op::In } else { Op::NotIn }, values.into_iter().collect::<Option<Vec<_>>>()?)
                }
                _ => return self.fail(&at, FieldCode::WrongType, "an array"),
            },
            name => {
                let op = match name {
                    "eq" => Op::In,
                    "ne" => Op::NotIn,
                    "lt" => Op::Lt,
                    "le" => Op::Le,
                    "gt" => Op::Gt,
                    "ge" => Op::Ge,
                    // A set contains its members, not parts of their names.
                    "contains" if target.is_set() => Op::In,
                    "contains" => Op::Contains,
                    _ => Op::StartsWith,
                };
                (op, vec![self.scalar(&target, value, &at)?])
            }
        };
        Some(Filter::Leaf { target, op, values, negated })
    }

    fn scalar(&mut self, target: &Target, value: &Value, at: &str) -> Option<Scalar> {
        let read = target.kind().from_json(value).map(|read| match (read, target) {
            (Scalar::Text(sought), Target::Field(field) | Target::Through { field, .. }) => Scalar::Text(field.normal_form(sought)),
            (read, _) => read,
        });
        match read {
            Ok(Scalar::Null) => self.fail(at, FieldCode::NullNotAllowed, "use is_null"),
            Ok(Scalar::Text(t)) if matches!(target, Target::Custom { .. }) && t.chars().count() >= INDEXED_TEXT => {
                self.fail(at, FieldCode::TooLong, (INDEXED_TEXT - 1).to_string())
            }
            Ok(Scalar::Text(t)) if !target.options().is_empty() && !target.options().contains(&t) => {
                self.errors.push(FieldError::new(at, FieldCode::UnknownValue, "").with_suggestion(&t, target.options().to_vec()));
                None
            }
            Ok(scalar) => Some(scalar),
            Err((code, about)) => self.fail(at, code, about),
        }
    }

    /// Whole days are the dates that end today, as the caller's calendar has them; hours end now.
    fn within(&self, target: &Target, duration: Duration, negated: bool) -> Filter {
        let (now, zone) = (self.words.now(), self.words.zone());
        let today = calendar::today(zone, now);
        let first = match duration.seconds {
            None if duration.days == 0 => calendar::days_after(today, 1),
            None => calendar::days_before(today, duration.days.unsigned_abs() - 1),
            Some(_) => calendar::today(zone, now.plus_seconds(-duration.in_seconds())),
        };
        let bounds = match (target.kind(), duration.seconds) {
            (Kind::Date, _) => [(Op::Ge, Scalar::Date(first)), (Op::Le, Scalar::Date(today))],
            (_, None) => {
                let end = calendar::start_of_day(zone, calendar::days_after(today, 1));
                [(Op::Ge, Scalar::Time(calendar::start_of_day(zone, first))), (Op::Lt, Scalar::Time(end))]
            }
            (_, Some(_)) => [(Op::Ge, Scalar::Time(now.plus_seconds(-duration.in_seconds()))), (Op::Le, Scalar::Time(now))],
        };
        let bounds = bounds.map(|(op, value)| Filter::Leaf { target: target.clone(), op, values: vec![value], negated });
        if negated { Filter::Any(bounds.into()) } else { Filter::All(bounds.into()) }
    }
}

impl Target {
    /// What its values are.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Field(field) | Self::Through { field, .. } if !field.is_set() => field.kind,
            Self::Custom { kind, .. } => *kind,
            Self::Items { items, .. } => items.kind(),
            Self::Linked(_) => Kind::Id,
            Self::Field(_) | Self::Through { .. } | Self::Tags => Kind::Text,
        }
    }

    /// Whether it is a set, of names or of records: a condition holds of one of its members.
    #[must_use]
    pub fn is_set(&self) -> bool {
        match self {
            Self::Tags | Self::Items { .. } | Self::Linked(_) => true,
            Self::Field(field) => field.is_set(),
            Self::Custom { .. } | Self::Through { .. } => false,
        }
    }

    /// As a filter says it: `amount`, `custom.route` or `account.grade`.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Field(field) => field.name.to_owned(),
            Self::Custom { key, .. } => format!("custom.{key}"),
            Self::Tags => "tags".to_owned(),
            Self::Items { items, .. } => items.name.to_owned(),
            Self::Linked(link) => link.name.to_owned(),
            Self::Through { reference, field, .. } => {
                format!("{}.{}", reference.name.strip_suffix("_id").unwrap_or(reference.name), field.name)
            }
        }
    }

    /// The field of the record that decides it, as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> String {
        match self {
            Self::Custom { key, .. } => format!("/custom/{}", step(key)),
            Self::Items { field, .. } => format!("/{}", field.name),
            Self::Through { reference, .. } => format!("/{}", reference.name),
            Self::Field(_) | Self::Tags | Self::Linked(_) => format!("/{}", self.path()),
        }
    }

    /// The values it may have, where it is one of a few.
    #[must_use]
    pub fn options(&self) -> &[String] {
        match self {
            Self::Field(field) | Self::Through { field, .. } => &field.options,
            _ => &[],
        }
    }
}

/// The operators a target offers: those an index serves.
#[must_use]
pub fn ops_of(target: &Target) -> Vec<&'static str> {
    let fits = |op: &&str| match (target, *op) {
        (target, op) if target.is_set() => matches!(op, "eq" | "ne" | "in" | "not_in" | "contains" | "is_null"),
        (Target::Custom { kind: Kind::Text, .. }, "contains") => true,
        (_, "eq" | "ne" | "in" | "not_in" | "is_null") => true,
        (_, "lt" | "le" | "gt" | "ge") => !matches!(target.kind(), Kind::Id | Kind::Bool | Kind::Json | Kind::Bytes),
        (Target::Field(f), "contains") => f.searched && f.kind == Kind::Text,
        (_, "starts_with") => target.kind() == Kind::Text && target.options().is_empty(),
        (_, "within_last") => matches!(target.kind(), Kind::Time | Kind::Date),
        _ => false,
    };
    OPS.iter().copied().filter(fits).collect()
}

/// An ISO 8601 duration of weeks, days, hours, minutes and seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Duration {
    /// Days, a week being seven of them.
    days: i64,
    /// The seconds of the hours, minutes and seconds, where the duration has such a part.
    seconds: Option<i64>,
}

impl Duration {
    fn in_seconds(self) -> i64 {
        self.days.saturating_mul(86_400).saturating_add(self.seconds.unwrap_or_default())
    }
}

/// Seconds of an ISO 8601 duration of weeks, days, hours, minutes and seconds.
#[must_use]
pub fn duration_seconds(text: &str) -> Option<i64> {
    let duration = Duration::parse(text)?;
    duration.days.checked_mul(86_400)?.checked_add(duration.seconds.unwrap_or_default())
}

impl Duration {
    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('P')?;
        let (days, time) = rest.split_once('T').map_or((rest, None), |(d, t)| (d, Some(t)));
        if rest.is_empty() || time == Some("") {
            return None;
        }
        let sum = |part: &str, units: &[(char, i64)]| -> Option<i64> {
            let (mut total, mut digits, mut units) = (0_i64, String::new(), units.iter());
            for c in part.chars() {
                if c.is_ascii_digit() {
                    digits.push(c);
                } else {
                    let (_, seconds) = units.find(|(u, _)| *u == c)?;
                    total = total.checked_add(digits.parse::<i64>().ok()?.checked_mul(*seconds)?)?;
                    digits.clear();
                }
            }
            digits.is_empty().then_some(total)
        };
        let seconds = match time {
            Some(time) => Some(sum(time, &[('H', 3_600), ('M', 60), ('S', 1)])?),
            None => None,
        };
        Some(Self { days: sum(days, &[('W', 7), ('D', 1)])?, seconds })
    }
}

impl Filter {
    /// Whether a record, as JSON, passes. `through` finds the record a reference points at.
    #[must_use]
    pub fn passes(&self, record: &Value, through: &dyn Fn(&str, &Value) -> Option<Value>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|p| p.passes(record, through)),
            Self::Any(parts) => parts.iter().any(|p| p.passes(record, through)),
            Self::Leaf { target, op, values, negated } => {
                let held: Vec<Scalar> = match target {
                    Target::Field(f) if f.is_set() => {
                        record[f.name].as_array().into_iter().flatten().map(|t| read(Kind::Text, t)).collect()
                    }
                    Target::Field(f) => vec![read(f.kind, &record[f.name])],
                    Target::Custom { key, kind } => vec![read(*kind, &record["custom"][key])],
                    Target::Tags => record["tags"].as_array().into_iter().flatten().map(|t| read(Kind::Text, t)).collect(),
                    Target::Items { items, field } => {
                        items.of(&record[field.name]).map(|text| read(items.kind(), &Value::String(text.to_owned()))).collect()
                    }
                    // Links are no part of the record: of one on its own nothing is known of them.
                    Target::Linked(_) => vec![],
                    Target::Through { reference, shape, field } => {
                        let other = through(shape.plural, &record[reference.name]);
                        vec![other.map_or(Scalar::Null, |o| read(field.kind, &o[field.name]))]
                    }
                };
                negated ^ compare(&held, *op, values)
            }
        }
    }

    /// The conditions that keep a record from passing, each as a fault at its field; none where it passes. Of conditions of which one would
    /// do, all are named.
    #[must_use]
    pub fn unmet(&self, record: &Value, through: &dyn Fn(&str, &Value) -> Option<Value>) -> Vec<FieldError> {
        if self.passes(record, through) {
            return vec![];
        }
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(|part| part.unmet(record, through)).collect(),
            Self::Leaf { target, op, values, negated } => {
                let about = format!("{} {}", target.path(), condition(*op, *negated, values, target.kind()));
                vec![FieldError::new(target.pointer(), FieldCode::Unmet, about)]
            }
        }
    }
}

/// A condition as it is written: operator and values.
fn condition(op: Op, negated: bool, values: &[Scalar], kind: Kind) -> String {
    let many = values.len() > 1;
    let word = match (op, negated) {
        (Op::In, false) | (Op::NotIn, true) => {
            if many {
                "in"
            } else {
                "eq"
            }
        }
        (Op::In, true) | (Op::NotIn, false) => {
            if many {
                "not_in"
            } else {
                "ne"
            }
        }
        (Op::Lt, false) | (Op::Ge, true) => "lt",
        (Op::Le, false) | (Op::Gt, true) => "le",
        (Op::Gt, false) | (Op::Le, true) => "gt",
        (Op::Ge, false) | (Op::Lt, true) => "ge",
        (Op::Contains, false) => "contains",
        (Op::Contains, true) => "without",
        (Op::StartsWith, false) => "starts_with",
        (Op::StartsWith, true) => "not starts_with",
        (Op::IsNull, _) => return format!("is_null {}", !negated),
    };
    let text = |value: &Scalar| match value.to_json(kind) {
        Value::String(text) => text,
        other => other.to_string(),
    };
    format!("{word} {}", values.iter().map(text).collect::<Vec<_>>().join(", "))
}

fn read(kind: Kind, value: &Value) -> Scalar {
    kind.from_json(value).unwrap_or(Scalar::Null)
}

fn compare(held: &[Scalar], op: Op, values: &[Scalar]) -> bool {
    let mut held = held.iter().filter(|v| **v != Scalar::Null);
    let first = || values.first();
    match op {
        Op::IsNull => held.next().is_none(),
        Op::In => held.any(|v| values.contains(v)),
        Op::NotIn => !held.any(|v| values.contains(v)),
        Op::Lt => held.any(|v| Some(v) < first()),
        Op::Le => held.any(|v| Some(v) <= first()),
        Op::Gt => first().is_some_and(|x| held.any(|v| v > x)),
        Op::Ge => first().is_some_and(|x| held.any(|v| v >= x)),
        Op::Contains => matches!(first(), Some(Scalar::Text(x)) if held.any(|v| matches!(v, Scalar::Text(t) if t.contains(x.as_str())))),
        Op::StartsWith => {
            matches!(first(), Some(Scalar::Text(x)) if held.any(|v| matches!(v, Scalar::Text(t) if t.starts_with(x.as_str()))))
        }
    }
}
