//! One module for each target.

pub mod check;
pub mod readers;
pub mod round_trip;
