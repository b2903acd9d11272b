use dojo_studio::data::pack::{PackSettings, longest, plan};
use dojo_studio::domain::recipe::Packing;
use proptest::prelude::*;

const PACKED: PackSettings = PackSettings { max_length: 100, packing: Packing::Bfd, batch_size: 1, seed: 7 };

#[test]
fn each_example_goes_into_the_fullest_pack_with_room() {
    let mut packs: Vec<Vec<usize>> = plan(&[60, 50, 40, 30, 20], &PACKED, 0).expect("plan");
    for pack in &mut packs {
        pack.sort_unstable();
    }
    packs.sort();
    assert_eq!(packs, [vec![0, 2], vec![1, 3, 4]]);
}

#[test]
fn the_plan_is_the_same_for_the_same_epoch_and_another_for_the_next() {
    let lengths: Vec<usize> = (0..200).map(|index| 10 + index % 60).collect();
    assert_eq!(plan(&lengths, &PACKED, 3).expect("plan"), plan(&lengths, &PACKED, 3).expect("plan"));
    assert_ne!(plan(&lengths, &PACKED, 3).expect("plan"), plan(&lengths, &PACKED, 4).expect("plan"));
    let other = PackSettings { seed: 8, ..PACKED };
    assert_ne!(plan(&lengths, &PACKED, 3).expect("plan"), plan(&lengths, &other, 3).expect("plan"));
}

#[test]
fn without_packing_a_batch_holds_as_many_examples_as_asked() {
    let settings = PackSettings { packing: Packing::Off, batch_size: 4, ..PACKED };
    let sizes: Vec<usize> = plan(&[5; 10], &settings, 0).expect("plan").iter().map(Vec::len).collect();
    assert_eq!(sizes, [4, 4, 2]);
}

#[test]
fn the_longest_batch_is_found_for_the_dry_step() {
    let batches = [vec![0], vec![1, 2], vec![3]];
    assert_eq!(longest(&batches, &[5, 3, 3, 4]), Some([1, 2].as_slice()));
}

#[test]
fn what_cannot_be_planned_is_refused_with_a_word() {
    let refusal = |lengths: &[usize], settings| plan(lengths, &settings, 0).expect_err("refused").to_string();
    assert_eq!(refusal(&[], PACKED), "the dataset is empty: there is nothing to train on");
    assert_eq!(refusal(&[101], PACKED), "example 0 has 101 tokens, more than max_length 100");
    assert_eq!(
        refusal(&[1], PackSettings { batch_size: 0, ..PACKED }),
        "the batch size is 0; a batch needs at least one example"
    );
}

proptest! {
    #[test]
    fn every_example_is_planned_once_and_no_pack_overflows(
        lengths in proptest::collection::vec(0usize..=100, 1..200),
        batch_size in 1usize..5,
        epoch in 0u64..5,
    ) {
        let batches = plan(&lengths, &PackSettings { batch_size, ..PACKED }, epoch).expect("plan");
        let mut seen: Vec<usize> = batches.concat();
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
        for batch in &batches {
            let tokens: usize = batch.iter().map(|&index| lengths[index]).sum();
            prop_assert!(tokens <= 100 * batch_size);
        }
    }

    #[test]
    fn packing_wastes_less_than_half(lengths in proptest::collection::vec(1usize..=100, 1..200)) {
        let batches = plan(&lengths, &PACKED, 0).expect("plan");
        let tokens: usize = lengths.iter().sum();
        prop_assert!((batches.len() - 1) * 100 <= 2 * tokens);
    }
}
