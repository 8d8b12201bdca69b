//! What every store has to do, tried out.

mod push;
mod times;

use std::time::Duration;

use crate::clock::Clock;
use crate::error::Error;
use crate::rt::all;
use crate::store::{Item, Store, names};

/// Tries out whether a store keeps the contract of [`Store`]: dewar's own stores pass it too.
///
/// Give it two handles on one store, as two processes would have them. It writes under keys of its
/// own, takes a few seconds, and needs no runtime but what the store itself needs.
///
/// ```
/// use dewar::testing::{FaultyStore, store_conformance};
///
/// # futures::executor::block_on(async {
/// let store = FaultyStore::pushing();
/// store_conformance(&store.clone(), &store).await?;
/// # Ok::<(), dewar::Error>(())
/// # }).unwrap();
/// ```
///
/// # Errors
/// The first thing that the store did otherwise than the contract says, or its own error.
pub async fn store_conformance(one: &dyn Store, other: &dyn Store) -> Result<(), Error> {
    let suite = Suite {
        one,
        other,
        run: names::unique(),
    };
    suite.nothing_is_there().await?;
    suite.what_is_read_was_written().await?;
    suite.values_of_any_kind().await?;
    suite.deleting().await?;
    suite.adding().await?;
    suite.one_winner().await?;
    suite.swapping().await?;
    suite.counting_at_once().await?;
    suite.many_at_once().await?;
    suite.times_to_live().await?;
    push::conformance(&suite).await
}

struct Suite<'a> {
    one: &'a dyn Store,
    other: &'a dyn Store,
    run: u64,
}

const LATER: Duration = Duration::from_secs(600);

