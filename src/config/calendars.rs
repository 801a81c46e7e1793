//! `[calendar.NAME]`: when people work, on whose clock, and on which days not.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::Arc;

use jiff::civil::Date;
use serde::Deserialize;

use super::time_zone;
use crate::domain::calendar::Calendar;
use crate::domain::holidays::{Days, HolidayBook, Holidays};
use crate::domain::settings::{Clock, Clockwork, RepZones};
use crate::formats::diagnostic::did_you_mean;
use crate::formats::holidays::{self as shipped, ical, own};
use crate::formats::{call_hours, week};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCalendar {
    hours: String,
    clock: Option<String>,
    if_zone_unknown: Option<String>,
    #[serde(default)]
    holidays: Vec<String>,
}

/// The calendars by their names.
pub(super) fn calendars(
    raw: BTreeMap<String, RawCalendar>,
    calls: Vec<call_hours::Entry>,
    reps: RepZones,
    workspace: &Path,
    wrong: &mut Vec<String>,
) -> BTreeMap<String, Clockwork> {
    let call_rules = Arc::new(call_hours::rules(calls).unwrap_or_else(|why| {
        wrong.extend(why);
        Default::default()
    }));
    let reps = Arc::new(reps);
    raw.into_iter()
        .filter_map(|(name, raw)| {
            let clockwork = calendar(name.clone(), raw, &reps, workspace, wrong)?;
            Some((name, Clockwork { call_rules: call_rules.clone(), ..clockwork }))
        })
        .collect()
}

fn calendar(
    name: String,
    raw: RawCalendar,
    reps: &Arc<RepZones>,
    workspace: &Path,
    wrong: &mut Vec<String>,
) -> Option<Clockwork> {
    let key = |part: &str| format!("calendar.{name}.{part}");
    let clock = match raw.clock.as_deref() {
        None | Some("prospect") => Clock::Prospect,
        Some("owner") => Clock::Owner(reps.clone()),
        Some(zone) => Clock::Fixed(time_zone(zone, &key("clock"), wrong)),
    };
    let if_zone_unknown = match raw.if_zone_unknown.as_deref() {
        None | Some("hold") => None,
        Some(zone) => Some(time_zone(zone, &key("if_zone_unknown"), wrong)),
    };
    let (holidays, abroad) = holidays(&raw.holidays, &key("holidays"), workspace, wrong);
    let hours = match week::hours(&raw.hours) {
        Ok(hours) => hours,
        Err(why) => {
            wrong.push(format!("{}: {why}", key("hours")));
            return None;
        }
    };
    let calendar = Calendar { name, hours, holidays };
    Some(Clockwork { clock, if_zone_unknown, abroad, ..Clockwork::new(calendar) })
}

/// Stands for the holidays of wherever the person is.
const PROSPECT: &str = "prospect";

/// What is written under `holidays`: dates, countries and regions, files, and the prospect's own.
fn holidays(
    raw: &[String],
    key: &str,
    workspace: &Path,
    wrong: &mut Vec<String>,
) -> (Holidays, Option<Arc<HolidayBook>>) {
    let mut dates = Days::new();
    let mut sets: Vec<Arc<Days>> = Vec::new();
    let mut abroad = None;
    for text in raw {
        let is_file = [".ics", ".yaml", ".yml"].iter().any(|ending| text.ends_with(ending));
        if text == PROSPECT {
            abroad = Some(shipped::book());
        } else if let Ok(date) = text.parse::<Date>() {
            dates.insert(date, Cow::Borrowed(""));
        } else if is_file {
            match from_file(text, workspace) {
                Ok(days) => sets.push(Arc::new(days)),
                Err(why) => wrong.extend(why.iter().map(|why| format!("{key}: {text}:{why}"))),
            }
        } else if text.starts_with(|c: char| c.is_ascii_digit()) {
            wrong.push(format!("{key}: `{text}` is not a date; write dates like 2026-12-24"));
        } else {
            match shipped::of(text) {
                Ok(days) => sets.push(days),
                Err(_) if did_you_mean(text, [PROSPECT]).is_some() => wrong.push(format!(
                    "{key}: no holidays are known of `{text}`; did you mean `{PROSPECT}`?"
                )),
                Err(why) => wrong.push(format!("{key}: {why}")),
            }
        }
    }
    if !dates.is_empty() {
        sets.push(Arc::new(dates));
    }
    (Holidays::new(sets), abroad)
}

