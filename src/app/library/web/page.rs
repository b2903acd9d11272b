//! A page or a file of the web: which form it has, which letters its bytes stand for, and whether it is the document at
//! all and not a login or a program that would write it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use reqwest::Url;

use super::fetch::{Conditions, FetchPace, FetchReply, FetchTrouble, Fetched};
use super::{Arrival, WebDocuments, leave_out, put};
use crate::domain::library::SourceDocument;
use crate::rag::add::Adder;
use crate::rag::database::{KnownAddress, LibraryRoot, text_hash};
use crate::rag::files::{FilesReport, says};
use crate::rag::load;

/// A page with fewer letters, and with scripts, is written by them.
const FEW_LETTERS: usize = 200;
/// A page with a field for a password is a login if it has fewer.
const LOGIN_LETTERS: usize = 1500;
/// Bytes at a page's beginning in which it says its letters.
const HEAD: usize = 4096;

impl WebDocuments {
    pub(super) fn add_page(
        &self,
        adder: &mut Adder<'_>,
        root: &LibraryRoot,
        url: &Url,
        report: &mut FilesReport,
    ) -> Result<()> {
        let asked = root.path.clone();
        let known = adder.known(&asked)?;
        let same = known.as_ref().filter(|known| says(known, root));
        let before = adder.address(&root.path, &asked)?.filter(|_| same.is_some());
        let conditions = before
            .map(|before| Conditions { etag: before.etag, modified: before.modified })
            .unwrap_or_default();
        let fetched = match self.fetcher.get(url, FetchPace::Free, &conditions, &mut || adder.goes_on()) {
            Ok(FetchReply::Found(fetched)) => fetched,
            Ok(FetchReply::Unchanged) => {
                report.unchanged += 1;
                return Ok(());
            }
            Err(FetchTrouble::Missing(status)) if known.is_some() => {
                report.removed += u64::from(adder.remove(&asked)?);
                let why = "it is gone, and was taken out; when it is there again, adding brings it back";
                report.leave_out(&asked, format!("{why} (HTTP {status})"));
                return Ok(());
            }
            Err(trouble) => {
                leave_out(report, &asked, trouble);
                return Ok(());
            }
        };
        let Conditions { etag, modified } = fetched.state.clone();
        let address =
            KnownAddress { root: asked.clone(), asked: asked.clone(), source: asked.clone(), etag, modified };
        if same.is_some_and(|known| known.from.hash == text_hash(&fetched.bytes)) {
            adder.set_address(&address)?;
            report.unchanged += 1;
            return Ok(());
        }
        let read = match read(url, &fetched) {
            Ok(read) => read,
            Err(error) => {
                report.leave_out(&asked, format!("{error:#}"));
                return Ok(());
            }
        };
        let (root, is_change) = (root.clone(), known.is_some());
        put(adder, Arrival { root, address, bytes: fetched.bytes, read, is_change }, report)
    }
}

/// Reads what came from an address.
///
/// # Errors
/// Where it holds no words, or is a login or a program.
pub(super) fn read(asked: &Url, fetched: &Fetched) -> Result<SourceDocument> {
    let name = name(fetched);
    let is_page = matches!(ending(&name).as_str(), "html" | "htm" | "xhtml");
    let charset = charset(fetched, is_page);
    let bytes = transcoded(&fetched.bytes, charset.as_deref());
    let read = load::read_bytes(&name, &bytes);
    if !is_page {
        return read;
    }
    let page = String::from_utf8_lossy(&bytes).to_lowercase();
    let letters = read.as_ref().map_or(0, |read| {
        read.blocks
            .iter()
            .map(|block| block.text.chars().filter(|letter| letter.is_alphanumeric()).count())
            .sum()
    });
    let has_password =
        ["type=\"password\"", "type='password'", "type=password"].iter().any(|part| page.contains(part));
    if (has_password && letters < LOGIN_LETTERS) || leads_to_login(asked, &fetched.url) {
        bail!("it leads to a login: save it with your browser and add the file");
    }
    if letters < FEW_LETTERS && is_written_by_scripts(&page) {
        bail!(
            "it is written by JavaScript, which isn't run, and holds no words without: save it with your browser and add \
             the file"
        );
    }
    read.context("read the page")
}

