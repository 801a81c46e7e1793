//! Rules about tests of cadences.

use super::{Page, in_tests};
use crate::formats::diagnostic::Severity::Error;

pub(super) const C701: Page = Page {
    title: "a test of a cadence that is not there",
    severity: Error,
    about: "`cadence:` names what is tested, and `switched:` where somebody goes: both are the id of a file in \
        cadences/. A test of nothing would pass for ever. Correct the name, or delete the tests with the \
        cadence.",
    bad: in_tests("cadence: bsae\n"),
    good: in_tests("cadence: base\n"),
};

pub(super) const C702: Page = Page {
    title: "a step that the tested cadence does not have",
    severity: Error,
    about: "A line names a step that the cadence does not have, or expects of it what it cannot do, such as a \
        mail of a call. After a step was renamed its tests have to follow. The message names the nearest \
        step.",
    bad: in_tests("tests:\n  - { name: a, ends: open, never: [mial] }\n"),
    good: in_tests("tests:\n  - { name: a, ends: open, never: [mail] }\n"),
};

pub(super) const C703: Page = Page {
    title: "an outcome that cannot come of this",
    severity: Error,
    about: "A test answers a task, or says what a reply means, with a word that the rep would not be offered \
        there, or expects one. Nobody could ever press that button. The message names the nearest word, or \
        all of them; outcomes of your own stand in `custom_outcomes` of the cadence.",
    bad: in_tests("tests:\n  - { name: a, ends: open, answers: { t0: [doen] } }\n"),
    good: in_tests("tests:\n  - { name: a, ends: open, answers: { t0: [done] } }\n"),
};

pub(super) const C704: Page = Page {
    title: "a template that the step does not send",
    severity: Error,
    about: "A line expects a mail with a text that its step never sends. Either the step has another template \
        now, or the line means another step. The message names what the step sends.",
    bad: in_tests("tests:\n  - { name: a, expect: [{ sent: mail, template: intro-b }] }\n"),
    good: in_tests("tests:\n  - { name: a, expect: [{ sent: mail, template: intro }] }\n"),
};

pub(super) const C705: Page = Page {
    title: "a test that cannot tell anything",
    severity: Error,
    about: "A test that expects nothing can never fail, and one that expects a step which must never be can \
        never pass. `timeline` lists everything and `expect` a part, so they do not stand together; and \
        whoever is `not_enrolled` has no timeline.",
    bad: in_tests("tests:\n  - { name: a, answers: { t0: [done] } }\n"),
    good: in_tests("tests:\n  - { name: a, answers: { t0: [done] }, ends: open }\n"),
};

pub(super) const C706: Page = Page {
    title: "not a date or a time",
    severity: Error,
    about: "Dates are written like \"2026-03-04\", with a time behind a blank where one is wanted, and times \
        like \"14:30\" on the 24-hour clock. They are read on the prospect's clock, so no zone stands there. \
        Other orders of day and month mean two days to two people.",
    bad: in_tests("tests:\n  - { name: a, ends: open, holidays: [\"4.3.2026\"] }\n"),
    good: in_tests("tests:\n  - { name: a, ends: open, holidays: [\"2026-03-04\"] }\n"),
};

pub(super) const C707: Page = Page {
    title: "a value that an import would not take",
    severity: Error,
    about: "The person of a test is described as in a list, and every value is read as an import reads it. This \
        field does not exist, or its value would be left out: a number that cannot be dialled, a country \
        that nobody knows. The test would run with somebody else than you mean.",
    bad: in_tests("tests:\n  - { name: a, ends: open, prospect: { phone: \"12\" } }\n"),
    good: in_tests("tests:\n  - { name: a, ends: open, prospect: { phone: \"+14155550199\" } }\n"),
};

pub(super) const C708: Page = Page {
    title: "two tests of one name",
    severity: Error,
    about: "A test is known by its name: in the output, in CI, and with --filter. With two of one name nobody \
        knows which one failed. Say what is special about each.",
    bad: in_tests("tests:\n  - { name: a, ends: open }\n  - { name: a, never: [mail] }\n"),
    good: in_tests("tests:\n  - { name: a, ends: open }\n  - { name: b, never: [mail] }\n"),
};

pub(super) const C709: Page = Page {
    title: "an event that cannot come to pass",
    severity: Error,
    about: "Something happens before the person is enrolled, the test is over before it begins, or somebody \
        without an e-mail address writes. The test would wait for it in vain. Correct the date, or the \
        person.",
    bad: in_tests(
        "tests:\n  - { name: a, ends: open, events: [{ on: \"2026-01-05\", reply: question }] }\n",
    ),
    good: in_tests(
        "tests:\n  - { name: a, ends: open, events: [{ on: \"2026-03-05\", reply: question }] }\n",
    ),
};
