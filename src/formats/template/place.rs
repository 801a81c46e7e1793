//! Where something stands, in a piece of a template file and in the file.

/// A place in a piece of text, 1-based, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub line: usize,
    pub column: usize,
}

impl Place {
    /// The place of a byte offset.
    pub(super) fn at(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[line_start..].chars().count() + 1;
        Self { line: before.matches('\n').count() + 1, column }
    }

    /// The byte offset of the place, at most the text's length.
    pub(super) fn offset(self, text: &str) -> usize {
        let mut line_start = 0;
        for _ in 1..self.line {
            let Some(newline) = text[line_start..].find('\n') else { return text.len() };
            line_start += newline + 1;
        }
        let mut characters = text[line_start..].char_indices();
        let column = self.column.saturating_sub(1);
        characters.nth(column).map_or(text.len(), |(offset, _)| line_start + offset)
    }
}

/// Where a piece begins in its file: the place of its first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin(pub Place);

impl Origin {
    /// A piece that is the whole file.
    pub(super) const START: Self = Self(Place { line: 1, column: 1 });

    /// The file's line and column of a place in the piece.
    pub(super) fn of(self, place: Place) -> (usize, usize) {
        let Self(first) = self;
        let column = if place.line == 1 { first.column + place.column - 1 } else { place.column };
        (first.line + place.line - 1, column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_offsets_are_each_others_inverse() {
        let text = "a\nGrüße\n\n日本 x";
        for (offset, _) in text.char_indices() {
            assert_eq!(Place::at(text, offset).offset(text), offset);
        }
        assert_eq!(Place::at(text, text.find('x').unwrap_or(0)), Place { line: 4, column: 4 });
    }

    #[test]
    fn a_piece_counts_from_where_it_begins() {
        let origin = Origin(Place { line: 2, column: 11 });
        assert_eq!(origin.of(Place { line: 1, column: 3 }), (2, 13));
        assert_eq!(origin.of(Place { line: 2, column: 3 }), (3, 3));
    }
}
