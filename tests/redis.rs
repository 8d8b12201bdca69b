//! Redis: every kind of server, and what happens when one is gone. Real servers; two caches on one
//! stand for two processes.
#![cfg(feature = "redis")]

mod servers;

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use dewar::store::{Health, Item, Redis as Store, Store as _};
use dewar::testing::store_conformance;
use dewar::{Cache, cached, invalidate};
use futures::executor::block_on;
use servers::proxy::Fault;
use servers::redis::{Cluster, Redis, Sentinels};
use servers::until;

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

const BOUND: Duration = Duration::from_millis(1500);

fn open(url: &str) -> Store {
    Store::open(url).expect("this URL is accepted")
}

fn process(url: &str) -> Cache {
    let builder = Cache::builder()
        .shared(open(url))
        .memory_copies(BOUND)
        .store_timeout(Duration::from_secs(2));
    builder.build().expect("these settings are accepted")
}

fn conforms(url: &str) {
    block_on(store_conformance(&open(url), &open(url))).unwrap();
}

fn is_up(cache: &Cache) -> bool {
    cache.store_status().unwrap().push == Some(true)
}

/// What the functions read: the data behind the cache, one number for each test.
struct Source(AtomicU64);

impl Source {
    const fn new() -> Self {
        Source(AtomicU64::new(1))
    }
}

static SOURCES: [Source; 16] = [const { Source::new() }; 16];

#[cached(timeout = 600, key_prefix = "value:{of}:{id}", tags("values"))]
fn value(of: usize, id: u64) -> u64 {
    id * 1000 + SOURCES[of].0.load(SeqCst)
}

/// One process after the other sees what a third invalidated, within a moment.
fn invalidations_arrive(of: usize, url: &str) {
    let (one, other) = (process(url), process(url));
    assert!(until(|| is_up(&one) && is_up(&other)), "nobody is heard");
    let read = |cache: &Cache| cache.scope_blocking(|| value(of, 1));
    assert_eq!(read(&one), read(&other));
    assert_eq!((one.stats().loads, other.stats().loads), (1, 0));
    for now in 2..20 {
        SOURCES[of].0.store(now, SeqCst);
        one.scope_blocking(|| invalidate!(prefix = "value:{of}").wait())
            .unwrap();
        assert_eq!(read(&one), 1000 + now);
        assert!(until(|| read(&other) == 1000 + now));
    }
    assert_eq!(other.stats().messages, 18);
    assert_eq!(one.stats().store_errors + other.stats().store_errors, 0);
}

#[test]
fn a_single_server() {
    let server = Redis::start();
    conforms(&server.url());
    invalidations_arrive(0, &server.url());
    let used = server.command(&["INFO", "commandstats"]);
    assert!(used.contains("cmdstat_mget"), "{used}");
    for never in ["keys", "scan", "flushdb", "flushall", "del", "monitor"] {
        let called = used.contains(&format!("cmdstat_{never}:"));
        assert!(!called, "{never} holds up a server, or others who use it");
    }
}

#[test]
fn a_database_by_number() {
    let server = Redis::start();
    let url = format!("redis://127.0.0.1:{}/3", server.port());
    conforms(&url);
    let (three, none) = (open(&url), open(&server.url()));
    let item = dewar::store::Item {
        key: "k".into(),
        value: b"v".to_vec(),
        ttl: None,
    };
    block_on(three.set_many(vec![item])).unwrap();
    assert_eq!(block_on(none.get_many(&["k".into()])).unwrap(), [None]);
    // A server tells all who listen, whatever database they are in; caches of another do not hear.
    let elsewhere = process(&server.url());
    assert!(until(|| is_up(&elsewhere)));
    invalidations_arrive(1, &url);
    assert_eq!(elsewhere.stats().messages, 0);
}

