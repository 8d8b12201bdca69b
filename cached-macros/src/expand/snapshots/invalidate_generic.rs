// invalidate!(show::<u8>(1))

fn main() {
    let _ = ::dewar::__private::Invalidation::new()
        .call(show::__entry::<u8>(1, ::dewar::__private::KEY).place())
        .run();
}
