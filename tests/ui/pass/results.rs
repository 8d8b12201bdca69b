//! Results under any name.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dewar::{TimedOut, cached, entry};

#[derive(Debug)]
struct NotClone;

type Answer<T> = Result<T, NotClone>;
type Maybe = Option<u64>;
type Both = std::result::Result<Option<u64>, Arc<str>>;

#[cached(timeout = 60)]
fn answer(id: u64) -> Answer<u64> {
    if id == 0 { Err(NotClone) } else { Ok(id) }
}

#[cached(timeout = 60, cache_none)]
fn maybe(id: u64) -> Maybe {
    (id > 0).then_some(id)
}

#[cached(timeout = 60, cache_none = "1s", cache_err = "2s")]
async fn both(id: u64) -> Both {
    match id {
        0 => Err("zero".into()),
        1 => Ok(None),
        _ => Ok(Some(id)),
    }
}

#[cached(timeout = 60)]
fn constant(id: u64) -> &'static str {
    if id == 0 { "zero" } else { "more" }
}

#[cached(timeout = 60)]
fn dynamic(id: u64) -> Arc<dyn Fn(u64) -> u64 + Send + Sync> {
    Arc::new(move |more| id + more)
}

#[cached(timeout = 60)]
fn pointer(id: u64) -> fn(&str) -> &str {
    if id == 0 { str::trim } else { |text| text }
}

#[derive(Debug)]
struct Failed;

impl From<TimedOut> for Failed {
    fn from(_: TimedOut) -> Self {
        Failed
    }
}

#[cached(timeout = 60, hard_timeout = "10s", stale_if_error("1h", only = |error| matches!(error, Failed)))]
async fn timed(id: u64) -> Result<u64, Failed> {
    Ok(id)
}

#[cached(batch = ids)]
fn batch(ids: &[u64]) -> HashMap<u64, String> {
    ids.iter().map(|id| (*id, id.to_string())).collect()
}

#[cached(batch = ids)]
async fn batch_in_result(ids: Vec<u64>) -> Result<BTreeMap<u64, f64>, NotClone> {
    Ok(ids.into_iter().map(|id| (id, id as f64)).collect())
}

#[cached(timeout = |value: &(u64, std::time::Duration)| value.1)]
fn by_value(id: u64) -> (u64, std::time::Duration) {
    (id, std::time::Duration::from_secs(5))
}

#[test]
fn all_of_them() {
    assert!(answer(0).is_err());
    assert_eq!(answer(1).unwrap(), 1);
    assert_eq!((maybe(0), maybe(1)), (None, Some(1)));
    assert_eq!(entry!(maybe(0)).get(), Some(None));
    assert_eq!(constant(1), "more");
    assert_eq!(dynamic(1)(2), 3);
    assert_eq!(pointer(0)(" a "), "a");
    assert_eq!(batch(&[1, 2])[&2], "2");
    assert_eq!(by_value(1).0, 1);
    futures::executor::block_on(async {
        assert_eq!(both(0).await, Err("zero".into()));
        assert_eq!(both(1).await, Ok(None));
        assert_eq!(both(2).await, Ok(Some(2)));
        assert_eq!(timed(1).await.unwrap(), 1);
        assert_eq!(batch_in_result(vec![1]).await.unwrap()[&1], 1.0);
    });
}
