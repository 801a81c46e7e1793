//! The answer in words: what a manager wants to know first, then the load, then what was assumed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;

use super::super::output::{bold, colour_on, table, wrapped};
use super::super::profile::chart::{Ink, bars};
use super::Told;
use crate::domain::budget::Waiting;
use crate::domain::cadence::Limits;
use crate::domain::forecast::{Brake, Load, Run, Worker};
use crate::domain::settings::Settings;
use crate::wiring::simulate::Forecast;

/// Rows of the load table and of reasons at most; a JSON document has them all.
const ROWS: usize = 12;

pub(super) fn answer(told: &Told, width: usize) -> String {
    let Some(run) = told.forecast.runs.first() else {
        return String::new();
    };
    let mut text = format!("{}\n\n", bold(&head(told, run)));
    text.push_str(&format!("{}\n\n", wrapped(&verdict(told, run), width, 0)));
    text.push_str(&table(&outcome(told, run)));
    if !run.skipped.is_empty() {
        text.push_str("\nNot enrolled\n");
        text.push_str(&counts(&run.skipped));
    }
    text.push_str(&format!("\n{}\n{}", bold("Load"), table(&load(told, run))));
    text.push_str(&format!("\n{}\n{}", bold("Touches by week"), weeks(run, width)));
    text.push_str(&format!("\n{}\n{}", bold("What people wait for"), waits(run)));
    if !run.passed_over.is_empty() {
        text.push_str(&format!("\n{}\n", bold("Steps that were passed over")));
        text.push_str(&passed_over(&run.passed_over));
    }
    text.push_str(&format!("\n{}\n{}", bold("Assumed, not known"), assumed(told, width)));
    text
}

pub(super) fn day(date: Date) -> String {
    date.strftime("%a %-d %b %Y").to_string()
}

fn head(told: &Told, run: &Run) -> String {
    let who = match &told.args.list {
        Some(list) => format!("the list {list}"),
        None => "drawn from its profiles".to_owned(),
    };
    let begins = day(told.scenario.begins_on);
    format!(
        "{}: {} people ({who}), {} days from {begins}, seed {}",
        told.args.cadence, run.people, told.args.days, told.args.seed
    )
}

/// What holds people up, and what would change it, in one or two sentences.
pub(super) fn verdict(told: &Told, run: &Run) -> String {
    let reps = told.scenario.settings.reps().len();
    let own = match reps {
        1 => "1 rep with a mailbox".to_owned(),
        n => format!("{n} reps with a mailbox each"),
    };
    let last = told.scenario.begins_on.saturating_add((i64::from(told.args.days) - 1).days());
    let begun = match (run.still_waiting(), run.last_first_touch()) {
        (_, None) => "nobody is touched at all".to_owned(),
        (0, Some(date)) if run.covers_companies => {
            format!("the last company has its first touch on {}", day(date))
        }
        (0, Some(date)) => format!("the last person has their first touch on {}", day(date)),
        (n, Some(_)) => format!(
            "the queue does not drain: {n} of {} {} still wait for their first touch on {}",
            run.enrolled,
            if run.covers_companies { "companies" } else { "people" },
            day(last)
        ),
    };
    let because = match told.forecast.brake {
        None if run.enrolled == 0 => {
            return "Nobody could be enrolled; the reasons are below.".to_owned();
        }
        None => "; no limit holds anybody up for a working day, and the reps keep up.".to_owned(),
        Some(Brake::Limit { reason, working_days }) => format!(
            ". What holds people up is {} ({}): {working_days:.1} working days each on average, all \
             touches together.",
            reason.as_str(),
            limit_in_words(told, reason)
        ),
        Some(Brake::Reps { expired }) => format!(
            "; the reps do not keep up: {:.0} % of their tasks expire undone at {} a day each.",
            expired * 100.0,
            told.scenario.assumed.tasks_per_day
        ),
    };
    let remedy = remedy(told.forecast, run);
    format!("With {own}, {begun}{because}{remedy}")
}

