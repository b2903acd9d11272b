//! Reading blueprints: what ships is sound, and every mistake is named with its line and key.

use dojo_studio::blueprint::{Blueprint, EXAMPLE, SHIPPED, SeedOrder, cell_counts};

use super::BREAD;

fn problems(text: &str) -> Vec<String> {
    match Blueprint::parse(text, "b.toml") {
        Ok(_) => Vec::new(),
        Err(error) => error.to_string().lines().map(str::to_owned).collect(),
    }
}

/// The blueprint with one line in the place of another.
fn with(line: &str, other: &str) -> String {
    assert!(BREAD.contains(line), "{line}");
    BREAD.replacen(line, other, 1)
}

#[test]
fn every_blueprint_that_ships_is_sound_and_its_plan_reaches_every_cell() {
    let example = [("example", EXAMPLE)];
    for (name, text) in SHIPPED.into_iter().chain(example) {
        let blueprint = Blueprint::parse(text, name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(blueprint.name, name);
        let empty: Vec<_> = cell_counts(&blueprint, blueprint.count)
            .into_iter()
            .filter(|(_, planned)| *planned == 0)
            .collect();
        assert_eq!(empty, [], "{name}");
        for seed in SeedOrder::new(&blueprint).take(500) {
            let said = blueprint.question(&seed).expect("a question");
            let told = blueprint.instruction(&seed).expect("an instruction");
            for text in said.iter().chain([&told]) {
                assert!(!text.contains("{{") && !text.contains("()"), "{name}: {text}");
            }
        }
    }
}

#[test]
fn a_whole_blueprint_reads_with_its_columns_after_what_they_depend_on() {
    let blueprint = Blueprint::parse(BREAD, "b.toml").unwrap_or_else(|error| panic!("{error}"));
    let columns: Vec<&str> = blueprint.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["audience", "level"]);
    assert_eq!((blueprint.cell_count(), blueprint.count, blueprint.near_duplicate), (16, 40, 0.8));
}

#[test]
fn unknown_keys_are_refused_by_name_with_the_nearest_known_one() {
    let text = with("topic = \"From flour to loaf\"", "topic = \"From flour to loaf\"\nsubtopic = \"x\"");
    assert_eq!(
        problems(&text),
        ["b.toml, line 12: unknown key `map.subtopic`; the nearest known one is `subtopics`"]
    );
    let text = with("words = [5, 60]", "word = [5, 60]");
    assert_eq!(
        problems(&text),
        ["b.toml, line 32: unknown key `forms[1].word`; the nearest known one is `words`"]
    );
    let text = BREAD.replacen("domain", "xyzzy = 3\ndomain", 1);
    let said = problems(&text);
    assert!(
        said[0].starts_with("b.toml, line 2: unknown key `xyzzy`; known here are name, domain"),
        "{said:?}"
    );
}

#[test]
fn what_is_missing_or_of_another_kind_is_named_with_its_line() {
    let text = with("final = \"Bread is a foam that is set by heat.\"\n", "");
    assert_eq!(
        problems(&text),
        ["b.toml, line 4: `principles.final` is missing: the one sentence that everything here follows from"]
    );
    let text = with("seed = 5", "seed = -1");
    let whole = "must be a whole number from 0 to 9223372036854775807";
    assert_eq!(problems(&text), [format!("b.toml, line 48: `plan.seed` {whole}")]);
    let text = with("    { name = \"adapted\", about = \"to other flours\" },\n", "");
    assert_eq!(
        problems(&text),
        ["b.toml, line 12: `map.evolutions` has 3 entries; it needs 4, from the first stage on"]
    );
    let text = with("words = [5, 60]", "words = [60, 5]");
    assert!(problems(&text)[0].starts_with("b.toml, line 32: `forms[1].words` must be [least, most]"));
}

#[test]
fn templates_that_name_what_is_not_there_are_refused() {
    let text = with("Explain it to {{ audience }}.", "Explain it to {{ audiance }}.");
    assert_eq!(
        problems(&text),
        [
            "b.toml, line 30: `forms[1].write` names {{ audiance }}, which isn't there; the nearest is `audience`"
        ]
    );
    let text = with("Explain it to {{ audience }}.", "Explain it to {{ audience }.");
    assert!(problems(&text)[0].starts_with("b.toml, line 30: `forms[1].write` can't be read as a template"));
}

#[test]
fn columns_that_depend_on_nothing_or_on_each_other_are_refused() {
    let text = with("on = \"audience\"", "on = \"audiences\"");
    let said = problems(&text);
    assert_eq!(
        said[0],
        "b.toml, line 39: `columns.level.on` is \"audiences\", which is neither a column nor subtopic, evolution or \
         form; did you mean \"audience\"?"
    );
    let text = with("when.baker", "when.backer");
    let said = problems(&text);
    assert!(said[0].ends_with("is no value that it depends on; did you mean \"baker\"?"), "{said:?}");
    let text = with("values = [\"easy\"]\n", "");
    let said = problems(&text);
    assert!(said[0].contains("has no values for \"beginner\""), "{said:?}");
    let circle =
        with("[columns.audience]\n", "[columns.audience]\non = \"level\"\nwhen.easy = [\"beginner\"]\n");
    let said = problems(&circle);
    assert!(
        said.iter().any(|line| line.contains("depend on each other in a circle: level, audience")),
        "{said:?}"
    );
}

#[test]
fn names_that_are_there_twice_and_parts_without_letters_are_refused() {
    let text = with("name = \"dough\"", "name = \"fermentation\"");
    assert!(problems(&text)[0].contains("`map.subtopics` names \"fermentation\" twice"));
    let text = with("[\"Final Principle\", \"Why\"]", "[\"Final Principle\", \"final principle\"]");
    assert!(problems(&text)[0].contains("`forms[1].sections` has \"final principle\" twice"));
    let text = with("sections = [\"Final Principle\", \"Why\"]", "schema = '{\"type\": \"objekt\"}'");
    assert!(problems(&text)[0].contains("`forms[1].schema` can't be used"), "{:?}", problems(&text));
}

#[test]
fn damaged_toml_is_named_with_its_line() {
    let said = problems("name = \"x\"\ndomain = \n");
    assert!(said[0].starts_with("b.toml, line 2: this is not valid TOML"), "{said:?}");
}
