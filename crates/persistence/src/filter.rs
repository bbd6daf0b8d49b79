//! The filter language to SQL. Every condition is a range of an index, or a look into one.

use crate::{error::Result, search, sql::Sql, store::Reader, visibility};
use samphan_resource::{
    filter::{Filter, INDEXED_TEXT, Op, Target},
    scalar::{Kind, Scalar},
    shape::Shape,
    text,
};

/// Adds a filter as one condition on the rows of `t`.
pub fn compile(sql: &mut Sql, reader: &Reader, shape: &'static Shape, filter: &Filter) -> Result<()> {
    match filter {
        Filter::All(parts) => joined(sql, reader, shape, parts, " AND "),
        Filter::Any(parts) => joined(sql, reader, shape, parts, " OR "),
        Filter::Leaf { target, op, values, negated } => {
            let (op, negated) = match op {
                Op::NotIn => (Op::In, !negated),
                other => (*other, *negated),
            };
            leaf(sql, reader, shape, target, op, values, negated)
        }
    }
}

fn joined(sql: &mut Sql, reader: &Reader, shape: &'static Shape, parts: &[Filter], word: &'static str) -> Result<()> {
    for (i, part) in parts.iter().enumerate() {
        sql.push(if i == 0 { "(" } else { word });
        compile(sql, reader, shape, part)?;
    }
    sql.push(")");
    Ok(())
}

fn leaf(sql: &mut Sql, reader: &Reader, shape: &'static Shape, target: &Target, op: Op, values: &[Scalar], negated: bool) -> Result<()> {
    match target {
        Target::Field(field) if field.is_set() => {
            // The members of a list of names; one without members is null.
            let turned = negated ^ (op == Op::IsNull);
            sql.push(if turned { "NOT EXISTS (SELECT 1 FROM " } else { "EXISTS (SELECT 1 FROM " });
            sql.each_text("t", field.name, "m").push(" WHERE 1 = 1");
            if op != Op::IsNull {
                sql.push(" AND ");
                compare(sql, "m", "value", Kind::Text, op, values);
            }
            sql.push(")");
        }
        Target::Field(field) if op == Op::IsNull => {
            sql.column("t", field.name).push(if negated { " IS NOT NULL" } else { " IS NULL" });
        }
        Target::Field(field) => {
            // Null equals nothing, so a condition turned round holds for null.
            sql.push(if negated { "(NOT (" } else { "(" });
            if op == Op::Contains {
                let needle = values.first().and_then(as_text).unwrap_or_default();
                if search::narrow(sql, shape, "t", &text::fold_part(&needle)) {
                    sql.push(" AND ");
                }
            }
            compare(sql, "t", field.name, field.kind, op, values);
            sql.push(")");
            if negated {
                sql.push(" OR ").column("t", field.name).push(" IS NULL)");
            }
        }
        Target::Linked(link) => {
            // Only links the caller may see count.
            let links = reader.shape(link.resource)?;
            let turned = negated ^ (op == Op::IsNull);
            sql.push(if turned { "t.id NOT IN (" } else { "t.id IN (" });
            sql.push("SELECT ").column("o", link.own).push(" FROM ").push(links.plural).push(" o WHERE o.deleted_at IS NULL");
            if op != Op::IsNull {
                sql.push(" AND ");
                compare(sql, "o", link.other, Kind::Id, op, values);
            }
            visibility::restrict_to_visible(sql, reader, links, "o", "read")?;
            sql.push(")");
        }
        Target::Tags | Target::Custom { .. } | Target::Items { .. } => {
            let (key, kind) = match target {
                Target::Custom { key, kind } => (format!("custom.{key}"), *kind),
                // Ids are indexed as text.
                Target::Items { items, .. } => (items.key(), Kind::Text),
                _ => ("tags".to_owned(), Kind::Text),
            };
            // `is_null` asks for no value at all.
            let turned = negated ^ (op == Op::IsNull);
            sql.push(if turned { "t.id NOT IN (" } else { "t.id IN (" });
            sql.push("SELECT v.record_id FROM record_values v WHERE v.resource = ")
                .text(shape.plural)
                .push(" AND v.key = ")
                .text(key.clone());
            if op != Op::IsNull {
                sql.push(" AND ");
                match kind {
                    Kind::Text | Kind::Date => {
                        let values: Vec<Scalar> = values.iter().map(|v| as_text(v).map_or(Scalar::Null, Scalar::Text)).collect();
                        compare(sql, "v", "text_value", Kind::Text, op, &values);
                    }
                    _ => {
                        let values: Vec<Scalar> = values.iter().map(as_number).collect();
                        compare(sql, "v", "number_value", Kind::Int, op, &values);
                    }
                }
            }
            if let (Target::Custom { key: member, .. }, Op::Contains) = (target, op) {
                // Of a long text the index has the beginning: the few that are long are looked through as they are kept.
                let needle = values.first().and_then(as_text).unwrap_or_default();
                sql.push(" UNION ALL SELECT v.record_id FROM record_values v JOIN ").push(shape.plural);
                sql.push(" o ON o.id = v.record_id WHERE v.resource = ").text(shape.plural).push(" AND v.key = ").text(key);
                sql.push(" AND length(v.text_value) >= ").int(INDEXED_TEXT.try_into().unwrap_or(i64::MAX)).push(" AND ");
                sql.contains_in_member("o", "custom", member, needle);
            }
            sql.push(")");
        }
        Target::Through { reference, shape: other, field } => {
            // Only records the caller may see count; of the others nothing is known, as of null.
            let turned = negated ^ (op == Op::IsNull);
            if turned {
                sql.push("(").column("t", reference.name).push(" IS NULL OR ").column("t", reference.name).push(" NOT IN (");
            } else {
                sql.column("t", reference.name).push(" IN (");
            }
            sql.push("SELECT o.id FROM ").push(other.plural).push(" o WHERE o.deleted_at IS NULL AND ");
            match op {
                Op::IsNull => {
                    sql.column("o", field.name).push(" IS NOT NULL");
                }
                _ => compare(sql, "o", field.name, field.kind, op, values),
            }
            visibility::restrict_to_visible(sql, reader, other, "o", "read")?;
            sql.push(if turned { "))" } else { ")" });
        }
    }
    Ok(())
}

