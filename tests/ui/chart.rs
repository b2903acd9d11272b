//! Charts: series and view in, picture out.

use dojo_studio::domain::series::Series;
use dojo_studio::ui::theme::{Depth, Theme};
use dojo_studio::ui::widgets::chart::view::{Clip, Scale, StepDirection};
use dojo_studio::ui::widgets::chart::{
    Chart, ChartLine, ChartView, Dash, Emphasis, XAxis, XMap, axis, trace,
};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

fn series(values: impl IntoIterator<Item = (u64, f64)>) -> Series {
    let mut series = Series::default();
    for (step, value) in values {
        series.push(step, value);
    }
    series
}

/// A loss as it falls, with some noise that is the same each time.
fn loss(steps: u64) -> Series {
    series((1..=steps).map(|step| {
        let noise = ((step * 7919) % 101) as f64 / 101.0 - 0.5;
        (step, 1.8 + 1.3 * (-(step as f64) / 40.0).exp() + 0.15 * noise)
    }))
}

struct Picture<'a> {
    lines: Vec<(&'a str, &'a Series, XMap<'a>)>,
    view: ChartView,
    extent: (f64, f64),
}

impl<'a> Picture<'a> {
    fn of(series: &'a Series) -> Self {
        Self { lines: vec![("train", series, XMap::Step)], view: ChartView::default(), extent: (0.0, 120.0) }
    }

    fn and(mut self, label: &'a str, series: &'a Series) -> Self {
        self.lines.push((label, series, XMap::Step));
        self
    }

    fn view(mut self, change: impl FnOnce(&mut ChartView)) -> Self {
        change(&mut self.view);
        self
    }

