//! Rules about cadences and what they need of other files.

use super::{Example, Page, in_cadence, in_template};
use crate::formats::diagnostic::Severity::{Error, Note, Warning};

pub(super) const C101: Page = Page {
    title: "two steps of one id",
    severity: Error,
    about: "The id is what a step is known by: in conditions, in reports, and for people who are \
        already on their way. So it can stand only once in a cadence.",
    bad: in_cadence(
        "steps:\n  - { id: call, day: 1, call: { script: opener } }\n  - { id: call, day: 3, call: { script: opener } }\n",
    ),
    good: in_cadence(
        "steps:\n  - { id: call-1, day: 1, call: { script: opener } }\n  - { id: call-2, day: 3, call: { script: opener } }\n",
    ),
};

pub(super) const C102: Page = Page {
    title: "a step needs exactly one time",
    severity: Error,
    about: "A step says once when it is due: `day: 3` counts from the enrollment, `after: 2 business \
        days` from the step above. With both, nobody could say which one holds; with none, the step \
        has no time at all.",
    bad: in_cadence(
        "steps:\n  - id: call\n    day: 1\n    after: 2 hours\n    call: { script: opener }\n",
    ),
    good: in_cadence("steps:\n  - id: call\n    after: 2 hours\n    call: { script: opener }\n"),
};

pub(super) const C103: Page = Page {
    title: "a step does exactly one thing",
    severity: Error,
    about: "A step is one touch: an email, a call, a social touch or a task. An email has exactly one \
        source of its text, `template` or `split`. Two things are two steps, so that each has its own \
        outcome.",
    bad: in_cadence(
        "steps:\n  - id: touch\n    day: 1\n    call: { script: opener }\n    task: { title: Note what was said }\n",
    ),
    good: in_cadence(
        "steps:\n  - id: call\n    day: 1\n    call: { script: opener }\n  - id: note\n    after: 0 minutes\n    task: { title: Note what was said }\n",
    ),
};

pub(super) const C104: Page = Page {
    title: "`day` without saying what it counts",
    severity: Error,
    about: "`day: 3` is another day when weekends count. So as soon as a step uses `day`, the file \
        says `days: business` or `days: calendar` at its top.",
    bad: in_cadence(
        "format: cadence/v1\nid: example\ntitle: Example\nenroll: { audience: prospects, profiles: [buyers] }\ncalendar: standard\nsteps:\n  - { id: call, day: 3, call: { script: opener } }\n",
    ),
    good: in_cadence(
        "days: business\nsteps:\n  - { id: call, day: 3, call: { script: opener } }\n",
    ),
};

pub(super) const C105: Page = Page {
    title: "days run backwards",
    severity: Error,
    about: "Steps run from the top to the bottom; there is no jump. A step on an earlier day than one \
        above it would be late before it began. Move it up, or give it a later day.",
    bad: in_cadence(
        "steps:\n  - { id: call-1, day: 4, call: { script: opener } }\n  - { id: call-2, day: 2, call: { script: opener } }\n",
    ),
    good: in_cadence(
        "steps:\n  - { id: call-1, day: 2, call: { script: opener } }\n  - { id: call-2, day: 4, call: { script: opener } }\n",
    ),
};

pub(super) const C106: Page = Page {
    title: "a send window that is none",
    severity: Error,
    about: "A window is an opening and a closing time on the 24-hour clock, in quotes: without them \
        17:30 is the number 1050 to many tools. It opens before it closes, and two windows do not \
        overlap.",
    bad: in_cadence("send_window: [\"8-11\"]\n"),
    good: in_cadence("send_window: [\"08:00-11:00\"]\n"),
};

pub(super) const C107: Page = Page {
    title: "a calendar that does not exist",
    severity: Error,
    about: "`calendar` names a section [calendar.name] of firsttouch.toml, with its working hours and \
        holidays. Without it nobody knows when people work, so nothing could be sent.",
    bad: in_cadence("calendar: standrad\n"),
    good: in_cadence("calendar: standard\n"),
};

pub(super) const C108: Page = Page {
    title: "a profile that does not exist",
    severity: Error,
    about: "`enroll.profiles` names files in profiles/ without their ending, or `any` alone, and `roles` \
        names one for each role. A name that is not there would keep out the people it is meant to \
        let in.",
    bad: in_cadence("enroll: { audience: prospects, profiles: [buyer] }\n"),
    good: in_cadence("enroll: { audience: prospects, profiles: [buyers] }\n"),
};

