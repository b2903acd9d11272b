//! Reading order, whatever order a page is drawn in.

use proptest::prelude::*;

use super::paper::{column, pdf};
use super::read;

const WORDS: &[&str] = &["amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn two_columns_come_out_one_after_the_other_in_any_order_of_drawing(seed in proptest::collection::vec(any::<u32>(), 40)) {
        let line = |side: &str, index: usize| -> String {
            let words: Vec<&str> = (0..6).map(|word| WORDS[(index + word) % WORDS.len()]).collect();
            format!("{side}{index} {}", words.join(" "))
        };
        let (left, right): (Vec<String>, Vec<String>) =
            (0..20).map(|index| (line("left", index), line("right", index))).unzip();
        let lefts: Vec<&str> = left.iter().map(String::as_str).collect();
        let rights: Vec<&str> = right.iter().map(String::as_str).collect();
        let mut page: Vec<_> = [column(50.0, 700.0, &lefts), column(330.0, 700.0, &rights)].concat();
        let mut keys = seed.iter();
        page.sort_by_cached_key(|_| keys.next());
        let document = read("page.pdf", &pdf(&[page]));
        let text: String = document.blocks.iter().map(|block| format!("{} ", block.text)).collect();
        let order: Vec<&str> =
            text.split_whitespace().filter(|word| word.starts_with("left") || word.starts_with("right")).collect();
        let wanted: Vec<String> =
            (0..20).map(|index| format!("left{index}")).chain((0..20).map(|index| format!("right{index}"))).collect();
        prop_assert_eq!(order, wanted);
    }
}
