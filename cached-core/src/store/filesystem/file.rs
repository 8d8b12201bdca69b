//! What stands in a file.
//!
//! ```text
//! 8 bytes  "dewar 1\n"
//! 8 bytes  until when it is good, in milliseconds since 1970; all ones for ever
//! 4 bytes  length of the key, then the key
//! …        the value
//! 8 bytes  checksum of all before
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

const MAGIC: &[u8; 8] = b"dewar 1\n";
/// For ever.
pub(super) const EVER: u64 = u64::MAX;
/// What files of ours end with, those that are being written, and the one that is locked.
pub(super) const EXTENSION: &str = "dewar";
pub(super) const NEW: &str = "dewar-new";
pub(super) const LOCK: &str = "lock.dewar-lock";

/// How one is written and read.
pub(super) struct Record;

impl Record {
    pub(super) fn write(key: &str, value: &[u8], until: u64) -> Vec<u8> {
        let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
        let mut bytes = [
            &MAGIC[..],
            &until.to_le_bytes(),
            &length.to_le_bytes(),
            key.as_bytes(),
            value,
        ]
        .concat();
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum);
        bytes
    }

    /// The value, if this is a whole record of this key which has not run out.
    pub(super) fn read<'a>(bytes: &'a [u8], key: &str, now: u64) -> Option<&'a [u8]> {
        let (body, sum) = bytes.split_last_chunk::<8>()?;
        if Record::until(bytes)? <= now || checksum(body) != *sum {
            return None;
        }
        let (length, rest) = body.get(16..)?.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (echo, value) = rest.split_at_checked(length)?;
        (echo == key.as_bytes()).then_some(value)
    }

    /// Until when what begins so is good, if it is a record.
    pub(super) fn until(bytes: &[u8]) -> Option<u64> {
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (until, _) = rest.split_first_chunk::<8>()?;
        (magic == MAGIC).then(|| u64::from_le_bytes(*until))
    }
}

fn checksum(bytes: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.copy_from_slice(&blake3::hash(bytes).as_bytes()[..8]);
    sum
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a new file for its owner alone.
pub(super) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = options().create_new(true).open(path)?;
    file.write_all(bytes)
}

/// Has a file count as written just now, in milliseconds since 1970.
pub(super) fn touch(path: &Path, now: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_modified(UNIX_EPOCH + Duration::from_millis(now))
}

/// Has a file's bytes on the disk. One that is gone by now, or another's, is as good.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).open(path) {
        Ok(file) => file.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// The same of the names in a directory.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match File::open(path).and_then(|directory| directory.sync_all()) {
        // Some file systems, and other systems than Unix, know no such thing.
        Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported) => {
            Ok(())
        }
        synced => synced,
    }
}

/// Opens the file that is locked; it stays empty.
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    options().create(true).truncate(false).open(path)
}

#[cfg(test)]
mod tests {
    use super::{EVER, Record};
    use proptest::prelude::*;

    #[test]
    fn every_truncation_and_every_change_of_a_record_is_found_out() {
        let whole = Record::write("key", b"value", 100);
        assert_eq!(Record::read(&whole, "key", 99), Some(&b"value"[..]));
        assert_eq!(Record::read(&whole, "key", 100), None);
        assert_eq!(Record::read(&whole, "other", 0), None);
        for at in 0..whole.len() {
            assert_eq!(Record::read(&whole[..at], "key", 0), None);
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert_eq!(Record::read(&changed, "key", 0), None);
        }
    }

    proptest! {
        #[test]
        fn random_bytes_are_no_record(bytes: Vec<u8>, key: String, value: Vec<u8>) {
            prop_assert_eq!(Record::read(&bytes, "", 0), None);
            let record = Record::write(&key, &value, EVER);
            prop_assert_eq!(Record::read(&record, &key, 0), Some(&value[..]));
        }
    }
}
