//! The exit code; everything else is in the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// An import makes and frees a hundred small texts a row on one thread and on another: this one is
/// made for that.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    firsttouch::cli::main()
}
