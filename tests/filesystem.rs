//! The store of files: shared by processes, whole after a crash, and kind to what is not its own.
#![cfg(feature = "filesystem")]

mod servers;

use std::path::Path;
use std::time::Duration;

use dewar::store::{Filesystem, Item, Store};
use dewar::testing::store_conformance;
use dewar::{Cache, cached, invalidate};
use futures::executor::block_on;
use servers::Directory;

fn open(directory: &Directory) -> Filesystem {
    Filesystem::open(directory.path().join("cache")).unwrap()
}

fn item(key: &str, value: impl Into<Vec<u8>>) -> Item {
    Item {
        key: key.into(),
        value: value.into(),
        ttl: Some(Duration::from_secs(600)),
    }
}

fn get(store: &Filesystem, key: &str) -> Option<Vec<u8>> {
    block_on(store.get_many(&[key.into()])).unwrap().remove(0)
}

fn files(path: &Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => all.extend(files(&entry.path())),
            false => all.push(entry.path()),
        }
    }
    all
}

fn records(directory: &Directory) -> Vec<std::path::PathBuf> {
    let mut all = files(directory.path());
    all.retain(|path| path.extension().is_some_and(|it| it == "dewar"));
    all
}

#[test]
fn it_keeps_the_contract() {
    let directory = Directory::new();
    block_on(store_conformance(&open(&directory), &open(&directory))).unwrap();
}

#[test]
fn what_was_loaded_is_there_after_a_restart() {
    #[cached(timeout = 600, key_prefix = "twice:{n}")]
    fn twice(n: u64) -> u64 {
        n * 2
    }
    let directory = Directory::new();
    let process = || Cache::builder().shared(open(&directory)).build().unwrap();
    assert_eq!(process().scope_blocking(|| twice(4)), 8);
    let again = process();
    assert_eq!(again.scope_blocking(|| twice(4)), 8);
    assert_eq!(again.stats().loads, 0);
    again
        .scope_blocking(|| invalidate!(twice(4)).wait())
        .unwrap();
    let third = process();
    assert_eq!(third.scope_blocking(|| twice(4)), 8);
    assert_eq!(third.stats().loads, 1);
}

#[test]
fn damaged_files_are_misses_and_are_replaced() {
    let directory = Directory::new();
    let store = open(&directory);
    for damage in [
        &b""[..],
        b"dewar 1\n",
        b"dewar 1\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xffabc",
        b"something else entirely",
    ] {
        block_on(store.set_many(vec![item("k", "v")])).unwrap();
        std::fs::write(&records(&directory)[0], damage).unwrap();
        assert_eq!(get(&store, "k"), None);
        store.sweep().unwrap();
        assert_eq!(
            block_on(store.add_many(vec![item("k", "w")])).unwrap(),
            [true]
        );
        assert_eq!(get(&store, "k"), Some(b"w".to_vec()));
    }
}

#[test]
fn foreign_files_survive() {
    let directory = Directory::new();
    let store = open(&directory).max_bytes(1);
    let root = directory.path().join("cache");
    std::fs::create_dir_all(root.join("ab/deeper")).unwrap();
    let foreign = [
        "notes.txt",
        "ab/notes.txt",
        "ab/x.dewar",
        "ab/deeper/y.dewar",
    ];
    for name in foreign {
        std::fs::write(root.join(name), "foreign").unwrap();
    }
    block_on(store.set_many((0..50).map(|n| item(&n.to_string(), "v")).collect())).unwrap();
    store.sweep().unwrap();
    for name in foreign {
        assert_eq!(
            std::fs::read(root.join(name)).unwrap(),
            b"foreign",
            "{name}"
        );
    }
}

#[test]
fn it_stays_within_its_bound_and_the_oldest_go_first() {
    let directory = Directory::new();
    let store = open(&directory).max_bytes(100_000);
    for n in 0..200 {
        let large = item(&format!("k{n}"), vec![7; 5_000]);
        block_on(store.set_many(vec![large])).unwrap();
    }
    let (left, bytes) = store.sweep().unwrap();
    assert!(
        (10..=20).contains(&left) && bytes <= 100_000,
        "{left} files, {bytes} bytes"
    );
    assert_eq!(get(&store, "k0"), None);
    assert_eq!(records(&directory).len() as u64, left);
}

