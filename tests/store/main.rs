//! One suite for the store, run by the same functions on SQLite and on PostgreSQL; what a simulation
//! needs of it also on its memory.
//!
//! PostgreSQL is asked for with `FIRSTTOUCH_TEST_POSTGRES=postgres://…` (a role that may create
//! databases); `scripts/test` starts one. Every test has a database of its own.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use firsttouch::adapters::simulated::memory::MemoryStore;
use firsttouch::adapters::store::SqlStore;
use firsttouch::ports::Store;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, AssertSqlSafe};

mod days;
mod enrollments;
mod guards;
mod holds;
mod imports;
mod journal;
mod limits;
mod opening;
mod people;
mod races;
mod samples;
mod starts;
mod together;
mod touches;

/// An empty database, or the memory of a simulation.
#[derive(Clone, Default)]
pub struct Database {
    pub url: String,
    memory: Option<Arc<MemoryStore>>,
}

impl Database {
    /// The store on this database; each call is another process, as far as the database can tell.
    pub async fn open(&self) -> Arc<dyn Store> {
        match &self.memory {
            Some(memory) => memory.clone(),
            None => Arc::new(self.open_sql().await),
        }
    }

    /// The same where the test is about databases.
    pub async fn open_sql(&self) -> SqlStore {
        SqlStore::open(&self.url).await.expect("the database opens")
    }

    /// A connection behind the store's back.
    pub async fn raw(&self) -> AnyPool {
        raw(&self.url).await
    }
}

async fn raw(url: &str) -> AnyPool {
    sqlx::any::install_default_drivers();
    AnyPoolOptions::new().max_connections(1).connect(url).await.expect("the database answers")
}

async fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Database) -> F) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    test(Database { url, memory: None }).await;
}

async fn in_memory<F: Future<Output = ()>>(test: impl FnOnce(Database) -> F) {
    test(Database { url: String::new(), memory: Some(Arc::default()) }).await;
}

/// Names of databases: unique by process and counter, so that tests may run side by side.
static COUNTER: AtomicU32 = AtomicU32::new(0);

async fn on_postgres<F>(test: impl FnOnce(Database) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let Ok(server) = std::env::var("FIRSTTOUCH_TEST_POSTGRES") else {
        println!("skipped: FIRSTTOUCH_TEST_POSTGRES is not set");
        return;
    };
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = format!("firsttouch_test_{}_{number}", std::process::id());
    let admin = raw(&server).await;
    // A run that was killed may have left one of that name.
    for sql in [format!("drop database if exists {name}"), format!("create database {name}")] {
        sqlx::query(AssertSqlSafe(sql)).execute(&admin).await.expect("a database is made");
    }
    let (base, _) = server.rsplit_once('/').expect("an address with a database");
    let done = tokio::spawn(test(Database { url: format!("{base}/{name}"), memory: None })).await;
    let gone = format!("drop database {name} with (force)");
    sqlx::query(AssertSqlSafe(gone)).execute(&admin).await.expect("the database is dropped");
    if let Err(failure) = done {
        std::panic::resume_unwind(failure.into_panic());
    }
}

/// Makes a test of each function on each database.
macro_rules! on_both {
    ($($module:ident: $($name:ident),+ $(,)?;)+) => {
        mod sqlite {
            $(mod $module {
                $(#[tokio::test]
                async fn $name() {
                    crate::on_sqlite(crate::$module::$name).await;
                })+
            })+
        }
        mod postgres {
            $(mod $module {
                $(#[tokio::test]
                async fn $name() {
                    crate::on_postgres(crate::$module::$name).await;
                })+
            })+
        }
    };
}

