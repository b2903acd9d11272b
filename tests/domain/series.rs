use std::sync::Arc;

use dojo_studio::domain::series::{
    Bucket, MetricChunk, MetricColumn, RUN_BUCKETS, RUN_SERIES, RunSeries, SERIES_BUCKETS, Series,
};
use proptest::prelude::*;

fn series(values: impl IntoIterator<Item = (u64, f64)>) -> Series {
    let mut series = Series::default();
    for (step, value) in values {
        series.push(step, value);
    }
    series
}

fn values(series: &Series) -> Vec<(u32, f32)> {
    series.finest().iter().map(|bucket| (bucket.last, bucket.close)).collect()
}

#[test]
fn the_later_value_of_a_step_counts_and_what_a_resumed_run_left_behind_is_dropped() {
    let series = series([(1, 5.0), (2, 4.0), (3, 3.0), (4, 2.0), (2, 4.5), (3, 3.5)]);
    assert_eq!(values(&series), [(1, 5.0), (2, 4.5), (3, 3.5)]);
    assert_eq!(series.latest(), Some((3, 3.5)));
}

#[test]
fn nan_and_infinity_are_counted_and_touch_no_mean() {
    let series = series([(1, 1.0), (2, f64::NAN), (3, f64::INFINITY), (4, 3.0)]);
    let all = series.whole().expect("values");
    assert_eq!((all.min, all.max, all.mean, all.count, all.bad), (1.0, 3.0, 2.0, 2, 2));
}

#[test]
fn a_million_values_stay_within_the_bound_and_keep_a_single_spike() {
    let spike = 777_777;
    let series = series((0..1_000_000).map(|step| (step, if step == spike { 1e6 } else { 1.0 })));
    assert!(series.finest().len() <= SERIES_BUCKETS, "{} buckets", series.finest().len());
    assert!(series.bytes() <= SERIES_BUCKETS * size_of::<Bucket>() * 3 / 2, "{} bytes", series.bytes());
    for want in [1, 100, 400, 10_000] {
        let level = series.level_for(0, 1_000_000, want);
        let shown = series.between(level, 0, 1_000_000);
        assert!(shown.len() >= want.min(series.finest().len()));
        let highest = shown.iter().map(|bucket| bucket.max).fold(0.0, f32::max);
        assert_eq!(highest.to_bits(), 1e6f32.to_bits(), "at {want} buckets");
    }
    assert_eq!(series.whole().map(|all| all.count), Some(1_000_000));
}

#[test]
fn a_run_of_many_metrics_shares_one_bound() {
    let names: Vec<Arc<str>> = (0..RUN_SERIES + 3).map(|at| Arc::from(format!("metric {at}"))).collect();
    let mut run = RunSeries::default();
    let steps: Vec<u64> = (0..40_000).collect();
    let values: Vec<f64> = steps.iter().map(|&step| step as f64).collect();
    for name in names {
        let column = MetricColumn { name, steps: steps.clone(), values: values.clone() };
        run.append(&MetricChunk { columns: vec![column], lines: 40_000, last_step: 39_999, unreadable: 0 });
    }
    assert_eq!(run.iter().count(), RUN_SERIES);
    assert_eq!(run.names_left_out(), 3);
    let buckets: usize = run.iter().map(|(_, series)| series.finest().len()).sum();
    assert!(buckets <= RUN_BUCKETS, "{buckets} buckets");
    assert!(
        run.iter()
            .all(|(_, series)| series.whole().is_some_and(|all| all.max.to_bits() == 39_999f32.to_bits()))
    );
}

#[test]
fn time_is_derived_from_tokens_and_speed_where_a_run_logs_none() {
    let column = |name: &str, values: &[f64]| MetricColumn {
        name: Arc::from(name),
        steps: vec![1, 2, 3],
        values: values.to_vec(),
    };
    let mut run = RunSeries::default();
    run.append(&MetricChunk {
        columns: vec![
            column("num_tokens", &[100.0, 200.0, 400.0]),
            column("tokens_per_second", &[50.0, 50.0, 100.0]),
        ],
        lines: 3,
        last_step: 3,
        unreadable: 0,
    });
    assert_eq!(values(run.elapsed()), [(1, 2.0), (2, 4.0), (3, 6.0)]);
}

#[test]
fn the_nearest_value_to_a_step_is_found() {
    let series = series([(10, 1.0), (20, 2.0)]);
    let near = |step| series.near(step).map(|bucket| bucket.close);
    assert_eq!([near(0), near(10), near(14), near(16), near(99)], [1.0, 1.0, 1.0, 2.0, 2.0].map(Some));
    assert_eq!(Series::default().near(3), None);
}

proptest! {
    /// Whatever is logged in whatever order: each level holds the same values, in order, and no extreme is lost.
    #[test]
    fn every_level_of_the_pyramid_agrees_with_the_finest(
        steps in prop::collection::vec((0u64..600, prop::num::f32::ANY), 1..1500),
        bound in 8usize..600,
    ) {
        let mut series = Series::default();
        series.bound(bound);
        for (step, value) in steps {
            series.push(step, f64::from(value));
        }
        let finest = series.finest().to_vec();
        prop_assert!(finest.len() <= bound);
        prop_assert!(finest.windows(2).all(|pair| pair[0].last < pair[1].first));
        for want in [1, 8, 64] {
            let level = series.between(series.level_for(0, 1000, want), 0, 1000);
            let count = |buckets: &[Bucket]| buckets.iter().map(|one| (one.count, one.bad)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
            prop_assert_eq!(count(level), count(&finest));
            let low = |buckets: &[Bucket]| buckets.iter().filter(|one| one.count > 0).map(|one| one.min).fold(f32::INFINITY, f32::min);
            let high = |buckets: &[Bucket]| buckets.iter().filter(|one| one.count > 0).map(|one| one.max).fold(f32::NEG_INFINITY, f32::max);
            prop_assert_eq!(low(level).to_bits(), low(&finest).to_bits());
            prop_assert_eq!(high(level).to_bits(), high(&finest).to_bits());
            prop_assert_eq!(level.last().map(|one| one.last), finest.last().map(|one| one.last));
        }
    }

    /// A run that is opened arrives in large pieces, one that is followed line by line: both look the same.
    #[test]
    fn values_in_pieces_make_the_same_pyramid_as_values_one_by_one(
        steps in prop::collection::vec((0u64..900, prop::num::f32::NORMAL), 1..900),
        piece in 1usize..300,
        bound in 8usize..400,
    ) {
        let (mut whole, mut single) = (Series::default(), Series::default());
        whole.bound(bound);
        single.bound(bound);
        for piece in steps.chunks(piece) {
            whole.extend(piece.iter().map(|&(step, value)| (step, f64::from(value))));
        }
        for &(step, value) in &steps {
            single.push(step, f64::from(value));
        }
        prop_assert_eq!(whole.finest(), single.finest());
        prop_assert_eq!(whole.latest(), single.latest());
        for level in 1..4 {
            let below = whole.between(level - 1, 0, 1000);
            let above = whole.between(level, 0, 1000);
            let count = |buckets: &[Bucket]| buckets.iter().map(Bucket::logged).sum::<u32>();
            prop_assert!(above.is_empty() || count(below) == count(above));
        }
    }
}
