//! The step that writes the trained model for other programs, and checks what was written.

use anyhow::{Result, ensure};

use super::training::{GRPO, SFT};
use super::{Tour, TourHost};
use crate::app::hand_over::{self, HandOver};
use crate::engine::export::{
    CombineMethod, ExportProgress, ExportRequest, HandOverFormat, IfThere, ParityDepth, export, memory_bytes,
};
use crate::ground::memory;

struct Notes<'a>(&'a mut dyn TourHost);

impl ExportProgress for Notes<'_> {
    fn begin(&mut self, what: &str, bytes: u64) {
        self.0.note(&format!("writing {what} ({:.0} MB)", bytes as f64 / 1e6));
    }

    fn advance(&mut self, _bytes: u64) {}

    fn note(&mut self, text: &str) {
        self.0.note(text);
    }
}

pub(super) fn run(tour: &mut Tour, host: &mut dyn TourHost) -> Result<String> {
    let runs = [GRPO, SFT].map(|name| tour.run(name));
    let newest = runs.iter().find(|run| run.adapter().is_dir());
    let Some(run) = newest else {
        anyhow::bail!("nothing is trained yet to export: take the step sft first")
    };
    let asked = HandOver {
        named: vec![run.path().display().to_string()],
        base: None,
        method: CombineMethod::Linear,
        name: None,
    };
    let subject = hand_over::open(&tour.folders, &asked, &mut *host.pulls())?;
    let needed = memory_bytes(&subject.trained.base);
    let fits = memory::available_bytes().is_none_or(|free| needed <= free);
    let place = tour.session.path.join("exports").join("gguf-q8_0");
    let request = ExportRequest {
        format: HandOverFormat::parse("gguf:q8_0")?,
        place: &place,
        if_there: IfThere::Replace,
        facts: &subject.facts,
        prompts: &[],
        depth: if fits { ParityDepth::Logits } else { ParityDepth::Tokens },
    };
    let exported = export(&subject.trained, &request, &mut Notes(host))?;
    if let Some(parity) = &exported.parity {
        host.say(parity.table().trim_end())?;
    }
    let size = exported.bytes as f64 / 1e6;
    host.say(&format!("{} ({size:.0} MB)", exported.model.display()))?;
    let rows = exported.parity.as_ref().map_or(0, |parity| parity.rows.len());
    ensure!(rows > 0, "what was written was not compared with what was trained");
    Ok(format!("{} as GGUF q8_0, {size:.0} MB; {rows} comparisons with what was trained hold", run.name()))
}
