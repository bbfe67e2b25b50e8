//! With what every command ends. `docs/COMMANDS.md` says the same.

/// Everything went well.
pub(crate) const OK: u8 = 0;
/// The work could not be done, was refused, or was not agreed to; the message says why.
pub(crate) const FAILED: u8 = 1;
/// Something was found (`reconcile`), has failed (`checks run`, `config check`) or is to be done (`migrate --check`).
pub(crate) const FOUND: u8 = 2;
/// The command line or the environment is wrong (`EX_USAGE` of sysexits.h).
pub(crate) const USAGE: u8 = 64;
