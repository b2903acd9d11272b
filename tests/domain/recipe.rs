use dojo_studio::domain::recipe::{Method, PolicyLoss, PreferenceLoss, Recipe, edit, keys, parse};
use dojo_studio::domain::recipe::{Override, Packing, Scheduler};

const SMALL: &str = "[model]\nbase = \"smollm2-135m\"\n\n[data]\ntrain = \"train.jsonl\"\n";

fn messages(text: &str) -> Vec<(Option<usize>, String)> {
    let issues = parse::parse(text, &[]).expect_err("the recipe is wrong");
    issues.into_iter().map(|issue| (issue.line, issue.message)).collect()
}

fn set(text: &str) -> Override {
    text.parse().expect("key=value")
}

#[test]
fn a_whole_number_is_printed_as_a_person_writes_it() {
    let text = "model.base = \"m\"\ndata.train = \"d\"\nlora.lora_alpha = 32\ntrain.learning_rate = 3e-4\n";
    let recipe = Recipe::parse(text, &[], "recipe").expect("a recipe");
    let printed = recipe.to_toml();
    assert!(printed.contains("lora_alpha = 32\n"), "{printed}");
    assert!(printed.contains("learning_rate = 0.0003\n"), "{printed}");
    assert_eq!(Recipe::parse(&printed, &[], "printed").expect("the same"), recipe);
}

#[test]
fn a_small_recipe_takes_every_default_from_the_table() {
    let recipe = Recipe::parse(SMALL, &[], "recipe").expect("a good recipe");
    assert_eq!(recipe.method, Method::Sft);
    assert_eq!((recipe.lora.r, recipe.lora.lora_alpha, recipe.lora.lora_dropout), (16, 32.0, 0.05));
    assert_eq!(recipe.train.learning_rate.to_bits(), 2e-4_f64.to_bits());
    assert_eq!(recipe.train.lr_scheduler_type, Scheduler::Cosine);
    assert_eq!(recipe.data.packing, Packing::Off);
    assert_eq!(recipe.data.eval, None);
}

#[test]
fn the_resolved_form_reads_back_as_the_same_recipe_and_names_every_key() {
    let overrides = [
        "data.eval=held out.jsonl",
        "data.session=a session",
        "model.adapter=adapter",
        "train.learning_rate=1e-4",
    ];
    let overrides = overrides.map(set);
    let recipe = Recipe::parse(SMALL, &overrides, "recipe").expect("a good recipe");
    let printed = recipe.to_toml();
    assert_eq!(Recipe::parse(&printed, &[], "printed").expect("the printed form"), recipe);
    for key in keys::keys() {
        let is_named = key.method().is_none_or(|method| method == Method::Sft);
        assert_eq!(edit::get(&printed, key.name).is_some(), is_named, "{} in\n{printed}", key.name);
    }
}

#[test]
fn sets_and_filters_of_a_session_are_checked_with_the_recipe() {
    let with = |train: &str| format!("[model]\nbase = \"m\"\n\n[data]\ntrain = {train:?}\n");
    for good in [
        "set:reviewed",
        "set:pairs split:train",
        "set:reviewed balance:label -tag:bad",
        "session:",
        "a b.csv",
    ] {
        assert_eq!(Recipe::parse(&with(good), &[], "recipe").expect("a good recipe").data.train, good);
    }
    let said =
        "`data.train` is \"set:revewed\": there is no set \"revewed\": write set:reviewed or set:pairs";
    assert_eq!(messages(&with("set:revewed")), [(Some(5), said.to_owned())]);
    let said = "`data.train` is \"set:pairs statsu:new\": there is no field \"statsu\"; did you mean status?";
    assert_eq!(messages(&with("set:pairs statsu:new")), [(Some(5), said.to_owned())]);
    let issues = parse::parse(SMALL, &[set("data.eval=set:reviewed balance:split")]).expect_err("no balance");
    assert_eq!((issues[0].key.as_str(), issues[0].line), ("data.eval", None));
}

#[test]
fn an_override_wins_over_the_file_and_a_bare_text_needs_no_quotes() {
    let overrides = [set("model.base=hf:owner/name"), set("lora.target_modules=[\"q_proj\", \"v_proj\"]")];
    let recipe = Recipe::parse(SMALL, &overrides, "recipe").expect("a good recipe");
    assert_eq!(recipe.model.base, "hf:owner/name");
    assert!(recipe.to_toml().contains("target_modules = [\"q_proj\", \"v_proj\"]"));
}

