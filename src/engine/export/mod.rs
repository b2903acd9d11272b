//! Handing a trained model over to other programs: merged into a Hugging Face folder, as a GGUF, or its adapter alone; each
//! whole or not at all, and checked against the model that was trained. Knows nothing of runs, sessions or the network.

mod card;
mod combine;
mod config_json;
mod folder;
mod formats;
mod gguf;
mod mlx;
mod modelfile;
mod parity;
mod place;
mod progress;
mod rounded;
mod safetensors;
mod tensors;
mod tokenizer_json;
mod trained;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::model::{self, ModelFiles, OpenModel};
pub use card::{CardOf, ModelFacts, card};
pub use combine::CombineMethod;
use dojo_core::domain::message::Message;
use dojo_core::domain::name;
use dojo_core::ground::files::write_atomically;
pub use folder::FolderType;
pub use formats::HandOverFormat;
pub use gguf::GgufType;
use parity::FormatBounds;
pub use parity::{ParityDepth, ParityReport, ParityRow, ParityVerdict, memory_bytes};
pub use place::IfThere;
use place::StagedFolder;
use progress::still_wanted;
pub use progress::{ExportProgress, SilentExport};
pub use trained::{TrainedModel, WeightedAdapter};

/// The file that says what an export is, and by which one is told from other folders.
pub const NOTE: &str = "dojo-export.json";

/// What is wanted.
pub struct ExportRequest<'a> {
    pub format: HandOverFormat,
    /// The folder that the export becomes.
    pub place: &'a Path,
    pub if_there: IfThere,
    pub facts: &'a ModelFacts,
    /// Conversations that the check asks both models; a small set of its own if there are none.
    pub prompts: &'a [Vec<Message>],
    pub depth: ParityDepth,
}

/// What was made.
#[derive(Debug, Clone)]
pub struct HandedOver {
    pub folder: PathBuf,
    /// What other programs are given: the folder or a file in it.
    pub model: PathBuf,
    pub bytes: u64,
    /// None of an adapter alone, which nothing here could load in that form.
    pub parity: Option<ParityReport>,
    /// What whoever takes it there should know.
    pub notices: Vec<String>,
}

/// Writes an export beside its place, checks it, and puts it there.
///
/// # Errors
/// If something is in its place, the disk is full, the format has no form for the model, or what was written isn't the model
/// that was trained. Nothing is left then.
pub fn export(
    trained: &TrainedModel,
    request: &ExportRequest<'_>,
    progress: &mut dyn ExportProgress,
) -> Result<HandedOver> {
    let model = &trained.merged;
    // Before anything is written: whoever takes the model would meet it first.
    model.template.compile().context("read the model's chat template")?;
    let written = match request.format {
        HandOverFormat::Folder(kind) => WrittenExport::folder(trained, kind, request, progress)?,
        HandOverFormat::Gguf(kind) => WrittenExport::gguf(trained, kind, request, progress)?,
        HandOverFormat::AdapterGguf | HandOverFormat::AdapterMlx => WrittenExport::adapter(trained, request)?,
    };
    still_wanted(progress)?;
    let parity = written.checked(trained, request, progress)?;
    still_wanted(progress)?;
    let WrittenExport { stage, file, form, notices, .. } = written;
    let mut sections = Vec::new();
    if let Some(parity) = &parity {
        let table =
            format!("The trained model and this one, read back from its files:\n\n{}", parity.table());
        sections.push(("Check", table));
    }
    if !notices.is_empty() {
        sections.push(("To be known", format!("- {}", notices.join("\n- "))));
    }
    let of = if request.format.is_adapter() { CardOf::Adapter } else { CardOf::Model };
    let text = card(request.facts, of, &form, &sections);
    write_atomically(&stage.path().join("README.md"), text.as_bytes())?;
    let ModelFacts { name, base, adapters, .. } = request.facts;
    let note = json!({
        "format": request.format.name(),
        "name": name,
        "base": base,
        "adapters": adapters,
        "check": parity.as_ref().map(|parity| &parity.rows),
    });
    write_atomically(&stage.path().join(NOTE), &serde_json::to_vec_pretty(&note)?)?;
    let bytes = folder_bytes(stage.path());
    let folder = stage.finish(request.if_there)?;
    let model = file.map_or_else(|| folder.clone(), |file| folder.join(file));
    Ok(HandedOver { folder, model, bytes, parity, notices })
}

/// An export that isn't in its place yet.
struct WrittenExport {
    stage: StagedFolder,
    /// The one file that matters, if it isn't the folder.
    file: Option<String>,
    form: String,
    notices: Vec<String>,
    /// The model as its file must compute it, and how far its format may be from the trained one.
    rounded: Option<(OpenModel, FormatBounds)>,
}

