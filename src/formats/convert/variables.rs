//! The gaps of other products' templates as ours: `{{account.name}}`, `{{ first_name | default: "there" }}`,
//! `{{#if first_name}}…{{#endif}}`, `{% if company %}…{% endif %}`.

use crate::domain::facts::FIELDS;

use super::draft::{changed, lost};
use super::{ConvertError, Remark};

/// What each name is here; empty where nothing has to be written, because every mail has it.
const NAMES: &[(&str, &str)] = &[
    ("account.city", "{{company.city}}"),
    ("account.domain", "{{company.domain}}"),
    ("account.industry", "{{industry}}"),
    ("account.name", "{{company.name}}"),
    ("account.website", "{{company.domain}}"),
    ("company", "{{company.short}}"),
    ("company_name", "{{company.name}}"),
    ("company.name", "{{company.name}}"),
    ("company_website", "{{company.domain}}"),
    ("email_address", "{{email}}"),
    ("job_title", "{{title}}"),
    ("linkedin", "{{linkedin_url}}"),
    ("name", "{{first_name}} {{last_name}}"),
    ("opt_out_link", ""),
    ("organization.name", "{{company.name}}"),
    ("sender.account.name", "{{sender.company}}"),
    ("sender.first", "{{sender.first_name}}"),
    ("sender.meeting_link", "{{sender.calendar_link}}"),
    ("sender.name", "{{sender.first_name}} {{sender.last_name}}"),
    ("sender.phone_number", "{{sender.phone}}"),
    ("sender_meeting_link", "{{sender.calendar_link}}"),
    ("state", "{{region}}"),
    ("unsubscribe", ""),
    ("unsubscribe_link", ""),
];
const SENDER: [&str; 6] = ["calendar_link", "company", "first_name", "last_name", "phone", "title"];

/// The gaps of one text, one after the other.
pub(super) struct Gaps<'a> {
    pub path: &'a str,
    pub remarks: &'a mut Vec<Remark>,
    /// The conditions that are open, each with whether anything was said since it was opened.
    open: Vec<Condition>,
}

struct Condition {
    /// The name in our words; `None` when the condition was left out.
    name: Option<String>,
    /// Where what it holds begins.
    at: usize,
    in_else: bool,
}

impl<'a> Gaps<'a> {
    pub(super) fn new(path: &'a str, remarks: &'a mut Vec<Remark>) -> Self {
        Self { path, remarks, open: Vec::new() }
    }

