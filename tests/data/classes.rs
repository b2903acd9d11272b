//! Classes that a Parquet file counts and its metadata names.

use std::fs::File;
use std::sync::Arc;

use ::parquet::data_type::Int64Type;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use dojo_studio::data::import::{ImportBatch, ImportOptions, read_all};
use dojo_studio::domain::recipe::OnMalformed;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The rows of a file with these features of `datasets` and one column of numbers.
fn read(schema: &str, features: &Value, numbers: &[i64], levels: Option<(&[i16], &[i16])>) -> ImportBatch {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("a.parquet");
    let schema = Arc::new(parse_message_type(&format!("message row {{ {schema} }}")).expect("a schema"));
    let told = json!({"info": {"features": features}}).to_string();
    let facts = vec![KeyValue::new("huggingface".into(), Some(told))];
    let properties = Arc::new(WriterProperties::builder().set_key_value_metadata(Some(facts)).build());
    let file = File::create(&path).expect("create");
    let mut writer = SerializedFileWriter::new(file, schema, properties).expect("a writer");
    let mut group = writer.next_row_group().expect("a group");
    let mut column = group.next_column().expect("a column").expect("one");
    let (definitions, repetitions) = levels.unzip();
    column.typed::<Int64Type>().write_batch(numbers, definitions, repetitions).expect("write");
    column.close().expect("close");
    group.close().expect("close");
    writer.close().expect("close");
    read_all(&path, &ImportOptions::default(), OnMalformed::Skip).expect("read")
}

fn fields(batch: &ImportBatch) -> Vec<Value> {
    batch.records.iter().map(|record| json!(record.fields)).collect()
}

fn classes() -> Value {
    json!({"names": ["neg", "pos"], "_type": "ClassLabel"})
}

#[test]
fn a_class_is_read_by_its_name_and_minus_one_as_none() {
    let batch = read("required int64 mood;", &json!({"mood": classes()}), &[1, 0], None);
    assert_eq!(fields(&batch), [json!({"mood": "pos"}), json!({"mood": "neg"})]);
    let list = "required group moods (LIST) { repeated group list { required int64 element; } }";
    let feature = json!({"moods": {"feature": classes(), "_type": "List"}});
    let batch = read(list, &feature, &[1, -1], Some((&[1, 1], &[0, 1])));
    assert_eq!(fields(&batch), [json!({"moods": ["pos", null]})]);
}

#[test]
fn a_number_that_no_class_has_is_malformed() {
    let batch = read("required int64 mood;", &json!({"mood": classes()}), &[1, 2], None);
    assert_eq!(fields(&batch), [json!({"mood": "pos"})]);
    assert_eq!(
        batch.malformed[0].reason,
        "column \"mood\" has the class 2, and the file names 2 classes from 0 on (neg, pos); mend the number, or the names \
         in the file's \"huggingface\" metadata"
    );
}

#[test]
fn classes_in_lists_and_groups_are_read_by_their_names() {
    let list = "required group moods (LIST) { repeated group list { required int64 element; } }";
    let levels: Option<(&[i16], &[i16])> = Some((&[1, 1], &[0, 1]));
    for feature in [
        json!({"feature": classes(), "_type": "Sequence"}),
        json!({"feature": classes(), "_type": "List"}),
        json!([classes()]),
    ] {
        let batch = read(list, &json!({"moods": feature}), &[1, 0], levels);
        assert_eq!(fields(&batch), [json!({"moods": ["pos", "neg"]})], "{feature}");
    }
    let inside = "required group about { required int64 mood; }";
    let batch = read(inside, &json!({"about": {"mood": classes()}}), &[1], None);
    assert_eq!(fields(&batch), [json!({"about": {"mood": "pos"}})]);
    let lists = "required group about { required group mood (LIST) { repeated group list { required int64 element; } } }";
    let feature = json!({"about": {"feature": {"mood": classes()}, "_type": "Sequence"}});
    assert_eq!(fields(&read(lists, &feature, &[1, 0], levels)), [json!({"about": {"mood": ["pos", "neg"]}})]);
}

#[test]
fn numbers_without_names_stay_numbers() {
    for feature in
        [json!({"dtype": "int64", "_type": "Value"}), json!({"num_classes": 2, "_type": "ClassLabel"})]
    {
        let batch = read("required int64 mood;", &json!({"mood": feature}), &[1], None);
        assert_eq!(fields(&batch), [json!({"mood": 1})]);
    }
}
