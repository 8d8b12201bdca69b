//! What users compile: every kind of annotation beside its expansion, in the files of the folder
//! `snapshots`, formatted. To write them anew: `SNAPSHOTS=overwrite cargo test -p cached-macros`;
//! then read them.

use std::path::Path;

use proc_macro2::TokenStream;
use quote::quote;

use crate::pipeline;

/// The attributes and the item as a user writes them; a context that the source would show is
/// given as an option, `in_impl` or `in_trait`.
const FUNCTIONS: &[(&str, &str)] = &[
    ("plain", "#[cached] fn f(id: u64) -> u64 { id }"),
    (
        "async_result",
        "#[cached(timeout = 60)] async fn f(id: u64, name: String) -> Result<String, E> {}",
    ),
    (
        "method",
        r#"#[cached(in_impl, timeout = "1m 30s", key_prefix = "user:{id}", skip(self), tags("users", "org:{org}"))]
        pub async fn user(&self, id: u64, org: &str) -> Option<User> { self.fetch(id, org).await }"#,
    ),
    (
        "trait_method",
        r#"#[cached(in_trait, timeout = never, key_prefix = "{self.tenant}:{id}")]
        async fn user(&self, id: u64) -> Option<User> { self.fetch(id).await }"#,
    ),
    (
        "trait_method_sync",
        "#[cached(in_trait)] fn pair(&self, (a, b): (u8, u8)) -> u8 { a + b }",
    ),
    (
        "generic",
        "#[cached] pub fn f<'a, T: Hash + Eq, const N: usize>(text: &'a str, value: T) -> String where T: Clone { text.into() }",
    ),
    (
        "opaque_argument",
        "#[cached(skip(by))] fn f(id: u64, by: impl Fn(u64) -> u64) -> u64 { by(id) }",
    ),
    (
        "skipped_argument",
        "#[cached(skip(db))] fn f(db: &Db, id: u64) -> u64 { db.get(id) }",
    ),
    (
        "borrowed",
        "#[cached(key = (view.id, name))] async fn f(view: View<'_>, name: &str) -> u64 { view.id }",
    ),
    (
        "borrowed_inside",
        "#[cached] fn f(users: &[&User], pair: (u64, Option<View<'_>>), by: HashMap<Id, Vec<u8>>, all: &[User]) -> u64 { 1 }",
    ),
    (
        "batch",
        r#"#[cached(timeout = 60, key_prefix = "product", batch = ids, skip(db))]
        async fn products(db: &Pool, ids: &[u64]) -> Result<HashMap<u64, Product>, DbError> { db.fetch_all(ids).await }"#,
    ),
    (
        "batch_sync",
        "#[cached(batch = ids)] fn names(ids: Vec<u64>) -> HashMap<u64, String> { fetch(ids) }",
    ),
    (
        "closures",
        r#"#[cached(
            timeout = |v: &User| v.max_age(), stale_if = |v| v.id != id, cache_if = |v| v.is_whole(),
            tags("users", |v| v.groups.clone()), unless = id == 0, refresh_if = force, key = id,
            stale_if_error("1h", retry = "5s", only = |e| e.is_timeout()), version = 2
        )]
        async fn user(id: u64, force: bool) -> Result<User, DbError> { fetch(id).await }"#,
    ),
    (
        "all_times",
        r#"#[cached(
            timeout = ttl(), idle_timeout = "5m", stale_while_revalidate = "1m", refresh_ahead = 0.8,
            soft_timeout = "200ms", hard_timeout = "2s", jitter = "10%", cache_none, cache_err = "5s",
            cache = SESSIONS, local, companion = user_entries
        )]
        fn user(id: u64) -> Result<Option<User>, DbError> { fetch(id) }"#,
    ),
    (
        "attributes",
        "/// Doubles.\n#[cached(single_flight = false, detach = false, cache = \"numbers\")] #[cfg(unix)] #[must_use] #[expect(unused)] pub(crate) async fn double(mut id: u64) -> u64 { id * 2 }",
    ),
    (
        "view",
        r#"#[cached(view, timeout = 60)] async fn product(Path(id): Path<u64>, State(db): State<Db>) -> Html<String> { page(db, id).await }"#,
    ),
    (
        "view_all",
        r#"#[cached(
            view, timeout = ttl(), key_prefix = "product:{id}", tags("products"), version = 2, skip(flags),
            unless = id == 0, refresh_if = query.refresh, stale_while_revalidate = "1m",
            stale_if_error("1h", retry = "5s"), single_flight = false, cache = PAGES, methods("GET"), statuses(200, 404),
            query(sorted, only("page", "q"), ignore("utm_*")), vary("Accept-Language"), cookies = ignored,
            authorization = keyed, host = false, body_limit = "64 KiB", cache_control = "public, max-age=60",
            etag = false, last_modified = false
        )]
        pub async fn product(user: CurrentUser, Path(id): Path<u64>, Query(mut query): Query<Params>, flags: Flags) -> Result<Html<String>, AppError> { page(id).await }"#,
    ),
    (
        "view_without_arguments",
        "#[cached(view)] async fn home() -> &'static str { \"home\" }",
    ),
    (
        "view_debugged",
        "#[cached(view)] #[axum::debug_handler] async fn home(State(app): State<App>) -> String { app.name }",
    ),
    (
        "view_method",
        "#[cached(view, in_impl, key = user.id)] async fn account<S: Store>(user: CurrentUser, State(store): State<S>) -> String { store.name(user.id).await }",
    ),
    (
        "invalidates",
        r#"#[invalidates(user(id), tag = "users", prefix = "user:{id}:posts")]
        fn rename(db: &Pool, id: u64, name: &str) -> Result<(), DbError> { db.rename(id, name) }"#,
    ),
    (
        "invalidates_async",
        "#[invalidates(before, always, self.user(id))] async fn rename(&self, id: u64) { self.db.rename(id).await }",
    ),
];

