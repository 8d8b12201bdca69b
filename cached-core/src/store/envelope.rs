//! What stands around a value on a shared store.
//!
//! ```text
//! 1 byte   format of the envelope, 3
//! 1 byte   format of the value: 1 JSON, 2 MessagePack, 3 postcard; 1 for responses too, whose form
//!          is their own
//! 1 byte   1: compressed; 2: sealed
//! 8 bytes  when it was written, in milliseconds since 1970
//! 8 bytes  how many milliseconds it is fresh; all ones for ever
//! 8 bytes  how many milliseconds it may be served stale after that
//! 4 bytes  number of scopes, then for each 8 bytes: the version it was loaded under
//! 4 bytes  length of the key, then the key
//! …        the value
//! 8 bytes  checksum of all before, XXH3
//! ```
//! Integers are little-endian. Whatever cannot be read in full, and whatever was stored under
//! another key, is as good as absent. A cache that has keys reads nothing that is not sealed.

use std::borrow::Cow;
use std::ops::Range;

use twox_hash::XxHash3_64;

use crate::codec::{Format, Writing, compress, seal};

const ENVELOPE: u8 = 3;
const COMPRESSED: u8 = 1;
const SEALED: u8 = 2;

/// For ever.
pub(crate) const EVER: u64 = u64::MAX;

/// A value as it stands on a shared store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    pub(crate) format: Format,
    /// In milliseconds since 1970, by the clock of who wrote it.
    pub(crate) written: u64,
    /// In milliseconds; [`EVER`] for ever.
    pub(crate) fresh: u64,
    /// In milliseconds after that.
    pub(crate) stale: u64,
    /// Of the entry's scopes, in their order: 8 bytes each.
    pub(crate) versions: Cow<'a, [u8]>,
    pub(crate) key: &'a str,
    pub(crate) value: Cow<'a, [u8]>,
}

impl<'a> Envelope<'a> {
    /// The bytes for the store; none where there is no way to write them as they are to be written.
    pub(crate) fn close(&self, writing: &Writing) -> Option<Vec<u8>> {
        let large = |from: usize| self.value.len() >= from;
        let squeezed = (writing.compress_from.filter(|from| large(*from)))
            .and_then(|_| compress::squeeze(&self.value));
        let mut flags = 0;
        if squeezed.is_some() {
            flags |= COMPRESSED;
        }
        if !writing.keys.is_empty() {
            flags |= SEALED;
        }
        let mut out = self.head(flags)?;
        let value = squeezed.as_deref().unwrap_or(&self.value);
        if writing.keys.is_empty() {
            out.extend_from_slice(value);
        } else {
            let sealed = seal::seal(&writing.keys, value, &out)?;
            out.extend_from_slice(&sealed);
        }
        let sum = checksum(&out);
        out.extend_from_slice(&sum);
        Some(out)
    }

    fn head(&self, flags: u8) -> Option<Vec<u8>> {
        let mut out = vec![ENVELOPE, self.format.byte(), flags];
        for time in [self.written, self.fresh, self.stale] {
            out.extend_from_slice(&time.to_le_bytes());
        }
        let length = |n: usize| Some(u32::try_from(n).ok()?.to_le_bytes());
        out.extend_from_slice(&length(self.versions.len() / 8)?);
        out.extend_from_slice(&self.versions);
        out.extend_from_slice(&length(self.key.len())?);
        out.extend_from_slice(self.key.as_bytes());
        Some(out)
    }

    /// Reads what [`close`](Self::close) wrote for this key. A value that is neither compressed nor
    /// sealed is left where it is.
    pub(crate) fn open(bytes: &'a [u8], key: &'a str, writing: &Writing) -> Option<Self> {
        let (body, sum) = bytes.split_last_chunk::<8>()?;
        if checksum(body) != *sum {
            return None;
        }
        let ([envelope, format, flags], rest) = body.split_first_chunk::<3>()?;
        if *envelope != ENVELOPE || flags & !(COMPRESSED | SEALED) != 0 {
            return None;
        }
        let format = Format::of(*format)?;
        let (written, rest) = number(rest)?;
        let (fresh, rest) = number(rest)?;
        let (stale, rest) = number(rest)?;
        let (count, rest) = length(rest)?;
        let (versions, rest) = rest.split_at_checked(count.checked_mul(8)?)?;
        let (echoed, rest) = length(rest)?;
        let (echo, value) = rest.split_at_checked(echoed)?;
        if echo != key.as_bytes() {
            return None;
        }
        let around = body.get(..body.len() - value.len())?;
        Some(Envelope {
            format,
            written,
            fresh,
            stale,
            versions: versions.into(),
            key,
            value: unwrap(*flags, value, around, writing)?,
        })
    }
}

/// Where a value that was left where it is stands among the bytes of its entry.
pub(super) fn place(entry: &[u8], value: &[u8]) -> Range<usize> {
    let end = entry.len().saturating_sub(8);
    end.saturating_sub(value.len())..end
}

