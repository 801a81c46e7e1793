//! `next`: the queue one by one, in plain lines: it works over a slow line, in a pipe, and without colours.

use std::collections::BTreeSet;
use std::io::{BufRead, Write};

use jiff::Timestamp;

use super::done::then;
use super::edit::edited;
use super::output::{bold, plain, print};
use super::rep::{clock, kind_of, known_kind, moment, name_of, one_rep};
use super::{Context, Failure};
use crate::config::Config;
use crate::domain::cadence::CALL_BACK;
use crate::domain::enrollment::{RELEASED, TaskKind};
use crate::domain::ids::{RepId, TaskId};
use crate::engine::Engine;
use crate::engine::tasks::{DoneTask, Row, Snooze};

mod page;

use page::page;

/// Work the queue one by one: who it is, what was tried, what to say, and a key for what came of it
#[derive(clap::Args)]
pub(super) struct Args {
    /// Whose queue
    #[arg(long = "for", value_name = "WHO")]
    who: Option<String>,
    /// Only this kind: call, social, task, reply, review, decide, hand-off, came-back
    #[arg(long)]
    kind: Option<String>,
}

const KEYS: &str = "\
A number says what came of it, with a note behind it if you like: 9 asked for Thursday
  n TEXT       a note for what you say next
  s WHEN       not now: s tue 10:00, s 2 hours, s in 2 business days
  k REASON     skip it: the cadence goes on without it
  Enter        leave it for now and show the next one
  u            take back the last thing you did
  e            for a mail that waits to be read: change it first
  w            why this person is here and what has happened
  ?            these keys
  q            quit";

pub(super) async fn run(context: &Context, args: Args) -> Result<u8, Failure> {
    if context.json {
        return Err(Failure::usage(
            "`next` talks with you; programs use `firsttouch today --json` and `firsttouch done`",
        ));
    }
    known_kind(args.kind.as_deref())?;
    let (running, config) = context.engine().await?;
    let rep = one_rep(&running.engine, args.who.as_deref(), "--for")?;
    let input = std::io::stdin().lock();
    let mut session = Session {
        engine: &running.engine,
        config: &config,
        rep,
        kind: args.kind,
        input: Box::new(input),
        left: BTreeSet::new(),
        done: 0,
        note: None,
    };
    session.work().await?;
    Ok(0)
}

/// A rep at work.
struct Session<'a> {
    engine: &'a Engine,
    config: &'a Config,
    rep: RepId,
    kind: Option<String>,
    input: Box<dyn BufRead + 'a>,
    /// What the rep left for later.
    left: BTreeSet<TaskId>,
    done: usize,
    /// For what is said next.
    note: Option<String>,
}

/// What to do after a line was read.
enum Step {
    /// The same task, asked again.
    Again,
    /// The queue is looked at anew.
    Onward,
    Quit,
}

