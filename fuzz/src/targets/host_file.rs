//! Host files of any text through `acpi-gen plan`: an error with its line, or a
//! plan whose numbers belong together.

use crate::{Interest, cli};

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let planned = cli::run(data, &["plan", "INPUT", "--json"]);
    if planned.status != 0 {
        return if std::str::from_utf8(data).is_ok() { Interest::Keep } else { Interest::Reject };
    }
    let plan: serde_json::Value = serde_json::from_str(&planned.stdout).expect("JSON");
    let list = |value: &serde_json::Value| value.as_array().expect("an array").clone();
    let pages = plan["nr_pages"].as_u64().expect("pages");
    let allocated: u64 = list(&plan["allocations"])
        .iter()
        .map(|a| a["count"].as_u64().expect("a count") << a["order"].as_u64().expect("an order"))
        .sum();
    assert_eq!(allocated, pages, "not all of dom0's pages are allocated");
    let ram: u64 = list(&plan["e820"])
        .iter()
        .filter(|entry| entry["type"] == "ram")
        .map(|entry| {
            let (start, end) = (entry["start"].as_u64(), entry["end"].as_u64());
            let (start, end) = (start.expect("a start"), end.expect("an end"));
            (end / 4096).saturating_sub(start.div_ceil(4096))
        })
        .sum();
    assert_eq!(ram, pages);
    let enabled = plan["gate"]["enabled"].as_bool().expect("a verdict");
    let met = list(&plan["gate"]["conditions"]).iter().all(|condition| condition["ok"] == true);
    assert_eq!(enabled, met);
    assert_eq!(enabled, !list(&plan["vmemranges"]).is_empty());
    Interest::Keep
}
