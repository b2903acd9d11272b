use dojo_studio::data::chat::{ChatTemplate, RenderEnding, SpecialTokens};
use dojo_studio::data::mask::{BegunAnswer, Hidden, Masker, Otherwise, Unlearnt, warnings};
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

fn turn_end(template: &ChatTemplate) -> String {
    let tokenizer = byte_tokenizer();
    let end = Masker::new(template, &tokenizer).turn_end().expect("an end");
    tokenizer.id_to_token(end).expect("a token")
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
fn a_block_that_ends_with_white_space_ends_its_turn_and_begins_no_other() {
    let source = "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}\
        {{ '<|im_start|>assistant\\n' + m.content + '<|im_end|>\\n' }}{% endgeneration %}\
        {% else %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endif %}{% endfor %}\
        {% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
    // The last is the token that texts begin with, too.
    for end in ["\\n", " ", "", "\\n\\n", "<s>"] {
        let source =
            source.replacen("'<|im_end|>\\n' }}{% endg", &format!("'<|im_end|>{end}' }}}}{{% endg"), 1);
        let template = template(&source, "<s>", "<|im_end|>");
        let end = end.replace("\\n", "\n");
        let answered = [user("q"), assistant("a")];
        assert_eq!(trained(&template, &answered), format!("a<|im_end|>{end}"));
        let asked_again = [user("q"), assistant("a"), user("r")];
        assert_eq!(trained(&template, &asked_again), format!("a<|im_end|>{end}"));
        assert_eq!(turn_end(&template), "<|im_end|>");
    }
}

#[test]
fn several_blocks_of_a_turn_are_all_trained_with_both_of_its_end_tokens() {
    let source = "{% for m in messages %}{% if m.role == 'assistant' %}{{ '<|im_start|>' }}{% generation %}{{ 'T' }}\
        {% endgeneration %}{{ '|' }}{% generation %}{{ m.content + '<|im_end|></s>' }}{% endgeneration %}\
        {% else %}{{ '<|im_start|>' + m.content + '<|im_end|>' }}{% endif %}{% endfor %}";
    let template = template(source, "<s>", "</s>");
    let turns = [user("q"), assistant("a"), user("r"), assistant("b"), user("s")];
    assert_eq!(trained(&template, &turns), "T|a<|im_end|></s>|T|b<|im_end|></s>");
    assert_eq!(turn_end(&template), "<|im_end|>");
    let tokenizer = byte_tokenizer();
    let masked = Masker::new(&template, &tokenizer).mask(&turns, 2).expect("mask");
    assert_eq!(trained_text(&tokenizer, &masked.tokens, &masked.trained), "T|b<|im_end|></s>");
}

#[test]
fn the_token_that_ends_a_turn_is_the_one_that_is_trained_and_not_the_one_that_the_model_names() {
    assert_eq!(turn_end(&template(super::world::CHATML, "<s>", "</s>")), "<|im_end|>");
    let source = "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}";
    let tokenizer = byte_tokenizer();
    assert_eq!(Masker::new(&template(source, "<s>", "</s>"), &tokenizer).turn_end(), None);
}

#[test]
fn what_a_template_hides_of_an_answer_is_told() {
    let source = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content.split('</think>')[-1].strip() \
        + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
    let template = template(source, "<s>", "<|im_end|>");
    let tokenizer = byte_tokenizer();
    let masker = Masker::new(&template, &tokenizer);
    let look = |answer: &str| masker.mask(&[user("q"), assistant(answer)], 0).expect("mask").unlearnt;
    let thinking = look("<think>\nhm\n</think>\n\nYes.");
    assert_eq!(
        thinking.first.as_ref().map(Hidden::told),
        Some(r#""<think>\nhm\n</think>" in turn 2"#.into())
    );
    assert_eq!((thinking.thoughts, thinking.hidden_thoughts), (1, 1));
    let on_one_line = look("<think>hm</think>Yes.");
    assert_eq!(on_one_line.first.as_ref().map(Hidden::told), Some(r#""<think>hm</think>" in turn 2"#.into()));
    assert_eq!((on_one_line.thoughts, on_one_line.hidden_thoughts), (1, 1));
    assert_eq!(look("  Yes,\n\n no. "), Unlearnt::default());
    let places = [("a.jsonl:1", &thinking), ("a.jsonl:2", &Unlearnt::default())];
    assert_eq!(
        warnings(places),
        [
            "the model's chat template hides a part of what the assistant says in 1 of 2 examples, and it isn't \
          learnt; nothing of a thought would be learnt in 1 of the 1 with one; the first is a.jsonl:1: \
          \"<think>\\nhm\\n</think>\" in turn 2"
        ]
    );
}

#[test]
fn an_answer_that_begins_otherwise_than_the_model_is_asked_to_is_told() {
    let asked = |head: &str, prompt: &str| {
        format!(
            "{{% for m in messages %}}{{{{ '<|im_start|>' + m.role + '\n' }}}}{{% if m.role == 'assistant' %}}{head}{{% endif %}}\
             {{{{ m.content + '<|im_end|>\n' }}}}{{% endfor %}}{{% if add_generation_prompt %}}\
             {{{{ '<|im_start|>assistant\n{prompt}' }}}}{{% endif %}}"
        )
    };
    let tokenizer = byte_tokenizer();
    let begun = |head: &str, prompt: &str, answer: &str| {
        let template = template(&asked(head, prompt), "<s>", "<|im_end|>");
        Masker::new(&template, &tokenizer).mask(&[user("q"), assistant(answer)], 0).expect("mask").unlearnt
    };
    let otherwise = begun("", "<think>\\n", "Yes.");
    let told =
        BegunAnswer { turn: 2, asked: "<think>\n".into(), trained: "Yes.".into(), how: Otherwise::Lacking };
    assert_eq!(otherwise.begun, Some(told));
    assert_eq!(
        warnings([("a.jsonl:1", &otherwise), ("a.jsonl:2", &Unlearnt::default())]),
        [
            "the model is asked with \"<think>\\n\" at the beginning of its turn, and the chat template trains answers \
             without it in 1 of 2 examples, so the model learns another beginning than it is asked with; write a thought \
             into each answer, or give the model a chat template that begins turns as it asks for them; the first is \
             a.jsonl:1: turn 2 begins \"Yes.\""
        ]
    );
    for (head, prompt, answer) in [
        ("", "<think>\\n", "<think>\nhm\n</think>\nYes."),
        ("", "<think>\\n", "<think>hm</think>Yes."),
        ("{{ '<think>\n\n</think>\n\n' }}", "", "Yes."),
        ("{{ '<think>\n\n</think>\n\n' }}", "<think>\\n", "Yes."),
        ("", "", "Yes."),
    ] {
        assert_eq!(begun(head, prompt, answer).begun, None, "{head:?} {prompt:?} {answer:?}");
    }
}

#[test]
fn a_thought_on_the_answers_line_is_learnt_as_the_template_lays_it_out() {
    let source = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' %}\
        {% set parts = m.content.split('</think>') %}{{ '<think>\n' + parts[0].split('<think>')[-1].strip() \
        + '\n</think>\n\n' + parts[-1].strip() }}{% else %}{{ m.content }}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}\
        {% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
    let template = template(source, "<s>", "<|im_end|>");
    let trained = trained(&template, &[user("q"), assistant("<think>hm</think>Yes.")]);
    assert_eq!(trained, "<think>\nhm\n</think>\n\nYes.<|im_end|>");
}

#[test]
fn keys_of_turns_that_a_template_does_not_read_are_told() {
    let tokenizer = byte_tokenizer();
    let mut asked = user("q");
    asked.extra.insert("name".into(), "Ada".into());
    asked.extra.insert("language".into(), "en".into());
    let turns = [asked, assistant("a")];
    let reads = "{% for m in messages %}{{ '<|im_start|>' + m.role + m.get('name', '') + m.content + '<|im_end|>' }}\
        {% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant' }}{% endif %}";
    let dumps = "{% for m in messages %}{{ '<|im_start|>' + m.role }}{% for key in m %}{{ m[key] }}{% endfor %}\
        {{ '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant' }}{% endif %}";
    let unread = |source: &str| {
        let template = template(source, "<s>", "<|im_end|>");
        Masker::new(&template, &tokenizer).mask(&turns, 0).expect("mask").unlearnt
    };
    let chatml = unread(super::world::CHATML);
    assert_eq!(chatml.unread.iter().map(String::as_str).collect::<Vec<_>>(), ["language", "name"]);
    assert_eq!(unread(reads).unread.iter().map(String::as_str).collect::<Vec<_>>(), ["language"]);
    assert!(unread(dumps).unread.is_empty());
    assert_eq!(
        warnings([("a.jsonl:1", &chatml), ("a.jsonl:2", &Unlearnt::default())]),
        [
            "the model's chat template doesn't read \"language\", \"name\" of the turns in 1 of 2 examples; nothing of it \
          is learnt"
        ]
    );
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
fn answers_before_the_last_may_end_with_another_token() {
    let source = "{% for m in messages %}{{ '<|im_start|>' + m.role + ': ' + m.content }}\
        {{ '</s>' if m.role == 'assistant' and loop.last else '<|im_end|>' }}{% endfor %}\
        {% if add_generation_prompt %}{{ '<|im_start|>assistant: ' }}{% endif %}";
    let template = template(source, "<s>", "</s>");
    let turns = [user("q"), assistant("a"), user("r"), assistant("b")];
    assert_eq!(trained(&template, &turns), "a<|im_end|>|b</s>");
}

#[test]
fn the_head_of_the_next_turn_is_never_taken_for_the_end_of_an_answer() {
    let source = "{% for m in messages %}{{ '<s>' if m.role == 'user' else '</s>' }}{{ m.content }}{% endfor %}\
        {% if add_generation_prompt %}{{ '</s>' }}{% endif %}";
    let template = template(source, "<|im_start|>", "<|im_end|>");
    let error = refusal(&template, &[user("q"), assistant("a"), user("r"), assistant("b")]);
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
            let _ = template.render(&[user("q"), assistant("a")], RenderEnding::Complete);
            let _ = Masker::new(&template, &byte_tokenizer()).mask(&[user("q"), assistant("a")], 0);
        }
    }
}

#[test]
fn every_turn_of_a_long_conversation_is_masked_as_in_a_short_one_with_few_renderings() {
    let says = |number: usize| match number % 4 {
        0 => assistant("same"),
        1 => assistant("  Żółć 🦀\n"),
        2 => assistant("<think>so</think>\nyes"),
        _ => assistant(""),
    };
    let trimmed = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}\
        {% if m.role == 'assistant' and loop.last %}{{ '<think>\n\n</think>\n\n' }}{% endif %}\
        {{ m.content.split('</think>')[-1] | trim }}{{ '<|im_end|>\n' }}{% endfor %}\
        {% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
    for template in [chatml(), template(trimmed, "<s>", "<|im_end|>")] {
        let two = |number: usize, last: bool| {
            let mut turns = vec![user("same"), says(number)];
            if !last {
                turns.push(user("same"));
            }
            trained(&template, &turns)
        };
        let turns: Vec<Message> = (0..40).flat_map(|number| [user("same"), says(number)]).collect();
        let expected: Vec<String> = (0..40).map(|number| two(number, number == 39)).collect();
        assert_eq!(trained(&template, &turns), expected.join("|"));
    }
}

#[test]
fn turns_that_follow_one_another_and_empty_questions_are_masked_in_long_conversations_too() {
    let mut turns = Vec::new();
    for _ in 0..5 {
        turns.extend([
            user("q"),
            assistant("a"),
            assistant("b"),
            user(""),
            assistant("c"),
            user(" \n"),
            system("s"),
        ]);
    }
    turns.push(assistant("end"));
    let expected = ["a<|im_end|>|b<|im_end|>|c<|im_end|>"; 5].join("|") + "|end<|im_end|>";
    assert_eq!(trained(&chatml(), &turns), expected);
}
