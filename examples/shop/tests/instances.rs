//! Two instances of the shop on one store: the program itself, as `cargo run --example shop` builds
//! it. Needs that program, redis-server, memcached and PostgreSQL, so it is run on request:
//! `cargo test -p shop --test instances -- --ignored`, and by `./test.sh`.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::header::{COOKIE, HOST, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use tempfile::TempDir;

use servers::memcached::Memcached;
use servers::postgres::Postgres;
use servers::redis::{Cluster, Redis, Sentinels};

#[path = "../../../tests/servers/mod.rs"]
mod servers;

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An instance, and its address.
fn instance(settings: &[(&str, &str)]) -> (Process, String) {
    let tests = std::env::current_exe().unwrap();
    let shop: PathBuf = tests.ancestors().nth(2).unwrap().join("examples/shop");
    let mut process = Command::new(&shop)
        .env("PORT", "0")
        .envs(settings.iter().copied())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}; build the example", shop.display()));
    let mut line = String::new();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let (_, url) = line
        .trim()
        .split_once("open: ")
        .expect("it says where it is");
    (Process(process), url.to_owned())
}

fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

async fn text(url: &str) -> String {
    client()
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap()
}

async fn read_at(origin: &str) -> String {
    let page = text(&format!("{origin}/products")).await;
    let (_, after) = page.split_once("<output id=\"read-at\">").unwrap();
    after.split_once('<').unwrap().0.to_owned()
}

/// Whether the cache answered, and what. The host is part of a page's key: both are asked under the
/// same name, as behind a balancer.
async fn page(url: &str) -> (bool, String) {
    let request = client().get(url).header(HOST, "shop.test");
    let response = request.send().await.unwrap();
    let did = response.headers().get("cache-status");
    let hit = did.is_some_and(|it| it.to_str().unwrap().contains("; hit"));
    (hit, response.text().await.unwrap())
}

async fn post(url: String, fields: &[(&str, &str)]) -> Response {
    client().post(url).form(fields).send().await.unwrap()
}

const KETTLE: [(&str, &str); 6] = [
    ("name", "Shared kettle"),
    ("category", "Kitchen"),
    ("maker", "Nordhus"),
    ("price", "42.50"),
    ("stock", "7"),
    ("description", ""),
];

