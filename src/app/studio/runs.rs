//! The lane of runs: follows the run folders of the open session and those of none, and does what is asked of runs.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender};

use anyhow::{Context, Result, ensure};

use super::fitted;
use super::recipe_files::{read_recipe, recipes_in, write_recipe};
use crate::app::completions;
use crate::app::cuts::Cuts;
use crate::app::elsewhere;
use crate::app::events::{Events, Gone};
use crate::app::follow::told::{Adapters, Awaited, FollowListener};
use crate::app::follow::{FollowerThread, Listening};
use crate::app::forbidden;
use crate::app::jobs::Working;
use crate::app::models;
use crate::app::recipes::{self, Outlook, Provided};
use crate::app::records::words::in_recipe;
use crate::app::runs::{self, Launch, RunSummary};
use crate::config::Folders;
use crate::domain::protocol::runs::{Busy, Preflight, Promise, RecipeFile};
use crate::domain::protocol::system::{JobEnd, Level, OnQuit};
use crate::domain::protocol::{Event, ModelsEvent, RunsCommand, RunsEvent, SystemEvent};
use crate::domain::recipe::edit;
use crate::domain::run::{Phase, RunCommand};
use crate::domain::run_info::{Notes, RunId, RunOrigin};
use crate::domain::session::SessionInfo;
use crate::ground::files;
use crate::ground::thread;

/// The way into the lane.
pub(super) struct RunsLane(Sender<RunsRequest>);

enum RunsRequest {
    /// With the way back into the lane, for what takes long.
    Perform(RunsCommand, Sender<RunsRequest>),
    /// What is to start was prepared, or stopped meanwhile.
    Fitted(Start, Result<bool>),
    /// A session was opened, and its runs are told of with these.
    Opened(SessionInfo, Events),
}

impl RunsLane {
    pub(super) fn start(folders: Folders, events: Events) -> Self {
        let (requests, received) = thread::queue();
        thread::start("runs", move || {
            let awaited = Awaited::default();
            let (cuts, complained) = (RefCell::default(), RefCell::default());
            let (session, follower, elsewhere) = (None, None, None);
            let lane =
                RunsThread { folders, events, session, follower, elsewhere, awaited, cuts, complained };
            lane.work(&received);
        });
        Self(requests)
    }

    pub(super) fn send(&self, command: RunsCommand) {
        // A lane that is gone has said why in the log.
        self.0.send(RunsRequest::Perform(command, self.0.clone())).ok();
    }

    pub(super) fn session_opened(&self, session: &SessionInfo, events: Events) {
        self.0.send(RunsRequest::Opened(session.clone(), events)).ok();
    }
}

/// A run to be started.
struct Start {
    recipe: PathBuf,
    /// Where its folder is made.
    parent: PathBuf,
    after: Option<RunId>,
}

struct RunsThread {
    folders: Folders,
    events: Events,
    session: Option<SessionInfo>,
    follower: Option<FollowerThread>,
    /// Dropped with the rest, which ends the thread that looks at other sessions.
    elsewhere: Option<SyncSender<()>>,
    awaited: Awaited,
    cuts: RefCell<Cuts>,
    /// Why no recipe could be made, as it was said last.
    complained: RefCell<String>,
}

impl RunsThread {
    fn work(mut self, requests: &Receiver<RunsRequest>) {
        self.follow();
        while let Ok(request) = requests.recv() {
            let outcome = match request {
                RunsRequest::Perform(command, back) => self.perform(command, back),
                RunsRequest::Fitted(run, outcome) => {
                    let started = self.fitted(&run, outcome);
                    self.tell(RunsEvent::PromiseEnded(run.recipe));
                    started
                }
                RunsRequest::Opened(session, events) => {
                    // The follower of the session that was left may still be telling of its runs.
                    self.events = events;
                    self.session = Some(session);
                    self.follow();
                    self.list_recipes()
                }
            };
            if let Err(error) = outcome {
                let said = forbidden::sentence(&error);
                tracing::error!("{said}");
                self.say(Level::Error, said);
            }
        }
    }

