//! The committed header is what the sources say.

#[test]
fn the_header_is_up_to_date() {
    let folder = env!("CARGO_MANIFEST_DIR");
    let path = format!("{folder}/include/hv_glue.h");
    let mut made = Vec::new();
    cbindgen::generate(folder).expect("cbindgen").write(&mut made);
    let made = String::from_utf8(made).expect("UTF-8");
    if std::env::var_os("HV_GLUE_HEADER").is_some_and(|value| value == "write") {
        std::fs::write(&path, &made).expect("include/hv_glue.h");
    }
    let committed = std::fs::read_to_string(&path).expect("include/hv_glue.h");
    assert!(
        committed == made,
        "include/hv_glue.h differs from the sources: HV_GLUE_HEADER=write cargo test -p hv-glue-capi --test header"
    );
}
