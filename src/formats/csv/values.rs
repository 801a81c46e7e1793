//! Cells to values: every rule about what people and programs write into lists.

pub(super) mod company;
pub(super) mod dates;
pub(super) mod emails;
pub(super) mod linkedin;
pub(super) mod names;
pub(super) mod numbers;
pub(super) mod phones;
pub(super) mod place;
pub(super) mod text;

/// What is wrong with a cell, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub problem: String,
    pub fix: String,
}

impl Fault {
    /// A fault in two sentence fragments.
    pub fn new(problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { problem: problem.into(), fix: fix.into() }
    }
}

/// What a cell that may hold several values held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found<T> {
    pub values: Vec<T>,
    /// The first thing in it that was no such value.
    pub fault: Option<Fault>,
}

/// Whether a yes-or-no cell says yes. Only a clear no is a no: such columns guard people.
pub(super) fn is_yes(cell: &str) -> bool {
    const NO: [&str; 20] = [
        "0",
        "0.0",
        "f",
        "false",
        "n",
        "no",
        "nein",
        "non",
        "falsch",
        "faux",
        "falso",
        "allow",
        "allowed",
        "clear",
        "not listed",
        "not opted out",
        "not registered",
        "opted in",
        "subscribed",
        "unchecked",
    ];
    let cell = text::clean(cell);
    !text::is_placeholder(&cell) && !NO.iter().any(|no| cell.eq_ignore_ascii_case(no))
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn only_a_clear_no_is_a_no() {
        for cell in ["true", "1", "Yes", "x", "opted out", "DNC", "maybe"] {
            assert!(is_yes(cell), "{cell:?}");
        }
        for cell in ["", "false", "FALSE", "0", "No", "n/a", " - ", "Allow", "Not registered"] {
            assert!(!is_yes(cell), "{cell:?}");
        }
    }
}
