//! The program itself in a pseudo-terminal.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::support::program::wait_until;
use dojo_studio::app::studio::terminal::{Mouse, Screen};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Far more than anything here takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a program that ends is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// A terminal with a program in it.
pub(super) struct Terminal {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    reader: Option<JoinHandle<()>>,
    screen: vt100::Parser,
    /// The terminal's settings before the program had it.
    before: String,
}

/// A terminal's settings, to be compared.
fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}

impl Terminal {
    pub(super) fn start(home: &Path, program: &str, arguments: &[&str], (columns, rows): (u16, u16)) -> Self {
        let pair = native_pty_system()
            .openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 })
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env("DOJO_HOME", home);
        command.env("TERM", "xterm-256color");
        command.env("PS1", "$ ");
        command.env_remove("NO_COLOR");
        command.cwd(home);
        let before = settings(&*pair.master);
        let child = pair.slave.spawn_command(command).expect("start the program");
        let mut reader = pair.master.try_clone_reader().expect("read the terminal");
        let (sender, output) = sync_channel(1 << 16);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keyboard = pair.master.take_writer().expect("write to the terminal");
        Self {
            before,
            master: pair.master,
            child,
            keyboard,
            output,
            reader: Some(reader),
            screen: vt100::Parser::new(size(rows), size(columns), 0),
        }
    }

    pub(super) fn dojo(home: &Path, arguments: &[&str]) -> Self {
        Self::start(home, env!("CARGO_BIN_EXE_dojo"), arguments, (120, 36))
    }

    fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// Takes in output until the screen is as wanted.
    pub(super) fn wait(&mut self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !wanted(self.screen.screen()) {
            let left = until.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("never saw {what}:\n{}", self.text()),
                Err(RecvTimeoutError::Disconnected) => {
                    assert!(wanted(self.screen.screen()), "ended without {what}:\n{}", self.text());
                }
            }
        }
    }

    pub(super) fn wait_for(&mut self, text: &str) {
        self.wait(text, |screen| screen.contents().contains(text));
    }

    fn wait_until_gone(&mut self, text: &str) {
        self.wait(&format!("{text} go"), |screen| !screen.contents().contains(text));
    }

    pub(super) fn keys(&mut self, bytes: &str) {
        self.keyboard.write_all(bytes.as_bytes()).expect("type");
        self.keyboard.flush().expect("type");
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        let wanted = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(wanted).expect("resize");
        self.screen.screen_mut().set_size(size(rows), size(columns));
    }

    pub(super) fn signal(&self, name: &str) {
        let process = self.child.process_id().expect("a process").to_string();
        let sent = std::process::Command::new("kill").args([name, &process]).status().expect("run kill");
        assert!(sent.success());
    }

    /// Sends it to the only child of what runs here.
    fn signal_the_program(&self, name: &str) {
        let shell = self.child.process_id().expect("a process").to_string();
        let listed =
            std::process::Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().expect("run ps");
        let listed = String::from_utf8(listed.stdout).expect("text");
        let child = listed.lines().find_map(|line| {
            let (process, parent) = line.trim().split_once(char::is_whitespace)?;
            (parent.trim() == shell).then(|| process.to_owned())
        });
        let child = child.expect("the program below the shell");
        let sent = std::process::Command::new("kill").args([name, &child]).status().expect("run kill");
        assert!(sent.success());
    }

    /// Waits for the program's end and takes in the rest of its output.
    pub(super) fn end(&mut self) -> portable_pty::ExitStatus {
        let until = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("wait for the program") {
                break status;
            }
            assert!(Instant::now() < until, "it didn't end:\n{}", self.text());
            // What it writes has to be read, or it can't end.
            match self.output.recv_timeout(LOOK) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break self.child.wait().expect("wait for it"),
            }
        };
        self.wait("the screen given back", is_given_back);
        status
    }

    /// Takes the terminal away, as a window that is closed does, and waits for the program's end.
    pub(super) fn hang_up(&mut self) {
        let (_, nothing) = sync_channel(1 << 16);
        // Who reads the output ends with the next that comes, and holds the terminal no longer.
        drop(std::mem::replace(&mut self.output, nothing));
        self.keys("?");
        self.reader.take().expect("a reader").join().expect("read the terminal");
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let other = native_pty_system().openpty(size).expect("a pseudo-terminal");
        self.keyboard = other.master.take_writer().expect("write to the terminal");
        self.master = other.master;
        wait_until("the end", || self.child.try_wait().expect("wait for the program").is_some());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.child.kill().ok();
    }
}

fn is_given_back(screen: &vt100::Screen) -> bool {
    !screen.alternate_screen()
        && !screen.hide_cursor()
        && !screen.bracketed_paste()
        && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
}

