//! The part of `docs/CONFIGURATION.md` that is written from the table of variables, and the test that it is.

use super::table::{GROUPS, Group, Unset, Variable};

/// One heading with a table for each group.
fn markdown() -> String {
    GROUPS.iter().map(section).collect()
}

fn section(group: &Group) -> String {
    let rows: String = group.variables.iter().map(row).collect();
    format!("## {}\n\n| variable | default | meaning |\n| --- | --- | --- |\n{rows}\n", group.title)
}

fn row(variable: &Variable) -> String {
    let default = match variable.default {
        Unset::Required => "required".to_owned(),
        Unset::Nothing => String::new(),
        Unset::Value(value) => format!("`{value}`"),
        Unset::Words(words) => words.to_owned(),
    };
    let default = if default.is_empty() { " ".to_owned() } else { format!(" {default} ") };
    format!("| `{}` |{default}| {} |\n", variable.name, variable.text)
}

const BEGIN: &str = "<!-- From here on written from the table in bins/cdn-broker/src/config/table.rs:\n     \
                     UPDATE_DOCS=1 cargo test -p cdn-broker configuration_md -->\n\n";

#[test]
fn configuration_md_is_written_from_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CONFIGURATION.md");
    let present = std::fs::read_to_string(path).unwrap();
    let (head, _) = present.split_once(BEGIN).expect("the line that begins what is generated");
    let wanted = format!("{head}{BEGIN}{}\n", markdown().trim_end());
    #[expect(clippy::disallowed_methods, reason = "whoever runs the test says whether it is to write")]
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    if update {
        std::fs::write(path, wanted).unwrap();
    } else {
        assert!(
            present == wanted,
            "docs/CONFIGURATION.md is not what the table says: write it anew with\n  \
             UPDATE_DOCS=1 cargo test -p cdn-broker configuration_md"
        );
    }
}
