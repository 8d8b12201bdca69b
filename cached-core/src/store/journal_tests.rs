use std::collections::BTreeMap;

use super::{Concern, EVERYTHING, Journal, KEPT, MOST, Pending};

fn names(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("tag {n:06}")).collect()
}

fn deliver(journal: &mut Journal, sent: &BTreeMap<String, Pending>, versions: Vec<u64>) {
    journal.stored(sent, &versions);
    journal.told(sent);
}

fn deliver_all(journal: &mut Journal, versions: Vec<u64>) {
    let sent = journal.waiting();
    deliver(journal, &sent, versions);
}

#[test]
fn the_last_announcement_of_a_scope_wins() {
    let mut journal = Journal::default();
    journal.announce(&names(0..1), false);
    let sent = journal.waiting();
    journal.announce(&names(0..1), false);
    deliver(&mut journal, &sent, vec![1]);
    assert_eq!(journal.len(), 1, "it was announced again meanwhile");
    deliver_all(&mut journal, vec![2]);
    assert_eq!(journal.len(), 0);
}

#[test]
fn a_hard_invalidation_is_not_softened_by_a_later_one() {
    let mut journal = Journal::default();
    journal.announce(&names(0..1), false);
    journal.announce(&names(0..1), true);
    assert!(journal.waiting().values().all(|pending| !pending.soft));
}

#[test]
fn nor_by_one_that_comes_when_the_store_has_it_and_the_others_were_not_told() {
    let mut journal = Journal::default();
    journal.announce(&names(0..1), false);
    journal.stored(&journal.waiting(), &[1]);
    journal.announce(&names(0..1), true);
    let pending: Vec<_> = journal.waiting().into_values().collect();
    assert!(!pending[0].soft && !pending[0].stored);
}

#[test]
fn what_has_changed_is_told_as_invalid_whatever_was_announced_before() {
    let mut journal = Journal::default();
    journal.announce(&names(0..1), true);
    journal.announce_stored(&names(0..1)[0]);
    let pending: Vec<_> = journal.waiting().into_values().collect();
    assert!(
        !pending[0].soft && !pending[0].stored,
        "and is to be written"
    );
    journal.announce_stored(&names(1..2)[0]);
    assert!(journal.waiting()[&names(1..2)[0]].stored);
}

#[test]
fn what_was_not_tried_yet_may_be_more_than_are_kept() {
    let mut journal = Journal::default();
    journal.announce(&names(0..KEPT), false);
    journal.announce(&names(KEPT..5000), true);
    assert_eq!(journal.len(), 5000);
    deliver_all(&mut journal, vec![1; 5000]);
    assert_eq!((journal.len(), journal.delivered().len()), (0, KEPT));
}

#[test]
fn nor_may_that_be_without_bound() {
    let mut journal = Journal::default();
    for at in 0..100 {
        journal.announce(&names(at * 1000..(at + 1) * 1000), true);
        assert!(journal.len() <= MOST);
    }
    assert_eq!(journal.concerns([EVERYTHING]), Concern::Waits);
    assert!(journal.waiting().values().all(|pending| !pending.soft));
}

#[test]
fn more_than_are_kept_that_were_tried_in_vain_become_everything() {
    let mut journal = Journal::default();
    journal.announce(&names(0..KEPT), false);
    journal.failed(&names(0..KEPT));
    assert_eq!(journal.len(), KEPT);
    journal.announce(&names(KEPT..KEPT + 1), true);
    assert_eq!(journal.len(), KEPT + 1);
    journal.failed(&names(KEPT..KEPT + 1));
    let pending: Vec<_> = journal.waiting().into_iter().collect();
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].0, EVERYTHING);
    assert!(!pending[0].1.soft);
    assert_eq!(journal.concerns([EVERYTHING]), Concern::Waits);
}

#[test]
fn what_the_store_has_an_older_version_of_is_delivered_once_more() {
    let mut journal = Journal::default();
    journal.announce(&names(0..3), false);
    deliver_all(&mut journal, vec![1, 2, 3]);
    let delivered = journal.delivered();
    journal.compare(&delivered, &[Some(1), Some(9), None], false);
    let again: Vec<_> = journal.waiting().into_keys().collect();
    assert_eq!(
        again,
        names(1..2),
        "what is not there at all is invalid anyway"
    );
}

