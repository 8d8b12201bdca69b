//! What any web application has: sessions, flash messages, errors, headers, style sheets.

pub mod assets;
pub mod cookie;
pub mod failed;
pub mod flash;
pub mod guard;
pub mod session;
pub(crate) mod stores;
pub mod time;
