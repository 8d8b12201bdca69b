//! The values of the options that only views have.

use syn::{Error, Expr, Lit, LitStr, Result};

use super::given::{boolean, text};
use super::split::{Given, Part, bare, describe, parts};
use crate::diag::Diag;
use crate::model::{Credentials, Etag, Named, Size};
use crate::words;

/// The statuses that can be stored (RFC 9110, section 15.1), but for 206, which is a part.
const STATUSES: [u16; 11] = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501];

/// The values in the parentheses of an option.
pub(super) fn values<T>(
    given: &Given,
    diag: &mut Diag,
    what: &str,
    read: impl Fn(&Expr) -> Result<T>,
) -> Option<Named<Vec<T>>> {
    let list = given.named(diag, Given::list)?;
    let mut values = Vec::new();
    for part in parts(list.value, diag) {
        match part {
            Part::Positional(expr) => values.extend(diag.take(read(&expr))),
            Part::Named(Given { name, .. }) => {
                let (option, example) = (&given.name, given.example);
                let message = format!("`{option}` takes {what}, not `{name}`; write `{example}`");
                diag.at(name.span(), message);
            }
        }
    }
    Some(Named::new(list.name, values))
}

/// `methods("GET")`: whether HEAD is among them.
pub(super) fn methods(given: &Given, diag: &mut Diag) -> Option<Named<bool>> {
    let read = |expr: &Expr| {
        let method = text(expr).ok_or_else(|| given.expected(expr, "methods as text"))?;
        let name = method.value().to_ascii_uppercase();
        let message = match name.as_str() {
            "GET" | "HEAD" => return Ok(name),
            "POST" | "PUT" | "PATCH" | "DELETE" => format!(
                "a `{name}` changes things and has to reach the handler each time; only what \
                 answers a `GET` is stored, and a `HEAD` is answered from it"
            ),
            _ => format!(
                "what answers a `{name}` is not stored; `methods` takes {}",
                words::list(["GET", "HEAD"])
            ),
        };
        Err(Error::new_spanned(expr, message))
    };
    let named = values(given, diag, "methods as text", read)?;
    let has = |method: &str| named.value.iter().any(|it| it == method);
    if !named.value.is_empty() && !has("GET") {
        let message = "a `HEAD` is answered from what a `GET` has stored; write `methods(\"GET\", \
                       \"HEAD\")`";
        diag.at(named.name, message);
    }
    Some(Named::new(named.name, has("HEAD")))
}

/// `statuses(200, 404)`.
pub(super) fn statuses(given: &Given, diag: &mut Diag) -> Option<Named<Vec<u16>>> {
    let read = |expr: &Expr| {
        let number = match bare(expr) {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(int) => int.base10_parse::<u16>().ok(),
                _ => None,
            },
            _ => None,
        };
        let status = number.ok_or_else(|| given.expected(expr, "numbers of statuses"))?;
        if STATUSES.contains(&status) {
            return Ok(status);
        }
        let all = STATUSES.map(|it| it.to_string()).join(", ");
        let message = format!("a response with status {status} cannot be stored; those are {all}");
        Err(Error::new_spanned(expr, message))
    };
    values(given, diag, "numbers of statuses", read)
}

/// `vary("accept-language")`.
pub(super) fn vary(given: &Given, diag: &mut Diag) -> Option<Named<Vec<LitStr>>> {
    let read = |expr: &Expr| {
        let header = text(expr).ok_or_else(|| given.expected(expr, "names of headers as text"))?;
        let name = header.value().to_ascii_lowercase();
        let message = match name.as_str() {
            "cookie" => "`Cookie` says who asks; write `cookies = keyed`".to_owned(),
            "authorization" => {
                "`Authorization` says who asks; write `authorization = keyed`".to_owned()
            }
            "*" => "`*` means that nothing can be stored; name the headers that matter".to_owned(),
            name if name.is_empty() || !name.bytes().all(is_token) => {
                format!("`{name}` is no name of a header; write `vary(\"accept-language\")`")
            }
            _ => return Ok(LitStr::new(&name, header.span())),
        };
        Err(Error::new_spanned(expr, message))
    };
    values(given, diag, "names of headers as text", read)
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// `cookies`, `authorization`.
pub(super) fn credentials(given: &Given) -> Result<Credentials> {
    const WORDS: [(&str, Credentials); 3] = [
        ("private", Credentials::Private),
        ("keyed", Credentials::Keyed),
        ("ignored", Credentials::Ignored),
    ];
    let expr = given.assigned()?;
    let word = match expr {
        Expr::Path(path) => path.path.get_ident(),
        _ => None,
    };
    let known = WORDS
        .iter()
        .find(|(name, _)| word.is_some_and(|it| it == name));
    known.map(|(_, credentials)| *credentials).ok_or_else(|| {
        let what = "`private` (not cached unless the response permits it), `keyed` (part of the key) or \
                    `ignored`";
        given.expected(expr, what)
    })
}

/// `etag`.
pub(super) fn etag(given: &Given) -> Result<Etag> {
    match given.assigned() {
        Ok(Expr::Path(path)) if path.path.is_ident("weak") => return Ok(Etag::Weak),
        Ok(expr) if boolean(expr).is_none() => {
            return Err(given.expected(expr, "`true`, `false` or `weak`"));
        }
        _ => {}
    }
    Ok(if given.flag()? {
        Etag::Strong
    } else {
        Etag::None
    })
}

/// `body_limit`.
pub(super) fn size(given: &Given) -> Result<Size> {
    let expr = given.assigned()?;
    if let Some(size) = text(expr) {
        return parse_size(&size.value()).map(Size::Fixed).ok_or_else(|| {
            given.expected(
                expr,
                "a number of bytes, or one with `KiB`, `MiB`, `kB` or `MB`",
            )
        });
    }
    match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(int) => int.base10_parse().map(Size::Fixed),
            _ => Err(given.expected(expr, "a number of bytes")),
        },
        Expr::Closure(_) | Expr::Tuple(_) | Expr::Array(_) => {
            Err(given.expected(expr, "a number of bytes"))
        }
        _ => Ok(Size::Expr(expr.clone())),
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// `cache_control = "public, max-age=60"`; `false`: clients are told nothing.
pub(super) fn cache_control(given: &Given) -> Result<Option<LitStr>> {
    let expr = given.assigned()?;
    match (text(expr), boolean(expr)) {
        (Some(value), _) => {
            let written = value.value();
            let visible = |c: char| matches!(c, ' '..='~');
            if written.trim().is_empty() || !written.chars().all(visible) {
                return Err(given.expected(expr, "the value of a `Cache-Control`"));
            }
            if written.to_ascii_lowercase().contains("no-store") {
                let message = format!(
                    "{} has clients keep nothing while it is kept here; leave `cache_control` out, \
                     or send `no-store` with the responses that are not to be kept at all",
                    describe(expr)
                );
                return Err(Error::new_spanned(expr, message));
            }
            Ok(Some(value.clone()))
        }
        (None, Some(false)) => Ok(None),
        _ => Err(given.expected(expr, "the value of a `Cache-Control`, or `false`")),
    }
}
