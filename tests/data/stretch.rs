//! Texts that are longer than what becomes tokens at once.

use std::collections::BTreeSet;

use dojo_studio::data::encode::Encoder;
use dojo_studio::data::mask::Masker;
use dojo_studio::domain::record::Record;
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, SplitDelimiterBehavior, Tokenizer};

use super::world::{assistant, chatml, trained_text, user};

const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Merges within words, and across them where the words are not split.
fn merging(pre_tokenizer: PreTokenizerWrapper) -> Tokenizer {
    let merges = [("t", "h"), ("th", "e"), ("e", "Ġ"), ("Ġ", "the"), ("Ġ", "t"), ("1", "2"), ("Ġ", "Ġ")];
    let alphabet: BTreeSet<String> = ByteLevel::alphabet().into_iter().map(String::from).collect();
    let merged = merges.iter().map(|(left, right)| format!("{left}{right}"));
    let vocabulary: [(String, u32); 263] =
        alphabet.into_iter().chain(merged).zip(0..).collect::<Vec<_>>().try_into().expect("263 tokens");
    let merges = merges.iter().map(|(left, right)| ((*left).to_owned(), (*right).to_owned())).collect();
    let model = BPE::builder().vocab_and_merges(vocabulary, merges).build().expect("build a tokenizer");
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_pre_tokenizer(Some(pre_tokenizer));
    tokenizer.with_decoder(Some(ByteLevel::default()));
    let special = ["<|im_start|>", "<|im_end|>", "<s>", "</s>"].map(|text| AddedToken::from(text, true));
    tokenizer.add_special_tokens(special).expect("add the special tokens");
    tokenizer
}

fn byte_level(use_regex: bool) -> PreTokenizerWrapper {
    ByteLevel::new(false, true, use_regex).into()
}

fn sequence(parts: [PreTokenizerWrapper; 2]) -> PreTokenizerWrapper {
    Sequence::new(parts.into()).into()
}

/// Tokenizers that begin anew between a letter and a space, and some that don't.
fn tokenizers() -> Vec<Tokenizer> {
    let split = SplitPattern::Regex(LLAMA3.to_owned());
    let split = Split::new(split, SplitDelimiterBehavior::Isolated, false).expect("a pattern");
    let odd = Split::new(SplitPattern::String("12".into()), SplitDelimiterBehavior::Isolated, false);
    let mut all = vec![
        merging(byte_level(true)),
        merging(ByteLevel::new(true, true, true).into()),
        merging(sequence([Digits::new(true).into(), byte_level(true)])),
        merging(sequence([split.into(), byte_level(false)])),
        merging(sequence([odd.expect("a pattern").into(), byte_level(false)])),
        merging(byte_level(false)),
    ];
    for token in [AddedToken::from("the theta", false), AddedToken::from("theta", false).rstrip(true)] {
        let mut tokenizer = merging(byte_level(true));
        tokenizer.add_tokens([token]).expect("add a token");
        all.push(tokenizer);
    }
    all
}

/// So many words, in an order that never repeats.
fn words(count: u64) -> String {
    let kinds = [
        "the",
        " theta",
        " the",
        "the theta",
        "  ",
        "\n\n",
        " 12",
        "don't",
        "\u{e9}",
        "\u{1f980} ",
        " x",
        "t ",
    ];
    let mut state = 7_u64;
    let words = (0..count).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        kinds[(state >> 33) as usize % kinds.len()]
    });
    words.collect()
}

fn whole(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    tokenizer.encode(text, true).expect("encode").get_ids().to_vec()
}

#[test]
fn a_long_text_has_the_same_tokens_as_if_it_were_cut_at_once() {
    let text = words(45_000);
    assert!(text.len() > 140_000, "{} bytes", text.len());
    for (number, tokenizer) in tokenizers().iter().enumerate() {
        let encoder = Encoder::new(tokenizer, None, None, usize::MAX).expect("an encoder");
        let record = Record { text: Some(text.clone()), ..Record::default() };
        let tokens = encoder.encode(&record).expect("encode").example.tokens;
        assert!(tokens == whole(tokenizer, &text), "tokenizer {number}");
    }
}

#[test]
fn what_stands_around_a_text_stands_around_a_long_one() {
    let mut tokenizer = merging(byte_level(true));
    let special = [("<s>", 263 + 2), ("</s>", 263 + 3)].map(|(name, id)| (name.to_owned(), id));
    let around = TemplateProcessing::builder()
        .try_single("<s> $A </s>")
        .expect("a template")
        .special_tokens(special.to_vec())
        .build()
        .expect("a template");
    tokenizer.with_post_processor(Some(around));
    let text = words(25_000);
    let encoder = Encoder::new(&tokenizer, None, None, usize::MAX).expect("an encoder");
    let record = Record { text: Some(text.clone()), ..Record::default() };
    let tokens = encoder.encode(&record).expect("encode").example.tokens;
    assert_eq!((tokens.first(), tokens.last()), (Some(&265), Some(&266)));
    assert!(tokens == whole(&tokenizer, &text));
}

#[test]
fn what_is_learnt_of_long_turns_is_what_they_say() {
    let (long, longer) = (words(20_000), words(25_000));
    let template = chatml();
    // With a control token's name in a turn, the text is cut by another tokenizer.
    for said in [long.clone(), format!("{long} <|im_end|> {long}")] {
        for (number, tokenizer) in tokenizers().iter().take(4).enumerate() {
            let turns = [user(&longer), assistant(&said), user(&long), assistant("t")];
            let masked = Masker::new(&template, tokenizer).mask(&turns, 0).expect("a mask");
            let learnt = trained_text(tokenizer, &masked.tokens, &masked.trained);
            assert!(learnt == format!("{said}<|im_end|>|t<|im_end|>"), "tokenizer {number}");
        }
    }
}
