//! The operations between matrix products, as steps on a device ask for them. [`composed`] makes them of candle's own
//! operations, on any device; `cuda` has one kernel for each.
//!
//! Activations are in the step's number format; norms' inverses, softmax, losses and the gradient of the residual
//! stream are f32. Rows are laid out as in [`crate::kernels`].

mod attention;
mod composed;
#[cfg(feature = "cuda")]
pub(crate) mod cuda;
mod gradient;

use candle_core::{DType, Device, Result, Tensor};

use crate::kernels::dropout::Dropout;
use crate::kernels::rope::RotationDirection;
use crate::model::config::Activation;

use composed::Composed;
pub(crate) use composed::capped;

/// The shape of one layer's attention over a packed batch, as
/// [`crate::kernels::attention::AttentionShape`] has it.
pub(crate) type AttentionShape<'a> = crate::kernels::attention::AttentionShape<'a>;

/// cos and sin of each token's position: (tokens, half of the dimensions that turn) each, f32.
pub(crate) struct Angles {
    pub(crate) cos: Tensor,
    pub(crate) sin: Tensor,
}

/// Which heads turn: the first `heads` of a row, `dim` wide each.
#[derive(Clone, Copy)]
pub(crate) struct Turning<'a> {
    pub(crate) angles: &'a Angles,
    pub(crate) heads: usize,
    pub(crate) dim: usize,
    pub(crate) turn: RotationDirection,
}

/// Queries, keys and values as attention left them, for its backward pass.
#[derive(Clone, Copy)]
pub(crate) struct Attended<'a> {
    /// (tokens, row)
    pub(crate) qkv: &'a Tensor,
    /// (tokens, query width)
    pub(crate) out: &'a Tensor,
    /// (tokens, heads), f32
    pub(crate) log_sums: &'a Tensor,
}

/// What a chunk of the output layer says.
pub(crate) struct ChunkLoss {
    /// Negative log-likelihood, entropy, and 1 where the target is the likeliest: (rows, 3), f32.
    pub(crate) rows: Tensor,
    /// Gradient of `scale * (summed negative log-likelihood)` by the logits before their cap: (rows, vocabulary).
    pub(crate) grad: Option<Tensor>,
}

/// All tensors are contiguous.
pub(crate) trait Kernels: Send {
    /// `x / sqrt(mean(x^2) + epsilon) * weight` of rows, and the rows' inverses: (rows, 1), f32.
    fn rms_norm(&self, x: &Tensor, weight: &Tensor, epsilon: f32) -> Result<(Tensor, Tensor)>;

    /// The same rows from their kept inverses.
    fn rms_norm_recompute(&self, x: &Tensor, weight: &Tensor, inverse: &Tensor) -> Result<Tensor>;

    /// The gradient of a norm's input, f32, added to `sum` where there is one; `norm` is its weight and its inverses.
    fn rms_norm_backward(
        &self,
        x: &Tensor,
        norm: (&Tensor, &Tensor),
        grad_y: &Tensor,
        sum: Option<&Tensor>,
    ) -> Result<Tensor>;

    /// Rows with their first heads turned.
    fn rotate(&self, rows: &Tensor, turning: Turning<'_>) -> Result<Tensor>;

    /// `activation(gate) * up`: (rows, 2 width) to (rows, width).
    fn glu(&self, activation: Activation, gate_up: &Tensor) -> Result<Tensor>;

    /// The gradients of gate and up: (rows, 2 width).
    fn glu_backward(&self, activation: Activation, gate_up: &Tensor, grad_y: &Tensor) -> Result<Tensor>;

    /// `mask(x) / (1 - rate)` of f32 rows, with the very draws of the CPU's step.
    fn dropout(&self, dropout: Dropout, x: &Tensor) -> Result<Tensor>;

    /// A product in the step's number format plus an f32 one, in the step's format.
    fn join(&self, base: &Tensor, low: &Tensor) -> Result<Tensor>;

    /// Outputs (tokens, query width), and the logarithms of the sums of exponentials, (tokens, heads), f32.
    fn attention(&self, shape: AttentionShape<'_>, qkv: &Tensor) -> Result<(Tensor, Tensor)>;

    /// The gradient of queries, keys and values: (tokens, row).
    fn attention_backward(
        &self,
        shape: AttentionShape<'_>,
        given: Attended<'_>,
        grad_out: &Tensor,
    ) -> Result<Tensor>;

    /// Losses of a chunk of logits against targets (rows, u32); with `scale`, the gradient too. A cap of 0 is none.
    fn losses(&self, logits: &Tensor, targets: &Tensor, scale: Option<f32>, cap: f32) -> Result<ChunkLoss>;
}

/// The fastest that this build has for a device.
#[cfg_attr(
    not(feature = "cuda"),
    expect(clippy::unnecessary_wraps, reason = "kernels of a card can fail to compile")
)]
pub(crate) fn of(device: &Device, dtype: DType) -> anyhow::Result<Box<dyn Kernels>> {
    #[cfg(feature = "cuda")]
    if let Device::Cuda(card) = device {
        return Ok(Box::new(cuda::Cuda::new(card, dtype)?));
    }
    let (_, _) = (device, dtype);
    Ok(Box::new(Composed))
}

/// A product of matrices, (…, rows, depth) by (…, depth, columns). Candle's CUDA takes operands without gaps only, as
/// they are or turned; any other is copied first.
pub(crate) fn product(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    plain(a)?.matmul(&plain(b)?)
}

fn plain(x: &Tensor) -> Result<Tensor> {
    let rank = x.rank();
    if x.is_contiguous() || x.transpose(rank - 2, rank - 1)?.is_contiguous() {
        return Ok(x.clone());
    }
    x.contiguous()
}
