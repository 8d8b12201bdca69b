//! Invalidating responses by their URL.

use http::Uri;

use super::url;
use super::view::View;
use crate::cache::invalidate::{Invalidation, names};
use crate::error::Error;
use crate::scope::ticks::Order;
use crate::scope::{of_function, of_path, of_url};

impl Invalidation {
    /// The responses for one URL: all variants, of every handler and layer of the cache, whatever
    /// the order in which the parameters of the query stand.
    ///
    /// What `query(…)` leaves out does not count here either: name the rest. However a character is
    /// written in a URL, as itself or escaped, it is the same. `?a` is another query than `?a=`.
    ///
    /// A path and query are found on any host, `http://host/path` on that host alone, and where all hosts
    /// share their responses ([`any_host`](super::ViewPolicy::any_host)). A URL that cannot be read is an
    /// error of [`run`](Invalidation::run)'s result.
    ///
    /// ```
    /// use dewar::Cache;
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.invalidation().url("/products?page=2&sort=price").run().wait()?;
    /// # Ok::<(), dewar::Error>(())
    /// ```
    pub fn url(self, url: &str) -> Self {
        let Some(uri) = parse(url) else {
            return self.refused(unreadable("url", url));
        };
        let host = uri.authority().map(|it| it.as_str().to_ascii_lowercase());
        let names = url::names(host.as_deref(), uri.path(), uri.query());
        let what = || format!("url {}", uri.path());
        self.here(what, |order| names.for_each(|name| order.url(&name)))
    }

    /// The responses for a path, whatever their host and query.
    pub fn path(self, path: &str) -> Self {
        let Some(uri) = parse(path).filter(|uri| uri.authority().is_none()) else {
            return self.refused(unreadable("path", path));
        };
        let name = url::path_name(uri.path());
        let what = || format!("path {}", uri.path());
        self.here(what, |order| {
            order.add(of_path(&name), || names::path(&name));
        })
    }

    /// Everything that one view has stored.
    pub(crate) fn view(self, view: &View) -> Self {
        let scope = of_function(view.id);
        let what = || format!("function {}", view.name);
        let name = view.shared_name();
        self.here(what, |order| order.add(scope, || names::layer(&name)))
    }
}

impl Order {
    /// The responses for the URL that is called this.
    pub(crate) fn url(&mut self, name: &str) {
        self.add(of_url(name), || names::url(name));
    }
}

fn parse(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    uri.path().starts_with('/').then_some(uri)
}

fn unreadable(setting: &'static str, text: &str) -> Error {
    let wanted = "give a path such as `/products?page=2`, or a whole URL";
    Error::unreadable(setting, text, wanted)
}
