//! Rules about templates.

use super::{Page, in_template};
use crate::formats::diagnostic::Severity::{Error, Warning};

pub(super) const T100: Page = Page {
    title: "a tag that cannot be read",
    severity: Error,
    about: "Something between braces is not a field, a helper or a complete block: a block is not \
        closed, a value is followed by `|` as in other tools, or a field stands in single braces and \
        would be sent as it stands. Write {{field}}, {{default field \"…\"}} or {{#if \
        field}}…{{/if}}.",
    bad: in_template("Hi {{first_name|there}},\n"),
    good: in_template("Hi {{default first_name \"there\"}},\n"),
};

pub(super) const T101: Page = Page {
    title: "a field that does not exist",
    severity: Error,
    about: "A template names a field that nobody has: every mail with it would wait for a person to \
        fill the gap, and behind `default` the typo would never be seen. The message names the \
        nearest field. A column of your own list is written as x.column.",
    bad: in_template("Hi {{frist_name}},\n"),
    good: in_template("Hi {{first_name}},\n"),
};

pub(super) const T102: Page = Page {
    title: "a partial that does not exist",
    severity: Error,
    about: "A template includes a text that is not in templates/partials/. The name is the file's \
        name without its ending, and without the folder.",
    bad: in_template("Best,\n{{> signatur}}\n"),
    good: in_template("Best,\n{{> signature}}\n"),
};

pub(super) const T103: Page = Page {
    title: "a construct that templates do not have",
    severity: Error,
    about: "Templates are cut down to what a mail needs: fields, if and unless, four helpers, \
        partials. Loops, inline partials, raw blocks and computed names are refused, for nobody can \
        review what they might write, and the engine behind them has no bounds. Texts that are too \
        long or nest too deep are refused as well.",
    bad: in_template("{{#each people}}{{first_name}}{{/each}}\n"),
    good: in_template("{{#if first_name}}{{first_name}}{{else}}there{{/if}}\n"),
};

pub(super) const T104: Page = Page {
    title: "a helper that does not exist, or is used wrongly",
    severity: Error,
    about: "The helpers are default, eq, plural and date, each with its own values, and the blocks if \
        and unless. The message shows how the helper is written.",
    bad: in_template("You have {{plural employees \"person\"}}.\n"),
    good: in_template("You have {{plural employees \"person\" \"people\"}}.\n"),
};

pub(super) const T105: Page = Page {
    title: "the head of a template cannot be read",
    severity: Error,
    about: "Between the two `---` lines at the top stand subject, preview, needs and language, in YAML, and \
        nothing else. A subject with fields is quoted, because a plain { begins a map. A partial has \
        no head: it is part of the template that includes it.",
    bad: in_template("---\nneed: [first_name]\n---\nHi {{first_name}},\n"),
    good: in_template("---\nneeds: [first_name]\n---\nHi {{first_name}},\n"),
};

pub(super) const T106: Page = Page {
    title: "spintax",
    severity: Error,
    about: "{Hi|Hello} makes thousands of texts that nobody has read, and no comparison of two texts \
        can be measured with it. Write two or three whole templates and share them out with `split:`.",
    bad: in_template("{Hi|Hello} {{first_name}},\n"),
    good: in_template("Hi {{first_name}},\n"),
};

pub(super) const T107: Page = Page {
    title: "a field that people on a list lack",
    severity: Warning,
    about: "Only `check --list NAME` says this, for it looks at the people of an imported list. A mail \
        with a gap is never sent, so whoever lacks the field does not get this text. Fill in the \
        column, or give the field a fallback.",
    bad: in_template("Hi {{first_name}}, {{x.nobody_has_this}}\n"),
    good: in_template("Hi {{first_name}}, {{default x.nobody_has_this \"hello\"}}\n"),
};
