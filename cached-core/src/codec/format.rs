//! How values are serialised.

use serde_core::{Serialize, de::DeserializeOwned};

use super::faithful::{Faithful, Lacks};
#[cfg(any(feature = "msgpack", feature = "postcard"))]
use super::limited::{Elements, Limited};

/// How values are serialised on a shared store.
///
/// An entry says how it was written, so processes that write differently read each other's, and the
/// format can be changed while they run. None of the formats can run code. A value that a format would
/// give back as another is not written: it stays in memory, and to `set` it is an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// JSON: readable on the store. Map keys must be strings or numbers, floats finite, and options not
    /// of what is nothing itself.
    #[default]
    Json,
    /// MessagePack, with the names of fields: smaller and faster than JSON, and like it in that a
    /// field may be added with `#[serde(default)]`, and in what options may hold. Feature `msgpack`.
    #[cfg(feature = "msgpack")]
    MessagePack,
    /// postcard: the smallest, without names of fields. An entry of another shape cannot always be
    /// told from one of this: say `version = 2` where a type changes. Without fields that are left out.
    /// Feature `postcard`.
    #[cfg(feature = "postcard")]
    Postcard,
}

impl Format {
    /// As it stands in an entry.
    pub(crate) fn byte(self) -> u8 {
        match self {
            Format::Json => 1,
            #[cfg(feature = "msgpack")]
            Format::MessagePack => 2,
            #[cfg(feature = "postcard")]
            Format::Postcard => 3,
        }
    }

    /// What a byte in an entry means, if this build can read it.
    pub(crate) fn of(byte: u8) -> Option<Format> {
        match byte {
            1 => Some(Format::Json),
            #[cfg(feature = "msgpack")]
            2 => Some(Format::MessagePack),
            #[cfg(feature = "postcard")]
            3 => Some(Format::Postcard),
            _ => None,
        }
    }

    /// A format by its name, as settings give it.
    pub(crate) fn named(name: &str) -> Option<Format> {
        match name.trim().to_ascii_lowercase().as_str() {
            "json" => Some(Format::Json),
            #[cfg(feature = "msgpack")]
            "msgpack" | "messagepack" => Some(Format::MessagePack),
            #[cfg(feature = "postcard")]
            "postcard" => Some(Format::Postcard),
            _ => None,
        }
    }

    /// The names of those that this build has.
    pub(crate) fn names() -> Vec<String> {
        let known = (0..=u8::MAX).filter_map(Format::of);
        known
            .map(|format| format!("{format:?}").to_ascii_lowercase())
            .collect()
    }

    /// The bytes that are read as this value; none if there are none.
    pub(crate) fn encode<T: Serialize>(self, value: &T) -> Option<Vec<u8>> {
        let value = Faithful::new(value, self.lacks());
        match self {
            Format::Json => serde_json::to_vec(&value).ok(),
            #[cfg(feature = "msgpack")]
            Format::MessagePack => rmp_serde::to_vec_named(&value).ok(),
            #[cfg(feature = "postcard")]
            Format::Postcard => postcard::to_stdvec(&value).ok(),
        }
    }

    fn lacks(self) -> Lacks {
        match self {
            Format::Json => Lacks {
                gaps: false,
                non_finite: true,
                some_of_nil: true,
            },
            #[cfg(feature = "msgpack")]
            Format::MessagePack => Lacks {
                gaps: false,
                non_finite: false,
                some_of_nil: true,
            },
            #[cfg(feature = "postcard")]
            Format::Postcard => Lacks {
                gaps: true,
                non_finite: false,
                some_of_nil: false,
            },
        }
    }

