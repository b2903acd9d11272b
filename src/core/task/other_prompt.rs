//! Another prompt than a task's own, from a file: the user's text with the task's variables, or several turns, each under a
//! line as `=== user`, so that examples can come before the question.

use anyhow::{Context, Result, ensure};
use minijinja::Environment;

use super::Task;
use super::file::environment;
use crate::domain::message::{Message, Role};
use crate::domain::record::Record;

/// A prompt, whose templates compile.
#[derive(Debug, Clone)]
pub struct OtherPrompt {
    roles: Vec<Role>,
    turns: Environment<'static>,
}

impl OtherPrompt {
    /// Reads a prompt's file.
    ///
    /// # Errors
    /// If it is empty, doesn't end with the user's turn, or a template doesn't compile.
    pub fn parse(text: &str) -> Result<Self> {
        let mut turns: Vec<(Role, String)> = Vec::new();
        for line in text.lines() {
            if let Some(role) = role_line(line) {
                turns.push((role, String::new()));
                continue;
            }
            // What comes before the first such line is the user's, if it says something.
            if turns.is_empty() && !line.trim().is_empty() {
                turns.push((Role::User, String::new()));
            }
            if let Some((_, turn)) = turns.last_mut() {
                turn.push_str(line);
                turn.push('\n');
            }
        }
        let last = turns.last().map(|(role, _)| *role);
        ensure!(
            last == Some(Role::User),
            "a prompt ends with what the user says: a text, or turns under lines as `=== user`"
        );
        let mut environment = environment();
        for (at, (_, turn)) in turns.iter().enumerate() {
            let compiled = environment.add_template_owned(name(at), turn.trim().to_owned());
            compiled.with_context(|| format!("compile turn {} of the prompt", at + 1))?;
        }
        Ok(Self { roles: turns.into_iter().map(|(role, _)| role).collect(), turns: environment })
    }
}

fn name(at: usize) -> String {
    format!("turn {}", at + 1)
}

fn role_line(line: &str) -> Option<Role> {
    match line.trim_end().strip_prefix("=== ")?.trim() {
        "system" => Some(Role::System),
        "user" => Some(Role::User),
        "assistant" => Some(Role::Assistant),
        _ => None,
    }
}

impl Task {
    /// What the model is asked by another prompt than the task's own.
    ///
    /// # Errors
    /// If the record lacks a column that the prompt needs.
    pub fn prompt_by(&self, prompt: &OtherPrompt, record: &Record) -> Result<Vec<Message>> {
        let variables = self.variables(record);
        let turn = |(at, role): (usize, &Role)| {
            Ok(Message::new(*role, self.render(&prompt.turns, &name(at), &variables, record)?))
        };
        prompt.roles.iter().enumerate().map(turn).collect()
    }
}
