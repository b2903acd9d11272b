//! Hashes and random numbers that are the same on every machine.

use dojo_studio::ground::hash::{Fnv, of_bytes};
use dojo_studio::ground::random::SplitMix64;

#[test]
fn the_numbers_are_those_of_the_papers_program() {
    let mut random = SplitMix64::new(1_234_567);
    let first = [random.next(), random.next(), random.next()];
    assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
}

#[test]
fn fnv_has_the_published_values() {
    let of = |text: &str| Fnv::of(text.bytes().map(u64::from));
    assert_eq!(of(""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(of("a"), 0xaf63_dc4c_8601_ec8c);
    assert_eq!(of("foobar"), 0x8594_4171_f739_67e8);
}

#[test]
fn every_flipped_bit_and_every_pair_of_signs_changes_the_hash_of_bytes() {
    let bytes: Vec<u8> = (0..41_u8).collect();
    let of = |flips: &[usize]| {
        let mut bytes = bytes.clone();
        flips.iter().for_each(|&bit| bytes[bit / 8] ^= 1 << (bit % 8));
        of_bytes(&bytes)
    };
    assert!((0..bytes.len() * 8).all(|bit| of(&[bit]) != of(&[])));
    assert_ne!(of(&[63, 127]), of(&[]));
    assert_ne!(of_bytes(&[0; 8]), of_bytes(&[0; 9]));
}