#[test]
fn a_user_with_a_password_and_few_rights() {
    let server = Redis::with(&[
        "--user",
        "default",
        "off",
        "--user",
        "shop",
        "on",
        ">p@ss",
        "~shop:*",
        "~conformance:*",
        "&*",
        "-@all",
        "+@read",
        "+@write",
        "+@connection",
        "+@pubsub",
        "+eval",
        "-keys",
        "-scan",
    ]);
    let url = format!("redis://shop:p%40ss@127.0.0.1:{}", server.port());
    conforms(&url);
    let wrong = open(&url.replace("p%40ss", "wrong"));
    let error = block_on(wrong.get_many(&["shop:k".into()])).unwrap_err();
    assert!(error.is_store());
    assert!(!format!("{error} {error:?}").contains("wrong"), "{error:?}");
    let foreign = block_on(open(&url).get_many(&["foreign".into()])).unwrap_err();
    assert!(foreign.is_refused(), "{foreign}");
}

#[test]
fn a_unix_socket() {
    let directory = servers::Directory::new();
    let socket = directory.path().join("redis.sock");
    let _server = Redis::with(&["--unixsocket", socket.to_str().unwrap()]);
    conforms(&format!("unix://{}?db=1", socket.display()));
}

#[cfg(feature = "redis-tls")]
#[test]
fn a_server_over_tls() {
    let (server, certificates) = Redis::with_tls(false);
    let port = server.port();
    let to = |host: &str| Store::builder().server(host, port);
    let trusting = || to("localhost").root_certificate(certificates.root.as_str());
    let (one, other) = (trusting().build().unwrap(), trusting().build().unwrap());
    block_on(store_conformance(&one, &other)).unwrap();
    let fails = |builder: dewar::store::RedisBuilder| {
        let store = builder.build().unwrap();
        let error = block_on(store.get_many(&["k".into()])).unwrap_err();
        assert!(error.is_store() && !error.is_refused(), "{error}");
    };
    fails(to("localhost").tls());
    fails(to("127.0.0.1").root_certificate(certificates.root.as_str()));
    fails(to("localhost"));
}

#[cfg(feature = "redis-tls")]
#[test]
fn a_server_that_asks_for_a_certificate() {
    let (server, certificates) = Redis::with_tls(true);
    let store = || {
        let (certificate, key) = &certificates.client;
        Store::builder()
            .server("localhost", server.port())
            .root_certificate(certificates.root.as_str())
            .client_certificate(certificate.as_str(), key.as_str())
            .build()
            .unwrap()
    };
    block_on(store_conformance(&store(), &store())).unwrap();
}

#[test]
fn a_server_that_does_not_answer_is_an_error_at_the_start_if_that_is_asked_for() {
    let port = servers::free_port();
    let url = format!("redis://shop:secret@127.0.0.1:{port}");
    let cache = Cache::builder().shared(open(&url)).build().unwrap();
    assert_eq!(cache.scope_blocking(|| value(10, 1)), 1001);
    let error = Cache::builder().shared(open(&url)).check_store().build();
    let text = error.map(drop).unwrap_err().to_string();
    let start = format!("the store failed to answer at the start (redis 127.0.0.1:{port}/0): ");
    assert!(text.starts_with(&start), "{text}");
    assert!(
        text.contains("refused") && !text.contains("secret"),
        "{text}"
    );
    let server = Redis::start();
    let checked = Cache::builder().shared(open(&server.url())).check_store();
    assert!(checked.build().is_ok());
}

#[test]
fn a_server_that_lets_nobody_in_counts_as_down() {
    let server = Redis::with(&["--requirepass", "right"]);
    for login in ["", ":wrong@"] {
        let cache = process(&format!("redis://{login}127.0.0.1:{}", server.port()));
        let read = |id| cache.scope_blocking(|| value(11, id));
        assert!((0..50).all(|id| read(id) == id * 1000 + 1));
        assert_eq!(cache.store_status().unwrap().health, Health::Down);
        assert!((5..10).contains(&cache.stats().store_errors), "{login}");
    }
}

#[test]
fn a_cluster() {
    let cluster = Cluster::start();
    conforms(&cluster.url());
    invalidations_arrive(2, &cluster.url());
}

