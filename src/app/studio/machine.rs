//! What the machine has free: read every two seconds in a thread of its own, sent on when it looks different.

use std::sync::mpsc::{RecvTimeoutError, SyncSender};
use std::time::Duration;

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use crate::app::events::Events;
use crate::domain::device::DeviceName;
use crate::domain::protocol::system::Machine;
use crate::domain::protocol::{Event, SystemEvent};
use crate::engine::device;
use crate::ground::thread;

/// Reads it once.
pub(super) fn read() -> Machine {
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    // Whether a card answers is found out later: a driver takes its time to begin.
    System::new_with_specifics(memory).map_or_else(|_| Machine::default(), |system| of(&system, "cpu"))
}

/// Keeps reading until what is returned is dropped.
pub(super) fn watch(events: Events) -> SyncSender<()> {
    let (stop, stopped) = thread::tether();
    thread::start("machine", move || {
        let Ok(mut system) = System::new() else { return };
        let device = device::choose(DeviceName::Auto).map_or_else(|_| "cpu".to_owned(), |place| place.name());
        let mut shown = Machine::default();
        while stopped.recv_timeout(Duration::from_secs(2)) == Err(RecvTimeoutError::Timeout) {
            system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
            let machine = of(&system, &device);
            // The header shows tenths of a gigabyte.
            if machine.memory_used_bytes.abs_diff(shown.memory_used_bytes) >= 50_000_000 {
                shown = machine.clone();
                if events.send(Event::System(SystemEvent::MachineRead(machine))).is_err() {
                    return;
                }
            }
        }
    });
    stop
}

fn of(system: &System, device: &str) -> Machine {
    Machine {
        device: device.to_owned(),
        memory_used_bytes: system.used_memory(),
        memory_total_bytes: system.total_memory(),
    }
}
