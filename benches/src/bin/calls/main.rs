//! Makes one hit so many times: `calls ROW CONTENDER TIMES`. Run under callgrind by the group
//! `instructions`.

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [row, contender, times] = args.as_slice() else {
        panic!("usage: calls ROW CONTENDER TIMES");
    };
    let rows = dewar_benches::calls::ROWS;
    let (_, calls) = rows.iter().find(|(it, _)| it == row).expect("a row");
    let call = calls.iter().find(|(it, _)| it == contender);
    let (_, call) = call.expect("a contender of this row");
    dewar_benches::peers::dewar::install_still();
    let times = times.parse().expect("how many times");
    // What is set up once is set up.
    call(times);
    counted_calls(*call, times);
}

/// Callgrind is told to count what happens inside a function of this name.
#[inline(never)]
fn counted_calls(call: fn(u64), times: u64) {
    std::hint::black_box(call)(std::hint::black_box(times));
    // Not a jump to what is called.
    std::hint::black_box(times);
}
