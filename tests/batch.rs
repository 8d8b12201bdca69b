//! `batch`: many keys in one call, each with an entry of its own.

mod common;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use common::{Failed, Task, secs};
use dewar::testing::isolated;
use dewar::{cached, entry, invalidate};
use futures::executor::block_on;

/// What the bodies were asked for.
#[derive(Default)]
struct Asked(Mutex<Vec<Vec<u64>>>);

impl Asked {
    fn note<'a>(&self, ids: impl IntoIterator<Item = &'a u64>) {
        let mut ids: Vec<u64> = ids.into_iter().copied().collect();
        ids.sort_unstable();
        self.0.lock().unwrap().push(ids);
    }

    /// Since the last question.
    fn take(&self) -> Vec<Vec<u64>> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[cached(timeout = 60, key_prefix = "product:{ids}", tags("products"), batch = ids, skip(asked))]
async fn products(asked: &Asked, factor: u64, ids: &[u64]) -> Result<HashMap<u64, u64>, Failed> {
    asked.note(ids);
    futures::pending!();
    if ids.contains(&0) {
        return Err(Failed);
    }
    Ok(ids
        .iter()
        .filter(|id| **id < 100)
        .map(|id| (*id, id * factor))
        .collect())
}

#[cached(batch = ids, skip(asked))]
fn ordered(asked: &Asked, ids: Vec<u64>) -> BTreeMap<u64, String> {
    asked.note(&ids);
    ids.iter().map(|id| (*id, id.to_string())).collect()
}

#[cached(batch = ids, skip(asked))]
fn pairs(asked: &Asked, ids: HashSet<u64>) -> Option<Vec<(u64, u64)>> {
    asked.note(&ids);
    Some(ids.iter().map(|id| (*id, id + 1)).collect())
}

#[cached(timeout = 60, stale_if_error = 600, batch = ids, skip(asked))]
fn kept(asked: &Asked, ids: &[u64]) -> Result<HashMap<u64, u64>, Failed> {
    asked.note(ids);
    match asked.0.lock().unwrap().len() {
        1 => Ok(ids.iter().map(|id| (*id, *id)).collect()),
        _ => Err(Failed),
    }
}

/// Keys below ten have several rows.
#[cached(batch = ids, key_prefix = "row:{ids}", skip(asked))]
async fn rows(asked: &Asked, ids: &[u64]) -> Vec<(u64, String)> {
    asked.note(ids);
    futures::pending!();
    let mut rows = Vec::from_iter(ids.iter().map(|id| (*id, format!("{id}a"))));
    let more = ids.iter().filter(|id| **id < 10);
    rows.extend(more.map(|id| (*id, format!("{id}b"))));
    rows.push((77, "beyond".into()));
    rows
}

#[cached(batch = ids, refresh_if = fresh, skip(fresh))]
fn grown(fresh: bool, ids: &[u64]) -> Vec<(u64, u64)> {
    let times = if fresh { 2 } else { 1 };
    ids.iter().flat_map(|id| vec![(*id, 1); times]).collect()
}

fn call(asked: &Arc<Asked>, ids: &[u64]) -> Task<Result<HashMap<u64, u64>, Failed>> {
    let (asked, ids) = (Arc::clone(asked), ids.to_vec());
    Task::new(async move { products(&asked, 10, &ids).await })
}

fn done(asked: &Arc<Asked>, ids: &[u64]) -> Result<HashMap<u64, u64>, Failed> {
    let mut task = call(asked, ids);
    match task.step() {
        std::task::Poll::Ready(result) => result,
        std::task::Poll::Pending => task.done(),
    }
}

#[test]
fn the_body_is_asked_once_for_what_is_missing() {
    isolated(|cache| {
        let asked = Arc::default();
        assert_eq!(
            done(&asked, &[1, 2]).unwrap(),
            HashMap::from([(1, 10), (2, 20)])
        );
        assert_eq!(done(&asked, &[3, 2, 1, 3]).unwrap().len(), 3);
        assert_eq!(done(&asked, &[3, 1]).unwrap().len(), 2);
        assert_eq!(asked.take(), [vec![1, 2], vec![3]]);
        assert_eq!((cache.len(), cache.stats().hits), (3, 4));
        assert!(done(&asked, &[]).unwrap().is_empty());
        assert!(asked.take().is_empty());
    });
}

