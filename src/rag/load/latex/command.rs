//! What LaTeX's commands mean for the words that follow them.

/// What is done at a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LatexCommand {
    /// Its argument is a heading; part and chapter are 0.
    Heading(u8),
    /// It and so many arguments in braces are passed over.
    Drop(usize),
    /// Its argument is a name: of a work, a section, a figure.
    Name,
    /// Its argument is a footnote.
    Note,
    /// Its first argument is passed over, and the second read.
    Second,
    Item,
    Caption,
    Begin,
    End,
    /// It is a sign.
    Sign(&'static str),
    /// An accent over the letter that follows.
    Accent(char),
    /// It is passed over, and what is in braces after it is read.
    Transparent,
}

/// A command by its name; one that isn't known is passed over, and what is in braces after it read.
pub(super) fn command(name: &str) -> LatexCommand {
    let known = COMMANDS.iter().find(|(names, _)| names.contains(&name)).map(|(_, command)| *command);
    let sign = || SIGNS.iter().find(|(own, _)| *own == name).map(|(_, sign)| LatexCommand::Sign(sign));
    let accent = || ACCENTS.iter().find(|(own, _)| *own == name).map(|(_, mark)| LatexCommand::Accent(*mark));
    known.or_else(sign).or_else(accent).unwrap_or(LatexCommand::Transparent)
}

#[rustfmt::skip]
const COMMANDS: &[(&[&str], LatexCommand)] = &[
    (&["part", "chapter"], LatexCommand::Heading(0)),
    (&["section"], LatexCommand::Heading(1)),
    (&["subsection"], LatexCommand::Heading(2)),
    (&["subsubsection"], LatexCommand::Heading(3)),
    (&["paragraph"], LatexCommand::Heading(4)),
    (&["subparagraph"], LatexCommand::Heading(5)),
    (&["begin"], LatexCommand::Begin),
    (&["end"], LatexCommand::End),
    (&["item", "bibitem"], LatexCommand::Item),
    (&["caption"], LatexCommand::Caption),
    (&["footnote", "footnotetext", "thanks"], LatexCommand::Note),
    (&["href", "textcolor", "colorbox", "resizebox", "raisebox", "multirow", "parbox"], LatexCommand::Second),
    (&["cite", "citep", "citet", "citealp", "citealt", "citeauthor", "citeyear", "citeyearpar", "parencite", "textcite",
       "autocite", "Citep", "Citet", "ref", "eqref", "autoref", "cref", "Cref", "pageref"], LatexCommand::Name),
    (&["label", "vspace", "hspace", "includegraphics", "bibliography", "bibliographystyle", "usepackage", "input",
       "include", "pagestyle", "thispagestyle", "setcounter", "addtocounter", "hypersetup", "documentclass", "title",
       "author", "date", "graphicspath", "cmidrule", "cline", "nocite", "PassOptionsToPackage", "RequirePackage",
       "pagenumbering", "index", "color", "linespread", "theoremstyle", "keywords"], LatexCommand::Drop(1)),
    (&["newcommand", "renewcommand", "providecommand", "setlength", "addtolength", "newtheorem", "DeclareMathOperator",
       "def", "let", "newenvironment", "addcontentsline", "definecolor", "multicolumn"], LatexCommand::Drop(2)),
    (&["\\", "newline", "linebreak", "quad", "qquad", ",", ";", ":", " ", "!", "/", "par"], LatexCommand::Sign(" ")),
    (&["ldots", "dots", "textellipsis"], LatexCommand::Sign("\u{2026}")),
];

#[rustfmt::skip]
const SIGNS: &[(&str, &str)] = &[
    ("%", "%"), ("&", "&"), ("_", "_"), ("#", "#"), ("$", "$"), ("{", "{"), ("}", "}"), ("textendash", "\u{2013}"),
    ("textemdash", "\u{2014}"), ("textbackslash", "\\"), ("textasciitilde", "~"), ("ss", "\u{df}"), ("o", "\u{f8}"),
    ("O", "\u{d8}"), ("ae", "\u{e6}"), ("AE", "\u{c6}"), ("oe", "\u{153}"), ("aa", "\u{e5}"), ("AA", "\u{c5}"),
    ("l", "\u{142}"), ("L", "\u{141}"), ("i", "i"), ("j", "j"), ("copyright", "\u{a9}"), ("S", "\u{a7}"),
    ("textregistered", "\u{ae}"), ("LaTeX", "LaTeX"), ("TeX", "TeX"),
];

/// Marks that are set over, or under, the letter that follows.
#[rustfmt::skip]
const ACCENTS: &[(&str, char)] = &[
    ("'", '\u{301}'), ("`", '\u{300}'), ("^", '\u{302}'), ("\"", '\u{308}'), ("~", '\u{303}'), ("=", '\u{304}'),
    (".", '\u{307}'), ("c", '\u{327}'), ("v", '\u{30c}'), ("u", '\u{306}'), ("H", '\u{30b}'), ("k", '\u{328}'),
    ("r", '\u{30a}'),
];

/// What an environment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LatexEnvironment {
    Formula,
    Code,
    /// Pictures drawn by commands, comments.
    Nothing,
    List,
    Table,
    Abstract,
    /// Text as any other.
    Text,
}

pub(super) fn environment(name: &str) -> LatexEnvironment {
    match name.trim_end_matches('*') {
        "equation" | "align" | "gather" | "multline" | "eqnarray" | "displaymath" | "math" | "alignat"
        | "flalign" => LatexEnvironment::Formula,
        "verbatim" | "lstlisting" | "minted" | "Verbatim" | "alltt" => LatexEnvironment::Code,
        "tikzpicture" | "comment" | "pgfpicture" | "filecontents" | "CCSXML" => LatexEnvironment::Nothing,
        "itemize" | "enumerate" | "description" | "thebibliography" => LatexEnvironment::List,
        "tabular" | "tabularx" | "tabulary" | "longtable" => LatexEnvironment::Table,
        "abstract" => LatexEnvironment::Abstract,
        _ => LatexEnvironment::Text,
    }
}
