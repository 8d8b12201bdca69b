//! Files: survives restarts, and is shared by the processes of one machine.
//!
//! [`file`] is what stands in one, [`sweep`] keeps them within their bound. Here is how they are
//! read and changed: whole, by renaming a new file over the old one, and in turns where something
//! depends on what is there.

mod file;
mod sweep;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fs4::FileExt;

use super::{Found, Item, Rollback, Store, names};
use crate::clock::{Clock, NEVER};
use crate::error::Error;
use crate::rt::{self, BoxFuture};
use file::{EVER, Record};
use sweep::Sweep;

/// A directory of files, one for each key.
///
/// Processes of one machine may share it. A file is replaced by another or not at all, so a crash
/// leaves no half of one; what is damaged, and what is not dewar's, reads as nothing, and the latter
/// is never touched. Directories and files are for their owner alone.
///
/// Invalidations are seen by other processes after `memory_copies` at the latest: files tell nobody
/// anything. A network file system will do if its locks work between machines.
///
/// ```
/// use dewar::{Cache, store::Filesystem};
///
/// # let directory = std::env::temp_dir().join(format!("dewar-doc-{}", std::process::id()));
/// let store = Filesystem::open(&directory)?.max_bytes(256 << 20);
/// let cache = Cache::builder().shared(store).build()?;
/// # drop(cache);
/// # let _ = std::fs::remove_dir_all(directory);
/// # Ok::<(), dewar::Error>(())
/// ```
#[derive(Clone)]
pub struct Filesystem(Arc<Inner>);

struct Inner {
    root: PathBuf,
    sweep: Sweep,
    /// Tells the new files of this process apart.
    new: AtomicU64,
    me: u64,
}

/// What is kept if nothing is said: one gigabyte.
const BOUND: u64 = 1 << 30;

impl Filesystem {
    /// A directory, which is made if it is not there.
    ///
    /// # Errors
    /// It cannot be made, or is no directory.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Filesystem, Error> {
        Filesystem::open_as("cache directory", directory)
    }

    /// The same of a setting of this name.
    pub(crate) fn open_as(
        setting: &str,
        directory: impl Into<PathBuf>,
    ) -> Result<Filesystem, Error> {
        let root = directory.into();
        make_directory(&root).map_err(|error| {
            let what = format!(
                "is `{}`, which cannot be used ({error}): give a directory that can be written to",
                root.display()
            );
            Error::config(setting, what)
        })?;
        Ok(Filesystem(Arc::new(Inner {
            sweep: Sweep::new(BOUND),
            root,
            new: AtomicU64::new(0),
            me: names::unique(),
        })))
    }

    /// At most so many bytes on the disk, in whole blocks, but for what is written between two looks
    /// and for the 256 directories, a megabyte together; one gigabyte if nothing is said. The oldest
    /// files go first.
    #[must_use]
    pub fn max_bytes(self, bytes: u64) -> Self {
        self.0.sweep.set_bound(bytes);
        self
    }

    /// Removes, now, what has run out and what is too much; returns how many files are left, and
    /// the bytes that they take on the disk. It is done by itself now and then.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn sweep(&self) -> Result<(u64, u64), Error> {
        let swept = self.0.sweep.run(&self.0.root);
        swept.map_err(|error| failed("sweep", &error))
    }

    /// Does blocking work on a thread that is there for that.
    fn run<'a, T: Send + 'static>(
        &'a self,
        operation: &'static str,
        work: impl FnOnce(&Inner) -> io::Result<T> + Send + 'static,
    ) -> BoxFuture<'a, Result<T, Error>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let done = rt::unblock(move || {
                let done = work(&inner);
                // Not in the time of whoever happened to write.
                if inner.sweep.claim() {
                    let claimed = Claimed(inner);
                    let sweep = move || drop(claimed.0.sweep.run(&claimed.0.root));
                    drop(rt::thread("dewar-sweep", sweep));
                }
                done
            })
            .await;
            done.map_err(|error| failed(operation, &error))
        })
    }
}

/// It is for this one to look after the files.
struct Claimed(Arc<Inner>);

impl Drop for Claimed {
    fn drop(&mut self) {
        self.0.sweep.give_up();
    }
}

impl Inner {
    /// Where a key is: the names say nothing of it, and no two keys have one.
    fn path(&self, key: &str) -> (PathBuf, PathBuf) {
        let name = names::digest(key.as_bytes());
        let shelf = self.root.join(&name[..2]);
        let path = shelf.join(format!("{}.{}", &name[2..], file::EXTENSION));
        (shelf, path)
    }