/// What was tried and helped. Nothing is said of what was not tried.
fn remedy(forecast: &Forecast, run: &Run) -> String {
    let (Some(brake), Some(remedy)) = (forecast.brake, &forecast.remedy) else {
        return String::new();
    };
    let begun_by = remedy.begun_by.map(day).unwrap_or_default();
    let reps = format!("{} reps with a mailbox each, the people shared evenly,", remedy.reps);
    match brake {
        Brake::Limit { .. } if run.still_waiting() > 0 => {
            format!(" {reps} would give everybody their first touch by {begun_by}.")
        }
        Brake::Limit { .. } => format!(
            " With {reps} it would be {:.1}, and the last first touch on {begun_by}.",
            remedy.working_days
        ),
        Brake::Reps { .. } => format!(" With {reps} {:.0} % would.", remedy.expired * 100.0),
    }
}

/// Where the limit is written, and what it is.
fn limit_in_words(told: &Told, reason: Waiting) -> String {
    let settings = &told.scenario.settings;
    let file = told.scenario.workspace.cadences.first();
    let limits = file.map(|file| file.cadence.limits).unwrap_or_default();
    match reason {
        Waiting::MailboxLimit => {
            let daily: BTreeSet<u32> = settings.mailboxes.values().map(|m| m.daily_limit).collect();
            let daily: Vec<String> = daily.iter().map(ToString::to_string).collect();
            format!("{} mails a day from a mailbox, after its ramp", daily.join(" or "))
        }
        Waiting::RepLimit => rep_limits(settings, limits),
        Waiting::CompanyLimit => format!(
            "{} colleagues at once, {} new ones a day",
            limits.per_company_at_once.unwrap_or(settings.limits.active_per_company),
            settings.limits.new_per_company_per_day
        ),
        Waiting::DomainLimit => {
            format!("{} mails a day to one domain", settings.limits.per_domain_per_day)
        }
        other => other.explain().to_owned(),
    }
}

/// Those that are written somewhere.
fn rep_limits(settings: &Settings, limits: Limits) -> String {
    let linkedin = &settings.linkedin;
    let all = [
        ("limits.new_per_rep_per_day", limits.new_per_rep_per_day),
        ("limits.active_per_rep", limits.active_per_rep.or(settings.limits.active_per_rep)),
        ("linkedin.invites_per_week", linkedin.invites_per_week),
        ("linkedin.notes_per_month", linkedin.notes_per_month),
    ];
    let set = all.into_iter().filter_map(|(key, limit)| Some(format!("{key} is {}", limit?)));
    set.collect::<Vec<_>>().join(", ")
}

fn outcome(told: &Told, run: &Run) -> Vec<Vec<String>> {
    let row = |label: &str, value: String| vec![label.to_owned(), value];
    let by = |channel: &str| run.answered.get(channel).copied().unwrap_or(0);
    let range = |of: &dyn Fn(&Run) -> u64| match told.forecast.runs.len() {
        1 => String::new(),
        n => {
            let low = told.forecast.runs.iter().map(of).min().unwrap_or(0);
            let high = told.forecast.runs.iter().map(of).max().unwrap_or(0);
            format!("; {low} to {high} in {n} runs")
        }
    };
    let meetings = |run: &Run| run.tally.endings.get("meeting").copied().unwrap_or(0);
    let first = match run.half_touched_by().zip(run.last_first_touch()) {
        Some((half, last)) => format!(
            "{} of {}{}, half of them by {}, the last on {}",
            run.touched(),
            run.enrolled,
            if run.covers_companies { " companies" } else { "" },
            day(half),
            day(last)
        ),
        None => format!("0 of {}", run.enrolled),
    };
    let mut rows = vec![
        row("first touches", first),
        row(
            "people who answer",
            format!(
                "{} ({} by mail, {} on the phone){}",
                run.replied(),
                by("email"),
                by("call"),
                range(&Run::replied)
            ),
        ),
        row("meetings", format!("{}{}", meetings(run), range(&meetings))),
        row(
            "lost",
            format!("{} opt out, {} addresses are dead", run.tally.opted_out, run.tally.bounces),
        ),
        row(
            "tasks undone",
            format!(
                "{} expire ({:.0} %)",
                run.expired.values().sum::<u64>(),
                run.expired_share() * 100.0
            ),
        ),
    ];
    rows.extend(held(run).map(|text| row("put on hold", text)));
    rows
}

