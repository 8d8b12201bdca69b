// entry!(repo.user::<u8>(42, "a"))

fn main() {
    let _ = (repo).__cached_entry_user::<u8>(42, "a", ::dewar::__private::KEY);
}