#[test]
fn an_unknown_key_names_its_line_and_the_nearest_known_one() {
    let text = format!("{SMALL}[train]\nlearning_rte = 1e-4\n");
    let said = "unknown key `train.learning_rte`; the nearest known one is `train.learning_rate`";
    assert_eq!(messages(&text), [(Some(7), said.to_owned())]);
    let error = Recipe::parse(SMALL, &[set("learning_rate=1")], "recipe sft.toml").expect_err("no such key");
    let said = "recipe sft.toml: unknown key `learning_rate`; the nearest known one is `train.learning_rate`";
    assert_eq!(error.to_string(), said);
}

#[test]
fn a_value_out_of_range_says_the_range() {
    let text = format!("{SMALL}[lora]\nr = 0\nlora_dropout = 1.0\ntarget_modules = [\"q_poj\"]\n");
    assert_eq!(
        messages(&text),
        [
            (Some(7), "`lora.r` is 0, but must be a whole number from 1 to 4096".to_owned()),
            (Some(8), "`lora.lora_dropout` is 1.0, but must be a number, at least 0 and less than 1".to_owned()),
            (
                Some(9),
                "`lora.target_modules` names `q_poj`, which is no linear layer; known are q_proj, k_proj, v_proj, \
                 o_proj, gate_proj, up_proj, down_proj"
                    .to_owned()
            ),
        ]
    );
}

#[test]
fn a_value_of_another_type_says_what_it_must_be() {
    let text = format!("{SMALL}[train]\nlr_scheduler_type = \"cosin\"\nnum_train_epochs = \"three\"\n");
    let found = messages(&text);
    assert_eq!(
        found[0].1,
        "`train.lr_scheduler_type` is \"cosin\", but must be one of \"cosine\", \"linear\", \"constant\""
    );
    assert_eq!(
        found[1].1,
        "`train.num_train_epochs` is \"three\", but must be a number, more than 0 and at most 100000"
    );
}

#[test]
fn infinities_and_nan_are_out_of_every_range() {
    for number in ["nan", "inf", "-inf"] {
        let text = format!("{SMALL}[train]\nlearning_rate = {number}\n");
        assert_eq!(messages(&text).len(), 1, "{number}");
    }
}

#[test]
fn missing_keys_damaged_text_and_sections_written_as_values_are_told() {
    assert!(messages("")[0].1.starts_with("`model.base` is missing"));
    let damaged = messages("[model]\nbase = \n");
    assert_eq!(damaged[0].0, Some(2));
    assert!(damaged[0].1.starts_with("this is not valid TOML"), "{damaged:?}");
    assert_eq!(messages(&format!("lora = 3\n{SMALL}"))[0].1, "`lora` is a section: write [lora]");
}

#[test]
fn a_recipe_on_rewards_has_defaults_of_its_own_and_prints_them() {
    let recipe = |text: &str| Recipe::parse(text, &[], "recipe").expect("a recipe");
    let grpo = recipe(&format!("method = \"grpo\"\n{SMALL}"));
    assert_eq!((grpo.train.learning_rate, grpo.lora.lora_dropout, grpo.data.split), (1e-5, 0.0, 0.0));
    let part = grpo.grpo.clone().expect("its part");
    assert_eq!((part.num_generations, part.prompts_per_step, part.loss_type), (8, 8, PolicyLoss::Dapo));
    assert_eq!((part.beta, part.epsilon, part.epsilon_high()), (0.0, 0.2, 0.2));
    assert_eq!(recipe(&grpo.to_toml()), grpo);
    let cispo = recipe(&format!("method = \"grpo\"\n{SMALL}[grpo]\nloss_type = \"cispo\"\n"));
    assert!((cispo.grpo.expect("its part").epsilon_high() - 5.0).abs() < 1e-12);
    assert_eq!(recipe(SMALL).grpo, None);
}

