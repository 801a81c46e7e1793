//! The HTML part of a mail, made from the rendered text: HTML exists only after the data is in.

/// The HTML part from the rendered text: everything escaped; paragraphs, line breaks, links and lists.
pub fn html_from_text(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = text.lines().collect();
    let paragraphs = lines.split(|line| line.trim().is_empty()).filter(|lines| !lines.is_empty());
    let paragraphs: Vec<String> = paragraphs.map(paragraph).collect();
    paragraphs.join("\n")
}

/// The same behind a line that mail programs show beside the subject and nowhere else.
pub fn html_with_preview(preview: Option<&str>, text: &str) -> String {
    let html = html_from_text(text);
    let Some(preview) = preview else { return html };
    let preview = escape(preview);
    format!(
        "<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">{preview}</div>\n{html}"
    )
}

/// The lines between two blank ones; runs of lines that begin with `- ` are a list.
fn paragraph(lines: &[&str]) -> String {
    let runs = lines.chunk_by(|one, next| item(one).is_some() == item(next).is_some());
    let runs = runs.map(|run| match run.iter().copied().map(item).collect::<Option<Vec<_>>>() {
        Some(items) => list(&items),
        None => format!("<p>{}</p>", joined(run, "<br>\n")),
    });
    runs.collect::<Vec<_>>().join("\n")
}

fn item(line: &str) -> Option<&str> {
    line.strip_prefix("- ")
}

fn list(items: &[&str]) -> String {
    let items: String = items.iter().map(|item| format!("<li>{}</li>\n", inline(item))).collect();
    format!("<ul>\n{items}</ul>")
}

fn joined(lines: &[&str], separator: &str) -> String {
    lines.iter().map(|line| inline(line)).collect::<Vec<_>>().join(separator)
}

/// One line with its links.
fn inline(line: &str) -> String {
    let mut html = String::with_capacity(line.len() + 32);
    let mut rest = line;
    while let Some(link) = next_link(rest) {
        html.push_str(&escape(link.before));
        let (url, label) = (escape(link.url), escape(link.label));
        if link.url == SCHEME {
            html.push_str(&label);
        } else {
            html.push_str(&format!("<a href=\"{url}\">{label}</a>"));
        }
        rest = link.after;
    }
    html.push_str(&escape(rest));
    html
}

struct Link<'a> {
    before: &'a str,
    url: &'a str,
    label: &'a str,
    after: &'a str,
}

const SCHEME: &str = "https://";

/// The first bare or labelled link of a line.
fn next_link(text: &str) -> Option<Link<'_>> {
    let start = text.find(SCHEME)?;
    let (before, from_url) = text.split_at(start);
    let labelled = || {
        let (before, label) = before.strip_suffix("](")?.rsplit_once('[')?;
        let end = from_url.find([')', ' '])?;
        let after = from_url[end..].strip_prefix(')')?;
        let usable = !label.trim().is_empty() && end > SCHEME.len();
        usable.then_some(Link { before, url: &from_url[..end], label, after })
    };
    labelled().or_else(|| bare(before, from_url))
}

fn bare<'a>(before: &'a str, from_url: &'a str) -> Option<Link<'a>> {
    let ends = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"');
    let end = from_url.find(ends).unwrap_or(from_url.len());
    // A sentence's own punctuation is not part of the address.
    let url = from_url[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'']);
    let url = if url.len() > SCHEME.len() { url } else { &from_url[..SCHEME.len()] };
    Some(Link { before, url, label: url, after: &from_url[url.len()..] })
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_becomes_plain_html() {
        let cases = [
            ("", ""),
            (
                "Hi Zoë,\n\nO'Brien & Sons <UK>",
                "<p>Hi Zoë,</p>\n<p>O&#39;Brien &amp; Sons &lt;UK&gt;</p>",
            ),
            ("a\nb\r\nc", "<p>a<br>\nb<br>\nc</p>"),
            ("a\n \n\n\nb", "<p>a</p>\n<p>b</p>"),
            (
                "Three:\n- one\n- two\nDone",
                "<p>Three:</p>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n<p>Done</p>",
            ),
            ("-no list", "<p>-no list</p>"),
            (
                "See https://a.example/x?a=1&b=2. Or (https://b.example/y)!",
                "<p>See <a href=\"https://a.example/x?a=1&amp;b=2\">https://a.example/x?a=1&amp;b=2</a>. Or (<a href=\"https://b.example/y\">https://b.example/y</a>)!</p>",
            ),
            (
                "[pick a <time>](https://a.example/\"x) now",
                "<p><a href=\"https://a.example/&quot;x\">pick a &lt;time&gt;</a> now</p>",
            ),
            ("[no](javascript:alert(1))", "<p>[no](javascript:alert(1))</p>"),
            ("[a](https://a b", "<p>[a](<a href=\"https://a\">https://a</a> b</p>"),
            ("https:// alone", "<p>https:// alone</p>"),
            ("http://a.example", "<p>http://a.example</p>"),
        ];
        for (text, html) in cases {
            assert_eq!(html_from_text(text), html, "{text}");
        }
    }

    proptest! {
        #[test]
        fn only_our_own_tags_are_ever_written(text in r#"([a<>"'&()\[\] \n\r\t-]|https://|\]\(|<script|\PC){0,40}"#) {
            let mut html = html_from_text(&text);
            for tag in ["<p>", "</p>", "<br>", "<ul>", "</ul>", "<li>", "</li>", "</a>"] {
                html = html.replace(tag, "");
            }
            let after_links: String = html.split("<a href=\"").enumerate().map(|(index, part)| {
                if index == 0 { part } else { part.split_once("\">").map_or("<", |(_, rest)| rest) }
            }).collect();
            prop_assert!(!after_links.contains(['<', '>', '"', '\'']), "{}", after_links);
        }
    }
}
