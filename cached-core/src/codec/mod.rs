//! Values ↔ bytes.
//!
//! A value is serialised ([`Format`]), compressed where it is large ([`compress`]) and sealed where
//! the cache has keys ([`seal`]). What was written in another way than this cache writes is read all
//! the same, as long as the feature is there; what cannot be read is nothing.
//!
//! Whether a type can be serialised is found out by method look-up (see `outcome`), so a codec is a
//! pair of functions that may be missing.

#[cfg(feature = "stores")]
pub(crate) mod compress;
#[cfg(feature = "stores")]
mod faithful;
#[cfg(all(test, feature = "stores"))]
mod faithful_tests;
#[cfg(feature = "stores")]
mod format;
#[cfg(any(feature = "msgpack", feature = "postcard"))]
mod limited;
#[cfg(feature = "stores")]
pub(crate) mod seal;

#[cfg(feature = "stores")]
pub use format::Format;
#[cfg(feature = "seal")]
pub use seal::SealKey;

#[cfg(not(feature = "stores"))]
type Format = ();

/// How values of one type travel.
#[cfg_attr(
    not(feature = "stores"),
    expect(dead_code, reason = "nothing travels anywhere")
)]
pub struct Codec<T> {
    encode: fn(&T, Format) -> Option<Vec<u8>>,
    decode: fn(&[u8], Format) -> Option<T>,
}

impl<T> Clone for Codec<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Codec<T> {}

#[cfg(feature = "stores")]
impl<T: serde_core::Serialize + serde_core::de::DeserializeOwned> Codec<T> {
    /// By serde, in any format.
    pub(crate) const SERDE: Codec<T> = Codec {
        encode: |value, format| format.encode(value),
        decode: |bytes, format| format.decode(bytes),
    };
}

#[cfg(feature = "stores")]
impl<T> Codec<T> {
    /// The value as bytes, if its own `Serialize` agrees.
    pub(crate) fn encode(&self, value: &T, format: Format) -> Option<Vec<u8>> {
        (self.encode)(value, format)
    }

    /// The value, if these are its bytes.
    pub(crate) fn decode(&self, bytes: &[u8], format: Format) -> Option<T> {
        (self.decode)(bytes, format)
    }
}

/// How a cache writes values.
#[cfg(feature = "stores")]
#[derive(Clone, Default)]
pub(crate) struct Writing {
    pub(crate) format: Format,
    /// Compressed from so many bytes on.
    pub(crate) compress_from: Option<usize>,
    pub(crate) keys: seal::Keys,
}
