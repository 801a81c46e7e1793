//! The picture of ARCHITECTURE.md, held against the source: who may name whom, and where the clock,
//! chance, SQL, the environment and a panic may appear.
//!
//! The scanner knows as much of Rust as it needs: comments, strings and test modules are taken out,
//! and what is left is searched for paths and words.

use std::fmt;
use std::path::{Path, PathBuf};

/// Which rooms a room may name, beside itself.
const PICTURE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("formats", &["domain"]),
    ("ports", &["domain"]),
    ("engine", &["formats", "ports", "domain"]),
    ("adapters", &["ports", "domain", "formats"]),
    ("config", &["formats", "domain"]),
    ("wiring", &["config", "adapters", "engine", "ports", "formats", "domain"]),
    ("web", &["engine", "ports", "formats", "domain"]),
    ("cli", &["web", "wiring", "config", "engine", "ports", "formats", "domain"]),
    ("main", &["cli", "wiring", "config"]),
];

/// Where `now` and chance come from.
const CLOCK_AND_CHANCE: &[&str] = &[
    "Timestamp::now",
    "Zoned::now",
    "SystemTime::now",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "rand",
    "getrandom",
    "fastrand",
];

/// What a pure rule has no use for.
const IMPURE: &[&str] = &[
    "async", "await", "serde", "tracing", "tokio", "std::fs", "std::net", "std::env", "std::io",
    "println", "eprintln",
];

const ENVIRONMENT: &[&str] = &["std::env", "env::var", "env::var_os", "env::vars", "env::args"];

const PANICS: &[&str] = &[".unwrap()", ".expect(", "panic!(", "todo!(", "unimplemented!("];

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    path: String,
    line: usize,
    why: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.why)
    }
}

/// A source file without comments and test modules.
struct Source {
    /// Relative to the repository, such as `src/domain/reply.rs`.
    path: String,
    /// The code with blanks in place of comments and of what strings hold; lines as in the file.
    code: String,
    /// Every string with its line, white space folded.
    strings: Vec<(usize, String)>,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let (code, strings) = blank_out(text);
        let tests = test_lines(&code);
        let is_test = |line: usize| tests.iter().any(|(from, to)| (*from..=*to).contains(&line));
        let kept = |(index, line)| if is_test(index + 1) { "" } else { line };
        let code: Vec<&str> = code.lines().enumerate().map(kept).collect();
        let strings = strings.into_iter().filter(|(line, _)| !is_test(*line)).collect();
        Self { path: path.to_owned(), code: code.join("\n"), strings }
    }

    /// `domain` of `src/domain/reply.rs`, `ports` of `src/ports.rs`.
    fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let first = inside.split('/').next().unwrap_or(inside);
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// How many modules the file lies below the root of the crate.
    fn depth(&self) -> usize {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let parts = inside.split('/').count();
        if inside.ends_with("/mod.rs") { parts - 1 } else { parts }
    }

    fn at(&self, line: usize, why: String) -> Violation {
        Violation { path: self.path.clone(), line, why }
    }

    /// Lines on which a path or word stands by itself.
    fn lines_with(&self, wanted: &str) -> Vec<usize> {
        let has = |line: &str| {
            line.match_indices(wanted).any(|(at, _)| stands_alone(line, at, at + wanted.len()))
        };
        let lines = self.code.lines().enumerate();
        lines.filter(|(_, line)| has(line)).map(|(index, _)| index + 1).collect()
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A word ends where punctuation begins; a pattern that ends in punctuation ends by itself.
fn stands_alone(line: &str, from: usize, to: usize) -> bool {
    let pattern = &line[from..to];
    let open_before = !pattern.starts_with(is_word) || !line[..from].ends_with(is_word);
    let open_behind = !pattern.ends_with(is_word) || !line[to..].starts_with(is_word);
    open_before && open_behind
}

/// The code with comments and the insides of strings blanked, and the strings with their lines.
fn blank_out(text: &str) -> (String, Vec<(usize, String)>) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut strings) = (String::new(), Vec::new());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_token(&chars, at);
        let token: String = chars[at..end].iter().collect();
        let is_string = !token.starts_with('/')
            && token.ends_with(['"', '#'])
            && token.contains('"')
            && token.len() > 1;
        if is_string {
            let inside = token.trim_start_matches(['b', 'r', 'c', '#']).trim_matches(['"', '#']);
            let words: Vec<&str> = inside.split_whitespace().filter(|word| *word != "\\").collect();
            strings.push((code.matches('\n').count() + 1, words.join(" ")));
        }
        let is_code = end == at + 1;
        code.extend(token.chars().map(|c| if is_code || c == '\n' { c } else { ' ' }));
        at = end;
    }
    (code, strings)
}

