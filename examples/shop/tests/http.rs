//! Every address of the shop, over HTTP.

mod common;

use std::time::Duration;

use common::Site;
use dewar::Cache;
use dewar::testing::{FaultyStore, TestCache};
use reqwest::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, ETAG, HeaderName, IF_NONE_MATCH,
    LOCATION, SET_COOKIE,
};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;

fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

impl Site {
    async fn get(&self, path: &str) -> Response {
        client().get(self.url(path)).send().await.unwrap()
    }

    async fn get_with(&self, path: &str, name: HeaderName, value: &str) -> Response {
        let request = client().get(self.url(path)).header(name, value);
        request.send().await.unwrap()
    }

    async fn text(&self, path: &str) -> String {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.text().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.text(path).await).unwrap()
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        client()
            .post(self.url(path))
            .form(fields)
            .send()
            .await
            .unwrap()
    }

    /// Logs in; returns the session's cookie.
    async fn session(&self, login: &str) -> String {
        let response = self.post("/login", &[("login", login)]).await;
        assert_eq!(header(&response, &LOCATION), "/account");
        cookie(&response, "session").unwrap()
    }

    async fn account(&self, session: &str) -> Response {
        self.get_with("/account", COOKIE, session).await
    }
}

fn header<'a>(response: &'a Response, name: &HeaderName) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// The `name=value` of a cookie that a response sets.
fn cookie(response: &Response, name: &str) -> Option<String> {
    let lines = response.headers().get_all(SET_COOKIE).into_iter();
    let mut pairs = lines.filter_map(|line| line.to_str().ok()?.split(';').next());
    pairs
        .find(|pair| pair.starts_with(&format!("{name}=")))
        .map(str::to_owned)
}

/// What stands in `<output id="…">`.
fn output(page: &str, id: &str) -> String {
    let start = format!("<output id=\"{id}\">");
    let after = page
        .split_once(&start)
        .unwrap_or_else(|| panic!("no {start}"))
        .1;
    after.split_once('<').unwrap().0.to_owned()
}

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Kept by nobody.
const NO_STORE: &str = "no-store, no-cache, must-revalidate, max-age=0, private";

const DRAFT: [(&str, &str); 6] = [
    ("name", "Copper kettle"),
    ("category", "Kitchen"),
    ("maker", "Nordhus"),
    ("price", "42.50"),
    ("stock", "7"),
    ("description", "Sings when it is done."),
];

fn draft(name: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut fields = DRAFT.to_vec();
    fields[0].1 = name;
    fields
}

