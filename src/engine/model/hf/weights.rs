//! Safetensors files by tensor name: one file, or several by an index.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::model::config::ModelConfig;
use crate::model::safetensors::{Entry, SafetensorsFile};
use crate::model::weights::{Mapped, Stored, TensorSource, Weights, shape_of};
use dojo_core::data::regular::is_there;
use dojo_core::domain::name::shown;

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

const EMBEDDING: &str = "model.embed_tokens.weight";
const OUTPUT: &str = "lm_head.weight";
/// What names of a decoder's tensors begin with.
const DECODER: &str = "model.";

/// A folder's tensors, mapped.
pub(crate) struct SafetensorsWeights {
    folder: PathBuf,
    files: Vec<SafetensorsFile>,
    /// Tensor -> its file's place in `files`.
    places: BTreeMap<String, usize>,
    config: ModelConfig,
    /// Whether names lack the decoder's own beginning, as files of a model without an output layer have them.
    is_bare: bool,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl SafetensorsWeights {
    /// Maps all files of the folder and reads their headers.
    ///
    /// # Errors
    /// Where one is missing, damaged or cut short.
    pub(crate) fn open(folder: &Path, config: ModelConfig) -> Result<Self> {
        let (files, places) = open_files(folder)?;
        let is_bare = !places.contains_key(EMBEDDING)
            && EMBEDDING.strip_prefix(DECODER).is_some_and(|bare| places.contains_key(bare));
        Ok(Self { folder: folder.to_path_buf(), files, places, config, is_bare })
    }

    /// Whether the output layer is the embedding. A file that holds both of a model that ties them says what its
    /// configuration doesn't, unless their numbers are the same (transformers 5 reads such a file likewise).
    ///
    /// # Errors
    /// Where a tensor is damaged.
    pub(crate) fn ties(&self, folder: &Path) -> Result<bool> {
        let both = self.places.contains_key(EMBEDDING) && self.places.contains_key(OUTPUT);
        if !(self.config.tied_embeddings && both) {
            return Ok(self.config.tied_embeddings);
        }
        let same = self.read(EMBEDDING, |one, _| self.read(OUTPUT, |other, _| one.equals(other)))?;
        if !same {
            tracing::warn!(
                "{}: its configuration ties the output layer to the embedding, but its file holds another {OUTPUT}, \
                 which counts",
                folder.display()
            );
        }
        Ok(same)
    }

    fn find(&self, name: &str) -> Option<(TensorSource, &SafetensorsFile, &Entry)> {
        // Where the two are one, a file may hold it under either name.
        let alone = name == EMBEDDING
            && self.config.tied_embeddings
            && !self.is_bare
            && !self.places.contains_key(EMBEDDING);
        let mut source = self.source(if alone { OUTPUT } else { name })?;
        if let Some(bare) = source.tensor.strip_prefix(DECODER).filter(|_| self.is_bare) {
            source.tensor = bare.to_owned();
        }
        let file = self.files.get(*self.places.get(&source.tensor)?)?;
        let entry = file.entry(&source.tensor)?;
        Some((source, file, entry))
    }

    /// Phi-3's files hold q, k and v in one tensor, gate and up in another.
    fn source(&self, name: &str) -> Option<TensorSource> {
        if !self.config.layer.fused_projections {
            return Some(TensorSource::whole(name));
        }
        let (query, kv, wide) = (self.config.query_width(), self.config.kv_width(), self.config.intermediate);
        let (before, kind) = name.rsplit_once('.')?;
        let Some((block, part)) = before.rsplit_once('.') else {
            return Some(TensorSource::whole(name));
        };
        let (fused, first, count) = match part {
            "q_proj" => ("qkv_proj", 0, query),
            "k_proj" => ("qkv_proj", query, kv),
            "v_proj" => ("qkv_proj", query + kv, kv),
            "gate_proj" => ("gate_up_proj", 0, wide),
            "up_proj" => ("gate_up_proj", wide, wide),
            _ => return Some(TensorSource::whole(name)),
        };
        Some(TensorSource::rows(format!("{block}.{fused}.{kind}"), first, count))
    }

    fn read<T>(&self, name: &str, take: impl FnOnce(&Mapped, &TensorSource) -> Result<T>) -> Result<T> {
        let read = || {
            let (source, file, entry) = self.find(name).context("it is missing")?;
            take(&file.mapped(entry)?, &source)
        };
        read().with_context(|| format!("read tensor {name} of {}", self.folder.display()))
    }
}

impl Weights for SafetensorsWeights {
    fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        let (source, _, entry) = self.find(name)?;
        Some(shape_of(entry.shape(), &source.rows))
    }

    fn f32(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        self.read(name, |tensor, source| tensor.expand(&source.rows, shape))
    }

    fn stored(&self, name: &str, shape: &[usize]) -> Result<Stored> {
        self.read(name, |tensor, source| tensor.copy(&source.rows, shape))
    }

    fn unread(&self, read: &BTreeSet<String>) -> Vec<String> {
        let used: BTreeSet<String> =
            read.iter().filter_map(|name| self.find(name)).map(|(source, ..)| source.tensor).collect();
        self.places.keys().filter(|name| !used.contains(*name)).cloned().collect()
    }

    fn samples(&self) -> Result<BTreeMap<String, u64>> {
        // Of number types that nothing is read of, none is taken.
        let tensor = |name: &String, place: &usize| {
            let file = self.files.get(*place)?;
            let tensor = file.mapped(file.entry(name)?).ok()?;
            Some(tensor.sample().map(|hash| (name.clone(), hash)))
        };
        let samples = self.places.iter().filter_map(|(name, place)| tensor(name, place));
        samples
            .collect::<Result<_>>()
            .with_context(|| format!("read the weights of {}", self.folder.display()))
    }
}

/// All files of a folder, and in which one each tensor is.
pub(super) fn open_files(folder: &Path) -> Result<(Vec<SafetensorsFile>, BTreeMap<String, usize>)> {
    let index = folder.join(INDEX);
    let names: BTreeSet<String> = if is_there(&folder.join(SINGLE)) {
        BTreeSet::from([SINGLE.to_owned()])
    } else {
        ensure!(
            is_there(&index),
            "{} holds neither {SINGLE} nor {INDEX} (a .bin file isn't read: save the model with transformers, which writes \
             safetensors)",
            folder.display()
        );
        let index: Index = super::json(&index)?;
        index.weight_map.into_values().collect()
    };
    let (mut files, mut places) = (Vec::new(), BTreeMap::new());
    for name in names {
        // An index speaks of files beside it, and of nothing elsewhere.
        let plain = Path::new(&name).file_name().is_some_and(|file| file == name.as_str());
        ensure!(plain, "{} names a file outside its folder: {}", index.display(), shown(&name));
        let file = SafetensorsFile::open(&folder.join(&name))?;
        places.extend(file.names().map(|tensor| (tensor.to_owned(), files.len())));
        files.push(file);
    }
    Ok((files, places))
}
