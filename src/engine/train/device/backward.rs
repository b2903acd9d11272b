//! The backward pass, last layer first. The gradient of the residual stream is f32.

use candle_core::{DType, Result, Tensor};

use super::collected::Collected;
use super::forward::{DevicePass, LayerValues, Raw, scaled};
use super::site::{OnceWeight, ToInput};
use crate::adapter::Module;
use crate::device::kernels::Attended;
use crate::kernels::rope::RotationDirection;
use crate::model::layer::LayerNorm;

impl DevicePass<'_> {
    /// The lowest layer that the backward must reach; `None` where nothing in the layers or below them is trained.
    pub(super) fn lowest(&self) -> Option<usize> {
        let adapted = |sites: &super::site::DeviceLayerSites| {
            [&sites.qkv, &sites.output, &sites.gate_up, &sites.down].iter().any(|site| site.low.is_some())
        };
        let adapted = self.sites.iter().position(adapted);
        [adapted, self.whole.lowest()].into_iter().flatten().min()
    }

    /// One layer: from the gradient of its output to that of its input, which is missing where nothing below is trained.
    pub(super) fn layer_back(
        &self,
        layer: usize,
        (x, values): (&Tensor, &LayerValues),
        grad: &Tensor,
        collected: &mut Collected,
        to_input: ToInput,
    ) -> Result<Option<Tensor>> {
        let grad = self.feed_forward_back(layer, values, grad, collected)?;
        let grad_qkv = self.attention_back(layer, values, &grad, collected)?;
        let weights = &self.weights.layers[layer];
        let norm = self.tuned.layer_norm(layer, self.config.layer.attention.before, &weights.attention_norm);
        let normed = self.kernels.rms_norm_recompute(x, norm, &values.attention_inverse)?;
        let given = (&normed, &grad_qkv, &values.qkv_kept);
        let gradients = &mut collected.layers[layer].qkv;
        let weight = OnceWeight::of(&weights.qkv);
        let back = self.sites[layer].qkv.backward(self.kernels, &weight, given, gradients, to_input)?;
        let Some(grad_normed) = back else { return Ok(None) };
        let inverse = &values.attention_inverse;
        let module = Module::LayerNorm(layer, self.config.layer.attention.before);
        collected.norm(self.whole, module, (x, inverse, &grad_normed))?;
        self.kernels.rms_norm_backward(x, (norm, inverse), &grad_normed, Some(&grad)).map(Some)
    }

    /// From the layer's output to the residual stream between its blocks.
    fn feed_forward_back(
        &self,
        layer: usize,
        values: &LayerValues,
        grad: &Tensor,
        collected: &mut Collected,
    ) -> Result<Tensor> {
        let weights = &self.weights.layers[layer];
        let inner = self.kernels.glu(self.config.activation, &values.gate_up)?;
        let plan = self.config.layer.feed_forward;
        let grad_y = self.enter(layer, plan.after, values.raw_feed.as_ref(), grad, collected)?;
        let gradients = &mut collected.layers[layer].down;
        let weight = OnceWeight::of(&weights.down);
        let given = (&inner, &grad_y, &values.down_kept);
        let back = self.sites[layer].down.backward(self.kernels, &weight, given, gradients, ToInput::Yes)?;
        let grad_inner = there(back)?;
        let grad_gate_up = self.kernels.glu_backward(self.config.activation, &values.gate_up, &grad_inner)?;
        let (middle, inverse) = (&values.middle, &values.feed_inverse);
        let norm = self.tuned.layer_norm(layer, plan.before, &weights.feed_norm);
        let normed = self.kernels.rms_norm_recompute(middle, norm, inverse)?;
        let gradients = &mut collected.layers[layer].gate_up;
        let weight = OnceWeight::of(&weights.gate_up);
        let given = (&normed, &grad_gate_up, &values.gate_up_kept);
        let back =
            self.sites[layer].gate_up.backward(self.kernels, &weight, given, gradients, ToInput::Yes)?;
        let grad_normed = there(back)?;
        let module = Module::LayerNorm(layer, plan.before);
        collected.norm(self.whole, module, (middle, inverse, &grad_normed))?;
        self.kernels.rms_norm_backward(middle, (norm, inverse), &grad_normed, Some(grad))
    }

    /// From the residual stream between the blocks to queries, keys and values before norms and rotation.
    fn attention_back(
        &self,
        layer: usize,
        values: &LayerValues,
        grad: &Tensor,
        collected: &mut Collected,
    ) -> Result<Tensor> {
        let raw = values.raw_attention.as_ref();
        let grad_y = self.enter(layer, self.config.layer.attention.after, raw, grad, collected)?;
        let gradients = &mut collected.layers[layer].output;
        let weight = OnceWeight::of(&self.weights.layers[layer].output);
        let given = (&values.out, &grad_y, &values.output_kept);
        let back =
            self.sites[layer].output.backward(self.kernels, &weight, given, gradients, ToInput::Yes)?;
        let attended = Attended { qkv: &values.qkv, out: &values.out, log_sums: &values.log_sums };
        let grad_qkv = self.kernels.attention_backward(self.shape(layer), attended, &there(back)?)?;
        let grad_qkv = self.rotate(layer, grad_qkv, RotationDirection::Back)?;
        let norms = self.head_norms(layer).zip(self.config.layer.head_norms);
        let (Some((norms, names)), Some(raw)) = (norms, &values.raw_heads) else { return Ok(grad_qkv) };
        let [query, key, value] = self.split_heads(&grad_qkv)?;
        let mut back = |raw: &Raw, weight: &Tensor, grad: &Tensor, name| {
            let module = Module::LayerNorm(layer, name);
            collected.norm(self.whole, module, (&raw.x, &raw.inverse, grad))?;
            let grad = self.kernels.rms_norm_backward(&raw.x, (weight, &raw.inverse), grad, None)?;
            grad.to_dtype(raw.x.dtype())
        };
        let query = back(&raw[0], norms[0], &query, names[0])?;
        let key = back(&raw[1], norms[1], &key, names[1])?;
        self.join_heads([&query, &key, &value])
    }

    /// Into a block, through its own norm where it has one. f32 where it has none.
    fn enter(
        &self,
        layer: usize,
        name: Option<LayerNorm>,
        raw: Option<&Raw>,
        grad: &Tensor,
        collected: &mut Collected,
    ) -> Result<Tensor> {
        let norm = self.norm_after(layer, name).zip(name);
        let (Some((norm, name)), Some(raw)) = (norm, raw) else { return Ok(grad.clone()) };
        collected.norm(self.whole, Module::LayerNorm(layer, name), (&raw.x, &raw.inverse, grad))?;
        let grad = grad.to_dtype(raw.x.dtype())?;
        self.kernels.rms_norm_backward(&raw.x, (norm, &raw.inverse), &grad, None)
    }

    /// Collects the embedding's gradient, from that of the first layer's input.
    pub(super) fn embedding_back(&self, grad: &Tensor, collected: &mut Collected) -> Result<()> {
        if !self.whole.trains_embedding() {
            return Ok(());
        }
        let grad = scaled(grad, self.config.embedding_scale)?;
        let (tokens, hidden) = (&self.batch.tokens, self.config.hidden);
        if let Some(range) = self.whole.range(Module::Embedding) {
            let ids = Tensor::from_slice(tokens, tokens.len(), self.device)?;
            let zeros = Tensor::zeros((self.config.vocabulary, hidden), DType::F32, self.device)?;
            return collected.put(range.start, &zeros.index_add(&ids, &grad, 0)?);
        }
        for rows in self.whole.rows.iter().filter(|rows| rows.module == Module::Embedding) {
            let is = |row: u32| tokens.iter().map(move |&token| if token == row { 1.0_f32 } else { 0.0 });
            let which: Vec<f32> = rows.tokens.iter().flat_map(|&row| is(row)).collect();
            let which = Tensor::from_vec(which, (rows.tokens.len(), tokens.len()), self.device)?;
            collected.put(rows.start, &crate::device::kernels::product(&which, &grad)?)?;
        }
        Ok(())
    }
}

fn there(back: Option<Tensor>) -> Result<Tensor> {
    back.map_or_else(|| candle_core::bail!("a projection gave no gradient to its input"), Ok)
}