#[test]
fn rewards_of_a_recipe_are_names_with_weights_and_settings() {
    let table = "[rewards]\nlength = 0.5\nshort = { reward = \"length\", weight = 2.0, max = 40 }\n";
    let recipe =
        Recipe::parse(&format!("method = \"grpo\"\n{SMALL}{table}"), &[], "recipe").expect("a recipe");
    let rows = recipe.rewards.as_ref().expect("a table").rows();
    let rows: Vec<(&str, &str, f64)> =
        rows.iter().map(|row| (row.name.as_str(), row.reward.as_str(), row.weight)).collect();
    assert_eq!(rows, [("length", "length", 0.5), ("short", "length", 2.0)]);
    assert_eq!(Recipe::parse(&recipe.to_toml(), &[], "recipe").as_ref(), Ok(&recipe));
    let refused = |more: &str| messages(&format!("method = \"grpo\"\n{SMALL}{more}"))[0].1.clone();
    assert_eq!(refused("[rewards]\n"), "`rewards` names no reward: write one, such as `length = 1.0`");
    assert!(refused("[rewards]\nlength = \"much\"\n").starts_with("rewards.length is \"much\""));
    let told = messages(&format!("{SMALL}{table}"))[0].1.clone();
    assert_eq!(told, "`rewards` is for method = \"grpo\", and this recipe's is \"sft\"");
}

#[test]
fn what_a_recipe_on_rewards_says_in_vain_is_refused_by_name() {
    let refused = |more: &str| {
        let found = messages(&format!("method = \"grpo\"\n{SMALL}{more}"));
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].1.clone()
    };
    assert!(refused("[grpo]\nnum_generation = 4\n").contains("`grpo.num_generations`"));
    assert!(refused("[train]\ngradient_accumulation_steps = 4\n").contains("grpo.prompts_per_step x"));
    assert!(refused("[compute]\nbase_format = \"nf4\"\n").contains("which nf4 can't"));
    assert!(refused("[save]\nload_best_model_at_end = true\n").contains("no evaluation loss"));
    assert!(refused("[grpo]\nmax_completion_length = 1024\n").contains("leaves no room for a prompt"));
    assert!(refused("[grpo]\nnum_generations = 1\n").contains("from 2 to 1024"));
}

#[test]
fn a_recipe_for_preferences_has_defaults_of_its_own_and_prints_them() {
    let recipe = |text: &str| Recipe::parse(text, &[], "recipe").expect("a recipe");
    let dpo = recipe(&format!("method = \"dpo\"\n{SMALL}"));
    assert_eq!((dpo.train.learning_rate, dpo.lora.lora_dropout), (1e-5, 0.0));
    let part = dpo.dpo.clone().expect("its part");
    assert_eq!((part.beta, part.loss_type.kinds()), (0.1, &[PreferenceLoss::Sigmoid][..]));
    assert_eq!(recipe(&dpo.to_toml()), dpo);
    let sft = recipe(SMALL);
    assert_eq!((sft.train.learning_rate, sft.lora.lora_dropout, &sft.dpo), (2e-4, 0.05, &None));
    assert!(!sft.to_toml().contains("dpo"), "{}", sft.to_toml());
    let several = format!(
        "method = \"dpo\"\n{SMALL}[dpo]\nloss_type = [\"sigmoid\", \"sft\"]\nloss_weights = [1.0, 0.25]\n"
    );
    let several = recipe(&several);
    assert_eq!(several.dpo.as_ref().expect("its part").weights().collect::<Vec<_>>(), [1.0, 0.25]);
    assert_eq!(recipe(&several.to_toml()), several);
}

#[test]
fn what_a_recipe_for_preferences_says_in_vain_is_refused_by_name() {
    let refused = |more: &str| {
        let found = messages(&format!("method = \"dpo\"\n{SMALL}{more}"));
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].1.clone()
    };
    assert!(refused("packing = \"bfd\"\n").contains("pairs are laid end to end without padding"));
    assert!(refused("assistant_only_loss = false\n").contains("preferences are learnt of answers alone"));
    assert!(refused("[dpo]\nloss_type = \"nothing\"\n").contains("must be one of \"sigmoid\""));
    assert!(refused("[dpo]\nloss_type = [\"ipo\", \"ipo\"]\n").contains("names \"ipo\" twice"));
    assert!(
        refused("[dpo]\nloss_type = \"ipo\"\nlabel_smoothing = 0.1\n")
            .contains("changes nothing in the loss ipo")
    );
    assert!(
        refused("[dpo]\nloss_weights = [1.0, 2.0]\n").contains("has 2 weights, and `dpo.loss_type` 1 losses")
    );
    let of_sft = messages(&format!("{SMALL}[dpo]\nbeta = 0.2\n"));
    assert_eq!(of_sft.len(), 1);
    assert_eq!(of_sft[0].1, "`dpo.beta` is for method = \"dpo\", and this recipe's is \"sft\"");
}