/// What the engine would stop by itself.
fn held(run: &Run) -> Option<String> {
    if run.held.is_empty() {
        return None;
    }
    let times = |n: u64| if n == 1 { "once".to_owned() } else { format!("{n} times") };
    let each =
        run.held.iter().map(|(scope, n)| format!("{} {}", scope.replacen(':', " ", 1), times(*n)));
    let each: Vec<String> = each.collect();
    Some(format!("{}; here somebody releases it the next morning", each.join(", ")))
}

/// A line for everybody who did something, and for everybody who could have.
fn load(told: &Told, run: &Run) -> Vec<Vec<String>> {
    let settings = &told.scenario.settings;
    let head = ["", "total", "busiest day", "of", "days at the limit"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for mailbox in settings.mailboxes.values() {
        let worker = Worker::Mailbox(mailbox.id.clone());
        let limit = u64::from(mailbox.daily_limit);
        rows.push(load_row(
            run,
            &worker,
            format!("{} mails", mailbox.id),
            &|l| l.mails,
            Some(limit),
        ));
    }
    for rep in settings.reps() {
        let worker = Worker::Rep(rep.clone());
        let tasks = u64::from(told.scenario.assumed.tasks_per_day);
        rows.push(load_row(run, &worker, format!("{rep} calls"), &|l| l.calls, None));
        rows.push(load_row(run, &worker, format!("{rep} social"), &|l| l.social, None));
        rows.push(load_row(run, &worker, format!("{rep} all tasks"), &Load::tasks, Some(tasks)));
    }
    let more = rows.len().saturating_sub(ROWS * 3 + 1);
    rows.truncate(ROWS * 3 + 1);
    if more > 0 {
        rows.push(vec![format!("and {more} more: see --json")]);
    }
    rows
}

fn load_row(
    run: &Run,
    worker: &Worker,
    label: String,
    of: &dyn Fn(&Load) -> u64,
    limit: Option<u64>,
) -> Vec<String> {
    let days: Vec<(Date, u64)> = run
        .load
        .iter()
        .filter(|((_, who), _)| who == worker)
        .map(|((day, _), load)| (*day, of(load)))
        .collect();
    let total: u64 = days.iter().map(|(_, n)| n).sum();
    let busiest = days.iter().rev().max_by_key(|(_, n)| *n).filter(|(_, n)| *n > 0);
    let busiest =
        busiest.map_or("-".to_owned(), |(date, n)| format!("{n} on {}", date.strftime("%-d %b")));
    let at_limit = |limit: u64| days.iter().filter(|(_, n)| *n >= limit).count().to_string();
    vec![
        label,
        total.to_string(),
        busiest,
        limit.map_or(String::new(), |limit| limit.to_string()),
        limit.map_or(String::new(), at_limit),
    ]
}

/// Touches in each week, as bars.
fn weeks(run: &Run, width: usize) -> String {
    let mut by_week: BTreeMap<Date, Load> = BTreeMap::new();
    for ((date, _), load) in &run.load {
        let monday = date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days());
        let week = by_week.entry(monday).or_default();
        week.mails += load.mails;
        week.calls += load.calls;
        week.social += load.social;
    }
    let rows: Vec<(String, u64)> = by_week
        .iter()
        .map(|(monday, load)| (monday.strftime("%-d %b").to_string(), load.touches()))
        .collect();
    let ink = if colour_on(&std::io::stdout()) { Ink::Blocks } else { Ink::Plain };
    bars(&rows, width, ink)
}

