// invalidate!(url = "/products/{id}?page={page.number}", path = "/products")

fn main() {
    let _ = ::dewar::__private::Invalidation::new()
        .url(
            ::dewar::__private::UrlText::new()
                .text("/products/")
                .value(&id)
                .text("?page=")
                .value(&page.number)
                .as_str(),
        )
        .path(::dewar::__private::UrlText::new().text("/products").as_str())
        .run();
}
