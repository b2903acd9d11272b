//! `dojo reward list`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::RewardContext;
use crate::reward::KINDS;

pub(super) fn run(place: &RewardContext) -> Result<ExitCode> {
    let kinds: Vec<_> = KINDS
        .iter()
        .map(|kind| {
            let keys = kind.keys.iter().map(
                |key| json!({"name": key.name, "allowed": key.kind.allowed(), "default": key.default, "help": key.help}),
            );
            json!({"name": kind.name, "about": kind.about, "keys": keys.collect::<Vec<_>>()})
        })
        .collect();
    place.print(&json!({"rewards": kinds}), || {
        let mut out = String::new();
        for kind in KINDS {
            out += &format!("{}: {}\n", kind.name, kind.about);
            for key in kind.keys {
                let default = key.default.map_or_else(String::new, |default| format!(", default {default}"));
                out += &format!("    {} ({}{default}): {}\n", key.name, key.kind.allowed(), key.help);
            }
        }
        out
    })?;
    Ok(ExitCode::SUCCESS)
}
