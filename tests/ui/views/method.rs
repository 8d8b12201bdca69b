//! A method.

use dewar::cached;

struct Pages;

impl Pages {
    #[cached(view, timeout = 60)]
    async fn about(&self) -> &'static str {
        "about"
    }
}

fn main() {
    let _ = Pages.about();
}
