//! Names of the devices that a model can be trained or run on.

use std::fmt;
use std::str::FromStr;

/// A device as a person asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceName {
    /// CUDA where this build has it and a card answers, else Metal, else the CPU.
    Auto,
    Cpu,
    /// An NVIDIA card by its number; `cuda` is `cuda:0`.
    Cuda(u16),
    /// Apple's own.
    Metal,
}

/// What other programs call these devices.
const OTHER_NAMES: [(&str, &str); 8] = [
    ("gpu", "cuda"),
    ("nvidia", "cuda"),
    ("rocm", "cuda"),
    ("mps", "metal"),
    ("apple", "metal"),
    ("any", "auto"),
    ("best", "auto"),
    ("host", "cpu"),
];

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "auto" => return Ok(Self::Auto),
            "cpu" => return Ok(Self::Cpu),
            "cuda" => return Ok(Self::Cuda(0)),
            "metal" => return Ok(Self::Metal),
            name => {
                if let Some(number) = name.strip_prefix("cuda:").and_then(|number| number.parse().ok()) {
                    return Ok(Self::Cuda(number));
                }
            }
        }
        Err(format!(
            "there is no device \"{name}\": known are auto, cpu, cuda:N and metal; the nearest is {}",
            nearest(name)
        ))
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => out.write_str("auto"),
            Self::Cpu => out.write_str("cpu"),
            Self::Cuda(number) => write!(out, "cuda:{number}"),
            Self::Metal => out.write_str("metal"),
        }
    }
}

/// The known name that an unknown one most resembles.
fn nearest(name: &str) -> &'static str {
    let name = name.trim().to_lowercase();
    let known = ["auto", "cpu", "cuda:0", "metal"].map(|known| (known, known));
    let likeness = |&(theirs, _): &(&str, &str)| strsim::jaro_winkler(theirs, &name);
    let all = known
        .into_iter()
        .chain(OTHER_NAMES.map(|(theirs, ours)| (theirs, if ours == "cuda" { "cuda:0" } else { ours })));
    all.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).map_or("auto", |(_, ours)| ours)
}