/// Where the comment, string or character that begins here ends; the next character for code.
fn end_of_token(chars: &[char], at: usize) -> usize {
    let next = |n: usize| chars.get(at + n).copied().unwrap_or('\0');
    let before = at.checked_sub(1).map_or(' ', |at| chars[at]);
    match (chars[at], next(1)) {
        ('/', '/') => position(chars, at, |c| c == '\n'),
        ('/', '*') => end_of_block(chars, at),
        ('"', _) => end_of_string(chars, at),
        ('r', '"' | '#') if !is_word(before) || before == 'b' => end_of_raw(chars, at),
        ('\'', '\\') => position(chars, at + 3, |c| c == '\'') + 1,
        ('\'', _) if next(2) == '\'' => at + 3,
        _ => at + 1,
    }
    .min(chars.len())
}

fn position(chars: &[char], from: usize, wanted: impl Fn(char) -> bool) -> usize {
    (from..chars.len()).find(|at| wanted(chars[*at])).unwrap_or(chars.len())
}

fn end_of_block(chars: &[char], start: usize) -> usize {
    let (mut depth, mut at) = (0, start);
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn end_of_string(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// A raw string, or a raw name such as `r#type`, which is code.
fn end_of_raw(chars: &[char], start: usize) -> usize {
    let quote = position(chars, start + 1, |c| c != '#');
    if chars.get(quote) != Some(&'"') {
        return start + 1;
    }
    let hashes = quote - start - 1;
    let closes = |at: &usize| {
        chars[*at] == '"' && (1..=hashes).all(|n| chars.get(at + n).copied() == Some('#'))
    };
    (quote + 1..chars.len()).find(closes).map_or(chars.len(), |at| at + hashes + 1)
}

/// First and last line of everything behind a `#[cfg(test)]`.
fn test_lines(code: &str) -> Vec<(usize, usize)> {
    let line_of = |at: usize| code[..at].matches('\n').count() + 1;
    let starts = code.match_indices("#[cfg(test)]").map(|(at, _)| at);
    starts.map(|at| (line_of(at), line_of(end_of_item(code, at)))).collect()
}

/// Where the item that begins here ends: at its `;`, or at the brace that closes its first one.
fn end_of_item(code: &str, start: usize) -> usize {
    let mut depth = 0;
    for (at, c) in code[start..].char_indices() {
        match c {
            ';' if depth == 0 => return start + at,
            '{' => depth += 1,
            '}' if depth == 1 => return start + at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// The rooms that a file names, with the line.
fn rooms_named(source: &Source) -> Vec<(usize, String)> {
    let up = "super::".repeat(source.depth());
    let mut named = Vec::new();
    for root in ["crate::", "firsttouch::", up.as_str()] {
        for (at, _) in source.code.match_indices(root) {
            let before = &source.code[..at];
            if before.ends_with(is_word) || before.ends_with("::") {
                continue;
            }
            let line = before.matches('\n').count() + 1;
            let behind = &source.code[at + root.len()..];
            named.extend(heads(behind).into_iter().map(|room| (line, room)));
        }
    }
    named
}

/// The first name of a path, or of every path in its braces.
fn heads(path: &str) -> Vec<String> {
    let name = |text: &str| text.trim_start().chars().take_while(|c| is_word(*c)).collect();
    let Some(group) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let (mut depth, mut names, mut start) = (0, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                names.push(name(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    names.retain(|name: &String| !name.is_empty() && name != "self");
    names
}

fn check_arrows(source: &Source) -> Vec<Violation> {
    let room = source.room();
    if room == "lib" {
        return Vec::new();
    }
    let Some((_, allowed)) = PICTURE.iter().find(|(known, _)| *known == room) else {
        return vec![source.at(1, format!("`{room}` is not in the picture"))];
    };
    let is_room = |name: &str| PICTURE.iter().any(|(known, _)| *known == name);
    let mut found = Vec::new();
    for (line, named) in rooms_named(source) {
        if is_room(&named) && named != room && !allowed.contains(&named.as_str()) {
            found.push(source.at(line, format!("`{room}` may not name `{named}`")));
        }
    }
    found
}

fn check_words(source: &Source, words: &[&str], why: &str) -> Vec<Violation> {
    let found =
        words.iter().flat_map(|word| source.lines_with(word).into_iter().map(move |l| (l, word)));
    found.map(|(line, word)| source.at(line, format!("`{word}` {why}"))).collect()
}

fn check_sources_of_surprise(source: &Source) -> Vec<Violation> {
    let room = source.room();
    let mut found = Vec::new();
    if room != "adapters" {
        found.extend(check_words(source, CLOCK_AND_CHANCE, "is read outside `adapters/`"));
    }
    if ["domain", "formats", "engine"].contains(&room) {
        let why = "measures time that the clock port does not know";
        found.extend(check_words(source, &["tokio::time"], why));
    }
    if room == "domain" {
        found.extend(check_words(source, IMPURE, "has no place in pure rules"));
    }
    if !["config", "main"].contains(&room) {
        found.extend(check_words(source, ENVIRONMENT, "is read outside `config.rs` and `main.rs`"));
    }
    found.extend(check_words(source, PANICS, "can end the program; return an error"));
    found
}

fn is_sql(string: &str) -> bool {
    let text = string.to_lowercase();
    ["select ", "insert into", "delete from"].iter().any(|verb| text.starts_with(verb))
        || (text.starts_with("update ") && text.contains(" set "))
}

fn check_sql(source: &Source) -> Vec<Violation> {
    let mut found = Vec::new();
    if !source.path.starts_with("src/adapters/store/") {
        let strings = source.strings.iter().filter(|(_, string)| is_sql(string));
        let outside = "SQL outside `adapters/store/`";
        found.extend(strings.map(|(line, _)| source.at(*line, outside.to_owned())));
        found.extend(check_words(source, &["sqlx"], "is named outside `adapters/store/`"));
    }
    let rewrites = source.strings.iter().filter(|(_, string)| rewrites_the_log(string));
    found.extend(rewrites.map(|(line, _)| source.at(*line, REWRITES.to_owned())));
    found
}

const REWRITES: &str = "the table `event` is only ever added to";

/// Whether a statement changes or removes what was logged.
fn rewrites_the_log(sql: &str) -> bool {
    let text = sql.to_lowercase();
    [
        "update event",
        "delete from event",
        "truncate event",
        "truncate table event",
        "drop table event",
    ]
    .iter()
    .any(|start| text.match_indices(start).any(|(at, _)| stands_alone(&text, at, at + start.len())))
}

fn check(path: &str, text: &str) -> Vec<Violation> {
    let source = Source::new(path, text);
    [check_arrows, check_sources_of_surprise, check_sql]
        .iter()
        .flat_map(|rule| rule(&source))
        .collect()
}

fn check_migration(path: &str, text: &str) -> Vec<Violation> {
    let lines = text.lines().map(|line| line.split("--").next().unwrap_or(""));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    let source = Source { path: path.to_owned(), code: String::new(), strings: Vec::new() };
    let rewrites = rewrites_the_log(&words.join(" "));
    rewrites.then(|| source.at(1, REWRITES.to_owned())).into_iter().collect()
}

/// Every file below a folder, sorted.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Path and text of every file with that ending, test files left out.
fn tree(folder: &str, ending: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_test = |path: &str| path.ends_with("/tests.rs") || path.contains("/tests/");
    let mut files = Vec::new();
    for path in files_below(&root.join(folder)) {
        let name = path.strip_prefix(root).expect("below the root").display().to_string();
        if name.ends_with(ending) && !is_test(&name) {
            files.push((name, std::fs::read_to_string(path).expect("a text")));
        }
    }
    files
}

#[test]
fn the_source_follows_the_picture() {
    let files = tree("src", ".rs");
    assert!(files.len() > 50, "only {} source files were found", files.len());
    let migrations = tree("migrations", ".sql");
    assert!(!migrations.is_empty(), "no migration was found");
    let mut found: Vec<Violation> =
        files.iter().flat_map(|(path, text)| check(path, text)).collect();
    found.extend(migrations.iter().flat_map(|(path, text)| check_migration(path, text)));
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

#[test]
fn every_rule_finds_what_it_forbids_and_says_where() {
    for (path, text, expected) in [
        ("src/domain/a.rs", "use crate::formats::csv;", "1: `domain` may not name `formats`"),
        (
            "src/domain/a.rs",
            "\nuse super::super::ports::Store;",
            "2: `domain` may not name `ports`",
        ),
        ("src/domain/mod.rs", "use super::engine::Engine;", "1: `domain` may not name `engine`"),
        (
            "src/formats/a.rs",
            "fn f(s: &dyn crate::ports::Store) {}",
            "1: `formats` may not name `ports`",
        ),
        ("src/ports/store.rs", "use crate::formats::csv;", "1: `ports` may not name `formats`"),
        (
            "src/engine/a.rs",
            "use crate::{\n domain::{ids, log},\n adapters::tls,\n};",
            "1: `engine` may not name `adapters`",
        ),
        ("src/engine/a.rs", "use crate::config::Config;", "1: `engine` may not name `config`"),
        (
            "src/adapters/a/b.rs",
            "use super::super::super::engine::Engine;",
            "1: `adapters` may not name `engine`",
        ),
        ("src/adapters/a.rs", "use crate::config::Config;", "1: `adapters` may not name `config`"),
        (
            "src/cli/run.rs",
            "use crate::adapters::store::SqlStore;",
            "1: `cli` may not name `adapters`",
        ),
        ("src/web/api.rs", "use crate::config::Config;", "1: `web` may not name `config`"),
        ("src/main.rs", "use firsttouch::engine::Engine;", "1: `main` may not name `engine`"),
        ("src/helpers/mod.rs", "", "1: `helpers` is not in the picture"),
        (
            "src/engine/a.rs",
            "let now = jiff::Timestamp::now();",
            "1: `Timestamp::now` is read outside `adapters/`",
        ),
        ("src/cli/a.rs", "let now = Zoned::now();", "1: `Zoned::now` is read outside `adapters/`"),
        (
            "src/wiring.rs",
            "let t = std::time::SystemTime::now();",
            "1: `SystemTime::now` is read outside `adapters/`",
        ),
        ("src/engine/a.rs", "Instant::now()", "1: `Instant::now` is read outside `adapters/`"),
        ("src/engine/a.rs", "Utc::now()", "1: `Utc::now` is read outside `adapters/`"),
        ("src/engine/a.rs", "let n = rand::random();", "1: `rand` is read outside `adapters/`"),
        ("src/engine/a.rs", "getrandom::fill(x)", "1: `getrandom` is read outside `adapters/`"),
        (
            "src/engine/a.rs",
            "use tokio::time::sleep;",
            "1: `tokio::time` measures time that the clock port does not know",
        ),
        ("src/domain/a.rs", "async fn f() {}", "1: `async` has no place in pure rules"),
        ("src/domain/a.rs", "x.await", "1: `await` has no place in pure rules"),
        ("src/domain/a.rs", "#[derive(serde::Serialize)]", "1: `serde` has no place in pure rules"),
        ("src/domain/a.rs", "tracing::info!(x);", "1: `tracing` has no place in pure rules"),
        ("src/domain/a.rs", "use std::fs;", "1: `std::fs` has no place in pure rules"),
        ("src/domain/a.rs", "use std::net::IpAddr;", "1: `std::net` has no place in pure rules"),
        (
            "src/engine/a.rs",
            "std::env::var(NAME)",
            "1: `std::env` is read outside `config.rs` and `main.rs`",
        ),
        (
            "src/cli/a.rs",
            "use std::{fs, env};\nenv::args()",
            "2: `env::args` is read outside `config.rs` and `main.rs`",
        ),
        ("src/engine/a.rs", "sqlx::query(Q)", "1: `sqlx` is named outside `adapters/store/`"),
        (
            "src/cli/a.rs",
            "const Q: &str = \"select id from touch\";",
            "1: SQL outside `adapters/store/`",
        ),
        (
            "src/adapters/a.rs",
            "f(r#\"\n  INSERT INTO touch\"#)",
            "1: SQL outside `adapters/store/`",
        ),
        (
            "src/engine/a.rs",
            "\"update touch \\\n  set at = 1\"",
            "1: SQL outside `adapters/store/`",
        ),
        ("src/engine/a.rs", "\"delete from touch\"", "1: SQL outside `adapters/store/`"),
        (
            "src/engine/a.rs",
            "let x = y.unwrap();",
            "1: `.unwrap()` can end the program; return an error",
        ),
        (
            "src/engine/a.rs",
            "let x = y\n    .expect(\"z\");",
            "2: `.expect(` can end the program; return an error",
        ),
        ("src/engine/a.rs", "panic!(\"z\")", "1: `panic!(` can end the program; return an error"),
        ("src/engine/a.rs", "todo!()", "1: `todo!(` can end the program; return an error"),
        (
            "src/engine/a.rs",
            "unimplemented!()",
            "1: `unimplemented!(` can end the program; return an error",
        ),
        (
            "src/adapters/store/a.rs",
            "\"update event set at = 1\"",
            "1: the table `event` is only ever added to",
        ),
        (
            "src/adapters/store/a.rs",
            "\"with x as (select 1) delete from event\"",
            "1: the table `event` is only ever added to",
        ),
    ] {
        let found: Vec<String> = check(path, text).iter().map(ToString::to_string).collect();
        let expected = format!("{path}:{expected}");
        assert!(found.contains(&expected), "{text:?} gave {found:?} without {expected:?}");
    }
    let migration = "-- history\ndelete from event;";
    assert_eq!(check_migration("migrations/2.sql", migration).len(), 1);
}

#[test]
fn what_is_allowed_is_left_alone() {
    for (path, text) in [
        ("src/domain/a.rs", "use super::ids::StepId;\nuse crate::domain::log::Entry;"),
        ("src/domain/a.rs", "// use crate::engine::Engine;\n/* x /* .unwrap() */ panic!() */"),
        ("src/engine/a.rs", "// nobody may say \"delete from event\"\nfn f() {}"),
        ("src/domain/a.rs", "/// `crate::engine`, async, std::fs\nfn serde_free() {}"),
        (
            "src/domain/a.rs",
            "let s = \"crate::engine .unwrap() async\"; let c = '\"'; fn f<'a>() {}",
        ),
        ("src/domain/a.rs", "#[cfg(test)]\nmod tests {\n fn f() { x.unwrap(); }\n}"),
        ("src/domain/a.rs", "#[cfg(test)]\nmod tests;\nfn operand() {}"),
        ("src/engine/a.rs", "use crate::{domain::ids, formats::csv, ports::Store};"),
        ("src/engine/a.rs", "let x = y.unwrap_or(1); let z = self.expected(2);"),
        ("src/engine/a.rs", "use crate::domain::settings::Settings; use super::Engine;"),
        ("src/adapters/clock.rs", "let now = Timestamp::now();"),
        (
            "src/adapters/store/a.rs",
            "sqlx::query(\"select at from event\"); \"update events set x = 1\"",
        ),
        ("src/adapters/store/a.rs", "\"insert into event (id) values (1)\""),
        ("src/config.rs", "std::env::var(NAME)"),
        ("src/main.rs", "firsttouch::cli::run(std::env::args())"),
        ("src/wiring.rs", "use crate::adapters::store::SqlStore; use crate::config::Config;"),
        (
            "src/cli/run.rs",
            "use crate::wiring; use crate::config::Config; use crate::engine::Engine;",
        ),
        ("src/lib.rs", "pub mod adapters;"),
    ] {
        let found = check(path, text);
        assert!(found.is_empty(), "{text:?} gave {found:?}");
    }
    let comment = "-- nothing may delete from event\ncreate table event (id bigint);";
    assert!(check_migration("migrations/1.sql", comment).is_empty());
}

#[test]
fn code_behind_a_test_module_is_still_looked_at() {
    let text =
        "#[cfg(test)]\nmod tests {\n  fn f() { '{'; \"}\"; x.unwrap() }\n}\nfn g() { y.unwrap() }";
    let lines: Vec<usize> = check("src/engine/a.rs", text).iter().map(|found| found.line).collect();
    assert_eq!(lines, [5]);
}
