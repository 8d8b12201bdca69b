// #[invalidates(before, always, self.user(id))] async fn rename(&self, id: u64) { self.db.rename(id).await }

async fn rename(&self, id: u64) {
    let later = ::dewar::__private::Pending::new(
        ::dewar::__private::Invalidation::new()
            .call((self).__cached_entry_user(id, ::dewar::__private::KEY).place()),
    );
    later.ahead();
    let result = (async move || -> () { self.db.rename(id).await })().await;
    let _ = later.finish(true).await;
    result
}
