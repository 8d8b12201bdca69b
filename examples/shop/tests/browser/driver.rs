//! A browser of its own for a test, and what it has to say.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A chromium without a window, and the chromedriver that leads it. Both end with the test.
pub(crate) struct Browser {
    client: Client,
    driver: Driver,
}

/// The process; ended when dropped, with the browser that it has started.
struct Driver {
    process: Child,
    port: u16,
    session: String,
    _profile: TempDir,
}

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) width: u32,
    pub(crate) scheme: &'static str,
}

pub(crate) const VIEWS: [View; 4] = [
    View {
        width: 1280,
        scheme: "light",
    },
    View {
        width: 1280,
        scheme: "dark",
    },
    View {
        width: 390,
        scheme: "light",
    },
    View {
        width: 390,
        scheme: "dark",
    },
];

impl Browser {
    /// # Panics
    /// There is no chromium or no chromedriver.
    pub(crate) async fn start() -> Browser {
        let profile = TempDir::new().unwrap();
        let (process, port) = chromedriver();
        let capabilities = capabilities(&profile);
        let mut driver = Driver {
            process,
            port,
            session: String::new(),
            _profile: profile,
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("chromium starts");
        driver.session = client.session_id().await.unwrap().unwrap_or_default();
        let browser = Browser { client, driver };
        browser.look(VIEWS[0]).await;
        // What it has asked for before it was asked for anything is its own affair.
        browser.open("about:blank").await;
        browser.traffic().await;
        browser
    }

    /// Closes the browser.
    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
        drop(self.driver);
    }

    pub(crate) async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    pub(crate) async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    /// Waits until the browser has come to this path, and the page is there.
    pub(crate) async fn arrives_at(&self, path: &str) {
        let there = format!("location.pathname === '{path}' && document.readyState === 'complete'");
        self.until(&there).await;
    }

    /// What is read on the page.
    pub(crate) async fn page(&self) -> String {
        self.text("body").await
    }

    /// What is read in the first element that fits.
    pub(crate) async fn text(&self, css: &str) -> String {
        let element = self.client.find(Locator::Css(css)).await;
        element
            .unwrap_or_else(|error| panic!("{css}: {error}"))
            .text()
            .await
            .unwrap()
    }

