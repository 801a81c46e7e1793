//! The keys of `test/v1`.

use super::Takes::{
    ClockTime, Date, DateTime, Either, Exactly, Field, Keyed, Length, List, Map, Number, Slug,
    Text, Words,
};
use super::{Key, MAX_DAY, RELATIONSHIPS, Section, Takes, words};
use crate::domain::test_case::{Question, ReadAs, Standing, meanings};

/// A word, or more.
static AN_ANSWER: Takes = Either(&[Slug, Map(&ANSWER)]);
/// Outcomes, try by try.
const ANSWERS: Takes = List(&AN_ANSWER);
/// Values of a person by field.
const VALUES: Takes = Keyed(&Field, &Text);
const DAY: Takes = Number(1, MAX_DAY as i64);

/// The words of `relationship`.
const RELATIONSHIP: Takes = Words(|| words(&RELATIONSHIPS));

/// A whole file in `cadences/tests/`.
pub static TEST: Section = Section {
    name: "test",
    of: "a file with tests",
    about: "One file in `cadences/tests/`: tests of one cadence. `firsttouch test` runs them.",
    keys: &[
        Key::new(
            "format",
            Exactly("test/v1"),
            "test/v1",
            "What kind of file this is, and the version of the language.",
        )
        .required(),
        Key::new("cadence", Slug, "short-outbound-7d", "The cadence that is tested.").required(),
        Key::new("about", Text, "What must stay true of this cadence.", "What the tests are for."),
        Key::new(
            "enrolled",
            DateTime,
            "\"2026-03-02 08:00\"",
            "For tests that do not say it themselves.",
        ),
        Key::new(
            "prospect",
            VALUES,
            "{ title: CRO, country: \"GB\" }",
            "For every test; a test changes it line by line.",
        ),
        Key::new("without", List(&Field), "[phone]", "For every test; a test adds to it."),
        Key::new(
            "relationship",
            RELATIONSHIP,
            "customer",
            "For tests that do not say it themselves.",
        ),
        Key::new("holidays", List(&Date), "[\"2026-12-24\"]", "For every test; a test adds to it."),
        Key::new(
            "answers",
            Keyed(&Slug, &ANSWERS),
            "{ li-view: [done] }",
            "For steps of which a test says nothing; it does not matter whether they are asked for.",
        ),
        Key::new(
            "tests",
            List(&Map(&TEST_CASE)),
            "[{ name: nobody answers, ends: no_reply }]",
            "The tests; each has a name of its own.",
        )
        .required(),
    ],
    exactly_one: &[],
};

/// One item of `tests`.
pub static TEST_CASE: Section = Section {
    name: "test_case",
    of: "a test",
    about: "One person, what happens, and what is expected. The person is made up and complete: every field that \
        a text or a profile of the cadence asks for is known, unless the test says otherwise. The calendar is the \
        workspace's own.",
    keys: &[
        Key::new(
            "name",
            Text,
            "voicemail, then nobody answers",
            "What the test shows, in a few words.",
        )
        .required(),
        Key::new(
            "enrolled",
            DateTime,
            "\"2026-03-02 08:00\"",
            "When the person is enrolled, on their clock; at 08:00 when there is only a date.",
        ),
        Key::new(
            "prospect",
            VALUES,
            "{ country: \"GB\", x.trigger: a new office }",
            "What is known of the person, field by field, as a list would give it; also `time_zone: Europe/London`.",
        ),
        Key::new("without", List(&Field), "[phone, linkedin_url]", "Fields that are not known."),
        Key::new(
            "vacant",
            List(&Slug),
            "[technical]",
            "Where the cadence covers a company: roles for which there is nobody. There is one person for each of the others.",
        ),
        Key::new(
            "relationship",
            RELATIONSHIP,
            "customer",
            "Whether the person buys from us; as the audience of the cadence when nothing is said.",
        ),
        Key::new(
            "holidays",
            List(&Date),
            "[\"2026-12-24\"]",
            "Days off beside those of the calendar.",
        ),
        Key::new(
            "events",
            List(&Map(&EVENT)),
            "[{ day: 4, reply: interested }]",
            "What the person and their mail system do.",
        ),
        Key::new(
            "answers",
            Keyed(&Slug, &ANSWERS),
            "{ call-1: [no_answer, left_voicemail] }",
            "What comes of the task of each step, try by try, as soon as it may be done; all of it must be asked for. A task without an answer is left alone until it expires. A mail to be read takes `released` or `skipped`, a step that hands over `accepted` or `declined`.",
        ),
        Key::new(
            "decisions",
            Keyed(&QUESTION, &ANSWERS),
            "{ hand_off: [accepted] }",
            "What is answered when a reply or an outcome leads to a question about the person.",
        ),
        Key::new(
            "until",
            DateTime,
            "\"2026-06-30\"",
            "When the test is over; without it, when the enrollment has ended.",
        ),
        Key::new(
            "timeline",
            List(&Map(&LINE)),
            "[{ day: 1, sent: email-1 }, { day: 2, ended: no_reply }]",
            "Everything that happens, in order; nothing else may happen.",
        ),
        Key::new(
            "expect",
            List(&Map(&LINE)),
            "[{ day: 3, skipped: email-2 }]",
            "What happens, in order; other things may happen in between.",
        ),
        Key::new(
            "never",
            List(&Slug),
            "[email-3]",
            "Steps that never touch the person and never become a task.",
        ),
        Key::new("ends", ENDS, "no_reply", "How the enrollment ended; `open` when it goes on."),
        Key::new(
            "not_enrolled",
            Text,
            "is a customer",
            "The person is not let in, and the reason has these words.",
        ),
    ],
    exactly_one: &[],
};