    /// The value, if the bytes are one and nothing else.
    pub(crate) fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Option<T> {
        match self {
            Format::Json => serde_json::from_slice(bytes).ok(),
            #[cfg(feature = "msgpack")]
            Format::MessagePack => {
                // Its own bound on depth leaves enums out.
                let mut reader = rmp_serde::Deserializer::new(bytes);
                let elements = Elements::of(bytes);
                let value = T::deserialize(Limited::new(&mut reader, &elements)).ok()?;
                reader.get_ref().is_empty().then_some(value)
            }
            #[cfg(feature = "postcard")]
            Format::Postcard => {
                let mut reader = postcard::Deserializer::from_bytes(bytes);
                let elements = Elements::of(bytes);
                let value = T::deserialize(Limited::new(&mut reader, &elements)).ok()?;
                let rest = reader.finalize().ok()?;
                rest.is_empty().then_some(value)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Format;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn formats() -> Vec<Format> {
        (0..=u8::MAX).filter_map(Format::of).collect()
    }

    #[test]
    fn bytes_and_names_lead_back() {
        for format in formats() {
            assert_eq!(Format::of(format.byte()), Some(format));
            assert_eq!(Format::named(&format!("{format:?}")), Some(format));
        }
        assert_eq!(Format::named("pickle"), None);
    }

    #[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
    enum List {
        Nil,
        Cons(Box<List>),
    }

    #[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
    enum Shape {
        Leaf,
        Tuple(u8, Box<Shape>),
        Named { of: Option<Box<Shape>> },
    }

    #[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
    struct Chain {
        next: Option<Box<Chain>>,
    }

    #[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
    struct Tree(Vec<Tree>);

    /// What a value of a recursive type begins with, again and again.
    fn level<T: serde::Serialize>(format: Format, shallow: &T, deep: &T) -> Vec<u8> {
        let (shallow, deep) = (format.encode(shallow), format.encode(deep));
        let (shallow, deep) = (shallow.unwrap_or_default(), deep.unwrap_or_default());
        deep[..deep.len() - shallow.len()].to_vec()
    }

    /// In the least that a thread has for a stack.
    fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
        let thread = std::thread::Builder::new().stack_size(1 << 20);
        assert!(thread.spawn(run).is_ok_and(|thread| thread.join().is_ok()));
    }

    #[test]
    fn bytes_that_claim_any_depth_are_none() {
        on_a_small_stack(|| {
            let json = "[".repeat(1 << 20);
            assert!(Format::Json.decode::<Tree>(json.as_bytes()).is_none());
            for format in formats().into_iter().filter(|it| *it != Format::Json) {
                let cons = |of| List::Cons(Box::new(of));
                let bytes = level(format, &List::Nil, &cons(List::Nil)).repeat(1 << 20);
                assert!(format.decode::<List>(&bytes).is_none(), "{format:?}");
                let bytes = level(format, &Tree(vec![]), &Tree(vec![Tree(vec![])]));
                assert!(format.decode::<Tree>(&bytes.repeat(1 << 20)).is_none());
                let deep = |next| Chain { next };
                let one = deep(Some(Box::new(deep(None))));
                let bytes = level(format, &deep(None), &one).repeat(1 << 20);
                assert!(format.decode::<Chain>(&bytes).is_none(), "{format:?}");
                let one = Shape::Tuple(1, Box::new(Shape::Leaf));
                let bytes = level(format, &Shape::Leaf, &one).repeat(1 << 20);
                assert!(format.decode::<Shape>(&bytes).is_none(), "{format:?}");
                let of = Some(Box::new(Shape::Leaf));
                let bytes = level(format, &Shape::Leaf, &Shape::Named { of }).repeat(1 << 20);
                assert!(format.decode::<Shape>(&bytes).is_none(), "{format:?}");
            }
        });
    }

    #[test]
    fn what_is_as_deep_as_json_can_be_is_read_in_every_format() {
        on_a_small_stack(|| {
            for format in formats() {
                let mut chain = Chain { next: None };
                for _ in 1..127 {
                    let next = Some(Box::new(chain));
                    chain = Chain { next };
                }
                let bytes = format.encode(&chain).unwrap_or_default();
                assert_eq!(format.decode::<Chain>(&bytes), Some(chain), "{format:?}");
            }
        });
    }

    #[cfg(feature = "postcard")]
    #[test]
    fn a_sequence_of_nothing_is_not_as_long_as_its_bytes_say() {
        #[derive(serde::Deserialize)]
        struct Wide {
            #[serde(skip)]
            _on_the_heap: [u64; 16],
        }
        let claimed = postcard::to_stdvec(&(1u64 << 60)).unwrap_or_default();
        let postcard = Format::Postcard;
        assert_eq!(postcard.decode::<Vec<()>>(&claimed), None);
        assert!(postcard.decode::<Vec<Wide>>(&claimed).is_none());
        let map = postcard.decode::<BTreeMap<(), ()>>(&claimed);
        assert_eq!(map, None);
        let honest = vec![(); 60_000];
        let bytes = postcard.encode(&honest).unwrap_or_default();
        assert_eq!(postcard.decode::<Vec<()>>(&bytes), Some(honest));
        let rows = vec![(7u8, (), ()); 100_000];
        let bytes = postcard.encode(&rows).unwrap_or_default();
        assert_eq!(postcard.decode::<Vec<(u8, (), ())>>(&bytes), Some(rows));
    }

    type Value = (
        Option<f64>,
        String,
        BTreeMap<u32, Vec<i128>>,
        Result<u8, char>,
    );

    proptest! {
        #[test]
        fn random_bytes_do_no_harm(bytes: Vec<u8>) {
            for format in formats() {
                let _ = format.decode::<Value>(&bytes);
                let _ = format.decode::<Vec<String>>(&bytes);
            }
        }

        #[test]
        fn a_truncated_value_is_none(text in ".{1,30}", cut in 1usize..20) {
            for format in formats() {
                let bytes = format.encode(&(7u64, text.as_str())).unwrap_or_default();
                let end = bytes.len().saturating_sub(cut);
                prop_assert_eq!(format.decode::<(u64, String)>(&bytes[..end]), None);
            }
        }

        #[test]
        fn what_follows_a_value_is_none(rest in prop::collection::vec(any::<u8>(), 1..9)) {
            for format in formats() {
                let mut bytes = format.encode(&7u64).unwrap_or_default();
                bytes.extend(rest.iter().map(|byte| byte | 0x80));
                prop_assert_eq!(format.decode::<u64>(&bytes), None);
            }
        }
    }
}
