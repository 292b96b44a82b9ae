//! Tries made inputs on decoders: `madang-fuzz TARGET|all [--seconds N] [--seed N]`; see docs/testing.md.

use std::time::Duration;

use madang_tests::fuzz::{self, Meter};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const METER: Meter = Meter {
    begin: || {
        MEMORY.reset_peak_usage();
        MEMORY.current_usage()
    },
    peak: || MEMORY.peak_usage(),
};

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (mut wanted, mut seconds, mut seed) = (None, 60, 1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--seconds" => seconds = number(args.next())?,
            "--seed" => seed = number(args.next())?,
            name => wanted = Some(name.to_owned()),
        }
    }
    let names: Vec<&str> = fuzz::targets().map(|target| target.name).collect();
    let Some(wanted) = wanted.filter(|wanted| wanted == "all" || names.contains(&wanted.as_str())) else {
        anyhow::bail!("name a target: all, or one of {}", names.join(", "));
    };
    // A decoder's panics are counted, not shown.
    std::panic::set_hook(Box::new(|_| {}));
    let mut failed = 0;
    for target in fuzz::targets().filter(|target| wanted == "all" || wanted == target.name) {
        let run = fuzz::run(target, Duration::from_secs(seconds), seed, Some(METER));
        println!(
            "{}: {} tried, {} accepted, {} found",
            target.name,
            run.tried,
            run.accepted,
            run.found.len()
        );
        for found in &run.found {
            let folder = fuzz::crashes(target);
            std::fs::create_dir_all(&folder)?;
            failed += 1;
            let path = folder.join(format!("seed-{seed}-{failed}"));
            std::fs::write(&path, &found.input)?;
            println!("  {}: {}", path.display(), found.why);
        }
    }
    anyhow::ensure!(
        failed == 0,
        "{failed} inputs made a decoder fail; they are kept and replayed by the tests"
    );
    Ok(())
}

fn number(arg: Option<String>) -> anyhow::Result<u64> {
    Ok(arg.unwrap_or_default().parse()?)
}
