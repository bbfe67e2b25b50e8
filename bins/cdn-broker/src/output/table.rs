//! Columns of words.

use super::Screen;
use super::fit::visible;

/// What stands at the end of a cell that was cut.
const CUT: &str = "...";

/// Columns of words, two spaces apart; the last one is as wide as it is. Cells may have colours.
pub(crate) fn columns<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let layout = Layout::of(rows, Screen::PLAIN);
    rows.iter().map(|row| layout.line(row)).collect()
}

/// How wide the columns of a table are whose rows come one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout<const N: usize> {
    widths: [usize; N],
    room: Option<usize>,
}

impl<const N: usize> Layout<N> {
    /// Wide enough for these rows. On a terminal the last column is cut where the line would not fit.
    pub(crate) fn of(rows: &[[String; N]], screen: Screen) -> Self {
        let mut widths = [0; N];
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(visible(cell));
            }
        }
        Self { widths, room: screen.width }
    }

    /// One line. A cell that is wider than its column, which was not known when the table began, moves those behind it.
    pub(crate) fn line(&self, row: &[String; N]) -> String {
        let cells = row.iter().zip(self.widths).map(|(cell, width)| {
            let missing = width.saturating_sub(visible(cell));
            format!("{cell}{}", " ".repeat(missing))
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        self.cut(line.trim_end())
    }

    fn cut(&self, line: &str) -> String {
        let Some(room) = self.room.filter(|room| visible(line) > *room) else { return line.to_owned() };
        // Colours are in the columns before the last one, and end there.
        let hidden = line.chars().count() - visible(line);
        let kept: String = line.chars().take((hidden + room).saturating_sub(CUT.len())).collect();
        format!("{}{CUT}", kept.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows<const N: usize, const M: usize>(rows: [[&str; N]; M]) -> Vec<[String; N]> {
        rows.map(|row| row.map(str::to_owned)).into()
    }

    #[test]
    fn columns_stand_below_each_other() {
        assert_eq!(columns(&rows([["a", "bbb", "c"], ["aaaa", "b", ""]])), ["a     bbb  c", "aaaa  b"]);
        let coloured = rows([["\x1b[32mok\x1b[0m", "x"], ["failed", "y"]]);
        assert_eq!(columns(&coloured), ["\x1b[32mok\x1b[0m      x", "failed  y"]);
    }

    #[test]
    fn a_table_that_is_read_from_a_pipe_is_never_cut() {
        let long = "x".repeat(300);
        assert_eq!(columns(&rows([["a", &long]])), [format!("a  {long}")]);
    }

    #[test]
    fn on_a_terminal_the_last_column_is_cut() {
        let screen = Screen { width: Some(12), height: Some(24), colours: true };
        let rows = rows([["\x1b[32mok\x1b[0m", "www.example.gov"], ["bad", "short"]]);
        let layout = Layout::of(&rows, screen);
        assert_eq!(layout.line(&rows[0]), "\x1b[32mok\x1b[0m   www....");
        assert_eq!(layout.line(&rows[1]), "bad  short");
    }
}
