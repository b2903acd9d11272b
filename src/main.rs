//! The command line: everything else is in the library.

#[global_allocator]
static ALLOCATOR: dojo_studio::data::chat::fence::Metered<mimalloc::MiMalloc> =
    dojo_studio::data::chat::fence::Metered(mimalloc::MiMalloc);

fn main() -> std::process::ExitCode {
    dojo_studio::cli::run()
}
