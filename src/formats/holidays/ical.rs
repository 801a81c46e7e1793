//! Days off from a calendar file (RFC 5545, `.ics`): all-day events, also of several days, also each year.
//!
//! What cannot be read is told with its line and never passed over: a day that is silently missing would
//! be a day on which people are written to.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;

use super::own::{Mistakes, add};
use crate::domain::holidays::Days;

mod rule;

/// The largest file that is read.
pub const MAX_BYTES: usize = 1024 * 1024;

/// A holiday that never ends is known until then.
const LAST_YEAR: i16 = 2060;

/// The longest event in days.
const MAX_LENGTH: i32 = 366;

/// Reads the days of a calendar file.
///
/// # Errors
/// Everything that cannot be read, each with its line.
pub fn parse(text: &str) -> Result<Days, Vec<String>> {
    let mut mistakes = Mistakes::default();
    let mut days = Days::new();
    if text.len() > MAX_BYTES {
        mistakes.add(0, format!("the file has {} bytes, more than {MAX_BYTES}", text.len()));
        return mistakes.conclude(days);
    }
    // What is open, the innermost last.
    let mut open: Vec<(String, usize)> = Vec::new();
    let mut event = Event::default();
    let mut seen = false;
    for line in unfolded(text) {
        let Some(property) = Property::read(&line.text) else {
            mistakes.add(line.number, format!("`{}` is no line of a calendar", short(&line.text)));
            continue;
        };
        let value = property.value.trim().to_ascii_uppercase();
        match property.name.as_str() {
            "BEGIN" => {
                seen |= value == "VCALENDAR";
                if value == "VEVENT" {
                    event = Event { line: line.number, ..Event::default() };
                }
                open.push((value, line.number));
            }
            "END" => {
                let Some((opened, at)) = open.pop().filter(|(opened, _)| *opened == value) else {
                    mistakes.add(line.number, format!("END:{value} closes nothing that is open"));
                    return mistakes.conclude(days);
                };
                match opened.as_str() {
                    "VEVENT" => std::mem::take(&mut event).days(&mut days, &mut mistakes),
                    "VTODO" | "VJOURNAL" | "VFREEBUSY" => {
                        mistakes.add(at, format!("a {opened} is no day off: write an event"));
                    }
                    _ => {}
                }
            }
            _ if open.last().is_some_and(|(opened, _)| opened == "VEVENT") => {
                event.take(property, line.number, &mut mistakes);
            }
            _ => {}
        }
    }
    if let Some((opened, at)) = open.pop() {
        mistakes.add(at, format!("BEGIN:{opened} has no END: the file is cut off"));
    }
    if !seen {
        mistakes.add(1, "this is no calendar: there is no BEGIN:VCALENDAR");
    }
    mistakes.conclude(days)
}

/// A line without its folds, and where it begins.
struct Line {
    number: usize,
    text: String,
}

/// A line that begins with a blank or a tab goes on with the one before.
fn unfolded(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (index, text) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        match (text.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.text.push_str(rest),
            _ if text.trim().is_empty() => {}
            _ => lines.push(Line { number: index + 1, text: text.to_owned() }),
        }
    }
    lines
}

/// `DTSTART;VALUE=DATE:20261224`.
struct Property {
    name: String,
    value: String,
}

impl Property {
    fn read(line: &str) -> Option<Self> {
        // A colon in quotes belongs to a parameter.
        let mut quoted = false;
        let colon = line.char_indices().find(|(_, c)| {
            quoted ^= *c == '"';
            *c == ':' && !quoted
        });
        let (head, value) = line.split_at(colon?.0);
        let name = head.split(';').next().unwrap_or_default();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (!name.is_empty() && name.chars().all(is_name)).then(|| Self {
            name: name.to_ascii_uppercase(),
            value: value.get(1..).unwrap_or_default().to_owned(),
        })
    }
}

/// One VEVENT as far as it was read.
#[derive(Default)]
struct Event {
    line: usize,
    start: Option<Date>,
    end: Option<Date>,
    length: Option<i32>,
    name: String,
    rule: Option<(String, usize)>,
    except: BTreeSet<Date>,
    is_cancelled: bool,
    /// Something of it cannot be read, and was told.
    is_broken: bool,
}

