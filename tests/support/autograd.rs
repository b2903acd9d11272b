//! The decoder's operations written plainly on candle's tensors in f64, so that candle's autograd gives gradients that
//! owe nothing to Dojo's own.

use candle_core::backprop::GradStore;
use candle_core::{D, DType, Device, Result, Tensor, Var};

/// A tensor of f64 from f32 numbers.
pub(crate) fn tensor(data: &[f32], shape: &[usize]) -> Tensor {
    Tensor::from_slice(data, shape, &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap()
}

/// The same, to be differentiated by.
pub(crate) fn var(data: &[f32], shape: &[usize]) -> Var {
    Var::from_tensor(&tensor(data, shape)).unwrap()
}

/// All numbers of a tensor, in rows.
pub(crate) fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Gradients of `sum(out * along)`.
pub(crate) fn gradients(out: &Tensor, along: &[f32]) -> GradStore {
    let along = tensor(along, out.dims());
    (out * along).unwrap().sum_all().unwrap().backward().unwrap()
}

/// `x / sqrt(mean(x^2) + epsilon) * weight`
pub(crate) fn rms_norm(x: &Tensor, weight: &Tensor, epsilon: f64) -> Result<Tensor> {
    let root = (x.sqr()?.mean_keepdim(D::Minus1)? + epsilon)?.sqrt()?;
    x.broadcast_div(&root)?.broadcast_mul(weight)
}

/// `x / (1 + exp(-x))`
pub(crate) fn silu(x: &Tensor) -> Result<Tensor> {
    x / (x.neg()?.exp()? + 1.0)?
}

/// GELU by its tanh form (Hendrycks & Gimpel 2016).
pub(crate) fn gelu(x: &Tensor) -> Result<Tensor> {
    let inner = ((x + (x.powf(3.0)? * 0.044_715)?)? * (2.0 / std::f64::consts::PI).sqrt())?;
    (x * 0.5)? * (inner.tanh()? + 1.0)?
}

/// Rotary positions over the halves of each head (Su et al. 2021): x is (tokens, heads, width).
pub(crate) fn rope(x: &Tensor, positions: &[u32], frequencies: &[f32]) -> Result<Tensor> {
    let half = frequencies.len();
    let angles: Vec<f32> =
        positions.iter().flat_map(|&p| frequencies.iter().map(move |f| p as f32 * f)).collect();
    let angles = tensor(&angles, &[positions.len(), 1, half]);
    let (cos, sin) = (angles.cos()?, angles.sin()?);
    let (a, b) = (x.narrow(2, 0, half)?, x.narrow(2, half, half)?);
    let first = (a.broadcast_mul(&cos)? - b.broadcast_mul(&sin)?)?;
    let second = (b.broadcast_mul(&cos)? + a.broadcast_mul(&sin)?)?;
    Tensor::cat(&[first, second], 2)
}

/// Causal attention with borders, by a mask over all pairs of tokens: q is (tokens, heads, width), k and v are
/// (tokens, shared heads, width); gives (tokens, heads x width).
pub(crate) fn attention(
    (q, k, v): (&Tensor, &Tensor, &Tensor),
    borders: &[usize],
    window: Option<usize>,
    scale: f64,
) -> Result<Tensor> {
    let (tokens, heads, width) = q.dims3()?;
    let group = heads / k.dim(1)?;
    let shared = Tensor::from_vec((0..heads).map(|h| (h / group) as u32).collect(), heads, &Device::Cpu)?;
    let by_head = |x: &Tensor| x.transpose(0, 1)?.contiguous();
    let (q, k, v) =
        (by_head(q)?, by_head(&k.index_select(&shared, 1)?)?, by_head(&v.index_select(&shared, 1)?)?);
    let example = |token: usize| borders.iter().rposition(|&border| border <= token);
    let sees = |query: usize, key: usize| {
        key <= query && example(key) == example(query) && window.is_none_or(|window| query - key < window)
    };
    let mask: Vec<f32> =
        (0..tokens * tokens).map(|at| if sees(at / tokens, at % tokens) { 0.0 } else { -1e30 }).collect();
    let scores =
        (q.matmul(&k.t()?.contiguous()?)? * scale)?.broadcast_add(&tensor(&mask, &[tokens, tokens]))?;
    let weights = log_softmax(&scores)?.exp()?;
    weights.matmul(&v)?.transpose(0, 1)?.contiguous()?.reshape((tokens, heads * width))
}

pub(crate) fn log_softmax(x: &Tensor) -> Result<Tensor> {
    let most = x.max_keepdim(D::Minus1)?.detach();
    let x = x.broadcast_sub(&most)?;
    let sum = x.exp()?.sum_keepdim(D::Minus1)?.log()?;
    x.broadcast_sub(&sum)
}

/// Each row's `-log p(target)`: (rows).
pub(crate) fn cross_entropy(logits: &Tensor, targets: &[u32]) -> Result<Tensor> {
    let targets = Tensor::from_slice(targets, (targets.len(), 1), &Device::Cpu)?;
    log_softmax(logits)?.gather(&targets, 1)?.squeeze(1)?.neg()
}
