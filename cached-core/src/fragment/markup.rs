//! Rendered text.

use std::sync::Arc;

use serde_core::{Deserialize, Deserializer, Serialize, Serializer};

/// Rendered text, cheap to clone.
#[derive(Clone)]
pub(crate) struct Markup(pub(crate) Arc<str>);

impl Serialize for Markup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Markup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Markup(text.into()))
    }
}