impl Event {
    fn take(&mut self, property: Property, line: usize, mistakes: &mut Mistakes) {
        let Property { name, value } = property;
        let taken = match name.as_str() {
            "DTSTART" => day(&value).map(|day| self.start = Some(day)),
            "DTEND" => day(&value).map(|day| self.end = Some(day)),
            "DURATION" => length(&value).map(|days| self.length = Some(days)),
            "RRULE" => {
                self.rule = Some((value, line));
                Ok(())
            }
            "EXDATE" => value.split(',').try_for_each(|each| {
                self.except.insert(day(each)?);
                Ok(())
            }),
            "SUMMARY" => {
                self.name = unescaped(&value);
                Ok(())
            }
            "STATUS" => {
                self.is_cancelled = value.trim().eq_ignore_ascii_case("CANCELLED");
                Ok(())
            }
            "RDATE" | "RECURRENCE-ID" | "EXRULE" => {
                Err(format!("{name} is not understood here: write each day as an event of its own"))
            }
            _ => Ok(()),
        };
        if let Err(why) = taken {
            self.is_broken = true;
            mistakes.add(line, why);
        }
    }

    /// Adds the days of the event.
    fn days(self, days: &mut Days, mistakes: &mut Mistakes) {
        if self.is_cancelled || self.is_broken {
            return;
        }
        let Some(start) = self.start else {
            return mistakes.add(self.line, "the event has no DTSTART");
        };
        // The end is the first day that is not off any more.
        let until_end = self.end.map(|end| (end - start).get_days());
        let length = until_end.or(self.length).unwrap_or(1);
        if !(1..=MAX_LENGTH).contains(&length) {
            let told = match length {
                ..=0 => {
                    "the event ends before it begins (DTEND is the first day behind it)".to_owned()
                }
                _ => format!("the event has {length} days, more than {MAX_LENGTH}"),
            };
            return mistakes.add(self.line, told);
        }
        let starts = match &self.rule {
            None => Ok(vec![start]),
            Some((rule, line)) => rule::starts(rule, start, LAST_YEAR).map_err(|why| (*line, why)),
        };
        match starts {
            Err((line, why)) => mistakes.add(line, why),
            Ok(starts) => {
                for start in starts.into_iter().filter(|start| !self.except.contains(start)) {
                    let each = start.series(1.day()).take(usize::try_from(length).unwrap_or(1));
                    each.for_each(|day| {
                        add(days, day, Cow::Owned(self.name.clone()), self.line, mistakes);
                    });
                }
            }
        }
    }
}

/// `20261224`; a time of the day makes it no day.
fn day(value: &str) -> Result<Date, String> {
    let value = value.trim();
    if value.len() > 8 && value.get(8..9) == Some("T") {
        return Err(format!(
            "`{}` is a time of the day: only whole days are days off (VALUE=DATE)",
            short(value)
        ));
    }
    let is_date = value.len() == 8 && value.bytes().all(|byte| byte.is_ascii_digit());
    let date = is_date.then(|| Date::strptime("%Y%m%d", value).ok()).flatten();
    date.ok_or_else(|| format!("`{}` is not a day like 20261224", short(value)))
}

