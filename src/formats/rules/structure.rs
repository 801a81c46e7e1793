//! Rules about how a file is written, about profiles, and about the settings.

use super::{Example, Page, in_cadence, in_profile};
use crate::formats::diagnostic::Severity::{Error, Warning};

pub(super) const C001: Page = Page {
    title: "the file cannot be read as YAML",
    severity: Error,
    about: "The text is not one YAML document: a quote or a bracket is left open, a tab stands where \
        blanks should, or a key is written twice in one map. A key twice is an error because the \
        second one would silently win. Nothing else is said about the file until this is mended. \
        Files are also refused when they are larger than any cadence: 256 KiB, 20,000 values, 32 \
        levels, 100 aliases. A file that is not text in UTF-8, or that may not be opened, is told here, too.",
    bad: in_cadence("title: First touch\ntitle: Second touch\n"),
    good: in_cadence("title: First touch\n"),
};

pub(super) const C002: Page = Page {
    title: "a key that does not exist",
    severity: Error,
    about: "A map has a key that the language does not know, mostly a slip of the finger. It is \
        refused and not ignored, because what it was meant to say would not happen. The message \
        names the nearest key, or all of them. Anchors belong under `shared:`, where everything is \
        allowed.",
    bad: in_cadence(
        "steps:\n  - id: email-1\n    day: 1\n    email: { templte: intro, template: intro, thread: new }\n",
    ),
    good: in_cadence(
        "steps:\n  - id: ask\n    day: 1\n    task: { title: Ask for their number, collect: [x.second_number] }\n",
    ),
};

pub(super) const C003: Page = Page {
    title: "something that is needed is missing",
    severity: Error,
    about: "A key without which the file says too little is not there: an email without `thread`, a \
        line of `match` without words, a cadence without steps. There is no default that would be \
        right for everybody. Add the key that the message names.",
    bad: in_cadence("steps:\n  - id: email-1\n    day: 1\n    email: { template: intro }\n"),
    good: in_cadence(
        "steps:\n  - id: email-1\n    day: 1\n    email: { template: intro, thread: new }\n",
    ),
};

pub(super) const C004: Page = Page {
    title: "a value of the wrong kind",
    severity: Error,
    about: "The key exists, but its value is not what it takes: a word where a list belongs, a word \
        that is not one of a few, a number out of bounds, a name with capitals. A list is always \
        written as a list and a map as a map, also when it has one entry. The message says what is \
        expected.",
    bad: in_cadence(
        "steps:\n  - id: view\n    day: 1\n    social: { network: linkedin, act: glance }\n",
    ),
    good: in_cadence(
        "steps:\n  - id: view\n    day: 1\n    social: { network: linkedin, act: view }\n",
    ),
};

pub(super) const C005: Page = Page {
    title: "a length of time without a unit, or none at all",
    severity: Error,
    about: "Every length of time is a whole number and a unit: minutes, hours, days, weeks, business \
        minutes, business hours or business days. A bare number could mean any of them. Months and \
        years are not equally long, so write 30 days or 365 days. Where waiting no time makes no \
        sense, zero is refused too.",
    bad: in_cadence(
        "steps:\n  - id: call-1\n    after: 4\n    call: { script: opener, voicemail: none }\n",
    ),
    good: in_cadence(
        "steps:\n  - id: call-1\n    after: 4 business hours\n    call: { script: opener, voicemail: none }\n",
    ),
};

pub(super) const C006: Page = Page {
    title: "the file is of another kind or version",
    severity: Error,
    about: "`format` says what a file is and which version of the language it speaks: `cadence/v1` in \
        cadences/, `profile/v1` in profiles/, `test/v1` in cadences/tests/. A file of another kind lies in the wrong folder, and a \
        newer version needs a newer firsttouch.",
    bad: in_cadence("format: cadence/v2\n"),
    good: in_cadence("format: cadence/v1\n"),
};

pub(super) const C007: Page = Page {
    title: "a file that is not read",
    severity: Warning,
    about: "In cadences/ and profiles/ only files whose names end in .yaml are read, so that a thing has \
        one name and one file. A file that ends in .yml lies there without any effect, which is hardly \
        what was meant. Give it the other ending.",
    bad: Example { path: "profiles/another.yml", text: "format: profile/v1\nid: another\n" },
    good: in_profile("format: profile/v1\nid: example\n"),
};

