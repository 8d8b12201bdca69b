//! `invalidate!` in every form: what it hits, and what it leaves.

mod common;

use dewar::testing::isolated;
use dewar::{Cache, Label, cached, entry, invalidate};

#[cached(key_prefix = "user:{id}", tags("users", "org:{org}"))]
fn user(id: u64, org: u64) -> u64 {
    id + org
}

#[cached(key_prefix = "user:{id}:posts", tags("posts"))]
fn posts(id: u64) -> u64 {
    id
}

#[cached(key_prefix = "product_{name}")]
fn product(name: &str) -> usize {
    name.len()
}

#[cached(tags(|value: &Vec<u64>| value.iter().map(|id| format!("member:{id}")).collect::<Vec<_>>()))]
async fn team(id: u64) -> Vec<u64> {
    (0..id).collect()
}

#[cached]
fn unnamed(id: u64) -> u64 {
    id
}

mod elsewhere {
    #[dewar::cached]
    pub(crate) fn far(id: u64) -> u64 {
        id
    }
}

/// Fills the cache, does something, and says which of these are left.
fn left(act: impl FnOnce()) -> String {
    isolated(|_| {
        for id in [4, 42, 420] {
            user(id, id % 10);
            posts(id);
        }
        product("list");
        product("page:1");
        unnamed(1);
        elsewhere::far(1);
        act();
        let mut left = String::new();
        for id in [4, 42, 420] {
            left += if entry!(user(id, id % 10)).contains() {
                "u"
            } else {
                "-"
            };
            left += if entry!(posts(id)).contains() {
                "p"
            } else {
                "-"
            };
        }
        left += if entry!(product("list")).contains() {
            " l"
        } else {
            " -"
        };
        left += if entry!(product("page:1")).contains() {
            "g"
        } else {
            "-"
        };
        left += if entry!(unnamed(1)).contains() {
            "n"
        } else {
            "-"
        };
        left += if entry!(elsewhere::far(1)).contains() {
            "f"
        } else {
            "-"
        };
        left
    })
}

#[test]
fn each_form_hits_what_it_names() {
    let (id, org) = (42, 0);
    assert_eq!(left(|| ()), "upupup lgnf");
    assert_eq!(left(|| drop(invalidate!(user(42, 2)))), "up-pup lgnf");
    assert_eq!(left(|| drop(invalidate!(user))), "-p-p-p lgnf");
    assert_eq!(
        left(|| drop(invalidate!(prefix = "user:{id}"))),
        "up--up lgnf"
    );
    assert_eq!(
        left(|| drop(invalidate!(prefix = "user:42:"))),
        "up--up lgnf"
    );
    assert_eq!(left(|| drop(invalidate!(prefix = "user"))), "------ lgnf");
    assert_eq!(
        left(|| drop(invalidate!(prefix = "user:{id}:posts"))),
        "upu-up lgnf"
    );
    assert_eq!(left(|| drop(invalidate!(prefix = "use"))), "upupup lgnf");
    assert_eq!(left(|| drop(invalidate!(tag = "users"))), "-p-p-p lgnf");
    assert_eq!(left(|| drop(invalidate!(tag = "org:{org}"))), "upup-p lgnf");
    assert_eq!(
        left(|| drop(invalidate!(pattern = "product_*"))),
        "upupup --nf"
    );
    assert_eq!(
        left(|| drop(invalidate!(pattern = "user:4?:posts"))),
        "upu-up lgnf"
    );
    assert_eq!(left(|| drop(invalidate!(elsewhere::far))), "upupup lgn-");
    assert_eq!(
        left(|| drop(invalidate!(elsewhere::far(1), unnamed(1)))),
        "upupup lg--"
    );
    assert_eq!(left(|| drop(invalidate!(all))), "------ ----");
}

