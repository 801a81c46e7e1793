//! Conditions as people say them.

use crate::domain::cadence::{Condition, Test};

/// All lines of a condition in one sentence.
pub(in crate::domain) fn all_in_words(conditions: &[Condition]) -> String {
    conditions.iter().map(in_words).collect::<Vec<_>>().join(" and ")
}

fn in_words(condition: &Condition) -> String {
    match condition {
        Condition::Has(fields) => are(fields, "known"),
        Condition::HasNot(fields) => are(fields, "unknown"),
        Condition::Field(lines) => {
            let each = lines.iter().map(|(field, test)| format!("{field} {}", test_in_words(test)));
            each.collect::<Vec<_>>().join(" and ")
        }
        Condition::Outcome(lines) => {
            let steps = lines.iter().map(|(step, _)| step.as_str()).collect::<Vec<_>>();
            format!("the outcome of {}", steps.join(", "))
        }
        Condition::Event(events) => events.join(" or "),
        Condition::Any(groups) => {
            groups.iter().map(|group| all_in_words(group)).collect::<Vec<_>>().join(" or ")
        }
    }
}

fn are(fields: &[String], what: &str) -> String {
    let verb = if fields.len() == 1 { "is" } else { "are" };
    format!("{} {verb} {what}", fields.join(" and "))
}

fn test_in_words(test: &Test) -> String {
    match test {
        Test::Is(text) => format!("is `{text}`"),
        Test::AtLeast(bound) => format!("is at least {bound}"),
        Test::AtMost(bound) => format!("is at most {bound}"),
        Test::MoreThan(bound) => format!("is more than {bound}"),
        Test::LessThan(bound) => format!("is less than {bound}"),
    }
}
