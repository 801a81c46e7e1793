//! The tables of `synonyms.toml`, read once, with those of the workspace in front.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;
use toml::Spanned;

use super::ReadError;
use super::alike;
use super::field::{FIELDS, Target};
use super::key::key;
use crate::formats::diagnostic::did_you_mean;

/// The largest table of a workspace's own, in bytes.
const MAX_OWN: usize = 256 * 1024;

/// What headers mean, and in which products. Headers are compared without blanks.
#[derive(Debug, Clone, Default)]
pub(super) struct Synonyms {
    by_key: HashMap<String, Meaning>,
    pub products: Vec<Product>,
    never: Never,
    footers: Vec<String>,
}

/// The target of a header and how good the header is among those of that target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meaning {
    pub target: Target,
    pub rank: Rank,
}

/// Who says what a header means, best first, and its place in that list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(pub Says, pub usize);

/// Who says what a header means; the first one is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Says {
    Map,
    Workspace,
    Product,
    Table,
    /// It is like one in the table: `Contact Email`, `Phone 3`.
    Likeness,
}

/// A program that writes lists, known by columns that nobody else has.
#[derive(Debug, Clone)]
pub(super) struct Product {
    pub label: String,
    needs: Vec<String>,
    overrides: HashMap<String, Target>,
}

/// Why a header must not feed a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Barred {
    /// The column is not read at all.
    Ignored,
    /// The column may only be an extra.
    ExtraOnly,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct File {
    fields: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    never: Never,
    footer: Footer,
    product: Vec<ProductEntry>,
}

#[derive(Debug, Clone, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Never {
    ignored_beginnings: Vec<String>,
    ignored_words: Vec<String>,
    beginnings: Vec<String>,
    words: Vec<String>,
    ours: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Footer {
    beginnings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductEntry {
    label: String,
    needs: Vec<String>,
    #[serde(default)]
    fields: BTreeMap<Spanned<String>, Spanned<String>>,
}

static SYNONYMS: LazyLock<Synonyms> = LazyLock::new(|| {
    // The text is part of the program and a test reads it: it cannot fail on anybody's input.
    let mut synonyms = Synonyms::default();
    match synonyms.add(include_str!("synonyms.toml"), Says::Table) {
        Ok(()) => synonyms,
        Err(_) => Synonyms::default(),
    }
});

/// The tables, with those of the workspace in front if it has some.
///
/// # Errors
/// The workspace's text is no such table.
pub(super) fn synonyms(own: Option<&str>) -> Result<Cow<'static, Synonyms>, ReadError> {
    let Some(own) = own.filter(|own| !own.trim().is_empty()) else {
        return Ok(Cow::Borrowed(&SYNONYMS));
    };
    let mut synonyms = SYNONYMS.clone();
    synonyms.add(own, Says::Workspace).map_err(|wrong| ReadError::Synonyms {
        line: 1 + own.bytes().take(wrong.at).filter(|byte| *byte == b'\n').count(),
        problem: wrong.problem,
    })?;
    Ok(Cow::Owned(synonyms))
}

/// What is wrong with a table, and at which byte of its text.
struct Wrong {
    at: usize,
    problem: String,
}

impl From<toml::de::Error> for Wrong {
    fn from(error: toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        Self { at, problem: error.message().to_owned() }
    }
}

/// The header without blanks: `first name`, `firstname` and `FIRSTNAME` are one.
pub(super) fn squashed(key: &str) -> String {
    key.chars().filter(|c| *c != ' ').collect()
}

fn target(name: &Spanned<String>) -> Result<Target, Wrong> {
    let written = name.get_ref();
    Target::named(written).ok_or_else(|| {
        let meant = did_you_mean(written, FIELDS.iter().map(|(known, _)| *known));
        let problem = match meant {
            Some(meant) => format!("there is no field `{written}`, did you mean `{meant}`?"),
            None => format!("there is no field `{written}`; for one of your own write x.NAME"),
        };
        Wrong { at: name.span().start, problem }
    })
}

fn header_key(header: &Spanned<String>) -> Result<String, Wrong> {
    let key = squashed(&key(header.get_ref()));
    let nothing = || Wrong {
        at: header.span().start,
        problem: format!("`{}` has no letter or digit", header.get_ref()),
    };
    (!key.is_empty()).then_some(key).ok_or_else(nothing)
}

