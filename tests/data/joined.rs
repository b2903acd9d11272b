//! Answers whose first token begins in the head of their turn.

use dojo_studio::data::mask::{Masked, Masker, Otherwise, warnings};
use dojo_studio::domain::message::Message;
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, Tokenizer};

use super::world::{assistant, template, trained_text, user};

/// Bytes, and ` the` as one token, as GPT-2's have it; `<|a|>` takes the white space behind it.
fn tokenizer() -> Tokenizer {
    let mut alphabet: Vec<char> = ByteLevel::alphabet().into_iter().collect();
    alphabet.sort_unstable();
    let merges = [("Ġ", "t"), ("Ġt", "h"), ("Ġth", "e"), ("\"", "y")].map(|(a, b)| (a.into(), b.into()));
    let letters = alphabet.into_iter().map(String::from);
    let merged = ["Ġt", "Ġth", "Ġthe", "\"y"].map(String::from);
    let vocabulary: Vec<(String, u32)> = letters.chain(merged).zip(0..).collect();
    let vocabulary: [(String, u32); 260] = vocabulary.try_into().expect("260 tokens");
    let model = BPE::builder().vocab_and_merges(vocabulary, merges.to_vec()).build().expect("build it");
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_pre_tokenizer(Some(ByteLevel::new(false, true, false)));
    tokenizer.with_decoder(Some(ByteLevel::default()));
    let tokens = [AddedToken::from("</s>", true), AddedToken::from("<|a|>", false).rstrip(true)];
    tokenizer.add_tokens(tokens).expect("add the tokens");
    tokenizer
}

/// What of a conversation is learnt with answers behind `head`.
fn masked(head: &str, turns: &[Message]) -> (Masked, String) {
    let source = format!(
        "{{% for m in messages %}}{{% if m.role == 'assistant' %}}{{{{ '{head}' + m.content + '</s>' }}}}{{% else %}}\
         {{{{ 'User: ' + m.content + '\n' }}}}{{% endif %}}{{% endfor %}}\
         {{% if add_generation_prompt %}}{{{{ '{head}' }}}}{{% endif %}}"
    );
    let (template, tokenizer) = (template(&source, "<s>", "</s>"), tokenizer());
    let masked = Masker::new(&template, &tokenizer).mask(turns, 0).expect("mask");
    let trained = trained_text(&tokenizer, &masked.tokens, &masked.trained);
    (masked, trained)
}

#[test]
fn a_first_token_that_begins_in_the_head_is_learnt_and_told() {
    for (answer, learnt) in [("the", " the</s>"), ("the end", " the end</s>")] {
        let turns = [user("q"), assistant(answer), user("r"), assistant(answer)];
        let (masked, trained) = masked("Assistant: ", &turns);
        assert_eq!(trained, format!("{learnt}|{learnt}"));
        let begun = masked.unlearnt.begun.clone().expect("it is told");
        assert_eq!((begun.turn, begun.asked.as_str(), begun.how), (2, " ", Otherwise::Joined));
        let told = warnings([("a.jsonl:1", &masked.unlearnt)]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("\" \" at the end of the prompt, and in 1 of 1"), "{told:?}");
        assert!(
            told[0].ends_with(&format!("a.jsonl:1: turn 2 begins {:?}", format!(" {answer}"))),
            "{told:?}"
        );
    }
    assert_eq!(masked("A \"", &[user("q"), assistant("yes")]).1, "\"yes</s>");
}

#[test]
fn a_head_that_is_cut_off_before_the_answer_is_not_learnt() {
    for (head, answer) in
        [("Assistant:\n", "the"), ("Assistant: ", "one"), ("<|a|>\n", "the"), ("<|a|>", " the")]
    {
        let (masked, trained) = masked(head, &[user("q"), assistant(answer)]);
        assert_eq!(trained, format!("{}</s>", answer.trim_start()), "{head:?}");
        assert_eq!(masked.unlearnt.begun, None, "{head:?}");
    }
}
