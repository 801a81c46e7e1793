//! What a job title says of seniority and department, as a table of rules.

use super::facts::Facts;
use super::words::{contains, words};

/// The levels, highest first, with other words that lists use for them.
const LEVELS: &[(&str, &[&str])] = &[
    ("owner", &["business owner"]),
    ("founder", &["co founder", "cofounder"]),
    ("c_level", &["c suite", "cxo", "c xo", "chief", "clevel", "csuite"]),
    ("partner", &[]),
    ("vp", &["vice president", "svp", "evp", "avp"]),
    ("head", &["head of"]),
    ("director", &[]),
    ("manager", &["management"]),
    ("senior", &["sr", "senior ic"]),
    ("entry", &["entry level", "junior", "staff", "individual contributor"]),
    ("intern", &["internship", "trainee"]),
];

/// Phrase and level. The first phrase that the title contains decides, so exceptions come first.
const SENIORITY: &[(&str, &str)] = &[
    ("intern", "intern"),
    ("trainee", "intern"),
    ("working student", "intern"),
    ("werkstudent", "intern"),
    ("praktikant", "intern"),
    ("praktikantin", "intern"),
    ("assistant director", "director"),
    ("assistant vice president", "vp"),
    ("assistant manager", "manager"),
    ("assistant", "entry"),
    ("ea to", "entry"),
    ("pa to", "entry"),
    ("chief of staff", "director"),
    ("product owner", "senior"),
    ("process owner", "senior"),
    ("vice president", "vp"),
    ("vp", "vp"),
    ("svp", "vp"),
    ("evp", "vp"),
    ("avp", "vp"),
    ("founder", "founder"),
    ("cofounder", "founder"),
    ("gründer", "founder"),
    ("gründerin", "founder"),
    ("owner", "owner"),
    ("inhaber", "owner"),
    ("inhaberin", "owner"),
    ("managing director", "c_level"),
    ("general manager", "c_level"),
    ("geschäftsführer", "c_level"),
    ("geschäftsführerin", "c_level"),
    ("vorstand", "c_level"),
    ("directeur général", "c_level"),
    ("directrice générale", "c_level"),
    ("chief", "c_level"),
    ("ceo", "c_level"),
    ("cfo", "c_level"),
    ("coo", "c_level"),
    ("cto", "c_level"),
    ("cio", "c_level"),
    ("ciso", "c_level"),
    ("cmo", "c_level"),
    ("cro", "c_level"),
    ("cco", "c_level"),
    ("cpo", "c_level"),
    ("cdo", "c_level"),
    ("chro", "c_level"),
    ("president", "c_level"),
    ("managing partner", "partner"),
    ("general partner", "partner"),
    ("senior partner", "partner"),
    // Plain "partner" is a level only alone: a Partner Manager looks after partners.
    ("head", "head"),
    ("leiter", "head"),
    ("leiterin", "head"),
    ("vertriebsleiter", "head"),
    ("vertriebsleiterin", "head"),
    ("director", "director"),
    ("directeur", "director"),
    ("directrice", "director"),
    ("account manager", "senior"),
    ("customer success manager", "senior"),
    ("product manager", "senior"),
    ("project manager", "senior"),
    ("program manager", "senior"),
    ("manager", "manager"),
    ("team lead", "manager"),
    ("supervisor", "manager"),
    ("senior", "senior"),
    ("sr", "senior"),
    ("principal", "senior"),
    ("lead", "senior"),
    ("junior", "entry"),
    ("jr", "entry"),
    ("representative", "entry"),
    ("coordinator", "entry"),
    ("sdr", "entry"),
    ("bdr", "entry"),
    ("trainer", "entry"),
];

