//! `cdn-broker import`: what earlier brokers have made is taken over, from databases with their tables and rows as they leave
//! them, and from distributions of their shape. Nobody's site is touched by it.

mod bad_input;
mod cf_cdn;
mod dropin;
mod guide;
mod interrupted;
mod labels;
mod life;
mod old_world;
mod others;