fn compare(sql: &mut Sql, alias: &'static str, column: &'static str, kind: Kind, op: Op, values: &[Scalar]) {
    let first = || values.first().cloned().unwrap_or(Scalar::Null);
    match op {
        Op::In | Op::NotIn => match values {
            [one] => {
                sql.column(alias, column).push(" = ").bind(kind, one.clone());
            }
            many => {
                sql.column(alias, column).one_of(kind, many.iter().cloned());
            }
        },
        Op::Contains => {
            sql.contains(alias, column, as_text(&first()).unwrap_or_default());
        }
        Op::StartsWith => {
            // Text sorts by bytes on both databases, so a prefix is a range.
            let from = as_text(&first()).unwrap_or_default();
            sql.column(alias, column).push(" >= ").text(from.clone());
            if let Some(to) = after_prefix(&from) {
                sql.push(" AND ").column(alias, column).push(" < ").text(to);
            }
        }
        Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::IsNull => {
            let sign = match op {
                Op::Lt => " < ",
                Op::Le => " <= ",
                Op::Gt => " > ",
                _ => " >= ",
            };
            sql.column(alias, column).push(sign).bind(kind, first());
        }
    }
}

fn as_text(value: &Scalar) -> Option<String> {
    match value {
        Scalar::Text(t) => Some(t.clone()),
        Scalar::Date(d) => Some(d.to_string()),
        Scalar::Id(id) => Some(id.to_string()),
        _ => None,
    }
}

/// Numbers, moments and truth as the one number column of custom values holds them.
#[must_use]
pub fn as_number(value: &Scalar) -> Scalar {
    match value {
        Scalar::Int(n) => Scalar::Int(*n),
        Scalar::Bool(b) => Scalar::Int(i64::from(*b)),
        Scalar::Time(t) => Scalar::Int(t.micros()),
        _ => Scalar::Null,
    }
}

/// The least text that sorts after everything with this prefix: its last character that has a successor, moved on.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            return Some(chars.into_iter().chain([next]).collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    proptest::proptest! {
        #[test]
        fn what_begins_with_a_prefix_lies_in_its_range(prefix in ".{1,5}", rest in ".{0,5}", other: String) {
            let to = super::after_prefix(&prefix);
            let inside = |s: &str| s >= prefix.as_str() && to.as_deref().is_none_or(|t| s < t);
            let made = format!("{prefix}{rest}");
            proptest::prop_assert!(inside(&made));
            proptest::prop_assert_eq!(inside(&other), other.starts_with(&prefix));
        }
    }
}
