//! The closed list of names that a template may use, so that a typo is found before anybody is written to.

use std::collections::BTreeSet;

use crate::domain::facts::FIELDS;
use crate::formats::diagnostic::did_you_mean;

/// Which extra columns are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtraFields {
    /// No list is known: every `x.*` name is fine.
    Any,
    /// The slugs of the columns that the lists have, without `x.`; others are reported.
    Known(BTreeSet<String>),
}

/// What is known of the sender and of the owner.
const PERSON_FIELDS: [&str; 6] =
    ["calendar_link", "company", "first_name", "last_name", "phone", "title"];
const OTHER_FIELDS: [&str; 3] = ["last_touch.date", "last_touch.kind", "today"];
/// What people coming from other tools write.
const ALIASES: [(&str, &str); 8] = [
    ("accountname", "company.short"),
    ("company", "company.short"),
    ("companyname", "company.name"),
    ("fname", "first_name"),
    ("jobtitle", "title"),
    ("linkedin", "linkedin_url"),
    ("name", "first_name"),
    ("organization", "company.short"),
];

/// What the vocabulary says of a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Known,
    /// Not a name that any template may use.
    Unknown {
        suggestion: Option<String>,
    },
    /// It could be a column of a list, but no list has it.
    NoSuchColumn {
        suggestion: Option<String>,
    },
}

/// Judges a name as it stands in a template.
pub(super) fn judge(name: &str, extra: &ExtraFields) -> Verdict {
    if is_known(name) {
        return Verdict::Known;
    }
    let own = name.strip_prefix("x.").unwrap_or(name);
    if let ExtraFields::Known(slugs) = extra
        && slugs.contains(own)
    {
        return Verdict::Known;
    }
    if own == name
        && let Some(meant) = meant(name)
    {
        return Verdict::Unknown { suggestion: Some(meant) };
    }
    if !is_slug(own) {
        let names = all_names();
        let suggestion = did_you_mean(name, names.iter().map(String::as_str));
        return Verdict::Unknown { suggestion: suggestion.map(str::to_owned) };
    }
    match extra {
        ExtraFields::Any => Verdict::Known,
        ExtraFields::Known(slugs) => {
            let suggestion = did_you_mean(own, slugs.iter().map(String::as_str));
            Verdict::NoSuchColumn { suggestion: suggestion.map(str::to_owned) }
        }
    }
}

fn is_known(name: &str) -> bool {
    let person = name.strip_prefix("sender.").or_else(|| name.strip_prefix("owner."));
    FIELDS.contains(&name)
        || OTHER_FIELDS.contains(&name)
        || person.is_some_and(|field| PERSON_FIELDS.contains(&field))
        || name.strip_prefix("profile.say.").is_some_and(is_slug)
}

/// Whether this could be the slug of a column. `this` is the language's own word.
fn is_slug(name: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    name != "this" && !name.is_empty() && name.chars().all(fits)
}

/// The field that a bare name most probably means: the same but for its case or one slip.
fn meant(name: &str) -> Option<String> {
    let plain = |name: &str| -> String {
        name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
    };
    let written = plain(name);
    let alias = ALIASES.iter().find(|(alias, _)| *alias == written).map(|(_, field)| *field);
    let fields = FIELDS.iter().chain(&OTHER_FIELDS).copied();
    let same = || fields.clone().find(|field| plain(field) == written);
    // Tighter than for other names: `reason` may well be a column and is no slip for `region`.
    let near = || {
        let limit = 1 + name.chars().count() / 8;
        fields.clone().find(|field| strsim::damerau_levenshtein(name, field) <= limit)
    };
    alias.or_else(same).or_else(near).map(str::to_owned)
}

fn all_names() -> Vec<String> {
    let people = ["sender", "owner"];
    let people = people.iter().flat_map(|who| PERSON_FIELDS.map(|field| format!("{who}.{field}")));
    let others = FIELDS.iter().chain(&OTHER_FIELDS).map(|&name| name.to_owned());
    others.chain(people).chain(["profile.say.pain".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(suggestion: Option<&str>) -> Verdict {
        Verdict::Unknown { suggestion: suggestion.map(str::to_owned) }
    }

    #[test]
    fn names_are_judged_the_same_whether_or_not_a_list_is_known() {
        let known = ExtraFields::Known(BTreeSet::from(["trigger".to_owned()]));
        let cases = [
            ("first_name", Verdict::Known),
            ("company.short", Verdict::Known),
            ("sender.calendar_link", Verdict::Known),
            ("owner.first_name", Verdict::Known),
            ("profile.say.pain", Verdict::Known),
            ("last_touch.kind", Verdict::Known),
            ("today", Verdict::Known),
            ("trigger", Verdict::Known),
            ("x.trigger", Verdict::Known),
            ("frist_name", unknown(Some("first_name"))),
            ("FirstName", unknown(Some("first_name"))),
            ("company", unknown(Some("company.short"))),
            ("company.shrot", unknown(Some("company.short"))),
            ("sender.frist_name", unknown(Some("sender.first_name"))),
            ("sender.password", unknown(None)),
            ("@index", unknown(None)),
            ("this", unknown(None)),
            ("../first_name", unknown(Some("first_name"))),
            ("profile.say.", unknown(Some("profile.say.pain"))),
        ];
        for (name, expected) in cases {
            assert_eq!(judge(name, &ExtraFields::Any), expected, "{name} with any column");
            assert_eq!(judge(name, &known), expected, "{name} with known columns");
        }
    }

    #[test]
    fn an_unheard_of_column_is_fine_only_while_no_list_is_known() {
        let known = ExtraFields::Known(BTreeSet::from(["trigger".to_owned()]));
        for name in ["triger", "x.triger"] {
            assert_eq!(judge(name, &ExtraFields::Any), Verdict::Known);
            let suggestion = Some("trigger".to_owned());
            assert_eq!(judge(name, &known), Verdict::NoSuchColumn { suggestion });
        }
    }

    #[test]
    fn a_column_named_much_like_a_field_can_be_written_with_its_prefix() {
        assert_eq!(judge("titles", &ExtraFields::Any), unknown(Some("title")));
        assert_eq!(judge("x.titles", &ExtraFields::Any), Verdict::Known);
    }
}