/// `P2D` or `P1W`.
fn length(value: &str) -> Result<i32, String> {
    let text = value.trim().to_ascii_uppercase();
    let rest = text.strip_prefix('P').unwrap_or_default();
    let days = match (rest.strip_suffix('D'), rest.strip_suffix('W')) {
        (Some(days), _) => days.parse().ok(),
        (None, Some(weeks)) => weeks.parse().ok().and_then(|weeks: i32| weeks.checked_mul(7)),
        (None, None) => None,
    };
    days.ok_or_else(|| format!("`{}` is not a length of whole days like P2D", short(value)))
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next().map(|c| if matches!(c, 'n' | 'N') { ' ' } else { c })),
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(events: &str) -> String {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n")
    }

    fn event(lines: &str) -> String {
        calendar(&format!("BEGIN:VEVENT\r\nUID:1\r\n{lines}END:VEVENT\r\n"))
    }

    fn days(text: &str) -> Vec<String> {
        let days = parse(text).unwrap();
        days.iter().map(|(day, name)| format!("{day} {name}").trim().to_owned()).collect()
    }

    #[test]
    fn all_day_events_are_days_off_with_their_names() {
        let text = event(
            "DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:Christmas\\, the whole\r\n  of \
             it\r\nBEGIN:VALARM\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\n",
        );
        let name = "Christmas, the whole of it";
        let expected = ["24", "25", "26"].map(|day| format!("2026-12-{day} {name}"));
        assert_eq!(days(&text), expected);
        assert_eq!(days(&event("DTSTART:20280229\n")), ["2028-02-29"]);
        assert_eq!(
            days(&event("DTSTART;VALUE=DATE:20261231\nDURATION:P2D\n")),
            ["2026-12-31", "2027-01-01"]
        );
        assert_eq!(days(&event("DTSTART:20261231\nSTATUS:CANCELLED\n")), [""; 0]);
        assert_eq!(days(&calendar("")), [""; 0]);
    }

    #[test]
    fn what_comes_each_year_comes_as_often_as_it_says() {
        let yearly = |rule: &str| days(&event(&format!("DTSTART:20261224\nRRULE:{rule}\n")));
        assert_eq!(yearly("FREQ=YEARLY;COUNT=2"), ["2026-12-24", "2027-12-24"]);
        assert_eq!(
            yearly("FREQ=YEARLY;UNTIL=20281224"),
            ["2026-12-24", "2027-12-24", "2028-12-24"]
        );
        assert_eq!(yearly("FREQ=YEARLY;INTERVAL=2;COUNT=2"), ["2026-12-24", "2028-12-24"]);
        assert_eq!(yearly("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24;COUNT=1"), ["2026-12-24"]);
        assert_eq!(yearly("FREQ=YEARLY").last().unwrap(), "2060-12-24");
        let leap = event("DTSTART:20280229\nRRULE:FREQ=YEARLY;COUNT=2\n");
        assert_eq!(days(&leap), ["2028-02-29", "2032-02-29"]);
        let without = event("DTSTART:20261224\nRRULE:FREQ=YEARLY;COUNT=3\nEXDATE:20271224\n");
        assert_eq!(days(&without), ["2026-12-24", "2028-12-24"]);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        let wrong = |text: &str| parse(text).unwrap_err().join("\n");
        for (lines, told) in [
            ("DTSTART:20261224T090000Z\n", "5: `20261224T090000Z` is a time of the day"),
            ("DTSTART:20261324\n", "5: `20261324` is not a day like 20261224"),
            ("SUMMARY:x\n", "3: the event has no DTSTART"),
            ("DTSTART:20261224\nDTEND:20261224\n", "3: the event ends before it begins"),
            ("DTSTART:20260101\nDTEND:20280101\n", "3: the event has 730 days"),
            ("DTSTART:20261224\nDURATION:PT4H\n", "6: `PT4H` is not a length of whole days"),
            ("DTSTART:20261224\nRRULE:FREQ=MONTHLY\n", "6: `FREQ=MONTHLY` is not understood"),
            ("DTSTART:20261224\nRRULE:FREQ=YEARLY;BYDAY=1MO\n", "6: `BYDAY=1MO` is not understood"),
            ("DTSTART:20261224\nRDATE:20271224\n", "6: RDATE is not understood"),
            ("DTSTART:20261224\nnonsense\n", "6: `nonsense` is no line"),
        ] {
            let text = event(lines).replace("\r\n", "\n");
            assert!(wrong(&text).starts_with(told), "{lines}: {}", wrong(&text));
        }
        assert!(wrong("hello: x\n").contains("no BEGIN:VCALENDAR"));
        assert!(
            wrong("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261224\n")
                .contains("2: BEGIN:VEVENT has no END")
        );
        assert!(wrong("BEGIN:VCALENDAR\nEND:VEVENT\n").contains("2: END:VEVENT closes nothing"));
        let todo = calendar("BEGIN:VTODO\r\nSUMMARY:x\r\nEND:VTODO\r\n");
        assert!(wrong(&todo).contains("3: a VTODO is no day off"));
    }
}
