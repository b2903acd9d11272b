//! Parquet's cells become values. The same moment is the same text, whatever unit the file counts in.

use chrono::DateTime;
use half::f16;
use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::record::{Field, Row};
use parquet::schema::types::Type;
use serde_json::{Number, Value};

use crate::domain::record::Fields;

/// What the schema says of a column and the reader's values don't.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Plain,
    /// Nanoseconds since the epoch where the value is a bare number.
    Moment(Zone),
    /// Nanoseconds since midnight where the value is a bare number.
    TimeOfDay,
    Group(Vec<Self>),
    /// Of a list's elements, or of a map's values.
    Each(Box<Self>),
}

/// What a moment's hours are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    Utc,
    Unknown,
}

/// Whether a group's empty fields are there because another row has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Empty {
    Kept,
    /// A table of calls or tools has the keys of all of them in each; what a call lacks is null. It was not written.
    Filled,
}

/// Columns and keys that hold calls, tools and settings of a template: what stands in their groups is learnt by its keys.
const CALLED: [&str; 9] = [
    "tools",
    "functions",
    "tool_calls",
    "function_call",
    "available_tools",
    "tool_definitions",
    "tool_schemas",
    "tool_schema",
    "chat_template_kwargs",
];

impl Empty {
    /// Of what stands under a name.
    fn below(self, name: &str) -> Self {
        if CALLED.iter().any(|called| called.eq_ignore_ascii_case(name)) { Self::Filled } else { self }
    }
}

const NANOS: i64 = 1_000_000_000;

/// Held for a value, besides a text's bytes.
const VALUE: usize = 96;

impl Cell {
    pub(super) fn of(column: &Type) -> Self {
        let facts = column.get_basic_info();
        if column.is_primitive() {
            return match facts.logical_type_ref() {
                Some(LogicalType::Timestamp(time)) if time.is_adjusted_to_u_t_c => Self::Moment(Zone::Utc),
                Some(LogicalType::Timestamp(_)) => Self::Moment(Zone::Unknown),
                Some(LogicalType::Time(time)) if time.unit == TimeUnit::NANOS => Self::TimeOfDay,
                _ if column.get_physical_type() == Physical::INT96 => Self::Moment(Zone::Unknown),
                _ => match facts.converted_type() {
                    ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS => {
                        Self::Moment(Zone::Utc)
                    }
                    _ => Self::Plain,
                },
            };
        }
        let inner: Vec<Self> = column.get_fields().iter().map(|field| Self::of(field)).collect();
        let is_element = |field: &Type| field.is_primitive() || field.get_fields().len() > 1;
        match (facts.converted_type(), column.get_fields()) {
            (ConvertedType::LIST, [repeated]) if !is_element(repeated) => Self::Each(Box::new(
                repeated.get_fields().first().map_or(Self::Plain, |element| Self::of(element)),
            )),
            (ConvertedType::LIST, [repeated]) => Self::Each(Box::new(Self::of(repeated))),
            (ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE, [pair]) => {
                Self::Each(Box::new(pair.get_fields().last().map_or(Self::Plain, |value| Self::of(value))))
            }
            _ if facts.has_repetition() && facts.repetition() == Repetition::REPEATED => {
                Self::Each(Box::new(Self::Group(inner)))
            }
            _ => Self::Group(inner),
        }
    }

    fn each(&self) -> &Self {
        match self {
            Self::Each(inner) => inner,
            Self::Plain | Self::Moment(_) | Self::TimeOfDay | Self::Group(_) => self,
        }
    }

    fn field(&self, index: usize) -> &Self {
        match self.each() {
            Self::Group(fields) => fields.get(index).unwrap_or(&Self::Plain),
            Self::Plain | Self::Moment(_) | Self::TimeOfDay | Self::Each(_) => &Self::Plain,
        }
    }
}

/// A row's cells, and the bytes that they take, about.
pub(super) fn row(row: &Row, columns: &Cell) -> (Fields, usize) {
    let mut bytes = 0;
    (fields(row, columns, &mut bytes, Empty::Kept), bytes)
}

fn fields(row: &Row, columns: &Cell, bytes: &mut usize, empty: Empty) -> Fields {
    let mut fields = Fields::new();
    for (index, (name, field)) in row.get_column_iter().enumerate() {
        if empty == Empty::Filled && *field == Field::Null {
            continue;
        }
        *bytes += name.len();
        fields.insert(name.clone(), value(field, columns.field(index), bytes, empty.below(name)));
    }
    fields
}