#[cfg(unix)]
#[test]
fn small_files_count_as_what_they_take_on_the_disk() {
    use std::os::unix::fs::MetadataExt;
    let directory = Directory::new();
    let store = open(&directory).max_bytes(1 << 20);
    let small = |n: usize| item(&format!("k{n}"), "small");
    block_on(store.set_many((0..2000).map(small).collect())).unwrap();
    let (left, bytes) = store.sweep().unwrap();
    let about = |path: &std::path::PathBuf| path.metadata().unwrap();
    let taken = |path| about(path).blocks() * 512;
    let on_disk: u64 = records(&directory).iter().map(taken).sum();
    assert_eq!(records(&directory).len() as u64, left);
    let most = on_disk.max(bytes);
    assert!(left > 0 && most <= 1 << 20, "{left} files, {most} bytes");
}

#[test]
fn what_others_depend_on_is_not_the_oldest() {
    let directory = Directory::new();
    let store = open(&directory);
    let ever = Item {
        ttl: None,
        ..item("ever", "version")
    };
    block_on(store.set_many(vec![ever, item("long", "version")])).unwrap();
    let old = std::time::SystemTime::now() - Duration::from_secs(7200);
    for path in records(&directory) {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(old).unwrap();
    }
    let others = (0..50).map(|n| item(&format!("k{n}"), vec![7; 5_000]));
    block_on(store.set_many(others.collect())).unwrap();
    let versions = ["ever".to_owned(), "long".to_owned()];
    block_on(store.extend_many(&versions, Duration::from_secs(60))).unwrap();
    store.clone().max_bytes(100_000).sweep().unwrap();
    for key in versions {
        assert_eq!(get(&store, &key), Some(b"version".to_vec()), "{key}");
    }
}

#[test]
fn what_has_run_out_and_what_was_never_finished_is_swept() {
    let directory = Directory::new();
    let store = open(&directory);
    let brief = Item {
        ttl: Some(Duration::from_millis(1)),
        ..item("brief", "v")
    };
    block_on(store.set_many(vec![brief, item("long", "v")])).unwrap();
    let shelf = records(&directory)[0].parent().unwrap().to_owned();
    let unfinished = shelf.join("0-0.dewar-new");
    std::fs::write(&unfinished, "half").unwrap();
    let old = std::time::SystemTime::now() - Duration::from_secs(7200);
    let file = std::fs::File::options()
        .write(true)
        .open(&unfinished)
        .unwrap();
    file.set_modified(old).unwrap();
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(store.sweep().unwrap().0, 1);
    assert_eq!(records(&directory).len(), 1);
    assert!(!unfinished.exists());
}

#[cfg(unix)]
#[test]
fn files_and_directories_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    block_on(open(&directory).set_many(vec![item("k", "v")])).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory.path().join("cache")), 0o700);
    for file in files(directory.path()) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
        assert_eq!(mode(file.parent().unwrap()), 0o700);
    }
}

#[test]
fn a_directory_that_is_removed_is_made_again() {
    let directory = Directory::new();
    let store = open(&directory);
    block_on(store.set_many(vec![item("k", "v")])).unwrap();
    std::fs::remove_dir_all(directory.path().join("cache")).unwrap();
    assert_eq!(get(&store, "k"), None);
    block_on(store.set_many(vec![item("k", "w")])).unwrap();
    assert_eq!(get(&store, "k"), Some(b"w".to_vec()));
}

#[test]
fn a_foreign_file_where_a_shelf_would_be_costs_what_would_stand_there() {
    let directory = Directory::new();
    let store = open(&directory);
    block_on(store.set_many(vec![item("k", "v")])).unwrap();
    let shelf = records(&directory)[0].parent().unwrap().to_owned();
    std::fs::remove_dir_all(&shelf).unwrap();
    std::fs::write(&shelf, "foreign").unwrap();
    let keys = ["k".to_owned()];
    assert_eq!(get(&store, "k"), None);
    block_on(store.delete_many(&keys)).unwrap();
    block_on(store.extend_many(&keys, Duration::from_secs(1))).unwrap();
    assert!(!block_on(store.swap(b"v".to_vec(), item("k", "w"))).is_ok_and(|swapped| swapped));
    for refused in [
        block_on(store.set_many(vec![item("k", "w")])),
        block_on(store.set_durably(vec![item("k", "w")])),
        block_on(store.add_many(vec![item("k", "w")])).map(drop),
    ] {
        let error = refused.unwrap_err();
        assert!(error.is_refused(), "{error}");
    }
    store.sweep().unwrap();
    assert_eq!(std::fs::read(&shelf).unwrap(), b"foreign");
}

#[test]
fn a_directory_that_cannot_be_one_is_an_error_at_the_start() {
    let directory = Directory::new();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Filesystem::open(&file).unwrap_err();
    assert!(error.is_config());
    assert!(
        error.to_string().contains("file`, which cannot be used"),
        "{error}"
    );
}
