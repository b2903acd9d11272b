//! The arithmetic of a decoder that embeds, for one group of texts on the calling thread. Knows no files.

use crate::kernels::attention::text::{TextHeads, TextScratch};
use crate::kernels::glu::gate_rows;
use crate::kernels::linear::{After, Linear};
use crate::kernels::norm::{norm_in_place, norm_rows};
use crate::kernels::rope::Rotation;
use crate::model::config::Activation;

/// Rows that go through the feed-forward block together.
const ROWS: usize = 96;

/// Weights of the norms of each query and key head; the scores' scale is in the queries'.
pub(crate) struct HeadNorms {
    pub(crate) query: Vec<f32>,
    pub(crate) key: Vec<f32>,
}

/// One layer.
pub(crate) struct DecoderEncoderLayer {
    pub(crate) attention_norm: Vec<f32>,
    /// Queries, keys and values.
    pub(crate) qkv: Linear,
    pub(crate) head_norms: Option<HeadNorms>,
    pub(crate) out: Linear,
    pub(crate) output_norm: Vec<f32>,
    pub(crate) gate_up: Linear,
    pub(crate) down: Linear,
}

/// All of it.
pub(crate) struct DecoderEncoder {
    /// (vocabulary, hidden)
    pub(crate) words: Vec<f32>,
    pub(crate) layers: Vec<DecoderEncoderLayer>,
    pub(crate) norm: Vec<f32>,
    pub(crate) epsilon: f32,
    pub(crate) activation: Activation,
    pub(crate) intermediate: usize,
    pub(crate) heads: TextHeads,
    pub(crate) rotation: Rotation,
}

/// Room for a group's numbers, used again for the next group.
#[derive(Default)]
pub(crate) struct DecoderScratch {
    x: Vec<f32>,
    normed: Vec<f32>,
    qkv: Vec<f32>,
    attended: Vec<f32>,
    gate_up: Vec<f32>,
    inner: Vec<f32>,
    text: TextScratch,
}

impl DecoderEncoder {
    pub(crate) const fn width(&self) -> usize {
        self.norm.len()
    }

    /// The last layer's states of all tokens: (tokens of all texts, hidden), text after text. Ids are below the vocabulary,
    /// and no text has more of them than the rotation reaches.
    pub(crate) fn forward<'a>(&self, texts: &[&[u32]], scratch: &'a mut DecoderScratch) -> &'a [f32] {
        let hidden = self.width();
        let rows = texts.iter().map(|ids| ids.len()).sum::<usize>();
        let TextHeads { heads, head_dim, .. } = self.heads;
        let (query, row) = (heads * head_dim, self.heads.row());
        let DecoderScratch { x, normed, qkv, attended, gate_up, inner, text } = scratch;
        x.resize(rows * hidden, 0.0);
        normed.resize(rows * hidden, 0.0);
        qkv.resize(rows * row, 0.0);
        attended.resize(rows * query, 0.0);
        self.embed(texts, x);
        for layer in &self.layers {
            norm_rows(x, &layer.attention_norm, self.epsilon, normed);
            layer.qkv.apply(normed, qkv, After::Nothing);
            let mut start = 0;
            for ids in texts {
                let end = start + ids.len();
                let own = &mut qkv[start * row..end * row];
                self.place_heads(layer.head_norms.as_ref(), own);
                self.heads.attend(own, &mut attended[start * query..end * query], text);
                start = end;
            }
            let parts = x.chunks_mut(ROWS * hidden).zip(attended.chunks(ROWS * query));
            for ((x, attended), normed) in parts.zip(normed.chunks_mut(ROWS * hidden)) {
                let rows = x.len() / hidden;
                layer.out.apply(attended, x, After::Add);
                norm_rows(x, &layer.output_norm, self.epsilon, normed);
                gate_up.resize(rows * 2 * self.intermediate, 0.0);
                inner.resize(rows * self.intermediate, 0.0);
                layer.gate_up.apply(normed, gate_up, After::Nothing);
                gate_rows(self.activation, gate_up, self.intermediate, inner);
                layer.down.apply(inner, x, After::Add);
            }
        }
        norm_rows(x, &self.norm, self.epsilon, normed);
        normed
    }

    fn embed(&self, texts: &[&[u32]], x: &mut [f32]) {
        let hidden = self.width();
        for (row, &id) in x.chunks_exact_mut(hidden).zip(texts.iter().copied().flatten()) {
            let start = id as usize * hidden;
            row.copy_from_slice(self.words.get(start..start + hidden).unwrap_or_default());
        }
    }

    /// Norms and turns a text's queries and keys, in place.
    fn place_heads(&self, norms: Option<&HeadNorms>, qkv: &mut [f32]) {
        let TextHeads { heads, kv_heads, head_dim, .. } = self.heads;
        for (position, row) in qkv.chunks_exact_mut(self.heads.row()).enumerate() {
            for (index, head) in row.chunks_exact_mut(head_dim).take(heads + kv_heads).enumerate() {
                if let Some(norms) = norms {
                    let weight = if index < heads { &norms.query } else { &norms.key };
                    norm_in_place(head, weight, self.epsilon);
                }
                self.rotation.turn(head, position);
            }
        }
    }
}