/// What one instance changes, another shows within the time of copies, by a message or without.
async fn a_change_is_shown_by_the_other(settings: &[(&str, &str)]) {
    const COPIES: Duration = Duration::from_secs(2);
    let copies = ("CACHE_MEMORY_COPIES", "2");
    let settings: Vec<_> = settings.iter().copied().chain([copies]).collect();
    let (_one, one) = instance(&settings);
    let (_other, other) = instance(&settings);
    let first = read_at(&one).await;
    assert_eq!(
        read_at(&other).await,
        first,
        "one has read it, both know it"
    );
    post(format!("{one}/products/1/edit"), &KETTLE).await;
    let changed = Instant::now();
    let shown = text(&format!("{one}/products")).await;
    assert!(shown.contains("Shared kettle"), "at once where it was made");
    while read_at(&other).await == first {
        let late = changed.elapsed();
        assert!(
            late < COPIES + Duration::from_secs(2),
            "{late:?}: {settings:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("{}: {:?}", settings[0].1, changed.elapsed());
}

#[tokio::test]
#[ignore = "needs memcached"]
async fn two_instances_on_memcached() {
    let memcached = Memcached::start();
    let servers = format!("127.0.0.1:{}", memcached.0.port);
    a_change_is_shown_by_the_other(&[
        ("CACHE_TYPE", "memcached"),
        ("CACHE_MEMCACHED_SERVERS", &servers),
    ])
    .await;
}

#[tokio::test]
#[ignore = "needs the program"]
async fn two_instances_on_a_database_of_their_own() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().join("cache.db").display());
    a_change_is_shown_by_the_other(&[("CACHE_TYPE", "database"), ("CACHE_DATABASE_URL", &url)])
        .await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn two_instances_on_postgres() {
    let server = Postgres::start();
    let settings = [
        ("CACHE_TYPE", "database"),
        ("CACHE_DATABASE_URL", &server.url()),
    ];
    a_change_is_shown_by_the_other(&settings).await;
}

#[tokio::test]
#[ignore = "needs the program"]
async fn two_instances_on_files() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("cache").display().to_string();
    a_change_is_shown_by_the_other(&[("CACHE_TYPE", "filesystem"), ("CACHE_DIR", &path)]).await;
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn two_instances_share_what_they_know_and_who_is_logged_in() {
    let redis = Redis::start();
    let url = redis.url();
    let settings = [("CACHE_TYPE", "redis"), ("CACHE_REDIS_URL", url.as_str())];
    let (_one, one) = instance(&settings);
    let (_other, other) = instance(&settings);

    let first = read_at(&one).await;
    assert_eq!(
        read_at(&other).await,
        first,
        "one has read it, both know it"
    );

    post(format!("{one}/products/1/edit"), &KETTLE).await;
    assert!(
        text(&format!("{one}/products"))
            .await
            .contains("Shared kettle")
    );
    // The other learns of it by a message.
    for _ in 0..100 {
        if read_at(&other).await != first {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_ne!(read_at(&other).await, first);
    let compared = text(&format!("{one}/products/compare")).await;
    assert!(!compared.contains("not configured"));
    assert_eq!(
        compared.matches("€42.50").count(),
        3,
        "in each of the stores"
    );

    let login = post(format!("{one}/login"), &[("login", "ada")]).await;
    let cookies = login.headers().get_all(SET_COOKIE).into_iter();
    let mut pairs = cookies.filter_map(|line| line.to_str().ok()?.split(';').next());
    let session = pairs.find(|pair| pair.starts_with("session=")).unwrap();
    let request = client()
        .get(format!("{other}/account"))
        .header(COOKIE, session);
    let account = request.send().await.unwrap().text().await.unwrap();
    assert!(account.contains("Hello, Ada Lovelace"));
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn the_page_that_compares_stores_knows_every_kind_of_redis() {
    let (one, sentinels, cluster) = (Redis::start(), Sentinels::start(), Cluster::start());
    let (url, watched) = (one.url(), sentinels.url());
    let nodes = cluster
        .0
        .iter()
        .map(|node| format!("127.0.0.1:{}", node.port()));
    let nodes = nodes.collect::<Vec<_>>().join(",");
    for settings in [
        [("CACHE_TYPE", "valkey"), ("CACHE_REDIS_URL", url.as_str())],
        [
            ("CACHE_TYPE", "RedisSentinelCache"),
            ("CACHE_REDIS_URL", &watched),
        ],
        [
            ("CACHE_TYPE", "RedisClusterCache"),
            ("CACHE_REDIS_CLUSTER", &nodes),
        ],
    ] {
        let (_shop, shop) = instance(&settings);
        let compared = text(&format!("{shop}/products/compare")).await;
        assert!(!compared.contains("not configured"), "{settings:?}");
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn two_instances_share_their_pages() {
    let redis = Redis::start();
    let url = redis.url();
    let settings = [("CACHE_TYPE", "redis"), ("CACHE_REDIS_URL", url.as_str())];
    let (_one, one) = instance(&settings);
    let (_other, other) = instance(&settings);

    // What one has made the other serves: for everybody, and for nobody yet.
    for path in ["/", "/users", "/expensive-view", "/api/data"] {
        let (hit, made) = page(&format!("{one}{path}")).await;
        assert!(!hit, "{path} for the first time");
        let (hit, found) = page(&format!("{other}{path}")).await;
        assert!(hit, "{path} has been made");
        assert_eq!(found, made, "{path}");
    }

    // An edit in one is seen there at once, and in the other by a message.
    let (_, before) = page(&format!("{other}/expensive-view")).await;
    let fields = [
        ("name", "Kettle"),
        ("category", "Kitchen"),
        ("maker", "Nordhus"),
        ("price", "99999.00"),
        ("stock", "9999"),
        ("description", ""),
    ];
    post(format!("{one}/products/1/edit"), &fields).await;
    let (_, after) = page(&format!("{one}/expensive-view")).await;
    assert_ne!(after, before);
    for _ in 0..100 {
        if page(&format!("{other}/expensive-view")).await.1 == after {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(
        page(&format!("{other}/expensive-view")).await,
        (true, after)
    );
}