    /// Follows the folders of the session that is open now.
    fn follow(&mut self) {
        self.follower = None;
        self.tell(RunsEvent::Cleared);
        let session = self.session.iter().map(|session| (RunOrigin::Session, session.runs()));
        let roots = session.chain([(RunOrigin::Global, self.folders.runs())]).collect();
        let mut told = FollowListener::new(self.awaited.clone());
        let (events, folders) = (self.events.clone(), self.folders.clone());
        let own = self.session.as_ref().map(SessionInfo::runs);
        let emit = move |event| {
            let (notice, adapters) = told.hear(&event);
            let mut outcome = events.send(Event::Runs(event));
            if adapters == Adapters::Changed {
                let listed = models::list(&folders, own.as_deref());
                let listed = listed.inspect_err(|error| tracing::warn!("{error:#}")).ok();
                let sent = listed.map(|listed| events.send(Event::Models(ModelsEvent::Listed(listed))));
                outcome = outcome.and(sent.unwrap_or(Ok(())));
            }
            let said = notice.map(|notice| events.send(Event::System(SystemEvent::Notified(notice))));
            match outcome.and(said.unwrap_or(Ok(()))) {
                Ok(()) => Listening::Yes,
                Err(Gone) => Listening::No,
            }
        };
        let started = FollowerThread::start(roots, emit);
        match started {
            Ok(follower) => self.follower = Some(follower),
            Err(error) => self.say(Level::Error, format!("runs can't be followed: {error}")),
        }
        let own = self.session.as_ref().map(|session| session.path.clone());
        self.elsewhere = Some(elsewhere::watch(self.folders.clone(), own, self.events.clone()));
    }

    fn perform(&self, command: RunsCommand, back: Sender<RunsRequest>) -> Result<()> {
        match command {
            RunsCommand::Watch(runs) => {
                if let Some(follower) = &self.follower {
                    follower.watch(runs);
                }
                return Ok(());
            }
            RunsCommand::Detail { run, first, last } => {
                if let Some(follower) = &self.follower {
                    follower.detail(run, (first, last));
                }
                return Ok(());
            }
            RunsCommand::Completions { run, step } => {
                let read = completions::read(&run.files(), step)?;
                self.tell(RunsEvent::CompletionsRead(run, Arc::new(read)));
                return Ok(());
            }
            RunsCommand::Tell(run, command) => self.tell_run(&run, command)?,
            RunsCommand::Start { recipe, after } => {
                if let Some((run, session)) = self.busy_elsewhere().filter(|_| after.is_none()) {
                    self.tell(RunsEvent::Busy(Busy { recipe, run, session }));
                    return Ok(());
                }
                let parent = self.session.as_ref().map_or_else(|| self.folders.runs(), SessionInfo::runs);
                self.start(Start { recipe, parent, after }, back)?;
            }
            RunsCommand::Resume(run) => {
                if let Some((other, session)) = self.busy_elsewhere() {
                    let (name, other) = (run.name(), other.name());
                    let text =
                        format!("{other} of the session {session} goes on too: it and {name} take longer");
                    self.say(Level::Warning, text);
                }
                runs::start_detached(&Launch::Resume { folder: run.files() }, None)?;
            }
            RunsCommand::CarryOn { run, recipe } => self.carry_on(&run, &recipe)?,
            RunsCommand::Delete(run) => runs::delete_run(&summary(&run)?)?,
            RunsCommand::Note(run, notes) => write_notes(&run, &notes)?,
            RunsCommand::ListRecipes => self.list_recipes()?,
            RunsCommand::Preflight(recipe) => self.preflight(recipe),
            RunsCommand::SaveRecipe { path, text, before } => {
                let written = write_recipe(&path, &text, before.as_deref());
                self.list_recipes()?;
                written?;
                self.say(Level::Good, format!("saved {}", path.display()));
            }
        }
        self.look();
        Ok(())
    }

