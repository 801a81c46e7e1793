//! `profile`: who fits a buyer profile, who nearly does, and what earned replies.

use std::collections::BTreeMap;

use clap::Subcommand;
use serde_json::{Value, json};

use super::output::{bold, plain, print, print_json, table, width};
use super::{Context, Failure, NOT_FOUND};
use crate::domain::profile::Profile;
use crate::engine::Engine;
use crate::engine::workspace::{ProfileFile, Workspace};

pub(super) mod chart;
mod learn;
mod trial;

/// See who fits a buyer profile, who nearly does, and what earned replies
///
/// These read the files of the workspace as they are, applied or not: change a
/// line, look again, and apply when it is right. Nothing is changed and nobody is
/// contacted.
///
///   firsttouch profile list                       who fits which, in numbers
///   firsttouch profile test LIST                  a list against all profiles
///   firsttouch profile test LIST --profile NAME   against one of them
///   firsttouch profile learn                      which lines earned replies
///   firsttouch why PERSON                         every line for one person
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Every profile with its version, and how many of all people fit it
    List,
    /// The file of one profile, with its version
    Show(ShowArgs),
    Test(trial::Args),
    Learn(learn::Args),
}

#[derive(clap::Args)]
struct ShowArgs {
    /// The id of the profile
    profile: String,
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let shelf = Shelf::new(&running.engine, context.checked(&config)?).await?;
    match &args.verb {
        Verb::List => list(context, &running.engine, &shelf).await,
        Verb::Show(args) => show(context, &shelf, &args.profile),
        Verb::Test(args) => trial::run(context, &running.engine, &shelf, args).await,
        Verb::Learn(args) => learn::run(context, &running.engine, &shelf, args).await,
    }
}

/// The profiles of the workspace, and what of them runs.
struct Shelf {
    files: Vec<ProfileFile>,
    applied: BTreeMap<String, String>,
}

impl Shelf {
    async fn new(engine: &Engine, workspace: Workspace) -> Result<Self, Failure> {
        let applied = engine.store.current_profiles().await?.into_iter();
        let applied = applied.map(|record| (record.profile.0, record.digest)).collect();
        Ok(Self { files: workspace.profiles, applied })
    }

    /// The named one, or all of them.
    fn chosen(&self, name: Option<&str>) -> Result<Vec<&ProfileFile>, Failure> {
        let Some(name) = name else {
            return Ok(self.files.iter().collect());
        };
        Ok(vec![self.one(name)?])
    }

    fn one(&self, name: &str) -> Result<&ProfileFile, Failure> {
        let found = self.files.iter().find(|file| file.profile.id.as_str() == name);
        found.ok_or_else(|| {
            let known: Vec<&str> = self.files.iter().map(|file| file.profile.id.as_str()).collect();
            let known = match known.is_empty() {
                true => " yet: write one in profiles/".to_owned(),
                false => format!("; the profiles are: {}", known.join(", ")),
            };
            let message = format!("there is no profile `{name}`{known}");
            Failure { code: NOT_FOUND, kind: "not_found", message }
        })
    }

    /// Whether this very text is what runs.
    fn state(&self, file: &ProfileFile) -> &'static str {
        match self.applied.get(file.profile.id.as_str()) {
            Some(digest) if *digest == file.digest => "applied",
            Some(_) => "changed, not applied yet",
            None => "new, not applied yet",
        }
    }

    /// The line above what is said of a profile.
    fn heading(&self, file: &ProfileFile) -> String {
        let (id, title) = (file.profile.id.as_str(), plain(&file.profile.title, 60));
        let (version, state) = (version(&file.digest), self.state(file));
        format!("{}  {title}\n  version {version}, {state}\n", bold(id))
    }
}

/// The start of a digest, which is enough for people.
fn version(digest: &str) -> &str {
    digest.get(..6).unwrap_or(digest)
}

fn profiles_of(files: &[&ProfileFile]) -> Vec<Profile> {
    files.iter().map(|file| file.profile.clone()).collect()
}

async fn list(context: &Context, engine: &Engine, shelf: &Shelf) -> Result<u8, Failure> {
    let files: Vec<&ProfileFile> = shelf.files.iter().collect();
    let profiles = profiles_of(&files);
    let trial = engine.try_on_everybody(&profiles).await?;
    let fits: Vec<u64> = trial.tried.iter().map(|tried| tried.fits).collect();
    if context.json {
        let items = files.iter().zip(&fits).map(|(file, fits)| item_json(shelf, file, *fits));
        let items: Vec<Value> = items.collect();
        let people = trial.people;
        print_json(&json!({"schema": "firsttouch.profiles.v1", "people": people, "items": items}));
        return Ok(0);
    }
    if files.is_empty() {
        print("No profiles yet: write one in profiles/ (`firsttouch init` writes examples).");
        return Ok(0);
    }
    let widest =
        |of: &dyn Fn(&ProfileFile) -> usize| files.iter().map(|f| of(f)).max().unwrap_or(0);
    let others = widest(&|file| file.profile.id.as_str().len())
        + widest(&|file| shelf.state(file).len())
        + "    fits  version      ".len();
    let room = width().saturating_sub(others).max(20);
    let row = |(file, fits): (&&ProfileFile, &u64)| {
        let id = file.profile.id.to_string();
        let (version, state) = (version(&file.digest).to_owned(), shelf.state(file).to_owned());
        let title = plain(&file.profile.title, room);
        vec![id, format!("{fits:>6}"), version, state, title]
    };
    let head = ["profile", "  fits", "version", "state", "title"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> =
        std::iter::once(head).chain(files.iter().zip(&fits).map(row)).collect();
    print(&format!("{}\nof {} people in all\n", table(&rows), trial.people));
    nobody_fits(&files, &fits, trial.people);
    Ok(0)
}

fn item_json(shelf: &Shelf, file: &ProfileFile, fits: u64) -> Value {
    json!({"profile": file.profile.id.as_str(), "title": file.profile.title,
        "version": file.digest, "state": shelf.state(file), "fits": fits})
}

/// Warns of profiles that let nobody in (C701), as soon as there is anybody.
fn nobody_fits(files: &[&ProfileFile], fits: &[u64], people: u64) {
    let empty = files.iter().zip(fits).filter(|(_, fits)| people > 0 && **fits == 0);
    for (file, _) in empty {
        eprintln!("{}: warning[C701]: nobody fits this profile", file.path);
    }
}

fn show(context: &Context, shelf: &Shelf, name: &str) -> Result<u8, Failure> {
    let file = shelf.one(name)?;
    if context.json {
        print_json(&json!({"schema": "firsttouch.profile.v1", "profile": name,
            "path": file.path, "version": file.digest, "state": shelf.state(file),
            "text": file.text}));
    } else {
        let (digest, state) = (&file.digest, shelf.state(file));
        print(&format!("# {}, version {digest}, {state}\n{}", file.path, file.text));
    }
    Ok(0)
}
