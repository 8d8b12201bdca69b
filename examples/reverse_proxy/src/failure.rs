//! An origin that does not answer.

use std::error::Error;
use std::fmt;
use std::io;

use dewar::http::ViewBody;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use hyper::body::Bytes;

use crate::AnyError;

/// Why there is no response of the origin's.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It cannot be reached, or what it sends is no HTTP.
    Unreachable(AnyError),
    /// It took too long.
    Slow,
}

impl Failure {
    pub(crate) fn of(error: AnyError) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = Some(&*error);
        while let Some(this) = cause {
            let kind = this.downcast_ref().map(io::Error::kind);
            if kind == Some(io::ErrorKind::TimedOut) {
                return Failure::Slow;
            }
            cause = this.source();
        }
        Failure::Unreachable(error)
    }

    /// What the client is told.
    pub(crate) fn response(&self) -> Response<ViewBody> {
        let (status, text) = match self {
            Failure::Unreachable(_) => (StatusCode::BAD_GATEWAY, "the origin cannot be reached\n"),
            Failure::Slow => (StatusCode::GATEWAY_TIMEOUT, "the origin takes too long\n"),
        };
        refused(status, text)
    }
}

/// An answer of the proxy's own.
pub(crate) fn refused(status: StatusCode, text: &'static str) -> Response<ViewBody> {
    let mut response = Response::new(ViewBody::from(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    let fields = [(CACHE_CONTROL, "no-store"), (CONTENT_TYPE, "text/plain")];
    for (name, value) in fields {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Unreachable(error) => {
                write!(f, "{error}")?;
                let mut cause = error.source();
                while let Some(this) = cause {
                    write!(f, ": {this}")?;
                    cause = this.source();
                }
                Ok(())
            }
            Failure::Slow => f.write_str("it takes too long"),
        }
    }
}

impl Error for Failure {}
