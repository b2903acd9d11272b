//! Which columns the table has, and how wide they are. Widths stay while values change.

use super::detail_turns::signs;
use crate::domain::protocol::data::RowSummary;
use crate::domain::record::Status;
use crate::domain::view::SortField;
use crate::ui::widgets::text;

/// What a column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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
pub(super) enum Side {
    Left,
    Right,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) kind: Kind,
    /// In characters; for texts the share of what is left.
    width: u16,
}

const ALL: [Column; 11] = [
    Column { kind: Kind::Number, width: 7 },
    Column { kind: Kind::Status, width: 10 },
    Column { kind: Kind::Split, width: 6 },
    Column { kind: Kind::Label, width: 8 },
    Column { kind: Kind::Tokens, width: 6 },
    Column { kind: Kind::Turns, width: 0 },
    Column { kind: Kind::Score, width: 0 },
    Column { kind: Kind::Tags, width: 10 },
    Column { kind: Kind::Prompt, width: 34 },
    Column { kind: Kind::Answer, width: 34 },
    Column { kind: Kind::Source, width: 0 },
];

/// Columns from left to right; one may be chosen to be changed. A width of 0 hides it.
#[derive(Debug)]
pub(super) struct Columns {
    columns: [Column; 11],
    chosen: Option<usize>,
    /// Whether rows with more than a question and its answer were seen: then their turns are counted.
    turns: Turns,
}

/// Whether the column of turns has come by itself. It stays, and a person may hide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turns {
    Unseen,
    Seen,
}

/// Room for `12 ƒ3∴2`.
const TURNS: u16 = 8;

impl Default for Columns {
    fn default() -> Self {
        Self { columns: ALL, chosen: None, turns: Turns::Unseen }
    }
}

impl Columns {
    /// Rows come onto the screen: turns get a column with the first that has more than two.
    pub(super) fn see(&mut self, row: &RowSummary) {
        if self.turns == Turns::Unseen && (row.turns > 2 || row.calls + row.thoughts > 0) {
            self.turns = Turns::Seen;
            if let Some(column) = self.columns.iter_mut().find(|column| column.kind == Kind::Turns) {
                column.width = column.width.max(TURNS);
            }
        }
    }

    pub(super) fn choose_next(&mut self) {
        let next = self.chosen.map_or(0, |chosen| chosen + 1);
        self.chosen = (next < self.columns.len()).then_some(next);
    }

    pub(super) fn chosen(&self) -> Option<Kind> {
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
    pub(super) fn places(&self, width: u16) -> Vec<(Kind, u16, u16)> {
        let mut shown: Vec<Column> = self
            .columns
            .iter()
            .copied()
            .filter(|column| column.width > 0 || self.chosen() == Some(column.kind))
            .collect();
        let least = |column: &Column| if is_text(column.kind) { 22 } else { column.width.max(5) } + 2;
        while shown.len() > 2 && shown.iter().map(least).sum::<u16>() > width {
            // Texts stay longer than figures that few need.
            let out = shown
                .iter()
                .rposition(|column| !matches!(column.kind, Kind::Prompt | Kind::Number | Kind::Status));
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

const fn is_text(kind: Kind) -> bool {
    matches!(kind, Kind::Prompt | Kind::Answer | Kind::Source)
}

impl Kind {
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

    pub(super) const fn side(self) -> Side {
        match self {
            Self::Number | Self::Tokens | Self::Score => Side::Right,
            Self::Status
            | Self::Split
            | Self::Label
            | Self::Turns
            | Self::Tags
            | Self::Prompt
            | Self::Answer
            | Self::Source => Side::Left,
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
pub(super) const fn sort_field(kind: Kind) -> Option<SortField> {
    match kind {
        Kind::Number => Some(SortField::Id),
        Kind::Status => Some(SortField::Status),
        Kind::Split => Some(SortField::Split),
        Kind::Label => Some(SortField::Label),
        Kind::Tokens => Some(SortField::Tokens),
        Kind::Turns => Some(SortField::Turns),
        Kind::Score => Some(SortField::Score),
        Kind::Prompt => Some(SortField::Prompt),
        Kind::Source => Some(SortField::Source),
        Kind::Tags | Kind::Answer => None,
    }
}
