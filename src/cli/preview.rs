//! `preview`: what somebody would get and when, and what a list lacks; nothing is ever written to the
//! database.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::output::{print, print_json, width};
use super::{Context, Failure};
use crate::config::{Config, variable};
use crate::engine::preview::{Basis, Does, Item, Someone, Target, target, users};
use crate::engine::workspace::Workspace;
use crate::engine::{Engine, EngineError};
use crate::formats::template::html_from_text;
use crate::wiring::{self, Running};

mod coverage;
mod machine;
mod people;

/// See what somebody would get and when, or what a list lacks for it
///
/// Shows the files as they are, applied or not; --applied shows what runs. Nothing
/// is sent and the database is not changed.
///
///   firsttouch preview CADENCE --sample                  a made-up person
///   firsttouch preview CADENCE --for dana@acme.test      every step with its date
///   firsttouch preview TEMPLATE --for dana@acme.test     one text, field by field
///   firsttouch preview CADENCE --coverage --list L       who lacks what
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// The id of a cadence or the name of a template, or the path of its file
    name: String,
    /// For whom: an e-mail address or a prospect id; several people of one company for a cadence with
    /// `unit: company`
    #[arg(long = "for", value_name = "PROSPECT")]
    who: Vec<String>,
    /// For a made-up person with every field
    #[arg(long, conflicts_with_all = ["who", "coverage"])]
    sample: bool,
    /// Hold a whole list against it
    #[arg(long, requires = "list", conflicts_with_all = ["who", "html", "from"])]
    coverage: bool,
    /// The imported list for --coverage
    #[arg(long, value_name = "LIST", requires = "coverage")]
    list: Option<String>,
    /// As if they were enrolled on that day, such as 2026-03-02
    #[arg(long, value_name = "DATE")]
    from: Option<jiff::civil::Date>,
    /// What runs instead of the files
    #[arg(long)]
    applied: bool,
    /// Write the mails as HTML into a file, and open it where there is a screen
    #[arg(long)]
    html: bool,
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    if args.who.is_empty() && !args.sample && !args.coverage {
        let ways =
            "say for whom: --for ADDRESS, --sample for a made-up person, or --coverage --list NAME";
        return Err(Failure::usage(ways));
    }
    let config = context.config()?;
    let workspace = context.checked(&config)?;
    let target = target(&workspace, &args.name);
    // What was taken out of the files may still run.
    let target = match target {
        Err(_) if args.applied => Target::Cadence(args.name.as_str().into()),
        target => target?,
    };
    if args.sample && !args.applied {
        let settings = Arc::new(wiring::settings(&config, Vec::new()));
        let basis = of_files(&workspace, &settings, &target)?;
        let page = Page::new(context, args, &config, &workspace, &target, basis)?;
        let samples = page.basis.samples();
        return page.show(samples);
    }
    let running = wiring::engine(&context.workspace, &config).await?;
    let basis = basis(&running, args, &workspace, &target).await?;
    let page = Page::new(context, args, &config, &workspace, &target, basis)?;
    if let Some(list) = &args.list {
        let template = page.template();
        let coverage = running.engine.coverage(&page.basis, template, list).await?;
        match context.json {
            true => print_json(&machine::coverage(&args.name, &coverage)),
            false => print(&coverage::text(&args.name, template.is_none(), &coverage, width())),
        }
        return Ok(0);
    }
    let mut people = Vec::new();
    for who in &args.who {
        people.push(running.engine.someone(who).await?);
    }
    let people = if people.is_empty() { page.basis.samples() } else { people };
    page.show(people)
}

async fn basis(
    running: &Running,
    args: &Args,
    workspace: &Workspace,
    target: &Target,
) -> Result<Basis, EngineError> {
    let engine: &Engine = &running.engine;
    match (args.applied, target) {
        (false, target) => of_files(workspace, &engine.settings, target),
        (true, Target::Cadence(id)) => engine.applied(id).await,
        (true, Target::Template(name)) => engine.applied_template(name).await,
    }
}