    /// A checkpoint is told of when it is there; until then, that it was asked for.
    fn tell_run(&self, run: &RunId, command: RunCommand) -> Result<()> {
        let known = summary(run)?;
        if command == RunCommand::Checkpoint {
            let state = &known.state;
            if state.phase == Phase::Paused && state.checkpoint_step == Some(state.step) {
                self.say(Level::Good, format!("step {} of {} is saved already", state.step, known.name));
                return Ok(());
            }
            self.awaited.add(run.clone());
            self.say(Level::Info, format!("{} saves a checkpoint after its next step", known.name));
        }
        let running = known.state.phase == Phase::Running;
        runs::send_command(&known, command)?;
        match command {
            RunCommand::Pause if running => {
                let text = format!("{} pauses after this step; space takes that back", known.name);
                self.say(Level::Info, text);
            }
            RunCommand::Resume if running => {
                self.say(Level::Info, format!("{} goes on: the pause is taken back", known.name));
            }
            RunCommand::Pause | RunCommand::Resume | RunCommand::Checkpoint | RunCommand::Stop => {}
        }
        Ok(())
    }

    /// Writes the recipe of a run, with the adapter that it left as the one to begin with.
    fn carry_on(&self, run: &RunId, recipe: &Path) -> Result<()> {
        let files = run.files();
        let adapter = std::path::absolute(files.adapter()).context("find the current folder")?;
        ensure!(
            adapter.join("adapter_config.json").is_file(),
            "{} left no adapter to go on from; train by its recipe again",
            run.name()
        );
        if !recipe.exists() {
            let text = read_recipe(&files.recipe())?.text;
            let text = edit::set(&text, "model.adapter", &adapter.to_string_lossy())
                .map_err(|issue| anyhow::anyhow!("{}: {}", files.recipe().display(), issue.message))?;
            write_recipe(recipe, &text, None)?;
        }
        self.list_recipes()?;
        let text = format!("this recipe goes on from {}: set its steps, t starts it", run.name());
        self.say(Level::Info, text);
        Ok(())
    }

    /// Starts a run; by a recipe that doesn't know yet how long the examples are, when they are counted.
    fn start(&self, run: Start, back: Sender<RunsRequest>) -> Result<()> {
        let waits = self.session.clone().zip(fitted::uncounted(&run.recipe));
        let Some((session, model)) = waits else { return self.launch(&run) };
        self.say(Level::Info, format!("the run starts when {model} is here and the tokens are counted"));
        self.tell(RunsEvent::Promised(Promise { recipe: run.recipe.clone(), model: model.clone() }));
        let (events, folders) = (self.events.clone(), self.folders.clone());
        thread::start("run fit", move || {
            let fitted = fitted::fit(&folders, &session, &model, &events);
            back.send(RunsRequest::Fitted(run, fitted)).ok();
        });
        Ok(())
    }

    fn fitted(&self, run: &Start, fitted: Result<bool>) -> Result<()> {
        self.list_recipes()?;
        if fitted.context("no run was started")? {
            self.launch(run)?;
            self.look();
        } else {
            self.say(Level::Info, "no run was started: you stopped what it waited for".to_owned());
        }
        Ok(())
    }

    fn launch(&self, run: &Start) -> Result<()> {
        let prefix = run.recipe.file_stem().map_or_else(|| "run".into(), |stem| stem.to_string_lossy());
        let folder = runs::create_run_folder(&run.parent, None, &prefix)?;
        let name = folder.name();
        let launch = Launch::New { recipe: run.recipe.clone(), overrides: Vec::new(), folder };
        runs::start_detached(&launch, run.after.as_ref().map(RunId::files).as_ref())?;
        let how = run.after.as_ref().map_or_else(String::new, |after| format!(", after {}", after.name()));
        self.say(Level::Good, format!("started {name}{how}"));
        if let Some(cut) = self.cut(&run.recipe) {
            self.say(Level::Warning, cut);
        }
        Ok(())
    }

    fn look(&self) {
        if let Some(follower) = &self.follower {
            follower.look();
        }
    }

