//! A small XML tree: what a client sent is kept and given back, whether this emulator knows the element or not.

use anyhow::{Context as _, bail, ensure};
use quick_xml::Reader;
use quick_xml::escape::{escape, partial_escape, unescape};
use quick_xml::events::Event;

/// Deeper trees than any AWS request are refused, so that walking one cannot exhaust the stack.
const DEEPEST: usize = 32;

/// One element: either text or children. Attributes are dropped; the root of an answer gets its namespace when written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "texts, numbers and references are written as they are"
    )]
    pub(crate) fn leaf(name: &str, text: impl ToString) -> Self {
        Self { name: name.to_owned(), text: text.to_string(), children: Vec::new() }
    }

    pub(crate) fn holding(name: &str, children: Vec<Element>) -> Self {
        Self { children, ..Self::new(name) }
    }

    /// The list shape of CloudFront: `Quantity`, and `Items` unless it is empty.
    pub(crate) fn list(name: &str, items: Vec<Element>) -> Self {
        let list = Self::new(name).with(Self::leaf("Quantity", items.len()));
        if items.is_empty() {
            return list;
        }
        list.with(Self::holding("Items", items))
    }

    pub(crate) fn with(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    pub(crate) fn renamed(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(crate) fn child_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.children.iter_mut().find(|child| child.name == name)
    }

    /// The element at a path such as `Origins/Items`.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |element, name| element.child(name))
    }

    /// The text at a path; empty if there is none.
    pub(crate) fn text_at(&self, path: &str) -> &str {
        self.at(path).map_or("", |element| element.text.trim())
    }

    /// The items of the list at a path.
    pub(crate) fn items_at(&self, path: &str) -> &[Self] {
        self.at(path).and_then(|list| list.child("Items")).map_or(&[], |items| items.children.as_slice())
    }

    /// The texts of the items of the list at a path.
    pub(crate) fn texts_at(&self, path: &str) -> Vec<String> {
        self.items_at(path).iter().map(|item| item.text.trim().to_owned()).collect()
    }

    /// Adds a child unless one of that name is there.
    pub(crate) fn fill(&mut self, child: Self) {
        if self.child(&child.name).is_none() {
            self.children.push(child);
        }
    }

    /// Puts a child in the place of one of the same name, or at the end.
    pub(crate) fn put(&mut self, child: Self) {
        match self.child_mut(&child.name) {
            Some(present) => *present = child,
            None => self.children.push(child),
        }
    }

    /// Reads one document.
    pub(crate) fn parse(document: &str) -> anyhow::Result<Self> {
        let mut reader = Reader::from_str(document);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event()? {
                Event::Start(tag) => open.push(Self::new(tag.local_name().into_inner())),
                Event::Empty(tag) => append(&mut open, Self::new(tag.local_name().into_inner()))?,
                Event::End(_) => {
                    let closed = open.pop().context("an end tag without a start")?;
                    append(&mut open, closed)?;
                }
                Event::Text(text) => say(&mut open, &unescape(&text.into_inner())?),
                Event::CData(text) => say(&mut open, &text.into_inner()),
                Event::GeneralRef(name) => say(&mut open, &unescape(&format!("&{};", name.into_inner()))?),
                Event::DocType(_) => bail!("a document type is not accepted"),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => break,
            }
            ensure!(open.len() <= DEEPEST, "the document is nested too deeply");
        }
        ensure!(open.len() == 1, "the document ends inside an element");
        open.pop().and_then(|document| document.children.into_iter().next()).context("the document is empty")
    }

    /// The document with this element as its root, in the given namespace (none if empty).
    pub(crate) fn document(&self, namespace: &str) -> String {
        let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
        let attributes =
            if namespace.is_empty() { String::new() } else { format!(" xmlns=\"{}\"", escape(namespace)) };
        self.write(&attributes, &mut out);
        out
    }

    fn write(&self, attributes: &str, out: &mut String) {
        out.extend(["<", &self.name, attributes, ">"]);
        if self.children.is_empty() {
            out.push_str(&partial_escape(self.text.as_str()));
        }
        for child in &self.children {
            child.write("", out);
        }
        out.extend(["</", &self.name, ">"]);
    }
}

fn append(open: &mut [Element], closed: Element) -> anyhow::Result<()> {
    open.last_mut().context("an element outside the document")?.children.push(closed);
    Ok(())
}

fn say(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_it_read() -> anyhow::Result<()> {
        let sent =
            r#"<?xml version="1.0"?><A xmlns="urn:x"><B>one &amp; &#50; &lt;</B><Unknown><C/></Unknown></A>"#;
        let tree = Element::parse(sent)?;
        assert_eq!(tree.text_at("B"), "one & 2 <");
        assert!(tree.at("Unknown/C").is_some());
        assert_eq!(Element::parse(&tree.document("urn:x"))?, tree);
        Ok(())
    }

    #[test]
    fn refuses_what_is_not_a_document() {
        for broken in ["", "text", "<A><B></A>", "<A>", "<!DOCTYPE a><A/>", "<A>&unknown;</A>"] {
            assert!(Element::parse(broken).is_err(), "{broken}");
        }
        assert!(Element::parse(&format!("{}{}", "<A>".repeat(100), "</A>".repeat(100))).is_err());
    }

    #[test]
    fn writes_lists_with_their_quantity() {
        let list = Element::list("Aliases", vec![Element::leaf("CNAME", "a.example")]);
        assert_eq!(list.text_at("Quantity"), "1");
        assert_eq!(list.texts_at("Items"), Vec::<String>::new());
        let config = Element::new("Config").with(list);
        assert_eq!(config.texts_at("Aliases"), ["a.example"]);
        assert!(Element::list("Aliases", vec![]).child("Items").is_none());
    }
}
