//! Where alerts and letters go: a web server that takes posts, and a mail server that takes mail. Both remember what they were
//! given, and misbehave as they are told.

mod hook;
mod mail;

pub use hook::{HookManners, HookSink, Post};
pub use mail::{Mail, MailSink, MailTls};
