//! What a format cannot say is refused, and not written as something else.
//!
//! Serialisers write what they have no form for as what is near: an infinity as a nil, `Some(())` as
//! `None`, a field that is left out as nothing at all, where those after it stand in its place. Another
//! process would be given another value, with nothing wrong about its bytes. [`Faithful`] goes around a
//! serialiser and around all values that it is handed.

use std::fmt::Display;

use serde_core::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// What a format has no form for.
#[derive(Clone, Copy)]
pub(super) struct Lacks {
    /// Fields that are left out.
    pub(super) gaps: bool,
    /// Floats that are infinite or not a number.
    pub(super) non_finite: bool,
    /// `Some` of what is a nil itself.
    pub(super) some_of_nil: bool,
}

/// Something of serde's, without what the format lacks.
pub(super) struct Faithful<T> {
    inner: T,
    lacks: Lacks,
    /// It stands in a `Some`, and must not be a nil.
    in_some: bool,
}

impl<T> Faithful<T> {
    pub(super) fn new(inner: T, lacks: Lacks) -> Self {
        Faithful {
            inner,
            lacks,
            in_some: false,
        }
    }

    fn finite<E: Error>(&self, finite: bool) -> Result<(), E> {
        match self.lacks.non_finite && !finite {
            true => Err(E::custom("the format has no infinite floats, and no NaN")),
            false => Ok(()),
        }
    }

    fn nil<E: Error>(&self) -> Result<(), E> {
        match self.in_some {
            true => Err(E::custom("the format has `Some` of nothing as `None`")),
            false => Ok(()),
        }
    }
}

impl<T: Serialize + ?Sized> Serialize for Faithful<&T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.inner.serialize(Faithful {
            inner: to,
            lacks: self.lacks,
            in_some: self.in_some,
        })
    }
}

macro_rules! forward {
    ($($name:ident($($arg:ident: $type:ty),*))*) => { $(
        fn $name(self, $($arg: $type),*) -> Result<S::Ok, S::Error> {
            self.inner.$name($($arg),*)
        }
    )* };
    (checked $check:ident: $($name:ident($($arg:ident: $type:ty)?) $($of:expr)?;)*) => { $(
        fn $name(self, $($arg: $type)?) -> Result<S::Ok, S::Error> {
            self.$check($($of)?)?;
            self.inner.$name($($arg)?)
        }
    )* };
    (around $in_some:expr; $($name:ident($($arg:ident: $type:ty),*))*) => { $(
        fn $name<T: Serialize + ?Sized>(
            self,
            $($arg: $type,)*
            value: &T,
        ) -> Result<S::Ok, S::Error> {
            let mut value = Faithful::new(value, self.lacks);
            value.in_some = $in_some(&self);
            self.inner.$name($($arg,)* &value)
        }
    )* };
    (several: $($name:ident($($arg:ident: $type:ty),*) -> $several:ident)*) => { $(
        type $several = Faithful<S::$several>;

        fn $name(self, $($arg: $type),*) -> Result<Self::$several, S::Error> {
            Ok(Faithful::new(self.inner.$name($($arg),*)?, self.lacks))
        }
    )* };
}

impl<S: Serializer> Serializer for Faithful<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    forward! {
        serialize_bool(v: bool) serialize_char(v: char) serialize_str(v: &str) serialize_bytes(v: &[u8])
        serialize_i8(v: i8) serialize_i16(v: i16) serialize_i32(v: i32) serialize_i64(v: i64)
        serialize_i128(v: i128)
        serialize_u8(v: u8) serialize_u16(v: u16) serialize_u32(v: u32) serialize_u64(v: u64)
        serialize_u128(v: u128)
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str)
    }
    forward! { checked finite:
        serialize_f32(v: f32) v.is_finite();
        serialize_f64(v: f64) v.is_finite();
    }
    forward! { checked nil:
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
    }
    forward! { around |this: &Self| this.lacks.some_of_nil; serialize_some() }
    forward! { around |this: &Self| this.in_some; serialize_newtype_struct(name: &'static str) }
    forward! { around |_: &Self| false;
        serialize_newtype_variant(name: &'static str, index: u32, variant: &'static str)
    }
    forward! { several:
        serialize_seq(len: Option<usize>) -> SerializeSeq
        serialize_tuple(len: usize) -> SerializeTuple
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize)
            -> SerializeTupleVariant
        serialize_map(len: Option<usize>) -> SerializeMap
        serialize_struct(name: &'static str, len: usize) -> SerializeStruct
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize)
            -> SerializeStructVariant
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! several {
    ($($several:ident { $($name:ident($($key:ident)?))* } $($skip:ident)?;)*) => { $(
        impl<C: $several> $several for Faithful<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            $(fn $name<T: Serialize + ?Sized>(
                &mut self,
                $($key: &'static str,)?
                value: &T,
            ) -> Result<(), C::Error> {
                self.inner.$name($($key,)? &Faithful::new(value, self.lacks))
            })*

            $(fn $skip(&mut self, field: &'static str) -> Result<(), C::Error> {
                match self.lacks.gaps {
                    true => Err(C::Error::custom("the format cannot tell that a field is left out")),
                    false => self.inner.$skip(field),
                }
            })?

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        }
    )* };
}

several! {
    SerializeSeq { serialize_element() };
    SerializeTuple { serialize_element() };
    SerializeTupleStruct { serialize_field() };
    SerializeTupleVariant { serialize_field() };
    SerializeMap { serialize_key() serialize_value() };
    SerializeStruct { serialize_field(key) } skip_field;
    SerializeStructVariant { serialize_field(key) } skip_field;
}
