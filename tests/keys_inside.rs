//! What is inside an argument counts by `Eq` too, whatever borrows it and whatever order it is in.

mod common;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use dewar::testing::isolated;
use dewar::{cached, entry, invalidate};

/// Its `Hash` leaves out what its `Eq` compares, as the trait allows.
#[derive(Clone, PartialEq, Eq, Debug)]
struct User {
    id: u64,
    name: &'static str,
}

impl Hash for User {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

const ADA: User = User { id: 1, name: "Ada" };
const BOB: User = User { id: 1, name: "Bob" };

/// Both are told apart, and found again.
fn apart<R: PartialEq + std::fmt::Debug>(call: impl Fn(&User) -> R) {
    isolated(|cache| {
        for _ in 0..2 {
            assert_ne!(call(&ADA), call(&BOB));
        }
        assert_eq!((cache.stats().loads, cache.stats().hits), (2, 2));
    });
}

#[test]
fn whole() {
    #[cached]
    fn lent(user: &User) -> &'static str {
        user.name
    }
    #[cached]
    fn given(user: User) -> &'static str {
        user.name
    }
    #[cached]
    fn shared(user: Arc<User>) -> &'static str {
        user.name
    }
    #[cached]
    fn counted(user: Rc<User>) -> &'static str {
        user.name
    }
    #[cached]
    fn list_of_counted(users: Vec<Rc<User>>) -> &'static str {
        users[0].name
    }
    #[cached]
    fn twice_lent(user: &&User) -> &'static str {
        user.name
    }
    #[cached(key = user)]
    fn chosen(user: &&User) -> &'static str {
        user.name
    }
    apart(lent);
    apart(|user| given(user.clone()));
    apart(|user| shared(Arc::new(user.clone())));
    apart(|user| counted(Rc::new(user.clone())));
    apart(|user| list_of_counted(vec![Rc::new(user.clone())]));
    apart(|user| twice_lent(&user));
    apart(|user| chosen(&user));
}

#[test]
fn in_lists() {
    #[cached]
    fn of_lent(users: &[&User]) -> &'static str {
        users[0].name
    }
    #[cached]
    fn array(users: [&User; 1]) -> &'static str {
        users[0].name
    }
    #[cached]
    #[expect(clippy::ptr_arg, reason = "one of the forms")]
    fn vector(users: &Vec<&User>) -> &'static str {
        users[0].name
    }
    #[cached]
    fn shared(users: Arc<[&User]>, more: VecDeque<Option<&User>>) -> &'static str {
        assert!(more.is_empty());
        users[0].name
    }
    apart(|user| of_lent(&[user]));
    apart(|user| array([user]));
    apart(|user| vector(&vec![user]));
    apart(|user| shared(vec![user].into(), VecDeque::new()));
}

#[test]
fn in_options_pairs_and_cows() {
    #[cached]
    fn option(user: Option<&User>) -> &'static str {
        user.map_or("", |user| user.name)
    }
    #[cached]
    fn list(users: Option<&[User]>) -> &'static str {
        users.map_or("", |users| users[0].name)
    }
    #[cached]
    async fn pair(pair: (u64, &User), more: Option<(&str, [&User; 1])>) -> &'static str {
        assert!(more.is_none());
        pair.1.name
    }
    #[cached]
    fn cow(user: Cow<'_, User>) -> &'static str {
        user.name
    }
    #[cached]
    fn cow_list(users: Option<Cow<'_, [User]>>) -> &'static str {
        users.map_or("", |users| users[0].name)
    }
    apart(|user| option(Some(user)));
    apart(|user| list(Some(std::slice::from_ref(user))));
    apart(|user| futures::executor::block_on(pair((1, user), None)));
    apart(|user| cow(Cow::Borrowed(user)));
    apart(|user| cow_list(Some(Cow::Borrowed(std::slice::from_ref(user)))));
    isolated(|cache| {
        assert_eq!(cow(Cow::Borrowed(&ADA)), cow(Cow::Owned(ADA)));
        assert_eq!((list(None), list(Some(&[ADA]))), ("", "Ada"));
        assert_eq!((cache.stats().loads, cache.stats().hits), (3, 1));
    });
}

#[test]
fn in_sets_and_maps() {
    #[cached]
    fn set(users: HashSet<User>) -> Option<&'static str> {
        users.iter().next().map(|user| user.name)
    }
    #[cached]
    fn keys(users: &HashMap<User, f64>) -> Option<&'static str> {
        users.keys().next().map(|user| user.name)
    }
    #[cached]
    fn values(users: BTreeMap<&str, &User>) -> Option<&'static str> {
        users.values().next().map(|user| user.name)
    }
    type Group = HashSet<User>;
    #[cached]
    fn alias(users: &Group) -> Option<&'static str> {
        users.iter().next().map(|user| user.name)
    }
    apart(|user| set(HashSet::from([user.clone()])));
    apart(|user| keys(&HashMap::from([(user.clone(), 0.5)])));
    apart(|user| values(BTreeMap::from([("", user)])));
    apart(|user| alias(&HashSet::from([user.clone()])));
}