impl ProductEntry {
    fn into_product(self) -> Result<Product, Wrong> {
        let mut overrides = HashMap::new();
        for (header, field) in &self.fields {
            overrides.insert(header_key(header)?, target(field)?);
        }
        let needs = self.needs.iter().map(|need| squashed(&key(need))).collect();
        Ok(Product { label: self.label, needs, overrides })
    }
}

impl Product {
    /// Whether all its own columns are there; `keys` without blanks.
    pub fn wrote(&self, keys: &HashSet<String>) -> bool {
        !self.needs.is_empty() && self.needs.iter().all(|need| keys.contains(need))
    }

    /// What a header means in this product, where it means something else than elsewhere.
    pub fn meaning(&self, key: &str) -> Option<&Target> {
        self.overrides.get(&squashed(key))
    }
}

impl Synonyms {
    /// Takes a table in; what it says comes before what was known.
    fn add(&mut self, text: &str, says: Says) -> Result<(), Wrong> {
        if text.len() > MAX_OWN {
            let problem = "larger than 256 KiB; leave out what is not needed".to_owned();
            return Err(Wrong { at: 0, problem });
        }
        let file: File = toml::from_str(text)?;
        let mut seen: HashMap<String, &str> = HashMap::new();
        for (name, headers) in &file.fields {
            let target = target(name)?;
            for (place, header) in headers.iter().enumerate() {
                let key = header_key(header)?;
                if let Some(other) = seen.insert(key.clone(), name.get_ref()) {
                    return Err(twice(header, other, name.get_ref()));
                }
                let rank = Rank(says, place);
                self.by_key.insert(key, Meaning { target: target.clone(), rank });
            }
        }
        let products: Result<Vec<_>, _> =
            file.product.into_iter().map(ProductEntry::into_product).collect();
        self.products.splice(0..0, products?);
        self.never.extend(file.never);
        self.footers.extend(file.footer.beginnings.iter().map(|text| text.to_lowercase()));
        Ok(())
    }

    /// The target of a header and its rank among the headers of that target.
    pub fn meaning(&self, key: &str) -> Option<Meaning> {
        self.exactly(key).cloned().or_else(|| {
            let (target, Rank(_, place)) = alike::meaning(key, |key| self.exactly(key))?;
            Some(Meaning { target, rank: Rank(Says::Likeness, place) })
        })
    }

    /// What the tables say of just this header.
    fn exactly(&self, key: &str) -> Option<&Meaning> {
        self.by_key.get(&squashed(key))
    }

    /// Whether a header is barred from feeding a field; what the workspace says is never barred.
    pub fn barred(&self, header: &str, key: &str) -> Option<Barred> {
        if self.exactly(key).is_some_and(|meaning| meaning.rank.0 == Says::Workspace) {
            return None;
        }
        let begins = |list: &[String]| {
            list.iter().any(|word| key.split(' ').next().is_some_and(|first| first == word))
        };
        let has = |list: &[String]| list.iter().any(|words| has_words(key, words));
        let never = &self.never;
        if self.is_ours(header) || begins(&never.ignored_beginnings) || has(&never.ignored_words) {
            return Some(Barred::Ignored);
        }
        (begins(&never.beginnings) || has(&never.words)).then_some(Barred::ExtraOnly)
    }

    /// Whether an earlier import wrote that column in front of the rows to be fixed.
    pub fn is_ours(&self, header: &str) -> bool {
        self.never.ours.iter().any(|ours| ours == header.trim())
    }

    /// Whether a line below the table is one that some product writes there.
    pub fn is_footer(&self, text: &str) -> bool {
        let text = text.trim().to_lowercase();
        self.footers.iter().any(|beginning| text.starts_with(beginning))
    }
}

fn twice(header: &Spanned<String>, one: &str, other: &str) -> Wrong {
    let written = header.get_ref();
    let problem = match one == other {
        true => format!("`{written}` stands twice under `{one}`; delete one of them"),
        false => format!("`{written}` stands under `{one}` and `{other}`; delete one of them"),
    };
    Wrong { at: header.span().start, problem }
}

