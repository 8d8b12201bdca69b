//! The dashboard, under load and by hand.

use axum::Router;
use dewar::Cache;
use dewar::dashboard::Dashboard;
use dewar::http::{CacheLayer, ViewPolicy};

use crate::FLAWS;
use crate::common::Site;
use crate::driver::{Browser, VIEWS};

const READS: &str = "document.querySelectorAll('#reads path').length > 1";

/// A cache with a little of everything in it, and names that mean harm.
fn busy() -> Cache {
    let builder = Cache::builder().event_keys(dewar::EventKeys::Shown);
    let store = dewar::testing::FaultyStore::new();
    let cache = builder.shared(store).build().unwrap();
    cache.record_operations();
    let api = cache.blocking();
    for n in 0..40 {
        let key = format!("user:{n}");
        let load = || Ok::<_, String>(n);
        api.get_or_load(&key, dewar::Expiry::Default, load).unwrap();
        let _ = api.get::<i32>(&key);
    }
    let evil = "<img src=x onerror=document.title='harm'>";
    api.set(evil, 1, dewar::Expiry::Default).unwrap();
    cache
}

async fn open(dashboard: Dashboard) -> Site {
    Site::serve(Router::new().nest("/stats", dashboard.router())).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn it_moves_under_load_in_every_view_and_names_are_inert() {
    let cache = busy();
    let site = open(Dashboard::new().cache(&cache).allow_invalidation()).await;
    let browser = Browser::start().await;
    for view in VIEWS {
        browser.look(view).await;
        browser.open(&site.url("/stats")).await;
        browser.until("document.querySelector('#tiles dd')").await;
        for n in 0..30 {
            for m in 0..(n % 7) * 8 {
                let key = format!("user:{}", (n * m) % 90);
                let load = || Ok::<_, String>(1);
                cache
                    .blocking()
                    .get_or_load(&key, dewar::Expiry::Default, load)
                    .unwrap();
            }
            tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        }
        browser.until(READS).await;
        let path = "return document.querySelector('#reads path').getAttribute('d')";
        let before = browser.run(path).await;
        let moved = format!("document.querySelector('#reads path').getAttribute('d') !== {before}");
        browser.until(&moved).await;
        assert_eq!(browser.run(FLAWS).await, serde_json::json!([]), "{view:?}");
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "{view:?}");
        for url in browser.traffic().await.urls() {
            assert!(
                url.starts_with(&site.url("/")) || url.starts_with("data:"),
                "{url}"
            );
        }
        browser
            .picture(&format!("dashboard-{}-{}", view.width, view.scheme))
            .await;
    }
    let evil = "<img src=x onerror=document.title='harm'>";
    cache
        .blocking()
        .set(evil, 1, dewar::Expiry::Default)
        .unwrap();
    browser
        .until("document.querySelector('#operations').textContent.includes('<img src=x')")
        .await;
    assert_eq!(browser.count("#operations img").await, 0);
    assert_ne!(browser.run("return document.title").await, "harm");
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn it_opens_on_zero_traffic_and_without_the_switch_has_no_button() {
    let cache = Cache::builder().build().unwrap();
    let site = open(Dashboard::new().cache(&cache)).await;
    let browser = Browser::start().await;
    browser.open(&site.url("/stats")).await;
    browser.until("document.querySelector('#tiles dd')").await;
    let page = browser.page().await;
    assert!(
        !page.contains("NaN") && !page.contains("undefined") && !page.contains("Infinity"),
        "{page}"
    );
    assert_eq!(browser.count("#form").await, 0);
    browser.picture("dashboard-empty").await;
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn of_very_many_functions_it_shows_those_with_the_most_reads_and_says_so() {
    let cache = Cache::builder().build().unwrap();
    // Each layer is counted by itself, as a function is.
    let pages = (0..300).fold(Router::new(), |pages, n| {
        let name = format!("shop::pages::page_{n:03}").leak();
        let layer = CacheLayer::new(ViewPolicy::new()).cache(&cache).name(name);
        let page = axum::routing::get(|| async { "page" }).layer(layer);
        pages.route(&format!("/page/{n}"), page)
    });
    let dashboard = Dashboard::new().cache(&cache).router();
    let site = Site::serve(pages.nest("/stats", dashboard)).await;
    for n in (0..300).chain([7, 7]) {
        let answer = reqwest::get(site.url(&format!("/page/{n}"))).await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "page");
    }
    let browser = Browser::start().await;
    for view in VIEWS {
        browser.look(view).await;
        browser.open(&site.url("/stats")).await;
        browser
            .until("document.querySelector('#table tbody tr')")
            .await;
        assert_eq!(browser.count("#table tbody tr").await, 100);
        let first = "return document.querySelector('#table tbody th').textContent";
        assert_eq!(browser.run(first).await, "shop::pages::page_007");
        // With what was done by hand.
        let said = "return document.querySelector('#rest').innerText";
        let said = browser.run(said).await;
        assert!(
            said.as_str()
                .unwrap()
                .starts_with("Shown are 100 of 301 functions"),
            "{said}"
        );
        assert_eq!(browser.run(FLAWS).await, serde_json::json!([]), "{view:?}");
    }
    browser.picture("dashboard-many").await;
    browser.close().await;
}

#[dewar::cached(timeout = 60)]
fn price(product: u64) -> u64 {
    product * 100
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn after_a_reset_of_one_function_no_rate_is_less_than_nothing() {
    let cache = Cache::builder().build().unwrap();
    cache.scope_blocking(|| (0..1_000).for_each(|_| assert_eq!(price(1), 100)));
    let site = open(Dashboard::new().cache(&cache)).await;
    let browser = Browser::start().await;
    browser.open(&site.url("/stats")).await;
    browser.until("[...history.values()][0]?.before").await;
    // The reads of the cache go on growing; its hits do not.
    cache.scope_blocking(|| dewar::stats!(price).reset());
    (0..5_000).for_each(|n| assert_eq!(cache.blocking().get::<u64>(&n.to_string()), None));
    browser
        .until("[...history.values()][0].before.stats.absent >= 5000")
        .await;
    let negative =
        "return [...history.values()][0].points.filter((it) => it.served < 0 || it.missed < 0)";
    assert_eq!(browser.run(negative).await, serde_json::json!([]));
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn it_can_be_used_by_keyboard_alone_and_says_what_it_shows() {
    let cache = busy();
    let site = open(Dashboard::new().cache(&cache).allow_invalidation()).await;
    let browser = Browser::start().await;
    browser.open(&site.url("/stats")).await;
    browser
        .until("document.querySelector('#table tbody tr')")
        .await;
    browser.press_tab().await;
    let focused = "return document.activeElement.textContent";
    assert_eq!(browser.run(focused).await, "Skip to the functions");
    for name in ["Pause", "Function", "Reads ↓", "Invalidate"] {
        for _ in 0..40 {
            browser.press_tab().await;
            if browser.run(focused).await == name {
                break;
            }
        }
        assert_eq!(browser.run(focused).await, name);
        let outline = "return getComputedStyle(document.activeElement).outlineStyle";
        assert_ne!(
            browser.run(outline).await,
            "none",
            "the focus of {name} is seen"
        );
    }
    let sorted = "return document.querySelector('th[aria-sort]').getAttribute('aria-sort')";
    assert_eq!(browser.run(sorted).await, "descending");
    browser
        .run("document.querySelector('th[aria-sort] button').focus()")
        .await;
    browser.press("Enter", 13).await;
    assert_eq!(browser.run(sorted).await, "ascending");
    for id in ["reads", "ratio", "latency"] {
        let said = format!("return document.getElementById('{id}').ariaLabel");
        assert!(
            browser.run(&said).await.as_str().unwrap().len() > 10,
            "{id}"
        );
    }
    let roles = "return document.querySelectorAll('[role=status]').length";
    assert_eq!(browser.run(roles).await, 2);
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn an_invalidation_by_prefix_shows_at_the_next_read_and_another_site_may_not() {
    let cache = busy();
    let site = open(Dashboard::new().cache(&cache).allow_invalidation()).await;
    let browser = Browser::start().await;
    browser.open(&site.url("/stats")).await;
    browser.until("document.querySelector('#tiles dd')").await;
    browser.fill("#name", "user:7").await;
    browser.click("#go").await;
    browser
        .until("document.querySelector('#said').className === 'good'")
        .await;
    assert_eq!(cache.blocking().get::<i32>("user:7"), None);
    assert_eq!(cache.blocking().get::<i32>("user:8"), Some(8));

    let before = cache.stats().invalidations;
    let forged = format!(
        "data:text/html,<form method=post enctype=text/plain action={}><input name=a></form>",
        site.url("/stats/invalidate")
    );
    browser.open(&forged).await;
    browser.run("document.forms[0].submit()").await;
    browser.arrives_at("/stats/invalidate").await;
    assert!(browser.page().await.contains("only the dashboard itself"));
    assert_eq!(cache.stats().invalidations, before);
    browser.close().await;
}
