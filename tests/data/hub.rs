use std::path::Path;

use dojo_studio::data::hub::DatasetName;
use proptest::prelude::*;

#[test]
fn a_datasets_name_may_say_its_config_and_split() {
    let parse = |text: &str| DatasetName::parse(text).expect("a name");
    let name = parse("hf:openai/gsm8k:main:train");
    assert_eq!((name.owner.as_str(), name.name.as_str()), ("openai", "gsm8k"));
    assert_eq!((name.config.as_deref(), name.split.as_deref()), (Some("main"), Some("train")));
    assert_eq!(parse("hf:a/b").config, None);
    assert_eq!((parse("hf:a/b::test").config, parse("hf:a/b::test").split), (None, Some("test".to_owned())));
    assert!(DatasetName::is_one(Path::new("hf:a/b")));
    assert!(!DatasetName::is_one(Path::new("a/b.jsonl")));
}

#[test]
fn what_is_no_name_of_a_dataset_is_refused() {
    for text in ["hf:squad", "hf:/x", "hf:a/", "hf:a/b:c:d:e", "hf:a/..", "hf:a/../b", "hf:a/b:../c"] {
        let error = DatasetName::parse(text).expect_err("refused").to_string();
        assert!(
            error.ends_with("write hf:owner/name, hf:owner/name:config or hf:owner/name:config:split"),
            "{error}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "(hf:)?[a-z/:. ]{0,20}") {
        let _ = DatasetName::parse(&text);
    }
}
