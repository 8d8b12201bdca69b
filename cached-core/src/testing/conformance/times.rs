//! How long a store has to keep things, and that it does no longer.

use std::time::Duration;

use super::{Suite, check, failed, pause};
use crate::error::Error;
use crate::store::Item;

const SOON: Duration = Duration::from_secs(1);
/// Not so long that a part of it could not be waited for.
const LONGER: Duration = Duration::from_secs(30);

impl Suite<'_> {
    fn brief(&self, name: &str) -> Item {
        Item {
            ttl: Some(SOON),
            ..self.item(name, "1")
        }
    }

    fn ever(&self, name: &str) -> Item {
        Item {
            ttl: None,
            ..self.item(name, "1")
        }
    }

    /// Everything is written first, so that all of it is waited for at once.
    pub(super) async fn times_to_live(&self) -> Result<(), Error> {
        let fraction = Item {
            ttl: Some(Duration::from_millis(1)),
            ..self.item("fraction", "1")
        };
        let brief = ["brief", "expected", "replaced", "longer"].map(|name| self.brief(name));
        let others = [fraction, self.ever("ever"), self.item("kept", "1")];
        let swapped = self.item("swapped", "0");
        let all = brief.into_iter().chain(others).chain([swapped]);
        self.one.set_many(all.collect()).await?;
        self.one.set_many(vec![self.ever("replaced")]).await?;
        self.one.set_durably(vec![self.brief("durable")]).await?;
        self.one.add_many(vec![self.brief("added")]).await?;
        let swapped = self.one.swap(b"0".to_vec(), self.brief("swapped")).await?;
        check("swap what is as expected", swapped)?;
        let keys = [self.key("kept"), self.key("gone")];
        self.one.extend_many(&keys, SOON).await?;
        self.one.extend_many(&[self.key("longer")], LONGER).await?;
        self.what_runs_out().await?;
        self.what_stays().await
    }

    async fn what_runs_out(&self) -> Result<(), Error> {
        self.gone("let a value run out", "brief").await?;
        self.gone("let a value run out after a millisecond", "fraction")
            .await?;
        self.gone("let what was added run out", "added").await?;
        self.gone("let what was swapped in run out", "swapped")
            .await?;
        self.gone("let what was written durably run out", "durable")
            .await?;
        self.gone("let a value run out", "expected").await?;
        let swapped = self
            .one
            .swap(b"1".to_vec(), self.item("expected", "2"))
            .await?;
        check("swap nothing that has run out", !swapped)?;
        let again = self.one.add_many(vec![self.item("brief", "2")]).await?;
        check("add what has run out", again == [true])
    }

    async fn what_stays(&self) -> Result<(), Error> {
        let there = Some(&b"1"[..]);
        // Not to extend anything is allowed, to do so by half is not.
        let extended = self.read(&["longer"]).await?[..] == [Some(b"1".to_vec())];
        pause(2500).await;
        if extended {
            self.expect("extend a value for as long as was asked", "longer", there)
                .await?;
        }
        self.expect("extend a value, and not shorten it", "kept", there)
            .await?;
        self.expect("bring nothing to life that is extended", "gone", None)
            .await?;
        self.expect("keep what has no time to live", "ever", there)
            .await?;
        let what = "keep what has no time to live, whatever it replaces";
        self.expect(what, "replaced", there).await?;
        self.expect("keep what has not run out", "a", Some(b"new"))
            .await?;
        let ever = [self.key("ever"), self.key("replaced")];
        self.one.delete_many(&ever).await
    }

    /// Waits until a key is gone: times to live may be rounded up a little.
    async fn gone(&self, what: &str, name: &str) -> Result<(), Error> {
        for _ in 0..100 {
            if self.read(&[name]).await?[..] == [None] {
                return Ok(());
            }
            pause(50).await;
        }
        Err(failed(what))
    }
}
