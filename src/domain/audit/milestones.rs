//! The firsts of an enrollment against the log: each is there if and only if something reached it.

use super::touches::is_taken_back;
use super::{Book, Finding, Mend, MilestoneRow, Rule, TouchRow};
use crate::domain::cadence::{Channel, Outcome};
use crate::domain::log::{Entry, What};
use crate::domain::touch::Milestone;

/// What does not fit between the milestones of an enrollment and the log.
pub(super) fn findings(book: &Book) -> Vec<Finding> {
    let mut found = Vec::new();
    for row in &book.milestones {
        if !Milestone::ALL.iter().any(|(word, _)| *word == row.milestone) {
            say(book, row, "no such milestone", &mut found);
        }
    }
    for (word, milestone) in Milestone::ALL {
        let reached: Vec<Reached> = reaching(book, milestone);
        let row = book.milestones.iter().find(|row| row.milestone == word);
        let certain = reached.iter().find(|one| one.is_certain);
        match (row, certain) {
            (None, None) => {}
            (None, Some(first)) => {
                let finding =
                    Finding::new(Rule::Milestone, place(book, word), "missing", first.said());
                found.push(finding.mended_by(Mend::SetMilestone(book.row.id, first.row(word))));
            }
            (Some(row), certain) => {
                if !reached.iter().any(|one| one.row(word) == *row) {
                    wrong(book, row, certain, &mut found);
                }
            }
        }
    }
    found
}

fn place(book: &Book, word: &str) -> String {
    format!("milestone {word} of enrollment {}", book.row.id)
}

fn say(book: &Book, row: &MilestoneRow, should: &str, found: &mut Vec<Finding>) {
    let finding =
        Finding::new(Rule::Milestone, place(book, &row.milestone), described(row), should);
    let mend = Mend::DropMilestone(book.row.id, row.milestone.clone());
    found.push(finding.mended_by(mend));
}

fn described(row: &MilestoneRow) -> String {
    format!("touch {} at {}", row.touch, row.at)
}

fn wrong(book: &Book, row: &MilestoneRow, first: Option<&Reached>, found: &mut Vec<Finding>) {
    let Some(first) = first else {
        return say(book, row, "nothing in the log reaches it", found);
    };
    let finding =
        Finding::new(Rule::Milestone, place(book, &row.milestone), described(row), first.said());
    let mend = Mend::SetMilestone(book.row.id, first.row(&row.milestone));
    found.push(finding.mended_by(mend));
}

/// Something that reaches a milestone.
struct Reached {
    row: MilestoneRow,
    /// Whether it must be there; otherwise it may be.
    is_certain: bool,
}

impl Reached {
    fn row(&self, word: &str) -> MilestoneRow {
        MilestoneRow { milestone: word.to_owned(), ..self.row.clone() }
    }

    fn said(&self) -> String {
        described(&self.row)
    }
}

/// What reaches a milestone, in the order of the log up to the first certain one: the first that is
/// written stays.
fn reaching(book: &Book, milestone: Milestone) -> Vec<Reached> {
    let mut reached = Vec::new();
    for (place, entry) in book.entries.iter().enumerate() {
        let touch = book.touches.iter().find(|touch| Some(touch.id) == entry.touch);
        let taken_back = |later: &Entry| later.touch == entry.touch && is_taken_back(later);
        let stays = !book.entries.iter().skip(place).any(taken_back);
        let Some(touch) = touch.filter(|_| stays) else { continue };
        let Some(is_certain) = reaches(book, milestone, place, entry, touch) else { continue };
        let at = match milestone {
            // When what arrived had left.
            Milestone::Delivered if touch.channel == "email" => touch.at,
            _ => entry.at,
        };
        let (milestone, touch) = (String::new(), touch.id);
        let prospect = entry.prospect.unwrap_or(book.row.prospect);
        reached.push(Reached { row: MilestoneRow { milestone, prospect, touch, at }, is_certain });
    }
    let upto = reached.iter().position(|one| one.is_certain).map_or(reached.len(), |at| at + 1);
    // A mail that did not come back is noted later, and may be another one than the first that answers.
    if milestone != Milestone::Delivered {
        reached.truncate(upto);
    }
    reached
}

/// Whether an entry reaches a milestone, and whether that is certain; `None` when it does not.
fn reaches(
    book: &Book,
    milestone: Milestone,
    place: usize,
    entry: &Entry,
    touch: &TouchRow,
) -> Option<bool> {
    if entry.what == What::TaskDone {
        return by_person(milestone, touch);
    }
    let answers =
        matches!(entry.what, What::Replied | What::AutoReplied | What::OptedOut | What::Complained);
    match milestone {
        Milestone::Attempt => match entry.what {
            What::Sent | What::InDoubt | What::Settled => Some(true),
            // Refused at once, or when the patience was over: the log does not tell them apart.
            What::Refused => Some(false),
            What::Bounced if super::touches::was_refused(entry) => Some(true),
            _ => None,
        },
        Milestone::Delivered if touch.channel == "email" => match entry.what {
            What::Sent | What::Settled => Some(false),
            _ if answers => Some(had_left(book, place, touch)),
            _ => None,
        },
        Milestone::Conversation if touch.channel == "email" => {
            (entry.what == What::Replied).then(|| had_left(book, place, touch))
        }
        Milestone::Delivered | Milestone::Conversation | Milestone::HumanTouch => None,
    }
}

fn by_person(milestone: Milestone, touch: &TouchRow) -> Option<bool> {
    let channels = [Channel::Email, Channel::Call, Channel::Social, Channel::Task];
    let channel = channels.into_iter().find(|channel| channel.as_str() == touch.channel)?;
    let outcome = Outcome::from(touch.outcome.as_deref().unwrap_or_default());
    Milestone::of_outcome(channel, &outcome).contains(&milestone).then_some(true)
}

/// Whether the mail counted as sent when the answer came; what only proves it comes right behind it.
fn had_left(book: &Book, place: usize, touch: &TouchRow) -> bool {
    let left = |entry: &Entry| {
        entry.touch == Some(touch.id) && matches!(entry.what, What::Sent | What::Settled)
    };
    book.entries.iter().take(place).any(left)
}