pub(super) const C100: Page = Page {
    title: "the id is not the file's name",
    severity: Error,
    about: "One file holds one thing, and its name is the thing's id: cadences/short.yaml has `id: \
        short`. So a name in a message, a report or another file always leads to its file. The id is \
        what people are enrolled under: to rename a cadence is to end the old one and begin another.",
    bad: in_cadence("id: another\n"),
    good: in_cadence("id: example\n"),
};

pub(super) const C401: Page = Page {
    title: "a word that other tools misread has no quotes",
    severity: Warning,
    about: "Many YAML tools read a plain NO, yes, on or off as true or false: Norway becomes false. \
        firsttouch reads it as it is written, but the hooks and scripts around the repository may \
        not. A plain 07:30 becomes a number and a plain date something else again. Put two-letter codes, such \
        words, dates and times in quotes.",
    bad: in_profile("match:\n  country: { any: [NO, \"SE\"] }\n"),
    good: in_profile("match:\n  country: { any: [\"NO\", \"SE\"] }\n"),
};

pub(super) const C402: Page = Page {
    title: "not a country code",
    severity: Error,
    about: "Countries are kept as the two letters of ISO 3166, whatever a list calls them. A name \
        such as Germany would never match anybody, so the profile would be empty without a word. \
        Write the code in quotes.",
    bad: in_profile("match:\n  country: { any: [\"Germany\"] }\n"),
    good: in_profile("match:\n  country: { any: [\"DE\"] }\n"),
};

pub(super) const C403: Page = Page {
    title: "not a level of seniority",
    severity: Error,
    about: "Seniority has a closed set of levels; when a list has none, the level comes from the \
        title. A word that is near one of them is refused. A word that is near none is only warned \
        about, for a list may have levels of its own.",
    bad: in_profile("match:\n  seniority: { any: [directr] }\n"),
    good: in_profile("match:\n  seniority: { any: [director] }\n"),
};

pub(super) const C404: Page = Page {
    title: "a wanted phrase is ruled out beside it",
    severity: Warning,
    about: "`none` rules out every value that has its words anywhere, so a phrase under `any` that \
        contains them can never let anybody in. Take one of the two out, or make the phrase under \
        `none` longer.",
    bad: in_profile(
        "match:\n  title: { any: [Head of Sales Operations, CRO], none: [operations] }\n",
    ),
    good: in_profile("match:\n  title: { any: [Head of Sales, CRO], none: [operations] }\n"),
};

pub(super) const C900: Page = Page {
    title: "part of the language, but not run yet",
    severity: Error,
    about: "The key or the value is in the language, and editors know it, but this version of \
        firsttouch does not do what it says. It is refused and not ignored: a cadence that silently \
        leaves something out is worse than one that does not start. Take it out until a version runs \
        it.",
    bad: in_cadence(
        "steps:\n  - id: ask\n    day: 1\n    task: { title: Ask for their number, collect: [phone] }\n",
    ),
    good: in_cadence(
        "steps:\n  - id: email-1\n    day: 1\n    email: { template: intro, thread: new }\n",
    ),
};

pub(super) const S001: Page = Page {
    title: "the settings are wrong",
    severity: Error,
    about: "firsttouch.toml cannot be used as it is, so no command that needs it does anything. The \
        other files are still checked, but names of calendars are not, for they stand in the \
        settings.",
    bad: Example { path: "firsttouch.toml", text: "[company]\nnam = \"Acme\"\n" },
    good: Example { path: "firsttouch.toml", text: "[company]\nname = \"Acme\"\n" },
};

pub(super) const S002: Page = Page {
    title: "the settings work, but should be looked at",
    severity: Warning,
    about: "firsttouch.toml can be used, but something in it is probably not as meant, or is not as \
        safe as it could be. Nothing is held back because of it.",
    bad: Example {
        path: "firsttouch.toml",
        text: "[company]\nname = \"Acme\"\n[[mailbox]]\nid = \"ann\"\nfrom = \"ann@acme.test\"\n\
               smtp = { host = \"mx.acme.test\", tls = \"starttls\", user = \"ann\", password = \"hunter2\" }\nmaildir = \"mail\"\n",
    },
    good: Example {
        path: "firsttouch.toml",
        text: "[company]\nname = \"Acme\"\n[[mailbox]]\nid = \"ann\"\nfrom = \"ann@acme.test\"\n\
               smtp = { host = \"mx.acme.test\", tls = \"starttls\", user = \"ann\", password = { env = \"MX_PASSWORD\" } }\nmaildir = \"mail\"\n",
    },
};