#[test]
fn what_a_node_of_a_cluster_may_have_done_is_not_sent_once_more() {
    let (cluster, proxy) = Cluster::behind_a_proxy();
    let node = &cluster.0[0];
    let url = format!("redis-cluster://127.0.0.1:{}", proxy.port);
    let store = open(&url);
    let item = |value: &str| Item {
        key: "k".into(),
        value: value.into(),
        ttl: None,
    };
    let is = |value: &str| node.command(&["GET", "k"]).contains(value);
    block_on(store.set_many(vec![item("first")])).unwrap();
    proxy.set_on("second", Fault::HalfOpen);
    let late = std::thread::spawn({
        let (store, item) = (store.clone(), item("second"));
        move || block_on(store.set_many(vec![item]))
    });
    assert!(until(|| is("second")));
    assert_eq!(node.command(&["SET", "k", "third"]), "+OK\r\n");
    proxy.set_on("second", Fault::Cut(0));
    let error = late.join().unwrap().unwrap_err();
    assert!(error.is_store() && !error.is_refused(), "{error}");
    assert!(is("third"), "{}", node.command(&["GET", "k"]));
    // It goes on with another connection.
    proxy.set(Fault::None);
    assert!(until(
        || block_on(store.set_many(vec![item("fourth")])).is_ok()
    ));
    assert!(is("fourth"));
}

#[test]
fn a_server_that_dies_and_comes_back_empty() {
    let mut server = Redis::start();
    let (one, other) = (process(&server.url()), process(&server.url()));
    assert!(until(|| is_up(&one) && is_up(&other)));
    let read = |cache: &Cache, id| cache.scope_blocking(|| value(3, id));
    read(&one, 1);
    read(&other, 1);
    server.0.kill();
    for id in 2..50 {
        assert_eq!(read(&one, id), id * 1000 + 1, "reads fail open");
    }
    assert_eq!(one.store_status().unwrap().health, Health::Down);
    SOURCES[3].0.store(2, SeqCst);
    let error = one.scope_blocking(|| invalidate!(value(3, 1)).wait());
    assert!(error.unwrap_err().is_store(), "and invalidations closed");
    assert_eq!(read(&one, 1), 1002);
    server.0.run();
    assert!(until(|| is_up(&one) && is_up(&other)), "both hear again");
    assert!(until(|| one.store_status().unwrap().undelivered == 0));
    assert!(until(|| read(&other, 1) == 1002));
    assert!(until(|| one.store_status().unwrap().health == Health::Up));
}

#[test]
fn a_server_that_comes_back_with_an_older_state() {
    let mut server = Redis::with(&["--dbfilename", "dump.rdb"]);
    let (one, other) = (process(&server.url()), process(&server.url()));
    assert!(until(|| is_up(&one) && is_up(&other)));
    let read = |cache: &Cache| cache.scope_blocking(|| value(4, 1));
    assert_eq!((read(&one), read(&other)), (1001, 1001));
    one.scope_blocking(|| invalidate!(value(4, 1)).wait())
        .unwrap();
    assert_eq!(read(&one), 1001);
    assert_eq!(server.command(&["SAVE"]), "+OK\r\n");
    SOURCES[4].0.store(2, SeqCst);
    one.scope_blocking(|| invalidate!(value(4, 1)).wait())
        .unwrap();
    assert!(until(|| read(&other) == 1002));
    server.0.kill();
    server.0.run();
    assert!(until(|| is_up(&one) && is_up(&other)), "both hear again");
    assert!(until(|| one.store_status().unwrap().undelivered == 0));
    assert!(until(|| read(&other) == 1002 && read(&one) == 1002));
    let third = process(&server.url());
    assert_eq!(read(&third), 1002);
}

