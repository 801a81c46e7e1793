//! From the settings to when somebody may be written to or called: holidays of their country, laws of their
//! state, and the reason that is told.

use firsttouch::config;
use firsttouch::domain::budget::Waiting;
use firsttouch::domain::cadence::{Cadence, Channel};
use firsttouch::domain::call_hours::Calls;
use firsttouch::domain::ids::{ProspectId, RepId};
use firsttouch::domain::prospect::{Prospect, ProspectDraft, Relationship};
use firsttouch::domain::schedule::{self, Place};
use firsttouch::domain::settings::Clockwork;
use firsttouch::engine::{zones_of, zones_there};
use firsttouch::formats::cadence_file::{self, Known};
use jiff::Timestamp;

fn clockwork(calendar: &str, more: &str) -> Clockwork {
    let text = format!(
        "[company]\npostal_address = \"x\"\n[calendar.us-sales]\nhours = \"mon-fri 08:00-17:00\"\n{calendar}\n{more}"
    );
    let config = config::parse(&text, std::path::Path::new(".")).expect("settings");
    config.calendars.get("us-sales").expect("a calendar").clone()
}

fn cadence() -> Cadence {
    let text = "format: cadence/v1\nid: c\ntitle: T\ndays: business\ncalendar: us-sales\n\
                send_window: [\"08:00-10:00\"]\nenroll: { audience: prospects, profiles: [any], again_after: 30 days }\n\
                steps:\n  - { id: look, day: 1, task: { title: Look } }\n";
    let known = Known { applied: true, ..Known::default() };
    let (cadence, _) = cadence_file::parse("c", text, &known).expect("a cadence");
    cadence
}

fn person(country: &str, region: Option<&str>, zones: &[&str]) -> Prospect {
    Prospect {
        id: ProspectId(1),
        company_id: None,
        owner: RepId::from("ann"),
        relationship: Relationship::Prospect,
        known: ProspectDraft {
            country: Some(country.to_owned()),
            region: region.map(str::to_owned),
            time_zones: zones.iter().map(ToString::to_string).collect(),
            ..ProspectDraft::default()
        },
    }
}

fn next(
    clockwork: &Clockwork,
    person: &Prospect,
    channel: Channel,
    from: &str,
) -> (Timestamp, Waiting) {
    let (clockwork, cadence) = (clockwork.clone().of(person), cadence());
    let zones = zones_of(person, &person.owner, &clockwork);
    let there = zones_there(person, &zones);
    let calls = Calls { hours: &clockwork.calls, zones: &there };
    let place = Place { cadence: &cadence, calendar: &clockwork.calendar, zones: &zones, calls };
    let next = schedule::open(&place, channel, instant(from));
    (next.at, next.waiting)
}

fn instant(text: &str) -> Timestamp {
    text.parse::<jiff::Zoned>().expect("an instant").timestamp()
}

#[test]
fn nobody_is_touched_on_a_holiday_of_their_own_country_when_the_calendar_says_so() {
    let french = person("FR", None, &["Europe/Paris"]);
    let bastille = "2027-07-14T09:00[Europe/Paris]";
    for (holidays, at, waiting) in [
        ("holidays = [\"US\"]", bastille, Waiting::NotDue),
        ("holidays = [\"US\", \"prospect\"]", "2027-07-15T08:00[Europe/Paris]", Waiting::Holiday),
        ("holidays = [\"2027-07-14\"]", "2027-07-15T08:00[Europe/Paris]", Waiting::Holiday),
    ] {
        for channel in [Channel::Email, Channel::Call] {
            let found = next(&clockwork(holidays, ""), &french, channel, bastille);
            assert_eq!(found, (instant(at), waiting), "{holidays} {channel:?}");
        }
    }
    // A holiday on a day on which nobody works anyway is no reason.
    let saturday = "2026-12-26T09:00[Europe/Paris]";
    let found =
        next(&clockwork("holidays = [\"prospect\"]", ""), &french, Channel::Email, saturday);
    assert_eq!(found, (instant("2026-12-28T08:00[Europe/Paris]"), Waiting::OutsideHours));
    let again = clockwork("holidays = [\"prospect\"]", "").of(&french);
    let american = person("US", Some("NY"), &["America/New_York"]);
    let found = next(&again, &american, Channel::Email, "2027-07-14T09:00[America/New_York]");
    assert_eq!(found.1, Waiting::NotDue, "the holidays of the one before are gone");
}

