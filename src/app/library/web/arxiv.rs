//! Papers of arXiv's: what its catalogue says of them, and the paper itself, as a page if there is one, else as PDF.

use std::path::Path;

use anyhow::Result;
use reqwest::Url;

use super::fetch::{Conditions, FetchPace, FetchReply, FetchTrouble, Fetched};
use super::{Arrival, MOST_PAPERS, USUAL_PAPERS, WebDocuments, leave_out, page, put};
use crate::domain::library::SourceDocument;
use crate::rag::add::Adder;
use crate::rag::arxiv::{ArxivAnswer, ArxivId, ArxivPaper, read_answer, search_terms};
use crate::rag::database::{KnownAddress, LibraryRoot};
use crate::rag::files::{FilesReport, says};

/// Papers that the catalogue is asked for at once.
const AT_ONCE: u32 = 100;
/// It sometimes answers with an empty page, and with the papers when it is asked again.
const EMPTY_PAGES: u32 = 3;
/// A paper's page with fewer letters is none: its conversion failed.
const LEAST_LETTERS: usize = 1500;

/// Whether more of the same search may come.
enum SearchFlow {
    GoOn,
    End,
}

impl WebDocuments {
    pub(super) fn add_paper(
        &self,
        adder: &mut Adder<'_>,
        root: &LibraryRoot,
        id: &ArxivId,
        report: &mut FilesReport,
    ) -> Result<()> {
        let question = [("id_list", id.name()), ("max_results", "1".to_owned())];
        let answer = match self.catalogue(adder, &question) {
            Ok(answer) => answer,
            Err(trouble) => {
                leave_out(report, &root.path, trouble);
                return Ok(());
            }
        };
        let Some(paper) = answer.papers.first().filter(|paper| paper.paper == id.paper) else {
            report.leave_out(&root.path, format!("arXiv has no paper {}", id.name()));
            return Ok(());
        };
        self.add_found(adder, root, &root.path, paper, report).map(|_| ())
    }

    /// Papers that words find, the best first. What is in already costs nothing, so a search that was killed goes on where
    /// it was.
    pub(super) fn add_search(
        &self,
        adder: &mut Adder<'_>,
        root: &LibraryRoot,
        words: &str,
        report: &mut FilesReport,
        tell: &mut dyn FnMut(&str),
    ) -> Result<()> {
        let most = root.most.unwrap_or(USUAL_PAPERS).clamp(1, MOST_PAPERS);
        let (mut found, mut start, mut empty) = (ArxivAnswer::default(), 0, 0);
        while start < most && empty < EMPTY_PAGES {
            let count = AT_ONCE.min(most - start);
            let question = [
                ("search_query", search_terms(words)),
                ("start", start.to_string()),
                ("max_results", count.to_string()),
                ("sortBy", "relevance".to_owned()),
                ("sortOrder", "descending".to_owned()),
            ];
            let answer = match self.catalogue(adder, &question) {
                Ok(answer) => answer,
                Err(trouble) => {
                    leave_out(report, &root.path, trouble);
                    return Ok(());
                }
            };
            if answer.papers.is_empty() && u64::from(start) < answer.all {
                empty += 1;
                continue;
            }
            start += count;
            found.all = answer.all;
            found.papers.extend(answer.papers);
            if u64::from(start) >= found.all {
                break;
            }
        }
        found.papers.truncate(most as usize);
        tell(&counted(words, &found));
        let excluded = adder.excluded_paths()?;
        for paper in &found.papers {
            let asked = format!("arxiv:{}", paper.paper);
            if excluded.holds(Path::new(&asked)) {
                report.excluded += 1;
                continue;
            }
            if let SearchFlow::End = self.add_found(adder, root, &asked, paper, report)? {
                break;
            }
        }
        Ok(())
    }

    /// Brings in a paper that the catalogue has, unless this version of it is in.
    fn add_found(
        &self,
        adder: &mut Adder<'_>,
        root: &LibraryRoot,
        asked: &str,
        paper: &ArxivPaper,
        report: &mut FilesReport,
    ) -> Result<SearchFlow> {
        let source = paper.id().source();
        let known = adder.known(&source)?;
        let before = adder.address(&root.path, asked)?;
        let address = KnownAddress {
            root: root.path.clone(),
            asked: asked.to_owned(),
            source: source.clone(),
            etag: None,
            modified: None,
        };
        // Another root that found it may say something else of it: the first one's words stay.
        let is_in = known.as_ref().is_some_and(|known| before.is_none() || says(known, root));
        if is_in {
            adder.set_address(&address)?;
            report.unchanged += 1;
            return Ok(Self::after(adder, report));
        }
        let (bytes, mut read) = match self.paper(adder, paper) {
            Ok(paper) => paper,
            Err(trouble) => {
                let ends = matches!(trouble, FetchTrouble::Stopped | FetchTrouble::Away(_));
                leave_out(report, &source, trouble);
                return Ok(if ends { SearchFlow::End } else { SearchFlow::GoOn });
            }
        };
        describe(&mut read, paper, &self.arxiv.site_url);
        let is_change = known.is_some() || before.is_some();
        put(adder, Arrival { root: root.clone(), address, bytes, read, is_change }, report)?;
        Ok(Self::after(adder, report))
    }

