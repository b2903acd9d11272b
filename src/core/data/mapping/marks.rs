//! Marks of somebody who goes through a table: ticks, crosses, an `x`. What one means may be told by the others of its
//! column only.

use std::collections::HashSet;

use serde_json::Value;

use super::excluded::{keeps_in, takes_out};
use super::rows::is_blank;
use super::words::{agrees, yes_or_no};
use crate::domain::record::Fields;
use crate::domain::unseen::is_ignorable;

/// What a mark says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Yes: a tick, a thumb up, a ring.
    Tick,
    /// No: a cross, a thumb down, a box that is left empty.
    Cross,
    /// That somebody marked it: beside blanks a yes, beside ticks a no.
    X,
}

const TICKS: &str = "\u{2713}\u{2714}\u{2611}\u{2705}\u{1f5f8}\u{1f5f9}\u{221a}\u{1f44d}\u{1f44c}\u{1f197}\u{25cb}\
                     \u{25ef}\u{2b55}";
const CROSSES: &str = "\u{2717}\u{2718}\u{274c}\u{2716}\u{274e}\u{2715}\u{d7}\u{2613}\u{2610}\u{1f5d9}\u{1f5f4}\
                       \u{1f5f5}\u{1f5f6}\u{1f5f7}\u{1f44e}\u{1f6ab}\u{26d4}\u{25a1}\u{25a2}\u{25fb}\u{2b1c}\u{1f532}";
const EXES: &str = "xX*+\u{2612}\u{2022}\u{25cf}\u{26ab}\u{2b24}\u{25c9}\u{1f518}\
                    \u{25a0}\u{25a3}\u{25fc}\u{2b1b}";

impl Mark {
    /// The mark that a text is, and nothing else; a variant or the colour of a hand doesn't count.
    pub(super) fn of(text: &str) -> Option<Self> {
        let is_varied = |sign: char| is_ignorable(sign) || matches!(sign, '\u{1f3fb}'..='\u{1f3ff}');
        let mut signs = text.trim().chars().filter(|sign| !is_varied(*sign));
        let sign = signs.next().filter(|_| signs.next().is_none())?;
        let is = |marks: &str| marks.contains(sign);
        match sign {
            _ if is(TICKS) => Some(Self::Tick),
            _ if is(CROSSES) => Some(Self::Cross),
            _ if is(EXES) => Some(Self::X),
            _ => None,
        }
    }

    pub(super) fn of_value(value: &Value) -> Option<Self> {
        value.as_str().and_then(Self::of)
    }
}

/// What a file's first rows say of marks and blanks in columns that keep rows in or leave them out.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Marked {
    /// Columns that keep rows in and in which nothing but yes and blanks is: a blank leaves a row out.
    by_blank: HashSet<String>,
    /// Those in which an `x` stands beside a yes: it is a no.
    by_x: HashSet<String>,
    /// Columns that leave rows out and in which nothing but crosses and blanks is: a cross marks a row.
    by_cross: HashSet<String>,
    /// Those in which nothing but full and empty circles or boxes is: a full one is a yes, and an empty one is a no.
    by_circle: HashSet<String>,
}

const FULL: &str = "\u{25cf}\u{26ab}\u{2b24}\u{25c9}\u{1f518}\u{25a0}\u{25a3}\u{25fc}\u{2b1b}";
const EMPTY: &str =
    "\u{25cb}\u{25ef}\u{2b55}\u{26aa}\u{25cc}\u{2b58}\u{25a1}\u{25a2}\u{25fb}\u{2b1c}\u{1f532}";

/// Whether a text is a full circle or box, or an empty one.
fn circle(text: &str) -> Option<bool> {
    let mut signs = text.trim().chars().filter(|sign| !is_ignorable(*sign));
    let sign = signs.next().filter(|_| signs.next().is_none())?;
    if FULL.contains(sign) { Some(true) } else { EMPTY.contains(sign).then_some(false) }
}

impl Marked {
    pub(super) fn of(sample: &[Fields]) -> Self {
        let mut marked = Self::default();
        let names: HashSet<&String> = sample.iter().flat_map(Fields::keys).collect();
        let circles = |name: &str| {
            let said = sample.iter().filter_map(|row| row.get(name)).filter(|value| !is_blank(value));
            let found: Option<HashSet<bool>> = said.map(|value| circle(value.as_str()?)).collect();
            // One kind alone is a mark like others.
            found.is_some_and(|found| found.len() == 2)
        };
        marked.by_circle = names.iter().filter(|name| circles(name)).map(|name| (*name).clone()).collect();
        for name in names.into_iter().filter(|name| keeps_in(name) || takes_out(name)) {
            let said: Vec<&Value> =
                sample.iter().filter_map(|row| row.get(name)).filter(|value| !is_blank(value)).collect();
            let all = |is: &dyn Fn(&Value) -> bool| !said.is_empty() && said.iter().all(|value| is(value));
            let says_yes = |value: &Value| value.as_str().is_some_and(agrees);
            let is_x = |value: &Value| Mark::of_value(value) == Some(Mark::X);
            if takes_out(name) {
                if all(&|value| Mark::of_value(value) == Some(Mark::Cross)) {
                    marked.by_cross.insert(name.clone());
                }
                continue;
            }
            if said.iter().any(|value| is_x(value)) && said.iter().any(|value| yes_or_no(value) == Some(true))
            {
                marked.by_x.insert(name.clone());
            } else if all(&says_yes) {
                marked.by_blank.insert(name.clone());
            }
        }
        marked
    }

    /// What a circle says in words, in a column of full and empty ones.
    pub(super) fn plain(&self, name: &str, value: &Value) -> Option<Value> {
        let is_full = circle(value.as_str()?).filter(|_| self.by_circle.contains(name))?;
        Some(Value::from(if is_full { "yes" } else { "no" }))
    }

    /// What a column says, if its marks leave the row out.
    pub(super) fn leaves_out(&self, name: &str, value: &Value) -> Option<String> {
        let has = |names: &HashSet<String>| !names.is_empty() && names.contains(name);
        if is_blank(value) {
            return has(&self.by_blank).then(|| "blank".to_owned());
        }
        let out = match Mark::of_value(value)? {
            Mark::X => has(&self.by_x),
            Mark::Cross => has(&self.by_cross),
            Mark::Tick => false,
        };
        out.then(|| value.as_str().unwrap_or_default().trim().to_owned())
    }
}