/// Whether the address that was asked for has led to one that is a login's.
fn leads_to_login(asked: &Url, came: &Url) -> bool {
    let is_login = |url: &Url| {
        url.path_segments().is_some_and(|mut parts| {
            parts.any(|part| {
                let part = part.to_ascii_lowercase();
                ["login", "signin", "sign-in", "log-in", "sso", "auth"]
                    .contains(&part.trim_end_matches(".php"))
            })
        })
    };
    is_login(came) && !is_login(asked)
}

/// Whether scripts write the page: it says so, or has the empty place that frameworks write into, or nothing at all.
fn is_written_by_scripts(page: &str) -> bool {
    let says_so = page.contains("enable javascript") || page.contains("requires javascript");
    let places = ["id=\"root\"", "id=\"app\"", "id=\"__next\"", "<app-root", "data-reactroot"];
    page.contains("<script") && (says_so || places.iter().any(|place| page.contains(place)))
}

fn ending(name: &std::path::Path) -> String {
    name.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
}

/// The file's name as it would be on this machine, with the ending that its content type says.
fn name(fetched: &Fetched) -> PathBuf {
    let last = fetched.url.path_segments().and_then(|mut parts| parts.next_back().map(str::to_owned));
    let last = last.filter(|last| !last.is_empty());
    let mut name =
        PathBuf::from(last.unwrap_or_else(|| fetched.url.host_str().unwrap_or("page").replace('.', "-")));
    let kind = fetched.content_type.as_deref().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let own = load::form_named(&name).is_some();
    let says = match kind.as_str() {
        "text/html" => Some("html"),
        "application/xhtml+xml" => Some("xhtml"),
        "application/pdf" | "application/x-pdf" => Some("pdf"),
        "text/markdown" | "text/x-markdown" => Some("md"),
        "text/x-tex" | "application/x-tex" | "application/x-latex" => Some("tex"),
        "application/epub+zip" => Some("epub"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => Some("docx"),
        // Servers send much as plain text: the name says more.
        "text/plain" if !own => Some("txt"),
        _ => None,
    };
    // What begins like a PDF is one, whatever the server calls it.
    let is_pdf = fetched.bytes.starts_with(b"%PDF-");
    if let Some(says) = says.filter(|_| !is_pdf)
        && ending(&name) != says
    {
        name.set_extension(says);
    }
    name
}

/// The letters that a text's bytes stand for, if it says so.
fn charset(fetched: &Fetched, is_page: bool) -> Option<String> {
    let said = |text: &str| {
        let text = text.to_ascii_lowercase();
        let (_, rest) = text.split_once("charset=")?;
        let label = rest.trim_start_matches(['"', '\'']);
        let end = label.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_:".contains(letter)));
        Some(label.get(..end.unwrap_or(label.len()))?.to_owned()).filter(|label| !label.is_empty())
    };
    let head = fetched.bytes.get(..HEAD).unwrap_or(&fetched.bytes);
    let own = || if is_page { said(&String::from_utf8_lossy(head)) } else { None };
    fetched.content_type.as_deref().and_then(said).or_else(own)
}

/// The same text in UTF-8, as the readers of files expect it; what says by its first bytes what it is stays.
fn transcoded(bytes: &[u8], charset: Option<&str>) -> Vec<u8> {
    let marked = encoding_rs::Encoding::for_bom(bytes).is_some();
    let encoding = charset.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
    match encoding.filter(|encoding| !marked && *encoding != encoding_rs::UTF_8) {
        Some(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned().into_bytes(),
        None => bytes.to_vec(),
    }
}
