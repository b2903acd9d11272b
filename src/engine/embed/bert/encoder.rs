//! The encoder's arithmetic, for one group of texts on the calling thread. Knows no files.

use crate::kernels::attention::text::{TextHeads, TextScratch};
use crate::kernels::layer_norm::layer_norm;
use crate::kernels::linear::{After, Linear};

/// Rows that go from attention to the layer's end together: their inner numbers fit the second-level cache.
const ROWS: usize = 96;

/// Weights of a layer normalisation.
pub(crate) struct Norm {
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) epsilon: f32,
}

impl Norm {
    fn apply(&self, x: &mut [f32]) {
        layer_norm(x, &self.weight, &self.bias, self.epsilon);
    }
}

/// One layer.
pub(crate) struct EncoderLayer {
    /// Queries (divided by the square root of the head's width), keys and values.
    pub(crate) qkv: Linear,
    pub(crate) out: Linear,
    pub(crate) attention_norm: Norm,
    pub(crate) widen: Linear,
    pub(crate) narrow: Linear,
    pub(crate) output_norm: Norm,
}

/// All of it.
pub(crate) struct Encoder {
    /// (vocabulary, width)
    pub(crate) words: Vec<f32>,
    /// (positions, width), those of the first sentence's kind added: a text is one sentence.
    pub(crate) positions: Vec<f32>,
    pub(crate) norm: Norm,
    pub(crate) layers: Vec<EncoderLayer>,
    pub(crate) heads: TextHeads,
}

/// Room for a group's numbers, used again for the next group.
#[derive(Default)]
pub(crate) struct EncoderScratch {
    x: Vec<f32>,
    qkv: Vec<f32>,
    attended: Vec<f32>,
    inner: Vec<f32>,
    text: TextScratch,
}

impl Encoder {
    pub(crate) const fn width(&self) -> usize {
        self.heads.heads * self.heads.head_dim
    }

    /// The last layer's states of all tokens: (tokens of all texts, width), text after text. Ids are below the
    /// vocabulary, and no text has more of them than there are positions.
    pub(crate) fn forward<'a>(&self, texts: &[&[u32]], scratch: &'a mut EncoderScratch) -> &'a [f32] {
        let width = self.width();
        let rows = texts.iter().map(|ids| ids.len()).sum::<usize>();
        scratch.x.resize(rows * width, 0.0);
        scratch.qkv.resize(rows * 3 * width, 0.0);
        scratch.attended.resize(rows * width, 0.0);
        let EncoderScratch { x, qkv, attended, inner, text } = scratch;
        self.embed(texts, x);
        for layer in &self.layers {
            layer.qkv.apply(x, qkv, After::Nothing);
            let mut start = 0;
            for ids in texts {
                let end = start + ids.len();
                let out = &mut attended[start * width..end * width];
                self.heads.attend(&qkv[start * 3 * width..end * 3 * width], out, text);
                start = end;
            }
            for (x, attended) in x.chunks_mut(ROWS * width).zip(attended.chunks(ROWS * width)) {
                layer.out.apply(attended, x, After::Add);
                layer.attention_norm.apply(x);
                inner.resize(x.len() / width * layer.widen.outputs(), 0.0);
                layer.widen.apply(x, inner, After::Gelu);
                layer.narrow.apply(inner, x, After::Add);
                layer.output_norm.apply(x);
            }
        }
        x
    }

    fn embed(&self, texts: &[&[u32]], x: &mut [f32]) {
        let width = self.width();
        let mut rows = x.chunks_exact_mut(width);
        for ids in texts {
            for ((&id, place), row) in ids.iter().zip(self.positions.chunks_exact(width)).zip(&mut rows) {
                let word = self.words.chunks_exact(width).nth(id as usize).unwrap_or_default();
                for ((to, word), place) in row.iter_mut().zip(word).zip(place) {
                    *to = word + place;
                }
            }
        }
        self.norm.apply(x);
    }
}
