//! Blocks of 256 numbers with scales of scales: `Q4_K`, `Q5_K` and `Q6_K` of ggml. Each group of a block gets the scale
//! (and offset) that makes the weighted sum of squared errors least, over a grid of starting points.

use half::f16;

/// Numbers of a block.
const BLOCK: usize = 256;
/// Numbers that share a scale and an offset, in `Q4_K` and `Q5_K`.
const GROUP: usize = 32;
const GROUPS: usize = BLOCK / GROUP;
/// The highest scale of 6 bits.
const HIGHEST_SCALE: f32 = 63.0;

/// Bytes of a block of `Q4_K` and of `Q5_K`: two scales of scales, twelve bytes of scales, four bits of each number, and
/// one bit more.
const Q4_BYTES: usize = 2 + 2 + 12 + BLOCK / 2;
const Q5_BYTES: usize = Q4_BYTES + BLOCK / 8;
/// Of `Q6_K`: four bits, two bits, a scale for each 16, and a scale of scales.
const Q6_BYTES: usize = BLOCK / 2 + BLOCK / 4 + BLOCK / 16 + 2;

/// Rounds to `Q4_K` or `Q5_K`, by the bits.
pub(super) fn encode<const BITS: u32>(numbers: &[f32], bytes: &mut [u8]) {
    let size = if BITS == 4 { Q4_BYTES } else { Q5_BYTES };
    for (numbers, bytes) in numbers.chunks_exact(BLOCK).zip(bytes.chunks_exact_mut(size)) {
        let (scales, levels) = block::<BITS>(numbers);
        let (head, rest) = bytes.split_at_mut(16);
        head.copy_from_slice(&scales.bytes());
        let (high, low) = rest.split_at_mut(if BITS == 4 { 0 } else { BLOCK / 8 });
        high.fill(0);
        // Pairs of groups share bytes: the first one's low bits, then the second one's.
        for (pair, low) in low.chunks_exact_mut(GROUP).enumerate() {
            let at = |group: usize, place: usize| levels[(2 * pair + group) * GROUP + place];
            for (place, byte) in low.iter_mut().enumerate() {
                *byte = at(0, place) & 15 | (at(1, place) & 15) << 4;
            }
            for (place, byte) in high.iter_mut().enumerate() {
                *byte |= at(0, place) >> 4 << (2 * pair) | at(1, place) >> 4 << (2 * pair + 1);
            }
        }
    }
}

/// The scales of a block as they are stored.
struct BlockScales {
    scale: f16,
    offset: f16,
    scales: [u8; GROUPS],
    offsets: [u8; GROUPS],
}

impl BlockScales {
    fn of(found: &[(f32, f32); GROUPS]) -> Self {
        let largest = |of: fn(&(f32, f32)) -> f32| found.iter().map(of).fold(0.0_f32, f32::max);
        let (scale, offset) = (largest(|it| it.0), largest(|it| it.1));
        let level = |value: f32, largest: f32| {
            if largest > 0.0 {
                (HIGHEST_SCALE / largest * value).round().clamp(0.0, HIGHEST_SCALE) as u8
            } else {
                0
            }
        };
        Self {
            scale: f16::from_f32(scale / HIGHEST_SCALE),
            offset: f16::from_f32(offset / HIGHEST_SCALE),
            scales: found.map(|it| level(it.0, scale)),
            offsets: found.map(|it| level(it.1, offset)),
        }
    }

    /// What a group's levels are multiplied by, and what is taken off then.
    fn group(&self, group: usize) -> (f32, f32) {
        let of = |all: &[u8; GROUPS]| f32::from(all.get(group).copied().unwrap_or(0));
        (self.scale.to_f32() * of(&self.scales), self.offset.to_f32() * of(&self.offsets))
    }

