//! Store and world are compared, and what differs is found, told, and mended: never what is not provably this store's.

mod drift;
mod leftovers;
mod rounds;
mod scene;
