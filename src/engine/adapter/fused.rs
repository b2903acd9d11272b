//! Phi-3's files have q, k and v in one linear layer, gate and up in another; PEFT adapts those as wholes. Here each
//! part has an adapter of its own, which is one of the whole: the parts' A matrices stacked, their B matrices along
//! a diagonal of blocks.

use super::Projection;
use crate::model::ModelConfig;

/// A linear layer as PEFT sees it: one projection, or several fused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Module {
    /// `self_attn.q_proj`, `self_attn.qkv_proj`, ...
    pub(super) path: String,
    pub(super) parts: &'static [Projection],
}

const QKV: &[Projection] = &[Projection::QProj, Projection::KProj, Projection::VProj];
const GATE_UP: &[Projection] = &[Projection::GateProj, Projection::UpProj];

/// The fused layer that some but not all of whose parts are among the targets, if there is one.
pub(super) fn half_adapted(model: &ModelConfig, targets: &[Projection]) -> Option<Module> {
    modules(model).into_iter().find(|module| {
        let adapted = module.parts.iter().filter(|part| targets.contains(part)).count();
        adapted > 0 && adapted < module.parts.len()
    })
}

/// The linear layers of a model's decoder layer.
pub(super) fn modules(model: &ModelConfig) -> Vec<Module> {
    let one = |parts: &'static [Projection]| {
        let path = parts.first().map_or_else(String::new, |part| format!("{}.{}", part.block(), part.name()));
        Module { path, parts }
    };
    if !model.layer.fused_projections {
        return Projection::ALL.iter().map(|projection| one(std::slice::from_ref(projection))).collect();
    }
    vec![
        Module { path: "self_attn.qkv_proj".into(), parts: QKV },
        one(&[Projection::OProj]),
        Module { path: "mlp.gate_up_proj".into(), parts: GATE_UP },
        one(&[Projection::DownProj]),
    ]
}

/// One projection's matrices: A (rank, inputs), B (outputs, rank); and its magnitudes, (outputs), if it has any.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Pair {
    pub(super) rank: usize,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) a: Vec<f32>,
    pub(super) b: Vec<f32>,
    pub(super) magnitudes: Option<Vec<f32>>,
}

impl Pair {
    /// The whole's adapter from its parts', which share their inputs.
    pub(super) fn join(parts: &[Self]) -> Self {
        let rank = parts.iter().map(|part| part.rank).sum();
        let mut b = Vec::new();
        let mut before = 0;
        for part in parts {
            for row in part.b.chunks(part.rank.max(1)) {
                b.extend(std::iter::repeat_n(0.0, before));
                b.extend_from_slice(row);
                b.extend(std::iter::repeat_n(0.0, rank - before - part.rank));
            }
            before += part.rank;
        }
        Self {
            rank,
            inputs: parts.first().map_or(0, |part| part.inputs),
            outputs: parts.iter().map(|part| part.outputs).sum(),
            a: parts.iter().flat_map(|part| part.a.iter().copied()).collect(),
            b,
            // All or none: `Adapter::zeros` sees to it.
            magnitudes: parts
                .iter()
                .map(|part| part.magnitudes.clone())
                .collect::<Option<Vec<_>>>()
                .map(|it| it.concat()),
        }
    }

    /// The parts' adapters from the whole's, with outputs as given. Where B is a diagonal of as many equal blocks
    /// (as [`Pair::join`] makes it), each part gets its own block's rank back; else each gets all of A.
    pub(super) fn split(self, outputs: &[usize]) -> Vec<Self> {
        if let [_] = outputs {
            return vec![self];
        }
        let own = self.rank / outputs.len().max(1);
        let diagonal = own * outputs.len() == self.rank && own > 0 && self.is_diagonal(outputs, own);
        let mut first = 0;
        let parts = outputs.iter().enumerate().map(|(place, &count)| {
            let rows = self.b.chunks(self.rank.max(1)).skip(first).take(count);
            let magnitudes =
                self.magnitudes.as_ref().map(|all| all.iter().skip(first).take(count).copied().collect());
            first += count;
            let (from, rank) = if diagonal { (place * own, own) } else { (0, self.rank) };
            let b = rows.flat_map(|row| row.iter().skip(from).take(rank).copied()).collect();
            let a = self.a.chunks(self.inputs.max(1)).skip(from).take(rank).flatten().copied().collect();
            Self { rank, inputs: self.inputs, outputs: count, a, b, magnitudes }
        });
        parts.collect()
    }

    fn is_diagonal(&self, outputs: &[usize], own: usize) -> bool {
        let blocks = outputs.iter().enumerate().flat_map(|(place, &count)| std::iter::repeat_n(place, count));
        self.b.chunks(self.rank.max(1)).zip(blocks).all(|(row, block)| {
            let inside = block * own..(block + 1) * own;
            row.iter().enumerate().all(|(column, &value)| inside.contains(&column) || value == 0.0)
        })
    }

    /// The same adapter at a higher rank and another scale: rows and columns of zeros, which also get no gradient.
    pub(super) fn widen(self, rank: usize, factor: f32) -> Self {
        let mut a = self.a;
        a.resize(rank * self.inputs, 0.0);
        let b = self.b.chunks(self.rank.max(1)).flat_map(|row| {
            let scaled = row.iter().map(move |value| value * factor);
            scaled.chain(std::iter::repeat_n(0.0, rank - self.rank))
        });
        Self {
            rank,
            inputs: self.inputs,
            outputs: self.outputs,
            b: b.collect(),
            a,
            magnitudes: self.magnitudes,
        }
    }
}