on_both! {
    opening:
        a_database_that_is_newer_is_refused_and_left_alone,
        a_schema_step_that_was_altered_is_refused,
        what_was_written_is_there_after_reopening,
        ids_are_consecutive_and_never_repeat_over_reopening;
    people:
        versions_and_profiles_come_back_and_the_last_applied_is_current,
        every_time_a_cadence_is_applied_is_kept_and_one_without_a_version_is_gone,
        prospects_and_their_companies_come_back_whole,
        a_changed_prospect_keeps_the_identities_it_had,
        an_identity_is_found_only_under_its_kind,
        an_address_finds_a_person_in_every_spelling,
        lists_come_back_by_name_and_by_content,
        suppressions_are_not_confused_between_kinds;
    imports:
        an_import_comes_back_as_far_as_it_has_come,
        many_rows_are_written_at_once_and_all_come_back,
        a_changed_person_keeps_what_was_before_and_who_made_it,
        what_is_taken_back_leaves_only_what_others_need,
        reasons_to_keep_somebody_are_found,
        how_columns_are_read_is_remembered_by_fingerprint,
        people_of_an_older_database_are_still_recognised,
        awkward_texts_come_back_from_many_rows_as_they_went;
    enrollments:
        an_enrollment_comes_back_whole_and_moves_on,
        a_move_from_a_wrong_revision_changes_nothing_at_all,
        nobody_is_twice_in_one_cadence_at_a_time,
        follow_ups_are_due_before_new_people_and_those_by_score,
        only_what_is_due_in_the_lane_is_given_out_and_no_more_than_asked,
        people_of_a_mailbox_that_is_gone_are_found,
        of_many_who_are_due_the_first_by_rank_time_and_number_are_given_out,
        the_next_wake_is_the_earliest_of_the_lane,
        mails_on_their_way_are_found_again,
        every_state_is_given_back_and_a_later_look_alone_is_none,
        the_states_of_an_older_database_begin_with_where_people_stand,
        the_census_counts_phases_and_reasons,
        the_board_counts_who_is_where_and_why;
    days:
        an_open_task_changes_hands_and_times_and_a_closed_one_does_not,
        what_was_done_is_taken_back_and_its_touch_is_used_again,
        what_somebody_did_is_found_newest_first,
        absences_come_back_in_their_order_and_can_be_ended,
        an_intent_waits_for_whoever_is_away_and_whose_work_is_held,
        whoever_waits_for_a_rep_is_found_and_woken,
        everybody_of_a_rep_is_anothers;
    touches:
        a_second_touch_for_an_attempt_is_refused_with_the_whole_write,
        a_touch_that_was_not_sent_may_be_tried_again_under_its_id_to_whomever_it_is_now,
        doubts_deliveries_and_the_last_mail_are_found,
        tasks_are_queued_by_urgency_and_closed_with_their_enrollment;
    guards:
        a_lost_or_run_out_lease_stops_an_intent,
        a_lease_is_renewed_refused_and_taken_over_with_a_higher_epoch,
        a_block_of_address_domain_or_person_stops_an_intent,
        a_mailbox_that_waits_says_why_and_until_when,
        an_inbox_that_was_not_read_lately_stops_its_mailbox,
        the_gap_behind_a_mail_is_kept,
        a_new_day_of_sending_counts_for_the_ramp,
        a_full_cap_says_why_and_until_when,
        a_company_with_enough_people_under_way_waits,
        a_person_whom_another_cadence_touched_is_left_in_peace,
        a_refusal_charges_nothing;
    limits:
        an_hour_is_counted_by_the_minute,
        a_mailbox_that_was_silent_begins_again,
        a_rep_with_enough_people_under_way_waits,
        an_invitation_waits_for_what_is_open_and_what_was_done_lately,
        whoever_waits_longest_passes_better_ones_who_came_later,
        two_nodes_do_not_both_begin_with_the_last_person_of_a_rep,
        two_nodes_do_not_both_open_the_last_invitation;
    holds:
        a_hold_is_in_force_until_it_is_released_and_may_come_again,
        what_is_on_hold_stops_an_intent,
        who_is_on_hold_is_put_off_at_once_and_comes_back_with_the_release,
        the_health_of_a_mailbox_counts_from_its_last_reset,
        of_those_who_note_something_first_one_is_the_first,
        a_note_is_kept_as_it_was_last_written;
    journal:
        the_log_keeps_its_order_and_is_read_in_pages,
        a_milestone_keeps_its_first_value,
        an_inbound_message_is_stored_once_and_its_double_changes_nothing,
        replies_are_listed_newest_first_with_the_step_they_answer,
        the_cursor_of_an_inbox_is_kept_beside_the_sending_days;
    starts:
        a_key_counts_once_and_the_second_write_changes_nothing,
        whoever_waits_to_be_taken_in_is_taken_in_once,
        nobody_waits_whom_an_import_takes_back,
        two_nodes_that_tell_one_event_tell_it_once;
    races:
        the_last_place_of_a_cap_is_given_to_one_of_two_nodes,
        a_free_lease_is_given_to_one_of_two_nodes,
        two_nodes_that_write_the_same_touch_write_it_once,
        two_nodes_never_get_the_same_ids,
        two_nodes_do_not_both_begin_with_the_last_colleague,
        two_nodes_do_not_both_touch_one_person;
    together:
        of_many_at_once_a_cap_lets_in_as_many_as_have_room,
        whoever_is_refused_is_refused_alone,
        those_who_could_see_each_other_are_decided_one_behind_the_other,
        whoever_stops_waiting_takes_nobody_else_along;
}

