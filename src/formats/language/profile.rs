//! The keys of `profile/v1`.

use super::Takes::{
    Anything, Either, Exactly, Field, Keyed, List, Map, Number, Range, Slug, Test, Text,
};
use super::{Key, MAX_POINTS, Section};

/// A whole file in `profiles/`.
pub static PROFILE: Section = Section {
    name: "profile",
    of: "a profile",
    about: "One file in `profiles/`: which people fit, how well, and what to say to them.",
    keys: &[
        Key::new("format", Exactly("profile/v1"), "profile/v1", "What kind of file this is, and the version of the language.").required(),
        Key::new("id", Slug, "vp-sales-saas", "The name of the profile, and of its file without `.yaml`.").required(),
        Key::new("title", Text, "VP of Sales at a SaaS company", "What people read in lists and reports.").required(),
        Key::new("about", Text, "Owns the number. Reads mail before nine.", "Who that is; shown to reps."),
        Key::new("match", Keyed(&Field, &Either(&[Map(&MATCH_LINE), Range])), "{ title: { any: [VP Sales, CRO] }, employees: 51-1000 }", "Every line must hold: words for text, a range for employees, revenue and columns that hold numbers.").required(),
        Key::new("require", List(&Field), "[email]", "Whoever fits, but lacks one of these fields, is incomplete and not enrolled."),
        Key::new("prefer", List(&Field), "[phone, x.trigger]", "Each of these fields that is known adds one point."),
        Key::new("score", List(&Map(&SCORE_LINE)), "[{ add: 20, if: { has: [x.trigger] } }]", "The order of the queue; it does not decide who is in."),
        Key::new("say", Keyed(&Slug, &Text), "{ pain: new reps ramp for two quarters }", "What templates say to these people, as {{profile.say.pain}}."),
        Key::new("language", Slug, "en", "The language of the mails to these people."),
        Key::new("shared", Anything, "{ roles: [VP Sales] }", "A parking place for YAML anchors; nothing in it is read by itself."),
    ],
    exactly_one: &[],
};

/// One line of `match` that is about words.
pub static MATCH_LINE: Section = Section {
    name: "match_line",
    of: "a line of `match`",
    about: "Whole words, in whatever case. At least one of the two lists is there.",
    keys: &[
        Key::new("any", List(&Text), "[VP Sales, Head of Sales]", "One of these is in the value."),
        Key::new("none", List(&Text), "[assistant, former]", "None of these is in the value."),
    ],
    exactly_one: &[],
};

/// One item of `score`.
pub static SCORE_LINE: Section = Section {
    name: "score_line",
    of: "a line of `score`",
    about: "Points for those of whom a condition holds.",
    keys: &[
        Key::new(
            "add",
            Number(-MAX_POINTS, MAX_POINTS),
            "20",
            "How many; below zero they are taken away.",
        )
        .required(),
        Key::new("if", Map(&PERSON_CONDITION), "{ has: [phone] }", "All lines must hold.")
            .required(),
    ],
    exactly_one: &[],
};

/// The lines of a condition about a person.
pub static PERSON_CONDITION: Section = Section {
    name: "person_condition",
    of: "a condition",
    about: "All lines must hold. `any` is the only \"or\".",
    keys: &[
        Key::new("has", List(&Field), "[phone, linkedin_url]", "All of these fields are known."),
        Key::new("has_not", List(&Field), "[linkedin_url]", "None of these fields is known."),
        Key::new(
            "field",
            Keyed(&Field, &Test),
            "{ employees: \">= 200\" }",
            "Each of these fields passes its test.",
        ),
        Key::new(
            "any",
            List(&Map(&PERSON_CONDITION)),
            "[{ has: [phone] }, { has: [email] }]",
            "At least one of these groups holds.",
        ),
    ],
    exactly_one: &[],
};
