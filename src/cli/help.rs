//! `help`: what a rule of `check` means, or how a command is used.

use clap::CommandFactory;
use serde_json::{Value, json};

use super::output::{bold, print, print_json, table, width, wrapped};
use super::{Cli, Context, Failure, NOT_FOUND, USAGE};
use crate::formats::diagnostic::did_you_mean;
use crate::formats::rules::{Example, Rule};

/// Explain a rule of `check`, such as: firsttouch help C201. Or show the help of a command
#[derive(clap::Args)]
pub(super) struct Args {
    /// A rule, or a command with its subcommands; the help of the program when absent
    topic: Vec<String>,
    /// List every rule
    #[arg(long, conflicts_with = "topic")]
    rules: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    if args.rules {
        show_all(context);
        return Ok(0);
    }
    match args.topic.as_slice() {
        [] => command_help(&[]),
        [topic] if Rule::find(topic).is_some() || is_like_a_rule(topic) => {
            let rule = Rule::find(topic).ok_or_else(|| no_such_rule(topic))?;
            show(context, rule);
            Ok(0)
        }
        topic => command_help(topic),
    }
}

/// `C20`, `c2O1`: not the name of any command.
fn is_like_a_rule(topic: &str) -> bool {
    let mut letters = topic.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic());
    first && letters.next().is_some_and(|c| c.is_ascii_digit())
}

fn no_such_rule(topic: &str) -> Failure {
    let upper = topic.to_ascii_uppercase();
    let near = did_you_mean(&upper, Rule::ALL.iter().map(|rule| rule.as_str()));
    let near = near.map_or_else(String::new, |near| format!("did you mean {near}? "));
    let message =
        format!("there is no rule `{topic}`; {near}`firsttouch help --rules` lists all of them");
    Failure { code: NOT_FOUND, kind: "not_found", message }
}

fn show_all(context: &Context) {
    if context.json {
        let rules: Vec<Value> = Rule::ALL.iter().map(|rule| as_json(*rule)).collect();
        return print_json(&json!({"schema": "firsttouch.rules.v1", "items": rules}));
    }
    let row = |rule: &Rule| {
        let page = rule.page();
        vec![rule.to_string(), page.severity.as_str().to_owned(), page.title.to_owned()]
    };
    print(&table(&Rule::ALL.iter().map(row).collect::<Vec<_>>()));
    print("\nfirsttouch help C201 explains one, with an example of each kind.");
}

fn show(context: &Context, rule: Rule) {
    if context.json {
        let mut document = as_json(rule);
        document["schema"] = json!("firsttouch.rule.v1");
        return print_json(&document);
    }
    let page = rule.page();
    print(&bold(&format!("{rule}  {} ({})", page.title, page.severity.as_str())));
    print(&format!("\n{}", paragraph(page.about)));
    for (kind, example) in [("Wrong", page.bad), ("Right", page.good)] {
        print(&format!("\n{}", bold(&format!("{kind}, in {}:", example.path))));
        print(&indented(example.text));
    }
}

fn as_json(rule: Rule) -> Value {
    let page = rule.page();
    let example = |example: Example| json!({"path": example.path, "text": example.text});
    json!({
        "id": rule.as_str(),
        "title": page.title,
        "severity": page.severity.as_str(),
        "about": page.about,
        "bad": example(page.bad),
        "good": example(page.good),
    })
}

/// Broken between words, without the indent of a list.
fn paragraph(text: &str) -> String {
    wrapped(text, width().min(100), 0).replace("\n  ", "\n")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

/// What `--help` says of a command.
fn command_help(path: &[String]) -> Result<u8, Failure> {
    let mut program = Cli::command();
    program.build();
    print_help(&mut program, path)
}

fn print_help(command: &mut clap::Command, path: &[String]) -> Result<u8, Failure> {
    let Some((name, path)) = path.split_first() else {
        command.print_long_help()?;
        return Ok(0);
    };
    if let Some(inner) = command.find_subcommand_mut(name) {
        return print_help(inner, path);
    }
    let known = command.get_subcommands().map(clap::Command::get_name);
    let near = did_you_mean(name, known);
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    let message = format!("there is no command and no rule `{name}`{near}");
    Err(Failure { code: USAGE, kind: "usage", message })
}
