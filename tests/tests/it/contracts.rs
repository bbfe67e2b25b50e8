//! The checks of AWS's rules, through the real SDKs, against a cloud that keeps the rules and one that has changed one of them.

mod broken;
mod holds;
mod laboratory;
mod leftovers;
