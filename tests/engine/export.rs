//! Handing trained models over: folders and GGUFs that read back as the model that was trained, whole or not at all.

mod adapters;
mod failures;
mod files;
mod peers;
mod quantised;

use std::path::{Path, PathBuf};

use candle_core::quantized::GgmlDType;
use dojo_studio::domain::message::Message;
use dojo_studio::engine::adapter::{Adapter, LoraConfig, Module, Projection};
use dojo_studio::engine::export::{
    CombineMethod, ExportRequest, HandOverFormat, HandedOver, IfThere, ModelFacts, ParityDepth,
    ParityVerdict, SilentExport, TrainedModel, WeightedAdapter, export,
};
use dojo_studio::engine::model::architecture::ALL;
use dojo_studio::engine::model::{self, ModelConfig, ModelFiles, OpenModel};

use crate::support::tiny::Tiny;

/// A base and an adapter in a folder of their own.
pub(super) struct Workshop {
    place: tempfile::TempDir,
    pub(super) base: PathBuf,
}

/// What an adapter trains.
#[derive(Clone, Copy, Default)]
pub(super) struct Trains<'a> {
    pub(super) dora: bool,
    pub(super) modules: &'a [&'a str],
    pub(super) tokens: &'a [&'a str],
    pub(super) seed: u64,
}

impl Workshop {
    pub(super) fn of(tiny: &Tiny) -> Self {
        let place = tempfile::tempdir().unwrap();
        let base = place.path().join("base");
        tiny.write_folder(&base);
        Self { place, base }
    }