    /// A run of another session that goes on, or waits to: of them, the one that was started last.
    fn busy_elsewhere(&self) -> Option<(RunId, String)> {
        let own = self.session.as_ref().map(|session| session.path.as_path());
        let all =
            elsewhere::live(&self.folders, own).inspect_err(|error| tracing::warn!("{error:#}")).ok()?;
        all.into_iter().next().map(|one| (one.run.id, one.session))
    }

    /// What a run by a recipe cuts, in a sentence. What can't be known is the preflight's to say.
    fn cut(&self, recipe: &Path) -> Option<String> {
        let looked = self.cuts.borrow_mut().of(&self.folders, recipe);
        let cut = looked.inspect_err(|error| tracing::info!("{error:#}")).ok().flatten();
        cut.map(|cut| in_recipe(&cut.words()))
    }

    /// In a thread of its own: it takes as long as loading the model.
    fn preflight(&self, recipe: PathBuf) {
        let text = std::fs::read_to_string(&recipe).unwrap_or_default();
        let (asked, of) = (recipe.clone(), text.clone());
        self.tell(RunsEvent::Preflighted(Preflight { recipe: asked, text: of, outcome: None }));
        let events = self.events.clone();
        thread::start("run preflight", move || {
            let name =
                recipe.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            let job = Working::start(&events, &format!("preflight {name}"), OnQuit::LetEnd);
            let outcome =
                super::preflight::ask(&recipe, &job).map_err(|error| in_recipe(&format!("{error:#}")));
            let wanted = job.is_wanted();
            let preflight = Preflight { recipe, text, outcome: Some(outcome.clone()) };
            events.send(Event::Runs(RunsEvent::Preflighted(preflight))).ok();
            job.end(match outcome {
                _ if !wanted => JobEnd::Stopped,
                Ok(_) => JobEnd::Done,
                Err(why) => JobEnd::Failed(why),
            });
        });
    }

    fn list_recipes(&self) -> Result<()> {
        let Some(session) = &self.session else { return Ok(()) };
        let mut recipes = self.recipes_of(session)?;
        let known: Vec<&str> = recipes.iter().map(|recipe| recipe.name.as_str()).collect();
        match recipes::provide(&self.folders, session, &known) {
            Ok(Provided::Nothing) => {}
            Ok(Provided::First(said)) => {
                self.say(Level::Good, said);
                recipes = self.recipes_of(session)?;
            }
            Ok(Provided::Anew) => recipes = self.recipes_of(session)?,
            // Those that there are can be looked at all the same.
            Err(error) => {
                let said = forbidden::sentence(&error.context("no recipe is made for the records"));
                if self.complained.replace(said.clone()) != said {
                    self.say(Level::Warning, said);
                }
            }
        }
        self.tell(RunsEvent::RecipesListed(recipes));
        Ok(())
    }

    fn recipes_of(&self, session: &SessionInfo) -> Result<Vec<RecipeFile>> {
        let mut recipes = recipes_in(&session.recipes())?;
        // Small sessions keep their recipe beside session.toml.
        recipes.extend(recipes_in(&session.path)?);
        for recipe in &mut recipes {
            let Outlook { missing, fetches } = Outlook::of(&self.folders, &recipe.path);
            (recipe.missing, recipe.fetches) = (missing, fetches);
            recipe.cut = self.cut(&recipe.path);
        }
        Ok(recipes)
    }

    fn say(&self, level: Level, text: String) {
        self.events.notify(level, text);
    }

    fn tell(&self, event: RunsEvent) {
        self.events.send(Event::Runs(event)).ok();
    }
}

fn summary(run: &RunId) -> Result<RunSummary> {
    let read = runs::summarise(run.folder());
    read.with_context(|| format!("read {}; is the run still there?", run.files().state().display()))
}

fn write_notes(run: &RunId, notes: &Notes) -> Result<()> {
    let path = run.folder().join("notes.toml");
    let text = toml::to_string(notes).with_context(|| format!("write {}", path.display()))?;
    files::write_atomically(&path, text.as_bytes())
}