#[test]
fn several_forms_are_one_step() {
    let act = || {
        drop(invalidate!(
            unnamed,
            tag = "posts",
            prefix = "user:4",
            pattern = "product_l*"
        ))
    };
    assert_eq!(left(act), "--u-u- -g-f");
    isolated(|cache| {
        invalidate!(unnamed, tag = "posts", all).wait().unwrap();
        assert_eq!(cache.stats().invalidations, 1);
    });
}

#[test]
fn a_value_with_a_colon_is_one_level() {
    let name = "page:1";
    assert_eq!(
        left(|| drop(invalidate!(prefix = "product_page"))),
        "upupup lgnf"
    );
    assert_eq!(
        left(|| drop(invalidate!(prefix = "product_{name}"))),
        "upupup l-nf"
    );
}

#[test]
fn a_function_without_a_prefix_has_its_path() {
    let act = || drop(invalidate!(prefix = "invalidate::elsewhere"));
    assert_eq!(left(act), "upupup lgn-");
    assert_eq!(
        left(|| drop(invalidate!(pattern = "invalidate::*"))),
        "upupup lg--"
    );
}

#[test]
fn a_tag_known_only_from_the_value_works_like_any_other() {
    isolated(|cache| {
        futures::executor::block_on(async {
            for id in [2, 5, 9] {
                team(id).await;
            }
            let member = 4;
            invalidate!(tag = "member:{member}").await.unwrap();
            let mut there = Vec::new();
            for id in [2, 5, 9] {
                there.push(entry!(team(id)).contains().await);
            }
            assert_eq!(there, [true, false, false]);
        });
        assert_eq!(cache.stats().invalidations, 1);
    });
}

#[test]
fn it_takes_effect_before_the_macro_returns() {
    isolated(|_| {
        user(1, 1);
        let confirmation = invalidate!(user(1, 1));
        assert!(!entry!(user(1, 1)).contains());
        drop(confirmation);
    });
}

#[test]
fn a_read_after_it_is_a_miss_by_that_reason() {
    isolated(|cache| {
        user(1, 1);
        invalidate!(tag = "users").wait().unwrap();
        user(1, 1);
        user(1, 1);
        let stats = cache.stats();
        assert_eq!((stats.absent, stats.invalidated, stats.hits), (1, 1, 1));
    });
}

#[test]
fn nothing_to_invalidate_is_no_error() {
    isolated(|_| {
        invalidate!(user(7, 7), tag = "nobody", prefix = "no:where")
            .wait()
            .unwrap();
        assert_eq!(user(7, 7), 14);
    });
}

#[test]
fn a_hundred_tags_on_one_entry_each_invalidate_it() {
    #[cached(tags(|_value: &u64| (0..100).map(|n| format!("tag:{n}")).collect::<Vec<_>>()))]
    fn tagged(id: u64) -> u64 {
        id
    }
    isolated(|cache| {
        for n in 0..100 {
            tagged(1);
            invalidate!(tag = "tag:{n}").wait().unwrap();
        }
        assert_eq!((cache.stats().loads, cache.stats().hits), (100, 0));
    });
}

#[test]
fn a_lost_marker_is_a_miss_and_never_an_old_value() {
    let builder = Cache::builder().remembered_invalidations(2);
    let cache = dewar::testing::TestCache::with(builder).unwrap();
    cache.run(|| {
        user(1, 1);
        invalidate!(tag = "users").wait().unwrap();
        (0..10).for_each(|n| drop(invalidate!(tag = "other:{n}")));
        assert!(!entry!(user(1, 1)).contains());
        user(1, 1);
        assert!(
            entry!(user(1, 1)).contains(),
            "what comes later is as good as ever"
        );
    });
}

#[test]
fn the_builder_says_the_same() {
    let act = || {
        let label = Label::new().text("user:").value(42);
        let all = Cache::current()
            .invalidation()
            .prefix(label)
            .tag("posts")
            .run();
        all.wait().unwrap();
    };
    assert_eq!(left(act), "u---u- lgnf");
}

