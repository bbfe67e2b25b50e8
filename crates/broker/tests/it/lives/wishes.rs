//! What users ask for, and how an instance may be when some of the answers were lost. It knows neither fakes nor
//! programs: `tests/chaos` leads its lives with it as well.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// How many instances there are.
pub(crate) const INSTANCES: usize = 2;

/// The names that each may ask for. The last is wanted by both.
pub(crate) const NAMES: [[&str; 3]; INSTANCES] = [
    ["www.example.gov", "docs.example.gov", "wanted.example.gov"],
    ["www.example.org", "docs.example.org", "wanted.example.gov"],
];

/// What a user asks for; what is absent is not spoken of.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) names: Option<Names>,
    pub(crate) path: Option<u8>,
    pub(crate) purge: bool,
}

/// Some of an instance's names, as bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names(pub(crate) u8);

impl Names {
    pub(crate) fn of(self, who: usize) -> BTreeSet<String> {
        let chosen = NAMES[who].iter().enumerate().filter(|(bit, _)| self.0 & (1 << bit) != 0);
        chosen.map(|(_, name)| (*name).to_owned()).collect()
    }
}

impl Wish {
    /// One that names domains, and one that may or may not.
    pub(crate) fn drawn(names_them: impl Strategy<Value = bool>) -> impl Strategy<Value = Self> {
        let wish = (names_them, Names::drawn(), prop::option::of(0..3_u8), any::<bool>());
        wish.prop_map(|(names_them, names, path, purge)| Self {
            names: names_them.then_some(names),
            path,
            purge,
        })
    }

    /// As the platform sends it.
    pub(crate) fn parameters(&self, who: usize) -> Value {
        let fields = [
            ("domains", self.names.map(|names| json!(names.of(who)))),
            ("path", self.path.map(|path| json!(path_text(path)))),
            ("invalidate", self.purge.then(|| json!(["/*"]))),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(fields.collect::<Map<_, _>>())
    }
}

impl Names {
    pub(crate) fn drawn() -> impl Strategy<Value = Self> {
        (1..8_u8).prop_map(Names)
    }
}

/// How an instance is, in what a wish can change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) names: BTreeSet<String>,
    pub(crate) path: String,
}

impl Shape {
    /// What a wish makes of it.
    fn changed(&self, who: usize, wish: &Wish) -> Self {
        Self {
            names: wish.names.map_or_else(|| self.names.clone(), |names| names.of(who)),
            path: wish.path.map_or_else(|| self.path.clone(), path_text),
        }
    }
}

fn path_text(path: u8) -> String {
    format!("/p{path}")
}

/// What a platform has read: the status, and the operation that was begun.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    pub(crate) operation: String,
}

/// How an operation has ended that nothing follows.
#[derive(Clone, Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) id: &'a str,
    pub(crate) succeeded: bool,
    pub(crate) was_deprovision: bool,
}

/// What a user remembers of their instance.
#[derive(Debug)]
pub(crate) struct Memory {
    who: usize,
    /// How the instance may be: an answer that was lost leaves it open. `None` is: not there.
    possible: Vec<Option<Shape>>,
    /// Whether it has been asked to go.
    leaving: bool,
    /// The update that was accepted last, and what it asked for.
    update: Option<(String, Wish)>,
}

impl Memory {
    pub(crate) fn new(who: usize) -> Self {
        Self { who, possible: vec![None], leaving: false, update: None }
    }

    /// What follows from having asked for it, from the answer or from its being lost.
    pub(crate) fn has_asked(&mut self, wish: &Wish, heard: Option<&Heard>) {
        let asked = Some(Shape::default().changed(self.who, wish));
        match heard.map(|heard| heard.status) {
            // Either it is new, or it was there and is just like that, whatever an update is making of it.
            Some(200..=202) => {
                assert!(
                    self.possible.contains(&None) || self.possible.contains(&asked),
                    "{asked:?}: {heard:?}"
                );
                self.possible.retain(Option::is_some);
                self.may_be(asked);
            }
            Some(400..=499) => {}
            _ => self.may_be(asked),
        }
    }

    /// What follows from having asked for a change. One that was refused leaves no trace.
    pub(crate) fn has_changed(&mut self, wish: &Wish, heard: Option<&Heard>) {
        if heard.is_some_and(|heard| (400..500).contains(&heard.status)) {
            return;
        }
        for shape in self.possible.clone().iter().flatten() {
            self.may_be(Some(shape.changed(self.who, wish)));
        }
        if let Some(heard) = heard.filter(|heard| heard.status == 202) {
            self.update = Some((heard.operation.clone(), wish.clone()));
        }
    }

    /// Whatever the answer: nobody who has asked for that can complain.
    pub(crate) fn has_deleted(&mut self) {
        self.leaving = true;
    }

    fn may_be(&mut self, shape: Option<Shape>) {
        if !self.possible.contains(&shape) {
            self.possible.push(shape);
        }
    }

    /// Names that nobody has asked to go.
    pub(crate) fn keeps(&self) -> BTreeSet<String> {
        let mut shapes = self.possible.iter().map(|one| one.as_ref().map(|shape| shape.names.clone()));
        let Some(Some(first)) = shapes.next().filter(|_| !self.leaving) else { return BTreeSet::new() };
        shapes.fold(first, |kept, names| &kept & &names.unwrap_or_default())
    }

    /// Nothing runs: how the instance is, is one of the ways it may be; and what was asked for last, if it has succeeded, is
    /// done.
    pub(crate) fn at_rest(&mut self, shape: Option<Shape>, latest: Option<&Ended<'_>>) {
        assert!(
            self.possible.contains(&shape) || (shape.is_none() && self.leaving),
            "{shape:?} is none of {:?}",
            self.possible
        );
        if let (Some((operation, wish)), Some(latest), Some(shape)) = (&self.update, latest, &shape)
            && latest.id == operation
            && latest.succeeded
        {
            assert_eq!(*shape, shape.changed(self.who, wish), "what has succeeded is not done");
        }
        self.leaving &= shape.is_some() && latest.is_some_and(|latest| latest.was_deprovision);
        self.possible = vec![shape];
    }
}
