use dojo_studio::data::chat::{ChatTemplate, Ending, SpecialTokens};
use dojo_studio::data::mask::Masker;
use dojo_studio::domain::message::Message;
use proptest::prelude::*;

use super::world::{assistant, byte_tokenizer, chatml, system, template, trained_text, user};

fn trained(template: &ChatTemplate, turns: &[Message]) -> String {
    let tokenizer = byte_tokenizer();
    let masked = Masker::new(template, &tokenizer).mask(turns, 0).expect("mask");
    trained_text(&tokenizer, &masked.tokens, &masked.trained)
}

fn refusal(template: &ChatTemplate, turns: &[Message]) -> String {
    let tokenizer = byte_tokenizer();
    format!("{:#}", Masker::new(template, &tokenizer).mask(turns, 0).expect_err("cannot be masked"))
}

#[test]
fn the_answer_and_the_token_that_ends_it_are_trained_in_every_turn() {
    let turns = [system("S"), user("Hi"), assistant("Yo"), user("And?"), assistant("Żółć 🦀\n")];
    assert_eq!(trained(&chatml(), &turns), "Yo<|im_end|>|Żółć 🦀\n<|im_end|>");
}

#[test]
fn an_answer_that_repeats_the_prompt_is_found_where_it_stands() {
    let turns = [user("same"), assistant("same"), user("same"), assistant("same")];
    let tokenizer = byte_tokenizer();
    let masked = Masker::new(&chatml(), &tokenizer).mask(&turns, 0).expect("mask");
    let prompt =
        "<|im_start|>system\nBe kind<|im_end|>\n<|im_start|>user\nsame<|im_end|>\n<|im_start|>assistant\n";
    let before = tokenizer.encode(prompt, false).expect("encode").len();
    assert_eq!(masked.trained.iter().position(|&trained| trained), Some(before));
    assert_eq!(trained_text(&tokenizer, &masked.tokens, &masked.trained), "same<|im_end|>|same<|im_end|>");
}

#[test]
fn an_empty_answer_trains_on_the_end_of_the_turn_alone() {
    assert_eq!(trained(&chatml(), &[user("Hi"), assistant("")]), "<|im_end|>");
}

#[test]
fn a_template_that_trims_and_writes_words_as_headers_is_masked() {
    let source = "{% for m in messages %}{{ '<|' + m.role + '|>\n' + m.content.strip() + eos_token + '\n' }}{% endfor %}\
        {% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}";
    let turns = [user(" q "), assistant("  one two \n")];
    assert_eq!(trained(&template(source, "<s>", "</s>"), &turns), "one two</s>");
}

#[test]
fn a_template_without_a_generation_prompt_is_masked_from_the_answer_on() {
    let source = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}";
    assert_eq!(trained(&template(source, "<s>", "<|im_end|>"), &[user("q"), assistant("a")]), "a<|im_end|>");
}

#[test]
fn what_a_template_writes_between_the_generation_prompt_and_the_answer_is_trained() {
    let source = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}\
        {% if m.role == 'assistant' and loop.last %}{{ '<think>\n\n</think>\n\n' }}{% endif %}\
        {{ m.content.split('</think>')[-1].lstrip('\n') + '<|im_end|>\n' }}{% endfor %}\
        {% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
    let turns = [user("q"), assistant("<think>hm</think>\nold"), user("r"), assistant("new")];
    assert_eq!(
        trained(&template(source, "<s>", "<|im_end|>"), &turns),
        "old<|im_end|>|<think>\n\n</think>\n\nnew<|im_end|>"
    );
}

#[test]
fn generation_blocks_decide_where_the_template_has_them() {
    let source = "{% for m in messages %}\n{% if m.role == 'assistant' %}\n<s>{% generation %}{{ m.content }}</s>{% endgeneration %}\n\
        {% else %}\n<s>{{ m.content }}</s>\n{% endif %}\n{% endfor %}";
    let turns = [user("q"), assistant("a"), user("r"), assistant("b")];
    assert_eq!(trained(&template(source, "<s>", "</s>"), &turns), "a</s>|b</s>");
}

#[test]
fn the_end_of_the_turn_is_trained_also_where_a_generation_block_leaves_it_out() {
    let source = "{% for m in messages %}{{ m.role }}:{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}\
        {% else %}{{ m.content }}{% endif %}</s>{% endfor %}";
    assert_eq!(trained(&template(source, "<s>", "</s>"), &[user("q"), assistant("a")]), "a</s>");
}

#[test]
fn turns_shared_by_two_answers_are_context_only() {
    let tokenizer = byte_tokenizer();
    let turns = [user("a"), assistant("b"), user("c"), assistant("d")];
    let masked = Masker::new(&chatml(), &tokenizer).mask(&turns, 3).expect("mask");
    assert_eq!(trained_text(&tokenizer, &masked.tokens, &masked.trained), "d<|im_end|>");
}

#[test]
fn a_template_that_does_not_end_the_turn_is_refused() {
    let source = "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}";
    let error = refusal(&template(source, "<s>", "</s>"), &[user("q"), assistant("a")]);
    assert!(error.starts_with("the chat template writes no end-of-turn token"), "{error}");
}

#[test]
fn a_template_that_hides_the_answer_is_refused() {
    let source = "{% for m in messages %}{{ m.role + '</s>' }}{% endfor %}";
    let error = refusal(&template(source, "<s>", "</s>"), &[user("q"), assistant("a")]);
    assert!(
        error.starts_with("the chat template does not show what the assistant says in turn 2"),
        "{error}"
    );
}

#[test]
fn a_conversation_without_an_assistant_is_refused() {
    assert_eq!(refusal(&chatml(), &[user("q")]), "there is no assistant turn to train on");
}

proptest! {
    #[test]
    fn the_mask_is_what_the_assistant_says_for_any_text(
        turns in proptest::collection::vec(("[^\u{FDD0}\u{FDD1}]{0,20}", "[^\u{FDD0}\u{FDD1}]{0,20}"), 1..4),
    ) {
        let messages: Vec<Message> =
            turns.iter().flat_map(|(question, answer)| [user(question), assistant(answer)]).collect();
        let expected: Vec<String> = turns.iter().map(|(_, answer)| format!("{answer}<|im_end|>")).collect();
        prop_assert_eq!(trained(&chatml(), &messages), expected.join("|"));
    }

    #[test]
    fn any_template_text_compiles_or_is_refused_and_never_panics(source in "(\\{%|%\\}|\\{\\{|\\}\\}|generation|end|-| |for m in messages|m|\\PC){0,20}") {
        if let Ok(template) = ChatTemplate::new(&source, SpecialTokens::default()) {
            let _ = template.render(&[user("q"), assistant("a")], Ending::Complete);
            let _ = Masker::new(&template, &byte_tokenizer()).mask(&[user("q"), assistant("a")], 0);
        }
    }
}
