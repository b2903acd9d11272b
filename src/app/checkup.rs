//! `dojo doctor`: whether everything that Dojo leans on is there, and what to do where it isn't.

use std::io::IsTerminal;
use std::path::Path;

use serde::Serialize;
use sysinfo::{DiskRefreshKind, Disks};

use crate::app::{models, studio};
use crate::config::Folders;
use crate::domain::device::DeviceName;
use crate::domain::protocol::models::ModelKind;
use crate::domain::teacher::TeacherSettings;
use crate::engine::device::{self, ComputeDevice};
use crate::ui::layout::SMALLEST;
use crate::ui::theme::Depth;
use crate::ui::widgets::text;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckupItem {
    pub name: &'static str,
    pub state: CheckupState,
    /// What was found.
    pub found: String,
    /// What to do; empty where all is well.
    pub todo: String,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckupState {
    Ok,
    /// Dojo works, but something is missing or could be better.
    Advice,
    /// Something that everyone needs does not work.
    Broken,
}

/// Memory below this is little for training the default model.
const LITTLE_MEMORY: u64 = 3_000_000_000;
/// Room below this is little for models and checkpoints.
const LITTLE_DISK: u64 = 2_000_000_000;

/// Looks at everything, in the order in which a person would ask.
#[must_use]
pub fn examine(folders: &Folders) -> Vec<CheckupItem> {
    let read = |name: &str| std::env::var(name).ok();
    vec![
        terminal(),
        colours(&read),
        letters(&read),
        clipboard(&read),
        device(),
        memory(),
        folder(folders),
        disk(&folders.data),
        settings(folders),
        base_models(folders),
        teachers(folders, &read),
        retrieval(),
    ]
}

fn ok(name: &'static str, found: impl Into<String>) -> CheckupItem {
    CheckupItem { name, state: CheckupState::Ok, found: found.into(), todo: String::new() }
}

fn advice(name: &'static str, found: impl Into<String>, todo: impl Into<String>) -> CheckupItem {
    CheckupItem { name, state: CheckupState::Advice, found: found.into(), todo: todo.into() }
}

fn broken(name: &'static str, found: impl Into<String>, todo: impl Into<String>) -> CheckupItem {
    CheckupItem { name, state: CheckupState::Broken, found: found.into(), todo: todo.into() }
}

fn terminal() -> CheckupItem {
    if !std::io::stdout().is_terminal() {
        return ok("terminal", "none here: the subcommands work, the studio needs one");
    }
    let term = std::env::var("TERM").unwrap_or_default();
    match crossterm::terminal::size() {
        Ok((columns, rows)) if columns < SMALLEST.0 || rows < SMALLEST.1 => advice(
            "terminal",
            format!("{term}, {columns}x{rows}"),
            format!("the studio needs {}x{}; make the window larger", SMALLEST.0, SMALLEST.1),
        ),
        Ok((columns, rows)) => ok("terminal", format!("{term}, {columns}x{rows}")),
        Err(error) => broken("terminal", error.to_string(), "try another terminal"),
    }
}

fn colours(read: &impl Fn(&str) -> Option<String>) -> CheckupItem {
    let depth = Depth::from_environment(read);
    match depth {
        Depth::Full | Depth::Indexed => ok("colours", depth.name()),
        Depth::Sixteen => advice(
            "colours",
            depth.name(),
            "themes look best with 24 bits: set COLORTERM=truecolor if the terminal can, or pick the theme Terminal",
        ),
        Depth::None => {
            ok("colours", "none (NO_COLOR, or a terminal without): weights and signs carry the meaning")
        }
    }
}

/// The line that shows whether the font has what charts are drawn with.
pub const BRAILLE: &str = "⠁⠃⠇⡇⣇⣧⣷⣿ ⢀⣀⣄⣤⣦⣶⣾⣿ ⠉⠒⠤⣀ ▁▂▃▄▅▆▇█ ①②③ ✓✗●◌ ─╭╮";

fn letters(read: &impl Fn(&str) -> Option<String>) -> CheckupItem {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| read(name).filter(|value| !value.is_empty()));
    match locale {
        Some(locale) if locale.to_lowercase().replace('-', "").contains("utf8") => ok("letters", locale),
        Some(locale) => advice(
            "letters",
            locale,
            "set LANG to a UTF-8 locale, C.UTF-8 for instance, or charts may come out as '?'",
        ),
        None => advice("letters", "no locale is set", "set LANG=C.UTF-8 if charts come out as '?'"),
    }
}

fn clipboard(read: &impl Fn(&str) -> Option<String>) -> CheckupItem {
    if read("TMUX").is_some() {
        return ok("clipboard", "OSC 52 within tmux; where copying fails: tmux set -s set-clipboard on");
    }
    ok("clipboard", "OSC 52, also over SSH, where the terminal allows it")
}

