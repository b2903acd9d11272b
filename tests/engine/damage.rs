//! Damaged model files: always a sentence, never a crash.

use std::path::Path;
use std::sync::LazyLock;

use candle_core::quantized::GgmlDType;
use dojo_studio::engine::adapter::Adapter;
use dojo_studio::engine::model::gguf::Header;
use dojo_studio::engine::model::{self, ModelFiles};
use proptest::prelude::*;

use crate::support::tiny::{Tiny, write_safetensors};

static GGUF: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("tiny.gguf");
    Tiny::new("llama").write_gguf(&path, GgmlDType::Q4_0);
    std::fs::read(path).unwrap()
});

static SAFETENSORS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let place = tempfile::tempdir().unwrap();
    Tiny::new("llama").write_folder(place.path());
    std::fs::read(place.path().join("model.safetensors")).unwrap()
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_no_gguf(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Header::parse(&bytes).is_err());
        let with_magic = [b"GGUF\x03\0\0\0".as_slice(), &bytes].concat();
        // An empty header is all that random bytes can be.
        if let Ok(header) = Header::parse(&with_magic) {
            prop_assert!(header.tensors.is_empty());
        }
    }

    #[test]
    fn a_gguf_cut_anywhere_is_refused(share in 0.0..1.0_f64) {
        let cut = (GGUF.len() as f64 * share) as usize;
        let error = format!("{:#}", Header::parse(&GGUF[..cut]).unwrap_err());
        prop_assert!(error.contains("cut short") || error.contains("not a GGUF") || cut < 24, "{}: {}", cut, error);
    }

    #[test]
    fn a_gguf_with_a_changed_byte_never_panics(place in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bytes = GGUF.clone();
        // The header is what matters; tensors' bytes can be any.
        let header = 12_000.min(bytes.len());
        bytes[place.index(header)] = to;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tiny.gguf");
        std::fs::write(&path, &bytes).unwrap();
        read_everything(&path);
    }

    #[test]
    fn a_safetensors_file_that_is_cut_or_changed_never_panics(
        share in 0.0..1.0_f64, place in any::<prop::sample::Index>(), to in any::<u8>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        Tiny::new("llama").write_folder(folder.path());
        let path = folder.path().join("model.safetensors");
        let cut = (SAFETENSORS.len() as f64 * share) as usize;
        std::fs::write(&path, &SAFETENSORS[..cut]).unwrap();
        let error = open_error(folder.path());
        prop_assert!(error.contains("model.safetensors") && error.contains("cut short"), "{}", error);
        let mut bytes = SAFETENSORS.clone();
        bytes[place.index(3_000)] = to;
        std::fs::write(&path, &bytes).unwrap();
        read_everything(folder.path());
    }

    #[test]
    fn random_bytes_are_no_adapter(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        let model = Tiny::new("llama").open_folder(folder.path()).config;
        std::fs::write(folder.path().join("adapter_config.json"), r#"{"r": 8, "lora_alpha": 16}"#).unwrap();
        std::fs::write(folder.path().join("adapter_model.safetensors"), &bytes).unwrap();
        prop_assert!(Adapter::load(folder.path(), &model).is_err());
        std::fs::write(folder.path().join("adapter_config.json"), &bytes).unwrap();
        prop_assert!(Adapter::load(folder.path(), &model).is_err());
    }
}

/// Opens a model and reads some of its tensors; errors are fine, panics aren't.
fn read_everything(path: &Path) {
    let Ok(files) = ModelFiles::at(path) else { return };
    let Ok(model) = model::open(&files) else { return };
    for (name, shape, _) in Tiny::new("llama").tensors() {
        model.weights.f32(&name, &shape).ok();
        model.weights.stored(&name, &shape).ok();
    }
    model.tokenizer.encode("the other one", false).ok();
}

fn open_error(path: &Path) -> String {
    let opened = ModelFiles::at(path).and_then(|files| model::open(&files));
    format!("{:#}", opened.err().unwrap())
}

