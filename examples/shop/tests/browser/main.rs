//! The shop in a real browser. Needs chromium and chromedriver, so it is run on request:
//! `cargo test -p shop --test browser -- --ignored`, and by `./test.sh`.

#[path = "../common/mod.rs"]
mod common;
mod dashboard;
mod driver;

use common::Site;
use driver::{Browser, VIEWS};
use serde_json::Value;

const PAGES: [(&str, &str); 18] = [
    ("home", "/"),
    ("products", "/products"),
    ("category", "/products?category=Lighting&page=2"),
    ("product", "/products/1"),
    ("edit", "/products/1/edit"),
    ("new", "/products/new"),
    ("compare", "/products/compare"),
    ("users", "/users"),
    ("weather", "/weather"),
    ("benchmark", "/benchmark"),
    ("benchmark-large", "/benchmark?n=90"),
    ("expensive", "/expensive-view"),
    ("static", "/static-content"),
    ("dynamic", "/dynamic-content"),
    ("conditional", "/conditional-content"),
    ("login", "/login"),
    ("account", "/account"),
    ("stats", "/cache-stats"),
];

/// What a page must be for everybody to use it: in words, what is wrong.
pub(crate) const FLAWS: &str = r#"
    const flaws = [];
    if (document.documentElement.scrollWidth > innerWidth) flaws.push("wider than the window");
    if (document.querySelectorAll("h1").length !== 1) flaws.push("not one heading");
    if (!document.documentElement.lang) flaws.push("no language");
    for (const field of document.querySelectorAll("input, select, textarea"))
        if (!field.labels.length) flaws.push(`no label: ${field.name}`);
    for (const control of document.querySelectorAll("a, button, summary"))
        if (!control.textContent.trim()) flaws.push("a link or button without words");
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    if (new Set(ids).size !== ids.length) flaws.push("an id twice");
    for (const element of document.querySelectorAll("[aria-describedby], [aria-labelledby]"))
        for (const id of (element.getAttribute("aria-describedby") ?? element.getAttribute("aria-labelledby")).split(" "))
            if (!document.getElementById(id)) flaws.push(`nothing has the id ${id}`);
    return flaws;
"#;

