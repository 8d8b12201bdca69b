// #[invalidates(user(id), tag = "users", prefix = "user:{id}:posts")]
// fn rename(db: &Pool, id: u64, name: &str) -> Result<(), DbError> { db.rename(id, name) }

fn rename(db: &Pool, id: u64, name: &str) -> Result<(), DbError> {
    let later = ::dewar::__private::Pending::new(
        ::dewar::__private::Invalidation::new()
            .call(
                ::dewar::__private::Called::new(user::__entry)
                    .by_arguments()(id, ::dewar::__private::KEY)
                    .place(),
            )
            .tag(::dewar::__private::Label::fixed("users"))
            .prefix(
                ::dewar::__private::Label::new().text("user:").value(&id).text(":posts"),
            ),
    );
    let result = (move || -> Result<(), DbError> { db.rename(id, name) })();
    let _ = later.finish(::dewar::__private::Succeeded::new(&result).succeeded()).wait();
    result
}