/// Makes a test of each function on the memory of a simulation; lists and imports it does not know.
macro_rules! on_memory {
    ($($module:ident: $($name:ident),+ $(,)?;)+) => {
        mod memory {
            $(mod $module {
                $(#[tokio::test]
                async fn $name() {
                    crate::in_memory(crate::$module::$name).await;
                })+
            })+
        }
    };
}

on_memory! {
    people:
        versions_and_profiles_come_back_and_the_last_applied_is_current,
        prospects_and_their_companies_come_back_whole,
        a_changed_prospect_keeps_the_identities_it_had,
        an_identity_is_found_only_under_its_kind,
        an_address_finds_a_person_in_every_spelling,
        suppressions_are_not_confused_between_kinds;
    enrollments:
        an_enrollment_comes_back_whole_and_moves_on,
        a_move_from_a_wrong_revision_changes_nothing_at_all,
        nobody_is_twice_in_one_cadence_at_a_time,
        follow_ups_are_due_before_new_people_and_those_by_score,
        only_what_is_due_in_the_lane_is_given_out_and_no_more_than_asked,
        people_of_a_mailbox_that_is_gone_are_found,
        of_many_who_are_due_the_first_by_rank_time_and_number_are_given_out,
        the_next_wake_is_the_earliest_of_the_lane,
        mails_on_their_way_are_found_again,
        every_state_is_given_back_and_a_later_look_alone_is_none,
        the_census_counts_phases_and_reasons,
        the_board_counts_who_is_where_and_why;
    days:
        an_open_task_changes_hands_and_times_and_a_closed_one_does_not,
        what_was_done_is_taken_back_and_its_touch_is_used_again,
        what_somebody_did_is_found_newest_first,
        absences_come_back_in_their_order_and_can_be_ended,
        an_intent_waits_for_whoever_is_away_and_whose_work_is_held,
        whoever_waits_for_a_rep_is_found_and_woken,
        everybody_of_a_rep_is_anothers;
    touches:
        a_second_touch_for_an_attempt_is_refused_with_the_whole_write,
        a_touch_that_was_not_sent_may_be_tried_again_under_its_id_to_whomever_it_is_now,
        doubts_deliveries_and_the_last_mail_are_found,
        tasks_are_queued_by_urgency_and_closed_with_their_enrollment;
    guards:
        a_lost_or_run_out_lease_stops_an_intent,
        a_lease_is_renewed_refused_and_taken_over_with_a_higher_epoch,
        a_block_of_address_domain_or_person_stops_an_intent,
        a_mailbox_that_waits_says_why_and_until_when,
        an_inbox_that_was_not_read_lately_stops_its_mailbox,
        the_gap_behind_a_mail_is_kept,
        a_new_day_of_sending_counts_for_the_ramp,
        a_full_cap_says_why_and_until_when,
        a_company_with_enough_people_under_way_waits,
        a_person_whom_another_cadence_touched_is_left_in_peace,
        a_refusal_charges_nothing;
    limits:
        an_hour_is_counted_by_the_minute,
        a_mailbox_that_was_silent_begins_again,
        a_rep_with_enough_people_under_way_waits,
        an_invitation_waits_for_what_is_open_and_what_was_done_lately,
        whoever_waits_longest_passes_better_ones_who_came_later;
    holds:
        a_hold_is_in_force_until_it_is_released_and_may_come_again,
        what_is_on_hold_stops_an_intent,
        who_is_on_hold_is_put_off_at_once_and_comes_back_with_the_release,
        the_health_of_a_mailbox_counts_from_its_last_reset,
        of_those_who_note_something_first_one_is_the_first,
        a_note_is_kept_as_it_was_last_written;
    journal:
        the_log_keeps_its_order_and_is_read_in_pages,
        a_milestone_keeps_its_first_value,
        an_inbound_message_is_stored_once_and_its_double_changes_nothing,
        replies_are_listed_newest_first_with_the_step_they_answer,
        the_cursor_of_an_inbox_is_kept_beside_the_sending_days;
    starts:
        a_key_counts_once_and_the_second_write_changes_nothing,
        whoever_waits_to_be_taken_in_is_taken_in_once;
}