impl Session<'_> {
    async fn work(&mut self) -> Result<(), Failure> {
        loop {
            let mut day = self.engine.day(Some(&self.rep)).await?;
            day.now
                .retain(|row| self.kind.as_deref().is_none_or(|kind| kind_of(&row.line) == kind));
            let waiting = day.now.iter().filter(|row| !self.left.contains(&row.line.task.id));
            let left_over = waiting.count();
            let mut rows = day.now.iter().filter(|row| !self.left.contains(&row.line.task.id));
            let Some(row) = rows.next() else {
                self.farewell(day.later.len());
                return Ok(());
            };
            let place = (self.done + self.left.len() + 1, self.done + self.left.len() + left_over);
            if !self.show_and_ask(row, place).await? {
                self.say(&format!("{} done, {left_over} left", self.done));
                return Ok(());
            }
        }
    }

    fn farewell(&self, later: usize) {
        let left = match self.left.len() {
            0 => String::new(),
            n => format!(", {n} left for later"),
        };
        let later = match later {
            0 => String::new(),
            1 => ". One more is not for now: `firsttouch today --all` shows why".to_owned(),
            n => format!(". {n} more are not for now: `firsttouch today --all` shows why"),
        };
        self.say(&format!("Nothing else to do now: {} done{left}{later}", self.done));
    }

    /// Whether the rep goes on.
    async fn show_and_ask(&mut self, row: &Row, place: (usize, usize)) -> Result<bool, Failure> {
        let line = &row.line;
        let Some(person) = self.engine.person_of(line.task.id).await? else { return Ok(true) };
        let background = self.engine.background(&person).await?;
        let now = self.engine.now();
        print(&page(row, &background, place, (&self.config.reader_zone, now)));
        loop {
            let Some(words) = self.ask("> ")? else { return Ok(false) };
            match self.obey(row, &words).await {
                Ok(Step::Again) => {}
                Ok(Step::Onward) => return Ok(true),
                Ok(Step::Quit) => return Ok(false),
                Err(failure) => self.say(&format!("!   {}", failure.message)),
            }
        }
    }

    async fn obey(&mut self, row: &Row, words: &str) -> Result<Step, Failure> {
        let task = row.line.task.id;
        let (key, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
        let rest = rest.trim();
        match key {
            "" => {
                self.left.insert(task);
                Ok(Step::Onward)
            }
            "q" | "quit" => Ok(Step::Quit),
            "?" | "help" => {
                self.say(KEYS);
                Ok(Step::Again)
            }
            "w" | "why" => {
                let story = self.engine.why(&format!("task:{task}")).await?;
                self.say(&super::why::text(&story, &self.config.reader_zone));
                Ok(Step::Again)
            }
            "n" | "note" => {
                self.note = (!rest.is_empty()).then(|| rest.to_owned());
                self.say(if rest.is_empty() {
                    "no note"
                } else {
                    "noted; it goes with what you say next"
                });
                Ok(Step::Again)
            }
            "s" | "snooze" => self.snooze(row, rest).await,
            "k" | "skip" => {
                let reason = (!rest.is_empty()).then_some(rest);
                self.engine.skip_task(task, self.rep.clone(), reason).await?;
                self.finished(&format!("ok  {}: skipped", name_of(&row.line)));
                Ok(Step::Onward)
            }
            "u" | "undo" => {
                let taken_back = self.engine.undo(&self.rep).await?;
                self.left.remove(&taken_back.task.id);
                self.done = self.done.saturating_sub(1);
                self.say(&super::undo::text(&taken_back));
                Ok(Step::Onward)
            }
            "e" | "edit" => self.edit(row).await,
            _ => self.outcome(row, key, rest).await,
        }
    }

    async fn snooze(&mut self, row: &Row, when: &str) -> Result<Step, Failure> {
        let asked = match when {
            "" => self.ask("Until when? (tue 10:00, 2026-03-12, 2 hours) ")?.unwrap_or_default(),
            when => when.to_owned(),
        };
        if asked.trim().is_empty() {
            return Ok(Step::Again);
        }
        let until = moment(&asked, &self.config.reader_zone, self.engine.now())?;
        let actor = self.rep.clone();
        let snoozed = self.engine.snooze(&Snooze { task: row.line.task.id, until, actor }).await?;
        let at = clock(snoozed.until, &self.config.reader_zone, self.engine.now());
        self.finished(&format!("ok  {}: put off until {at}", name_of(&row.line)));
        Ok(Step::Onward)
    }

    async fn edit(&mut self, row: &Row) -> Result<Step, Failure> {
        let task = &row.line.task;
        if task.kind != TaskKind::Review {
            return Err(Failure::usage("only a mail that waits to be read can be changed"));
        }
        let text = edited(&self.engine.mail_to_read(task.id).await?)?;
        self.record(row, RELEASED, None, Some(text)).await
    }

    async fn outcome(&mut self, row: &Row, key: &str, note: &str) -> Result<Step, Failure> {
        let outcomes = &row.line.outcomes;
        let numbered = key.parse::<usize>().ok().and_then(|n| outcomes.get(n.checked_sub(1)?));
        let word = match numbered {
            Some(offered) => offered.outcome.as_str().to_owned(),
            None if key.bytes().all(|b| b.is_ascii_digit()) => {
                let n = outcomes.len();
                return Err(Failure::usage(format!(
                    "there is no {key}: it is 1 to {n}, or ? for help"
                )));
            }
            None => key.to_owned(),
        };
        if !note.is_empty() {
            self.note = Some(note.to_owned());
        }
        let until = match self.asks_when(row, &word) {
            Some(question) => match self.until(question)? {
                Ok(until) => until,
                Err(step) => return Ok(step),
            },
            None => None,
        };
        self.record(row, &word, until, None).await
    }

    /// What is asked for an outcome that needs a time.
    fn asks_when(&self, row: &Row, outcome: &str) -> Option<&'static str> {
        match (row.line.task.kind, outcome) {
            (TaskKind::Touch(_), CALL_BACK) => {
                Some("When did you promise to call? (tue 10:00; Enter: nothing was promised) ")
            }
            (TaskKind::Touch(_) | TaskKind::Reply, "not_now") => {
                Some("When to go on? (2026-06-01, in 30 days; Enter: as the cadence says) ")
            }
            _ => None,
        }
    }

    fn until(&mut self, question: &str) -> Result<Result<Option<Timestamp>, Step>, Failure> {
        let Some(words) = self.ask(question)? else { return Ok(Err(Step::Quit)) };
        if words.is_empty() {
            return Ok(Ok(None));
        }
        let zone = &self.config.reader_zone;
        let now = self.engine.now();
        let said = moment(&words, zone, now)?;
        let calendar = self.engine.settings.calendars.values().next();
        let at = calendar.map(|clockwork| said.instant(&clockwork.calendar, zone, now));
        Ok(Ok(at))
    }

    async fn record(
        &mut self,
        row: &Row,
        outcome: &str,
        until: Option<Timestamp>,
        text: Option<String>,
    ) -> Result<Step, Failure> {
        let line = &row.line;
        let Some(set) = self.collected(row, outcome)? else { return Ok(Step::Again) };
        let done = DoneTask {
            task: line.task.id,
            outcome: outcome.to_owned(),
            until,
            actor: self.rep.clone(),
            set,
            text,
            note: self.note.clone(),
        };
        self.engine.done(done).await?;
        let now = self.engine.now();
        let when = |at| clock(at, &self.config.reader_zone, now);
        let then = then(Some(line.task.kind), outcome, until, when);
        self.finished(&format!("ok  {}: {outcome}{then}", name_of(line)));
        Ok(Step::Onward)
    }

    /// Values of the fields that the task asks for; nothing when the rep did not give one.
    fn collected(
        &mut self,
        row: &Row,
        outcome: &str,
    ) -> Result<Option<Vec<(String, String)>>, Failure> {
        let mut set = Vec::new();
        if outcome != "done" {
            return Ok(Some(set));
        }
        for field in &row.line.collect {
            let value = self.ask(&format!("{field}: "))?.unwrap_or_default();
            if value.is_empty() {
                self.say(&format!(
                    "It is not done until {field} is known. Enter leaves it for now."
                ));
                return Ok(None);
            }
            set.push((field.clone(), value));
        }
        Ok(Some(set))
    }

    fn finished(&mut self, text: &str) {
        self.done += 1;
        self.note = None;
        self.say(&format!("{text}    (u takes it back)"));
    }

    fn say(&self, text: &str) {
        print(text);
        print("");
    }

    /// A line from the rep; nothing at the end of the input.
    fn ask(&mut self, question: &str) -> Result<Option<String>, Failure> {
        print!("{question}");
        let _ = std::io::stdout().flush();
        let mut line = String::new();
        let read = self.input.take_line(&mut line)?;
        Ok((read > 0).then(|| plain(&line, MAX_LINE)))
    }
}

/// Nobody types a longer line; what is behind it is cut.
const MAX_LINE: usize = 2_000;

/// Reading one line of bounded length.
trait TakeLine {
    fn take_line(&mut self, line: &mut String) -> std::io::Result<usize>;
}

impl<R: BufRead + ?Sized> TakeLine for R {
    fn take_line(&mut self, line: &mut String) -> std::io::Result<usize> {
        let mut bytes = Vec::new();
        let read = self.read_until(b'\n', &mut bytes)?;
        line.push_str(&String::from_utf8_lossy(&bytes));
        Ok(read)
    }
}

/// Bold where colours are welcome.
fn heading(text: &str) -> String {
    bold(text)
}
