//! Files that are replaced whole, or stay as they were.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::Failure;

/// Gives a file another text. Whoever reads it meanwhile sees the one text or the other; a link stays a
/// link, and the file keeps its permissions.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("cannot write {}: {error}", path.display()));
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(failed(error)),
    };
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let beside = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = write_beside(&target, &beside, text);
    let replaced = written.and_then(|()| fs::rename(&beside, &target));
    if replaced.is_err() {
        let _ = fs::remove_file(&beside);
    }
    replaced.map_err(failed)
}

fn write_beside(target: &Path, beside: &Path, text: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    if let Ok(old) = fs::metadata(target) {
        fs::set_permissions(beside, old.permissions())?;
    }
    Ok(())
}
