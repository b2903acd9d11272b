//! The shipped themes and the person's own, from `themes/` in the settings folder.

use crate::config::Folders;
use crate::ui::theme::{Depth, Theme};

/// All themes, and a sentence for each file that could not be read. A person's theme takes the place of a shipped one
/// of the same name.
pub(super) fn load(folders: &Folders, depth: Depth) -> (Vec<Theme>, Vec<String>) {
    let mut themes = Theme::shipped(depth);
    let mut complaints = Vec::new();
    let Ok(entries) = std::fs::read_dir(folders.settings.join("themes")) else { return (themes, complaints) };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    for path in paths {
        let parsed = std::fs::read_to_string(&path)
            .map_err(|error| error.to_string())
            .and_then(|text| Theme::parse(&text, depth));
        match parsed {
            Ok(theme) => {
                themes.retain(|shipped| shipped.name != theme.name);
                themes.push(theme);
            }
            Err(why) => complaints.push(format!("theme {}: {why}", path.display())),
        }
    }
    (themes, complaints)
}