#[test]
fn a_server_that_stands_still() {
    let server = Redis::start();
    let builder = Cache::builder()
        .shared(open(&server.url()))
        .memory_copies(BOUND)
        .store_timeout(Duration::from_millis(50))
        .store_budget(Duration::from_millis(100));
    let cache = builder.build().unwrap();
    let read = |id| cache.scope_blocking(|| value(5, id));
    read(1);
    server.0.pause();
    let begun = std::time::Instant::now();
    for id in 2..1000 {
        assert_eq!(read(id), id * 1000 + 1);
    }
    let took = begun.elapsed();
    assert!(
        took < Duration::from_secs(10),
        "{took:?} for a thousand calls"
    );
    assert_eq!(cache.store_status().unwrap().health, Health::Down);
    server.0.resume();
    let healthy = || cache.store_status().unwrap().health == Health::Up;
    let mut id = 1000;
    assert!(until(|| {
        id += 1;
        read(id);
        healthy()
    }));
}

#[test]
fn a_master_that_fails_over() {
    let mut set = Sentinels::start();
    conforms(&set.url());
    let (one, other) = (process(&set.url()), process(&set.url()));
    assert!(until(|| is_up(&one) && is_up(&other)));
    let read = |cache: &Cache, id| cache.scope_blocking(|| value(6, id));
    assert_eq!((read(&one, 1), read(&other, 1)), (1001, 1001));
    set.master.0.kill();
    SOURCES[6].0.store(2, SeqCst);
    drop(one.scope_blocking(|| invalidate!(value(6, 1))));
    assert!(until(|| set.replica.command(&["ROLE"]).contains("master")));
    assert!(until(|| one.store_status().unwrap().undelivered == 0));
    assert!(until(|| is_up(&one) && is_up(&other)), "both hear again");
    assert!(until(|| read(&other, 1) == 1002 && read(&one, 1) == 1002));
}

#[test]
fn a_server_that_is_full_or_read_only_refuses_writes_and_answers_reads() {
    let server = Redis::with(&["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"]);
    let cache = process(&server.url());
    let read = |id| cache.scope_blocking(|| value(7, id));
    read(1);
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    for id in 2..30 {
        assert_eq!(read(id), id * 1000 + 1);
    }
    assert!(cache.stats().store_errors > 0);
    assert_eq!(cache.store_status().unwrap().health, Health::Up);
    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    server.command(&["REPLICAOF", "127.0.0.1", "1"]);
    server.command(&["CONFIG", "SET", "replica-serve-stale-data", "yes"]);
    let error = cache.scope_blocking(|| invalidate!(value(7, 1)).wait());
    assert!(error.unwrap_err().is_refused());
    server.command(&["REPLICAOF", "NO", "ONE"]);
    assert!(until(|| cache.store_status().unwrap().undelivered == 0));
}

#[test]
fn foreign_data_at_a_key_is_a_miss() {
    let server = Redis::start();
    let (one, other) = (process(&server.url()), process(&server.url()));
    one.scope_blocking(|| value(8, 1));
    let keys = server.command(&["KEYS", "*:value:8:1:*"]);
    let key = keys.lines().nth(2).unwrap();
    for damage in [&["SET", key, "foreign"][..], &["RPUSH", key, "a list"]] {
        server.command(&["DEL", key]);
        server.command(damage);
        let fresh = process(&server.url());
        assert_eq!(fresh.scope_blocking(|| value(8, 1)), 1001);
        assert_eq!(fresh.stats().loads, 1);
    }
    assert_eq!(other.scope_blocking(|| value(8, 1)), 1001);
    assert_eq!(other.stats().loads, 0, "what was loaded has replaced it");
}

