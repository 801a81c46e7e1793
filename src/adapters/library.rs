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

/// Every text of the three folders by its path from the workspace, such as `cadences/x.yaml`.
///
/// # Errors
/// A folder or a file could not be read; a folder that is not there is an empty one.
pub fn read(workspace: &Path) -> Result<BTreeMap<String, String>, LibraryError> {
    let mut texts = BTreeMap::new();
    for (folder, ending) in FOLDERS {
        read_folder(workspace, Path::new(folder), ending, &mut texts, 3)?;
    }
    Ok(texts)
}

fn read_folder(
    workspace: &Path,
    folder: &Path,
    ending: &str,
    texts: &mut BTreeMap<String, String>,
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
        if file.is_dir() && depth > 0 {
            read_folder(workspace, &inside, ending, texts, depth - 1)?;
        } else if file.extension().is_some_and(|found| found == ending) {
            texts.insert(inside.to_string_lossy().replace('\\', "/"), read_file(&file)?);
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
