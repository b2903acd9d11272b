//! Generation on the processor: kernels written for it, all workers together in one step.

mod decoder;
mod forward;
mod heads;
mod pages;
pub(super) mod products;
mod shared;
mod tuned;
mod workspace;

use std::sync::Arc;

use anyhow::Result;

pub(super) use self::decoder::embedding;
pub use self::decoder::{Decoder, Precision};
use self::forward::forward;
pub(super) use self::pages::CacheShape;
use self::pages::Pages;
pub use self::shared::DecoderWeightsView;
use self::workspace::{Workspace, logit_stride};
use super::backend::{Backend, Logits, Step};
use super::cache::PageId;
use super::team::Team;
use crate::adapter::Projection;
use crate::model::ModelConfig;

/// A decoder with the keys and values of one generator.
pub(super) struct Host {
    decoder: Arc<Decoder>,
    workspace: Workspace,
    pages: Pages,
}

impl Host {
    pub(super) fn new(decoder: Arc<Decoder>, threads: usize) -> Self {
        let config = decoder.config();
        let pages = Pages::new(CacheShape::new(config, decoder.full_cache()));
        Self { workspace: Workspace::new(config, threads), pages, decoder }
    }
}

impl Backend for Host {
    fn config(&self) -> &ModelConfig {
        self.decoder.config()
    }

    fn page_bytes(&self) -> usize {
        self.pages.shape().bytes()
    }

    fn expect_pages(&mut self, _: usize) {}

    fn forward(&mut self, team: &mut Team, step: &Step) -> Result<()> {
        forward(&self.decoder, &mut self.pages, team, &mut self.workspace, step);
        Ok(())
    }

    fn logits(&mut self) -> Logits<'_> {
        Logits { stride: logit_stride(self.decoder.config()), values: &mut self.workspace.logits }
    }

    fn copy_page(&mut self, from: PageId, to: PageId) -> Result<()> {
        self.pages.copy(from, to);
        Ok(())
    }

    fn projection(&self, layer: usize, projection: Projection) -> Result<Option<Vec<f32>>> {
        let layer = self.decoder.layers.get(layer);
        Ok(layer.map(|layer| layer.matrix(projection).numbers()))
    }
}