    pub(super) fn of_gguf(tiny: &Tiny, format: GgmlDType) -> Self {
        let place = tempfile::tempdir().unwrap();
        let base = place.path().join("base.gguf");
        tiny.write_gguf(&base, format);
        Self { place, base }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    pub(super) fn files(&self) -> ModelFiles {
        ModelFiles::at(&self.base).unwrap()
    }

    /// Writes an adapter whose matrices are all different and small.
    pub(super) fn adapter(&self, name: &str, trains: Trains<'_>) -> PathBuf {
        let texts: Vec<String> = trains.tokens.iter().map(|&text| text.to_owned()).collect();
        let open = model::open(&self.files()).unwrap();
        let (model, tokens) =
            if texts.is_empty() { (open, Vec::new()) } else { open.with_tokens(&texts).unwrap() };
        let config = LoraConfig {
            r: 3,
            lora_alpha: 6.0,
            lora_dropout: 0.0,
            target_modules: Projection::ALL.to_vec(),
            use_rslora: false,
            use_dora: trains.dora,
        };
        let mut adapter = Adapter::zeros(config, &*model.files.base, &model.config).unwrap();
        adapter.add_modules(&Module::named(trains.modules, &model.config).unwrap(), &model.config);
        if !tokens.is_empty() {
            adapter.add_tokens(&tokens, &model.config).unwrap();
        }
        adapter.copy_base(&model.config, &*model.weights).unwrap();
        adapter.measure_magnitudes(&*model.weights, dojo_studio::domain::recipe::BaseFormat::F32).unwrap();
        let mut state = trains.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        for value in &mut adapter.values {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *value += 0.2 * ((state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0);
        }
        let folder = self.path(name);
        adapter.save(&folder, &model.config).unwrap();
        if model.has_added_tokens() {
            model.save_tokenizer(&folder).unwrap();
        }
        folder
    }

    pub(super) fn trained(&self, adapters: &[&Path]) -> TrainedModel {
        let adapters: Vec<WeightedAdapter> = adapters
            .iter()
            .map(|folder| WeightedAdapter { folder: folder.to_path_buf(), weight: 1.0 })
            .collect();
        TrainedModel::open(&self.files(), &adapters, CombineMethod::Linear).unwrap()
    }

    pub(super) fn export(
        &self,
        trained: &TrainedModel,
        format: &str,
        into: &str,
    ) -> anyhow::Result<HandedOver> {
        self.export_asking(trained, format, into, &[])
    }

    pub(super) fn export_asking(
        &self,
        trained: &TrainedModel,
        format: &str,
        into: &str,
        prompts: &[Vec<Message>],
    ) -> anyhow::Result<HandedOver> {
        let facts =
            ModelFacts { name: "tiny".to_owned(), base: "own/tiny".to_owned(), ..ModelFacts::default() };
        let request = ExportRequest {
            format: HandOverFormat::parse(format).unwrap(),
            place: &self.path(into),
            if_there: IfThere::Refuse,
            facts: &facts,
            prompts,
            depth: ParityDepth::Logits,
        };
        export(trained, &request, &mut SilentExport)
    }
}

pub(super) fn opened(path: &Path) -> OpenModel {
    model::open(&ModelFiles::at(path).unwrap()).unwrap()
}

/// All matrices of a model, and what it is computed with.
pub(super) fn numbers(model: &OpenModel) -> Vec<(String, Vec<f32>)> {
    let config = &model.config;
    let mut found = Vec::new();
    let mut read = |name: String, shape: &[usize]| {
        found.push((name.clone(), model.weights.f32(&name, shape).unwrap()));
    };
    read("model.embed_tokens.weight".into(), &[config.vocabulary, config.hidden]);
    for layer in 0..config.layers {
        for projection in Projection::ALL {
            let (outputs, inputs) = projection.shape(config);
            let name = format!("model.layers.{layer}.{}.{}.weight", projection.block(), projection.name());
            read(name, &[outputs, inputs]);
        }
    }
    if !config.tied_embeddings {
        read("lm_head.weight".into(), &[config.vocabulary, config.hidden]);
    }
    found
}

/// What is the same of a folder and of a GGUF of it: all but where norms are offsets and which ends are known besides.
fn comparable(config: &ModelConfig) -> ModelConfig {
    let layer = dojo_studio::engine::model::layer::LayerPlan { norm_shift_in_file: 0.0, ..config.layer };
    ModelConfig { layer, eos: Vec::new(), ..config.clone() }
}

/// What the check of an export came to, row by row.
pub(super) fn verdicts(exported: &HandedOver) -> Vec<(&'static str, ParityVerdict)> {
    exported.parity.as_ref().unwrap().rows.iter().map(|row| (row.what, row.verdict)).collect()
}

#[test]
fn every_architecture_is_the_same_model_as_a_folder_and_as_a_gguf() {
    for architecture in ALL {
        let kind = architecture.model_type;
        let workshop = Workshop::of(&Tiny::new(kind));
        let trained = workshop.trained(&[]);
        let before = opened(&workshop.base);
        for format in ["hf:f32", "gguf:f32"] {
            let exported = workshop
                .export(&trained, format, format)
                .unwrap_or_else(|error| panic!("{kind} {format}: {error:#}"));
            let after = opened(&exported.model);
            assert!(numbers(&before) == numbers(&after), "{kind} {format}");
            // Mistral's GGUFs say "llama".
            let renamed = ModelConfig { architecture: before.config.architecture, ..after.config.clone() };
            assert_eq!(comparable(&before.config), comparable(&renamed), "{kind} {format}");
            assert_eq!(before.template.text, after.template.text, "{kind} {format}");
            let differing: Vec<_> = verdicts(&exported)
                .into_iter()
                .filter(|(_, verdict)| *verdict != ParityVerdict::Same)
                .collect();
            let known = [("end tokens", ParityVerdict::Format)];
            assert!(differing.is_empty() || differing == known, "{kind} {format}: {differing:?}");
        }
    }
}

#[test]
fn every_architecture_comes_out_of_a_gguf_as_it_went_in() {
    for architecture in ALL {
        let kind = architecture.model_type;
        let workshop = Workshop::of_gguf(&Tiny::new(kind), GgmlDType::F32);
        let trained = workshop.trained(&[]);
        let before = opened(&workshop.base);
        for format in ["hf:f32", "gguf:f32"] {
            let exported = workshop
                .export(&trained, format, format)
                .unwrap_or_else(|error| panic!("{kind} {format}: {error:#}"));
            let after = opened(&exported.model);
            assert!(numbers(&before) == numbers(&after), "{kind} {format}");
            let renamed = ModelConfig { architecture: before.config.architecture, ..after.config.clone() };
            assert_eq!(comparable(&before.config), comparable(&renamed), "{kind} {format}");
        }
    }
}

#[test]
fn a_gguf_is_written_as_the_converter_of_llama_cpp_writes_it() {
    use dojo_studio::engine::model::gguf::GgufFile;
    for kind in ["llama", "mistral", "qwen2", "qwen3", "gemma3_text", "phi3", "smollm3"] {
        let tiny = Tiny::new(kind);
        let workshop = Workshop::of(&tiny);
        let exported = workshop.export(&workshop.trained(&[]), "gguf:f32", "out").unwrap();
        let theirs = workshop.path("theirs.gguf");
        tiny.write_gguf(&theirs, GgmlDType::F32);
        let (own, theirs) = (GgufFile::open(&exported.model).unwrap(), GgufFile::open(&theirs).unwrap());
        let shapes = |file: &GgufFile| -> Vec<(String, Vec<usize>)> {
            file.header().tensors.iter().map(|(name, entry)| (name.clone(), entry.shape.clone())).collect()
        };
        assert_eq!(shapes(&own), shapes(&theirs), "{kind}");
        let bytes = |file: &GgufFile, name: &str| {
            let entry = &file.header().tensors[name];
            std::fs::read(file.path()).unwrap()[entry.start..entry.start + entry.size].to_vec()
        };
        for (name, _) in shapes(&own) {
            assert!(bytes(&own, &name) == bytes(&theirs, &name), "{kind}: {name}");
        }
        for (key, value) in &theirs.header().metadata {
            assert_eq!(own.header().metadata.get(key), Some(value), "{kind}: {key}");
        }
    }
}
