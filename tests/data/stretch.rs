//! Texts that are longer than what becomes tokens at once.

use std::collections::BTreeSet;

use dojo_studio::data::encode::Encoder;
use dojo_studio::data::mask::Masker;
use dojo_studio::data::stretch::cuts;
use dojo_studio::domain::record::Record;
use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::unicode::NFKC;
use tokenizers::normalizers::utils::{Lowercase, Sequence as Normalizers};
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
    let merges = [
        ("t", "h"),
        ("th", "e"),
        ("e", "Ġ"),
        ("Ġ", "the"),
        ("Ġ", "t"),
        ("1", "2"),
        ("Ġ", "Ġ"),
        (";", "Ċ"),
        ("Ċ", "Ċ"),
        ("Ċ", "t"),
        ("e", "1"),
        ("2", "t"),
        ("2", "1"),
        ("Ċ", "/"),
    ];
    let alphabet: BTreeSet<String> = ByteLevel::alphabet().into_iter().map(String::from).collect();
    let merged = merges.iter().map(|(left, right)| format!("{left}{right}"));
    let vocabulary: [(String, u32); 270] =
        alphabet.into_iter().chain(merged).zip(0..).collect::<Vec<_>>().try_into().expect("270 tokens");
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
    let special = [("<s>", 270 + 2), ("</s>", 270 + 3)].map(|(name, id)| (name.to_owned(), id));
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
    assert_eq!((tokens.first(), tokens.last()), (Some(&272), Some(&273)));
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

const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT_4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Tokenizers of every known pattern.
fn patterns() -> Vec<Tokenizer> {
    let qwen = LLAMA3.replace("{1,3}", "");
    let split = |pattern: &str| {
        let pattern = SplitPattern::Regex(pattern.to_owned());
        Split::new(pattern, SplitDelimiterBehavior::Isolated, false).expect("a pattern")
    };
    let mut all: Vec<Tokenizer> = [qwen.as_str(), LLAMA3, TEKKEN, GPT_4O]
        .map(|pattern| merging(sequence([split(pattern).into(), byte_level(false)])))
        .into();
    all.push(merging(byte_level(true)));
    all.push(merging(ByteLevel::new(true, true, true).into()));
    all.push(merging(sequence([Digits::new(true).into(), byte_level(true)])));
    all.push(merging(sequence([Digits::new(false).into(), byte_level(true)])));
    all
}

/// Rows without a place between two words, of pieces in an order that never repeats.
fn rows(count: usize) -> Vec<String> {
    let kinds: [&[&str]; 6] = [
        &[
            "foo();\n",
            "if (e1) {\n",
            "\t",
            "}\n\n",
            "// x\r\n",
            "/",
            "'s",
            " \n",
            "12",
            "the1",
            "\u{e9}\n",
            "\n/",
            "'L",
            ";\n\u{301}",
        ],
        &["1", "2", "12", "121", "1", "2", "1", "2", "\u{663}", "\u{bd}", "e1"],
        &["A", "b", "C", "1", "2", "+", "/", "Zz", "9e", "t2", "'t", "aB"],
        &["你好", "，", "世界", "。", "\n", "1", "e", "“", "が", "\u{3099}", "가", "、", "\u{ff11}"],
        &[
            "<|e1|>",
            "x",
            "1",
            "12",
            "<y>",
            " <y>",
            "\n<y>",
            "<z> ",
            "<z>\n",
            "e1",
            "of\u{a0}the",
            " of the",
            "OF the",
            "<Y1",
        ],
        &["\n", "\n\n", "\r\n", " ", "  ", "\t", "the", ".", "1", "\u{2028}", "\u{85}", "\u{212a}", "\u{b4}"],
    ];
    let mut state = 11_u64;
    kinds
        .iter()
        .map(|pieces| {
            let next = |_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                pieces[(state >> 33) as usize % pieces.len()]
            };
            (0..count).map(next).collect()
        })
        .collect()
}

/// How many parts the rows have, all of which are the whole's.
fn parts(tokenizer: &Tokenizer, rows: &[String], which: &str) -> Vec<usize> {
    let ids = |text: &str| tokenizer.encode(text, false).expect("encode").get_ids().to_vec();
    let parts = rows.iter().enumerate().map(|(row, text)| {
        let cuts = cuts(tokenizer, text, 1);
        let ends = cuts.iter().copied().chain([text.len()]);
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let whole = ids(text);
        let mut at = 0;
        for (start, end) in starts.zip(ends) {
            let own = ids(&text[start..end]);
            let around =
                (text[..start].chars().next_back(), text[start..].chars().take(4).collect::<String>());
            assert!(whole[at..].starts_with(&own), "{which}, row {row}, {start}..{end}: {around:?}");
            at += own.len();
        }
        assert_eq!(at, whole.len(), "{which}, row {row}");
        cuts.len() + 1
    });
    parts.collect()
}

#[test]
fn the_parts_of_rows_without_words_have_the_tokens_of_the_whole() {
    let rows = rows(2000);
    for (number, tokenizer) in patterns().iter().enumerate() {
        let found = parts(tokenizer, &rows, &format!("pattern {number}"));
        // GPT-2's numbers are as long as they are, and a space before a text forbids more.
        let least = if number == 5 { [0, 0, 0, 0, 20, 20] } else { [300, 50, 200, 50, 200, 50] };
        assert!(found.iter().zip(least).all(|(found, least)| *found > least), "pattern {number}: {found:?}");
    }
}

#[test]
fn added_tokens_are_never_cut() {
    let rows = rows(2000);
    let changes: [fn(AddedToken) -> AddedToken; 4] = [
        |token| token,
        |token| token.lstrip(true),
        |token| token.rstrip(true),
        |token| token.single_word(true),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        for (pattern, mut tokenizer) in patterns().into_iter().enumerate() {
            let added = ["<|e1|>", "<y>", "<z>", "12", "e1", "\n\n", "世界。"];
            let added = added.map(|text| change(AddedToken::from(text, false)));
            tokenizer.add_tokens(added).expect("add tokens");
            parts(&tokenizer, &rows, &format!("change {number}, pattern {pattern}"));
        }
    }
}

#[test]
fn a_token_whose_white_space_becomes_a_space_is_never_cut() {
    for (number, mut tokenizer) in patterns().into_iter().enumerate() {
        let normalizers = vec![NFKC.into(), Lowercase.into()];
        tokenizer.with_normalizer(Some(Normalizers::new(normalizers))).expect("set the normalizers");
        let plain = parts(&tokenizer, &rows(1000), &format!("pattern {number}"));
        assert!(plain[0] > 50, "pattern {number}: {plain:?}");
        tokenizer.add_tokens([AddedToken::from("of\u{a0}the", false).normalized(true)]).expect("add a token");
        let text = format!("z{}", " of the".repeat(500));
        assert_eq!(cuts(&tokenizer, &text, 1), [0; 0], "pattern {number}");
        parts(&tokenizer, &rows(1000), &format!("pattern {number}, with the token"));
    }
}

#[test]
fn a_text_that_goes_on_too_long_without_a_joint_is_refused() {
    let tokenizer = merging(byte_level(true));
    let encoder = Encoder::new(&tokenizer, None, None, 64).expect("an encoder");
    let record = |text: String| Record { text: Some(text), ..Record::default() };
    let told = encoder.encode(&record("a".repeat(5 << 20))).expect_err("refused");
    let told = format!("{told:#}");
    assert!(
        told.contains("5.0 MiB of its text have no place where the model's tokenizer surely begins anew"),
        "{told}"
    );
}