pub(super) const C109: Page = Page {
    title: "a profile that no cadence uses",
    severity: Note,
    about: "No cadence lets people in by this profile. That is fine for one that is only used to look \
        at a list with `firsttouch profile`; else add it to `enroll.profiles` of a cadence, or \
        delete the file. It is not said while a cadence has errors.",
    bad: Example {
        path: "profiles/lonely.yaml",
        text: "id: lonely\nmatch:\n  title: { any: [CFO] }\n",
    },
    good: Example {
        path: "profiles/example.yaml",
        text: "id: example\nmatch:\n  title: { any: [CFO] }\n",
    },
};

pub(super) const C110: Page = Page {
    title: "a cadence to switch to that does not exist",
    severity: Error,
    about: "`switch_to` names a file in cadences/ without its ending. People who are switched to a \
        cadence that is not there would fall out without a word. The message names the nearest one.",
    bad: in_cadence("at_end: { switch_to: { cadence: bsae, after: 60 days } }\n"),
    good: in_cadence("at_end: { switch_to: { cadence: base, after: 60 days } }\n"),
};

pub(super) const C111: Page = Page {
    title: "a role that nobody holds",
    severity: Warning,
    about: "`hand_off` gives a person to a role, and `by` gives a task to one, and no [[rep]] of \
        firsttouch.toml holds it. The task would land with the owner. Add a [[rep]] with an id and \
        its `roles`.",
    bad: in_cadence(
        "steps:\n  - { id: over, day: 1, hand_off: { to: acount_manager, accept_within: 1 day } }\n",
    ),
    good: in_cadence(
        "steps:\n  - { id: over, day: 1, hand_off: { to: account_manager, accept_within: 1 day } }\n",
    ),
};

pub(super) const C112: Page = Page {
    title: "not a date to count from",
    severity: Error,
    about: "`at` is a field that holds a date, and a length before or behind it: `close_date + 14 \
        days`, `renewal_date - 90 days`, or the field alone. It is counted in days, weeks or \
        business days, because a date has no hours. A list brings such a date as a column of its own.",
    bad: in_cadence(
        "steps:\n  - { id: call, at: close_date + 3 hours, call: { script: opener } }\n",
    ),
    good: in_cadence(
        "steps:\n  - { id: call, at: close_date + 3 business days, call: { script: opener } }\n",
    ),
};

pub(super) const C113: Page = Page {
    title: "`unit: company`, `roles` and `to` go together",
    severity: Error,
    about: "With `unit: company` one enrollment covers a company: `roles` says who of it is written to, \
        each with the profile by which the person is found, and `to` says for whom a step is. In a \
        cadence for single persons there is nobody else, so neither has a meaning there. Write all \
        of them, or none.",
    bad: in_cadence(
        "roles: { champion: buyers }\nsteps:\n  - { id: call, day: 1, to: [champion], call: { script: opener } }\n",
    ),
    good: in_cadence(
        "unit: company\nroles: { champion: buyers }\nsteps:\n  - { id: call, day: 1, to: [champion], call: { script: opener } }\n",
    ),
};

pub(super) const C114: Page = Page {
    title: "a role and `enroll.profiles` do not agree",
    severity: Error,
    about: "A role's person is found by its profile, and `enroll.profiles` says by which profiles \
        anybody may come in. A role whose profile is not let in would stay empty in every account. \
        The other way round it is a warning: by a profile without a role nobody is ever found.",
    bad: in_cadence(
        "unit: company\nroles: { champion: buyers, economic: example }\nsteps:\n  - { id: call, day: 1, to: [economic, champion], call: { script: opener } }\n",
    ),
    good: in_cadence(
        "unit: company\nroles: { champion: buyers, economic: example }\nenroll: { audience: prospects, profiles: [buyers, example] }\nsteps:\n  - { id: call, day: 1, to: [economic, champion], call: { script: opener } }\n",
    ),
};