    fn read(&self, key: &str) -> io::Result<Found> {
        let (_, path) = self.path(key);
        match fs::read(path) {
            Ok(bytes) => Ok(Record::read(&bytes, key, now()).map(<[u8]>::to_vec)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&self, item: &Item) -> io::Result<()> {
        let until = match item.ttl {
            None => EVER,
            Some(ttl) => now().saturating_add(u64::try_from(ttl.as_millis()).unwrap_or(EVER)),
        };
        let bytes = Record::write(&item.key, &item.value, until);
        let (shelf, path) = self.path(&item.key);
        let number = self.new.fetch_add(1, Ordering::Relaxed);
        let new = shelf.join(format!("{:016x}-{number}.{}", self.me, file::NEW));
        let written = file::create(&new, &bytes).or_else(|error| {
            if error.kind() != ErrorKind::NotFound {
                return Err(error);
            }
            make_directory(&self.root)?;
            make_directory(&shelf)?;
            file::create(&new, &bytes)
        });
        let renamed = written.and_then(|()| fs::rename(&new, path));
        if renamed.is_err() {
            let _ = fs::remove_file(&new);
        }
        renamed?;
        self.sweep.wrote(bytes.len());
        Ok(())
    }

    /// Has what stands at a key, if anything does, live for at least so long, and be the last to make
    /// room: whoever asks for that has just written what depends on it.
    fn extend(&self, key: &str, ttl: Duration) -> io::Result<()> {
        let (_, path) = self.path(key);
        let bytes = fs::read(&path)?;
        let Some(value) = Record::read(&bytes, key, now()) else {
            return Ok(());
        };
        let millis = u64::try_from(ttl.as_millis()).unwrap_or(EVER);
        if Record::until(&bytes) >= Some(now().saturating_add(millis)) {
            return file::touch(&path, now());
        }
        self.write(&Item {
            key: key.to_owned(),
            value: value.to_vec(),
            ttl: Some(ttl),
        })
    }

    /// Waits until what stands at these keys is on the disk. After all has been written: the first
    /// file then mostly takes the others along.
    fn sync(&self, items: &[Item]) -> io::Result<()> {
        let places = items.iter().map(|item| self.path(&item.key));
        let (mut shelves, paths): (Vec<_>, Vec<_>) = places.unzip();
        shelves.sort_unstable();
        shelves.dedup();
        paths.iter().try_for_each(|path| file::sync(path))?;
        // A shelf may be as new as what is on it.
        shelves.push(self.root.clone());
        shelves
            .iter()
            .try_for_each(|shelf| file::sync_directory(shelf))
    }

    /// Does something while no other process changes what is on a key's shelf.
    fn in_turn<T>(&self, key: &str, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let (shelf, _) = self.path(key);
        let lock = shelf.join(file::LOCK);
        let open = || file::open_lock(&lock);
        let lock = open().or_else(|error| {
            if error.kind() != ErrorKind::NotFound {
                return Err(error);
            }
            make_directory(&self.root)?;
            make_directory(&shelf)?;
            open()
        })?;
        FileExt::lock(&lock)?;
        let result = work();
        let _ = FileExt::unlock(&lock);
        result
    }
}

impl Store for Filesystem {
    fn get_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Found>, Error>> {
        let keys = keys.to_vec();
        self.run("read", move |files| {
            keys.iter().map(|key| files.read(key)).collect()
        })
    }

    fn set_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        self.run("write", move |files| {
            let set = |item: &Item| files.in_turn(&item.key, || files.write(item));
            items.iter().try_for_each(set)
        })
    }

    fn set_durably(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        self.run("write", move |files| {
            let set = |item: &Item| files.in_turn(&item.key, || files.write(item));
            items.iter().try_for_each(set)?;
            files.sync(&items)
        })
    }

    fn delete_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        let keys = keys.to_vec();
        self.run("delete", move |files| {
            let delete = |key: &String| fs::remove_file(files.path(key).1);
            keys.iter()
                .try_for_each(|key| if_there(files.in_turn(key, || delete(key))))
        })
    }

    fn add_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        self.run("add", move |files| {
            let add = |item: &Item| {
                let absent = files.read(&item.key)?.is_none();
                if absent {
                    files.write(item)?;
                }
                Ok(absent)
            };
            items
                .iter()
                .map(|item| files.in_turn(&item.key, || add(item)))
                .collect()
        })
    }

    fn swap(&self, expected: Vec<u8>, item: Item) -> BoxFuture<'_, Result<bool, Error>> {
        let swapped = self.swap_many(vec![(expected, item)]);
        Box::pin(async move { Ok(swapped.await? == [true]) })
    }

    fn swap_many(&self, swaps: Vec<(Vec<u8>, Item)>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        self.run("swap", move |files| {
            let swap = |expected: &Vec<u8>, item: &Item| {
                let same = files.read(&item.key)?.as_ref() == Some(expected);
                if same {
                    files.write(item)?;
                }
                Ok(same)
            };
            swaps
                .iter()
                .map(|(expected, item)| files.in_turn(&item.key, || swap(expected, item)))
                .collect()
        })
    }

    fn extend_many<'a>(
        &'a self,
        keys: &'a [String],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let keys = keys.to_vec();
        self.run("extend", move |files| {
            let extend = |key: &String| files.extend(key, ttl);
            keys.iter()
                .try_for_each(|key| if_there(files.in_turn(key, || extend(key))))
        })
    }

    fn rollback(&self) -> Rollback {
        Rollback::Whole
    }

    fn describe(&self) -> String {
        format!("files in {}", self.0.root.display())
    }
}

impl std::fmt::Debug for Filesystem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Filesystem").field(&self.0.root).finish()
    }
}

/// In milliseconds since 1970: files outlive every other clock.
fn now() -> u64 {
    Clock::System.wall_millis().min(NEVER - 1)
}

/// Makes a directory for its owner alone, if there is none.
fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    match fs::metadata(path)?.is_dir() {
        true => Ok(()),
        false => Err(ErrorKind::NotADirectory.into()),
    }
}

/// There is nothing of that name, or nothing that could be a file of ours: also where what has a
/// shelf's name is none.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::IsADirectory | ErrorKind::NotADirectory
    )
}

/// What is not there need not be changed.
fn if_there(changed: io::Result<()>) -> io::Result<()> {
    match changed {
        Err(error) if !is_absent(&error) => Err(error),
        _ => Ok(()),
    }
}

fn failed(operation: &str, error: &io::Error) -> Error {
    match error.kind() {
        // What cannot be written can still be read.
        ErrorKind::StorageFull
        | ErrorKind::QuotaExceeded
        | ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::NotADirectory => Error::refused(operation, error),
        _ => Error::store(operation, error),
    }
}
