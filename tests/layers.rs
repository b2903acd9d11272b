//! The layer rule of `src/lib.rs`, kept by reading the paths of the sources, those from `crate` and those from `super`.
//!
//! The compiler keeps the three crates apart; here a module has one name, in whichever crate it lives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Who may import whom. A path is matched by its longest entry; a module may always import itself.
const RULES: &[(&str, &[&str])] = &[
    ("ground", &[]),
    ("domain", &["ground"]),
    ("config", &["ground", "domain"]),
    ("blueprint", &["ground", "domain", "task"]),
    ("session", &["ground", "domain", "data"]),
    ("data", &["ground", "domain"]),
    ("task", &["ground", "domain", "data"]),
    ("teacher", &["ground", "domain", "data", "task", "blueprint", "session"]),
    ("rag", &["ground", "domain", "data", "session"]),
    ("reward", &["ground", "domain", "data", "task"]),
    ("eval", &["ground", "domain", "data", "task", "reward"]),
    ("engine", &["ground", "domain", "data"]),
    ("engine/model", &["ground", "domain", "data"]),
    ("engine/kernels", &["ground", "domain", "engine::model"]),
    ("engine/adapter", &["ground", "domain", "data", "engine::model", "engine::kernels"]),
    ("engine/device", &["ground", "domain", "engine::model", "engine::kernels"]),
    ("engine/hub", &["ground", "domain", "data", "engine::disk", "engine::model", "engine::embed"]),
    ("engine/embed", &["ground", "domain", "data", "engine::model", "engine::kernels"]),
    (
        "engine/generate",
        &[
            "ground",
            "domain",
            "data",
            "engine::model",
            "engine::kernels",
            "engine::adapter",
            "engine::device",
            "engine::priority",
        ],
    ),
    (
        "engine/export",
        &[
            "ground",
            "domain",
            "data",
            "engine::model",
            "engine::kernels",
            "engine::adapter",
            "engine::device",
            "engine::disk",
            "engine::generate",
        ],
    ),
    (
        "engine/train",
        &[
            "ground",
            "domain",
            "data",
            "engine::model",
            "engine::kernels",
            "engine::adapter",
            "engine::device",
        ],
    ),
    ("serve", &["ground", "domain", "engine", "rag"]),
    ("app/store", &["ground", "domain"]),
    ("ui", &["ground", "domain", "app::store"]),
];

/// These may import everything.
const TOP: &[&str] = &["app", "cli", "main", "lib"];

#[test]
fn no_module_imports_what_stands_above_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let breaches: Vec<String> = rust_files(&source).iter().flat_map(|file| breaches(&source, file)).collect();
    assert_eq!(breaches, Vec::<String>::new());
}

#[test]
fn no_source_file_is_longer_than_400_lines() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let long: Vec<String> = rust_files(&source)
        .iter()
        .filter_map(|file| {
            let lines = std::fs::read_to_string(file).expect("read a source file").lines().count();
            (lines > 400)
                .then(|| format!("{}: {lines} lines", file.strip_prefix(&source).unwrap_or(file).display()))
        })
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

/// Parts of a layer that import each other: none more than these, which are still to be taken apart.
const CIRCLES: &[&[&str]] = &[
    &["cli/generate", "cli/generate_batch", "cli/loading"],
    &["data/chat", "data/shown"],
    &["data/control", "data/stretch"],
    &["data/import", "data/sample"],
    &["serve/parts", "serve/worker"],
    &["serve/completions", "serve/embeddings", "serve/hosted", "serve/reply", "serve/shelf"],
];

/// The library is built without its own test harness: a test inside it would never run.
#[test]
fn no_test_stands_where_nothing_runs_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let marked =
        |file: &PathBuf| std::fs::read_to_string(file).expect("read a source file").contains("cfg(test)");
    let found: Vec<PathBuf> = rust_files(&source).into_iter().filter(marked).collect();
    assert!(found.is_empty(), "tests belong under tests/: {found:?}");
}

#[test]
fn parts_of_a_layer_import_each_other_in_one_direction() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut imports_of: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let modules: BTreeSet<String> = rust_files(&source).iter().map(|file| module_of(&source, file)).collect();
    for file in rust_files(&source) {
        let module = module_of(&source, &file);
        let Some((layer, part)) = module.split_once('/') else { continue };
        let own = format!("{layer}/{}", part.split('/').next().unwrap_or(part));
        for path in all_imports(&std::fs::read_to_string(&file).expect("read a source file"), &module) {
            let mut parts = path.split("::");
            let (Some(other), Some(part)) = (parts.next(), parts.next()) else { continue };
            let other_part = format!("{other}/{part}");
            // A module, and not a type or a function at the layer's top.
            let is_module = modules.contains(&other_part)
                || modules.iter().any(|module| module.starts_with(&format!("{other_part}/")));
            if other == layer && other_part != own && is_module {
                imports_of.entry(own.clone()).or_default().insert(other_part);
            }
        }
    }
    let reached = |from: &String| {
        let (mut seen, mut left) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(next) = left.pop() {
            let new = imports_of.get(&next).into_iter().flatten().filter(|to| seen.insert((*to).clone()));
            left.extend(new.cloned());
        }
        seen
    };
    let all: BTreeMap<&String, BTreeSet<String>> =
        imports_of.keys().map(|part| (part, reached(part))).collect();
    let mut circles: BTreeSet<Vec<&str>> = BTreeSet::new();
    for (part, reaches) in &all {
        let together = all.iter().filter(|(other, back)| reaches.contains(**other) && back.contains(*part));
        let circle: Vec<&str> = together.map(|(other, _)| other.as_str()).collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    let known: BTreeSet<Vec<&str>> = CIRCLES.iter().map(|circle| circle.to_vec()).collect();
    assert_eq!(circles, known);
}

