//! The profiles of the language, and broken ones.

use proptest::prelude::*;

use crate::domain::cadence::{Condition, Test};
use crate::domain::facts::Facts;
use crate::domain::profile::{Fit, Wants, evaluate};
use crate::domain::prospect::Range;

use super::*;

const VP: &str = r#"# yaml-language-server: $schema=../schema/profile.v1.schema.json
format: profile/v1
id: vp-sales-saas
title: VP / Head of Sales at a B2B SaaS company
about: Owns the number. Cares about ramp time and forecast misses. Reads mail before 9.

match:                               # every line must hold
  title:      { any: [VP Sales, Vice President of Sales, Head of Sales, Chief Revenue Officer, CRO], none: [assistant, intern, former, consultant] }
  seniority:  { any: [c_level, vp, head, director] }
  employees:  51-1000
  revenue:    5M-200M USD
  industry:   { any: [software, saas, internet, information technology] }
  country:    { any: ["US", "CA", "GB", "IE"] }

require: [email]                     # without these a person is parked as "incomplete", not enrolled
prefer:  [phone, linkedin_url, trigger]

score:                               # orders the queue; does not decide who is in
  - { add: 20, if: { has: [trigger] } }
  - { add: 15, if: { has: [phone] } }
  - { add: 10, if: { field: { employees: ">= 200" } } }
  - { add: -10, if: { has_not: [linkedin_url] } }

say:                                 # available in templates as {{profile.say.pain}} and so on
  pain:  new reps take two quarters to hit quota
  proof: Northwind cut ramp from 7 months to 4
  ask:   Worth 20 minutes next week?
language: en
"#;

const CRO: &str = r#"# yaml-language-server: $schema=../schema/profile.v1.schema.json
format: profile/v1
id: cro-enterprise
title: CRO / CFO who signs at an enterprise account
about: Signs. Short mails, one number, no attachments. Usually has an assistant on the phone.
match:
  title:     { any: [Chief Revenue Officer, CRO, Chief Financial Officer, CFO, Chief Operating Officer], none: [deputy, interim] }
  seniority: { any: [c_level] }
  employees: 1001+
  country:   { any: ["US", "CA", "GB", "DE", "FR", "NO"] }
require: [email]
prefer: [phone, economic_metric]
say:
  pain:  one missed quarter costs more than the tool does in five years
  proof: a 4,000-person distributor found 11% of pipeline had no next step
  ask:   Is this yours, or should I talk to someone on your team?
language: en
"#;

const VP_PATH: &str = "profiles/vp-sales-saas.yaml";

fn shown(findings: &[Diagnostic]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

/// The findings in a copy of the first profile with one part replaced.
fn broken(from: &str, to: &str) -> Vec<String> {
    assert!(VP.contains(from), "{from}");
    match parse(VP_PATH, &VP.replacen(from, to, 1)) {
        Ok((_, warnings)) => shown(&warnings),
        Err(findings) => shown(&findings),
    }
}

#[test]
fn both_profiles_of_the_language_are_read() {
    let (vp, warnings) = parse(VP_PATH, VP).unwrap();
    let trigger = "`trigger` is read from the column of that name in the list";
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings.iter().all(|w| w.code == "C203" && w.message == trigger), "{warnings:?}");
    let fields: Vec<&str> = vp.criteria.iter().map(|line| line.field.as_str()).collect();
    assert_eq!(fields, ["title", "seniority", "employees", "revenue", "industry", "country"]);
    let range = Range { low: 5_000_000, high: Some(200_000_000) };
    assert_eq!(vp.criteria[3].wants, Wants::Within(range));
    let at_least = Condition::Field(vec![("employees".to_owned(), Test::AtLeast(200.0))]);
    assert_eq!(vp.score[2], ScoreLine { add: 10, when: vec![at_least] });
    assert_eq!(vp.score[3].add, -10);
    assert_eq!(vp.say.get("ask").map(String::as_str), Some("Worth 20 minutes next week?"));
    assert_eq!((vp.require.len(), vp.prefer.len()), (1, 3));
    assert_eq!(vp.language.as_deref(), Some("en"));

    let (cro, _) = parse("profiles/cro-enterprise.yaml", CRO).unwrap();
    let Wants::Words { any, none } = &cro.criteria[3].wants else { panic!("{cro:?}") };
    assert_eq!((any.len(), any[5].as_str(), none.len()), (6, "NO", 0));
    assert_eq!(cro.criteria[2].wants, Wants::Within(Range { low: 1001, high: None }));
}

