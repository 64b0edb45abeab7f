//! Aligned columns and numbers in print, 100 columns wide at most.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

/// Width of reports.
pub(super) const WIDTH: usize = 100;

/// A table without lines, a heading above each column.
pub(super) struct Columns {
    /// The headings first.
    rows: Vec<Vec<String>>,
    right: Vec<bool>,
}

impl Columns {
    /// `>` before a heading aligns the column to the right.
    pub(super) fn new(headings: &[&str]) -> Self {
        let heading = |heading: &&str| heading.trim_start_matches('>').to_owned();
        Self {
            rows: vec![headings.iter().map(heading).collect()],
            right: headings.iter().map(|heading| heading.starts_with('>')).collect(),
        }
    }

    /// Adds a row.
    pub(super) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The table in print. The last column holds names, which are shortened if they are too long.
    pub(super) fn text(mut self) -> String {
        let last = self.right.len().saturating_sub(1);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let room = WIDTH.saturating_sub((0..last).map(|column| width(column) + GAP).sum()).max(SHORTEST);
        for name in self.rows.iter_mut().filter_map(|row| row.get_mut(last)) {
            *name = short_name(name, room);
        }
        let mut table = Table::new();
        table.load_preset(NOTHING).add_rows(self.rows);
        for (index, right) in self.right.into_iter().enumerate() {
            if let Some(column) = table.column_mut(index) {
                column.set_padding((0, if index == last { 0 } else { GAP as u16 }));
                if right {
                    column.set_cell_alignment(CellAlignment::Right);
                }
            }
        }
        table.trim_fmt() + "\n"
    }
}

/// Blanks between columns.
const GAP: usize = 2;
/// Fewest characters that a name is cut to.
const SHORTEST: usize = 8;

/// A label and its value on one line of a summary.
pub(super) fn line(label: &str, value: impl std::fmt::Display) -> String {
    format!("{label:<11}{value}\n")
}

/// `1234567` as `1,234,567`.
pub(super) fn grouped(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes or of other things in memory, grouped.
pub(super) fn count(number: usize) -> String {
    grouped(number as u64)
}

/// A share in percent: `93.8 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A name cut to `width` characters. The importer's names of fused layers list all parts; the first one stays, of a
/// path its end.
pub(super) fn short_name(name: &str, width: usize) -> String {
    let first = name.split(';').next().unwrap_or(name);
    let length = first.chars().count();
    if length <= width {
        return first.to_owned();
    }
    let tail: String = first.chars().skip(length - width.saturating_sub(1)).collect();
    format!("…{tail}")
}

/// A number to about four digits.
pub(super) fn digits(number: f64) -> String {
    match number.abs() {
        0.0 => "0".to_owned(),
        size if !(1e-3..1e5).contains(&size) => format!("{number:.3e}"),
        size if size < 1.0 => format!("{number:.5}"),
        _ => format!("{number:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let numbers = [0u64, 999, 1000, 1_234_567];
        assert_eq!(numbers.map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn names_lose_their_later_parts_first_and_then_their_beginning() {
        assert_eq!(short_name("a/b/conv;c/d", 20), "a/b/conv");
        assert_eq!(short_name("model/layer/conv", 10), "…ayer/conv");
        assert_eq!(short_name("größe", 5), "größe");
    }

    #[test]
    fn columns_are_aligned_and_at_most_a_hundred_wide() {
        let mut columns = Columns::new(&[">n", "name"]);
        columns.row(["1", "one"]);
        columns.row(["1000", &"x".repeat(300)]);
        let text = columns.text();
        assert!(text.starts_with("   n  name\n   1  one\n1000  …xxx"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }
}
