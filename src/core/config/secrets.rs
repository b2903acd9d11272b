//! Keys that the environment holds.

use std::path::PathBuf;

use crate::domain::secret;

/// Variables that hold a key.
const KEYS: [&str; 4] = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "DOJO_API_KEY", "DOJO_QDRANT_KEY"];
/// Variables that hold an address, perhaps with a password.
const ADDRESSES: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_ENDPOINT", "DOJO_QDRANT_URL"];

/// Keeps the keys that the environment holds out of every message from now on.
pub fn remember_keys() {
    let read = |name: &str| std::env::var(name).ok();
    for key in KEYS.into_iter().filter_map(read).chain(hub_token()) {
        secret::remember(key.trim());
    }
    let proxies = ADDRESSES.iter().flat_map(|name| [(*name).to_owned(), name.to_lowercase()]);
    for address in proxies.filter_map(|name| read(&name)) {
        let (_, rest) = address.split_once("://").unwrap_or(("", &address));
        let Some((user, _)) = rest.rsplit_once('@') else { continue };
        secret::remember(user);
        if let Some((_, password)) = user.split_once(':') {
            secret::remember(password);
        }
    }
}

/// The one that the hub's own programs have kept.
fn hub_token() -> Option<String> {
    let read = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || directories::BaseDirs::new().map(|places| places.home_dir().join(".cache/huggingface"));
    let path = read("HF_TOKEN_PATH").or_else(|| Some(read("HF_HOME").or_else(home)?.join("token")))?;
    std::fs::read_to_string(path).ok()
}
