use crate::args;
use crate::diag::Diag;
#[test]
fn dump() {
    for file in ["inputs_cached", "ok_cached"] {
        println!("#### {file}");
        for line in std::fs::read_to_string(format!("/tmp/wm/{file}.txt"))
            .unwrap()
            .lines()
        {
            let Ok(tokens) = line.parse() else {
                println!("LEX {line}");
                continue;
            };
            let mut diag = Diag::default();
            args::cached(tokens, &mut diag);
            println!("{line}");
            for m in diag.messages() {
                println!("        {m}");
            }
        }
    }
}
