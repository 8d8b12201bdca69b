//! The values of single options.

use syn::{Error, Expr, Ident, Lit, Result};

use super::given::{boolean, text};
use super::split::{Given, Value, bare, describe};
use super::{literal, template};
use crate::model::{CacheRef, Context, Negative, SingleFlight, Template, Time};

/// `timeout`: a literal, `never`, a closure on the value or any expression.
pub(super) fn timeout(given: &Given) -> Result<Time> {
    let expr = given.assigned()?;
    if let Some(nanos) = literal::time(expr, "timeout") {
        return nanos.map(Time::Fixed);
    }
    match expr {
        Expr::Path(path) if path.path.is_ident("never") => Ok(Time::Never),
        Expr::Path(path) if path.path.is_ident("None") => Err(Error::new_spanned(
            path,
            "a time without end is a word; write `timeout = never`",
        )),
        Expr::Closure(_) => given.closure(expr, "a closure").map(Time::ByValue),
        Expr::Lit(_) | Expr::Tuple(_) | Expr::Array(_) => {
            Err(given.expected(expr, "a length of time"))
        }
        _ => Ok(Time::Expr(expr.clone())),
    }
}

/// A length of time that is known at compile time.
pub(super) fn duration(given: &Given) -> Result<u64> {
    fixed(given, given.assigned()?)
}

/// The same, of an expression.
pub(super) fn fixed(given: &Given, expr: &Expr) -> Result<u64> {
    let nanos = literal::time(expr, &given.name.to_string());
    nanos.unwrap_or_else(|| Err(given.expected(expr, "a time written out")))
}

/// `key_prefix`.
pub(super) fn prefix(given: &Given) -> Result<Template> {
    let expr = given.assigned()?;
    let literal = text(expr).ok_or_else(|| {
        let name = &given.name;
        let found = describe(expr);
        let message = format!(
            "`{name}` takes a string literal, not {found}; braces put arguments in: write \
             `{}`",
            given.example
        );
        Error::new_spanned(expr, message)
    })?;
    if literal.value().trim_matches(':').is_empty() {
        let message = "an empty prefix groups nothing; leave `key_prefix` out for the function's \
                       own path, or write `key_prefix = \"user\"`";
        return Err(Error::new(literal.span(), message));
    }
    template::parse(literal)
}

/// `key`: the expressions that count.
pub(super) fn key(given: &Given) -> Result<Vec<Expr>> {
    let expr = given.assigned()?;
    match expr {
        Expr::Tuple(tuple) if tuple.elems.is_empty() => Err(Error::new_spanned(
            tuple,
            "`key = ()` would make all calls share one entry; name what tells them apart, as in \
             `key = (id, org)`, or write `skip(...)` with every argument if that is meant",
        )),
        Expr::Tuple(tuple) => Ok(tuple.elems.iter().cloned().collect()),
        Expr::Paren(inner) => Ok(vec![(*inner.expr).clone()]),
        Expr::Closure(_) => Err(given.expected(expr, "expressions on the arguments")),
        Expr::Lit(_) => Err(Error::new_spanned(
            expr,
            format!(
                "`key` takes what to hash, not {}; write `key = (id, org)`, or `key_prefix = \
                 \"user:{{id}}\"` for a readable name",
                describe(expr)
            ),
        )),
        _ => Ok(vec![expr.clone()]),
    }
}

/// `unless`, `refresh_if`: an expression on the arguments.
pub(super) fn condition(given: &Given) -> Result<Expr> {
    let expr = given.assigned()?;
    match expr {
        Expr::Lit(_) if boolean(expr).is_some() => Ok(expr.clone()),
        Expr::Closure(_) | Expr::Lit(_) | Expr::Tuple(_) | Expr::Array(_) => {
            Err(given.expected(expr, "a condition on the arguments"))
        }
        _ => Ok(expr.clone()),
    }
}

/// `cache`: a path or a registered name.
pub(super) fn cache(given: &Given) -> Result<CacheRef> {
    let expr = given.assigned()?;
    cache_ref(expr).unwrap_or_else(|| Err(given.expected(expr, "a path to a cache or its name")))
}

/// The same, of an expression; `None` where it is neither.
pub(super) fn cache_ref(expr: &Expr) -> Option<Result<CacheRef>> {
    if let Some(name) = text(expr) {
        return Some(if name.value().trim().is_empty() {
            let message = "a cache has a name; write `cache = \"sessions\"`, or leave `cache` out \
                           for the default one";
            Err(Error::new(name.span(), message))
        } else {
            Ok(CacheRef::Name(name.clone()))
        });
    }
    match bare(expr) {
        Expr::Path(path) if path.qself.is_none() => Some(Ok(CacheRef::Path(path.path.clone()))),
        _ => None,
    }
}

/// `cache_none`, `cache_err`: a flag or a time.
pub(super) fn negative(given: &Given) -> Result<Option<Negative>> {
    if let Value::Bare = given.value {
        return Ok(Some(Negative::Default));
    }
    let expr = given.assigned()?;
    match boolean(expr) {
        Some(stored) => Ok(stored.then_some(Negative::Default)),
        None => match literal::time(expr, &given.name.to_string()) {
            Some(nanos) => Ok(Some(Negative::For(nanos?))),
            None => Err(given.expected(expr, "a time of its own or nothing")),
        },
    }
}

/// `single_flight`.
pub(super) fn single_flight(given: &Given) -> Result<SingleFlight> {
    if let Value::Assigned(expr) = &given.value
        && text(expr).is_some_and(|text| text.value() == "distributed")
    {
        return Ok(SingleFlight::Distributed);
    }
    Ok(if given.flag()? {
        SingleFlight::Process
    } else {
        SingleFlight::Off
    })
}

/// `batch`, `companion`: a name.
pub(super) fn name(given: &Given, what: &str) -> Result<Ident> {
    let expr = given.assigned()?;
    match expr {
        Expr::Path(path) if path.qself.is_none() => path.path.get_ident().cloned(),
        _ => None,
    }
    .ok_or_else(|| given.expected(expr, what))
}

/// `version`: a constant.
pub(super) fn version(given: &Given) -> Result<Expr> {
    let expr = given.assigned()?;
    let float = matches!(expr, Expr::Lit(literal) if matches!(literal.lit, Lit::Float(_)));
    if float || matches!(expr, Expr::Closure(_)) {
        return Err(given.expected(expr, "a constant that can be hashed"));
    }
    Ok(expr.clone())
}

/// `in_impl`, `in_impl(generic)`, `in_trait`.
pub(super) fn context(given: &Given, plain: Context) -> Result<Context> {
    match (&given.value, plain) {
        (Value::Bare, _) => Ok(plain),
        (Value::List(list), Context::Impl { .. }) if list.to_string() == "generic" => {
            Ok(Context::Impl { generic: true })
        }
        (_, Context::Impl { .. }) => Err(given.error(
            "`in_impl` says where the function stands and takes no value; write `in_impl`, or \
             `in_impl(generic)` where the `impl` block has parameters of its own",
        )),
        _ => Err(given.error(
            "`in_trait` says where the function stands and takes no value; write `in_trait`",
        )),
    }
}
