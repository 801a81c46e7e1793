//! JSON with the path of every value, so that a remark can say where it belongs.

use serde_json::Value;

use super::{ConvertError, MAX_BYTES};

/// Reads a whole text. Nesting is bounded by the reader of JSON (128 levels).
pub(super) fn read(text: &str) -> Result<Value, ConvertError> {
    if text.len() > MAX_BYTES {
        return Err(ConvertError::TooLarge(text.len()));
    }
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text).map_err(|error| ConvertError::NotJson(error.to_string()))
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Placed<'a> {
    pub value: &'a Value,
    pub path: String,
}

impl<'a> Placed<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, path: "$".to_owned() }
    }

    /// The value of a key, unless it is not there or null.
    pub(super) fn get(&self, key: &str) -> Option<Placed<'a>> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(Placed { value, path: format!("{}.{key}", self.path) })
    }

    /// The items of a list under a key; none when there is no list.
    pub(super) fn items(&self, key: &str) -> Vec<Placed<'a>> {
        self.get(key).map(|list| list.elements()).unwrap_or_default()
    }

    /// The items of this list.
    pub(super) fn elements(&self) -> Vec<Placed<'a>> {
        let items = self.value.as_array().map(Vec::as_slice).unwrap_or_default().iter().enumerate();
        let item = |(at, value)| Placed { value, path: format!("{}[{at}]", self.path) };
        items.map(item).collect()
    }

    /// A text that is not blank.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.value.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    /// A number from zero, also when it is written as a text.
    pub(super) fn number(&self, key: &str) -> Option<u32> {
        let value = self.get(key)?.value;
        let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
        let number = number.or_else(|| value.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64));
        number.map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.get(key)?.value.as_bool()
    }

    /// An id, which may be a text or a number.
    pub(super) fn id(&self, key: &str) -> Option<String> {
        match self.get(key)?.value {
            Value::String(id) => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        }
    }
}
