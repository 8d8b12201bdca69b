// invalidate!(cache = "sessions", all)

fn main() {
    let _ = ::dewar::__private::Invalidation::new().named("sessions").all().run();
}
