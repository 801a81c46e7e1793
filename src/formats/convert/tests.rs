//! What single gaps and bodies become, and that no export ends in a panic.

use proptest::prelude::*;

use super::*;

fn gap(text: &str) -> (String, Vec<String>) {
    let mut remarks = Vec::new();
    let text = variables::Gaps::new("$", &mut remarks).text(text).unwrap();
    (text, remarks.into_iter().map(|remark| remark.message).collect())
}

#[test]
fn gaps_are_written_in_our_words() {
    let cases = [
        ("Hi {{ first_name }},", "Hi {{first_name}},"),
        ("{{first_name|there}}", "{{default first_name \"there\"}}"),
        ("{{ first_name | default: 'there' }}", "{{default first_name \"there\"}}"),
        ("{{company}} {{account.name}}", "{{company.short}} {{company.name}}"),
        ("{{sender.name}}", "{{sender.first_name}} {{sender.last_name}}"),
        ("{{sender_first_name}} {{my.title}}", "{{sender.first_name}} {{sender.title}}"),
        ("{{#if first_name}}{{#endif}}!", "{{#if first_name}}{{first_name}}{{/if}}!"),
        ("{{#if title}}a{{#else}}b{{#endif}}", "{{#if title}}a{{else}}b{{/if}}"),
        ("{% if title %}a{% else %}b{% endif %}", "{{#if title}}a{{else}}b{{/if}}"),
        ("{{unsubscribe_link}}x", "x"),
    ];
    for (theirs, ours) in cases {
        assert_eq!(gap(theirs), (ours.to_owned(), Vec::new()), "{theirs}");
    }
}

#[test]
fn what_is_no_field_becomes_a_column_and_is_told() {
    let cases = [
        ("{{custom1}}", "{{x.custom1}}", "`custom1` is no field here"),
        ("{{Favorite Tool}}", "{{x.favorite_tool}}", "`Favorite Tool` is no field here"),
        ("{{first_name | upcase}}", "{{first_name}}", "the filter `upcase` of `first_name`"),
        ("{first_name}", "{{first_name}}", "single braces"),
        ("{% if a == b %}c{% endif %}", "c", "the condition `if a == b`"),
        ("{% if title %}c", "{{#if title}}c{{/if}}", "never closed"),
    ];
    for (theirs, ours, told) in cases {
        let (text, remarks) = gap(theirs);
        assert_eq!(text, ours, "{theirs}");
        assert!(remarks.iter().any(|remark| remark.contains(told)), "{theirs}: {remarks:?}");
    }
}

#[test]
fn html_becomes_the_text_that_a_person_would_have_written() {
    let cases = [
        ("a < b\n\n\n\nc", "a < b\n\nc"),
        ("<p>a</p><p>b<br>c</p>", "a\n\nb\nc"),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        ("<p>see <a href=\"https://a.test/x\">this</a></p>", "see [this](https://a.test/x)"),
        ("<a href='https://a.test'>https://a.test</a>", "https://a.test"),
        ("<a href=\"mailto:a@b.test\">mail me</a>", "mail me"),
        ("<p>a:</p><ul><li>b</li><li>c &amp; d</li></ul><p>e</p>", "a:\n\n- b\n- c & d\n\ne"),
    ];
    for (html, wanted) in cases {
        assert_eq!(body::text(html).text, wanted, "{html}");
    }
    assert_eq!(body::text("<p>a<img src=x></p>").pictures, 1);
}

const FILES: [&str; 3] = [
    include_str!("../../../tests/convert/salesloft.json"),
    include_str!("../../../tests/convert/outreach.json"),
    include_str!("../../../tests/convert/apollo.json"),
];

proptest! {
    #[test]
    fn an_export_with_anything_in_it_never_ends_in_a_panic(
        file in 0_usize..3, word in "(name|type|body|[a-z]{1,2}|interval|first_name|day|steps)",
        with in "[\\[\\]{}\"a-z0-9<>/|%=:, é\\\\]{0,12}",
    ) {
        let text = FILES[file].replacen(&word, &with, 2);
        let _ = convert(&text, None, "standard");
        let _ = gap_or_spintax(&with);
        let _ = body::text(&with);
    }

    #[test]
    fn whatever_stands_in_a_mail_is_a_template_that_passes(
        body in "(<p>|</p>|<a href=\"https://x.test\">|</a>|\\{\\{|\\}\\}|\\{%|%\\}|\\{|\\}|if |#if |else|endif|first_name|custom|[a-z<&;.\\\\ ]){0,14}",
    ) {
        use crate::formats::template::{ExtraFields, Source, TemplateSet};
        let Some(text) = gap_or_spintax(&body::text(&body).text) else { return Ok(()) };
        let (name, path) = ("a".to_owned(), "templates/a.hbs".to_owned());
        let source = Source { name, path, text: format!("x {text}\n") };
        let loaded = TemplateSet::load(&[source], ExtraFields::Any);
        prop_assert!(loaded.is_ok(), "{body:?} became {text:?}: {:?}", loaded.err());
    }
}

fn gap_or_spintax(text: &str) -> Option<String> {
    variables::Gaps::new("$", &mut Vec::new()).text(text).ok()
}