pub(super) const C115: Page = Page {
    title: "a role that `roles` does not have",
    severity: Error,
    about: "`to` names roles of the cadence: the step is for the first of them for which somebody is \
        still in the account. A name that `roles` does not have is nobody, and one that stands twice \
        was probably meant to be another. The message names the nearest one.",
    bad: in_cadence(
        "unit: company\nroles: { champion: buyers }\nsteps:\n  - { id: call, day: 1, to: [champoin], call: { script: opener } }\n",
    ),
    good: in_cadence(
        "unit: company\nroles: { champion: buyers }\nsteps:\n  - { id: call, day: 1, to: [champion], call: { script: opener } }\n",
    ),
};

pub(super) const C116: Page = Page {
    title: "a role that no step is for",
    severity: Warning,
    about: "The role's person would be looked for and kept in the account, so that nobody else can \
        enroll them, and would never be touched. Take the role out, or write a step with it in `to`.",
    bad: in_cadence(
        "unit: company\nroles: { champion: buyers, technical: buyers }\nsteps:\n  - { id: call, day: 1, to: [champion], call: { script: opener } }\n",
    ),
    good: in_cadence(
        "unit: company\nroles: { champion: buyers, technical: buyers }\nsteps:\n  - { id: call, day: 1, to: [champion], call: { script: opener } }\n  - { id: view, day: 2, to: [technical], social: { network: linkedin, act: view } }\n",
    ),
};

pub(super) const C117: Page = Page {
    title: "a touch that does not say whom it touches",
    severity: Error,
    about: "With `unit: company` an enrollment has several people, and a mail, a call or a social touch \
        is meant for one of them. So it says for whom: `to: [champion]`. A task or a hand-off may be \
        about the account as a whole and needs no `to`.",
    bad: in_cadence(
        "unit: company\nroles: { champion: buyers }\nsteps:\n  - { id: view, day: 1, to: [champion], social: { network: linkedin, act: view } }\n  - { id: call, day: 2, call: { script: opener } }\n",
    ),
    good: in_cadence(
        "unit: company\nroles: { champion: buyers }\nsteps:\n  - { id: research, day: 1, task: { title: Find one reason to write } }\n  - { id: call, day: 2, to: [champion], call: { script: opener } }\n",
    ),
};

pub(super) const C118: Page = Page {
    title: "a setting that does not suit one conversation",
    severity: Error,
    about: "With `unit: company` an enrollment is one conversation with several people. While one of \
        them has answered the others wait, so `on_reply: nothing` is refused. A company has one \
        enrollment in such a cadence, so `per_company_at_once` limits nothing there; that is a \
        warning.",
    bad: in_cadence(
        "unit: company\nroles: { champion: buyers }\ncompany: { on_reply: nothing }\nsteps:\n  - { id: call, day: 1, to: [champion], call: { script: opener } }\n",
    ),
    good: in_cadence(
        "unit: company\nroles: { champion: buyers }\ncompany: { on_reply: stop_others }\nsteps:\n  - { id: call, day: 1, to: [champion], call: { script: opener } }\n",
    ),
};

pub(super) const C201: Page = Page {
    title: "a step that does not exist, or not above",
    severity: Error,
    about: "A condition looks back: at what came of a step above it. The step that it names is not in \
        the cadence, or stands below. The message names the nearest one.",
    bad: in_cadence(
        "steps:\n  - { id: li-connect, day: 1, social: { network: linkedin, act: connect } }\n  - id: li-message\n    day: 4\n    only_if: { outcome: { li-conect: [accepted] } }\n    social: { network: linkedin, act: message, text: note }\n",
    ),
    good: in_cadence(
        "steps:\n  - { id: li-connect, day: 1, social: { network: linkedin, act: connect } }\n  - id: li-message\n    day: 4\n    only_if: { outcome: { li-connect: [accepted] } }\n    social: { network: linkedin, act: message, text: note }\n",
    ),
};

pub(super) const C202: Page = Page {
    title: "an outcome that the step cannot have",
    severity: Error,
    about: "Each kind of step has its own outcomes: a call can be `no_answer`, a mail cannot. A \
        condition on an outcome that never happens is never true, and a consequence of it never \
        comes. What was skipped always goes on, so `skipped` can be looked at but has no consequence.",
    bad: in_cadence(
        "steps:\n  - id: call\n    day: 1\n    call: { script: opener }\n    outcomes: { left_voice_mail: stop }\n",
    ),
    good: in_cadence(
        "steps:\n  - id: call\n    day: 1\n    call: { script: opener }\n    outcomes: { left_voicemail: stop }\n",
    ),
};

