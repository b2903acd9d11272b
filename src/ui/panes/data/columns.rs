//! Which columns the table has, and how wide they are. Widths stay while values change.

use super::detail_turns::signs;
use crate::domain::protocol::data::RowSummary;
use crate::domain::record::Status;
use crate::domain::view::SortField;
use crate::ui::widgets::text;

/// What a column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnKind {
    Number,
    Status,
    Split,
    Label,
    Tokens,
    Turns,
    Score,
    Tags,
    Prompt,
    Answer,
    Source,
}

/// How a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellAlignment {
    Left,
    Right,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct TableColumn {
    pub(super) kind: ColumnKind,
    /// In characters; for texts the share of what is left.
    width: u16,
}

const ALL: [TableColumn; 11] = [
    TableColumn { kind: ColumnKind::Number, width: 7 },
    TableColumn { kind: ColumnKind::Status, width: 10 },
    TableColumn { kind: ColumnKind::Split, width: 6 },
    TableColumn { kind: ColumnKind::Label, width: 8 },
    TableColumn { kind: ColumnKind::Tokens, width: 6 },
    TableColumn { kind: ColumnKind::Turns, width: 0 },
    TableColumn { kind: ColumnKind::Score, width: 0 },
    TableColumn { kind: ColumnKind::Tags, width: 10 },
    TableColumn { kind: ColumnKind::Prompt, width: 34 },
    TableColumn { kind: ColumnKind::Answer, width: 34 },
    TableColumn { kind: ColumnKind::Source, width: 0 },
];

/// Columns from left to right; one may be chosen to be changed. A width of 0 hides it.
#[derive(Debug)]
pub(super) struct Columns {
    columns: [TableColumn; 11],
    chosen: Option<usize>,
    /// Whether rows with more than a question and its answer were seen: then their turns are counted.
    turns: TurnsColumn,
}

/// Whether the column of turns has come by itself. It stays, and a person may hide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TurnsColumn {
    Unseen,
    Seen,
}

/// Room for `12 ƒ3∴2`.
const TURNS: u16 = 8;

impl Default for Columns {
    fn default() -> Self {
        Self { columns: ALL, chosen: None, turns: TurnsColumn::Unseen }
    }
}

impl Columns {
    /// Rows come onto the screen: turns get a column with the first that has more than two.
    pub(super) fn see(&mut self, row: &RowSummary) {
        if self.turns == TurnsColumn::Unseen && (row.turns > 2 || row.calls + row.thoughts > 0) {
            self.turns = TurnsColumn::Seen;
            if let Some(column) = self.columns.iter_mut().find(|column| column.kind == ColumnKind::Turns) {
                column.width = column.width.max(TURNS);
            }
        }
    }

    pub(super) fn choose_next(&mut self) {
        let next = self.chosen.map_or(0, |chosen| chosen + 1);
        self.chosen = (next < self.columns.len()).then_some(next);
    }

    pub(super) fn chosen(&self) -> Option<ColumnKind> {
        self.chosen.and_then(|chosen| self.columns.get(chosen)).map(|column| column.kind)
    }

    pub(super) fn widen(&mut self, by: i16) {
        if let Some(column) = self.chosen.and_then(|chosen| self.columns.get_mut(chosen)) {
            // A hidden one comes back with room to be read.
            let from = if column.width == 0 && by > 0 { 8 } else { column.width };
            column.width = from.saturating_add_signed(by).min(120);
        }
    }

    pub(super) fn hide(&mut self) {
        if let Some(column) = self.chosen.and_then(|chosen| self.columns.get_mut(chosen)) {
            column.width = 0;
        }
    }

