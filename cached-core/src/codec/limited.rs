//! A bound on what bytes can make a deserialiser do.
//!
//! Formats without a bound of their own recurse as deep as the bytes say, where the type is
//! recursive, which ends the process; and where elements take no bytes, a sequence is as long as its
//! first few bytes say. [`Limited`] goes around a deserialiser, and around all that it hands to the
//! type: visitors, accesses, seeds.

use std::cell::Cell;
use std::fmt;

use serde_core::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// How deep a value may be. An option, and a type around another, is a level too: this is as deep as
/// the 128 levels of `serde_json` where every other level is an option.
pub(super) const DEPTH: u32 = 256;

/// So many elements may take no bytes.
const EMPTY: u64 = 65_536;

/// How many elements there may be still.
pub(super) struct Elements(Cell<u64>);

/// Something of serde's, within bounds.
pub(super) struct Limited<'a, T> {
    inner: T,
    /// How many levels there may be still.
    depth: u32,
    elements: &'a Elements,
    /// It brings as many elements as the bytes say, and not as the type does.
    counts: bool,
}

impl Elements {
    /// As many as these bytes can hold.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Elements(Cell::new(bytes.saturating_add(EMPTY)))
    }
}

impl<'a, T> Limited<'a, T> {
    pub(super) fn new(inner: T, elements: &'a Elements) -> Self {
        Limited {
            inner,
            depth: DEPTH,
            elements,
            counts: false,
        }
    }

    /// The same bounds for something on the same level.
    fn with<U>(&self, inner: U) -> Limited<'a, U> {
        Limited {
            inner,
            depth: self.depth,
            elements: self.elements,
            counts: self.counts,
        }
    }

    /// Splits off what is a level below.
    fn below<U, E: Error>(self, inner: U, counts: bool) -> Result<(T, Limited<'a, U>), E> {
        let depth = self.depth.checked_sub(1);
        let depth = depth.ok_or_else(|| E::custom("the value is too deep"))?;
        let below = Limited {
            inner,
            depth,
            elements: self.elements,
            counts,
        };
        Ok((self.inner, below))
    }

    /// Counts an element.
    fn count<E: Error>(&self) -> Result<(), E> {
        if self.counts {
            let left = self.elements.0.get().checked_sub(1);
            let left = left.ok_or_else(|| E::custom("the value has too many elements"))?;
            self.elements.0.set(left);
        }
        Ok(())
    }

    fn size_hint(&self, hint: Option<usize>) -> Option<usize> {
        let left = usize::try_from(self.elements.0.get()).unwrap_or(usize::MAX);
        hint.map(|hint| hint.min(left))
    }
}

macro_rules! deserialize {
    ($($counts:literal: $($name:ident($($arg:ident: $type:ty),*))*;)*) => { $($(
        fn $name<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let (inner, visitor) = self.below(visitor, $counts)?;
            inner.$name($($arg,)* visitor)
        }
    )*)* };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Limited<'_, D> {
    type Error = D::Error;

    deserialize! {
        false:
            deserialize_bool() deserialize_char()
            deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
            deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
            deserialize_f32() deserialize_f64()
            deserialize_str() deserialize_string() deserialize_bytes() deserialize_byte_buf()
            deserialize_option() deserialize_unit() deserialize_identifier()
            deserialize_unit_struct(name: &'static str)
            deserialize_newtype_struct(name: &'static str)
            deserialize_tuple(len: usize)
            deserialize_tuple_struct(name: &'static str, len: usize)
            deserialize_struct(name: &'static str, fields: &'static [&'static str])
            deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        true:
            deserialize_any() deserialize_ignored_any() deserialize_seq() deserialize_map();
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($name:ident: $type:ty,)*) => { $(
        fn $name<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$name(value)
        }
    )* };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Limited<'_, V> {
    type Value = V::Value;

    visit! {
        visit_bool: bool, visit_char: char,
        visit_i8: i8, visit_i16: i16, visit_i32: i32, visit_i64: i64, visit_i128: i128,
        visit_u8: u8, visit_u16: u16, visit_u32: u32, visit_u64: u64, visit_u128: u128,
        visit_f32: f32, visit_f64: f64,
        visit_str: &str, visit_borrowed_str: &'de str, visit_string: String,
        visit_bytes: &[u8], visit_borrowed_bytes: &'de [u8], visit_byte_buf: Vec<u8>,
    }

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, of: D) -> Result<V::Value, D::Error> {
        let of = self.with(of);
        self.inner.visit_some(of)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, of: D) -> Result<V::Value, D::Error> {
        let of = self.with(of);
        self.inner.visit_newtype_struct(of)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, of: A) -> Result<V::Value, A::Error> {
        let of = self.with(of);
        self.inner.visit_seq(of)
    }

    fn visit_map<A: MapAccess<'de>>(self, of: A) -> Result<V::Value, A::Error> {
        let of = self.with(of);
        self.inner.visit_map(of)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, of: A) -> Result<V::Value, A::Error> {
        let of = self.with(of);
        self.inner.visit_enum(of)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Limited<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<S::Value, D::Error> {
        let from = self.with(from);
        self.inner.deserialize(from)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Limited<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.count()?;
        let seed = self.with(seed);
        self.inner.next_element_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.size_hint(self.inner.size_hint())
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Limited<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.count()?;
        let seed = self.with(seed);
        self.inner.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.with(seed);
        self.inner.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.size_hint(self.inner.size_hint())
    }
}

impl<'a, 'de, A: EnumAccess<'de>> EnumAccess<'de> for Limited<'a, A> {
    type Error = A::Error;
    type Variant = Limited<'a, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let seed = self.with(seed);
        let around = self.with(());
        let (value, variant) = self.inner.variant_seed(seed)?;
        Ok((value, around.with(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Limited<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.with(seed);
        self.inner.newtype_variant_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let (inner, visitor) = self.below(visitor, false)?;
        inner.tuple_variant(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let (inner, visitor) = self.below(visitor, false)?;
        inner.struct_variant(fields, visitor)
    }
}
