//! Every rule that `check` holds the files against: its id, what it means, and an example of each kind.
//!
//! A rule without a page does not compile, and a page without a rule is dead code. That every rule is
//! used and that every example gives what it says is held by `tests/rules.rs`.

use std::fmt;

use super::diagnostic::Severity;

mod cadence;
mod structure;
mod template;
mod test;

/// What is known of a rule beside its id: `firsttouch help C201`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// One line.
    pub title: &'static str,
    /// The worst that it says; a rule may be milder where the file can still be meant.
    pub severity: Severity,
    /// A few plain sentences: what is wrong, why that matters, what to do.
    pub about: &'static str,
    /// Gives this rule's finding, and no other.
    pub bad: Example,
    /// Gives no finding.
    pub good: Example,
}

/// A part of a file. What a cadence or a profile needs beside it is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// From the workspace, such as `cadences/example.yaml`.
    pub path: &'static str,
    pub text: &'static str,
}

macro_rules! rules {
    ($($folder:ident: $($id:ident)*;)*) => {
        /// The stable id of a rule.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule { $($($id,)*)* }

        impl Rule {
            /// Every rule, by id.
            pub const ALL: &[Self] = &[$($(Self::$id,)*)*];

            /// The id as it is printed, such as `C201`.
            pub fn as_str(self) -> &'static str {
                match self { $($(Self::$id => stringify!($id),)*)* }
            }

            /// What there is to say about the rule.
            pub fn page(self) -> &'static Page {
                match self { $($(Self::$id => &$folder::$id,)*)* }
            }
        }
    };
}

rules! {
    structure: C001 C002 C003 C004 C005 C006 C007 C100;
    cadence: C101 C102 C103 C104 C105 C106 C107 C108 C109 C110 C111 C112 C113 C114 C115 C116 C117 C118 C119 C201
        C202 C203 C204 C301 C302 C303 C304 C305;
    structure: C401 C402 C403 C404;
    cadence: C501 C502 C503 C504 C505 C506 C601 C602 C603 C604 C605;
    test: C701 C702 C703 C704 C705 C706 C707 C708 C709;
    structure: C900 S001 S002;
    template: T100 T101 T102 T103 T104 T105 T106 T107;
}

impl Rule {
    /// The rule of that id, in whatever case it is written.
    pub fn find(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.as_str().eq_ignore_ascii_case(id))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq<&str> for Rule {
    fn eq(&self, id: &&str) -> bool {
        self.as_str() == *id
    }
}

/// A part of a cadence.
const fn in_cadence(text: &'static str) -> Example {
    Example { path: "cadences/example.yaml", text }
}

/// A part of a profile.
const fn in_profile(text: &'static str) -> Example {
    Example { path: "profiles/example.yaml", text }
}

/// A part of a file with tests.
const fn in_tests(text: &'static str) -> Example {
    Example { path: "cadences/tests/example.yaml", text }
}

/// A whole template.
const fn in_template(text: &'static str) -> Example {
    Example { path: "templates/example.hbs", text }
}
