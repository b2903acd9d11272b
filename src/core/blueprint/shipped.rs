//! The blueprints that ship, and those of files.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::Blueprint;

/// Names and texts of the shipped ones.
pub const SHIPPED: [(&str, &str); 5] = [
    ("physics", include_str!("../../../assets/blueprints/physics.toml")),
    ("economics", include_str!("../../../assets/blueprints/economics.toml")),
    ("computer-science", include_str!("../../../assets/blueprints/computer-science.toml")),
    ("devops", include_str!("../../../assets/blueprints/devops.toml")),
    ("finance", include_str!("../../../assets/blueprints/finance.toml")),
];

/// A small one to begin with, in which every key says what it is for.
pub const EXAMPLE: &str = include_str!("../../../assets/blueprints/example.toml");

/// The blueprint of a file, or a shipped one by its name.
///
/// # Errors
/// Where there is none, or it is wrong: each mistake with its line.
pub fn find(given: &str) -> Result<Blueprint> {
    let path = Path::new(given);
    if path.is_file() || path.extension().is_some() || path.components().count() > 1 {
        let text = std::fs::read_to_string(path).with_context(|| format!("read the blueprint {given}"))?;
        return Ok(Blueprint::parse(&text, given)?);
    }
    if let Some((name, text)) = SHIPPED.iter().find(|(name, _)| *name == given) {
        Ok(Blueprint::parse(text, name)?)
    } else {
        let names: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
        bail!(
            "there is no blueprint {given:?}: name a file (`dojo blueprint new NAME` begins one), or one of those \
             that ship: {}",
            names.join(", ")
        )
    }
}
