//! What is read of a paper's source.

use super::{read, told};

const PAPER: &str = r#"\documentclass{article}
\usepackage[utf8]{inputenc} % a comment
\title{On \emph{Owls}}
\author{Ann Lee\thanks{Owl House} \and Bob Ray\\ University}
\date{2024-01-02}
\newcommand{\foo}[1]{bar #1}
\begin{document}
\maketitle
\begin{abstract}
We study owls~\cite{lee2020} in M\"unchen with $x^2$ and ``quotes''---truly.
\end{abstract}
\section{Introduction}\label{sec:intro}
Owls hunt\footnote{At night, mostly.} mice 100\% of the time.
% gone
Still the same paragraph.

New paragraph with \textbf{bold} and \href{http://x.y}{a link}.
\subsection*{The {\it barn} owl}
\begin{itemize}
\item One
\item[Two] is two
\end{itemize}
\begin{equation}
a = b + c
\end{equation}
\begin{table}[t]\centering
\begin{tabular}{lr}
\toprule
Name & Size \\ \midrule
Barn & 35 \\
\bottomrule
\end{tabular}
\caption{Sizes of owls.}
\end{table}
\begin{verbatim}
x = 1 % kept
\end{verbatim}
\end{document}
"#;

#[test]
fn a_paper_keeps_its_words_and_loses_its_setting() {
    let document = read("paper.tex", PAPER.as_bytes());
    assert_eq!(
        told(&document),
        [
            "h1: Abstract",
            "Abstract / prose: We study owls [lee2020] in M\u{fc}nchen with $x^2$ and \u{201c}quotes\u{201d}\u{2014}truly.",
            "h1: Introduction",
            "Introduction / prose: Owls hunt mice 100% of the time. Still the same paragraph.",
            "Introduction / note: At night, mostly.",
            "Introduction / prose: New paragraph with bold and a link.",
            "Introduction / h2: The barn owl",
            "Introduction / The barn owl / item: - One",
            "Introduction / The barn owl / item: - Two is two",
            "Introduction / The barn owl / prose: $$a = b + c$$",
            "Introduction / The barn owl / table: Name | Size\nBarn | 35",
            "Introduction / The barn owl / prose: Sizes of owls.",
            "Introduction / The barn owl / code ?: x = 1 % kept",
        ]
    );
    assert_eq!(document.title, "On Owls");
    assert_eq!(document.facts.authors, ["Ann Lee", "Bob Ray"]);
    assert_eq!(document.facts.date.as_deref(), Some("2024-01-02"));
}

#[test]
fn what_a_paper_includes_is_read_if_it_is_in_its_folder() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("paper");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(home.path().join("secret.tex"), "Secret.").unwrap();
    std::fs::write(folder.join("owls.tex"), "Owls hunt.\n").unwrap();
    std::fs::write(folder.join("loop.tex"), "\\input{loop}").unwrap();
    let main = "First. \\input{owls} \\include{../secret} \\input{away} \\input{loop} Last.";
    std::fs::write(folder.join("main.tex"), main).unwrap();
    let document = dojo_studio::rag::load::read(&folder.join("main.tex")).unwrap();
    let text: Vec<String> = told(&document);
    assert_eq!(text.join(" ").replace("prose: ", ""), "First. Owls hunt. Last.");
    assert_eq!(
        document.notices,
        [
            "\\input{../secret} wasn't read: it is outside the document's folder",
            "\\input{away} wasn't read: there is no such file",
            "\\input{loop} wasn't read: too many files are included by each other",
        ]
    );
}