#[test]
fn nothing_of_another_kind_stands_in_the_way_for_long() {
    let server = Redis::start();
    let one = process(&server.url());
    one.scope_blocking(|| value(8, 1));
    let by_hand = one.blocking();
    by_hand.increment("count", 5).unwrap();
    by_hand.add("lock", 1, secs(60)).unwrap();
    let keys = server.command(&["KEYS", "*"]);
    let keys: Vec<&str> = keys.lines().filter(|it| it.starts_with("dewar")).collect();
    assert!(keys.len() > 5, "{keys:?}");
    let damage = || {
        for key in &keys {
            server.command(&["DEL", key]);
            server.command(&["RPUSH", key, "a list"]);
        }
        process(&server.url())
    };
    let fresh = damage();
    assert_eq!(fresh.scope_blocking(|| value(8, 1)), 1001);
    assert!(fresh.stats().undecodable > 0);
    let other = process(&server.url());
    assert_eq!(other.scope_blocking(|| value(8, 1)), 1001);
    assert_eq!(other.stats().loads, 0, "it is replaced");
    let fresh = damage();
    assert_eq!(fresh.blocking().increment("count", 1).unwrap(), 1);
    assert!(fresh.blocking().add("lock", 2, secs(60)).unwrap());
    assert!(!other.blocking().add("lock", 3, secs(60)).unwrap());
}

#[test]
fn versions_do_not_outlive_what_depends_on_them_for_ever() {
    let server = Redis::start();
    let cache = process(&server.url());
    cache.scope_blocking(|| {
        value(9, 1);
        invalidate!(value(9, 1)).wait().unwrap();
        value(9, 1);
    });
    let keys = server.command(&["KEYS", "*"]);
    let keys: Vec<_> = keys.lines().filter(|line| line.contains(":v.")).collect();
    assert!(keys.len() > 4);
    for key in keys {
        let ttl = server.command(&["TTL", key]);
        let ttl: i64 = ttl.trim().trim_start_matches(':').parse().unwrap();
        assert!((1200..=3600).contains(&ttl), "{key} lives {ttl} s");
    }
}

#[test]
fn any_executor_will_do() {
    let server = Redis::start();
    #[cached(timeout = 600, key_prefix = "async:{id}")]
    async fn later(id: u64) -> u64 {
        id
    }
    let (one, other) = (process(&server.url()), process(&server.url()));
    let loaded = one.scope(async { later(1).await });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    assert_eq!(runtime.block_on(loaded), 1);
    drop(runtime);
    assert_eq!(smol::block_on(other.scope(async { later(1).await })), 1);
    let second = tokio::runtime::Runtime::new().unwrap();
    assert_eq!(second.block_on(one.scope(async { later(2).await })), 2);
    assert_eq!(block_on(other.scope(async { later(2).await })), 2);
    assert_eq!(other.stats().loads, 0);
}

#[test]
fn a_batch_is_one_command_to_read_and_an_invalidation_two_round_trips_whatever_it_names() {
    use std::collections::HashMap;
    #[cached(timeout = 600, key_prefix = "many:{ids}", batch = ids, tags("a", "b", "c", "d"))]
    fn many(ids: &[u64]) -> HashMap<u64, u64> {
        ids.iter().map(|id| (*id, *id)).collect()
    }
    let server = Redis::start();
    // Without time for copies nobody listens, and nobody says hello.
    let process = || {
        let builder = Cache::builder()
            .shared(open(&server.url()))
            .memory_copies(Duration::ZERO)
            .store_timeout(Duration::from_secs(2));
        builder.build().unwrap()
    };
    let calls = || {
        let stats = server.command(&["INFO", "commandstats"]);
        let calls = stats.lines().filter_map(|line| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let calls: u64 = rest.split(',').next()?.parse().ok()?;
            let ours = ["mget", "set", "publish", "pexpire", "unlink", "eval"].contains(&name);
            ours.then(|| (name.to_owned(), calls))
        });
        calls.collect::<HashMap<_, _>>()
    };
    let ids: Vec<u64> = (0..100).collect();
    let (one, other) = (process(), process());
    one.scope_blocking(|| many(&ids));
    server.command(&["CONFIG", "RESETSTAT"]);
    assert_eq!(other.scope_blocking(|| many(&ids)).len(), 100);
    assert_eq!(other.stats().loads, 0);
    assert_eq!(calls(), HashMap::from([("mget".to_owned(), 1)]));

    server.command(&["CONFIG", "RESETSTAT"]);
    other
        .scope_blocking(|| invalidate!(tag = "a", tag = "b", prefix = "many:7").wait())
        .unwrap();
    let calls = calls();
    assert_eq!(calls["publish"], 1);
    assert_eq!(
        calls["set"], 4,
        "two tags, any tag, and a level: in one pipeline"
    );
    assert_eq!(calls.len(), 2);
}

