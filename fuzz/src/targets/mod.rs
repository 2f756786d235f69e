//! One module for each target.

pub mod apic_ids;
pub mod bzimage;
pub mod c_abi;
pub mod check;
pub mod decode;
pub mod e820_trim;
pub mod host_file;
pub mod host_plan;
pub mod hypercalls;
pub mod kernel_image;
pub mod placement;
pub mod populate;
pub mod readers;
pub mod round_trip;
pub mod start_info;
pub mod topology_file;
pub mod xl_config;