pub(super) const C203: Page = Page {
    title: "a field that does not exist",
    severity: Error,
    about: "A condition or a profile names a field that is not one of ours. A name that is near a \
        field is refused. Any other is taken for a column of the list, with a warning: write \
        x.column to say so.",
    bad: in_cadence(
        "steps:\n  - id: call\n    day: 1\n    only_if: { has: [phon] }\n    call: { script: opener }\n",
    ),
    good: in_cadence(
        "steps:\n  - id: call\n    day: 1\n    only_if: { has: [phone, x.trigger] }\n    call: { script: opener }\n",
    ),
};

pub(super) const C204: Page = Page {
    title: "an event that is never noted",
    severity: Error,
    about: "A condition asks for an event that nobody notes, so the line would never hold: it looks \
        like a slip for one that the engine notes on an enrollment, or it is no name. Names of your \
        own are for `firsttouch event`. An event that happens inside a cadence cannot let anybody in.",
    bad: in_cadence(
        "steps:\n  - id: call\n    day: 1\n    only_if: { event: [email_replyed] }\n    call: { script: opener }\n",
    ),
    good: in_cadence(
        "steps:\n  - id: call\n    day: 1\n    only_if: { event: [email_replied] }\n    call: { script: opener }\n",
    ),
};

pub(super) const C301: Page = Page {
    title: "the weights do not add up to 100",
    severity: Error,
    about: "`split` shares people out among templates by weight, and the weights are percentages. \
        When they add up to something else, a part of the people is not accounted for.",
    bad: in_cadence(
        "steps:\n  - id: email\n    day: 1\n    email: { split: { intro: 50, intro-b: 40 }, thread: new }\n",
    ),
    good: in_cadence(
        "steps:\n  - id: email\n    day: 1\n    email: { split: { intro: 50, intro-b: 50 }, thread: new }\n",
    ),
};

pub(super) const C302: Page = Page {
    title: "a reply to nothing",
    severity: Error,
    about: "`thread: reply` goes on with the conversation that an email above began with `thread: \
        new`. Without one there is no subject and nothing to answer. Begin with a new thread. With \
        `unit: company` each role in `to` needs a thread of its own: nobody answers another's mail.",
    bad: in_cadence(
        "steps:\n  - id: email\n    day: 1\n    email: { template: bump, thread: reply }\n",
    ),
    good: in_cadence(
        "steps:\n  - id: email-1\n    day: 1\n    email: { template: intro, thread: new }\n  - id: email-2\n    day: 3\n    email: { template: bump, thread: reply }\n",
    ),
};

pub(super) const C303: Page = Page {
    title: "an email cannot be retried",
    severity: Error,
    about: "One step sends one mail to one person, ever: that is a promise that holds across crashes \
        and restarts. So `retry` is for calls and tasks. A second mail is a second step, with its own \
        text.",
    bad: in_cadence(
        "steps:\n  - id: email\n    day: 1\n    email: { template: intro, thread: new }\n    outcomes: { refused: { retry: { after: 1 day, max: 1 } } }\n",
    ),
    good: in_cadence(
        "steps:\n  - id: call\n    day: 1\n    call: { script: opener }\n    outcomes: { no_answer: { retry: { after: 1 day, max: 1 } } }\n",
    ),
};

pub(super) const C304: Page = Page {
    title: "an outcome of our own that is there already",
    severity: Error,
    about: "`custom_outcomes` adds words for what came of a call, a social touch or a task. This word \
        is one of the built-in outcomes, which keep their meaning in every cadence and every report. \
        Choose another word.",
    bad: in_cadence("custom_outcomes: { interested: Very interested }\n"),
    good: in_cadence("custom_outcomes: { at_risk: Customer is at risk }\n"),
};

