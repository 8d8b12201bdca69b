//! A caching reverse proxy in front of any origin.
//!
//! ```text
//! LISTEN=127.0.0.1:8080 UPSTREAM=http://127.0.0.1:9000 cargo run --example reverse_proxy
//! ```
//!
//! All settings, and what the proxy does, are told in the head of `lib.rs`.

use std::env;

use reverse_proxy::{AnyError, Settings, serve};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let settings = Settings::read(|name| match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(format!("{name}: {error}").into()),
    })?;
    let listener = TcpListener::bind(&settings.listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    serve(listener, &settings, stop).await
}
