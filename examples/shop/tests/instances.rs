//! Two instances of the shop on one Redis: the program itself, as `cargo run --example shop` builds
//! it. Needs redis-server, so it is run on request:
//! `cargo test -p shop --test instances -- --ignored`, and by `./test.sh`.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use tempfile::TempDir;

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A Redis that keeps nothing, and its address.
fn redis(folder: &TempDir) -> (Process, String) {
    // Taken and given back: redis-server cannot be asked to take any.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let process = Command::new("redis-server")
        .args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--port",
            &port.to_string(),
        ])
        .current_dir(folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server starts: install it");
    let process = Process(process);
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return (process, format!("redis://127.0.0.1:{port}/0"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("redis-server does not answer");
}

/// An instance, and its address.
fn instance(redis: &str) -> (Process, String) {
    let tests = std::env::current_exe().unwrap();
    let shop: PathBuf = tests.ancestors().nth(2).unwrap().join("examples/shop");
    let mut process = Command::new(&shop)
        .env("PORT", "0")
        .env("CACHE_TYPE", "redis")
        .env("CACHE_REDIS_URL", redis)
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

async fn post(url: String, fields: &[(&str, &str)]) -> Response {
    client().post(url).form(fields).send().await.unwrap()
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn two_instances_share_what_they_know_and_who_is_logged_in() {
    let folder = TempDir::new().unwrap();
    let (_redis, url) = redis(&folder);
    let (_one, one) = instance(&url);
    let (_other, other) = instance(&url);

    let first = read_at(&one).await;
    assert_eq!(
        read_at(&other).await,
        first,
        "one has read it, both know it"
    );

    let fields = [
        ("name", "Shared kettle"),
        ("category", "Kitchen"),
        ("maker", "Nordhus"),
        ("price", "42.50"),
        ("stock", "7"),
        ("description", ""),
    ];
    post(format!("{one}/products/1/edit"), &fields).await;
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
