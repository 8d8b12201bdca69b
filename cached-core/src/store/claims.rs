//! Names on a shared store of which each has one owner in this process.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use crate::sync::lock;

/// Who uses which name.
///
/// Two layers that stored under one name would serve each other's responses. The first to use a name
/// has it for as long as it lives.
#[derive(Default)]
pub(crate) struct Claims(Mutex<HashMap<String, Weak<dyn Any + Send + Sync>>>);

impl Claims {
    /// Whether the name is this owner's; it is from now on, if it was nobody's.
    pub(crate) fn claim<T: Send + Sync + 'static>(&self, name: &str, owner: &Arc<T>) -> bool {
        let mut claims = lock(&self.0);
        if let Some(known) = claims.get(name).and_then(Weak::upgrade) {
            return Arc::as_ptr(&known).addr() == Arc::as_ptr(owner).addr();
        }
        claims.retain(|_, owner| owner.strong_count() > 0);
        let owner = Arc::downgrade(owner);
        claims.insert(name.to_owned(), owner);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Claims;
    use std::sync::Arc;

    #[test]
    fn a_name_is_its_first_owners_for_as_long_as_that_lives() {
        let claims = Claims::default();
        let (one, other) = (Arc::new(1), Arc::new(2));
        assert!(claims.claim("pages", &one) && claims.claim("pages", &one));
        assert!(!claims.claim("pages", &other));
        assert!(claims.claim("news", &other));
        drop(one);
        assert!(claims.claim("pages", &other));
    }
}
