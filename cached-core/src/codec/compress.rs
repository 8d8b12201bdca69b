//! Making large values smaller, with LZ4.

/// The bytes, compressed; none where that is not to be had or would not help.
#[cfg(feature = "compress")]
pub(crate) fn squeeze(bytes: &[u8]) -> Option<Vec<u8>> {
    u32::try_from(bytes.len()).ok()?;
    let squeezed = lz4_flex::compress_prepend_size(bytes);
    (squeezed.len() < bytes.len()).then_some(squeezed)
}

/// The bytes as they were. What claims to become more than LZ4 can make of it is none.
#[cfg(feature = "compress")]
pub(crate) fn expand(bytes: &[u8]) -> Option<Vec<u8>> {
    const MOST: usize = 256;
    let (claimed, rest) = bytes.split_first_chunk::<4>()?;
    let claimed = usize::try_from(u32::from_le_bytes(*claimed)).ok()?;
    if claimed > rest.len().saturating_mul(MOST) {
        return None;
    }
    let expanded = lz4_flex::decompress(rest, claimed).ok()?;
    (expanded.len() == claimed).then_some(expanded)
}

#[cfg(not(feature = "compress"))]
pub(crate) fn squeeze(_: &[u8]) -> Option<Vec<u8>> {
    None
}

#[cfg(not(feature = "compress"))]
pub(crate) fn expand(_: &[u8]) -> Option<Vec<u8>> {
    None
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use super::{expand, squeeze};
    use proptest::prelude::*;

    #[test]
    fn much_of_the_same_becomes_small_and_comes_back() {
        let page = b"<li>product</li>".repeat(1000);
        let small = squeeze(&page).unwrap_or_default();
        assert!(!small.is_empty() && small.len() < page.len() / 20);
        assert_eq!(expand(&small), Some(page));
    }

    #[test]
    fn what_does_not_become_smaller_is_left_as_it_is() {
        assert_eq!(squeeze(b"abc"), None);
    }

    #[test]
    fn a_claim_of_gigabytes_is_none() {
        assert_eq!(expand(&[0xff; 40]), None);
    }

    proptest! {
        #[test]
        fn random_bytes_do_no_harm(bytes: Vec<u8>) {
            let _ = expand(&bytes);
        }
    }
}
