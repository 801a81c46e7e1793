//! Whether a person asks not to be written to any more. Only ever asked of text that the person wrote.

use super::opt_out_words::{CARRIERS, COURTESY, MESSAGES, NEGATIONS, PHRASES, SENTENCES, SUBJECTS};
use super::words::{clip, fold, positions};

/// Words of a sentence that may consist of nothing but a wish to stop.
const SENTENCE_WORDS: usize = 8;

/// The words that ask for it, in the text that the person wrote.
pub(super) fn in_text(new_text: &str) -> Option<&'static str> {
    let folded = fold(clip(new_text, 10_000));
    let joined = folded.replace('\n', " ");
    let phrase = PHRASES
        .iter()
        .copied()
        .find(|phrase| positions(&joined, phrase).any(|at| !is_negated(&joined, at)));
    phrase
        .or_else(|| folded.split(ends_sentence).find_map(whole_sentence))
        .or_else(|| says_only(&folded, MESSAGES))
}

/// The subject is a request by itself, with at most a token behind it: what a `mailto:` link sends.
pub(super) fn in_subject(subject: &str) -> Option<&'static str> {
    let folded = fold(clip(subject, 200));
    let subject = folded.trim().trim_matches(['"', '.', '!', '\'', '[', ']', ' ']);
    SUBJECTS.iter().copied().find(|words| {
        let rest = subject.strip_prefix(words);
        rest.is_some_and(is_rest)
    })
}

/// Nothing, courtesy, or one token as machines write them.
fn is_rest(rest: &str) -> bool {
    let words: Vec<&str> =
        rest.split([' ', ':', '-', ',', '!']).filter(|word| !word.is_empty()).collect();
    let apart = rest.is_empty() || rest.starts_with([' ', ':', '-', ',', '!']);
    let is_token = |word: &str| word.chars().any(|c| c.is_ascii_digit() || "@=_".contains(c));
    apart
        && words.iter().all(|word| {
            COURTESY.contains(word) || *word == "request" || (words.len() <= 2 && is_token(word))
        })
}

fn ends_sentence(c: char) -> bool {
    "\n.!?;。！？".contains(c)
}

/// Words that mean it only when nothing else is said: "stop" is also a bus stop.
fn whole_sentence(sentence: &str) -> Option<&'static str> {
    says_only(sentence, SENTENCES)
}

/// One of the wishes, with nothing around it but courtesy.
fn says_only(text: &str, wishes: &[&'static str]) -> Option<&'static str> {
    let is_edge = |c: char| c.is_whitespace() || ".!,:\"'()[]<>*_-，、。！".contains(c);
    let words = text.split(is_edge).filter(|word| !word.is_empty() && !COURTESY.contains(word));
    let bare = words.take(SENTENCE_WORDS).collect::<Vec<_>>().join(" ");
    wishes.iter().copied().find(|wish| *wish == bare)
}

/// A negation before the phrase, with nothing in between but words that carry it on: "not interested,
/// remove me" is no negation of the removal.
fn is_negated(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let clause = before.rsplit(['.', '!', '?', ';', ',', ':', '\n']).next().unwrap_or_default();
    let mut words = clause.split_whitespace().rev().skip_while(|word| CARRIERS.contains(word));
    let negates = words.next().is_some_and(|word| NEGATIONS.contains(&word));
    // "Why not remove me" asks for it.
    negates && words.next() != Some("why")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::mime::words::fold_line;

    #[test]
    fn wishes_to_stop_are_understood_in_many_languages() {
        for text in [
            "unsubscribe",
            "Unsubscribe me please",
            "Please unsubscribe.",
            "STOP",
            "Stop!",
            "Please stop.",
            "Remove",
            "Remove me",
            "remove me from your list",
            "Please take me off your mailing list.",
            "We are not interested please remove us from this",
            "No thanks please unsubscribe",
            "Hi Ann,\n\nplease remove me from your list. We are not interested.\n\nBob",
            "Don't contact me again",
            "Do not email me any more",
            "Please stop emailing me.",
            "I would like to opt out",
            "I no longer wish to receive your e-mails",
            "delete my data",
            "Bitte nehmen Sie mich aus dem Verteiler.",
            "Bitte tragen Sie mich aus",
            "Bitte keine weiteren E-Mails",
            "Abmelden",
            "Ich möchte keine E-Mails mehr erhalten",
            "Löschen Sie meine Daten",
            "Merci de me désinscrire",
            "Désinscription",
            "Veuillez me retirer de votre liste",
            "Ne m'écrivez plus",
            "Je ne souhaite plus recevoir vos mails",
            "Por favor, quiero darme de baja",
            "Baja",
            "No me escriban más",
            "Elimíneme de su lista",
            "no deseo recibir más correos",
            "Cancellatemi dalla lista",
            "Disiscrivetemi",
            "Non voglio più ricevere le vostre email",
            "Cancellami",
            "Descadastre-me",
            "Quero cancelar a inscrição",
            "Remova-me da lista",
            "Não quero receber mais e-mails",
            "Graag uitschrijven",
            "Gelieve mij uit te schrijven",
            "Verwijder mij uit uw lijst",
            "Avregistrera mig",
            "Ta bort mig från listan",
            "Afmeld mig",
            "Meld meg av",
            "Poistakaa minut listalta",
            "Proszę o wypisanie z listy",
            "Wypisz mnie",
            "Odhlaste mě",
            "Отпишите меня",
            "Отписаться",
            "Больше не пишите мне",
            "Удалите мой адрес",
            "配信停止をお願いします",
            "退订",
            "수신거부",
            "Leiratkozás",
            "Dezabonare",
            "Beni listeden çıkarın",
        ] {
            assert!(in_text(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_merely_sounds_like_it_is_none() {
        for text in [
            "Please do not remove me from the list, I like it.",
            "Don't take me off your list",
            "Never unsubscribe me!",
            "Bitte nehmen Sie mich nicht aus dem Verteiler",
            "Ne me retirez pas",
            "I'm not interested, thanks.",
            "Let's stop by next week",
            "I'm at the bus stop.",
            "The next stop: Berlin.",
            "How many people unsubscribe from campaigns?",
            "Our list is long. Remove the second slide and send it again.",
            "Ich muss mich jetzt abmelden, bis morgen",
            "Estoy de baja hasta el lunes",
            "Ik moet helaas afmelden voor morgen",
            "Stop wasting time and book the demo with me!",
            "",
            "Я узнал о вас из рассылки.",
            "Gelieve een offerte uit te schrijven.",
            "The projector was\noff\nthe whole day.",
        ] {
            assert_eq!(in_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_subject_counts_only_when_it_says_nothing_else() {
        for (subject, asks) in [
            ("unsubscribe", true),
            ("Unsubscribe", true),
            ("UNSUBSCRIBE me please", true),
            ("unsubscribe 8f3a-22b1", true),
            ("Unsubscribe request", true),
            ("unsubscribe: u=12", true),
            ("Abmelden", true),
            ("désinscription", true),
            ("STOP", true),
            ("remove", true),
            ("Unsubscribe rates in retail", false),
            ("How to unsubscribe", false),
            ("Stop by our booth", false),
            ("Re: unsubscribed users", false),
            ("", false),
        ] {
            assert_eq!(in_subject(subject).is_some(), asks, "{subject}");
        }
    }

    #[test]
    fn the_word_lists_are_written_folded() {
        for list in [PHRASES, SENTENCES, MESSAGES, SUBJECTS, COURTESY, NEGATIONS, CARRIERS] {
            list.iter().for_each(|words| assert_eq!(fold_line(words), *words));
        }
    }
}