#[test]
fn a_profile_that_was_read_judges_people() {
    let (vp, _) = parse(VP_PATH, VP).unwrap();
    let person = [
        ("title", "VP of Sales, EMEA"),
        ("employees", "200"),
        ("revenue", "5000000"),
        ("industry", "Computer Software"),
        ("country", "GB"),
        ("email", "ann@northwind.example"),
        ("x.trigger", "opened an office in Leeds"),
    ];
    let fit = |changes: &[(&str, &str)]| {
        let all = person.iter().chain(changes);
        let facts: Facts = all.map(|(f, v)| ((*f).to_owned(), (*v).to_owned())).collect();
        evaluate(&vp, &facts).fit
    };
    // 20 for the trigger, 10 for the staff, -10 without LinkedIn, 1 for a preferred field.
    assert_eq!(fit(&[]), Fit::Fits { score: 21 });
    assert_eq!(fit(&[("phone", "+441130000000")]), Fit::Fits { score: 37 });
    let failed = |lines: &[&str]| Fit::DoesNotFit {
        failed: lines.iter().map(|l| (*l).to_owned()).collect(),
    };
    let nameless: Facts =
        [("title", "CRO")].map(|(f, v)| (f.to_owned(), v.to_owned())).into_iter().collect();
    assert!(matches!(evaluate(&vp, &nameless).fit, Fit::DoesNotFit { .. }));
    assert_eq!(fit(&[("country", "NO")]), failed(&["country"]));
    assert_eq!(fit(&[("title", "Former VP Sales")]), failed(&["title", "seniority"]));
    assert_eq!(fit(&[("title", "Microsoft Partner Manager")]), failed(&["title", "seniority"]));
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let p = VP_PATH;
    let cases: Vec<(&str, &str, String)> = vec![
        (
            "profile/v1",
            "profile/v2",
            format!("{p}:2:9: error[C006]: `format` is `profile/v2`, not `profile/v1`"),
        ),
        (
            "id: vp-sales-saas",
            "id: vp-sales",
            format!("{p}:3:5: error[C100]: the id is `vp-sales`, but the file is `vp-sales-saas`"),
        ),
        (
            "title: VP / Head of Sales at a B2B SaaS company\n",
            "",
            format!("{p}:2:1: error[C003]: a profile needs `title`"),
        ),
        (
            "require:",
            "requires:",
            format!(
                "{p}:15:1: error[C002]: a profile has no key `requires`; did you mean `require`?"
            ),
        ),
        (
            "employees:  51-1000",
            "employees:  51",
            format!("{p}:10:15: error[C004]: `51` is not a range; write one like 51-1000 or 1001+"),
        ),
        (
            "employees:  51-1000",
            "employees:  { any: [a] }",
            format!("{p}:10:15: error[C004]: `employees` is a text, not a map"),
        ),
        (
            "employees:  51-1000",
            "employes:   51-1000",
            format!(
                "{p}:10:3: error[C203]: there is no field `employes`; did you mean `employees`?"
            ),
        ),
        (
            "5M-200M USD",
            "5-200M USD",
            format!("{p}:11:15: error[C004]: `5-200M USD` has a unit on one side only"),
        ),
        ("\"IE\"", "NO", format!("{p}:13:41: warning[C401]: the country code `NO` has no quotes")),
        ("\"IE\"", "Ireland", format!("{p}:13:41: error[C402]: `Ireland` is not a country code")),
        (
            "head, director]",
            "vice president]",
            format!(
                "{p}:9:36: error[C403]: `vice president` is none of the levels; did you mean `vp`?"
            ),
        ),
        (
            "head, director]",
            "boss]",
            format!("{p}:9:36: warning[C403]: `boss` is none of the levels"),
        ),
        (
            "{ any: [software, saas, internet, information technology] }",
            "[software]",
            format!("{p}:12:15: error[C004]: `industry` needs lists of words"),
        ),
        (
            "{ any: [software, saas, internet, information technology] }",
            "{ all: [software] }",
            format!("{p}:12:17: error[C002]: a line of `match` has no key `all`"),
        ),
        (
            "{ any: [software, saas, internet, information technology] }",
            "{ any: [\"&\"] }",
            format!("{p}:12:23: error[C004]: `&` has no word to look for"),
        ),
        (
            "{ any: [software, saas, internet, information technology] }",
            "{ any: [] }",
            format!("{p}:12:22: error[C004]: `any` of `industry` is empty"),
        ),
        (
            "{ any: [software, saas, internet, information technology] }",
            "{ any: [on] }",
            format!("{p}:12:23: warning[C401]: `on` has no quotes"),
        ),
        (
            "{ any: [software, saas, internet, information technology] }",
            "{ any: [software companies, saas], none: [software] }",
            format!(
                "{p}:12:23: warning[C404]: `software companies` lets nobody in: `none` rules out `software`"
            ),
        ),
        (
            "add: 20",
            "add: many",
            format!(
                "{p}:19:12: error[C004]: `add` is a whole number from -1000 to 1000, not `many`"
            ),
        ),
        (
            "{ has: [phone] }",
            "{ has: [phnoe] }",
            format!("{p}:20:28: error[C203]: there is no field `phnoe`; did you mean `phone`?"),
        ),
        (
            "{ has: [phone] }",
            "{ outcome: { a: [sent] } }",
            format!("{p}:20:22: error[C002]: a condition has no key `outcome`"),
        ),
        ("\">= 200\"", "\">= many\"", format!("{p}:21:42: error[C004]: `>= many` is not a test")),
        (
            "  pain: ",
            "  the pain: ",
            format!("{p}:25:3: error[C004]: `the pain` cannot be named in a template"),
        ),
        ("language: en", "language: no", format!("{p}:28:11: warning[C401]: `no` has no quotes")),
    ];
    for (from, to, wanted) in cases {
        let found = broken(from, to);
        assert!(found.iter().any(|line| line.starts_with(&wanted)), "{wanted}\n{found:#?}");
    }
}

