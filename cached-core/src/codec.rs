//! Values ↔ bytes.
//!
//! Whether a type can be serialised is found out by method look-up (see `outcome`), so a codec is a
//! pair of functions that may be missing.

/// How values of one type travel.
#[cfg_attr(
    not(feature = "stores"),
    expect(dead_code, reason = "nothing travels anywhere")
)]
pub struct Codec<T> {
    encode: fn(&T) -> Option<Vec<u8>>,
    decode: fn(&[u8]) -> Option<T>,
}

impl<T> Clone for Codec<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Codec<T> {}

#[cfg(feature = "stores")]
impl<T: serde_core::Serialize + serde_core::de::DeserializeOwned> Codec<T> {
    /// As JSON.
    pub(crate) const JSON: Codec<T> = Codec {
        encode: |value| serde_json::to_vec(value).ok(),
        decode: |bytes| serde_json::from_slice(bytes).ok(),
    };
}

#[cfg(feature = "stores")]
impl<T> Codec<T> {
    /// The value as bytes, if its own `Serialize` agrees.
    pub(crate) fn encode(&self, value: &T) -> Option<Vec<u8>> {
        (self.encode)(value)
    }

    /// The value, if these are its bytes.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Option<T> {
        (self.decode)(bytes)
    }
}
