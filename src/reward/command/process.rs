//! A program that answers a line with a line: started in a process group of its own, read and written by threads, so that
//! neither a program that reads nothing nor one that says nothing holds anybody up beyond the time-out.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::ground::thread;

/// A line that is longer is none.
const LONGEST_LINE: u64 = 256 << 20;
/// Lines of its complaints that are kept.
const COMPLAINTS: usize = 8;
/// How long a program that has closed its output may take to say why.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A program that runs. Dropping it ends it, with all that it started.
pub(super) struct RunningCommand {
    child: Child,
    questions: SyncSender<String>,
    answers: Receiver<Said>,
    complaints: Arc<Mutex<VecDeque<String>>>,
    /// Gone once all complaints are read.
    silence: Receiver<()>,
}

enum Said {
    Line(String),
    NoText,
    TooMuch,
}

impl RunningCommand {
    /// # Errors
    /// One sentence without its subject.
    pub(super) fn start(line: &[String], folder: &Path) -> Result<Self, String> {
        let (program, arguments) = line.split_first().ok_or("names no program")?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound if !folder.is_dir() => {
                format!("can't be started: its folder {} is gone", folder.display())
            }
            std::io::ErrorKind::NotFound => format!("can't be started: there is no program {program:?}"),
            _ => format!("can't be started: {error}"),
        })?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            return Err("can't be started: it has no input and output".to_owned());
        };
        let complaints = Arc::default();
        let (silent, silence) = sync_channel(0);
        let started = Self {
            child,
            questions: writer(stdin),
            answers: reader(stdout),
            complaints: Arc::clone(&complaints),
            silence,
        };
        thread::start("reward errors", move || listen(stderr, &complaints, &silent));
        Ok(started)
    }

    /// Asks a line and waits for one.
    ///
    /// # Errors
    /// One sentence without its subject, after which this can't be asked again.
    pub(super) fn exchange(&mut self, line: String, timeout: Duration) -> Result<String, String> {
        if let Ok(said) = self.answers.try_recv() {
            return Err(match said {
                Said::Line(text) => format!("said something without being asked: {:?}", shortened(&text)),
                Said::NoText | Said::TooMuch => "said something without being asked".to_owned(),
            });
        }
        if self.questions.send(line).is_err() {
            return Err(self.end());
        }
        match self.answers.recv_timeout(timeout) {
            Ok(Said::Line(text)) => Ok(text),
            Ok(Said::NoText) => Err("answered with bytes that are no text".to_owned()),
            Ok(Said::TooMuch) => Err(format!("answered with more than {} MB in a line", LONGEST_LINE >> 20)),
            Err(RecvTimeoutError::Timeout) => {
                Err(format!("gave no answer within {} s and was ended", timeout.as_secs_f64()))
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.end()),
        }
    }

    /// How it ended, in words, with what it said last.
    fn end(&mut self) -> String {
        // It has closed its output; what it complains of is on its way.
        let _ = self.silence.recv_timeout(LAST_WORDS);
        self.kill();
        let how = match self.child.wait().map(|status| (status.code(), status.signal())) {
            Ok((Some(code), _)) => format!("ended with exit code {code}"),
            Ok((None, Some(signal))) => format!("was ended by signal {signal}"),
            Ok((None, None)) | Err(_) => "ended".to_owned(),
        };
        let complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        match complaints.back() {
            Some(last) => format!("{how} before it answered; it said last: {last}"),
            None => format!("{how} before it answered"),
        }
    }

    fn kill(&mut self) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // One that has ended by itself is no group any more, unless what it started lives.
        if let Some(group) = group.filter(|_| self.child.try_wait().is_ok_and(|ended| ended.is_none())) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for RunningCommand {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
    }
}

fn writer(mut stdin: ChildStdin) -> SyncSender<String> {
    let (send, questions) = sync_channel::<String>(1);
    thread::start("reward asks", move || {
        for line in questions {
            if stdin.write_all(line.as_bytes()).and_then(|()| stdin.flush()).is_err() {
                break;
            }
        }
    });
    send
}

fn reader(stdout: ChildStdout) -> Receiver<Said> {
    let (send, answers) = sync_channel(1);
    thread::start("reward hears", move || {
        let mut stdout = BufReader::new(stdout);
        while let Some(said) = next(&mut stdout) {
            let is_last = matches!(said, Said::TooMuch);
            if send.send(said).is_err() || is_last {
                break;
            }
        }
    });
    answers
}

fn next(stdout: &mut BufReader<ChildStdout>) -> Option<Said> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = stdout.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).ok()?;
        if read == 0 {
            return None;
        }
        if line.len() as u64 >= LONGEST_LINE {
            return Some(Said::TooMuch);
        }
        if !line.trim_ascii().is_empty() {
            break;
        }
    }
    Some(String::from_utf8(line).map_or(Said::NoText, Said::Line))
}

/// Keeps the last complaints; the other end of `_silent` learns when there are no more.
fn listen(stderr: ChildStderr, complaints: &Mutex<VecDeque<String>>, _silent: &SyncSender<()>) {
    const LONGEST: u64 = 1 << 12;
    let mut stderr = BufReader::new(stderr);
    let mut line = Vec::new();
    while stderr.by_ref().take(LONGEST).read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(line.trim_ascii()).into_owned();
        line.clear();
        if text.is_empty() {
            continue;
        }
        let mut kept = complaints.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == COMPLAINTS {
            kept.pop_front();
        }
        kept.push_back(shortened(&text));
    }
}

fn shortened(text: &str) -> String {
    const SHOWN: usize = 200;
    text.trim().chars().take(SHOWN).collect()
}