    /// Six bits each, in twelve bytes: the last four groups' upper bits lie above the first four's.
    fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&self.scale.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.offset.to_le_bytes());
        for place in 0..4 {
            let (scale, offset) = (self.scales[place], self.offsets[place]);
            let (later_scale, later_offset) = (self.scales[place + 4], self.offsets[place + 4]);
            bytes[4 + place] = scale | later_scale >> 4 << 6;
            bytes[8 + place] = offset | later_offset >> 4 << 6;
            bytes[12 + place] = later_scale & 15 | (later_offset & 15) << 4;
        }
        bytes
    }
}

/// A block's scales and the level of each number, by the scales as they are stored.
fn block<const BITS: u32>(numbers: &[f32]) -> (BlockScales, [u8; BLOCK]) {
    let highest = f32::from((1_u8 << BITS) - 1);
    let mut found = [(0.0, 0.0); GROUPS];
    for (found, group) in found.iter_mut().zip(numbers.chunks_exact(GROUP)) {
        *found = scale_and_offset(
            group,
            highest,
            if BITS == 4 { -1.0 } else { -0.5 },
            if BITS == 4 { 20 } else { 15 },
        );
    }
    let scales = BlockScales::of(&found);
    let mut levels = [0; BLOCK];
    for (place, (levels, group)) in
        levels.chunks_exact_mut(GROUP).zip(numbers.chunks_exact(GROUP)).enumerate()
    {
        let (scale, offset) = scales.group(place);
        if scale == 0.0 {
            continue;
        }
        for (level, number) in levels.iter_mut().zip(group) {
            *level = ((number + offset) / scale).round().clamp(0.0, highest) as u8;
        }
    }
    (scales, levels)
}

/// The scale s and the offset m, neither below zero, of `x ~ s * level - m` for a group. Large numbers count more.
/// The grid stretches the scale that just covers the range by so many tenths of a level, from `first` on.
fn scale_and_offset(group: &[f32], highest: f32, first: f32, steps: u8) -> (f32, f32) {
    let mean_square = group.iter().map(|x| x * x).sum::<f32>() / group.len() as f32;
    let typical = mean_square.sqrt();
    let weight = |x: f32| typical + x.abs();
    let least = group.iter().copied().fold(0.0_f32, f32::min);
    let most = group.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if most <= least {
        return (0.0, -least);
    }
    let error = |scale: f32, least: f32, inverse: f32, from: f32| {
        let one = |x: f32| {
            let level = (inverse * (x - from)).round().clamp(0.0, highest);
            let off = scale * level + least - x;
            weight(x) * off * off
        };
        group.iter().map(|&x| one(x)).sum::<f32>()
    };
    let plain = (most - least) / highest;
    let mut best = (plain, least, error(plain, least, 1.0 / plain, least));
    for step in 0..=steps {
        let inverse = (first + 0.1 * f32::from(step) + highest) / (most - least);
        let (scale, offset) = fitted(group, inverse, least, highest, weight);
        let found = error(scale, offset, inverse, least);
        if scale > 0.0 && found < best.2 {
            best = (scale, offset, found);
        }
    }
    (best.0, -best.1)
}

/// The weighted least squares of `x ~ scale * level + offset` for the levels that a scale gives; the offset is at most 0.
fn fitted(group: &[f32], inverse: f32, least: f32, highest: f32, weight: impl Fn(f32) -> f32) -> (f32, f32) {
    let (mut w, mut x1, mut l1, mut l2, mut xl) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
    for &x in group {
        let level = (inverse * (x - least)).round().clamp(0.0, highest);
        let weight = weight(x);
        w += weight;
        x1 += weight * x;
        l1 += weight * level;
        l2 += weight * level * level;
        xl += weight * x * level;
    }
    let determinant = w * l2 - l1 * l1;
    if determinant <= 0.0 {
        return (0.0, 0.0);
    }
    let (scale, offset) = ((w * xl - x1 * l1) / determinant, (l2 * x1 - l1 * xl) / determinant);
    if offset > 0.0 { (if l2 > 0.0 { xl / l2 } else { 0.0 }, 0.0) } else { (scale, offset) }
}

