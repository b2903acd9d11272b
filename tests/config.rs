use dojo_studio::config::Folders;

/// Settings of a home of its own.
fn read(text: &str) -> (dojo_studio::domain::settings::Settings, Vec<String>) {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    std::fs::create_dir_all(&folders.settings).expect("a folder");
    std::fs::write(folders.settings.join("settings.toml"), text).expect("write");
    folders.read_settings()
}

#[test]
fn a_key_that_is_no_setting_is_named_and_the_others_count() {
    let text = "colour = \"red\"\nmouse = false\ntheme = 3\n[keys]\n\"train.pause\" = [\"p\"]\n\"train.stop\" = \"x\"\n\
                [teachers.good]\nbase_url = \"http://localhost\"\nmodel = \"m\"\n\
                [teachers.odd]\nbase_url = \"http://localhost\"\nmodel = \"m\"\nmax_price = 3\n";
    let (settings, left_out) = read(text);
    assert!(!settings.mouse && settings.theme.is_empty());
    assert_eq!(settings.keys.keys().collect::<Vec<_>>(), ["train.pause"]);
    assert_eq!(settings.teachers.keys().collect::<Vec<_>>(), ["good"]);
    let named = [
        "colour is left out: unknown field",
        "theme is left out",
        "keys.train.stop is left out",
        "teachers.odd is left out: unknown field `max_price`",
    ];
    for name in named {
        let found = left_out.iter().any(|words| words.contains(name) && words.contains("settings.toml: "));
        assert!(found, "{name}: {left_out:?}");
    }
    assert_eq!(left_out.len(), named.len(), "{left_out:?}");
}

#[test]
fn settings_that_are_no_toml_leave_the_defaults_and_good_ones_say_nothing() {
    let (settings, left_out) = read("mouse = \n");
    assert!(settings.mouse);
    assert!(left_out.len() == 1 && left_out[0].contains("settings.toml"), "{left_out:?}");
    assert_eq!(read("mouse = false\n").1, Vec::<String>::new());
}

#[test]
fn no_value_of_a_setting_that_may_be_a_key_is_quoted() {
    let keys = [
        "qwertyuiopasdfghjklzxcvbnmqwerty",
        "0123456789abcdef0123456789abcdef",
        "4f8a1c2e-9b7d-4e6f-8a1b-2c3d4e5f6a7b",
    ];
    for key in keys {
        let settings = [
            format!("key_ring = \"{key}\""),
            format!("key_command = \"say '{key}'\""),
            format!("key_command = [\n  \"say\",\n  {{ \"a\" = \"{key}\" }},\n]"),
            format!("key_env = [\"{key}\"]"),
            format!("key_env = \"X\" {key}"),
            format!("key_env = {key}"),
            format!("key_env = \"{key}"),
            format!("key_command = \"\"\"\nsay\na = {key}\n"),
            format!("key_file = \"{key}\""),
            format!("price_per_million_input = \"{key}\""),
        ];
        for setting in settings {
            let text = format!("[teachers.a]\nbase_url = \"http://localhost\"\nmodel = \"m\"\n{setting}\n");
            let home = tempfile::tempdir().expect("a folder");
            let folders = Folders::under(home.path());
            std::fs::create_dir_all(&folders.settings).expect("a folder");
            std::fs::write(folders.settings.join("settings.toml"), &text).expect("write");
            let whole = format!("{:#}", folders.load_settings().expect_err("wrong"));
            let (_, left_out) = folders.read_settings();
            let told = left_out.join("; ");
            assert!(!told.is_empty() && whole.contains("line "), "{whole}");
            for said in [&whole, &told] {
                assert!(!said.contains(&key[..8]) && !said.contains(&key[24..]), "{setting}: {said}");
                assert_eq!(said.lines().count(), 1, "{said}");
            }
        }
    }
    let told =
        read("theme = \"0f1e2d3c4b5a69788796a5b4c3d2e1f0\"\n\"4f8a1c2e-9b7d-4e6f-8a1b-2c3d4e5f6a7b\" = 1\n")
            .1;
    assert!(!told.is_empty() && !told.join(" ").contains("4f8a1c2e"), "{told:?}");
}

#[test]
fn a_command_that_says_a_key_is_a_list_or_words() {
    let of = |command: &str| {
        let (settings, left_out) = read(&format!(
            "[teachers.a]\nbase_url = \"http://localhost\"\nmodel = \"m\"\nkey_command = {command}\n"
        ));
        settings.teachers.get("a").map(|teacher| teacher.key_command.clone()).ok_or(left_out.join(" "))
    };
    let words = ["pass", "show", "mistral"].map(str::to_owned).to_vec();
    assert_eq!(of("\"pass show  mistral\""), Ok(words.clone()));
    assert_eq!(of("[\"pass\", \"show\", \"mistral\"]"), Ok(words));
    for for_a_shell in ["\"pass show 'my key'\"", "\"cat key | head\"", "\"echo $KEY\""] {
        let told = of(for_a_shell).expect_err("refused");
        assert!(told.contains("read by no shell") && told.contains("write a list"), "{told}");
    }
    assert!(of("\" \"").expect_err("refused").contains("empty"));
}