fn size(cells: u16) -> NonZero<u16> {
    NonZero::new(cells).expect("a size above 0")
}

pub(super) fn home() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn a_person_walks_through_every_pane_and_gets_the_terminal_back() {
    let home = home();
    let mut terminal = Terminal::dojo(home.path(), &[]);
    terminal.wait_for("first-principles");
    terminal.wait_for("Start with a sample");
    terminal.keys("\r");
    terminal.wait_for("trains by the recipe sft");
    terminal.wait_for("③ Train");
    for (key, title) in
        [("1", "Data"), ("2", "Review"), ("3", "Train"), ("4", "Chat"), ("5", "Eval"), ("6", "Models")]
    {
        terminal.keys(key);
        terminal.wait_for(title);
    }
    terminal.wait_for("No model is on this machine yet");
    terminal.keys("?");
    terminal.wait_for("Show all keys");
    terminal.keys("\x1b");
    terminal.wait_until_gone("Show all keys");
    terminal.keys("\x10");
    terminal.wait_for("a few letters");
    terminal.keys("pick theme");
    terminal.wait_for("Pick a theme");
    terminal.keys("\x1b");
    terminal.wait_until_gone("Pick a theme");
    terminal.resize(50, 14);
    terminal.wait_for("too small");
    terminal.resize(60, 16);
    terminal.wait_for("⑥ Models");
    terminal.resize(120, 36);
    terminal.wait_for("③ Train");
    terminal.keys("q");
    assert!(terminal.end().success());
    assert_eq!(settings(&*terminal.master), terminal.before, "raw mode was left");
}

#[test]
fn the_session_that_was_open_last_is_opened_again() {
    let home = home();
    let mut terminal = Terminal::dojo(home.path(), &["open", "query-expansion"]);
    terminal.wait_for("query-expansion");
    terminal.keys("q");
    terminal.end();
    let mut terminal = Terminal::dojo(home.path(), &[]);
    terminal.wait_for("query-expansion");
    terminal.wait_for("⑥ Models");
    terminal.keys("q");
    assert!(terminal.end().success());
}

#[test]
fn a_signal_ends_it_and_the_terminal_is_given_back() {
    for signal in ["-TERM", "-HUP", "-INT"] {
        let home = home();
        let mut terminal = Terminal::dojo(home.path(), &[]);
        terminal.wait_for("Start with a sample");
        terminal.signal(signal);
        assert!(terminal.end().success(), "{signal}");
    }
}

