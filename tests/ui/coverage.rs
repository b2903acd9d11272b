//! What is written of blueprints, in the Data pane.

use dojo_studio::domain::coverage::{BlueprintCoverage, CellCoverage, CellName};
use dojo_studio::domain::protocol::{DataEvent, Event};

use super::data::studio;
use crate::ui::harness::Harness;

fn cell(
    subtopic: &str,
    evolution: &str,
    [planned, kept, approved, refused, rejected]: [u64; 5],
) -> CellCoverage {
    let cell = CellName { subtopic: subtopic.into(), evolution: evolution.into(), form: "principles".into() };
    CellCoverage { cell, planned, kept, approved, refused, rejected }
}

fn coverage(studio: &mut Harness) {
    let cells = vec![
        cell("networking and subnets", "classical", [10, 10, 4, 0, 1]),
        cell("networking and subnets", "declarative", [10, 6, 1, 2, 6]),
        cell("observability", "adaptive", [5, 0, 0, 0, 0]),
    ];
    let one = BlueprintCoverage { blueprint: "devops".into(), cells };
    studio.apply(Event::Data(DataEvent::CoverageRead(vec![one])));
}

#[test]
fn b_shows_each_cell_with_its_bar_and_enter_its_records() {
    let mut studio = studio();
    studio.keys("b");
    assert!(studio.screen().contains("No blueprint was expanded in this session."), "{}", studio.screen());
    coverage(&mut studio);
    insta::assert_snapshot!(studio.screen());
    studio.keys("down enter");
    let filter = r#"source:"expand:devops" tag:"networking and subnets" tag:"declarative" tag:"princip"#;
    assert!(studio.screen().contains(filter), "{}", studio.screen());
}

#[test]
fn on_a_narrow_screen_names_are_cut_and_figures_stay() {
    let mut studio = studio().size(80, 24);
    coverage(&mut studio);
    studio.keys("b");
    insta::assert_snapshot!(studio.screen());
    studio.keys("? /");
    studio.text("blueprint");
    assert!(studio.screen().contains("Show what is written of blueprints"), "{}", studio.screen());
}
