//! A value of a template as a part of a fragment's key.

use ::minijinja::value::{Value, ValueKind};
use serde_core::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

/// How deep a value may be nested.
const DEPTH: usize = 16;

/// Whether a value can be told from every other; if not, what is to be done about it.
pub(super) fn check(value: &Value) -> Result<(), String> {
    check_within(value, DEPTH)
}

fn check_within(value: &Value, depth: usize) -> Result<(), String> {
    if depth == 0 {
        return Err(format!("is nested more than {DEPTH} levels deep"));
    }
    let inner = |value: &Value| check_within(value, depth - 1);
    match value.kind() {
        // A name misspelt would be one fragment for all users.
        ValueKind::Undefined => Err(
            "is undefined, and would be the same for everybody: check the name, or write \
             `|default(none)` if it may be missing"
                .to_owned(),
        ),
        ValueKind::None
        | ValueKind::Bool
        | ValueKind::Number
        | ValueKind::String
        | ValueKind::Bytes => Ok(()),
        ValueKind::Seq => elements(value)?.iter().try_for_each(inner),
        ValueKind::Map => pairs(value)?
            .iter()
            .try_for_each(|(key, value)| inner(key).and_then(|()| inner(value))),
        ValueKind::Iterable => {
            Err("is an iterator, which has no value of its own: write `|list`".to_owned())
        }
        kind => Err(format!(
            "is of the kind `{kind}`: give text, numbers, or lists and maps of them, such as an id"
        )),
    }
}

fn elements(value: &Value) -> Result<Vec<Value>, String> {
    let elements = value.try_iter().map_err(|error| error.to_string())?;
    Ok(elements.collect())
}

fn pairs(value: &Value) -> Result<Vec<(Value, Value)>, String> {
    let pair = |key: Value| match value.get_item(&key) {
        Ok(found) => Ok((key, found)),
        Err(error) => Err(error.to_string()),
    };
    elements(value)?.into_iter().map(pair).collect()
}

/// A value of a template as a part of the key: each kind apart from the others, numbers by value.
pub(super) struct KeyValue<'a>(pub(super) &'a Value);

impl Serialize for KeyValue<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let value = self.0;
        match value.kind() {
            ValueKind::None => out.serialize_none(),
            ValueKind::Bool => out.serialize_bool(value.is_true()),
            ValueKind::Number => number(value, out),
            // Safe text is rendered as it is: it must not share a fragment with text that is not.
            ValueKind::String if value.is_safe() => {
                out.serialize_newtype_struct("safe", value.as_str().unwrap_or_default())
            }
            ValueKind::String => out.serialize_str(value.as_str().unwrap_or_default()),
            ValueKind::Bytes => out.serialize_bytes(value.as_bytes().unwrap_or_default()),
            ValueKind::Seq if value.is_tuple() => {
                out.serialize_newtype_struct("tuple", &Elements(value))
            }
            ValueKind::Seq => Elements(value).serialize(out),
            ValueKind::Map => {
                let mut map = out.serialize_map(None)?;
                for (key, value) in pairs(value).map_err(S::Error::custom)? {
                    map.serialize_entry(&KeyValue(&key), &KeyValue(&value))?;
                }
                map.end()
            }
            kind => Err(S::Error::custom(kind)),
        }
    }
}

fn number<S: Serializer>(value: &Value, out: S) -> Result<S::Ok, S::Error> {
    if !value.is_integer() {
        let float = f64::try_from(value.clone()).map_err(S::Error::custom)?;
        return out.serialize_f64(float);
    }
    match i128::try_from(value.clone()) {
        Ok(number) => out.serialize_i128(number),
        Err(_) => out.serialize_u128(u128::try_from(value.clone()).map_err(S::Error::custom)?),
    }
}

struct Elements<'a>(&'a Value);

impl Serialize for Elements<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut seq = out.serialize_seq(None)?;
        for element in elements(self.0).map_err(S::Error::custom)? {
            seq.serialize_element(&KeyValue(&element))?;
        }
        seq.end()
    }
}
