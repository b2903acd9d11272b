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
