use std::fs;
use std::io::Read;
use std::path::Path;

use super::{Binding, LARGEST};

/// What a file is called that is no credential (Cloud Foundry RFC 30).
const RESERVED: [&str; 11] = [
    "binding-guid",
    "binding-name",
    "instance-guid",
    "instance-name",
    "label",
    "name",
    "plan",
    "provider",
    "syslog-drain-url",
    "tags",
    "type",
];

/// The text of a file.
pub(super) fn text(path: &Path) -> Result<String, String> {
    let read = || {
        let mut text = String::new();
        fs::File::open(path)?.take(LARGEST).read_to_string(&mut text).map(|_| text)
    };
    read().map_err(|reason| format!("the file `{}` cannot be read: {reason}", path.display()))
}

/// Reads a folder of bindings. What begins with a dot is the platform's own.
pub(super) fn read(root: &Path) -> Result<Vec<Binding>, String> {
    let mut bindings = Vec::new();
    for (name, path) in entries(root)? {
        if path.is_dir() {
            bindings.push(one(name, &path)?);
        }
    }
    Ok(bindings)
}

fn one(name: String, folder: &Path) -> Result<Binding, String> {
    let mut binding = Binding { name, ..Binding::default() };
    for (key, path) in entries(folder)?.into_iter().filter(|(_, path)| path.is_file()) {
        let content = text(&path)?;
        let content = content.trim_end_matches(['\r', '\n']);
        match key.as_str() {
            "type" | "provider" | "label" => binding.kinds.push(content.trim().to_lowercase()),
            "tags" => binding.kinds.extend(tags(content)),
            key if RESERVED.contains(&key) => {}
            _ => drop(binding.credentials.insert(key, content.to_owned())),
        }
    }
    Ok(binding)
}

/// A list in JSON, or words with commas.
fn tags(text: &str) -> Vec<String> {
    let list = serde_json::from_str::<Vec<String>>(text);
    let list = list.unwrap_or_else(|_| text.split(',').map(|tag| tag.trim().to_owned()).collect());
    list.iter().map(|tag| tag.to_lowercase()).collect()
}

fn entries(folder: &Path) -> Result<Vec<(String, std::path::PathBuf)>, String> {
    let unreadable = |reason| format!("the folder `{}` cannot be read: {reason}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if let Ok(name) = entry.file_name().into_string()
            && !name.starts_with('.')
        {
            found.push((name, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}
