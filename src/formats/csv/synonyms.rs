//! The tables of `synonyms.toml`, read once.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::field::Target;

/// What headers mean, and in which products.
pub(super) struct Synonyms {
    /// Header key to its target and its rank there; 0 is best.
    by_key: HashMap<String, (Target, usize)>,
    pub products: Vec<Product>,
    never: Never,
    footers: Vec<String>,
}

/// A program that writes lists, known by columns that nobody else has.
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

#[derive(Deserialize)]
struct File {
    fields: HashMap<String, Vec<String>>,
    never: Never,
    footer: Footer,
    product: Vec<ProductEntry>,
}

#[derive(Deserialize)]
struct Never {
    ignored_beginnings: Vec<String>,
    ignored_words: Vec<String>,
    beginnings: Vec<String>,
    words: Vec<String>,
    ours: Vec<String>,
}

#[derive(Deserialize)]
struct Footer {
    beginnings: Vec<String>,
}

#[derive(Deserialize)]
struct ProductEntry {
    label: String,
    needs: Vec<String>,
    #[serde(default)]
    fields: HashMap<String, String>,
}

static SYNONYMS: LazyLock<Synonyms> = LazyLock::new(|| {
    // The text is part of the program and a test reads it: it cannot fail on anybody's input.
    read(include_str!("synonyms.toml")).unwrap_or_else(|_| Synonyms::empty())
});

/// The tables.
pub(super) fn synonyms() -> &'static Synonyms {
    &SYNONYMS
}

fn read(text: &str) -> Result<Synonyms, toml::de::Error> {
    let file: File = toml::from_str(text)?;
    let mut by_key = HashMap::new();
    for (name, keys) in &file.fields {
        for (rank, key) in keys.iter().enumerate() {
            by_key.insert(key.clone(), (target(name), rank));
        }
    }
    let products = file.product.into_iter().map(Product::from).collect();
    Ok(Synonyms { by_key, products, never: file.never, footers: file.footer.beginnings })
}

fn target(name: &str) -> Target {
    Target::named(name).unwrap_or(Target::Ignored)
}

impl From<ProductEntry> for Product {
    fn from(entry: ProductEntry) -> Self {
        let overrides = entry.fields.into_iter().map(|(key, name)| (key, target(&name))).collect();
        Self { label: entry.label, needs: entry.needs, overrides }
    }
}

impl Product {
    /// Whether all its own columns are there.
    pub fn wrote(&self, keys: &[String]) -> bool {
        self.needs.iter().all(|need| keys.contains(need))
    }

    /// What a header means in this product, where it means something else than elsewhere.
    pub fn meaning(&self, key: &str) -> Option<&Target> {
        self.overrides.get(key)
    }
}

impl Synonyms {
    fn empty() -> Self {
        let never = Never {
            ignored_beginnings: Vec::new(),
            ignored_words: Vec::new(),
            beginnings: Vec::new(),
            words: Vec::new(),
            ours: Vec::new(),
        };
        Self { by_key: HashMap::new(), products: Vec::new(), never, footers: Vec::new() }
    }

    /// The target of a header and its rank among the headers of that target.
    pub fn meaning(&self, key: &str) -> Option<(&Target, usize)> {
        self.by_key.get(key).map(|(target, rank)| (target, *rank))
    }

    /// Whether a header is barred from feeding a field.
    pub fn barred(&self, header: &str, key: &str) -> Option<Barred> {
        let begins = |list: &[String]| {
            list.iter().any(|word| key.split(' ').next().is_some_and(|first| first == word))
        };
        let has = |list: &[String]| list.iter().any(|words| has_words(key, words));
        let never = &self.never;
        if never.ours.iter().any(|ours| ours == header.trim())
            || begins(&never.ignored_beginnings)
            || has(&never.ignored_words)
        {
            return Some(Barred::Ignored);
        }
        (begins(&never.beginnings) || has(&never.words)).then_some(Barred::ExtraOnly)
    }

    /// Whether a line below the table is one that some product writes there.
    pub fn is_footer(&self, text: &str) -> bool {
        let text = text.trim().to_lowercase();
        self.footers.iter().any(|beginning| text.starts_with(beginning))
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
    use super::super::header::key;
    use super::*;

    #[test]
    fn the_tables_can_be_read_and_name_only_known_fields() {
        let file: File = toml::from_str(include_str!("synonyms.toml")).expect("valid TOML");
        let overrides = file.product.iter().flat_map(|product| product.fields.values());
        for name in file.fields.keys().chain(overrides) {
            assert!(Target::named(name).is_some(), "{name}");
        }
        assert!(!synonyms().products.is_empty());
    }

    #[test]
    fn every_header_in_the_tables_is_in_key_form_and_stands_for_one_field() {
        let file: File = toml::from_str(include_str!("synonyms.toml")).expect("valid TOML");
        let mut seen = HashMap::new();
        for (field, keys) in &file.fields {
            for written in keys {
                assert_eq!(&key(written), written);
                assert_eq!(seen.insert(written, field), None, "{written}");
            }
        }
        for product in &file.product {
            for written in product.needs.iter().chain(product.fields.keys()) {
                assert_eq!(&key(written), written);
            }
        }
    }

    #[test]
    fn headers_are_barred_by_whole_words_only() {
        let barred = |header: &str| synonyms().barred(header, &key(header));
        assert_eq!(barred("Input - Full Name"), Some(Barred::Ignored));
        assert_eq!(barred("Email 1 Total AI"), Some(Barred::Ignored));
        assert_eq!(barred("_problem"), Some(Barred::Ignored));
        assert_eq!(barred("Previous Job Title"), Some(Barred::ExtraOnly));
        assert_eq!(barred("SIC Code 1"), Some(Barred::ExtraOnly));
        assert_eq!(barred("Basic Info"), None);
        assert_eq!(barred("Established"), None);
    }
}