#[test]
fn a_missing_tensor_and_a_wrong_shape_are_named() {
    let place = tempfile::tempdir().unwrap();
    let gguf = Tiny::new("llama").open_gguf(&place.path().join("tiny.gguf"), GgmlDType::F32);
    let folder = Tiny::new("llama").open_folder(&place.path().join("folder"));
    for model in [gguf, folder] {
        let said = |name: &str, shape: &[usize]| format!("{:#}", model.weights.f32(name, shape).unwrap_err());
        let missing = said("model.layers.9.mlp.up_proj.weight", &[64, 32]);
        assert!(
            missing.contains("model.layers.9.mlp.up_proj.weight") && missing.contains("it is missing"),
            "{missing}"
        );
        assert!(missing.contains(place.path().to_str().unwrap()), "{missing}");
        let shape = said("model.layers.0.mlp.up_proj.weight", &[32, 64]);
        assert!(shape.contains("its shape is [64, 32], expected [32, 64]"), "{shape}");
    }
}

#[test]
fn files_that_are_missing_or_damaged_are_named() {
    let place = tempfile::tempdir().unwrap();
    let fresh = |name: &str| {
        let folder = place.path().join(name);
        Tiny::new("llama").write_folder(&folder);
        folder
    };
    let gone = |file: &str| {
        let folder = fresh(&format!("without {file}"));
        std::fs::remove_file(folder.join(file)).unwrap();
        open_error(&folder)
    };
    assert!(gone("config.json").contains("is not a model folder"), "{}", gone("config.json"));
    assert!(gone("tokenizer.json").contains("holds no tokenizer.json"));
    assert!(gone("model.safetensors").contains("holds neither model.safetensors nor"));
    let broken = fresh("broken");
    for file in ["config.json", "tokenizer.json", "tokenizer_config.json"] {
        let text = std::fs::read(broken.join(file)).unwrap();
        std::fs::write(broken.join(file), &text[..text.len() / 2]).unwrap();
        let error = open_error(&broken);
        assert!(error.contains(file), "{error}");
        std::fs::write(broken.join(file), text).unwrap();
    }
    let lacking = fresh("lacking");
    let tensors: Vec<_> = Tiny::new("llama").tensors().into_iter().skip(1).collect();
    write_safetensors(&lacking.join("model.safetensors"), &tensors);
    assert!(open_error(&lacking).contains("lacks tensor model.embed_tokens.weight"));
    std::fs::write(place.path().join("text.gguf"), "hello").unwrap();
    assert!(open_error(&place.path().join("text.gguf")).contains("not a GGUF file"));
    assert!(open_error(&place.path().join("nowhere")).contains("open model"));
}

#[test]
fn configurations_that_make_no_sense_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let tiny = Tiny::new("llama");
    tiny.write_folder(place.path());
    for (key, value, said) in [
        ("num_attention_heads", serde_json::json!(0), "num_attention_heads is 0"),
        ("num_key_value_heads", serde_json::json!(3), "can't share"),
        ("num_hidden_layers", serde_json::json!(1_000_000), "num_hidden_layers"),
        ("head_dim", serde_json::json!(7), "odd"),
        ("hidden_size", serde_json::json!(-3), "invalid value"),
        ("vocab_size", serde_json::json!(1_u64 << 40), "vocabulary"),
        ("hidden_act", serde_json::json!("relu"), "activation, relu"),
        ("mlp_bias", serde_json::json!(true), "mlp_bias"),
        ("rope_scaling", serde_json::json!({"rope_type": "yarn", "factor": 4}), "yarn"),
    ] {
        let mut config = tiny.config();
        config[key] = value;
        std::fs::write(place.path().join("config.json"), config.to_string()).unwrap();
        let error = open_error(place.path());
        assert!(error.contains(said), "{key}: {error}");
    }
}
