//! What must hold for any bytes in a header field: run by the fuzz targets, and on their seeds by an
//! ordinary test.

use http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::conditional::is_not_modified;
use super::control::{Control, MOST};
use super::policy::ViewPolicy;
use super::query::{QueryRule, in_order};
use super::range::{self, Range};
use super::storing::control_of;
use super::vary::{Selecting, names};
use super::{date, list, targeted, url};

/// The lines of a field, those left out that a header cannot hold.
fn field(name: HeaderName, lines: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n').take(32) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(name.clone(), value);
        }
    }
    headers
}

/// Two fields, parted by a zero byte.
fn two(data: &[u8]) -> (&[u8], &[u8]) {
    let at = data.iter().position(|byte| *byte == 0);
    at.map_or((data, &[]), |at| (&data[..at], &data[at + 1..]))
}

/// `Cache-Control`: a cautious directive counts wherever it stands.
pub fn cache_control(data: &[u8]) {
    let mut headers = field(CACHE_CONTROL, data);
    let control = Control::of(&headers);
    for seconds in [control.max_age, control.s_maxage, control.stale_if_error] {
        assert!(seconds.is_none_or(|seconds| seconds <= MOST));
    }
    let last = HeaderValue::from_static("No-Store, max-age=0, PRIVATE");
    headers.append(CACHE_CONTROL, last);
    let control = Control::of(&headers);
    assert!(control.no_store && control.private);
    assert_eq!(control.max_age, Some(0));
}

/// A targeted field: whole or not at all. One that is read hides `Cache-Control`, one that is not
/// hides nothing of it, and a broken line spoils all of it.
pub fn targeted(data: &[u8]) {
    let name = HeaderName::from_static("cdn-cache-control");
    let policy = ViewPolicy::new().targeted(name.clone());
    let mut headers = field(name.clone(), data);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=7"));
    let read = targeted::field(&policy, &headers).is_some();
    if !read {
        let control = control_of(&policy, &headers);
        assert!(control.max_age == Some(7) && !control.no_store);
    }
    let empty = list::members(&headers, &name).next().is_none();
    headers.append(&name, HeaderValue::from_static("no-store, max-age=5"));
    assert_eq!(targeted::field(&policy, &headers).is_some(), read || empty);
    let control = control_of(&policy, &headers);
    assert_eq!(control.no_store, read || empty);
    headers.append(&name, HeaderValue::from_static("max-age=&"));
    assert_eq!(targeted::field(&policy, &headers), None);
}

/// `Vary`: what a request selects, it selects again; `*` never matches; and two requests that a
/// handler could tell apart by a field select the same only where the field's syntax is known.
pub fn vary(data: &[u8]) {
    let (response, request) = two(data);
    two_requests(request);
    let mut response = field(VARY, response);
    let request = field(ACCEPT_LANGUAGE, request);
    if let Some(names) = names(&response, &[ACCEPT_LANGUAGE]) {
        let selecting = Selecting::of(&request, names);
        assert!(selecting.matches(&request));
        assert_eq!(selecting.matches(&HeaderMap::new()), request.is_empty());
    }
    response.append(VARY, HeaderValue::from_static("foo, *"));
    assert_eq!(names(&response, &[]), None);
}

/// Two requests for one response, parted by the byte one.
fn two_requests(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == 1);
    let (one, other) = at.map_or((data, &[][..]), |at| (&data[..at], &data[at + 1..]));
    let unknown = HeaderName::from_static("x-tenant");
    for name in [unknown.clone(), ACCEPT_LANGUAGE] {
        let (one, other) = (field(name.clone(), one), field(name.clone(), other));
        let selected = |by: &HeaderMap| Selecting::of(by, vec![name.clone()]);
        let same = selected(&one).matches(&other);
        assert_eq!(same, selected(&other).matches(&one));
        assert_eq!(same, selected(&one) == selected(&other));
        let said = |by: &HeaderMap| {
            let lines: Vec<Vec<u8>> = by
                .get_all(&name)
                .iter()
                .map(|it| it.as_bytes().to_vec())
                .collect();
            (!lines.is_empty()).then(|| lines.join(&b", "[..]))
        };
        let text = |by| said(by).map(|text| text.trim_ascii().to_ascii_lowercase());
        if name == unknown {
            assert_eq!(same, said(&one) == said(&other));
        } else if same && text(&one) != text(&other) {
            // Spaces, empty members, lines.
            let letters = |by| {
                text(by).map(|text| {
                    text.into_iter()
                        .filter(u8::is_ascii_alphanumeric)
                        .collect::<Vec<_>>()
                })
            };
            assert_eq!(letters(&one), letters(&other));
        }
    }
}

/// Conditions: whatever is asked, `*` matches what is there, and a tag matches itself alone.
pub fn conditional(data: &[u8]) {
    let (etag, asked) = two(data);
    let mut stored = field(ETAG, etag);
    let request = field(IF_NONE_MATCH, asked);
    let _ = is_not_modified(&request, &stored);
    let any = field(IF_NONE_MATCH, b"*");
    assert!(is_not_modified(&any, &stored));
    stored.clear();
    if request.contains_key(IF_NONE_MATCH) && !asked.contains(&b'*') {
        assert!(!is_not_modified(&request, &stored));
    }
    if let Some(value) = request.get(IF_NONE_MATCH)
        && let Some(at) = date::parse(value)
    {
        assert_eq!(date::parse(&date::format(at)), Some(at));
    }
}

/// `Range`: a part lies within what is there.
pub fn range(data: &[u8]) {
    let (asked, condition) = two(data);
    let mut request = field(RANGE, asked);
    request.extend(field(IF_RANGE, condition));
    for length in [0, 1, 10, usize::MAX] {
        if let Range::Part { first, last } = range::of(&request, &HeaderMap::new(), length) {
            assert!(first <= last && last < length);
        }
    }
}

/// URLs and queries: one spelling stays as it is, and a reference never leaves its host.
pub fn urls(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let normal = url::normal(&text);
    assert_eq!(url::normal(&normal), normal);
    let order = in_order(&text);
    assert_eq!(in_order(&order), order);
    let rule = QueryRule::default().sorted().ignore(["utm_*"]);
    if let Some(query) = rule.apply(Some(&text)) {
        assert_eq!(rule.apply(Some(&query)).as_deref(), Some(&*query));
    }
    let found = url::resolve("shop.test", &Uri::from_static("/a/b?c"), data);
    assert!(found.is_none_or(|found| found.path().starts_with('/')));
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    type Target = fn(&[u8]);

    #[test]
    fn what_must_hold_for_any_bytes_holds_for_the_seeds() {
        let targets: [(&str, Target); 6] = [
            ("targeted", super::targeted),
            ("cache_control", super::cache_control),
            ("vary", super::vary),
            ("conditional", super::conditional),
            ("range", super::range),
            ("urls", super::urls),
        ];
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        if package.join(".cargo_vcs_info.json").exists() {
            // A published package comes without them.
            return;
        }
        for (name, target) in targets {
            let seeds = package.join("../fuzz/seeds").join(name);
            let files: Vec<_> = fs::read_dir(&seeds)
                .unwrap_or_else(|error| panic!("no seeds in {}: {error}", seeds.display()))
                .map(|file| fs::read(file.unwrap().path()).unwrap())
                .collect();
            assert!(files.len() > 1, "no seeds in {}", seeds.display());
            files.iter().for_each(|seed| target(seed));
        }
    }
}
