//! The backward pass, last layer first. Activations are overwritten by gradients where they are no longer needed.

use std::time::Instant;

use super::activations::{Activations, LayerActivations};
use super::forward::StepPass;
use super::heads::HeadNorms;
use super::linear::LinearBackward;
use super::profile::StepPart;
use super::sites::LayerSites;
use crate::adapter::Module;
use crate::kernels::attention::{Gradients, attention_backward};
use crate::kernels::glu::{glu, glu_backward};
use crate::kernels::norm::{rms_norm_backward, rms_norm_recompute};
use crate::kernels::rope::RotationDirection;
use crate::train::course::{ATTENTION, BACKWARD, Course, FEED_FORWARD, QUERIES};

impl StepPass<'_> {
    /// Goes back from the gradient of the residual stream in the scratch space; adds the adapter's gradients. Layers
    /// below the lowest adapted one are left out. Nothing where the course is to end.
    pub(super) fn backward(
        &mut self,
        activations: &mut Activations,
        gradients: &mut [f32],
        course: &Course<'_>,
    ) -> Option<()> {
        let Some(lowest) = self.lowest() else { return Some(()) };
        let to_embedding = self.whole.trains_embedding();
        for layer in (lowest..self.config.layers).rev() {
            let again = !activations.keeps();
            let (input, values, _) = activations.layer(layer);
            if again {
                self.layer(layer, input.slice(), (&mut *values, None), course)?;
            }
            course.enter(BACKWARD * FEED_FORWARD)?;
            self.feed_forward_back(layer, values, gradients);
            course.enter(BACKWARD * (ATTENTION + QUERIES / 2.0))?;
            self.attention_back(layer, values, gradients);
            course.enter(BACKWARD * QUERIES / 2.0)?;
            let goes_on = layer > lowest
                || to_embedding
                || self.whole.trains(layer, self.config.layer.attention.before);
            self.input_back(layer, input.slice(), values, goes_on, gradients);
        }
        self.embedding_back(gradients);
        Some(())
    }

    /// The lowest layer that the gradient reaches; none where nothing of the layers is trained.
    pub(super) fn lowest(&self) -> Option<usize> {
        let adapted = self.sites.iter().position(LayerSites::is_adapted);
        [adapted, self.whole.lowest()].into_iter().flatten().min()
    }

    /// From the layer's output to the residual stream between its blocks.
    fn feed_forward_back(&mut self, layer: usize, values: &mut LayerActivations, gradients: &mut [f32]) {
        let (weights, sites) = (&self.weights.layers[layer], &self.sites[layer]);
        let (tokens, width) = (self.batch.tokens.len(), self.config.intermediate);
        let scratch = &mut *self.scratch;
        let clock = Instant::now();
        let product = scratch.inner.of(tokens * width);
        glu(self.config.activation, values.gate_up.slice(), width, product);
        let after = self.config.layer.feed_forward.after.zip(weights.post_norms.as_ref());
        let grad_y = if let Some((name, (_, norm))) = after {
            let grad_raw = scratch.grad_raw.of(values.raw_feed.slice().len());
            grad_raw.fill(0.0);
            let (raw, inverse) = (values.raw_feed.slice(), values.raw_feed_inverse.slice());
            rms_norm_backward(raw, norm, inverse, scratch.grad.slice(), grad_raw);
            let module = Module::LayerNorm(layer, name);
            self.whole.add_norm(module, (raw, inverse, scratch.grad.slice()), gradients);
            &*grad_raw
        } else {
            scratch.grad.slice()
        };
        self.profile.add(StepPart::Elementwise, clock);
        let clock = Instant::now();
        let (kept, linear) = (&values.down_kept, &mut scratch.linear);
        let given = LinearBackward { x: product, grad_y, kept, gradients: &mut *gradients, scratch: linear };
        let grad_product = scratch.grad_inner_values.of(tokens * width);
        sites.down.backward(weights.down.numbers(&mut scratch.expanded), given, Some(grad_product));
        self.profile.add(StepPart::ProductsBackward, clock);
        let clock = Instant::now();
        glu_backward(self.config.activation, values.gate_up.slice_mut(), width, grad_product);
        let middle = values.middle.slice();
        let normed = scratch.normed.of(middle.len());
        rms_norm_recompute(middle, &weights.feed_norm, values.feed_inverse.slice(), normed);
        self.profile.add(StepPart::Elementwise, clock);
        let clock = Instant::now();
        let (grad_y, kept, linear) = (values.gate_up.slice(), &values.gate_up_kept, &mut scratch.linear);
        let given = LinearBackward { x: normed, grad_y, kept, gradients: &mut *gradients, scratch: linear };
        let grad_normed = scratch.grad_normed.of(middle.len());
        sites.gate_up.backward(weights.gate_up.numbers(&mut scratch.expanded), given, Some(grad_normed));
        self.profile.add(StepPart::ProductsBackward, clock);
        let clock = Instant::now();
        let inverse = values.feed_inverse.slice();
        let module = Module::LayerNorm(layer, self.config.layer.feed_forward.before);
        self.whole.add_norm(module, (middle, inverse, grad_normed), gradients);
        rms_norm_backward(middle, &weights.feed_norm, inverse, grad_normed, scratch.grad.slice_mut());
        self.profile.add(StepPart::Elementwise, clock);
    }

    /// From there through the attention: leaves the gradient of queries, keys and values before norms and rotation.
    fn attention_back(&mut self, layer: usize, values: &mut LayerActivations, gradients: &mut [f32]) {
        let (weights, sites) = (&self.weights.layers[layer], &self.sites[layer]);
        let scratch = &mut *self.scratch;
        let clock = Instant::now();
        let after = self.config.layer.attention.after.zip(weights.post_norms.as_ref());
        let grad_y = if let Some((name, (norm, _))) = after {
            let grad_raw = scratch.grad_raw.of(values.raw_attention.slice().len());
            grad_raw.fill(0.0);
            let (raw, inverse) = (values.raw_attention.slice(), values.raw_attention_inverse.slice());
            rms_norm_backward(raw, norm, inverse, scratch.grad.slice(), grad_raw);
            let module = Module::LayerNorm(layer, name);
            self.whole.add_norm(module, (raw, inverse, scratch.grad.slice()), gradients);
            &*grad_raw
        } else {
            scratch.grad.slice()
        };
        let (x, kept, linear) = (values.out.slice(), &values.output_kept, &mut scratch.linear);
        let given = LinearBackward { x, grad_y, kept, gradients: &mut *gradients, scratch: linear };
        let grad_out = scratch.grad_out.of(x.len());
        sites.output.backward(weights.output.numbers(&mut scratch.expanded), given, Some(grad_out));
        self.profile.add(StepPart::ProductsBackward, clock);
        let clock = Instant::now();
        let mut kept = std::mem::take(&mut self.scratch.attention);
        let mut grad_qkv = std::mem::take(&mut self.scratch.grad_qkv);
        let given = Gradients {
            qkv: values.qkv.slice(),
            out: values.out.slice(),
            log_sums: values.log_sums.slice(),
            grad_out: self.scratch.grad_out.slice(),
            scratch: &mut kept,
        };
        let grad = grad_qkv.of(values.qkv.slice().len());
        attention_backward(self.shape(layer), given, grad);
        self.profile.add(StepPart::AttentionBackward, clock);
        let clock = Instant::now();
        self.rotate(layer, grad, RotationDirection::Back);
        if let Some(norms) = &weights.head_norms {
            let norms = HeadNorms::new(self.config, norms);
            let raw = (values.raw_heads.slice(), values.head_inverse.slice());
            self.head_norms_back(layer, grad, raw, gradients);
            norms.backward(grad, values.raw_heads.slice(), values.head_inverse.slice());
        }
        self.profile.add(StepPart::Elementwise, clock);
        self.scratch.attention = kept;
        self.scratch.grad_qkv = grad_qkv;
    }

    /// To the layer's input, where a lower layer is adapted too.
    fn input_back(
        &mut self,
        layer: usize,
        x: &[f32],
        values: &LayerActivations,
        goes_on: bool,
        gradients: &mut [f32],
    ) {
        let (weights, sites) = (&self.weights.layers[layer], &self.sites[layer]);
        let scratch = &mut *self.scratch;
        let clock = Instant::now();
        let normed = scratch.normed.of(x.len());
        rms_norm_recompute(x, &weights.attention_norm, values.attention_inverse.slice(), normed);
        self.profile.add(StepPart::Elementwise, clock);
        let clock = Instant::now();
        let (grad_y, kept, linear) = (scratch.grad_qkv.slice(), &values.qkv_kept, &mut scratch.linear);
        let given = LinearBackward { x: normed, grad_y, kept, gradients: &mut *gradients, scratch: linear };
        let weight = weights.qkv.numbers(&mut scratch.expanded);
        if !goes_on {
            sites.qkv.backward(weight, given, None);
            self.profile.add(StepPart::ProductsBackward, clock);
            return;
        }
        let grad_normed = scratch.grad_normed.of(x.len());
        sites.qkv.backward(weight, given, Some(grad_normed));
        self.profile.add(StepPart::ProductsBackward, clock);
        let clock = Instant::now();
        let inverse = values.attention_inverse.slice();
        let module = Module::LayerNorm(layer, self.config.layer.attention.before);
        self.whole.add_norm(module, (x, inverse, grad_normed), gradients);
        rms_norm_backward(x, &weights.attention_norm, inverse, grad_normed, scratch.grad.slice_mut());
        self.profile.add(StepPart::Elementwise, clock);
    }
}
