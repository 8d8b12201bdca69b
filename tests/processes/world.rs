//! The data behind the cache, and what was confirmed: files that all processes see.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How many confirmations of a key are remembered: more than there are in the bound.
const REMEMBERED: usize = 40;

#[derive(Clone)]
pub(crate) struct World(PathBuf);

impl World {
    /// That of the process which started this one.
    pub(crate) fn inherited() -> World {
        World(std::env::var("DEWAR_TEST_WORLD").unwrap_or_default().into())
    }

    pub(crate) fn at(directory: &Path) -> World {
        World(directory.to_owned())
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        let new = self.0.join(format!("new-{name}"));
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.0.join(name)).unwrap();
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(name)).ok()
    }

    fn number(&self, name: &str) -> u64 {
        let text = self.get(name);
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// The version that a key has in the source.
    pub(crate) fn source(&self, key: u64) -> u64 {
        self.number(&format!("source-{key}"))
    }

    /// Gives it another; by whoever may change the key.
    pub(crate) fn renew(&self, key: u64, version: u64) {
        self.put(&format!("source-{key}"), &version.to_string());
    }

    /// The right to change a key, if nobody has it.
    pub(crate) fn try_lock(&self, key: u64) -> Option<Lock> {
        let path = self.0.join(format!("lock-{key}"));
        let made = std::fs::File::create_new(&path);
        made.is_ok().then(|| Lock(path))
    }

    /// The versions from which on everything is valid, the last ones, and when that was confirmed.
    pub(crate) fn confirmed(&self, key: u64) -> Vec<(u64, Duration)> {
        let text = self.get(&format!("confirmed-{key}")).unwrap_or_default();
        let line = |line: &str| {
            let (version, at) = line.split_once(' ')?;
            let at = Duration::from_nanos(at.parse().ok()?);
            Some((version.parse().ok()?, at))
        };
        text.lines().filter_map(line).collect()
    }

    /// Adds one; by whoever may change the key.
    pub(crate) fn confirm(&self, key: u64, version: u64) {
        let mut all = self.confirmed(key);
        all.push((version, now()));
        let last = &all[all.len().saturating_sub(REMEMBERED)..];
        let line = |(version, at): &(u64, Duration)| format!("{version} {}\n", at.as_nanos());
        let text: String = last.iter().map(line).collect();
        self.put(&format!("confirmed-{key}"), &text);
    }

    /// How often the server has begun to lose all it has, or was done with it: odd in between.
    pub(crate) fn epoch(&self) -> u64 {
        self.number("epoch")
    }

    /// The server loses what it has.
    pub(crate) fn losing<T>(&self, lose: impl FnOnce() -> T) -> T {
        let epoch = self.epoch();
        self.put("epoch", &(epoch + 1).to_string());
        let lost = lose();
        self.put("epoch", &(epoch + 2).to_string());
        lost
    }

    /// What something came to, and in which epoch, if the server has kept what it has meanwhile.
    pub(crate) fn within<T>(&self, run: impl FnOnce(u64) -> T) -> Option<(u64, T)> {
        let epoch = self.epoch();
        if epoch % 2 == 1 {
            return None;
        }
        let done = run(epoch);
        (self.epoch() == epoch).then_some((epoch, done))
    }

    pub(crate) fn is(&self, what: &str) -> bool {
        self.0.join(what).exists()
    }

    pub(crate) fn say(&self, what: &str) {
        std::fs::write(self.0.join(what), "").unwrap();
    }
}

/// The right to change a key, as long as it lives.
pub(crate) struct Lock(PathBuf);

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
