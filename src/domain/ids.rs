//! A newtype per id. Ids are small positive integers handed out by the store in blocks.

/// Makes one id type over `i64`.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A person we may touch.
    ProspectId
);
id!(
    /// The organisation a prospect works for.
    CompanyId
);
id!(
    /// A named list of people.
    ListId
);
id!(
    /// One import of one file.
    ImportId
);
id!(
    /// One prospect going through one cadence.
    EnrollmentId
);
id!(
    /// One attempt of one step.
    TouchId
);
id!(
    /// A touch that waits for a human.
    TaskId
);
id!(
    /// One message that came in.
    InboundId
);
id!(
    /// One absence of somebody of the team.
    AbsenceId
);

/// Makes one name type over `String`, for things that people name in files.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub String);

        impl $name {
            /// The name as written in the file.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

name!(
    /// The `id` of a cadence file.
    CadenceId
);
name!(
    /// The `id` of a step inside its cadence: its identity across versions.
    StepId
);
name!(
    /// The `id` of a buyer profile file.
    ProfileId
);
name!(
    /// The `id` of a `[[mailbox]]` in the settings.
    MailboxId
);
name!(
    /// Somebody of our own team: the owner of prospects and tasks.
    RepId
);
name!(
    /// What somebody of our team does, such as `account_manager`.
    RoleId
);
name!(
    /// What somebody at an account is to a purchase, such as `champion` or `economic`.
    BuyerRole
);
