//! What adapters change beside the products: gains of outputs (DoRA), norms, rows of the embedding, the output layer.

use std::sync::Arc;

use super::decoder::HostLayer;
use super::forward::HostPass;
use super::products::ProductTarget;
use super::workspace::{WorkerScratch, logit_stride};
use crate::adapter::{Module, Projection};
use crate::generate::lora::{Lora, embedding_row};
use crate::generate::team::TeamWorker;
use crate::kernels::quant::Packed;
use crate::kernels::quant::panel::{PanelOutput, Write};

impl HostLayer {
    /// The frozen matrix of a projection.
    pub(crate) fn matrix(&self, projection: Projection) -> &Packed {
        self.shared_matrix(projection)
    }

    pub(super) const fn shared_matrix(&self, projection: Projection) -> &Arc<Packed> {
        match projection {
            Projection::QProj => &self.q,
            Projection::KProj => &self.k,
            Projection::VProj => &self.v,
            Projection::OProj => &self.o,
            Projection::GateProj => &self.gate,
            Projection::UpProj => &self.up,
            Projection::DownProj => &self.down,
        }
    }
}

impl HostPass<'_> {
    /// Whether an adapter of the step multiplies outputs.
    pub(super) fn scales(&self) -> bool {
        self.step.adapters.iter().any(|(lora, _)| lora.scales)
    }

    /// A norm's weight for a row: the model's, or its adapter's own.
    pub(super) fn norm<'a>(&'a self, row: usize, module: Module, of_model: &'a [f32]) -> &'a [f32] {
        self.step.lora(row).and_then(|lora| lora.norm(module)).unwrap_or(of_model)
    }

    /// A token's row of the embedding.
    pub(super) fn read_embedding(&self, row: usize, token: u32, to: &mut [f32]) {
        embedding_row(self.step.lora(row), &self.decoder.embedding, token, to);
    }

    /// Multiplies the frozen products by the adapters' gains; all workers together, when all products are there.
    pub(super) fn scale(&self, worker: TeamWorker<'_>, layer: usize, targets: &[ProductTarget<'_>]) {
        if !self.scales() {
            return;
        }
        for (lora, rows) in &self.step.adapters {
            for target in targets {
                let gains = lora.get(layer, target.projection).and_then(|pair| pair.gains.as_ref());
                let Some(gains) = gains else { continue };
                for row in worker.share(rows.len()) {
                    // SAFETY: the row is this worker's share; it holds the projection's outputs.
                    let to = unsafe {
                        let to = target.output.to.add((rows.start + row) * target.output.stride);
                        std::slice::from_raw_parts_mut(to, gains.len())
                    };
                    for (to, gain) in to.iter_mut().zip(gains) {
                        *to *= gain;
                    }
                }
            }
        }
        worker.meet();
    }

    /// Puts what adapters predict in the place of what the model does: of all tokens, or of those trained.
    pub(super) fn predict_tuned(&self, worker: TeamWorker<'_>, scratch: &mut WorkerScratch) {
        let changes = |lora: &Lora| lora.output.is_some() || !lora.output_rows.is_empty();
        if !self.step.adapters.iter().any(|(lora, _)| changes(lora)) {
            return;
        }
        worker.meet();
        let (stride, hidden) = (logit_stride(self.config), self.config.hidden);
        for (lora, rows) in &self.step.adapters {
            let places = self.step.places(rows);
            if let Some(output) = &lora.output {
                // SAFETY: the adapter's rows of the logits.
                let to = unsafe { self.at.logits.add(places.start * stride) };
                let target = PanelOutput { to, stride, write: Write::Replace };
                let input = self.at.last.rows_from(places.start);
                self.panels(scratch, &[(output, target)], worker.share(output.panels()), input, places.len());
            }
            for place in worker.share(places.len()) {
                let place = places.start + place;
                for (&token, row) in &lora.output_rows {
                    // SAFETY: the place is this worker's share; the token is in the vocabulary.
                    unsafe {
                        let x = std::slice::from_raw_parts(self.at.last.values.add(place * hidden), hidden);
                        let logit = x.iter().zip(row).map(|(x, weight)| x * weight).sum();
                        *self.at.logits.add(place * stride + token as usize) = logit;
                    }
                }
            }
        }
    }
}