    /// The columns that fit into a width, with their places: from the right they leave, texts share what is left.
    pub(super) fn places(&self, width: u16) -> Vec<(ColumnKind, u16, u16)> {
        let mut shown: Vec<TableColumn> = self
            .columns
            .iter()
            .copied()
            .filter(|column| column.width > 0 || self.chosen() == Some(column.kind))
            .collect();
        let least = |column: &TableColumn| if is_text(column.kind) { 22 } else { column.width.max(5) } + 2;
        while shown.len() > 2 && shown.iter().map(least).sum::<u16>() > width {
            // Texts stay longer than figures that few need.
            let out = shown.iter().rposition(|column| {
                !matches!(column.kind, ColumnKind::Prompt | ColumnKind::Number | ColumnKind::Status)
            });
            shown.remove(out.unwrap_or(shown.len() - 1));
        }
        let fixed: u16 = shown.iter().filter(|column| !is_text(column.kind)).map(least).sum();
        let share: u16 = shown.iter().filter(|column| is_text(column.kind)).map(|column| column.width).sum();
        let room = width.saturating_sub(fixed);
        let mut x = 0;
        let mut places = Vec::with_capacity(shown.len());
        for column in shown {
            let wide = if is_text(column.kind) {
                (u32::from(room) * u32::from(column.width) / u32::from(share.max(1))) as u16
            } else {
                least(&column)
            };
            places.push((column.kind, x, wide.saturating_sub(2)));
            x += wide;
        }
        places
    }
}

const fn is_text(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Prompt | ColumnKind::Answer | ColumnKind::Source)
}

impl ColumnKind {
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Number => "#",
            Self::Status => "status",
            Self::Split => "split",
            Self::Label => "label",
            Self::Tokens => "tokens",
            Self::Turns => "turns",
            Self::Score => "score",
            Self::Tags => "tags",
            Self::Prompt => "user",
            Self::Answer => "assistant",
            Self::Source => "source",
        }
    }

    pub(super) const fn side(self) -> CellAlignment {
        match self {
            Self::Number | Self::Tokens | Self::Score => CellAlignment::Right,
            Self::Status
            | Self::Split
            | Self::Label
            | Self::Turns
            | Self::Tags
            | Self::Prompt
            | Self::Answer
            | Self::Source => CellAlignment::Left,
        }
    }

    /// What the column says of a row.
    pub(super) fn cell(self, row: &RowSummary) -> String {
        let dash = |name: &Option<String>| name.clone().unwrap_or_else(|| "–".to_owned());
        match self {
            Self::Number => row.id.to_string(),
            Self::Status => status(row.status).to_owned(),
            Self::Split => dash(&row.split),
            Self::Label => dash(&row.label),
            Self::Tokens => {
                row.tokens.map_or_else(|| "–".to_owned(), |tokens| text::count(u64::from(tokens)))
            }
            Self::Turns => {
                let signs = signs(row.calls as usize, row.thoughts as usize);
                format!("{} {signs}", row.turns).trim_end().to_owned()
            }
            Self::Score => row.score.map_or_else(|| "–".to_owned(), |score| format!("{score:.1}")),
            Self::Tags => row.tags.join(" "),
            Self::Prompt => row.prompt.clone(),
            Self::Answer => row.answer.clone(),
            Self::Source => row.source.clone(),
        }
    }
}

/// A status with its sign.
pub(super) const fn status(status: Status) -> &'static str {
    match status {
        Status::New => "◌ new",
        Status::Approved => "✓ approved",
        Status::Rejected => "✗ rejected",
    }
}

/// By what the rows can be sorted with a click on a column's heading.
pub(super) const fn sort_field(kind: ColumnKind) -> Option<SortField> {
    match kind {
        ColumnKind::Number => Some(SortField::Id),
        ColumnKind::Status => Some(SortField::Status),
        ColumnKind::Split => Some(SortField::Split),
        ColumnKind::Label => Some(SortField::Label),
        ColumnKind::Tokens => Some(SortField::Tokens),
        ColumnKind::Turns => Some(SortField::Turns),
        ColumnKind::Score => Some(SortField::Score),
        ColumnKind::Prompt => Some(SortField::Prompt),
        ColumnKind::Source => Some(SortField::Source),
        ColumnKind::Tags | ColumnKind::Answer => None,
    }
}
