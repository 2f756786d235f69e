//! Human-readable columns: every column as wide as its widest cell.

/// Which side of its column a cell stands on.
#[derive(Clone, Copy)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A heading with its alignment, then rows.
pub(crate) struct TextTable {
    align: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl TextTable {
    pub(crate) fn new<const N: usize>(columns: [(&str, Align); N]) -> Self {
        Self::with_columns(columns.map(|(name, align)| (name.to_owned(), align)).to_vec())
    }

    pub(crate) fn with_columns(columns: Vec<(String, Align)>) -> Self {
        let (names, align) = columns.into_iter().unzip();
        Self { align, rows: vec![names] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines, indented by two, without trailing spaces.
    pub(crate) fn render(&self) -> String {
        let widths: Vec<usize> = (0..self.align.len())
            .map(|column| {
                self.rows
                    .iter()
                    .filter_map(|row| row.get(column))
                    .map(|cell| cell.chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, &width), align) in row.iter().zip(&widths).zip(&self.align) {
                line.push_str("  ");
                line.push_str(&match align {
                    Align::Left => format!("{cell:<width$}"),
                    Align::Right => format!("{cell:>width$}"),
                });
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}
