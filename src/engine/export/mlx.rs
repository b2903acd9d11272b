//! An adapter as mlx-lm loads it: its matrices renamed and transposed.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use candle_core::quantized::GgmlDType;
use serde_json::json;

use super::gguf::quantise::encode;
use super::safetensors::{PlannedNumbers, header};
use crate::adapter::Adapter;
use crate::model::ModelConfig;
use dojo_core::ground::files::{Readers, WholeFile, write_atomically};

const WEIGHTS: &str = "adapters.safetensors";
const CONFIG: &str = "adapter_config.json";

/// Writes the two files into a folder.
///
/// # Errors
/// If the adapter trains modules whole, or the disk is full.
pub(super) fn write(adapter: &Adapter, config: &ModelConfig, folder: &Path) -> Result<()> {
    adapter.refuse_whole_modules("an adapter for MLX")?;
    let linears = adapter.linears(config)?;
    let mut tensors = Vec::new();
    let mut keys: Vec<String> = Vec::new();
    for linear in &linears {
        let stem = format!("model.layers.{}.{}", linear.layer, linear.path);
        if !keys.contains(&linear.path) {
            keys.push(linear.path.clone());
        }
        ensure!(
            linear.rank == adapter.config.r,
            "{} is one layer of rank {}, and an adapter for MLX has one rank, {}: merge it into its base instead",
            linear.path,
            linear.rank,
            adapter.config.r
        );
        let b = transposed(&linear.b, linear.rank);
        tensors.push(numbers(
            &stem,
            "lora_a",
            [linear.inputs, linear.rank],
            transposed(&linear.a, linear.inputs),
        ));
        tensors.push(numbers(&stem, "lora_b", [linear.rank, linear.outputs], b));
        if let Some(magnitudes) = &linear.magnitudes {
            let name = format!("{stem}.m");
            tensors.push((
                PlannedNumbers { name, shape: vec![linear.outputs], format: GgmlDType::F32 },
                magnitudes.clone(),
            ));
        }
    }
    let planned: Vec<PlannedNumbers> = tensors.iter().map(|(planned, _)| planned.clone()).collect();
    let path = folder.join(WEIGHTS);
    let write = || -> Result<()> {
        let mut file = WholeFile::create(&path, Readers::Anybody)?;
        file.write_all(&header(&planned)?)?;
        for (planned, numbers) in &tensors {
            file.write_all(&encode(planned.format, numbers)?)?;
        }
        Ok(file.finish()?)
    };
    write().with_context(|| format!("write {}", path.display()))?;
    let written = json!({
        "model": adapter.base,
        "fine_tune_type": if adapter.config.use_dora { "dora" } else { "lora" },
        "num_layers": config.layers,
        "lora_parameters": {"rank": adapter.config.r, "scale": adapter.config.scale(), "dropout": 0.0, "keys": keys},
    });
    write_atomically(&folder.join(CONFIG), &serde_json::to_vec_pretty(&written)?)
}

fn numbers(stem: &str, part: &str, shape: [usize; 2], numbers: Vec<f32>) -> (PlannedNumbers, Vec<f32>) {
    let planned =
        PlannedNumbers { name: format!("{stem}.{part}"), shape: shape.to_vec(), format: GgmlDType::F32 };
    (planned, numbers)
}

/// A matrix of so many columns, its columns as rows.
fn transposed(numbers: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| numbers.iter().skip(column).step_by(columns.max(1)).copied()).collect()
}
