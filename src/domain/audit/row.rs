//! The row of an enrollment against its last transition.

use super::{Book, Finding, Mend, Rule};
use crate::domain::budget::rank_of_new;
use crate::domain::enrollment::{Phase, State};

/// What differs between the row and where the log says that the enrollment stands.
pub(super) fn findings(book: &Book) -> Vec<Finding> {
    let Some(last) = book.transitions.last() else {
        let should = "at least where it began";
        return vec![Finding::new(Rule::Transitions, book.name(), "no state in the log", should)];
    };
    let Some(state) = &last.state else {
        let should = "a state that this program reads";
        let (rule, row) =
            (Rule::Unreadable, format!("transition {}/{}", book.row.id, last.revision));
        return vec![Finding::new(rule, row, cut(&last.text), should)];
    };
    let row = &book.row;
    let mut lines = Lines { book, found: Vec::new() };
    if row.state != last.text {
        let (stands, should) = apart(&row.state, &last.text);
        lines.say("state", stands, should);
    }
    lines.same("phase", &row.phase, state.phase.name());
    lines.same("begun", row.begun, i64::from(state.has_begun()));
    let ended_at = ended(state).map(|at| at.as_millisecond());
    lines.same("ended_at", shown(row.ended_at.map(|at| at.as_millisecond())), shown(ended_at));
    lines.same("prospect_id", row.prospect, last.prospect.unwrap_or(row.prospect));
    lines.same("digest", &row.digest, last.digest.as_ref().unwrap_or(&row.digest));
    lines.same("owner", &row.owner, last.owner.as_ref().unwrap_or(&row.owner));
    lines.same("mailbox_id", shown(row.mailbox.as_ref()), shown(last.mailbox.as_ref()));
    if row.revision < last.revision {
        lines.say("revision", row.revision, format!("{} or more", last.revision));
    }
    lane(&mut lines, state);
    account(&mut lines, state);
    lines.found
}

struct Lines<'a> {
    book: &'a Book,
    found: Vec<Finding>,
}

impl Lines<'_> {
    fn say(&mut self, column: &str, stands: impl ToString, should: impl ToString) {
        let (stands, should) = (stands.to_string(), should.to_string());
        let said = |value: String| format!("{column} {value}");
        let finding = Finding::new(Rule::Enrollment, self.book.name(), said(stands), said(should));
        self.found.push(finding.mended_by(Mend::Enrollment(self.book.row.id)));
    }

    fn same(&mut self, column: &str, stands: impl ToString, should: impl ToString) {
        let (stands, should) = (stands.to_string(), should.to_string());
        if stands != should {
            self.say(column, stands, should);
        }
    }
}

/// Whoever is under way is looked at again, and whoever has ended is not.
fn lane(lines: &mut Lines, state: &State) {
    let row = &lines.book.row;
    let (lane, rank) = (row.lane.clone(), row.lane_rank);
    match (lane, ended(state)) {
        (Some(lane), Some(_)) => lines.say("lane", lane, "null: it has ended"),
        (None, None) => lines.say("lane", "null", "the lane in which it is looked at again"),
        (Some(lane), None) => {
            if lane != "desk" && !lane.starts_with("mail:") {
                lines.say("lane", lane, "desk, or mail: and a mailbox");
            }
            let should = match state.has_begun() {
                true => 0,
                false => rank_of_new(row.score, row.enrolled_at),
            };
            lines.same("lane_rank", shown(rank), should);
            if !row.has_wake {
                lines.say("wake_at", "null", "when it is looked at again");
            }
        }
        (None, Some(_)) => {}
    }
}

/// The people of an account stand in a table, so that each is found.
fn account(lines: &mut Lines, state: &State) {
    let said = |(who, role): &(crate::domain::ids::ProspectId, String)| format!("{who} as {role}");
    let mut stands: Vec<String> = lines.book.members.iter().map(said).collect();
    let members = state.account.iter().flat_map(|account| &account.members);
    let mut should: Vec<String> =
        members.map(|member| said(&(member.who, member.role.0.clone()))).collect();
    stands.sort();
    should.sort();
    if stands != should {
        let list =
            |all: &[String]| if all.is_empty() { "nobody".to_owned() } else { all.join(", ") };
        let (stands, should) = (list(&stands), list(&should));
        let finding = Finding::new(Rule::Account, lines.book.name(), stands, should);
        lines.found.push(finding.mended_by(Mend::Members(lines.book.row.id)));
    }
}

fn ended(state: &State) -> Option<jiff::Timestamp> {
    match state.phase {
        Phase::Ended { at, .. } => Some(at),
        _ => None,
    }
}

pub(super) fn shown(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| value.to_string())
}

/// Characters of a text that a finding shows.
const SHOWN: usize = 60;

pub(super) fn cut(text: &str) -> String {
    let short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// Two long texts from where they begin to differ.
fn apart(one: &str, other: &str) -> (String, String) {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(12);
    let part = |text: &str| {
        let rest: String = text.chars().skip(from).collect();
        format!("{}{}", if from > 0 { "…" } else { "" }, cut(&rest))
    };
    (part(one), part(other))
}