static QUESTION: Takes = Words(|| words(&Question::ALL));
const ENDS: Takes = Words(|| Standing::words().into_iter().map(|(word, _)| word).collect());

/// What comes of a task, where a word is not enough.
pub static ANSWER: Section = Section {
    name: "answer",
    of: "an answer",
    about: "What comes of a task, where a word is not enough.",
    keys: &[
        Key::new("outcome", Slug, "not_now", "An outcome of the task; `expired` leaves it alone.")
            .required(),
        Key::new("after", Length, "2 business days", "How long the task lies there first."),
        Key::new(
            "until",
            DateTime,
            "\"2026-05-04\"",
            "When to go on, where the outcome asks for it.",
        ),
        Key::new(
            "set",
            Keyed(&Field, &Text),
            "{ x.hook: a new plant }",
            "Values for the fields that the task collects.",
        ),
    ],
    exactly_one: &[],
};

/// One item of `events`.
pub static EVENT: Section = Section {
    name: "event",
    of: "an event",
    about: "Something that the person or their mail system does, and when.",
    keys: &[
        Key::new("day", DAY, "4", "On this day, counted as the cadence counts."),
        Key::new("on", Date, "\"2026-03-05\"", "On this date."),
        Key::new(
            "once",
            Slug,
            "email-1",
            "Behind this step: once its mail was sent or its task was done.",
        ),
        Key::new(
            "at",
            ClockTime,
            "\"14:30\"",
            "With `day` and `on`: the time of day on the person's clock.",
        )
        .or("\"12:00\""),
        Key::new("after", Length, "2 hours", "With `once`: how long behind it.").or("1 hour"),
        Key::new(
            "from",
            Slug,
            "champion",
            "Where the cadence covers a company: the role of who does it; the first one's when nothing is said.",
        ),
        Key::new(
            "reply",
            Either(&[Words(meanings), Map(&REPLY)]),
            "interested",
            "The person answers the last mail, and the owner says at once that it means this.",
        ),
        Key::new(
            "out_of_office",
            Either(&[Date, Exactly("no_date")]),
            "\"2027-01-03\"",
            "A machine answers that the person is away until this date.",
        ),
        Key::new(
            "bounce",
            Words(|| vec!["hard", "soft"]),
            "hard",
            "The last mail comes back: the address is dead, or the mailbox is full.",
        ),
        Key::new(
            "opt_out",
            Words(|| vec!["by_mail", "spam_report"]),
            "by_mail",
            "The person asks in a mail to be left alone, or reports spam.",
        ),
    ],
    exactly_one: &[&["day", "on", "once"], &["reply", "out_of_office", "bounce", "opt_out"]],
};

/// `reply` of an event, where a word is not enough.
pub static REPLY: Section = Section {
    name: "reply",
    of: "a reply",
    about: "A mail in the person's own words. It is read like any other mail.",
    keys: &[
        Key::new(
            "text",
            Text,
            "Please take me off your list.",
            "What it says; a friendly line when nothing is said.",
        ),
        Key::new(
            "means",
            Words(meanings),
            "question",
            "What the owner says that it means, as soon as they are asked. Without it nobody answers, unless `decisions` does.",
        ),
        Key::new("read_as", Words(|| words(&ReadAs::ALL)), "opt_out", "What it must be taken for."),
    ],
    exactly_one: &[],
};

/// One item of `timeline` and of `expect`.
pub static LINE: Section = Section {
    name: "line",
    of: "a line",
    about: "Something that happens, and when. What a line does not say may be anything.",
    keys: &[
        Key::new("day", DAY, "2", "On this day, counted as the cadence counts."),
        Key::new("on", Date, "\"2026-03-03\"", "On this date on the person's clock."),
        Key::new("at", ClockTime, "\"07:30-10:30\"", "At this minute, or within these hours."),
        Key::new("sent", Slug, "email-1", "The mail of this step left."),
        Key::new("task", Slug, "call-1", "The task of this step came into somebody's queue."),
        Key::new(
            "asked",
            Words(|| words(&Question::ALL)),
            "hand_off",
            "Somebody was asked about the person.",
        ),
        Key::new("skipped", Slug, "li-view", "This step was passed over."),
        Key::new("refused", Slug, "email-1", "A server refused the mail of this step for good."),
        Key::new(
            "switched",
            Slug,
            "nurture-quarterly",
            "The person was enrolled in this cadence instead.",
        ),
        Key::new("ended", ENDED, "no_reply", "The enrollment ended like this."),
        Key::new("template", Takes::Template, "intro-pain", "With `sent`: with which text."),
        Key::new(
            "outcome",
            Slug,
            "left_voicemail",
            "With `task` and `asked`: what came of it. `expired` when nobody did it or decided, `closed` when something else made it needless, `open` when it still lies there.",
        ),
        Key::new(
            "why",
            Text,
            "missing_field:phone",
            "With `skipped`: `conditions`, `channel_closed`, `missing_field`, `no_date` or `past_date`; the last three also with the field behind a colon.",
        ),
        Key::new("begins", Date, "\"2026-05-04\"", "With `switched`: the first day there."),
    ],
    exactly_one: &[&["sent", "task", "asked", "skipped", "refused", "switched", "ended"]],
};

const ENDED: Takes = Words(|| words(&crate::domain::enrollment::Ending::ALL));
