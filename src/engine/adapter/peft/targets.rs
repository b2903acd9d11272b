//! Which linear layers an `adapter_config.json` adapts, and at which rank and alpha: PEFT's rules.

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::pattern::{ModulePattern, short};

/// Texts that name modules or layers. A large model has some thousand linear layers, and each is compared with all.
const MOST_NAMES: usize = 1 << 14;
/// Texts that are regular expressions; each is compiled.
const MOST_PATTERNS: usize = 1 << 11;

/// Refuses a list that would be compared with each module for minutes.
fn at_most(count: usize, most: usize, key: &str) -> Result<()> {
    ensure!(count <= most, "its {key} has {count} entries, more than any adapter's ({most})");
    Ok(())
}

/// One text, or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a text or a list of texts")]
pub(super) enum OneOrSeveral {
    One(String),
    Several(Vec<String>),
}

impl OneOrSeveral {
    fn is_empty(&self) -> bool {
        match self {
            Self::One(text) => text.is_empty(),
            Self::Several(texts) => texts.is_empty(),
        }
    }

    fn list(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Several(texts) => texts,
        }
    }
}

/// One layer, or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a layer's number or a list of them")]
pub(super) enum Layers {
    One(usize),
    Several(Vec<usize>),
}

/// The keys that choose layers.
#[derive(Debug, Default, Deserialize)]
pub(super) struct AdaptedModules {
    target_modules: Option<OneOrSeveral>,
    exclude_modules: Option<OneOrSeveral>,
    layers_to_transform: Option<Layers>,
    layers_pattern: Option<OneOrSeveral>,
}

/// Adapted where a file names nothing.
const BY_DEFAULT: [&str; 3] = ["q_proj", "v_proj", "qkv_proj"];

/// A list of names, each a path's end; or a regular expression over whole paths.
#[derive(Debug)]
enum ModuleNames {
    All,
    Ends(Vec<String>),
    Whole(ModulePattern),
}

impl ModuleNames {
    fn of(given: &OneOrSeveral) -> Result<Self> {
        Ok(match given {
            OneOrSeveral::One(pattern) => Self::Whole(ModulePattern::whole(pattern)?),
            OneOrSeveral::Several(names) => Self::Ends(names.clone()),
        })
    }

    fn matches(&self, path: &str) -> Result<bool> {
        let is_end = |name: &String| {
            path == name || path.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.'))
        };
        match self {
            Self::All => Ok(true),
            Self::Ends(names) => Ok(names.iter().any(is_end)),
            Self::Whole(pattern) => pattern.matches(path),
        }
    }
}

/// The linear layers that are adapted.
#[derive(Debug)]
pub(super) struct Targets {
    names: ModuleNames,
    excluded: Option<ModuleNames>,
    /// Where they aren't all: which, and what stands before a layer's number.
    layers: Option<(Vec<usize>, Vec<ModulePattern>)>,
}

impl Targets {
    /// # Errors
    /// Where a pattern can't be read, or keys contradict each other.
    pub(super) fn of(choice: &AdaptedModules) -> Result<Self> {
        let names = match &choice.target_modules {
            // What PEFT takes for these architectures; it writes names when it saves.
            None => ModuleNames::Ends(BY_DEFAULT.map(str::to_owned).to_vec()),
            Some(OneOrSeveral::One(all)) if all.eq_ignore_ascii_case("all-linear") => ModuleNames::All,
            Some(given) => {
                at_most(given.list().len(), MOST_NAMES, "target_modules")?;
                ModuleNames::of(given).context("read target_modules")?
            }
        };
        let excluded = choice.exclude_modules.as_ref().filter(|given| !given.is_empty());
        at_most(excluded.map_or(0, |given| given.list().len()), MOST_NAMES, "exclude_modules")?;
        let layers = match &choice.layers_to_transform {
            None => None,
            Some(Layers::One(layer)) => Some(vec![*layer]),
            Some(Layers::Several(layers)) if layers.is_empty() => None,
            Some(Layers::Several(layers)) => Some(layers.clone()),
        };
        at_most(layers.as_ref().map_or(0, Vec::len), MOST_NAMES, "layers_to_transform")?;
        let before = choice.layers_pattern.as_ref().filter(|given| !given.is_empty());
        at_most(before.map_or(0, |given| given.list().len()), MOST_PATTERNS, "layers_pattern")?;
        if matches!(names, ModuleNames::Whole(_))
            && (choice.layers_to_transform.is_some() || before.is_some())
        {
            bail!(
                "its target_modules are a regular expression, which has no layers_to_transform and no layers_pattern"
            );
        }
        let before = match before {
            None => vec![ModulePattern::before_number(r"[^.]*")?],
            Some(given) => given
                .list()
                .iter()
                .map(|pattern| ModulePattern::before_number(pattern))
                .collect::<Result<_>>()
                .context("read layers_pattern")?,
        };
        Ok(Self {
            names,
            excluded: excluded.map(ModuleNames::of).transpose().context("read exclude_modules")?,
            layers: layers.map(|layers| (layers, before)),
        })
    }

    /// Whether PEFT adapts the module at a path (`model.layers.3.self_attn.q_proj`).
    ///
    /// # Errors
    /// Where a pattern takes too long.
    pub(super) fn name(&self, path: &str) -> Result<bool> {
        if let Some(excluded) = &self.excluded
            && excluded.matches(path)?
        {
            return Ok(false);
        }
        if !self.names.matches(path)? {
            return Ok(false);
        }
        // A name that is the whole path is meant whatever its layer.
        let exact = matches!(&self.names, ModuleNames::Ends(names) if names.iter().any(|name| name == path));
        let Some((layers, before)) = self.layers.as_ref().filter(|_| !exact) else { return Ok(true) };
        for pattern in before {
            if let Some(layer) = pattern.number(path)? {
                return Ok(layers.contains(&layer));
            }
        }
        Ok(false)
    }
}

/// Values by module, as `rank_pattern` and `alpha_pattern` give them: the first expression that matches counts.
#[derive(Debug)]
pub(super) struct ByModule<T>(Vec<(ModulePattern, T)>);

impl<T: Copy> ByModule<T> {
    /// # Errors
    /// Where a key is no regular expression, or `value` is none of the values.
    pub(super) fn of(
        key: &str,
        given: Option<&Map<String, Value>>,
        value: impl Fn(&Value) -> Option<T>,
    ) -> Result<Self> {
        at_most(given.map_or(0, Map::len), MOST_PATTERNS, key)?;
        let read = |(pattern, given): (&String, &Value)| {
            let told = || format!("{:?} is {}", short(pattern), short(&given.to_string()));
            let value = value(given).with_context(told)?;
            Ok((ModulePattern::at_end(pattern)?, value))
        };
        let list = given.into_iter().flatten().map(read).collect::<Result<Vec<_>>>();
        Ok(Self(list.with_context(|| format!("read {key}"))?))
    }

    /// # Errors
    /// Where an expression takes too long.
    pub(super) fn get(&self, path: &str) -> Result<Option<T>> {
        for (pattern, value) in &self.0 {
            if pattern.matches(path)? {
                return Ok(Some(*value));
            }
        }
        Ok(None)
    }
}
