//! `/weather` and `/api/weather`.

use std::time::Instant;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse};
use serde::{Deserialize, Serialize};

use crate::Shop;
use crate::data::weather::{Weather, cities, readings, weather};
use crate::templates::context;
use crate::web::failed::{ApiFailed, Failed};

#[derive(Debug, Deserialize)]
pub(super) struct WeatherQuery {
    city: Option<String>,
    fresh: Option<String>,
}

/// The weather, and how it came about.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    #[serde(flatten)]
    weather: Weather,
    /// `service` or `cache`.
    source: &'static str,
    /// How long it took.
    millis: f64,
}

pub(super) async fn page(State(shop): State<Shop>) -> Result<impl IntoResponse, Failed> {
    let cities: Vec<_> = cities().collect();
    let html: Html<String> = shop.templates.render("weather.html", context! { cities })?;
    Ok(html)
}

pub(super) async fn api(Query(query): Query<WeatherQuery>) -> Result<impl IntoResponse, ApiFailed> {
    let city = query.city.or_else(|| cities().next().map(str::to_owned));
    let fresh = matches!(query.fresh.as_deref(), Some("1" | "true"));
    let (before, started) = (readings(), Instant::now());
    let weather = weather(city.unwrap_or_default(), fresh).await;
    let weather = weather.ok_or(Failed::Refused("There is no weather for this city."))?;
    let source = if weather.reading > before {
        "service"
    } else {
        "cache"
    };
    let answer = Answer {
        weather,
        source,
        millis: started.elapsed().as_secs_f64() * 1e3,
    };
    Ok(Json(answer))
}
