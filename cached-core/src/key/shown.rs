//! Canonical bytes as text, where they are of a single value.

use super::canonical::LENGTH;

/// The text of a single value, as `Display` writes it; none for what holds several.
pub(crate) fn shown(raw: &[u8]) -> Option<String> {
    let (&kind, rest) = raw.split_first()?;
    Some(match kind {
        b'A'..=b'E' => signed(rest)?.to_string(),
        b'F'..=b'J' => unsigned(rest)?.to_string(),
        b'b' => (rest != [0]).to_string(),
        b'f' => f32::from_bits(unsigned(rest)?.try_into().ok()?).to_string(),
        b'd' => f64::from_bits(unsigned(rest)?.try_into().ok()?).to_string(),
        b'c' => char::from_u32(unsigned(rest)?.try_into().ok()?)?.to_string(),
        b's' => String::from_utf8(rest.get(LENGTH..)?.to_vec()).ok()?,
        b'0' | b'u' => "none".to_owned(),
        b'1' => shown(rest)?,
        b'N' => shown(rest.get(LENGTH + length(rest)?..)?)?,
        _ => return None,
    })
}

fn length(text: &[u8]) -> Option<usize> {
    unsigned(text.get(..LENGTH)?)?.try_into().ok()
}

/// Little-endian bytes, sixteen at most.
fn unsigned(bytes: &[u8]) -> Option<u128> {
    let mut wide = [0; 16];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(u128::from_le_bytes(wide))
}

fn signed(bytes: &[u8]) -> Option<i128> {
    let unused = 128 - 8 * u32::try_from(bytes.len()).ok()?;
    let wide = unsigned(bytes)?;
    // Shifted up and down again, which spreads the sign.
    Some((wide.checked_shl(unused)? as i128) >> unused)
}

#[cfg(test)]
mod tests {
    use super::super::canonical::{Bytes, bytes};
    use serde::Serialize;

    fn shown<T: Serialize>(value: T) -> Option<String> {
        match bytes(&value) {
            Bytes::Whole(raw) => super::shown(&raw),
            Bytes::Unique(_) => None,
        }
    }

    #[derive(Serialize)]
    struct UserId(u64);

    #[test]
    fn a_single_value_is_shown_as_display_writes_it() {
        assert_eq!(shown(42_u64).as_deref(), Some("42"));
        assert_eq!(shown(-42_i8).as_deref(), Some("-42"));
        assert_eq!(shown(i128::MIN), Some(i128::MIN.to_string()));
        assert_eq!(shown(u128::MAX), Some(u128::MAX.to_string()));
        assert_eq!(shown(1.5_f64).as_deref(), Some("1.5"));
        assert_eq!(shown(-0.25_f32).as_deref(), Some("-0.25"));
        assert_eq!(shown(true).as_deref(), Some("true"));
        assert_eq!(shown('ß').as_deref(), Some("ß"));
        assert_eq!(shown("Ada:B").as_deref(), Some("Ada:B"));
        assert_eq!(shown(Some(7_u8)).as_deref(), Some("7"));
        assert_eq!(shown(None::<u8>).as_deref(), Some("none"));
        assert_eq!(shown(UserId(9)).as_deref(), Some("9"));
    }

    #[test]
    fn several_values_have_no_text() {
        assert_eq!(shown((1, 2)), None);
        assert_eq!(shown(vec![1]), None);
        assert_eq!(shown(std::collections::BTreeMap::from([(1, 2)])), None);
    }

    #[test]
    fn bytes_cut_short_have_no_text() {
        for raw in [&b""[..], b"s", b"s\x01", b"N\x09\0\0\0\0\0\0\0", b"N"] {
            assert_eq!(super::shown(raw), None);
        }
    }
}
