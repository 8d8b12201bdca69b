//! What must compile, and does what it looks like.

mod arguments;
mod attributes;
mod futures;
mod generics;
mod methods;
mod names;
mod results;
