//! Values that the format of a shared store has no form for: they stay in memory, or are refused, and
//! no process is given another value. Two caches on one store stand for two processes.
#![cfg(feature = "stores")]

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use dewar::testing::{FaultyStore, TestCache};
use dewar::{Cache, Format, cached, entry};

const HOUR: Duration = Duration::from_secs(3600);

fn processes(store: &FaultyStore, format: Format) -> [TestCache; 2] {
    [(); 2].map(|()| {
        let builder = Cache::builder().shared(store.clone()).format(format);
        TestCache::with(builder).expect("these settings are accepted")
    })
}

#[cached(timeout = 60)]
fn average(of: &[u32]) -> (Option<f64>, usize) {
    let sum: u32 = of.iter().sum();
    (Some(f64::from(sum) / of.len() as f64), of.len())
}

#[test]
fn a_float_that_json_has_not_stays_in_memory_and_that_is_said() {
    let [one, other] = processes(&FaultyStore::new(), Format::Json);
    for process in [&one, &other] {
        for _ in 0..2 {
            let (average, of) = process.run(|| average(&[]));
            assert!(average.is_some_and(f64::is_nan) && of == 0);
        }
        assert_eq!((process.stats().loads, process.stats().hits), (1, 1));
        assert_eq!(process.stats().undecodable, 0);
        let alone = process.store_status().unwrap().memory_only;
        assert_eq!(alone, ["stores_values::average"]);
        assert_eq!(process.run(|| average(&[1, 2])), (Some(1.5), 2));
    }
    assert_eq!(other.stats().fetched, 1, "the others are shared");
}

#[test]
fn what_a_format_has_no_form_for_is_an_error_by_hand() {
    let [one, other] = processes(&FaultyStore::new(), Format::Json);
    let (one, other) = (one.blocking(), other.blocking());
    one.set("x", Some(1.0), HOUR).unwrap();
    for value in [f64::NAN, f64::INFINITY] {
        let error = one.set("x", Some(value), HOUR).unwrap_err();
        assert!(
            error.is_value() && error.to_string().contains('x'),
            "{error}"
        );
        assert!(one.add("y", value, HOUR).unwrap_err().is_value());
    }
    assert!(
        one.set("x", Some(None::<f64>), HOUR)
            .unwrap_err()
            .is_value()
    );
    assert_eq!(one.get("x"), Some(Some(1.0)), "as it was");
    assert_eq!(other.get("x"), Some(Some(1.0)));
    let several = [("a", 1.0), ("b", f64::NAN)].map(|(key, value)| (key.to_owned(), value));
    assert!(one.set_many(several, HOUR).unwrap_err().is_value());
    assert_eq!((one.get::<f64>("a"), other.get::<f64>("a")), (None, None));
}

static RATE: AtomicU64 = AtomicU64::new(0);

#[cached(timeout = 60)]
fn rate() -> f64 {
    f64::from_bits(RATE.load(SeqCst))
}

#[test]
fn what_a_refresh_computes_takes_the_place_of_the_old_value_also_where_it_cannot_be_written() {
    let [one, other] = processes(&FaultyStore::new(), Format::Json);
    RATE.store(1.5f64.to_bits(), SeqCst);
    assert_eq!((one.run(rate), other.run(rate)), (1.5, 1.5));
    RATE.store(f64::INFINITY.to_bits(), SeqCst);
    assert_eq!(one.run(|| entry!(rate()).refresh()), f64::INFINITY);
    for process in [&one, &other] {
        process.advance(Duration::from_secs(6));
        assert_eq!(process.run(rate), f64::INFINITY);
    }
}

#[cfg(feature = "postcard")]
mod postcard {
    use super::*;

    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Row {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        a: Option<u8>,
        b: u8,
        c: Vec<u8>,
    }

    #[cached(timeout = 60)]
    fn row(a: Option<u8>) -> Row {
        let c = vec![9, 0];
        Row { a, b: 1, c }
    }

    #[test]
    fn a_field_that_is_left_out_is_not_read_as_the_next_one() {
        let [one, other] = processes(&FaultyStore::new(), Format::Postcard);
        for a in [None, Some(7)] {
            let here = one.run(|| row(a));
            assert_eq!(other.run(|| row(a)), here);
        }
        assert_eq!((other.stats().loads, other.stats().fetched), (1, 1));
        let left_out = row(None);
        let error = one.blocking().set("row", left_out, HOUR).unwrap_err();
        assert!(error.is_value(), "{error}");
    }
}
