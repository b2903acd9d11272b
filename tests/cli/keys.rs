//! Keys planted wherever one may be, and looked for wherever one could come out.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use serde_json::json;

use super::review::world;
use crate::support::program::World;

const IN_SETTINGS: &str = "sk-pl4nted-1n-the-settings-0a1b2c3d";
const IN_THE_NAMES_PLACE: &str = "sk-m1splaced-as-a-name-5f6a7b8c9d";
const IN_THE_ADDRESS: &str = "addr3ss-passw0rd-77112";
const OF_THE_TEACHER: &str = "q9w8e7r6-no-form-t5y4u3i2o1";
const OF_THE_HUB: &str = "hf_PlantedToken1234567890abcdefABCDEF";
const OF_THE_PROXY: &str = "pr0xy-passw0rd-5566778";
const ALL: [&str; 6] =
    [IN_SETTINGS, IN_THE_NAMES_PLACE, IN_THE_ADDRESS, OF_THE_TEACHER, OF_THE_HUB, OF_THE_PROXY];

/// Whoever repeats the key that is shown to it, whole and cut: as an answer below `/fine`, else as an error.
fn parrot() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut received = Vec::new();
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = stream.read(&mut part) {
                received.extend_from_slice(&part[..length]);
                if crate::teacher::world::is_whole(&received) {
                    break;
                }
            }
            let text = String::from_utf8_lossy(&received).into_owned();
            let shown = text.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("authorization").then(|| value.rsplit(' ').next().unwrap_or(""))
            });
            let shown = shown.unwrap_or("nothing");
            let said = format!("you sent {shown}, which begins with {:.20}", shown);
            let (status, body) = if text.starts_with("POST /fine") {
                let choice = json!({ "message": { "content": said }, "finish_reason": "stop" });
                let usage = json!({ "prompt_tokens": 5, "completion_tokens": 5 });
                ("200 OK", json!({ "model": shown, "choices": [choice], "usage": usage }))
            } else {
                ("400 Bad Request", json!({ "error": { "message": said }, "message": said }))
            };
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nX-Error-Message: {said}\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(format!("{head}{body}").as_bytes()).ok();
        }
    });
    address.to_string()
}

fn settings(world: &World, address: &str) {
    let settings = format!(
        "[teachers.planted]\nbase_url = \"http://{address}/v1\"\nmodel = \"m\"\napi_key = \"{IN_SETTINGS}\"\n\
         [teachers.misplaced]\nbase_url = \"http://{address}/v1\"\nmodel = \"m\"\nkey_env = \"{IN_THE_NAMES_PLACE}\"\n\
         [teachers.address]\nbase_url = \"http://me:{IN_THE_ADDRESS}@{address}/v1\"\nmodel = \"m\"\n\
         [teachers.answers]\nbase_url = \"http://{address}/fine\"\nmodel = \"m\"\nkey_env = \"PARROT_KEY\"\n\
         [teachers.refuses]\nbase_url = \"http://{address}/v1\"\nmodel = \"m\"\nkey_env = \"PARROT_KEY\"\n"
    );
    std::fs::write(world.path().join("settings/settings.toml"), settings).unwrap();
}

/// Ten characters of a key tell enough of it.
fn holds(bytes: &[u8], key: &str) -> bool {
    let parts: Vec<&[u8]> = key.as_bytes().windows(10).collect();
    bytes.windows(10).any(|run| parts.contains(&run))
}

fn search(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(&path);
        } else if path.is_file() && !path.ends_with("settings.toml") {
            let bytes = std::fs::read(&path).unwrap();
            let found: Vec<&&str> = ALL.iter().filter(|key| holds(&bytes, key)).collect();
            assert!(found.is_empty(), "{} holds {found:?}", path.display());
        }
    }
}

#[test]
fn keys_planted_everywhere_come_out_nowhere() {
    let address = parrot();
    let world = world(&format!("http://{address}/v1"), 2);
    settings(&world, &address);
    let hub = format!("http://{address}");
    let run = |arguments: &[&str], more: &[(&str, &str)]| {
        let mut command = world.command(arguments);
        command.env("PARROT_KEY", OF_THE_TEACHER).env("HF_TOKEN", OF_THE_HUB).env("HF_HOME", world.path());
        command.env("NO_PROXY", "127.0.0.1").envs(more.iter().copied());
        let output = command.output().unwrap();
        for said in [&output.stdout, &output.stderr] {
            let found: Vec<&&str> = ALL.iter().filter(|key| holds(said, key)).collect();
            assert!(found.is_empty(), "{arguments:?} shows {found:?}: {}", String::from_utf8_lossy(said));
        }
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    for json in [&[][..], &["--json"]] {
        run(&[&["doctor"], json].concat(), &[]);
        for student in ["planted", "misplaced", "address", "answers", "refuses"] {
            let (code, said, told) =
                run(&[&["think", "--session", "s", "--student", student], json].concat(), &[]);
            // Answers that are all set aside are no success either.
            assert_eq!(code, Some(1), "{student}: {said}{told}");
        }
        run(&[&["review", "--session", "s", "aside"], json].concat(), &[]);
    }
    let (_, aside, _) = run(&["review", "--session", "s", "aside"], &[]);
    assert!(aside.contains("you sent ***"), "{aside}");
    let at_hub = [("HF_ENDPOINT", hub.as_str())];
    let (code, _, told) = run(&["pull", "hf:somebody/something"], &at_hub);
    assert!(code == Some(1) && told.contains("somebody/something"), "{told}");
    run(&["data", "--session", "s", "import", "hf:somebody/something"], &at_hub);
    let proxy = format!("http://me:{OF_THE_PROXY}@127.0.0.1:9");
    run(&["pull", "hf:somebody/something"], &[("HTTPS_PROXY", &proxy), ("https_proxy", &proxy)]);
    run(
        &["pull", "hf:somebody/something"],
        &[("HF_ENDPOINT", &format!("http://me:{OF_THE_PROXY}@{address}"))],
    );
    for keys in ["", "f4"] {
        run(&["screenshot", "--session", "s", "--keys", keys], &[]);
    }
    search(world.path());
}

#[test]
fn a_key_in_the_place_of_a_name_is_refused_and_not_shown() {
    let world = world("http://127.0.0.1:9/v1", 2);
    let base = "base_url = \"http://127.0.0.1:9/v1\"";
    let as_name = |key: &str| (key.to_owned(), format!("[teachers.\"{key}\"]\n{base}\nmodel = \"m\"\n"));
    let as_model = |key: &str| (key.to_owned(), format!("[teachers.plain]\n{base}\nmodel = \"{key}\"\n"));
    // With and without what those who give out keys put in front of them.
    let (random, base64) =
        ("7Hk29xLmQp4RtZv8WnYb3CdF6GjKs1Ae", "q2W+x8Zl/0Rk7Vt5YbN3mC9dGj1HfS6uPaE4iO8wTzQ=");
    let hexadecimal = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    for (key, settings) in [
        as_model(IN_SETTINGS),
        as_name(IN_SETTINGS),
        as_model(random),
        as_name(random),
        as_model(base64),
        as_name(base64),
        as_name(hexadecimal),
    ] {
        std::fs::write(world.path().join("settings/settings.toml"), settings).unwrap();
        for arguments in [&["doctor"][..], &["think", "--session", "s", "--student", "plain"]] {
            let output = world.dojo(arguments);
            let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert!(!holds(said.as_bytes(), &key), "{said}");
            assert!(said.contains("looks like a key"), "{said}");
        }
    }
    search(world.path());
}
