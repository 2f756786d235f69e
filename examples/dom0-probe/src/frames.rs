//! dom0's frames as Xen's log names them.

/// One of dom0's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Its number in dom0.
    pub(crate) guest: u64,
    /// Its number on the host.
    pub(crate) host: u64,
}

/// The frames of every line `... dom0's frames A and B are the host's C and D`, in
/// their order. hv-glue/xen, `print_frames()`.
pub(crate) fn named(log: &str) -> Vec<Frame> {
    log.lines().filter_map(of_line).flatten().collect()
}

fn of_line(line: &str) -> Option<[Frame; 2]> {
    let (_, rest) = line.split_once("dom0's frames ")?;
    let (guests, hosts) = rest.split_once(" are the host's ")?;
    let (guests, hosts) = (pair(guests)?, pair(hosts)?);
    Some([Frame { guest: guests.0, host: hosts.0 }, Frame { guest: guests.1, host: hosts.1 }])
}

fn pair(text: &str) -> Option<(u64, u64)> {
    let (a, b) = text.trim_end().split_once(" and ")?;
    Some((crate::number(a)?, crate::number(b)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_stand_in_the_lines_of_the_layout_alone() {
        let log = "(XEN) vNUMA: pages from their node: 786432\r\n\
            (XEN) [    1.0] vNUMA:  range 1, node 0: dom0's frames 0x100 and 0x7ffff are the host's 0x3f and 10\r\n\
            (XEN) vNUMA:  range 2, node 1: dom0's frames 0x100 and are the host's 0x3f and 10\n";
        let expected = [Frame { guest: 0x100, host: 0x3f }, Frame { guest: 0x7ffff, host: 10 }];
        assert_eq!(named(log), expected);
    }
}
