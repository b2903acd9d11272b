//! Which device a name stands for, and what is said where there is none.

use dojo_studio::domain::device::DeviceName;
use dojo_studio::domain::recipe::Dtype;
use dojo_studio::engine::device::{self, ComputeDevice};

#[test]
fn names_of_devices_are_read_and_written() {
    let known = [
        ("auto", DeviceName::Auto),
        ("cpu", DeviceName::Cpu),
        ("cuda:3", DeviceName::Cuda(3)),
        ("metal", DeviceName::Metal),
    ];
    for (name, device) in known {
        assert_eq!(name.parse::<DeviceName>(), Ok(device));
        assert_eq!(device.to_string(), name);
    }
    assert_eq!("cuda".parse::<DeviceName>(), Ok(DeviceName::Cuda(0)));
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest_known_one() {
    let nearest = [
        ("gpu", "cuda:0"),
        ("GPU", "cuda:0"),
        ("cuda:x", "cuda:0"),
        ("coda", "cuda:0"),
        ("mps", "metal"),
        ("metla", "metal"),
        ("cpus", "cpu"),
        ("automatic", "auto"),
    ];
    for (name, expected) in nearest {
        let sentence = name.parse::<DeviceName>().expect_err("an unknown name");
        assert!(sentence.contains(&format!("\"{name}\"")), "{sentence}");
        assert!(sentence.ends_with(&format!("the nearest is {expected}")), "{sentence}");
    }
}

#[test]
fn a_device_that_this_build_lacks_is_refused_with_the_feature_to_build_with() {
    for (name, feature, built) in [
        (DeviceName::Cuda(1), "--features cuda", cfg!(feature = "cuda")),
        (DeviceName::Metal, "--features metal", cfg!(feature = "metal")),
    ] {
        if built {
            println!("left out: this build has {name}");
            continue;
        }
        let sentence = device::choose(name).expect_err("a refusal").to_string();
        assert!(sentence.contains(&name.to_string()) && sentence.contains(feature), "{sentence}");
        assert!(sentence.contains("ask for auto or cpu"), "{sentence}");
    }
    if !cfg!(any(feature = "cuda", feature = "metal")) {
        assert!(matches!(device::choose(DeviceName::Auto), Ok(ComputeDevice::Cpu)));
    }
    assert!(matches!(device::choose(DeviceName::Cpu), Ok(ComputeDevice::Cpu)));
}

#[test]
fn f16_is_refused_on_the_processor_and_taken_on_a_device() {
    let sentence = ComputeDevice::Cpu.check(Dtype::F16).expect_err("a refusal").to_string();
    assert!(sentence.contains("compute.dtype is \"f16\"") && sentence.contains("\"bf16\""), "{sentence}");
    assert!(ComputeDevice::Cpu.check(Dtype::F32).is_ok());
    for dtype in [Dtype::F32, Dtype::Bf16, Dtype::F16] {
        assert!(ComputeDevice::Device(candle_core::Device::Cpu).check(dtype).is_ok());
    }
}

#[test]
fn a_shortage_of_memory_is_told_in_one_sentence_and_other_errors_as_they_are() {
    let messages = [
        "DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")",
        "CublasError(CUBLAS_STATUS_ALLOC_FAILED)",
        "Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)",
    ];
    for message in messages {
        let error = anyhow::anyhow!("{message}").context("a step");
        let said = format!("{:#}", device::explained(error, &candle_core::Device::Cpu, "ask for less"));
        assert_eq!(said, "cpu is out of memory: ask for less");
        assert!(!said.contains('\n') && !said.contains(message), "{said}");
    }
    let other =
        device::explained(anyhow::anyhow!("the card fell off the bus"), &candle_core::Device::Cpu, "");
    assert_eq!(other.to_string(), "the card fell off the bus");
}

/// Needs no card, only NVRTC.
#[cfg(feature = "cuda")]
#[test]
fn every_kernel_compiles_for_every_kind_of_card() {
    for capability in [75, 80, 90, 100] {
        for dtype in [Dtype::F32, Dtype::Bf16, Dtype::F16] {
            let ptx = device::compile_kernels(dtype, capability).expect("the kernels");
            assert_eq!(ptx.matches(".visible .entry").count(), 19, "{dtype:?} {capability}");
        }
    }
}
