//! What must hold when an intent is committed: the worker's fence, blocks, caps and colleagues.

use jiff::{SignedDuration, Timestamp};

use super::Sending;
use crate::domain::address::is_free_mail;
use crate::domain::budget::{Cap, Metered, Quota, Waiting, gap};
use crate::domain::cadence::Channel;
use crate::domain::ids::{CompanyId, EnrollmentId, MailboxId, RepId};
use crate::domain::suppression::Subject;
use crate::engine::{Engine, EngineError, Person, lock};
use crate::ports::{Guards, LeaseRequest, MailboxGuard};

impl Engine {
    pub(super) async fn guards(
        &self,
        person: &Person,
        sending: &Sending<'_>,
        epoch: i64,
        now: Timestamp,
    ) -> Result<Guards, EngineError> {
        let mailbox = sending.mailbox;
        let day = now.as_millisecond().div_euclid(86_400_000);
        let record = self.store.mailbox(&mailbox.id).await?;
        let mut caps = self.person_caps(person);
        caps.push(self.mailbox_cap(mailbox, &record, now));
        caps.extend(self.hourly_cap(mailbox));
        caps.extend(self.domain_cap(sending.ready.to.domain()));
        let seed = person.seed(&sending.step, &self.settings.secret);
        Ok(Guards {
            now,
            lease: Some((lease_name(&mailbox.id), epoch)),
            holds: person.holds(),
            subjects: blocking(person, Channel::Email),
            caps,
            company: self.company_guard(person),
            rep: self.rep_guard(person),
            quotas: Vec::new(),
            quiet: Some((
                person.prospect.id,
                person.enrollment.id,
                self.settings.limits.prospect_gap,
            )),
            mailbox: Some(MailboxGuard {
                mailbox: mailbox.id.clone(),
                inbox_fresh_for: mailbox.has_inbox.then_some(self.settings.reply_freshness),
                gap: gap(mailbox.gap.0, mailbox.gap.1, seed),
                day,
            }),
            owner: Some(person.enrollment.owner.clone()),
        })
    }

    /// Mails to one domain; free-mail providers are exempt.
    pub(in crate::engine) fn domain_cap(&self, domain: &str) -> Option<Cap> {
        let cap = Cap {
            scope: format!("domain:{domain}"),
            reason: Waiting::DomainLimit,
            limit: self.settings.limits.per_domain_per_day,
            window: SignedDuration::from_hours(24),
        };
        (!is_free_mail(domain)).then_some(cap)
    }