impl WrittenExport {
    fn folder(
        trained: &TrainedModel,
        kind: FolderType,
        request: &ExportRequest<'_>,
        progress: &mut dyn ExportProgress,
    ) -> Result<Self> {
        let model = &trained.merged;
        let bytes = folder::bytes(model, kind)?;
        let stage = StagedFolder::create(request.place, request.if_there, bytes)?;
        progress.begin(&format!("merged folder, {}", kind.name()), bytes);
        folder::write(trained, kind, stage.path(), progress)?;
        let rounded = rounded::rounded(model, folder::formats(&model.config, kind), config_json::NORMS);
        let form = format!("merged into one in {}", kind.name());
        let bounds = formats::bounds(kind.format());
        Ok(Self { stage, file: None, form, notices: Vec::new(), rounded: Some((rounded, bounds)) })
    }

    fn gguf(
        trained: &TrainedModel,
        kind: GgufType,
        request: &ExportRequest<'_>,
        progress: &mut dyn ExportProgress,
    ) -> Result<Self> {
        let model = &trained.merged;
        let plan = gguf::GgufPlan::of(model, kind, &request.facts.name)?;
        let bytes = plan.bytes()?;
        let stage = StagedFolder::create(request.place, request.if_there, bytes)?;
        progress.begin(&format!("GGUF, {}", kind.name()), bytes);
        let file = format!("{}-{}.gguf", name::made_of(&request.facts.name), kind.name().to_uppercase());
        plan.write(model, &stage.path().join(&file), progress)?;
        let modelfile = modelfile::text(model, &file, plan.begins_with_bos());
        write_atomically(&stage.path().join("Modelfile"), modelfile.as_bytes())?;
        let rounded = rounded::rounded(model, gguf::formats(&model.config, kind)?, tensors::NormForm::Whole);
        let form = format!("as a GGUF for llama.cpp and Ollama, {}", kind.name().to_uppercase());
        let bounds = formats::bounds(kind.base());
        Ok(Self {
            stage,
            file: Some(file),
            form,
            notices: gguf::notices(&model.config),
            rounded: Some((rounded, bounds)),
        })
    }

    fn adapter(trained: &TrainedModel, request: &ExportRequest<'_>) -> Result<Self> {
        let adapter = trained.adapter.as_ref();
        let adapter =
            adapter.context("only one adapter, by itself, can be written as an adapter: merge several")?;
        let stage = StagedFolder::create(request.place, request.if_there, 4 * adapter.values.len() as u64)?;
        let config = &trained.reference.config;
        let (file, form) = match request.format {
            HandOverFormat::AdapterMlx => {
                mlx::write(adapter, config, stage.path())?;
                (None, "as mlx-lm loads it (--adapter-path)")
            }
            HandOverFormat::AdapterGguf | HandOverFormat::Folder(_) | HandOverFormat::Gguf(_) => {
                let file = format!("{}-lora.gguf", name::made_of(&request.facts.name));
                gguf::adapter::write(adapter, config, &stage.path().join(&file))?;
                (Some(file), "as llama.cpp loads it beside its base (--lora)")
            }
        };
        Ok(Self { stage, file, form: form.to_owned(), notices: Vec::new(), rounded: None })
    }

    /// Reads the files back and compares.
    fn checked(
        &self,
        trained: &TrainedModel,
        request: &ExportRequest<'_>,
        progress: &mut dyn ExportProgress,
    ) -> Result<Option<ParityReport>> {
        let Some((rounded, bounds)) = &self.rounded else { return Ok(None) };
        progress.note("checking the export against the trained model");
        let path = self
            .file
            .as_ref()
            .map_or_else(|| self.stage.path().to_path_buf(), |file| self.stage.path().join(file));
        let exported = model::open(&ModelFiles::at(&path)?).context("read the export back")?;
        let report = parity::compare(trained, (rounded, exported), request.prompts, (request.depth, *bounds));
        let report = report.context("check the export")?;
        report.check()?;
        Ok(Some(report))
    }
}

fn folder_bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|found| found.len()).sum()
}

/// Writes tokenizer, chat template and card beside an adapter, as others' trainers leave them there.
///
/// # Errors
/// If the folder can't be written.
pub fn describe_adapter(model: &OpenModel, facts: &ModelFacts, folder: &Path) -> Result<()> {
    ensure!(folder.is_dir(), "there is no adapter at {}", folder.display());
    model.save_tokenizer(folder)?;
    let text = card(facts, CardOf::Adapter, "as PEFT has it", &[]);
    write_atomically(&folder.join("README.md"), text.as_bytes())
}
