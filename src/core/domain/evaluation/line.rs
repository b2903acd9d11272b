//! An order as a person types it in one line, with the names that the shell's options have.

use super::EvaluationOrder;

/// In the place of what was not typed yet.
pub const LINE_HINT: &str =
    "MODEL [MODEL...] --task TASK --data FILE [--limit N] [--metric M] [--filter \"F\"] [--prompt FILE]";

/// The records of the open session, in the place of a source.
pub const OF_SESSION: &str = "session:";

impl EvaluationOrder {
    /// Reads `MODEL [MODEL...] --task TASK --data DATA ...`; what is in quotes is one word.
    ///
    /// # Errors
    /// One sentence that says what is wrong.
    pub fn parse(line: &str) -> Result<Self, String> {
        let mut order = Self::default();
        let mut words = words(line)?.into_iter();
        while let Some(word) = words.next() {
            let Some(option) = word.strip_prefix("--") else {
                order.models.push(word);
                continue;
            };
            let value = words.next().ok_or_else(|| format!("{word} needs a value after it"))?;
            order.take(option, value)?;
        }
        if order.models.is_empty() {
            return Err("name a model, or several to compare them".to_owned());
        }
        if order.tasks.is_empty() {
            return Err("name a task: --task nli-cot".to_owned());
        }
        if order.data.is_empty() {
            order.data.push(OF_SESSION.to_owned());
        }
        Ok(order)
    }

    fn take(&mut self, option: &str, value: String) -> Result<(), String> {
        let list = match option {
            "model" => &mut self.models,
            "task" => &mut self.tasks,
            "data" => &mut self.data,
            "filter" => &mut self.filters,
            "prompt" => &mut self.prompts,
            "metric" => &mut self.metrics,
            "map" => &mut self.map,
            "choice" => &mut self.choices,
            "limit" => {
                self.limit = Some(number(option, &value)?);
                return Ok(());
            }
            "seed" => {
                self.seed = number(option, &value)?;
                return Ok(());
            }
            "max-new-tokens" => {
                self.max_new_tokens = number(option, &value)?;
                return Ok(());
            }
            "temperature" => {
                self.temperature = number(option, &value)?;
                return Ok(());
            }
            "judge" | "embedder" => {
                let place = if option == "judge" { &mut self.judge } else { &mut self.embedder };
                *place = Some(value);
                return Ok(());
            }
            "wordnet" => {
                self.wordnet = Some(value.into());
                return Ok(());
            }
            other => {
                return Err(format!(
                    "--{other} is not known: there are --task, --data, --limit, --metric, --filter, --prompt, --map, \
                     --choice, --seed, --max-new-tokens, --temperature, --judge, --embedder and --wordnet"
                ));
            }
        };
        list.push(value);
        Ok(())
    }
}

fn number<T: std::str::FromStr>(option: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("--{option} is {value:?}, and must be a number"))
}

/// Words by white space, those in quotes whole.
fn words(line: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quoted, mut is_begun) = (Vec::new(), String::new(), false, false);
    for character in line.chars() {
        match character {
            '"' => {
                quoted = !quoted;
                is_begun = true;
            }
            space if space.is_whitespace() && !quoted => {
                if is_begun {
                    words.push(std::mem::take(&mut word));
                }
                is_begun = false;
            }
            other => {
                word.push(other);
                is_begun = true;
            }
        }
    }
    if quoted {
        return Err("a quote has no end".to_owned());
    }
    if is_begun {
        words.push(word);
    }
    Ok(words)
}
