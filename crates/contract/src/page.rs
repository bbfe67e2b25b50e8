use crate::PageToken;

/// One page of a list. A list is as long as what it lists: nobody reads it but page by page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on this page; there may be nothing on a page that is not the last.
    pub items: Vec<T>,
    /// What to ask for the next page with; `None` on the last one.
    pub next: Option<PageToken>,
}