fn of_files(
    workspace: &Workspace,
    settings: &Arc<crate::domain::settings::Settings>,
    target: &Target,
) -> Result<Basis, EngineError> {
    match target {
        Target::Template(name) => Basis::of_template(workspace, settings, name),
        Target::Cadence(id) => {
            let file = workspace.cadences.iter().find(|file| file.cadence.id == *id);
            let missing = || EngineError::NotFound {
                what: "cadence",
                name: id.0.clone(),
                hint: String::new(),
            };
            Basis::of_cadence(workspace, settings, &file.ok_or_else(missing)?.cadence)
        }
    }
}

/// One preview for one person.
struct Page<'a> {
    context: &'a Context,
    args: &'a Args,
    config: &'a Config,
    target: &'a Target,
    basis: Basis,
    /// The cadences that use the template.
    users: Vec<String>,
    now: Timestamp,
}

impl<'a> Page<'a> {
    fn new(
        context: &'a Context,
        args: &'a Args,
        config: &'a Config,
        workspace: &Workspace,
        target: &'a Target,
        basis: Basis,
    ) -> Result<Self, Failure> {
        let now = match args.from {
            None => wiring::now(),
            Some(date) => {
                date.to_zoned(config.reader_zone.clone()).map_err(Failure::usage)?.timestamp()
            }
        };
        let users = match target {
            Target::Template(name) => {
                users(workspace, name).iter().map(|cadence| cadence.id.0.clone()).collect()
            }
            Target::Cadence(_) => Vec::new(),
        };
        Ok(Self { context, args, config, target, basis, users, now })
    }

    fn template(&self) -> Option<&str> {
        match self.target {
            Target::Template(name) => Some(name),
            Target::Cadence(_) => None,
        }
    }

    /// Shows it for somebody, or for the people of a company; never for nobody.
    fn show(&self, people: Vec<Someone>) -> Result<u8, Failure> {
        let Some(someone) = people.first() else {
            return Err(Failure::usage("say for whom"));
        };
        let mails = match self.target {
            Target::Cadence(_) => {
                let plan = self.basis.plan(&people, self.now)?;
                match self.context.json {
                    true => print_json(&machine::plan(&self.basis, someone, &plan)),
                    false => print(&people::plan(self, someone, &plan, width())),
                }
                plan.items.iter().filter_map(html_of).collect::<Vec<_>>()
            }
            Target::Template(name) => {
                let (seen, filling) = self.basis.fill(name, someone, self.now);
                match self.context.json {
                    true => print_json(&machine::template(name, &seen, &filling)),
                    false => {
                        print(&people::template(self, name, someone, &seen, &filling, width()))
                    }
                }
                let subject = |text: &crate::formats::template::Rendered| {
                    text.subject.clone().unwrap_or_else(|| name.clone())
                };
                let rendered = filling.rendered.as_ref();
                rendered
                    .map(|text| (subject(text), html_from_text(&text.text)))
                    .into_iter()
                    .collect()
            }
        };
        if self.args.html {
            self.write_html(&mails)?;
        }
        Ok(0)
    }

    /// One page with every mail, and its path; opened only where somebody sits in front of a screen.
    fn write_html(&self, mails: &[(String, String)]) -> Result<(), Failure> {
        let mut page = "<!doctype html>\n<meta charset=\"utf-8\">\n<title>Preview</title>\n\
            <body style=\"max-width:42em;margin:2em auto;font-family:sans-serif\">\n"
            .to_owned();
        for (subject, html) in mails {
            page.push_str(&format!("<hr>\n<strong>{}</strong>\n{html}\n", html_from_text(subject)));
        }
        let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let name: String = self.args.name.chars().map(safe).take(80).collect();
        let path = wiring::write_page(&self.context.workspace, &format!("{name}.html"), &page)?;
        eprintln!("HTML: {}", path.display());
        if std::io::stdout().is_terminal() && variable("DISPLAY").is_some() {
            open(&path);
        }
        Ok(())
    }
}

fn html_of(item: &Item) -> Option<(String, String)> {
    match &item.does {
        Does::Mail(Ok(mail)) => {
            Some((format!("{}: {}", item.step, mail.subject), mail.html.clone()))
        }
        Does::Mail(Err(_)) | Does::Task { .. } => None,
    }
}

/// Whether it opens is not our business: the path was printed.
fn open(path: &PathBuf) {
    use std::process::{Command, Stdio};
    let quiet =
        Command::new("xdg-open").arg(path).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    drop(quiet);
}
