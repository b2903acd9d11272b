//! Intervals and tests against figures that are known from formulas and tables.

use dojo_studio::eval::statistics::bootstrap::{interval, paired, wilson};
use dojo_studio::eval::statistics::holm::adjusted;
use dojo_studio::eval::statistics::mcnemar::exact;
use dojo_studio::eval::statistics::rank::spearman;

fn near(given: f64, expected: f64, by: f64) {
    assert!((given - expected).abs() <= by, "{given}, not {expected}");
}

fn mean(values: &[f64], rows: &[usize]) -> Option<f64> {
    let sum: f64 = rows.iter().map(|&row| values[row]).sum();
    (!rows.is_empty()).then(|| sum / rows.len() as f64)
}

#[test]
fn the_interval_of_a_mean_is_as_wide_as_its_standard_error_says() {
    let values: Vec<f64> = (0..400).map(|n| f64::from(n % 2)).collect();
    let found = interval(400, 7, &|rows| mean(&values, rows)).unwrap();
    let half = 1.96 * (0.25_f64 / 400.0).sqrt();
    near(found.low, 0.5 - half, 0.006);
    near(found.high, 0.5 + half, 0.006);
    assert_eq!(interval(400, 7, &|rows| mean(&values, rows)), Some(found), "a seed gives one interval");
    assert_ne!(interval(400, 8, &|rows| mean(&values, rows)), Some(found));
    assert_eq!(interval(0, 7, &|_| Some(1.0)), None);
}

#[test]
fn a_paired_test_sees_a_small_difference_that_every_item_has_and_not_one_of_chance() {
    let noisy: Vec<f64> = (0..200).map(|n| f64::from((n * 37) % 101)).collect();
    let better: Vec<f64> = noisy.iter().map(|value| value + 0.5).collect();
    let of = |a: &[f64], b: &[f64]| {
        let (a, b) = (a.to_vec(), b.to_vec());
        paired(200, 3, &move |rows| Some(mean(&a, rows)? - mean(&b, rows)?)).unwrap()
    };
    let sure = of(&better, &noisy);
    near(sure.difference, 0.5, 1e-9);
    assert!(sure.p < 0.001, "{sure:?}");
    let shuffled: Vec<f64> = (0..200).map(|n| f64::from((n * 53 + 11) % 101)).collect();
    let chance = of(&shuffled, &noisy);
    assert!(chance.p > 0.2 && chance.interval.low < 0.0 && chance.interval.high > 0.0, "{chance:?}");
    let none = of(&noisy, &noisy);
    assert_eq!((none.difference, none.p), (0.0, 1.0));
}

#[test]
fn mcnemar_is_the_exact_binomial_test() {
    // 2 * P(at most k of n by a fair coin), by hand.
    near(exact(0, 5), 2.0 / 32.0, 1e-12);
    near(exact(8, 2), 2.0 * 56.0 / 1024.0, 1e-12);
    near(exact(2, 8), exact(8, 2), 0.0);
    near(exact(0, 0), 1.0, 0.0);
    near(exact(7, 7), 1.0, 0.0);
    // R: binom.test(40, 100)$p.value
    near(exact(40, 60), 0.05688793, 1e-7);
    assert!(exact(4000, 6000) < 1e-80);
}

#[test]
fn holm_multiplies_the_smallest_most_and_never_goes_down() {
    // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
    let given = adjusted(&[0.01, 0.04, 0.03, 0.005]);
    for (given, expected) in given.iter().zip([0.03, 0.06, 0.06, 0.02]) {
        near(*given, expected, 1e-12);
    }
    assert_eq!(adjusted(&[0.9, 0.8]), [1.0, 1.0]);
    assert_eq!(adjusted(&[]), Vec::<f64>::new());
}

#[test]
fn spearman_takes_ranks_and_shares_those_of_equals() {
    near(spearman(&[(1.0, 10.0), (2.0, 100.0), (3.0, 1000.0)]).unwrap(), 1.0, 1e-12);
    near(spearman(&[(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)]).unwrap(), -1.0, 1e-12);
    // Ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4: Pearson's is 4.5 / sqrt(4.5 * 5).
    let tied = spearman(&[(1.0, 1.0), (2.0, 3.0), (2.0, 2.0), (3.0, 4.0)]).unwrap();
    near(tied, 4.5 / (4.5_f64 * 5.0).sqrt(), 1e-12);
    assert_eq!(spearman(&[(1.0, 1.0), (1.0, 2.0)]), None);
}

#[test]
fn wilson_leaves_room_where_all_items_are_alike() {
    // 0 of 20: the upper end is z^2 / (n + z^2).
    let found = wilson(0, 20).unwrap();
    let square = 1.959_963_984_540_054_f64.powi(2);
    near(found.low, 0.0, 1e-12);
    near(found.high, square / (20.0 + square), 1e-12);
    assert_eq!(wilson(0, 0), None);
}
