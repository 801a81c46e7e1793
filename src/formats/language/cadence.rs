//! The keys of `cadence/v1`.

use super::Takes::{
    Anchor, Anything, Either, Exactly, Field, Keyed, Length, List, Map, Number, Outcomes, Slug,
    Span, Template, Test, Text, Words,
};
use super::{
    AUDIENCES, DAYS, Key, MAX_DAY, MAX_LIMIT, MAX_RETRIES, Section, THREADS, Takes, UNITS, VERBS,
    words,
};
use crate::domain::cadence::{MailMode, Others, Priority, SocialAct, StepHours};
use crate::domain::reply::ReplyKind;

const LIMIT: Takes = Number(1, MAX_LIMIT as i64);
const PRIORITY: Takes = Words(|| words(&Priority::ALL));
/// `stop`, or a map with one key.
static A_VERB: Takes = Either(&[Words(|| words(&VERBS)), Map(&VERB)]);
const AN_OUTCOME: Takes = Slug;

/// A whole file in `cadences/`.
pub static CADENCE: Section = Section {
    name: "cadence",
    of: "a cadence",
    about: "One file in `cadences/`: whom it takes in, when things happen, and its steps.",
    keys: &[
        Key::new("format", Exactly("cadence/v1"), "cadence/v1", "What kind of file this is, and the version of the language.").required(),
        Key::new("id", Slug, "short-outbound", "The name of the cadence, and of its file without `.yaml`.").required(),
        Key::new("title", Text, "Short outbound, 7 working days", "What people read in lists and reports.").required(),
        Key::new("about", Text, "Three mails and two calls.", "What it is for; shown to reps."),
        Key::new("unit", Words(|| words(&UNITS)), "prospect", "What one enrollment covers: one person, or one company with several people and one conversation.").or("prospect"),
        Key::new("roles", Keyed(&Slug, &Slug), "{ champion: sales-ops-manager }", "With `unit: company`, and needed there: 1 to 8 roles, each with the profile by which its person is found. Nobody has two; the first role has the first choice."),
        Key::new("enroll", Map(&ENROLL), "{ audience: prospects, profiles: [vp-sales-saas] }", "Who may come in.").required(),
        Key::new("days", Words(|| words(&DAYS)), "business", "What `day: 3` counts: working days, or days of the year. Needed as soon as a step has `day`.").or("business"),
        Key::new("calendar", Text, "standard", "A section [calendar.name] of firsttouch.toml: working hours and holidays.").required(),
        Key::new("send_window", List(&Span), "[\"08:00-11:00\", \"15:30-17:00\"]", "When automatic mail may leave, on the prospect's clock, on the working days of the calendar; it may lie outside the calendar's hours. Calls follow the calendar.").or("[\"08:00-17:00\"]"),
        Key::new("limits", Map(&LIMITS), "{ new_per_rep_per_day: 25 }", "How dense it may get. What is over a limit waits."),
        Key::new("company", Map(&COMPANY), "{ on_reply: pause_others }", "What a reply or a meeting does to people of the same company in this cadence."),
        Key::new("defaults", Map(&DEFAULTS), "{ expires_after: 3 business days }", "What holds for every step that does not say otherwise."),
        Key::new("replies", Keyed(&Words(|| words(&ReplyKind::ALL)), &A_VERB), "{ question: triage }", "What a reply of each kind leads to. With it a reply stops the clock and asks the owner what it means; a kind that is not named ends the enrollment, and so does no answer within 10 business days. Without it every reply ends the enrollment."),
        Key::new("custom_outcomes", Keyed(&Slug, &Text), "{ healthy: All good }", "Further outcomes of calls, social touches and tasks, each with what it is called. They go on, unless `outcomes` says otherwise."),
        Key::new("shared", Anything, "{ again: { no_answer: triage } }", "A parking place for YAML anchors; nothing in it is read by itself."),
        Key::new("steps", List(&Map(&STEP)), "[{ id: call, day: 1, call: { script: opener } }]", "What happens, from the top to the bottom; 1 to 100 steps.").required(),
        Key::new("at_end", Either(&[Words(|| vec!["stop", "continue"]), Map(&AT_END)]), "{ pause: 60 days }", "What happens after the last step. With nowhere to go on to, `continue` is `stop`.").or("stop"),
    ],
    exactly_one: &[],
};

