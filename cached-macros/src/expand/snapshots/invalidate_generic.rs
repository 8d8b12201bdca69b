// invalidate!(show::<u8>(1))

fn main() {
    let _ = ::dewar::__private::Invalidation::new()
        .call(
            ::dewar::__private::Called::new(show::__entry::<u8>)
                .by_arguments()(1, ::dewar::__private::KEY)
                .place(),
        )
        .run();
}
