//! Runs every model.

macro_rules! models {
    ($($of:ident: $($model:ident)*;)*) => {$(
        mod $of {
            $(
                #[test]
                fn $model() {
                    model_checks::models::$of::$model();
                }
            )*
        }
    )*};
}

models! {
    ticks:
        a_load_against_an_invalidation_of_its_scope
        a_load_against_an_invalidation_of_several_scopes
        a_load_against_an_invalidation_of_everything
        a_load_against_an_invalidation_by_pattern
        a_load_against_turns_of_the_table
        a_load_against_a_later_turn_of_the_table
        a_load_against_a_turn_within_an_order
        two_invalidators_of_different_scopes_against_a_load
        two_invalidators_of_one_scope_against_a_load
        a_reader_that_restamps_against_invalidations
        two_readers_that_restamp_against_invalidations
        a_reader_against_turns_of_the_table
        a_reader_against_a_later_turn_of_the_table
        a_reader_against_a_turn_within_an_order
        a_reader_against_an_invalidation_of_everything
        a_reader_against_an_invalidation_by_pattern
        a_soft_against_a_hard_invalidation
        a_soft_invalidation_against_readers
        a_soft_invalidation_of_everything_against_readers
        two_invalidators_that_turn_the_table_against_a_reader;
    flight:
        a_landing_against_two_joiners
        an_end_without_a_body_against_two_joiners
        an_end_without_a_body_against_one_who_waits_and_one_who_leaves
        two_ends_of_one_flight
        a_hand_over_to_one_who_waits
        a_hand_over_against_the_last_who_leaves
        a_hand_over_against_one_who_waits_and_one_who_leaves
        a_hand_over_against_one_who_waits_and_two_who_leave
        a_hand_over_to_two_who_wait
        a_hand_over_after_a_hand_over
        a_landing_against_one_who_moves
        a_hand_over_to_one_who_moves;
    parked:
        a_body_left_to_one_who_waits_for_each_flight
        a_body_left_while_one_leaves
        a_body_left_while_the_last_leaves
        a_body_that_is_left_twice;
    fill:
        a_client_and_one_who_waits
        a_client_and_one_who_waits_for_too_long_a_body
        a_client_and_one_who_waits_for_a_body_that_is_cut
        a_body_that_comes_to_a_client_and_one_who_waits
        a_body_that_comes_when_its_client_is_gone;
    memory:
        two_writers_against_evictions
        a_writer_and_a_remover_against_evictions
        two_writers_and_a_remover;
}