#[test]
fn other_arguments_are_part_of_every_key() {
    isolated(|_| {
        let asked = Arc::<Asked>::default();
        done(&asked, &[1]).unwrap();
        let other = Arc::clone(&asked);
        let mut task = Task::new(async move { products(&other, 7, &[1]).await }).waiting();
        assert_eq!(task.done().unwrap()[&1], 7);
    });
}

#[test]
fn what_the_body_does_not_answer_is_not_stored() {
    isolated(|_| {
        let asked = Arc::default();
        assert_eq!(done(&asked, &[1, 100]).unwrap().len(), 1);
        assert_eq!(done(&asked, &[1, 100]).unwrap().len(), 1);
        assert_eq!(asked.take(), [vec![1, 100], vec![100]]);
    });
}

#[test]
fn an_error_is_returned_and_nothing_stored() {
    isolated(|cache| {
        let asked = Arc::default();
        assert_eq!(done(&asked, &[0, 1]), Err(Failed));
        assert!(cache.is_empty());
        assert_eq!(done(&asked, &[1]).unwrap()[&1], 10);
    });
}

#[test]
fn one_key_is_invalidated_by_call_by_prefix_and_all_by_tag() {
    isolated(|_| {
        let asked = Arc::default();
        let all = [1, 2, 3, 4];
        done(&asked, &all).unwrap();
        invalidate!(products(_, 10, &[1, 2])).wait().unwrap();
        invalidate!(prefix = "product:3").wait().unwrap();
        asked.take();
        done(&asked, &all).unwrap();
        assert_eq!(asked.take(), [[1, 2, 3]]);
        invalidate!(tag = "products").wait().unwrap();
        done(&asked, &all).unwrap();
        assert_eq!(asked.take(), [all]);
    });
}

#[test]
fn two_batches_that_overlap_load_each_key_once() {
    isolated(|_| {
        let asked = Arc::default();
        let mut first = call(&asked, &[1, 2, 3]).waiting();
        let mut second = call(&asked, &[3, 4, 1]).waiting();
        assert_eq!(first.done().unwrap().len(), 3);
        assert_eq!(
            second.done().unwrap(),
            HashMap::from([(1, 10), (3, 30), (4, 40)])
        );
        assert_eq!(asked.take(), [vec![1, 2, 3], vec![4]]);
    });
}

#[test]
fn a_batch_that_is_dropped_leaves_its_keys_to_the_others() {
    isolated(|_| {
        let asked = Arc::default();
        let first = call(&asked, &[1, 2]).waiting();
        let mut second = call(&asked, &[2, 3]).waiting();
        drop(first);
        while second.step().is_pending() {
            if asked.0.lock().unwrap().len() > 3 {
                panic!("it goes on and on");
            }
        }
        assert_eq!(asked.take(), [vec![1, 2], vec![3], vec![2]]);
    });
}

#[test]
fn an_invalidation_during_a_batch_keeps_its_old_values_out() {
    isolated(|_| {
        let asked = Arc::default();
        let mut first = call(&asked, &[1, 2]).waiting();
        invalidate!(prefix = "product:2").wait().unwrap();
        assert_eq!(first.done().unwrap().len(), 2);
        asked.take();
        done(&asked, &[1, 2]).unwrap();
        assert_eq!(asked.take(), [[2]], "the other key was stored");
    });
}

#[test]
fn every_collection_works() {
    isolated(|_| {
        let asked = Asked::default();
        assert_eq!(
            ordered(&asked, vec![2, 1])
                .into_values()
                .collect::<Vec<_>>(),
            ["1", "2"]
        );
        assert_eq!(ordered(&asked, vec![2, 3]).len(), 2);
        assert_eq!(pairs(&asked, HashSet::from([5])), Some(vec![(5, 6)]));
        assert_eq!(pairs(&asked, HashSet::from([5, 6])).unwrap().len(), 2);
        assert_eq!(asked.take(), [vec![1, 2], vec![3], vec![5], vec![6]]);
    });
}