const EXPRESSIONS: &[(&str, &str)] = &[
    ("invalidate_call", "invalidate!(user(42))"),
    ("invalidate_function", "invalidate!(users::user)"),
    ("invalidate_generic", "invalidate!(show::<u8>(1))"),
    ("invalidate_method", "invalidate!(repo.user(42))"),
    (
        "invalidate_associated",
        "invalidate!(Repo::user(&repo, 42), Repo::user)",
    ),
    (
        "invalidate_left_out",
        "invalidate!(user(_, 42), repo.user(_, 42))",
    ),
    ("invalidate_prefix", "invalidate!(prefix = \"user:{id}\")"),
    (
        "invalidate_tag",
        "invalidate!(soft, tag = \"org:{user.org}\")",
    ),
    (
        "invalidate_pattern",
        "invalidate!(cache = SESSIONS, pattern = \"product_*\")",
    ),
    (
        "invalidate_url",
        "invalidate!(url = \"/products/{id}?page={page.number}\", path = \"/products\")",
    ),
    ("invalidate_all", "invalidate!(cache = \"sessions\", all)"),
    (
        "invalidate_several",
        "invalidate!(user(id), tag = \"users\", prefix = \"user:{id}\")",
    ),
    ("entry", "entry!(user(42))"),
    ("entry_method", "entry!(repo.user::<u8>(42, \"a\"))"),
];

/// What an annotated function becomes.
fn function(written: &str) -> TokenStream {
    let item: syn::ItemFn = syn::parse_str(written).unwrap();
    let ours = |attr: &&syn::Attribute| {
        ["cached", "invalidates"]
            .iter()
            .any(|it| attr.path().is_ident(it))
    };
    let attribute = item.attrs.iter().find(ours).unwrap().clone();
    let mut item = item;
    item.attrs.retain(|attr| !ours(&attr));
    let args = match &attribute.meta {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    match attribute.path().is_ident("cached") {
        true => pipeline::cached(args, quote!(#item)),
        false => pipeline::invalidates(args, quote!(#item)),
    }
}

/// What a macro call becomes, in a function.
fn expression(written: &str) -> TokenStream {
    let call: syn::Macro = syn::parse_str(written).unwrap();
    let expanded = match call.path.is_ident("entry") {
        true => pipeline::entry(call.tokens),
        false => pipeline::invalidate(call.tokens),
    };
    quote!(fn main() { let _ = #expanded; })
}

fn formatted(tokens: TokenStream) -> String {
    let text = tokens.to_string();
    assert!(!text.contains("compile_error"), "{text}");
    prettyplease::unparse(&syn::parse2(tokens).unwrap_or_else(|error| panic!("{error}: {text}")))
}

#[test]
fn expansions_are_those_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/expand/snapshots");
    let overwrite = std::env::var_os("SNAPSHOTS").is_some_and(|it| it == "overwrite");
    let functions = FUNCTIONS
        .iter()
        .map(|(name, text)| (name, text, function(text)));
    let calls = EXPRESSIONS
        .iter()
        .map(|(name, text)| (name, text, expression(text)));
    let mut different = Vec::new();
    for (name, written, expanded) in functions.chain(calls) {
        let path = folder.join(format!("{name}.rs"));
        let written = written.lines().map(|line| format!("// {}\n", line.trim()));
        let actual = format!("{}\n{}", written.collect::<String>(), formatted(expanded));
        if overwrite {
            std::fs::write(&path, actual).unwrap();
        } else if std::fs::read_to_string(&path).unwrap_or_default() != actual {
            different.push(format!("{name}.rs would be\n{actual}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn one_function_makes_one_call_into_the_cache() {
    for (name, written) in FUNCTIONS.iter().filter(|(_, it)| it.contains("cached")) {
        let expanded = formatted(function(written));
        // A function with skipped arguments has a second way to the same place, for `f(_, 42)`.
        let ways = 1 + expanded.matches("needs_skip(").count();
        let looks = expanded.matches("__private::at(").count()
            + expanded.matches("__private::at_unless_stale(").count()
            + expanded.matches("__private::view(").count();
        assert_eq!(looks, ways, "{name}:\n{expanded}");
    }
}

#[test]
fn a_function_and_all_that_goes_with_it_is_short() {
    let (_, written) = FUNCTIONS
        .iter()
        .find(|(name, _)| *name == "async_result")
        .unwrap();
    let length = formatted(function(written)).len();
    assert!(length < 1_350, "{length} characters");
}

#[test]
fn a_view_and_all_that_goes_with_it_is_short() {
    let (_, written) = FUNCTIONS.iter().find(|(name, _)| *name == "view").unwrap();
    let length = formatted(function(written)).len();
    assert!(length < 1_550, "{length} characters");
}