/// What a layer is made of is data: the places that compute layers ask the plan, and never which architecture it is.
#[test]
fn only_the_readers_and_writers_of_models_name_an_architecture() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let names = |file: &PathBuf| {
        let inside = file.strip_prefix(&source).expect("a file under src");
        let text = std::fs::read_to_string(file).expect("read a source file");
        let norms = ["Input", "PostAttention", "PreFeedForward", "PostFeedForward", "Query", "Key"];
        let named = norms.iter().any(|norm| text.contains(&format!("LayerNorm::{norm}")));
        let known = ["mistral", "qwen2", "qwen3", "gemma3", "gemma3_text", "smollm3", "granite"];
        let by_name = known.iter().any(|name| text.contains(&format!("== \"{name}\"")))
            || known.iter().any(|name| text.contains(&format!("Some(\"{name}\")")));
        // An export writes the names and keys that other programs read.
        let writes = inside.starts_with("engine/export");
        let outside =
            !inside.starts_with("engine/model") && (named || (text.contains("architecture::") && !writes));
        let own = inside.starts_with("engine/model/architecture") || writes;
        (outside || (by_name && !own && inside.starts_with("engine"))).then(|| inside.display().to_string())
    };
    let found: Vec<String> = rust_files(&source).iter().filter_map(names).collect();
    assert_eq!(found, Vec::<String>::new());
}

fn breaches(source: &Path, file: &Path) -> Vec<String> {
    let module = &*module_of(source, file);
    let Some((own, allowed)) = rule(module) else {
        let top = module.split('/').next().unwrap_or_default();
        let unknown = !TOP.contains(&top);
        return if unknown { vec![format!("{module}: no rule in tests/layers.rs")] } else { Vec::new() };
    };
    let own = own.replace('/', "::");
    all_imports(&std::fs::read_to_string(file).expect("read a source file"), module)
        .into_iter()
        .filter(|path| !within(path, &own) && !allowed.iter().any(|allowed| within(path, allowed)))
        .map(|path| format!("{module} imports crate::{path}"))
        .collect()
}

/// `app/records/writer` for its file; a folder's `mod.rs` is the folder, and `engine/lib.rs` the engine.
fn module_of(source: &Path, file: &Path) -> String {
    let inside = file.strip_prefix(source).expect("a file under src").with_extension("");
    let module = inside.to_string_lossy().replace('\\', "/");
    let module = module.strip_prefix("core/").unwrap_or(&module);
    module.strip_suffix("/mod").or(module.strip_suffix("/lib")).unwrap_or(module).to_owned()
}

fn all_imports(text: &str, module: &str) -> BTreeSet<String> {
    // Who may see something is no import.
    let text = text.replace("pub(in crate::", "pub(in ");
    let text = if module == "engine" || module.starts_with("engine/") {
        text.replace("crate::", "crate::engine::")
    } else {
        text
    };
    let text = text.replace("dojo_core::", "crate::").replace("dojo_engine::", "crate::engine::");
    imports(&text).into_iter().chain(relative_imports(&text, module)).collect()
}

fn rule(module: &str) -> Option<(&'static str, &'static [&'static str])> {
    RULES
        .iter()
        .filter(|(name, _)| module == *name || module.starts_with(&format!("{name}/")))
        .max_by_key(|(name, _)| name.len())
        .map(|&(name, allowed)| (name, allowed))
}

fn within(path: &str, module: &str) -> bool {
    path == module || path.starts_with(&format!("{module}::"))
}

/// Every `crate::a::b` in a source text, comments left out, the head of a `crate::{…}` group spelled out.
fn imports(text: &str) -> BTreeSet<String> {
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            let inside = group.split('}').next().unwrap_or_default();
            found
                .extend(inside.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()));
        } else {
            let end =
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
            found.insert(rest[..end].trim_end_matches(':').to_owned());
        }
    }
    found
}

/// Where a part of a text begins in it.
fn place(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

/// Every `super::super::a` in a source text, written from the crate's root.
fn relative_imports(text: &str, module: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        let mut rest = line;
        while let Some(at) = rest.find("super::") {
            rest = &rest[at..];
            let mut parts: Vec<&str> = module.split('/').collect();
            while let Some(after) = rest.strip_prefix("super::") {
                parts.pop();
                rest = after;
            }
            let end =
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
            let named = rest[..end].trim_end_matches(':');
            parts.extend(named.split("::").filter(|part| !part.is_empty()));
            // `super::{a, b::C}` names several, on one line or more.
            let several = rest[end..].starts_with('{').then(|| &text[place(text, rest) + end + 1..]);
            let several = several.and_then(|inside| inside.split('}').next()).unwrap_or_default();
            for one in several.split(',').filter(|one| !one.trim().is_empty()) {
                let name = one.trim().split("::").next().unwrap_or_default();
                found.insert(format!("{}::{name}", parts.join("::")));
            }
            found.insert(parts.join("::"));
        }
    }
    found
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("read a source folder") {
        let path = entry.expect("read a folder's entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}
