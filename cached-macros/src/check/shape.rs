//! What the text of a type says for certain.

use quote::ToTokens;
use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// A result type as far as its text tells.
pub(super) enum Shape<'t> {
    /// `Result<T, E>`, or an alias whose name ends so; its first argument.
    Result(Option<&'t Type>),
    /// `Option<T>`; its argument.
    Option(Option<&'t Type>),
    /// Certainly neither.
    Plain,
    /// Could be an alias of anything.
    Unknown,
}

/// Types that are what their names say: nobody hides a `Result` behind these.
const PLAIN: &[&str] = &[
    "bool",
    "char",
    "str",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "f32",
    "f64",
    "String",
    "Vec",
    "VecDeque",
    "HashMap",
    "BTreeMap",
    "HashSet",
    "BTreeSet",
    "Arc",
    "Rc",
    "Box",
    "Cow",
    "PathBuf",
    "OsString",
    "Duration",
    "Instant",
    "SystemTime",
    "NonZeroU32",
    "NonZeroU64",
    "NonZeroUsize",
    "IpAddr",
    "SocketAddr",
];

/// Sorts a type.
pub(super) fn shape(ty: &Type) -> Shape<'_> {
    match peel(ty) {
        Type::Reference(_) | Type::Tuple(_) | Type::Array(_) | Type::Slice(_) | Type::Ptr(_) => {
            Shape::Plain
        }
        Type::Path(path) if path.qself.is_none() => match path.path.segments.last() {
            Some(last) if last.ident == "Option" => Shape::Option(argument(last)),
            Some(last) if last.ident.to_string().ends_with("Result") => {
                Shape::Result(argument(last))
            }
            Some(last) if PLAIN.iter().any(|plain| last.ident == plain) => Shape::Plain,
            _ => Shape::Unknown,
        },
        _ => Shape::Unknown,
    }
}

/// The type inside `Result` and `Option`.
pub(super) fn inner(ty: &Type) -> Option<&Type> {
    match shape(ty) {
        Shape::Result(inside) | Shape::Option(inside) => inside.and_then(inner),
        _ => Some(peel(ty)),
    }
}

/// A type without parentheses and invisible brackets.
pub(super) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inside) => peel(&inside.elem),
        Type::Group(inside) => peel(&inside.elem),
        other => other,
    }
}

/// The last segment of a path type.
pub(super) fn last(ty: &Type) -> Option<&PathSegment> {
    match peel(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// The first type argument of a segment.
pub(super) fn argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// A type as a user would write it.
pub(super) fn written(ty: &Type) -> String {
    let mut text = ty.to_token_stream().to_string();
    for (loose, tight) in [
        (" :: ", "::"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        (" ;", ";"),
    ] {
        text = text.replace(loose, tight);
    }
    text
}
