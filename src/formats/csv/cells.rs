//! The cells of one record in one text: sixty texts for each of a million rows would cost more than
//! cutting them.

/// The cells of a record, in the order of its columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cells {
    text: String,
    /// Where each cell ends in the text.
    ends: Vec<usize>,
}

impl Cells {
    /// Nothing yet, with room for so many cells of so many bytes together.
    pub(super) fn with_capacity(cells: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), ends: Vec::with_capacity(cells) }
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many bytes they have together.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The cell of a column.
    pub fn get(&self, column: usize) -> Option<&str> {
        let end = *self.ends.get(column)?;
        let begin = match column {
            0 => 0,
            _ => *self.ends.get(column - 1)?,
        };
        self.text.get(begin..end)
    }

    /// Every cell.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|column| self.get(column))
    }

    /// Adds to the cell that is being written, which no column has yet.
    pub(super) fn write(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// What was written since the last cell ended.
    pub(super) fn written(&self) -> &str {
        self.text.get(self.begin()..).unwrap_or_default()
    }

    /// Keeps only so many bytes of what was written since the last cell ended.
    pub(super) fn cut(&mut self, bytes: usize) {
        self.text.truncate(self.begin() + bytes);
    }

    /// Ends the cell that was being written.
    pub(super) fn end(&mut self) {
        self.ends.push(self.text.len());
    }

    fn begin(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }
}

impl<S: AsRef<str>> FromIterator<S> for Cells {
    fn from_iter<T: IntoIterator<Item = S>>(cells: T) -> Self {
        let mut all = Self::default();
        for cell in cells {
            all.write(cell.as_ref());
            all.end();
        }
        all
    }
}