#[test]
fn a_server_tells_of_its_memory() {
    let server = Redis::with(&["--maxmemory", "64mb"]);
    let cache = process(&server.url());
    assert_eq!(
        cache.store_status().unwrap().memory,
        None,
        "nobody has asked"
    );
    cache.scope_blocking(|| (value(14, 1), value(14, 2)));
    assert!(until(|| server.command(&["DBSIZE"]) != ":0\r\n"));
    block_on(cache.refresh_store_memory());
    let memory = cache.store_status().unwrap().memory.unwrap();
    assert!(
        memory.used > 100_000 && memory.used < 64 << 20,
        "{memory:?}"
    );
    assert!(memory.peak >= memory.used / 2, "{memory:?}");
    assert!(memory.fragmentation > 0.0, "{memory:?}");
    assert_eq!(memory.limit, Some(64 << 20));
    let keys = server.command(&["DBSIZE"]);
    assert_eq!(format!(":{}\r\n", memory.keys), keys);
    server.command(&["FLUSHALL"]);
    block_on(cache.refresh_store_memory());
    let again = cache.store_status().unwrap().memory.unwrap();
    assert_eq!(again.keys, memory.keys, "asked every few seconds at most");
}

#[test]
fn a_cluster_tells_of_its_memory_as_a_whole() {
    let cluster = Cluster::start();
    let store = open(&cluster.url());
    let item = |n: u32| dewar::store::Item {
        key: format!("k{n}"),
        value: b"v".to_vec(),
        ttl: None,
    };
    block_on(store.set_many((0..50).map(item).collect())).unwrap();
    let memory = block_on(store.memory()).unwrap().unwrap();
    assert_eq!(memory.keys, 50);
    assert!(
        memory.used > 1_000_000 && memory.fragmentation > 0.0,
        "{memory:?}"
    );
}

/// Without the right to ask, nothing is known and nothing has failed.
#[test]
fn a_server_that_may_not_tell_of_its_memory_has_not_failed() {
    let server = Redis::start();
    server.command(&["ACL", "SETUSER", "default", "-info", "-dbsize"]);
    let cache = process(&server.url());
    cache.scope_blocking(|| value(15, 1));
    block_on(cache.refresh_store_memory());
    let status = cache.store_status().unwrap();
    assert_eq!((status.memory, status.health), (None, Health::Up));
    assert_eq!(cache.stats().store_errors, 0);
}

#[test]
fn a_connection_can_be_the_callers_own_runtimes_to_drive() {
    let server = Redis::start();
    let cache = || {
        let store = Store::builder().url(&server.url()).unwrap();
        let store = store.on_caller_runtime().build().unwrap();
        let builder = Cache::builder().shared(store);
        builder.memory_copies(Duration::ZERO).build().unwrap()
    };
    let (one, other) = (cache(), cache());
    let minute = Duration::from_secs(60);
    // Runtimes come and go, and between them callers that are none of their tasks.
    for n in 0..20u64 {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let story = async {
            one.set("n", n, minute).await.unwrap();
            let both = futures::future::join(other.get("n"), other.get("n")).await;
            assert_eq!(both, (Some(n), Some(n)));
            // This blocks the runtime: it has to be another connection.
            assert_eq!(one.blocking().get("n"), Some(n));
        };
        runtime.enable_all().build().unwrap().block_on(story);
        assert_eq!(block_on(other.get("n")), Some(n));
    }
    assert_eq!(one.stats().store_errors + other.stats().store_errors, 0);
    let clients = || server.command(&["CLIENT", "LIST"]).lines().count();
    assert!(until(|| clients() < 8), "what is gone is closed");
}
