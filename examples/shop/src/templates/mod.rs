//! The templates, in the binary, with autoescape: whatever a user has typed stays text.

use axum::response::Html;
use minijinja::{Environment, Error, UndefinedBehavior, Value};

use crate::web::{assets, failed::Failed, time};

/// All pages' HTML.
#[derive(Debug)]
pub struct Templates(Environment<'static>);

/// Names and values for a template: `context! { user, title => "Users" }`.
macro_rules! context {
    (@value $name:ident) => { &$name };
    (@value $name:ident => $value:expr) => { &$value };
    ($($name:ident $(=> $value:expr)?),* $(,)?) => {
        minijinja::Value::from_pairs([$((
            stringify!($name),
            minijinja::Value::from(minijinja::value::Serde(
                $crate::templates::context!(@value $name $(=> $value)?),
            )),
        )),*] as [(&str, minijinja::Value); _])
    };
}
pub(crate) use context;

macro_rules! templates {
    ($($name:literal),* $(,)?) => { [$(($name, include_str!($name))),*] };
}

const TEMPLATES: [(&str, &str); 16] = templates![
    "account.html",
    "base.html",
    "benchmark.html",
    "compare.html",
    "conditional.html",
    "dynamic.html",
    "expensive.html",
    "form.html",
    "home.html",
    "login.html",
    "macros.html",
    "product.html",
    "products.html",
    "static.html",
    "users.html",
    "weather.html",
];

impl Templates {
    /// # Errors
    /// A template has a mistake.
    pub(crate) fn new() -> Result<Self, Error> {
        let mut environment = Environment::new();
        // A name misspelt is an error, not an empty place on the page.
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_filter("money", money);
        environment.add_filter("thousands", thousands);
        environment.add_filter("decimals", decimals);
        environment.add_function("asset", |name: &str| assets::url(name));
        environment.add_function("now", time::now);
        environment.add_function("cached", dewar::minijinja::cached);
        for (name, source) in TEMPLATES {
            environment.add_template(name, source)?;
        }
        Ok(Templates(environment))
    }

    /// # Errors
    /// The template could not be rendered.
    pub(crate) fn render(&self, name: &str, context: Value) -> Result<Html<String>, Failed> {
        Ok(Html(self.0.get_template(name)?.render(context)?))
    }
}

/// Cents as `€1,234.50`.
fn money(cents: i64) -> String {
    format!("€{}.{:02}", thousands(cents / 100), cents % 100)
}

/// A number with so many digits after the point, so that columns stand straight.
fn decimals(number: f64, digits: usize) -> String {
    format!("{number:.*}", digits.min(9))
}

/// A number as `1,234`.
fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_with_separators() {
        assert_eq!(money(123_450), "€1,234.50");
        assert_eq!(money(5), "€0.05");
        assert_eq!(thousands(-1_000_000), "-1,000,000");
        assert_eq!(thousands(999), "999");
    }

    #[test]
    fn every_template_compiles() {
        Templates::new().unwrap();
    }
}
