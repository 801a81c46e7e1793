//! One finding about one place in one file, as `check` prints it.

use super::rules::Rule;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing has to be done.
    Note,
    /// Runs, but probably not as meant.
    Warning,
    /// Cannot run.
    Error,
}

impl Severity {
    /// The word that is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One finding about one place in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable rule id such as `C201`, explained by `firsttouch help C201`.
    pub code: Rule,
    pub severity: Severity,
    /// Path relative to the workspace, such as `cadences/saas.yaml`.
    pub path: String,
    /// 1-based; 0 when the finding is about the whole file.
    pub line: usize,
    /// 1-based, in characters; 0 when the finding is about the whole line.
    pub column: usize,
    /// What is wrong, naming the bad value.
    pub message: String,
    /// What to do about it, when the message does not already say so.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: Rule, path: &str, at: (usize, usize), message: String) -> Self {
        let (line, column) = at;
        let path = path.to_owned();
        Self { code, severity: Severity::Error, path, line, column, message, hint: None }
    }

    /// A warning at a place.
    pub fn warning(code: Rule, path: &str, at: (usize, usize), message: String) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, path, at, message) }
    }

    /// Something worth knowing about a place.
    pub fn note(code: Rule, path: &str, at: (usize, usize), message: String) -> Self {
        Self { severity: Severity::Note, ..Self::error(code, path, at, message) }
    }

    /// The same finding with a next step.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl std::fmt::Display for Diagnostic {
    /// `path:line:column: error[C201]: message` as editors and `grep` understand it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.path)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        write!(f, ": {}[{}]: {}", self.severity.as_str(), self.code, self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  {hint}")?;
        }
        Ok(())
    }
}

/// The nearest known name to a misspelt one, when it is near enough to be meant.
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.chars().count() / 4)
        .min()
        .map(|(_, name)| name)
}
