//! `close_date + 14 days`: a date of the person, and a length before or behind it.

use crate::domain::cadence::Anchor;
use crate::domain::facts::{DATES, FIELDS};
use crate::domain::time::{Delay, Side, Unit};
use crate::formats::length;
use crate::formats::rules::Rule;
use crate::formats::yaml::reading::{Findings, shortened, text};
use crate::formats::yaml::{At, Node};

use super::condition::check_field;

/// Reads the time of a step on a date.
pub(super) fn anchor(node: &At<Node>, findings: &mut Findings<'_>) -> Option<Anchor> {
    let written = text(node, "`at`", findings)?;
    let anchor = parse(&written.value);
    match &anchor {
        Ok(anchor) => check_date(anchor, node, findings),
        Err(message) => {
            let hint = "write a field that holds a date and a length, like close_date + 14 days";
            findings.error_with_hint(Rule::C112, node.place(), message.clone(), hint);
        }
    }
    anchor.ok()
}

fn parse(written: &str) -> Result<Anchor, String> {
    let sides = [(" + ", Side::Behind), (" - ", Side::Before)];
    let split = |(sign, side)| Some((written.split_once(sign)?, side));
    let Some(((field, delay), side)) = sides.into_iter().find_map(split) else {
        let field = written.to_owned();
        let is_field = !written.contains(|c: char| c.is_whitespace() || c == '+');
        let on_the_day = Anchor { field, side: Side::Behind, delay: Delay::new(0, Unit::Days) };
        let no_date = || format!("`{}` is no date to count from", shortened(written));
        return is_field.then_some(on_the_day).ok_or_else(no_date);
    };
    let delay = length::delay(&shortened(delay)).map_err(|error| error.to_string())?;
    match delay.unit {
        Unit::Days | Unit::Weeks | Unit::BusinessDays => {
            Ok(Anchor { field: field.trim().to_owned(), side, delay })
        }
        Unit::Minutes | Unit::Hours | Unit::BusinessMinutes | Unit::BusinessHours => {
            Err(format!("a date has no hours, so `{delay}` cannot be counted from it"))
        }
    }
}

/// Notes a field that holds no date, or that there is not.
fn check_date(anchor: &Anchor, node: &At<Node>, findings: &mut Findings<'_>) {
    if !FIELDS.contains(&anchor.field.as_str()) {
        return check_field(&anchor.field, node.place(), findings);
    }
    let message = format!("`{}` is not a date", anchor.field);
    let hint = format!("the dates are: {}, and x.<column>", DATES.join(", "));
    findings.error_with_hint(Rule::C112, node.place(), message, hint);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_field_with_or_without_a_length() {
        let days = |side, n, unit| (side, Delay::new(n, unit));
        for (written, field, (side, delay)) in [
            ("close_date + 14 days", "close_date", days(Side::Behind, 14, Unit::Days)),
            ("renewal_date - 2 weeks", "renewal_date", days(Side::Before, 2, Unit::Weeks)),
            (
                "x.trial-end - 1 business day",
                "x.trial-end",
                days(Side::Before, 1, Unit::BusinessDays),
            ),
            ("go_live_date", "go_live_date", days(Side::Behind, 0, Unit::Days)),
        ] {
            let wanted = Anchor { field: field.to_owned(), side, delay };
            assert_eq!(parse(written), Ok(wanted), "{written}");
        }
        for written in ["close_date 14 days", "close_date + 4", "close_date + 3 hours", "a+b"] {
            assert!(parse(written).is_err(), "{written}");
        }
    }
}
