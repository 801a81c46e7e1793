//! What stands in brackets: `{ a: 1, b: [x, y] }`.

/// How deep brackets may nest; the parser of the language allows no more.
const MAX_DEPTH: usize = 32;

/// A value with the anchor in front of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flow {
    /// Such as `&again`.
    pub anchor: Option<String>,
    pub shape: Shape,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    Nothing,
    /// As it is written, quotes included; an alias, too.
    Scalar(String),
    List(Vec<Flow>),
    Map(Vec<(String, Flow)>),
}

impl Flow {
    /// The anchors and aliases inside, in their order.
    pub(super) fn references(&self, to: &mut Vec<String>) {
        to.extend(self.anchor.clone());
        match &self.shape {
            Shape::Scalar(text) if text.starts_with('*') => to.push(text.clone()),
            Shape::Nothing | Shape::Scalar(_) => {}
            Shape::List(items) => items.iter().for_each(|item| item.references(to)),
            Shape::Map(entries) => entries.iter().for_each(|(_, value)| value.references(to)),
        }
    }
}

/// Where the brackets that a text begins with are closed: the bytes up to there; `None` when they are not.
/// A `#` that begins a comment is not looked behind.
pub(super) fn closed_at(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let (mut before, mut behind_quote) = (' ', false);
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        // A colon without a blank parts a key from its value only behind quotes.
        let parts = before == ':' && behind_quote;
        behind_quote = matches!(before, '"' | '\'') && c == ':';
        match (quote, c) {
            (Some('"'), '\\') => {
                characters.next();
            }
            (Some('\''), '\'') if characters.peek().is_some_and(|(_, next)| *next == '\'') => {
                characters.next();
            }
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if parts || matches!(before, ' ' | '[' | '{' | ',') => {
                quote = Some(c)
            }
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            (None, '#') if before == ' ' => return None,
            (None, _) => {}
        }
        before = c;
    }
    None
}

/// Where the quoted text ends that begins a text: the bytes up to there, quotes included.
pub(super) fn quoted_length(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().peekable();
    let (_, open) = characters.next()?;
    while let Some((at, c)) = characters.next() {
        match (open, c) {
            ('"', '\\') => {
                characters.next();
            }
            ('\'', '\'') if characters.peek().is_some_and(|(_, next)| *next == '\'') => {
                characters.next();
            }
            (open, c) if open == c => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Reads a whole text in brackets, on one line; `None` when there is anything in it that is not understood.
pub(super) fn read(text: &str) -> Option<Flow> {
    let mut reader = Reader { rest: text, depth: 0 };
    let flow = reader.value()?;
    reader.blanks();
    reader.rest.is_empty().then_some(flow)
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn eat(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn take(&mut self, length: usize) -> Option<&'a str> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn value(&mut self) -> Option<Flow> {
        self.blanks();
        let anchor = if self.rest.starts_with('&') { Some(self.token()?.to_owned()) } else { None };
        self.blanks();
        let shape = match self.rest.chars().next()? {
            '[' => self.list()?,
            '{' => self.map()?,
            ',' | ']' | '}' => Shape::Nothing,
            '"' | '\'' => {
                let length = quoted_length(self.rest)?;
                Shape::Scalar(self.take(length)?.to_owned())
            }
            '*' => Shape::Scalar(self.token()?.to_owned()),
            _ => Shape::Scalar(self.plain()?.to_owned()),
        };
        Some(Flow { anchor, shape })
    }

    fn list(&mut self) -> Option<Shape> {
        self.enter('[')?;
        let mut items = Vec::new();
        loop {
            self.blanks();
            if self.eat(']') {
                break;
            }
            let item = self.value()?;
            if item.shape == Shape::Nothing {
                return None;
            }
            items.push(item);
            self.blanks();
            if !self.eat(',') && !self.rest.starts_with(']') {
                return None;
            }
        }
        self.depth -= 1;
        Some(Shape::List(items))
    }

    fn map(&mut self) -> Option<Shape> {
        self.enter('{')?;
        let mut entries = Vec::new();
        loop {
            self.blanks();
            if self.eat('}') {
                break;
            }
            entries.push((self.key()?, self.value()?));
            self.blanks();
            if !self.eat(',') && !self.rest.starts_with('}') {
                return None;
            }
        }
        self.depth -= 1;
        Some(Shape::Map(entries))
    }

    fn enter(&mut self, open: char) -> Option<()> {
        self.depth += 1;
        (self.eat(open) && self.depth <= MAX_DEPTH).then_some(())
    }

    fn key(&mut self) -> Option<String> {
        let key = if self.rest.starts_with(['"', '\'']) {
            let length = quoted_length(self.rest)?;
            self.take(length)?
        } else {
            self.plain()?
        };
        self.blanks();
        self.eat(':').then(|| key.to_owned())
    }

    /// An anchor or an alias.
    fn token(&mut self) -> Option<&'a str> {
        let ends = |c: char| matches!(c, ' ' | ',' | '[' | ']' | '{' | '}');
        let token = self.take(self.rest.find(ends).unwrap_or(self.rest.len()))?;
        // `*a:` could be read in two ways.
        (token.len() > 1 && !token.ends_with(':')).then_some(token)
    }

    /// A scalar without quotes, up to a comma, a bracket or the `:` behind a key.
    fn plain(&mut self) -> Option<&'a str> {
        const INDICATORS: &str = "!|>%@`?#-:&*";
        let first = self.rest.chars().next()?;
        let second = self.rest.chars().nth(1);
        let is_number = first == '-' && second.is_some_and(|c| c.is_ascii_digit());
        if INDICATORS.contains(first) && !is_number {
            return None;
        }
        let ends = |(at, c): (usize, char)| {
            let behind = self.rest.get(at + 1..).and_then(|rest| rest.chars().next());
            let is_end = |c: char| matches!(c, ' ' | ',' | '[' | ']' | '{' | '}');
            matches!(c, ',' | '[' | ']' | '{' | '}') || (c == ':' && behind.is_none_or(is_end))
        };
        let length = self.rest.char_indices().find(|pair| ends(*pair));
        let text = self.take(length.map_or(self.rest.len(), |(at, _)| at))?.trim_end();
        (!text.is_empty() && !text.contains(" #")).then_some(text)
    }
}
