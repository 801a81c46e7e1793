//! The findings for other programs: JSON, SARIF, and the annotations of GitHub Actions.

use std::path::{Component, Path};

use serde_json::{Value, json};

use crate::formats::diagnostic::{Diagnostic, Severity};
use crate::formats::rules::Rule;

/// One document of ours.
pub(super) fn json(findings: &[&Diagnostic], files: usize) -> String {
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    json!({
        "schema": "firsttouch.check.v1",
        "files": files,
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warning),
        "notes": count(Severity::Note),
        "findings": findings.iter().map(|finding| finding_json(finding)).collect::<Vec<_>>(),
    })
    .to_string()
}

fn finding_json(finding: &Diagnostic) -> Value {
    json!({
        "code": finding.code.as_str(),
        "severity": finding.severity.as_str(),
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "message": finding.message,
        "hint": finding.hint,
    })
}

/// SARIF 2.1.0, one run; every rule is described, so that a viewer can explain it.
pub(super) fn sarif(findings: &[&Diagnostic], workspace: &Path) -> String {
    let rules: Vec<Value> = Rule::ALL.iter().map(|rule| sarif_rule(*rule)).collect();
    let results: Vec<Value> = findings.iter().map(|f| sarif_result(f, workspace)).collect();
    let driver =
        json!({"name": "firsttouch", "version": env!("CARGO_PKG_VERSION"), "rules": rules});
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": driver},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
    .to_string()
}

fn sarif_rule(rule: Rule) -> Value {
    let page = rule.page();
    json!({
        "id": rule.as_str(),
        "shortDescription": {"text": page.title},
        "fullDescription": {"text": page.about},
        "help": {"text": page.about},
        "defaultConfiguration": {"level": page.severity.as_str()},
    })
}

fn sarif_result(finding: &Diagnostic, workspace: &Path) -> Value {
    let uri = as_uri(&from_here(workspace, &finding.path));
    let mut place = json!({"artifactLocation": {"uri": uri}});
    if finding.line > 0 {
        let column = finding.column.max(1);
        place["region"] = json!({"startLine": finding.line, "startColumn": column});
    }
    json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": Rule::ALL.iter().position(|rule| *rule == finding.code),
        "level": finding.severity.as_str(),
        "message": {"text": with_hint(finding)},
        "locations": [{"physicalLocation": place}],
    })
}

/// One workflow command, which GitHub shows beside the line of a pull request.
pub(super) fn github(finding: &Diagnostic, workspace: &Path) -> String {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = format!("file={}", property(&from_here(workspace, &finding.path)));
    for (name, number) in [("line", finding.line), ("col", finding.column)] {
        if number > 0 {
            properties.push_str(&format!(",{name}={number}"));
        }
    }
    format!("::{command} {properties},title={}::{}", finding.code, data(&with_hint(finding)))
}

fn with_hint(finding: &Diagnostic) -> String {
    match &finding.hint {
        Some(hint) => format!("{}\n{hint}", finding.message),
        None => finding.message.clone(),
    }
}

/// What a workflow command would take for its own line end.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The same, and what would end a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A path of the workspace as it is named from the folder in which the command was given, with `/`.
fn from_here(workspace: &Path, path: &str) -> String {
    let parts = workspace.components().filter(|part| *part != Component::CurDir);
    let folder: std::path::PathBuf = parts.collect();
    folder.join(path).to_string_lossy().replace('\\', "/")
}

/// RFC 3986: everything but unreserved characters and `/` as %XX.
fn as_uri(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'/');
    let encoded = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    let path: String = path.bytes().map(encoded).collect();
    if path.starts_with('/') { format!("file://{path}") } else { path }
}
