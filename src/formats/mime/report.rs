//! Machine-readable reports: delivery status (RFC 3464), feedback (RFC 5965) and disposition (RFC 8098).

use super::headers::is_address;

const BLOCK_LIMIT: usize = 500;

/// What happened to one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Failed,
    Delayed,
    /// Delivered, relayed or expanded.
    Passed,
}

/// One recipient's block of a delivery report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recipient {
    /// The address as we knew it, when the report says so; else the final one.
    pub(super) address: Option<String>,
    pub(super) action: Action,
    /// As in the `Status` field.
    pub(super) status: Option<String>,
    /// What the other server said.
    pub(super) diagnostic: String,
}

/// The recipients of a delivery report (RFC 3464, section 2.3), read tolerantly: a new `Final-Recipient`
/// begins a new block even without the blank line.
pub(super) fn recipients(report: &str) -> Vec<Recipient> {
    blocks(report).iter().filter_map(recipient).collect()
}

/// The first value of a field in a report, folded lines joined.
pub(super) fn field(report: &str, name: &str) -> Option<String> {
    blocks(report).iter().find_map(|block| value(block, name).map(str::to_owned))
}

type Block = Vec<(String, String)>;

fn blocks(report: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = vec![Block::new()];
    for line in report.lines() {
        if blocks.len() > BLOCK_LIMIT {
            break;
        }
        add_line(&mut blocks, line);
    }
    blocks
}

fn add_line(blocks: &mut Vec<Block>, line: &str) {
    if line.trim().is_empty() {
        return blocks.push(Block::new());
    }
    let Some(block) = blocks.last_mut() else { return };
    if line.starts_with([' ', '\t'])
        && let Some((_, value)) = block.last_mut()
    {
        if !value.is_empty() {
            value.push(' ');
        }
        return value.push_str(line.trim());
    }
    let Some((name, text)) = line.split_once(':') else { return };
    let entry = (name.trim().to_ascii_lowercase(), text.trim().to_owned());
    if entry.0 == "final-recipient" && value(block, "final-recipient").is_some() {
        blocks.push(vec![entry]);
    } else {
        block.push(entry);
    }
}

fn value<'a>(block: &'a Block, name: &str) -> Option<&'a str> {
    block.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
}

fn recipient(block: &Block) -> Option<Recipient> {
    let names = ["final-recipient", "original-recipient", "action"];
    names.iter().find_map(|name| value(block, name))?;
    let status = value(block, "status").and_then(super::codes::status_in);
    let address = value(block, "original-recipient").and_then(address);
    Some(Recipient {
        address: address.or_else(|| value(block, "final-recipient").and_then(self::address)),
        action: action(value(block, "action"), status.as_deref()),
        status,
        diagnostic: value(block, "diagnostic-code").map(untyped).unwrap_or_default().to_owned(),
    })
}

/// Words beyond the five of RFC 3464 are in use; without any, the class of the status decides.
fn action(word: Option<&str>, status: Option<&str>) -> Action {
    let word = word.unwrap_or_default().split([' ', ';', '(']).next().unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "delayed" | "delay" | "deferred" => Action::Delayed,
        "delivered" | "relayed" | "expanded" | "success" => Action::Passed,
        "" if status.is_some_and(|status| status.starts_with('2')) => Action::Passed,
        "" if status.is_some_and(|status| status.starts_with('4')) => Action::Delayed,
        _ => Action::Failed,
    }
}

/// The text behind `type;`.
fn untyped(value: &str) -> &str {
    value.split_once(';').map_or(value, |(_, text)| text).trim()
}

/// The address of `rfc822; <a@b>`, with the `+3D` escapes of RFC 3461 undone.
fn address(value: &str) -> Option<String> {
    let text = untyped(value).trim_matches(['<', '>', '"', '\'', ' ', '(', ')']).to_lowercase();
    let text = text.replace("+3d", "=").replace("+2b", "+");
    let text = text.split_whitespace().next().unwrap_or_default().trim_matches(['<', '>']);
    is_address(text).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipient_has_its_own_verdict() {
        let found = recipients(
            "Reporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; <A@x.test>\nAction: failed\nStatus: 5.1.1\n\
             Diagnostic-Code: smtp; 550 5.1.1 no\n  such user\n\nFinal-Recipient: rfc822;b@x.test\n\
             Original-Recipient: rfc822;was+2Bb@y.test\nAction: delayed\nStatus: 4.4.1\nFinal-Recipient: \
             rfc822; c@x.test\nAction: Relayed (to somewhere)\n",
        );
        let of = |index: usize| found.get(index).cloned().unwrap();
        assert_eq!(of(0).address.as_deref(), Some("a@x.test"));
        assert_eq!(of(0).diagnostic, "550 5.1.1 no such user");
        assert_eq!(
            (of(1).address.as_deref(), of(1).action),
            (Some("was+b@y.test"), Action::Delayed)
        );
        assert_eq!((of(2).address.as_deref(), of(2).action), (Some("c@x.test"), Action::Passed));
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn unusual_actions_are_understood() {
        for (word, status, expected) in [
            (Some("error"), None, Action::Failed),
            (Some("expired"), Some("4.4.7"), Action::Failed),
            (Some("failed"), Some("4.4.7"), Action::Failed),
            (Some("Delayed"), Some("5.0.0"), Action::Delayed),
            (None, Some("5.1.1"), Action::Failed),
            (None, Some("4.4.1"), Action::Delayed),
            (None, Some("2.1.5"), Action::Passed),
        ] {
            assert_eq!(action(word, status), expected, "{word:?} {status:?}");
        }
    }

    #[test]
    fn fields_are_found_in_any_block() {
        assert_eq!(
            field("A: 1\n\nFeedback-Type:\n abuse", "feedback-type").as_deref(),
            Some("abuse")
        );
        assert_eq!(field("no field", "x"), None);
    }
}
