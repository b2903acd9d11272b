//! Parquet's own types: moments, days, times and numbers.

use std::fs::File;
use std::sync::Arc;

use ::parquet::data_type::{
    ByteArray, ByteArrayType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type, Int64Type, Int96,
    Int96Type,
};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::parser::parse_message_type;
use dojo_studio::data::import::{ImportOptions, read_all};
use dojo_studio::domain::recipe::OnMalformed;
use dojo_studio::domain::record::Fields;
use serde_json::{Value, json};
use tempfile::TempDir;

type Group<'a> = SerializedRowGroupWriter<'a, File>;

/// The rows of a file with these columns, each of which is filled in turn.
fn rows(columns: &[&str], groups: usize, fill: &dyn Fn(&mut Group<'_>)) -> Vec<Fields> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("a.parquet");
    // Behind a group, there is no semicolon.
    let ended =
        |column: &&str| if column.ends_with('}') { (*column).to_owned() } else { format!("{column};") };
    let columns: Vec<String> = columns.iter().map(ended).collect();
    let schema = format!("message row {{ {} }}", columns.join(" "));
    let schema = Arc::new(parse_message_type(&schema).expect("a schema"));
    let file = File::create(&path).expect("create");
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(file, schema, properties).expect("a writer");
    for _ in 0..groups {
        let mut group = writer.next_row_group().expect("a group");
        fill(&mut group);
        group.close().expect("close");
    }
    writer.close().expect("close");
    let read = read_all(&path, &ImportOptions::default(), OnMalformed::Fail).expect("read");
    read.records.into_iter().map(|record| record.fields).collect()
}

fn add<T: ::parquet::data_type::DataType>(group: &mut Group<'_>, values: &[T::T], levels: Option<&[i16]>) {
    let mut column = group.next_column().expect("a column").expect("one more");
    column.typed::<T>().write_batch(values, levels, None).expect("write");
    column.close().expect("close");
}

/// 2024-05-01 12:30:15.25, in nanoseconds since 1970.
const MOMENT: i64 = 1_714_566_615_250_000_000;

#[test]
fn a_moment_is_the_same_text_in_every_unit() {
    let columns = [
        "required int64 ms (TIMESTAMP(MILLIS,false))",
        "required int64 us (TIMESTAMP(MICROS,false))",
        "required int64 ns (TIMESTAMP(NANOS,false))",
        "optional int96 old",
        "required int64 zoned (TIMESTAMP(NANOS,true))",
        "required int32 day (DATE)",
        "required int32 t32 (TIME(MILLIS,false))",
        "required int64 t64 (TIME(NANOS,false))",
    ];
    let fill = |group: &mut Group<'_>| {
        let mut old = Int96::new();
        let nanos = MOMENT % 86_400_000_000_000;
        let day = u32::try_from(MOMENT / 86_400_000_000_000 + 2_440_588).expect("a day");
        old.set_data((nanos & 0xFFFF_FFFF) as u32, (nanos >> 32) as u32, day);
        add::<Int64Type>(group, &[MOMENT / 1_000_000; 2], None);
        add::<Int64Type>(group, &[MOMENT / 1000; 2], None);
        add::<Int64Type>(group, &[MOMENT, MOMENT + 1], None);
        add::<Int96Type>(group, &[old], Some(&[1, 0]));
        add::<Int64Type>(group, &[MOMENT, -1], None);
        add::<Int32Type>(group, &[19844, -1], None);
        add::<Int32Type>(group, &[45_015_250, 0], None);
        add::<Int64Type>(group, &[45_015_250_000_000, 1], None);
    };
    let rows = rows(&columns, 2, &fill);
    let moment = "2024-05-01 12:30:15.250";
    let first = json!({"ms": moment, "us": moment, "ns": moment, "old": moment,
        "zoned": format!("{moment}+00:00"), "day": "2024-05-01", "t32": "12:30:15.250", "t64": "12:30:15.250"});
    let second = json!({"ms": moment, "us": moment, "ns": "2024-05-01 12:30:15.250000001", "old": null,
        "zoned": "1969-12-31 23:59:59.999999999+00:00", "day": "1969-12-31", "t32": "00:00:00",
        "t64": "00:00:00.000000001"});
    let rows: Vec<Value> = rows.into_iter().map(Value::Object).collect();
    assert_eq!(rows, [first.clone(), second.clone(), first, second]);
}

#[test]
fn numbers_and_texts_of_parquet_keep_their_values() {
    let columns = [
        "required int64 i",
        "required int64 u (INTEGER(64,false))",
        "required double d",
        "required float f",
        "required int64 money (DECIMAL(18,2))",
        "required binary raw",
    ];
    let fill = |group: &mut Group<'_>| {
        add::<Int64Type>(group, &[i64::MIN, 9_007_199_254_740_993], None);
        add::<Int64Type>(group, &[-1, 1], None);
        add::<DoubleType>(group, &[0.369_955_166_548_079_25, f64::NAN], None);
        add::<FloatType>(group, &[0.5, f32::NEG_INFINITY], None);
        add::<Int64Type>(group, &[110, -5], None);
        add::<ByteArrayType>(group, &[ByteArray::from("text"), ByteArray::from(vec![0xFF, 0])], None);
    };
    let rows: Vec<String> =
        rows(&columns, 1, &fill).into_iter().map(|row| Value::Object(row).to_string()).collect();
    let first = r#"{"i":-9223372036854775808,"u":18446744073709551615,"d":0.36995516654807925,"f":0.5,"money":"1.10","raw":"text"}"#;
    let second = r#"{"i":9007199254740993,"u":1,"d":null,"f":"-Infinity","money":"-0.05","raw":"/wA="}"#;
    assert_eq!(rows, [first, second]);
}

