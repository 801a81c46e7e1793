//! What a job title says of seniority and department. The rules are data: `title.toml`.

use std::sync::LazyLock;

use super::facts::Facts;
use super::table::{Section, sections};
use super::words::{Phrases, words};

static RULES: LazyLock<Rules> = LazyLock::new(rules);

struct Rules {
    /// Our word for each level, highest first, with other words for it.
    levels: Vec<(&'static str, Vec<Vec<String>>)>,
    past: Phrases,
    seniority: Table,
    /// Titles that are a level only alone or between commas.
    alone: Vec<(Vec<String>, &'static str)>,
    department: Table,
}

/// Phrases and what each of them says; the first that a title contains decides.
struct Table {
    phrases: Phrases,
    says: Vec<&'static str>,
}

impl Table {
    fn new(rules: &[(&'static str, &'static str)]) -> Self {
        let phrases = Phrases::new(rules.iter().map(|(phrase, _)| *phrase));
        Self { phrases, says: rules.iter().map(|(_, says)| *says).collect() }
    }

    fn of(&self, title: &[String]) -> Option<&'static str> {
        self.phrases.first_in(title).and_then(|at| self.says.get(at)).copied()
    }
}

/// The levels that a profile can ask for, highest first.
pub fn levels() -> impl Iterator<Item = &'static str> {
    RULES.levels.iter().map(|(level, _)| *level)
}

/// Our word for a level as lists write it: `C-Suite` is `c_level`.
pub fn level(written: &str) -> Option<&'static str> {
    let written = words(written);
    RULES.levels.iter().find(|(_, names)| names.contains(&written)).map(|(level, _)| *level)
}

/// The level that a title names, if any.
pub fn seniority(title: &str) -> Option<&'static str> {
    let parts = current_parts(title);
    let whole: Vec<String> = parts.concat();
    let alone = || RULES.alone.iter().find(|(alone, _)| parts.contains(alone)).map(|(_, l)| *l);
    RULES.seniority.of(&whole).or_else(alone)
}

/// The department that a title names, if any.
pub fn department(title: &str) -> Option<&'static str> {
    RULES.department.of(&current_parts(title).concat())
}

/// The seniority of somebody in our words: what the list says, else what the title says.
pub fn seniority_of(facts: &Facts) -> Option<&str> {
    match facts.get("seniority") {
        Some(written) => level(written).or_else(|| seniority(written)).or(Some(written)),
        None => facts.get("title").and_then(seniority),
    }
}

/// The department of somebody: what the list says, else what the title says.
pub fn department_of(facts: &Facts) -> Option<&str> {
    facts.get("department").or_else(|| facts.get("title").and_then(department))
}

/// The same facts, with seniority and department from the title where they are silent, and with
/// the seniority in our words (`C-Suite` becomes `c_level`).
pub fn completed(facts: &Facts) -> Facts {
    let derived = [("seniority", seniority_of(facts)), ("department", department_of(facts))];
    let derived = derived.into_iter().filter_map(|(field, value)| Some((field, value?)));
    facts.with(derived)
}

/// The words of each part of a title, without the parts that speak of the past: of
/// `Founder, ex-VP Sales` the founder is left, of `VP Sales (former)` nothing.
fn current_parts(title: &str) -> Vec<Vec<String>> {
    const BETWEEN: [char; 14] =
        [',', ';', ':', '|', '/', '(', ')', '[', ']', '&', '+', '·', '•', '–'];
    let parts = title.split(BETWEEN).flat_map(|part| part.split(" - "));
    let parts = parts.map(words).filter(|part| !part.is_empty());
    let is_past = |part: &Vec<String>| RULES.past.first_in(part).is_some();
    let (past, current): (Vec<_>, Vec<_>) = parts.partition(is_past);
    let speaks_of_all = past.iter().any(|part| part.len() == 1);
    if speaks_of_all { Vec::new() } else { current }
}

fn rules() -> Rules {
    let sections = sections(include_str!("title.toml"));
    let named = |name| sections.iter().filter(move |section| section.name == name);
    let past = named("past").flat_map(|section| section.texts("words")).copied();
    let alone = rows(named("seniority"), "level", "alone");
    Rules {
        levels: named("level").filter_map(level_names).collect(),
        past: Phrases::new(past),
        seniority: Table::new(&rows(named("seniority"), "level", "titles")),
        alone: alone.into_iter().map(|(title, level)| (words(title), level)).collect(),
        department: Table::new(&rows(named("department"), "name", "titles")),
    }
}