fn device() -> CheckupItem {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let processor = format!("{cores} cores");
    match device::choose(DeviceName::Auto) {
        Ok(ComputeDevice::Device(card)) => {
            ok("device", format!("{} trains; {processor} generate", device::describe(&card)))
        }
        Ok(ComputeDevice::Cpu) | Err(_) => {
            ok("device", format!("cpu, {processor}; {}", device::built_with()))
        }
    }
}

fn memory() -> CheckupItem {
    let machine = studio::machine();
    let free = machine.memory_total_bytes.saturating_sub(machine.memory_used_bytes);
    let found = format!("{} free of {}", text::bytes(free), text::bytes(machine.memory_total_bytes));
    if free < LITTLE_MEMORY {
        return advice("memory", found, "close other programs, or train with a smaller batch and max_length");
    }
    ok("memory", found)
}

fn folder(folders: &Folders) -> CheckupItem {
    let found = folders.data.display().to_string();
    let probe = folders.data.join(format!(".probe-{}", std::process::id()));
    let tried = std::fs::create_dir_all(&folders.data)
        .and_then(|()| std::fs::write(&probe, b"dojo"))
        .and_then(|()| std::fs::remove_file(&probe));
    match tried {
        Ok(()) => ok("folder", found),
        Err(error) => broken(
            "folder",
            format!("{found}: {error}"),
            "make it writable, or set DOJO_HOME to a folder that is",
        ),
    }
}

fn disk(folder: &Path) -> CheckupItem {
    let disks = Disks::new_with_refreshed_list_specifics(DiskRefreshKind::nothing().with_storage());
    let Ok(disks) = disks else {
        return advice("disk", "could not be read", "see that there is room for models");
    };
    let path = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let holding = disks.iter().filter(|disk| path.starts_with(disk.mount_point()));
    let Some(disk) = holding.max_by_key(|disk| disk.mount_point().components().count()) else {
        return advice("disk", "could not be read", "see that there is room for models");
    };
    let found = format!("{} free at {}", text::bytes(disk.available_space()), disk.mount_point().display());
    if disk.available_space() < LITTLE_DISK {
        return advice("disk", found, "make room, or set DOJO_HOME to a folder on another disk");
    }
    ok("disk", found)
}

fn settings(folders: &Folders) -> CheckupItem {
    let path = folders.settings.join("settings.toml");
    match folders.load_settings() {
        Ok(_) if path.exists() => ok("settings", path.display().to_string()),
        Ok(_) => ok("settings", format!("none; they would be in {}", path.display())),
        Err(error) => broken("settings", format!("{error:#}"), "mend the line, or move the file away"),
    }
}

fn base_models(folders: &Folders) -> CheckupItem {
    let listed = match models::list(folders, None) {
        Ok(listed) => listed,
        Err(error) => return broken("models", format!("{error:#}"), "make the folder readable"),
    };
    let names: Vec<&str> = listed
        .iter()
        .filter(|model| model.kind == ModelKind::Base)
        .map(|model| model.name.as_str())
        .collect();
    if names.is_empty() {
        let found = format!("none in {}", folders.models().display());
        return advice(
            "models",
            found,
            "dojo pull smollm2-135m (98 MB) brings the default one; training does it too",
        );
    }
    ok("models", names.join(", "))
}

/// Whether the settings' teachers and embedders have their keys; no one is called, since a call may cost money.
fn teachers(folders: &Folders, read: &impl Fn(&str) -> Option<String>) -> CheckupItem {
    let Ok(settings) = folders.load_settings() else {
        return advice("teachers", "unknown, since the settings can't be read", "mend the settings first");
    };
    let teachers = settings.teachers.into_iter();
    let embedders =
        settings.embedders.into_iter().map(|(name, one)| (format!("{name} (embeds)"), one.endpoint()));
    let endpoints: Vec<(String, TeacherSettings)> = teachers.chain(embedders).collect();
    if endpoints.is_empty() {
        return ok("teachers", "none named; training and chat need none, dojo reflect and dojo judge do");
    }
    let names: Vec<&str> = endpoints.iter().map(|(name, _)| name.as_str()).collect();
    if let Some((name, _)) = endpoints.iter().find(|(_, endpoint)| endpoint.misplaces_key()) {
        return advice(
            "teachers",
            format!("key_env of {name} is no name of an environment variable, but perhaps a key"),
            "put the key into a variable, and the variable's name into key_env",
        );
    }
    let missing: Vec<&str> = endpoints
        .iter()
        .filter_map(|(_, endpoint)| endpoint.key_env.as_deref())
        .filter(|name| read(name).is_none_or(|key| key.is_empty()))
        .collect();
    if missing.is_empty() {
        return ok("teachers", names.join(", "));
    }
    advice("teachers", names.join(", "), format!("set {} before they are asked", missing.join(" and ")))
}

fn retrieval() -> CheckupItem {
    advice("retrieval", "not in this build", "nothing to do: chat answers without sources")
}
