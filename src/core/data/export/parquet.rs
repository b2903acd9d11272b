//! Parquet, with turns as lists of `role` and `content`. What the first record is decides the columns; where one of the
//! first group has more than texts, turns have their other keys beside, and rows their tools and settings, as JSON.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::file;
use super::held::HeldNumbers;
use super::{Added, Sink};
use crate::data::mapping::{SETTINGS, TURN_EXTRA};
use crate::data::rows::write_row;
use crate::domain::message::Message;
use crate::domain::record::{Fields, Record};
use crate::ground::files::WholeFile;

/// Records in a row group; so many are in memory at once.
const GROUP: usize = 4096;

/// What the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParquetShape {
    Preference,
    /// Conversations whose first turns are a prompt.
    Prompted,
    Messages,
    Text,
}

impl ParquetShape {
    pub(super) fn of(record: &Record) -> Option<Self> {
        match record {
            Record { preference: Some(_), .. } => Some(Self::Preference),
            _ if record.prompt_and_completion().is_some() => Some(Self::Prompted),
            Record { messages, .. } if !messages.is_empty() => Some(Self::Messages),
            Record { text: Some(_), .. } => Some(Self::Text),
            _ => None,
        }
    }

    /// The columns that hold turns.
    const fn turns(self) -> &'static [&'static str] {
        match self {
            Self::Preference => &["prompt", "chosen", "rejected"],
            Self::Prompted => &["prompt", "completion"],
            Self::Messages => &["messages"],
            Self::Text => &[],
        }
    }

    const fn describe(self) -> &'static str {
        match self {
            Self::Preference => "preference pairs",
            Self::Prompted => "prompts with completions",
            Self::Messages => "conversations",
            Self::Text => "plain texts",
        }
    }

    fn schema(self, more: More) -> String {
        let (beside, tools) = match more {
            More::None => (String::new(), String::new()),
            More::Kept => (
                format!(" optional binary {TURN_EXTRA} (UTF8);"),
                format!("optional binary tools (UTF8);\noptional binary {SETTINGS} (UTF8);\n"),
            ),
        };
        let turns = |name: &&str| {
            format!(
                "required group {name} (LIST) {{ repeated group list {{ required group element {{ \
                 required binary role (UTF8); required binary content (UTF8);{beside} }} }} }}\n"
            )
        };
        let text = if self == Self::Text { "required binary text (UTF8);\n" } else { "" };
        let columns: String = self.turns().iter().map(turns).collect();
        format!(
            "message record {{ {columns}{tools}{text}optional binary label (UTF8);\noptional binary split (UTF8);\n\
             required group tags (LIST) {{ repeated group list {{ required binary element (UTF8); }} }} }}"
        )
    }
}

/// Whether the columns hold more of a conversation than texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum More {
    None,
    Kept,
}

impl More {
    fn of(record: &Record) -> Self {
        if record.has_more_than_texts() { Self::Kept } else { Self::None }
    }
}

pub(super) struct Parquet {
    /// Until the first records say what the columns are.
    file: Option<WholeFile>,
    shape: Option<ParquetShape>,
    writer: Option<(More, SerializedFileWriter<WholeFile>)>,
    waiting: Vec<Record>,
    /// Of those that wait.
    held: Vec<HeldNumbers>,
}

impl Parquet {
    pub(super) fn create(path: &Path) -> Result<Self> {
        Ok(Self {
            file: Some(file::create(path)?),
            shape: None,
            writer: None,
            waiting: Vec::new(),
            held: Vec::new(),
        })
    }

    fn start(&mut self, shape: ParquetShape) -> Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let kept = self.waiting.iter().any(|record| More::of(record) == More::Kept);
        let more = if kept { More::Kept } else { More::None };
        let schema = parse_message_type(&shape.schema(more)).context("make the Parquet columns")?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let context = format!("write {}", file.path().display());
        let writer =
            SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties)).context(context)?;
        self.writer = Some((more, writer));
        Ok(())
    }

    fn write_group(&mut self) -> Result<()> {
        let Some(shape) = self.shape.filter(|_| !self.waiting.is_empty()) else { return Ok(()) };
        self.start(shape)?;
        let Some((more, writer)) = &mut self.writer else { return Ok(()) };
        let mut group = writer.next_row_group().context("begin a row group")?;
        let rows = &self.waiting;
        for (index, _) in shape.turns().iter().enumerate() {
            let lists: Vec<Vec<Message>> =
                rows.iter().map(|record| turns(shape, index, record).to_vec()).collect();
            write_lists(&mut group, lists.iter().map(|list| list.iter().map(|turn| turn.role.name())))?;
            write_lists(&mut group, lists.iter().map(|list| list.iter().map(|turn| turn.content.as_str())))?;
            if *more == More::Kept {
                write_extras(&mut group, &lists, &self.held)?;
            }
        }
        if *more == More::Kept {
            let tools = rows.iter().map(|row| json_unless_empty(row.tools.is_empty(), &row.tools));
            let tools: Vec<Option<String>> = tools.collect::<Result<_>>()?;
            write_optional(&mut group, tools.iter().map(Option::as_deref))?;
            let settings = rows.iter().map(|row| json_unless_empty(row.settings.is_empty(), &row.settings));
            let settings: Vec<Option<String>> = settings.collect::<Result<_>>()?;
            write_optional(&mut group, settings.iter().map(Option::as_deref))?;
        }
        if shape == ParquetShape::Text {
            let texts: Vec<ByteArray> =
                rows.iter().map(|row| row.text.as_deref().unwrap_or_default().into()).collect();
            write_column(&mut group, &texts, None, None)?;
        }
        write_optional(&mut group, rows.iter().map(|row| row.label.as_deref()))?;
        write_optional(&mut group, rows.iter().map(|row| row.split.as_deref()))?;
        write_lists(&mut group, rows.iter().map(|row| row.tags.iter().map(String::as_str)))?;
        group.close().context("end a row group")?;
        self.waiting.clear();
        self.held.clear();
        Ok(())
    }
}