/// Numbers of `Q6_K` that share a scale.
const SIXTEEN: usize = 16;

/// Rounds to `Q6_K`: levels from -32 to 31, a scale of 8 bits for each 16 numbers.
pub(super) fn encode_q6_k(numbers: &[f32], bytes: &mut [u8]) {
    for (numbers, bytes) in numbers.chunks_exact(BLOCK).zip(bytes.chunks_exact_mut(Q6_BYTES)) {
        let (scale, scales, levels) = block_q6_k(numbers);
        let (low, rest) = bytes.split_at_mut(BLOCK / 2);
        let (high, rest) = rest.split_at_mut(BLOCK / 4);
        let (small, large) = rest.split_at_mut(SIXTEEN);
        for (place, scale) in small.iter_mut().zip(scales) {
            *place = scale.to_le_bytes()[0];
        }
        large.copy_from_slice(&scale.to_le_bytes());
        // Each half of 128 has four quarters of 32, whose bits lie beside each other.
        for (half, (low, high)) in low.chunks_exact_mut(64).zip(high.chunks_exact_mut(32)).enumerate() {
            let (first, second) = low.split_at_mut(32);
            for (place, ((first, second), high)) in first.iter_mut().zip(second).zip(high).enumerate() {
                let of = |quarter: usize| levels[half * 128 + quarter * 32 + place];
                *first = of(0) & 15 | (of(2) & 15) << 4;
                *second = of(1) & 15 | (of(3) & 15) << 4;
                *high = of(0) >> 4 | of(1) >> 4 << 2 | of(2) >> 4 << 4 | of(3) >> 4 << 6;
            }
        }
    }
}

fn block_q6_k(numbers: &[f32]) -> (f16, [i8; SIXTEEN], [u8; BLOCK]) {
    let mut found = [0.0_f32; SIXTEEN];
    for (found, group) in found.iter_mut().zip(numbers.chunks_exact(SIXTEEN)) {
        *found = symmetric_scale(group);
    }
    let largest =
        found.iter().copied().fold(0.0_f32, |most, it| if it.abs() > most.abs() { it } else { most });
    let mut levels = [0; BLOCK];
    if largest.abs() < 1e-15 {
        return (f16::ZERO, [0; SIXTEEN], levels);
    }
    let inverse = -128.0 / largest;
    let scale = f16::from_f32(1.0 / inverse);
    let scales = found.map(|it| (inverse * it).round().clamp(-128.0, 127.0) as i8);
    for ((levels, group), small) in
        levels.chunks_exact_mut(SIXTEEN).zip(numbers.chunks_exact(SIXTEEN)).zip(scales)
    {
        let step = scale.to_f32() * f32::from(small);
        for (level, number) in levels.iter_mut().zip(group) {
            let signed = if step == 0.0 { 0.0 } else { (number / step).round().clamp(-32.0, 31.0) };
            *level = (signed + 32.0) as u8;
        }
    }
    (scale, scales, levels)
}

/// The scale of `x ~ scale * level` with levels from -32 to 31; squares count by the number's own square.
fn symmetric_scale(group: &[f32]) -> f32 {
    let largest = group.iter().copied().fold(0.0_f32, |most, x| if x.abs() > most.abs() { x } else { most });
    if largest.abs() < 1e-15 {
        return 0.0;
    }
    let mut best = (0.0, 0.0);
    for step in -9_i8..=9 {
        let inverse = -(32.0 + 0.1 * f32::from(step)) / largest;
        let (mut xl, mut l2) = (0.0_f32, 0.0_f32);
        for &x in group {
            let level = (inverse * x).round().clamp(-32.0, 31.0);
            xl += x * x * x * level;
            l2 += x * x * level * level;
        }
        // What the fit explains of the weighted squares.
        if l2 > 0.0 && xl * xl > best.1 * l2 {
            best = (xl / l2, xl * xl / l2);
        }
    }
    best.0
}
