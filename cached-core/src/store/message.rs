//! What processes say to each other: which scopes were invalidated, and, where somebody is known to
//! wait for it, that a load has ended.
//!
//! ```text
//! 1 byte   format, 1
//! 1 byte   0: these scopes are invalid; 1: they have expired; 2: is this heard?;
//!          3: a load has ended
//! 8 bytes  who says it
//! then for each scope 2 bytes of length, and its name; of a load the key of its lease
//! ```

const FORMAT: u8 = 1;
/// A message is no longer than that; what does not fit goes into the next.
///
/// PostgreSQL takes 8,000 characters, and two are needed for a byte.
const LONGEST: usize = 3500;

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// These scopes were invalidated.
    Invalid { scopes: Vec<String>, soft: bool },
    /// Nothing: the channel is tried out.
    Hello,
    /// The load with this lease has ended.
    Loaded(String),
}

/// Something said by somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) from: u64,
    pub(crate) said: Said,
}

/// The messages that say that these scopes were invalidated.
///
/// # Errors
/// A name is too long for any message; then everything is to be said.
pub(crate) fn invalid<'a>(
    from: u64,
    scopes: impl Iterator<Item = &'a String>,
    soft: bool,
) -> Option<Vec<Vec<u8>>> {
    let begin = || head(from, u8::from(soft));
    let (mut all, mut message, empty) = (Vec::new(), begin(), begin().len());
    for scope in scopes {
        let length = u16::try_from(scope.len()).ok()?;
        if empty + 2 + scope.len() > LONGEST {
            return None;
        }
        if message.len() + 2 + scope.len() > LONGEST && message.len() > empty {
            all.push(std::mem::replace(&mut message, begin()));
        }
        message.extend_from_slice(&length.to_le_bytes());
        message.extend_from_slice(scope.as_bytes());
    }
    if message.len() > empty {
        all.push(message);
    }
    Some(all)
}

/// The message that tries out the channel.
pub(crate) fn hello(from: u64) -> Vec<u8> {
    head(from, 2)
}

/// The message that says that a load has ended.
pub(crate) fn loaded(from: u64, lease: &str) -> Vec<u8> {
    let mut message = head(from, 3);
    message.extend_from_slice(lease.as_bytes());
    message
}

fn head(from: u64, kind: u8) -> Vec<u8> {
    let mut message = vec![FORMAT, kind];
    message.extend_from_slice(&from.to_le_bytes());
    message
}

/// Reads a message; none for what is none.
pub(crate) fn read(bytes: &[u8]) -> Option<Message> {
    let ([format, kind], rest) = bytes.split_first_chunk::<2>()?;
    if *format != FORMAT {
        return None;
    }
    let (from, mut rest) = rest.split_first_chunk::<8>()?;
    let from = u64::from_le_bytes(*from);
    let soft = match (kind, rest.is_empty()) {
        (2, true) => {
            return Some(Message {
                from,
                said: Said::Hello,
            });
        }
        (3, false) => {
            let lease = String::from_utf8(rest.to_vec()).ok()?;
            let said = Said::Loaded(lease);
            return Some(Message { from, said });
        }
        (0 | 1, false) => *kind == 1,
        _ => return None,
    };
    let mut scopes = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (scope, after) = after.split_at_checked(u16::from_le_bytes(*length).into())?;
        scopes.push(String::from_utf8(scope.to_vec()).ok()?);
        rest = after;
    }
    let said = Said::Invalid { scopes, soft };
    Some(Message { from, said })
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Message, Said, hello, invalid, read};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_said_is_heard(from: u64, scopes in prop::collection::vec(".{1,40}", 1..40), soft: bool) {
            let messages = invalid(from, scopes.iter(), soft).unwrap_or_default();
            let heard: Vec<String> = messages.iter().flat_map(|message| match read(message) {
                Some(Message { from: who, said: Said::Invalid { scopes, soft: kind } }) => {
                    assert_eq!((who, kind), (from, soft));
                    scopes
                }
                other => panic!("{other:?}"),
            }).collect();
            prop_assert_eq!(heard, scopes);
        }

        #[test]
        fn the_end_of_a_load_is_heard(from: u64, lease in ".{1,40}") {
            let heard = read(&super::loaded(from, &lease));
            prop_assert_eq!(heard, Some(Message { from, said: Said::Loaded(lease) }));
        }

        #[test]
        fn random_bytes_do_no_harm(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }

    #[test]
    fn many_scopes_are_several_messages() {
        let scopes: Vec<String> = (0..5000).map(|n| format!("tag {n:030}")).collect();
        let messages = invalid(1, scopes.iter(), false).unwrap_or_default();
        assert!(messages.len() > 1);
        assert!(messages.iter().all(|message| message.len() <= LONGEST));
    }

    #[test]
    fn a_name_that_fits_into_no_message_is_refused() {
        let scopes = ["x".repeat(LONGEST)];
        assert_eq!(invalid(1, scopes.iter(), false), None);
    }

    #[test]
    fn a_truncated_message_is_none() {
        let scopes = ["tag a".to_owned(), "tag b".to_owned()];
        let whole = invalid(7, scopes.iter(), false)
            .unwrap_or_default()
            .remove(0);
        for end in 0..whole.len() {
            let cut = read(&whole[..end]);
            let fewer = end == 10 + 2 + 5;
            assert_eq!(cut.is_some(), fewer, "{end}");
        }
        assert_eq!(
            read(&hello(3)).map(|message| message.said),
            Some(Said::Hello)
        );
    }
}
