//! From a source to a parsed and linted file, and what its partials add to it.

use crate::formats::rules::Rule;
use std::collections::{BTreeMap, BTreeSet};

use handlebars::{Template, TemplateError, TemplateErrorReason};

use super::front_matter::{self, FrontMatter, Placed};
use super::lint::{self, Known, Uses, field_finding};
use super::place::Place;
use super::scan::{MAX_SOURCE_BYTES, scan};
use super::{PARTIALS, Source};
use crate::formats::diagnostic::Diagnostic;

/// How deep partials may include partials.
const MAX_PARTIAL_DEPTH: usize = 10;
/// How many partials one template may include in all, counted with those inside partials.
const MAX_INCLUSIONS: u64 = 200;
const MAX_MESSAGE_CHARS: usize = 300;

/// A template or partial that could be parsed.
pub(super) struct File {
    pub name: String,
    pub path: String,
    pub subject: Option<Template>,
    pub preview: Option<Template>,
    pub body: Template,
    pub needs: Vec<String>,
    pub language: Option<String>,
    pub uses: Uses,
}

/// Parses and lints one source; `None` when it could not be parsed.
pub(super) fn file(
    source: &Source,
    known: Known<'_>,
    findings: &mut Vec<Diagnostic>,
) -> Option<File> {
    let path = source.path.as_str();
    if source.text.len() > MAX_SOURCE_BYTES {
        let message = format!("the file is longer than {MAX_SOURCE_BYTES} bytes");
        findings.push(Diagnostic::error(Rule::T103, path, (0, 0), message));
        return None;
    }
    let text = source.text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let (head, body) = match front_matter::split(path, &text) {
        Ok(split) => split,
        Err(finding) => {
            findings.push(finding);
            return None;
        }
    };
    findings.extend(head_findings(source, &head, known));
    let subject = head.subject.map(|subject| piece(path, &subject, known, findings));
    let preview = head.preview.map(|preview| piece(path, &preview, known, findings));
    let (body, mut uses) = piece(path, &body, known, findings)?;
    let subject = beside(subject, &mut uses)?;
    let preview = beside(preview, &mut uses)?;
    let needs = head.needs.into_iter().map(|need| need.text).collect();
    let (name, path) = (source.name.clone(), source.path.clone());
    Some(File { name, path, subject, preview, body, needs, language: head.language, uses })
}

/// A piece of the head that is there or not, and what it uses; `None` when it could not be parsed.
fn beside(piece: Option<Option<(Template, Uses)>>, uses: &mut Uses) -> Option<Option<Template>> {
    let Some(piece) = piece else { return Some(None) };
    let (template, used) = piece?;
    uses.add(used);
    Some(Some(template))
}

/// What is wrong with the head although it could be read.
fn head_findings(source: &Source, head: &FrontMatter, known: Known<'_>) -> Vec<Diagnostic> {
    let path = source.path.as_str();
    if source.name.starts_with(PARTIALS) && *head != FrontMatter::default() {
        let message = "a partial has no head; subject and needs belong to the template".to_owned();
        return vec![Diagnostic::error(Rule::T105, path, (1, 1), message)];
    }
    let place = |need: &Placed| need.origin.of(Place { line: 1, column: 1 });
    let needs = head.needs.iter();
    needs.filter_map(|need| field_finding(path, place(need), &need.text, known.extra)).collect()
}

/// Parses and lints a subject or a body.
fn piece(
    path: &str,
    piece: &Placed,
    known: Known<'_>,
    findings: &mut Vec<Diagnostic>,
) -> Option<(Template, Uses)> {
    let scan = scan(path, &piece.text, piece.origin);
    findings.extend(scan.findings);
    if !scan.parseable {
        return None;
    }
    match Template::compile(&piece.text) {
        Ok(parsed) => {
            let (uses, found) = lint::lint(path, piece, &parsed, known);
            findings.extend(found);
            Some((parsed, uses))
        }
        Err(error) => {
            findings.push(syntax_finding(path, piece, &error));
            None
        }
    }
}

fn syntax_finding(path: &str, piece: &Placed, error: &TemplateError) -> Diagnostic {
    let (line, column) = error.pos().unwrap_or((1, 1));
    let at = piece.origin.of(Place { line, column });
    let message = match error.reason() {
        TemplateErrorReason::MismatchingClosedHelper(opened, closed) => {
            format!("`{{{{#{opened}}}}}` was opened, but `{{{{/{closed}}}}}` closes")
        }
        TemplateErrorReason::InvalidSyntax(_) => {
            "this is not a field, a helper or a complete block".to_owned()
        }
        reason => reason.to_string(),
    };
    let message = message.chars().take(MAX_MESSAGE_CHARS).collect();
    let hint = "write {{field}}, {{default field \"…\"}} or {{#if field}}…{{/if}}; every {{#…}} needs its {{/…}}";
    Diagnostic::error(Rule::T100, path, at, message).with_hint(hint)
}

/// What including a partial amounts to, with everything that it includes itself.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    pub fields: BTreeSet<String>,
    pub fallbacks: BTreeSet<String>,
    pub partials: BTreeSet<String>,
    inclusions: u64,
}

/// The reach of every partial, given all files; reports inclusions without end, which would end the process, and too
/// many of them, which would take for ever.
pub(super) fn reaches(files: &[File], findings: &mut Vec<Diagnostic>) -> BTreeMap<String, Reach> {
    let mut reaches = BTreeMap::new();
    let partial = |file: &'_ File| file.name.strip_prefix(PARTIALS).map(str::to_owned);
    for _ in 0..MAX_PARTIAL_DEPTH {
        let open = files.iter().filter_map(|file| Some((partial(file)?, file)));
        let open = open.filter(|(name, _)| !reaches.contains_key(name));
        let closed: Vec<_> =
            open.filter_map(|(name, file)| Some((name, reach(file, &reaches)?))).collect();
        reaches.extend(closed);
    }
    for file in files {
        let problem = match reach(file, &reaches) {
            Some(reach) if reach.inclusions > MAX_INCLUSIONS => {
                format!("partials are included more than {MAX_INCLUSIONS} times")
            }
            None => {
                format!(
                    "a partial includes itself, or partials nest deeper than {MAX_PARTIAL_DEPTH}"
                )
            }
            Some(_) => continue,
        };
        findings.push(Diagnostic::error(Rule::T103, &file.path, (0, 0), problem));
    }
    reaches
}

/// `None` while a partial that it includes has no reach yet.
fn reach(file: &File, reaches: &BTreeMap<String, Reach>) -> Option<Reach> {
    let partials = file.uses.partials.iter().cloned().collect();
    let (fields, fallbacks) = (file.uses.fields.clone(), file.uses.fallbacks.clone());
    let mut sum = Reach { fields, fallbacks, partials, inclusions: 0 };
    for partial in &file.uses.partials {
        let inner = reaches.get(partial)?;
        sum.fields.extend(inner.fields.iter().cloned());
        sum.fallbacks.extend(inner.fallbacks.iter().cloned());
        sum.partials.extend(inner.partials.iter().cloned());
        sum.inclusions = sum.inclusions.saturating_add(inner.inclusions).saturating_add(1);
    }
    Some(sum)
}
