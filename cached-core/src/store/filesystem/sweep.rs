//! Keeping files within their bound: what has run out goes, and then the oldest.
//!
//! Only files are touched that carry our names, and lie where ours lie.

use std::fs::{self, DirEntry};
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
    turn: Mutex<()>,
}

/// It is looked after again when so much of the bound has been written.
const PART: u64 = 16;
/// A file that was begun so long ago will not be finished.
const ABANDONED: Duration = Duration::from_secs(3600);

struct Known {
    path: PathBuf,
    written: SystemTime,
    bytes: u64,
}

impl Sweep {
    pub(super) fn new(bound: u64) -> Self {
        Sweep {
            bound: AtomicU64::new(bound),
            written: AtomicU64::new(0),
            begun: AtomicBool::new(false),
            turn: Mutex::default(),
        }
    }

    pub(super) fn set_bound(&self, bytes: u64) {
        self.bound.store(bytes, Ordering::Relaxed);
    }

    /// Notes what was written.
    pub(super) fn wrote(&self, bytes: u64) {
        self.written.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether it is time to look.
    pub(super) fn is_due(&self) -> bool {
        let written = self.written.load(Ordering::Relaxed);
        let part = self.bound.load(Ordering::Relaxed) / PART;
        let first = written > 0 && !self.begun.load(Ordering::Relaxed);
        (first || written > part) && self.turn.try_lock().is_ok()
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
                alive.extend(look(&file));
            }
        }
        alive.sort_by_key(|known| std::cmp::Reverse(known.written));
        let bound = self.bound.load(Ordering::Relaxed);
        let (mut files, mut bytes) = (0, 0);
        for known in alive {
            let sum = known.bytes.saturating_add(bytes);
            if sum > bound {
                let _ = fs::remove_file(known.path);
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

/// A file of ours that is to stay; one that is not is removed, and one that is not ours is none.
fn look(file: &DirEntry) -> Option<Known> {
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
            path,
            written,
            bytes: about.len(),
        }),
    }
}
