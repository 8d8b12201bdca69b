//! What a server says of its memory.

use ::redis::Value;

use super::super::StoreMemory;

/// From the replies to `INFO memory` and `DBSIZE`, of one server or of all that a cluster has.
pub(super) fn memory(info: &Value, keys: &Value) -> Option<StoreMemory> {
    let Value::Int(keys) = keys else { return None };
    let mut sum = StoreMemory {
        keys: u64::try_from(*keys).ok()?,
        ..StoreMemory::default()
    };
    let (mut resident, texts) = (0.0, texts(info));
    if texts.is_empty() {
        return None;
    }
    for text in texts {
        let number = |name| field(&text, name)?.parse::<u64>().ok();
        let used = number("used_memory")?;
        sum.used += used;
        sum.peak += number("used_memory_peak").unwrap_or(0);
        let limit = number("maxmemory").filter(|limit| *limit > 0);
        sum.limit = limit.map_or(sum.limit, |limit| Some(sum.limit.unwrap_or(0) + limit));
        let ratio = field(&text, "mem_fragmentation_ratio")?.parse::<f64>().ok();
        resident += ratio.filter(|ratio| ratio.is_finite()).unwrap_or(0.0) * used as f64;
    }
    if sum.used > 0 {
        sum.fragmentation = resident / sum.used as f64;
    }
    Some(sum)
}

fn texts(info: &Value) -> Vec<String> {
    match info {
        Value::BulkString(bytes) => vec![String::from_utf8_lossy(bytes).into_owned()],
        Value::VerbatimString { text, .. } => vec![text.clone()],
        Value::Map(nodes) => nodes.iter().flat_map(|(_, node)| texts(node)).collect(),
        _ => Vec::new(),
    }
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let of = |line: &'a str| line.trim().strip_prefix(name)?.strip_prefix(':');
    text.lines().find_map(of)
}

#[cfg(test)]
mod tests {
    use super::{StoreMemory, Value, memory};

    fn said(used: u64, ratio: &str, limit: u64) -> Value {
        let text = format!(
            "# Memory\r\nused_memory:{used}\r\nused_memory_human:1M\r\nused_memory_peak:{}\r\n\
             maxmemory:{limit}\r\nmem_fragmentation_ratio:{ratio}\r\n",
            used * 2
        );
        Value::BulkString(text.into_bytes())
    }

    #[test]
    fn the_nodes_of_a_cluster_are_taken_together() {
        let node = |name: &str, said| (Value::SimpleString(name.into()), said);
        let nodes = vec![
            node("a", said(100, "2.0", 0)),
            node("b", said(300, "1.00", 0)),
        ];
        let all = memory(&Value::Map(nodes), &Value::Int(7));
        let expected = StoreMemory {
            used: 400,
            peak: 800,
            fragmentation: 1.25,
            limit: None,
            keys: 7,
        };
        assert_eq!(all, Some(expected));
    }

    #[test]
    fn a_bound_is_told_and_an_odd_reply_is_no_answer() {
        let one = memory(&said(100, "1.5", 4096), &Value::Int(0));
        assert_eq!(
            one.map(|it| (it.limit, it.fragmentation)),
            Some((Some(4096), 1.5))
        );
        assert_eq!(
            memory(&Value::BulkString(b"nothing".to_vec()), &Value::Int(0)),
            None
        );
        assert_eq!(memory(&said(1, "1.0", 0), &Value::Nil), None);
    }
}