/// `enroll`.
pub static ENROLL: Section = Section {
    name: "enroll",
    of: "`enroll`",
    about: "Who may come in.",
    keys: &[
        Key::new(
            "audience",
            Words(|| words(&AUDIENCES)),
            "prospects",
            "Whom it is for. A customer can never get a cold cadence by mistake.",
        )
        .required(),
        Key::new(
            "profiles",
            List(&Text),
            "[vp-sales-saas, revops-saas]",
            "A person is let in when one of these profiles fits; `[any]` lets everybody in.",
        )
        .required(),
        Key::new(
            "when",
            Either(&[Exactly("manual"), Map(&ENROLL_WHEN)]),
            "{ event: form_submitted }",
            "What lets people in by itself, if audience and profiles do, too; anybody can be enrolled by hand beside it.",
        )
        .or("manual"),
        Key::new(
            "again_after",
            Either(&[Length, Exactly("never")]),
            "180 days",
            "How long after the end the same person may come again.",
        )
        .or("180 days"),
    ],
    exactly_one: &[],
};

/// `enroll.when`, where it is not `manual`.
pub static ENROLL_WHEN: Section = Section {
    name: "enroll-when",
    of: "`when`",
    about: "What lets people in by itself.",
    keys: &[
        Key::new(
            "event",
            Slug,
            "form_submitted",
            "Whoever this happens to comes in at once: `firsttouch event form_submitted --for dana@acme.com`.",
        ),
        Key::new(
            "field",
            Keyed(&Field, &Test),
            "{ deal.stage: closed_won }",
            "Whoever newly passes all of these tests comes in: when an import or `firsttouch event --set` makes them pass, or makes them known. Those who pass already do not come in by themselves: `firsttouch enroll --matching`.",
        ),
    ],
    exactly_one: &[&["event", "field"]],
};

/// `limits`.
pub static LIMITS: Section = Section {
    name: "limits",
    of: "`limits`",
    about: "How dense it may get. What is over a limit waits; nothing is lost.",
    keys: &[
        Key::new(
            "new_per_rep_per_day",
            LIMIT,
            "25",
            "People who begin, for one rep in any 24 hours. Who was only worked on among ourselves, by a `task`, has not begun.",
        ),
        Key::new(
            "active_per_rep",
            LIMIT,
            "150",
            "People of one rep under way at the same time, in whatever cadence. In place of `active_per_rep` in firsttouch.toml.",
        ),
        Key::new(
            "per_company_at_once",
            LIMIT,
            "2",
            "People of one company under way at the same time. Not with `unit: company`.",
        ),
        Key::new(
            "touches_per_prospect_per_day",
            LIMIT,
            "1",
            "Touches of one person in any 24 hours, counted by the hour: the next day's can come an hour later. A task is no touch.",
        ),
        Key::new(
            "touches_per_company_per_week",
            LIMIT,
            "4",
            "Touches of one company in any seven days. A task is no touch.",
        ),
    ],
    exactly_one: &[],
};

/// `company`.
pub static COMPANY: Section = Section {
    name: "company",
    of: "`company`",
    about: "What a reply or a meeting of one does to the others: people of the same company in this cadence, or with `unit: company` in the same enrollment. Who is paused goes on when the owner has said what the reply means, at the latest after 10 business days.",
    keys: &[
        Key::new(
            "on_reply",
            Words(|| words(&Others::ALL)),
            "pause_others",
            "When somebody answers a mail. Without a word here it is `pause_others` where there are `replies` and with `unit: company`, else `nothing`, which `unit: company` does not take.",
        ),
        Key::new(
            "on_meeting",
            Words(|| words(&Others::ALL)),
            "stop_others",
            "When somebody takes a meeting. Without a word here it is `stop_others` with `unit: company`, else `nothing`.",
        ),
    ],
    exactly_one: &[],
};

/// `defaults`.
pub static DEFAULTS: Section = Section {
    name: "defaults",
    of: "`defaults`",
    about: "What holds for every step that does not say otherwise.",
    keys: &[
        Key::new("by", Slug, "owner", "Whose task a step is: the owner's, or that of somebody who holds this role of a [[rep]] in firsttouch.toml.").or("owner"),
        Key::new("expires_after", Length, "3 business days", "A task that nobody did for so long is closed with the outcome `expired`, and the cadence goes on.").or("3 business days"),
        Key::new("priority", PRIORITY, "normal", "Where it stands in the queue.").or("normal"),
    ],
    exactly_one: &[],
};