    fn draw(&self, columns: u16, rows: u16) -> String {
        let themes = Theme::shipped(Depth::Full);
        let theme = &themes[0];
        let marks = [None, Some('•'), Some('◆')];
        let lines: Vec<ChartLine<'_>> = self
            .lines
            .iter()
            .zip(marks)
            .enumerate()
            .map(|(at, (&(label, series, map), mark))| ChartLine {
                label: label.to_owned(),
                series,
                detail: None,
                map,
                style: theme.series[at],
                dash: [Dash::Solid, Dash::Dashed, Dash::Dotted][at],
                mark,
            })
            .collect();
        let area = Rect::new(0, 0, columns, rows);
        let mut buffer = Buffer::empty(area);
        Chart {
            title: "loss",
            lines: &lines,
            view: &self.view,
            extent: self.extent,
            theme,
            emphasis: Emphasis::Focused,
        }
        .draw(&mut buffer, area);
        let rows = buffer.content.chunks(usize::from(columns.max(1)));
        let text = rows.map(|row| {
            row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()
        });
        text.collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn train_and_eval_share_a_chart() {
    let (train, eval) = (loss(118), series([(20, 2.5), (40, 2.2), (60, 2.0), (80, 1.93), (100, 1.88)]));
    insta::assert_snapshot!(Picture::of(&train).and("eval", &eval).draw(60, 14));
}

#[test]
fn smoothing_draws_a_line_through_the_values_and_a_log_scale_has_decades() {
    let train = series((1..=100).map(|step| (step, 1000.0 / (step * step) as f64)));
    let smooth = Picture::of(&train).view(|view| {
        view.smoothing = 0.9;
        view.scale = Scale::Log;
    });
    insta::assert_snapshot!(smooth.draw(60, 14));
}

#[test]
fn nan_is_a_gap_with_a_sign_at_the_bottom() {
    let broken = |step: u64| (40..60).contains(&step) || step == 90;
    let train = series((1..=118).map(|step| (step, if broken(step) { f64::NAN } else { 2.0 })));
    insta::assert_snapshot!(Picture::of(&train).draw(60, 8));
}

#[test]
fn the_cursor_shows_its_place_and_the_values_there() {
    let (train, eval) = (series((0..=120).map(|step| (step, step as f64))), series([(20, 5.0), (100, 50.0)]));
    let picture = Picture::of(&train).and("eval", &eval).view(|view| view.cursor = Some(60.0));
    let screen = picture.draw(60, 9);
    assert!(screen.contains("train 60.00") && screen.contains("step 60"), "{screen}");
    insta::assert_snapshot!(screen);
}

#[test]
fn an_empty_chart_a_single_point_and_a_constant_are_drawn() {
    let (empty, single, constant) =
        (Series::default(), series([(60, 0.5)]), series((0..100).map(|step| (step, 2e-4))));
    let all = [&empty, &single, &constant].map(|series| Picture::of(series).draw(40, 6));
    insta::assert_snapshot!(all.join("\n\n"));
}

#[test]
fn outliers_leave_the_chart_when_clipped() {
    let train =
        series((0..=120).map(|step| (step, if step == 50 { 1e4 } else { 2.0 - step as f64 / 120.0 })));
    let all = Picture::of(&train).draw(50, 8);
    let clipped = Picture::of(&train).view(|view| view.clip = Clip::Outliers).draw(50, 8);
    assert!(all.contains("10000") || all.contains("10k"), "{all}");
    insta::assert_snapshot!(clipped);
}

#[test]
fn a_spike_among_a_million_values_is_seen_at_any_width() {
    let train = series((0..1_000_000).map(|step| (step, if step == 654_321 { 9.0 } else { 1.0 })));
    for columns in [30u16, 80, 200] {
        let mut picture = Picture::of(&train);
        picture.extent = (0.0, 1e6);
        let screen = picture.draw(columns, 12);
        let top = screen.lines().nth(1).unwrap_or_default();
        assert!(
            top.chars().any(|sign| ('\u{2801}'..='\u{28ff}').contains(&sign)),
            "{columns} columns:\n{screen}"
        );
    }
}

#[test]
fn time_and_tokens_are_axes_too() {
    let train = loss(100);
    let seconds = series((1..=100).map(|step| (step, step as f64 * 12.0)));
    let mut picture = Picture::of(&train).view(|view| view.axis = XAxis::Time);
    picture.lines[0].2 = XMap::Through(&seconds);
    picture.extent = (0.0, 1200.0);
    insta::assert_snapshot!(picture.draw(70, 8));
    let map = XMap::Through(&seconds);
    assert_eq!([map.step(0.0), map.step(600.0), map.step(9e9)], [1, 50, 100]);
    assert!((map.x(50) - 600.0).abs() < 1e-6);
}

#[test]
fn a_detail_is_drawn_value_by_value_where_the_series_holds_several_in_a_bucket() {
    let value = |step: u64| (step % 2) as f64;
    let coarse = series((1..=300_000).map(|step| (step, value(step))));
    let detail = series((9_000..=9_100).map(|step| (step, value(step))));
    let traced = |detail| trace::trace((&coarse, detail), XMap::Step, (9_040.0, 9_060.0), 200, 0.9);
    let spans = |detail| traced(detail).iter().filter_map(|point| point.y).all(|span| span.min == span.max);
    assert!(!spans(None) && spans(Some(&detail)));
    let points = traced(Some(&detail));
    assert!(
        points.len() >= 21
            && points.iter().all(|point| {
                // The average's past comes from the whole series.
                point.smooth.is_some_and(|mean| (mean - 0.5).abs() < 0.06)
            }),
        "{points:?}"
    );
}

#[test]
fn smoothing_is_debiased_and_forgets_what_is_far_to_the_left() {
    let level = series((1..=2000).map(|step| (step, if step <= 1000 { 5.0 } else { 1.0 })));
    let smooth = |from: f64| trace::trace((&level, None), XMap::Step, (from, from + 20.0), 40, 0.9);
    let near = |value: Option<f64>, wanted: f64| value.is_some_and(|value| (value - wanted).abs() < 1e-3);
    assert!(near(smooth(1.0)[0].smooth, 5.0), "the first value is the mean of itself");
    assert!(near(smooth(1500.0)[0].smooth, 1.0));
    let after: Vec<f64> = smooth(1000.0).iter().filter_map(|point| point.smooth).collect();
    assert!(
        after.windows(2).all(|pair| pair[1] <= pair[0] + 1e-9)
            && after.last().is_some_and(|last| *last > 1.0)
    );
}

#[test]
fn zoom_keeps_the_cursor_in_place_and_pan_stays_inside() {
    let extent = (0.0, 1000.0);
    let mut view = ChartView { cursor: Some(250.0), ..ChartView::default() };
    view.zoom(0.5, extent);
    assert_eq!(view.window, Some((125.0, 625.0)));
    view.pan(-1.0, extent);
    assert_eq!(view.window, Some((0.0, 500.0)));
    view.pan(5.0, extent);
    assert_eq!(view.window, Some((500.0, 1000.0)));
    view.zoom(4.0, extent);
    assert_eq!(view.window, None);
    view.smooth(StepDirection::Up);
    view.smooth(StepDirection::Up);
    assert!((view.smoothing - 0.6).abs() < 1e-9);
    view.smooth(StepDirection::Down);
    assert!((view.smoothing - 0.3).abs() < 1e-9);
}

#[test]
fn numbers_are_short_and_ticks_are_round() {
    let short =
        [0.0, 1.84, -0.25, 12_500.0, 3_200_000.0, 2e-4, 271.0, f64::NAN, f64::NEG_INFINITY].map(axis::short);
    assert_eq!(short, ["0", "1.84", "-0.25", "12.5k", "3.2M", "2e-4", "271", "NaN", "-∞"]);
    assert_eq!(axis::ticks(0.0, 312.0, 3), [0.0, 200.0]);
    assert_eq!(axis::ticks(0.0, 312.0, 4), [0.0, 100.0, 200.0, 300.0]);
    assert_eq!(axis::time_ticks(0.0, 1000.0, 4), [0.0, 300.0, 600.0, 900.0]);
    assert_eq!(axis::log_ticks(-3.2, 1.1, 4), [-2.0, 0.0]);
    assert_eq!(
        [12.4, 60.0, 372.0, 7500.0, 90_061.0].map(axis::duration),
        ["12s", "1m", "6m12s", "2h05m", "1d1h"]
    );
}

proptest! {
    #[test]
    fn no_series_view_or_size_makes_a_chart_panic(
        values in prop::collection::vec((0u64..5000, prop::num::f64::ANY), 0..200),
        columns in 0u16..120, rows in 0u16..30,
        window in prop::option::of((prop::num::f64::ANY, prop::num::f64::ANY)),
        cursor in prop::option::of(prop::num::f64::ANY),
        smoothing in 0.0f64..1.0, log in any::<bool>(), clip in any::<bool>(),
    ) {
        let series = series(values);
        let mut picture = Picture::of(&series);
        picture.view = ChartView {
            window, cursor, smoothing,
            scale: if log { Scale::Log } else { Scale::Linear },
            clip: if clip { Clip::Outliers } else { Clip::None },
            ..ChartView::default()
        };
        picture.draw(columns, rows);
    }

    #[test]
    fn every_finite_number_has_a_short_form(value in prop::num::f64::ANY) {
        prop_assert!(axis::short(value).chars().count() <= 9, "{}", axis::short(value));
        prop_assert!(axis::exact(value).chars().count() <= 9, "{}", axis::exact(value));
    }
}
