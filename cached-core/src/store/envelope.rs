//! What stands around a value on a shared store.
//!
//! ```text
//! 1 byte   format, 1
//! 8 bytes  when it expires, in milliseconds since 1970; all ones for never
//! 4 bytes  number of scopes, then for each 8 bytes: the version it was loaded under
//! 4 bytes  length of the key, then the key
//! …        the value
//! 8 bytes  checksum of all before
//! ```
//! Integers are little-endian. Whatever cannot be read in full, and whatever was stored under
//! another key, is as good as absent.

const FORMAT: u8 = 1;

/// A value as it stands on a shared store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// In milliseconds since 1970.
    pub(crate) expires: u64,
    /// Of the entry's scopes, in their order.
    pub(crate) versions: Vec<u64>,
    pub(crate) key: String,
    pub(crate) value: Vec<u8>,
}

impl Envelope {
    pub(crate) fn seal(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        out.extend_from_slice(&self.expires.to_le_bytes());
        length(&mut out, self.versions.len());
        for version in &self.versions {
            out.extend_from_slice(&version.to_le_bytes());
        }
        length(&mut out, self.key.len());
        out.extend_from_slice(self.key.as_bytes());
        out.extend_from_slice(&self.value);
        let sum = checksum(&out);
        out.extend_from_slice(&sum);
        out
    }

    /// Reads what [`seal`](Self::seal) wrote for this key.
    pub(crate) fn open(bytes: &[u8], key: &str) -> Option<Envelope> {
        let (body, sum) = bytes.split_last_chunk::<8>()?;
        if checksum(body) != *sum {
            return None;
        }
        let (format, rest) = body.split_first()?;
        if *format != FORMAT {
            return None;
        }
        let (expires, rest) = rest.split_first_chunk::<8>()?;
        let (count, mut rest) = take_length(rest)?;
        let mut versions = Vec::new();
        for _ in 0..count {
            let (version, after) = rest.split_first_chunk::<8>()?;
            versions.push(u64::from_le_bytes(*version));
            rest = after;
        }
        let (written, rest) = take_length(rest)?;
        let (echo, value) = rest.split_at_checked(written)?;
        (echo == key.as_bytes()).then(|| Envelope {
            expires: u64::from_le_bytes(*expires),
            versions,
            key: key.to_owned(),
            value: value.to_vec(),
        })
    }
}

fn length(out: &mut Vec<u8>, n: usize) {
    // More than that fits into no store.
    out.extend_from_slice(&u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes());
}

fn take_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (n, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_le_bytes(*n)).ok()?, rest))
}

fn checksum(bytes: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.copy_from_slice(&blake3::hash(bytes).as_bytes()[..8]);
    sum
}

#[cfg(test)]
mod tests {
    use super::Envelope;
    use proptest::prelude::*;

    fn envelope() -> Envelope {
        Envelope {
            expires: 1_800_000_000_000,
            versions: vec![1, u64::MAX, 7],
            key: "user:42:abc".into(),
            value: b"{\"name\":\"Ada\"}".to_vec(),
        }
    }

    #[test]
    fn what_was_sealed_opens() {
        let sealed = envelope().seal();
        assert_eq!(Envelope::open(&sealed, "user:42:abc"), Some(envelope()));
    }

    #[test]
    fn another_key_is_absent() {
        assert_eq!(Envelope::open(&envelope().seal(), "user:43:abc"), None);
    }

    #[test]
    fn every_truncation_is_absent() {
        let sealed = envelope().seal();
        for end in 0..sealed.len() {
            assert_eq!(Envelope::open(&sealed[..end], "user:42:abc"), None, "{end}");
        }
    }

    proptest! {
        #[test]
        fn random_bytes_are_absent(bytes: Vec<u8>) {
            prop_assert_eq!(Envelope::open(&bytes, "k"), None);
        }

        #[test]
        fn a_changed_byte_is_absent(at in 0usize..80, change in 1u8..) {
            let mut sealed = envelope().seal();
            let at = at % sealed.len();
            sealed[at] ^= change;
            prop_assert_eq!(Envelope::open(&sealed, "user:42:abc"), None);
        }
    }
}
