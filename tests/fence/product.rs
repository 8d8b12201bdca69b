//! The product that the fence is tested over.

use std::sync::Arc;

use dewar::testing::TestCache;
use dewar::{cached, invalidate};

use crate::common::{End, Failed, Source, Steps, Task, secs, stepped};

/// What is invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Key,
    Function,
    Tag,
    TagOfTheValue,
    Prefix,
    Pattern,
    Everything,
}

const HOWS: [How; 7] = [
    How::Key,
    How::Function,
    How::Tag,
    How::TagOfTheValue,
    How::Prefix,
    How::Pattern,
    How::Everything,
];

macro_rules! kinds {
    ($($kind:ident $function:ident($($options:tt)*);)*) => {
        /// How the load comes about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind {
            $($kind),*
        }

        const KINDS: &[Kind] = &[$(Kind::$kind),*];

        $(
            #[cached(
                timeout = 60,
                key_prefix = "item:{id}",
                tags("items", |value: &u64| vec![format!("thousand:{}", value / 1000)]),
                skip(source),
                $($options)*
            )]
            async fn $function(source: Arc<Source>, id: u64) -> Result<u64, Failed> {
                let _ = id;
                source.load().await
            }
        )*

        pub(crate) fn call(kind: Kind, source: &Arc<Source>, id: u64) -> Task<Result<u64, Failed>> {
            let source = Arc::clone(source);
            match kind {
                $(Kind::$kind => Task::new($function(source, id)),)*
            }
        }

        fn invalidate_key(kind: Kind, id: u64) {
            let done = match kind {
                $(Kind::$kind => invalidate!($function(_, id)),)*
            };
            done.wait().unwrap();
        }

        fn invalidate_function(kind: Kind) {
            let done = match kind {
                $(Kind::$kind => invalidate!($function),)*
            };
            done.wait().unwrap();
        }
    };
}

kinds! {
    Foreground foreground();
    Revalidation revalidated(stale_while_revalidate = 600);
    RefreshAhead refreshed(refresh_ahead = 0.5);
    SoftTimeout softened(stale_if_error = 600, soft_timeout = 1);
}

pub(crate) fn invalidate(kind: Kind, how: How, id: u64) {
    let done = match how {
        How::Key => return invalidate_key(kind, id),
        How::Function => return invalidate_function(kind),
        How::Tag => invalidate!(tag = "items"),
        How::TagOfTheValue => invalidate!(tag = "thousand:0"),
        How::Prefix => invalidate!(prefix = "item:{id}"),
        How::Pattern => invalidate!(pattern = "it*"),
        How::Everything => invalidate!(all),
    };
    done.wait().unwrap();
}

/// One pair: a cache, a source, and a load that is about to be invalidated.
pub(crate) struct Bench {
    pub(crate) kind: Kind,
    pub(crate) how: How,
    pub(crate) cache: TestCache,
    pub(crate) background: Steps,
    pub(crate) source: Arc<Source>,
    /// How many loads there were when the one in question ran.
    pub(crate) loads: usize,
}

const ID: u64 = 7;

/// Runs a test for every pair.
pub(crate) fn each(mut test: impl FnMut(&mut Bench)) {
    for kind in KINDS {
        for how in HOWS {
            println!("{kind:?} × {how:?}");
            let (cache, background) =
                stepped(|cache| cache.max_entries(8).remembered_invalidations(4));
            let mut bench = Bench {
                kind: *kind,
                how,
                cache: cache.clone(),
                background,
                source: Source::open(0),
                loads: 0,
            };
            cache.run(|| test(&mut bench));
        }
    }
}

impl Bench {
    pub(crate) fn call(&self) -> Task<Result<u64, Failed>> {
        call(self.kind, &self.source, ID)
    }

    /// Starts the load in question, which has read the value 1. Gives its caller, if that waits.
    pub(crate) fn begin(&mut self) -> Option<Task<Result<u64, Failed>>> {
        let mut caller = match self.kind {
            Kind::Foreground => self.load(),
            Kind::Revalidation => self.after(61),
            Kind::RefreshAhead => self.after(31),
            Kind::SoftTimeout => self.after(61),
        };
        if self.kind == Kind::Foreground {
            caller.pending();
        } else if self.kind == Kind::SoftTimeout {
            caller.pending();
            self.cache.advance(secs(1));
        }
        let waits = self.kind == Kind::Foreground;
        if !waits {
            assert_eq!(caller.done(), Ok(0), "the value of before");
        }
        self.background.step();
        assert_eq!(self.source.begun(), self.loads, "the load runs");
        waits.then_some(caller)
    }

    /// A call that finds the value 0, so many seconds old.
    fn after(&mut self, seconds: u64) -> Task<Result<u64, Failed>> {
        assert_eq!(self.call().done(), Ok(0));
        self.cache.advance(secs(seconds));
        self.load()
    }

    fn load(&mut self) -> Task<Result<u64, Failed>> {
        self.source.set(1);
        self.source.close();
        self.loads = self.source.begun() + 1;
        self.call()
    }

    pub(crate) fn invalidate(&self) {
        invalidate(self.kind, self.how, ID);
    }

    /// The load in question ends.
    pub(crate) fn finish(&self, end: End) {
        self.source.end(self.loads, end);
        self.background.step();
    }

    /// What the caller in question is given, if it waits.
    pub(crate) fn waited<T>(&self, result: T) -> Option<T> {
        (self.kind == Kind::Foreground).then_some(result)
    }

    /// Reads, and lets the load end that this may need.
    pub(crate) fn read(&self) -> Result<u64, Failed> {
        self.source.end(self.source.begun() + 1, End::Well);
        let result = self.call().done();
        self.background.step();
        result
    }

    /// Fills the cache until the entry has been pushed out.
    pub(crate) fn evict(&self) {
        let source = Source::open(9);
        for id in 100..1_000 {
            assert_eq!(call(self.kind, &source, id).done(), Ok(9));
        }
        self.cache.sweep();
    }
}
