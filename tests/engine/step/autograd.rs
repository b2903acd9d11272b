//! The whole step of a Llama with `LoRA` on every projection against candle's autograd: losses and every gradient.

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor, Var};
use dojo_studio::domain::batch::PackedBatch;
use dojo_studio::domain::recipe::ActivationMemory;
use dojo_studio::engine::adapter::{Adapter, Projection};
use dojo_studio::engine::train::student::Student;

use super::{adapter, example, near, open, student};
use crate::support::autograd::{attention, cross_entropy, rms_norm, rope, silu, tensor, values, var};

const WIDTH: usize = 8;

/// A tiny Llama over candle's tensors.
struct Plain<'a> {
    weights: HashMap<String, Tensor>,
    /// A and B of each projection, in the adapter's order.
    low: Vec<(Var, Var)>,
    adapter: &'a Adapter,
    scale: f64,
}

impl Plain<'_> {
    fn weight(&self, name: &str) -> Tensor {
        self.weights[name].to_dtype(DType::F64).unwrap()
    }

    fn linear(&self, x: &Tensor, layer: usize, group: &str, projection: Projection) -> Result<Tensor> {
        let name = format!("model.layers.{layer}.{group}.{}.weight", projection.name());
        let y = x.matmul(&self.weight(&name).t()?)?;
        let place =
            |slot: &dojo_studio::engine::adapter::Slot| slot.layer == layer && slot.projection == projection;
        let (a, b) = &self.low[self.adapter.slots.iter().position(place).unwrap()];
        y + (x.matmul(&a.t()?)?.matmul(&b.t()?)? * self.scale)?
    }

    /// Summed loss of every trained token that follows another in its example.
    fn loss(
        &self,
        batch: &PackedBatch,
        tokens: &[u32],
        targets: &[(u32, u32)],
        layers: usize,
    ) -> Result<Tensor> {
        let ids = Tensor::from_slice(tokens, tokens.len(), &Device::Cpu)?;
        let embedding = self.weight("model.embed_tokens.weight");
        let mut x = embedding.index_select(&ids, 0)?;
        let positions: Vec<u32> =
            batch.borders.windows(2).flat_map(|pair| 0..(pair[1] - pair[0]) as u32).collect();
        let frequencies: Vec<f32> =
            (0..WIDTH / 2).map(|i| 10_000f32.powf(-2.0 * i as f32 / WIDTH as f32)).collect();
        for layer in 0..layers {
            let norm = |x: &Tensor, name: &str| {
                rms_norm(x, &self.weight(&format!("model.layers.{layer}.{name}.weight")), 1e-5)
            };
            let h = norm(&x, "input_layernorm")?;
            let heads = |projection: Projection| -> Result<Tensor> {
                let y = self.linear(&h, layer, "self_attn", projection)?;
                y.reshape((tokens.len(), y.dim(1)? / WIDTH, WIDTH))
            };
            let q = rope(&heads(Projection::QProj)?, &positions, &frequencies)?;
            let k = rope(&heads(Projection::KProj)?, &positions, &frequencies)?;
            let v = heads(Projection::VProj)?;
            let mixed = attention((&q, &k, &v), &batch.borders, None, 1.0 / (WIDTH as f64).sqrt())?;
            x = (x + self.linear(&mixed, layer, "self_attn", Projection::OProj)?)?;
            let h = norm(&x, "post_attention_layernorm")?;
            let gate = silu(&self.linear(&h, layer, "mlp", Projection::GateProj)?)?;
            let up = self.linear(&h, layer, "mlp", Projection::UpProj)?;
            x = (x + self.linear(&(gate * up)?, layer, "mlp", Projection::DownProj)?)?;
        }
        let (rows, targets): (Vec<u32>, Vec<u32>) = targets.iter().copied().unzip();
        let x = rms_norm(&x, &self.weight("model.norm.weight"), 1e-5)?;
        let x = x.index_select(&Tensor::from_slice(&rows, rows.len(), &Device::Cpu)?, 0)?;
        cross_entropy(&x.matmul(&embedding.t()?)?, &targets)?.sum_all()
    }
}

