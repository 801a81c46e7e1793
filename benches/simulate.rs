use firsttouch::domain::forecast::*;
use firsttouch::domain::ids::*;
use firsttouch::wiring::simulate::*;
use firsttouch::{config, wiring};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let var = |n: &str, d: usize| std::env::var(n).ok().and_then(|v| v.parse().ok()).unwrap_or(d);
    let mailboxes = var("MB", 3);
    let mut text = "time_zone = \"America/New_York\"\n[company]\nname = \"Bench\"\npostal_address = \"2 Side St, Springfield\"\n".to_owned();
    for n in 0..mailboxes {
        text += &format!(
            "[[mailbox]]\nid = \"rep-{n}\"\nfrom = \"rep-{n}@acme.test\"\nowner = \"rep-{n}\"\nramp = {{ start = 40, add_per_day = 0 }}\nsmtp = {{ host = \"127.0.0.1\", port = 25, tls = \"none\" }}\nmaildir = \"m{n}\"\n"
        );
    }
    text += "[calendar.standard]\nhours = \"mon-fri 08:00-17:00\"\nclock = \"prospect\"\n";
    let config = config::parse(&text, Path::new(".")).unwrap();
    let files = wiring::files(Path::new(".")).unwrap();
    let (ws, f) =
        firsttouch::engine::workspace::check(&files, &config.calendars.keys().cloned().collect());
    let ws = ws.unwrap_or_else(|| panic!("{f:?}"));
    let settings = settings(wiring::settings(&config, Vec::new()), 1);
    let assumed = Assumptions {
        reply: Share::of_hundredths(200),
        opt_out: Share::of_hundredths(50),
        away: Share::of_hundredths(300),
        dead_address: Share::of_hundredths(200),
        answer: Share::of_hundredths(900),
        voicemail: Share::of_hundredths(4000),
        accept: Share::of_hundredths(2500),
        meeting: Share::of_hundredths(2000),
        tasks_per_day: var("TASKS", 60) as u32,
        hours: (9, 17),
        with_phone: Share::of_hundredths(8000),
        with_linkedin: Share::of_hundredths(9000),
    };
    let cadence = CadenceId::from("saas-outbound-14d");
    let begins = Instant::now();
    let cast = Cast::drawn(&ws, &cadence, (&assumed, 1), &settings.reps(), var("N", 5000));
    println!("drawn {:?}", begins.elapsed());
    let scenario = Scenario {
        settings: Arc::new(settings),
        workspace: Arc::new(ws),
        cadence,
        cast: Arc::new(cast),
        assumed,
        begins_on: "2026-03-02".parse().unwrap(),
        days: var("DAYS", 60) as u32,
        seed: 1,
        ends: Ends::OnTime,
        days_done: Arc::default(),
    };
    let begins = Instant::now();
    let run = play(&scenario).unwrap();
    println!("played {:?}", begins.elapsed());
    println!(
        "{:?} {} enrolled {:?} touched {} last {:?} answered {:?} expired {:?} unwritten {:?}",
        run.people,
        run.enrolled,
        run.skipped,
        run.touched(),
        run.last_first_touch(),
        run.answered,
        run.expired,
        run.unwritten
    );
    println!("{:?} {:?}", run.tally.touches, run.tally.endings);
    for (d, w) in run.waits.iter().step_by(5) {
        println!("{d} {w:?}");
    }
}
