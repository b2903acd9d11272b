//! Numbers as they are written on a command line: what is none, or is out of its range, is refused before anything is done.

/// A number that is 0 or more.
pub(super) fn from_zero(text: &str) -> Result<f64, String> {
    let number = number(text)?;
    if number >= 0.0 { Ok(number) } else { Err("it is 0 or more".to_owned()) }
}

/// A number from 0 to 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let number = number(text)?;
    if (0.0..=1.0).contains(&number) { Ok(number) } else { Err("it is from 0 to 1".to_owned()) }
}

fn number(text: &str) -> Result<f64, String> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| "it is no number".to_owned())
}
