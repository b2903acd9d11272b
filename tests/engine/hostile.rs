//! Model files made to do harm: opening one ends in a model or in a sentence that can be read.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use candle_core::quantized::GgmlDType;
use dojo_studio::engine::adapter::wants_own_rows;
use dojo_studio::engine::adapter::{Adapter, LoraConfig, Projection};
use dojo_studio::engine::model::gguf::Header;
use dojo_studio::engine::model::{self, ModelFiles, OpenModel};
use serde_json::{Value, json};

use crate::support::make_pipe;
use crate::support::tiny::Tiny;

/// Longer than this is no sentence.
const LONGEST_MESSAGE: usize = 1_500;

fn open(path: &Path) -> anyhow::Result<OpenModel> {
    ModelFiles::at(path).and_then(|files| model::open(&files))
}

fn refused(path: &Path) -> String {
    let said = format!("{:#}", open(path).err().expect("an error"));
    readable(said)
}

fn readable(said: String) -> String {
    assert!(
        said.len() < LONGEST_MESSAGE,
        "{} bytes: {}",
        said.len(),
        said.chars().take(300).collect::<String>()
    );
    assert!(!said.chars().any(char::is_control), "{said:?}");
    said
}

/// A GGUF's header, value by value.
struct Bytes(Vec<u8>);

impl Bytes {
    fn gguf(tensors: u64, entries: u64) -> Self {
        Self(b"GGUF\x03\0\0\0".to_vec()).u64(tensors).u64(entries)
    }

    fn u32(mut self, number: u32) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn u64(mut self, number: u64) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn text(mut self, text: &[u8]) -> Self {
        self = self.u64(text.len() as u64);
        self.0.extend(text);
        self
    }

    fn tensor(self, name: &[u8], shape: &[u64], start: u64) -> Self {
        let mut it = self.text(name).u32(shape.len() as u32);
        for &size in shape {
            it = it.u64(size);
        }
        it.u32(0).u64(start)
    }

    fn error(self) -> String {
        readable(format!("{:#}", Header::parse(&self.0).expect_err("an error")))
    }
}

