//! Reflections of which some conclude another label than their own.

use serde_json::json;

/// Four as JSON lines, the premises `a` to `d`: the second contradicts its label.
pub(crate) fn rows() -> String {
    let row = |premise: &str, label: &str, conclusion: &str| {
        json!({
            "premise": premise, "hypothesis": "They swim.", "thought_process": format!("flawed on {premise}"),
            "predicted_label": "contradiction", "improved_label": label, "true_label": label,
            "error_analysis": "overlooked", "improved_thought_process":
                format!("step 1: The ferry is full. step 2: It has left. step 3: {conclusion}"),
        })
        .to_string()
    };
    let rows = [
        row("a", "neutral", "So the hypothesis may or may not be true."),
        row("b", "neutral", "So the hypothesis must be true."),
        row("c", "entailment", "So the hypothesis must be true."),
        row("d", "contradiction", "So the hypothesis must be false."),
    ];
    rows.join("\n")
}
