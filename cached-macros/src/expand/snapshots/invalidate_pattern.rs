// invalidate!(cache = SESSIONS, pattern = "product_*")

fn main() {
    let _ = ::dewar::__private::Invalidation::new()
        .of(&SESSIONS)
        .pattern(::dewar::__private::Label::fixed("product_*"))
        .run();
}