#[test]
fn calls_keep_to_the_law_of_the_state_and_mail_does_not() {
    let early = "2026-11-30T08:00[America/New_York]";
    let zone = &["America/New_York"][..];
    for (region, channel, at) in [
        (Some("NY"), Channel::Call, early),
        (Some("CT"), Channel::Call, "2026-11-30T09:00[America/New_York]"),
        (Some("Connecticut"), Channel::Call, "2026-11-30T09:00[America/New_York]"),
        (Some("KY"), Channel::Call, "2026-11-30T10:00[America/New_York]"),
        // Where the state is not known every state's law holds.
        (None, Channel::Call, "2026-11-30T10:00[America/New_York]"),
        (None, Channel::Email, early),
        (Some("KY"), Channel::Email, early),
        (Some("KY"), Channel::Task, early),
    ] {
        let (found, _) = next(&clockwork("", ""), &person("US", region, zone), channel, early);
        assert_eq!(found, instant(at), "{region:?} {channel:?}");
    }
}

#[test]
fn a_calendar_on_a_fixed_clock_does_not_let_the_phone_ring_at_night() {
    let fixed = clockwork("clock = \"America/New_York\"", "");
    let tokyo = person("JP", None, &["Asia/Tokyo"]);
    let from = "2026-11-30T08:00[America/New_York]";
    let (mail, _) = next(&fixed, &tokyo, Channel::Email, from);
    assert_eq!(mail, instant(from));
    let (call, waiting) = next(&fixed, &tokyo, Channel::Call, from);
    // 08:00 in Tokyo is 18:00 in New York: outside of the calendar on every day.
    assert_eq!((waiting, call > instant("2026-12-01T00:00[UTC]")), (Waiting::NoTimeZone, true));
    let london = person("GB", None, &["Europe/London"]);
    let (call, _) = next(&fixed, &london, Channel::Call, "2026-11-30T16:30[America/New_York]");
    assert_eq!(call, instant("2026-12-01T08:00[America/New_York]"));
}

#[test]
fn on_the_owners_clock_it_is_their_morning_and_calls_still_keep_to_the_persons() {
    let reps = "[[rep]]\nid = \"ann\"\ntime_zone = \"Asia/Kolkata\"\n";
    let clockwork = clockwork("clock = \"owner\"", reps);
    let german = person("DE", None, &["Europe/Berlin"]);
    let (mail, _) = next(&clockwork, &german, Channel::Email, "2027-03-10T00:30[Europe/Berlin]");
    assert_eq!(mail, instant("2027-03-10T08:00[Asia/Kolkata]"));
    // 08:00 in India is 03:30 in Berlin: the phone waits for 08:00 there.
    let (call, _) = next(&clockwork, &german, Channel::Call, "2027-03-10T00:30[Europe/Berlin]");
    assert_eq!(call, instant("2027-03-10T08:00[Europe/Berlin]"));
    // A rep of whom nothing is said is where the dates are read.
    let elsewhere = Prospect { owner: RepId::from("bob"), ..german };
    let (mail, _) = next(&clockwork, &elsewhere, Channel::Email, "2027-03-10T00:30[UTC]");
    assert_eq!(mail, instant("2027-03-10T08:00[UTC]"));
}

#[test]
fn a_teams_own_rule_narrows_calls() {
    let own = "[[call_hours]]\ncountry = \"FR\"\nhours = \"mon-fri 10:00-13:00, mon-fri 14:00-20:00\"\n\
               not_on_holidays = true\nsource = \"Code de la consommation D. 223-9\"\n";
    let french = person("FR", None, &["Europe/Paris"]);
    for (from, at) in [
        ("2027-07-13T08:00[Europe/Paris]", "2027-07-13T10:00[Europe/Paris]"),
        ("2027-07-13T13:00[Europe/Paris]", "2027-07-13T14:00[Europe/Paris]"),
        ("2027-07-13T18:00[Europe/Paris]", "2027-07-15T10:00[Europe/Paris]"),
    ] {
        let (found, _) = next(&clockwork("", own), &french, Channel::Call, from);
        assert_eq!(found, instant(at), "{from}");
    }
}
