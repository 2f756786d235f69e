//! Kernel images of any bytes: what is accepted lies inside of the file and of 4
//! GiB, overlaps nothing, and holds its entry.

use pvh_loader::{Compression, Kernel, Payload};

use crate::Interest;

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let mut seen = data.starts_with(b"\x7fELF");
    if let Ok(payload) = Payload::find(data) {
        seen = true;
        assert!(Payload::is_bzimage(data));
        let inside = data.as_ptr_range();
        let of = payload.bytes.as_ptr_range();
        assert!(inside.start <= of.start && of.end <= inside.end);
        if payload.compression == Compression::None {
            kernel(payload.bytes);
        }
    } else {
        seen |= Payload::is_bzimage(data);
    }
    kernel(data);
    if seen { Interest::Keep } else { Interest::Reject }
}

fn kernel(file: &[u8]) {
    let kernel = match Kernel::parse(file) {
        Ok(kernel) => kernel,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let segments: Vec<_> = kernel.segments().collect();
    assert!(!segments.is_empty());
    let inside = file.as_ptr_range();
    for (index, segment) in segments.iter().enumerate() {
        let of = segment.bytes.as_ptr_range();
        assert!(segment.bytes.is_empty() || inside.start <= of.start && of.end <= inside.end);
        assert!(segment.bytes.len() as u64 <= segment.range.size());
        assert!(segment.range.end().0 <= 1 << 32);
        assert!(kernel.span().start() <= segment.range.start());
        assert!(segment.range.end() <= kernel.span().end());
        for other in &segments[..index] {
            assert!(!other.range.overlaps(segment.range));
        }
    }
    let ends =
        |of: fn(acpi_gen::GpaRange) -> acpi_gen::Gpa| segments.iter().map(move |s| of(s.range));
    assert_eq!(ends(|range| range.start()).min(), Some(kernel.span().start()));
    assert_eq!(ends(|range| range.end()).max(), Some(kernel.span().end()));
    let entry = kernel.entry().0;
    assert!(segments.iter().any(|segment| {
        let start = segment.range.start().0;
        (start..start + segment.bytes.len() as u64).contains(&entry)
    }));
    if let Some(relocation) = kernel.relocation() {
        assert!(relocation.align.is_power_of_two());
    }
}