#[cached(timeout = 60, key_prefix = "mail:{name}:inbox")]
fn inbox(name: &str) -> usize {
    name.len()
}

#[test]
fn an_empty_value_invalidates_no_more_than_its_own_level() {
    isolated(|_| {
        inbox("");
        inbox("ann");
        let name = "";
        invalidate!(prefix = "mail:{name}").wait().unwrap();
        assert!(!entry!(inbox("")).contains());
        assert!(entry!(inbox("ann")).contains());
    });
}

#[test]
fn a_prefix_without_a_level_is_an_error_that_says_so() {
    isolated(|cache| {
        inbox("ann");
        for prefix in ["", ":", "::"] {
            let error = cache
                .invalidation()
                .prefix(prefix)
                .run()
                .wait()
                .unwrap_err();
            assert!(error.is_config());
            assert_eq!(
                error.to_string(),
                format!(
                    "`prefix` is `{prefix}`, which names no level: give one such as `user:42`, or invalidate `all`"
                )
            );
        }
        assert!(entry!(inbox("ann")).contains());
    });
}

/// Neither in a prefix nor in a tag does a value without text reach above its level.
#[test]
fn a_value_without_text_is_a_level_of_its_own() {
    #[cached(key_prefix = "member:{name}:posts", tags("of:{name}"))]
    fn member(name: &str) -> usize {
        name.len()
    }
    #[dewar::invalidates(prefix = "member:{name}")]
    fn rename(name: &str) {}
    let left = |act: &dyn Fn(&str)| {
        isolated(|_| {
            member("ada");
            member("");
            act("");
            (
                entry!(member("ada")).contains(),
                entry!(member("")).contains(),
            )
        })
    };
    let by_label = |name: &str| {
        let prefix = dewar::Label::new().text("member:").value(name);
        drop(Cache::current().invalidation().prefix(prefix).run());
    };
    assert_eq!(
        left(&|name| drop(invalidate!(prefix = "member:{name}"))),
        (true, false)
    );
    assert_eq!(
        left(&|name| drop(invalidate!(prefix = "member:{name}:posts"))),
        (true, false)
    );
    assert_eq!(
        left(&|name| drop(invalidate!(tag = "of:{name}"))),
        (true, false)
    );
    assert_eq!(
        left(&|name| drop(invalidate!(pattern = "member:{name}:*"))),
        (true, false)
    );
    assert_eq!(left(&rename), (true, false));
    assert_eq!(left(&by_label), (true, false));
    assert_eq!(
        left(&|_| drop(invalidate!(prefix = "member"))),
        (false, false)
    );
    assert_eq!(left(&|_| drop(invalidate!(tag = "of:"))), (true, true));
}

#[test]
fn a_value_and_an_invalidation_of_the_same_instant_are_told_apart_by_their_order() {
    type Invalidate = fn();
    let ways: [Invalidate; 6] = [
        || invalidate!(user(1, 1)).wait().unwrap(),
        || invalidate!(user).wait().unwrap(),
        || invalidate!(tag = "users").wait().unwrap(),
        || invalidate!(prefix = "user:1").wait().unwrap(),
        || invalidate!(pattern = "user:*").wait().unwrap(),
        || invalidate!(all).wait().unwrap(),
    ];
    for invalidate in ways {
        // The clock stands still.
        isolated(|_| {
            let there = || entry!(user(1, 1)).get();
            entry!(user(1, 1)).put(7).unwrap();
            invalidate();
            assert_eq!(there(), None, "put in before it");
            entry!(user(1, 1)).put(8).unwrap();
            assert_eq!(there(), Some(8), "put in after it");
            invalidate();
            assert_eq!(user(1, 1), 2);
            assert_eq!(there(), Some(2), "loaded after it");
            invalidate();
            assert_eq!(there(), None);
        });
    }
}
