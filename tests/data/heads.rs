//! What a template asks the model with, beside what it trains answers behind; and blocks that mark others' words.

use dojo_studio::data::mask::{BegunAnswer, Masker, Otherwise, Unlearnt, warnings};
use dojo_studio::domain::message::Message;

use super::world::{assistant, byte_tokenizer, system, template, user};

fn unlearnt(source: &str, turns: &[Message]) -> Unlearnt {
    let (template, tokenizer) = (template(source, "<s>", "<|im_end|>"), byte_tokenizer());
    Masker::new(&template, &tokenizer).mask(turns, 0).expect("mask").unlearnt
}

/// A template whose turns begin with `head` (an expression of `m`), and that asks with `prompt`.
fn asking(head: &str, prompt: &str) -> String {
    format!(
        "{{% for m in messages %}}{{{{ {head} + m.content + '<|im_end|>\n' }}}}{{% endfor %}}\
         {{% if add_generation_prompt %}}{{{{ '{prompt}' }}}}{{% endif %}}"
    )
}

const CHATML: &str = "'<|im_start|>' + m.role + '\n'";

fn begun(head: &str, prompt: &str) -> Option<BegunAnswer> {
    unlearnt(
        &asking(head, prompt),
        &[system("Be brief."), user("q"), assistant("Yes."), user("r"), assistant("No.")],
    )
    .begun
}

#[test]
fn a_prompt_with_another_role_than_that_of_answers_is_told() {
    let told = BegunAnswer {
        turn: 3,
        asked: "<|im_start|>model\n".into(),
        trained: "<|im_start|>assistant\nYes.".into(),
        how: Otherwise::Lacking,
    };
    assert_eq!(begun(CHATML, "<|im_start|>model\n"), Some(told));
    assert_eq!(begun("'[' + m.role + '] '", "[bot] ").map(|begun| begun.asked), Some("[bot] ".into()));
    let found = unlearnt(&asking(CHATML, "<|im_start|>model\n"), &[user("q"), assistant("Yes.")]);
    assert_eq!(
        warnings([("a.jsonl:1", &found)]),
        [
            "the model is asked with \"<|im_start|>model\\n\" at the beginning of its turn, and the chat template trains \
             answers without it in 1 of 1 examples, so the model learns another beginning than it is asked with; give the \
             model a chat template that begins turns as it asks for them; the first is a.jsonl:1: turn 2 begins \
             \"<|im_start|>assistant\\nYes.\""
        ]
    );
}

#[test]
fn a_prompt_with_white_space_that_no_answer_begins_with_is_told() {
    for (head, prompt, asked) in [
        ("'<|im_start|>' + m.role + ':'", "<|im_start|>assistant: ", " "),
        (CHATML, "<|im_start|>assistant\n\n", "\n"),
        (CHATML, "<|im_start|>assistant\n ", " "),
        (CHATML, "<|im_start|>assistant\nSure: ", "Sure: "),
    ] {
        assert_eq!(begun(head, prompt).map(|begun| begun.asked), Some(asked.into()), "{head} {prompt:?}");
    }
}

#[test]
fn a_prompt_that_answers_are_written_behind_is_not_told_of() {
    for (head, prompt) in [
        (CHATML, "<|im_start|>assistant\n"),
        // The model writes the rest of the head itself.
        ("'<|im_start|>' + m.role + ': '", "<|im_start|>assistant:"),
        (CHATML, "<|im_start|>assistant"),
        ("'<|im_start|>' + m.role + '<|channel|>final: '", "<|im_start|>assistant"),
        ("''", ""),
    ] {
        assert_eq!(begun(head, prompt), None, "{head} {prompt:?}");
    }
}

const PROMPT: &str = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

fn told(body: &str, turns: &[Message]) -> Vec<String> {
    warnings([("a.jsonl:1", &unlearnt(&format!("{body}{PROMPT}"), turns))])
}

#[test]
fn blocks_around_all_turns_are_told_by_whose_words_are_learnt() {
    let all = "{% generation %}{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}\
               {% endfor %}{% endgeneration %}";
    let turns = [system("Be brief."), user("hi there"), assistant("yes."), user("and now"), assistant("no.")];
    let told = told(all, &turns);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("blocks hold what system turns say in 1 of 1"), "{told:?}");
    assert!(told[0].ends_with("a.jsonl:1: \"Be brief.\" in turn 1"), "{told:?}");
    assert!(told[1].contains("blocks hold what user turns say") && told[1].contains("hi there"), "{told:?}");
}

#[test]
fn blocks_around_the_users_turns_are_told_and_so_is_what_they_leave_out() {
    let users = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'user' %}{% generation %}\
                 {{ m.content + '<|im_end|>' }}{% endgeneration %}{% else %}{{ m.content + '<|im_end|>' }}{% endif %}\
                 {{ '\n' }}{% endfor %}";
    let told = told(users, &[user("hi there"), assistant("yes."), user("and now"), assistant("no.")]);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("blocks leave out a part of what the assistant says in 1 of 1"), "{told:?}");
    assert!(told[0].ends_with("\"yes.\" in turn 2"), "{told:?}");
    assert!(told[1].contains("blocks hold what user turns say in 1 of 1"), "{told:?}");
}

#[test]
fn blocks_around_the_assistants_turns_are_not_told_of() {
    let own = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' %}{% generation %}\
               {{ m.content + '<|im_end|>' }}{% endgeneration %}{% else %}{{ m.content + '<|im_end|>' }}{% endif %}\
               {{ '\n' }}{% endfor %}";
    let turns =
        [system("Be brief."), user("yes"), assistant("yes."), user("and now"), assistant("and now no.")];
    assert_eq!(told(own, &turns), [""; 0]);
}

#[test]
fn what_stands_between_two_blocks_of_an_answer_is_told_as_not_learnt() {
    let source = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' %}\
        {% generation %}{{ m.content[:4] }}{% endgeneration %}{{ m.content[4:8] }}\
        {% generation %}{{ m.content[8:] + '<|im_end|>' }}{% endgeneration %}{% else %}\
        {{ m.content + '<|im_end|>' }}{% endif %}{% endfor %}";
    let found = unlearnt(&format!("{source}{PROMPT}"), &[user("q"), assistant("one big three")]);
    let told = warnings([("a.jsonl:1", &found)]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0]
            .starts_with("the chat template's generation blocks leave out a part of what the assistant says")
    );
    assert!(told[0].ends_with("the first is a.jsonl:1: \"big three\" in turn 2"), "{told:?}");
}

#[test]
fn a_template_that_adds_nothing_when_the_model_is_asked_is_told() {
    let ignores = |head: &str| {
        format!("{{% for m in messages %}}{{{{ {head} + m.content + '<|im_end|>' }}}}{{% endfor %}}")
    };
    let found = unlearnt(&ignores(CHATML), &[user("q"), assistant("Yes.")]);
    let told = warnings([("a.jsonl:1", &found)]);
    assert!(
        told.iter().any(|told| told.contains("adds nothing when the model is asked")
            && told.contains("\"<|im_start|>assistant\\n\"")
            && told.contains("a.jsonl:1: turn 2 begins \"Yes.\"")),
        "{told:?}"
    );
    // A template without heads asks with nothing, and its answers stand behind nothing.
    let bare = unlearnt(&ignores("''"), &[user("q"), assistant("Yes.")]);
    assert_eq!(bare.begun, None);
}
