//! A blueprint by its name, and what is known of whoever writes.

use std::path::{Path, PathBuf};

use anyhow::Result;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::app::local_model;
use crate::app::review::teacher_settings;
use crate::blueprint::{self, Blueprint};
use crate::config::Folders;
use crate::domain::teacher::TeacherSettings;
use crate::engine::hub;
use crate::teacher::budget::Spending;
use crate::teacher::client::Account;
use crate::teacher::request::{Request, TeacherAnswer};
use crate::teacher::{AskError, Speaker};

/// A blueprint, and the file that it is from; none if it ships.
#[derive(Debug, Clone)]
pub struct NamedBlueprint {
    pub blueprint: Blueprint,
    pub file: Option<PathBuf>,
}

/// The blueprint of a file, or a shipped one by its name.
///
/// # Errors
/// Where there is none, or it is wrong: each mistake with its line.
pub fn find(given: &str) -> Result<NamedBlueprint> {
    let blueprint = blueprint::find(given)?;
    let file = Some(Path::new(given)).filter(|path| path.is_file()).map(Path::to_path_buf);
    Ok(NamedBlueprint { blueprint, file })
}

/// What is known of the terms under which somebody's answers may be trained on.
#[must_use]
pub fn terms_of(folders: &Folders, name: &str) -> String {
    let Some(local) = name.strip_prefix("local:") else {
        let teacher = folders.read_settings().0.teachers.remove(name);
        let terms = teacher.and_then(|teacher| teacher.terms).filter(|terms| !terms.trim().is_empty());
        return terms.unwrap_or_else(|| NOT_STATED.to_owned());
    };
    let (model, _) = local_model::parts(local);
    let alias = hub::aliases().iter().find(|alias| alias.name == model || alias.hub == model);
    alias.map_or_else(|| NOT_STATED.to_owned(), |alias| format!("the model's licence is {}", alias.licence))
}

/// Where neither the settings nor the table of models says.
const NOT_STATED: &str = "not stated";

/// Counts what would be asked of somebody, and asks nobody.
pub struct Priced {
    name: String,
    /// Where there is a price.
    settings: Option<TeacherSettings>,
}

impl Priced {
    /// A teacher of the settings at its prices; a model of this machine, or nobody, at none.
    ///
    /// # Errors
    /// Where the settings name no such teacher.
    pub fn named(folders: &Folders, name: Option<&str>) -> Result<Self> {
        let settings = name
            .filter(|name| !name.starts_with("local:"))
            .map(|name| teacher_settings(folders, name))
            .transpose()?;
        Ok(Self { name: name.unwrap_or("nobody").to_owned(), settings })
    }
}

impl Speaker for Priced {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn at_once(&self) -> usize {
        1
    }

    fn account(&self) -> Account {
        Account::default()
    }

    fn most(&self, request: &Request) -> Spending {
        let (prompt_tokens, answer_tokens) = (request.prompt_tokens(), u64::from(request.max_tokens));
        let cost = |settings: &TeacherSettings| settings.cost(prompt_tokens, answer_tokens);
        Spending { money: self.settings.as_ref().map(cost).unwrap_or_default(), prompt_tokens, answer_tokens }
    }

    fn ask<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Result<TeacherAnswer, AskError>> {
        std::future::ready(Err(AskError::Local("this only counts what would be asked".to_owned()))).boxed()
    }
}