impl Never {
    fn extend(&mut self, more: Never) {
        self.ignored_beginnings.extend(more.ignored_beginnings);
        self.ignored_words.extend(more.ignored_words);
        self.beginnings.extend(more.beginnings);
        self.words.extend(more.words);
        self.ours.extend(more.ours);
    }
}

/// Whether whole words stand in a key, one behind the other.
fn has_words(key: &str, words: &str) -> bool {
    key.match_indices(words).any(|(at, found)| {
        let before = key.get(..at).is_none_or(|head| head.is_empty() || head.ends_with(' '));
        let behind = key.get(at + found.len()..);
        before && behind.is_none_or(|tail| tail.is_empty() || tail.starts_with(' '))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> &'static Synonyms {
        &SYNONYMS
    }

    fn refusal(own: &str) -> String {
        synonyms(Some(own)).expect_err("refused").to_string()
    }

    #[test]
    fn the_tables_can_be_read() {
        let mut synonyms = Synonyms::default();
        let read = synonyms.add(include_str!("synonyms.toml"), Says::Table);
        assert_eq!(read.err().map(|wrong| wrong.problem), None);
        assert!(!ours().products.is_empty() && ours().by_key.len() > 300);
    }

    #[test]
    fn every_header_in_the_tables_is_in_key_form() {
        let file: File = toml::from_str(include_str!("synonyms.toml")).expect("valid TOML");
        let headers = file.fields.values().flatten().map(Spanned::get_ref);
        let of_products = file.product.iter().flat_map(|product| {
            product.needs.iter().chain(product.fields.keys().map(Spanned::get_ref))
        });
        for written in headers.chain(of_products) {
            assert_eq!(&key(written), written);
        }
    }

    #[test]
    fn headers_are_barred_by_whole_words_only() {
        let barred = |header: &str| ours().barred(header, &key(header));
        assert_eq!(barred("Input - Full Name"), Some(Barred::Ignored));
        assert_eq!(barred("Email 1 Total AI"), Some(Barred::Ignored));
        assert_eq!(barred("_problem"), Some(Barred::Ignored));
        assert_eq!(barred("Previous Job Title"), Some(Barred::ExtraOnly));
        assert_eq!(barred("SIC Code 1"), Some(Barred::ExtraOnly));
        assert_eq!(barred("Basic Info"), None);
        assert_eq!(barred("Established"), None);
    }

    #[test]
    fn a_workspaces_own_words_come_before_ours() {
        let own = "[fields]\nemail = [\"Kontakt (direkt)\"]\n\"x.fax\" = [\"Fax\"]\n\
                   [[product]]\nlabel = \"Our CRM\"\nneeds = [\"CRM No\"]\nfields = { \"URL\" = \"linkedin_url\" }\n";
        let synonyms = synonyms(Some(own)).expect("a table");
        let meaning = synonyms.meaning("kontakt direkt").expect("known");
        assert_eq!(meaning.target.name().as_deref(), Some("email"));
        assert!(meaning.rank < synonyms.meaning("work email").expect("known").rank);
        assert_eq!(synonyms.barred("Fax", "fax"), None);
        assert_eq!(
            synonyms.products.first().map(|product| product.label.as_str()),
            Some("Our CRM")
        );
    }

    #[test]
    fn slips_in_a_workspaces_own_words_are_answered_with_line_and_remedy() {
        for (own, message) in [
            (
                "[fields]\n\nemial = [\"Post\"]\n",
                "line 3: there is no field `emial`, did you mean `email`?",
            ),
            (
                "[fields]\nzzzzzzzz = [\"Post\"]\n",
                "line 2: there is no field `zzzzzzzz`; for one of your own write x.NAME",
            ),
            (
                "[fields]\nemail = [\"Post\"]\nphone = [\n \"post\"]",
                "line 4: `post` stands under `email` and `phone`; delete one of them",
            ),
            ("[fields]\nemail = [\"--\"]\n", "line 2: `--` has no letter or digit"),
            ("[felds]\nemail = [\"a\"]\n", "line 1: unknown field `felds`"),
            ("[fields]\nemail = \"a\"\n", "line 2: "),
            ("[fields\n", "line 1: "),
        ] {
            let found = refusal(own);
            assert!(found.contains(message), "{own:?}: {found}");
        }
    }
}
