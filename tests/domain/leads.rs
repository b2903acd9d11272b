//! Which label a conclusion leads to, by its words alone, and by the odds of a model.

use dojo_studio::domain::review_leads::{LabelMeanings, Leads, Odds, PremisePairs, hypothesis};

fn named(names: &[&str], pairs: PremisePairs) -> LabelMeanings {
    LabelMeanings::of(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), pairs)
}

fn relations() -> LabelMeanings {
    named(&["contradiction", "entailment", "neutral"], PremisePairs::Yes)
}

/// The labels that a conclusion does not rule out: `EN` is entailment or neutral, `?` no verdict at all.
fn open_after(conclusion: &str) -> String {
    let thought =
        format!("step 1: The inn by the lake has nine rooms. step 2: All are taken. step 3: {conclusion}");
    let verdicts = [("E", "entailment"), ("N", "neutral"), ("C", "contradiction")]
        .map(|(letter, label)| (letter, relations().of_thought(&thought, None, label)));
    if verdicts.iter().all(|(_, leads)| *leads == Leads::Undecided) {
        return "?".to_owned();
    }
    verdicts.into_iter().filter(|(_, leads)| !leads.is_elsewhere()).map(|(letter, _)| letter).collect()
}

fn assert_all(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(open, text)| open_after(text) != *open)
        .map(|(open, text)| format!("{text:?} is {}, not {open}", open_after(text)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_conclusion_says_which_relation_holds() {
    assert_all(&[
        ("E", "So the hypothesis must be true."),
        ("E", "Therefore, the hypothesis follows from the premise."),
        ("E", "Since no room is free, the hypothesis is entailed by the premise."),
        ("E", "The premise supports the hypothesis."),
        ("E", "It follows that the hypothesis is true."),
        ("C", "So the hypothesis must be false."),
        ("C", "The hypothesis can't be true."),
        ("C", "Hence the premise contradicts the hypothesis."),
        ("C", "It follows that the hypothesis is false."),
        ("C", "The two statements are mutually exclusive, so it cannot be true."),
        ("N", "The guest may or may not get a room."),
        ("N", "There is not enough information to say that the hypothesis is true."),
        ("N", "It cannot be determined whether the hypothesis is true."),
        (
            "N",
            "The stay may or may not follow, but the premise does not provide enough information to determine if it will follow or not.",
        ),
        ("N", "Since we don't know how they came, we cannot determine if the hypothesis is true or false."),
        ("N", "The premise doesn't give us sufficient detail to tell if it is true or false."),
        ("?", "If the inn is full, the hypothesis is true."),
        ("N", "The hypothesis could be true or false."),
        ("N", "So the hypothesis is neutral."),
        ("EN", "The hypothesis is plausible."),
    ]);
}

#[test]
fn a_negation_turns_the_conclusion_round() {
    assert_all(&[
        ("NC", "The hypothesis cannot be inferred from the premise."),
        ("NC", "So the hypothesis does not follow."),
        ("NC", "It is not the case that the hypothesis follows."),
        ("NC", "It is false that the hypothesis follows."),
        ("NC", "The hypothesis is not necessarily true."),
        ("NC", "This does not mean that the hypothesis is true."),
        ("NC", "The hypothesis need not be true."),
        ("NC", "There is no evidence that the guest has a key."),
        ("EN", "It is not the case that the hypothesis contradicts the premise."),
        ("EN", "Nothing in the premise contradicts the hypothesis."),
        ("EN", "The hypothesis is not necessarily false."),
        ("EN", "The two are not mutually exclusive, so they can be true at the same time."),
        ("EN", "The hypothesis cannot be ruled out."),
        ("C", "Therefore the hypothesis is not true."),
        ("E", "There is no contradiction, and the hypothesis must be true."),
    ]);
}

#[test]
fn neither_of_two_leaves_the_third() {
    assert_all(&[
        ("N", "The hypothesis is neither entailed nor contradicted by the premise."),
        ("N", "The premise neither confirms nor denies the hypothesis."),
        ("N", "The premise does not support or contradict the hypothesis."),
        ("N", "The hypothesis is neither true nor false here."),
    ]);
}

#[test]
fn what_is_only_a_reason_a_condition_or_a_question_is_no_conclusion() {
    assert_all(&[
        ("?", "If the hypothesis were true, a room would be free."),
        ("?", "If a guest leaves, the hypothesis must be true."),
        ("?", "Is the hypothesis true?"),
        ("?", "The rooms are warm and the lake is cold."),
        ("E", "Although the premise doesn't mention the lake, the hypothesis must be true."),
        ("C", "The guest isn't mentioned, but nobody can stay, so the hypothesis must be false."),
        ("E", "Based on the reasoning and the lack of contradictory facts, the hypothesis can be inferred."),
        ("NC", "Given the contradictory facts, the hypothesis cannot be inferred from the premise."),
    ]);
}

#[test]
fn only_the_last_step_counts() {
    let thought = "step 1: It may or may not be open. step 2: The hypothesis might seem false. step 3: All nine rooms \
        are taken, so the hypothesis must be true.";
    assert_eq!(relations().of_thought(thought, None, "entailment"), Leads::ToLabel);
    let elsewhere = Leads::Elsewhere("entailment".to_owned());
    assert_eq!(relations().of_thought(thought, None, "neutral"), elsewhere);
    let told =
        "step 1: The inn is full. step 2: It has nine rooms. step 3: The hypothesis must be true, by step 2.";
    assert_eq!(relations().of_thought(told, None, "neutral"), elsewhere);
    // Without steps, the last two sentences.
    let plain =
        "The hypothesis must be false, one might think. But the inn is full. So the hypothesis must be true.";
    assert_eq!(relations().of_thought(plain, None, "neutral"), elsewhere);
}

#[test]
fn a_conclusion_that_says_the_hypothesis_again_holds_it_for_true() {
    let asked = "The old mill grinds corn at night.";
    let leads = |conclusion: &str, label: &str| {
        let thought =
            format!("step 1: The mill works. step 2: It is the night that matters. step 3: {conclusion}");
        relations().of_thought(&thought, Some(asked), label)
    };
    let entailment = Leads::Elsewhere("entailment".to_owned());
    assert_eq!(leads("So the old mill grinds corn at night.", "neutral"), entailment);
    assert_eq!(leads("So the old mill is grinding corn at night.", "entailment"), Leads::ToLabel);
    assert!(leads("So the old mill does not grind corn at night.", "entailment").is_elsewhere());
    // Not known, or known not to be so: both deny it.
    assert_eq!(leads("So the old mill does not grind corn at night.", "contradiction"), Leads::Undecided);
    for open in [
        "So the old mill may grind corn at night.",
        "So the old mill is closed.",
        "The hypothesis says that the old mill grinds corn at night.",
        "If it is windy, the old mill grinds corn at night.",
    ] {
        assert_eq!(leads(open, "neutral"), Leads::Undecided, "{open}");
        assert_eq!(leads(open, "contradiction"), Leads::Undecided, "{open}");
    }
    let question = "Premise: The mill works.\nHypothesis: The old mill grinds corn at night.";
    assert_eq!(hypothesis(question), Some(asked));
}

#[test]
fn two_labels_divide_what_three_would() {
    let pairs = named(&["0", "1"], PremisePairs::Yes);
    let leads = |labels: &LabelMeanings, text: &str, label: &str| labels.of_thought(text, None, label);
    for text in [
        "step 3: The hypothesis cannot be inferred from the premise.",
        "step 3: The hypothesis must be false.",
        "step 3: It may or may not be true, so the hypothesis is neutral.",
        "step 3: So the label is 0.",
    ] {
        assert_eq!(leads(&pairs, text, "0"), Leads::ToLabel, "{text}");
        assert_eq!(leads(&pairs, text, "1"), Leads::Elsewhere("0".to_owned()), "{text}");
    }
    let text = "step 3: So the hypothesis follows from it.";
    assert_eq!(leads(&pairs, text, "0"), Leads::Elsewhere("1".to_owned()));
    // Possible is not certain: no verdict.
    let text = "step 3: So the hypothesis is plausible, and that is all.";
    assert_eq!(leads(&pairs, text, "0"), Leads::Undecided);
    let glue = named(&["entailment", "not_entailment"], PremisePairs::No);
    let text = "step 3: So the sentence is not entailed by the other.";
    assert_eq!(leads(&glue, text, "entailment"), Leads::Elsewhere("not_entailment".to_owned()));
    let claims = named(&["NOT ENOUGH INFO", "REFUTES", "SUPPORTS"], PremisePairs::No);
    let text = "step 3: The report says the reverse, so it contradicts the claim.";
    assert_eq!(leads(&claims, text, "SUPPORTS"), Leads::Elsewhere("REFUTES".to_owned()));
    // Records of one label only, so far.
    let one = named(&["1"], PremisePairs::Yes);
    let text = "step 3: So the hypothesis does not follow from it.";
    assert_eq!(leads(&one, text, "1"), Leads::Elsewhere("neutral or contradiction".to_owned()));
    // What numbers mean is known of pairs only, and of 0 and 1 only.
    let numbers = named(&["0", "1", "2"], PremisePairs::Yes);
    assert_eq!(leads(&numbers, "step 3: So the hypothesis must be true.", "2"), Leads::Undecided);
    assert_eq!(leads(&numbers, "step 3: So the label is 1.", "2"), Leads::Elsewhere("1".to_owned()));
}

#[test]
fn other_labels_are_known_by_their_names_where_they_are_concluded() {
    let labels = named(&["complaint", "praise", "question"], PremisePairs::No);
    let leads = |text: &str, label: &str| labels.of_thought(text, None, label);
    let praise = Leads::Elsewhere("praise".to_owned());
    assert_eq!(leads("step 3: All of that is kind, so it is a praise.", "complaint"), praise);
    assert_eq!(leads("step 3: All of that is kind, so it is a praise.", "praise"), Leads::ToLabel);
    assert_eq!(leads("step 3: That is neither a complaint nor a question.", "complaint"), praise);
    assert_eq!(leads("step 3: It is not a complaint but is to be labelled as praise.", "complaint"), praise);
    // Mentioned, doubted, or two of them at once.
    for open in [
        "step 3: The guest answers a question that the waiter asked.",
        "step 3: It is a complaint or a praise.",
        "step 3: It is not a complaint.",
        "step 3: Nothing more can be said of the soup.",
    ] {
        assert_eq!(leads(open, "praise"), Leads::Undecided, "{open}");
    }
    let tones = named(&["negative", "positive", "very positive"], PremisePairs::No);
    let text = "step 3: With that much joy in it, the tone is very positive.";
    assert_eq!(tones.of_thought(text, None, "positive"), Leads::Elsewhere("very positive".to_owned()));
    let answers = named(&["no", "yes"], PremisePairs::No);
    assert_eq!(answers.of_thought("step 3: There is no doubt about that.", None, "yes"), Leads::Undecided);
    let no = Leads::Elsewhere("no".to_owned());
    assert_eq!(answers.of_thought("step 3: So the answer to that is no.", None, "yes"), no);
}

#[test]
fn other_languages_get_no_verdict() {
    for text in [
        "Schritt 3: Also folgt die Hypothese nicht, das Label ist neutral und keine contradiction.",
        "étape 3: Donc l'hypothèse est une contradiction.",
        "paso 3: Por lo tanto la hipótesis es neutral.",
        "第三步:因此标签是 neutral。",
        "",
    ] {
        for label in ["entailment", "neutral", "contradiction"] {
            assert_eq!(relations().of_thought(text, None, label), Leads::Undecided, "{text}");
        }
    }
    let german = named(&["Lob", "Beschwerde"], PremisePairs::No);
    assert_eq!(
        german.of_thought("Also ist das ein Lob und keine Beschwerde.", None, "Beschwerde"),
        Leads::Undecided
    );
}

#[test]
fn an_analysis_argues_for_a_label_in_its_own_words_only() {
    let argues = |analysis: &str, truth: &str| relations().of_analysis(analysis, truth);
    let of_another =
        "The student concluded that the hypothesis must be false. It is not said who sleeps in the inn.";
    assert_eq!(argues(of_another, "neutral"), Leads::Undecided);
    let own =
        "The student overlooked the ninth room. With it the inn is full, so the hypothesis must be true.";
    assert_eq!(argues(own, "neutral"), Leads::Elsewhere("entailment".to_owned()));
    assert_eq!(argues(own, "entailment"), Leads::ToLabel);
    assert_eq!(argues("In step 2 a room is counted twice.", "neutral"), Leads::Undecided);
}

#[test]
fn odds_lead_where_one_label_outweighs_the_others() {
    let odds = |values: [f64; 3]| {
        let names = ["contradiction", "entailment", "neutral"];
        let labels = names.into_iter().map(str::to_owned).zip(values).collect();
        Odds::of("some model".to_owned(), labels)
    };
    let sure = odds([-9.0, -1.0, -8.0]);
    assert_eq!(sure.leads("entailment"), Leads::ToLabel);
    assert_eq!(sure.leads("neutral"), Leads::Elsewhere("entailment".to_owned()));
    assert_eq!(odds([-3.0, -1.1, -1.0]).leads("neutral"), Leads::Undecided);
    assert_eq!(sure.leads("another"), Leads::Undecided);
    let own = odds([-2.0, -2.0, -2.0]).log_odds("neutral").expect("a label");
    assert!((own - 0.5_f64.ln()).abs() < 1e-12, "{own}");
    // However unlikely, a number that can be kept.
    let far = odds([-1e6, 0.0, -1e6]).log_odds("neutral").expect("a label");
    assert!(far.is_finite() && far < -50.0, "{far}");
}

/// Where a thought of these last words leads that is given with a label, for labels of natural language inference.
fn leads_with(label: &str, conclusion: &str) -> Leads {
    relations().of_thought(&format!("step 1: The inn has nine rooms. step 2: {conclusion}"), None, label)
}

#[test]
fn a_conclusion_that_is_only_a_label_is_read() {
    let elsewhere = Leads::Elsewhere("contradiction".to_owned());
    for only in [
        "Contradiction.",
        "Label: contradiction",
        "So the answer is **Contradiction**.",
        "All are taken. CONTRADICTION",
    ] {
        assert_eq!(leads_with("contradiction", only), Leads::ToLabel, "{only}");
        assert_eq!(leads_with("neutral", only), elsewhere, "{only}");
    }
    for open in ["Contradiction?", "Someone might think contradiction", "Not contradiction", "Label: 7"] {
        assert!(!matches!(leads_with("contradiction", open), Leads::ToLabel), "{open}");
    }
    let numbers = named(&["0", "1"], PremisePairs::Yes);
    assert_eq!(numbers.of_thought("step 3: Label: 0", None, "1"), Leads::Elsewhere("0".to_owned()));
    assert_eq!(numbers.of_thought("第三歩。\n1", None, "1"), Leads::ToLabel);
    let halves = named(&["5", "3.5"], PremisePairs::No);
    assert_eq!(halves.of_thought("Answer: 3.5", None, "5"), Leads::Elsewhere("3.5".to_owned()));
}

#[test]
fn what_somebody_might_think_is_no_conclusion() {
    let said = "Someone might think the hypothesis is false, but the premise supports the hypothesis.";
    assert_eq!(leads_with("entailment", said), Leads::ToLabel);
    let alone = "The hypothesis is true. Some might say that it is false.";
    assert_eq!(leads_with("entailment", alone), Leads::ToLabel);
}

#[test]
fn a_label_at_the_end_does_not_hide_what_is_said_before_it() {
    let said = "No room is free, so the hypothesis must be true. Label: neutral";
    assert_eq!(leads_with("neutral", said), Leads::Elsewhere("entailment".to_owned()));
}