async fn log_in(browser: &Browser, shop: &Site, login: &str) {
    browser.open(&shop.url("/login")).await;
    browser.choose("#login", login).await;
    browser.click("main button").await;
    browser.arrives_at("/account").await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn every_page_opens_in_every_view_and_asks_nobody_else() {
    let shop = Site::open_as_it_is().await;
    let browser = Browser::start().await;
    log_in(&browser, &shop, "ada").await;
    for view in VIEWS {
        browser.look(view).await;
        for (name, path) in PAGES {
            browser.open(&shop.url(path)).await;
            if path == "/weather" {
                browser
                    .until("document.querySelectorAll('#times rect').length > 0")
                    .await;
            }
            assert_eq!(
                browser.run(FLAWS).await,
                Value::Array(Vec::new()),
                "{path} {view:?}"
            );
            assert_eq!(
                browser.complaints().await,
                Vec::<String>::new(),
                "{path} {view:?}"
            );
            for url in browser.traffic().await.urls() {
                assert!(url.starts_with(&shop.url("/")), "{path} asks {url}");
            }
            browser
                .picture(&format!("{name}-{}-{}", view.width, view.scheme))
                .await;
        }
    }
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn an_edit_shows_at_once_everywhere() {
    let shop = Site::open().await;
    let browser = Browser::start().await;
    let pages = [
        "/products",
        "/products/2",
        "/products/compare",
        "/api/products",
        "/",
    ];
    for path in pages {
        browser.open(&shop.url(path)).await;
        assert!(!browser.page().await.contains("Singing kettle"), "{path}");
    }
    browser.open(&shop.url("/products/2/edit")).await;
    browser.fill("#name", "Singing kettle").await;
    browser.fill("#price", "77.70").await;
    browser.click("main form button").await;

    browser.arrives_at("/products/2").await;
    assert!(browser.text(".flash").await.contains("has been saved"));
    for path in pages {
        browser.open(&shop.url(path)).await;
        assert!(browser.page().await.contains("Singing kettle"), "{path}");
        assert_eq!(browser.count(".flash[role=status]").await, 0, "{path}");
    }
    browser.open(&shop.url("/products/2")).await;
    assert_eq!(browser.text(".price").await, "€77.70");
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn a_product_is_added_and_deleted_by_hand() {
    let shop = Site::open().await;
    let browser = Browser::start().await;
    browser.open(&shop.url("/products/new")).await;
    browser.fill("#name", "Paper <em>boat</em>").await;
    browser.choose("#category", "Toys").await;
    browser.fill("#maker", "Tinker").await;
    browser.fill("#price", "3").await;
    browser.click("main form button").await;
    browser.until("location.pathname !== '/products/new'").await;
    assert_eq!(browser.text("h1").await, "Paper <em>boat</em>");
    assert!(browser.text(".flash").await.contains("has been added"));

    browser.click("article .button").await;
    browser.until("document.querySelector('summary')").await;
    browser.click("summary").await;
    for view in VIEWS {
        browser.look(view).await;
        let name = format!("delete-{}-{}", view.width, view.scheme);
        browser.picture(&name).await;
    }
    browser.click("button.danger").await;
    browser.arrives_at("/products").await;
    assert!(browser.text(".flash").await.contains("has been deleted"));
    browser.reload().await;
    assert_eq!(browser.count(".flash").await, 0);
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn mistakes_in_a_form_are_marked_and_described() {
    let shop = Site::open().await;
    let browser = Browser::start().await;
    browser.look(VIEWS[2]).await;
    browser.open(&shop.url("/products/5/edit")).await;
    browser.fill("#price", "a lot").await;
    browser.fill("#stock", "-3").await;
    browser.click("main form button").await;
    browser
        .until("document.querySelector('[role=alert]')")
        .await;
    assert_eq!(browser.run(FLAWS).await, Value::Array(Vec::new()));
    assert_eq!(browser.count("[aria-invalid=true]").await, 2);
    let described = "return document.getElementById(document.querySelector('#price')
        .getAttribute('aria-describedby').split(' ')[1]).textContent";
    assert!(
        browser
            .run(described)
            .await
            .as_str()
            .unwrap()
            .contains("12.50")
    );
    assert_eq!(
        browser
            .run("return document.querySelector('#price').value")
            .await,
        "a lot"
    );
    browser.picture("mistakes-390-light").await;

    browser.fill("#price", "1").await;
    browser.fill("#stock", "3").await;
    browser.click("main form button").await;
    browser.arrives_at("/products/5").await;
    browser.picture("saved-390-light").await;
    browser.open(&shop.url("/nothing")).await;
    assert_eq!(browser.text("h1").await, "404 Not Found");
    browser.picture("not-found-390-light").await;
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn past_the_cache_and_afresh_do_what_they_say() {
    let shop = Site::open().await;
    let browser = Browser::start().await;
    let read_at = async |path: &str| {
        browser.open(&shop.url(path)).await;
        browser.text("#read-at").await
    };
    let first = read_at("/products").await;
    assert_eq!(read_at("/products").await, first);
    assert_ne!(read_at("/products?cache=false").await, first);
    assert_eq!(read_at("/products").await, first);
    let fresh = read_at("/products?refresh=1").await;
    assert_ne!(fresh, first);
    assert_eq!(read_at("/products").await, fresh);
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn the_browser_keeps_what_it_is_told_to_keep() {
    let shop = Site::open().await;
    let browser = Browser::start().await;
    let on_reload = async |path: &str| {
        browser.open(&shop.url(path)).await;
        browser.traffic().await;
        browser.reload().await;
        browser.traffic().await.status(&shop.url(path))
    };
    assert_eq!(on_reload("/conditional-content").await, Some(304));
    assert_eq!(on_reload("/dynamic-content").await, Some(200));

    // Followed as a link, which does not ask again as a reload does.
    browser.open(&shop.url("/static-content")).await;
    let first = browser.text("#made-at").await;
    browser.click("main .note a").await;
    assert_eq!(browser.text("#made-at").await, first);
    browser.open(&shop.url("/dynamic-content")).await;
    let first = browser.text("#made-at").await;
    browser.click("main .note a").await;
    assert_ne!(browser.text("#made-at").await, first);
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn the_weather_is_drawn_and_its_buttons_differ() {
    let shop = Site::open().await;
    let browser = Browser::start().await;
    browser.open(&shop.url("/weather")).await;
    let answered = async |count: u32| {
        let count = format!("document.querySelector('#answer').dataset.count === '{count}'");
        browser.until(&count).await;
        let data = browser
            .run("return {...document.querySelector('#answer').dataset}")
            .await;
        (
            data["source"].as_str().unwrap().to_owned(),
            data["reading"].clone(),
        )
    };
    let (source, first) = answered(1).await;
    assert_eq!(source, "service");
    assert_eq!(browser.count("#temperature .dot").await, 24);
    assert_eq!(
        browser
            .run("return document.querySelector('#temperature .line').points.length")
            .await,
        24
    );
    assert_eq!(browser.count("#times rect.service").await, 1);

    browser.click("#ask-cached").await;
    assert_eq!(answered(2).await, ("cache".into(), first.clone()));
    browser.click("#ask-fresh").await;
    let (source, fresh) = answered(3).await;
    assert_eq!(source, "service");
    assert_ne!(fresh, first);
    browser.click("#ask-cached").await;
    assert_eq!(answered(4).await, ("cache".into(), fresh));
    let bars = (
        browser.count("#times rect.cache").await,
        browser.count("#times rect.service").await,
    );
    assert_eq!(bars, (2, 2));
    let heights = "return [...document.querySelectorAll('#times rect')].map((bar) => bar.height.baseVal.value)";
    let heights: Vec<f64> = serde_json::from_value(browser.run(heights).await).unwrap();
    assert!(
        heights[1] < heights[0] / 5.0 && heights[3] < heights[2] / 5.0,
        "{heights:?}"
    );

    browser.choose("#city", "Kyoto").await;
    assert_eq!(answered(5).await.0, "service");
    assert!(browser.text("#answer").await.starts_with("Kyoto"));
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn two_people_see_their_own_accounts() {
    let shop = Site::open().await;
    let (one, other) = (Browser::start().await, Browser::start().await);
    one.open(&shop.url("/account")).await;
    one.arrives_at("/login").await;
    log_in(&one, &shop, "ada").await;
    log_in(&other, &shop, "grace").await;
    for _ in 0..2 {
        one.open(&shop.url("/account")).await;
        assert_eq!(one.text("h1").await, "Hello, Ada Lovelace");
        other.open(&shop.url("/account")).await;
        assert_eq!(other.text("h1").await, "Hello, Grace Hopper");
        assert!(!other.page().await.contains("Ada"));
    }

    one.fill("#name", "Countess of Lovelace").await;
    one.click(".controls button").await;
    one.until("document.querySelector('.flash')").await;
    assert_eq!(one.text("h1").await, "Hello, Countess of Lovelace");
    other.open(&shop.url("/users")).await;
    assert!(other.page().await.contains("Countess of Lovelace"));

    one.click(".heading button").await;
    one.arrives_at("/login").await;
    one.run("history.back()").await;
    one.arrives_at("/login").await;
    other.open(&shop.url("/account")).await;
    assert_eq!(other.text("h1").await, "Hello, Grace Hopper");
    one.close().await;
    other.close().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn what_users_write_stays_text() {
    let shop = Site::open().await;
    let browser = Browser::start().await;
    browser.open(&shop.url("/users")).await;
    let page = browser.page().await;
    assert!(page.contains("Bobby <b>Tables</b>"));
    assert!(page.contains("<img src=x onerror="));
    assert_eq!(
        browser.run("return document.title").await,
        "Users · Dewar's"
    );
    assert_eq!(browser.count("main script, main img, main h2 b").await, 0);
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn the_keyboard_gets_past_the_menu() {
    let shop = Site::open().await;
    let browser = Browser::start().await;
    browser.open(&shop.url("/products")).await;
    browser.press_tab().await;
    let focused = "return document.activeElement.className";
    assert_eq!(browser.run(focused).await, "skip");
    browser
        .until("document.querySelector('.skip').getBoundingClientRect().top >= 0")
        .await;
    browser.click(".skip").await;
    assert_eq!(
        browser.run("return document.activeElement.id").await,
        "content"
    );
    browser.press_tab().await;
    assert_eq!(
        browser.run("return document.activeElement.pathname").await,
        "/products/new"
    );
    let outline = "return getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(browser.run(outline).await, "solid");
    browser.close().await;
}
