//! Serves one page of each size in one way, named by the argument, on a free port that it prints;
//! ends when nobody holds its standard input any more.

mod ways;

use std::io::Read;
use std::thread;

fn main() {
    let way = std::env::args().nth(1).expect("the name of a way");
    let router = ways::router(&way).unwrap_or_else(|| panic!("no way `{way}`"));
    thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    dewar_benches::measure::pin(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        println!("{}", listener.local_addr().expect("an address").port());
        axum::serve(listener, router).await.expect("a server");
    });
}
