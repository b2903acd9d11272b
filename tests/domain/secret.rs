use dojo_studio::domain::secret::{
    MASK, clean, is_key, is_key_as_model, is_variable_name, mask, remember, without,
};
use proptest::prelude::*;

#[test]
fn what_looks_like_a_key_is_masked_and_words_are_not() {
    for (text, masked) in [
        ("Incorrect API key provided: sk-proj-abcd1234.", "Incorrect API key provided: ***."),
        ("api_key = \"hunter2hunter\"", "api_key = \"***\""),
        ("Authorization: Bearer abc123def", "Authorization: Bearer ***"),
        ("https://user:pass@host/v1", "https://***@host/v1"),
        ("https://host/v1?key=abc&model=m", "https://host/v1?key=***&model=m"),
        ("q7Zk2Lm9Xv4Rt8Wb3Np6Hs1Jd5Gf0YaB is wrong", "*** is wrong"),
        ("4f8a1c2e-9b7d-4e6f-8a1b-2c3d4e5f6a7b is wrong", "*** is wrong"),
        ("0f1e2d3c4b5a69788796a5b4c3d2e1f0 is wrong", "*** is wrong"),
        ("q2W+x8Zl/0Rk7Vt5YbN3mC9dGj1HfS6uPaE4iO8wTzQ= is wrong", "*** is wrong"),
        ("https://host.org/z9Kq/V4tXb7Rm2Ws8Ln5Hd3Yc6Pf1Gj0Ta+Qe9Uk4Zx7B", "https://host.***"),
    ] {
        assert_eq!(mask(text), masked);
    }
    for words in [
        "model open-mistral-nemo has no tokenizer",
        "a skateboarder 12 and a keyboard",
        "key_env = \"MISTRAL_API_KEY\"",
        "https://api.mistral.ai/v1/chat/completions",
        "maximum context length is 2048 tokens",
        "open /home/Anna/Projects2024/DojoSessions/first/recipes/sft/of/monday",
        "https://host.org/openai/deployments/Team1GptForAnalysis/chat/completions",
    ] {
        assert_eq!(mask(words), words);
    }
}

#[test]
fn keys_are_told_from_names_of_teachers_and_of_models() {
    for key in [
        "sk-proj-abcd1234",
        "7Hk29xLmQp4RtZv8WnYb3CdF6GjKs1Ae",
        "aB3dE5gH7jK9mN1pQ3sT5v",
        "q2W+x8Zl/0Rk7Vt5YbN3mC9dGj1HfS6uPaE4iO8wTzQ=",
        "fw_3ZkQ9abcdefgh",
    ] {
        assert!(is_key(key) && is_key_as_model(key), "{key}");
    }
    // Deployments have numbers, and those who name a teacher have words.
    for number in ["4f8a1c2e-9b7d-4e6f-8a1b-2c3d4e5f6a7b", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"] {
        assert!(is_key(number) && !is_key_as_model(number), "{number}");
    }
    for name in [
        "gpt-4o-mini-2024-07-18",
        "meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo",
        "Mistral-Small-24B-Instruct-2501-GGUF-Q4_K_M",
        "ft:gpt-4o-mini-2024-07-18:my-org:custom:AbC12dEf",
        "accounts/fireworks/models/llama-v3p1-405b-instruct",
        "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
        "ep-20240613083522-x8kzq",
        "Qwen3CoderPlusForTeam7",
        "at home",
    ] {
        assert!(!is_key(name) && !is_key_as_model(name), "{name}");
    }
}

#[test]
fn names_of_variables_are_told_from_keys() {
    for name in ["OPENAI_API_KEY", "my_key", "KEY2", "_X"] {
        assert!(is_variable_name(name), "{name}");
    }
    for key in [
        "sk-abcdef123456",
        "AIzaSyA1234567890abcdef",
        "aB3dE5gH7jK9mN1pQ3sT5v",
        "qwertyuiopasdfghjklzxcvbnmqwerty",
        "hf_abcdEFGH1234",
        "",
        "a b",
    ] {
        assert!(!is_variable_name(key), "{key}");
    }
}

#[test]
fn a_word_in_the_place_of_a_key_doesnt_take_words_out_of_answers() {
    assert_eq!(without("the ollama server", "ollama-local"), "the ollama server");
    assert_eq!(without("sk-no-key-required", "sk-no-key-required"), MASK);
}

#[test]
fn a_message_has_no_key_that_is_known_and_keeps_long_names() {
    let name = "pull Mistral-Small-24B-Instruct-2501-GGUF-Q4";
    assert_eq!(clean(name), name);
    let key = "w0rds-w1thout-a-form-92817";
    assert_eq!(clean(key), key);
    remember(key);
    assert_eq!(clean("it says: w0rds-w1thout-a-form-92817, or thout-a-form"), "it says: ***, or ***");
    assert_eq!(clean("hf_abcdefgh12345678"), MASK);
}

proptest! {
    #[test]
    fn no_eight_characters_of_a_key_are_left(key in "[a-z0-9/+=_-]{11,40}7", before in ".{0,20}", after in ".{0,20}", from in 0_usize..8, to in 0_usize..4) {
        let part = &key[from.min(key.len() - 8)..key.len() - to.min(key.len() - 8 - from.min(key.len() - 8))];
        let left = without(&format!("{before}{part}{after}"), &key);
        prop_assert!(!left.as_bytes().windows(8).any(|run| key.as_bytes().windows(8).any(|own| own == run)), "{left}");
    }

    #[test]
    fn masking_twice_is_masking_once(text in "\\PC{0,60}") {
        let once = mask(&text);
        prop_assert_eq!(mask(&once), once);
    }
}

#[test]
fn a_key_in_capitals_or_with_blanks_within_is_masked_too() {
    let key = "tk-4Fq9Zw2Lm7Xc1Vb8";
    for spelt in [
        key.to_uppercase(),
        key.to_lowercase(),
        key.chars().map(|letter| format!("{letter} ")).collect(),
        format!("{}\n{}", &key[..9], &key[9..]),
    ] {
        let masked = without(&format!("it is <{spelt}>, said the server"), key);
        assert_eq!(masked.replace(' ', ""), format!("itis<{MASK}>,saidtheserver"), "{spelt:?}");
    }
    assert_eq!(without("grün ist 4Fq9 und nichts", key), "grün ist 4Fq9 und nichts");
}