#[test]
fn a_gguf_that_claims_absurd_counts_is_refused_before_anything_is_reserved() {
    for (bytes, said) in [
        (Bytes::gguf(u64::MAX, 0), "claims 18446744073709551615 tensors"),
        (Bytes::gguf(0, 1 << 40), "metadata entries"),
        (Bytes::gguf(0, 1).u64(u64::MAX), "bytes of a text"),
        (Bytes::gguf(0, 1).text(b"a").u32(9).u32(4).u64(1 << 61), "values of a list"),
        (Bytes::gguf(1, 0).tensor(b"a", &[1 << 33, 1 << 33], 0), "has shape"),
        (Bytes::gguf(1, 0).tensor(b"a", &[1 << 40], 0), "is cut short"),
        (Bytes::gguf(1, 0).tensor(b"a", &[8], u64::MAX), "is cut short"),
        (Bytes::gguf(1, 0).tensor(b"a", &[1; 5], 0), "dimensions"),
    ] {
        let mut bytes = bytes;
        bytes.0.extend([0; 64]);
        let error = bytes.error();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn two_tensors_on_the_same_bytes_and_an_entry_twice_are_refused() {
    let mut overlapping = Bytes::gguf(2, 0).tensor(b"a", &[32], 0).tensor(b"b", &[32], 64);
    overlapping.0.extend([0; 512]);
    assert!(overlapping.error().contains("two of its tensors lie on the same bytes"));
    let twice = Bytes::gguf(0, 2).text(b"k").u32(7).text(b"").u32(0);
    assert!(!twice.error().is_empty());
    let mut twice = Bytes::gguf(0, 2).text(b"k").u32(4).u32(1).text(b"k").u32(4).u32(2);
    twice.0.extend([0; 64]);
    assert!(twice.error().contains("it holds the metadata entry 'k' twice"));
}

#[test]
fn raw_bytes_of_a_file_never_reach_the_message() {
    let name: Vec<u8> = b"\x1b[31m\n\xff\x00".repeat(100_000);
    let error = Bytes::gguf(1, 0).tensor(&name, &[8], 0).error();
    assert!(error.contains("\\u{1b}[31m\\n") && error.contains(" bytes)"), "{error}");
    let mut bad_value = Bytes::gguf(0, 1).text(&name).u32(77);
    bad_value.0.extend([0; 64]);
    assert!(bad_value.error().contains("unknown value type 77"));
}

#[test]
fn a_folder_names_its_fault_in_a_line_whatever_stands_in_its_files() {
    let place = tempfile::tempdir().unwrap();
    let tiny = Tiny::new("llama");
    tiny.write_folder(place.path());
    let long = "\u{1b}]0;x\u{7}\n".repeat(10_000);
    for (key, value) in [
        ("model_type", json!(long)),
        ("hidden_act", json!(long)),
        ("hidden_size", json!(long)),
        ("rope_scaling", json!({"rope_type": long, "factor": 2.0})),
    ] {
        let mut config = tiny.config();
        config[key] = value;
        std::fs::write(place.path().join("config.json"), config.to_string()).unwrap();
        refused(place.path());
    }
    let index = json!({"weight_map": {"model.norm.weight": format!("../{long}")}});
    std::fs::write(place.path().join("config.json"), tiny.config().to_string()).unwrap();
    std::fs::remove_file(place.path().join("model.safetensors")).unwrap();
    std::fs::write(place.path().join("model.safetensors.index.json"), index.to_string()).unwrap();
    refused(place.path());
}

#[test]
fn sizes_that_the_tensors_lack_are_refused_when_the_model_is_opened() {
    let place = tempfile::tempdir().unwrap();
    let tiny = Tiny::new("llama");
    tiny.write_folder(place.path());
    for (key, value, said) in [
        ("num_hidden_layers", json!(4_000), "it lacks tensor model.layers."),
        ("num_hidden_layers", json!(1_000_000_000), "num_hidden_layers"),
        ("vocab_size", json!(1_u64 << 60), "vocabulary"),
        ("intermediate_size", json!(1 << 20), "has the shape"),
        ("hidden_size", json!(1_u64 << 62), ""),
        ("eos_token_id", json!(vec![1; 100_000]), "end tokens"),
    ] {
        let mut config = tiny.config();
        config[key] = value;
        std::fs::write(place.path().join("config.json"), config.to_string()).unwrap();
        let error = refused(place.path());
        assert!(error.contains(said), "{key}: {error}");
    }
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    std::fs::write(place.path().join("config.json"), deep).unwrap();
    assert!(refused(place.path()).contains("recursion limit"));
}

#[test]
fn a_file_that_shrinks_while_it_is_in_use_is_an_error_and_no_signal() {
    let place = tempfile::tempdir().unwrap();
    let gguf = place.path().join("tiny.gguf");
    let folder = place.path().join("folder");
    let models = [
        (Tiny::new("llama").open_gguf(&gguf, GgmlDType::F32), gguf),
        (Tiny::new("llama").open_folder(&folder), folder.join("model.safetensors")),
    ];
    for (model, file) in models {
        std::fs::File::options().write(true).open(file).unwrap().set_len(64).unwrap();
        let (name, shape, _) = Tiny::new("llama").tensors().into_iter().next_back().unwrap();
        let error = format!("{:#}", model.weights.f32(&name, &shape).unwrap_err());
        assert!(error.contains("became shorter while it was read"), "{error}");
        assert!(model.weights.stored(&name, &shape).is_err());
    }
}

#[test]
fn a_pipe_is_no_model() {
    let place = tempfile::tempdir().unwrap();
    Tiny::new("llama").write_folder(place.path());
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let path = place.path().join(file);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert!(open(place.path()).is_err(), "{file}");
        std::fs::remove_file(&path).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// The tiny model with another part of its tokenizer.
fn with_part(part: &str, value: &Value) -> anyhow::Result<()> {
    let place = tempfile::tempdir().unwrap();
    Tiny::new("llama").write_folder(place.path());
    let path = place.path().join("tokenizer.json");
    let mut tokenizer: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    tokenizer[part] = value.clone();
    std::fs::write(&path, tokenizer.to_string()).unwrap();
    open(place.path()).map(|_| ())
}

fn part_refused(part: &str, value: &Value) -> String {
    readable(format!("{:#}", with_part(part, value).expect_err("an error")))
}

fn replace(pattern: &Value, content: &str) -> Value {
    json!({"type": "Replace", "pattern": pattern, "content": content})
}

#[test]
fn a_tokenizer_that_makes_texts_grow_without_measure_is_refused() {
    let doubling: Vec<Value> = (0..40).map(|_| replace(&json!({"String": "a"}), "aa")).collect();
    let error = part_refused("normalizer", &json!({"type": "Sequence", "normalizers": doubling}));
    assert!(error.contains("its normalizer is refused: "), "{error}");
    let between = replace(&json!({"Regex": "x*"}), &"y".repeat(5_000));
    assert!(part_refused("normalizer", &between).contains("times as long"));
    let long = json!({"type": "Prepend", "prepend": "x".repeat(1 << 20)});
    assert!(part_refused("normalizer", &long).contains("times as long"));
    let bytes: Vec<Value> = (0..30).map(|_| json!({"type": "ByteLevel"})).collect();
    assert!(
        part_refused("normalizer", &json!({"type": "Sequence", "normalizers": bytes}))
            .contains("times as long")
    );
    let copies: Vec<Value> = (0..100).map(|_| json!({"Sequence": {"id": "A", "type_id": 0}})).collect();
    let template = json!({"type": "TemplateProcessing", "single": copies, "pair": [], "special_tokens": {}});
    assert!(part_refused("post_processor", &template).contains("it repeats a text 100 times"));
    let mut nested = replace(&json!({"String": "a"}), "b");
    for _ in 0..50 {
        nested = json!({"type": "Sequence", "normalizers": [nested]});
    }
    assert!(part_refused("normalizer", &nested).contains("nested"));
}

#[test]
fn a_tokenizer_that_takes_for_ever_or_that_its_library_fails_on_is_refused() {
    let unfolding = json!({"type": "Split", "behavior": "Isolated", "invert": false,
        "pattern": {"Regex": "((a{1000}){1000}){1000}"}});
    assert!(part_refused("pre_tokenizer", &unfolding).contains("repeats more than"));
    let strip = json!({"type": "Strip", "content": " ", "start": 0, "stop": 3});
    assert!(part_refused("decoder", &strip).contains("it strips the end of tokens"));
    assert!(part_refused("normalizer", &json!({"type": "Precompiled"})).contains("is missing"));
    let empty = json!({"type": "FixedLength", "length": 0});
    assert!(part_refused("pre_tokenizer", &empty).contains("pieces of 0"));
}

#[test]
fn what_known_tokenizers_do_is_not_refused() {
    let known = json!({"type": "Sequence", "normalizers": [
        replace(&json!({"String": "``"}), "\""),
        replace(&json!({"String": "''"}), "\""),
        {"type": "NFKC"}, {"type": "StripAccents"}, {"type": "Lowercase"},
        replace(&json!({"Regex": " {2,}"}), "\u{2581}"),
        {"type": "Prepend", "prepend": "\u{2581}"},
        replace(&json!({"String": " "}), "\u{2581}"),
    ]});
    with_part("normalizer", &known).unwrap();
}

/// A double array that maps the byte `a` to a replacement, in blocks of 256 units as they are written.
fn charsmap(value: u32, units: usize, replacements: &[u8]) -> Value {
    let mut trie = vec![0_u32; units];
    // The root's children lie from 0 on; `a`'s leaf is where its offset leads.
    trie[0] = 0;
    trie[usize::from(b'a')] = u32::from(b'a') | 1 << 8 | 1 << 10;
    trie[usize::from(b'a') ^ 1] = 1 << 31 | value;
    let mut bytes = ((units * 4) as u32).to_le_bytes().to_vec();
    bytes.extend(trie.iter().flat_map(|unit| unit.to_le_bytes()));
    bytes.extend(replacements);
    json!({"type": "Precompiled", "precompiled_charsmap": base64::engine::general_purpose::STANDARD.encode(bytes)})
}

#[test]
fn a_charsmap_is_followed_before_a_text_is() {
    with_part("normalizer", &charsmap(0, 256, b"b\0")).unwrap();
    for (damaged, said) in [
        (charsmap(9, 256, b"b\0"), "a replacement lies outside"),
        (charsmap(0, 100, b"b\0"), "leads out of itself"),
        (charsmap(0, 256, &b"b".repeat(5_000)), "a replacement is longer"),
        (charsmap(1, 256, "\u{e4}\0".as_bytes()), "a replacement lies outside"),
        (
            json!({"type": "Precompiled", "precompiled_charsmap": "/////w=="}),
            "precompiled_charsmap is damaged",
        ),
        (json!({"type": "Precompiled", "precompiled_charsmap": ""}), "precompiled_charsmap is damaged"),
    ] {
        let error = part_refused("normalizer", &damaged);
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_pipe_or_a_broken_link_in_the_place_of_any_file_is_said_and_not_passed_over() {
    let files = [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "generation_config.json",
        "chat_template.jinja",
        "chat_template.json",
    ];
    for name in files {
        let place = tempfile::tempdir().unwrap();
        Tiny::new("llama").write_folder(place.path());
        if name == "chat_template.json" {
            // It is read where there is no other template.
            std::fs::write(place.path().join("tokenizer_config.json"), "{}").unwrap();
        }
        let file = place.path().join(name);
        std::fs::remove_file(&file).ok();
        make_pipe(&file);
        let said = refused(place.path());
        let told =
            format!("{}: it is a pipe, and only files are read; put a file in its place", file.display());
        assert!(said.ends_with(&told), "{said}");
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(place.path().join("nowhere"), &file).unwrap();
        let said = refused(place.path());
        assert!(said.contains(name) && said.ends_with("No such file or directory (os error 2)"), "{said}");
    }
}

fn with_adapter(place: &Path) -> (OpenModel, PathBuf) {
    let model = Tiny::new("llama").open_folder(&place.join("model"));
    let folder = place.join("adapter");
    let config = LoraConfig {
        r: 2,
        lora_alpha: 4.0,
        lora_dropout: 0.0,
        target_modules: Projection::ALL.to_vec(),
        use_rslora: false,
        use_dora: false,
    };
    Adapter::zeros(config, "base", &model.config).unwrap().save(&folder, &model.config).unwrap();
    (model, folder)
}

fn refused_adapter(model: &OpenModel, folder: &Path) -> String {
    let load = || {
        wants_own_rows(folder, &model.tokenizer, &model.config)?;
        Adapter::load(folder, &model.config)
    };
    readable(format!("{:#}", load().expect_err("an error")))
}

#[test]
fn whatever_an_adapters_files_hold_they_are_refused_in_a_short_sentence_and_soon() {
    let place = tempfile::tempdir().unwrap();
    let (model, folder) = with_adapter(place.path());
    let file = folder.join("adapter_config.json");
    let config: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let long = "\u{1b}[31m".repeat(200_000);
    let many = |one: &str| json!(vec![one; 300_000]);
    for (key, value, told) in [
        ("peft_type", json!(long), "its peft_type is"),
        ("r", json!(long), "invalid type: string"),
        ("base_model_name_or_path", json!([long]), "invalid type: sequence"),
        ("rank_pattern", json!({long.as_str(): long}), "read rank_pattern"),
        ("target_modules", many("q_proj"), "its target_modules has 300000 entries, more than any adapter's"),
        ("exclude_modules", many("lm_head"), "its exclude_modules has 300000 entries"),
        ("layers_pattern", many("layers"), "its layers_pattern has 300000 entries"),
        ("layers_to_transform", json!(vec![0; 300_000]), "its layers_to_transform has 300000 entries"),
        (&long, json!(true), "a key that Dojo doesn't know"),
    ] {
        let mut changed = config.clone();
        changed[key] = value;
        std::fs::write(&file, changed.to_string()).unwrap();
        let said = refused_adapter(&model, &folder);
        assert!(said.contains(told), "{said}");
    }
    std::fs::write(&file, config.to_string()).unwrap();
    for tokenizer in [json!(long), json!({"model": long}), json!({"version": "x".repeat(5 << 20)})] {
        std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
        assert!(refused_adapter(&model, &folder).contains("tokenizer.json"));
    }
}

#[test]
fn a_pipe_in_an_adapters_folder_is_said() {
    for name in ["adapter_config.json", "adapter_model.safetensors", "tokenizer.json"] {
        let place = tempfile::tempdir().unwrap();
        let (model, folder) = with_adapter(place.path());
        let _ = std::fs::remove_file(folder.join(name));
        make_pipe(&folder.join(name));
        let said = refused_adapter(&model, &folder);
        assert!(said.contains(name) && said.contains("it is a pipe, and only files are read"), "{said}");
    }
}
