//! Makes one of the guarded calls so many times: `hits NAME TIMES`. Run by `guard.sh`.

use std::process::exit;

fn main() {
    let mut args = std::env::args().skip(1);
    let (name, times) = (args.next(), args.next());
    let Some(name) = name else {
        return guard::HITS.iter().for_each(|(name, _)| println!("{name}"));
    };
    let path = guard::HITS.iter().find(|(it, _)| *it == name);
    let (Some((_, call)), Some(Ok(times))) = (path, times.map(|it| it.parse())) else {
        eprintln!("usage: hits NAME TIMES; without arguments it lists the names");
        exit(2);
    };
    // The machine's clock is read now and then, and by another thread: not the same each time.
    let clock = dewar::testing::ManualClock::new();
    if let Err(error) = dewar::Cache::builder().clock(clock).install() {
        eprintln!("{error}");
        exit(1);
    }
    call(times);
}