    /// How many elements fit.
    pub(crate) async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.unwrap().len()
    }

    pub(crate) async fn click(&self, css: &str) {
        let element = self.client.find(Locator::Css(css)).await.unwrap();
        element
            .click()
            .await
            .unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Writes into a field, in the place of what is there.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let field = self.client.find(Locator::Css(css)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Chooses an option by its value.
    pub(crate) async fn choose(&self, css: &str, option: &str) {
        let field = self.client.find(Locator::Css(css)).await.unwrap();
        field.select_by_value(option).await.unwrap();
    }

    /// Moves the focus on.
    pub(crate) async fn press_tab(&self) {
        self.press("Tab", 9).await;
    }

    /// Presses a key that has a name.
    pub(crate) async fn press(&self, key: &str, code: u32) {
        let text = if key == "Enter" { "\r" } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let key = json!({
                "type": kind, "key": key, "code": key, "text": text,
                "windowsVirtualKeyCode": code,
            });
            self.devtools("Input.dispatchKeyEvent", key).await;
        }
    }

    /// What a script returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Waits until a script returns true.
    pub(crate) async fn until(&self, condition: &str) {
        let script = format!("return Boolean({condition})");
        for _ in 0..200 {
            // Between two pages there is nothing to ask.
            if self
                .client
                .execute(&script, Vec::new())
                .await
                .is_ok_and(|met| met == true)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("in ten seconds never: {condition}");
    }

    /// The width of the page and the colours that the reader prefers.
    pub(crate) async fn look(&self, view: View) {
        let metrics = json!({
            "width": view.width, "height": 900, "deviceScaleFactor": 1,
            "mobile": view.width < 600,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
            .await;
        let scheme = json!([{ "name": "prefers-color-scheme", "value": view.scheme }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": scheme }))
            .await;
    }

    /// Puts a picture of the whole page into the folder `SHOP_SCREENSHOTS`, to be looked at by a
    /// person; nothing happens where that is not set.
    pub(crate) async fn picture(&self, name: &str) {
        let Ok(folder) = std::env::var("SHOP_SCREENSHOTS") else {
            return;
        };
        let height = self
            .run("return document.documentElement.scrollHeight")
            .await;
        let width = self.run("return innerWidth").await;
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let options = json!({ "captureBeyondViewport": true, "clip": clip });
        let taken = self.devtools("Page.captureScreenshot", options).await;
        let picture = STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
        std::fs::write(format!("{folder}/{name}.png"), picture).unwrap();
    }

    /// What the console has said since it was last asked, but for mere information.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let lines = self.log("browser").await.into_iter();
        let serious =
            lines.filter(|line| !matches!(line["level"].as_str(), Some("INFO" | "DEBUG")));
        serious.map(|line| line["message"].to_string()).collect()
    }

    /// What went over the network since it was last asked.
    pub(crate) async fn traffic(&self) -> Traffic {
        let lines = self.log("performance").await.into_iter();
        let messages = lines.filter_map(|line| {
            let message: Value = serde_json::from_str(line["message"].as_str()?).ok()?;
            Some(message["message"].clone())
        });
        Traffic(messages.collect())
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let lines = self.call("se/log", json!({ "type": kind })).await;
        lines.as_array().cloned().unwrap_or_default()
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.call("goog/cdp/execute", body).await
    }

    async fn call(&self, path: &'static str, body: Value) -> Value {
        self.client
            .issue_cmd(Extension { path, body })
            .await
            .unwrap()
    }
}

/// Messages of the developer tools about the network.
pub(crate) struct Traffic(Vec<Value>);

impl Traffic {
    fn of<'a>(&'a self, event: &'a str) -> impl Iterator<Item = &'a Value> {
        let fit = self
            .0
            .iter()
            .filter(move |message| message["method"] == event);
        fit.map(|message| &message["params"])
    }

    /// The addresses that were asked for.
    pub(crate) fn urls(&self) -> Vec<&str> {
        let sent = self.of("Network.requestWillBeSent");
        sent.filter_map(|sent| sent["request"]["url"].as_str())
            .collect()
    }

    /// What the server has answered to a request for this address.
    pub(crate) fn status(&self, url: &str) -> Option<u64> {
        let mut sent = self.of("Network.requestWillBeSent");
        let sent = sent.find(|sent| sent["request"]["url"] == url)?;
        let mut answers = self.of("Network.responseReceivedExtraInfo");
        let answer = answers.find(|answer| answer["requestId"] == sent["requestId"])?;
        answer["statusCode"].as_u64()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // A test that has failed did not close its browser. The answer comes when it is closed.
        if let Ok(mut driver) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = driver.set_read_timeout(Some(Duration::from_secs(10)));
            let request = format!(
                "DELETE /session/{} HTTP/1.1\r\nHost: localhost\r\n\r\n",
                self.session
            );
            let _ = driver.write_all(request.as_bytes());
            let _ = driver.read(&mut [0; 512]);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A command that is chromium's own.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(
        &self,
        base: &Url,
        session: Option<&str>,
    ) -> Result<Url, <Url as std::str::FromStr>::Err> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// A chromedriver, and the port that it has taken. It looks for one that is free for IPv4 and takes
/// the same for IPv6; where another program was faster it ends, and the next one looks for another.
fn chromedriver() -> (Child, u16) {
    for _ in 0..10 {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts: install chromium and chromium-driver");
        if let Some(port) = port(&mut process) {
            return (process, port);
        }
        process.wait().expect("chromedriver has ended");
    }
    panic!("chromedriver finds no port");
}

/// The port that chromedriver has taken, which it says; none if it has ended.
fn port(process: &mut Child) -> Option<u16> {
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let port = lines.by_ref().find_map(|line| {
        let line = line.ok()?;
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    // Read on, or it would write into a pipe that nobody reads.
    std::thread::spawn(move || lines.for_each(drop));
    port
}

fn capabilities(profile: &TempDir) -> Capabilities {
    let profile = format!("--user-data-dir={}", profile.path().display());
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        &profile,
    ];
    let all = json!({
        "browserName": "chrome",
        "goog:chromeOptions": { "args": arguments },
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
    });
    all.as_object().cloned().unwrap_or_default()
}
