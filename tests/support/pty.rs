//! The program in a pseudo-terminal, with every byte that it writes.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

pub(crate) struct Pty {
    _master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl Pty {
    pub(crate) fn start(home: &Path, arguments: &[&str]) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_dojo"));
        command.args(arguments);
        command.env("DOJO_HOME", home);
        command.cwd(home);
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = sync_channel(1 << 16);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keyboard = pair.master.take_writer().unwrap();
        Self { _master: pair.master, child, keyboard, output, seen: Vec::new() }
    }

    pub(crate) fn keys(&mut self, bytes: &[u8]) {
        self.keyboard.write_all(bytes).unwrap();
        self.keyboard.flush().unwrap();
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Waits until a text has come so many times in all.
    pub(crate) fn wait_for(&mut self, text: &str, times: usize) {
        while self.text().matches(text).count() < times {
            match self.output.recv_timeout(Duration::from_secs(60)) {
                Ok(bytes) => self.seen.extend(bytes),
                Err(error) => panic!("never saw {text:?} {times} times ({error}):\n{}", self.text()),
            }
        }
    }

    /// Waits for the program's end: its exit code, and all that it has written.
    pub(crate) fn end(mut self) -> (u32, String) {
        // Only what is read lets it write on.
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_secs(60)) {
            self.seen.extend(bytes);
        }
        (self.child.wait().unwrap().exit_code(), self.text())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.child.kill().ok();
    }
}