fn value(field: &Field, cell: &Cell, bytes: &mut usize, empty: Empty) -> Value {
    *bytes += VALUE;
    let value = match (field, cell.each()) {
        (Field::Long(nanos), Cell::Moment(zone)) => {
            moment(nanos.div_euclid(NANOS), nanos.rem_euclid(NANOS), *zone)
        }
        (Field::Long(nanos), Cell::TimeOfDay) => time_of_day(*nanos),
        (Field::TimestampMillis(millis), cell) => {
            moment(millis.div_euclid(1000), millis.rem_euclid(1000) * 1_000_000, zone(cell))
        }
        (Field::TimestampMicros(micros), cell) => {
            moment(micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000) * 1000, zone(cell))
        }
        (Field::TimeMillis(millis), _) => time_of_day(i64::from(*millis) * 1_000_000),
        (Field::TimeMicros(micros), _) => time_of_day(micros.saturating_mul(1000)),
        (Field::Date(days), _) => {
            let day = DateTime::from_timestamp(i64::from(*days) * 86400, 0);
            day.map_or_else(|| Value::from(*days), |day| day.format("%Y-%m-%d").to_string().into())
        }
        (Field::Float16(number), _) => real(shortest(*number)),
        (Field::Float(number), _) => real(as_written(*number)),
        (Field::Double(number), _) => real(*number),
        // Older programs write texts without saying that they are.
        (Field::Bytes(data), _) => match std::str::from_utf8(data.data()) {
            Ok(text) if !text.contains('\0') => Value::String(text.to_owned()),
            _ => field.to_json_value(),
        },
        (Field::Group(row), cell) => Value::Object(fields(row, cell, bytes, empty)),
        (Field::ListInternal(list), cell) => {
            list.elements().iter().map(|element| self::value(element, cell, bytes, empty)).collect()
        }
        (Field::MapInternal(map), cell) => {
            let name = |key: &Field| match key.to_json_value() {
                Value::String(text) => text,
                other => other.to_string(),
            };
            // A map has the keys that were written, also those with null.
            let entries =
                map.entries().iter().map(|(key, item)| (name(key), self::value(item, cell, bytes, empty)));
            Value::Object(entries.collect())
        }
        _ => field.to_json_value(),
    };
    if let Value::String(text) = &value {
        *bytes += text.len();
    }
    value
}

fn zone(cell: &Cell) -> Zone {
    match cell {
        Cell::Moment(zone) => *zone,
        Cell::Plain | Cell::TimeOfDay | Cell::Group(_) | Cell::Each(_) => Zone::Utc,
    }
}

/// A moment of no known zone.
pub(super) fn whole_moment(seconds: i64, nanos: i64) -> Value {
    moment(seconds, nanos, Zone::Unknown)
}

/// `2024-05-01 12:30:00.250`, as a date and a time of day; with `+00:00` where the file says that it is UTC.
fn moment(seconds: i64, nanos: i64, zone: Zone) -> Value {
    let Some(moment) = DateTime::from_timestamp(seconds, u32::try_from(nanos).unwrap_or_default()) else {
        return Value::String(format!("{seconds} seconds since 1970"));
    };
    let zone = match zone {
        Zone::Utc => "+00:00",
        Zone::Unknown => "",
    };
    Value::String(format!("{}{zone}", moment.format("%Y-%m-%d %H:%M:%S%.f")))
}

fn time_of_day(nanos: i64) -> Value {
    let time = DateTime::from_timestamp(nanos.div_euclid(NANOS), nanos.rem_euclid(NANOS) as u32);
    time.map_or_else(|| Value::from(nanos), |time| time.format("%H:%M:%S%.f").to_string().into())
}

/// The number by the fewest digits that its format tells from others: 1.1, and not 1.100000023841858.
fn as_written(number: f32) -> f64 {
    format!("{number:e}").parse().unwrap_or_else(|_| f64::from(number))
}

/// The same of a half.
fn shortest(number: f16) -> f64 {
    const DIGITS: std::ops::Range<usize> = 0..5;
    let exact = f64::from(number);
    if exact.fract() == 0.0 {
        return exact;
    }
    let rounded = |digits: usize| format!("{exact:.digits$e}").parse::<f64>().ok();
    DIGITS.filter_map(rounded).find(|rounded| f16::from_f64(*rounded) == number).unwrap_or(exact)
}

/// A number, or its name where JSON has none for it. A NaN is what pandas has where nothing is.
fn real(number: f64) -> Value {
    match Number::from_f64(number) {
        Some(number) => Value::Number(number),
        None if number.is_nan() => Value::Null,
        None if number > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}