/// One item of `steps`.
pub static STEP: Section = Section {
    name: "step",
    of: "a step",
    about: "Exactly one time (`day`, `after`, `at`) and exactly one thing to do (`email`, `call`, `social`, `task`, `hand_off`).",
    keys: &[
        Key::new("id", Slug, "email-1", "What the step is known by, in conditions and for people on their way. Do not rename it later.").required(),
        Key::new("day", Number(1, MAX_DAY as i64), "3", "The day of the plan; day 1 is the first (working) day on or after enrollment. When the step above is late, this one moves by as much: the gaps stay."),
        Key::new("after", Length, "2 business days", "Counted from the moment at which the step above was done or skipped."),
        Key::new("at", Anchor, "close_date + 14 days", "A date of the person, and days, weeks or business days before (`-`) or behind it (`+`); a closed day moves to the next working day. The date is kept when the step above is late, but never comes before it. Passed over when the date lies before the enrollment or is not known when the step is reached."),
        Key::new("email", Map(&EMAIL), "{ template: intro, thread: new }", "A mail: it leaves by itself, or when a person has read it."),
        Key::new("call", Map(&CALL), "{ script: opener, voicemail: vm-first }", "A call, as a task for a person."),
        Key::new("social", Map(&SOCIAL), "{ network: linkedin, act: view }", "Something on a social network, as a task for a person."),
        Key::new("task", Map(&TASK), "{ title: Find one reason to write }", "Anything else for a person; it touches nobody."),
        Key::new("hand_off", Map(&HAND_OFF), "{ to: account_manager, accept_within: 1 business day }", "Give the person to a role."),
        Key::new("by", Slug, "account_manager", "As in `defaults`, for this step; not for automatic mail and hand-offs."),
        Key::new("to", List(&Slug), "[champion]", "With `unit: company`: for whom the step is, the first of these roles for which somebody is still in it. Mails, calls and social touches need it; without it a task or a hand-off is about the account and goes to the first who is left."),
        Key::new("only_if", Map(&CONDITION), "{ has: [phone] }", "Skipped unless all lines hold."),
        Key::new("skip_if", Map(&CONDITION), "{ outcome: { call-1: [left_voicemail] } }", "Skipped if all lines hold."),
        Key::new("hours", Words(|| words(&StepHours::ALL)), "any", "Whether the step keeps to working hours; `any` lets one mail leave at night and outside the send window. All other limits hold.").or("calendar"),
        Key::new("within", Length, "5 business minutes", "How soon the task should be done: a target for the countdown and the report, no limit."),
        Key::new("expires_after", Length, "1 business day", "As in `defaults`, for this step."),
        Key::new("priority", PRIORITY, "high", "As in `defaults`, for this step."),
        Key::new("outcomes", Outcomes(&A_VERB), "{ no_answer: { retry: { after: 4 business hours, max: 1 } } }", "What an outcome leads to, where it differs from the usual."),
    ],
    exactly_one: &[&["day", "after", "at"], &["email", "call", "social", "task", "hand_off"]],
};

/// `email`.
pub static EMAIL: Section = Section {
    name: "email",
    of: "an email",
    about: "A mail, sent inside the send window, at most once: by itself, or when a person has read it.",
    keys: &[
        Key::new("template", Template, "intro", "The text: a file in `templates/` without `.hbs`."),
        Key::new("split", Keyed(&Template, &Number(1, 100)), "{ intro-pain: 50, intro-trigger: 50 }", "Several texts to compare, each with its weight; the weights add up to 100."),
        Key::new("thread", Words(|| words(&THREADS)), "new", "`new` begins a conversation and needs a subject; `reply` goes on with the last one and has none.").required(),
        Key::new("mode", Words(|| words(&MailMode::ALL)), "review", "Whether a person reads the mail before it leaves. With `review` a task opens when the step is due; what was `released` leaves as soon as it may, what is `skipped` or expires is never sent.").or("auto"),
    ],
    exactly_one: &[&["template", "split"]],
};

/// `call`.
pub static CALL: Section = Section {
    name: "call",
    of: "a call",
    about: "A call, as a task with its script.",
    keys: &[
        Key::new(
            "script",
            Template,
            "opener-discovery",
            "What to say: a file in `templates/` without `.hbs`.",
        )
        .required(),
        Key::new(
            "voicemail",
            Either(&[Exactly("none"), Template]),
            "vm-first",
            "What to say when a machine answers; `none` is to hang up.",
        )
        .or("none"),
    ],
    exactly_one: &[],
};

/// `social`.
pub static SOCIAL: Section = Section {
    name: "social",
    of: "a social touch",
    about: "Something on a social network. A person does it; nothing is automated there.",
    keys: &[
        Key::new("network", Text, "linkedin", "Which one.").required(),
        Key::new("act", Words(|| words(&SocialAct::ALL)), "connect", "What to do there.")
            .required(),
        Key::new(
            "text",
            Template,
            "li-connect-note",
            "What to write: a file in `templates/` without `.hbs`. A note with `act: connect` on LinkedIn has room for 200 characters, or 300 from a paid account.",
        ),
    ],
    exactly_one: &[],
};

/// `task`.
pub static TASK: Section = Section {
    name: "task",
    of: "a task",
    about: "Something for a person to do that touches nobody.",
    keys: &[
        Key::new("title", Text, "Find one reason to write", "What is to be done.").required(),
        Key::new(
            "notes",
            Template,
            "research-checklist",
            "More about it: a file in `templates/` without `.hbs`.",
        ),
        Key::new(
            "collect",
            List(&Field),
            "[x.trigger]",
            "Not `done` until these fields of the person are known; they are filled with `firsttouch done 17 done --set x.trigger=\"…\"`, and the mails below can use them.",
        ),
    ],
    exactly_one: &[],
};