#[test]
fn a_profile_that_fits_everybody_is_refused() {
    let text = "format: profile/v1\nid: all\ntitle: All\nmatch: {}\n";
    let found = shown(&parse("profiles/all.yaml", text).unwrap_err());
    assert_eq!(
        found,
        ["profiles/all.yaml:4:8: error[C004]: `match` has no line, so it would fit everybody"]
    );
}

#[test]
fn numbers_in_a_column_of_the_list_can_be_a_range() {
    let text = VP.replace("revenue:    5M-200M USD", "x.open_roles: \">= 3\"");
    let (profile, _) = parse(VP_PATH, &text).unwrap();
    assert_eq!(profile.criteria[3].wants, Wants::Within(Range { low: 3, high: None }));
    let fit = |roles: &str| {
        let facts: Facts = [("x.open_roles".to_owned(), roles.to_owned())].into_iter().collect();
        evaluate(&profile, &facts).lines[3].reason.clone()
    };
    assert_eq!(fit("2"), "x.open_roles `2` is not in 3 and more");
    assert_eq!(fit("4"), "x.open_roles `4` is in 3 and more");
    assert_eq!(fit("many"), "x.open_roles `many` is not a whole number");
}

proptest! {
    #[test]
    fn a_mangled_profile_never_panics_and_says_why_it_is_refused(
        cut in 0..VP.len(), len in 0_usize..40, put in "[-a-z:{}\\[\\], \n\"'&*!|>0-9]{0,12}",
    ) {
        let start = VP.floor_char_boundary(cut);
        let end = VP.floor_char_boundary((start + len).min(VP.len()));
        let text = format!("{}{put}{}", &VP[..start], &VP[end..]);
        if let Err(findings) = parse(VP_PATH, &text) {
            prop_assert!(findings.iter().any(|f| f.severity == crate::formats::diagnostic::Severity::Error));
        }
    }
}
