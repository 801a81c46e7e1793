use proptest::prelude::*;

use super::*;
use crate::domain::facts::Facts;

fn source(name: &str, text: &str) -> Source {
    Source { name: name.to_owned(), path: format!("templates/{name}.hbs"), text: text.to_owned() }
}

fn signature() -> Source {
    source("partials/signature", "{{sender.first_name}}\n{{sender.company}}\n")
}

fn load(text: &str) -> Result<(TemplateSet, Vec<Diagnostic>), Vec<Diagnostic>> {
    TemplateSet::load(&[source("t", text), signature()], ExtraFields::Any)
}

fn findings(text: &str) -> Vec<String> {
    let findings = load(text).map_or_else(|findings| findings, |(_, warnings)| warnings);
    findings
        .iter()
        .map(|finding| finding.to_string().lines().next().unwrap_or("").to_owned())
        .collect()
}

fn words<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn dana() -> Context {
    let facts = words([
        ("first_name", "Dana"),
        ("company.short", "O'Brien & Sons <UK>"),
        ("employees", "240"),
        ("x.trigger", "You are hiring"),
        ("x.braces", "{{sender.first_name}}"),
    ]);
    Context {
        facts: Facts::from_iter(facts),
        sender: words([("first_name", "Ann"), ("company", "Brightline")]),
        say: words([("pain", "ramp is slow")]),
        last_touch: Some((jiff::civil::date(2026, 3, 2), "email".to_owned())),
        today: jiff::civil::date(2026, 3, 9),
        ..Context::default()
    }
}

fn render(text: &str) -> Result<Rendered, RenderError> {
    let (set, _) = load(text).map_err(|findings| panic!("{text}: {findings:?}")).unwrap();
    set.render("t", &dana())
}

