//! What all programs here that measure times have in common: what is asked for, and the threads
//! that ask. It links neither the library nor a peer, so that programs built with other features
//! measure in the same way.

pub mod traces;
pub mod workers;