#[test]
fn methods_and_methods_of_traits() {
    struct Team;
    impl Team {
        #[cached(skip(self))]
        fn first(&self, users: &[&User]) -> &'static str {
            users[0].name
        }
    }
    trait Last {
        fn last(&self, users: (&[&User], u8)) -> &'static str;
    }
    impl Last for Team {
        #[cached(skip(self))]
        fn last(&self, users: (&[&User], u8)) -> &'static str {
            users.0[0].name
        }
    }
    apart(|user| Team.first(&[user]));
    apart(|user| Team.last((&[user], 1)));
}

/// The order in which a set gives its elements is another in every instance.
fn found_again(call: impl Fn(HashSet<u32>)) {
    isolated(|cache| {
        for _ in 0..20 {
            call((0..20).collect());
        }
        call((1..21).collect());
        assert_eq!((cache.stats().loads, cache.stats().hits), (2, 19));
    });
}

#[test]
fn a_set_is_found_again_wherever_it_is() {
    #[cached]
    fn option(set: Option<&HashSet<u32>>) -> usize {
        set.map_or(0, HashSet::len)
    }
    #[cached]
    fn list(sets: &[HashSet<u32>]) -> usize {
        sets.len()
    }
    #[cached]
    fn users(sets: (u8, Option<HashSet<User>>)) -> usize {
        sets.1.map_or(0, |set| set.len())
    }
    #[cached]
    fn map(sets: &[&HashMap<User, HashSet<u32>>]) -> usize {
        sets.len()
    }
    let user = |id| User { id, name: "" };
    found_again(|set| assert_eq!(option(Some(&set)), 20));
    found_again(|set| assert_eq!(list(&[HashSet::new(), set]), 2));
    found_again(|set| {
        assert_eq!(
            users((1, Some(set.into_iter().map(|n| user(n.into())).collect()))),
            20
        )
    });
    found_again(|set| {
        assert_eq!(
            map(&[&HashMap::from([(ADA, set), (user(2), HashSet::new())])]),
            1
        )
    });
}

#[test]
fn what_is_inside_is_reached_by_hand_too() {
    #[cached]
    fn first(users: &[&User], all: HashSet<User>) -> &'static str {
        assert!(all.is_empty());
        users[0].name
    }
    isolated(|_| {
        first(&[&ADA], HashSet::new());
        assert!(entry!(first(&[&ADA], HashSet::new())).contains());
        assert!(!entry!(first(&[&BOB], HashSet::new())).contains());
        drop(invalidate!(first(&[&ADA], HashSet::new())));
        assert!(!entry!(first(&[&ADA], HashSet::new())).contains());
    });
}

/// A name of the standard library's may be another's.
#[test]
fn a_container_of_another_crate_goes_by_itself() {
    mod other {
        #[derive(serde::Serialize)]
        pub(super) struct Vec<T>(pub(super) [T; 2]);
        #[derive(serde::Serialize)]
        pub(super) struct HashMap<K, V>(pub(super) K, pub(super) V);
    }
    #[cached]
    fn sum(list: other::Vec<&u64>, map: &other::HashMap<&str, u64>) -> u64 {
        list.0[0] + list.0[1] + map.1
    }
    isolated(|cache| {
        for n in [1, 2, 1] {
            assert_eq!(sum(other::Vec([&n, &1]), &other::HashMap("", 1)), n + 2);
        }
        assert_eq!((cache.stats().loads, cache.stats().hits), (2, 1));
    });
}

#[test]
fn only_a_hash_is_enough() {
    #[derive(Hash)]
    struct View<'a>(&'a str);
    #[cached]
    fn length(view: View<'_>, list: &[View<'_>]) -> usize {
        view.0.len() + list.len()
    }
    isolated(|cache| {
        for text in ["a", "ab", "a"] {
            assert_eq!(length(View(text), &[View("")]), text.len() + 1);
        }
        assert_eq!(cache.stats().loads, 2);
    });
}

#[test]
fn what_cannot_be_cloned_goes_by_its_serialised_form() {
    #[derive(PartialEq, Eq, Hash, serde::Serialize)]
    struct Single(u64);
    #[cached]
    fn single(one: &Single, more: &[(u8, &Single)]) -> u64 {
        one.0 + more[0].1.0
    }
    isolated(|cache| {
        for n in [1, 2, 1] {
            assert_eq!(single(&Single(n), &[(0, &Single(1))]), n + 1);
        }
        assert_eq!((cache.stats().loads, cache.stats().hits), (2, 1));
    });
}
