//! The request as the cache needs it.

use std::convert::Infallible;

use axum_core::extract::{FromRequest, FromRequestParts, Request};
use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
use http::request::Parts;
use http::{Method, Uri};

use crate::http::original;
use crate::scope::moment;

/// The first argument of a cached handler, together with what the client asks for.
///
/// `#[cached(view)]` writes this type around the first argument, or adds an `Asked<()>` where there is
/// none; so the handler is an axum handler as before, with the same extractors in the same order.
///
/// A test that calls the handler itself says that there is no request: the handler then runs past the
/// cache.
///
/// ```
/// use axum::extract::Path;
/// use dewar::cached;
///
/// #[cached(view, timeout = 60)]
/// async fn product(Path(id): Path<u64>) -> String {
///     format!("product {id}")
/// }
///
/// # futures::executor::block_on(async {
/// let response = product(Path(7).into()).await;
/// assert_eq!(response.status(), 200);
/// # });
/// ```
#[derive(Debug)]
pub struct Asked<T> {
    request: Option<Snapshot>,
    argument: T,
}

/// A request without its body and extensions.
#[derive(Debug)]
pub struct Snapshot {
    /// With the URL as the client sent it.
    pub(crate) parts: Parts,
    /// The URL as routers and middleware have left it for the handler, where it is another one.
    pub(crate) seen: Option<Uri>,
    /// When the first extractor began: what extractors read before an invalidation must not be
    /// stored after it.
    pub(crate) since: u64,
}

impl Snapshot {
    /// Takes what the cache judges itself out of what the handler sees: the response to be stored
    /// must be whole.
    fn take(from: &mut Parts) -> Self {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        let url = original(from);
        let seen = (*url != from.uri).then(|| from.uri.clone());
        parts.uri = url.clone();
        parts.method = from.method.clone();
        parts.version = from.version;
        parts.headers = from.headers.clone();
        if from.method == Method::GET || from.method == Method::HEAD {
            from.headers.remove(IF_NONE_MATCH);
            from.headers.remove(IF_MODIFIED_SINCE);
        }
        let since = moment::now();
        Snapshot { parts, seen, since }
    }
}

impl<T> Asked<T> {
    /// For generated code: the request, if there is one, and the argument.
    #[doc(hidden)]
    pub fn open(self) -> (Option<Snapshot>, T) {
        (self.request, self.argument)
    }
}

/// Without a request: the handler runs past the cache.
impl<T> From<T> for Asked<T> {
    fn from(argument: T) -> Self {
        Asked {
            request: None,
            argument,
        }
    }
}

impl<S, T> FromRequestParts<S> for Asked<T>
where
    S: Send + Sync,
    T: FromRequestParts<S>,
{
    type Rejection = T::Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, T::Rejection> {
        let request = Some(Snapshot::take(parts));
        let argument = T::from_request_parts(parts, state).await?;
        Ok(Asked { request, argument })
    }
}

impl<S, T> FromRequest<S> for Asked<T>
where
    S: Send + Sync,
    T: FromRequest<S>,
{
    type Rejection = T::Rejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, T::Rejection> {
        let (mut parts, body) = request.into_parts();
        let snapshot = Some(Snapshot::take(&mut parts));
        let argument = T::from_request(Request::from_parts(parts, body), state).await?;
        Ok(Asked {
            request: snapshot,
            argument,
        })
    }
}

/// What a handler cannot fail with.
pub(crate) type Never = Infallible;
