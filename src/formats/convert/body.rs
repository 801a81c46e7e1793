//! The body of a mail, a note or a script as text: HTML with its links, lists and paragraphs.

use crate::formats::mime::html;

/// What a body becomes.
pub(super) struct Body {
    pub text: String,
    /// Pictures cannot be in a text.
    pub pictures: usize,
}

/// The text of a body, which is HTML when it has a tag in it.
pub(super) fn text(body: &str) -> Body {
    if !is_html(body) {
        return Body { text: tidy(&body.replace("\r\n", "\n")), pictures: 0 };
    }
    let mut page = String::with_capacity(body.len());
    let mut link: Option<Link> = None;
    let mut pictures = 0;
    let mut rest = body;
    while let Some(open) = rest.find('<') {
        let (before, tag) = rest.split_at(open);
        page.push_str(before);
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        let (tag, behind) = tag.split_at(end);
        rest = behind;
        match name(tag).as_str() {
            "a" => link = Some(Link { address: address(tag), at: page.len() }),
            "/a" => close_link(&mut page, link.take()),
            "li" => page.push_str("<li>- "),
            "/p" | "/ul" | "/ol" | "/table" | "/h1" | "/h2" | "/h3" => page.push_str("<br><br>"),
            "img" => pictures += 1,
            _ => page.push_str(tag),
        }
    }
    page.push_str(rest);
    Body { text: tidy(&html::to_text(&page)), pictures }
}

fn is_html(body: &str) -> bool {
    const TAGS: [&str; 10] = ["p", "br", "div", "a", "b", "strong", "span", "ul", "li", "html"];
    body.match_indices('<').any(|(at, _)| {
        let tag = name(body.get(at..).unwrap_or_default());
        TAGS.contains(&tag.trim_start_matches('/'))
    })
}

/// The name of a tag in lower case, with `/` when it closes.
fn name(tag: &str) -> String {
    let inside = tag.trim_start_matches('<');
    let closing = inside.starts_with('/');
    let name: String = inside
        .trim_start_matches('/')
        .chars()
        .take(12)
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    format!("{}{}", if closing { "/" } else { "" }, name.to_ascii_lowercase())
}

/// A link that is open, and where its words begin.
struct Link {
    address: Option<String>,
    at: usize,
}

fn address(tag: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let behind = tag.get(lower.find("href=")? + 5..)?;
    let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let address = behind.get(1..)?.split(quote).next()?.trim();
    (!address.is_empty()).then(|| address.to_owned())
}

/// `[words](https://…)`, or the words alone where the address is no page.
fn close_link(page: &mut String, link: Option<Link>) {
    let Some(Link { address: Some(address), at }) = link else { return };
    let Some(words) = page.get(at..).map(str::to_owned) else { return };
    let is_page = address.starts_with("https://") || address.starts_with("http://");
    let is_gap = address.starts_with("{{");
    if html::to_text(&words).trim() == address || !(is_page || is_gap) {
        return;
    }
    page.truncate(at);
    match is_page {
        true => page.push_str(&format!("[{words}]({address})")),
        false => page.push_str(&format!("{words}: {address}")),
    }
}

/// Lines without blanks at their end, at most one blank line in a row, none at either end.
fn tidy(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    lines.join("\n").trim().to_owned()
}
