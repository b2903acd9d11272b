//! The device that tests of the device's step run on: candle's processor, or the one that `DOJO_TEST_DEVICE` names.

use candle_core::Device;
use dojo_studio::engine::device::{self, ComputeDevice};

/// `cuda:0` for instance; where nothing is asked for, the processor, on which candle's tensors compute as well.
pub(crate) fn device() -> Device {
    let Ok(name) = std::env::var("DOJO_TEST_DEVICE") else { return Device::Cpu };
    match device::choose(name.parse().expect("DOJO_TEST_DEVICE")).expect("the device of DOJO_TEST_DEVICE") {
        ComputeDevice::Cpu => Device::Cpu,
        ComputeDevice::Device(device) => device,
    }
}

/// Whether the tests run on a device that was asked for, which has the time for all of them.
pub(crate) fn is_asked_for() -> bool {
    std::env::var_os("DOJO_TEST_DEVICE").is_some()
}
