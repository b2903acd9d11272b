//! A step's matrix products: panels dealt out among the workers, adapters added.

use std::ops::Range;
use std::sync::atomic::Ordering;

use super::forward::{FEW_ROWS, HostPass};
use super::workspace::{COUNTERS, WorkerScratch};
use crate::adapter::{Module, Projection};
use crate::generate::team::TeamWorker;
use crate::kernels::add::AddInto;
use crate::kernels::norm::RmsNorm;
use crate::kernels::quant::Packed;
use crate::kernels::quant::activation::ActivationsAt;
use crate::kernels::quant::panel::{PanelOutput, PanelProduct, Write};
use crate::model::layer::LayerNorm;

/// Where a product goes, and which projection it is (for adapters).
#[derive(Clone, Copy)]
pub(super) struct ProductTarget<'a> {
    pub matrix: &'a Packed,
    pub projection: Projection,
    pub output: PanelOutput,
}

impl HostPass<'_> {
    /// Products of all rows with matrices that share their input; adapters added.
    pub(super) fn products(
        &self,
        worker: TeamWorker<'_>,
        scratch: &mut WorkerScratch,
        layer: usize,
        phase: usize,
        targets: &[ProductTarget<'_>],
        input: ActivationsAt,
    ) {
        let matrices: Vec<(&Packed, PanelOutput)> =
            targets.iter().map(|target| (target.matrix, target.output)).collect();
        self.deal(worker, scratch, layer * COUNTERS + phase, &matrices, input, self.rows());
        if self.step.adapters.is_empty() {
            return;
        }
        for first in [true, false] {
            for (lora, rows) in &self.step.adapters {
                for (target, &low) in targets.iter().zip(&self.at.low) {
                    let Some(pair) = lora.get(layer, target.projection) else { continue };
                    // SAFETY: the adapter's rows of `low`, which has room for the largest rank in each.
                    let low = unsafe { low.add(rows.start * self.rank) };
                    let (matrix, input, output) = if first {
                        let output = PanelOutput { to: low, stride: lora.rank, write: Write::Replace };
                        (&pair.a, input.rows_from(rows.start), output)
                    } else {
                        // SAFETY: the adapter's rows of the output.
                        let to = unsafe { target.output.to.add(rows.start * target.output.stride) };
                        let output = PanelOutput { to, write: Write::Add, ..target.output };
                        (&pair.b, ActivationsAt::plain(low, lora.rank), output)
                    };
                    let share = worker.share(matrix.panels());
                    self.panels(scratch, &[(matrix, output)], share, input, rows.len());
                }
            }
            if first {
                worker.meet();
                self.scale(worker, layer, targets);
            }
        }
    }

    /// Adds a product to the residual stream, normalised first where the architecture does so. A product that adapters
    /// multiply is finished apart.
    pub(super) fn add_product(
        &self,
        worker: TeamWorker<'_>,
        scratch: &mut WorkerScratch,
        (layer, phase): (usize, usize),
        (matrix, projection): (&Packed, Projection),
        input: ActivationsAt,
        norm: Option<(LayerNorm, &[f32])>,
    ) {
        let hidden = self.config.hidden;
        let apart = norm.is_some() || self.scales();
        let (to, write) =
            if apart { (self.at.added, Write::Replace) } else { (self.at.residual, Write::Add) };
        let output = PanelOutput { to, stride: hidden, write };
        self.products(worker, scratch, layer, phase, &[ProductTarget { matrix, projection, output }], input);
        worker.meet();
        if !apart {
            return;
        }
        for row in worker.share(self.rows()) {
            // SAFETY: the row is this worker's share.
            unsafe {
                let added = self.at.added.add(row * hidden);
                if let Some((name, weight)) = norm {
                    let weight = self.norm(row, Module::LayerNorm(layer, name), weight).as_ptr();
                    let epsilon = self.config.norm_epsilon;
                    self.isa.run(RmsNorm { x: added, weight, out: added, width: hidden, epsilon });
                }
                self.isa.run(AddInto { from: added, to: self.at.residual.add(row * hidden), width: hidden });
            }
        }
        worker.meet();
    }

    /// Deals out the panels of several matrices.
    pub(super) fn deal(
        &self,
        worker: TeamWorker<'_>,
        scratch: &mut WorkerScratch,
        counter: usize,
        matrices: &[(&Packed, PanelOutput)],
        input: ActivationsAt,
        rows: usize,
    ) {
        let total: usize = matrices.iter().map(|(matrix, _)| matrix.panels()).sum();
        let counter = self.counters.get(counter).filter(|_| rows > FEW_ROWS);
        let Some(counter) = counter else {
            return self.panels(scratch, matrices, worker.share(total), input, rows);
        };
        let chunk = (total / (8 * worker.count)).max(1);
        loop {
            let start = counter.fetch_add(chunk, Ordering::Relaxed);
            if start >= total {
                return;
            }
            self.panels(scratch, matrices, start..total.min(start + chunk), input, rows);
        }
    }

    /// Some panels, counted through all matrices.
    pub(super) fn panels(
        &self,
        scratch: &mut WorkerScratch,
        matrices: &[(&Packed, PanelOutput)],
        share: Range<usize>,
        input: ActivationsAt,
        rows: usize,
    ) {
        let mut before = 0;
        for &(matrix, output) in matrices {
            let own = share.start.max(before)..share.end.min(before + matrix.panels());
            for panel in own {
                let panel = panel - before;
                let scratch = &mut scratch.bytes;
                // SAFETY: the panel is dealt to this worker alone; input and output have `rows` rows.
                unsafe { self.isa.run(PanelProduct { matrix, panel, input, rows, output, scratch }) };
            }
            before += matrix.panels();
        }
    }
}
