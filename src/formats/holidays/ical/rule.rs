//! RRULE, as far as it means the same day of each year.

use jiff::civil::Date;

/// The days on which something begins that comes each year, at most until the end of `last_year`.
///
/// # Errors
/// Another rule; the sentence quotes the part.
pub fn starts(rule: &str, start: Date, last_year: i16) -> Result<Vec<Date>, String> {
    let mut yearly = false;
    let (mut every, mut count, mut until) = (1_i16, usize::MAX, Date::MAX);
    for part in rule.trim().split(';').filter(|part| !part.is_empty()) {
        let unknown =
            || format!("`{part}` is not understood: write each day as an event of its own");
        let (key, value) = part.split_once('=').ok_or_else(unknown)?;
        let of_start = |number: i8| (value.trim() == number.to_string()).then_some(());
        match key.trim().to_ascii_uppercase().as_str() {
            "FREQ" if value.eq_ignore_ascii_case("YEARLY") => yearly = true,
            "INTERVAL" => {
                every = value.parse().ok().filter(|every| *every > 0).ok_or_else(unknown)?;
            }
            "COUNT" => count = value.parse().map_err(|_| unknown())?,
            // A time behind the day does not change which day is the last.
            "UNTIL" => {
                until = super::day(value.get(..8).unwrap_or(value)).map_err(|_| unknown())?
            }
            // Some programs say again what DTSTART says.
            "BYMONTH" => of_start(start.month()).ok_or_else(unknown)?,
            "BYMONTHDAY" => of_start(start.day()).ok_or_else(unknown)?,
            "WKST" => {}
            _ => return Err(unknown()),
        }
    }
    if !yearly {
        return Err(format!("`{}` has no FREQ=YEARLY", super::short(rule)));
    }
    let years =
        (start.year()..=last_year.max(start.year())).step_by(usize::from(every.unsigned_abs()));
    // A 29th of February is only there in leap years.
    let days = years.filter_map(|year| Date::new(year, start.month(), start.day()).ok());
    Ok(days.take_while(|day| *day <= until).take(count).collect())
}
