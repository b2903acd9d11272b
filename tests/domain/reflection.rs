//! What is seen of a corrected thought without understanding it.

use dojo_studio::domain::reflection::{Checks, JudgedThought};

const GOOD: &str = "step 1: The premise says that a ferry runs in summer only and that nothing replaces it later. \
    step 2: January lies outside of summer, so the ferry is not running then, and no exception is named. \
    step 3: Nobody can take it in January, so the hypothesis follows.";

#[test]
fn a_good_thought_passes_every_check() {
    let record = "The ferry runs in summer. In January there is none.";
    let flawed = "step 1: The premise says that a ferry runs in summer only. step 2: The hypothesis says that people \
        want a ferry. step 3: They may want one at any time, so the hypothesis does not follow.";
    let checks = Checks::of(JudgedThought { thought: GOOD, label: "1", truth: "1", record, flawed });
    assert!(checks.all_good(), "{checks:?}");
}

#[test]
fn each_check_finds_its_fault() {
    let look = |thought: &str, label: &str, record: &str| {
        Checks::of(JudgedThought { thought, label, truth: "1", record, flawed: "" })
    };
    assert!(!look(GOOD, "0", "").reaches_label);
    assert!(!look(&GOOD.replace("step 3", "finally"), "1", "").three_steps);
    assert!(!look(&format!("{GOOD} step 4: done."), "1", "").three_steps);
    assert!(!look("step 1: a step 2: b step 3: c", "1", "").length_fits);
    assert!(
        look(&GOOD.replace("step 2:", "step 2: The hypothesis cannot be inferred."), "1", "").leaks_label
    );
    assert!(!look(&GOOD.replace("step 2:", "step 2: can be inferred from it?"), "1", "").leaks_label);
    let record = "He said: a ferry runs in summer only and that nothing replaces it later, never.";
    assert!(look(GOOD, "1", record).copies_record);
    let repeated = GOOD.replace("hypothesis follows", "hypothesis is right");
    let flawed = JudgedThought { thought: GOOD, label: "1", truth: "1", record: "", flawed: &repeated };
    assert!(Checks::of(flawed).repeats_flawed);
}