pub(super) const C305: Page = Page {
    title: "a key that this kind of step cannot use",
    severity: Error,
    about: "`hours: any` lets a mail leave at night; what people do keeps to working hours. `within` is \
        a target for what a person does; a mail leaves as soon as it may, and a hand-off has its own \
        `accept_within`. `by` says whose task a step is; a mail that nobody reads first is nobody's. \
        Take the key out, or put it on the step that it was meant for.",
    bad: in_cadence(
        "steps:\n  - id: call\n    day: 1\n    hours: any\n    call: { script: opener }\n",
    ),
    good: in_cadence(
        "steps:\n  - id: call\n    day: 1\n    within: 5 business minutes\n    call: { script: opener }\n",
    ),
};

pub(super) const C501: Page = Page {
    title: "a template that does not exist",
    severity: Error,
    about: "Scripts, voicemail texts, notes and mails are all files in templates/, named without \
        .hbs. The step names one that is not there, so it could never be done.",
    bad: in_cadence("steps:\n  - { id: call, day: 1, call: { script: openr } }\n"),
    good: in_cadence("steps:\n  - { id: call, day: 1, call: { script: opener } }\n"),
};

pub(super) const C502: Page = Page {
    title: "a subject where none belongs, or none where one does",
    severity: Error,
    about: "A mail that begins a thread needs a subject; a reply keeps the subject of its thread, and \
        one of its own would break the thread in the reader's mailbox. So the template's head says \
        `subject:` for `thread: new`, and not for `thread: reply`.",
    bad: in_cadence(
        "steps:\n  - id: email\n    day: 1\n    email: { template: bump, thread: new }\n",
    ),
    good: in_cadence(
        "steps:\n  - id: email\n    day: 1\n    email: { template: intro, thread: new }\n",
    ),
};

pub(super) const C503: Page = Page {
    title: "a LinkedIn note that is too long",
    severity: Error,
    about: "A note with a request to connect has room for 200 characters on a free LinkedIn account \
        and for 300 on a paid one. The text of the template alone, before any name is filled in, is \
        longer. Above 200 it is a warning, above 300 an error: nobody could send it.",
    bad: in_cadence(
        "steps:\n  - id: li\n    day: 1\n    social: { network: linkedin, act: connect, text: long-note }\n",
    ),
    good: in_cadence(
        "steps:\n  - id: li\n    day: 1\n    social: { network: linkedin, act: connect, text: note }\n",
    ),
};

pub(super) const C504: Page = Page {
    title: "a template that nothing uses",
    severity: Note,
    about: "No step names this template, or no template includes this partial. Delete it, or find out \
        which step should have used it. It is not said while a cadence or a template has errors.",
    bad: Example { path: "templates/lonely.hbs", text: "Hi {{first_name}},\n" },
    good: in_template("Hi {{first_name}},\n"),
};

pub(super) const C505: Page = Page {
    title: "a profile does not say what a mail needs",
    severity: Warning,
    about: "A template uses {{profile.say.…}} and the cadence lets in people by a profile that has no \
        such line under `say`. Their mail would not be sent: it waits for a person to fill the gap. \
        Add the line to the profile, or give the template a text of its own with {{default …}} or \
        {{#if …}}.",
    bad: Example {
        path: "templates/intro.hbs",
        text: "---\nsubject: A question\n---\n{{profile.say.prof}}\n",
    },
    good: Example {
        path: "templates/intro.hbs",
        text: "---\nsubject: A question\n---\n{{profile.say.proof}}\n",
    },
};

pub(super) const C506: Page = Page {
    title: "a template in another language than its people",
    severity: Warning,
    about: "The head of the template says one `language`, and a profile of the cadence another. Its \
        people would get a mail in a language that they may not read. Write a template for each \
        language, and a cadence for each; en and en-gb are the same here.",
    bad: Example {
        path: "templates/intro.hbs",
        text: "---\nsubject: Eine Frage\nlanguage: de\n---\nGuten Tag {{first_name}},\n",
    },
    good: Example {
        path: "templates/intro.hbs",
        text: "---\nsubject: A question\nlanguage: en\n---\nHi {{first_name}},\n",
    },
};

