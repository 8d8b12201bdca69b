//! The bytes of a key that are the same in every process of one build.

#[cfg(feature = "stores")]
use std::cell::Cell;
use std::hash::Hasher;

/// Collects what a `Hash` feeds to its hasher, or canonical bytes.
///
/// Integers are little-endian and `usize` is 64 bits wide, whatever the machine.
#[derive(Default, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stable {
    bytes: Vec<u8>,
    /// There is something in it that means nothing to other processes.
    local: bool,
}

#[cfg(feature = "stores")]
thread_local! {
    /// The room of the last one: a batch needs one for each of its keys.
    static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// So much room is left for the next.
#[cfg(feature = "stores")]
const ROOM_LEFT: usize = 4096;

impl Stable {
    /// Uses one for a moment, with the room that this thread's last one had.
    #[cfg(feature = "stores")]
    pub(crate) fn with_room<T>(look: impl FnOnce(&mut Stable) -> T) -> T {
        // A thread that is ending has none.
        let bytes = ROOM.try_with(Cell::take).unwrap_or_default();
        let local = false;
        let mut stable = Stable { bytes, local };
        let looked = look(&mut stable);
        let mut bytes = stable.bytes;
        if bytes.capacity() <= ROOM_LEFT {
            bytes.clear();
            let _ = ROOM.try_with(|room| room.set(bytes));
        }
        looked
    }

    /// Appends bytes as they are.
    #[inline]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends what `write` writes, preceded by its length: no part runs into the next.
    pub(crate) fn part(&mut self, write: impl FnOnce(&mut Stable)) {
        let length = self.bytes.len();
        self.bytes(&[0; 8]);
        write(self);
        let written = (self.bytes.len() - length - 8) as u64;
        self.bytes[length..length + 8].copy_from_slice(&written.to_le_bytes());
    }

    /// Appends what another has collected.
    pub(crate) fn append(&mut self, other: &Stable) {
        self.bytes(&other.bytes);
        self.local |= other.local;
    }

    /// What is written means something in this process alone, or may be the same for two values.
    pub(crate) fn stays_here(&mut self) {
        self.local = true;
    }

    /// Whether other processes are not to go by it.
    #[cfg(feature = "stores")]
    pub(crate) fn is_local(&self) -> bool {
        self.local
    }

    /// All of it.
    #[cfg(feature = "stores")]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

macro_rules! little_endian {
    ($($name:ident $t:ty as $wide:ty),*) => {$(
        #[inline]
        fn $name(&mut self, n: $t) { self.bytes(&(n as $wide).to_le_bytes()); }
    )*};
}

impl Hasher for Stable {
    /// Never asked for.
    fn finish(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn write(&mut self, bytes: &[u8]) {
        self.bytes(bytes);
    }

    little_endian!(write_u16 u16 as u16, write_u32 u32 as u32, write_u64 u64 as u64);
    little_endian!(write_u128 u128 as u128, write_usize usize as u64);
    little_endian!(write_i16 i16 as i16, write_i32 i32 as i32, write_i64 i64 as i64);
    little_endian!(write_i128 i128 as i128, write_isize isize as i64);
}