/// People at the end of a working day on average, by what they wait for.
fn waits(run: &Run) -> String {
    let days = run.waits.len().max(1) as f64;
    let mut sums: BTreeMap<Waiting, (u64, u64)> = BTreeMap::new();
    for waits in run.waits.values() {
        waits.first.iter().for_each(|(reason, n)| sums.entry(*reason).or_default().0 += n);
        waits.further.iter().for_each(|(reason, n)| sums.entry(*reason).or_default().1 += n);
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(reason, (first, further))| (std::cmp::Reverse(first + further), *reason));
    let mut rows = vec![
        ["at the end of a working day", "first touch", "further", ""].map(str::to_owned).to_vec(),
    ];
    for (reason, (first, further)) in sums {
        let average = |sum: u64| format!("{:.1}", sum as f64 / days);
        let words = reason.explain().to_owned();
        rows.push(vec![reason.as_str().to_owned(), average(first), average(further), words]);
    }
    table(&rows)
}

/// Steps by the reason for which they were passed over, as the log keeps it.
fn passed_over(counted: &BTreeMap<String, u64>) -> String {
    let said = |reason: &str| match reason.split_once(':') {
        Some(("missing_field", field)) => format!("`{field}` is not known"),
        Some(("no_date", field)) => format!("`{field}` is not known, and they count from it"),
        Some(("past_date", field)) => format!("`{field}` had passed at the enrollment"),
        _ if reason == "conditions" => "their conditions did not hold".to_owned(),
        _ if reason == "channel_closed" => "the person must not be touched that way".to_owned(),
        _ => reason.to_owned(),
    };
    counts(&counted.iter().map(|(reason, n)| (said(reason), *n)).collect())
}

fn counts(counts: &BTreeMap<String, u64>) -> String {
    let mut sorted: Vec<_> = counts.iter().collect();
    sorted.sort_by_key(|(reason, n)| (std::cmp::Reverse(**n), (*reason).clone()));
    let rows: Vec<Vec<String>> = sorted
        .into_iter()
        .take(ROWS)
        .map(|(reason, n)| vec![format!("{n:>7}"), reason.clone()])
        .collect();
    table(&rows)
}

fn assumed(told: &Told, width: usize) -> String {
    let a = &told.scenario.assumed;
    let mut lines = vec![
        format!(
            "of mails, {} % are answered by a person, {} % with \"no more\", {} % by an absence note (--reply-rate, --opt-out-rate, --away-rate)",
            a.reply, a.opt_out, a.away
        ),
        format!("{} % of addresses are dead (--bounce-rate)", a.dead_address),
        format!(
            "{} % of calls are answered, {} % of the others end on a voicemail; {} % of answered calls and of people to decide about end in a meeting, of the other calls a third in \"not now\" and the rest in \"not interested\" (--answer-rate, --voicemail-rate, --meeting-rate)",
            a.answer, a.voicemail, a.meeting
        ),
        format!("{} % of connection requests are accepted (--accept-rate)", a.accept),
        format!(
            "a rep does {} tasks a working day between {}:00 and {}:00, the most urgent first and those of an urgent step at once (--tasks-per-day, --rep-hours)",
            a.tasks_per_day, a.hours.0, a.hours.1
        ),
    ];
    if told.args.list.is_none() {
        lines.push(format!("{} % of people have a phone number, {} % a LinkedIn profile; one to three work at each company (--with-phone, --with-linkedin)", a.with_phone, a.with_linkedin));
    }
    if told.args.list.is_none() && told.is_of_customers() {
        lines.push("customers bought in the first three weeks, went live 30 days later and have a contract of one year".to_owned());
    }
    lines.push(
        "every hand-off is accepted; a task that asks for something finds it, and a mail to be read is released, or left out where something is not known".to_owned(),
    );
    lines
        .push("mailboxes and reps have nothing else to do, and every inbox can be read".to_owned());
    lines.iter().map(|line| format!("{}\n", wrapped(line, width, 2))).collect()
}
