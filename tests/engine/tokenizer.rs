//! Tokenizers from GGUF and from Hugging Face folders.

use dojo_studio::engine::model;
use dojo_studio::engine::model::architecture::{GEMMA3, QWEN2};

use crate::support::models::{golden, only_if_here, smollm2};

#[test]
fn a_gguf_tokenizer_gives_the_reference_ids() {
    let (Some(golden), Some(files)) = (golden(), smollm2()) else { return };
    let model = model::open(&files).unwrap();
    let text = std::fs::read_to_string(golden.join("chat.json")).unwrap();
    let chats: serde_json::Value = serde_json::from_str(&text).unwrap();
    for chat in chats.as_array().unwrap() {
        let encoding = model.tokenizer.encode(chat["text"].as_str().unwrap(), false).unwrap();
        let expected: Vec<u32> = serde_json::from_value(chat["input_ids"].clone()).unwrap();
        assert_eq!(encoding.get_ids(), expected);
        let back = model.tokenizer.decode(encoding.get_ids(), false).unwrap();
        assert_eq!(back, chat["text"].as_str().unwrap());
    }
}

/// Sentences and their ids by the models' own tokenizers, as transformers 5.23 builds them.
type Reference = [(&'static str, &'static [u32])];

const QWEN: &Reference = &[
    (
        "The quick brown fox jumps over 12345 lazy dogs.",
        &[785, 3974, 13_876, 38_835, 34_208, 916, 220, 16, 17, 18, 19, 20, 15_678, 12_590, 13],
    ),
    ("  two spaces,\ttab\n\n\nthree lines  ", &[220, 1378, 12_621, 11, 58_149, 1406, 27_856, 5128, 256]),
    (
        "Zażółć gęślą jaźń — 東京 🦀 naïve café",
        &[
            57, 59_919, 47_392, 7730, 342, 5156, 126_693, 5861, 11_937, 39_511, 19_150, 1959, 60_596, 109,
            46_553, 11_162, 99, 222, 94_880, 586, 51_950,
        ],
    ),
    (
        "def f(x):\n    return x**2 + 10  # It's I'LL we'Ve",
        &[
            750, 282, 2075, 982, 262, 470, 856, 334, 17, 488, 220, 16, 15, 220, 671, 1084, 594, 358, 6, 4086,
            582, 6, 42_612,
        ],
    ),
    (
        "<|im_start|>user\nhi<|im_end|>\n<start_of_turn>model\nok<end_of_turn>\n",
        &[
            151_644, 872, 198, 6023, 151_645, 198, 27, 2468, 3575, 37_274, 29, 2528, 198, 562, 27, 408, 3575,
            37_274, 397,
        ],
    ),
    (
        "مرحبا بالعالم हिन्दी ไทย 한국어",
        &[
            124_122, 29_825, 124_671, 124_476, 129_634, 84_310, 42_311, 101, 30_484, 99, 43_647, 220,
            125_451, 130_092, 31_079,
        ],
    ),
    (" leading", &[6388]),
    ("\n", &[198]),
    ("a\r\nb", &[64, 319, 65]),
];

const GEMMA: &Reference = &[
    (
        "The quick brown fox jumps over 12345 lazy dogs.",
        &[
            818, 3823, 8864, 37_423, 38_167, 1024, 236_743, 236_770, 236_778, 236_800, 236_812, 236_810,
            31_770, 12_414, 236_761,
        ],
    ),
    (
        "  two spaces,\ttab\n\n\nthree lines  ",
        &[138, 13_498, 9952, 236_764, 255_968, 4823, 109, 19_891, 4463, 138],
    ),
    (
        "Zażółć gęślą jaźń — 東京 🦀 naïve café",
        &[
            236_953, 40_512, 24_875, 237_289, 549, 237_202, 62_081, 237_198, 4828, 238_992, 238_041, 2192,
            86_459, 236_743, 248_714, 120_362, 33_443,
        ],
    ),
    (
        "def f(x):\n    return x**2 + 10  # It's I'LL we'Ve",
        &[
            2063, 517, 236_769, 236_781, 1473, 107, 140, 2060, 1123, 1018, 236_778, 900, 236_743, 236_770,
            236_771, 138, 236_865, 1030, 236_789, 236_751, 564, 236_789, 2182, 692, 236_789, 32_541,
        ],
    ),
    (
        "<|im_start|>user\nhi<|im_end|>\n<start_of_turn>model\nok<end_of_turn>\n",
        &[
            236_820, 236_909, 548, 236_779, 3041, 111_038, 2364, 107, 2202, 236_820, 236_909, 548, 236_779,
            643, 111_038, 107, 105, 4368, 107, 680, 106, 107,
        ],
    ),
    (
        "مرحبا بالعالم हिन्दी ไทย 한국어",
        &[236_873, 150_345, 107_602, 17_193, 85_394, 127_604, 50_413, 237_430],
    ),
    (
        "e\u{301} é ﬁ \u{200d}👩\u{200d}💻",
        &[236_744, 238_288, 1559, 97_940, 205_730, 243_767, 237_243, 244_862],
    ),
    (" leading", &[5830]),
    ("\n", &[107]),
    ("a\r\nb", &[236_746, 251, 107, 236_763]),
];

fn check(name: &str, reference: &Reference) {
    let Some(files) = only_if_here(name) else { return };
    let model = model::open(&files).unwrap();
    for (text, ids) in reference {
        let encoding = model.tokenizer.encode(*text, false).unwrap();
        assert_eq!(encoding.get_ids(), *ids, "{name}: {text:?}");
        assert_eq!(model.tokenizer.decode(ids, false).unwrap(), *text, "{name}");
    }
}

#[test]
fn qwens_tokenizer_gives_the_reference_ids() {
    check("qwen2.5-coder-0.5b", QWEN);
}

#[test]
fn gemmas_tokenizer_gives_the_reference_ids() {
    check("gemma-3-270m", GEMMA);
}

#[test]
fn real_configurations_of_other_architectures_are_read() {
    if let Some(files) = only_if_here("qwen2.5-coder-0.5b") {
        let config = model::open(&files).unwrap().config;
        assert_eq!(
            (config.architecture, config.layer.qkv_bias, config.layer.head_norms.is_some()),
            (&QWEN2, true, false)
        );
        assert_eq!((config.layers, config.heads, config.kv_heads, config.head_dim), (24, 14, 2, 64));
        assert_eq!((config.vocabulary, config.hidden, config.intermediate), (151_936, 896, 4864));
        assert_eq!(config.eos, [151_645, 151_643]);
    }
    if let Some(files) = only_if_here("gemma-3-270m") {
        let model = model::open(&files).unwrap();
        let config = model.config;
        assert_eq!(
            (
                config.architecture,
                config.layer.head_norms.is_some(),
                config.layer.feed_forward.after.is_some()
            ),
            (&GEMMA3, true, true)
        );
        assert_eq!((config.layers, config.heads, config.kv_heads, config.head_dim), (18, 4, 1, 256));
        assert_eq!(config.windows[4..7], [Some(512), None, Some(512)]);
        assert_eq!((config.rope.theta, config.local_rope.unwrap().theta), (1e6, 1e4));
        assert_eq!((config.embedding_scale, config.attention_scale), (640.0_f32.sqrt(), 0.0625));
        assert_eq!((config.bos, config.eos), (Some(2), vec![1, 106]));
        assert_eq!(model.template.text, None);
        // Plain text gets the beginning that the model was trained with.
        assert_eq!(model.tokenizer.encode("a", true).unwrap().get_ids()[0], 2);
    }
}