#[test]
fn what_was_lost_beyond_memory_is_everything() {
    let mut journal = Journal::default();
    for n in 0..KEPT + 1 {
        journal.announce(&names(n..n + 1), false);
        deliver_all(&mut journal, vec![n as u64]);
    }
    let delivered = journal.delivered();
    assert_eq!(delivered.len(), KEPT);
    let mut found: Vec<_> = delivered.iter().map(|known| Some(known.version)).collect();
    found[KEPT - 1] = Some(0);
    journal.compare(&delivered, &found, false);
    assert_eq!(
        journal.concerns([EVERYTHING]),
        Concern::None,
        "the oldest is there"
    );
    found[0] = Some(0);
    journal.compare(&delivered, &found, false);
    assert_eq!(journal.concerns([EVERYTHING]), Concern::Waits);
}

#[test]
fn whatever_differs_where_nothing_beyond_memory_can_be_lost_that_is_all() {
    let mut journal = Journal::default();
    for n in 0..KEPT + 1 {
        journal.announce(&names(n..n + 1), false);
        deliver_all(&mut journal, vec![n as u64]);
    }
    let delivered = journal.delivered();
    let lost = journal.compare(&delivered, &vec![Some(0); KEPT], true);
    assert_eq!(lost.len(), KEPT);
    assert_eq!(journal.concerns([EVERYTHING]), Concern::None);
}

#[test]
fn a_mark_is_always_newer_than_what_is_forgotten() {
    let mut journal = Journal::default();
    let mut since = 0;
    for n in 0..5 * KEPT {
        let due = journal.next_mark(1);
        journal.announce(&names(n..n + 1), false);
        deliver_all(&mut journal, vec![n as u64]);
        since += 1;
        if let Some(mark) = due {
            journal.marked(mark);
            since = 0;
        }
        assert!(since < KEPT && !(journal.forgotten && journal.mark().is_none()));
    }
    let last = journal.mark();
    journal.marked(1);
    assert_eq!(journal.mark(), last, "one that was long on its way");
}

#[test]
fn what_the_store_has_is_not_written_again_if_only_the_others_were_not_told() {
    let mut journal = Journal::default();
    journal.announce(&names(0..1), false);
    let sent = journal.waiting();
    journal.stored(&sent, &[1]);
    assert!(journal.waiting().values().all(|pending| pending.stored));
    assert_eq!(
        journal.concerns(["tag 000000"]),
        Concern::None,
        "what is written is new"
    );
    journal.told(&sent);
    assert_eq!(journal.len(), 0);
}

#[test]
fn what_comes_while_everything_is_only_to_be_told_is_written_all_the_same() {
    let mut journal = Journal::default();
    journal.announce(&[EVERYTHING.into()], false);
    journal.stored(&journal.waiting(), &[1]);
    assert_eq!(journal.concerns([EVERYTHING]), Concern::None);
    journal.announce(&names(0..1), false);
    assert_eq!(
        journal.concerns([EVERYTHING]),
        Concern::Waits,
        "what was loaded since"
    );
}

#[test]
fn a_version_that_a_refresh_has_written_is_no_sign_of_loss() {
    let mut journal = Journal::default();
    journal.announce(&names(0..1), false);
    deliver_all(&mut journal, vec![1]);
    journal.renewed(&names(0..1)[0], 7, 9);
    journal.renewed(&names(0..1)[0], 1, 2);
    let delivered = journal.delivered();
    assert!(journal.compare(&delivered, &[Some(2)], false).is_empty());
    assert_eq!(journal.compare(&delivered, &[Some(1)], false), names(0..1));
}

