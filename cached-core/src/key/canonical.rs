//! The canonical bytes of a value: equal values, equal bytes; different values, different bytes.
//!
//! Every value is preceded by a byte for its kind and every length is written out, so no two
//! values run into each other. Maps are sorted by their keys' bytes. Floats count by value.

use std::fmt::{self, Display, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_core::ser::{self, Serialize};

use super::stable::Stable;

/// The canonical bytes of a value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Bytes {
    /// The value's bytes.
    Whole(Box<[u8]>),
    /// The value's own `Serialize` failed: such a key is equal to no other.
    Unique(u64),
}

/// Serialises a value; a value whose `Serialize` fails gets bytes that nothing else has.
pub(crate) fn bytes<T: Serialize + ?Sized>(value: &T) -> Bytes {
    static FAILED: AtomicU64 = AtomicU64::new(0);
    let mut out = Vec::new();
    match value.serialize(Writer(&mut out)) {
        Ok(()) => Bytes::Whole(out.into()),
        Err(_) => Bytes::Unique(FAILED.fetch_add(1, Ordering::Relaxed)),
    }
}

/// The same for a set: the order in which it gives its elements does not count.
pub(crate) fn set_bytes<T: Serialize>(elements: impl Iterator<Item = T>) -> Bytes {
    let mut sorted: Vec<Bytes> = elements.map(|element| bytes(&element)).collect();
    sorted.sort_by(|a, b| a.raw().cmp(b.raw()));
    let mut out = Vec::new();
    for element in &sorted {
        match element {
            Bytes::Whole(raw) => text(&mut out, b'e', raw),
            Bytes::Unique(_) => return element.clone(),
        }
    }
    Bytes::Whole(out.into())
}

impl Bytes {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Bytes::Whole(raw) => raw.len(),
            Bytes::Unique(_) => 0,
        }
    }

    /// The same for a shared store. What has no bytes gets a number: it is found by nobody.
    pub(crate) fn stable(&self, out: &mut Stable) {
        match self {
            Bytes::Whole(raw) => out.bytes(raw),
            Bytes::Unique(number) => {
                out.bytes(b"unique");
                out.bytes(&super::random().to_le_bytes());
                out.bytes(&number.to_le_bytes());
            }
        }
    }

    fn raw(&self) -> &[u8] {
        match self {
            Bytes::Whole(raw) => raw,
            Bytes::Unique(_) => &[],
        }
    }
}

/// The failure of a value's own `Serialize`.
#[derive(Debug)]
pub(crate) struct Failed;

impl Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value could not be serialised")
    }
}

impl std::error::Error for Failed {}

impl ser::Error for Failed {
    fn custom<T: Display>(_message: T) -> Self {
        Failed
    }
}

/// Bytes that a length takes.
pub(super) const LENGTH: usize = size_of::<u64>();

fn text(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    out.push(kind);
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

struct Writer<'a>(&'a mut Vec<u8>);

impl<'a> Writer<'a> {
    fn fixed(self, kind: u8, bytes: &[u8]) -> Result<(), Failed> {
        self.0.push(kind);
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn open(self, kind: u8, name: &str) -> Many<'a> {
        text(self.0, kind, name.as_bytes());
        Many { out: self.0 }
    }

    /// With all its names: an untagged enum around it shows nothing of its own.
    fn variant(self, kind: u8, name: &str, index: u32, variant: &str) -> Many<'a> {
        text(self.0, kind, name.as_bytes());
        self.0.extend_from_slice(&index.to_le_bytes());
        text(self.0, b':', variant.as_bytes());
        Many { out: self.0 }
    }
}

