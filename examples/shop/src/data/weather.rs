//! The weather, as a slow service would tell it. The service is in this process, so that nothing
//! outside is asked, and its weather is always the same.

use std::f64::consts::TAU;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dewar::cached;
use serde::{Deserialize, Serialize};

use crate::web::time;

/// A city, its mean temperature, how far it swings in a day, and how long the service takes for it.
struct City {
    name: &'static str,
    mean: f64,
    swing: f64,
    delay: Duration,
}

const CITIES: [City; 6] = [
    city("Oslo", 4.0, 4.0, 320),
    city("Lisbon", 18.0, 5.0, 260),
    city("Nairobi", 20.0, 6.5, 410),
    city("Kyoto", 14.0, 5.5, 380),
    city("Montréal", 1.0, 6.0, 300),
    city("Cork", 9.0, 2.5, 280),
];

const fn city(name: &'static str, mean: f64, swing: f64, millis: u64) -> City {
    City {
        name,
        mean,
        swing,
        delay: Duration::from_millis(millis),
    }
}

/// The cities that there is weather for.
pub fn cities() -> impl Iterator<Item = &'static str> {
    CITIES.iter().map(|city| city.name)
}

/// The weather of a day.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Weather {
    /// Where.
    pub city: String,
    /// Degrees Celsius, for each hour.
    pub celsius: Vec<f64>,
    /// How many times the service had been asked.
    pub reading: u64,
    /// When it was asked.
    pub asked_at: String,
}

/// How many times the service has been asked.
pub fn readings() -> u64 {
    READINGS.load(Ordering::SeqCst)
}

static READINGS: AtomicU64 = AtomicU64::new(0);

/// The weather; none for a city that the service does not know.
///
/// Past its minute it may be served for five more, while one load in the background asks again.
#[cached(
    timeout = 60,
    stale_while_revalidate = "5m",
    key_prefix = "weather:{city}",
    skip(fresh),
    refresh_if = fresh,
)]
pub async fn weather(city: String, fresh: bool) -> Option<Weather> {
    let city = CITIES.iter().find(|known| known.name == city)?;
    tokio::time::sleep(city.delay).await;
    Some(Weather {
        city: city.name.to_owned(),
        celsius: (0..24).map(|hour| temperature(city, hour)).collect(),
        reading: READINGS.fetch_add(1, Ordering::SeqCst) + 1,
        asked_at: time::now(),
    })
}

/// Coldest at five, warmest at five in the afternoon, and a little unsteady.
fn temperature(city: &City, hour: u32) -> f64 {
    let day = ((f64::from(hour) - 11.0) / 24.0 * TAU).sin();
    let gusts = (f64::from(hour) * 1.7 + city.mean).sin() * 0.6;
    ((city.mean + city.swing * day + gusts) * 10.0).round() / 10.0
}
