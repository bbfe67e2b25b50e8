//! The README names every port.

use std::fs;
use std::path::Path;

/// The names of the traits that are public in a folder, those of the fakes left out.
fn traits(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "testing") {
                traits(&path, found);
            }
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let names = text.lines().filter_map(|line| line.strip_prefix("pub trait "));
        found.extend(names.filter_map(|rest| rest.split([':', ' ', '<', '{']).next()).map(str::to_owned));
    }
}

#[test]
fn every_port_is_in_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut ports = Vec::new();
    traits(&root.join("src"), &mut ports);
    assert!(ports.len() > 30, "{ports:?}");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let missing: Vec<&String> =
        ports.iter().filter(|port| !readme.contains(&format!("[`{port}`]"))).collect();
    assert!(missing.is_empty(), "{missing:?} are not in the README");
}