#[test]
fn a_template_says_what_is_known_and_nothing_is_escaped_or_rendered_twice() {
    let cases = [
        ("Hi {{first_name}},\n\nab\n\n{{> signature}}\n", "Hi Dana,\n\nab\n\nAnn\nBrightline"),
        ("{{company.short}}", "O'Brien & Sons <UK>"),
        ("{{trigger}} / {{x.trigger}}", "You are hiring / You are hiring"),
        ("{{braces}}", "{{sender.first_name}}"),
        ("{{default nick \"there\"}} {{default first_name \"there\"}}", "there Dana"),
        ("{{default nick (default other first_name)}}", "Dana"),
        ("{{#if nick}}a{{else if first_name}}b{{else}}c{{/if}}", "b"),
        ("{{#unless nick}}a{{/unless}}", "a"),
        ("{{#if (eq first_name \"dana\")}}a{{else}}b{{/if}}", "a"),
        ("{{#if (eq nick \"dana\")}}a{{else}}b{{/if}}", "b"),
        ("{{employees}} {{plural employees \"person\" \"people\"}}", "240 people"),
        ("{{plural 1 \"person\" \"people\"}}", "person"),
        ("{{date last_touch.date \"long\"}}, {{date today \"short\"}}", "2 March 2026, 9 Mar"),
        ("{{last_touch.kind}} {{profile.say.pain}}", "email ramp is slow"),
        ("a\n{{#if nick}}\nnick\n{{/if}}\n\nb", "a\n\nb"),
    ];
    for (text, expected) in cases {
        assert_eq!(render(text).map(|rendered| rendered.text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn a_missing_field_is_an_error_that_names_it() {
    let cases = [
        ("Hi {{nick}},", "nick"),
        ("{{company.city}}", "company.city"),
        ("{{owner.first_name}}", "owner.first_name"),
        ("{{profile.say.proof}}", "profile.say.proof"),
        ("{{default nick x.other}}", "nick"),
        ("{{plural revenue \"dollar\" \"dollars\"}}", "revenue"),
        ("{{#if first_name}}{{nick}}{{/if}}", "nick"),
        ("---\nneeds: [first_name, nick]\n---\nHi {{#if nick}}{{nick}}{{/if}}", "nick"),
        ("---\nsubject: \"{{nick}}\"\n---\nHi", "nick"),
    ];
    for (text, field) in cases {
        assert_eq!(render(text), Err(RenderError::MissingField(field.to_owned())), "{text}");
    }
}

#[test]
fn what_cannot_be_written_well_fails_with_its_reason() {
    let cases = [
        ("{{date first_name \"long\"}}", "`Dana` is not a date like 2026-03-02"),
        ("{{plural first_name \"a\" \"b\"}}", "`Dana` is not a number of things"),
        ("{{#if nick}}x{{/if}}", "its text is blank for this person"),
        ("---\nsubject: \"{{#if nick}}x{{/if}}\"\n---\nHi", "its subject is blank for this person"),
    ];
    for (text, expected) in cases {
        let Err(RenderError::Failed { reason, .. }) = render(text) else {
            panic!("{text} rendered")
        };
        assert_eq!(reason, expected, "{text}");
    }
    let unknown = render("x").and_then(|_| load("x").unwrap().0.render("nope", &dana()));
    assert_eq!(unknown, Err(RenderError::UnknownTemplate("nope".to_owned())));
}

#[test]
fn a_date_is_not_written_in_a_language_that_we_do_not_speak() {
    let (set, _) = load("{{date today \"long\"}}").unwrap();
    let in_language = |language: &str| {
        set.render("t", &Context { language: Some(language.to_owned()), ..dana() })
    };
    assert_eq!(in_language("en-GB").unwrap().text, "9 March 2026");
    assert!(matches!(in_language("de"), Err(RenderError::Failed { .. })));
}

#[test]
fn a_text_that_grows_without_end_is_stopped() {
    let (set, _) = load(&"{{trigger}}".repeat(200)).unwrap();
    let facts = words([("x.trigger", "x".repeat(2000).as_str())]);
    let context = Context { facts: Facts::from_iter(facts), ..dana() };
    let Err(RenderError::Failed { reason, .. }) = set.render("t", &context) else {
        panic!("400 kB were rendered")
    };
    assert!(reason.contains("256 KiB"), "{reason}");
}

#[test]
fn every_finding_has_its_place_in_the_file() {
    let cases = [
        (
            "Hi {{frist_name}}",
            "templates/t.hbs:1:6: error[T101]: unknown field 'frist_name'; did you mean 'first_name'?",
        ),
        (
            "---\nsubject: \"{{company.shrot}}\"\n---\nHi",
            "templates/t.hbs:2:13: error[T101]: unknown field 'company.shrot'; did you mean 'company.short'?",
        ),
        (
            "---\nneeds: [frist_name]\n---\nHi",
            "templates/t.hbs:2:9: error[T101]: unknown field 'frist_name'; did you mean 'first_name'?",
        ),
        (
            "---\nlanguage: en\n---\n\nGrüße {{default frist_name \"du\"}}",
            "templates/t.hbs:5:17: error[T101]: unknown field 'frist_name'; did you mean 'first_name'?",
        ),
        (
            "a\r\n{{#if trigger}}\r\n{{else if frist_name}}\r\n{{/if}}",
            "templates/t.hbs:3:11: error[T101]: unknown field 'frist_name'; did you mean 'first_name'?",
        ),
        (
            "a\n\n{{> signatur}}",
            "templates/t.hbs:3:1: error[T102]: unknown partial 'signatur'; did you mean 'signature'?",
        ),
        (
            "{{> partials/signature}}",
            "templates/t.hbs:1:1: error[T102]: unknown partial 'partials/signature'; did you mean 'signature'?",
        ),
        (
            "{{{first_name}}}",
            "templates/t.hbs:1:1: error[T103]: three braces and `&` are not supported",
        ),
        (
            "{{#each x}}{{/each}}",
            "templates/t.hbs:1:1: error[T103]: the block 'each' is not supported",
        ),
        (
            "{{#trigger}}a{{/trigger}}",
            "templates/t.hbs:1:1: error[T103]: the block 'trigger' is not supported",
        ),
        (
            "{{#*inline \"p\"}}{{/inline}}",
            "templates/t.hbs:1:1: error[T103]: inline partials, partial blocks and decorators are not supported",
        ),
        (
            "{{#> signature}}{{/signature}}",
            "templates/t.hbs:1:1: error[T103]: inline partials, partial blocks and decorators are not supported",
        ),
        (
            "{{> (default a b)}}",
            "templates/t.hbs:1:1: error[T103]: a partial's name cannot be computed",
        ),
        ("{{> signature company}}", "templates/t.hbs:1:1: error[T103]: a partial takes no values"),
        ("{{log first_name}}", "templates/t.hbs:1:3: error[T104]: unknown helper 'log'"),
        ("{{lookup x \"a\"}}", "templates/t.hbs:1:3: error[T104]: unknown helper 'lookup'"),
        (
            "{{defualt first_name \"a\"}}",
            "templates/t.hbs:1:3: error[T104]: unknown helper 'defualt'; did you mean 'default'?",
        ),
        (
            "{{default first_name}}",
            "templates/t.hbs:1:3: error[T104]: helper 'default' does not take these values",
        ),
        ("{{date}}", "templates/t.hbs:1:3: error[T104]: helper 'date' needs values"),
        ("{{eq first_name \"a\"}}", "templates/t.hbs:1:3: error[T104]: 'eq' is not a value"),
        (
            "{{#if}}a{{/if}}",
            "templates/t.hbs:1:4: error[T104]: helper 'if' does not take these values",
        ),
        (
            "Hi {{first_name",
            "templates/t.hbs:1:16: error[T100]: this is not a field, a helper or a complete block",
        ),
        (
            "a\n{{#if trigger}}\nb{{/unless}}",
            "templates/t.hbs:3:2: error[T100]: `{{#if}}` was opened, but `{{/unless}}` closes",
        ),
        (
            "Hi {{first_name|there}}",
            "templates/t.hbs:1:4: error[T100]: a value cannot be followed by `|` here",
        ),
        (
            "---\nsubject: \"{Hi|Hello}\"\n---\nHi",
            "templates/t.hbs:2:11: error[T106]: spintax `{Hi|Hello}` makes texts that nobody has read",
        ),
        (
            "---\nsubjct: x\n---\nHi",
            "templates/t.hbs:2:1: error[T105]: unknown field `subjct`, expected one of subject, preview, needs, language",
        ),
        (
            "{{!-- the first mail --}}\n\n---\nsubject: x\n---\nHi",
            "templates/t.hbs:3:1: error[T105]: this looks like a head, but a head begins on line 1",
        ),
        (
            " ---\nneeds: [first_name]\n---\nHi",
            "templates/t.hbs:1:1: error[T105]: this looks like a head, but a head begins on line 1",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(findings(text), [expected], "{text}");
    }
}

#[test]
fn all_findings_of_all_files_are_reported_at_once_in_order() {
    let sources = [
        source("b", "{{frist_name}}\n{{> nope}}"),
        source("a", "{{company.shrot}} {{#each a}}{{/each}}"),
    ];
    let findings = TemplateSet::load(&sources, ExtraFields::Any).err().unwrap_or_default();
    let places: Vec<_> =
        findings.iter().map(|f| (f.path.as_str(), f.line, f.code.as_str())).collect();
    let (a, b) = ("templates/a.hbs", "templates/b.hbs");
    assert_eq!(places, [(a, 1, "T101"), (a, 1, "T103"), (b, 1, "T101"), (b, 2, "T102")]);
}

#[test]
fn a_column_that_no_list_has_is_a_warning_beside_a_usable_set() {
    let known = ExtraFields::Known(BTreeSet::from(["trigger".to_owned()]));
    let sources = [source("t", "{{trigger}} {{#if x.triger}}a{{/if}}")];
    let (set, warnings) = TemplateSet::load(&sources, known).unwrap();
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    let expected = "templates/t.hbs:1:19: warning[T101]: no list has a column 'x.triger'; did you mean 'trigger'?";
    assert_eq!(warnings, [expected]);
    assert!(set.render("t", &dana()).is_ok());
}

#[test]
fn a_template_knows_its_head_and_all_its_fields() {
    let text = "---\nsubject: \"{{company.short}}\"\nneeds: [trigger]\nlanguage: en\n---\n{{default nick \"x\"}}\n{{> signature}}";
    let (set, _) = load(text).unwrap();
    let template = set.get("t").unwrap();
    assert!(template.has_subject);
    assert_eq!(template.needs, ["trigger"]);
    assert_eq!(template.language.as_deref(), Some("en"));
    let fields: Vec<&str> = template.fields.iter().map(String::as_str).collect();
    let expected = ["company.short", "nick", "sender.company", "sender.first_name", "trigger"];
    assert_eq!(fields, expected);
    assert_eq!(set.names().collect::<Vec<_>>(), ["t"]);
    assert_eq!(set.get("partials/signature"), None);
}

#[test]
fn the_line_beside_the_subject_is_cleaned_and_hidden_in_the_html_part_only() {
    let text = "---\nsubject: a\npreview: \"{{trigger}}\\r\\n<b>\"\n---\nHi";
    let rendered = render(text).unwrap();
    assert_eq!(rendered.preview.as_deref(), Some("You are hiring <b>"));
    let html = html_with_preview(rendered.preview.as_deref(), &rendered.text);
    assert!(html.contains(">You are hiring &lt;b&gt;</div>\n<p>Hi</p>"), "{html}");
    assert_eq!(html_with_preview(None, "Hi"), "<p>Hi</p>");
    let missing = render("---\npreview: \"{{nick}}\"\n---\nHi");
    assert_eq!(missing, Err(RenderError::MissingField("nick".to_owned())));
}

#[test]
fn filling_tells_every_field_apart() {
    let text = "---\nneeds: [nick]\n---\n{{default frank \"there\"}} {{first_name}} {{#if other}}x{{/if}} {{company.city}} {{> signature}}";
    let (set, _) = load(text).unwrap();
    let filling = set.filling("t", &dana());
    assert_eq!(filling.missing, ["company.city", "nick"]);
    assert_eq!(filling.fallbacks, ["frank"]);
    assert_eq!(filling.absent, ["other"]);
    assert_eq!(filling.used.get("first_name").map(String::as_str), Some("Dana"));
    assert_eq!(filling.rendered, None);
    // Only rendering shows what a block asks for.
    let (set, _) = load("{{#if first_name}}{{nick}}{{/if}}").unwrap();
    let filling = set.filling("t", &dana());
    assert_eq!((filling.missing, filling.absent), (vec!["nick".to_owned()], vec![]));
}

#[test]
fn a_template_cannot_be_included_and_a_partial_has_no_head() {
    let sources =
        [source("a", "x"), source("b", "{{> a}}"), source("partials/p", "---\nsubject: x\n---\n")];
    let findings = TemplateSet::load(&sources, ExtraFields::Any).err().unwrap_or_default();
    assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), ["T102", "T105"]);
}

#[test]
fn partials_that_include_each_other_are_refused_instead_of_ending_the_process() {
    let ring = [
        source("t", "{{> a}}"),
        source("partials/a", "{{> b}}"),
        source("partials/b", "{{#if trigger}}{{> a}}{{/if}}"),
    ];
    let itself = [source("partials/a", "{{> a}}")];
    let deep: Vec<Source> = (0..20)
        .map(|n| source(&format!("partials/p{n}"), &format!("{{{{> p{}}}}}", n + 1)))
        .collect();
    let deep = [deep, vec![source("partials/p20", "x")]].concat();
    let doubling: Vec<Source> = (0..9)
        .map(|n| source(&format!("partials/p{n}"), &format!("{{{{> p{}}}}}", n + 1).repeat(3)))
        .collect();
    let doubling = [doubling, vec![source("partials/p9", "")]].concat();
    for sources in [&ring[..], &itself, &deep, &doubling] {
        let findings = TemplateSet::load(sources, ExtraFields::Any).err().unwrap_or_default();
        assert!(!findings.is_empty() && findings.iter().all(|f| f.code == "T103"), "{findings:?}");
    }
}

#[test]
fn the_most_hostile_texts_within_the_bounds_are_parsed_on_a_small_stack() {
    let blocks = format!("{}{}", "{{#if a}}".repeat(150), "{{/if}}".repeat(150));
    let hostile = [
        blocks,
        "{{#if a}}".repeat(300),
        format!("{{{{default {}a{}}}}}", "(default a ".repeat(200), ")".repeat(200)),
        format!("{{{{default {}", "(default a ".repeat(200)),
        format!("{{{{default a {}1{}}}}}", "[".repeat(200), "]".repeat(200)),
        format!("{{{{default a {}1{}}}}}", "{\"a\":".repeat(790), "}".repeat(790)),
        format!("{{{{default a {}", "{\"a\":".repeat(790)),
        "{{> [a]}}".repeat(200) + &" ".repeat(60_000),
        format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{else if a}}".repeat(290)),
        "{{".to_owned() + &"a ".repeat(32_000),
    ];
    for text in hostile {
        let load = move || load(&text).is_ok();
        let small = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
        assert!(!small.spawn(load).unwrap().join().unwrap());
    }
}

/// Pieces that have a meaning to the parser, in any order.
fn template_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{{",
        "}}",
        "{",
        "}",
        "{{{",
        "}}}",
        "{{#if ",
        "{{/if}}",
        "{{else}}",
        "{{else if ",
        "{{^}}",
        "{{~",
        "~}}",
        "{{> ",
        "{{#> ",
        "{{#*inline ",
        "{{/inline}}",
        "{{!",
        "{{!--",
        "--}}",
        "(",
        ")",
        "[",
        "]",
        "\"",
        "'",
        "|",
        "=",
        "\\",
        "first_name",
        "x.",
        "company.short",
        "this",
        "../",
        "@index",
        "default ",
        "eq ",
        "date ",
        "signature",
        " ",
        "\n",
        "\r\n",
        "---\n",
        "subject: ",
        "needs: ",
        "as |a|",
        "1",
        "null",
        "é",
        "{{{{",
        "{{&",
        "{{first_name}}",
        "{{> signature}}",
        "{{#unless trigger}}",
        "{{/unless}}",
        "{{default first_name \"x\"}}",
        "/",
    ]);
    let piece = prop_oneof![9 => piece.prop_map(str::to_owned), 1 => ".{0,3}"];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_text_makes_loading_or_rendering_panic(text in template_text(), head in template_text()) {
        for text in [text.clone(), format!("---\nsubject: '{}'\n---\n{text}", head.replace('\'', "''"))] {
            match load(&text) {
                Ok((set, _)) => {
                    let _ = set.render("t", &dana());
                }
                Err(findings) => {
                    let lines = text.lines().count().max(1) + 1;
                    prop_assert!(findings.iter().all(|f| f.line <= lines), "{:?}", findings);
                }
            }
        }
    }

    #[test]
    fn no_value_breaks_out_of_its_place(
        value in r#"([<>&"'{}\r\n\t\x00-\x1f\u2028]|\{\{first_name\}\}|<script>|Bcc: |\PC){1,20}"#,
    ) {
        let text = "---\nsubject: \"Re: {{trigger}}\"\n---\nHi {{trigger}},\n\n{{default trigger \"x\"}}";
        let (set, _) = load(text).unwrap();
        let facts = Facts::from_iter(words([("x.trigger", value.as_str())]));
        let Ok(rendered) = set.render("t", &Context { facts, ..dana() }) else {
            prop_assert!(value.trim().is_empty());
            return Ok(());
        };
        let subject = rendered.subject.unwrap_or_default();
        prop_assert!(subject.starts_with("Re: ") || subject == "Re:");
        prop_assert!(subject.chars().count() <= 150 && !subject.chars().any(char::is_control));
        let html = html_from_text(&rendered.text);
        let tags = ["<p>", "</p>", "<br>", "<ul>", "</ul>", "<li>", "</li>"];
        let plain = tags.iter().fold(html, |html, tag| html.replace(tag, ""));
        prop_assert!(!plain.contains('<'), "{}", plain);
        prop_assert_eq!(rendered.text.contains("{{first_name}}"), value.contains("{{first_name}}"));
    }
}