impl Sink for Parquet {
    fn add(&mut self, record: &Record) -> Result<Added> {
        let Some(own) = ParquetShape::of(record) else {
            return Ok(Added::LeftOut("it has neither a conversation nor text".into()));
        };
        let shape = *self.shape.get_or_insert(own);
        if shape != own {
            let (own, shape) = (own.describe(), shape.describe());
            return Ok(Added::LeftOut(format!("it is one of {own} among {shape}; export them apart")));
        }
        match &self.writer {
            Some((More::None, _)) if More::of(record) == More::Kept => Ok(Added::LeftOut(
                "it is the first whose turns have more than a text, and the file has no place for it; export as \
                 messages"
                    .into(),
            )),
            _ => {
                // The imported row is not written: of it nothing waits but the numbers that only it has.
                self.held.push(HeldNumbers::of(record));
                self.waiting.push(Record { fields: Fields::new(), ..record.clone() });
                if self.waiting.len() >= GROUP {
                    self.write_group()?;
                }
                Ok(Added::Written)
            }
        }
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.write_group()?;
        match self.writer {
            Some((_, writer)) => file::finish(writer.into_inner().context("end the Parquet file")?),
            None => Ok(()),
        }
    }
}

fn turns(shape: ParquetShape, column: usize, record: &Record) -> &[Message] {
    match (shape, column, &record.preference, record.prompt_and_completion()) {
        (ParquetShape::Preference, 1, Some(pair), _) => &pair.chosen,
        (ParquetShape::Preference, 2, Some(pair), _) => &pair.rejected,
        (ParquetShape::Prompted, 0, _, Some((prompt, _))) => prompt,
        (ParquetShape::Prompted, 1, _, Some((_, completion))) => completion,
        _ => &record.messages,
    }
}

fn json_unless_empty(is_empty: bool, value: &impl serde::Serialize) -> Result<Option<String>> {
    (!is_empty).then(|| serde_json::to_string(value).context("write a column as JSON")).transpose()
}

/// What turns have beside role and content, as JSON: a list a row, each entry optional.
fn write_extras(group: &mut RowGroup<'_>, lists: &[Vec<Message>], held: &[HeldNumbers]) -> Result<()> {
    let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
    for (list, held) in lists.iter().zip(held) {
        for (index, turn) in list.iter().enumerate() {
            let extra: Fields = turn.extra.clone().into_iter().collect();
            let json = || write_row(&extra, &held.places_in_turn(&extra)).context("write a column as JSON");
            let extra = (!extra.is_empty()).then(json).transpose()?;
            repetitions.push(i16::from(index > 0));
            definitions.push(if extra.is_some() { 2 } else { 1 });
            values.extend(extra.as_deref().map(ByteArray::from));
        }
        if list.is_empty() {
            repetitions.push(0);
            definitions.push(0);
        }
    }
    write_column(group, &values, Some(&definitions), Some(&repetitions))
}

type RowGroup<'a> = SerializedRowGroupWriter<'a, WholeFile>;

/// One list of texts a row. Levels as in Dremel: a value begins a row at repetition 0; an empty list has no value.
fn write_lists<'v>(
    group: &mut RowGroup<'_>,
    lists: impl Iterator<Item = impl Iterator<Item = &'v str>>,
) -> Result<()> {
    let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
    for list in lists {
        let before = values.len();
        for value in list {
            repetitions.push(i16::from(values.len() > before));
            definitions.push(1);
            values.push(ByteArray::from(value));
        }
        if values.len() == before {
            repetitions.push(0);
            definitions.push(0);
        }
    }
    write_column(group, &values, Some(&definitions), Some(&repetitions))
}

fn write_optional<'v>(group: &mut RowGroup<'_>, cells: impl Iterator<Item = Option<&'v str>>) -> Result<()> {
    let (mut values, mut definitions) = (Vec::new(), Vec::new());
    for cell in cells {
        definitions.push(i16::from(cell.is_some()));
        values.extend(cell.map(ByteArray::from));
    }
    write_column(group, &values, Some(&definitions), None)
}

fn write_column(
    group: &mut RowGroup<'_>,
    values: &[ByteArray],
    definitions: Option<&[i16]>,
    repetitions: Option<&[i16]>,
) -> Result<()> {
    let Some(mut column) = group.next_column().context("begin a column")? else {
        bail!("a Parquet column is missing")
    };
    column
        .typed::<ByteArrayType>()
        .write_batch(values, definitions, repetitions)
        .context("write a column")?;
    column.close().context("end a column")
}