#[tokio::test]
async fn every_page_opens() {
    let shop = Site::open().await;
    for path in [
        "/",
        "/products",
        "/products?page=2",
        "/products?category=Books",
        "/products/9",
        "/products/9/edit",
        "/products/new",
        "/products/compare",
        "/users",
        "/weather",
        "/benchmark",
        "/benchmark?n=93",
        "/expensive-view",
        "/static-content",
        "/dynamic-content",
        "/conditional-content",
        "/login",
        "/cache-stats",
    ] {
        let response = shop.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(
            header(&response, &CONTENT_TYPE),
            "text/html; charset=utf-8",
            "{path}"
        );
        assert!(header(&response, &CONTENT_SECURITY_POLICY).starts_with("default-src 'none'"));
        let page = response.text().await.unwrap();
        assert!(page.contains("<h1>"), "{path}");
        assert!(
            !page.contains("http:") && !page.contains("https:"),
            "{path} leads outside"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let shop = Site::open().await;
    for path in [
        "/nothing",
        "/products/0",
        "/products/-1",
        "/products/1001x",
        "/products/99999999",
        "/products/99999999999999999999",
        "/products/0/edit",
        "/products?page=1000",
        "/products?category=Weapons",
        "/assets/nothing.css",
        "/assets/..%2flib.rs",
    ] {
        let response = shop.get(path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(
        shop.post("/products/0/delete", &[]).await.status(),
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        shop.post("/products/0/edit", &DRAFT).await.status(),
        StatusCode::NOT_FOUND
    );
    // What makes no sense is the first page.
    for page in ["abc", "0", "-5", ""] {
        assert!(
            shop.text(&format!("/products?page={page}"))
                .await
                .contains("Page 1 of")
        );
    }
}

#[tokio::test]
async fn an_edit_shows_on_the_very_next_get() {
    // With its own caches: the only test here that uses them.
    let shop = Site::open_as_it_is().await;
    let pages = [
        "/products",
        "/products/3",
        "/products/compare",
        "/api/products",
        "/conditional-content",
    ];
    for (round, name) in ["Silver spoon", "Golden spoon"].into_iter().enumerate() {
        for path in pages {
            assert!(
                !shop.text(path).await.contains(name),
                "{path}, round {round}"
            );
        }
        let saved = shop.post("/products/3/edit", &draft(name)).await;
        assert_eq!(saved.status(), StatusCode::SEE_OTHER);
        assert_eq!(header(&saved, &LOCATION), "/products/3");
        for path in pages {
            assert!(
                shop.text(path).await.contains(name),
                "{path}, round {round}"
            );
        }
    }
    // Each store says so, not just one of them.
    let mut fields = draft("Silver spoon");
    fields[3].1 = "4321.09";
    shop.post("/products/3/edit", &fields).await;
    let compared = shop.text("/products/compare").await;
    assert_eq!(compared.matches("€4,321.09").count(), 2);
}

#[tokio::test]
async fn a_product_is_added_and_deleted() {
    let shop = Site::open().await;
    let created = shop
        .post("/products", &draft("Tin of <b>biscuits</b>"))
        .await;
    assert_eq!(created.status(), StatusCode::SEE_OTHER);
    let path = header(&created, &LOCATION).to_owned();
    let page = shop.text(&path).await;
    assert!(page.contains("Tin of &lt;b&gt;biscuits&lt;&#x2f;b&gt;") && page.contains("€42.50"));

    let deleted = shop.post(&format!("{path}/delete"), &[]).await;
    assert_eq!(header(&deleted, &LOCATION), "/products");
    assert_eq!(shop.get(&path).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_form_with_mistakes_is_shown_again_and_nothing_is_saved() {
    let shop = Site::open().await;
    let before = shop.text("/products/10").await;
    let mut fields = draft("Edited by mistake");
    fields[3].1 = "a lot";
    let refused = shop.post("/products/10/edit", &fields).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let form = refused.text().await.unwrap();
    assert!(form.contains("price-mistake") && form.contains("value=\"a lot\""));
    assert!(form.contains("value=\"Edited by mistake\""));
    assert_eq!(shop.text("/products/10").await, before);
    // Nothing at all is a form with mistakes too.
    let empty = shop.post("/products", &[]).await;
    assert_eq!(empty.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let shop = Site::open().await;
    let request = client()
        .post(shop.url("/products/11/edit"))
        .form(&draft("From elsewhere"));
    let response = request
        .header("sec-fetch-site", "cross-site")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(!shop.text("/products/11").await.contains("From elsewhere"));
}

#[tokio::test]
async fn the_list_is_read_past_the_cache_or_afresh_on_request() {
    let shop = Site::open().await;
    let read_at = async |extra: &str| {
        let path = format!("/products?category=Toys&page=3{extra}");
        output(&shop.text(&path).await, "read-at")
    };
    let first = read_at("").await;
    assert_eq!(read_at("").await, first);
    let past = read_at("&cache=false").await;
    assert_ne!(past, first);
    assert_eq!(read_at("").await, first, "nothing was stored");
    let fresh = read_at("&refresh=1").await;
    assert_ne!(fresh, first);
    assert_eq!(read_at("").await, fresh, "stored for all");
}

#[tokio::test]
async fn without_a_cache_the_shop_is_slower_and_says_the_same() {
    let null = dewar::Cache::builder().store(dewar::StoreKind::Null);
    let shop = Site::open_with(dewar::testing::TestCache::with(null).unwrap()).await;
    let first = shop.text("/products").await;
    let second = shop.text("/products").await;
    assert_ne!(output(&first, "read-at"), output(&second, "read-at"));
    shop.post("/products/1/edit", &DRAFT).await;
    assert!(shop.text("/products").await.contains("Copper kettle"));
    let session = shop.session("ada").await;
    assert_eq!(shop.account(&session).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn what_has_been_read_is_read_again_after_its_timeout() {
    let cache = dewar::testing::TestCache::new();
    let shop = Site::open_with(cache.clone()).await;
    let read_at = async || output(&shop.text("/products").await, "read-at");
    let first = read_at().await;
    cache.advance(std::time::Duration::from_secs(599));
    assert_eq!(read_at().await, first);
    cache.advance(std::time::Duration::from_secs(1));
    assert_ne!(read_at().await, first);
}

#[tokio::test]
async fn whole_pages_are_served_from_the_cache_until_the_data_changes() {
    let shop = Site::open().await;
    let hit = async |path: &str| {
        let response = shop.get(path).await;
        header(&response, &CACHE_STATUS).starts_with("dewar; hit")
    };
    let pages = [
        "/",
        "/products?page=2",
        "/products/4",
        "/users",
        "/expensive-view",
        "/api/data",
        "/api/products?page=2",
    ];
    for path in pages {
        assert!(!hit(path).await && hit(path).await, "{path}");
    }
    assert!(
        hit("/products?page=2&utm_source=x").await,
        "it counts for nothing"
    );

    shop.post("/products/4/edit", &DRAFT).await;
    for path in pages {
        assert_eq!(hit(path).await, path == "/users", "{path} after an edit");
    }
}

#[tokio::test]
async fn a_message_is_shown_once() {
    let shop = Site::open().await;
    let saved = shop.post("/products/12/edit", &draft("Shown once")).await;
    let flash = cookie(&saved, "flash").unwrap();
    let shown = shop.get_with("/products/12", COOKIE, &flash).await;
    assert_eq!(
        cookie(&shown, "flash").as_deref(),
        Some("flash="),
        "it is taken away"
    );
    let message = "The product has been saved";
    assert!(shown.text().await.unwrap().contains(message));
    assert!(!shop.text("/products/12").await.contains(message));
    // Nobody puts a text of theirs on a page.
    let path = "/products/12";
    let page = shop.get_with(path, COOKIE, "flash=<b>hello").await;
    assert!(!page.text().await.unwrap().contains("hello"));
}

#[tokio::test]
async fn users_are_escaped() {
    let shop = Site::open().await;
    let page = shop.text("/users").await;
    assert!(page.contains("Bobby &lt;b&gt;Tables"));
    assert!(page.contains("&lt;img src=x onerror="));
    assert!(!page.contains("<script") && !page.contains("<img"));
}

#[tokio::test]
async fn the_api_speaks_json() {
    let shop = Site::open().await;
    let data = shop.json("/api/data").await;
    assert!(data["products"].as_i64() >= Some(1_000));
    assert_eq!(
        data["categories"].as_object().map(serde_json::Map::len),
        Some(8)
    );
    let products = shop.json("/api/products?page=2").await;
    assert_eq!(
        (
            &products["page"],
            products["products"].as_array().map(Vec::len)
        ),
        (&2.into(), Some(24))
    );
    let stats = shop.json("/cache-stats/stats.json").await;
    assert_eq!(stats["caches"][0]["name"], "default");
    let metrics = shop.text("/cache-stats/metrics").await;
    assert!(metrics.contains("# TYPE dewar_hits_total counter"));
    assert!(metrics.contains("dewar_entries{cache=\"sessions\""));
}

#[tokio::test]
async fn weather_comes_from_the_cache_or_fresh_from_the_service() {
    let shop = Site::open().await;
    let first = shop.json("/api/weather?city=Cork").await;
    let again = shop.json("/api/weather?city=Cork").await;
    assert_eq!(
        (&again["source"], &again["reading"]),
        (&"cache".into(), &first["reading"])
    );
    let fresh = shop.json("/api/weather?city=Cork&fresh=1").await;
    assert_eq!(fresh["source"], "service");
    assert_ne!(fresh["reading"], first["reading"]);
    assert_eq!(fresh["celsius"], first["celsius"]);
    assert_eq!(
        shop.json("/api/weather?city=Cork").await["reading"],
        fresh["reading"]
    );
    let unknown = shop.get("/api/weather?city=Atlantis").await;
    assert_eq!(unknown.status(), StatusCode::BAD_REQUEST);
    assert!(
        unknown
            .text()
            .await
            .unwrap()
            .contains("no weather for this city")
    );
}

#[tokio::test]
async fn the_expensive_view_is_made_once_until_a_product_changes() {
    let shop = Site::open().await;
    let made_at = async || output(&shop.text("/expensive-view").await, "made-at");
    let first = made_at().await;
    assert_eq!(made_at().await, first);
    shop.post("/products/1/edit", &DRAFT).await;
    assert_ne!(made_at().await, first);
}

#[tokio::test]
async fn browsers_are_told_what_they_may_keep() {
    let shop = Site::open().await;
    assert_eq!(
        header(&shop.get("/static-content").await, &CACHE_CONTROL),
        "public, max-age=3600"
    );
    assert_eq!(
        header(&shop.get("/dynamic-content").await, &CACHE_CONTROL),
        NO_STORE
    );
    let page = shop.text("/products").await;
    let style = page
        .split("href=\"")
        .find(|part| part.contains("shop.css"))
        .unwrap();
    let style = style.split('"').next().unwrap().replace("&#x2f;", "/");
    let asset = shop.get(&style).await;
    assert_eq!(asset.status(), StatusCode::OK);
    assert!(header(&asset, &CACHE_CONTROL).contains("immutable"));
}

#[tokio::test]
async fn the_conditional_page_is_sent_again_only_if_it_has_changed() {
    let shop = Site::open().await;
    let ask = async |tag: &str| {
        shop.get_with("/conditional-content", IF_NONE_MATCH, tag)
            .await
    };
    let tag = header(&shop.get("/conditional-content").await, &ETAG).to_owned();
    for known in [&tag, "*", &format!("\"other\", W/{tag}")] {
        let same = ask(known).await;
        assert_eq!(same.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(header(&same, &ETAG), tag);
        assert!(same.text().await.unwrap().is_empty());
    }
    assert_eq!(ask("\"other\"").await.status(), StatusCode::OK);
    shop.post("/products/1/edit", &DRAFT).await;
    assert_eq!(ask(&tag).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_account_is_its_owners_alone() {
    let shop = Site::open().await;
    let anonymous = shop.get("/account").await;
    assert_eq!(
        (anonymous.status(), header(&anonymous, &LOCATION)),
        (StatusCode::SEE_OTHER, "/login")
    );
    let guessed = shop
        .account("session=00000000000000000000000000000001")
        .await;
    assert_eq!(guessed.status(), StatusCode::SEE_OTHER);

    let (ada, grace) = (shop.session("ada").await, shop.session("grace").await);
    assert_ne!(ada, grace);
    for hit in [false, true] {
        let response = shop.account(&ada).await;
        assert_eq!(header(&response, &CACHE_STATUS).contains("; hit"), hit);
        assert_eq!(header(&response, &CACHE_CONTROL), NO_STORE);
        let hers = response.text().await.unwrap();
        assert!(hers.contains("Hello, Ada Lovelace") && !hers.contains("Grace"));
        let others = shop.account(&grace).await.text().await.unwrap();
        assert!(others.contains("Hello, Grace Hopper") && !others.contains("Ada"));
        let orders = |page: &str| {
            let after = page.split_once("<tbody>").unwrap().1;
            after.split_once("</tbody>").unwrap().0.to_owned()
        };
        assert_ne!(orders(&hers), orders(&others));
    }

    let request = client().post(shop.url("/logout")).header(COOKIE, &ada);
    let left = request.send().await.unwrap();
    assert_eq!(cookie(&left, "session").as_deref(), Some("session="));
    assert_eq!(shop.account(&ada).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(shop.account(&grace).await.status(), StatusCode::OK);
    // Logging in again ends the session that the browser had.
    let request = client().post(shop.url("/login")).form(&[("login", "alan")]);
    request.header(COOKIE, &grace).send().await.unwrap();
    assert_eq!(shop.account(&grace).await.status(), StatusCode::SEE_OTHER);
    let nobody = shop.post("/login", &[("login", "nobody")]).await;
    assert_eq!(nobody.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_new_name_shows_on_the_account_and_among_the_users() {
    let shop = Site::open().await;
    let session = shop.session("tim").await;
    assert!(shop.text("/users").await.contains("Tim O&#x27;Reilly"));
    let rename = async |name: &str| {
        let request = client().post(shop.url("/account")).form(&[("name", name)]);
        request.header(COOKIE, &session).send().await.unwrap()
    };
    assert_eq!(
        rename("Tim <i>the Toolman</i>").await.status(),
        StatusCode::SEE_OTHER
    );
    let name = "Tim &lt;i&gt;the Toolman";
    assert!(
        shop.account(&session)
            .await
            .text()
            .await
            .unwrap()
            .contains(name)
    );
    assert!(shop.text("/users").await.contains(name));
    assert_eq!(rename(" ").await.status(), StatusCode::BAD_REQUEST);
}

/// What the compare page says of the store.
async fn health(shop: &Site) -> String {
    let page = shop.text("/products/compare").await;
    let (_, after) = page.split_once("<p id=\"store-health\"").unwrap();
    after.split_once("</p>").unwrap().0.to_owned()
}

/// Reads what nobody has read yet, so that the store is asked.
async fn ask_the_store(shop: &Site, products: std::ops::Range<u32>) {
    for id in products {
        shop.text(&format!("/products/{id}")).await;
    }
}

#[tokio::test]
async fn the_compare_page_says_how_the_store_is() {
    let none = health(&Site::open().await).await;
    assert!(none.contains("No shared store"), "{none}");

    let store = FaultyStore::pushing();
    let cache = TestCache::with(Cache::builder().shared(store.clone())).unwrap();
    let shop = Site::open_with(cache.clone()).await;
    ask_the_store(&shop, 1..2).await;
    while !health(&shop).await.contains("Push channel: open") {
        tokio::task::yield_now().await;
    }
    let up = health(&shop).await;
    assert!(up.contains("state up") && up.contains("No errors"), "{up}");

    store.fail(true);
    ask_the_store(&shop, 2..10).await;
    cache.advance(Duration::from_millis(900));
    let down = health(&shop).await;
    assert!(down.contains("state down"), "{down}");
    assert!(down.contains("Last error, 0 s ago: <q>"), "{down}");

    // One request finds out whether it is back; nobody else waits for that.
    store.fail(false);
    store.stall(true);
    cache.advance(Duration::from_millis(100));
    let asked = store.operations();
    let trying = tokio::spawn({
        let url = shop.url("/products/20");
        async move { client().get(url).send().await.unwrap().status() }
    });
    while store.operations() == asked {
        tokio::task::yield_now().await;
    }
    let half_open = health(&shop).await;
    assert!(half_open.contains("state half-open"), "{half_open}");
    assert!(half_open.contains("Last error, 1 s ago"), "{half_open}");
    while !trying.is_finished() {
        cache.advance(Duration::from_millis(100));
        tokio::task::yield_now().await;
    }
    assert_eq!(trying.await.unwrap(), StatusCode::OK);
}

#[tokio::test]
async fn what_went_wrong_on_the_way_to_the_store_names_no_secret() {
    let port = {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        nobody.local_addr().unwrap().port()
    };
    let url = format!("redis://shop:hunter2@127.0.0.1:{port}");
    let redis = dewar::store::Redis::open(&url).unwrap();
    let cache = TestCache::with(Cache::builder().shared(redis)).unwrap();
    let shop = Site::open_with(cache).await;
    ask_the_store(&shop, 1..8).await;
    let down = health(&shop).await;
    assert!(
        down.contains("state down") && down.contains("<q>"),
        "{down}"
    );
    assert!(down.contains(&port.to_string()), "{down}");
    assert!(!down.contains("hunter2"), "{down}");
}
