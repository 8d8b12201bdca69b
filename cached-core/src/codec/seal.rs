//! Authenticated encryption: who can read the store can read no value, and who can write to it can
//! forge none.
//!
//! XChaCha20-Poly1305. The key of the entry, its times and its versions are authenticated with the
//! value, so that a value cannot be moved to another place. The first key seals; all of them open.

#[cfg(feature = "seal")]
pub use on::SealKey;
#[cfg(feature = "seal")]
pub(crate) use on::{Keys, open, seal};

#[cfg(not(feature = "seal"))]
pub(crate) use off::{Keys, open, seal};

#[cfg(feature = "seal")]
mod on {
    use std::sync::Arc;

    use chacha20poly1305::aead::{Aead, KeyInit, Payload};
    use chacha20poly1305::{XChaCha20Poly1305, XNonce};

    use crate::error::Error;

    /// A key that values are sealed with: 32 random bytes that every process has, and nobody else.
    ///
    /// ```
    /// use dewar::SealKey;
    ///
    /// let key = SealKey::from_hex(&"7e".repeat(32))?;
    /// assert_eq!(format!("{key:?}"), "SealKey(..)");
    /// # Ok::<(), dewar::Error>(())
    /// ```
    #[derive(Clone)]
    pub struct SealKey {
        id: [u8; 4],
        cipher: XChaCha20Poly1305,
    }

    impl SealKey {
        /// A key of 32 random bytes.
        pub fn new(bytes: [u8; 32]) -> Self {
            let mut id = [0; 4];
            let digest = blake3::derive_key("dewar 2026 the name of a key", &bytes);
            id.copy_from_slice(&digest[..4]);
            SealKey {
                id,
                cipher: XChaCha20Poly1305::new(&bytes.into()),
            }
        }

        /// A key written as 64 hexadecimal digits.
        ///
        /// # Errors
        /// It is not that. The message does not repeat it.
        pub fn from_hex(text: &str) -> Result<Self, Error> {
            let refused = || {
                Error::config(
                    "seal key",
                    "is not a key: give 64 hexadecimal digits, such as `openssl rand -hex 32` makes",
                )
            };
            let text = text.trim().as_bytes();
            let mut bytes = [0; 32];
            if text.len() != 64 {
                return Err(refused());
            }
            for (byte, digits) in bytes.iter_mut().zip(text.chunks(2)) {
                let digits = std::str::from_utf8(digits).map_err(|_| refused())?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return Err(refused());
                }
                *byte = u8::from_str_radix(digits, 16).map_err(|_| refused())?;
            }
            Ok(SealKey::new(bytes))
        }
    }

    impl std::fmt::Debug for SealKey {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("SealKey(..)")
        }
    }

    /// The keys of a cache; none of them, and nothing is sealed.
    #[derive(Clone, Default)]
    pub(crate) struct Keys(Arc<[SealKey]>);

    impl Keys {
        pub(crate) fn new(keys: Vec<SealKey>) -> Self {
            Keys(keys.into())
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.0.is_empty()
        }
    }

    /// The value, sealed with the first key: the key's name, a random number, and what is secret.
    /// None if the system has no random numbers; then nothing is to be written.
    pub(crate) fn seal(keys: &Keys, value: &[u8], around: &[u8]) -> Option<Vec<u8>> {
        let key = keys.0.first()?;
        let mut nonce = [0; 24];
        getrandom::fill(&mut nonce).ok()?;
        let payload = Payload {
            msg: value,
            aad: around,
        };
        let secret = key.cipher.encrypt(&XNonce::from(nonce), payload).ok()?;
        Some([&key.id[..], &nonce, &secret].concat())
    }

    /// The value, if one of the keys sealed it in this place.
    pub(crate) fn open(keys: &Keys, sealed: &[u8], around: &[u8]) -> Option<Vec<u8>> {
        let (id, rest) = sealed.split_first_chunk::<4>()?;
        let (nonce, secret) = rest.split_first_chunk::<24>()?;
        let nonce = XNonce::from(*nonce);
        let of_this_name = keys.0.iter().filter(|key| key.id == *id);
        of_this_name
            .filter_map(|key| {
                let payload = Payload {
                    msg: secret,
                    aad: around,
                };
                key.cipher.decrypt(&nonce, payload).ok()
            })
            .next()
    }
}

#[cfg(not(feature = "seal"))]
mod off {
    /// There are none.
    #[derive(Clone, Default)]
    pub(crate) struct Keys;

    impl Keys {
        pub(crate) fn is_empty(&self) -> bool {
            true
        }
    }

    pub(crate) fn seal(_: &Keys, _: &[u8], _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    pub(crate) fn open(_: &Keys, _: &[u8], _: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

#[cfg(all(test, feature = "seal"))]
mod tests {
    use super::{Keys, SealKey, open, seal};

    fn keys(bytes: &[u8]) -> Keys {
        Keys::new(bytes.iter().map(|byte| SealKey::new([*byte; 32])).collect())
    }

    #[test]
    fn a_sealed_value_opens_in_its_place_and_with_its_key_only() {
        let sealed = seal(&keys(&[1]), b"value", b"place").unwrap_or_default();
        assert!(!sealed.windows(5).any(|part| part == b"value"));
        let open = |by: &[u8], at: &[u8]| open(&keys(by), &sealed, at);
        assert_eq!(open(&[1], b"place").as_deref(), Some(&b"value"[..]));
        assert_eq!(open(&[2, 1], b"place").as_deref(), Some(&b"value"[..]));
        assert_eq!(open(&[1], b"elsewhere"), None);
        assert_eq!(open(&[2], b"place"), None);
    }

    #[test]
    fn no_two_seals_are_the_same() {
        let once = || seal(&keys(&[1]), b"value", b"");
        assert_ne!(once(), once());
    }

    #[test]
    fn a_key_that_is_none_is_refused_and_not_repeated() {
        for text in ["", "secret", &"zz".repeat(32), &"é".repeat(32)] {
            let error = SealKey::from_hex(text).map(drop).unwrap_err();
            assert!(error.is_config());
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
    }

    #[test]
    fn every_change_of_a_sealed_value_is_found_out() {
        let sealed = seal(&keys(&[1]), b"value", b"place").unwrap_or_default();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&keys(&[1]), &changed, b"place"), None, "{at}");
            assert_eq!(open(&keys(&[1]), &sealed[..at], b"place"), None, "{at}");
        }
    }
}