    fn after(adder: &mut Adder<'_>, report: &mut FilesReport) -> SearchFlow {
        report.stopped |= !adder.goes_on();
        if report.stopped { SearchFlow::End } else { SearchFlow::GoOn }
    }

    /// The paper's page if it has one, else its PDF.
    fn paper(
        &self,
        adder: &mut Adder<'_>,
        paper: &ArxivPaper,
    ) -> Result<(Vec<u8>, SourceDocument), FetchTrouble> {
        let name = paper.id().name();
        match self.fetched(adder, "html", &name) {
            Ok((url, fetched)) => {
                let letters =
                    |read: &SourceDocument| read.blocks.iter().map(|block| block.text.len()).sum::<usize>();
                if let Some(read) =
                    page::read(&url, &fetched).ok().filter(|read| letters(read) >= LEAST_LETTERS)
                {
                    return Ok((fetched.bytes, read));
                }
            }
            Err(FetchTrouble::Missing(_) | FetchTrouble::Refused(_)) => {}
            Err(trouble) => return Err(trouble),
        }
        let (url, fetched) = self.fetched(adder, "pdf", &name)?;
        let read = page::read(&url, &fetched).map_err(|error| FetchTrouble::Refused(format!("{error:#}")))?;
        Ok((fetched.bytes, read))
    }

    fn fetched(&self, adder: &mut Adder<'_>, form: &str, name: &str) -> Result<(Url, Fetched), FetchTrouble> {
        let base = self.arxiv.site_url.trim_end_matches('/');
        let url = Url::parse(&format!("{base}/{form}/{name}")).map_err(|_| wrong_setting("site_url"))?;
        match self.fetcher.get(&url, FetchPace::Arxiv, &Conditions::default(), &mut || adder.goes_on())? {
            FetchReply::Found(fetched) => Ok((url, fetched)),
            // Nothing was said of a state that it could be.
            FetchReply::Unchanged => Err(FetchTrouble::Refused("it answers without a document".to_owned())),
        }
    }

    /// Asks the catalogue.
    fn catalogue(
        &self,
        adder: &mut Adder<'_>,
        question: &[(&str, String)],
    ) -> Result<ArxivAnswer, FetchTrouble> {
        let url =
            Url::parse_with_params(&self.arxiv.api_url, question).map_err(|_| wrong_setting("api_url"))?;
        let reply = self.fetcher.get(&url, FetchPace::Arxiv, &Conditions::default(), &mut || adder.goes_on());
        let said = |trouble| match trouble {
            FetchTrouble::Missing(status) => {
                FetchTrouble::Refused(format!("arXiv's catalogue isn't at api_url (HTTP {status})"))
            }
            FetchTrouble::Refused(why) => FetchTrouble::Refused(format!("arXiv's catalogue: {why}")),
            FetchTrouble::Away(why) => FetchTrouble::Away(format!("arXiv's catalogue: {why}")),
            FetchTrouble::Stopped => FetchTrouble::Stopped,
        };
        let FetchReply::Found(fetched) = reply.map_err(said)? else {
            return Err(FetchTrouble::Refused("arXiv's catalogue answers nothing".to_owned()));
        };
        read_answer(&String::from_utf8_lossy(&fetched.bytes))
            .map_err(|error| FetchTrouble::Refused(format!("{error:#}")))
    }
}

fn wrong_setting(key: &str) -> FetchTrouble {
    FetchTrouble::Refused(format!("arxiv.{key} in settings.toml is no address"))
}

/// What a search comes to, before anything is fetched.
fn counted(words: &str, found: &ArxivAnswer) -> String {
    let here = found.papers.len() as u64;
    match found.all {
        0 => format!("arXiv has no paper for {words}"),
        all if all <= here => format!("arXiv has {all} papers for {words}: all of them are brought in"),
        all => format!(
            "arXiv has {all} papers for {words}: the {here} that match best are brought in (--most N for more)"
        ),
    }
}

/// What the catalogue says of a paper counts more than what was read of it.
fn describe(read: &mut SourceDocument, paper: &ArxivPaper, site: &str) {
    read.title.clone_from(&paper.title);
    read.facts.authors.clone_from(&paper.authors);
    read.facts.date = paper.published.clone().or(read.facts.date.take());
    read.facts.link = Some(format!("{}/abs/{}", site.trim_end_matches('/'), paper.id().name()));
    read.facts.summary = Some(paper.summary.clone()).filter(|summary| !summary.is_empty());
    for category in &paper.categories {
        if !read.facts.tags.contains(category) {
            read.facts.tags.push(category.clone());
        }
    }
}
