//! A text in the person's own editor.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::Command;

use super::Failure;
use crate::config;

/// Opens a text in `$VISUAL` or `$EDITOR` and gives back what was saved.
///
/// # Errors
/// There is no terminal or no editor, or the editor did not end well: nothing is to be done then.
pub(super) fn edited(text: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Failure::usage("--edit needs a terminal; give a file with --text FILE"));
    }
    let editor = config::variable("VISUAL").or_else(|| config::variable("EDITOR"));
    let no_editor =
        || Failure::usage("--edit needs $EDITOR; set it, or give a file with --text FILE");
    let editor = editor.ok_or_else(no_editor)?;
    let path = config::temporary_folder().join(format!("firsttouch-{}.txt", std::process::id()));
    let saved = edited_at(&path, text, &editor);
    // Whether or not it went well, nothing about a person stays behind.
    let _ = std::fs::remove_file(&path);
    saved
}

fn edited_at(path: &Path, text: &str, editor: &str) -> Result<String, Failure> {
    let mut new = std::fs::OpenOptions::new();
    new.write(true).create_new(true);
    // Only this person may read it: it names somebody.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
    new.open(path)?.write_all(text.as_bytes())?;
    open(editor, path)?;
    Ok(std::fs::read_to_string(path)?)
}

/// `$EDITOR` may have words of its own, such as `code --wait`.
fn open(editor: &str, path: &Path) -> Result<(), Failure> {
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let status = Command::new(program).args(words).arg(path).status();
    let status = status.map_err(|error| Failure::new(format!("{program}: {error}")))?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::new(format!("{program} did not end well; nothing was released"))),
    }
}
