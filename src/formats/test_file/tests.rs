use super::*;
use crate::domain::prospect::ProspectDraft;
use crate::domain::test_case::{Clock, Incoming, Moment};

fn parsed(text: &str) -> Result<TestFile, Vec<String>> {
    let known = Known { ids: ["one".to_owned()].into(), ..Known::default() };
    let text = format!("format: test/v1\ncadence: one\nenrolled: \"2026-03-02 08:00\"\n{text}");
    let lines = |found: Vec<Diagnostic>| found.iter().map(ToString::to_string).collect();
    parse("cadences/tests/one.yaml", &text, &known).map(|(file, _)| file).map_err(lines)
}

#[test]
fn a_test_takes_from_the_file_what_it_does_not_say() {
    let file = parsed(
        "prospect: { title: CRO, x.trigger: news }\nwithout: [linkedin_url]\nholidays: [\"2026-03-03\"]\n\
         relationship: customer\nanswers: { view: [done] }\n\
         tests:\n  - { name: a, ends: open }\n  - name: b\n    enrolled: \"2026-04-01\"\n    ends: open\n\
         \x20   prospect: { linkedin_url: https://www.linkedin.com/in/dana }\n    without: [title]\n\
         \x20   holidays: [\"2026-04-02\"]\n    relationship: prospect\n",
    );
    let tests = file.unwrap().tests;
    let [a, b] = &tests[..] else { panic!("{tests:?}") };
    assert_eq!(a.enrolled_at.to_string(), "2026-03-02T08:00:00");
    assert_eq!(b.enrolled_at.to_string(), "2026-04-01T08:00:00");
    let fields = |known: &BTreeMap<String, String>| known.keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&a.person.known), ["title", "x.trigger"]);
    assert_eq!(fields(&b.person.known), ["linkedin_url", "x.trigger"]);
    assert_eq!(Vec::from_iter(&a.person.without), ["linkedin_url"]);
    assert_eq!(Vec::from_iter(&b.person.without), ["title"]);
    assert_eq!((a.holidays.len(), b.holidays.len()), (1, 2));
    assert_eq!(a.person.relationship, Some(Relationship::Customer));
    assert_eq!(b.person.relationship, Some(Relationship::Prospect));
    assert_eq!((a.usual.len(), a.answers.len()), (1, 0));
}

#[test]
fn moments_are_read_as_they_are_written() {
    let file = parsed(
        "tests:\n  - name: a\n    events:\n      - { day: 4, reply: question }\n\
         \x20     - { on: \"2026-03-05\", at: \"9:05\", out_of_office: no_date }\n\
         \x20     - { once: call, opt_out: by_mail }\n\
         \x20   expect: [{ on: \"2026-03-05\", at: \"07:30-10:30\", skipped: x }, { at: \"07:30\", sent: y }]\n",
    );
    let test = file.unwrap().tests.remove(0);
    let time = |hour, minute| jiff::civil::time(hour, minute, 0, 0);
    assert_eq!(test.events[0].moment, Moment::Day(4, time(12, 0)));
    let on = jiff::civil::date(2026, 3, 5);
    assert_eq!(test.events[1].moment, Moment::On(on, time(9, 5)));
    assert_eq!(test.events[1].what, Incoming::OutOfOffice(None));
    assert!(matches!(&test.events[2].moment, Moment::Behind(step, delay)
        if step.as_str() == "call" && delay.to_string() == "1 hour"));
    assert!(matches!(test.expected[0].at, Some(Clock::Within(_))));
    assert!(test.expected[1].at.is_some_and(|at| at.fits(time(7, 30)) && !at.fits(time(7, 31))));
}

#[test]
fn what_has_no_end_is_refused() {
    let many = |line: &str, n: usize| line.repeat(n);
    let tests: String = (0..300).map(|n| format!("  - {{ name: t{n}, ends: open }}\n")).collect();
    let one = |rest: &str| format!("tests:\n  - name: a\n    ends: open\n{rest}");
    for (text, wanted) in [
        (format!("tests:\n{tests}"), "there are 300 tests in one file, more than 200"),
        (
            one(&format!("    events:\n{}", many("      - { day: 1, reply: question }\n", 51))),
            "51 events in one test",
        ),
        (
            one(&format!("    expect:\n{}", many("      - { sent: a }\n", 301))),
            "301 lines in one test",
        ),
        (one(&format!("    answers: {{ a: [{}] }}\n", many("x, ", 21))), "21 answers"),
        (one("    events: [{ day: 1001, reply: question }]\n"), "from 1 to 1000"),
        (one("    until: \"9999-01-01\"\n"), "C706"),
        (one(&format!("    prospect: {{ x.a: {} }}\n", many("y", 3000))), "longer than 2000 bytes"),
    ] {
        let found = parsed(&text).unwrap_err().join("\n");
        assert!(found.contains(wanted), "{wanted}: {found}");
    }
}

fn dana() -> ProspectDraft {
    ProspectDraft {
        city: Some("San Francisco".to_owned()),
        region: Some("CA".to_owned()),
        country: Some("US".to_owned()),
        time_zones: vec!["America/Los_Angeles".to_owned()],
        email: "dana@northwind.example".parse().ok(),
        ..ProspectDraft::default()
    }
}

fn person_of(known: &[(&str, &str)], without: &[&str]) -> ProspectDraft {
    let known = known.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let without = without.iter().map(|field| (*field).to_owned()).collect();
    person::dressed(dana(), &Person { known, without, relationship: None })
}

#[test]
fn a_person_is_read_as_an_import_reads_them() {
    let values = [
        ("country", "GB"),
        ("phone", "+44 20 7946 0123"),
        ("linkedin_url", "https://www.linkedin.com/in/Dana-W/"),
        ("employees", "1,200"),
        ("company.name", "Northwind Data, Inc."),
        ("email", "Dana@Acme.example"),
        ("close_date", "2026-03-06"),
        ("x.trigger", "news, and \"more\""),
    ];
    let dana = person_of(&values, &[]);
    assert_eq!(dana.country.as_deref(), Some("GB"));
    assert_eq!((dana.region, dana.city), (None, None));
    assert_eq!(dana.time_zones, ["Europe/London"]);
    assert_eq!(dana.phones[0].e164, "+442079460123");
    assert_eq!(dana.linkedin.as_deref(), Some("dana-w"));
    assert_eq!(dana.company.employees.map(|range| range.low), Some(1_200));
    assert_eq!(dana.company.short.as_deref(), Some("Northwind Data"));
    assert_eq!(dana.email.unwrap().as_str().to_lowercase(), "dana@acme.example");
    assert_eq!(dana.extra["close_date"], "2026-03-06");
    assert_eq!(dana.extra["trigger"], "news, and \"more\"");
}

#[test]
fn whoever_lacks_a_field_lacks_it() {
    let nobody = person_of(&[], &["email", "country", "x.trigger"]);
    assert_eq!((nobody.email, nobody.country, nobody.time_zones.len()), (None, None, 0));
    let moved = person_of(&[("time_zone", "Asia/Tokyo")], &[]);
    assert_eq!(moved.time_zones, ["Asia/Tokyo"]);
}
