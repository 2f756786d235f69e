//! Links the stage at a fixed address, where it is built without an operating system.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=stage.ld");
    if env::var_os("CARGO_CFG_TARGET_OS").is_some_and(|os| os == "none") {
        let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=--no-pie");
        println!("cargo::rustc-link-arg-bins=-T{folder}/stage.ld");
    }
}
