//! Reads JSON by hand, so that every mistake is found and each is said to be where it is.

use serde_json::{Map, Value};

/// The mistakes that were found so far.
pub(super) type Mistakes = Vec<String>;

/// One object of a file, and where it is.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    place: String,
}

impl<'a> Fields<'a> {
    /// `value` as an object; `None`, and a mistake, if it is none. Fields that are not `known` are mistakes too: a word that
    /// is misspelt would otherwise do nothing.
    pub(super) fn of(
        value: &'a Value,
        place: String,
        known: &[&str],
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        let Some(map) = value.as_object() else {
            mistakes.push(format!("{place} is not an object"));
            return None;
        };
        let unknown = map.keys().filter(|name| !known.contains(&name.as_str()));
        mistakes.extend(
            unknown.map(|name| format!("{place} has no field {name:?}; there are {}", known.join(", "))),
        );
        Some(Self { map, place })
    }

    /// Where a field is.
    pub(super) fn place(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }

    /// A text. One that is not there is empty, which whoever checks the whole does not like.
    pub(super) fn text(&self, name: &str, mistakes: &mut Mistakes) -> String {
        let text = self.find(name, "a text", mistakes, |value| value.as_str().map(str::to_owned));
        text.unwrap_or_default()
    }

    /// `true` or `false`, if it is said.
    pub(super) fn flag(&self, name: &str, mistakes: &mut Mistakes) -> Option<bool> {
        self.find(name, "true or false", mistakes, Value::as_bool)
    }

    /// A whole number from 1 to `most`, if it is said.
    pub(super) fn count(&self, name: &str, most: u32, mistakes: &mut Mistakes) -> Option<u32> {
        let read = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
        let wanted = format!("a whole number from 1 to {most}");
        self.find(name, &wanted, mistakes, |value| read(value).filter(|number| (1..=most).contains(number)))
    }

    /// Texts, if they are said.
    pub(super) fn texts(&self, name: &str, mistakes: &mut Mistakes) -> Vec<String> {
        let texts = |list: &Vec<Value>| list.iter().map(|text| text.as_str().map(str::to_owned)).collect();
        let found = self.find(name, "a list of texts", mistakes, |value| value.as_array().and_then(texts));
        found.unwrap_or_default()
    }

    /// An object as it is, if there is one.
    pub(super) fn object(&self, name: &str, mistakes: &mut Mistakes) -> Map<String, Value> {
        self.find(name, "an object", mistakes, |value| value.as_object().cloned()).unwrap_or_default()
    }

    /// What is to be read by somebody else, and where it is.
    pub(super) fn get(&self, name: &str) -> Option<(&'a Value, String)> {
        self.map.get(name).map(|value| (value, self.place(name)))
    }

    /// The items of a list that has to be there, each with its place.
    pub(super) fn list(&self, name: &str, mistakes: &mut Mistakes) -> Vec<(&'a Value, String)> {
        let Some(list) = self.map.get(name).and_then(Value::as_array) else {
            mistakes.push(format!("{} is not a list", self.place(name)));
            return Vec::new();
        };
        let place = |index: usize| format!("{}[{index}]", self.place(name));
        list.iter().enumerate().map(|(index, item)| (item, place(index))).collect()
    }

    fn find<T>(
        &self,
        name: &str,
        wanted: &str,
        mistakes: &mut Mistakes,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.map.get(name)?;
        let found = read(value);
        if found.is_none() {
            mistakes.push(format!("{} is not {wanted}", self.place(name)));
        }
        found
    }
}