#[test]
fn what_others_have_invalidated_too_is_no_sign_that_more_is_lost() {
    let mut journal = Journal::default();
    for n in 0..KEPT + 1 {
        journal.announce(&names(n..n + 1), false);
        deliver_all(&mut journal, vec![n as u64]);
    }
    let oldest = journal.delivered()[0].scope.clone();
    journal.heard(std::slice::from_ref(&oldest));
    let delivered = journal.delivered();
    let mut found: Vec<_> = delivered.iter().map(|known| Some(known.version)).collect();
    found[0] = Some(0);
    journal.compare(&delivered, &found, false);
    let again: Vec<_> = journal.waiting().into_keys().collect();
    assert_eq!(again, [oldest], "to be on the safe side, and no more");
}

#[test]
fn after_everything_nothing_from_before_is_remembered() {
    let mut journal = Journal::default();
    for n in 0..KEPT + 1 {
        journal.announce(&names(n..n + 1), false);
        deliver_all(&mut journal, vec![n as u64]);
    }
    journal.announce(&[EVERYTHING.into()], false);
    deliver_all(&mut journal, vec![7]);
    journal.announce(&names(0..1), false);
    deliver_all(&mut journal, vec![8]);
    let delivered = journal.delivered();
    journal.compare(&delivered, &[Some(7), Some(9)], false);
    let again: Vec<_> = journal.waiting().into_keys().collect();
    assert_eq!(again, names(0..1));
}

#[test]
fn what_is_found_to_be_lost_does_not_wait_for_whoever_has_delivered_it() {
    let mut journal = Journal::default();
    let scopes = names(0..1);
    journal.hold(&scopes);
    journal.announce(&scopes, false);
    journal.begin(&scopes);
    let sent = journal.pending_of(&scopes);
    deliver(&mut journal, &sent, vec![1]);
    let delivered = journal.delivered();
    assert_eq!(journal.compare(&delivered, &[Some(9)], false), scopes);
    assert_eq!(journal.concerns(&scopes), Concern::Waits);
    assert_eq!(journal.waiting().len(), 1);
}

#[test]
fn what_is_announced_waits_for_nobody_who_has_not_begun_to_deliver_it() {
    let mut journal = Journal::default();
    let scopes = names(0..1);
    journal.hold(&scopes);
    journal.announce(&scopes, false);
    assert_eq!(journal.concerns(&scopes), Concern::Waits);
    journal.begin(&scopes);
    assert_eq!(journal.concerns(&scopes), Concern::Held);
    assert!(!journal.has_waiting());
    let _asleep = journal.end(&scopes);
    assert_eq!(journal.concerns(&scopes), Concern::Waits, "it failed");
    assert!(!journal.release(&scopes), "nobody else has held it");
}

#[test]
fn an_invalidation_is_written_also_where_everything_came_in_between() {
    let mut journal = Journal::default();
    journal.announce(&names(0..1), false);
    journal.stored(&journal.waiting(), &[1]);
    journal.announce(&[EVERYTHING.into()], false);
    journal.announce(&names(0..1), false);
    let pending = journal.pending_of(&names(0..1));
    assert!(pending.values().any(|pending| !pending.stored));
}

#[test]
fn what_is_being_written_is_no_loss() {
    let mut journal = Journal::default();
    journal.announce(&names(0..2), false);
    deliver_all(&mut journal, vec![1, 2]);
    let delivered = journal.delivered();
    journal.announce(&names(0..1), false);
    assert_eq!(
        journal.compare(&delivered, &[Some(8), Some(9)], false),
        names(1..2),
        "the first is on its way"
    );
    deliver_all(&mut journal, vec![3, 4]);
    let found = [Some(3), Some(2)];
    assert!(
        journal.compare(&delivered, &found, false).is_empty(),
        "or has arrived"
    );
}

#[test]
fn who_delivers_for_others_is_seen_to() {
    let mut journal = Journal::default();
    journal.announce(&names(0..2), false);
    let taken = journal.take_waiting(Some(&names(0..1)));
    assert_eq!(taken.into_keys().collect::<Vec<_>>(), names(0..1));
    assert_eq!(journal.concerns(names(0..1)), Concern::Held);
    assert_eq!(journal.concerns(names(1..2)), Concern::Waits);
    assert_eq!(journal.take_waiting(None).len(), 1);
    journal.hold(&names(0..1));
    assert!(
        journal.release(&names(0..1)),
        "so that both forget their copies"
    );
}