impl Suite<'_> {
    fn key(&self, name: &str) -> String {
        format!("conformance:{:016x}:{name}", self.run)
    }

    fn item(&self, name: &str, value: impl Into<Vec<u8>>) -> Item {
        Item {
            key: self.key(name),
            value: value.into(),
            ttl: Some(LATER),
        }
    }

    /// What the other handle reads under these names, in one operation.
    async fn read(&self, names: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let keys: Vec<_> = names.iter().map(|name| self.key(name)).collect();
        self.other.get_many(&keys).await
    }

    async fn expect(&self, what: &str, name: &str, value: Option<&[u8]>) -> Result<(), Error> {
        let found = self.read(&[name]).await?;
        check(what, found.len() == 1 && found[0].as_deref() == value)
    }

    async fn nothing_is_there(&self) -> Result<(), Error> {
        self.expect("have nothing under a new key", "new", None)
            .await?;
        let nothing = self.one.get_many(&[]).await?;
        check("read no keys at all", nothing.is_empty())?;
        self.one.set_many(Vec::new()).await?;
        self.one.delete_many(&[]).await?;
        let added = self.one.add_many(Vec::new()).await?;
        check("add nothing at all", added.is_empty())
    }

    async fn what_is_read_was_written(&self) -> Result<(), Error> {
        let items = vec![self.item("a", "1"), self.item("b", "2")];
        self.one.set_many(items).await?;
        let found = self.read(&["b", "none", "a", "b"]).await?;
        let two = Some(b"2".to_vec());
        let expected = [two.clone(), None, Some(b"1".to_vec()), two];
        check(
            "return what is under each key, in the order of the keys, repeated ones too",
            found == expected,
        )?;
        self.one.set_durably(Vec::new()).await?;
        self.one.set_durably(vec![self.item("a", "new")]).await?;
        self.expect("replace a value", "a", Some(b"new")).await
    }

    async fn values_of_any_kind(&self) -> Result<(), Error> {
        let every_byte: Vec<u8> = (0..=255).collect();
        let large = every_byte.repeat(2000);
        let long = format!("{:x<200}", "long");
        let items = vec![
            self.item("empty", ""),
            self.item("bytes", every_byte.clone()),
            self.item("large", large.clone()),
            self.item(&long, "long"),
            self.item("a/b?c=d&e=%25#f*[g]", "marks"),
        ];
        self.one.set_many(items).await?;
        self.expect("keep an empty value apart from none", "empty", Some(b""))
            .await?;
        self.expect("keep every byte", "bytes", Some(&every_byte))
            .await?;
        self.expect("keep half a megabyte", "large", Some(&large))
            .await?;
        self.expect("keep a key of 240 bytes", &long, Some(b"long"))
            .await?;
        let marks = "a/b?c=d&e=%25#f*[g]";
        self.expect("keep a key with marks in it", marks, Some(b"marks"))
            .await
    }

    async fn deleting(&self) -> Result<(), Error> {
        let items = vec![self.item("c", "1"), self.item("d", "2")];
        self.one.set_many(items).await?;
        let gone = [self.key("c"), self.key("never"), self.key("c")];
        self.one.delete_many(&gone).await?;
        self.expect("delete a key", "c", None).await?;
        self.expect("delete nothing else", "d", Some(b"2")).await
    }

    async fn adding(&self) -> Result<(), Error> {
        self.one.set_many(vec![self.item("there", "old")]).await?;
        let items = vec![self.item("there", "new"), self.item("fresh", "new")];
        let added = self.one.add_many(items).await?;
        check("say what it added, in order", added == [false, true])?;
        self.expect("leave what is there", "there", Some(b"old"))
            .await?;
        self.expect("add what is not", "fresh", Some(b"new"))
            .await?;
        self.one.delete_many(&[self.key("fresh")]).await?;
        let added = self.one.add_many(vec![self.item("fresh", "again")]).await?;
        check("add what was deleted", added == [true])?;
        let items = vec![self.item("twice", "0"), self.item("twice", "1")];
        let added = self.one.add_many(items).await?;
        let kept: &[u8] = match added[..] {
            [true, false] => b"0",
            [false, true] => b"1",
            _ => return Err(failed("add one of two items with one key")),
        };
        self.expect(
            "keep the one of two items that it added",
            "twice",
            Some(kept),
        )
        .await
    }

    async fn one_winner(&self) -> Result<(), Error> {
        let race = |n: usize| {
            let store = if n.is_multiple_of(2) {
                self.one
            } else {
                self.other
            };
            store.add_many(vec![self.item("race", n.to_string())])
        };
        let mut winners = Vec::new();
        for (n, won) in all((0..16).map(race)).await.into_iter().enumerate() {
            if won? == [true] {
                winners.push(n.to_string());
            }
        }
        check("let one of sixteen add a key", winners.len() == 1)?;
        let winner = winners.pop().unwrap_or_default();
        self.expect(
            "keep what the winner added",
            "race",
            Some(winner.as_bytes()),
        )
        .await
    }

    async fn swapping(&self) -> Result<(), Error> {
        self.one.set_many(vec![self.item("swap", "1")]).await?;
        let swap = |expected: &str, name: &str, new: &str| {
            self.one.swap(expected.into(), self.item(name, new))
        };
        let swapped = swap("0", "swap", "2").await?;
        check("swap nothing that is not as expected", !swapped)?;
        let swapped = swap("", "absent", "2").await?;
        check("swap nothing that is not there", !swapped)?;
        self.expect("leave what is not as expected", "swap", Some(b"1"))
            .await?;
        let swapped = swap("1", "swap", "2").await?;
        check("swap what is as expected", swapped)?;
        self.expect("keep what was swapped in", "swap", Some(b"2"))
            .await?;
        self.swapping_many().await
    }

    async fn swapping_many(&self) -> Result<(), Error> {
        let items = ["many-a", "many-b", "many-c"].map(|name| self.item(name, "1"));
        self.one.set_many(items.to_vec()).await?;
        let swap = |expected: &str, name: &str, new: &str| {
            let expected = expected.as_bytes().to_vec();
            (expected, self.item(name, new))
        };
        let swaps = vec![
            swap("1", "many-c", "2"),
            swap("0", "many-a", "2"),
            swap("1", "many-d", "2"),
            swap("1", "many-b", "2"),
            swap("1", "many-b", "3"),
        ];
        let swapped = self.other.swap_many(swaps).await?;
        let once = |from: &[bool]| from.iter().filter(|it| **it).count() == 1;
        let right = swapped.len() == 5 && swapped[..3] == [true, false, false];
        check(
            "say of each of several items whether it was swapped in",
            right && once(&swapped[3..]),
        )?;
        let second = if swapped[3] { "2" } else { "3" };
        for (name, kept) in [
            ("many-a", Some("1")),
            ("many-b", Some(second)),
            ("many-c", Some("2")),
            ("many-d", None),
        ] {
            let kept = kept.map(str::as_bytes);
            self.expect("swap several items, each by itself", name, kept)
                .await?;
        }
        let none = self.one.swap_many(Vec::new()).await?;
        check("swap no items at all", none.is_empty())
    }

    async fn counting_at_once(&self) -> Result<(), Error> {
        self.one.set_many(vec![self.item("count", "0")]).await?;
        let key = [self.key("count")];
        let count = |n: usize| {
            let store = if n.is_multiple_of(2) {
                self.one
            } else {
                self.other
            };
            let key = &key;
            Box::pin(async move {
                for _ in 0..10_000 {
                    let found = store.get_many(key).await?.pop().flatten();
                    let now = found.unwrap_or_default();
                    let number: usize = std::str::from_utf8(&now)
                        .ok()
                        .and_then(|text| text.parse().ok())
                        .ok_or_else(|| failed("keep a count"))?;
                    let next = self.item("count", (number + 1).to_string());
                    if store.swap(now, next).await? {
                        return Ok(());
                    }
                }
                Err(failed("let one of those succeed who swap at once"))
            })
        };
        for counted in all((0..20).map(count)).await {
            counted?;
        }
        self.expect("lose no swap of twenty at once", "count", Some(b"20"))
            .await
    }

    async fn many_at_once(&self) -> Result<(), Error> {
        let names: Vec<String> = (0..1000).map(|n| format!("many{n}")).collect();
        let items = names.iter().map(|name| self.item(name, name.as_str()));
        self.one.set_many(items.collect()).await?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = self.read(&names).await?;
        let same =
            |(name, found): (&&str, &Option<Vec<u8>>)| found.as_deref() == Some(name.as_bytes());
        let all_there = found.len() == names.len() && names.iter().zip(&found).all(same);
        check("keep a thousand keys at once", all_there)?;
        let keys: Vec<_> = names.iter().map(|name| self.key(name)).collect();
        self.one.delete_many(&keys).await?;
        let found = self.read(&names).await?;
        let gone = found.iter().all(Option::is_none);
        check("delete a thousand keys at once", gone)
    }
}

async fn pause(millis: u64) {
    Clock::System.sleep(millis * 1_000_000).await;
}

fn check(what: &str, holds: bool) -> Result<(), Error> {
    match holds {
        true => Ok(()),
        false => Err(failed(what)),
    }
}

fn failed(what: &str) -> Error {
    Error::refused(what, "it did something else")
}
