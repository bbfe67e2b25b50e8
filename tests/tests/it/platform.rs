//! The platform's own domains (D27, D28): the adapter against Cloud Controller and UAA as their documentation has them, and
//! the whole broker in front of both.

mod directory;
mod front_door;