/// Each type has a kind of its own: in an untagged enum `-1i64` stands where `u64::MAX` does.
macro_rules! integers {
    ($($name:ident $t:ty as $kind:literal),*) => {$(
        fn $name(self, v: $t) -> Result<(), Failed> { self.fixed($kind, &v.to_le_bytes()) }
    )*};
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = Failed;
    type SerializeSeq = Many<'a>;
    type SerializeTuple = Many<'a>;
    type SerializeTupleStruct = Many<'a>;
    type SerializeTupleVariant = Many<'a>;
    type SerializeMap = Map<'a>;
    type SerializeStruct = Many<'a>;
    type SerializeStructVariant = Many<'a>;

    integers!(serialize_i8 i8 as b'A', serialize_i16 i16 as b'B', serialize_i32 i32 as b'C');
    integers!(serialize_i64 i64 as b'D', serialize_i128 i128 as b'E', serialize_u8 u8 as b'F');
    integers!(serialize_u16 u16 as b'G', serialize_u32 u32 as b'H', serialize_u64 u64 as b'I');
    integers!(serialize_u128 u128 as b'J');

    fn serialize_bool(self, v: bool) -> Result<(), Failed> {
        self.fixed(b'b', &[u8::from(v)])
    }

    fn serialize_f32(self, v: f32) -> Result<(), Failed> {
        let bits = super::Part::own(&v);
        self.fixed(b'f', &bits.to_le_bytes())
    }

    fn serialize_f64(self, v: f64) -> Result<(), Failed> {
        let bits = super::Part::own(&v);
        self.fixed(b'd', &bits.to_le_bytes())
    }

    fn serialize_char(self, v: char) -> Result<(), Failed> {
        self.fixed(b'c', &u32::from(v).to_le_bytes())
    }

    fn serialize_str(self, v: &str) -> Result<(), Failed> {
        text(self.0, b's', v.as_bytes());
        Ok(())
    }

    /// A `Display` that fails is a `Serialize` that does.
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Failed> {
        let mut text = String::new();
        write!(text, "{value}").map_err(|_| Failed)?;
        self.serialize_str(&text)
    }

    fn serialize_bytes(self, v: &[u8]) -> Result<(), Failed> {
        text(self.0, b'y', v);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Failed> {
        self.fixed(b'0', &[])
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Failed> {
        self.0.push(b'1');
        value.serialize(Writer(self.0))
    }

    fn serialize_unit(self) -> Result<(), Failed> {
        self.fixed(b'u', &[])
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<(), Failed> {
        text(self.0, b'U', name.as_bytes());
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<(), Failed> {
        self.variant(b'v', name, index, variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        text(self.0, b'N', name.as_bytes());
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        let many = self.variant(b'n', name, index, variant);
        value.serialize(Writer(many.out))
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Many<'a>, Failed> {
        Ok(self.open(b'[', ""))
    }

    fn serialize_tuple(self, _len: usize) -> Result<Many<'a>, Failed> {
        Ok(self.open(b'(', ""))
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Many<'a>, Failed> {
        Ok(self.open(b'(', name))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Many<'a>, Failed> {
        Ok(self.variant(b'V', name, index, variant))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Map<'a>, Failed> {
        Ok(Map {
            out: self.0,
            pairs: Vec::new(),
            key: Vec::new(),
        })
    }

    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<Many<'a>, Failed> {
        Ok(self.open(b'{', name))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Many<'a>, Failed> {
        Ok(self.variant(b'W', name, index, variant))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// Elements one after the other, and a mark at the end.
struct Many<'a> {
    out: &'a mut Vec<u8>,
}

impl Many<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        self.out.push(b',');
        value.serialize(Writer(self.out))
    }

    fn close(self) -> Result<(), Failed> {
        self.out.push(b'.');
        Ok(())
    }
}

macro_rules! many {
    ($($trait:ident $method:ident),*) => {$(
        impl ser::$trait for Many<'_> {
            type Ok = ();
            type Error = Failed;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
                self.element(value)
            }
            fn end(self) -> Result<(), Failed> { self.close() }
        }
    )*};
}

many!(SerializeSeq serialize_element, SerializeTuple serialize_element);
many!(SerializeTupleStruct serialize_field, SerializeTupleVariant serialize_field);

macro_rules! fields {
    ($($trait:ident),*) => {$(
        impl ser::$trait for Many<'_> {
            type Ok = ();
            type Error = Failed;
            /// With its name: a field that is skipped must not look like another that is not.
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Failed> {
                text(self.out, b'=', name.as_bytes());
                value.serialize(Writer(self.out))
            }
            fn end(self) -> Result<(), Failed> { self.close() }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);

/// A map's pairs, collected to be sorted.
struct Map<'a> {
    out: &'a mut Vec<u8>,
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
    key: Vec<u8>,
}

impl ser::SerializeMap for Map<'_> {
    type Ok = ();
    type Error = Failed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failed> {
        self.key.clear();
        key.serialize(Writer(&mut self.key))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        let mut bytes = Vec::new();
        value.serialize(Writer(&mut bytes))?;
        self.pairs.push((std::mem::take(&mut self.key), bytes));
        Ok(())
    }

    fn end(mut self) -> Result<(), Failed> {
        self.pairs.sort();
        self.out.push(b'm');
        self.out
            .extend_from_slice(&(self.pairs.len() as u64).to_le_bytes());
        for (key, value) in &self.pairs {
            text(self.out, b'k', key);
            text(self.out, b'=', value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;
    use std::collections::HashMap;

    #[test]
    fn map_order_does_not_matter() {
        let one: HashMap<_, _> = (0..50).map(|n| (n, n * 2)).collect();
        let other: HashMap<_, _> = (0..50).rev().map(|n| (n, n * 2)).collect();
        assert_eq!(bytes(&one), bytes(&other));
    }

    #[test]
    fn neighbours_do_not_run_into_each_other() {
        assert_ne!(bytes(&("ab", "c")), bytes(&("a", "bc")));
        assert_ne!(
            bytes(&vec![vec![1u8], vec![]]),
            bytes(&vec![vec![], vec![1u8]])
        );
        assert_ne!(bytes(&Some(0u8)), bytes(&None::<u8>));
        assert_ne!(bytes(&Some(None::<u8>)), bytes(&None::<Option<u8>>));
    }

    #[test]
    fn floats_count_by_value() {
        assert_eq!(bytes(&-0.0f64), bytes(&0.0f64));
        assert_eq!(bytes(&f32::NAN), bytes(&-f32::NAN));
        assert_ne!(bytes(&1.0f64), bytes(&1.5f64));
    }
}
