//! Whole messages: what they are, and that no damage to them does harm.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::domain::reply::{AutoReply, Bounce};

const HARD_BOUNCE: &str = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.test (Mail Delivery System)\nTo: rep@our.test\n\
    Subject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\nMessage-Id: <dsn@mx.test>\n\
    Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\n\nUnable to deliver.\n--b\n\
    Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; Dana@X.test\n\
    Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 user unknown\n\n--b\n\
    Content-Type: text/rfc822-headers\n\nMessage-ID: <first@our.test>\nTo: dana@x.test\n--b--\n";

const REPLY: &str = "From: Dana Whitfield <Dana@X.test>\nReply-To: dw@x.test, dana@x.test\nTo: rep@our.test\n\
    Subject: =?utf-8?q?Re:_Gr=C3=BC=C3=9Fe?=\nMessage-ID: <r1@x.test>\nIn-Reply-To: <second@our.test>\n\
    References: <first@our.test> <second@our.test>\nContent-Type: text/plain; charset=utf-8\n\n\
    Sounds good, call me on Monday.\n\nOn Mon, 5 Jan 2026 at 10:00, Rep <rep@our.test> wrote:\n\
    > Hello Dana\n> To unsubscribe answer \"unsubscribe\".\n";

fn read_text(text: &str) -> Inbound {
    read(text.as_bytes(), date(2026, 1, 1))
}

#[test]
fn a_bounce_names_its_recipient_and_the_mail_that_it_is_about() {
    let inbound = read_text(HARD_BOUNCE);
    let bounce = Bounce {
        hard: true,
        status: Some("5.1.1".to_owned()),
        recipients: vec!["dana@x.test".to_owned()],
    };
    assert_eq!(inbound.kind, Kind::Bounce(bounce));
    assert_eq!(inbound.answers, ["first@our.test"]);
    assert_eq!(inbound.message_id, "dsn@mx.test");
}

#[test]
fn a_reply_has_its_senders_its_thread_and_only_its_new_text() {
    let inbound = read_text(REPLY);
    assert_eq!(inbound.kind, Kind::Reply, "{}", inbound.reason);
    assert_eq!(inbound.subject, "Re: Grüße");
    assert_eq!(inbound.from, ["dana@x.test", "dw@x.test"]);
    assert_eq!(inbound.answers, ["second@our.test", "first@our.test"]);
    assert_eq!(inbound.new_text, "Sounds good, call me on Monday.");
}

#[test]
fn each_kind_is_told_from_its_neighbours() {
    let plain = |head: &str, body: &str| {
        read_text(&format!("From: a@x.test\nSubject: Re: Hi\n{head}\n\n{body}")).kind
    };
    let away = |until| Kind::AutoReply(AutoReply::Away { until });
    for (kind, expected) in [
        (plain("To: b@y.test", "Please take me off your list.\n\n> Hello"), Kind::Unsubscribe),
        (plain("To: b@y.test", "Please do not take me off your list."), Kind::Reply),
        (plain("To: b@y.test", "Yes, let's talk.\n> unsubscribe"), Kind::Reply),
        (
            plain("Auto-Submitted: auto-replied", "I am away until 9 January 2026."),
            away(Some(date(2026, 1, 9))),
        ),
        (plain("Auto-Submitted: no", "I am in the office."), Kind::Reply),
        (
            plain("Auto-Submitted: auto-replied", "Dana has left the company."),
            Kind::AutoReply(AutoReply::LeftCompany),
        ),
        (plain("Content-Type: text/calendar; method=REPLY", "BEGIN:VCALENDAR"), Kind::Notice),
        (read_text(&HARD_BOUNCE.replace("Action: failed", "Action: delayed")).kind, Kind::Notice),
        (read_text("From: a@x.test\nSubject: unsubscribe\n\n").kind, Kind::Unsubscribe),
        (read_text("no header at all").kind, Kind::Notice),
        (read_text("").kind, Kind::Notice),
    ] {
        assert_eq!(kind, expected);
    }
}

#[test]
fn a_report_about_several_addresses_counts_the_dead_ones() {
    let second = "Diagnostic-Code: smtp; 550 5.1.1 user unknown\n\nFinal-Recipient: rfc822; full@x.test\nAction: failed\nStatus: 5.2.2\n";
    let inbound =
        read_text(&HARD_BOUNCE.replace("Diagnostic-Code: smtp; 550 5.1.1 user unknown\n", second));
    let Kind::Bounce(bounce) = inbound.kind else { panic!("{}", inbound.reason) };
    assert_eq!((bounce.hard, bounce.recipients), (true, vec!["dana@x.test".to_owned()]));
}

