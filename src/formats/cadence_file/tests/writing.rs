//! From a cadence to its file and back.

use proptest::prelude::*;

use super::any::{any_cadence, known};
use super::*;
use crate::formats::cadence_file::write::{Unwritable, write};
use crate::formats::fmt::{self, Kind};

#[test]
fn a_cadence_is_written_as_a_person_would() {
    let (cadence, _) = parse(PATH, SAAS, &super::known()).unwrap();
    let text = write(&cadence).unwrap();
    assert!(text.contains("  - id: email-1\n    day: 1\n    email: { split: { intro-pain: 50, intro-trigger: 50 }, thread: new }\n"), "{text}");
    assert!(text.contains("\ndefaults:\n  expires_after"), "{text}");
    assert!(text.contains("about: |\n  Cold outbound"), "{text}");
    let (again, warnings) = parse(PATH, &text, &super::known()).unwrap();
    assert_eq!((again, warnings), (cadence, Vec::new()));
}

#[test]
fn what_the_language_cannot_say_is_refused() {
    let (mut cadence, _) = parse(PATH, SAAS, &super::known()).unwrap();
    let has = |field: &str| Condition::Has(vec![field.to_owned()]);
    cadence.steps[1].only_if = vec![has("phone"), has("email")];
    assert_eq!(write(&cadence), Err(Unwritable::TwoOfAKind(StepId::from("li-view"))));
    let test = crate::domain::cadence::Test::Is(">= 5".to_owned());
    cadence.steps[1].only_if = vec![Condition::Field(vec![("employees".to_owned(), test)])];
    assert!(matches!(write(&cadence), Err(Unwritable::LooksLikeAComparison { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_written_is_read_as_the_same_cadence(cadence in any_cadence()) {
        let path = format!("cadences/{}.yaml", cadence.id);
        let text = write(&cadence).unwrap();
        let read = parse(&path, &text, &known());
        let read = read.map(|(cadence, _)| cadence);
        prop_assert_eq!(read.as_ref(), Ok(&cadence), "{}", text);
        prop_assert_eq!(fmt::format(&path, Kind::Cadence, &text).unwrap(), text);
    }
}
