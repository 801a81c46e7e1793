//! Reads the tables of words that come with the rules.
//!
//! They are TOML of the plainest kind, so that people and editors know it: headers, and keys with one
//! text or a list of texts. The tests hold this reader against a real one.

/// One `[name]` or `[[name]]` with its lines, in the order of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub name: &'static str,
    pub lines: Vec<(&'static str, Vec<&'static str>)>,
}

impl Section {
    /// The texts of a key, or none.
    pub fn texts(&self, key: &str) -> &[&'static str] {
        let line = self.lines.iter().find(|(known, _)| *known == key);
        line.map_or(&[], |(_, texts)| texts.as_slice())
    }
}

/// The sections of a table. What stands before the first header is left out.
pub(super) fn sections(text: &'static str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let Some(section) = sections.last_mut().filter(|_| !is_header(line)) else {
            if is_header(line) {
                let name = line.trim_matches(['[', ']']);
                sections.push(Section { name, lines: Vec::new() });
            }
            continue;
        };
        match line.split_once(" = ") {
            Some((key, value)) => section.lines.push((key.trim_matches('"'), quoted(value))),
            None => {
                if let Some((_, texts)) = section.lines.last_mut() {
                    texts.extend(quoted(line));
                }
            }
        }
    }
    sections
}

/// A list that goes on over several lines closes with a bracket of its own, which is no header.
fn is_header(line: &str) -> bool {
    line.starts_with('[') && line.ends_with(']')
}

/// Everything between quotes.
fn quoted(text: &'static str) -> Vec<&'static str> {
    text.split('"').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Lines = Vec<(String, Vec<String>)>;

    /// What a TOML reader makes of the same text.
    fn real(text: &str) -> Vec<(String, Lines)> {
        let strings = |value: &toml::Value| match value {
            toml::Value::Array(items) => {
                items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
            }
            one => vec![one.as_str().unwrap().to_owned()],
        };
        let section = |name: &str, table: &toml::Table| {
            let lines = table.iter().map(|(key, value)| (key.clone(), strings(value)));
            (name.to_owned(), lines.collect::<Vec<_>>())
        };
        let mut all = Vec::new();
        for (name, value) in text.parse::<toml::Table>().unwrap() {
            match value {
                toml::Value::Table(table) => all.push(section(&name, &table)),
                toml::Value::Array(tables) => {
                    let tables = tables.iter().map(|table| table.as_table().unwrap());
                    all.extend(tables.map(|table| section(&name, table)));
                }
                other => panic!("{other:?}"),
            }
        }
        all
    }

    #[test]
    fn the_tables_are_read_as_a_toml_reader_reads_them() {
        for text in [include_str!("words.toml"), include_str!("title.toml")] {
            let ours = sections(text).into_iter().map(|section| {
                let lines = section.lines.into_iter().map(|(key, texts)| {
                    (key.to_owned(), texts.into_iter().map(str::to_owned).collect::<Vec<_>>())
                });
                let mut lines: Vec<_> = lines.collect();
                lines.sort();
                (section.name.to_owned(), lines)
            });
            let mut ours: Vec<_> = ours.collect();
            let mut real = real(text);
            real.iter_mut().for_each(|(_, lines)| lines.sort());
            // The order of the sections of one name is what counts.
            ours.sort_by(|a, b| a.0.cmp(&b.0));
            real.sort_by(|a, b| a.0.cmp(&b.0));
            assert_eq!(ours, real);
        }
    }
}
