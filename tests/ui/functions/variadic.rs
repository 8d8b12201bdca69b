use dewar::cached;

unsafe extern "C" {
    #[cached]
    fn printf(format: *const i8, ...) -> i32;
}

fn main() {
    let _ = unsafe { printf(std::ptr::null()) };
}