fn unwrap<'a>(
    flags: u8,
    value: &'a [u8],
    around: &[u8],
    writing: &Writing,
) -> Option<Cow<'a, [u8]>> {
    let sealed = flags & SEALED != 0;
    if sealed == writing.keys.is_empty() {
        return None;
    }
    let value = match sealed {
        true => Cow::Owned(seal::open(&writing.keys, value, around)?),
        false => Cow::Borrowed(value),
    };
    match flags & COMPRESSED != 0 {
        true => compress::expand(&value).map(Cow::Owned),
        false => Some(value),
    }
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*number), rest))
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (n, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_le_bytes(*n)).ok()?, rest))
}

/// Finds what was damaged. Against who would forge an entry there are keys: see [`seal`].
fn checksum(bytes: &[u8]) -> [u8; 8] {
    XxHash3_64::oneshot(bytes).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::{ENVELOPE, Envelope, checksum};
    use crate::codec::{Format, Writing};
    use proptest::prelude::*;

    const KEY: &str = "user:42:abc";

    fn envelope() -> Envelope<'static> {
        Envelope {
            format: Format::Json,
            written: 1_800_000_000_000,
            fresh: 60_000,
            stale: 0,
            versions: b"one byte is not enough!!".into(),
            key: KEY,
            value: b"{\"name\":\"Ada\"}".repeat(9).into(),
        }
    }

    /// Every way to write that this build has.
    fn ways() -> Vec<Writing> {
        let plain = Writing::default();
        let compressed = Writing {
            compress_from: Some(10),
            ..Writing::default()
        };
        #[cfg(feature = "seal")]
        let sealed = {
            let keys = vec![crate::codec::SealKey::new([7; 32])];
            Writing {
                compress_from: Some(10),
                keys: crate::codec::seal::Keys::new(keys),
                ..Writing::default()
            }
        };
        vec![
            plain,
            compressed,
            #[cfg(feature = "seal")]
            sealed,
        ]
    }

    fn closed(way: &Writing) -> Vec<u8> {
        envelope().close(way).unwrap_or_default()
    }

    #[test]
    fn what_was_closed_opens() {
        for way in ways() {
            assert_eq!(Envelope::open(&closed(&way), KEY, &way), Some(envelope()));
        }
    }

    #[test]
    fn another_key_is_absent() {
        for way in ways() {
            assert_eq!(Envelope::open(&closed(&way), "user:43:abc", &way), None);
        }
    }

    #[test]
    fn every_truncation_is_absent() {
        for way in ways() {
            let closed = closed(&way);
            for end in 0..closed.len() {
                assert_eq!(Envelope::open(&closed[..end], KEY, &way), None, "{end}");
            }
        }
    }

    #[test]
    fn a_format_of_another_build_is_absent() {
        let way = Writing::default();
        for (at, byte) in [(0, ENVELOPE + 1), (0, 1), (1, 99), (2, 4)] {
            let mut other = closed(&way);
            other.truncate(other.len() - 8);
            other[at] = byte;
            other.extend(checksum(&other));
            assert_eq!(Envelope::open(&other, KEY, &way), None, "{at}");
        }
    }

    #[cfg(feature = "seal")]
    #[test]
    fn a_cache_with_keys_reads_nothing_that_is_not_sealed_with_one_of_them() {
        let sealed = |byte| Writing {
            keys: crate::codec::seal::Keys::new(vec![crate::codec::SealKey::new([byte; 32])]),
            ..Writing::default()
        };
        let (plain, one, other) = (Writing::default(), sealed(1), sealed(2));
        assert_eq!(Envelope::open(&closed(&plain), KEY, &one), None);
        assert_eq!(Envelope::open(&closed(&one), KEY, &plain), None);
        assert_eq!(Envelope::open(&closed(&one), KEY, &other), None);
    }

    #[cfg(feature = "seal")]
    #[test]
    fn what_stands_around_a_sealed_value_cannot_be_changed() {
        let way = ways().pop().unwrap_or_default();
        let body = closed(&way).len() - 8;
        for at in 0..body {
            let mut forged = closed(&way);
            forged.truncate(body);
            forged[at] ^= 1;
            forged.extend(checksum(&forged));
            assert_eq!(Envelope::open(&forged, KEY, &way), None, "{at}");
        }
    }

    proptest! {
        #[test]
        fn random_bytes_are_absent(bytes: Vec<u8>) {
            for way in ways() {
                prop_assert_eq!(Envelope::open(&bytes, "k", &way), None);
            }
        }

        #[test]
        fn random_bytes_with_a_checksum_do_no_harm(mut bytes: Vec<u8>) {
            if let Some(first) = bytes.first_mut() {
                *first = ENVELOPE;
            }
            let sum = checksum(&bytes);
            bytes.extend(sum);
            for way in ways() {
                let _ = Envelope::open(&bytes, "", &way);
            }
        }

        #[test]
        fn a_changed_byte_is_absent(at in 0usize..200, change in 1u8..) {
            for way in ways() {
                let mut closed = closed(&way);
                let at = at % closed.len();
                closed[at] ^= change;
                prop_assert_eq!(Envelope::open(&closed, KEY, &way), None);
            }
        }
    }
}
