//! `cargo run --example shop`: see the crate `shop`, which is all of it.

use std::error::Error;
use std::process::ExitCode;

use dewar::CacheBuilder;

#[tokio::main]
async fn main() -> ExitCode {
    match open().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the shop cannot be opened: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn open() -> Result<(), Box<dyn Error>> {
    // `CACHE_TYPE`, `CACHE_DEFAULT_TIMEOUT` and so on; without them, a cache in memory.
    CacheBuilder::from_env()?.install()?;
    let port = port()?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener
        .map_err(|error| format!("port {port}: {error}; set PORT to another, or to 0 for any"))?;
    println!("the shop is open: http://{}", listener.local_addr()?);
    let shop = shop::router(shop::Shop::open().await?);
    axum::serve(listener, shop)
        .with_graceful_shutdown(closing_time())
        .await?;
    Ok(())
}

/// `PORT`, 3000 if it is not set; 0 takes any that is free.
fn port() -> Result<u16, String> {
    let Ok(text) = std::env::var("PORT") else {
        return Ok(3000);
    };
    text.parse()
        .map_err(|_| format!("PORT is `{text}`: give a number from 0 to 65535"))
}

async fn closing_time() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