    /// The fence of this worker, taken or renewed when half of it is over.
    pub(in crate::engine) async fn lease(
        &self,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<i64>, EngineError> {
        let name = name.to_owned();
        if let Some((epoch, until)) = lock(&self.leases).get(&name)
            && now + self.lease_lasts / 2 < *until
        {
            return Ok(Some(*epoch));
        }
        let until = now + self.lease_lasts;
        let request = LeaseRequest { name: name.clone(), holder: self.node.clone(), now, until };
        let epoch = self.store.lease(request).await?;
        let mut leases = lock(&self.leases);
        match epoch {
            Some(epoch) => leases.insert(name, (epoch, until)),
            None => leases.remove(&name),
        };
        Ok(epoch)
    }

    /// The caps that count touches of people rather than mails.
    pub(in crate::engine) fn person_caps(&self, person: &Person) -> Vec<Cap> {
        let day = SignedDuration::from_hours(24);
        let limits = &person.version.cadence.limits;
        let mut caps = Vec::new();
        if let Some(limit) = limits.touches_per_prospect_per_day {
            let scope = format!("prospect:{}", person.prospect.id);
            caps.push(Cap { scope, reason: Waiting::ProspectLimit, limit, window: day });
        }
        if let Some((limit, company)) =
            limits.touches_per_company_per_week.zip(person.enrollment.company)
        {
            let (scope, window) = (format!("company:{company}"), day * 7);
            caps.push(Cap { scope, reason: Waiting::CompanyLimit, limit, window });
        }
        caps.extend(self.new_caps(person));
        caps
    }

    /// The caps that count who begins; none for somebody who has begun.
    pub(in crate::engine) fn new_caps(&self, person: &Person) -> Vec<Cap> {
        let day = SignedDuration::from_hours(24);
        let limits = &person.version.cadence.limits;
        let mut caps = Vec::new();
        if person.enrollment.state.has_begun() {
            return caps;
        }
        if let (Some(limit), Some(scope)) = (limits.new_per_rep_per_day, rep_scope(person)) {
            caps.push(Cap { scope, reason: Waiting::RepLimit, limit, window: day });
        }
        if let Some(company) = person.enrollment.company {
            let limit = self.settings.limits.new_per_company_per_day;
            let scope = format!("company-new:{company}");
            caps.push(Cap { scope, reason: Waiting::CompanyLimit, limit, window: day });
        }
        caps
    }

    /// Remembers that a rep has started enough new people. The intent decides; this only spares the
    /// next ones in the queue a letter and their server a question that leads to nothing.
    pub(super) fn rep_is_full(&self, person: &Person, until: Timestamp) {
        if let Some(scope) = rep_scope(person) {
            lock(&self.full).insert(scope, until);
        }
    }

    /// Until when the rep of somebody new is known to have started enough people.
    pub(super) fn rep_is_full_until(&self, person: &Person, now: Timestamp) -> Option<Timestamp> {
        let scope = rep_scope(person)?;
        lock(&self.full).get(&scope).copied().filter(|until| *until > now)
    }

    /// At most so many people of a rep at once; only the first touch asks.
    pub(in crate::engine) fn rep_guard(
        &self,
        person: &Person,
    ) -> Option<(RepId, EnrollmentId, u32)> {
        let own = person.version.cadence.limits.active_per_rep;
        let limit = own.or(self.settings.limits.active_per_rep)?;
        let first = !person.enrollment.state.has_begun();
        first.then(|| (person.enrollment.owner.clone(), person.enrollment.id, limit))
    }

    /// What LinkedIn takes from a rep in a week and in a month, where the settings say so.
    pub(in crate::engine) fn quotas(&self, rep: &RepId, metered: Option<Metered>) -> Vec<Quota> {
        let Some(metered) = metered else { return Vec::new() };
        let linkedin = &self.settings.linkedin;
        let all = [
            (Metered::Invite, linkedin.invites_per_week, 7),
            (Metered::InviteWithNote, linkedin.notes_per_month, 30),
        ];
        let counted = all.into_iter().filter(|(quota, ..)| metered.counts_as(*quota));
        let quota = |(metered, limit, days): (Metered, Option<u32>, i32)| {
            let window = SignedDuration::from_hours(24) * days;
            limit.map(|limit| Quota { rep: rep.clone(), metered, limit, window })
        };
        counted.filter_map(quota).collect()
    }

    /// At most so many colleagues at once; only the first touch asks.
    pub(in crate::engine) fn company_guard(
        &self,
        person: &Person,
    ) -> Option<(CompanyId, EnrollmentId, u32)> {
        let own = person.version.cadence.limits.per_company_at_once;
        let limit = own.unwrap_or(self.settings.limits.active_per_company);
        let first = !person.enrollment.state.has_begun();
        person.enrollment.company.filter(|_| first).map(|id| (id, person.enrollment.id, limit))
    }
}

/// Everything whose block forbids a touch on a channel.
pub(in crate::engine) fn blocking(person: &Person, channel: Channel) -> Vec<Subject> {
    let on_channel = |subject: &Subject| match subject {
        Subject::Person(_) => true,
        Subject::Email(_) | Subject::Domain(_) => channel == Channel::Email,
        Subject::Phone(_) => false,
    };
    Subject::all_of(&person.prospect).into_iter().filter(on_channel).collect()
}

/// What counts the new people of a rep in a cadence; nothing for somebody who has begun.
fn rep_scope(person: &Person) -> Option<String> {
    let enrollment = &person.enrollment;
    person.version.cadence.limits.new_per_rep_per_day?;
    (!enrollment.state.has_begun())
        .then(|| format!("rep-new:{}:{}", enrollment.owner, enrollment.cadence))
}

/// Under which name a mailbox is leased.
pub(in crate::engine) fn lease_name(mailbox: &MailboxId) -> String {
    format!("mailbox:{mailbox}")
}
