//! What identifies a row: a hash of its columns and cells, whatever their order.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::domain::record::{ContentHash, Fields};

/// The first half of a SHA-256 over the row. Columns count in the order of their names; `numbers` tells a number that
/// is held as a text from that text.
#[must_use]
pub fn row_hash(fields: &Fields, numbers: &[String]) -> ContentHash {
    let mut hasher = Sha256::new();
    object(&mut hasher, fields);
    let mut places: Vec<&String> = numbers.iter().collect();
    places.sort_unstable();
    for place in places {
        text(&mut hasher, place);
    }
    let digest = hasher.finalize();
    let mut half = [0; 16];
    half.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    ContentHash(half)
}

/// The first eight bytes of a SHA-256 over a seed and a text, as a number.
#[must_use]
pub fn seeded(seed: u64, text: &str) -> u64 {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(text.as_bytes()).finalize();
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

fn object(hasher: &mut Sha256, fields: &Fields) {
    let mut columns: Vec<(&String, &Value)> = fields.iter().collect();
    columns.sort_unstable_by_key(|(name, _)| *name);
    hasher.update(b"{");
    hasher.update(columns.len().to_le_bytes());
    for (name, cell) in columns {
        text(hasher, name);
        value(hasher, cell);
    }
}

fn value(hasher: &mut Sha256, cell: &Value) {
    match cell {
        Value::Null => hasher.update(b"0"),
        Value::Bool(true) => hasher.update(b"t"),
        Value::Bool(false) => hasher.update(b"f"),
        Value::Number(number) => {
            hasher.update(b"n");
            text(hasher, &number.to_string());
        }
        Value::String(string) => {
            hasher.update(b"s");
            text(hasher, string);
        }
        Value::Array(items) => {
            hasher.update(b"[");
            hasher.update(items.len().to_le_bytes());
            for item in items {
                value(hasher, item);
            }
        }
        Value::Object(fields) => object(hasher, fields),
    }
}

fn text(hasher: &mut Sha256, text: &str) {
    hasher.update(text.len().to_le_bytes());
    hasher.update(text.as_bytes());
}