/// The days of a file of the workspace.
fn from_file(path: &str, workspace: &Path) -> Result<Days, Vec<String>> {
    let whole = |why: String| vec![format!(" {why}")];
    let is_inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if !is_inside {
        let told = "write a path inside the workspace, such as calendars/company.ics";
        return Err(whole(told.into()));
    }
    let full = workspace.join(path);
    let cannot = |error: std::io::Error| whole(format!("this file cannot be read: {error}"));
    // A link may lead out as well.
    let real = full.canonicalize().map_err(cannot)?;
    if !real.starts_with(workspace.canonicalize().map_err(cannot)?) {
        return Err(whole("this leads out of the workspace".into()));
    }
    let bytes = std::fs::metadata(&real).map_err(cannot)?.len();
    if bytes > ical::MAX_BYTES as u64 {
        return Err(whole(format!("the file has {bytes} bytes, more than {}", ical::MAX_BYTES)));
    }
    let text = std::fs::read_to_string(&real).map_err(cannot)?;
    if path.ends_with(".ics") { ical::parse(&text) } else { own::parse(&text) }
}

/// Whether any calendar counts on the holidays that ship.
pub(super) fn count_on_shipped(raw: &BTreeMap<String, RawCalendar>) -> bool {
    let is_shipped = |text: &String| text == PROSPECT || shipped::of(text).is_ok();
    raw.values().flat_map(|calendar| &calendar.holidays).any(is_shipped)
}

/// What is to be said when the holidays that ship end within a year, or have ended.
pub(super) fn end_of_shipped(today: Date) -> Option<String> {
    let (_, last) = shipped::years();
    let is_soon = today.year() >= last;
    is_soon.then(|| {
        format!(
            "the holidays of countries are known until the end of {last}: behind that only your own dates \
             are days off; a newer version of the program knows more"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(raw: &[&str], workspace: &Path) -> Result<Holidays, Vec<String>> {
        let raw: Vec<String> = raw.iter().map(ToString::to_string).collect();
        let mut wrong = Vec::new();
        let (found, _) = holidays(&raw, "calendar.x.holidays", workspace, &mut wrong);
        if wrong.is_empty() { Ok(found) } else { Err(wrong) }
    }

    #[test]
    fn countries_regions_dates_and_files_are_days_off() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("calendars")).unwrap();
        let ics = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261230\nSUMMARY:Stocktaking\nEND:VEVENT\n\
                   END:VCALENDAR\n";
        std::fs::write(folder.path().join("calendars/company.ics"), ics).unwrap();
        let yaml = "dates: [{ on: 2026-12-31, name: Party }]";
        std::fs::write(folder.path().join("company.yaml"), yaml).unwrap();
        let raw = ["US", "DE-BY", "2026-12-24", "calendars/company.ics", "company.yaml"];
        let found = days(&raw, folder.path()).unwrap();
        for (day, name) in [
            ("2026-11-26", Some("Thanksgiving Day")),
            ("2027-01-06", Some("Epiphany")),
            ("2026-12-24", Some("")),
            ("2026-12-30", Some("Stocktaking")),
            ("2026-12-31", Some("Party")),
            ("2026-12-29", None),
        ] {
            assert_eq!(found.name(day.parse().unwrap()), name, "{day}");
        }
    }

    #[test]
    fn every_wrong_holiday_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("bad.ics"), "BEGIN:VCALENDAR\nEND:VEVENT\n").unwrap();
        let raw = ["UK", "24.12.2026", "../secret.ics", "none.yaml", "bad.ics", "/etc/x.ics"];
        let wrong = days(&raw, folder.path()).unwrap_err();
        for (wrong, told) in wrong.iter().zip([
            "calendar.x.holidays: no holidays are known of `UK`; did you mean `GB`?",
            "calendar.x.holidays: `24.12.2026` is not a date",
            "calendar.x.holidays: ../secret.ics: write a path inside the workspace",
            "calendar.x.holidays: none.yaml: this file cannot be read",
            "calendar.x.holidays: bad.ics:2: END:VEVENT closes nothing",
            "calendar.x.holidays: /etc/x.ics: write a path inside the workspace",
        ]) {
            assert!(wrong.starts_with(told), "{wrong}");
        }
        assert_eq!(wrong.len(), raw.len());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_lead_out_of_the_workspace() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let target = outside.path().join("x.yaml");
        std::fs::write(&target, "dates: [2026-12-24]").unwrap();
        std::os::unix::fs::symlink(&target, folder.path().join("x.yaml")).unwrap();
        let wrong = days(&["x.yaml"], folder.path()).unwrap_err();
        assert!(wrong[0].contains("leads out of the workspace"), "{wrong:?}");
    }

    #[test]
    fn the_end_of_the_holidays_that_ship_is_told_a_year_before() {
        let (_, last) = shipped::years();
        let day = |year: i16| Date::new(year, 1, 1).unwrap();
        assert_eq!(end_of_shipped(day(last - 1)), None);
        assert!(end_of_shipped(day(last)).unwrap().contains(&last.to_string()));
        assert!(end_of_shipped(day(last + 3)).is_some());
    }
}
