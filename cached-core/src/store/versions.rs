//! The versions of the scopes of several entries, each scope asked for once.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::names::Names;
use super::tier::Tier;
use crate::clock::Nanos;

/// The versions that an entry depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Versions {
    /// Of the scopes that it shares with others.
    shared: Arc<[u64]>,
    /// Of that of its key alone.
    own: Option<u64>,
}

impl Versions {
    /// That of the scope of its key alone.
    pub(crate) fn own(&self) -> Option<u64> {
        self.own
    }

    /// There is a new one of that.
    pub(super) fn renew(&mut self, version: u64) {
        self.own = Some(version);
    }

    /// As they stand in an envelope: in the order of the entry's scopes, 8 bytes each.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.each().flatten().collect()
    }

    /// Whether these are they.
    pub(super) fn are(&self, bytes: &[u8]) -> bool {
        let (each, rest) = bytes.as_chunks();
        rest.is_empty() && self.each().eq(each.iter().copied())
    }

    fn each(&self) -> impl Iterator<Item = [u8; 8]> {
        let each = self.shared.iter().copied().chain(self.own);
        each.map(u64::to_le_bytes)
    }
}

/// The scopes of several entries.
pub(super) struct Scopes {
    /// What is to be read: the entries, and then the versions.
    pub(super) keys: Vec<String>,
    /// How many of the keys are entries.
    first: usize,
    entries: Vec<Entry>,
    groups: Vec<Group>,
    versions: Vec<Version>,
}

/// Where the versions of an entry are.
struct Entry {
    group: usize,
    own: Option<usize>,
}

/// Where the versions are that entries have in common.
struct Group(Vec<usize>);

struct Version {
    value: Option<u64>,
    /// It was there when it was first asked for.
    known: bool,
    /// Of what depends on it, the longest.
    lifetime: Nanos,
}

impl Scopes {
    pub(super) fn of(tier: &Tier, entries: &[&Names]) -> Self {
        // The scopes of a group, the entries' own, and the entries.
        let room = entries.len() * 2 + entries.first().map_or(0, |e| e.shared.scopes.len());
        let mut scopes = Scopes {
            keys: Vec::with_capacity(room),
            first: entries.len(),
            entries: Vec::with_capacity(entries.len()),
            groups: Vec::new(),
            versions: Vec::with_capacity(room - entries.len()),
        };
        let keys = entries.iter().map(|names| tier.key_of(names));
        scopes.keys.extend(keys);
        let mut known = Known::default();
        for group in entries.chunk_by(|a, b| Arc::ptr_eq(&a.shared, &b.shared)) {
            scopes.add_group(tier, group, &mut known);
        }
        scopes
    }

    /// Adds the versions of entries with the same names in common.
    fn add_group<'a>(&mut self, tier: &Tier, entries: &[&'a Names], known: &mut Known<'a>) {
        let group = self.groups.len();
        let lifetimes = entries.iter().map(|names| names.lifetime);
        let lifetime = lifetimes.max().unwrap_or_default();
        let alone = self.first == entries.len();
        let shared = entries[0].shared.versions.iter().map(|version| {
            let mut add = || self.add(tier.key_of_version(version));
            let at = match alone {
                true => add(),
                false => *known.entry(version).or_insert_with(add),
            };
            let longest = &mut self.versions[at].lifetime;
            *longest = lifetime.max(*longest);
            at
        });
        let shared = Group(shared.collect());
        self.groups.push(shared);
        for names in entries {
            let own = tier.own_version(names).map(|key| {
                let at = self.add(key);
                self.versions[at].lifetime = names.lifetime;
                at
            });
            self.entries.push(Entry { group, own });
        }
    }

    fn add(&mut self, key: String) -> usize {
        self.keys.push(key);
        self.versions.push(Version {
            value: None,
            known: false,
            lifetime: 0,
        });
        self.versions.len() - 1
    }

    /// What was read, in the order of the keys.
    pub(super) fn found(&mut self, found: impl Iterator<Item = Option<u64>>) {
        for (version, found) in self.versions.iter_mut().zip(found) {
            (version.value, version.known) = (found, found.is_some());
        }
    }

    /// Sets one of those that there were none of.
    pub(super) fn give(&mut self, at: usize, value: Option<u64>) {
        self.versions[at].value = value;
    }

    pub(super) fn lack_some(&self) -> bool {
        self.versions.iter().any(|version| version.value.is_none())
    }

    /// Those that there are none of.
    pub(super) fn lacking(&self) -> Vec<usize> {
        let versions = self.versions.iter().enumerate();
        versions
            .filter_map(|(at, version)| version.value.is_none().then_some(at))
            .collect()
    }

    /// The key of a version, and for how long entries depend on it.
    pub(super) fn depended(&self, at: usize) -> (&str, Nanos) {
        (&self.keys[self.first + at], self.versions[at].lifetime)
    }

    /// Of each entry, the versions that it depends on, if they all are known; and whether all of
    /// them were there when they were first asked for.
    pub(super) fn versions(&self) -> impl Iterator<Item = Option<(Versions, bool)>> {
        let groups: Vec<_> = self
            .groups
            .iter()
            .map(|group| self.of_group(group))
            .collect();
        self.entries.iter().map(move |entry| {
            let (shared, mut known) = groups[entry.group].clone()?;
            let own = match entry.own {
                Some(at) => {
                    known &= self.versions[at].known;
                    Some(self.versions[at].value?)
                }
                None => None,
            };
            Some((Versions { shared, own }, known))
        })
    }

    fn of_group(&self, group: &Group) -> Option<(Arc<[u64]>, bool)> {
        let each = || group.0.iter().map(|at| &self.versions[*at]);
        let versions: Option<_> = each().map(|version| version.value).collect();
        Some((versions?, each().all(|version| version.known)))
    }
}

/// Where the versions of scopes are that several groups may have.
type Known<'a> = HashMap<&'a str, usize, RandomState>;

/// The keys of all versions that these entries depend on, each of them once.
pub(super) fn keys(tier: &Tier, entries: &[&Names]) -> Vec<String> {
    let mut keys = Scopes::of(tier, entries).keys.split_off(entries.len());
    keys.sort_unstable();
    keys.dedup();
    keys
}

#[cfg(test)]
mod tests {
    use super::Versions;

    #[test]
    fn versions_are_the_same_if_all_of_them_are() {
        let of = |shared: &[u64], own| Versions {
            shared: shared.into(),
            own,
        };
        let written = of(&[1, 2], Some(3));
        let bytes = written.bytes();
        assert!(written.are(&bytes) && of(&[1, 2, 3], None).are(&bytes));
        for other in [
            of(&[1, 2], None),
            of(&[1, 2], Some(4)),
            of(&[1, 5], Some(3)),
            of(&[1, 2, 3], Some(4)),
            of(&[], None),
        ] {
            assert!(!other.are(&bytes), "{other:?}");
        }
        assert!(!written.are(&bytes[..23]) && !written.are(&[&bytes[..], &[0]].concat()));
    }
}