/// `hand_off`.
pub static HAND_OFF: Section = Section {
    name: "hand_off",
    of: "`hand_off`",
    about: "Give a person to a role of a [[rep]] in firsttouch.toml. Somebody who holds it gets a task: `accepted` ends the enrollment as handed off. When it is declined, or nobody accepts in time, it comes back to the top of the giver's queue.",
    keys: &[
        Key::new("to", Slug, "account_manager", "The role.").required(),
        Key::new(
            "brief",
            Template,
            "ae-brief",
            "What the role gets to read: a file in `templates/` without `.hbs`.",
        ),
        Key::new("accept_within", Length, "4 business hours", "How long the role has.")
            .or("1 business day"),
    ],
    exactly_one: &[],
};

/// The lines of `only_if` and `skip_if`.
pub static CONDITION: Section = Section {
    name: "condition",
    of: "a condition",
    about: "All lines must hold. `any` is the only \"or\".",
    keys: &[
        Key::new("has", List(&Field), "[phone, linkedin_url]", "All of these fields are known."),
        Key::new("has_not", List(&Field), "[phone]", "None of these fields is known."),
        Key::new(
            "outcome",
            Keyed(&Slug, &List(&AN_OUTCOME)),
            "{ call-1: [no_answer, left_voicemail] }",
            "Each of these steps above had one of its outcomes; `skipped` is one, too.",
        ),
        Key::new(
            "field",
            Keyed(&Field, &Test),
            "{ employees: \">= 200\" }",
            "Each of these fields passes its test.",
        ),
        Key::new(
            "event",
            List(&Slug),
            "[email_replied, meeting_booked]",
            "One of these events has happened in this enrollment: `email_replied`, `out_of_office` and `email_bounced` are noted by themselves, any other name by `firsttouch event`.",
        ),
        Key::new(
            "any",
            List(&Map(&CONDITION)),
            "[{ has: [phone] }, { has: [linkedin_url] }]",
            "At least one of these groups holds.",
        ),
    ],
    exactly_one: &[],
};

/// A verb with what it needs.
pub static VERB: Section = Section {
    name: "verb",
    of: "a verb",
    about: "What an outcome leads to, where a word is not enough: `continue`, `triage` and `stop` stand by themselves.",
    keys: &[
        Key::new(
            "retry",
            Map(&RETRY),
            "{ after: 4 business hours, max: 1 }",
            "The same step again; an email cannot be retried. `expires_after` begins anew with each try, and `outcome:` of a condition looks at the last one.",
        ),
        Key::new(
            "pause",
            Length,
            "60 days",
            "Go on with the next step after that: as far behind it as it would have been.",
        ),
        Key::new(
            "switch_to",
            Map(&SWITCH_TO),
            "{ cadence: nurture, after: 90 days }",
            "Finish here and begin there.",
        ),
        Key::new(
            "hand_off",
            Map(&HAND_OFF),
            "{ to: account_executive }",
            "Give the person to a role.",
        ),
    ],
    exactly_one: &[&["retry", "pause", "switch_to", "hand_off"]],
};

/// `retry`.
pub static RETRY: Section = Section {
    name: "retry",
    of: "`retry`",
    about: "The same step again; after `max` times the cadence goes on.",
    keys: &[
        Key::new("after", Length, "4 business hours", "How long to wait.").required(),
        Key::new("max", Number(1, MAX_RETRIES as i64), "1", "How many more times at most.")
            .required(),
    ],
    exactly_one: &[],
};

/// `switch_to`.
pub static SWITCH_TO: Section = Section {
    name: "switch_to",
    of: "`switch_to`",
    about: "Finish here and begin another cadence. Whoever may not come in there (blocked, another audience, no profile, too soon for `again_after` at the time at which it would begin) is finished all the same, and the log says why. In a circle of cadences the waits add up to at least 7 days.",
    keys: &[
        Key::new("cadence", Slug, "nurture-quarterly", "The id of the other cadence.").required(),
        Key::new("after", Length, "90 days", "How long to wait first.").or("0 days"),
    ],
    exactly_one: &[],
};

/// `at_end` with what it needs.
pub static AT_END: Section = Section {
    name: "at_end",
    of: "`at_end`",
    about: "What happens after the last step, where `stop` is not enough.",
    keys: &[
        Key::new(
            "pause",
            Length,
            "60 days",
            "Stay for so long, so that nobody enrolls the person again, and end.",
        ),
        Key::new(
            "switch_to",
            Map(&SWITCH_TO),
            "{ cadence: nurture, after: 60 days }",
            "Finish here and begin there.",
        ),
    ],
    exactly_one: &[&["pause", "switch_to"]],
};