fn level_names(section: &Section) -> Option<(&'static str, Vec<Vec<String>>)> {
    let name = *section.texts("name").first()?;
    let names = std::iter::once(&name).chain(section.texts("also"));
    Some((name, names.map(|name| words(name)).collect()))
}

/// Every phrase of `key` with what its section says.
fn rows<'a>(
    sections: impl Iterator<Item = &'a Section>,
    says: &str,
    key: &str,
) -> Vec<(&'static str, &'static str)> {
    let mut rows = Vec::new();
    for section in sections {
        if let Some(says) = section.texts(says).first() {
            rows.extend(section.texts(key).iter().map(|phrase| (*phrase, *says)));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::words::contains;

    #[test]
    fn a_title_says_its_level_and_department() {
        let cases = [
            ("VP, Sales", Some("vp"), Some("sales")),
            ("Senior Vice President of Marketing", Some("vp"), Some("marketing")),
            ("President", Some("c_level"), None),
            ("Co-Founder & CEO", Some("founder"), None),
            ("Chief Revenue Officer", Some("c_level"), Some("sales")),
            ("Chief of Staff", Some("director"), Some("administration")),
            ("CFO", Some("c_level"), Some("finance")),
            ("Head of Sales", Some("head"), Some("sales")),
            ("Director of Revenue Operations", Some("director"), Some("operations")),
            ("Managing Director", Some("c_level"), None),
            ("Executive Assistant to the CRO", Some("entry"), Some("administration")),
            ("Personal Assistant", Some("entry"), Some("administration")),
            ("People Operations Manager", Some("manager"), Some("hr")),
            ("Sales Intern", Some("intern"), Some("sales")),
            ("International Sales Manager", Some("manager"), Some("sales")),
            ("Key Account Manager", Some("senior"), Some("sales")),
            ("Product Owner", Some("senior"), Some("product")),
            ("Partner", Some("partner"), None),
            ("Partner Manager", Some("manager"), None),
            ("Vertriebsleiterin DACH", Some("head"), Some("sales")),
            ("IT Security Lead", Some("senior"), Some("it")),
            ("Account Executive", None, Some("sales")),
            ("Digital Nomad", None, None),
            ("Vice-President, Sales", Some("vp"), Some("sales")),
            ("AVP Sales", Some("vp"), Some("sales")),
            ("CHRO", Some("c_level"), Some("hr")),
            ("Deputy CFO", Some("c_level"), Some("finance")),
            ("Partner, Tax", Some("partner"), Some("finance")),
            ("HR Business Partner", Some("senior"), Some("hr")),
            ("Chief Engineer", Some("senior"), Some("engineering")),
            ("Lead Generation Specialist", Some("entry"), Some("marketing")),
            ("Group Product Manager", Some("manager"), Some("product")),
            ("Product Marketing Manager", Some("manager"), Some("marketing")),
            ("Data Protection Officer", None, Some("legal")),
            ("Owner", Some("owner"), None),
        ];
        for (title, level, team) in cases {
            assert_eq!((seniority(title), department(title)), (level, team), "{title}");
        }
    }

    #[test]
    fn what_the_list_says_wins_over_what_the_title_says() {
        let facts = |pairs: &[(&str, &str)]| -> Facts {
            pairs.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
        };
        let silent = completed(&facts(&[("title", "VP Sales")]));
        assert_eq!(
            (silent.get("seniority"), silent.get("department")),
            (Some("vp"), Some("sales"))
        );
        let told = [("title", "VP Sales"), ("seniority", "C-Suite"), ("department", "Board")];
        let told = completed(&facts(&told));
        assert_eq!(
            (told.get("seniority"), told.get("department")),
            (Some("c_level"), Some("Board"))
        );
        assert_eq!(completed(&facts(&[("city", "Oslo")])), facts(&[("city", "Oslo")]));
    }

    #[test]
    fn the_words_of_lists_for_a_level_are_understood() {
        let cases = [
            ("C-Level", Some("c_level")),
            ("c_suite", Some("c_level")),
            ("VP", Some("vp")),
            ("Vice President", Some("vp")),
            ("Head", Some("head")),
            ("Entry Level", Some("entry")),
            ("boss", None),
        ];
        for (written, wanted) in cases {
            assert_eq!(level(written), wanted, "{written}");
        }
    }

    #[test]
    fn titles_that_only_sound_high_do_not_pass_for_it() {
        let cases = [
            ("Assistant to the CEO", Some("entry")),
            ("Executive Assistant", Some("entry")),
            ("Executive Assistant to the VP of Sales", Some("entry")),
            ("Director's Assistant", Some("entry")),
            ("Assistant Director", Some("director")),
            ("Assistenz der Geschäftsführung", Some("entry")),
            ("Assistante de direction", Some("entry")),
            ("Advisor to the CEO", Some("senior")),
            ("Head of Sales Development Intern", Some("intern")),
            ("Product Owner", Some("senior")),
            ("Account Executive", None),
            ("Headhunter", Some("entry")),
            ("former VP", None),
            ("Former VP of Sales", None),
            ("ex-CRO", None),
            ("VP Sales (former)", None),
            ("Retired", None),
            ("Founder, ex-VP Sales", Some("founder")),
            ("Director of Sales | former CRO", Some("director")),
            ("Ehemaliger Vertriebsleiter", None),
        ];
        for (title, wanted) in cases {
            assert_eq!(seniority(title), wanted, "{title}");
        }
    }

    #[test]
    fn titles_in_other_languages_are_understood() {
        let cases = [
            ("Geschäftsführer", Some("c_level"), None),
            ("Geschaeftsfuehrerin", Some("c_level"), None),
            ("Mitglied der Geschäftsleitung", Some("c_level"), None),
            ("Leiter Vertrieb Süd", Some("head"), Some("sales")),
            ("Vertriebsleiter:in (m/w/d)", Some("head"), Some("sales")),
            ("Inhaberin", Some("owner"), None),
            ("Unternehmer", Some("owner"), None),
            ("Vertriebsdirektorin", Some("director"), Some("sales")),
            ("Leiterin Personal", Some("head"), Some("hr")),
            ("Sachbearbeiter Einkauf", Some("entry"), Some("operations")),
            ("Werkstudent Marketing", Some("intern"), Some("marketing")),
            ("Président-directeur général", Some("c_level"), None),
            ("Directrice commerciale", Some("director"), Some("sales")),
            ("Responsable des ventes", Some("manager"), Some("sales")),
            ("Chef d’entreprise", Some("owner"), None),
            ("Chef de projet informatique", Some("senior"), Some("it")),
            ("DRH", Some("director"), Some("hr")),
            ("Stagiaire marketing", Some("intern"), Some("marketing")),
            ("Commercial", Some("entry"), Some("sales")),
            ("Director Comercial", Some("director"), Some("sales")),
            ("Directora General", Some("c_level"), None),
            ("Jefe de Ventas", Some("manager"), Some("sales")),
            ("Vicepresidente de Ventas", Some("vp"), Some("sales")),
            ("Dueño", Some("owner"), None),
            ("Algemeen directeur", Some("c_level"), None),
            ("Commercieel directeur", Some("director"), Some("sales")),
            ("Hoofd Verkoop", Some("head"), Some("sales")),
            ("Mede-eigenaar", Some("owner"), None),
            ("Oprichter", Some("founder"), None),
            ("Secretaresse", Some("entry"), None),
        ];
        for (title, level, team) in cases {
            assert_eq!((seniority(title), department(title)), (level, team), "{title}");
        }
    }

    #[test]
    fn every_rule_names_a_known_level_and_can_be_reached() {
        let sections = sections(include_str!("title.toml"));
        let mut hidden = Vec::new();
        for (name, says) in [("seniority", "level"), ("department", "name")] {
            let rules = rows(sections.iter().filter(|s| s.name == name), says, "titles");
            assert!(rules.len() > 100, "{name}: {}", rules.len());
            for (at, (phrase, says)) in rules.iter().enumerate() {
                assert!(name != "seniority" || levels().any(|level| level == *says), "{says}");
                let is_inside = |other: &str| contains(&words(phrase), &words(other));
                let earlier = rules[..at].iter().find(|(other, _)| is_inside(other));
                hidden.extend(earlier.map(|(other, _)| format!("{phrase} behind {other}")));
            }
        }
        assert_eq!(hidden, Vec::<String>::new(), "never reached");
    }
}