#[test]
fn a_copy_with_other_line_ends_reads_the_same() {
    for text in [HARD_BOUNCE, REPLY] {
        let expected = read_text(text);
        for ends in ["\r\n", "\r"] {
            assert_eq!(read_text(&text.replace('\n', ends)), expected);
        }
    }
}

#[test]
fn a_message_without_an_id_has_the_same_name_in_every_copy() {
    let id = |text: &str| read_text(text).message_id;
    assert_eq!(id("From: a@b.test\n\nx"), id("From: a@b.test\r\n\r\nx"));
    assert_ne!(id("From: a@b.test\n\nx"), id("From: a@b.test\n\ny"));
}

/// Shapes that make careless readers slow: each must cost no more than a few passes.
#[test]
fn large_hostile_messages_are_read_in_time() {
    let size = 2 << 20;
    let fill = |unit: &str| unit.repeat(size / unit.len());
    let head = "From: a@b.test\nReturn-Path: <>\nSubject: x\n";
    for body in [
        format!("{head}\n{}", fill("On 1 Jan 2026\n")),
        format!("{head}\n{}", fill("> ")),
        format!("{head}\n{}", fill("From: a\n")),
        format!("{head}\n{}", fill("a@b.test 550 ")),
        format!("{head}\n{}", fill("1.1.2026 until ")),
        format!("{head}\n{}", fill("unsubscribe me not ")),
        format!("{head}References: {}\n\n", fill("<a@b> ")),
        format!("{head}{}", fill("X: y\n")),
        format!("From: {}", fill("a@b.test, ")),
        format!("Subject: {}", fill("=?utf-8?q?a?= ")),
        format!("From: {}", fill("(")),
        format!("{head}Content-Type: text/html\n\n{}", fill("<")),
        format!("{head}Content-Type: text/html\n\n{}", fill("<blockquote>&amp")),
        format!("{head}Content-Type: text/html\n\n{}", fill("<!--")),
        format!(
            "{head}Content-Type: multipart/mixed; boundary=b\n\n{}",
            fill("--b\nContent-Type: message/rfc822\n\n")
        ),
        format!("{head}{}", fill("Content-Type: multipart/mixed; boundary=b\n\n--b\n")),
        format!("{head}Content-Type: message/delivery-status\n\n{}", fill("Action: failed\n\n")),
        format!(
            "{head}Content-Type: message/delivery-status\n\n{}",
            fill("Final-Recipient: x;a@b.test\n y\n")
        ),
    ] {
        let begun = std::time::Instant::now();
        read_text(&body);
        // Unoptimised and on a busy machine, some seconds; a quadratic reader would take an hour.
        assert!(begun.elapsed().as_secs() < 300, "{}", body.get(..120).unwrap_or_default());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_bytes_can_stop_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let inbound = read(&bytes, date(2026, 1, 1));
        prop_assert!(!inbound.message_id.is_empty() && !inbound.reason.is_empty());
    }

    #[test]
    fn no_mix_of_headers_can_stop_the_reader(
        fields in proptest::collection::vec(("(From|Subject|Content-Type|Auto-Submitted|Return-Path|References|X-Apple-Criteria|Message-ID)", "[ -~äж]{0,40}"), 0..8),
        body in "[ -~\n>äж月]{0,300}",
    ) {
        let head: String = fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        read_text(&format!("{head}\n{body}"));
    }

    #[test]
    fn no_damage_to_real_mail_can_stop_the_reader(cut in 0..2_000usize, at in 0..2_000usize, byte in any::<u8>()) {
        for text in [HARD_BOUNCE, REPLY] {
            let mut bytes = text.as_bytes().to_vec();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            bytes.truncate(cut);
            read(&bytes, date(2026, 1, 1));
        }
    }

    #[test]
    fn new_text_is_never_longer_than_the_body(body in "[ -~\n>äж]{0,400}") {
        prop_assert!(new_text(&body).chars().count() <= body.chars().count());
    }
}

#[test]
fn no_text_of_a_message_holds_a_nul() {
    let mail = b"From: <a\0@x.test>\r\nSubject: =?utf-8?q?a=00b?=\r\nMessage-ID: <i\0d@x.test>\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\nyes=00 please\r\n";
    let read = super::read(mail, jiff::civil::date(2026, 3, 2));
    assert!(!format!("{read:?}").contains("\\0"), "{read:?}");
    assert!(read.new_text.contains("please"));
}
