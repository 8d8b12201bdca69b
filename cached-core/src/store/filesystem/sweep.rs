//! Keeping files within their bound: what has run out goes, and then the oldest.
//!
//! Only files are touched that carry our names, and lie where ours lie.

use std::fs::{self, DirEntry, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::file::{EXTENSION, NEW, Record};
use super::now;
use crate::sync::lock;

/// When to look, and how much there may be.
pub(super) struct Sweep {
    bound: AtomicU64,
    /// Bytes written since the last look.
    written: AtomicU64,
    /// There has been one.
    begun: AtomicBool,
    /// Somebody sees to the next.
    claimed: AtomicBool,
    turn: Mutex<()>,
}

/// It is looked after again when so much of the bound has been written.
const PART: u64 = 16;
/// A file that was begun so long ago will not be finished.
const ABANDONED: Duration = Duration::from_secs(3600);
/// What a file takes a multiple of, where the system does not say what it takes.
const BLOCK: u64 = 4096;

/// A file of ours. There may be a million, so their names are not kept as text.
struct Known {
    /// The shelf, and the name on it.
    name: [u8; 20],
    written: SystemTime,
    bytes: u64,
}

impl Known {
    fn path(&self, root: &Path) -> PathBuf {
        let text: String = self.name.iter().map(|byte| format!("{byte:02x}")).collect();
        let (shelf, name) = text.split_at(2);
        root.join(shelf).join(format!("{name}.{EXTENSION}"))
    }
}

impl Sweep {
    pub(super) fn new(bound: u64) -> Self {
        Sweep {
            bound: AtomicU64::new(bound),
            written: AtomicU64::new(0),
            begun: AtomicBool::new(false),
            claimed: AtomicBool::new(false),
            turn: Mutex::default(),
        }
    }

    pub(super) fn set_bound(&self, bytes: u64) {
        self.bound.store(bytes, Ordering::Relaxed);
    }

    /// Notes what was written.
    pub(super) fn wrote(&self, bytes: usize) {
        let bytes = (bytes as u64).next_multiple_of(BLOCK);
        self.written.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether it is time to look: one of those who ask is told so, and has to
    /// [give it up](Self::give_up) when that is done.
    pub(super) fn claim(&self) -> bool {
        let written = self.written.load(Ordering::Relaxed);
        let part = self.bound.load(Ordering::Relaxed) / PART;
        let first = written > 0 && !self.begun.load(Ordering::Relaxed);
        (first || written > part) && !self.claimed.swap(true, Ordering::SeqCst)
    }

    pub(super) fn give_up(&self) {
        self.claimed.store(false, Ordering::SeqCst);
    }

    /// Removes what has run out and what is too much; says how many files are left, and their
    /// bytes.
    pub(super) fn run(&self, root: &Path) -> io::Result<(u64, u64)> {
        let _turn = lock(&self.turn);
        self.begun.store(true, Ordering::Relaxed);
        self.written.store(0, Ordering::Relaxed);
        self.sweep(root)
    }

    fn sweep(&self, root: &Path) -> io::Result<(u64, u64)> {
        let mut alive = Vec::new();
        for shelf in fs::read_dir(root)?.flatten() {
            if !is_shelf(&shelf) {
                continue;
            }
            for file in fs::read_dir(shelf.path()).into_iter().flatten().flatten() {
                alive.extend(look(&shelf, &file));
            }
        }
        alive.sort_unstable_by_key(|known| std::cmp::Reverse(known.written));
        let bound = self.bound.load(Ordering::Relaxed);
        let (mut files, mut bytes) = (0, 0);
        for known in alive {
            let sum = known.bytes.saturating_add(bytes);
            if sum > bound {
                let _ = fs::remove_file(known.path(root));
            } else {
                (files, bytes) = (files + 1, sum);
            }
        }
        Ok((files, bytes))
    }
}

fn is_shelf(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let hexadecimal = |name: &str| name.len() == 2 && name.bytes().all(|b| b.is_ascii_hexdigit());
    let directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
    directory && name.to_str().is_some_and(hexadecimal)
}

/// The bytes that hexadecimal digits stand for, if a name is that and nothing else.
fn digits(shelf: &str, name: &str) -> Option<[u8; 20]> {
    let text = [shelf, name].concat();
    let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 40 || !text.bytes().all(hexadecimal) {
        return None;
    }
    let mut bytes = [0; 20];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// What a file takes on the disk.
fn taken(about: &Metadata) -> u64 {
    #[cfg(unix)]
    let blocks = std::os::unix::fs::MetadataExt::blocks(about).saturating_mul(512);
    #[cfg(not(unix))]
    let blocks = about.len().next_multiple_of(BLOCK);
    // Small ones may stand where their names do, without a block of their own.
    blocks.max(about.len())
}

/// A file of ours that is to stay; one that is not is removed, and one that is not ours is none.
fn look(shelf: &DirEntry, file: &DirEntry) -> Option<Known> {
    let path = file.path();
    let extension = path.extension()?.to_str()?;
    let about = file.metadata().ok().filter(fs::Metadata::is_file)?;
    let written = about.modified().ok()?;
    if extension == NEW {
        let age = written.elapsed().unwrap_or_default();
        if age > ABANDONED {
            let _ = fs::remove_file(&path);
        }
        return None;
    }
    if extension != EXTENSION {
        return None;
    }
    let name = digits(shelf.file_name().to_str()?, path.file_stem()?.to_str()?)?;
    let mut head = [0; 16];
    let read = fs::File::open(&path).and_then(|mut file| file.read_exact(&mut head));
    match Record::until(&head) {
        // Not a record: foreign, or damaged. Nobody reads it, and nobody removes it.
        _ if read.is_err() => None,
        None => None,
        Some(until) if until <= now() => {
            let _ = fs::remove_file(&path);
            None
        }
        Some(_) => Some(Known {
            name,
            written,
            bytes: taken(&about),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, Sweep, digits};
    use std::path::Path;

    #[test]
    fn of_all_who_find_that_it_is_time_one_looks() {
        let sweep = Sweep::new(1 << 20);
        assert!(!sweep.claim(), "nothing was written");
        sweep.wrote(1);
        let claim = || usize::from(sweep.claim());
        let claims = || -> usize {
            std::thread::scope(|scope| {
                let all: Vec<_> = (0..64).map(|_| scope.spawn(claim)).collect();
                all.into_iter().map(|one| one.join().unwrap()).sum()
            })
        };
        assert_eq!(claims(), 1);
        sweep.give_up();
        assert_eq!(claims(), 1);
    }

    #[test]
    fn a_name_of_ours_is_that_of_a_digest() {
        let name = "0123456789abcdef0123456789abcdef012345";
        let known = Known {
            name: digits("ab", name).unwrap(),
            written: std::time::UNIX_EPOCH,
            bytes: 1,
        };
        let path = format!("root/ab/{name}.dewar");
        assert_eq!(known.path(Path::new("root")), Path::new(&path));
        for other in ["", "x", &name[1..], &name.to_uppercase(), &"é".repeat(19)] {
            assert!(digits("ab", other).is_none(), "{other}");
        }
    }
}