#[test]
#[ignore = "panics on purpose; the next test runs it in a terminal of its own"]
fn a_panic_while_the_screen_is_taken() {
    let _screen = Screen::enter(Mouse::Ours).expect("a terminal");
    panic!("on purpose");
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_reported() {
    let home = home();
    let test = std::env::current_exe().expect("this program");
    let name = "ui::whole::a_panic_while_the_screen_is_taken";
    let arguments = ["--ignored", "--exact", name, "--nocapture"];
    let mut terminal = Terminal::start(home.path(), test.to_str().expect("a path"), &arguments, (120, 36));
    assert!(!terminal.end().success());
    terminal.wait_for("on purpose");
    assert_eq!(settings(&*terminal.master), terminal.before, "raw mode was left");
}

#[test]
fn ctrl_z_goes_back_to_the_shell_and_fg_returns() {
    let home = home();
    let mut terminal = Terminal::start(home.path(), "bash", &["--norc", "--noprofile", "-i"], (120, 36));
    terminal.wait_for("$ ");
    terminal.keys(&format!("{}\r", env!("CARGO_BIN_EXE_dojo")));
    terminal.wait_for("Start with a sample");
    terminal.keys("\x1a");
    // Bash asks for bracketed paste itself, so only the rest tells.
    let shell = |screen: &vt100::Screen| !screen.alternate_screen() && !screen.hide_cursor();
    terminal.wait("the shell", |screen| shell(screen) && screen.contents().contains("Stopped"));
    terminal.keys("fg\r");
    terminal.wait("the studio again", |screen| {
        screen.alternate_screen() && screen.contents().contains("Start with a sample")
    });
    terminal.keys("q");
    terminal.wait("the shell at the end", shell);
    terminal.keys("exit\r");
    assert!(terminal.end().success());
}

/// Bash with the studio in it, as a person starts it.
fn in_a_shell(home: &Path) -> Terminal {
    let mut terminal = Terminal::start(home, "bash", &["--norc", "--noprofile", "-i"], (120, 36));
    terminal.wait_for("$ ");
    terminal.keys(&format!("{}\r", env!("CARGO_BIN_EXE_dojo")));
    terminal.wait_for("Start with a sample");
    terminal
}

/// Bash asks for bracketed paste itself, so only the rest tells.
fn is_a_shell(screen: &vt100::Screen) -> bool {
    !screen.alternate_screen() && !screen.hide_cursor()
}

fn is_the_studio(screen: &vt100::Screen) -> bool {
    screen.alternate_screen() && screen.contents().contains("Start with a sample")
}

#[test]
fn a_stop_from_outside_gives_the_terminal_back_until_fg() {
    for signal in ["-TSTP", "-STOP"] {
        let home = home();
        let mut terminal = in_a_shell(home.path());
        terminal.signal_the_program(signal);
        if signal == "-TSTP" {
            terminal.wait("the shell", |screen| is_a_shell(screen) && screen.contents().contains("Stopped"));
        } else {
            // Nobody can see this one coming: only the way back can be made good.
            terminal.wait_for("Stopped");
        }
        terminal.keys("fg\r");
        terminal.wait("the studio again", is_the_studio);
        terminal.wait("without the shell's words", |screen| !screen.contents().contains("Stopped"));
        terminal.keys("?");
        terminal.wait_for("Show all keys");
        terminal.keys("qq");
        terminal.wait("the shell at the end", is_a_shell);
        terminal.keys("exit\r");
        assert!(terminal.end().success(), "{signal}");
    }
}

#[test]
fn without_a_shell_above_it_a_stop_is_passed_over() {
    let home = home();
    let mut terminal = Terminal::dojo(home.path(), &[]);
    terminal.wait_for("Start with a sample");
    terminal.signal("-TSTP");
    terminal.keys("\x1a");
    terminal.wait_for("No shell is above this program");
    terminal.keys("q");
    assert!(terminal.end().success());
}

#[test]
fn sigquit_gives_the_terminal_back_and_ends_it_as_that_signal_does() {
    let home = home();
    let mut terminal = Terminal::dojo(home.path(), &[]);
    terminal.wait_for("Start with a sample");
    terminal.signal("-QUIT");
    let status = terminal.end();
    assert!(status.signal().is_some_and(|name| name.contains("Quit")), "{status:?}");
    assert_eq!(settings(&*terminal.master), terminal.before, "raw mode was left");
}

#[test]
fn the_terminals_cursor_stands_at_the_caret_while_something_is_typed() {
    let home = home();
    let mut terminal = Terminal::dojo(home.path(), &[]);
    terminal.wait_for("Start with a sample");
    assert!(terminal.screen.screen().hide_cursor());
    terminal.keys("\x10pick");
    let at_the_end = |screen: &vt100::Screen| {
        let (row, column) = screen.cursor_position();
        let line = screen.contents_between(row, 0, row, column);
        !screen.hide_cursor() && line.trim_end().ends_with("pick")
    };
    terminal.wait("the cursor after what was typed", at_the_end);
    terminal.keys("\x1b");
    terminal.wait("no cursor", vt100::Screen::hide_cursor);
    terminal.keys("q");
    assert!(terminal.end().success());
}

#[test]
fn without_a_terminal_it_names_the_subcommands() {
    let home = home();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_dojo"))
        .env("DOJO_HOME", home.path())
        .output()
        .expect("run the program");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("needs a terminal") && said.contains("open"), "{said}");
}

#[test]
fn no_color_is_honoured() {
    let home = home();
    let mut terminal =
        Terminal::start(home.path(), "env", &["NO_COLOR=1", env!("CARGO_BIN_EXE_dojo")], (80, 24));
    terminal.wait_for("Start with a sample");
    let screen = terminal.screen.screen();
    let coloured = (0..24).flat_map(|row| (0..80).map(move |column| (row, column))).any(|(row, column)| {
        screen.cell(row, column).is_some_and(|cell| {
            cell.fgcolor() != vt100::Color::Default || cell.bgcolor() != vt100::Color::Default
        })
    });
    assert!(!coloured);
    terminal.keys("q");
    assert!(terminal.end().success());
}

#[test]
fn a_terminal_that_is_taken_away_ends_the_program() {
    let home = home();
    let mut terminal = Terminal::dojo(home.path(), &["open", "first-principles"]);
    terminal.wait_for("③ Train");
    terminal.hang_up();
    // Also if the signal of it is ignored, as under nohup.
    let script = format!("trap '' HUP; exec {} open first-principles", env!("CARGO_BIN_EXE_dojo"));
    let mut terminal = Terminal::start(home.path(), "sh", &["-c", &script], (120, 36));
    terminal.wait_for("③ Train");
    terminal.hang_up();
}
