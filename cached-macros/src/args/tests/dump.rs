use crate::args;
use crate::diag::Diag;
#[test]
fn dump() {
    for file in ["inputs_inv", "inputs_attr", "inputs_entry", "ok_inv"] {
    println!("#### {file}");
    for line in std::fs::read_to_string(format!("/tmp/wm/{file}.txt")).unwrap().lines() {
        let Ok(tokens) = line.parse() else { println!("LEX {line}"); continue };
        let mut diag = Diag::default();
        match file { "inputs_attr" => {args::invalidates(tokens, &mut diag);}, "inputs_entry" => {args::entry(tokens, &mut diag);}, _ => {args::invalidate(tokens, &mut diag);} }
        println!("{line}");
        for m in diag.messages() { println!("        {m}"); }
    }}
}
