//! SentencePiece's `precompiled_charsmap`: a double array (Aoe 1989, in darts-clone's layout) from bytes to places in a
//! list of replacements. The library that follows it checks no place, so all that can be reached is checked here.

use anyhow::{Context, Result, ensure};
use base64::Engine as _;

/// Longest replacement, in bytes: NFKC's longest has 33.
const LONGEST: usize = 128;

const DAMAGED: &str = "its precompiled_charsmap is damaged";

/// How many times longer it may make a text.
///
/// # Errors
/// Where it isn't what it says, or a text could lead out of it.
pub(super) fn check(text: &str) -> Result<usize> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).context(DAMAGED)?;
    let (size, rest) = bytes.split_first_chunk::<4>().context(DAMAGED)?;
    let (units, replacements) = rest.split_at_checked(u32::from_le_bytes(*size) as usize).context(DAMAGED)?;
    let (units, odd) = units.as_chunks::<4>();
    ensure!(odd.is_empty() && !units.is_empty(), "{DAMAGED}");
    let units: Vec<u32> = units.iter().map(|unit| u32::from_le_bytes(*unit)).collect();
    let replacements = std::str::from_utf8(replacements).context(DAMAGED)?;
    let mut seen = vec![false; units.len()];
    let mut growth = 1;
    let mut open = vec![offset(*units.first().context(DAMAGED)?)];
    while let Some(node) = open.pop() {
        for byte in 1..=255_u32 {
            let place = node ^ byte as usize;
            let unit = *units.get(place).with_context(|| format!("{DAMAGED}: it leads out of itself"))?;
            if unit & (1 << 31 | 0xFF) != byte {
                continue;
            }
            let child = place ^ offset(unit);
            if unit >> 8 & 1 == 1 {
                let value = units.get(child).with_context(|| format!("{DAMAGED}: it leads out of itself"))?;
                growth = growth.max(replacement(replacements, (value & !(1 << 31)) as usize, byte)?);
            }
            if let Some(seen) = seen.get_mut(place).filter(|seen| !**seen) {
                *seen = true;
                open.push(child);
            }
        }
    }
    Ok(growth)
}

const fn offset(unit: u32) -> usize {
    ((unit >> 10) << ((unit & (1 << 9)) >> 6)) as usize
}

/// How many times longer a replacement is than what it replaces, whose last byte is given: one of ASCII may stand alone,
/// and others have two bytes at least.
fn replacement(all: &str, start: usize, byte: u32) -> Result<usize> {
    let text = all.get(start..).with_context(|| format!("{DAMAGED}: a replacement lies outside"))?;
    let length = text.bytes().take(LONGEST + 1).take_while(|&byte| byte != 0).count();
    ensure!(length <= LONGEST, "{DAMAGED}: a replacement is longer than {LONGEST} bytes");
    Ok(length.div_ceil(if byte < 128 { 1 } else { 2 }))
}
