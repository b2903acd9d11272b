//! The output layer and its loss on a device, a few rows at a time: the logits of all positions are never in memory.

use candle_core::{DType, Device, Result, Tensor};

use super::collected::Collected;
use super::forward::DevicePass;
use super::site::add;
use crate::adapter::{Module, TokenRows};
use crate::device::kernels::product;
use crate::kernels::cross_entropy::RowLoss;
use dojo_core::domain::batch::IGNORED;

/// Logits that are in memory at once.
const LOGITS: usize = 1 << 25;

/// The positions that the loss is taken over.
pub(super) struct LossRows {
    /// (rows), u32
    rows: Tensor,
    /// (rows), u32
    targets: Tensor,
    /// The last layer's output there, normalised: (rows, hidden); and before, with the norm's inverses.
    normed: Tensor,
    x: Tensor,
    inverse: Tensor,
}

/// What the gradients of the rows' negative log-likelihoods are multiplied by.
pub(super) struct RowSlopes {
    /// The largest in size.
    pub(super) largest: f32,
    /// Each as a share of it: (rows, 1), f32; none if all are the same.
    pub(super) shares: Option<Tensor>,
}

impl DevicePass<'_> {
    /// The trained positions of the last layer's output; `None` where there are none.
    pub(super) fn trained(&self, output: &Tensor) -> Result<Option<LossRows>> {
        let targets = &self.batch.targets;
        let rows: Vec<u32> =
            (0..targets.len()).filter(|&row| targets[row] != IGNORED).map(|row| row as u32).collect();
        if rows.is_empty() {
            return Ok(None);
        }
        let count = rows.len();
        let targets: Vec<u32> = targets.iter().copied().filter(|&target| target != IGNORED).collect();
        let rows = Tensor::from_vec(rows, count, self.device)?;
        let x = output.index_select(&rows, 0)?;
        let (normed, inverse) = self.kernels.rms_norm(&x, &self.tuned.norm, self.config.norm_epsilon)?;
        let normed = self.tempered(normed)?;
        Ok(Some(LossRows {
            rows,
            targets: Tensor::from_vec(targets, count, self.device)?,
            normed,
            x,
            inverse,
        }))
    }

    /// What the output layer reads, divided by the temperature: so are the logits. The same on the way back.
    fn tempered(&self, rows: Tensor) -> Result<Tensor> {
        if (self.temperature - 1.0).abs() > 0.0 { rows / f64::from(self.temperature) } else { Ok(rows) }
    }

    /// The losses of all rows; with `slopes`, the gradient by the last layer's output too, f32.
    pub(super) fn head(
        &self,
        trained: &LossRows,
        slopes: Option<&RowSlopes>,
        collected: &mut Collected,
    ) -> Result<(Vec<RowLoss>, Option<Tensor>)> {
        let count = trained.rows.dim(0)?;
        let chunk = (LOGITS / self.config.vocabulary).max(32);
        let cap = self.config.logit_softcap.unwrap_or(0.0) / self.temperature;
        let head = &self.tuned.head;
        let scale = slopes.map(|slopes| slopes.largest);
        let shares = slopes.and_then(|slopes| slopes.shares.as_ref());
        let mut of_weight = OutputGradient::of(self, scale)?;
        let (mut losses, mut grads) = (Vec::new(), Vec::new());
        for first in (0..count).step_by(chunk) {
            let rows = chunk.min(count - first);
            let x = trained.normed.narrow(0, first, rows)?;
            let targets = trained.targets.narrow(0, first, rows)?;
            let chunk = self.kernels.losses(&product(&x, &head.t()?)?, &targets, scale, cap)?;
            losses.push(chunk.rows);
            if let Some(mut grad) = chunk.grad {
                if let Some(shares) = shares {
                    grad = grad.broadcast_mul(&shares.narrow(0, first, rows)?.to_dtype(grad.dtype())?)?;
                }
                grads.push(product(&grad, head)?);
                of_weight.add(&grad, &x)?;
            }
        }
        let losses = on_host(&Tensor::cat(&losses, 0)?)?;
        if slopes.is_none() {
            return Ok((losses, None));
        }
        of_weight.collect(collected)?;
        let grad_normed = self.tempered(Tensor::cat(&grads, 0)?)?;
        let LossRows { x, inverse, .. } = trained;
        if self.whole.range(Module::Norm).is_some() {
            let factor = f64::from(Module::Norm.factor(self.config));
            collected.norm(self.whole, Module::Norm, (x, &(inverse * factor)?, &grad_normed))?;
        }
        let grad = self.kernels.rms_norm_backward(x, (&self.tuned.norm, inverse), &grad_normed, None)?;
        let zeros = Tensor::zeros((self.batch.tokens.len(), self.config.hidden), DType::F32, self.device)?;
        Ok((losses, Some(zeros.index_add(&trained.rows, &grad, 0)?)))
    }
}

/// Rows of (nll, entropy, correct), on the host.
fn on_host(rows: &Tensor) -> Result<Vec<RowLoss>> {
    let numbers = rows.flatten_all()?.to_vec1::<f32>()?;
    let row = |row: &[f32; 3]| RowLoss { nll: row[0], entropy: row[1], correct: row[2] > 0.0 };
    Ok(numbers.as_chunks::<3>().0.iter().map(row).collect())
}

/// The gradient of the output layer's own weight, if it is trained.
struct OutputGradient<'a> {
    kind: GradientRows<'a>,
    sum: Option<Tensor>,
}

enum GradientRows<'a> {
    None,
    /// From this place on, (vocabulary, hidden).
    Whole(usize),
    /// Of some tokens: (tokens, hidden); which, u32.
    Rows(&'a TokenRows, Tensor),
}

impl<'a> OutputGradient<'a> {
    fn of(pass: &DevicePass<'a>, scale: Option<f32>) -> Result<Self> {
        let ids =
            |rows: &TokenRows, device: &Device| Tensor::from_slice(&rows.tokens, rows.tokens.len(), device);
        let kind = if scale.is_none() {
            GradientRows::None
        } else if let Some(range) = pass.whole.range(Module::Output) {
            GradientRows::Whole(range.start)
        } else {
            match pass.whole.rows.iter().find(|rows| rows.is_output(pass.config)) {
                Some(rows) => GradientRows::Rows(rows, ids(rows, pass.device)?),
                None => GradientRows::None,
            }
        };
        Ok(Self { kind, sum: None })
    }

    /// Adds `logits^T x` of some rows.
    fn add(&mut self, grad: &Tensor, x: &Tensor) -> Result<()> {
        let wide = |x: &Tensor| x.to_dtype(DType::F32);
        match &self.kind {
            GradientRows::None => Ok(()),
            GradientRows::Whole(_) => add(&mut self.sum, product(&wide(grad)?.t()?, &wide(x)?)?),
            GradientRows::Rows(_, ids) => {
                let columns = wide(&grad.index_select(ids, 1)?)?;
                add(&mut self.sum, product(&columns.t()?, &wide(x)?)?)
            }
        }
    }

    fn collect(self, collected: &mut Collected) -> Result<()> {
        match (self.kind, self.sum) {
            (GradientRows::Whole(start), Some(sum)) => collected.put(start, &sum),
            (GradientRows::Rows(rows, _), Some(sum)) => collected.put(rows.start, &sum),
            _ => Ok(()),
        }
    }
}
