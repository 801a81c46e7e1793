//! The one way to write a cadence, a profile or a test: `firsttouch fmt`.
//!
//! Only white space, the order of keys, quotes around words that other tools misread, and what stands in
//! one line may change. What is not understood stays as it is written, and a rewriting that would not be
//! read as the same file is not given out.

use super::diagnostic::Diagnostic;
use super::language::{CADENCE, PROFILE, Section, TEST};
use super::yaml;

mod block;
pub mod diff;
mod flow;
mod order;
mod print;
#[cfg(test)]
mod tests;

/// What stands in one line stays there up to this width, without its comment.
pub const WIDTH: usize = 100;

/// Which language a file is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Cadence,
    Profile,
    Test,
}

impl Kind {
    /// The kind of a file of the workspace, by its folder and its ending.
    pub fn of_path(path: &str) -> Option<Self> {
        let (folder, name) = path.split_once('/')?;
        match folder {
            _ if !name.ends_with(".yaml") => None,
            "cadences" if path.contains("/tests/") => Some(Self::Test),
            "cadences" => Some(Self::Cadence),
            "profiles" => Some(Self::Profile),
            _ => None,
        }
    }

    fn section(self) -> &'static Section {
        match self {
            Self::Cadence => &CADENCE,
            Self::Profile => &PROFILE,
            Self::Test => &TEST,
        }
    }
}

/// The text as it should be written; the same text when it is so already, or when nothing in it can be
/// changed with certainty.
///
/// # Errors
/// C001 when the text is not YAML.
pub fn format(path: &str, kind: Kind, text: &str) -> Result<String, Diagnostic> {
    let before = yaml::parse(path, text)?;
    let Some(new) = rewritten(kind, text) else { return Ok(text.to_owned()) };
    let same = yaml::parse(path, &new).is_ok_and(|after| {
        let meaning = |node: &yaml::At<yaml::Node>| order::meaning(&node.value, kind.section());
        meaning(&before) == meaning(&after)
    });
    let whole = new.matches('#').count() == text.matches('#').count();
    Ok(if same && whole { new } else { text.to_owned() })
}

/// The text rewritten, without a look at what it means; `None` when its outline is not understood.
fn rewritten(kind: Kind, text: &str) -> Option<String> {
    let (mark, text) = match text.strip_prefix('\u{feff}') {
        Some(text) => ("\u{feff}", text),
        None => ("", text),
    };
    let file = block::read(&text.replace("\r\n", "\n"))?;
    Some(format!("{mark}{}", print::file(file, kind.section())))
}
