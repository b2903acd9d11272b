//! `src/core/blueprint`.

mod parse;
mod plan;

/// A whole blueprint of two subtopics, two forms and a column that depends on another.
pub(crate) const BREAD: &str = r#"name = "bread"
domain = "Baking bread"

[principles]
final = "Bread is a foam that is set by heat."
explanatory = "Yeast makes gas and gluten holds it."
core_logic = "Too little gas, weak walls, or set too late?"
compression = "Make gas, hold gas, set the walls."

[map]
topic = "From flour to loaf"
evolutions = [
    { name = "old", about = "by feel" },
    { name = "measured", about = "by weight" },
    { name = "understood", about = "as chemistry" },
    { name = "adapted", about = "to other flours" },
]

[[map.subtopics]]
name = "fermentation"
weight = 3
evolutions = ["a starter", "its share", "its acids", "a cold night"]

[[map.subtopics]]
name = "dough"

[[forms]]
name = "principles"
ask = ["Why {{ evolution_here }}?", "Explain {{ subtopic }}."]
write = "Explain it to {{ audience }}."
sections = ["Final Principle", "Why"]
words = [5, 60]

[[forms]]
name = "free"
write = "Write a question of {{ audience }} at the level {{ level }}, and answer it."

[columns.level]
on = "audience"
values = ["easy"]
when.baker = { hard = 3, harder = 1 }

[columns.audience]
values = { beginner = 3, baker = 1 }

[plan]
count = 40
seed = 5
"#;