pub(super) const C601: Page = Page {
    title: "more touches on a day than the limit allows",
    severity: Warning,
    about: "`limits.touches_per_prospect_per_day` holds always, so what is over it waits a day, and \
        every step behind it moves too: the plan will not run as it reads. Raise the limit, or spread \
        the steps. A task is no touch, steps of which only one can happen count once, and at an \
        account each person is counted alone.",
    bad: in_cadence(
        "limits: { touches_per_prospect_per_day: 1 }\nsteps:\n  - { id: view, day: 1, social: { network: linkedin, act: view } }\n  - { id: call, day: 1, call: { script: opener } }\n",
    ),
    good: in_cadence(
        "limits: { touches_per_prospect_per_day: 2 }\nsteps:\n  - { id: view, day: 1, social: { network: linkedin, act: view } }\n  - { id: call, day: 1, call: { script: opener } }\n",
    ),
};

pub(super) const C602: Page = Page {
    title: "two automatic mails on one day",
    severity: Warning,
    about: "Two mails on one day read like a machine, and like spam. It is fine when only one of them \
        can go out, because their conditions exclude each other: one with `only_if`, the other with \
        `skip_if`, and the same lines. It is fine, too, when they are for different roles.",
    bad: in_cadence(
        "steps:\n  - { id: email-1, day: 1, email: { template: intro, thread: new } }\n  - { id: email-2, after: 2 hours, email: { template: bump, thread: reply } }\n",
    ),
    good: in_cadence(
        "steps:\n  - { id: email-1, day: 1, email: { template: intro, thread: new } }\n  - { id: email-2, after: 2 business days, email: { template: bump, thread: reply } }\n",
    ),
};

pub(super) const C603: Page = Page {
    title: "a step that nobody can reach",
    severity: Warning,
    about: "The step's conditions can never hold: it waits for an outcome that ends the cadence, for \
        a step that is never done itself, for a field that must be there and must not, or every \
        profile of the cadence requires what the step wants to be missing. Everybody would skip it.",
    bad: in_cadence(
        "steps:\n  - { id: call, day: 1, call: { script: opener } }\n  - id: thanks\n    day: 2\n    only_if: { outcome: { call: [not_interested] } }\n    email: { template: intro, thread: new }\n",
    ),
    good: in_cadence(
        "steps:\n  - { id: call, day: 1, call: { script: opener } }\n  - id: thanks\n    day: 2\n    only_if: { outcome: { call: [left_voicemail] } }\n    email: { template: intro, thread: new }\n",
    ),
};

pub(super) const C604: Page = Page {
    title: "a wait that always ends on a closed day",
    severity: Warning,
    about: "The wait counts days of the year, and from every day on which the calendar works it leads \
        to one on which it does not. So the step always happens later than it reads. Count business \
        days, or choose a length that ends on a working day.",
    bad: in_cadence(
        "calendar: weekend\nsteps:\n  - { id: call-1, day: 1, call: { script: opener } }\n  - { id: call-2, after: 2 days, call: { script: opener } }\n",
    ),
    good: in_cadence(
        "calendar: weekend\nsteps:\n  - { id: call-1, day: 1, call: { script: opener } }\n  - { id: call-2, after: 1 week, call: { script: opener } }\n",
    ),
};

pub(super) const C119: Page = Page {
    title: "one person switched into a cadence that takes in companies",
    severity: Error,
    about: "A cadence with `unit: company` takes in companies: people are found for its roles among those \
        of the company. Somebody who is switched comes alone, so they would be refused when the time \
        comes. Switch to a cadence for one person, or hand over to somebody who enrolls the company.",
    bad: in_cadence(concat!(
        "unit: company\nroles: { champion: buyers }\n",
        "steps:\n  - { id: call, day: 1, to: [champion], call: { script: opener } }\n",
        "at_end: { switch_to: { cadence: example, after: 200 days } }\n"
    )),
    good: in_cadence("at_end: { switch_to: { cadence: example, after: 200 days } }\n"),
};

pub(super) const C605: Page = Page {
    title: "a circle of cadences that turns too fast, or not at all",
    severity: Error,
    about: "Cadences may switch to each other in a circle, for somebody who is to be nurtured for years. \
        Then the waits of the circle add up to at least 7 days, or people would be worked without a \
        pause. A cadence that switches to itself must wait as long as its own `again_after`, for until \
        then nobody may come again.",
    bad: in_cadence("at_end: { switch_to: { cadence: example, after: 1 day } }\n"),
    good: in_cadence("at_end: { switch_to: { cadence: example, after: 200 days } }\n"),
};