#[test]
fn stale_values_stand_in_for_a_batch_that_fails() {
    isolated(|cache| {
        let asked = Asked::default();
        assert_eq!(kept(&asked, &[1, 2]).unwrap().len(), 2);
        cache.advance(secs(61));
        assert_eq!(
            kept(&asked, &[1, 2]).unwrap(),
            HashMap::from([(1, 1), (2, 2)])
        );
        assert_eq!(kept(&asked, &[1, 3]), Err(Failed), "there is none for 3");
    });
}

#[test]
fn a_key_that_is_returned_repeatedly_keeps_all_its_rows_and_is_not_stored() {
    isolated(|cache| {
        let asked = Arc::<Asked>::default();
        let rows = |ids: &[u64]| {
            let (asked, ids) = (Arc::clone(&asked), ids.to_vec());
            Task::new(async move { rows(&asked, &ids).await }).waiting()
        };
        let expected = [(20, "20a"), (1, "1a"), (1, "1b"), (77, "beyond")];
        let expected = expected.map(|(id, row)| (id, row.to_owned()));
        assert_eq!(rows(&[20, 1]).done(), expected);
        assert_eq!((cache.len(), cache.stats().rejections), (1, 1));
        assert_eq!(rows(&[20, 1]).done(), expected, "the order is the same");
        let mut first = rows(&[1]);
        let mut second = rows(&[1, 20]);
        first.done();
        assert_eq!(
            second.done()[..2],
            expected[1..3],
            "who waits gets them too"
        );
        assert_eq!(asked.take(), [vec![1, 20], vec![1], vec![1]]);
    });
}

#[test]
fn what_is_returned_beyond_what_was_asked_for_stands_where_it_was_given() {
    isolated(|cache| {
        let asked = Arc::<Asked>::default();
        let row = |id: u64, row: &str| (id, row.to_owned());
        let rows = |ids: &[u64]| {
            let (asked, ids) = (Arc::clone(&asked), ids.to_vec());
            Task::new(async move { rows(&asked, &ids).await }).waiting()
        };
        assert_eq!(rows(&[20]).done(), [row(20, "20a"), row(77, "beyond")]);
        block_on(entry!(rows(&asked, &[77])).put([row(77, "kept")])).unwrap();
        let both = [row(77, "kept"), row(30, "30a")];
        assert_eq!(rows(&[77, 30]).done(), both, "what was found goes first");
        assert_eq!(cache.stats().stores, 3);
    });
}

#[test]
fn what_was_stored_of_a_key_goes_when_it_turns_out_to_have_several_rows() {
    isolated(|cache| {
        assert_eq!(grown(false, &[1]), [(1, 1)]);
        assert_eq!(grown(true, &[1]), [(1, 1), (1, 1)]);
        grown(false, &[1]);
        assert_eq!(cache.stats().loads, 3, "one row of two is not served");
    });
}

#[test]
fn every_key_is_counted() {
    isolated(|cache| {
        let asked = Arc::default();
        done(&asked, &[1, 2, 100]).unwrap(); // absent: 3, one of them has no value
        let mut leader = call(&asked, &[3]).waiting(); // absent: 1
        let mut waiter = call(&asked, &[1, 3]).waiting(); // a hit, and one that is waited for
        leader.done().unwrap();
        waiter.done().unwrap();
        let mut leader = call(&asked, &[0, 4]).waiting(); // absent: 2, which fail
        let mut waiter = call(&asked, &[4]).waiting(); // absent: 1, which is waited for
        assert_eq!((leader.done(), waiter.done()), (Err(Failed), Err(Failed)));
        invalidate!(products(_, 10, &[1])).wait().unwrap();
        done(&asked, &[1, 2]).unwrap(); // invalidated: 1, and a hit
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.absent, stats.invalidated), (2, 8, 1));
        assert_eq!((stats.lookups(), stats.misses()), (11, 9));
        assert_eq!((stats.loads, stats.load_errors), (7, 2));
        assert_eq!(stats.coalesced, 2);
        assert_eq!(stats.loads + stats.coalesced, stats.misses());
        assert_eq!((stats.stores, stats.rejections), (4, 0));
    });
}
