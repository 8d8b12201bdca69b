//! What the environment says.

use std::time::Duration;

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::AnyError;

/// What the proxy is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where clients come.
    pub listen: String,
    /// The host and port of the origin.
    pub upstream: Authority,
    /// Cookies mean nothing to the cache.
    pub shared_cookies: bool,
    /// What has not changed for long is fresh for a while.
    pub heuristic: bool,
    /// For a connection to the origin.
    pub connect_timeout: Duration,
    /// For the head of a response, and between two parts of a body.
    pub response_timeout: Duration,
}

impl Settings {
    /// The settings that a look-up by name finds, and the defaults of the others.
    ///
    /// # Errors
    /// One that names the setting, what it is, and what it may be.
    pub fn read(find: impl Fn(&str) -> Result<Option<String>, AnyError>) -> Result<Self, AnyError> {
        let text = |name: &str, default: &str| {
            let found = find(name)?;
            Ok::<_, AnyError>(found.unwrap_or_else(|| default.to_owned()))
        };
        let choice = |name: &str, [first, other]: [&str; 2]| -> Result<bool, AnyError> {
            let found = text(name, first)?;
            if found == first || found == other {
                return Ok(found == other);
            }
            Err(format!("{name} is `{found}`: give `{first}` or `{other}`").into())
        };
        Ok(Settings {
            listen: text("LISTEN", "127.0.0.1:8080")?,
            upstream: origin(&text("UPSTREAM", "http://127.0.0.1:9000")?)?,
            shared_cookies: choice("COOKIES", ["private", "shared"])?,
            heuristic: choice("HEURISTIC", ["off", "on"])?,
            connect_timeout: seconds("CONNECT_TIMEOUT", &text("CONNECT_TIMEOUT", "5")?)?,
            response_timeout: seconds("RESPONSE_TIMEOUT", &text("RESPONSE_TIMEOUT", "30")?)?,
        })
    }
}

fn origin(url: &str) -> Result<Authority, AnyError> {
    let wrong = || format!("UPSTREAM is `{url}`: give one such as `http://127.0.0.1:9000`");
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let bare = uri.path_and_query().is_none_or(|path| path == "/");
    if uri.scheme() != Some(&Scheme::HTTP) || !bare {
        return Err(wrong().into());
    }
    Ok(uri.authority().cloned().ok_or_else(wrong)?)
}

fn seconds(name: &str, text: &str) -> Result<Duration, AnyError> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0);
    let time = seconds.and_then(|seconds: f64| Duration::try_from_secs_f64(seconds).ok());
    time.ok_or_else(|| format!("{name} is `{text}`: give seconds, such as `30` or `0.5`").into())
}

#[cfg(test)]
mod tests {
    use super::Settings;

    fn read(name: &str, value: &str) -> Result<Settings, String> {
        let find = |asked: &str| Ok((asked == name).then(|| value.to_owned()));
        Settings::read(find).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_said_is_cautious() {
        let settings = read("", "").unwrap();
        assert_eq!(settings.upstream.as_str(), "127.0.0.1:9000");
        assert!(!settings.shared_cookies && !settings.heuristic);
    }

    #[test]
    fn a_setting_that_means_nothing_is_named() {
        let wrong = [
            ("COOKIES", "yes", "give `private` or `shared`"),
            ("HEURISTIC", "100", "give `off` or `on`"),
            ("UPSTREAM", "https://shop.test", "give one such as"),
            ("UPSTREAM", "http://shop.test/api", "give one such as"),
            ("CONNECT_TIMEOUT", "0", "give seconds"),
            ("RESPONSE_TIMEOUT", "NaN", "give seconds"),
        ];
        for (name, value, advice) in wrong {
            let error = read(name, value).unwrap_err();
            assert!(error.contains(advice) && error.contains(name), "{error}");
            assert!(error.contains(value), "{error}");
        }
    }
}