    /// A whole text in our words.
    ///
    /// # Errors
    /// The text has spintax in it.
    pub(super) fn text(mut self, text: &str) -> Result<String, ConvertError> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, behind) = rest.split_at(at);
            out.push_str(before);
            rest = self.opened(behind, &mut out)?;
        }
        out.push_str(rest);
        while let Some(condition) = self.open.pop() {
            lost(self.remarks, self.path, "a condition that is never closed");
            if condition.name.is_some() {
                out.push_str("{{/if}}");
            }
        }
        // A backslash in front of a gap would print the gap.
        Ok(out.replace("\\{{", "{{").trim_end().to_owned())
    }

    /// Reads what begins with a brace; gives back what stands behind it.
    fn opened<'t>(&mut self, text: &'t str, out: &mut String) -> Result<&'t str, ConvertError> {
        for (open, close) in [("{{", "}}"), ("{%", "%}")] {
            let Some(inside) = text.strip_prefix(open) else { continue };
            let Some(end) = inside.find(close) else { break };
            let (inner, behind) = inside.split_at(end);
            self.gap(inner.trim_matches(['{', '}', '-', '~']).trim(), out);
            let behind = behind.strip_prefix(close).unwrap_or_default();
            return Ok(behind.strip_prefix('}').unwrap_or(behind));
        }
        let inside = text.strip_prefix('{').unwrap_or(text);
        let group = inside.find(['{', '}', '\n']).and_then(|end| inside.split_at_checked(end));
        match group {
            Some((inner, behind)) if behind.starts_with('}') => {
                if inner.contains('|') {
                    let (path, text) = (self.path.to_owned(), format!("{{{inner}}}"));
                    return Err(ConvertError::Spintax { path, text });
                }
                let message = format!("`{{{inner}}}` in single braces was read as a field");
                changed(self.remarks, self.path, message);
                self.gap(inner.trim(), out);
                Ok(behind.strip_prefix('}').unwrap_or_default())
            }
            _ => {
                out.push('(');
                Ok(inside)
            }
        }
    }

    fn gap(&mut self, inner: &str, out: &mut String) {
        let words: Vec<&str> = inner.split_whitespace().collect();
        match words.as_slice() {
            ["#if" | "if", name] => self.open_condition(name, out),
            ["#if" | "if" | "#unless" | "unless" | "elsif" | "#elsif", ..] => {
                let message = format!("the condition `{inner}`; what it held stands there always");
                lost(self.remarks, self.path, message);
                if !inner.contains("elsif") {
                    self.open.push(Condition { name: None, at: out.len(), in_else: false });
                }
            }
            ["#else" | "else"] => self.turn_condition(out),
            ["#endif" | "endif" | "/if" | "#end" | "end" | "/unless" | "endunless"] => {
                self.close_condition(out);
            }
            [] => {}
            _ => self.value(inner, out),
        }
    }

    fn open_condition(&mut self, name: &str, out: &mut String) {
        let ours = self.field(name);
        let name = ours.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        let name = name.filter(|name| !name.contains('{')).map(str::to_owned);
        if let Some(name) = &name {
            out.push_str(&format!("{{{{#if {name}}}}}"));
        }
        self.open.push(Condition { name, at: out.len(), in_else: false });
    }

    fn turn_condition(&mut self, out: &mut String) {
        let Some(condition) = self.open.last_mut() else {
            return lost(self.remarks, self.path, "an `else` without a condition");
        };
        condition.in_else = true;
        if let Some(name) = &condition.name {
            // Apollo prints the field where nothing is said.
            if out.len() == condition.at {
                out.push_str(&format!("{{{{{name}}}}}"));
            }
            out.push_str("{{else}}");
        }
    }

    fn close_condition(&mut self, out: &mut String) {
        let Some(condition) = self.open.pop() else {
            return lost(self.remarks, self.path, "the end of a condition that was not begun");
        };
        if let Some(name) = &condition.name {
            if out.len() == condition.at && !condition.in_else {
                out.push_str(&format!("{{{{{name}}}}}"));
            }
            out.push_str("{{/if}}");
        }
    }

    /// A field, perhaps with a filter or a word for those of whom it is not known.
    fn value(&mut self, inner: &str, out: &mut String) {
        let mut parts = inner.split('|').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let mut fallback = None;
        for part in parts {
            let (filter, argument) = part.split_once([':', '=']).unwrap_or((part, ""));
            match (filter.trim(), argument.trim()) {
                ("default" | "fallback", argument) => fallback = Some(argument),
                (filter, "") if !is_filter(filter) => fallback = Some(filter),
                (filter, _) => {
                    let message = format!("the filter `{filter}` of `{name}`");
                    lost(self.remarks, self.path, message);
                }
            }
        }
        let ours = self.field(name);
        let field = ours.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        let field = field.filter(|field| !field.contains('{'));
        match fallback.zip(field) {
            Some((word, field)) => {
                let word = word.trim_matches(['"', '\'']).replace(['"', '{', '}', '\n'], "'");
                out.push_str(&format!("{{{{default {field} \"{word}\"}}}}"));
            }
            None => out.push_str(&ours),
        }
    }

    /// The field of a name, in braces. A name that is not known becomes a column of the list.
    fn field(&mut self, name: &str) -> String {
        let plain = name.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        let plain = plain.strip_prefix("prospect.").unwrap_or(&plain);
        let plain = plain
            .strip_prefix("person.")
            .or_else(|| plain.strip_prefix("contact."))
            .unwrap_or(plain);
        if let Some((_, ours)) = NAMES.iter().find(|(theirs, _)| *theirs == plain) {
            return (*ours).to_owned();
        }
        for prefix in ["sender.", "sender_", "my.", "my_", "user.", "user_"] {
            let Some(field) = plain.strip_prefix(prefix) else { continue };
            if SENDER.contains(&field) {
                return format!("{{{{sender.{field}}}}}");
            }
        }
        if FIELDS.contains(&plain) {
            return format!("{{{{{plain}}}}}");
        }
        let slug = super::build::slug(plain, "field").replace('-', "_");
        let message = format!(
            "`{name}` is no field here; it became `x.{slug}`, which is read from a column \
             `{slug}` of the list"
        );
        changed(self.remarks, self.path, message);
        format!("{{{{x.{slug}}}}}")
    }
}

/// What stands behind `|` is the name of a filter of Liquid, and no word for the reader.
fn is_filter(word: &str) -> bool {
    const FILTERS: [&str; 11] = [
        "capitalize",
        "downcase",
        "upcase",
        "strip",
        "escape",
        "truncate",
        "date",
        "titlecase",
        "lowercase",
        "uppercase",
        "pluralize",
    ];
    FILTERS.contains(&word)
}
