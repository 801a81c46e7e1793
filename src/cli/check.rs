//! `check`: everything that is wrong with the files, without a database.

use serde_json::json;

use super::output::{print, print_json};
use super::{Context, FAILED, Failure};
use crate::engine::workspace;
use crate::formats::diagnostic::{Diagnostic, Severity};
use crate::wiring;

/// Check settings, cadences, profiles and templates; never touches a database
#[derive(clap::Args)]
pub(super) struct Args {}

pub(super) fn run(context: &Context, _: &Args) -> Result<u8, Failure> {
    let config = context.config()?;
    let files = wiring::files(&context.workspace)?;
    let calendars = config.calendars.keys().cloned().collect();
    let (workspace, findings) = workspace::check(&files, &calendars);
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if context.json {
        let findings: Vec<_> = findings.iter().map(finding_json).collect();
        let schema = "firsttouch.check.v1";
        print_json(&json!({"schema": schema, "errors": errors, "findings": findings}));
    } else {
        findings.iter().for_each(|finding| print(&finding.to_string()));
        config.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
        match workspace {
            Some(workspace) => print(&format!(
                "ok  {} cadences, {} profiles, {} templates",
                workspace.cadences.len(),
                workspace.profiles.len(),
                workspace.templates.names().count()
            )),
            None => print(&format!("{errors} errors in {} files", files.texts.len())),
        }
    }
    Ok(if errors > 0 { FAILED } else { 0 })
}

fn finding_json(finding: &Diagnostic) -> serde_json::Value {
    let severity = match finding.severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    json!({
        "code": finding.code,
        "severity": severity,
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "message": finding.message,
        "hint": finding.hint,
    })
}
