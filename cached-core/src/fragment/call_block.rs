//! The function behind `{% call cached(…) %}` in minijinja's templates.

use std::sync::Arc;

use ::minijinja::value::{Kwargs, Rest, Value, ValueKind};
use ::minijinja::{AutoEscape, Error, ErrorKind, State};

use super::key_value::{KeyValue, check};
use super::{Fragment, fragment, time};
use crate::cache::Cache;

/// `{% call cached(60, "sidebar", user.id) %}…{% endcall %}`: for
/// [`Environment::add_function`](minijinja::Environment::add_function).
///
/// The arguments are the timeout (seconds, text such as `"1m 30s"`, `"never"`, or `none` for the
/// cache's default), the name of the fragment, and any number of values that it depends on. Options:
/// `tags` (one or a list), `unless` and `refresh_if` (as on `#[cached]`).
///
/// A fragment belongs to the template it stands in and to the template's auto escape mode: one of
/// the same name in another template is another one.
///
/// ```
/// use minijinja::{Environment, context};
///
/// let mut env = Environment::new();
/// env.add_function("cached", dewar::minijinja::cached);
/// env.add_template("page.html", r#"{% call cached(60, "sidebar", user) %}Hello {{ user }}{% endcall %}"#)?;
/// let page = env.get_template("page.html")?.render(context! { user => "<Ada>" })?;
/// assert_eq!(page, "Hello &lt;Ada&gt;");
/// # Ok::<(), minijinja::Error>(())
/// ```
///
/// # Errors
/// The timeout, a value or an option is none that is accepted, or the body failed to render; that
/// is not stored.
pub fn cached(
    state: &mut State<'_, '_>,
    timeout: Value,
    name: &str,
    values: Rest<Value>,
    options: Kwargs,
) -> Result<Value, Error> {
    call(None, state, &timeout, name, &values, &options)
}

/// [`cached`] in a cache of its own, instead of the current one.
///
/// ```
/// use dewar::Cache;
/// use minijinja::Environment;
///
/// let fragments = Cache::builder().max_bytes(16 << 20).build()?;
/// let mut env = Environment::new();
/// env.add_function("cached", dewar::minijinja::cached_in(fragments));
/// # Ok::<(), dewar::Error>(())
/// ```
pub fn cached_in(
    cache: Cache,
) -> impl Fn(&mut State<'_, '_>, Value, &str, Rest<Value>, Kwargs) -> Result<Value, Error>
+ Send
+ Sync
+ 'static {
    move |state: &mut State<'_, '_>, timeout: Value, name: &str, values, options| {
        call(Some(&cache), state, &timeout, name, &values, &options)
    }
}

fn call(
    cache: Option<&Cache>,
    state: &mut State<'_, '_>,
    timeout: &Value,
    name: &str,
    values: &[Value],
    options: &Kwargs,
) -> Result<Value, Error> {
    let expiry = time::expiry(timeout).map_err(refuse)?;
    let body: Option<Value> = options.get("caller")?;
    let body = body.ok_or_else(|| {
        let block = format!("{{% call cached(60, \"{name}\") %}}…{{% endcall %}}");
        refuse(format!("a fragment needs a body: write `{block}`"))
    })?;
    let mut fragment = described(state, name, values, options)?.timeout(expiry);
    options.assert_all_used()?;
    fragment.cache = cache.cloned();
    let text = fragment.render(|| {
        let rendered = body.call(state, &[])?;
        let text = rendered.to_str();
        Ok::<Arc<str>, Error>(text.unwrap_or_else(|| rendered.to_string().into()))
    })?;
    Ok(match state.auto_escape() {
        AutoEscape::None => Value::from(text),
        _ => Value::from_safe_string(text.to_string()),
    })
}

/// The fragment with its key and the options.
fn described(
    state: &State<'_, '_>,
    name: &str,
    values: &[Value],
    options: &Kwargs,
) -> Result<Fragment, Error> {
    if name.is_empty() {
        return Err(refuse("the name of the fragment is empty".to_owned()));
    }
    let mut fragment = fragment(name);
    // What was rendered without escaping must not be served where it is escaped.
    fragment.add(("minijinja", state.name(), escaping(state.auto_escape())));
    for (at, value) in values.iter().enumerate() {
        if let Err(problem) = check(value) {
            let place = at + 1;
            return Err(refuse(format!(
                "value {place} of the key of the fragment `{name}` {problem}"
            )));
        }
        fragment = fragment.key(KeyValue(value));
    }
    for tag in tags(options)? {
        fragment = fragment.tag(tag);
    }
    let unless: Option<bool> = options.get("unless")?;
    let refresh: Option<bool> = options.get("refresh_if")?;
    Ok(fragment
        .unless(unless.unwrap_or(false))
        .refresh_if(refresh.unwrap_or(false)))
}

fn escaping(mode: &AutoEscape) -> String {
    format!("{mode:?}")
}

fn tags(options: &Kwargs) -> Result<Vec<String>, Error> {
    let tags: Option<Value> = options.get("tags")?;
    let Some(tags) = tags else {
        return Ok(Vec::new());
    };
    let text = |tag: &Value| match (tag.kind(), tag.as_str()) {
        (ValueKind::String, Some(text)) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(refuse(format!(
            "a tag is `{tag}`: give text, or a list of texts"
        ))),
    };
    match tags.kind() {
        ValueKind::Seq => tags.try_iter()?.map(|tag| text(&tag)).collect(),
        _ => Ok(vec![text(&tags)?]),
    }
}

fn refuse(problem: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, problem)
}
