//! llama.cpp itself on what is written for it, if `DOJO_LLAMA_SIMPLE` names its program `llama-simple`.

use std::path::Path;
use std::process::Command;

use dojo_studio::engine::device::ComputeDevice;
use dojo_studio::engine::generate::{GenerateRequest, Limits, Precision, Prompter, complete, load};
use dojo_studio::engine::model::architecture::ALL;

use super::{Trains, Workshop, opened};
use crate::support::models::smollm2;
use crate::support::tiny::Tiny;

/// A prompt with its greedy continuation, by Dojo.
fn own(model: &Path, prompt: &str, tokens: usize) -> String {
    let model = opened(model);
    let mut generator = load(&model, Precision::Full, &ComputeDevice::Cpu, Limits::default()).unwrap();
    let prompter = Prompter::new(&model).unwrap();
    let mut request = GenerateRequest::new(prompter.raw(prompt).unwrap(), tokens);
    request.shown = (0..model.config.vocabulary as u32).collect();
    let answers = complete(&mut generator, vec![request], &mut |_| Ok(())).unwrap();
    format!("{prompt}{}", answers[0][0].text)
}

/// The same by llama.cpp.
fn theirs(program: &Path, model: &Path, prompt: &str, tokens: usize) -> String {
    let mut command = Command::new(program);
    command.arg("-m").arg(model).args(["-n", &tokens.to_string(), prompt]);
    let outcome = command.output().unwrap();
    let said = String::from_utf8_lossy(&outcome.stderr).into_owned();
    assert!(outcome.status.success(), "{}: {said}", model.display());
    let text = String::from_utf8_lossy(&outcome.stdout).into_owned();
    text.strip_suffix('\n').unwrap_or(&text).to_owned()
}

#[test]
fn llama_cpp_continues_every_architecture_as_it_is_continued_here() {
    let Some(program) = std::env::var_os("DOJO_LLAMA_SIMPLE") else {
        return println!("left out: DOJO_LLAMA_SIMPLE names no program of llama.cpp");
    };
    for architecture in ALL {
        let kind = architecture.model_type;
        let workshop = Workshop::of(&Tiny::new(kind));
        let adapter = workshop.adapter("adapter", Trains { tokens: &["<think>"], ..Trains::default() });
        let exported = workshop.export(&workshop.trained(&[&adapter]), "gguf:f32", "out").unwrap();
        let prompt = "<think>the 12 in a\n";
        let expected = own(&exported.model, prompt, 12);
        assert_eq!(theirs(program.as_ref(), &exported.model, prompt, 12), expected, "{kind}");
    }
}

#[test]
fn llama_cpp_continues_a_trained_model_as_it_is_continued_here() {
    let Some(program) = std::env::var_os("DOJO_LLAMA_SIMPLE") else {
        return println!("left out: DOJO_LLAMA_SIMPLE names no program of llama.cpp");
    };
    let Some(files) = smollm2() else { return };
    let workshop = Workshop { base: files.path().to_path_buf(), ..Workshop::of(&Tiny::new("llama")) };
    let exported = workshop.export(&workshop.trained(&[]), "gguf:f16", "out").unwrap();
    let asks = ["Name a colour.", "What is 12 + 30?", "Write a haiku about rain.", "Why is the sky blue?"];
    for ask in asks {
        let prompt = format!("<|im_start|>user\n{ask}<|im_end|>\n<|im_start|>assistant\n");
        let expected = own(&exported.model, &prompt, 16);
        assert_eq!(theirs(program.as_ref(), &exported.model, &prompt, 16), expected);
    }
}