#[test]
fn losses_and_gradients_of_a_packed_batch_are_autograds() {
    let (folder, model) = open("llama");
    let adapter = adapter(&model, 0.0);
    let examples = [example(1, 40), example(2, 25)];
    let batch = PackedBatch::pack(&examples);
    let mut gradients = vec![0.0; adapter.values.len()];
    let losses = student(&model, ActivationMemory::Keep)
        .backward(&adapter, &batch, 1.0, None, &mut gradients)
        .expect("a step");
    let rank = 3;
    let low = adapter.slots.iter().map(|slot| {
        let of = |at: usize, shape: [usize; 2]| var(&adapter.values[at..][..shape[0] * shape[1]], &shape);
        (of(slot.a, [rank, slot.inputs]), of(slot.b, [slot.outputs, rank]))
    });
    let plain = Plain {
        weights: candle_core::safetensors::load(folder.path().join("model.safetensors"), &Device::Cpu)
            .unwrap(),
        low: low.collect(),
        adapter: &adapter,
        scale: 2.0,
    };
    let (mut tokens, mut targets) = (Vec::new(), Vec::new());
    for example in &examples {
        for (at, (&token, &trained)) in example.tokens.iter().zip(&example.trained).enumerate() {
            if at > 0 && trained {
                targets.push((tokens.len() as u32 - 1, token));
            }
            tokens.push(token);
        }
    }
    let loss = plain.loss(&batch, &tokens, &targets, 2).unwrap();
    near("loss", &[losses.nll as f32], &values(&loss), 1e-5);
    let slopes = loss.backward().unwrap();
    for (slot, (a, b)) in adapter.slots.iter().zip(&plain.low) {
        let name = format!("layer {} {}", slot.layer, slot.projection.name());
        for (at, low) in [(slot.a, a), (slot.b, b)] {
            let expected = values(slopes.get(low).unwrap());
            near(&name, &gradients[at..at + expected.len()], &expected, 1e-4);
        }
    }
    assert!(
        tensor(&gradients, &[gradients.len()]).abs().unwrap().max(0).unwrap().to_scalar::<f64>().unwrap()
            > 0.0
    );
}

#[test]
fn gradients_under_dropout_are_the_slopes_of_the_same_draw() {
    let (_folder, model) = open("llama");
    let mut student = student(&model, ActivationMemory::Keep);
    let mut adapter = adapter(&model, 0.3);
    let batch = PackedBatch::pack(&[example(1, 21)]);
    let mut ours = vec![0.0; adapter.values.len()];
    student.backward(&adapter, &batch, 1.0, Some(5), &mut ours).expect("a step");
    let places: Vec<usize> =
        adapter.slots.iter().flat_map(|slot| [slot.a + 2, slot.a + 33, slot.b, slot.b + 5]).collect();
    let slopes: Vec<f32> = places
        .iter()
        .map(|&place| {
            let middle = adapter.values[place];
            let mut loss = |value: f32| {
                adapter.values[place] = value;
                let mut unused = vec![0.0; ours.len()];
                student.backward(&adapter, &batch, 1.0, Some(5), &mut unused).expect("a step").nll
            };
            let (above, below) = (loss(middle + 5e-3), loss(middle - 5e-3));
            adapter.values[place] = middle;
            ((above - below) / 1e-2) as f32
        })
        .collect();
    let ours: Vec<f32> = places.iter().map(|&place| ours[place]).collect();
    near("gradients under dropout", &ours, &slopes, 1e-2);
}

#[test]
fn a_pass_is_given_up_before_any_part_of_its_layers_and_tells_how_far_it_is() {
    use std::sync::Mutex;

    let (_folder, model) = open("llama");
    let adapter = adapter(&model, 0.3);
    let batch = PackedBatch::pack(&[example(1, 21)]);
    for memory in [ActivationMemory::Keep, ActivationMemory::Recompute] {
        let mut student = student(&model, memory);
        let mut pass = |parts: usize| {
            let told = Mutex::new(Vec::new());
            let mut gradients = vec![0.0; adapter.values.len()];
            let go_on = |share: f64| {
                let mut told = told.lock().expect("the shares");
                told.push(share);
                told.len() <= parts
            };
            let through = student
                .backward_while(&adapter, &batch, (1.0, Some(0)), &mut gradients, &go_on)
                .expect("a pass");
            (through.map(|_| gradients), told.into_inner().expect("the shares"))
        };
        let (through, shares) = pass(usize::MAX);
        // Three parts of a layer each way and the output's; forward again where nothing was kept.
        let again = if memory == ActivationMemory::Recompute { 3 } else { 0 };
        assert_eq!(shares.len(), (3 + 3 + again) * model.config.layers + 1);
        assert!(
            shares[0] == 0.0 && shares.is_sorted() && (0.5..1.0).contains(shares.last().expect("shares"))
        );
        assert!((0..shares.len()).all(|parts| pass(parts).0.is_none()));
        let through = through.expect("all layers");
        let mut expected = vec![0.0; adapter.values.len()];
        student.backward(&adapter, &batch, 1.0, Some(0), &mut expected).expect("a step");
        assert_eq!(through, expected);
    }
}
