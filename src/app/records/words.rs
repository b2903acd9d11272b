//! What the data layer advises, in the words of the place where it is read: it speaks of options of a shell's command.

const OPTION: &str = "--map ";
const FORMAT: &str = ", or say it with --format";
const RECIPE: &str = " (data.map in a recipe)";

/// A sentence without options of a shell's command: what `--map part=column` does is done at the parts of the import's
/// page.
pub(super) fn in_studio(told: &str) -> String {
    let told = told.replace(RECIPE, "");
    // There the name is all that says it.
    let told = told.split(FORMAT).next().unwrap_or_default();
    let mut pieces = told.split(OPTION);
    let mut said = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find([' ', ';', ',', ')']).unwrap_or(piece.len());
        let (option, rest) = piece.split_at(end);
        said.push_str(&match option.split_once('=') {
            Some(("part", "column")) => "← → at its part of the import's page".to_owned(),
            Some(("unused", column)) => format!("`dojo data import PATH --map unused={column}`"),
            Some((part, "")) => format!("– for the part {part:?}"),
            Some((part, column)) => format!("{column} for the part {part:?}"),
            None => format!("{OPTION}{option}"),
        });
        said.push_str(rest);
    }
    said
}

/// The same sentence for who writes a recipe.
pub(crate) fn in_recipe(told: &str) -> String {
    told.replace(RECIPE, "").replace(OPTION, "data.map ")
}
