//! How high somebody stands, told from the job title.

use super::text::push_plain;

/// Words of a title and the level they stand for; the first line that has one of its words decides.
const LEVELS: &[(&str, &[&str])] = &[
    // Who works for a chief is none.
    ("", &["assistant to", "executive assistant", "office of the"]),
    ("founder", &["founder", "cofounder", "co founder", "grunder", "fondateur"]),
    ("owner", &["owner", "inhaber", "proprietor"]),
    ("vp", &["vp", "svp", "evp", "avp", "vice president"]),
    (
        "c suite",
        &[
            "chief",
            "ceo",
            "cfo",
            "cto",
            "coo",
            "cmo",
            "cio",
            "cro",
            "cpo",
            "ciso",
            "chro",
            "cso",
            "president",
            "geschaftsfuhrer",
            "geschaftsfuhrerin",
            "managing director",
            "vorstand",
            "pdg",
        ],
    ),
    ("head", &["head", "leiter", "leiterin", "responsable"]),
    ("director", &["director", "direktor", "direktorin", "directeur", "directrice"]),
    ("manager", &["manager", "managerin", "supervisor", "team lead", "teamleiter"]),
    ("partner", &["partner"]),
    ("senior", &["senior", "sr", "lead", "principal", "staff"]),
    (
        "intern",
        &["intern", "trainee", "praktikant", "praktikantin", "working student", "werkstudent"],
    ),
];

/// The level that a title stands for, if it says one.
pub(crate) fn of_title(title: &str) -> Option<&'static str> {
    let words = format!(" {} ", words(title));
    let is_there = |word: &str| words.contains(&format!(" {word} "));
    let level = LEVELS.iter().find(|(_, known)| known.iter().any(|word| is_there(word)));
    level.map(|(level, _)| *level).filter(|level| !level.is_empty())
}

/// Lower-case words parted by one space, as a source's own level is kept: `C-Suite` is `c suite`.
pub(crate) fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if !words.is_empty() {
            words.push(' ');
        }
        word.chars().for_each(|c| push_plain(&mut words, c));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_tell_how_high_somebody_stands() {
        for (title, level) in [
            ("VP of Sales", Some("vp")),
            ("Senior Vice President, Marketing", Some("vp")),
            ("Chief Revenue Officer", Some("c suite")),
            ("CEO & Co-Founder", Some("founder")),
            ("President", Some("c suite")),
            ("Geschäftsführer", Some("c suite")),
            ("Head of RevOps", Some("head")),
            ("Sales Director", Some("director")),
            ("Partner Manager", Some("manager")),
            ("Sr. Account Executive", Some("senior")),
            ("Executive Assistant to the CEO", None),
            ("Account Executive", None),
            ("Internal Audit", None),
            ("", None),
        ] {
            assert_eq!(of_title(title), level, "{title:?}");
        }
        assert_eq!(words("C-Suite"), "c suite");
    }
}
