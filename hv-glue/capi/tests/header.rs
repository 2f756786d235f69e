//! The committed header is what the sources say.

/// The mark in cbindgen.toml that the rules go to.
const MARK: &str = "/* HVG_WHAT_* */\n";

/// `enum hvg_what`, from the declarations of the rules.
fn rules() -> String {
    let mut text = "/* The rules that a call may find broken. Numbers do not change. In the messages,\n \
                    * %i is the index and %v the value of struct hvg_error; %I and %V in hexadecimal. */\n\
                    enum hvg_what {\n    /* no failure */\n    HVG_WHAT_NONE = 0,\n"
        .to_owned();
    for (prefix, rule) in hvg::rules() {
        let mut name = String::new();
        for (at, letter) in prefix.chars().chain(rule.name.chars()).enumerate() {
            if at > 0 && letter.is_ascii_uppercase() {
                name.push('_');
            }
            name.push(letter.to_ascii_uppercase());
        }
        let (rule, code) = (rule.text, rule.code);
        text += &format!("    /* {rule} */\n    HVG_WHAT_{name} = {code:#x},\n");
    }
    text + "};\n"
}

#[test]
fn the_header_is_up_to_date() {
    let folder = env!("CARGO_MANIFEST_DIR");
    let path = format!("{folder}/include/hv_glue.h");
    let mut made = Vec::new();
    cbindgen::generate(folder).expect("cbindgen").write(&mut made);
    let made = String::from_utf8(made).expect("UTF-8");
    assert!(made.contains(MARK), "no place for the rules");
    let made = made.replace(MARK, &rules());
    if std::env::var_os("HV_GLUE_HEADER").is_some_and(|value| value == "write") {
        std::fs::write(&path, &made).expect("include/hv_glue.h");
    }
    let committed = std::fs::read_to_string(&path).expect("include/hv_glue.h");
    assert!(
        committed == made,
        "include/hv_glue.h differs from the sources: HV_GLUE_HEADER=write cargo test -p hv-glue-capi --test header"
    );
}
