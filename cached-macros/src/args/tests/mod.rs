//! What is written wrong, and what is said about it.

mod dump;
