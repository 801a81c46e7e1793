//! Whether a text contains a phrase, word by word: `CRO` is in `CRO, EMEA` and not in `Microsoft`.

/// Words that make no difference between two job titles or industries.
const FILLERS: [&str; 4] = ["of", "the", "and", "for"];

/// The words of a text in lower case, without punctuation and fillers.
///
/// Full stops and apostrophes join (`V.P.` is `vp`), everything else that is no letter or digit
/// separates (`VP/Sales`).
pub fn words(text: &str) -> Vec<String> {
    let joined: String = text.chars().filter(|c| !matches!(c, '.' | '\'' | '’')).collect();
    let folded = joined.to_lowercase();
    let all = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    all.filter(|word| !FILLERS.contains(word)).map(str::to_owned).collect()
}

/// Whether the words of `phrase` stand next to each other, in this order, among the words of `text`.
///
/// A phrase without any word is contained in nothing.
pub fn contains(text: &[String], phrase: &[String]) -> bool {
    !phrase.is_empty() && text.windows(phrase.len()).any(|run| run == phrase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_found_as_whole_words_in_order() {
        let cases = [
            ("VP Sales", "VP Sales", true),
            ("VP, Sales", "VP Sales", true),
            ("VP of Sales", "VP Sales", true),
            ("VP Sales", "VP of Sales", true),
            ("V.P. of Sales & Marketing", "vp sales", true),
            ("Senior VP – Sales (EMEA)", "VP Sales", true),
            ("Global VP Sales", "vp SALES", true),
            ("Head of Sales and Marketing", "Sales Marketing", true),
            ("VP Marketing and Sales", "VP Sales", false),
            ("Sales VP", "VP Sales", false),
            ("Microsoft", "CRO", false),
            ("Macro Analyst", "CRO", false),
            ("International", "intern", false),
            ("CRO", "Chief Revenue Officer", false),
            ("LEITER VERTRIEB MÜNCHEN", "leiter vertrieb münchen", true),
            ("VP", "VP Sales", false),
            ("anything", "of the", false),
            ("", "VP", false),
        ];
        for (text, phrase, wanted) in cases {
            assert_eq!(contains(&words(text), &words(phrase)), wanted, "{phrase} in {text}");
        }
    }
}
