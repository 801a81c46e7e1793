//! The folders of a workspace: cadences, profiles, templates.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A file that could not be read.
#[derive(Debug, Error)]
#[error("cannot read {}: {source}", path.display())]
pub struct LibraryError {
    pub path: PathBuf,
    pub source: std::io::Error,
}

/// A file of ours is never larger than this, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// Folder, and the ending of its files.
const FOLDERS: [(&str, &str); 3] =
    [("cadences", "yaml"), ("profiles", "yaml"), ("templates", "hbs")];

/// What there is in the three folders.
#[derive(Debug, Default)]
pub struct Found {
    /// By its path from the workspace, such as `cadences/x.yaml`.
    pub texts: BTreeMap<String, String>,
    /// Files that could not be read, with their path from the workspace.
    pub unread: Vec<(String, LibraryError)>,
    /// Files that are probably meant to be read, but have another ending, such as `cadences/x.yml`.
    pub misnamed: Vec<String>,
}

/// Every text of the three folders by its path from the workspace, such as `cadences/x.yaml`.
///
/// # Errors
/// A folder or a file could not be read; a folder that is not there is an empty one.
pub fn read(workspace: &Path) -> Result<BTreeMap<String, String>, LibraryError> {
    let found = look(workspace)?;
    match found.unread.into_iter().next() {
        Some((_, error)) => Err(error),
        None => Ok(found.texts),
    }
}

/// Everything in the three folders, also what cannot be read.
///
/// # Errors
/// A folder could not be read; a folder that is not there is an empty one.
pub fn look(workspace: &Path) -> Result<Found, LibraryError> {
    let mut found = Found::default();
    for (folder, ending) in FOLDERS {
        look_into(workspace, Path::new(folder), ending, &mut found, 3)?;
    }
    found.misnamed.sort();
    found.unread.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(found)
}

fn look_into(
    workspace: &Path,
    folder: &Path,
    ending: &str,
    found: &mut Found,
    depth: u8,
) -> Result<(), LibraryError> {
    let path = workspace.join(folder);
    let failed = |source| LibraryError { path: path.clone(), source };
    let entries = match fs::read_dir(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let inside = folder.join(entry.file_name());
        let file = workspace.join(&inside);
        let name = inside.to_string_lossy().replace('\\', "/");
        if file.is_dir() && depth > 0 {
            look_into(workspace, &inside, ending, found, depth - 1)?;
        } else if file.extension().is_some_and(|found| found == ending) {
            match read_file(&file) {
                Ok(text) => drop(found.texts.insert(name, text)),
                Err(error) => found.unread.push((name, error)),
            }
        } else if ending == "yaml" && file.extension().is_some_and(|found| found == "yml") {
            found.misnamed.push(name);
        }
    }
    Ok(())
}

fn read_file(path: &Path) -> Result<String, LibraryError> {
    let failed = |source| LibraryError { path: path.to_owned(), source };
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > MAX_FILE {
        return Err(failed(std::io::Error::other(
            "larger than 1 MiB: that is no cadence or template",
        )));
    }
    fs::read_to_string(path).map_err(failed)
}