#[test]
fn early_stopping_without_held_out_examples_is_refused() {
    let found = messages(&format!("{SMALL}split = 0\n[eval]\nearly_stopping_patience = 2\n"));
    assert_eq!(found.len(), 1);
    assert!(found[0].1.contains("needs held-out examples"), "{found:?}");
}

#[test]
fn editing_keeps_comments_and_order() {
    let text =
        "# mine\n[model]\nbase = \"a\" # the model\n\n[train]\n# careful\nlearning_rate = 1e-3 # high\n";
    let edited = edit::set(text, "train.learning_rate", "2e-4").expect("a good value");
    assert_eq!(edited, text.replace("1e-3", "2e-4"));
    let added = edit::set(&edited, "lora.r", "8").expect("a good value");
    assert!(added.starts_with(&edited) && added.ends_with("[lora]\nr = 8\n"), "{added}");
    assert_eq!(edit::get(&added, "lora.r").as_deref(), Some("8"));
    let removed = edit::unset(&added, "train.learning_rate").expect("a known key");
    assert_eq!(edit::get(&removed, "train.learning_rate"), None);
    let refused = edit::set(text, "lora.r", "many").expect_err("no number");
    assert_eq!(refused.message, "`lora.r` is \"many\", but must be a whole number from 1 to 4096");
}

#[test]
fn rates_by_pattern_are_read_in_both_toml_forms() {
    let inline =
        format!("{SMALL}[train]\nlearning_rates = [{{ pattern = \"*.q_proj.*\", learning_rate = 1e-4 }}]\n");
    let tables = format!("{SMALL}[[train.learning_rates]]\npattern = \"*.q_proj.*\"\nlearning_rate = 1e-4\n");
    let read = |text: &str| Recipe::parse(text, &[], "recipe").expect("a good recipe").train.learning_rates;
    assert_eq!(read(&inline), read(&tables));
    assert_eq!(read(&inline)[0].pattern, "*.q_proj.*");
}

proptest::proptest! {
    #[test]
    fn no_text_panics_the_recipe_parser(text in "(?s)[\\[\\]a-z_=.\"# \\n0-9]{0,200}") {
        let _ = parse::parse(&text, &[]);
        let _ = edit::set(&text, "lora.r", &text);
        let _ = edit::unset(&text, "train.seed");
    }
}

#[test]
fn an_unknown_device_is_named_with_its_line_and_the_nearest_known_one() {
    let found = messages(&format!("{SMALL}\n[compute]\ndevice = \"gpu\"\n"));
    let sentence = "`compute.device`: there is no device \"gpu\": known are auto, cpu, cuda:N and metal; the nearest \
                    is cuda:0";
    assert_eq!(found, [(Some(8), sentence.to_owned())]);
    for device in ["auto", "cpu", "cuda", "cuda:1", "metal"] {
        let text = format!("{SMALL}\n[compute]\ndevice = \"{device}\"\n");
        assert_eq!(Recipe::parse(&text, &[], "recipe").expect("a known device").compute.device, device);
    }
}

#[test]
fn a_map_of_columns_over_records_is_refused_by_name_and_one_over_a_file_is_not() {
    let recipe = |train: &str, more: &str| {
        format!("model.base = \"m\"\ndata.train = {train:?}\ndata.map = [\"prompt=ticket_body\"]\n{more}")
    };
    for train in ["session:", "session:-tag:bad", "set:reviewed"] {
        let issues = parse::parse(&recipe(train, ""), &[]).expect_err("the map can't be obeyed");
        assert_eq!((issues[0].key.as_str(), issues[0].line), ("data.map", Some(3)));
        assert!(issues[0].message.contains("naming their file in `data.train`"), "{issues:?}");
    }
    for good in [recipe("rows.csv", ""), recipe("session:", "data.eval = \"rows.csv\"\n")] {
        assert!(parse::parse(&good, &[]).is_ok());
    }
    let empty = "model.base = \"m\"\ndata.train = \"session:\"\ndata.map = []\n";
    assert!(parse::parse(empty, &[]).is_ok());
}