/// Phrase and department. The first phrase that the title contains decides.
const DEPARTMENT: &[(&str, &str)] = &[
    ("sales operations", "operations"),
    ("revenue operations", "operations"),
    ("revops", "operations"),
    ("marketing operations", "operations"),
    ("customer success", "support"),
    ("customer support", "support"),
    ("customer service", "support"),
    ("information technology", "it"),
    ("information security", "it"),
    ("it security", "it"),
    ("it", "it"),
    ("cio", "it"),
    ("ciso", "it"),
    ("human resources", "hr"),
    ("people", "hr"),
    ("hr", "hr"),
    ("chro", "hr"),
    ("talent", "hr"),
    ("recruiting", "hr"),
    ("sales", "sales"),
    ("vertrieb", "sales"),
    ("vertriebsleiter", "sales"),
    ("vertriebsleiterin", "sales"),
    ("commercial", "sales"),
    ("business development", "sales"),
    ("account executive", "sales"),
    ("account manager", "sales"),
    ("revenue", "sales"),
    ("cro", "sales"),
    ("sdr", "sales"),
    ("bdr", "sales"),
    ("marketing", "marketing"),
    ("growth", "marketing"),
    ("brand", "marketing"),
    ("cmo", "marketing"),
    ("finance", "finance"),
    ("financial", "finance"),
    ("accounting", "finance"),
    ("controller", "finance"),
    ("controlling", "finance"),
    ("treasurer", "finance"),
    ("cfo", "finance"),
    ("legal", "legal"),
    ("counsel", "legal"),
    ("compliance", "legal"),
    ("engineering", "engineering"),
    ("engineer", "engineering"),
    ("software", "engineering"),
    ("developer", "engineering"),
    ("technology", "engineering"),
    ("cto", "engineering"),
    ("product", "product"),
    ("cpo", "product"),
    ("support", "support"),
    ("procurement", "operations"),
    ("purchasing", "operations"),
    ("operations", "operations"),
    ("operating", "operations"),
    ("coo", "operations"),
];

/// The levels that a profile can ask for, highest first.
pub fn levels() -> impl Iterator<Item = &'static str> {
    LEVELS.iter().map(|(level, _)| *level)
}

/// Our word for a level as lists write it: `C-Suite` is `c_level`.
pub fn level(written: &str) -> Option<&'static str> {
    let written = words(written);
    let same = |name: &str| words(name) == written;
    let known = LEVELS.iter().find(|(level, others)| same(level) || others.iter().any(|o| same(o)));
    known.map(|(level, _)| *level)
}

/// The level that a title names, if any.
pub fn seniority(title: &str) -> Option<&'static str> {
    let title = words(title);
    if title == ["partner"] {
        return Some("partner");
    }
    first_rule(SENIORITY, &title)
}

/// The department that a title names, if any.
pub fn department(title: &str) -> Option<&'static str> {
    first_rule(DEPARTMENT, &words(title))
}

/// The same facts, with seniority and department from the title where they are silent, and with
/// the seniority in our words (`C-Suite` becomes `c_level`).
pub fn completed(facts: &Facts) -> Facts {
    let title = facts.get("title");
    let listed = facts.get("seniority").map(|written| level(written).unwrap_or(written));
    let derived = [
        ("seniority", listed.or_else(|| title.and_then(seniority))),
        ("department", facts.get("department").or_else(|| title.and_then(department))),
    ];
    let derived = derived.into_iter().filter_map(|(field, value)| Some((field, value?)));
    // Later values replace earlier ones of the same field.
    facts.iter().chain(derived).map(|(field, value)| (field.to_owned(), value.to_owned())).collect()
}

fn first_rule(rules: &[(&'static str, &'static str)], title: &[String]) -> Option<&'static str> {
    let rule = rules.iter().find(|(phrase, _)| contains(title, &words(phrase)));
    rule.map(|(_, says)| *says)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_says_its_level_and_department() {
        let cases = [
            ("VP, Sales", Some("vp"), Some("sales")),
            ("Senior Vice President of Marketing", Some("vp"), Some("marketing")),
            ("President", Some("c_level"), None),
            ("Co-Founder & CEO", Some("founder"), None),
            ("Chief Revenue Officer", Some("c_level"), Some("sales")),
            ("Chief of Staff", Some("director"), None),
            ("CFO", Some("c_level"), Some("finance")),
            ("Head of Sales", Some("head"), Some("sales")),
            ("Director of Revenue Operations", Some("director"), Some("operations")),
            ("Managing Director", Some("c_level"), None),
            ("Executive Assistant to the CEO", Some("entry"), None),
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
    fn every_rule_names_a_known_level_and_can_be_reached() {
        for (at, (phrase, says)) in SENIORITY.iter().enumerate() {
            assert!(levels().any(|level| level == *says), "{says}");
            let hidden = SENIORITY[..at].iter().find(|(e, _)| contains(&words(phrase), &words(e)));
            assert_eq!(hidden, None, "`{phrase}` is never reached");
        }
        for (at, (phrase, _)) in DEPARTMENT.iter().enumerate() {
            let hidden = DEPARTMENT[..at].iter().find(|(e, _)| contains(&words(phrase), &words(e)));
            assert_eq!(hidden, None, "`{phrase}` is never reached");
        }
    }
}