/// The row of a file whose calls or tools have more keys than each of them.
fn filled(schema: &str, fill: &dyn Fn(&mut Group<'_>)) -> Value {
    Value::Object(rows(&[schema], 1, fill).remove(0))
}

fn texts(group: &mut Group<'_>, values: &[&str], levels: (&[i16], Option<&[i16]>)) {
    let values: Vec<ByteArray> = values.iter().map(|text| ByteArray::from(*text)).collect();
    let mut column = group.next_column().expect("a column").expect("one more");
    column.typed::<ByteArrayType>().write_batch(&values, Some(levels.0), levels.1).expect("write");
    column.close().expect("close");
}

#[test]
fn what_a_call_lacks_and_another_has_is_not_written_into_it() {
    let schema = "required group messages (LIST) { repeated group list { required group element { \
        required binary role (UTF8); required binary content (UTF8); optional binary name (UTF8); \
        optional group function_call { optional binary name (UTF8); optional group arguments { \
        optional binary city (UTF8); optional binary unit (UTF8); \
        optional group at { optional binary day (UTF8); optional binary hour (UTF8); } } } } } }";
    let fill = |group: &mut Group<'_>| {
        let both: Option<&[i16]> = Some(&[0, 1]);
        texts(group, &["user", "assistant"], (&[1, 1], both));
        texts(group, &["q", "a"], (&[1, 1], both));
        texts(group, &[], (&[1, 1], both));
        texts(group, &["weather"], (&[1, 3], both));
        texts(group, &["Paris"], (&[1, 4], both));
        texts(group, &[], (&[1, 3], both));
        texts(group, &[], (&[1, 4], both));
        texts(group, &["9"], (&[1, 5], both));
    };
    let call = json!({"name": "weather", "arguments": {"city": "Paris", "at": {"hour": "9"}}});
    let turns = json!([{"role": "user", "content": "q", "name": null, "function_call": null},
        {"role": "assistant", "content": "a", "name": null, "function_call": call}]);
    assert_eq!(filled(schema, &fill), json!({"messages": turns}));
}

#[test]
fn what_a_tool_lacks_and_another_has_is_not_written_into_it_but_a_maps_null_is() {
    let schema = "required group tools (LIST) { repeated group list { required group element { \
        required binary name (UTF8); required group parameters { \
        optional group city { optional binary type (UTF8); optional binary unit (UTF8); } \
        optional group day { optional binary type (UTF8); } \
        optional group more (MAP) { repeated group key_value { required binary key (UTF8); \
        optional binary value (UTF8); } } } } } }";
    let fill = |group: &mut Group<'_>| {
        let both: Option<&[i16]> = Some(&[0, 1]);
        texts(group, &["f", "g"], (&[1, 1], both));
        texts(group, &["string"], (&[3, 1], both));
        texts(group, &[], (&[2, 1], both));
        texts(group, &["date"], (&[1, 3], both));
        texts(group, &["k"], (&[3, 1], both));
        texts(group, &[], (&[3, 1], both));
    };
    let tools = json!([{"name": "f", "parameters": {"city": {"type": "string"}, "more": {"k": null}}},
        {"name": "g", "parameters": {"day": {"type": "date"}}}]);
    assert_eq!(filled(schema, &fill), json!({"tools": tools}));
}

#[test]
fn a_narrow_float_has_the_digits_that_it_was_written_with() {
    let columns = ["required float f", "required fixed_len_byte_array(2) h (FLOAT16)"];
    let fill = |group: &mut Group<'_>| {
        add::<FloatType>(group, &[1.1, -0.3, 1e-7, 16_777_216.0], None);
        let halves = [1.1, 0.1, 3.0, 65504.0].map(|half| half::f16::from_f64(half).to_le_bytes().to_vec());
        add::<FixedLenByteArrayType>(group, &halves.map(|half| ByteArray::from(half).into()), None);
    };
    let read: Vec<(Value, Value)> =
        rows(&columns, 1, &fill).into_iter().map(|row| (row["f"].clone(), row["h"].clone())).collect();
    let told = [(1.1, 1.1), (-0.3, 0.1), (1e-7, 3.0), (16_777_216.0, 65504.0)];
    assert_eq!(read, told.map(|(f, h)| (json!(f), json!(h))));
}

#[test]
fn a_damaged_file_ends_in_one_sentence() {
    let folder = TempDir::new().expect("a folder");
    let path = super::world::write(
        &folder,
        "a.parquet",
        &[b"PAR1", &[0xFF; 64][..], &[16, 0, 0, 0], b"PAR1"].concat(),
    );
    let told =
        format!("{:#}", read_all(&path, &ImportOptions::default(), OnMalformed::Fail).expect_err("refused"));
    assert!(told.contains("as Parquet"), "{told}");
}
