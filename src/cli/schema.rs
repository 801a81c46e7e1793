//! `schema`: the JSON Schemas with which editors complete and check cadences, profiles and tests.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::output::{print, print_json};
use super::replace::replace;
use super::{Context, Failure};
use crate::formats::language::schema;

/// Write the JSON Schemas of this version, with which editors help; those of an older one are replaced
#[derive(clap::Args)]
pub(super) struct Args {
    /// Where to, from the workspace; the files there name this folder
    #[arg(long, default_value = "schema")]
    dir: PathBuf,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let dir = context.workspace.join(&args.dir);
    let failed = |error| Failure::new(format!("cannot make {}: {error}", dir.display()));
    std::fs::create_dir_all(&dir).map_err(failed)?;
    let mut files = Vec::new();
    for (path, text) in schema::files() {
        let name = Path::new(path).file_name().unwrap_or_default();
        let file = dir.join(name);
        let changed = std::fs::read_to_string(&file).ok().as_ref() != Some(&text);
        if changed {
            replace(&file, &text)?;
        }
        files.push((file.display().to_string(), changed));
    }
    if context.json {
        let file = |(path, changed): &(String, bool)| json!({"path": path, "changed": changed});
        let files: Vec<_> = files.iter().map(file).collect();
        print_json(&json!({"schema": "firsttouch.schema.v1", "files": files}));
    } else {
        for (path, changed) in files {
            print(&format!("{}  {path}", if changed { "wrote" } else { "same " }));
        }
    }
    Ok(0)
}
